"""Flips as drawn: exact pieces, any division into calls, the right frequencies."""

import numpy as np
import pytest
from scipy.stats import chi2

from sksmooth.noise import _draw_flips
from sksmooth.noise._draw_flips import (
    KEEP,
    MOST_VALUES,
    draw_flips,
    draw_flips_alone,
    put_flips,
)
from sksmooth.noise._flips import SCALE, stays
from tests.noise.scripted import Scripted


def word(flip, value):
    """A word that flips (or not), with 32 bits for the value."""
    return ((0 if flip else SCALE - 1) << 32) + value


def generator(seed=0):
    return np.random.Generator(np.random.SFC64(seed))


@pytest.mark.parametrize("n_values", [1, 2, 3, 7, 256, 1000, 2**16 + 1, MOST_VALUES])
def test_every_value_has_a_piece_of_the_same_size(n_values):
    """The map is monotone, so its ends say all: 2^32 numbers, counted exactly."""
    width = SCALE // n_values
    for value in {0, n_values // 2, n_values - 1}:
        ends = np.array([value * width, (value + 1) * width - 1], np.uint64)
        pieces = _draw_flips._pieces(ends, np.uint64(width))
        assert pieces.tolist() == [value, value]
    beyond = np.array([n_values * width, SCALE - 1], np.uint64)
    if n_values * width < SCALE:
        assert np.all(_draw_flips._pieces(beyond, np.uint64(width)) >= n_values)


def test_all_of_a_small_range_of_numbers():
    """Every 2^16th number: 65,536 of them, cut as all of them are."""
    u = np.arange(0, SCALE, 2**16, dtype=np.uint64)
    for n_values in (3, 5, 6):
        pieces = _draw_flips._pieces(u, np.uint64(SCALE // n_values))
        counts = np.bincount(pieces.astype(int), minlength=n_values)[:n_values]
        assert counts.max() - counts.min() <= 1


def test_exactly_the_threshold_flips():
    for threshold in (0, 1, 5, SCALE - 1, SCALE):
        around = (0, 1, threshold - 1, threshold, SCALE - 1)
        uppers = [u for u in around if 0 <= u < SCALE]
        out = np.empty((len(uppers), 1), int)
        draw_flips([7], [10], threshold, Scripted(u << 32 for u in uppers), out)
        assert out.ravel().tolist() == [0 if u < threshold else 7 for u in uppers]


def test_what_is_missing_stays_missing():
    out = np.empty((1000, 3), np.int32)
    draw_flips([-1, 2, -1], [4, 4, 4], SCALE, generator(), out)
    assert np.all(out[:, [0, 2]] == -1)
    assert set(out[:, 1]) == {0, 1, 2, 3}


def test_rejected_words_are_replaced_in_order():
    third, last = SCALE // 3, SCALE - 1  # 2^32 = 3 third + 1: the last is in no piece
    script = [
        *(word(True, last), word(True, third), word(True, last)),  # copy 0
        *(word(True, last), word(True, 2 * third)),  # column 0, twice
        word(False, 0),  # column 2: only the lower half counts
        *(word(False, last), word(True, 0), word(True, 0)),  # copy 1, which keeps 0
        word(True, 0),
        *(word(True, 2 * third), word(False, 0), word(True, last)),  # copy 2
        *(word(True, last), word(True, third)),
    ]
    for calls in ([3], [1, 2], [2, 1], [1, 1, 1]):
        stream, copies = Scripted(script), []
        for n_copies in calls:
            out = np.empty((n_copies, 3), int)
            draw_flips([9, 9, 9], [3, 3, 3], SCALE - 1, stream, out)
            copies += out.tolist()
        assert copies == [[2, 1, 0], [9, 0, 0], [2, 9, 1]]
        assert stream.used == len(script)


def test_a_rejected_word_is_cut_as_its_column():
    out = np.empty((1, 2), int)
    script = [word(True, 0), word(True, SCALE - 1), word(True, 3 * (SCALE // 5))]
    draw_flips([1, 0], [2, 5], SCALE // 2, Scripted(script), out)
    assert out.tolist() == [[0, 3]]


def test_any_division_into_calls_draws_the_same():
    """Also where a quarter of all words are rejected."""
    sizes = [MOST_VALUES - 1, 2**30 + 2**29, 2, 1, 5]
    codes = np.array([0, 5, 1, 0, -1])
    whole, stream = np.empty((40, 5), int), generator(3)
    draw_flips(codes, sizes, SCALE // 2, stream, whole)
    following = stream.integers(2**32)
    for parts in ([1] * 40, [13, 27], [39, 1]):
        stream, copies = generator(3), []
        for n_copies in parts:
            out = np.empty((n_copies, 5), int)
            draw_flips(codes, sizes, SCALE // 2, stream, out)
            copies.append(out)
        np.testing.assert_array_equal(np.concatenate(copies), whole)
        assert stream.integers(2**32) == following


def test_noise_alone_can_be_put_on_any_input():
    sizes, codes = [3, 4], np.array([[2, 0], [-1, 3]])
    flips = np.empty((50, 2), int)
    draw_flips_alone(sizes, SCALE // 2, generator(), flips)
    assert np.any(flips == KEEP)
    for one in codes:
        alone, at_once = np.empty((50, 2), int), np.empty((50, 2), int)
        put_flips(one, flips, alone)
        draw_flips(one, sizes, SCALE // 2, generator(), at_once)
        np.testing.assert_array_equal(alone, at_once)


def test_frequencies():
    """A chi-square over all values: fails for one seed in 10^6 of a right program."""
    threshold, n_copies = int(0.4 * SCALE), 200_000
    sizes = [2, 5, 2**31 - 1]
    out = np.empty((n_copies, 3), np.int64)
    draw_flips([1, 3, 0], sizes, threshold, generator(1), out)
    for column, code in ((0, 1), (1, 3)):
        counts = np.bincount(out[:, column], minlength=sizes[column])
        a = float(stays(threshold, sizes[column]))
        shares = np.full(sizes[column], (1 - a) / (sizes[column] - 1))
        shares[code] = a
        expected = shares * n_copies
        statistic = np.sum((counts - expected) ** 2 / expected)
        assert chi2.sf(statistic, sizes[column] - 1) > 1e-6
    # Columns are independent: flips of two at once.
    both = np.mean((out[:, 0] != 1) & (out[:, 1] != 3))
    expected = 0.2 * 0.32
    assert abs(both - expected) < 5 * np.sqrt(expected / n_copies)
    thirds = np.bincount(out[out[:, 2] > 0, 2] // (2**31 // 3 + 1), minlength=3)
    statistic = np.sum((thirds - thirds.mean()) ** 2 / thirds.mean())
    assert chi2.sf(statistic, 2) > 1e-6


def test_no_copies_and_no_columns():
    stream = generator()
    draw_flips([1, 2], [3, 3], 7, stream, np.empty((0, 2), int))
    draw_flips([], [], 7, stream, np.empty((5, 0), int))
    assert stream.integers(2**32) == generator().integers(2**32)
