"""Flips of sparse binary data: zeros become ones rarely, ones become zeros often.

A zero becomes a one with probability p_add, a one becomes a zero with probability
p_del, each by itself. Both are thresholds over 2^32, as they are drawn. An adversary
who adds entries makes ones of zeros of x, and one who deletes makes zeros of ones:

    added:    the noisy entry is 1 with (p_add, 1 - p_del), 0 with (1 - p_add, p_del),
    deleted:  1 with (1 - p_del, p_add), 0 with (p_del, 1 - p_add)

under x and x'. The idea is that of A. Bojchevski, J. Klicpera, S. Guennemann (2020),
arXiv:2008.12952.
"""

from fractions import Fraction
from functools import lru_cache

from ._regions import Regions


@lru_cache(maxsize=256)
def sparse_regions(p_add, p_del, additions, deletions):
    """Return the regions of entries added and deleted.

    Fewer of either are never worse, so the bounds hold for at most so many.

    Parameters
    ----------
    p_add, p_del : Fraction
        In [0, 1].

    additions, deletions : int
        How many zeros become ones, and how many ones zeros.

    Returns
    -------
    regions : Regions
        Those of noise on x and on x'.
    """
    p_add, p_del = Fraction(p_add), Fraction(p_del)
    added = Regions([(p_add, 1 - p_del), (1 - p_add, p_del)])
    deleted = Regions([(1 - p_del, p_add), (p_del, 1 - p_add)])
    regions = Regions([(Fraction(1), Fraction(1))])
    for one, times in ((added, additions), (deleted, deletions)):
        for _ in range(times):
            regions = regions * one
    return regions
