import pickle

import numpy as np
import pandas as pd
import polars as pl
import pytest
from scipy import stats
from sklearn.base import clone
from sklearn.compose import make_column_transformer
from sklearn.datasets import load_iris
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sksmooth import GaussianAugmenter

X, y = load_iris(return_X_y=True)


def test_noise_in_training_only():
    augmenter = GaussianAugmenter(0.5, random_state=0)
    noisy = augmenter.fit_transform(X)
    noise = np.unique((noisy - X)[:, 0])
    assert stats.kstest(noise / 0.5, "norm").pvalue > 1e-3
    np.testing.assert_array_equal(augmenter.transform(X), X)
    np.testing.assert_array_equal(augmenter.fit(X).transform(X), X)


def test_reproducible_and_independent_of_order():
    augmenter = GaussianAugmenter(random_state=0)
    noisy = augmenter.fit_transform(X)
    np.testing.assert_array_equal(clone(augmenter).fit_transform(X), noisy)
    np.testing.assert_array_equal(augmenter.fit_transform(X[::-1])[::-1], noisy)
    other = GaussianAugmenter(random_state=1)
    assert not np.array_equal(other.fit_transform(X), noisy)
    fresh = GaussianAugmenter()
    assert not np.array_equal(fresh.fit_transform(X), fresh.fit_transform(X))


def test_no_noise():
    for sigma in (0, [0.0, 0.0, 0.0, 0.0]):
        augmenter = GaussianAugmenter(sigma, random_state=0)
        np.testing.assert_array_equal(augmenter.fit_transform(X), X)


def test_per_feature_sigma():
    noise = GaussianAugmenter([0, 1.0, 0, 2.0], random_state=0).fit_transform(X) - X
    assert np.all(noise[:, [0, 2]] == 0)
    assert 0.8 < noise[:, 1].std() < 1.2 < noise[:, 3].std()


@pytest.mark.parametrize("library", [pd, pl])
def test_frames_stay_frames(library):
    frame = library.DataFrame({"a": X[:, 0], "k": ["x", "y", "z"] * 50})
    augmenter = GaussianAugmenter([0.5, 0], random_state=0)
    noisy = augmenter.fit_transform(frame)
    assert type(noisy) is library.DataFrame
    assert list(noisy["k"]) == list(frame["k"])
    assert not np.allclose(noisy["a"], frame["a"])
    assert list(augmenter.transform(frame)["a"]) == list(frame["a"])
    np.testing.assert_array_equal(augmenter.get_feature_names_out(), ["a", "k"])


def test_in_front_of_a_column_transformer():
    frame = pd.DataFrame(X, columns=list("abcd"))
    f = make_pipeline(
        GaussianAugmenter(0.1, random_state=0),
        make_column_transformer((StandardScaler(), ["a", "b"])),
        GaussianNB(),
    )
    assert f.fit(frame, y).score(frame, y) > 0.6


@pytest.mark.parametrize("container", ["pandas", "polars"])
def test_set_output(container):
    augmenter = GaussianAugmenter(random_state=0).set_output(transform=container)
    out = augmenter.fit_transform(X)
    assert type(out).__module__.startswith(container)
    assert list(out.columns) == ["x0", "x1", "x2", "x3"]


def test_images():
    images = np.zeros((5, 2, 3, 3), np.float32)
    augmenter = GaussianAugmenter(random_state=0)
    noisy = augmenter.fit_transform(images)
    assert noisy.shape == images.shape
    assert noisy.dtype == np.float32
    with pytest.raises(ValueError, match="was fitted on inputs of shape"):
        augmenter.transform(np.zeros((5, 2, 3, 4)))


def test_pickle():
    augmenter = GaussianAugmenter(0.3, random_state=0).fit(X)
    copy = pickle.loads(pickle.dumps(augmenter))
    np.testing.assert_array_equal(copy.transform(X), X)


@pytest.mark.parametrize("sigma", [-1, np.nan, [0.1, 0.2], "a"])
def test_bad_sigma(sigma):
    with pytest.raises(ValueError, match="sigma"):
        GaussianAugmenter(sigma).fit(X)
