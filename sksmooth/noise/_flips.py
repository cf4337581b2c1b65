"""Flips of categories: what k changed columns may cost, in exact arithmetic.

With probability `flip` a value is drawn anew, uniformly from the K values of its
column. So it stays with a = 1 - flip + flip / K, and becomes each of the others with
beta = (1 - a) / (K - 1) = flip / K. `flip` is a threshold T over 2^32, as it is drawn:
a and beta are the rationals that the noise really has.

If a column is changed from v to v', the noisy value is v with (a, beta) under x and x',
v' with (beta, a), and one of the K - 2 others with the same probability under both.
"""

from fractions import Fraction
from functools import lru_cache
from math import prod

from ._regions import Regions

# A threshold is compared with 32 random bits.
SCALE = 2**32

# Above so many regions, columns of few values are taken for ones of more.
_MOST_REGIONS = 250


def flip_threshold(flip):
    """Return the threshold T of a probability: the nearest multiple of 2^-32.

    Raises
    ------
    ValueError
        If `flip` is no probability.
    """
    if not 0 <= flip <= 1:
        raise ValueError(f"flip must be a probability, from 0 to 1, got {flip!r}.")
    return round(flip * SCALE)


def probability_text(flip):
    """Return a probability in as few digits as it takes to be the same threshold.

    What is drawn and certified is a multiple of 2^-32, as a decimal 0.30000000004656613
    where 0.3 was asked for.
    """
    threshold = flip_threshold(flip)
    texts = (f"{flip:.{digits}g}" for digits in range(1, 18))
    return next(text for text in texts if flip_threshold(float(text)) == threshold)


def stays(threshold, n_values):
    """Return the probability a that a value stays what it is: a Fraction."""
    return 1 - Fraction(threshold, SCALE) * Fraction(n_values - 1, n_values)


def column_regions(a, n_values):
    """Return the regions of one changed column, of two values or more.

    Parameters
    ----------
    a : Fraction
        Probability that a value stays what it is.

    n_values : int
        K >= 2.
    """
    a = Fraction(a)
    beta = (1 - a) / (n_values - 1)
    others = (n_values - 2) * beta
    return Regions([(a, beta), (beta, a), (others, others)])


def changed_regions(columns):
    """Return the regions of changed columns.

    Parameters
    ----------
    columns : iterable of (Fraction, int)
        a and K of each column that is changed.
    """
    regions = Regions([(Fraction(1), Fraction(1))])
    for a, n_values in columns:
        regions = regions * column_regions(a, n_values)
    return regions


def worst_columns(n_values, changes):
    """Return the numbers of values of the columns that are the worst to change.

    Those with most values are, for one probability of flips; a column of one value
    cannot be changed.

    Parameters
    ----------
    n_values : iterable of int
        Of all columns.

    changes : int
        How many may be changed; more than there are count as all.

    Returns
    -------
    n_values : tuple of int
        Of at most `changes` columns, the largest first.
    """
    changeable = sorted((n for n in n_values if n > 1), reverse=True)
    return _not_too_many(changeable[:changes])


@lru_cache(maxsize=256)
def flip_regions(threshold, n_values, changes):
    """Return the regions of the worst `changes` changed columns.

    Parameters
    ----------
    threshold : int
        T, of `flip_threshold`.

    n_values : tuple of int
        Of all columns.

    changes : int

    Returns
    -------
    regions : Regions
        ``regions.worst(p)`` bounds what any change of at most so many columns may leave
        of p, and ``regions.needed()`` is the probability above which it is a majority.
    """
    columns = worst_columns(n_values, changes)
    return changed_regions((stays(threshold, n), n) for n in columns)


def _not_too_many(n_values):
    """Raise the smallest numbers of values until there are not too many regions.

    Equal columns share most of their ratios: m of them have 2 m + 1. A column with more
    values is worse, so the bound stays one.
    """
    n_values = list(n_values)
    while _at_most(n_values) > _MOST_REGIONS and len(set(n_values)) > 1:
        least, second = sorted(set(n_values))[:2]
        n_values = [second if n == least else n for n in n_values]
    return tuple(n_values)


def _at_most(n_values):
    return prod(2 * n_values.count(n) + 1 for n in set(n_values))
