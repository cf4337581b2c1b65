"""Flips of sparse binary data as drawn: exact, the same for any division into calls."""

import numpy as np
import pytest
from scipy.stats import chi2

from sksmooth.noise._draw_sparse_flips import _choose, draw_sparse_flips
from sksmooth.noise._flips import SCALE, flip_threshold
from tests.noise.scripted import Scripted


def generator(seed=0):
    return np.random.Generator(np.random.SFC64(seed))


def dense(indptr, indices, n_features):
    out = np.zeros((len(indptr) - 1, n_features), bool)
    out[np.repeat(np.arange(len(out)), np.diff(indptr)), indices] = True
    return out


@pytest.mark.parametrize("threshold", [1, 2, 3, 2**20 + 5, 2**31 - 1, 2**31, SCALE - 1])
def test_a_place_is_chosen_with_exactly_the_threshold(threshold):
    """The bits that must be set, times the words that are below: T of 2^32."""
    zeros = 32 - threshold.bit_length()
    all_set = [2**64 - 1] * zeros
    for word, chosen in ((threshold - 1, True), (threshold, False)):
        if word >> (32 - zeros):
            continue  # such a word there is not
        script = Scripted([*all_set, word << (32 + zeros)])
        assert (_choose(1, threshold, script).tolist() == [0]) == chosen
        assert script.used == zeros + 1
    for missing in range(zeros):
        words = [2**64 - 1 - (k == missing) for k in range(zeros)]
        assert _choose(1, threshold, Scripted(words)).tolist() == []


def test_ends():
    assert _choose(70, 0, generator()).tolist() == []
    assert _choose(70, SCALE, generator()).tolist() == list(range(70))
    indptr, indices = draw_sparse_flips([1, 3], 5, 0, 0, generator(), 2)
    assert (indptr.tolist(), indices.tolist()) == ([0, 2, 4], [1, 3, 1, 3])
    indptr, indices = draw_sparse_flips([1, 3], 5, SCALE, SCALE, generator(), 1)
    assert indices.tolist() == [0, 2, 4]
    indptr, indices = draw_sparse_flips([], 5, 7, 7, generator(), 0)
    assert (indptr.tolist(), indices.tolist()) == ([0], [])


def test_places_are_those_of_the_bits():
    """Bit i of word w is place 64 w + i, and a last word that is not full is cut."""
    words = [1 << 5, 1 << 63 | 1, (1 << 3) | (1 << 60)]
    script = Scripted([*words, *[0] * 4])
    assert _choose(128 + 10, 2**31 - 1, script).tolist() == [5, 64, 127, 131]
    assert script.used == 7


def test_any_division_into_calls_draws_the_same():
    ones, args = np.array([0, 7, 64, 99]), (100, flip_threshold(0.03), SCALE // 2)
    stream = generator(1)
    whole = dense(*draw_sparse_flips(ones, *args, stream, 30), 100)
    following = stream.integers(2**32)
    for parts in ([1] * 30, [7, 23], [29, 1]):
        stream = generator(1)
        found = [dense(*draw_sparse_flips(ones, *args, stream, n), 100) for n in parts]
        np.testing.assert_array_equal(np.concatenate(found), whole)
        assert stream.integers(2**32) == following


@pytest.mark.parametrize("p_add", [0.01, 0.3, 0.9])
def test_frequencies(p_add):
    """Two chi-squares: each fails for one seed in 10^6 of a right program."""
    ones, n_features, n_copies = np.array([3, 50, 129]), 130, 20_000
    add, delete = flip_threshold(p_add), flip_threshold(0.6)
    indptr, indices = draw_sparse_flips(
        ones, n_features, add, delete, generator(2), n_copies
    )
    copies = dense(indptr, indices, n_features)
    for start, end in zip(indptr[:50], indptr[1:51], strict=True):
        assert np.all(np.diff(indices[start:end]) > 0)
    shares = np.full(n_features, add / SCALE)
    shares[ones] = 1 - delete / SCALE
    z = (copies.sum(axis=0) - n_copies * shares) / np.sqrt(
        n_copies * shares * (1 - shares)
    )
    assert chi2.sf(np.sum(z**2), n_features) > 1e-6
    # Neighbours are independent.
    both = (copies[:, :-1] & copies[:, 1:]).sum(axis=0)
    shares = shares[:-1] * shares[1:]
    z = (both - n_copies * shares) / np.sqrt(n_copies * shares * (1 - shares))
    assert abs(np.sum(z)) < 6 * np.sqrt(3 * n_features)


def test_wide_inputs_are_never_dense():
    """A million features: what is kept are the ones."""
    ones = np.arange(0, 1_000_000, 50_000)
    indptr, indices = draw_sparse_flips(
        ones, 1_000_000, flip_threshold(1e-5), flip_threshold(0.5), generator(), 3
    )
    assert indptr[-1] == len(indices) < 200
