"""Dates, complex numbers and endless ones: what certify and its like refuse."""

import datetime

import numpy as np
import pandas as pd
import polars as pl
import pytest
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import GaussianNB

from sksmooth import GaussianAugmenter, SmoothedClassifier
from sksmooth._certificate import round_down
from sksmooth.stats._checks import MAX_VOTES
from tests.helpers import Fixed, OpaqueLogisticRegression

X, y = load_iris(return_X_y=True)
DAYS = np.arange(12).reshape(6, 2)
LABELS = [0, 1, 0, 1, 0, 1]

DATES = {
    "seconds": DAYS.astype("M8[s]"),
    "nanoseconds": DAYS.astype("M8[ns]"),
    "differences": DAYS.astype("m8[D]"),
    "list": DAYS.astype("M8[D]").tolist(),
    "list of arrays": list(DAYS.astype("M8[s]")),
    "tuple": tuple(map(tuple, DAYS.astype("m8[ns]"))),
    "objects": DAYS.astype("M8[us]").astype(object),
    "one cell": np.array([[np.datetime64(1, "ns"), 1.0], *[[2.0, 3.0]] * 5], object),
    "timedeltas": [[datetime.timedelta(1), 2.0]] * 6,
    "images": DAYS.astype("M8[s]").reshape(3, 2, 2),
}


@pytest.mark.parametrize("kind", DATES)
def test_dates_are_no_numbers(kind):
    """NumPy makes numbers of them, of a unit that nobody chose."""
    dates = DATES[kind]
    f = Fixed(lambda X: np.zeros(len(X), int))
    for method in ("predict", "certify", "predict_proba"):
        with pytest.raises(ValueError, match="X holds dates or times"):
            getattr(SmoothedClassifier(f, n=50), method)(dates)
    for estimator in (SmoothedClassifier(GaussianNB()), GaussianAugmenter()):
        with pytest.raises(ValueError, match="X holds dates or times"):
            estimator.fit(dates, LABELS[: len(dates)])


@pytest.mark.parametrize("library", [pd, pl])
@pytest.mark.parametrize("dtype", ["M8[ms]", "m8[ms]"])
def test_dates_in_frames(library, dtype):
    frame = library.DataFrame({"when": DAYS[:, 0].astype(dtype), "x": np.ones(6)})
    g = SmoothedClassifier(Fixed(lambda X: np.zeros(len(X), int)), n=50)
    with pytest.raises(ValueError, match="floating-point columns.*'when'"):
        g.certify(frame)
    with pytest.raises(ValueError, match="floating-point columns.*'when'"):
        SmoothedClassifier(GaussianNB()).fit(frame, LABELS)
    # Out of the adversary's reach they are whatever the base makes of them.
    assert len(g.set_params(sigma=[0, 1.0]).certify(frame).radius) == 6


@pytest.mark.parametrize("values", [X + 0j, (X + 1j).tolist(), (X + 0j).astype(object)])
def test_complex_numbers(values):
    f = LogisticRegression(max_iter=1_000).fit(X, y)
    with pytest.raises(ValueError, match="X holds complex numbers.*X.real") as raised:
        SmoothedClassifier(f, n=50).predict(values)
    assert len(str(raised.value)) < 200  # without the array


@pytest.mark.parametrize("classes", [(0.0, np.nan), (np.inf, 1.0), (0.0, 1.0, -np.inf)])
def test_classes_that_are_no_numbers(classes):
    g = SmoothedClassifier(Fixed(lambda X: np.zeros(len(X)), classes=classes), n=50)
    for method in ("predict", "certify"):
        with pytest.raises(ValueError, match="not finite numbers, classes_ is"):
            getattr(g, method)(X)


@pytest.mark.parametrize("name", ["n", "n0"])
@pytest.mark.parametrize("number", [MAX_VOTES + 1, 10**23, np.int64(2**62)])
def test_more_votes_than_can_be(name, number):
    f = LogisticRegression(max_iter=1_000).fit(X, y)
    message = f"^{name} must be at most 1,000,000,000, got {number}: bounds are verif"
    g = SmoothedClassifier(f).set_params(**{name: number})
    for method in ("predict", "certify", "predict_proba"):
        with pytest.raises(ValueError, match=message):
            getattr(g, method)(X)
    with pytest.raises(ValueError, match=message):
        g.certified_correct(X, y, radius=0.1)
    with pytest.raises(ValueError, match=message):
        g.fit(X, y)


def test_as_many_votes_as_can_be():
    """What stops early needs few of them."""
    f = LogisticRegression(max_iter=1_000).fit(X, y)
    g = SmoothedClassifier(f, n=MAX_VOTES, n0=10, random_state=0)
    assert g.predict(X[:1]).tolist() == [0]
    certificate = g.set_params(n=100).certify(X[:1])
    assert certificate.recertify(n=MAX_VOTES).n == MAX_VOTES
    with pytest.raises(ValueError, match="n must be at most"):
        certificate.recertify(n=10**23)


@pytest.mark.parametrize("error", [MemoryError(), KeyError("a"), ValueError("odd")])
def test_the_kind_of_an_error_in_predict_is_told(error):
    class Fails(OpaqueLogisticRegression):
        def predict(self, X):
            raise error

    f = Fails(max_iter=1_000).fit(X, y)
    with pytest.raises(RuntimeError, match=f": {type(error).__name__}") as raised:
        SmoothedClassifier(f, n=50).predict(X)
    assert str(raised.value).endswith(str(error) or "MemoryError")


@pytest.mark.parametrize("value", [1e25, 1e40, 1.7e308, 5e-324, 0.0, 123456.7899])
def test_every_float_is_rounded_down(value):
    from decimal import Decimal

    for digits in (0, 3, 300):
        text = Decimal(round_down(value, digits))
        assert 0 <= Decimal(value) - text < Decimal(1).scaleb(-digits)
