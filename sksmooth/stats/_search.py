"""Where a condition on whole numbers begins to hold, for many cases at once."""

import numpy as np


def first_where(holds, low, high):
    """Return the first whole number from `low` on for which `holds`, else `high`.

    Parameters
    ----------
    holds : callable
        Takes one number for each case, from `low` to `high` - 1, and returns whether
        it holds there, and so for all higher ones. Where the search is over it is
        asked about `high`, too, and its answer does not matter.

    low, high : ndarray of int of one shape

    Returns
    -------
    first : ndarray of int
    """
    while np.any(low < high):
        middle = (low + high) // 2
        found = holds(middle)
        low, high = np.where(found, low, middle + 1), np.where(found, middle, high)
    return high
