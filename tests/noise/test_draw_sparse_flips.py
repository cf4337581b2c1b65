"""Flips of sparse binary data as drawn: exact, the same for any division into calls."""

import numpy as np
import pytest
from scipy.stats import chi2

from sksmooth.noise import _draw_sparse_flips
from sksmooth.noise._draw_sparse_flips import (
    _choose,
    _set_bits,
    draw_sparse_flips,
    draw_sparse_flips_alone,
    put_sparse_flips,
)
from sksmooth.noise._flips import SCALE, flip_threshold
from tests.noise.scripted import Scripted


def generators(seed=0):
    return [np.random.Generator(np.random.SFC64([seed, one])) for one in (0, 1)]


def choose(size, threshold, words, rest=()):
    """Return which places of one copy are chosen, and how many words that took."""
    script = Scripted(rest)
    words = np.array([words], np.uint64)
    copies, places = _choose(words, size, threshold, script)
    assert not copies.any()
    return places.tolist(), script.used


def dense(indptr, indices, n_features):
    out = np.zeros((len(indptr) - 1, n_features), bool)
    out[np.repeat(np.arange(len(out)), np.diff(indptr)), indices] = True
    return out


@pytest.mark.parametrize("threshold", [1, 2, 3, 2**20 + 5, 2**31 - 1, 2**31, SCALE - 1])
def test_a_place_is_chosen_with_exactly_the_threshold(threshold):
    """The bits that must be set, times the words that are below: T of 2^32."""
    zeros = 32 - threshold.bit_length()
    for word, chosen in ((threshold - 1, [0]), (threshold, [])):
        if word >> (32 - zeros):
            continue  # such a word there is not
        rest = [word << (32 + zeros)]
        assert choose(1, threshold, [1] * zeros, rest) == (chosen, 1)
    for missing in range(zeros):
        words = [2**64 - 1 - (k == missing) for k in range(zeros)]
        assert choose(1, threshold, words) == ([], 0)


def test_ends():
    assert choose(70, 0, [0] * 64) == ([], 0)
    assert choose(70, SCALE, [], [2**64 - 1] * 70) == (list(range(70)), 70)
    indptr, indices = draw_sparse_flips([1, 3], 5, 0, 0, generators(), 2)
    assert (indptr.tolist(), indices.tolist()) == ([0, 2, 4], [1, 3, 1, 3])
    indptr, indices = draw_sparse_flips([1, 3], 5, SCALE, SCALE, generators(), 1)
    assert indices.tolist() == [0, 2, 4]
    indptr, indices = draw_sparse_flips([], 5, 7, 7, generators(), 0)
    assert (indptr.tolist(), indices.tolist()) == ([0], [])
    flips = draw_sparse_flips_alone(5, 0, SCALE, generators(), 2)
    assert put_sparse_flips([1, 3], flips, range(2))[0].tolist() == [0, 0, 0]
    flips = draw_sparse_flips_alone(5, SCALE, 0, generators(), 2)
    indptr, indices = put_sparse_flips([1, 3], flips, range(2))
    assert indices.tolist() == [*range(5)] * 2
    flips = draw_sparse_flips_alone(5, 7, 7, generators(), 0)
    assert put_sparse_flips([1], flips, range(0))[0].tolist() == [0]


def test_places_are_those_of_the_bits():
    """Bit i of word w is place 64 w + i, and a last word that is not full is cut."""
    words = [1 << 5, 1 << 63 | 1, (1 << 3) | (1 << 60)]
    assert choose(138, 2**31 - 1, words, [0] * 4) == ([5, 64, 127, 131], 4)


def test_any_division_into_calls_draws_the_same(monkeypatch):
    ones, args = np.array([0, 7, 64, 99]), (100, flip_threshold(0.03), SCALE // 2)
    streams = generators(1)
    whole = dense(*draw_sparse_flips(ones, *args, streams, 30), 100)
    following = [one.integers(2**32) for one in streams]
    for parts, block in (([1] * 30, 2**17), ([7, 23], 2**17), ([29, 1], 60)):
        monkeypatch.setattr(_draw_sparse_flips, "_BLOCK", block)
        streams = generators(1)
        found = [dense(*draw_sparse_flips(ones, *args, streams, n), 100) for n in parts]
        np.testing.assert_array_equal(np.concatenate(found), whole)
        assert [one.integers(2**32) for one in streams] == following


@pytest.mark.parametrize("p_add", [0.01, 0.3, 0.9])
def test_frequencies(p_add):
    """Two chi-squares: each fails for one seed in 10^6 of a right program."""
    ones, n_features, n_copies = np.array([3, 50, 129]), 130, 20_000
    add, delete = flip_threshold(p_add), flip_threshold(0.6)
    indptr, indices = draw_sparse_flips(
        ones, n_features, add, delete, generators(2), n_copies
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
        ones, 1_000_000, flip_threshold(1e-5), flip_threshold(0.5), generators(), 3
    )
    assert indptr[-1] == len(indices) < 200


@pytest.mark.parametrize("threshold", [0, 6 * 2**28, 2**31, 11 * 2**22, SCALE])
def test_a_bit_is_set_with_exactly_the_threshold(threshold):
    """Of all strings of as many random bits as there are digits, so many set it."""
    n_digits = len(f"{threshold:032b}".rstrip("0")) if threshold < SCALE else 0
    strings = np.arange(2**n_digits, dtype=np.uint64)
    words = strings[:, None, None] >> np.arange(n_digits, dtype=np.uint64)[:, None]
    found = _set_bits(words, threshold) & np.uint64(1)
    assert int(found.sum()) * SCALE == threshold * 2**n_digits


@pytest.mark.parametrize("threshold", [1, 2**20 + 5, 2**31 - 1, SCALE - 1])
def test_every_digit_of_a_threshold_counts(threshold):
    """A bit that all later ones leave alone: its digit, or what was drawn for it."""
    digits = [int(one) for one in f"{threshold:032b}".rstrip("0")[::-1]]
    for place, digit in enumerate(digits):
        for bit in (0, 1):
            # Before it all are cleared, or set; after it "or" is with 0, "and" with 1.
            for before in (0, 1):
                words = [before * 2] * place + [bit * 2]
                words += [(1 - one) * 2 for one in digits[place + 1 :]]
                found = _set_bits(np.array(words, np.uint64)[None, :, None], threshold)
                so_far = before and place
                expected = (bit or so_far) if digit else (bit and so_far)
                assert bool(found[0, 0] & np.uint64(2)) == bool(expected)


def test_flips_for_any_input_are_those_of_any_division_into_calls(monkeypatch):
    args = 130, flip_threshold(0.03), flip_threshold(0.6)
    whole = draw_sparse_flips_alone(*args, generators(1), 30)
    for parts, block in (([1] * 30, 2**17), ([7, 23], 2**17), ([30], 200)):
        monkeypatch.setattr(_draw_sparse_flips, "_BLOCK", block)
        streams = generators(1)
        found = [draw_sparse_flips_alone(*args, streams, n) for n in parts]
        deleted = np.concatenate([one.deleted for one in found])
        np.testing.assert_array_equal(deleted, whole.deleted)
        added = np.concatenate([one.added for one in found])
        np.testing.assert_array_equal(added, whole.added)
        lengths = np.concatenate([np.diff(one.indptr) for one in found])
        np.testing.assert_array_equal(lengths, np.diff(whole.indptr))


def test_all_inputs_get_the_same_flips():
    """Where two inputs agree, so do their copies; and all places have their shares."""
    n_features, n_copies = 130, 4_000
    add, delete = flip_threshold(0.1), flip_threshold(0.6)
    flips = draw_sparse_flips_alone(n_features, add, delete, generators(3), n_copies)
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
