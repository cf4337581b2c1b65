"""Logs of a run at another alpha than is said: the error names the one that fits."""

import matplotlib
import pytest

from sksmooth.display import CertifiedAccuracyDisplay
from sksmooth.stats import max_certifiable_radius

pd = pytest.importorskip("pandas")
matplotlib.use("Agg")

COHEN = {
    "cifar10_resnet110_sigma_0.25": 0.978,
    "cifar10_resnet110_sigma_0.50": 1.96,
    "imagenet_resnet50_sigma_0.25": 0.978,
    "imagenet_resnet50_sigma_0.50": 1.96,
    "imagenet_resnet50_sigma_1.00": 3.91,
}


def draw(log, **params):
    display = CertifiedAccuracyDisplay.from_log(log, **params)
    matplotlib.pyplot.close(display.figure_)
    return display


def log_of(radius):
    return pd.DataFrame({"label": [1, 1], "predict": [1, 0], "radius": [radius, 0.1]})


@pytest.mark.parametrize("name", COHEN)
def test_published_logs_were_run_at_one_hundredth(published, name):
    path = published / f"cohen2019/certify_{name}.tsv"
    sigma = float(name[-4:])
    with pytest.raises(ValueError, match="fits alpha=0.01 or more.*pass alpha=0.01 if"):
        draw(path, sigma=sigma)
    assert draw(path, sigma=sigma, alpha=0.01).radius[-1] == COHEN[name]


@pytest.mark.parametrize("sigma", [0.12, 1.0, 30.0])
@pytest.mark.parametrize("n", [1_000, 100_000])
@pytest.mark.parametrize("alpha", [0.002, 0.01, 0.05, 0.1, 0.5])
def test_the_alpha_that_fits_is_found(sigma, n, alpha):
    """From the largest radius, as the reference code prints it."""
    radius = float(f"{max_certifiable_radius(n, sigma, alpha):.3g}")
    with pytest.raises(ValueError, match=f"fits alpha={alpha:g} or more"):
        draw(log_of(radius), sigma=sigma, n=n, alpha=1e-4)
    draw(log_of(radius), sigma=sigma, n=n, alpha=alpha)


def test_where_none_fits():
    with pytest.raises(ValueError, match="reach 0.953 at most. No usual alpha fits"):
        draw(log_of(5.0), sigma=0.25)
