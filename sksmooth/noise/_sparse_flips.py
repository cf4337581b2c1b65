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
from math import comb, lcm

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
    # Whole numbers over a common denominator: to cancel it takes longer than the rest.
    scale = lcm(p_add.denominator, p_del.denominator)
    add, delete = int(p_add * scale), int(p_del * scale)
    # A noisy 1 in place of an addition and one in place of a deletion cancel: with i of
    # the former and j of the latter, the ratio is that of i - j.
    added = [_binomial(additions, one, scale) for one in (add, scale - delete)]
    deleted = [_binomial(deletions, one, scale) for one in (scale - delete, add)]
    masses = [[0] * (additions + deletions + 1) for _ in range(2)]
    for mass, one, other in zip(masses, added, deleted, strict=True):
        for i, p in enumerate(one):
            for j, q in enumerate(other):
                mass[i - j + deletions] += p * q
    whole = scale ** (additions + deletions)
    pairs = zip(*masses, strict=True)
    return Regions((Fraction(p, whole), Fraction(q, whole)) for p, q in pairs)


def _binomial(n, successes, of):
    """Return the probabilities of 0 ... n successes, times of^n: whole numbers."""
    rest = of - successes
    return [comb(n, k) * successes**k * rest ** (n - k) for k in range(n + 1)]
