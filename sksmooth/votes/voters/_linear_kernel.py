"""Compiled votes of linear classifiers: which class has the highest score. Needs numba.

`votes` draws, multiplies and counts in blocks that stay in the first-level cache;
`compare` counts under noise that all inputs share; `count` counts scores that are there
already.
"""

import numba
import numpy as np

from ...noise._normals_kernel import doubles

# Copies whose scores stay in the first-level cache.
_BLOCK = 512


@numba.njit(nogil=True, cache=True)
def count(noisy, starts, stops, means, counts):
    """Add to `counts` in how many copies of each part each class is the highest.

    Parameters
    ----------
    noisy : ndarray of shape (n_scores, n_copies)
        Scores of all contenders but the first, whose score is 0.

    starts, stops : ndarray of int of shape (n_parts,)
        The copies of each part.

    means : ndarray of shape (n_parts, n_contenders)
        What to add to the scores of a part. Nothing is added to the first contender's.

    counts : ndarray of int64 of shape (n_parts, n_contenders)
    """
    best, winner = np.empty(_BLOCK), np.empty(_BLOCK, np.int64)
    places = np.arange(means.shape[1])
    for part in range(len(starts)):
        for begin in range(starts[part], stops[part], _BLOCK):
            size = min(_BLOCK, stops[part] - begin)
            mine = means[part], places, best[:size], winner[:size], counts[part]
            _add_winners(noisy, begin, *mine)


@numba.njit(nogil=True)
def _add_winners(noisy, begin, means, places, best, winner, counts):
    """Count which of the contenders in `places`, in order, is the highest."""
    size = len(best)
    best[:] = 0.0 if places[0] == 0 else -np.inf
    winner[:] = places[0]
    for k in places:
        if k > 0:
            scores, mean = noisy[k - 1, begin : begin + size], means[k]
            for i in range(size):
                score = scores[i] + mean
                winner[i] = k if score > best[i] else winner[i]
                best[i] = score if score > best[i] else best[i]
    _add_counts(winner, places, counts)


@numba.njit(nogil=True)
def _add_counts(winner, places, counts):
    for k in places:
        n = 0
        for i in range(len(winner)):
            n += winner[i] == k
        counts[k] += n


@numba.njit(nogil=True, cache=True)
def votes(streams, tables, sizes, factor, means, slack, counts):
    """Draw the noise of inputs and count which class has the highest score.

    It stops at an input where the two highest scores of a copy are so close that the
    order of a sum might decide between them.

    Parameters
    ----------
    streams : ndarray of uint64 of shape (n_inputs, 6)
        See ``_many_normals``. Moved on, but for the input at which it stops.

    tables
        As for ``_normals_kernel.doubles``.

    sizes : ndarray of int of shape (n_inputs,)
        How many copies of each.

    factor : ndarray of shape (rank, n_scores)
        Upper triangular: scores of noise are normals times this.

    means : ndarray of shape (n_inputs, n_scores + 1)
        As for ``count``.

    slack : ndarray of shape (n_inputs,)
        Scores that differ by no more are close.

    counts : ndarray of int64 of shape (n_inputs, n_scores + 1)
        Added to.

    Returns
    -------
    n_done : int
        Inputs that are done; the next one is where it stopped, if there is one.
    """
    rank, n_scores = factor.shape
    # Whole quadruples of rows, the last ones 0.
    n_rows = -(-rank // 4) * 4
    padded = np.zeros((n_rows, n_scores))
    padded[:rank] = factor
    normals = np.zeros((n_rows, _BLOCK))
    scores, best, second = np.empty(_BLOCK), np.empty(_BLOCK), np.empty(_BLOCK)
    winner, places = np.empty(_BLOCK, np.int64), np.arange(n_scores + 1)
    found = np.zeros(n_scores + 1, np.int64)
    for part in range(len(sizes)):
        before = streams[part].copy()
        found[:] = 0
        for begin in range(0, sizes[part], _BLOCK):
            size = min(_BLOCK, sizes[part] - begin)
            noise = normals[:rank, :size].T
            doubles(streams[part], tables, None, None, None, noise)
            best[:size], second[:size], winner[:size] = 0.0, -np.inf, 0
            for k in range(n_scores):
                some = scores[:size]
                _multiply(normals, padded, k, min(k + 1, rank), some)
                mean = means[part, k + 1]
                _race(some, mean, k + 1, best, second, winner)
            closest = np.inf
            for i in range(size):
                gap = best[i] - second[i]
                closest = gap if gap < closest else closest
            if closest <= slack[part]:
                streams[part] = before
                return part
            _add_counts(winner[:size], places, found)
        counts[part] += found
    return len(sizes)


@numba.njit(nogil=True, fastmath={"contract"})
def _multiply(normals, factor, k, n, out):
    """Write normals times column k of the factor, of which n rows are not 0.

    In the order of the rows, as BLAS does.
    """
    a, b, c, d = factor[0, k], factor[1, k], factor[2, k], factor[3, k]
    p, q, r, s = normals[0], normals[1], normals[2], normals[3]
    for i in range(len(out)):
        out[i] = p[i] * a + q[i] * b + r[i] * c + s[i] * d
    for j in range(4, n, 4):
        a, b, c, d = factor[j, k], factor[j + 1, k], factor[j + 2, k], factor[j + 3, k]
        p, q, r, s = normals[j], normals[j + 1], normals[j + 2], normals[j + 3]
        for i in range(len(out)):
            out[i] = out[i] + p[i] * a + q[i] * b + r[i] * c + s[i] * d


@numba.njit(nogil=True)
def _race(scores, mean, k, best, second, winner):
    """Let contender k compete, and keep the two highest scores of each copy."""
    for i in range(len(scores)):
        score, other = scores[i] + mean, best[i]
        wins = score > other
        low = other if wins else score
        second[i] = low if low > second[i] else second[i]
        winner[i] = k if wins else winner[i]
        best[i] = score if wins else other


@numba.njit(nogil=True, cache=True)
def compare(noisy, n_copies, means, counts):
    """Add to `counts` how often each class is the highest, under shared noise.

    Most contenders cannot win: they are further behind than any noise of a block puts
    one ahead of another. So what is compared is few.

    Parameters
    ----------
    noisy : ndarray of shape (n_scores, at least n_copies)
        As for ``count``.

    n_copies : int

    means : ndarray of shape (n_inputs, n_scores + 1)

    counts : ndarray of int64 of shape (n_inputs, n_scores + 1)
    """
    n = means.shape[1]
    best, winner = np.empty(_BLOCK), np.empty(_BLOCK, np.int64)
    places, leads = np.empty(n, np.int64), np.empty((n, n))
    found = np.empty(n, np.int64)
    first, slack = np.empty(len(means), np.int64), np.empty(len(means))
    for i in range(len(means)):
        first[i] = np.argmax(means[i])
        slack[i] = 8 * _EPS * np.abs(means[i]).max()
    for begin in range(0, n_copies, _BLOCK):
        size = min(_BLOCK, n_copies - begin)
        end = begin + size
        if len(means) < 2 * n:  # not worth finding out
            leads[:] = np.inf
        else:
            _largest_leads(noisy, begin, end, leads)
        for i in range(len(means)):
            top, n_places = first[i], 0
            highest = means[i, top] - slack[i]
            for k in range(n):
                if k == top or means[i, k] + leads[top, k] >= highest:
                    places[n_places] = k
                    n_places += 1
            if n_places == 1:
                counts[i, top] += size
            elif n_places == 2:
                a, b = places[0], places[1]
                n_won = _duel(noisy, begin, end, means[i], a, b)
                counts[i, b] += n_won
                counts[i, a] += size - n_won
            elif not _add_highest(
                noisy, begin, means[i], places[:n_places], best[:size], found, counts[i]
            ):
                mine = means[i], places[:n_places], best[:size], winner[:size]
                _add_winners(noisy, begin, *mine, counts[i])


_EPS = np.finfo(float).eps


@numba.njit(nogil=True, fastmath={"nnan", "nsz"})
def _largest_leads(noisy, begin, end, leads):
    """Write the most by which noise puts contender b ahead of a, to [a, b].

    With what rounding can change, here and where noise is added to a mean.
    """
    largest = 0.0
    for k in range(len(noisy)):
        scores = noisy[k, begin:end]
        low = high = scores[0]
        for i in range(len(scores)):
            low = scores[i] if scores[i] < low else low
            high = scores[i] if scores[i] > high else high
        leads[0, k + 1], leads[k + 1, 0] = high, -low
        largest = max(largest, high, -low)
        for j in range(k):
            others = noisy[j, begin:end]
            low = high = scores[0] - others[0]
            for i in range(len(scores)):
                gap = scores[i] - others[i]
                low = gap if gap < low else low
                high = gap if gap > high else high
            leads[j + 1, k + 1], leads[k + 1, j + 1] = high, -low
    for a in range(len(leads)):
        leads[a, a] = 0.0
        for b in range(len(leads)):
            leads[a, b] += 8 * _EPS * largest


@numba.njit(nogil=True)
def _duel(noisy, begin, end, means, a, b):
    """Return in how many copies contender b is higher than a < b."""
    n, ours, mean = 0, noisy[b - 1, begin:end], means[b]
    if a == 0:
        for i in range(len(ours)):
            n += ours[i] + mean > 0.0
        return n
    theirs, other = noisy[a - 1, begin:end], means[a]
    for i in range(len(ours)):
        n += ours[i] + mean > theirs[i] + other
    return n


@numba.njit(nogil=True)
def _add_highest(noisy, begin, means, places, best, found, counts):
    """Do what ``_add_winners`` does, faster, and return True; False if there is a tie.

    At least two contenders are in `places`.
    """
    size, total = len(best), 0
    end = begin + size
    a, b = places[0], places[1]
    ours, mean = noisy[b - 1, begin:end], means[b]
    if a == 0:
        for i in range(size):
            score = ours[i] + mean
            best[i] = score if score > 0.0 else 0.0
    else:
        theirs, other = noisy[a - 1, begin:end], means[a]
        for i in range(size):
            score, rival = ours[i] + mean, theirs[i] + other
            best[i] = score if score > rival else rival
    for j in range(2, len(places) - 1, 2):
        a, b = places[j], places[j + 1]
        ours, mean = noisy[b - 1, begin:end], means[b]
        theirs, other = noisy[a - 1, begin:end], means[a]
        for i in range(size):
            score, rival = ours[i] + mean, theirs[i] + other
            score = score if score > rival else rival
            best[i] = score if score > best[i] else best[i]
    if len(places) % 2:
        b = places[-1]
        ours, mean = noisy[b - 1, begin:end], means[b]
        for i in range(size):
            score = ours[i] + mean
            best[i] = score if score > best[i] else best[i]
    for j in range(len(places)):
        n, k = 0, places[j]
        if k == 0:
            for i in range(size):
                n += best[i] == 0.0
        else:
            ours, mean = noisy[k - 1, begin:end], means[k]
            for i in range(size):
                n += ours[i] + mean == best[i]
        found[j] = n
        total += n
    if total != size:
        return False
    for j in range(len(places)):
        counts[places[j]] += found[j]
    return True
