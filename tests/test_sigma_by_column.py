"""sigma as a mapping from column to noise level: the same as an array in order."""

import pickle

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier

from sksmooth import GaussianAugmenter, SmoothedClassifier, certified_accuracy_scorer
from tests.helpers import Fixed

rng = np.random.default_rng(0)
X = pd.DataFrame(
    {
        "amount": rng.normal(size=80),
        "age": rng.normal(40, 10, size=80),
        "children": rng.integers(0, 4, 80),
    }
)
y = (X["amount"] + (X["age"] - 40) / 10 > 0).to_numpy().astype(int)
BY_NAME = {"age": 2.0, "children": 0, "amount": 0.3}
IN_ORDER = [0.3, 2.0, 0.0]


def smooth(sigma, f=None, **options):
    options = {"method": "monte_carlo", "n": 200, "random_state": 0, **options}
    f = make_pipeline(StandardScaler(), LogisticRegression()) if f is None else f
    return SmoothedClassifier(f, sigma=sigma, **options)


def same(one, other):
    np.testing.assert_array_equal(one.counts, other.counts)
    np.testing.assert_array_equal(one.radius, other.radius)
    np.testing.assert_array_equal(one.sigma, other.sigma)


@pytest.mark.parametrize("sigma", [
    BY_NAME,
    {"amount": 0.3, "age": 2, "*": 0},
    {"*": 2, "amount": 0.3, "children": 0},
    pd.Series(BY_NAME)[list(X.columns)],
], ids=str)  # fmt: skip
@pytest.mark.parametrize(
    "options",
    [{}, {"shared_noise": True}, {"grid": "auto"}, {"method": "exact"}],
    ids=str,
)
def test_the_same_as_an_array(sigma, options):
    expected = smooth(IN_ORDER, **options).fit(X, y).certify(X[:20])
    certificate = smooth(sigma, **options).fit(X, y).certify(X[:20])
    same(certificate, expected)
    assert certificate.sigma.tolist() == IN_ORDER
    assert certificate.half_axes[:, 2].max() == 0


@pytest.mark.parametrize("backend", ["polars", "pyarrow"])
def test_other_frames(backend):
    pytest.importorskip(backend)
    if backend == "polars":
        import polars

        frame = polars.from_pandas(X)
    else:
        import pyarrow

        frame = pyarrow.Table.from_pandas(X)
    f = Fixed(lambda X: (np.asarray(X["amount"]) > 0).astype(int))
    certificates = [smooth(s, f).certify(frame) for s in (BY_NAME, IN_ORDER)]
    same(*certificates)


def test_an_array_for_a_classifier_that_was_fitted_on_names():
    g = smooth(BY_NAME).fit(X, y)
    with pytest.warns(UserWarning, match="X does not have valid feature names"):
        certificate = g.certify(X[:5].to_numpy())
    assert certificate.sigma.tolist() == IN_ORDER


def test_columns_in_another_order():
    g = smooth(BY_NAME).fit(X, y)
    with pytest.raises(ValueError, match="same order as they were in fit"):
        g.certify(X[["age", "amount", "children"]])
    # Not fitted on names, the wrapper goes by those of X.
    f = Fixed(lambda X: np.zeros(len(X), int))
    swapped = smooth(BY_NAME, f).certify(X[["age", "amount", "children"]])
    assert swapped.sigma.tolist() == [2, 0.3, 0]


@pytest.mark.parametrize(("sigma", "message"), [
    ({"amount": 0.3}, r"does not name the columns 'age', 'children' of X.*'\*': 0"),
    ({"amonut": 0.3, "*": 0}, r"names 'amonut', but X has no such column.*'amount'"),
    ({"amount": "much", "*": 0}, r"a number for each column, got 'amount': 'much'"),
    ({"amount": [1, 2], "*": 0}, r"a number for each column, got 'amount': \[1, 2\]"),
    ({"amount": None, "*": 0}, r"a number for each column, got 'amount': None"),
    ({"amount": ".3", "*": 0}, r"a number for each column, got 'amount': '.3'"),
    ({"amount": np.str_(".3"), "*": 0}, "a number for each column, got 'amount'"),
    ({"amount": b".3", "*": 0}, "a number for each column, got 'amount'"),
    ({"amount": True, "*": 0}, "a number for each column, got 'amount': True"),
    ({"amount": np.True_, "*": 0}, "a number for each column, got 'amount'"),
    ({"amount": 0.3, "*": "0"}, r"a number for each column, got '\*': '0'"),
    ([".3", ".2", "0"], "an array of numbers, got .'.3'"),
    (np.array([".3", 1, 0], object), "an array of numbers"),
    ([True, True, False], "an array of numbers"),
    ({"amount": -1.0, "*": 0}, "finite and not negative .* got 'amount': -1.0"),
    ({"amount": np.nan, "*": 0}, "finite and not negative .* got 'amount': nan"),
    ({"amount": np.inf, "*": 0}, "finite and not negative .* got 'amount': inf"),
    ({"amount": 0, "*": 0}, "must be positive .for at least one feature."),
    ({"amount": 0, "age": 0, "children": 0, "*": 1}, "must be positive"),
    ({}, "must be positive"),
    ({"*": 0.1}, r"these are not: 'children' \(Int64\).*dict"),
], ids=str)  # fmt: skip
def test_what_is_wrong_is_named(sigma, message):
    with pytest.raises(ValueError, match=message):
        smooth(sigma).fit(X, y)
    f = LogisticRegression().fit(X, y)
    with pytest.raises(ValueError, match=message):
        smooth(sigma, f).certify(X)


def test_arrays_have_no_names():
    for sigma in (BY_NAME, {"*": 0.3}, {0: 0.1, 1: 0.2, 2: 0.3}):
        with pytest.raises(ValueError, match="where X has no column names.*data frame"):
            smooth(sigma).fit(X.to_numpy(), y)
        with pytest.raises(ValueError, match="where X has no column names"):
            GaussianAugmenter(sigma=sigma).fit_transform(X.to_numpy())


def test_names_that_are_no_strings():
    frame = X.set_axis([3, 1, 2], axis=1)
    certificate = smooth({3: 0.3, 1: 2.0, 2: 0}).fit(frame, y).certify(frame[:5])
    assert certificate.sigma.tolist() == IN_ORDER


def test_cloned_pickled_and_searched():
    g = smooth(BY_NAME)
    assert clone(g).sigma == BY_NAME
    assert clone(g).sigma is not BY_NAME
    assert g.get_params()["sigma"] is BY_NAME
    assert "sigma={'age': 2.0" in repr(g).replace("\n", "").replace(" " * 19, "")
    g.fit(X, y)
    same(pickle.loads(pickle.dumps(g)).certify(X[:5]), g.certify(X[:5]))
    narrow = {**BY_NAME, "amount": 0.1}
    search = GridSearchCV(
        smooth(1.0), {"sigma": [BY_NAME, narrow]}, cv=2,
        scoring=certified_accuracy_scorer(0.5),
    )  # fmt: skip
    search.fit(X, y)
    assert search.best_params_["sigma"] in (BY_NAME, narrow)
    assert search.best_estimator_.certify(X[:2]).sigma.shape == (3,)


def test_reach():
    g, expected = smooth(BY_NAME, n=1000), smooth(IN_ORDER, n=1000)
    assert g.max_certifiable_radius() == expected.max_certifiable_radius()
    assert g.required_samples(2.0) == expected.required_samples(2.0)
    for one in (g, expected):
        one.set_params(grid="auto").fit(X, y)
    assert g.max_certifiable_radius() == expected.max_certifiable_radius()
    assert g.required_samples(2.0) == expected.required_samples(2.0)
    # Before fit, from what is named; never less than after it.
    for sigma in (BY_NAME, {"amount": 0.3, "*": 0}, {"amount": 0, "*": 0.3}):
        reach = smooth(sigma, grid="auto").max_certifiable_radius()
        assert reach >= smooth(IN_ORDER, grid="auto").fit(X, y).max_certifiable_radius()


def test_certified_correct_and_scores():
    g, expected = smooth(BY_NAME).fit(X, y), smooth(IN_ORDER).fit(X, y)
    np.testing.assert_array_equal(
        g.certified_correct(X, y, [0, 1.0]), expected.certified_correct(X, y, [0, 1.0])
    )
    np.testing.assert_array_equal(g.predict_proba(X), expected.predict_proba(X))
    scorer = certified_accuracy_scorer(0.5)
    assert scorer(g, X, y) == scorer(expected, X, y)


def test_the_augmenter():
    by_name, in_order = (
        GaussianAugmenter(sigma=sigma, random_state=0).fit_transform(X)
        for sigma in (BY_NAME, IN_ORDER)
    )
    pd.testing.assert_frame_equal(by_name, in_order)
    assert by_name["children"].equals(X["children"])
    assert not by_name["amount"].equals(X["amount"])
    for none in ({"*": 0}, [0, 0, 0], 0):
        nothing = GaussianAugmenter(sigma=none).fit_transform(X)
        pd.testing.assert_frame_equal(nothing, X)


def test_a_noise_param_gets_an_array():
    f = make_pipeline(GaussianAugmenter(random_state=0), DecisionTreeClassifier())
    g = smooth(BY_NAME, f, noise_param="gaussianaugmenter__sigma").fit(X, y)
    assert g.estimator_[0].sigma.tolist() == IN_ORDER
    assert g.sigma is BY_NAME


def test_stores(tmp_path):
    path = tmp_path / "votes"
    f = FrozenEstimator(LogisticRegression().fit(X, y))
    one = smooth(BY_NAME, f).fit(X, y).certify(X[:5], store=path)
    # The same run, however its noise is written.
    other = smooth({"amount": 0.3, "age": 2.0, "*": 0}, f).fit(X, y)
    same(other.certify(X[:5], store=path), one)
    with pytest.raises(ValueError, match="votes of another run"):
        smooth({**BY_NAME, "age": 3.0}, f).fit(X, y).certify(X[:5], store=path)


def test_a_frame_of_integers_is_smoothed_as_a_table():
    """One sigma makes numbers of integers; a mapping names counts, or leaves them."""
    counts = pd.DataFrame({"a": [1, 2, 3, 4], "b": [5, 6, 7, 8], "c": [0.5] * 4})
    for sigma in (0.3, {"c": 0.3, "*": 0.3}):
        with pytest.raises(ValueError, match="these are not: 'a'.*name them in sigma"):
            smooth(sigma).fit(counts, [0, 1, 0, 1])
    smooth({"a": 0.3, "*": 0}).fit(counts, [0, 1, 0, 1])
