"""Votes drawn in score space are the votes of predict, in distribution."""

import tracemalloc
import warnings
from fractions import Fraction

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from sklearn import linear_model
from sklearn.datasets import load_digits, load_iris
from sklearn.decomposition import PCA
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.feature_selection import SelectKBest, VarianceThreshold
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import (
    LogisticRegression,
    LogisticRegressionCV,
    Perceptron,
    RidgeClassifier,
    RidgeClassifierCV,
    SGDClassifier,
)
from sklearn.neighbors import NearestCentroid
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import (
    MaxAbsScaler,
    MinMaxScaler,
    PolynomialFeatures,
    RobustScaler,
    StandardScaler,
)
from sklearn.svm import SVC, LinearSVC

from sksmooth import GaussianAugmenter, _compiled
from sksmooth._compiled import compiled_module
from sksmooth.models._linear import linear_scores
from sksmooth.models._unwrap import unwrap
from sksmooth.noise._many_normals import open_streams
from sksmooth.votes import _recognise
from sksmooth.votes._frame_rows import FrameInputs
from sksmooth.votes._recognise import Recognised
from sksmooth.votes._rows import Inputs
from sksmooth.votes.voters import _linear
from sksmooth.votes.voters._linear import LinearVoter
from sksmooth.votes.voters._predict import AnyVoter
from tests.helpers import OpaqueLogisticRegression, count_votes, halfspace

X3, y3 = load_iris(return_X_y=True)
X2, y2 = X3[50:], y3[50:]


def count(voter_class, estimator, inputs, n, monkeypatch, entropy=0):
    """Votes by the voter of our choice."""

    def choose(estimator, classes, inputs, net_options, say):
        if voter_class is AnyVoter:
            voter = AnyVoter(estimator, classes, inputs.values.dtype)
        else:
            voter = LinearVoter(*linear_scores(unwrap(estimator)), inputs.matrix()[1])
        return Recognised(estimator, unwrap(estimator), voter)

    monkeypatch.setattr("sksmooth.votes._voting.recognise", choose)
    return count_votes(
        estimator,
        estimator.classes_,
        inputs,
        n,
        entropy=entropy,
        purpose="estimate",
    ).counts


def chi_square_p_value(a, b):
    """P-value of "two tables of counts, (n_inputs, n_classes), agree in law"."""
    statistic = degrees = 0
    for pair in zip(a, b, strict=True):
        table = np.array(pair)
        table = table[:, table.sum(axis=0) >= 10]
        if table.shape[1] > 1:
            result = stats.chi2_contingency(table, correction=False)
            statistic, degrees = statistic + result.statistic, degrees + result.dof
    assert degrees > 50, f"only {degrees} comparisons: too few to see a difference"
    return stats.chi2.sf(statistic, degrees)


LINEAR = [
    LogisticRegression(max_iter=5000),
    LogisticRegressionCV(Cs=2, cv=3, max_iter=5000),
    LinearSVC(random_state=0),
    SGDClassifier(random_state=0),
    RidgeClassifier(),
    RidgeClassifierCV(),
    LinearDiscriminantAnalysis(),
    Perceptron(random_state=0),
    NearestCentroid(),
    NearestCentroid(priors="empirical", shrink_threshold=0.5),
]
AFFINE = [
    StandardScaler(),
    StandardScaler(with_mean=False),
    StandardScaler(with_std=False),
    RobustScaler(with_centering=False, with_scaling=False),
    MinMaxScaler(feature_range=(-1, 3)),
    MaxAbsScaler(),
    RobustScaler(),
    PCA(2),
    PCA(2, whiten=True),
    SelectKBest(k=2),
    VarianceThreshold(0.2),
    GaussianAugmenter(0.1, random_state=0),
    "passthrough",
    None,
]


# LogisticRegressionCV announces new defaults of parameters that do not matter here.
@pytest.mark.filterwarnings("ignore::FutureWarning")
@pytest.mark.parametrize("f", LINEAR, ids=lambda f: type(f).__name__)
@pytest.mark.parametrize("data", [(X2, y2), (X3, y3)], ids=["2 classes", "3 classes"])
def test_linear_classifiers(f, data, monkeypatch):
    X, y = data[0][:-20], data[1][:-20]  # classes of different sizes
    f = f.fit(X, y)
    sigma = np.array([0.5, 0.2, 0.0, 1.0])
    inputs = Inputs.from_array(X, sigma)
    a = count(AnyVoter, f, inputs, 1000, monkeypatch)
    b = count(LinearVoter, f, inputs, 1000, monkeypatch, entropy=1)
    assert chi_square_p_value(a, b) > 1e-3


@pytest.mark.filterwarnings("ignore:Class PassiveAggressiveClassifier:FutureWarning")
def test_passive_aggressive(monkeypatch):
    if not hasattr(linear_model, "PassiveAggressiveClassifier"):
        pytest.skip("this scikit-learn has no PassiveAggressiveClassifier any more")
    f = linear_model.PassiveAggressiveClassifier(random_state=0).fit(X3, y3)
    inputs = Inputs.from_array(X3, 0.5)
    a = count(AnyVoter, f, inputs, 1000, monkeypatch)
    b = count(LinearVoter, f, inputs, 1000, monkeypatch, entropy=1)
    assert chi_square_p_value(a, b) > 1e-3


@pytest.mark.parametrize("step", AFFINE, ids=str)
def test_behind_affine_steps(step, monkeypatch):
    f = make_pipeline(step, StandardScaler(), LogisticRegression(max_iter=5000))
    f.fit(X3, y3)
    weights, offset = linear_scores(unwrap(f))
    scores = f.decision_function(X3)
    np.testing.assert_allclose(
        X3 @ weights.T + offset, scores[:, 1:] - scores[:, :1], atol=1e-9
    )
    inputs = Inputs.from_array(X3, 0.4)
    a = count(AnyVoter, f, inputs, 500, monkeypatch)
    b = count(LinearVoter, f, inputs, 500, monkeypatch, entropy=1)
    assert chi_square_p_value(a, b) > 1e-3


def test_the_comparison_would_see_a_wrong_sigma(monkeypatch):
    f = LogisticRegression(max_iter=5000).fit(X3, y3)
    a = count(AnyVoter, f, Inputs.from_array(X3, 0.5), 5000, monkeypatch)
    b = count(LinearVoter, f, Inputs.from_array(X3, 0.53), 5000, monkeypatch)
    assert chi_square_p_value(a, b) < 1e-6


def test_many_classes_few_features(monkeypatch):
    """More scores than features: the factor is not square."""
    X, y = load_digits(return_X_y=True)
    f = LogisticRegression(max_iter=5000).fit(X[:, 18:22], y)
    inputs = Inputs.from_array(X[:100, 18:22], 2.0)
    scores = linear_scores(unwrap(f))
    assert LinearVoter(*scores, inputs.matrix()[1]).factor.shape == (4, 9)
    a = count(AnyVoter, f, inputs, 1000, monkeypatch)
    b = count(LinearVoter, f, inputs, 1000, monkeypatch, entropy=1)
    assert chi_square_p_value(a, b) > 1e-3


def test_binary_shares_are_the_exact_probabilities(monkeypatch):
    f = halfspace([3.0, -4.0, 0.0], 0.5)
    X = np.random.default_rng(0).normal(size=(300, 3))
    n = 20_000
    counts = count(LinearVoter, f, Inputs.from_array(X, 0.3), n, monkeypatch)
    p = stats.norm.cdf((X @ f.coef_[0] + 0.5) / (0.3 * 5))
    inside = (p > 0.001) & (p < 0.999)
    z = (counts[inside, 1] - n * p[inside]) / np.sqrt(n * p[inside] * (1 - p[inside]))
    assert stats.kstest(z, "norm").pvalue > 1e-3
    assert abs(z).max() < 4.5


def test_multiclass_shares_are_the_orthant_probabilities(monkeypatch):
    f = LogisticRegression(max_iter=5000).fit(X3, y3)
    n, sigma = 50_000, 0.8
    X = X3[::15]
    counts = count(LinearVoter, f, Inputs.from_array(X, sigma), n, monkeypatch)
    for c in range(3):
        others = [k for k in range(3) if k != c]
        difference = f.coef_[c] - f.coef_[others]
        mean = X @ difference.T + f.intercept_[c] - f.intercept_[others]
        cov = sigma**2 * difference @ difference.T
        p = [stats.multivariate_normal.cdf(m, cov=cov) for m in mean]
        error = np.sqrt(np.multiply(p, np.subtract(1, p)) / n) + 2e-5
        np.testing.assert_array_less(np.abs(counts[:, c] / n - p), 4.5 * error)


def test_ties_go_to_the_class_that_predict_names(monkeypatch):
    f = halfspace([1.0, 0.0])
    sigma = np.array([0.0, 1.0])  # the score is exactly 0 in every copy
    inputs = Inputs.from_array(np.zeros((1, 2)), sigma)
    for voter in (AnyVoter, LinearVoter):
        assert count(voter, f, inputs, 50, monkeypatch).tolist() == [[50, 0]]
    f = LogisticRegression(max_iter=5000).fit(X3, y3)
    f.coef_, f.intercept_ = np.zeros((3, 4)), np.array([0.0, 1.0, 1.0])
    inputs = Inputs.from_array(X3[:1], 1.0)
    for voter in (AnyVoter, LinearVoter):
        assert count(voter, f, inputs, 50, monkeypatch).tolist() == [[0, 50, 0]]


def test_equal_classes_tie_and_the_lowest_wins(monkeypatch):
    """Also where the common score is neither constant nor that of class 0."""
    f = LogisticRegression(max_iter=5000).fit(X3, y3)
    rng = np.random.default_rng(0)
    f.classes_ = np.arange(6)
    f.coef_, f.intercept_ = rng.normal(size=(6, 4)), np.zeros(6)
    f.coef_[[3, 5]] = f.coef_[1]
    f.coef_[4] = f.coef_[0]
    inputs = Inputs.from_array(X3[::5], 3.0)
    a = count(AnyVoter, f, inputs, 2000, monkeypatch)
    b = count(LinearVoter, f, inputs, 2000, monkeypatch, entropy=1)
    assert np.all(a[:, 3:] == 0)
    assert np.all(b[:, 3:] == 0)
    assert chi_square_p_value(a, b) > 1e-3
    f.coef_[:] = f.coef_[0]
    assert np.all(count(LinearVoter, f, inputs, 50, monkeypatch)[:, 0] == 50)


def test_the_factor_has_one_sign():
    f = LogisticRegression(max_iter=5000).fit(X3, y3)
    for weights in (f.coef_[1:] - f.coef_[0], f.coef_[0] - f.coef_[1:]):
        voter = LinearVoter(weights, np.zeros(2), np.ones(4))
        assert np.all(np.diagonal(voter.factor) > 0)
        np.testing.assert_allclose(
            voter.factor.T @ voter.factor, weights @ weights.T, atol=1e-12
        )


def test_looks_through_frozen_estimators_and_nested_pipelines():
    f = LogisticRegression(max_iter=5000).fit(X3, y3)
    weights, offset = linear_scores(unwrap(f))
    for wrapped in (
        FrozenEstimator(f),
        make_pipeline("passthrough", make_pipeline(FrozenEstimator(f))),
    ):
        np.testing.assert_array_equal(linear_scores(unwrap(wrapped))[0], weights)
        np.testing.assert_array_equal(linear_scores(unwrap(wrapped))[1], offset)


def test_sparse_coefficients():
    f = SGDClassifier(random_state=0).fit(X3, y3)
    dense = linear_scores(unwrap(f))
    f.sparsify()
    np.testing.assert_array_equal(linear_scores(unwrap(f))[0], dense[0])


def patched(estimator, name, value):
    setattr(estimator, name, value)
    return estimator


class FirstColumns(SelectKBest):
    def _transform(self, X):
        return -super()._transform(X)


class CentredStandardScaler(StandardScaler):
    def transform(self, X, copy=None):
        return np.abs(super().transform(X))


class RoundedCentroids(NearestCentroid):
    def predict(self, X):
        return super().predict(np.round(X))


@pytest.mark.parametrize(
    "f",
    [
        SVC(kernel="linear"),
        OpaqueLogisticRegression(max_iter=5000),
        make_pipeline(PolynomialFeatures(), RidgeClassifier()),
        make_pipeline(MinMaxScaler(clip=True), RidgeClassifier()),
        make_pipeline(CentredStandardScaler(), RidgeClassifier()),
        make_pipeline(StandardScaler(), SVC()),
        make_pipeline(FirstColumns(k=2), RidgeClassifier()),
        NearestCentroid("manhattan"),
        NearestCentroid(priors=[0.0, 0.5, 0.5]),
        RoundedCentroids(),
        patched(RidgeClassifier(), "predict", lambda X: np.zeros(len(X), int)),
        patched(
            make_pipeline(RidgeClassifier()), "predict", lambda X: np.zeros(len(X))
        ),
        make_pipeline(
            patched(StandardScaler(), "transform", lambda X: X), RidgeClassifier()
        ),
    ],
    ids=lambda f: str(f)[:60],
)
def test_what_is_not_linear_is_left_alone(f):
    assert linear_scores(unwrap(f.fit(X3, y3))) is None


@pytest.mark.parametrize("shrink", [None, 0.5])
@pytest.mark.parametrize("priors", ["uniform", "empirical", [0.2, 0.3, 0.5]])
@pytest.mark.parametrize("n_classes", [2, 3])
def test_scores_of_centroids(n_classes, priors, shrink):
    """They rank classes as predict does, and know what their roundings are."""
    priors = priors if isinstance(priors, str) else priors[3 - n_classes :]
    rows = np.flatnonzero(y3 < n_classes)[:-30]
    X, y = X3[rows].copy(), y3[rows]
    X[:, 3] = y  # a feature that does not vary within the classes
    f = NearestCentroid(priors=priors, shrink_threshold=shrink)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # says so; and of such priors
        f.fit(X, y)
    weights, offset = linear_scores(unwrap(f))
    Z = np.random.default_rng(0).uniform(0, 8, (5_000, 4))
    ahead = np.column_stack([np.zeros(len(Z)), Z @ weights.T + offset])
    np.testing.assert_array_equal(f.predict(Z), f.classes_[ahead.argmax(axis=1)])
    bounded = linear_scores(unwrap(f), bounded=True)
    scale = [Fraction(1)] * 4
    if not np.allclose(f.class_prior_, 1 / n_classes):
        scale = [Fraction(s or 1) ** 2 for s in f.within_class_std_dev_]
    centroids = [list(map(Fraction, row)) for row in f.centroids_.tolist()]
    for column, size in enumerate(scale):
        true = 2 * (centroids[1][column] - centroids[0][column]) / size
        found, error = bounded[0].value[0, column], bounded[0].error[0, column]
        assert abs(true - Fraction(found)) <= error <= 1e-13 * (1 + abs(found))
    squares = [
        sum(c * c / size for c, size in zip(row, scale, strict=True))
        for row in centroids
    ]
    true = squares[0] - squares[1]
    if scale[0] != 1:
        true += Fraction(2 * np.log(f.class_prior_[1] / f.class_prior_[0]))
    found, error = bounded[1].value[0], bounded[1].error[0]
    assert abs(true - Fraction(found)) <= error <= 1e-12 * (1 + squares[0])


def test_equal_centroids_are_for_predict():
    """Which of them it names depends on roundings."""
    f = NearestCentroid().fit(X3, y3)
    f.centroids_[2] = f.centroids_[0]
    assert linear_scores(unwrap(f)) is None


def test_a_clipping_max_abs_scaler_is_not_affine():
    if "clip" not in MaxAbsScaler().get_params():
        pytest.skip("this scikit-learn's MaxAbsScaler does not clip")
    f = make_pipeline(MaxAbsScaler(clip=True), RidgeClassifier()).fit(X3, y3)
    assert linear_scores(unwrap(f)) is None


def test_multilabel_ridge_is_not_linear():
    Y = np.array([[1, 0], [0, 1]] * 75)
    assert linear_scores(unwrap(RidgeClassifier().fit(X3, Y))) is None


def test_frames_with_untouchable_numbers(monkeypatch):
    frame = pd.DataFrame(X3, columns=list("abcd"))
    frame["b"] = (10 * frame["b"]).round().astype(int)
    f = make_pipeline(StandardScaler(), LogisticRegression()).fit(frame, y3)
    inputs = FrameInputs.from_frame(frame, [0.5, 0.0, 0.5, 0.2])
    a = count(AnyVoter, f, inputs, 500, monkeypatch)
    b = count(LinearVoter, f, inputs, 500, monkeypatch, entropy=1)
    assert chi_square_p_value(a, b) > 1e-3


@pytest.mark.parametrize("shared_noise", [False, True])
@pytest.mark.parametrize("n_classes", [2, 3, 7])
def test_compiled_counts_are_the_same(shared_noise, n_classes, monkeypatch):
    """Also where contenders are left out, and where scores tie."""
    pytest.importorskip("numba")
    from sksmooth.votes import _recognise

    rng = np.random.default_rng(n_classes)
    coef = np.round(rng.normal(size=(max(1, n_classes - (n_classes == 2)), 3)))
    f = LogisticRegression()
    f.classes_ = np.arange(n_classes)
    f.coef_, f.intercept_ = coef, np.zeros(len(coef))
    X = np.vstack([np.round(rng.normal(size=(40, 3)) * 3), np.zeros((1, 3))])
    inputs = Inputs.from_array(X, [1.0, 0.0, 2.0])

    def counts():
        return count_votes(
            f,
            f.classes_,
            inputs,
            700,
            entropy=1,
            purpose="estimate",
            shared_noise=shared_noise,
        ).counts

    # Classes that noise moves alike are otherwise left to predict.
    monkeypatch.setattr(_recognise, "linear_ties", lambda *model: False)
    monkeypatch.setattr(_linear, "module_if_worth", lambda name, work: None)
    expected = counts()
    asked = []

    def always(name, work):
        asked.append(name)
        return compiled_module(name)

    monkeypatch.setattr(_linear, "module_if_worth", always)
    np.testing.assert_array_equal(counts(), expected)
    assert set(asked) == {"votes.voters._linear_kernel"}


def winners(scores, added):
    """How often each class has the highest score, and the first of equal ones."""
    scores = np.vstack([np.zeros(scores.shape[1]), scores]) + added[:, None]
    return np.bincount(scores.argmax(axis=0), minlength=len(added))


@pytest.mark.parametrize("spread", [0, 2, 50])
def test_the_compiled_counts_by_enumeration(spread):
    """Parts of any size, ties, and contenders that cannot win or can now and then."""
    pytest.importorskip("numba")
    kernel = compiled_module(_linear._KERNEL)
    rng = np.random.default_rng(0)
    scores = rng.integers(-2, 3, size=(5, 1300)).astype(float)
    scores[:, 600:] += rng.normal(size=(5, 700))  # no ties here
    stops = np.array([0, 1, 256, 257, 512, 600, 1300])
    starts = np.r_[0, stops[:-1]]
    added = rng.normal(0, spread, size=(len(stops), 6)).round()
    added[:, 0] = 0
    got = np.zeros((len(stops), 6), np.int64)
    kernel.count(scores, starts, stops, added, got)
    for part, (start, stop) in enumerate(zip(starts, stops, strict=True)):
        expected = winners(scores[:, start:stop], added[part])
        np.testing.assert_array_equal(got[part], expected)
    for n_inputs in (3, 40):  # the least for which contenders are left out is 12
        added = rng.normal(0, spread, size=(n_inputs, 6)).round()
        added[:, 0] = 0
        for n_copies in (1, 600, 1299):
            got = np.zeros((n_inputs, 6), np.int64)
            kernel.compare(scores, n_copies, added, got)
            expected = [winners(scores[:, :n_copies], mine) for mine in added]
            np.testing.assert_array_equal(got, expected)


@pytest.mark.parametrize("n_classes", [2, 3, 6, 10])
def test_compiled_votes_are_those_of_products(n_classes, monkeypatch):
    """Also where they are so close that the order of a sum may decide."""
    pytest.importorskip("numba")
    rng = np.random.default_rng(n_classes)
    weights = rng.normal(size=(n_classes - 1, 7))
    sizes = np.array([1, 700, 512, 3, 2000])
    streams = open_streams([bytes([1 + k] * 32) for k in range(len(sizes))])

    def counted(fuse, slack=None):
        voter = LinearVoter(weights, np.zeros(n_classes - 1), np.ones(7))
        monkeypatch.setattr(_compiled, "_work", 2**62)
        monkeypatch.setattr(_linear, "_FEW_SCORES", 64 if fuse else -1)
        if slack is not None:
            voter._rounding = slack
        voter.X = np.random.default_rng(0).normal(size=(len(sizes), 7))
        voter.allocate(1000)  # fewer than there are
        moved, by_product = streams.copy(), []
        product = voter._count_products
        monkeypatch.setattr(
            voter,
            "_count_products",
            lambda some, *others: (by_product.extend(some), product(some, *others)),
        )
        voter.fill_batch(np.arange(len(sizes)), sizes, moved)
        return voter.tally(sizes), moved, by_product

    expected, moved, _ = counted(fuse=False)
    np.testing.assert_array_equal(expected.sum(axis=1), sizes)
    for slack in (None, 1e-3, np.inf):
        got, where, by_product = counted(fuse=True, slack=slack)
        np.testing.assert_array_equal(got, expected)
        np.testing.assert_array_equal(where, moved)
        if slack == np.inf:  # whatever is close is left to the product
            assert by_product == [size for size in sizes if size]


@pytest.mark.parametrize("compiled", [False, True])
@pytest.mark.parametrize("shared_noise", [False, True])
@pytest.mark.parametrize("x, sigma", [(1e308, 1.0), (0, 1e308), (8.9e306, 1e304)])
def test_scores_that_overflow_are_refused(
    compiled, shared_noise, x, sigma, monkeypatch
):
    """inf - inf is no score; what wins then would depend on who compares."""
    if compiled:
        pytest.importorskip("numba")
        monkeypatch.setattr(_compiled, "_work", 2**62)
    f = LogisticRegression()
    f.classes_ = np.arange(3)
    f.coef_ = np.array([[10.0, -10.0], [0.0, 0.0], [-10.0, 10.0]])
    f.intercept_ = np.zeros(3)
    inputs = Inputs.from_array(np.array([[x, x if x > 1e307 else -x]]), sigma)
    with pytest.raises(ValueError, match="overflow float64: scale X"):
        count_votes(
            f,
            f.classes_,
            inputs,
            10,
            entropy=1,
            purpose="estimate",
            shared_noise=shared_noise,
        )


@pytest.mark.parametrize("n_classes", [2, 4])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("order", ["C", "F"])
def test_what_a_row_scores_does_not_depend_on_other_rows(n_classes, dtype, order):
    """Bit by bit: a product of matrices may round another way for other sizes."""
    rng = np.random.default_rng(0)
    X = np.asarray(rng.normal(size=(300, 37)), dtype, order=order)
    weights = rng.normal(size=(n_classes - 1, 37))
    voter = LinearVoter(weights, rng.normal(size=n_classes - 1), np.ones(37))
    voter.X = X
    some = rng.permutation(300)[:211]
    together = voter._clean_scores(some)
    np.testing.assert_array_equal(together[:, 0], 0)
    for row, means in zip(some, together, strict=True):
        expected = weights @ X[row].copy() + voter.offset
        np.testing.assert_allclose(means[1:], expected, rtol=1e-12, atol=1e-12)
        np.testing.assert_array_equal(means, voter._clean_scores(np.array([row]))[0])


def test_many_wide_rows_are_not_copied_all_at_once():
    voter = LinearVoter(np.ones((1, 1000)), np.zeros(1), np.ones(1000))
    voter.X = np.ones((2000, 1000))  # 16 MB
    tracemalloc.start()
    try:
        voter._clean_scores(np.arange(2000))
        assert tracemalloc.get_traced_memory()[1] < 2**21
    finally:
        tracemalloc.stop()


def test_a_voter_is_remembered_by_its_numbers(monkeypatch):
    """The same votes as by one that was made for the call, also once it has changed."""
    f = LogisticRegression(max_iter=1000).fit(X3, y3)
    inputs, seen = Inputs.from_array(X3[:60:20], 0.5), []
    for _ in range(2):
        for most in (0, 10**6, 10**6):
            monkeypatch.setattr(_recognise, "_MOST_REMEMBERED", most)
            settings = {"purpose": "estimate", "entropy": 0}
            votes = count_votes(f, f.classes_, inputs, 200, **settings)
            seen.append(votes.counts)
        f.coef_[:] = f.coef_[::-1]  # in place
    np.testing.assert_array_equal(seen[:3], seen[:1] * 3)
    np.testing.assert_array_equal(seen[3:], seen[3:4] * 3)
    assert np.any(seen[0] != seen[3])
