"""Compiled count of which class has the highest score. Imports numba."""

import numba
import numpy as np

# Copies whose best score so far stays in registers or the first-level cache.
_BLOCK = 256


@numba.njit(nogil=True, cache=True)
def count(noisy, starts, stops, means, places, counts):
    """Add to `counts` in how many copies of each part each class is the highest.

    Parameters
    ----------
    noisy : ndarray of shape (n_scores, n_copies)
        Scores of all contenders but the first, whose score is 0.

    starts, stops : ndarray of int of shape (n_parts,)
        The copies of each part.

    means : ndarray of shape (n_parts, n_contenders)
        What to add to the scores of a part. Nothing is added to the first contender's.

    places : ndarray of int
        The contenders that may win, in order; the first of equal ones does.

    counts : ndarray of int64 of shape (n_parts, n_places)
    """
    best, winner = np.empty(_BLOCK), np.empty(_BLOCK, np.int64)
    for part in range(len(starts)):
        for begin in range(starts[part], stops[part], _BLOCK):
            size = min(_BLOCK, stops[part] - begin)
            best[:size] = 0.0 if places[0] == 0 else -np.inf
            winner[:size] = 0
            for k in range(len(places)):
                if places[k] == 0:
                    continue
                scores = noisy[places[k] - 1, begin : begin + size]
                mean = means[part, places[k]]
                for i in range(size):
                    score = scores[i] + mean
                    winner[i] = k if score > best[i] else winner[i]
                    best[i] = score if score > best[i] else best[i]
            for k in range(len(places)):
                n = 0
                for i in range(size):
                    n += winner[i] == k
                counts[part, k] += n
