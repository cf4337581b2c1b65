"""Where noise comes from: an int, a generator, or the operating system."""

import pickle
import secrets

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import load_iris
from sklearn.frozen import FrozenEstimator
from sklearn.tree import DecisionTreeClassifier

from sksmooth import GaussianAugmenter, SmoothedClassifier
from sksmooth._entropy import draw_entropy

X, y = load_iris(return_X_y=True)
TREE = DecisionTreeClassifier(random_state=0).fit(X, y)


def smooth(random_state, base=TREE):
    return SmoothedClassifier(
        base, method="monte_carlo", sigma=0.5, n=100, random_state=random_state
    )


def test_none_does_not_depend_on_numpys_seed():
    seen = set()
    for _ in range(4):
        np.random.seed(7)
        state = np.random.get_state()[1].tolist()
        seen.add(smooth(None).fit(X, y).entropy_)
        votes = smooth(None).certify(X[:30]).counts
        seen.add(votes.tobytes())
        seen.add(GaussianAugmenter().fit_transform(X).tobytes())
        assert np.random.get_state()[1].tolist() == state
    assert len(seen) == 12


def test_none_takes_128_bits_from_the_operating_system(monkeypatch):
    asked = []
    monkeypatch.setattr(secrets, "randbits", lambda k: asked.append(k) or 2**127 + 5)
    assert smooth(None).fit(X, y).entropy_ == 2**127 + 5
    assert asked == [128]


def test_ints_and_generators_are_taken_as_by_scikit_learn():
    """These numbers are those of earlier versions."""
    expected = int.from_bytes(np.random.RandomState(7).bytes(16), "little")
    for seed in (7, np.int64(7), np.random.RandomState(7)):
        assert draw_entropy(seed) == expected
    largest = 2**32 - 1
    expected = int.from_bytes(np.random.RandomState(largest).bytes(16), "little")
    assert draw_entropy(largest) == expected


@pytest.mark.parametrize("key", [2**32, 2**127 + 3, 2**128 - 1])
def test_a_number_of_more_bits_is_the_entropy(key):
    g = clone(smooth(key))
    assert g.fit(X, y).entropy_ == key
    np.testing.assert_array_equal(
        smooth(key).predict_proba(X[:9]), smooth(key).predict_proba(X[:9])
    )
    frozen = SmoothedClassifier(
        FrozenEstimator(TREE), method="monte_carlo", sigma=0.5, n=100
    ).fit(X, y)
    frozen.entropy_ = key
    np.testing.assert_array_equal(
        frozen.predict_proba(X[:9]), smooth(key).predict_proba(X[:9])
    )
    noisy = GaussianAugmenter(random_state=key).fit_transform(X)
    np.testing.assert_array_equal(
        noisy, GaussianAugmenter(random_state=key).fit_transform(X)
    )


@pytest.mark.parametrize("bad", [-1, 2**128, 0.5, "7", 2.0**40])
def test_what_is_no_seed_is_refused(bad):
    with pytest.raises(ValueError, match="'random_state' parameter"):
        smooth(bad).fit(X, y)
    with pytest.raises(ValueError, match="'random_state' parameter"):
        smooth(bad).predict(X)
    with pytest.raises(ValueError, match="'random_state' parameter"):
        GaussianAugmenter(random_state=bad).fit(X)


def test_a_store_with_secret_noise(tmp_path):
    """128 bits: from `fit` with None, or a number of that size."""
    path = tmp_path / "votes.sqlite"
    g = smooth(None, FrozenEstimator(TREE)).fit(X, y)
    expected = g.predict_proba(X[:9], store=path)
    again = pickle.loads(pickle.dumps(g))
    np.testing.assert_array_equal(again.predict_proba(X[:9], store=path), expected)
    with pytest.raises(ValueError, match="fingerprint of random_state is"):
        clone(g).fit(X, y).predict_proba(X[:9], store=path)
    # By the number, without `fit`: the model is another, frozen there and not here.
    path = tmp_path / "other.sqlite"
    key = secrets.randbits(128) | 2**127
    expected = smooth(key).predict_proba(X[:9], store=path)
    np.testing.assert_array_equal(
        smooth(key).predict_proba(X[:9], store=path), expected
    )
    content = path.read_bytes()
    assert key.to_bytes(16, "little") not in content
    assert str(key).encode() not in content
    assert f"{key:x}".encode() not in content
