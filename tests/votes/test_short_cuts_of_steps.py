"""Column by column, projected, one against the rest: what is folded is what predicts.

Rows for which f is asked are close to where it switches, so that a wrong weight shows.
"""

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from sklearn.compose import ColumnTransformer, make_column_transformer
from sklearn.datasets import load_iris
from sklearn.decomposition import PCA, IncrementalPCA, TruncatedSVD
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import (
    LogisticRegression,
    Ridge,
    RidgeClassifier,
    SGDClassifier,
)
from sklearn.multiclass import OneVsOneClassifier, OneVsRestClassifier
from sklearn.naive_bayes import GaussianNB
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import FeatureUnion, make_pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    MaxAbsScaler,
    MinMaxScaler,
    OneHotEncoder,
    PolynomialFeatures,
    RobustScaler,
    StandardScaler,
)
from sklearn.random_projection import GaussianRandomProjection, SparseRandomProjection
from sklearn.svm import SVC, LinearSVC, NuSVC
from sklearn.tree import DecisionTreeClassifier

from sksmooth import SmoothedClassifier, SmoothedRegressor, _sklearn
from sksmooth.exact._probabilities import exact_probabilities, is_exact
from sksmooth.models._linear import linear_outputs, linear_scores
from sksmooth.models._mlp import mlp_layers
from sksmooth.models._unwrap import unwrap
from sksmooth.noise import Gaussian
from sksmooth.votes import _recognise
from sksmooth.votes._frame_rows import FrameInputs
from sksmooth.votes._rows import Inputs
from sksmooth.votes.voters._linear import LinearVoter
from sksmooth.votes.voters._predict import AnyVoter
from tests.helpers import count_votes, halfspace, make_voter

X3, y3 = load_iris(return_X_y=True)
X2, y2 = X3[50:], y3[50:] - 1
NAMES = list("abcd")
SIGMA = np.array([0.5, 0.2, 0.4, 1.0])
KINDS = ["float64", "float32", "pandas", "pandas float32", "polars"]


def contained(X, kind):
    """Return rows as an array or a frame."""
    if "float32" in kind:
        X = X.astype(np.float32)
    if "pandas" in kind:
        return pd.DataFrame(X, columns=NAMES)
    if kind == "polars":
        return pytest.importorskip("polars").DataFrame(np.asarray(X), schema=NAMES)
    return X


def inputs_of(X, sigma=SIGMA):
    if isinstance(X, np.ndarray):
        return Inputs.from_array(X, sigma)
    return FrameInputs.from_frame(X, sigma)


def near_the_border(f, n=2000, seed=0):
    """Return points at 1e-4 times the size of X from where f switches, by its scores.

    And, besides, the class that these scores tell.
    """
    weights, offset = linear_scores(unwrap(f))
    rng = np.random.default_rng(seed)
    Z = rng.uniform(X3.min(0) - 1, X3.max(0) + 1, (n, X3.shape[1]))
    rival = rng.integers(len(weights), size=n)
    row, shift = weights[rival], offset[rival]
    norm = np.linalg.norm(row, axis=1)
    off = (np.einsum("ij,ij->i", row, Z) + shift) / norm
    far = rng.choice([-1, 1], n) * 10.0 ** rng.uniform(-4, 0, n)
    Z += ((far - off) / norm)[:, None] * row
    Z = Z.astype(np.float32).astype(float)
    ahead = np.column_stack([np.zeros(n), Z @ weights.T + offset])
    return Z, ahead.argmax(axis=1)


def agrees_with_predict(f, kind="float64"):
    Z, expected = near_the_border(f)
    found = f.predict(contained(Z, kind))
    np.testing.assert_array_equal(found, f.classes_[expected])
    assert len(np.unique(expected)) > 1


def agrees_with_votes(f, X, n=4000):
    """Are class probabilities those of votes that are drawn through predict?"""
    inputs = inputs_of(X)
    p, upper = exact_probabilities(f, f.classes_, inputs)
    assert np.all(upper >= p * (1 - 1e-15))
    counts = by_predict(f, inputs, n)
    inside = (n * p > 10) & (n * (1 - p) > 10)
    z = ((counts - n * p) / np.sqrt(n * p * (1 - p)).clip(1e-9))[inside][::2]
    assert len(z) >= 20
    assert abs(z).max() < 5
    assert stats.kstest(z, "norm").pvalue > 1e-4


def by_predict(f, inputs, n):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_recognise, "linear_scores", lambda chain: None)
        patch.setattr(_recognise, "mlp_layers", lambda chain: None)
        patch.setattr(_recognise, "has_kernel", lambda: False)
        assert type(make_voter(f, f.classes_, inputs)) is AnyVoter
        settings = {"entropy": 7, "purpose": "estimate"}
        return count_votes(f, f.classes_, inputs, n, **settings).counts


def columns(kind, *places):
    named = "pandas" in kind or kind == "polars"
    return [NAMES[place] for place in places] if named else list(places)


def by_columns(case, kind):
    """Return a ColumnTransformer that is affine, of columns as X has them."""

    def c(*places):
        return columns(kind, *places)

    parts, settings = {
        "scalers": (
            [("a", StandardScaler(), c(3, 1)), ("b", RobustScaler(), c(0))],
            {},
        ),
        "the rest is dropped": ([("a", StandardScaler(), c(3, 1))], {}),
        "dropped": (
            [("a", "drop", c(0)), ("b", MinMaxScaler(), c(3, 2)), ("c", "drop", c(1))],
            {},
        ),
        "the rest passes": (
            [("a", StandardScaler(), c(3, 1))],
            {"remainder": "passthrough"},
        ),
        "the rest is scaled": (
            [("p", "passthrough", c(2)), ("none", StandardScaler(), [])],
            {"remainder": RobustScaler()},
        ),
        "weighted": (
            [("a", StandardScaler(), c(3, 1)), ("p", "passthrough", c(0))],
            {"transformer_weights": {"a": 3.0, "p": 0.5}, "n_jobs": 1},
        ),
        "a column twice": (
            [("a", StandardScaler(), c(3, 1)), ("b", MaxAbsScaler(), c(1, 2))],
            {"verbose_feature_names_out": True},
        ),
        "pipelines": (
            [
                ("a", make_pipeline(StandardScaler(), PCA(1, whiten=True)), c(2, 3)),
                ("p", make_pipeline("passthrough", MaxAbsScaler()), c(1, 0)),
            ],
            {},
        ),
        "slices": (
            [("a", StandardScaler(), slice(1, 3)), ("b", MaxAbsScaler(), slice(3, 9))],
            {"remainder": "passthrough"},
        ),
        "masks": (
            [("a", StandardScaler(), [True, False, False, True])],
            {"remainder": "passthrough"},
        ),
        "callables": (
            [("a", StandardScaler(), lambda X: [-1, 0]), ("p", "passthrough", [-2])],
            {},
        ),
        "in each other": (
            [
                (
                    "a",
                    ColumnTransformer(
                        [("b", MaxAbsScaler(), c(2))], remainder=StandardScaler()
                    ),
                    c(3, 2, 0),
                )
            ],
            {"remainder": "passthrough"},
        ),
    }[case]
    return ColumnTransformer(parts, **settings)


BY_COLUMNS = [
    "scalers", "the rest is dropped", "dropped", "the rest passes",
    "the rest is scaled", "weighted", "a column twice", "pipelines", "slices", "masks",
    "callables", "in each other",
]  # fmt: skip


def logistic():
    return LogisticRegression(max_iter=5000)


class TestColumnTransformer:
    @pytest.mark.parametrize("kind", KINDS)
    @pytest.mark.parametrize("case", BY_COLUMNS)
    @pytest.mark.parametrize("n_classes", [2, 3])
    def test_is_folded(self, case, kind, n_classes):
        X, y = (X2, y2) if n_classes == 2 else (X3, y3)
        f = make_pipeline(by_columns(case, kind), logistic())
        f.fit(contained(X, kind), y)
        agrees_with_predict(f, kind)
        bounded = linear_scores(unwrap(f), bounded=True)
        for one, other in zip(bounded, linear_scores(unwrap(f)), strict=True):
            np.testing.assert_array_equal(one.value, other)

    @pytest.mark.parametrize("kind", ["float64", "pandas", "polars"])
    @pytest.mark.parametrize("case", BY_COLUMNS)
    def test_probabilities(self, case, kind):
        X = contained(X2, kind)
        f = make_pipeline(by_columns(case, kind), logistic()).fit(X, y2)
        assert is_exact(f, Gaussian().bind(SIGMA))
        agrees_with_votes(f, X, 1000)

    @pytest.mark.parametrize("kind", ["float64", "pandas"])
    def test_of_trees(self, kind):
        X = contained(X3, kind)
        for case in ("scalers", "dropped", "the rest passes", "weighted"):
            f = DecisionTreeClassifier(max_depth=4, random_state=0)
            f = make_pipeline(by_columns(case, kind), f).fit(X, y3)
            agrees_with_votes(f, X, 1000)
        f = make_pipeline(by_columns("a column twice", kind), f[-1])
        f[-1].set_params(max_depth=None)
        f.fit(X, np.random.default_rng(0).integers(2, size=len(X3)))  # all features
        assert not is_exact(f, Gaussian().bind(1.0))

    @pytest.mark.parametrize("output", ["pandas", "polars"])
    @pytest.mark.parametrize("kind", ["float64", "pandas"])
    def test_that_returns_frames(self, kind, output):
        pytest.importorskip("polars")
        for case in ("scalers", "the rest passes"):
            step = by_columns(case, kind).set_output(transform=output)
            f = make_pipeline(step, StandardScaler(), logistic())
            agrees_with_predict(f.fit(contained(X3, kind), y3), kind)

    @pytest.mark.parametrize("last", [Ridge(), MLPClassifier((5,), max_iter=20)])
    def test_in_front_of_others(self, last):
        f = make_pipeline(by_columns("the rest passes", "float64"), last)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("warnings.warn", lambda *args, **kwargs: None)
            f.fit(X2, y2)
        if isinstance(last, Ridge):
            weights, offset = linear_outputs(unwrap(f))
            found = X2 @ weights.value.T + offset.value
            np.testing.assert_allclose(found[:, 0], f.predict(X2), atol=1e-12)
        else:
            layers = mlp_layers(unwrap(f))
            found = X2 @ layers.weights.T + layers.offset
            expected = f[0].transform(X2) @ last.coefs_[0] + last.intercepts_[0]
            np.testing.assert_allclose(found, expected, atol=1e-12)

    def test_only_where_it_is_known(self):
        class Own(ColumnTransformer):
            pass

        def one(*parts, kind=ColumnTransformer, **settings):
            return kind([(f"{k}", *part) for k, part in enumerate(parts)], **settings)

        def lower(X):
            return X - 1

        patched = one((StandardScaler(), [0, 1]))
        patched.transform = lambda X: X[:, :2]
        counts = np.column_stack([X2, np.arange(100) % 30])
        for step in (
            one((StandardScaler(), [0, 1]), kind=Own),
            one((MinMaxScaler(clip=True), [0, 1])),
            one((FunctionTransformer(lower), [0, 1])),
            one((PolynomialFeatures(), [0, 1]), remainder="passthrough"),
            one((StandardScaler(), [0, 0])),
            one((StandardScaler(), [0, 1]), remainder=PolynomialFeatures()),
            one((OneHotEncoder(), [4]), ("passthrough", [0, 1])),
            ColumnTransformer([("remainder", StandardScaler(), [0, 1])]),
            ColumnTransformer(
                [("remainder", StandardScaler(), [0, 1])], remainder="passthrough"
            ),
            FeatureUnion([("a", StandardScaler()), ("b", PCA(2))]),
        ):
            try:
                f = make_pipeline(step, RidgeClassifier()).fit(counts, y2)
            except ValueError:  # two parts that are called as the rest is
                assert "remainder" in str(step)
                continue
            assert linear_scores(unwrap(f)) is None
        f = make_pipeline(patched.fit(X2), RidgeClassifier()).fit(X2, y2)
        patched.transform = lambda X: -X[:, :2]
        assert linear_scores(unwrap(make_pipeline(patched, f[-1]))) is None

    @pytest.mark.parametrize("weight, is_linear", [(3.0, True), (3, False)])
    @pytest.mark.parametrize("name", ["p", "remainder"])
    def test_small_integers_times_a_weight(self, weight, is_linear, name):
        """Overflow, in f, if the weight is an integer."""
        own = [("p", "passthrough", ["a"] if name == "remainder" else ["b", "a"])]
        weights = {"transformer_weights": {name: weight}}
        step = ColumnTransformer(own, remainder="passthrough", **weights)
        table = pd.DataFrame({"a": [0.1, 0.2, 0.3, 0.4], "b": np.int8([0, 10, 20, 30])})
        f = make_pipeline(step, LogisticRegression()).fit(table, [0, 0, 1, 1])
        assert (linear_scores(unwrap(f)) is not None) == is_linear
        others = pd.DataFrame({"a": [0.1, 0.2], "b": np.int8([60, 100])})
        for method in ("auto", "monte_carlo"):
            g = SmoothedClassifier(f, sigma={"a": 0.01, "b": 0}, n=200, method=method)
            np.testing.assert_array_equal(g.predict(others), f.predict(others))

    def test_other_columns_than_those_of_fit(self):
        f = make_pipeline(by_columns("scalers", "float64"), RidgeClassifier())
        f.fit(X2, y2)
        name, scaler, _ = f[0].transformers_[0]
        f[0].transformers_[0] = (name, scaler, [2, 1])
        assert linear_scores(unwrap(f)) is None

    def test_columns_by_name_in_another_order(self):
        """They are looked for by predict, and by nothing that knows places."""
        X = contained(X2, "pandas")
        f = make_pipeline("passthrough", by_columns("dropped", "pandas"), logistic())
        f.fit(X, y2)
        how = {"sigma": 0.5, "n": 500, "n0": 50, "random_state": 0}
        others = [X[list("dcba")], X.assign(e=1.0)[list("edcba")], X[["d", "c"]]]
        for Z in others:
            for g in (
                SmoothedClassifier(f, **how),
                SmoothedClassifier(FrozenEstimator(f), **how).fit(Z, y2),
            ):
                assert g.certify(X[:3] if g.estimator is f else Z[:3]) is not None
                certificate = g.certify(Z)
                assert certificate.bound != "exact"
                share = certificate.counts[:, 1] / certificate.counts.sum(axis=1)
                exact = SmoothedClassifier(f, sigma=0.5).predict_proba(X)[:, 1]
                error = np.sqrt(exact * (1 - exact) / 500) + 0.002
                np.testing.assert_array_less(abs(share - exact), 5 * error)
        with pytest.raises(ValueError, match="in other places than its frame of fit"):
            SmoothedClassifier(f, sigma=0.5, method="exact").certify(others[0])

    @pytest.mark.filterwarnings("ignore:X does not have valid feature names")
    def test_columns_by_name_of_an_array(self):
        X = contained(X2, "pandas")
        f = make_pipeline(by_columns("scalers", "pandas"), logistic()).fit(X, y2)
        for g in (SmoothedClassifier(f), SmoothedClassifier(FrozenEstimator(f))):
            g = g if g.estimator is f else g.fit(X, y2)
            with pytest.raises(RuntimeError, match="only supported for dataframes"):
                g.certify(X2)

    @pytest.mark.parametrize("last", [logistic(), MLPClassifier((3,), max_iter=9)])
    @pytest.mark.parametrize("kind", ["float64", "pandas", "polars"])
    @pytest.mark.filterwarnings("ignore:Stochastic Optimizer")
    def test_gaps_in_what_it_drops(self, kind, last):
        gaps = X2.copy()
        gaps[::2, 0] = np.nan
        X, Z = contained(X2, kind), contained(gaps, kind)
        f = make_pipeline(by_columns("dropped", kind), last).fit(X, y2)
        how = {"sigma": 0.5, "n": 2000, "n0": 50, "random_state": 0}
        shares = []
        for one in (X, Z):
            inputs = inputs_of(one, 0.5)
            assert type(make_voter(f, f.classes_, inputs)) is not AnyVoter
            settings = {"entropy": 7, "purpose": "estimate"}
            shares.append(count_votes(f, f.classes_, inputs, 4000, **settings).counts)
        spread = np.sqrt(shares[0] + shares[1] + 1.0)
        assert abs((shares[0] - shares[1]) / spread).max() < 5
        if type(last) is LogisticRegression:
            whole, part = (SmoothedClassifier(f, **how).certify(one) for one in (X, Z))
            assert part.bound == "exact"
            np.testing.assert_array_equal(part.radius, whole.radius)
        with pytest.raises(ValueError, match="contains NaN"):
            f = make_pipeline(by_columns("scalers", kind), last).fit(X, y2)
            SmoothedClassifier(f, **how).predict(Z)

    def test_gaps_in_front_of_a_regressor(self):
        gaps = np.where(np.arange(4) == 0, np.nan, X2)
        f = make_pipeline(by_columns("dropped", "float64"), Ridge()).fit(X2, y2)
        g = SmoothedRegressor(f, sigma=0.5)
        np.testing.assert_array_equal(g.predict(gaps), g.predict(X2))


def test_a_part_in_single_precision():
    """What has no noise is not known better than it is computed."""
    table = pd.DataFrame({"a": np.float32([0, 1, 2, 3]), "b": np.arange(4.0)})
    step = make_column_transformer((StandardScaler(), ["a"]), ("passthrough", ["b"]))
    f = make_pipeline(step, RidgeClassifier()).fit(table, [0, 0, 1, 1])
    f[-1].coef_ = np.array([[1.0, 0.0]])
    place = np.float32(2.3)
    f[-1].intercept_ = -np.ravel(f[0].transform(table.assign(a=place)))[:1]
    rows = pd.DataFrame({"a": np.float32([2.3, 2.4]), "b": [0.0, 0.0]})
    inputs = FrameInputs.from_frame(rows, [0.0, 1.0])
    _, upper = exact_probabilities(f, f.classes_, inputs)
    assert upper.tolist() == [[1, 1], [0, 1]]


PROJECTIONS = [
    TruncatedSVD(3, random_state=0),
    IncrementalPCA(2),
    IncrementalPCA(2, whiten=True),
    GaussianRandomProjection(3, random_state=0),
    SparseRandomProjection(3, random_state=0),
    SparseRandomProjection(3, random_state=0, dense_output=True),
    LinearDiscriminantAnalysis(n_components=1),
    LinearDiscriminantAnalysis(),
    LinearDiscriminantAnalysis(solver="eigen"),
    FunctionTransformer(),
    FunctionTransformer(validate=True),
]


class TestProjections:
    @pytest.mark.parametrize("step", PROJECTIONS, ids=str)
    @pytest.mark.parametrize("kind", KINDS)
    def test_are_folded(self, step, kind):
        f = make_pipeline(StandardScaler(), step, logistic())
        agrees_with_predict(f.fit(contained(X3, kind), y3), kind)
        bounded = linear_scores(unwrap(f), bounded=True)
        for one, other in zip(bounded, linear_scores(unwrap(f)), strict=True):
            np.testing.assert_array_equal(one.value, other)
            assert np.all(one.error < 1e-11)

    @pytest.mark.parametrize("step", PROJECTIONS, ids=str)
    def test_probabilities(self, step):
        f = make_pipeline(step, logistic()).fit(X2, y2)
        agrees_with_votes(f, X2, 1000)

    @pytest.mark.parametrize("kind", [type(step) for step in PROJECTIONS[::2]])
    def test_subclasses_are_left_alone(self, kind):
        own = type("Own", (kind,), {})
        settings = {"n_components": 2} if hasattr(kind(), "n_components") else {}
        step = own(**settings)
        f = make_pipeline(step, RidgeClassifier()).fit(X3, y3)
        assert linear_scores(unwrap(f)) is None

    def test_functions_are_left_alone(self):
        f = make_pipeline(FunctionTransformer(np.abs), RidgeClassifier()).fit(X3, y3)
        assert linear_scores(unwrap(f)) is None


FIRST_WINS = _sklearn._first_of_equal_wins()


class OwnLogistic(LogisticRegression):
    def decision_function(self, X):
        return np.abs(super().decision_function(X))


class TestOneAgainstTheRest:
    @pytest.mark.parametrize("kind", KINDS)
    @pytest.mark.parametrize(
        "base",
        [
            LogisticRegression(max_iter=5000),
            LinearSVC(random_state=0),
            RidgeClassifier(fit_intercept=False),
            SGDClassifier(random_state=0),
            LinearDiscriminantAnalysis(),
        ],
        ids=lambda base: type(base).__name__,
    )
    def test_is_linear(self, base, kind):
        for X, y in ((X2, y2), (X3, y3))[: 1 + FIRST_WINS]:
            f = make_pipeline(StandardScaler(), OneVsRestClassifier(base))
            agrees_with_predict(f.fit(contained(X, kind), y), kind)

    def test_probabilities(self):
        f = OneVsRestClassifier(logistic()).fit(X2, np.array(["x", "y"])[y2])
        agrees_with_votes(f, X2, 1000)
        if not FIRST_WINS:
            return
        inputs = Inputs.from_array(X3, SIGMA)
        f.fit(X3, y3)
        assert type(make_voter(f, f.classes_, inputs)) is LinearVoter
        settings = {"entropy": 1, "purpose": "estimate"}
        counts = count_votes(f, f.classes_, inputs, 2000, **settings).counts
        others = by_predict(f, inputs, 2000)
        spread = np.sqrt((counts + others + 1) * 1.0)
        assert abs((counts - others) / spread).max() < 5

    def test_not_where_rounding_or_the_last_one_wins(self, monkeypatch):
        f = OneVsRestClassifier(logistic()).fit(X3, y3)
        assert (linear_scores(unwrap(f)) is not None) == FIRST_WINS
        f.estimators_[2].coef_ = f.estimators_[1].coef_
        assert (linear_scores(unwrap(f)) is not None) == FIRST_WINS
        f.estimators_[2].intercept_ = f.estimators_[1].intercept_
        assert linear_scores(unwrap(f)) is None
        f = OneVsRestClassifier(logistic()).fit(X3, y3)
        monkeypatch.setattr(_sklearn, "_first_of_equal_wins", lambda: False)
        assert linear_scores(unwrap(f)) is None
        assert linear_scores(unwrap(f.fit(X2, y2))) is not None

    def test_a_tie_of_two_classes_goes_to_the_first(self):
        f = OneVsRestClassifier(logistic()).fit(X2, y2)
        f.estimators_[0].coef_ = np.array([[1.0, 0, 0, 0]])
        f.estimators_[0].intercept_ = np.zeros(1)
        inputs = Inputs.from_array(np.zeros((1, 4)), np.array([0.0, 1, 1, 1]))
        p, upper = exact_probabilities(f, f.classes_, inputs)
        assert p.tolist() == upper.tolist() == [[1, 0]]
        assert f.predict(np.zeros((1, 4))) == [0]

    def test_others_are_left_alone(self):
        many = np.column_stack([y3 == 0, y3 > 0, y3 == 2]).astype(int)
        patched = OneVsRestClassifier(logistic()).fit(X3, y3)
        patched.estimators_[1].decision_function = lambda X: np.ones(len(X))
        own = type("Own", (OneVsRestClassifier,), {})
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("warnings.warn", lambda *args, **kwargs: None)
            constant = OneVsRestClassifier(Ridge()).fit(X3, y3)
        for f in (
            patched,
            constant,
            OneVsRestClassifier(logistic()).fit(X3, many),
            OneVsRestClassifier(GaussianNB()).fit(X3, y3),
            OneVsRestClassifier(SVC(kernel="linear")).fit(X3, y3),
            OneVsRestClassifier(OwnLogistic()).fit(X3, y3),
            OneVsOneClassifier(logistic()).fit(X3, y3),
            own(logistic()).fit(X3, y3),
        ):
            assert linear_scores(unwrap(f)) is None


class TestLinearSVC:
    @pytest.mark.parametrize("kind", KINDS)
    @pytest.mark.parametrize(
        "f",
        [
            SVC(kernel="linear"),
            SVC(kernel="linear", C=100, class_weight="balanced"),
            SVC(kernel="linear", break_ties=True),
            SVC(kernel="linear", decision_function_shape="ovo"),
            NuSVC(kernel="linear", nu=0.1),
        ],
        ids=str,
    )
    def test_is_linear(self, f, kind):
        f = make_pipeline(StandardScaler(), f).fit(contained(X2, kind), y2)
        agrees_with_predict(f, kind)

    def test_probabilities(self):
        f = SVC(kernel="linear").fit(X2, np.array(["x", "y"])[y2])
        agrees_with_votes(f, X2, 1000)
        agrees_with_votes(make_pipeline(StandardScaler(), f).fit(X2, y2), X2, 1000)

    def test_counts_roundings_of_predict(self):
        f = SVC(kernel="linear", C=1e4, max_iter=100_000).fit(X2, y2)
        weights, _ = linear_scores(unwrap(f), bounded=True)
        exact = [
            sum(
                float(a) * float(v)
                for a, v in zip(f._dual_coef_[0], column, strict=True)
            )
            for column in f.support_vectors_.T
        ]
        assert np.all(abs(weights.value[0] + exact) <= weights.error[0])
        assert np.all(weights.error[0] < 1e-9 * abs(weights.value).max())

    def test_a_tie_is_of_the_second_class(self):
        f = SVC(kernel="linear").fit([[-1.0, 0.0], [1.0, 0.0]], [0, 1])
        f._intercept_ = np.zeros(1)
        assert f.predict([[0.0, 0.0]]) == [1]
        inputs = Inputs.from_array(np.zeros((1, 2)), [0.0, 1.0])
        p, upper = exact_probabilities(f, f.classes_, inputs)
        assert p[0, 1] == upper[0, 1] == 1
        score = linear_scores(unwrap(f))
        assert (np.zeros(2) @ score[0].T + score[1]) > 0

    def test_others_are_left_alone(self):
        sparse = pytest.importorskip("scipy.sparse")
        own = type("Own", (SVC,), {})
        changed = SVC(kernel="linear").fit(X2, y2)
        changed.kernel = "rbf"
        refuses = SVC(kernel="linear").fit(X2, y2)
        refuses.set_params(break_ties=True, decision_function_shape="ovo")
        for f in (
            SVC().fit(X2, y2),
            SVC(kernel=lambda X, Y: X @ Y.T).fit(X2, y2),
            SVC(kernel="linear").fit(X3, y3),
            SVC(kernel="linear", break_ties=True).fit(X3, y3),
            SVC(kernel="linear").fit(sparse.csr_matrix(X2), y2),
            own(kernel="linear").fit(X2, y2),
            changed,
            refuses,
        ):
            assert linear_scores(unwrap(f)) is None


class TestFlags:
    """Columns of booleans, without noise, are 0 and 1."""

    def table(self, kind):
        table = pd.DataFrame(X2, columns=NAMES)
        flag = X2[:, 3] + X2[:, 0] > 8
        if kind == "pandas float32":
            return table.astype(np.float32).assign(d=flag)
        if kind == "nullable":
            return table.assign(d=pd.array(flag, dtype="boolean"))
        if kind == "polars":
            polars = pytest.importorskip("polars")
            return polars.DataFrame(table[NAMES[:3]].to_dict("list")).with_columns(
                polars.Series("d", flag)
            )
        return table.assign(d=flag)

    @pytest.mark.parametrize("kind", ["pandas", "pandas float32", "polars"])
    @pytest.mark.parametrize(
        "steps",
        [
            [],
            [StandardScaler()],
            [
                make_column_transformer(
                    (StandardScaler(), ["a", "b", "c"]), remainder="passthrough"
                )
            ],
        ],
        ids=str,
    )
    def test_are_numbers(self, kind, steps):
        table = self.table(kind)
        for last in (logistic(), DecisionTreeClassifier(max_depth=3, random_state=0)):
            f = make_pipeline(*steps, last).fit(table, y2)
            inputs = FrameInputs.from_frame(table, [0.5, 0.2, 0.4, 0.0])
            assert inputs.has_numbers
            assert inputs.is_plain_matrix
            p, _ = exact_probabilities(f, f.classes_, inputs)
            counts = by_predict(f, inputs, 1000)
            error = np.sqrt(p * (1 - p) / 1000) + 1e-3
            assert np.all(abs(counts / 1000 - p) < 5 * error)
            g = SmoothedClassifier(f, sigma=[0.5, 0.2, 0.4, 0.0])
            assert g.certify(table).bound == "exact"

    def test_that_may_be_missing_are_none(self):
        inputs = FrameInputs.from_frame(self.table("nullable"), [1, 1, 1, 0])
        assert not inputs.has_numbers
        assert not inputs.is_plain_matrix
        polars = pytest.importorskip("polars")
        table = self.table("polars").with_columns(
            polars.Series("d", [None, *[True] * 99])
        )
        inputs = FrameInputs.from_frame(table, [1, 1, 1, 0])
        assert not inputs.is_plain_matrix


def test_small_integers_beside_single_precision_are_computed_in_it():
    """As scikit-learn computes: the type that holds both."""
    table = pd.DataFrame({"a": np.float32([0.1, 0.7]), "b": np.int8([0, 1])})
    f = make_pipeline(StandardScaler(), halfspace([1.0, 0.0], 0.0))
    f[0].fit(table)
    place = f[0].transform(table)[0, 0]
    f[-1].intercept_ = -np.array([place])
    inputs = FrameInputs.from_frame(table, [0.0, 0.0])
    _, upper = exact_probabilities(f, f.classes_, inputs)
    assert upper[0].tolist() == [1, 1]
