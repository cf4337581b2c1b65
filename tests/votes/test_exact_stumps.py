"""The bracket of stump ensembles holds what enumeration of all cells says."""

import itertools

import numpy as np
import pytest
from sklearn.datasets import load_breast_cancer
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import AdaBoostClassifier, GradientBoostingClassifier
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier

from sksmooth.exact import _stumps as _exact_stumps
from sksmooth.exact import _sums as _exact_sums
from sksmooth.exact._probabilities import exact_probabilities
from sksmooth.votes._rows import Inputs

X, y = load_breast_cancer(return_X_y=True)
X = StandardScaler().fit_transform(X)


def boosting(**params):
    return GradientBoostingClassifier(max_depth=1, random_state=0, **params)


def adaboost(**params):
    return AdaBoostClassifier(random_state=0, **params)


def exact(f, X, sigma=0.5):
    return exact_probabilities(f, f.classes_, Inputs.from_array(np.asarray(X), sigma))


SMALL = [
    adaboost(n_estimators=7),
    adaboost(n_estimators=8, learning_rate=0.3),
    adaboost(n_estimators=9, learning_rate=1.7),
    boosting(n_estimators=12, learning_rate=1.0, max_features=5),
    boosting(n_estimators=12, subsample=0.5),
    boosting(n_estimators=12, loss="exponential", learning_rate=0.7),
    boosting(n_estimators=12, init="zero"),
    boosting(n_estimators=12, init=DummyClassifier(strategy="most_frequent")),
]


@pytest.mark.parametrize("sigma", [0.5, np.tile([0, 0.2, 1.0], 10)], ids=["", "zeros"])
@pytest.mark.parametrize("f", SMALL, ids=range(8))
@pytest.mark.parametrize("atoms, grid", [(2, 300), (8, 300), (8, 3000), (2**14, 0)])
def test_the_bracket_holds_the_enumeration(f, sigma, atoms, grid, monkeypatch):
    f.fit(X, y)
    rows = X[::5]
    p, _ = exact(f, rows, sigma)
    monkeypatch.setattr(_exact_stumps, "_MAX_CELLS", 0)
    monkeypatch.setattr(_exact_sums, "_MAX_ATOMS", atoms)
    monkeypatch.setattr(_exact_sums, "_GRID", grid)
    estimate, upper = exact(f, rows, sigma)
    np.testing.assert_allclose(estimate.sum(axis=1), 1, rtol=0, atol=1e-12)
    # Both sides are bounds, but for the error of the enumeration itself.
    assert np.all(upper >= p * (1 - 1e-13))
    width = upper.sum(axis=1) - 1
    assert np.all(width >= -1e-15)
    assert np.all(abs(estimate - p) <= width[:, None] / 2 * 1.001 + 1e-12)
    if atoms == 2**14:  # nothing is rounded
        assert width.max() < 1e-11
        np.testing.assert_allclose(estimate, p, rtol=1e-9, atol=1e-290)


BIG = [
    adaboost(n_estimators=100),
    adaboost(n_estimators=300, learning_rate=0.3),
    boosting(n_estimators=100, learning_rate=0.5, subsample=0.5),
    boosting(n_estimators=200),
]


@pytest.mark.parametrize("grid", [200, 1000])
def test_coarse_brackets_overlap_fine_ones(grid, monkeypatch):
    f = BIG[2].fit(X, y)
    _, fine = exact(f, X[::5])
    monkeypatch.setattr(_exact_sums, "_MAX_ATOMS", 64)
    monkeypatch.setattr(_exact_sums, "_GRID", grid)
    _, coarse = exact(f, X[::5])
    assert np.all(coarse + 1e-12 >= 1 - fine[:, ::-1])
    assert np.mean(coarse.sum(axis=1) - 1 > 0.01) > 0.3


@pytest.mark.parametrize("f", BIG, ids=range(len(BIG)))
def test_brackets_are_narrow(f):
    p, upper = exact(f.fit(X, y), X[::4])
    width = upper.sum(axis=1) - 1
    assert width.max() < 1e-3
    assert np.median(width) < 1e-4
    assert np.all(upper >= p)


def test_a_finer_grid_lies_inside(monkeypatch):
    f = BIG[0].fit(X, y)
    coarse = exact(f, X[::10])[1]
    monkeypatch.setattr(_exact_sums, "_GRID", 2**19)
    fine = exact(f, X[::10])[1]
    assert np.all(fine <= coarse * (1 + 1e-9))
    assert np.sum(fine) - 57 < 0.5 * (np.sum(coarse) - 57)


def test_the_window_keeps_every_decision(monkeypatch):
    """Moving hopeless sums to the ends of the window changes no bound."""
    f = BIG[2].fit(X, y)
    rows = X[::20]
    monkeypatch.setattr(_exact_sums, "_GRID", 20_000)
    narrow = exact(f, rows, 1.0)[1]
    lay_grid = _exact_sums.Convolution._lay_grid

    def lay_wide_grid(self, first, middle, last, error):
        # Pretend that more is to come than is: nothing is hopeless then.
        total = sum(np.ptp(s) for s in [first, last, *middle])
        wide = np.concatenate([last, [-9 * total, 9 * total]])
        monkeypatch.setattr(_exact_sums, "_GRID", int(2 * 20_000))
        return lay_grid(self, first, middle, wide, error)

    monkeypatch.setattr(_exact_sums.Convolution, "_lay_grid", lay_wide_grid)
    wide = exact(f, rows, 1.0)[1]
    # Another step, so other brackets; but any two brackets of a number overlap.
    assert np.all(wide + narrow[:, ::-1] >= 1)
    assert np.all(narrow + wide[:, ::-1] >= 1)
    assert abs(wide - narrow).max() < 0.01


def test_tails_go_on_beyond_eight_sigma():
    f = BIG[0].fit(X, y)
    rows = np.array([X[y == 0].max(axis=0) + 4, X[y == 1].min(axis=0) - 4])
    _, upper = exact(f, rows, 0.1)
    assert f.predict(rows).tolist() == [0, 1]
    assert 0 < upper[0, 1] < 1e-100
    assert 0 < upper[1, 0] < 1e-100


def equal_weights(n_estimators):
    """Stumps with equal weights, so that an even number of them can tie."""
    f = adaboost(n_estimators=n_estimators).fit(X, y)
    assert len({e.tree_.feature[0] for e in f.estimators_}) == n_estimators
    f.estimator_weights_[:] = 0.3
    return f


def test_a_tie_is_counted_as_predict_decides_it():
    f = equal_weights(2)
    n = 20_000
    x = np.array([[e.tree_.threshold[0] for e in f.estimators_]])
    full = np.zeros((1, 30))
    full[0, [e.tree_.feature[0] for e in f.estimators_]] = x
    p, upper = exact(f, full, 1.0)
    # Both stumps are undecided, and class 1 needs both.
    np.testing.assert_allclose(p, [[0.75, 0.25]], atol=1e-6)
    assert upper.sum() < 1 + 1e-12
    noisy = full + np.random.default_rng(0).normal(size=(n, 30))
    assert abs(f.predict(noisy).mean() - 0.25) < 5 * np.sqrt(0.19 / n)


def test_a_sum_that_rounding_decides_belongs_to_both_bounds(monkeypatch):
    """0.1 + 0.2 + 0.3 - 0.6 is 0 or not, depending on the order."""
    f = equal_weights(4)
    values = set()
    for weights in itertools.permutations([0.1, 0.2, 0.3, 0.6]):
        f.estimator_weights_[:] = weights
        p, _ = exact(f, X[:20], 2.0)
        values.add(p[0, 0].round(9))
        with monkeypatch.context() as patch:
            patch.setattr(_exact_stumps, "_MAX_CELLS", 0)
            _, upper = exact(f, X[:20], 2.0)
        assert np.all(upper >= p * (1 - 1e-13))
        assert np.all(upper.sum(axis=1) > 1.001)
    assert len(values) > 1


def test_negative_weights_turn_the_ensemble_round():
    f = adaboost(n_estimators=7).fit(X, y)
    p, _ = exact(f, X[:50])
    f.estimator_weights_ *= -1
    q, _ = exact(f, X[:50])
    np.testing.assert_allclose(p, q, rtol=1e-12)
    f.estimator_weights_[:] = 0
    with pytest.raises(ValueError, match=r"weights that add up to 0\.0"):
        exact(f, X[:50])


def test_stumps_that_are_leaves():
    """Weights so lopsided, or leaves so large, that no split is worth it."""
    f = AdaBoostClassifier(
        DecisionTreeClassifier(max_depth=1, min_samples_leaf=300), n_estimators=3
    ).fit(X, y)
    assert all(e.tree_.node_count == 1 for e in f.estimators_)
    p, upper = exact(f, X[:5])
    assert p.tolist() == [[0, 1]] * 5
    np.testing.assert_allclose(upper, p, atol=1e-12)
    f = boosting(n_estimators=3, min_samples_leaf=300).fit(X, y)
    assert exact(f, X[:5])[0].tolist() == [[0, 1]] * 5


@pytest.mark.parametrize("f", [SMALL[0], SMALL[3], BIG[0]], ids=str)
def test_labels_in_either_order(f):
    words = np.array(["no", "yes"])
    numbers, _ = exact(f.fit(X, y), X[:20])
    for labels in (words, words[::-1]):
        f.fit(X, labels[y])
        p, _ = exact_probabilities(f, labels, Inputs.from_array(X[:20], 0.5))
        np.testing.assert_allclose(p, numbers, atol=2e-3)


def test_equal_cuts_on_one_feature():
    """Cuts that no float32 falls between are one cut."""
    f = boosting(n_estimators=2, learning_rate=1.0).fit(X[:, :1], y)
    first, second = f.estimators_[:, 0]
    second.tree_.threshold[0] = np.nextafter(first.tree_.threshold[0], np.inf)
    p, _ = exact(f, X[:100, :1])
    noisy = X[:100, :1] + 0.5 * np.random.default_rng(0).normal(size=(4000, 100, 1))
    share = f.predict(noisy.reshape(-1, 1)).reshape(4000, 100).mean(axis=0)
    assert abs(share - p[:, 1]).max() < 5 * 0.5 / np.sqrt(4000)
