"""Noise is drawn at the sigma that certificates state, to far less than float32 shows.

With the same key the noise of one sigma is a multiple of that of another, so the drawn
scale is the slope between them: known to about 1e-10 from a million numbers, where
float32 rounds a sigma of 0.7 by 1.7e-8, relatively.
"""

import numpy as np
import pandas as pd
import pytest

from sksmooth import GaussianAugmenter, SmoothedClassifier
from sksmooth.noise._normals import level_for
from tests.helpers import Fixed

SIGMAS = [0.7, 0.1, 0.12, 1 / 3]


class Recorder:
    """The function of a classifier that keeps what it is asked about."""

    def __init__(self):
        self.seen = []

    def __call__(self, X):
        self.seen.append(np.array(X, dtype=float))
        return np.zeros(len(X), int)


def noise_seen(X, sigma, **options):
    """Return the noisy copies of X that a classifier is asked about."""
    recorder = Recorder()
    g = SmoothedClassifier(
        Fixed(recorder), sigma=sigma, n0=1, n=200_000, random_state=0, **options
    )
    g.certify(X)
    return np.concatenate(recorder.seen)[-200_000:]


def slope(noise, unit):
    return np.sum(noise * unit, axis=0) / np.sum(unit * unit, axis=0)


def frame(*dtypes):
    return pd.DataFrame({f"c{i}": np.zeros(1, d) for i, d in enumerate(dtypes)})


ROWS = {
    "float32": np.zeros((1, 5), np.float32),
    "float64": np.zeros((1, 5)),
    "float32 images": np.zeros((1, 2, 2, 3), np.float32),
    "frame of float32": frame(*["float32"] * 5),
    "mixed frame": frame("float32", "float64", "float32", "float64", "float32"),
}


@pytest.mark.parametrize("sigma", SIGMAS)
@pytest.mark.parametrize(
    "options", [{}, {"shared_noise": True}, {"grid": "auto"}], ids=str
)
@pytest.mark.parametrize("kind", ROWS)
def test_the_scale_that_is_drawn_is_the_one_that_is_stated(kind, options, sigma):
    X = ROWS[kind]
    noise, unit = noise_seen(X, sigma, **options), noise_seen(X, 1.0, **options)
    assert noise.shape == unit.shape
    # The grid rounds each number by up to sigma / 2^16, independently.
    slack = 2e-8 if options.get("grid") else 1e-9
    assert slope(noise.ravel(), unit.ravel()) == pytest.approx(sigma, rel=slack)


@pytest.mark.parametrize("kind", ["float32", "frame of float32", "mixed frame"])
def test_one_sigma_for_each_feature(kind):
    sigma = np.array([0.7, 0.1, 0.0, 0.12, 1 / 3])
    level = np.where(sigma > 0, 1.0, 0.0)
    noise, unit = noise_seen(ROWS[kind], sigma), noise_seen(ROWS[kind], level)
    noisy = sigma > 0
    assert np.all(noise[:, ~noisy] == 0)
    found = slope(noise[:, noisy], unit[:, noisy])
    np.testing.assert_allclose(found, sigma[noisy], rtol=2e-9)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_noise_for_training(dtype):
    X = np.zeros((1, 1_000_000), dtype)
    noise, unit = (
        GaussianAugmenter(sigma=sigma, random_state=0).fit_transform(X).astype(float)
        for sigma in (0.7, 1.0)
    )
    assert slope(noise.ravel(), unit.ravel()) == pytest.approx(0.7, rel=1e-9)


def test_radii_are_multiples_of_the_stated_sigma():
    X = np.zeros((2, 3), np.float32)
    g = SmoothedClassifier(Fixed(lambda X: np.zeros(len(X), int)), sigma=0.7, n=1000)
    certificate = g.certify(X)
    assert certificate.sigma == 0.7
    assert certificate.radius[0] == g.certify(X.astype(float)).radius[0]


def test_a_sigma_that_float32_holds_costs_no_double_precision():
    for sigma in (0.25, 0.5, 1.0, np.array([0.0, 2.0])):
        assert level_for(sigma, np.float32).dtype == np.float32
    for sigma in (0.7, np.array([0.5, 0.1]), 1e-60, 1e60):
        assert level_for(sigma, np.float32).dtype == np.float64
    assert level_for(0.7, np.float64).dtype == np.float64


def test_nets():
    torch = pytest.importorskip("torch")
    from sksmooth.torch import ModuleClassifier

    seen = []  # not of the module, which may be copied

    class Spy(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.weight = torch.nn.Parameter(torch.zeros(1))

        def forward(self, x):
            seen.append(x.detach().double().numpy().copy())
            return torch.stack([x[:, 0] * 0 + 1, x[:, 0] * 0], dim=1)

    for dtype in (np.float32, np.float64):
        found = []
        for sigma in (0.7, 1.0):
            seen.clear()
            g = SmoothedClassifier(
                ModuleClassifier(Spy(), classes=[0, 1]),
                sigma=sigma, n0=1, n=200_000, random_state=0,
            )  # fmt: skip
            g.certify(np.zeros((1, 5), dtype))
            found.append(np.concatenate(seen)[-200_000:].ravel())
        assert slope(*found) == pytest.approx(0.7, rel=1e-9)


@pytest.mark.parametrize("by_feature", [False, True])
def test_noise_that_a_device_draws(by_feature):
    torch = pytest.importorskip("torch")
    from sksmooth.noise._on_device import DeviceNormals, _rounded_up

    outs = []
    for sigma in (0.7, 1.0):
        out = torch.empty(200_000, 5)
        level = np.full(5, sigma) if by_feature else sigma
        normals = DeviceNormals(level, None, (5,), out.dtype, out.device)
        stream = normals.open(b"k" * 32)
        for part in out.split(70_001):
            normals.copies(torch.zeros(5), stream, part)
        outs.append(out.double().numpy().ravel())
    assert slope(*outs) == pytest.approx(0.7, rel=1e-9)
    # Where there is no double precision, never less than what is stated.
    rng = np.random.default_rng(0)
    sigma = np.append(rng.uniform(0, 2, 1000), [0.0, 0.25])
    up = _rounded_up(sigma)
    assert up.dtype == np.float32
    assert np.all(up.astype(float) >= sigma)
    assert np.all(up.astype(float) <= sigma * (1 + 2.0**-23))
    assert up[-2:].tolist() == [0, 0.25]
