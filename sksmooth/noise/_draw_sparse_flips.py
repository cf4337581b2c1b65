"""Flips of sparse binary data as they are drawn: exactly, and never dense.

Which of very many zeros become ones, each with a small probability T / 2^32, is found
from bits. Let T have m leading zeros among its 32 bits. What is chosen needs m random
bits that are all zero or, as likely, all one: the conjunction of m arrays of bits, 64
positions in a word. That leaves a share of 2^-m of the positions, and each of these is
chosen with probability T / 2^(32 - m), by a word of its own.
"""

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
    copies = []
    for _ in range(n_copies):
        stays = (random_words(rng, len(ones)) >> np.uint64(32)) >= delete
        added = _choose(n_features, add, rng)
        added = np.setdiff1d(added, ones, assume_unique=True)
        copies.append(np.sort(np.concatenate([ones[stays], added])))
    indptr = np.zeros(n_copies + 1, np.int64)
    np.cumsum([len(one) for one in copies], out=indptr[1:])
    return indptr, np.concatenate([np.empty(0, np.int64), *copies])


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
