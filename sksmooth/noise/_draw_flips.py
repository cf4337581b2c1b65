"""Flips of categories as they are drawn: in whole numbers, with no rounding at all.

A value is drawn anew if 32 random bits are less than a threshold T, so with
probability T / 2^32. The new one comes from 32 further bits u: of the 2^32 numbers the
first K w are cut into K pieces of w = floor(2^32 / K), and u lies in that of the new
value; a u beyond them is rejected and drawn again. So all K values are exactly as
likely.
"""

import numpy as np

# The most values that a column may have.
MOST_VALUES = 2**31

# What stands in noise for a value that stays.
KEEP = -1


def draw_flips(codes, n_values, threshold, rng, out):
    """Fill `out` with copies of the categories of one input, each with its own flips.

    The stream is consumed copy by copy: one word of 64 bits for each column, in order,
    whose upper half says whether it flips and whose lower half to which value; then,
    for each column whose lower half was rejected, in order, words until one is not.
    So copies do not depend on how they are divided into calls, nor on `codes`.

    Parameters
    ----------
    codes : ndarray of int of shape (n_columns,)
        From 0 to K - 1; negative where a value is missing, which stays so.

    n_values : array-like of int of shape (n_columns,)
        K of each column, from 1 to 2^31.

    threshold : int
        T, from 0 to 2^32.

    rng : numpy.random.Generator

    out : ndarray of a signed integer dtype, of shape (n_copies, n_columns)
        Overwritten.
    """
    draw_flips_alone(n_values, threshold, rng, out)
    put_flips(codes, out, out)


def draw_flips_alone(n_values, threshold, rng, out):
    """Fill `out` with what ``draw_flips`` puts in place, and KEEP where it does not."""
    n_values = np.asarray(n_values, np.uint64)
    width = np.uint64(2**32) // n_values
    n_columns, done = len(n_values), 0
    words = random_words(rng, len(out) * n_columns)
    while done < len(out) and n_columns:
        block = words.reshape(-1, n_columns)
        values = _pieces(block, width)
        rejected = values >= n_values
        used = _through_first(rejected.any(axis=1))
        words = block[used:].ravel()
        if rejected[used - 1].any():
            for column in np.flatnonzero(rejected[used - 1]):
                value = n_values[column]
                while value >= n_values[column]:
                    words = words if len(words) else random_words(rng, 1)
                    value, words = _pieces(words[0], width[column]), words[1:]
                values[used - 1, column] = value
            missing = (len(out) - done - used) * n_columns - len(words)
            words = np.concatenate([words, random_words(rng, missing)])
        flips = (block[:used] >> np.uint64(32)) < threshold
        out[done : done + used] = np.where(flips, values[:used], 0)
        out[done : done + used][~flips] = KEEP
        done += used


def put_flips(codes, flips, out):
    """Write to `out` the codes with flips in place; what is missing stays so.

    Parameters
    ----------
    codes : ndarray of int that broadcasts to (n_copies, n_columns)

    flips : ndarray of int of shape (n_copies, n_columns)
        What ``draw_flips_alone`` drew.

    out : ndarray of int of shape (n_copies, n_columns)
        May be `flips`.
    """
    codes = np.asarray(codes)
    out[...] = np.where((flips == KEEP) | (codes < 0), codes, flips)


def random_words(rng, size):
    """Return random words of 64 bits; many are the same as one after the other."""
    return rng.integers(0, 2**64 - 1, size=size, dtype=np.uint64, endpoint=True)


def _pieces(words, width):
    """Return in which piece the lower half of each word is; K and more is in none."""
    return (words & np.uint64(2**32 - 1)) // width


def _through_first(marked):
    """Return how many rows there are up to the first marked one, or all."""
    return int(marked.argmax()) + 1 if marked.any() else len(marked)
