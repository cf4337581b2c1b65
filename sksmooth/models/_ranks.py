"""Thresholds by their ranks, and a grid on which the rank of a value is found fast.

Trees only compare a value with the thresholds of its feature. How many of these are
below it, its rank, tells as much, and takes one byte mostly: vector instructions
compare 32 of them at a time where they compare 4 doubles.
"""

from typing import NamedTuple

import numpy as np

# Cells of the grid for a threshold, so that most cells hold one at most; and for a
# feature, at least and at most.
_CELLS, _LEAST_CELLS, _MOST_CELLS = 16, 64, 4096


class Grid(NamedTuple):
    """Finds the rank of a value: the number of thresholds that are less.

    The thresholds of a feature lie in cells of equal width. Those in the cells before
    that of a value are less, whatever is rounded, because the cell does not fall when
    the value grows; those of its own cell are searched by halving.
    """

    low: np.ndarray  # as the thresholds, (n_used,): where the first cell begins
    scale: np.ndarray  # as the thresholds, (n_used,): cells per unit
    steps: np.ndarray  # int64, (n_used,): how often the thresholds of a cell are halved
    place: np.ndarray  # as ranks, (n_used, n_cells): how many stand in earlier cells
    limits: np.ndarray  # float, (n_used, ...): the thresholds, and infinity behind them


def most_distinct(feature, threshold):
    """Return the largest number of different thresholds that a feature has."""
    _, _, count, _ = _distinct(feature, threshold)
    return int(count.max(initial=0))


def ranked(feature, threshold, dtype):
    """Return the rank of each threshold among those of its feature, and a Grid.

    Parameters
    ----------
    feature : ndarray of int of shape (n_tests,)
        0 ... n_used - 1, each at least once.

    threshold : ndarray of float32 or float64 of shape (n_tests,)

    dtype : dtype of unsigned integers
        Of the ranks, which must be less than its largest number.

    Returns
    -------
    limit : ndarray of shape (n_tests,)
        x > threshold if the rank of x is > limit.

    grid : Grid
    """
    order, new, count, start = _distinct(feature, threshold)
    limit = np.empty(len(feature), dtype)
    limit[order] = np.cumsum(new) - 1 - np.repeat(start, np.bincount(feature))
    most = int(count.max(initial=0))
    n_cells = 2 ** int(np.ceil(np.log2(max(1, _CELLS * most))))
    n_cells = min(max(n_cells, _LEAST_CELLS), _MOST_CELLS)
    low, scale = np.zeros((2, len(count)), threshold.dtype)
    place = np.zeros((len(count), n_cells), dtype)
    # Halving looks up to twice as far as there are thresholds.
    limits = np.full((len(count), 2 * most + 2), np.inf, threshold.dtype)
    steps = np.zeros(len(count), np.int64)
    last = threshold.dtype.type(n_cells - 1)
    distinct = threshold[order][new]
    for k, (n, first) in enumerate(zip(count.tolist(), start.tolist(), strict=True)):
        own = limits[k, :n] = distinct[first : first + n]
        finite = own[np.isfinite(own)]
        with np.errstate(all="ignore"):
            if len(finite):
                low[k] = finite[0]
                scale[k] = last / (finite[-1] - finite[0])
            if not np.isfinite(scale[k]):  # one alone: all values are in one cell
                scale[k] = 0
            # As compiled code has it, step by step: see ``_trees_kernel._ranks``.
            cell = (own - low[k]) * scale[k]
            cell = np.where(cell > 0, cell, 0)
        inside = np.bincount(np.where(cell < last, cell, last).astype(int))
        place[k, : len(inside)] = np.cumsum(inside) - inside
        place[k, len(inside) :] = n
        steps[k] = int(inside.max()).bit_length()
    return limit, Grid(low, scale, steps, place, limits)


def _distinct(feature, threshold):
    """Return how tests are sorted, which begin a new threshold, and these by feature.

    Returns
    -------
    order, new : ndarray of shape (n_tests,)

    count, start : ndarray of int of shape (n_used,)
        How many different ones a feature has, and how many there are before.
    """
    order = np.lexsort((threshold, feature))
    feature, threshold = feature[order], threshold[order]
    new = np.ones(len(order), bool)
    new[1:] = (feature[1:] != feature[:-1]) | (threshold[1:] != threshold[:-1])
    count = np.bincount(feature[new])
    return order, new, count, np.cumsum(count) - count
