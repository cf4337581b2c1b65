"""Exact probabilities of trees, against boxes integrated with 40 digits."""

import itertools

import mpmath
import numpy as np
import pytest
from scipy import stats
from sklearn.datasets import load_digits
from sklearn.tree import DecisionTreeClassifier, ExtraTreeClassifier

from sksmooth.exact._probabilities import exact_probabilities
from sksmooth.exact._trees import _leaves
from sksmooth.models._trees import largest_float32
from sksmooth.votes._rows import Inputs


def fit(X, y, **params):
    return DecisionTreeClassifier(random_state=0, **params).fit(X, y)


def exact(f, X, sigma):
    return exact_probabilities(f, f.classes_, Inputs.from_array(np.asarray(X), sigma))


def switch(threshold):
    """The real number at which a tree changes sides, to 40 digits."""
    low = np.float32(threshold)
    if float(low) > threshold:  # as float64
        low = np.nextafter(low, np.float32(-np.inf))
    return (mpmath.mpf(float(low)) + float(np.nextafter(low, np.float32(np.inf)))) / 2


def by_grid(f, x, sigma):
    """Probabilities from the grid of all thresholds and f.predict in every cell."""
    tree = f.tree_
    cuts = [
        np.unique(largest_float32(tree.threshold[tree.feature == i])).astype(np.float32)
        for i in range(len(x))
    ]
    points = [[*c[:1], *np.nextafter(c, np.float32(np.inf))] or [0] for c in cuts]
    cells = np.array(list(itertools.product(*points)), np.float32)
    labels = f.predict(cells)
    root = mpmath.sqrt(2)
    masses = []
    for value, level, c in zip(x, sigma, cuts, strict=True):
        if level == 0:
            piece = int(np.sum(c < np.float32(value)))
            masses.append([mpmath.mpf(k == piece) for k in range(len(c) + 1)])
            continue
        u = [(switch(t) - mpmath.mpf(value)) / mpmath.mpf(level) for t in c.tolist()]
        u = [-mpmath.inf, *u, mpmath.inf]
        pairs = itertools.pairwise(u)
        masses.append(
            [
                (mpmath.erfc(a / root) - mpmath.erfc(b / root)) / 2
                if a > 0
                else (mpmath.erfc(-b / root) - mpmath.erfc(-a / root)) / 2
                for a, b in pairs
            ]
        )
    result = {label: mpmath.mpf(0) for label in f.classes_.tolist()}
    for label, mass in zip(labels.tolist(), itertools.product(*masses), strict=True):
        result[label] += mpmath.fprod(mass)
    return list(result.values())


rng = np.random.default_rng(0)
ONE = rng.normal(size=(80, 1))
TWO = rng.normal(size=(60, 2))


@pytest.mark.parametrize("sigma", [[0.5], [0.05], [3.0]])
def test_one_feature(sigma):
    f = fit(ONE, rng.integers(0, 3, 80))
    X = np.concatenate([ONE[:20], [[-9.0], [7.0]]])
    compare_with_grid(f, X, sigma)


@pytest.mark.parametrize("sigma", [[0.5, 0.2], [0.0, 0.4], [0.4, 0.0], [1e-3, 30.0]])
def test_two_features(sigma):
    """A path meets a feature again and again."""
    f = fit(TWO, rng.integers(0, 3, 60))
    assert f.get_depth() > 6
    compare_with_grid(f, TWO[:20], sigma)


def compare_with_grid(f, X, sigma):
    p, upper = exact(f, X, sigma)
    np.testing.assert_allclose(p.sum(axis=1), 1, rtol=0, atol=1e-12)
    with mpmath.workdps(60):
        for x, estimates, bounds in zip(X.tolist(), p, upper, strict=True):
            true = by_grid(f, x, sigma)
            assert all(b >= t for b, t in zip(bounds, true, strict=True))
            np.testing.assert_allclose(
                estimates, np.array(true, float), rtol=0, atol=1e-13
            )
            assert sum(bounds) < 1 + 1e-12


@pytest.mark.parametrize("far", [8, 15, 25, 35])
def test_far_from_every_threshold(far):
    """The radius reaches the threshold, however far that is, and never beyond."""
    f = fit([[-1.0], [1.0]], [0, 1])
    for sign in (-1, 1):
        other = 0 if sign > 0 else 1
        for sigma in (0.25, 1.0, 3.0):
            _, upper = exact(f, [[sign * far * sigma]], sigma)
            radius = -sigma * stats.norm.ppf(upper[0, other])
            assert radius == pytest.approx(far * sigma, rel=1e-9)
            with mpmath.workdps(60):
                u = (switch(0.0) - sign * far * mpmath.mpf(sigma)) / mpmath.mpf(sigma)
                true = mpmath.erfc(sign * -u / mpmath.sqrt(2)) / 2
                assert true <= upper[0, other] <= true * (1 + 1e-10)


def test_far_out_of_a_corner():
    """Products of tails keep their relative accuracy too."""
    f = fit([[0, 0], [0, 1], [1, 0], [1, 1.0]], [0, 1, 1, 1])
    x, sigma = [9.5, 12.5], [1.0, 1.0]
    _, upper = exact(f, [x], sigma)
    with mpmath.workdps(80):
        true = by_grid(f, x, sigma)[0]
        assert true < 1e-50
        assert true <= upper[0, 0] <= true * (1 + 1e-10)


def test_underflow_leaves_a_positive_bound():
    f = fit([[-1.0], [1.0]], [0, 1])
    p, upper = exact(f, [[100.0], [1e30]], 1.0)
    assert np.all(p[:, 0] < 1e-299)
    assert np.all((upper[:, 0] > 0) & (upper[:, 0] < 1e-299))


@pytest.mark.parametrize("threshold", [0.1, 0.5, 1 / 3, 1e-3, 123456.789, -0.7])
def test_switches_where_predict_does(threshold):
    """Trees round x to float32 first: that moves the threshold."""
    f = fit([[0.0], [1.0]], [0, 1])
    f.tree_.threshold[0] = threshold
    with mpmath.workdps(40):
        true = float(switch(threshold))  # exact: a float64
    x = [true]
    for _ in range(3):
        x = [np.nextafter(x[0], -np.inf), *x, np.nextafter(x[-1], np.inf)]
    X = np.reshape([*x, threshold, np.float32(threshold)], (-1, 1))
    labels = f.predict(X)
    assert set(labels[:7]) == {0, 1}
    # Without noise the same rule is applied, ties included.
    wide = np.column_stack([X, X])
    g = fit([[0.0, 0], [1, 0]], [0, 1])
    g.tree_.threshold[0] = threshold
    np.testing.assert_array_equal(exact(g, wide, [0.0, 1.0])[0][:, 1], labels)
    # With very little of it, the middle is where both sides are as likely, and one
    # float64 to a side decides almost surely.
    sigma = np.spacing(abs(true)) / 20
    p = exact(f, X[:7], sigma)[0][:, 1]
    np.testing.assert_allclose(p, [0, 0, 0, 0.5, 1, 1, 1], atol=1e-12)
    assert labels[:3].tolist() == [0] * 3
    assert labels[4:7].tolist() == [1] * 3


def test_largest_float32():
    t = np.concatenate([rng.normal(size=1000), [0.0, 1.0, -1.0, 1e-50, -1e-50, 1e38]])
    low = largest_float32(t)
    assert low.dtype == np.float32
    assert np.all(low <= t)
    assert np.all(np.nextafter(low, np.float32(np.inf)) > t)


def test_repeated_and_contradictory_thresholds():
    """Boxes that no input reaches count for nothing."""
    X, y = TWO, rng.integers(0, 2, 60)
    f = fit(X, y)
    tree = f.tree_
    inner = np.flatnonzero(tree.children_left != -1)
    tree.feature[inner] = 0
    tree.threshold[inner] = np.resize(
        [0.25, 0.25, -0.5, 1.0, np.nextafter(0.25, 1)], len(inner)
    )
    leaves, boxes = _leaves(tree.__getstate__()["nodes"])
    assert len(leaves) < tree.n_leaves
    sides = [side for box in boxes for side in box.values()]
    assert all(low < high or gaps for low, high, gaps in sides)
    compare_with_grid(f, X[:10], [0.5, 0.5])


def test_a_tree_that_is_a_leaf():
    for y, k in ((np.zeros(60), 1), (np.arange(60) % 3, 3)):
        f = fit(TWO, y, min_samples_leaf=60)
        p, upper = exact(f, TWO, 1.0)
        assert p.shape == (60, k)
        assert np.all(p[:, 0] == 1)
        assert np.all(upper[:, 0] == 1)
        # Nothing can be predicted but the first class.
        assert not np.any(upper[:, 1:])


def test_ties_in_a_leaf_go_to_the_first_class():
    X = np.repeat([[0.0], [1.0]], 3, axis=0)
    f = fit(X, [2, 1, 0, 2, 1, 2])
    p, _ = exact(f, X, 0.01)
    np.testing.assert_allclose(p, np.eye(3)[f.predict(X)], atol=1e-12)


def test_extremely_random_trees_predict_the_same_way():
    f = ExtraTreeClassifier(random_state=0).fit(TWO, rng.integers(0, 3, 60))
    compare_with_grid(f, TWO[:5], [0.5, 0.5])


def test_only_features_on_paths_need_a_noise_level():
    """Huge or tiny noise elsewhere changes nothing."""
    X, y = load_digits(return_X_y=True)
    f = fit(X, y, max_leaf_nodes=30)
    used = np.unique(f.tree_.feature[f.tree_.feature >= 0])
    sigma = np.where(np.isin(np.arange(64), used), 2.0, 1e9)
    a, b = exact(f, X[:50], sigma), exact(f, X[:50], 2.0)
    np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("sigma", [1e-300, 1e300])
def test_extreme_noise(sigma):
    f = fit(TWO, rng.integers(0, 3, 60))
    p, upper = exact(f, TWO, sigma)
    np.testing.assert_allclose(p.sum(axis=1), 1, rtol=0, atol=1e-12)
    assert np.all(upper >= p)
    if sigma < 1:
        np.testing.assert_allclose(p, np.eye(3)[f.predict(TWO)], atol=1e-12)
