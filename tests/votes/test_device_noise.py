"""Streams of normals on a device: the same however they are cut, and normal."""

import numpy as np
import pytest
from scipy import stats

torch = pytest.importorskip("torch")

from sksmooth.noise._on_device import DeviceNormals, DeviceStream  # noqa: E402
from sksmooth.noise._streams import stream_key  # noqa: E402

CPU = torch.device("cpu")
SHAPES = [(1,), (3,), (16,), (57,), (1, 28, 28), (3, 5, 5)]
CUTS = [(1,) * 50, (50,), (17, 33), (16, 16, 18), (49, 1), (2, 3, 5, 7, 33)]


def noisy_copies(x, sigma, stream, out):
    normals = DeviceNormals(sigma, None, tuple(x.shape), out.dtype, out.device)
    normals.copies(x, stream, out)


def stream(content=b"x", shape=(3,), dtype=torch.float32):
    opened = DeviceStream(stream_key(0, "estimate", content), shape, dtype, CPU)
    opened.block = 7  # else there would be one block only
    return opened


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=str)
def test_a_stream_does_not_depend_on_how_it_is_cut(shape, dtype):
    drawn = []
    for cut in CUTS:
        one = stream(shape=shape, dtype=dtype)
        parts = [torch.empty((k, *shape), dtype=dtype) for k in cut]
        for part in parts:
            one.draw(part)
        drawn.append(torch.cat(parts))
    for other in drawn[1:]:
        assert torch.equal(drawn[0], other)


def test_a_torch_generator_alone_would_depend_on_it():
    """Why there are blocks; if this fails they can go."""

    def draw(cut):
        generator = torch.Generator().manual_seed(0)
        return torch.cat([torch.empty(k).normal_(generator=generator) for k in cut])

    assert not torch.equal(draw([128]), draw([100, 28]))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=str)
def test_noise_is_gaussian_and_independent_between_inputs(dtype):
    n = 20_000
    columns = []
    for i in range(20):
        out = torch.empty((n, 1), dtype=dtype)
        x = torch.tensor([3.0], dtype=dtype)
        noisy_copies(x, 0.5, stream(bytes([i]), (1,), dtype), out)
        columns.append((out[:, 0].double().numpy() - 3) / 0.5)
    p_values = [stats.kstest(column, "norm").pvalue for column in columns]
    assert min(p_values) > 1e-4
    correlation = np.corrcoef(columns)[np.triu_indices(20, 1)]
    assert np.abs(correlation).max() < 5 / np.sqrt(n)


def test_noise_has_the_standard_deviation_it_should():
    """To half a per mille: wider noise would claim radii of a larger sigma."""
    n = 4_000_000
    out = torch.empty(n, 1)
    noisy_copies(torch.zeros(1), 2.0, stream(shape=(1,)), out)
    out = out.double()
    assert out.std().item() == pytest.approx(2.0, abs=2 * 5 / np.sqrt(2 * n))
    tail = (out.abs() > 2 * 3.2905).double().mean().item()  # 0.001 of a normal
    assert tail == pytest.approx(0.001, abs=5 * np.sqrt(0.001 / n))


def test_sigma_by_feature():
    x, sigma = torch.tensor([0.1, 0.2, 0.3]), np.array([1.0, 0.0, 2.0])
    out = torch.empty(500, 3)
    noisy_copies(x, sigma, stream(), out)
    assert torch.all(out[:, 1] == x[1])
    np.testing.assert_allclose(out.std(dim=0), sigma, rtol=0.2)


@pytest.mark.parametrize("sigma", [0.25, 0.3])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=str)
def test_one_sigma_or_the_same_for_each_feature(dtype, sigma):
    """One may be scaled as it is drawn, the other afterwards: the same to the bit."""
    outs = torch.empty(2, 130, 3, dtype=dtype)
    x = torch.tensor([0.1, -0.2, 3.0], dtype=dtype)
    for out, level in zip(outs, (sigma, np.full(3, sigma)), strict=True):
        one = stream(dtype=dtype)
        for part in out.split([1, 70, 59]):
            noisy_copies(x, level, one, part)
    assert torch.equal(*outs)
