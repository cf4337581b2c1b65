"""Flips of sparse binary data as drawn: exact, the same for any division into calls."""

import numpy as np
import pytest
from scipy.stats import chi2

from sksmooth.noise._draw_sparse_flips import (
    _bits,
    _choose,
    draw_sparse_flips,
    draw_sparse_flips_alone,
    put_sparse_flips,
)
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


@pytest.mark.parametrize("threshold", [0, 1, 6, 2**20 + 5, 2**31, SCALE - 1, SCALE])
def test_a_bit_is_set_with_exactly_the_threshold(threshold):
    """Exact account of all words: how many of 2^k strings of k bits set it."""
    script = Scripted([0] * 32)
    _bits(1, threshold, script)
    used = script.used
    assert used <= 32
    if used > 16:  # a sample: strings below the threshold's digits, and from it on
        digits = [int(one) for one in f"{threshold:032b}".rstrip("0")[::-1]]
        for place in range(used):
            # All later words leave the bit to this one: "or" with 0, "and" with 1.
            for bit in (0, 1):
                words = [0] * place + [bit] + [1 - one for one in digits[place + 1 :]]
                got = int(_bits(1, threshold, Scripted(words))[0]) & 1
                assert got == (bit if digits[place] else 0)
        return
    hits = 0
    for first in range(0, 2**used, 64):
        lanes = range(first, min(first + 64, 2**used))
        words = [
            sum((lane >> k & 1) << (lane - first) for lane in lanes)
            for k in range(used)
        ]
        word = int(_bits(1, threshold, Scripted(words))[0])
        hits += sum(word >> (lane - first) & 1 for lane in lanes)
    assert hits * SCALE == threshold * 2**used


def test_flips_for_any_input_are_those_of_any_division_into_calls():
    args = 130, flip_threshold(0.03), flip_threshold(0.6)
    whole = draw_sparse_flips_alone(*args, generator(1), 30)
    for parts in ([1] * 30, [7, 23]):
        stream = generator(1)
        found = [draw_sparse_flips_alone(*args, stream, n) for n in parts]
        deleted = np.concatenate([one.deleted for one in found])
        np.testing.assert_array_equal(deleted, whole.deleted)
        added = [places.tolist() for one in found for places in one.added]
        assert added == [places.tolist() for places in whole.added]


def test_all_inputs_get_the_same_flips():
    """Where two inputs agree, so do their copies; and all places have their shares."""
    n_features, n_copies = 130, 4_000
    add, delete = flip_threshold(0.1), flip_threshold(0.6)
    flips = draw_sparse_flips_alone(n_features, add, delete, generator(3), n_copies)
    inputs = np.random.default_rng(0).random((3, n_features)) < 0.3
    inputs[2] = 0
    copies = [
        dense(*put_sparse_flips(np.flatnonzero(x), flips, range(n_copies)), n_features)
        for x in inputs
    ]
    for one in range(3):
        for two in range(one):
            alike = inputs[one] == inputs[two]
            same = copies[one][:, alike] == copies[two][:, alike]
            assert np.all(same)
        shares = np.where(inputs[one], 1 - delete / SCALE, add / SCALE)
        z = (copies[one].sum(axis=0) - n_copies * shares) / np.sqrt(
            n_copies * shares * (1 - shares)
        )
        assert chi2.sf(np.sum(z**2), n_features) > 1e-6
    indptr, indices = put_sparse_flips(np.flatnonzero(inputs[0]), flips, range(7, 9))
    np.testing.assert_array_equal(dense(indptr, indices, n_features), copies[0][7:9])
    assert all(np.all(np.diff(part) > 0) for part in np.split(indices, indptr[1:-1]))
