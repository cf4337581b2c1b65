"""Votes on sparse inputs are those on dense ones, and take no more room than needed."""

import tracemalloc
from types import SimpleNamespace

import numpy as np
import pytest
from scipy.sparse import csr_array, csr_matrix
from sklearn.tree import DecisionTreeClassifier

from sksmooth.noise._binary import as_binary_csr
from sksmooth.noise._sparse_flip import SparseFlip
from sksmooth.noise._streams import SHARED, stream_key
from sksmooth.votes._count import Asked, Votes, count
from sksmooth.votes._rows import Inputs
from sksmooth.votes.voters._predict import AnyVoter
from sksmooth.votes.voters._sparse import SparseVoter
from tests.helpers import Fixed

CLASSES = np.arange(3)
KIND = SparseFlip(0.05, 0.5)


def flags(n_inputs, seed):
    return (np.random.default_rng(seed).random((n_inputs, 150)) < 0.2).astype(float)


def most_ones(X):
    """Which third of the features has most ones."""
    thirds = [X[:, start : start + 50].sum(axis=1) for start in (0, 50, 100)]
    return np.argmax([np.ravel(third) for third in thirds], axis=0)


X, TRAIN = flags(6, 0), flags(400, 1)
BASES = {
    "sums": Fixed(most_ones, CLASSES),
    "tree": DecisionTreeClassifier(random_state=0).fit(TRAIN, most_ones(TRAIN)),
}


def sparse_voter(estimator, X=X, container=csr_matrix, kind=KIND, **settings):
    values = as_binary_csr(container(X))
    inputs = SimpleNamespace(values=values, noise=kind.bind(1.0))
    return SparseVoter(estimator, CLASSES, float, **settings).on(inputs)


def votes(voter, rows=range(6), n=100, batch_size="auto", shared=False):
    found = Votes.none(6, 3, n)
    keys = [(row, stream_key(1, "estimate", bytes([row]))) for row in rows]
    noise = stream_key(1, "estimate", SHARED) if shared else None
    count(voter, Asked(n), keys, found, batch_size, noise)
    return found.counts


@pytest.mark.parametrize("shared", [False, True])
@pytest.mark.parametrize("base", BASES)
def test_votes_are_those_on_dense_inputs(base, shared):
    """Bit for bit, whatever the container, the batch, the order and the other rows."""
    dense = AnyVoter(BASES[base], CLASSES, float).on(Inputs.from_array(X, 1.0, KIND))
    expected = votes(dense, shared=shared)
    assert np.all(expected.sum(axis=1) == 100)
    assert np.count_nonzero(expected) > 10
    for settings in ({}, {"container": csr_array}, {"dense": True}):
        voter = sparse_voter(BASES[base], **settings)
        for batch_size in ("auto", 1, 7, 100, 1000):
            got = votes(voter, batch_size=batch_size, shared=shared)
            np.testing.assert_array_equal(got, expected)
    some = votes(voter, rows=[4, 1], batch_size=30, shared=shared)
    np.testing.assert_array_equal(some[[4, 1]], expected[[4, 1]])
    assert not some[[0, 2, 3, 5]].any()
    assert not np.array_equal(votes(voter, shared=not shared), expected)


@pytest.mark.parametrize("container", [csr_matrix, csr_array])
def test_what_predict_gets(container):
    """The container of the user's X, of the dtype asked for, in canonical form."""
    seen = []

    def label(batch):
        seen.append(batch)
        return np.zeros(batch.shape[0], int)

    before = container(X)
    voter = sparse_voter(Fixed(label, CLASSES), container=lambda X: before)
    votes(voter, batch_size=40)
    assert [one.shape[0] for one in seen] == [40] * 15
    for one in seen:
        assert type(one) is container
        assert one.dtype == float
        again = container((one.data, one.indices, one.indptr), shape=one.shape)
        assert again.has_canonical_format
        assert np.all(one.data == 1)
    np.testing.assert_array_equal(before.toarray(), X)
    # What an input has does not reach the copies of another one.
    ones = np.concatenate([one.toarray() for one in seen]).reshape(6, 100, 150)
    shares = np.where(X == 1, 0.5, 0.05)
    z = (ones.mean(axis=1) - shares) / np.sqrt(shares * (1 - shares) / 100)
    assert np.abs(z).max() < 6


def test_labels_of_a_wrong_number_are_an_error():
    base = Fixed(lambda batch: np.zeros(batch.shape[0] - 1, int), CLASSES)
    with pytest.raises(ValueError, match="one label each"):
        votes(sparse_voter(base))


@pytest.mark.parametrize("shared", [False, True])
def test_copies_are_never_dense(shared):
    """A million features: one dense copy would take 8 MB, and there are 240."""
    wide = csr_array((np.ones(60), (np.arange(60) // 10, np.arange(60) * 9_000)))
    wide.resize((6, 1_000_000))
    base = Fixed(lambda batch: np.asarray(batch.sum(axis=1)).ravel() > 100, CLASSES)
    voter = sparse_voter(base, wide, lambda X: X, SparseFlip(1e-4, 0.6))
    assert voter.row_bytes < 1_000_000 / 8 + 5_000
    tracemalloc.start()
    counts = votes(voter, n=40, batch_size=40, shared=shared)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert np.all(counts.sum(axis=1) == 40)
    # Shared flips take a bit for each feature and copy, and 44 to draw one copy, of
    # which the one before is still there.
    assert peak < (18e6 if shared else 5e6)
