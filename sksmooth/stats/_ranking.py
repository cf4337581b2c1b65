"""Is the class with most votes the most probable one? Hung and Fithian's test."""

from functools import lru_cache

import numpy as np

from ._checks import check_counts
from ._tails import upper_tail


def rank_verification_pvalue(n_a, n_b):
    """P-value for "the class with the most votes is the most probable class".

    ``BINOMPVALUE(n_A, n_A + n_B, 1/2)`` of the paper: the two-sided binomial test of
    the highest count against the second highest. Rejecting at level alpha names a
    class that is not the most probable one with probability at most alpha, whatever
    the number of classes and although the two classes were picked by looking at the
    votes.

    Parameters
    ----------
    n_a : int or array-like of int
        Votes of the class with the most votes.

    n_b : int or array-like of int
        Votes of the runner-up, n_b <= n_a. Broadcast against `n_a`.

    Returns
    -------
    p_value : float or ndarray of float
        In (0, 1], rounded up; exactly 1 for a tie.

    Raises
    ------
    ValueError
        If a count is negative or not whole, or n_b > n_a.

    References
    ----------
    K. Hung and W. Fithian (2019), Annals of Statistics 47(2), 758-782.
    J. Cohen, E. Rosenfeld, J. Z. Kolter (2019), arXiv:1902.02918, Proposition 1.

    Examples
    --------
    >>> from sksmooth.stats import rank_verification_pvalue
    >>> rank_verification_pvalue([5, 10, 60], [5, 0, 40]).round(4)
    array([1.    , 0.002 , 0.0569])
    """
    n_a, n_b = np.broadcast_arrays(check_counts(n_a, "n_a"), check_counts(n_b, "n_b"))
    if np.any(n_b > n_a):
        raise ValueError("n_a must be the higher of the two counts.")
    if n_a.size == 1:
        return np.full(n_a.shape, _pvalue_of_one(n_a.item(), n_b.item()))[()]
    return _pvalues(n_a, n_b)[()]


@lru_cache(maxsize=4096)
def _pvalue_of_one(n_a, n_b):
    """Do it for one case: a service that asks about a row at a time repeats itself."""
    return _pvalues(np.array([n_a]), np.array([n_b]))[0]


def _pvalues(n_a, n_b):
    # P(Bin(N, 1/2) >= n_a) = I_{1/2}(n_a, n_b + 1); the other tail is equal.
    both = 2 * upper_tail(n_a, n_a + n_b, 0.5)
    # Without a rival 2^(1 - n_a), a number that is at hand.
    both = np.where(n_b == 0, np.ldexp(2.0, np.maximum(-n_a, -1075)), both)
    return np.where(n_a > n_b, np.minimum(both, 1.0), 1.0)
