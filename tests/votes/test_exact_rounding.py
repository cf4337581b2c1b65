"""Exact probabilities and grids: each computation against the same in rationals."""

import itertools
from fractions import Fraction

import mpmath
import numpy as np
import pytest
from sklearn.datasets import load_iris
from sklearn.ensemble import (
    AdaBoostClassifier,
    GradientBoostingClassifier,
    HistGradientBoostingClassifier,
)
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier

from sksmooth import SmoothedClassifier
from sksmooth.exact import _stumps as _exact_stumps
from sksmooth.exact import _sums as _exact_sums
from sksmooth.exact._probabilities import _make_model, exact_probabilities
from sksmooth.exact._sums import Convolution
from sksmooth.noise import Gaussian
from sksmooth.noise._gaussian import BoundGaussian
from sksmooth.noise._grid import round_to_grid, rounding_loss
from sksmooth.votes._rows import Inputs
from tests.helpers import count_votes

X3, y3 = load_iris(return_X_y=True)


@pytest.fixture
def edges(monkeypatch):
    """The ends (low, high) that Phi is bounded at, as they are asked for."""
    asked = []
    cdf_bounds = BoundGaussian.cdf_bounds

    def record(low, high):
        asked.append((low.copy(), high.copy()))
        return cdf_bounds(low, high)

    monkeypatch.setattr(BoundGaussian, "cdf_bounds", staticmethod(record))
    return asked


def stump(threshold):
    """A stump on one feature, class 1 above the threshold (a float32)."""
    f = DecisionTreeClassifier(max_depth=1).fit([[0.0], [1.0]], [0, 1])
    f.tree_.threshold[0] = threshold
    assert f.predict([[threshold - 1.0], [threshold + 1.0]]).tolist() == [0, 1]
    return f


class TestWhereATreeIsCut:
    """(cut - z) / sigma, from below and from above."""

    @staticmethod
    def exact_edge(threshold):
        """The z at which float32(z) passes the threshold."""
        above = np.nextafter(np.float32(threshold), np.float32(np.inf))
        return (Fraction(float(threshold)) + Fraction(float(above))) / 2

    @staticmethod
    def check(edges, distances, f, rows, sigma):
        """Do all ends hold the exact distances, in units of sigma? And closely?"""
        _, upper = exact_probabilities(f, f.classes_, Inputs.from_array(rows, sigma))
        (low, high), (right_low, right_high) = edges
        np.testing.assert_array_equal(-right_low, high)
        np.testing.assert_array_equal(-right_high, low)
        (place,) = np.flatnonzero(np.isfinite(low[:, 0]))
        for i, distance in enumerate(distances):
            assert Fraction(low[place, i]) <= distance <= Fraction(high[place, i])
        with mpmath.workdps(40):
            for bounds, distance in zip(upper, distances, strict=True):
                u = mpmath.mpf(distance.numerator) / distance.denominator
                assert mpmath.ncdf(u) <= bounds[0]
                assert mpmath.ncdf(-u) <= bounds[1]
        return low[place], high[place]

    @pytest.mark.parametrize("threshold", [0.0, 0.1, -3.7, 1e4])
    @pytest.mark.parametrize("sigma", [0.3, 1.0, 77.7])
    def test_bare(self, threshold, sigma, edges):
        threshold = np.float32(threshold)
        rng = np.random.default_rng(0)
        rows = threshold + sigma * rng.uniform(-12, 12, (200, 1))
        cut = self.exact_edge(threshold)
        distances = [(cut - Fraction(x)) / Fraction(sigma) for x in rows[:, 0]]
        low, high = self.check(edges, distances, stump(threshold), rows, sigma)
        assert np.all(high - low <= 1e-14 * np.abs(high))

    @pytest.mark.parametrize("mean, scale", [(3.3, 0.7), (1e6, 13.0), (-1e9, 0.001)])
    def test_behind_a_scaler(self, mean, scale, edges):
        """Far from 0 the rounding of the scaled number is what decides."""
        threshold, sigma = np.float32(0.3), scale / 3
        rng = np.random.default_rng(0)
        rows = mean + scale * rng.uniform(-3, 3, (200, 1))
        scaler = StandardScaler().fit(rows)
        scaler.mean_, scaler.scale_ = np.array([mean]), np.array([scale])
        f = make_pipeline(scaler, stump(threshold))
        cut = self.exact_edge(threshold) * Fraction(scale) + Fraction(mean)
        distances = [(cut - Fraction(x)) / Fraction(sigma) for x in rows[:, 0]]
        self.check(edges, distances, f, rows, sigma)


def rational(array):
    return np.vectorize(Fraction, otypes=[object])(np.asarray(array, dtype=float))


def test_leaves_of_a_tree_add_up_to_no_less_than_their_masses():
    """Sums of products of the masses, as these are stored."""
    rng = np.random.default_rng(0)
    points = rng.normal(size=(400, 6))
    tree = DecisionTreeClassifier(random_state=0)
    tree.fit(points, rng.integers(0, 3, 400))
    model, _ = _make_model(tree, Gaussian().bind(np.full(6, 0.7)))
    rows = points[:25]
    masses = rational(model.intervals.upper(rows))
    _, upper = model.probabilities(rows)
    n_leaves = model.by_class.shape[1]
    assert n_leaves > 100
    products = np.full((n_leaves, len(rows)), Fraction(1), dtype=object)
    for path in model.paths:
        products[: len(path)] *= masses[path]
    of_class = model.by_class.toarray()
    for label, row in enumerate(upper):
        exact = products[of_class[label] == 1].sum(axis=0)
        for bound, value in zip(row, exact, strict=True):
            assert value <= Fraction(bound) <= value * (1 + Fraction(1, 10**12))


@pytest.mark.parametrize("base", [AdaBoostClassifier, GradientBoostingClassifier])
@pytest.mark.parametrize("max_cells", [2**12, 0], ids=["cells", "sums"])
def test_sums_of_stumps_are_no_less_than_their_masses(base, max_cells, monkeypatch):
    monkeypatch.setattr(_exact_stumps, "_MAX_CELLS", max_cells)
    two = y3 > 0
    f = base(n_estimators=6, random_state=0)
    if base is GradientBoostingClassifier:
        f.set_params(max_depth=1, learning_rate=1.0)
    f.fit(X3 + np.random.default_rng(0).normal(size=X3.shape), two)
    model, _ = _make_model(f, Gaussian().bind(np.full(4, 0.9)))
    rows = X3[::7]
    masses = model.intervals.upper(rows)
    _, upper = model.probabilities(rows)
    pieces = [
        rational(masses[start:stop]) for start, stop in itertools.pairwise(model.pieces)
    ]
    cuts = [np.r_[cuts, np.inf] for cuts in model.cuts]
    exact = np.full((2, len(rows)), Fraction(0), dtype=object)
    for cell in itertools.product(*(range(len(piece)) for piece in pieces)):
        z = np.zeros((1, 4), np.float32)
        for axis, at in enumerate(cell):
            end = np.float32(cuts[axis][at])
            last = np.nextafter(np.float32(cuts[axis][-2]), np.float32(np.inf))
            z[0, model.axes.column[axis]] = end if np.isfinite(end) else last
        product = np.full(len(rows), Fraction(1), dtype=object)
        for piece, at in zip(pieces, cell, strict=True):
            product = product * piece[at]
        exact[int(f.predict(z)[0])] += product
    for bound, value in zip(upper.ravel(), exact.ravel(), strict=True):
        assert Fraction(bound) >= value


class TestSums:
    """Convolution: a score within `error` of 0 counts for both classes."""

    @staticmethod
    def check(constant, scores, error, seed=0, own=0.0):
        """Compare with all combinations; `own` is for roundings of the sums here."""
        rng = np.random.default_rng(seed)
        masses = [rng.dirichlet(np.ones(len(s)), size=3) for s in scores]
        plan = Convolution(constant, scores, error + own)
        lower, upper = plan.bracket(masses, 3)
        for row in range(3):
            zero = one = surely_zero = surely_one = Fraction(0)
            for cell in itertools.product(*(range(len(s)) for s in scores)):
                score, mass = Fraction(constant), Fraction(1)
                for s, m, at in zip(scores, masses, cell, strict=True):
                    score += Fraction(float(s[at]))
                    mass *= Fraction(float(m[row, at]))
                zero += mass * (score <= error)
                one += mass * (score >= -error)
                surely_zero += mass * (score < -error)
                surely_one += mass * (score > error)
            assert Fraction(upper[0, row]) >= zero
            assert Fraction(upper[1, row]) >= one
            loose = 1 + Fraction(1, 10**12)
            assert Fraction(lower[0, row]) <= surely_zero * loose
            assert Fraction(lower[1, row]) <= surely_one * loose

    @pytest.fixture(params=["listed", "grid"])
    def way(self, request, monkeypatch):
        if request.param == "grid":
            monkeypatch.setattr(_exact_sums, "_MAX_ATOMS", 2)
            monkeypatch.setattr(_exact_sums, "_GRID", 100)

    @pytest.mark.parametrize("seed", range(5))
    @pytest.mark.parametrize("error", [0.0, 0.25, 0.5])
    def test_scores_that_are_the_error_exactly(self, seed, error):
        """Quarters: every sum is exact, and many are 1/4, 0 or -1/4."""
        rng = np.random.default_rng(seed)
        scores = [rng.integers(-4, 5, size) / 4 for size in (2, 3, 4, 2)]
        self.check(0.25 * rng.integers(-2, 3), scores, error, seed)

    @pytest.mark.parametrize("seed", range(5))
    @pytest.mark.parametrize("error", [0.0, 0.25, 0.5])
    def test_quarters_on_a_grid(self, seed, error, way):
        rng = np.random.default_rng(seed)
        scores = [rng.integers(-4, 5, size) / 4 for size in (2, 3, 4, 2)]
        self.check(0.25 * rng.integers(-2, 3), scores, error, seed, own=1e-14)

    @pytest.mark.parametrize("seed", range(5))
    def test_any_scores(self, seed, way):
        rng = np.random.default_rng(seed)
        scores = [rng.normal(size=size) for size in (3, 2, 4, 3)]
        self.check(0.1, scores, 0.0, seed, own=1e-14)

    def test_sums_that_the_order_decides(self, way):
        tenths = [np.array([-0.1, 0.1]) * k for k in (1, 2, 3)]
        self.check(0.6, tenths, 0.0, own=1e-15)
        self.check(-0.6, tenths, 0.0, own=1e-15)
        self.check(0.0, [*tenths, np.array([-0.6, 0.6])], 0.0, own=1e-15)


def equal_stumps(base):
    """Two stumps of equal weight, on two features: in half of the plane they tie."""
    f = base(n_estimators=2)
    if base is GradientBoostingClassifier:
        f.set_params(max_depth=1, learning_rate=1.0, init="zero", random_state=0)
    corners = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
    rows = corners.repeat([3, 2, 1, 3], axis=0)
    f.fit(rows, rows[:, 0] + rows[:, 1] > 1.5)
    for feature, tree in enumerate(np.ravel(f.estimators_)):
        tree = tree.tree_
        assert tree.node_count == 3
        tree.feature[0], tree.threshold[0] = feature, 0.5
        if base is GradientBoostingClassifier:
            tree.value[1:3, 0, 0] = -1.0, 1.0
        else:
            tree.value[1:3, 0] = [[1.0, 0.0], [0.0, 1.0]]
    if base is AdaBoostClassifier:
        f.estimator_weights_[:] = 1.0
    np.testing.assert_array_equal(np.sign(f.decision_function(corners)), [-1, 0, 0, 1])
    return f, corners


@pytest.mark.parametrize("base", [AdaBoostClassifier, GradientBoostingClassifier])
class TestAScoreOfZero:
    """GradientBoosting answers the second class there, and AdaBoost the first."""

    def test_votes(self, base):
        f, corners = equal_stumps(base)
        inputs = Inputs.from_array(corners, 1e-3)
        counts = count_votes(
            f, f.classes_, inputs, 300, entropy=1, purpose="estimate"
        ).counts
        second = f.predict(corners) == f.classes_[1]
        assert second.tolist() == [
            False,
            base is GradientBoostingClassifier,
            base is GradientBoostingClassifier,
            True,
        ]
        np.testing.assert_array_equal(counts[:, 1], 300 * second)

    def test_probabilities(self, base, monkeypatch):
        f, _ = equal_stumps(base)
        middle = Inputs.from_array(np.array([[0.5, 0.5]]), 1.0)
        p, upper = exact_probabilities(f, f.classes_, middle)
        second = 0.75 if base is GradientBoostingClassifier else 0.25
        np.testing.assert_allclose(p, [[1 - second, second]], atol=1e-6)
        assert np.all(upper >= p * (1 - 1e-13))
        monkeypatch.setattr(_exact_stumps, "_MAX_CELLS", 0)
        _, upper = exact_probabilities(f, f.classes_, middle)
        # Rounding might have decided: both classes may have the ties.
        np.testing.assert_allclose(upper, [[0.75, 0.75]], atol=1e-6)

    def test_certificate(self, base):
        """A claim for the class that a tie goes to, and none for the other."""
        f, corners = equal_stumps(base)
        g = SmoothedClassifier(f, sigma=0.1, method="exact")
        np.testing.assert_array_equal(g.predict(corners), f.predict(corners))


def test_votes_of_histogram_boosting_at_a_score_of_zero():
    """Leaves only, and two classes of one size: the first class, everywhere."""
    f = HistGradientBoostingClassifier(max_iter=2, min_samples_leaf=150)
    f.fit(X3[:100], y3[:100])
    assert np.all(f.decision_function(X3) == 0)
    assert np.all(f.predict(X3) == 0)
    inputs = Inputs.from_array(X3[:5], 0.5)
    counts = count_votes(
        f, f.classes_, inputs, 50, entropy=1, purpose="estimate"
    ).counts
    assert counts.tolist() == [[50, 0]] * 5


@pytest.mark.parametrize("per_feature", [False, True])
@pytest.mark.parametrize("n_features", [1, 2, 7, 100])
def test_what_a_grid_costs_is_rounded_up(n_features, per_feature):
    """||x - q(x)|| and half a step in every feature, in units of sigma if it varies."""
    rng = np.random.default_rng(n_features)
    step = 2.0 ** (rng.integers(-9, -4, n_features) if per_feature else -7)
    sigma = rng.uniform(0.1, 2, n_features) if per_feature else 0.3
    values = 10 * rng.normal(size=(60, n_features))
    rounded = round_to_grid(values, sigma, step)
    losses = rounding_loss(values, rounded, sigma, step)
    unit = rational(np.broadcast_to(sigma if per_feature else 1.0, n_features))
    half = rational(np.broadcast_to(step, n_features)) / 2
    with mpmath.workdps(50):

        def norm(vector):
            square = sum(
                (part / one) ** 2 for part, one in zip(vector, unit, strict=True)
            )
            return mpmath.sqrt(mpmath.mpf(square.numerator) / square.denominator)

        others = norm(half)
        for x, q, loss in zip(rational(values), rational(rounded), losses, strict=True):
            exact = norm(x - q) + others
            assert exact <= loss <= exact * (1 + mpmath.mpf(10) ** -12)
