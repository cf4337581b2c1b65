"""Flips of sparse binary data as they are drawn: exactly, and never dense.

Which of very many zeros become ones, each with a small probability T / 2^32, is found
from bits. Let T have m leading zeros among its 32 bits. What is chosen needs m random
bits that are all zero or, as likely, all one: the conjunction of m arrays of bits, 64
positions in a word. That leaves a share of 2^-m of the positions, and each of these is
chosen with probability T / 2^(32 - m), by a word of its own.

There are two streams: of one every copy takes as many words as any other, so that many
copies are drawn at a time; of the other one word for each position that is left.
"""

from typing import NamedTuple

import numpy as np

from ._draw_flips import random_words

# Words that are drawn at a time, unless one copy takes more.
_BLOCK = 2**17


def draw_sparse_flips(ones, n_features, add, delete, rngs, n_copies):
    """Return copies of one binary input, each with its own flips.

    Of the first stream a copy takes one word of 64 bits for each of `ones` and m words
    for each 64 features, of the second one for each feature that they leave. Both are
    consumed copy by copy, so copies do not depend on how they are divided into calls.

    Parameters
    ----------
    ones : ndarray of int of shape (n_ones,)
        Where the input is 1, in order.

    n_features : int

    add, delete : int
        Thresholds T, from 0 to 2^32, of zeros and of ones.

    rngs : (numpy.random.Generator, numpy.random.Generator)

    n_copies : int

    Returns
    -------
    indptr : ndarray of int64 of shape (n_copies + 1,)
        Copy i is 1 at ``indices[indptr[i]:indptr[i + 1]]``, as in a CSR matrix.

    indices : ndarray of int64
        In order inside each copy.
    """
    ones = np.asarray(ones, np.int64)
    stays, added = [np.empty((0, len(ones)), bool)], [np.empty((2, 0), int)]
    size = len(ones) + _leading_zeros(add) * _n_words(n_features)
    for first, words in _blocks(size, n_copies, rngs[0]):
        stays.append(words[:, : len(ones)] >> np.uint64(32) >= delete)
        copies, places = _choose(words[:, len(ones) :], n_features, add, rngs[1])
        added.append((first + copies, places))
    which, places = np.concatenate(added, axis=1)
    return _copies(ones, np.concatenate(stays), which, places)


class SparseFlips(NamedTuple):
    """What would happen at every place, whatever the input: flips without one.

    Attributes
    ----------
    indptr, added : ndarray of int64
        Where zeros would become ones, as in a CSR matrix with a row for each copy.

    deleted : ndarray of uint64 of shape (n_copies, n_words)
        Bit j % 64 of word j // 64 says whether a one at place j would become a zero. So
        it takes a bit for each feature and copy.
    """

    indptr: np.ndarray
    added: np.ndarray
    deleted: np.ndarray


def draw_sparse_flips_alone(n_features, add, delete, rngs, n_copies):
    """Return flips for copies of any input: they do not depend on what is a one.

    Of the first stream a copy takes m words for each 64 features, and one more for each
    bit of `delete` from its lowest set one on; of the second what it takes of it for
    ``draw_sparse_flips``. So flips do not depend on how they are divided into calls,
    but they are not those of ``draw_sparse_flips``, which draws less.

    Parameters
    ----------
    n_features, add, delete, rngs, n_copies
        See ``draw_sparse_flips``.

    Returns
    -------
    flips : SparseFlips
    """
    n_words = _n_words(n_features)
    deleted, added = np.empty((n_copies, n_words), np.uint64), [np.empty((2, 0), int)]
    for_zeros = _leading_zeros(add) * n_words
    size = for_zeros + len(_digits(delete)) * n_words
    for first, words in _blocks(size, n_copies, rngs[0]):
        copies, places = _choose(words[:, :for_zeros], n_features, add, rngs[1])
        added.append((first + copies, places))
        fresh = words[:, for_zeros:].reshape(len(words), -1, n_words)
        deleted[first : first + len(words)] = _set_bits(fresh, delete)
    which, places = np.concatenate(added, axis=1)
    return SparseFlips(_indptr(which, n_copies), places, deleted)


def put_sparse_flips(ones, flips, copies):
    """Return copies of one binary input under some of the flips of ``alone``.

    Parameters
    ----------
    ones : ndarray of int of shape (n_ones,)
        Where the input is 1, in order.

    flips : SparseFlips

    copies : range
        Which of them.

    Returns
    -------
    indptr, indices : ndarray of int64
        As in ``draw_sparse_flips``.
    """
    ones, start, stop = np.asarray(ones, np.int64), copies.start, copies.stop
    bits = flips.deleted[start:stop, ones // 64] >> (ones % 64).astype(np.uint64)
    indptr = flips.indptr[start : stop + 1]
    which = np.repeat(np.arange(stop - start), np.diff(indptr))
    added = flips.added[indptr[0] : indptr[-1]]
    return _copies(ones, bits & np.uint64(1) == 0, which, added)


def _copies(ones, stays, which, added):
    """Return where copies are 1: at ones that stay, and zeros to which one is added.

    Parameters
    ----------
    ones : ndarray of int64 of shape (n_ones,)

    stays : ndarray of bool of shape (n_copies, n_ones)

    which, added : ndarray of int64
        Pairs of a copy and a place to which a one is added, if it is a zero.
    """
    new = added != np.append(ones, -1)[np.searchsorted(ones, added)]
    kept, of_ones = np.nonzero(stays)
    copies = np.concatenate([kept, which[new]])
    indices = np.concatenate([ones[of_ones], added[new]])
    indptr, above = _indptr(copies, len(stays)), indices.max(initial=0) + 1
    in_order = np.sort(copies * above + indices)
    return indptr, in_order % above


def _choose(words, size, threshold, rng):
    """Return which of so many places are chosen, each with threshold / 2^32.

    Parameters
    ----------
    words : ndarray of uint64 of shape (n_copies, m * n_words)
        Random.

    size, threshold : int

    rng : numpy.random.Generator
        Of one more word for each place that is left.

    Returns
    -------
    copies, places : ndarray of int64
        One pair for each place that is chosen, in order.
    """
    zeros, n_words = _leading_zeros(threshold), _n_words(size)
    if zeros:
        left = np.bitwise_and.reduce(words.reshape(len(words), zeros, n_words), axis=1)
    else:
        left = np.full((len(words), n_words), 2**64 - 1, np.uint64)
    # Most words may be empty.
    copies, of_copy = np.nonzero(left)
    octets = left[copies, of_copy].astype("<u8").view(np.uint8).reshape(-1, 8)
    which, bits = np.nonzero(np.unpackbits(octets, axis=1, bitorder="little"))
    copies, places = copies[which], 64 * of_copy[which] + bits
    inside = places < size  # the last word may reach beyond
    copies, places = copies[inside], places[inside]
    chosen = random_words(rng, len(places)) >> np.uint64(32 + zeros) < threshold
    return copies[chosen], places[chosen]


def _set_bits(words, threshold):
    """Return words of which each bit is set with probability threshold / 2^32.

    A bit that is set with q becomes one with (q + 1) / 2 if it is joined with a random
    bit by "or", and with q / 2 by "and": so 0 grows to the threshold, digit by digit.

    Parameters
    ----------
    words : ndarray of uint64 of shape (n_copies, n_digits, n_words)
        Random.

    threshold : int

    Returns
    -------
    words : ndarray of uint64 of shape (n_copies, n_words)
    """
    found = np.zeros((len(words), words.shape[2]), np.uint64)
    if threshold == 2**32:
        return ~found
    for place, digit in enumerate(reversed(_digits(threshold))):
        join = np.bitwise_or if digit == "1" else np.bitwise_and
        join(found, words[:, place], out=found)
    return found


def _blocks(size, n_copies, rng):
    """Yield the number of a copy, and `size` random words for each from it on."""
    n_together = max(1, _BLOCK // max(1, size))
    for first in range(0, n_copies, n_together):
        yield first, random_words(rng, (min(n_together, n_copies - first), size))


def _indptr(copies, n_copies):
    """Return where each copy begins, in pairs in the order of copies."""
    indptr = np.zeros(n_copies + 1, np.int64)
    np.cumsum(np.bincount(copies, minlength=n_copies), out=indptr[1:])
    return indptr


def _leading_zeros(threshold):
    """Return how many of the 32 bits of a threshold come before its first set one."""
    return max(32 - threshold.bit_length(), 0)


def _digits(threshold):
    """Return the 32 binary digits of a threshold, without zeros at the end."""
    return "" if threshold == 2**32 else f"{threshold:032b}".rstrip("0")


def _n_words(n_features):
    return -(-n_features // 64)
