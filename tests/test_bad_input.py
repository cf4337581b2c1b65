"""Bad input gets a clear error that says what to do."""

import numpy as np
import pandas as pd
import polars as pl
import pytest
from scipy import sparse
from sklearn.datasets import load_iris
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.multioutput import MultiOutputClassifier
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sksmooth import SmoothedClassifier
from tests.helpers import Fixed

X, y = load_iris(return_X_y=True)
FITTED = GaussianNB().fit(X, y)


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"sigma": 0}, "'sigma' parameter"),
        ({"sigma": -0.5}, "'sigma' parameter"),
        ({"sigma": np.nan}, "sigma"),
        ({"sigma": np.inf}, "sigma"),
        ({"sigma": "large"}, "'sigma' parameter"),
        ({"sigma": [0.0] * 4}, "sigma must be positive"),
        ({"sigma": [0.1, -0.1, 0.1, 0.1]}, "finite and not negative"),
        ({"sigma": [0.1] * 3}, "does not broadcast"),
        ({"alpha": 0.0}, "'alpha' parameter"),
        ({"alpha": 1.0}, "'alpha' parameter"),
        ({"n": 0}, "'n' parameter"),
        ({"n": 10.5}, "'n' parameter"),
        ({"n0": 0}, "'n0' parameter"),
        ({"n_copies": -1}, "'n_copies' parameter"),
        ({"batch_size": 0}, "'batch_size' parameter"),
        ({"batch_size": "big"}, "'batch_size' parameter"),
        ({"noise_param": 3}, "'noise_param' parameter"),
        ({"abstain_label": [1]}, "'abstain_label' parameter"),
        ({"random_state": "x"}, "'random_state' parameter"),
        ({"estimator": "tree"}, "'estimator' parameter"),
        ({"estimator": StandardScaler()}, "'estimator' parameter"),
    ],
)
def test_parameters(params, message):
    for base in (GaussianNB(), FITTED):
        g = SmoothedClassifier(**{"estimator": base, "n": 50, **params})
        with pytest.raises((ValueError, TypeError), match=message):
            g.fit(X, y)
        if base is FITTED:
            with pytest.raises((ValueError, TypeError), match=message):
                g.certify(X)


def with_value(value):
    bad = X.copy()
    bad[3, 2] = value
    return bad


@pytest.mark.parametrize(
    ("bad", "error", "message"),
    [
        (with_value(np.nan), ValueError, "contains NaN"),
        (with_value(np.inf), ValueError, "contains infinity"),
        (pd.DataFrame(with_value(np.nan)), ValueError, "contains NaN"),
        (X[:, :3], ValueError, "X has 3 features, but SmoothedClassifier is expecting"),
        (X[0], ValueError, "Expected 2D array, got 1D array"),
        (X[:0], ValueError, r"0 sample\(s\)"),
        (pd.DataFrame(X[:0]), ValueError, r"0 sample\(s\)"),
        (X.astype(complex), ValueError, "Complex data not supported"),
        (sparse.csr_array(X), TypeError, "Sparse data was passed"),
        (pd.DataFrame(np.rint(X)).astype("Int64").mask(X > 6), ValueError, "NaN"),
        (pl.DataFrame(X).lazy(), TypeError, r"lazy frame: pass X.collect\(\)"),
        (X.reshape(-1, 4, 1), ValueError, r"shape \(4, 1\).*shape \(4,\)"),
    ],
)
def test_inputs(bad, error, message):
    g = SmoothedClassifier(GaussianNB(), n=50).fit(X, y)
    for method in (g.predict, g.predict_proba, g.certify):
        with pytest.raises(error, match=message):
            method(bad)


@pytest.mark.parametrize("library", [pd, pl])
def test_missing_values_in_a_column_out_of_reach(library):
    """They would be a score of NaN, which beats no other: certainty from nothing."""
    columns = {f"x{j}": X[:, j] for j in range(4)}
    frame = library.DataFrame({**columns, "k": np.arange(150) % 3})
    base = LogisticRegression(max_iter=5000)
    g = SmoothedClassifier(base, sigma=[0.1] * 4 + [0], n=50).fit(frame, y)
    k = [None] * 150
    holes = library.DataFrame(
        {**columns, "k": pl.Series(k, dtype=pl.Int64)}
        if library is pl
        else {**columns, "k": pd.array(k, dtype="Int64")}
    )
    with pytest.raises(ValueError, match="'k' of integers has missing values"):
        g.certify(holes)


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (None, "requires y to be passed"),
        (y[::2], "inconsistent numbers of samples"),
        (np.ones(150), "needs at least two classes, got only the class"),
        (np.where(y == 0, np.nan, y), "contains NaN"),
        (X[:, 0] / 3, "Unknown label type"),
        (np.eye(3)[y], "should be a 1d array"),
    ],
)
def test_targets(labels, message):
    with pytest.raises(ValueError, match=message):
        SmoothedClassifier(GaussianNB(), n=50).fit(X, labels)


def test_regressor():
    for base in (LinearRegression(), make_pipeline(LinearRegression())):
        with pytest.raises(TypeError, match="needs a classifier.*is a regressor"):
            SmoothedClassifier(base).fit(X, y)
        with pytest.raises(TypeError, match="needs a classifier.*is a regressor"):
            SmoothedClassifier(base.fit(X, y)).predict(X)


def test_fitted_base_with_one_class():
    base = Fixed(lambda X: np.zeros(len(X)), classes=(0,))
    with pytest.raises(ValueError, match="at least two classes"):
        SmoothedClassifier(base).predict(X)


def test_fitted_base_with_several_outputs():
    base = MultiOutputClassifier(GaussianNB()).fit(X, np.c_[y, y])
    with pytest.raises(ValueError, match="1-D array classes_"):
        SmoothedClassifier(base).predict(X)


def test_labels_that_do_not_fit_beside_the_abstain_label():
    labels = np.array([0, 1, 2**63 + 5], np.uint64)[y]
    g = SmoothedClassifier(GaussianNB(), n=50)
    with pytest.raises(ValueError, match="does not fit into int64"):
        g.fit(X, labels).predict(X)


def test_unknown_labels_from_the_base():
    base = Fixed(lambda X: np.full(len(X), 7))
    with pytest.raises(ValueError, match="7, which is not one of its classes_"):
        SmoothedClassifier(base, n=20).predict(X)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_noise_that_overflows(dtype):
    largest = float(np.finfo(dtype).max)
    g = SmoothedClassifier(FITTED, sigma=largest, n=50)
    with pytest.raises(ValueError, match=f"overflows {np.dtype(dtype)}: scale X"):
        g.predict(X.astype(dtype))
