"""Flips of sparse binary data as they are drawn: exactly, and never dense.

Which of very many zeros become ones, each with a small probability T / 2^32, is found
from bits. Let T have m leading zeros among its 32 bits. What is chosen needs m random
bits that are all zero or, as likely, all one: the conjunction of m arrays of bits, 64
positions in a word. That leaves a share of 2^-m of the positions, and each of these is
chosen with probability T / 2^(32 - m), by a word of its own.
"""

from typing import NamedTuple

import numpy as np

from ._draw_flips import random_words


def draw_sparse_flips(ones, n_features, add, delete, rng, n_copies):
    """Return copies of one binary input, each with its own flips.

    The stream is consumed copy by copy: one word of 64 bits for each of `ones`, then
    m words for each 64 features, then one for each feature that they leave. So copies
    do not depend on how they are divided into calls.

    Parameters
    ----------
    ones : ndarray of int of shape (n_ones,)
        Where the input is 1, in order.

    n_features : int

    add, delete : int
        Thresholds T, from 0 to 2^32, of zeros and of ones.

    rng : numpy.random.Generator

    n_copies : int

    Returns
    -------
    indptr : ndarray of int64 of shape (n_copies + 1,)
        Copy i is 1 at ``indices[indptr[i]:indptr[i + 1]]``, as in a CSR matrix.

    indices : ndarray of int64
        In order inside each copy.
    """
    ones = np.asarray(ones, np.int64)
    words, added = np.empty((n_copies, len(ones)), np.uint64), []
    for row in words:
        row[:] = random_words(rng, len(ones))
        added.append(_choose(n_features, add, rng))
    stays = (words >> np.uint64(32)) >= delete
    return _copies(ones, stays, added)


class SparseFlips(NamedTuple):
    """What would happen at every place, whatever the input: flips without one.

    Attributes
    ----------
    added : list of ndarray of int64, one for each copy
        Where a zero would become a one, in order.

    deleted : ndarray of uint64 of shape (n_copies, n_words)
        Bit j % 64 of word j // 64 says whether a one at place j would become a zero. So
        it takes a bit for each feature and copy.
    """

    added: list
    deleted: np.ndarray


def draw_sparse_flips_alone(n_features, add, delete, rng, n_copies):
    """Return flips for copies of any input: they do not depend on what is a one.

    The stream is consumed copy by copy: for the zeros as by ``draw_sparse_flips``, then
    a word for each 64 features and each bit of `delete` from its lowest set one on. So
    flips do not depend on how they are divided into calls; but they are not those that
    ``draw_sparse_flips`` draws, which asks no more than there are ones.

    Parameters
    ----------
    n_features, add, delete, rng, n_copies
        See ``draw_sparse_flips``.

    Returns
    -------
    flips : SparseFlips
    """
    added, deleted = [], np.empty((n_copies, -(-n_features // 64)), np.uint64)
    for words in deleted:
        added.append(_choose(n_features, add, rng))
        words[:] = _bits(len(words), delete, rng)
    return SparseFlips(added, deleted)


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
        As of ``draw_sparse_flips``.
    """
    ones, some = np.asarray(ones, np.int64), slice(copies.start, copies.stop)
    bits = flips.deleted[some, ones // 64] >> (ones % 64).astype(np.uint64)
    return _copies(ones, bits & np.uint64(1) == 0, flips.added[some])


def _copies(ones, stays, added):
    """Return where copies are 1: at ones that stay, and zeros to which one is added.

    Parameters
    ----------
    ones : ndarray of int64 of shape (n_ones,)

    stays : ndarray of bool of shape (n_copies, n_ones)

    added : list of ndarray of int64, one for each copy
    """
    n_added = [len(places) for places in added]
    which = np.repeat(np.arange(len(added)), n_added)
    added = np.concatenate([np.empty(0, np.int64), *added])
    new = added != np.append(ones, -1)[np.searchsorted(ones, added)]
    kept, of_ones = np.nonzero(stays)
    copies = np.concatenate([kept, which[new]])
    indices = np.concatenate([ones[of_ones], added[new]])
    indptr = np.zeros(len(stays) + 1, np.int64)
    np.cumsum(np.bincount(copies, minlength=len(stays)), out=indptr[1:])
    return indptr, indices[np.lexsort((indices, copies))]


def _bits(n_words, threshold, rng):
    """Return words of which each bit is set with probability threshold / 2^32.

    A bit that is set with q becomes one with (q + 1) / 2 if it is joined with a random
    bit by "or", and with q / 2 by "and": so 0 grows to the threshold, digit by digit.
    """
    if threshold == 2**32:
        return np.full(n_words, 2**64 - 1, np.uint64)
    words, digits = np.zeros(n_words, np.uint64), f"{threshold:032b}".rstrip("0")
    fresh = random_words(rng, (len(digits), n_words))
    for digit, row in zip(reversed(digits), fresh, strict=True):
        join = np.bitwise_or if digit == "1" else np.bitwise_and
        join(words, row, out=words)
    return words


def _choose(size, threshold, rng):
    """Return which of so many places are chosen, each with threshold / 2^32."""
    zeros = max(32 - threshold.bit_length(), 0)
    if zeros:
        words = random_words(rng, (zeros, -(-size // 64)))
        left = np.bitwise_and.reduce(words, axis=0).astype("<u8").view(np.uint8)
        places = np.flatnonzero(np.unpackbits(left, bitorder="little")[:size])
    else:
        places = np.arange(size)
    rest = random_words(rng, len(places)) >> np.uint64(32 + zeros)
    return places[rest < threshold]
