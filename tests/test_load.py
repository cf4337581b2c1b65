"""Very wide, very many and very few: the same answers, in bounded memory."""

import tracemalloc

import numpy as np
import pytest
from sklearn.datasets import make_blobs
from sklearn.naive_bayes import GaussianNB

from sksmooth import SmoothedClassifier
from tests.helpers import Fixed, halfspace


def smoothed(estimator, **params):
    return SmoothedClassifier(
        estimator,
        **{
            "method": "monte_carlo",
            "n": 100,
            "n0": 10,
            "sigma": 1.0,
            "random_state": 0,
            **params,
        },
    )


@pytest.fixture(scope="module", autouse=True)
def what_is_loaded_once():
    """Compiled code takes memory once, and not of what is measured here."""
    base = Fixed(lambda Z: (Z[:, 0] > 0).astype(int))
    smoothed(base, n=40).certify(np.zeros((2, 200_000), np.float32))


@pytest.mark.parametrize("grid", [None, "auto"])
def test_a_million_features(grid):
    """The radius of a halfspace does not depend on the width; memory does, once."""
    d = 1_000_000
    X = np.zeros((2, d), np.float32)
    X[:, 0] = [3.0, -3.0]
    base = Fixed(lambda Z: (Z[:, 0] > 0).astype(int))
    tracemalloc.start()
    c = smoothed(base, n=40, n0=5, grid=grid).certify(X)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert c.prediction.tolist() == [1, 0]
    if grid is None:
        assert np.all(c.radius == c.radius[0])
        assert peak < 15 * X[0].nbytes
    else:
        # h sqrt(d) / 2 with h = 2^-16: inputs are on the grid
        np.testing.assert_allclose(c.radius_loss, 2.0**-17 * 1000, rtol=1e-6)
        assert peak < 40 * X[0].nbytes


def test_a_hundred_thousand_inputs():
    X = np.random.default_rng(0).normal(size=(100_000, 2))
    g = smoothed(halfspace([1.0, 0.0]), n=25, stopping="fixed")
    p = g.predict_proba(X)
    assert p.shape == (100_000, 2)
    some = np.r_[:5, 50_000, 99_995:100_000]
    np.testing.assert_array_equal(p[some], g.predict_proba(X[some]))
    far = np.abs(X[:, 0]) > 2
    prediction = (p[:, 1] > 0.5)[far]
    assert np.mean(prediction == (X[far, 0] > 0)) > 0.99


def test_one_input_is_as_one_of_many():
    X = np.random.default_rng(0).normal(size=(500, 3))
    g = smoothed(GaussianNB().fit(X, X[:, 0] > 0))
    c = g.certify(X)
    for row in (0, 17, 499):
        alone = g.certify(X[row : row + 1])
        np.testing.assert_array_equal(alone.counts[0], c.counts[row])
        assert alone.radius == c.radius[row]


def test_one_feature_and_two_inputs():
    g = smoothed(GaussianNB(), n_copies=20).fit([[-1.0], [1.0]], ["no", "yes"])
    prediction, radius = g.certify([[5.0]])
    assert prediction == ["yes"]
    assert radius > 0.5


@pytest.mark.filterwarnings("ignore:sigma is small for the units of X")
def test_a_thousand_classes():
    """One blob a class: every one is found, and memory stays that of the counts."""
    X, y = make_blobs(1000, 3, centers=1000, cluster_std=0.0, random_state=0)
    X *= 100
    classes = np.arange(1000)

    def nearest(Z):
        gap = np.abs(Z[:, None, :] - X[None]).max(axis=2)
        return y[gap.argmin(axis=1)]

    few = slice(None, None, 50)
    c = smoothed(Fixed(nearest, classes), n=50, batch_size=200).certify(X[few])
    assert c.counts.shape == (20, 1000)
    assert np.all(c.prediction[c.certified] == y[few][c.certified])
    assert c.certified.mean() > 0.8
    names = np.array([f"class {k}" for k in range(1000)])
    base = Fixed(lambda Z: names[nearest(Z)], names)
    d = smoothed(base, n=50, batch_size=200).certify(X[few])
    np.testing.assert_array_equal(c.counts, d.counts)


@pytest.mark.parametrize("grid", [None, "auto"])
def test_memory_does_not_grow_with_n(grid):
    # So wide that a batch is most of what there is.
    X = np.random.default_rng(0).normal(size=(3, 100))
    base = Fixed(lambda Z: (Z[:, 0] > 0).astype(int))

    def peak(n):
        g = smoothed(base, n=n, grid=grid, batch_size=1000)
        tracemalloc.start()
        g.certify(X)
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return most

    peak(40_000)  # loads what is loaded once
    assert peak(40_000) < 1.2 * peak(2000)
