"""Every kind of input and of sigma that estimators take can be drawn, too."""

import matplotlib
import numpy as np
import pytest
import scipy.sparse as sp
from sklearn.datasets import load_iris
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LinearRegression
from sklearn.naive_bayes import BernoulliNB, GaussianNB, MultinomialNB
from sklearn.pipeline import make_pipeline

from sksmooth import (
    CertifiedAccuracyDisplay,
    IntervalDisplay,
    ProbabilityDisplay,
    SmoothedClassifier,
    SmoothedDecisionDisplay,
    SmoothedRegressor,
    VotesDisplay,
)
from sksmooth.noise import DeleteTokens, SparseFlip

pd = pytest.importorskip("pandas")
pl = pytest.importorskip("polars")
pa = pytest.importorskip("pyarrow")
matplotlib.use("Agg")
import matplotlib.pyplot as plt  # noqa: E402

X, y = load_iris(return_X_y=True)
X, y = X[::5].round(1), y[::5]
NAMES = ["a", "b", "c", "d"]
LEVELS = [0.1, 0.2, 0.3, 0.4]
FRAMES = [pd.DataFrame, pl.DataFrame, pa.table]


@pytest.fixture(autouse=True)
def closed_figures():
    yield
    plt.close("all")


def table(frame, values=X):
    return frame(dict(zip(NAMES, np.asarray(values).T, strict=False)))


def smoothed(f=None, **params):
    params = {"n": 100, "random_state": 0, **params}
    return SmoothedClassifier(GaussianNB() if f is None else f, **params)


@pytest.mark.parametrize("index", [3, -1])
@pytest.mark.parametrize("inputs", [*FRAMES, np.array, np.ndarray.tolist])
def test_votes_on_one_row(inputs, index):
    rows = table(inputs) if inputs in FRAMES else inputs(X)
    g = smoothed().fit(rows, y)
    display = VotesDisplay.from_estimator(g, rows, index=index)
    plain = smoothed().fit(X, y).certify(X[[index]])
    np.testing.assert_array_equal(display.share, plain.counts[0] / 100)
    with pytest.raises(IndexError):
        VotesDisplay.from_estimator(g, rows, index=30)


@pytest.mark.parametrize(
    "kind", [sp.csr_matrix, sp.csr_array, sp.coo_array, sp.csc_array]
)
def test_sparse_flags(kind):
    label = np.arange(40) % 2
    flags = np.repeat(np.eye(2)[label], 10, axis=1)  # ten of each class
    g = smoothed(BernoulliNB(), noise=SparseFlip(0.01, 0.4)).fit(kind(flags), label)
    display = VotesDisplay.from_estimator(g, kind(flags), index=-1)
    one = g.certify(sp.csr_array(flags[[-1]]))
    np.testing.assert_array_equal(display.share, one.counts[0] / 100)
    assert one.certified[0] and one.radius[0] == 0
    assert display.ax_.get_title().endswith("certified as it is")
    with pytest.raises(IndexError):
        VotesDisplay.from_estimator(g, kind(flags), index=40)
    CertifiedAccuracyDisplay.from_estimator(g, kind(flags), label)
    ProbabilityDisplay.from_estimator(g, kind(flags), label)


def test_sparse_points_on_the_plane():
    points = sp.csr_array((np.indices((2, 2)).reshape(2, 4).T).astype(float))
    g = smoothed(BernoulliNB(), noise=SparseFlip(0.1, 0.1)).fit(points, [0, 0, 1, 1])
    display = SmoothedDecisionDisplay.from_estimator(
        g, points, centers=points, grid_resolution=2, margin=0
    )
    assert display.response.shape == (2, 2) and len(display.points_) == 4


@pytest.mark.parametrize(
    "kind", [list, tuple, np.array, pd.Series, pl.Series], ids=lambda k: k.__module__
)
def test_texts(kind):
    texts, label = ["good fine", "bad poor awful", "good", "poor"] * 4, [1, 0, 1, 0] * 4
    f = make_pipeline(CountVectorizer(), MultinomialNB())
    g = smoothed(f, noise=DeleteTokens(0.6)).fit(texts, label)
    display = VotesDisplay.from_estimator(g, kind(texts), index=1)
    one = g.certify(texts[1:2])
    np.testing.assert_array_equal(display.share, one.counts[0] / 100)
    assert display.unit == "tokens"
    CertifiedAccuracyDisplay.from_estimator(g, kind(texts), label, norm="edits")


def test_intervals_of_texts():
    texts, label = ["good fine", "bad poor awful", "good", "poor"] * 4, [1, 0, 1, 0] * 4
    f = make_pipeline(CountVectorizer(), LinearRegression())
    h = SmoothedRegressor(f, noise=DeleteTokens(0.9), n=500, random_state=0)
    h.fit(texts, label)
    display = IntervalDisplay.from_estimator(h, texts[:2], norm="edits")
    np.testing.assert_array_equal(display.radius, range(6))
    assert display.ax_.get_xlabel() == "Edit radius (tokens)"


@pytest.mark.parametrize("frame", FRAMES)
@pytest.mark.parametrize(
    "sigma",
    [
        dict(zip(NAMES, LEVELS, strict=True)),
        {"a": 0.1, "*": 0.2},
        pd.Series(LEVELS, NAMES),
        np.array(LEVELS),
    ],
    ids=["dict", "others", "Series", "array"],
)
def test_sigma_by_feature(sigma, frame):
    rows = table(frame)
    h = SmoothedRegressor(LinearRegression(), sigma=sigma, n=100, random_state=0)
    display = IntervalDisplay.from_estimator(h.fit(rows, y), rows[:2])
    assert display.radius[-1] == 1.5 and display.unit == "units of sigma"
    g = smoothed(sigma=sigma).fit(rows, y)
    assert VotesDisplay.from_estimator(g, rows).unit == "sigma"
    accuracy = CertifiedAccuracyDisplay.from_estimator(g, rows, y)
    assert accuracy.unit == "units of sigma"
    ProbabilityDisplay.from_estimator(g, rows, y)


@pytest.mark.parametrize("sigma", [0.4, np.float32(0.4), np.array(0.4)])
def test_radii_up_to_a_multiple_of_one_sigma(sigma):
    h = SmoothedRegressor(LinearRegression(), sigma=sigma, n=100, random_state=0)
    display = IntervalDisplay.from_estimator(h.fit(X, y), X[:2])
    assert display.radius[-1] == pytest.approx(0.6)


@pytest.mark.parametrize("frame", FRAMES)
def test_planes_of_frames_and_sigma_by_name(frame):
    rows = table(frame, X[:, :2])
    g = smoothed(sigma={"a": 0.3, "b": 0.1}).fit(rows, y)
    display = SmoothedDecisionDisplay.from_estimator(
        g, rows, centers=rows[:3], grid_resolution=3
    )
    assert (display.ax_.get_xlabel(), display.ax_.get_ylabel()) == ("a", "b")
    assert len(display.points_) == 3


def test_planes_of_columns_without_texts_for_names():
    rows = pd.DataFrame(X[:, :2])
    display = SmoothedDecisionDisplay.from_estimator(
        smoothed().fit(rows, y), rows, grid_resolution=2
    )
    assert display.ax_.get_ylabel() == "1"


def test_labels_in_another_order():
    rows, label = pd.DataFrame(X, columns=NAMES), pd.Series(y)
    certificate = smoothed().fit(rows, y).certify(rows)
    with pytest.raises(ValueError, match="the index of y is .* in another order"):
        ProbabilityDisplay.from_certificate(certificate, label[::-1])
