import sys
from dataclasses import FrozenInstanceError
from fractions import Fraction

import numpy as np
import pytest
from sklearn.datasets import load_iris
from sklearn.naive_bayes import GaussianNB

from sksmooth import SmoothedClassifier
from sksmooth._certificate import round_down

X, y = load_iris(return_X_y=True)


def certificate(sigma=0.5):
    g = SmoothedClassifier(GaussianNB(), sigma=sigma, n=300, random_state=0)
    return g.fit(X, y).certify(X)


def test_immutable_pair():
    c = certificate()
    prediction, radius = c
    assert prediction is c.prediction
    assert radius is c.radius
    with pytest.raises(FrozenInstanceError):
        c.radius = 1
    with pytest.raises(ValueError, match="read-only"):
        c.radius[0] = 1


def test_to_frame():
    c = certificate()
    frame = c.to_frame()
    assert frame.columns.tolist() == [
        "prediction",
        "radius",
        "p_lower",
        "count",
        "n_used",
    ]
    np.testing.assert_array_equal(frame["radius"], c.radius)
    votes = c.counts[np.arange(150), c.selected]
    np.testing.assert_array_equal(frame["count"], votes)


def test_to_frame_without_pandas(monkeypatch):
    c = certificate()
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(ImportError, match="pip install pandas"):
        c.to_frame()


def test_half_axes():
    c = certificate()
    np.testing.assert_array_equal(c.half_axes, c.radius)
    sigma = np.array([0.1, 0.2, 0.0, 0.4])
    c = certificate(sigma)
    np.testing.assert_allclose(c.half_axes, np.outer(c.radius, sigma))


def test_repr():
    c = certificate()
    text = repr(c)
    assert f"150 inputs: {c.certified.sum()} certified" in text
    assert "sigma=0.5, n=300, alpha=0.001" in text
    assert "sigma=<array of shape (4,)>" in repr(certificate([0.1, 0.2, 0.0, 0.4]))
    g = SmoothedClassifier(GaussianNB(), sigma=50.0, n=20, random_state=0)
    assert "150 inputs: 0 certified, 150 not;\n" in repr(g.fit(X, y).certify(X))


@pytest.mark.parametrize("value", [0.0, 0.1, 0.1234999999, 0.29, 1.0005, 1.2345678e-5])
def test_text_is_never_above_the_number(value):
    text = round_down(value)
    assert Fraction(text) <= Fraction(value)
    assert Fraction(text) > Fraction(value) - Fraction(1, 1000)
