"""SmoothedRegressor: what it predicts, and the intervals that hold inside a radius."""

from fractions import Fraction

import joblib
import numpy as np
import pandas as pd
import polars as pl
import pytest
from scipy.stats import binom, norm
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.datasets import load_diabetes
from sklearn.decomposition import PCA
from sklearn.ensemble import (
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LinearRegression, PoissonRegressor, Ridge
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler, StandardScaler
from sklearn.tree import DecisionTreeRegressor

from sksmooth import (
    SmoothedClassifier,
    SmoothedRegressor,
    worst_case_absolute_error,
    worst_case_error_scorer,
    worst_case_squared_error,
)
from sksmooth.noise import SparseFlip, Split
from sksmooth.stats import quantile_levels, quantile_ranks
from sksmooth.votes._values import Order
from sksmooth.votes._voting import work
from sksmooth.votes.run._workers import Parcel

X, y = load_diabetes(return_X_y=True)
Y = np.column_stack([y, -2 * y, y**2 / 100])
RADII = [0.0, 0.01, 0.08]


def smoothed(f, **params):
    return SmoothedRegressor(f, **{"sigma": 0.05, "random_state": 0, **params})


def forest():
    return RandomForestRegressor(5, max_depth=4, random_state=0).fit(X, y)


def ends(certificate):
    return np.stack([certificate.lower, certificate.upper])


class Ranks(BaseEstimator, RegressorMixin):
    def fit(self, X, y):
        self.fitted_ = True
        return self

    def predict(self, X):
        return X[:, 0].argsort().argsort() / len(X)


# Exact: linear


@pytest.mark.parametrize("quantile", [0.5, 0.9])
def test_linear(quantile):
    f = make_pipeline(MinMaxScaler(), PCA(4), Ridge()).fit(X, y)
    w = np.array(
        [(f.predict(row) - f.predict(0 * row))[0] for row in np.eye(10)[:, None]]
    )
    h = smoothed(f, quantile=quantile)
    certificate = h.certify_interval(X[:9], RADII)
    middle = f.predict(X[:9]) + 0.05 * np.linalg.norm(w) * norm.ppf(quantile)
    np.testing.assert_allclose(certificate.prediction, middle)
    moved = np.outer(np.ones(9), RADII) * np.linalg.norm(w)
    lower, upper = middle[:, None] - moved, middle[:, None] + moved
    np.testing.assert_allclose(ends(certificate), [lower, upper])
    assert np.all(certificate.lower[:, 0] <= certificate.prediction)
    assert np.all(certificate.prediction <= certificate.upper[:, 0])
    assert (certificate.method, certificate.n, certificate.alpha) == ("exact", 0, 0.0)
    np.testing.assert_array_equal(h.predict(X[:9]), certificate.prediction)


def test_ends_of_linear_hold_in_fractions():
    """f(x) -+ r |w| without rounding, for one feature and the median."""
    rng = np.random.default_rng(0)
    f = LinearRegression()
    for w, b, x, radius in rng.normal(size=(60, 4)) * 10.0 ** rng.integers(
        -9, 9, (60, 1)
    ):
        f.coef_, f.intercept_, radius = np.array([w]), b, abs(radius)
        lower, _, upper = smoothed(f, sigma=0.3).certify_interval([[x]], radius)
        w, b, x, radius = map(Fraction, (w, b, x, radius))
        middle, moved = w * x + b, abs(w) * radius
        assert (
            Fraction(lower[0]) <= middle - moved <= middle + moved <= Fraction(upper[0])
        )
        assert float(upper[0] - lower[0]) <= float(2 * moved) + 1e-12 * float(
            abs(w * x) + abs(b) + moved + abs(w)
        )


def test_linear_of_several_outputs_and_noise_by_feature():
    f = LinearRegression().fit(X, Y)
    sigma = np.where(np.arange(10) < 4, 0.1, 0.0)
    certificate = smoothed(f, sigma=sigma).certify_interval(X[:5], 0.3)
    moved = 0.3 * np.linalg.norm(f.coef_ * sigma, axis=1)  # radii in units of sigma
    np.testing.assert_allclose(ends(certificate)[1] - f.predict(X[:5]), [moved] * 5)
    np.testing.assert_allclose(f.predict(X[:5]) - ends(certificate)[0], [moved] * 5)


def test_votes_agree_with_what_is_exact():
    """Each end of an interval by values is outside of the exact one, by little."""
    for f in (Ridge().fit(X, y), DecisionTreeRegressor(max_depth=5).fit(X, Y)):
        exact = smoothed(f, quantile=0.4).certify_interval(X[:40], RADII)
        h = smoothed(f, quantile=0.4, method="monte_carlo", n=4_000)
        drawn = h.certify_interval(X[:40], RADII)
        assert np.all(drawn.lower <= exact.lower)
        assert np.all(drawn.upper >= exact.upper)
        spread = np.ptp(f.predict(X), axis=0)
        assert np.mean((drawn.width - exact.width).mean((0, -1)) / spread) < 0.04
        assert np.mean(np.abs(drawn.prediction - exact.prediction) / spread) < 0.01
        assert (drawn.method, exact.method) == ("monte_carlo", "exact")


# Exact: trees


def test_tree_of_one_feature_by_hand():
    """Leaves at 0, 1, 2 with values 5, -1, 3: masses of three intervals."""
    x = np.array([[0.0], [1.0], [2.0]])
    tree = DecisionTreeRegressor(random_state=0).fit(x, [5.0, -1.0, 3.0])
    sigma, points = 0.8, np.array([[-0.3], [0.45], [0.63], [1.49], [4.0]])
    edges = norm.cdf([0.5, 1.5], points, sigma)
    masses = np.column_stack([edges[:, 0], edges[:, 1] - edges[:, 0], 1 - edges[:, 1]])
    order, values = [1, 2, 0], np.array([-1.0, 3.0, 5.0])
    up_to = np.cumsum(masses[:, order], axis=1)
    for p in (0.2, 0.5, 0.9):
        for radius in (0.0, 0.1, 0.5, 2.0):
            s = radius / sigma
            levels = norm.cdf(norm.ppf(p) + np.array([-s, 0, s]))
            expected = [values[(up_to >= q - 1e-12).argmax(axis=1)] for q in levels]
            h = smoothed(tree, sigma=sigma, quantile=p)
            lower, middle, upper = h.certify_interval(points, radius)
            assert np.all(lower <= expected[0]) and np.all(upper >= expected[2])
            np.testing.assert_array_equal(middle, expected[1])
            if radius:
                np.testing.assert_array_equal([lower, upper], expected[::2])


def test_tree_wherever_the_input_moves():
    """No move inside the radius leaves the interval; some reach its ends nearly."""
    f = make_pipeline(
        StandardScaler(), DecisionTreeRegressor(max_depth=6, random_state=0)
    )
    h = smoothed(f.fit(X[:, :2], y), sigma=0.02)
    lower, _, upper = h.certify_interval(X[:15, :2], 0.01)
    angles = np.linspace(0, 2 * np.pi, 16)
    moves = 0.01 * np.stack([np.cos(angles), np.sin(angles)], axis=1)
    there = h.predict((X[:15, None, :2] + moves).reshape(-1, 2)).reshape(15, -1)
    assert np.all(there >= lower[:, None]) and np.all(there <= upper[:, None])
    assert np.any(np.ptp(there, axis=1) > 0.4 * (upper - lower))


def test_tree_under_bounded_noise_knows_leaves_that_are_out_of_reach():
    """Uniform noise misses the leaf above 1.5 from x = 0, and reaches it from 2."""
    tree = DecisionTreeRegressor(random_state=0).fit([[0.0], [1.0], [2.0]], [0, 1, 2])
    h = smoothed(tree, sigma=0.4, noise="uniform")
    lower, middle, upper = h.certify_interval([[0.0]], [0.0, 0.1, 9.0], norm="l1")
    assert (middle.tolist(), lower.tolist()) == ([0.0], [[0.0, 0.0, 0.0]])
    assert upper.tolist() == [[0.0, 0.0, 2.0]]


def test_the_highest_leaf_whatever_rounding_leaves_of_a_sum():
    """Of 64 masses that add up to a bit less than 1, and a quantile next to 1."""
    f = DecisionTreeRegressor(max_depth=6, splitter="random", random_state=0)
    h = smoothed(f.fit(X[:, :3], y), sigma=0.5, quantile=np.nextafter(1, 0))
    lower, middle, upper = h.certify_interval(X[:20, :3], 0.0)
    assert np.all(middle == f.tree_.value.max(where=_leaves(f), initial=0))
    assert np.all(lower <= middle) and np.all(middle <= upper)
    np.testing.assert_array_equal(h.predict(X[:20, :3]), middle)


def _leaves(tree):
    return (tree.tree_.children_left == -1)[:, None, None]


# By values


def test_how_often_ends_are_wrong():
    """At the level for continuous values: not more often, and not much less."""
    n, alpha, s = 40, 0.3, 0.5
    f = LinearRegression().fit(X, y)
    rows = np.random.default_rng(0).normal(size=(1_500, 10))
    h = smoothed(f, sigma=1.0, n=n, alpha=alpha, method="monte_carlo")
    drawn = h.certify_interval(rows, s)
    exact = h.set_params(method="exact").certify_interval(rows, s)
    levels = quantile_levels(0.5, s, 1.0)
    k_low, k_up = quantile_ranks(n, *levels, alpha)
    for n_wrong, p in [
        (np.sum(drawn.lower > exact.lower), binom.cdf(k_low - 1, n, levels[0])),
        (np.sum(drawn.upper < exact.upper), binom.sf(k_up - 1, n, levels[1])),
    ]:
        assert 0.05 < p <= alpha / 2
        assert 1e-5 < binom.cdf(n_wrong, 1_500, p) < 1 - 1e-5


def test_values_do_not_depend_on_how_they_are_drawn():
    f = DecisionTreeRegressor(random_state=0).fit(X, y)
    h = smoothed(f, n=150, method="monte_carlo")
    expected = h.certify_interval(X[:12], RADII)
    for params in (
        {"batch_size": 7},
        {"batch_size": 400},
        {"n_jobs": 2},
        {"batch_size": 151},
    ):
        with joblib.parallel_config("threading"):
            found = h.set_params(**params).certify_interval(X[11::-1], RADII)
        np.testing.assert_array_equal(ends(found)[:, ::-1], ends(expected))
        np.testing.assert_array_equal(found.prediction[::-1], expected.prediction)
    h.set_params(n_jobs=None)
    np.testing.assert_array_equal(h.predict(X[:12]), expected.prediction)
    # What a worker in another process does.
    voting = h._prepare(X[:12], ("estimate",)).voting
    order = Order(150, np.full((12, 1), 75))
    voting._none(12, order), setattr(voting, "_expected", 150)
    sent = Parcel((voting, "estimate", order)).content()
    chunk = voting.inputs.take(slice(4, 7)), voting.keys["estimate"][4:7]
    values = work(sent, np.arange(4, 7), chunk)
    np.testing.assert_array_equal(values.ordered[:, 0, 0], expected.prediction[4:7])


def test_shared_noise_is_shared():
    f = LinearRegression().fit(X, y)
    h = smoothed(f, n=50, method="monte_carlo", shared_noise=True)
    off = h.predict(X[:20]) - f.predict(X[:20])
    np.testing.assert_allclose(off, off[0])
    assert (
        np.std(h.set_params(shared_noise=False).predict(X[:20]) - f.predict(X[:20]))
        > 0.1
    )


def test_order_statistics_are_those_of_the_values():
    """The interval's ends, found again among all values by other ranks."""
    h = smoothed(forest(), n=200)
    certificate = h.certify_interval(X[:4], 0.02)
    lower, upper = quantile_ranks(200, *quantile_levels(0.5, 0.02, 0.05), 0.001)
    for k, end in ((lower, certificate.lower), (upper, certificate.upper)):
        h.set_params(quantile=(k - 0.5) / 200)  # whose rank is k
        np.testing.assert_array_equal(h.predict(X[:4]), end)


def test_several_outputs_share_alpha():
    f = RandomForestRegressor(5, max_depth=4, random_state=0).fit(X, Y)
    together = smoothed(f, alpha=0.03).certify_interval(X[:6], 0.02)
    assert together.lower.shape == (6, 3)

    class First(Ranks):
        def predict(self, X):
            return f.predict(X)[:, 0]

    alone = smoothed(First().fit(X, y), alpha=0.01).certify_interval(X[:6], 0.02)
    np.testing.assert_array_equal(ends(alone), ends(together)[:, :, 0])


def test_too_few_values():
    h = smoothed(forest(), n=20)
    with pytest.warns(UserWarning, match=r"n is too small .* n = 58 would do"):
        certificate = h.certify_interval(X[:3], [0.0, 0.058])
    assert certificate.bounded.tolist() == [[True, False]] * 3
    assert np.all(np.isinf(ends(certificate)[:, :, 1]))
    assert h.set_params(n=58).certify_interval(X[:3], 0.058).bounded.all()
    with pytest.warns(UserWarning, match="no feasible n would do: choose a larger"):
        h.certify_interval(X[:3], 10.0)


def test_fit_adds_noise_and_takes_frozen_regressors():
    f = DecisionTreeRegressor(random_state=0)
    assert (
        smoothed(f, n_copies=3).fit(X, y).estimator_.tree_.n_node_samples[0] == 3 * 442
    )
    frozen = FrozenEstimator(f.fit(X, y))
    h = smoothed(frozen).fit(X, y)
    assert h.estimator_ is frozen
    assert h.score(X, y) > 0.2


def test_grid_takes_what_rounding_moves_off_the_radius():
    h = smoothed(forest(), n=500, grid=2.0**-8)
    on_grid = np.round(X[:5] * 2**8) / 2**8
    certificate = h.certify_interval(on_grid, 0.01)
    farther = 0.01 + 2.0**-9 * np.sqrt(10)  # of another input, half a step a feature
    k_low, k_up = quantile_ranks(500, *quantile_levels(0.5, farther, 0.05), 0.001)
    h.set_params(quantile=(k_low - 0.5) / 500)
    np.testing.assert_array_equal(h.predict(on_grid), certificate.lower)
    h.set_params(quantile=(k_up - 0.5) / 500)
    np.testing.assert_array_equal(h.predict(on_grid), certificate.upper)


# Containers, gaps, categories


def test_frames_and_gaps():
    frame = pd.DataFrame(
        X[:60, :3].copy(), columns=["a", "b", "c"], index=range(100, 160)
    )
    frame.iloc[::7, 1] = np.nan
    f = DecisionTreeRegressor(max_depth=4, random_state=0).fit(frame, y[:60])
    params = {"sigma": {"a": 0.05, "*": 0.02}, "n": 100, "method": "monte_carlo"}
    h = smoothed(f, **params)
    table = h.certify_interval(frame[:8], 0.1).to_frame()
    assert table.index.tolist() == frame.index[:8].tolist()
    assert (table["lower"] <= table["prediction"]).all()
    other = h.fit(pl.from_pandas(frame), y[:60]).predict(pl.from_pandas(frame[:3]))
    assert np.all(np.isfinite(other))


def test_gaps_that_a_regressor_refuses():
    gaps = np.where(np.eye(10) > 0, np.nan, X[:10])
    with pytest.raises(ValueError, match="SmoothedRegressor.make_pipeline.SimpleImp"):
        smoothed(LinearRegression().fit(X, y)).predict(gaps)
    tree = DecisionTreeRegressor(max_depth=4, random_state=0).fit(gaps, y[:10])
    exact = smoothed(tree).certify_interval(gaps, 0.02)
    drawn = smoothed(tree, method="monte_carlo").certify_interval(gaps, 0.02)
    assert np.all(drawn.lower <= exact.lower) and np.all(exact.upper <= drawn.upper)
    assert exact.method == "exact"


def test_changed_categories():
    """Both ends move out with changes; two values a column, all functions known."""
    cells = np.array([[0.0, 1.0], [1.0, 0.0], [0.0, 0.0], [1.0, 1.0]] * 5)
    target = cells @ [1.0, 2.0]
    f = DecisionTreeRegressor(random_state=0)
    h = smoothed(f, categorical_features=[0, 1], flip=0.5, n=400, n_copies=0).fit(
        cells, target
    )
    found = [h.certify_interval(cells[:4], 0.0, changes=c) for c in (0, 1, 2)]
    assert found[0].method == "monte_carlo"
    lower, upper = np.stack([ends(one) for one in found], axis=1)
    assert np.all(np.diff(lower, axis=0) <= 0) and np.all(np.diff(upper, axis=0) >= 0)
    assert np.any(np.diff(lower, axis=0) < 0)
    with pytest.raises(ValueError, match="no categorical features"):
        smoothed(forest()).certify_interval(X[:2], 0.0, changes=1)


def test_sparse_flags():
    from scipy.sparse import csr_array

    flags = (np.random.default_rng(0).random((40, 6)) < 0.4).astype(float)
    f = Ridge().fit(flags, flags.sum(axis=1))
    h = smoothed(f, noise=SparseFlip(0.1, 0.3), n=200)
    dense = h.certify_interval(flags[:3], 0, changes=(1, 0))
    sparse = h.certify_interval(csr_array(flags[:3]), 0, changes=(1, 0))
    np.testing.assert_allclose(ends(sparse), ends(dense))


# Errors


def test_ends_allow_for_how_f_rounds_float32():
    """No noise blurs how a value is rounded, and steps compute in the dtype of X."""
    rng = np.random.default_rng(0)
    X = (rng.normal(size=(300, 4)) + 3).astype(np.float32)
    f = make_pipeline(StandardScaler(), LinearRegression()).fit(X, X @ [1, 2, 3, -4])
    h = SmoothedRegressor(f, sigma=0.1, method="exact")
    lower, _, upper = h.certify_interval(X, radius=0)
    value = f.predict(X)
    assert np.all((lower <= value) & (value <= upper))
    assert np.max(upper - lower) < 1e-3


class NaNs(Ranks):
    def predict(self, X):
        return np.where(X[:, 0] > 0, np.nan, 0.0)


class Answers(Ranks):
    def __init__(self, answer=0.0):
        self.answer = answer

    def predict(self, X):
        return np.array([self.answer] * len(X))


class RanksBeside(Ranks):
    """Of two outputs the small one looks at others, on top of what hardly varies."""

    def predict(self, X):
        small = 1e3 + super().predict(X)
        return np.column_stack([small, 1e9 * X[:, 1]])


class Planes(Ranks):
    def predict(self, X):
        return np.zeros((len(X), 2, 2))


@pytest.mark.parametrize(
    ("h", "error", "message"),
    [
        (smoothed(RandomForestClassifier()), TypeError, "needs a regressor, but"),
        (SmoothedClassifier(Ridge()), TypeError, "SmoothedRegressor is for those"),
        (smoothed(Ranks(), n=10), ValueError, "depends on the other inputs"),
        (smoothed(RanksBeside(), n=10), ValueError, "depends on the other inputs"),
        (smoothed(NaNs(), n=10), ValueError, "returned NaN for a noisy copy"),
        (smoothed(Planes(), n=10), ValueError, "one number each, or one row"),
        (smoothed(Answers([])), ValueError, "one number each, or one row"),
        (smoothed(Answers("1.5")), ValueError, "'1.5'.*real numbers are needed"),
        (smoothed(Answers(1 + 1j)), ValueError, "complex128, where real numbers"),
        (smoothed(Ridge(), noise=Split(8, 0.25)), ValueError, "lists its copies"),
        (smoothed(Ridge(), quantile=1.0), ValueError, "'quantile' parameter"),
        (smoothed(Ridge(), quantile=1e-16), ValueError, "quantile below 1e-15"),
        (smoothed(PoissonRegressor(), method="exact"), ValueError, "linear regressors"),
        (
            smoothed(make_pipeline(PCA(2), DecisionTreeRegressor()), method="exact"),
            ValueError,
            "DecisionTreeRegressor behind PCA",
        ),
        (smoothed(Ridge(), method="exact", noise="laplace"), ValueError, "Laplace"),
        (smoothed(Ridge(), method="exact", grid="auto"), ValueError, "Set grid=None"),
    ],
)
def test_errors(h, error, message):
    with pytest.raises(error, match=message):
        h.fit(X[:50], y[:50]).predict(X[:2])


def test_radii_of_another_norm_have_to_be_told():
    h = smoothed(forest(), noise="laplace", n=100)
    with pytest.raises(ValueError, match="norm='l1'"):
        h.certify_interval(X[:2], 0.01)
    l1 = h.certify_interval(X[:2], 0.01 * np.sqrt(10), norm="l1")
    l2 = h.certify_interval(X[:2], 0.01, norm="l2")
    np.testing.assert_array_equal(ends(l1), ends(l2))
    with pytest.raises(ValueError, match="radius must be a finite"):
        h.certify_interval(X[:2], -1.0)


# Certificates and scores


def test_intervals_without_ends():
    """Infinitely far, and values that are infinite: no end, no width, no warning."""
    h = smoothed(Answers(-np.inf), n=100).fit(X[:50], y[:50])
    certificate = h.certify_interval(X[:2], 0.0)
    assert np.all(certificate.upper == -np.inf) and not certificate.bounded.any()
    assert np.all(certificate.width == np.inf)
    f = DecisionTreeRegressor(max_depth=2, random_state=0).fit(X, y)
    lower, _, upper = smoothed(f).certify_interval(X[:2], np.finfo(float).max)
    leaves = f.tree_.value[_leaves(f)]
    assert np.all(lower == leaves.min()) and np.all(upper == leaves.max())


def test_certificate():
    frame = pd.DataFrame(X).add_prefix("c")
    f = LinearRegression().fit(frame, Y)
    certificate = smoothed(f).certify_interval(frame[:2], [0, 0.1])
    table = certificate.to_frame()
    assert table.columns.tolist()[:4] == [
        "radius",
        "lower_0",
        "prediction_0",
        "upper_0",
    ]
    assert table.index.tolist() == [0, 0, 1, 1]
    assert table["upper_2"].tolist() == certificate.upper[:, 2].ravel().tolist()
    assert "12 bounded, 0 not of 12" in repr(certificate) and "exact)" in repr(
        certificate
    )
    with pytest.raises(ValueError, match="read-only"):
        certificate.lower[0] = 0


def test_worst_case_errors():
    lower, upper = (
        np.array([[1.0, 2.0], [0.0, 0.0]]),
        np.array([[3.0, 2.0], [4.0, 1.0]]),
    )
    intervals = lower, (lower + upper) / 2, upper
    truth = [[2.0, 4.0], [1.0, 0.0]]
    assert worst_case_absolute_error(truth, intervals) == (1 + 2 + 3 + 1) / 4
    assert worst_case_squared_error(truth, intervals) == (1 + 4 + 9 + 1) / 4
    weights = [1, 3]
    found = worst_case_absolute_error(truth, intervals, sample_weight=weights)
    assert found == (1.5 + 3 * 2) / 4
    with pytest.raises(ValueError, match="y_true has shape"):
        worst_case_absolute_error([1.0, 2.0], intervals)


def test_errors_inside_the_radius_are_no_larger():
    h = smoothed(DecisionTreeRegressor(max_depth=4, random_state=0).fit(X, y))
    certificate = h.certify_interval(X[:50], [0.0, 0.01, 0.03])
    errors = worst_case_absolute_error(y[:50], certificate)
    assert errors.shape == (3,) and np.all(np.diff(errors) > 0)
    clean = np.abs(h.predict(X[:50]) - y[:50]).mean()
    assert errors[0] == pytest.approx(clean)
    scorer = worst_case_error_scorer(0.03)
    assert scorer(h, X[:50], y[:50]) == pytest.approx(-errors[2])
    squared = worst_case_squared_error(y[:50], certificate)[2]
    found = worst_case_error_scorer(0.03, squared=True)(h, X[:50], y[:50])
    assert found == pytest.approx(-squared)
    assert repr(scorer) == "worst_case_error_scorer(0.03)"


def test_search_over_sigma():
    f = DecisionTreeRegressor(max_depth=4, random_state=0)
    search = GridSearchCV(
        smoothed(f),
        {"sigma": [1e-3, 0.05]},
        scoring=worst_case_error_scorer(0.02),
        cv=2,
    )
    search.fit(X, y)
    assert search.best_params_ == {"sigma": 0.05}
    assert search.score(X, y) == worst_case_error_scorer(0.02)(search, X, y)
    with pytest.raises(TypeError, match="SmoothedRegressor outermost"):
        worst_case_error_scorer(0.02)(Ridge().fit(X, y), X, y)
    with pytest.raises(ValueError, match="one number"):
        worst_case_error_scorer([0.1, 0.2])
