"""A sigma that is far below the spread of X is most often one for other units."""

import warnings

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_breast_cancer, load_digits, load_iris, load_wine
from sklearn.linear_model import LogisticRegression
from sklearn.tree import DecisionTreeClassifier

from sksmooth import GaussianAugmenter, SmoothedClassifier
from sksmooth.votes._rows import Inputs
from sksmooth.votes._spread import share_of_spread
from tests.helpers import Fixed

rng = np.random.default_rng(0)
TABLE = rng.normal(50, 100, size=(200, 4))
IMAGES = rng.uniform(0, 255, size=(3, 1, 8, 8)).astype(np.float32)
DARK = rng.exponential(24, size=(3, 1, 28, 28)).clip(0, 255).round()
STANDARDISED = rng.normal(size=(20, 3, 16, 16)).clip(-3, 3)
PHRASE = "sigma is small for the units of X"


def zeros(X):
    return np.zeros(len(X), int)


def smooth(sigma=0.25, f=None, **options):
    options = {"n": 20, "random_state": 0, "alpha": 0.1, **options}
    return SmoothedClassifier(Fixed(zeros) if f is None else f, sigma=sigma, **options)


def calls(X, g):
    y = np.arange(len(X)) % 2
    return {
        "predict": lambda: g.predict(X),
        "predict_proba": lambda: g.predict_proba(X),
        "certify": lambda: g.certify(X),
        "certified_correct": lambda: g.certified_correct(X, y, 0.1),
        "fit": lambda: g.fit(X, y),
    }


@pytest.mark.parametrize("method", calls(TABLE, None))
@pytest.mark.parametrize("X", [TABLE, IMAGES], ids=["table", "images"])
def test_once_per_call(X, method):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        calls(X, smooth())[method]()
    caught = [w for w in caught if PHRASE in str(w.message)]
    assert [w.category for w in caught] == [UserWarning]
    assert "0.25 times" not in str(caught[0].message)
    assert "Scale X" in str(caught[0].message)


@pytest.mark.parametrize(("X", "sigma"), [
    (TABLE, 0.25),
    (TABLE, [0.1, 0.0, 0.2, 300.0]),  # two of three
    (TABLE.astype(np.float32), 0.25),
    (pd.DataFrame(TABLE, columns=list("abcd")), {"a": 0.25, "*": 0}),
    (np.column_stack([TABLE, np.ones(200)]), 0.25),  # a constant says nothing
    (np.where(rng.random(TABLE.shape) < 0.1, 1e3, TABLE), 0.25),
    (IMAGES, 0.25),
    (IMAGES[:1], 0.25),  # within one image
    (IMAGES, np.full((8, 8), 0.25)),
    (load_digits().images * 16, 0.25),
    (TABLE * 1e300, 0.25),
    (DARK, 0.25),  # more than 1 % of its standard deviation
    (DARK[:1].astype(np.float32), 0.5),
    (DARK, np.full((28, 28), 0.25)),
])  # fmt: skip
def test_small(X, sigma):
    with pytest.warns(UserWarning, match=PHRASE):
        smooth(sigma).predict(X)


@pytest.mark.parametrize(("X", "sigma"), [
    (TABLE, 2.0),
    (TABLE, [0.1, 0.0, 200.0, 300.0]),
    (TABLE[:9], 0.25),  # too few rows to know
    (TABLE[:1], 0.25),
    (np.repeat(TABLE[:1], 50, axis=0), 0.25),  # nothing varies
    (np.repeat(TABLE[:1] * 1e9, 50, axis=0), 0.25),
    (1e8 + np.arange(20.0).reshape(-1, 1), 0.25),  # far away is not wide
    (pd.DataFrame(TABLE, columns=list("abcd")), {"a": 2.0, "*": 0}),
    (IMAGES / 255, 0.01),
    (DARK / 255, 0.01),
    (DARK, 0.12 * 255),
    (STANDARDISED, 0.12),
    (10 * STANDARDISED**3 / 27, 0.25),  # heavy tails, within 20
    (np.where(rng.random(STANDARDISED.shape) < 1e-3, 1e4, STANDARDISED), 0.12),
    (np.full((5, 3, 8, 8), 255.0), 0.25),
    (load_iris().data, 0.05),
    (load_wine().data, 0.25),
    (load_breast_cancer().data, 0.25),
    (load_digits().data, 0.1),
    (load_digits().images, 0.1),
])  # fmt: skip
def test_no_false_alarm(X, sigma):
    smooth(sigma).predict(X)  # warnings are errors


def test_the_filter_in_the_docs():
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="sigma is small for the units of X")
        smooth().predict(TABLE)


def test_training_noise_may_be_small():
    GaussianAugmenter(sigma=0.01).fit_transform(TABLE)


def test_the_threshold_is_one_percent_of_the_spread():
    X = rng.normal(size=(1000, 3)) * [1, 10, 100]
    share = share_of_spread(Inputs.from_array(X, 0.5))
    assert share == pytest.approx(0.05, rel=0.1)
    for sigma, warns in ((0.099, True), (0.101, False)):
        X = np.tile([-10.0, 10.0], 10).reshape(-1, 1)
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            smooth(sigma).predict(X)
        assert bool(caught) == warns


def test_missing_values_do_not_count():
    X = TABLE.copy()
    X[::3] = np.nan
    X[:, 3] = np.nan
    share = share_of_spread(Inputs.from_array(X, 0.25))
    assert share == pytest.approx(0.25 / 100, rel=0.2)


def test_extreme_numbers():
    for scale, sigma in ((1e-5, 1e308), (1e-150, 1e300), (1e307, 1e-300)):
        share = share_of_spread(Inputs.from_array(TABLE / 500 * scale, sigma))
        assert (share > 1) == (sigma > 1)


def test_large_X_is_sampled():
    X = np.zeros((400_000, 3))
    X[:, 1] = rng.normal(size=400_000)
    share = share_of_spread(Inputs.from_array(X, 0.25))
    assert share == pytest.approx(0.25, rel=0.05)
    images = rng.normal(size=(20, 3, 200, 200))
    share = share_of_spread(Inputs.from_array(images, 0.25))
    assert share == pytest.approx(0.25, rel=0.05)


def test_exact_and_searched_models_too():
    y = np.arange(len(TABLE)) % 2
    f = DecisionTreeClassifier(max_depth=2).fit(TABLE, y)
    with pytest.warns(UserWarning, match=PHRASE):
        smooth(f=f, method="exact").certify(TABLE)
    with pytest.warns(UserWarning, match=PHRASE):
        smooth(f=LogisticRegression(max_iter=1000)).fit(TABLE, y)


@pytest.mark.parametrize("size", [1e4, 1e6, 1e300])
def test_a_few_outliers_are_no_spread(size):
    X = np.random.default_rng(0).normal(size=(200, 5))
    X[7] = size
    share = share_of_spread(Inputs.from_array(X, 0.25))
    assert 0.2 < share < 0.3
    X[:, :] = 0
    X[7] = size  # nothing else varies
    assert share_of_spread(Inputs.from_array(X, 0.25)) < 1e-3
