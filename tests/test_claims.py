"""What a fitted base says of its inputs may be wrong: whether it takes X decides."""

import warnings

import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.datasets import load_iris
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier

from sksmooth import SmoothedClassifier

X, y = load_iris(return_X_y=True)
NAMES = ["a", "b", "c", "d"]
FRAME = pd.DataFrame(X, columns=NAMES)
ABSENT = object()


class Loaded(ClassifierMixin, BaseEstimator):
    """A model of four columns, loaded from a file, that says wrong things of itself."""

    def __init__(self, n_features=ABSENT, names=ABSENT):
        self.n_features = n_features
        self.names = names

    @property
    def n_features_in_(self):
        return self._claim(self.n_features)

    @property
    def feature_names_in_(self):
        return self._claim(self.names)

    def _claim(self, value):
        if isinstance(value, Exception):
            raise value
        if value is ABSENT:
            raise AttributeError("not known")
        return value

    @property
    def classes_(self):
        return np.arange(3)

    def __sklearn_is_fitted__(self):
        return True

    def fit(self, X, y):
        return self

    def predict(self, X):
        X = np.asarray(X)
        if X.shape[1] != 4:
            raise ValueError(f"the model has 4 features, not {X.shape[1]}")
        return (X[:, 2] > 2.5).astype(int) + (X[:, 3] > 1.7)


def smoothed(f, **params):
    return SmoothedClassifier(
        f, method="monte_carlo", sigma=0.2, n=200, random_state=0, **params
    )


CLAIMS = [
    {"n_features": 0},
    {"n_features": None},
    {"n_features": 7},
    {"n_features": "many"},
    {"n_features": RuntimeError("only after training")},
    {"n_features": AttributeError("gone")},
    {"n_features": 4, "names": []},
    {"n_features": 4, "names": None},
    {"n_features": 4, "names": ["0", "1", "2", "3"]},
    {"n_features": 0, "names": ["Column_0", "Column_1"]},
    {"names": RuntimeError("only after training")},
    {},
]


@pytest.mark.parametrize("claim", CLAIMS, ids=str)
def test_wrong_claims_are_not_held_against_x(claim):
    f = Loaded(**claim)
    expected = smoothed(Loaded()).certify(X[::10]).counts
    names = claim.get("names")
    named = isinstance(names, list) and len(names) == 4
    with warnings.catch_warnings():
        if named:  # which may be true: then X lacks them
            warnings.filterwarnings("ignore", message="X does not have valid feature")
        counts = smoothed(f).certify(X[::10]).counts
    np.testing.assert_array_equal(counts, expected)
    np.testing.assert_array_equal(smoothed(f).certify(FRAME[::10]).counts, expected)
    g = smoothed(FrozenEstimator(f)).fit(X, y)
    assert g.n_features_in_ == 4
    assert g.score(X, y) > 0.8


@pytest.mark.parametrize("claim", CLAIMS, ids=str)
def test_what_the_base_does_not_take_is_an_error(claim):
    f = Loaded(**claim)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="X does not have valid feature")
        with pytest.raises(
            (ValueError, RuntimeError), match="has 2 features|4 features"
        ):
            smoothed(f).certify(X[:, :2])
        with pytest.raises((ValueError, RuntimeError), match="feature"):
            smoothed(f).certify(FRAME[["a", "b"]])


@pytest.mark.parametrize("f", [GaussianNB(), LogisticRegression(max_iter=5000),
    DecisionTreeClassifier(), HistGradientBoostingClassifier(max_iter=3),
    make_pipeline(StandardScaler(), LogisticRegression())],
    ids=lambda f: type(f).__name__)  # fmt: skip
def test_true_claims_are_held_against_x(f):
    with pytest.raises(
        ValueError, match="X has 3 features, but Smoothed.* expecting 4"
    ):
        smoothed(f.fit(X, y)).certify(X[:, :3])
    f.fit(FRAME, y)
    for wrong in (
        FRAME[["a", "b"]],
        FRAME[NAMES[::-1]],
        FRAME.rename(columns={"a": "e"}),
    ):
        with pytest.raises(ValueError, match="feature names should match"):
            smoothed(f).certify(wrong)


def test_columns_in_another_order_are_refused_although_the_base_takes_them():
    f = Loaded(n_features=4, names=np.array(NAMES, object))
    assert len(smoothed(f).certify(FRAME[:5]).radius) == 5
    with pytest.raises(ValueError, match="feature names should match"):
        smoothed(f).certify(FRAME[NAMES[::-1]])
    with pytest.warns(UserWarning, match="X does not have valid feature names"):
        smoothed(f).certify(X[:5])


def test_trees_that_do_not_know_their_width():
    f = DecisionTreeClassifier(random_state=0).fit(X, y)
    expected = smoothed(f).certify(X[::10]).counts
    del f.n_features_in_
    np.testing.assert_array_equal(smoothed(f).certify(X[::10]).counts, expected)
