"""Exact probabilities agree with votes, with 40 digits, and bound what they should."""

import mpmath
import numpy as np
import pandas as pd
import pytest
from scipy import stats
from sklearn.datasets import load_breast_cancer, load_digits, load_iris
from sklearn.decomposition import PCA
from sklearn.ensemble import (
    AdaBoostClassifier,
    GradientBoostingClassifier,
    RandomForestClassifier,
)
from sklearn.feature_selection import SelectKBest
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression, RidgeClassifier
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import NearestCentroid
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import (
    MaxAbsScaler,
    MinMaxScaler,
    PolynomialFeatures,
    RobustScaler,
    StandardScaler,
)
from sklearn.svm import LinearSVC
from sklearn.tree import DecisionTreeClassifier

from sksmooth.exact import _probabilities as exact_module
from sksmooth.exact._probabilities import exact_probabilities
from sksmooth.noise._gaussian import BoundGaussian
from sksmooth.votes._frame_rows import FrameInputs
from sksmooth.votes._rows import Inputs
from tests.helpers import count_votes, halfspace

X3, y3 = load_iris(return_X_y=True)
X2, y2 = load_breast_cancer(return_X_y=True)
X2 = StandardScaler().fit_transform(X2)

pytestmark = pytest.mark.filterwarnings("ignore:X does not have valid feature names")


def phi(u):
    return mpmath.erfc(-u / mpmath.sqrt(2)) / 2


def z_scores(f, X, sigma, n=4000, voting_sigma=None):
    """Standardised differences between votes of `predict` and the probabilities."""
    inputs = Inputs.from_array(X, sigma)
    classes = f.classes_
    p, upper = exact_probabilities(f, classes, inputs)
    np.testing.assert_allclose(p.sum(axis=1), 1, rtol=0, atol=1e-12)
    assert np.all(upper >= p * (1 - 1e-15))
    voted = Inputs.from_array(X, sigma if voting_sigma is None else voting_sigma)
    counts = count_votes(f, classes, voted, n, entropy=7, purpose="estimate").counts
    # A class that cannot win wins never.
    assert not np.any(counts[upper < 1e-12])
    inside = (n * p > 10) & (n * (1 - p) > 10)
    return ((counts - n * p) / np.sqrt(n * p * (1 - p)).clip(1e-9))[inside]


def agrees(z):
    """Are these standard normal, as far as one can tell? (None with too few.)"""
    # The cells of one input are dependent: with 2 classes they are the same twice.
    return abs(z).max() < 5 and stats.kstest(z[::2], "norm").pvalue > 1e-4


CASES = {
    "linear": (LogisticRegression(), X2, y2, 2.0),
    "linear, per feature": (LinearSVC(), X2, y2, np.linspace(0, 3, 30)),
    "linear behind PCA": (
        make_pipeline(PCA(5, whiten=True), RidgeClassifier()), X2, y2, 1.0,
    ),
    "centroids": (NearestCentroid(priors=[0.3, 0.7]), X2, y2, 2.0),
    "tree": (DecisionTreeClassifier(random_state=0), X2, y2, 0.5),
    "tree, zeros": (
        DecisionTreeClassifier(random_state=0), X2, y2, np.tile([0, 1, 0.3], 10),
    ),
    "tree, 3 classes": (DecisionTreeClassifier(random_state=0), X3, y3, 0.5),
    "tree, 10 classes": (
        DecisionTreeClassifier(random_state=0), *load_digits(return_X_y=True), 2.0,
    ),
    "tree behind scalers": (
        make_pipeline(
            StandardScaler(), "passthrough", RobustScaler(), SelectKBest(k=3),
            MinMaxScaler((-1, 3)), MaxAbsScaler(), DecisionTreeClassifier(),
        ), X3, y3, np.array([0.5, 0.2, 0.4, 0.3]),
    ),
    "AdaBoost of 1": (AdaBoostClassifier(n_estimators=1), X2, y2, 1.0),
    "AdaBoost of 7": (AdaBoostClassifier(n_estimators=7), X2, y2, 0.5),
    "AdaBoost of 100": (
        AdaBoostClassifier(n_estimators=100, random_state=0), X2[::4], y2[::4], 0.5,
    ),
    "AdaBoost, slow": (
        make_pipeline(
            StandardScaler(), AdaBoostClassifier(learning_rate=0.1, random_state=0)
        ), X2, y2, np.tile([0, 1, 0.3], 10),
    ),
    "boosting of 1": (
        GradientBoostingClassifier(max_depth=1, n_estimators=1, learning_rate=1.0),
        X2, y2, 1.0,
    ),
    "boosting of 5, fast": (
        GradientBoostingClassifier(max_depth=1, n_estimators=5, learning_rate=1.0),
        X2, y2, 0.5,
    ),
    "boosting of 100": (
        GradientBoostingClassifier(
            max_depth=1, subsample=0.5, learning_rate=0.5, random_state=0
        ), X2[::4], y2[::4], 0.5,
    ),
    "boosting from zero": (
        GradientBoostingClassifier(
            max_depth=1, init="zero", loss="exponential", random_state=0
        ), X2[::4], y2[::4], 0.7,
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_agrees_with_votes(case):
    f, X, y, sigma = CASES[case]
    z = z_scores(f.fit(X, y), X[::2], sigma)
    assert len(z) >= 50
    assert agrees(z)


@pytest.mark.parametrize("case", ["linear", "tree", "boosting of 5, fast"])
def test_the_comparison_would_see_a_wrong_sigma(case):
    f, X, y, sigma = CASES[case]
    z = z_scores(f.fit(X, y), X[::2], sigma, voting_sigma=1.05 * sigma)
    assert not agrees(z)


def test_labels_come_in_the_order_that_is_asked_for():
    labels = np.array(["virginica", "setosa", "versicolor"])
    f = DecisionTreeClassifier(random_state=0).fit(X3, labels[y3])
    inputs = Inputs.from_array(X3, 0.5)
    p, upper = exact_probabilities(f, f.classes_, inputs)
    assert f.classes_.tolist() == ["setosa", "versicolor", "virginica"]
    np.testing.assert_array_equal(f.classes_[p[::50].argmax(axis=1)], labels)
    other = exact_probabilities(f, labels, inputs)
    np.testing.assert_array_equal(other[0], p[:, [2, 0, 1]])
    np.testing.assert_array_equal(other[1], upper[:, [2, 0, 1]])


@pytest.mark.parametrize("case", ["linear", "tree behind scalers", "AdaBoost, slow"])
def test_looks_through_frozen_estimators_and_nested_pipelines(case):
    f, X, y, sigma = CASES[case]
    f.fit(X, y)
    inputs = Inputs.from_array(X[:50], sigma)
    bare = exact_probabilities(f, f.classes_, inputs)
    for wrapped in (
        FrozenEstimator(f),
        make_pipeline("passthrough", make_pipeline(None, FrozenEstimator(f))),
    ):
        for a, b in zip(
            exact_probabilities(wrapped, f.classes_, inputs), bare, strict=True
        ):
            np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("case", ["linear", "tree, 10 classes", "AdaBoost of 100"])
def test_chunks_do_not_matter(case, monkeypatch):
    f, X, y, sigma = CASES[case]
    inputs = Inputs.from_array(X[:30], sigma)
    f.fit(X, y)
    whole = exact_probabilities(f, f.classes_, inputs)
    monkeypatch.setattr(exact_module, "_CHUNK_BYTES", 1)
    for a, b in zip(exact_probabilities(f, f.classes_, inputs), whole, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-12, atol=1e-290)


def test_no_inputs():
    f = DecisionTreeClassifier().fit(X3, y3)
    for array in exact_probabilities(f, f.classes_, Inputs.from_array(X3[:0], 1.0)):
        assert array.shape == (0, 3)


def test_float32_inputs():
    f = DecisionTreeClassifier(random_state=0).fit(X3, y3)
    small = Inputs.from_array(X3.astype(np.float32), 0.5)
    p, _ = exact_probabilities(f, f.classes_, small)
    q, _ = exact_probabilities(f, f.classes_, Inputs.from_array(X3, 0.5))
    assert p.dtype == np.float64
    np.testing.assert_allclose(p, q, atol=1e-6)


def test_bounds_on_phi_hold_and_are_sharp():
    rng = np.random.default_rng(0)
    u = np.concatenate([rng.uniform(-37.4, 9, 2000), rng.uniform(-3, 3, 500), [0.0]])
    below, above = BoundGaussian.cdf_bounds(u, u)
    with mpmath.workdps(40):
        true = [phi(mpmath.mpf(v)) for v in u.tolist()]
        assert all(b < t for b, t in zip(below, true, strict=True))
        assert all(a > t for a, t in zip(above, true, strict=True))
        slack = [a / t - 1 for a, t in zip(above, true, strict=True) if t > 1e-285]
    assert max(slack) < 3e-12


@pytest.mark.parametrize("far", [0.0, 0.1, 1, 5, 8.3, 12, 20, 30])
@pytest.mark.parametrize("n_features", [2, 784])
def test_linear_radius_is_the_distance(far, n_features):
    rng = np.random.default_rng(0)
    w = rng.normal(size=n_features)
    f = halfspace(w, 0.3)
    sigma = 0.5
    X = rng.normal(size=(200, n_features))
    X -= np.outer((X @ w + 0.3) / (w @ w) - far * sigma / np.linalg.norm(w), w)
    p, upper = exact_probabilities(f, f.classes_, Inputs.from_array(X, sigma))
    radius = -sigma * stats.norm.ppf(upper[:, 0])
    np.testing.assert_allclose(radius, far * sigma, rtol=1e-9, atol=1e-9)
    # Never more than the true distance, with no rounding.
    with mpmath.workdps(40):
        weights = [mpmath.mpf(v) for v in w.tolist()]
        norm = mpmath.sqrt(mpmath.fsum(v * v for v in weights)) * sigma
        for x, bounds in zip(X[:20].tolist(), upper[:20].tolist(), strict=True):
            u = (mpmath.fdot(weights, x) + mpmath.mpf(0.3)) / norm
            assert bounds[0] >= phi(-u)
            assert bounds[1] >= min(phi(u), 1)
    np.testing.assert_allclose(p[:, 0], stats.norm.cdf(-far), rtol=1e-9)


def test_linear_without_noise_on_its_features_is_an_indicator():
    f = halfspace([1.0, 0.0])
    X = np.array([[0.0, 1.0], [1e-300, 1.0], [-2.0, 5.0], [3.0, 0.0]])
    p, upper = exact_probabilities(f, f.classes_, Inputs.from_array(X, [0.0, 1.0]))
    assert p[:, 1].tolist() == [0, 1, 0, 1]
    assert upper[:, 1].tolist() == [0, 1, 0, 1]
    assert upper[:, 0].tolist() == [1, 0, 1, 0]
    assert f.predict(X).tolist() == [0, 1, 0, 1]


def test_frames():
    frame = pd.DataFrame(X3, columns=list("abcd"))
    frame["b"] = (10 * frame["b"]).round().astype(int)
    f = make_pipeline(StandardScaler(), DecisionTreeClassifier(random_state=0))
    f.fit(frame, y3)
    inputs = FrameInputs.from_frame(frame, [0.5, 0.0, 0.5, 0.2])
    p, _ = exact_probabilities(f, f.classes_, inputs)
    counts = count_votes(
        f, f.classes_, inputs, 2000, entropy=0, purpose="predict"
    ).counts
    assert abs(counts / 2000 - p).max() < 5 / np.sqrt(4 * 2000)
    frame["b"] = "word"
    inputs = FrameInputs.from_frame(frame, [0.5, 0.0, 0.5, 0.2])
    with pytest.raises(ValueError, match=r"not numbers: 'b' \(.*monte_carlo"):
        exact_probabilities(f, f.classes_, inputs)


class LoudTree(DecisionTreeClassifier):
    def predict(self, X, check_input=True):
        return super().predict(X, check_input)


class LoudBoosting(AdaBoostClassifier):
    def decision_function(self, X):
        return super().decision_function(X)


two = y3.clip(0, 1)


@pytest.mark.parametrize(
    "f, y, found",
    [
        (GaussianNB(), two, "of GaussianNB. "),
        (RandomForestClassifier(2), two, "of RandomForestClassifier. "),
        (LogisticRegression(max_iter=5000), y3, "LogisticRegression with 3 classes"),
        (make_pipeline(PolynomialFeatures(), RidgeClassifier()), two,
         "RidgeClassifier behind PolynomialFeatures"),
        (make_pipeline(PCA(), DecisionTreeClassifier()), y3,
         "behind PCA, which mixes features"),
        (make_pipeline(MinMaxScaler(clip=True), DecisionTreeClassifier()), y3,
         "behind MinMaxScaler, which is not affine"),
        (DecisionTreeClassifier(), np.column_stack([two, two]), "with 2 outputs"),
        (AdaBoostClassifier(), y3, "AdaBoostClassifier with 3 classes"),
        (AdaBoostClassifier(DecisionTreeClassifier(max_depth=2)), y3.clip(1),
         "AdaBoostClassifier with trees of depth 2"),
        (AdaBoostClassifier(LogisticRegression()), two,
         "AdaBoostClassifier of LogisticRegression"),
        (GradientBoostingClassifier(n_estimators=2), y3.clip(1),
         "GradientBoostingClassifier with trees of depth 3"),
        (GradientBoostingClassifier(max_depth=1), y3,
         "GradientBoostingClassifier with 3 classes"),
        (GradientBoostingClassifier(max_depth=1, init=GaussianNB()), two,
         r"with init=GaussianNB\(\)"),
        (LoudTree(), y3, "of LoudTree"),
        (LoudBoosting(), two, "of LoudBoosting"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)  # fmt: skip
def test_what_is_not_supported_is_named(f, y, found):
    f.fit(X3, y)
    classes = np.unique(y)
    with pytest.raises(ValueError, match=found) as error:
        exact_probabilities(f, classes, Inputs.from_array(X3, 0.5))
    assert "DecisionTreeClassifier of any depth" in str(error.value)
    assert str(error.value).endswith("use method='monte_carlo'.")


def test_images_are_not_supported():
    inputs = Inputs.from_array(np.zeros((2, 8, 8)), 1.0)
    with pytest.raises(ValueError, match=r"inputs of shape \(8, 8\)"):
        exact_probabilities(halfspace([1.0]), np.array([0, 1]), inputs)
