"""Exact confidence bounds for a binomial proportion."""

from functools import lru_cache

import numpy as np
from scipy import special

from ._checks import check_counts, check_part
from ._tails import tail_and_slope
from ._verify import SHORT, last_within


def check_trials(k, n, alpha, names=("k", "n")):
    """Return `k`, `n` and `alpha` of k successes in n trials, checked, broadcast."""
    k, n = check_counts(k, names[0]), check_counts(n, names[1])
    if np.any(n < 1):
        raise ValueError(f"{names[1]} must be at least 1.")
    if np.any(k > n):
        raise ValueError(f"{names[0]} must not exceed {names[1]}.")
    return np.broadcast_arrays(k, n, check_part(alpha))


def lower_confidence_bound(k, n, alpha):
    """One-sided Clopper-Pearson lower bound on a binomial proportion.

    ``LOWERCONFBOUND(k, n, 1 - alpha)`` of the paper: if K ~ Binomial(n, p), then
    P(lower_confidence_bound(K, n, alpha) > p) <= alpha for every p.

    Parameters
    ----------
    k : int or array-like of int
        Number of successes, 0 <= k <= n.

    n : int or array-like of int
        Number of trials, n >= 1. Broadcast against `k`.

    alpha : float or array-like of float
        Probability with which the bound may exceed p, in (0, 1).

    Returns
    -------
    p_lower : float or ndarray of float
        The alpha-quantile of Beta(k, n - k + 1), rounded towards 0 so that it never
        exceeds the exact value; 0 where k = 0.

    Raises
    ------
    ValueError
        If a count is negative or not whole, k > n, n < 1, or alpha is outside (0, 1).

    References
    ----------
    C. J. Clopper and E. S. Pearson (1934), Biometrika 26(4), 404-413.
    J. Cohen, E. Rosenfeld, J. Z. Kolter (2019), arXiv:1902.02918, section 3.2.2.

    Examples
    --------
    >>> from sksmooth.stats import lower_confidence_bound
    >>> lower_confidence_bound([0, 90, 100], 100, 0.001).round(4)
    array([0.    , 0.7753, 0.9333])
    """
    k, n, alpha = check_trials(k, n, alpha)
    if k.size == 1:
        return np.full(k.shape, _lower_of_one(k.item(), n.item(), alpha.item()))[()]
    return _lower_of_all(k, n, alpha)[()]


@lru_cache(maxsize=4096)
def _lower_of_one(k, n, alpha):
    """Do it for one case: a service that asks about a row at a time repeats itself."""
    return _lower_of_all(np.array([k]), np.array([n]), np.array([alpha]))[0]


def _lower_of_all(k, n, alpha):
    # alpha^(1/n): the exponent is good to one rounding, exp to another.
    exponent = np.log(alpha) / n
    all_equal = np.exp(exponent) * (1 - (4 - 2 * exponent) * np.finfo(float).eps)
    p_lower = np.where(k == n, all_equal, 0.0)
    some = (k > 0) & (k < n)
    if np.any(some):
        p_lower[some] = _lower(k[some], n[some], alpha[some])
    return p_lower


def _lower(k, n, alpha):
    """The bound for 0 < k < n."""

    def tail(rows, p):
        value, error, slope = tail_and_slope(k[rows], n[rows], p, 1 - p)
        return value * (1 + error), slope

    # SciPy's quantile is wrong at some places (a = 1000, for one), so it is a guess.
    guess = special.betaincinv(k, n - k + 1.0, alpha) * (1 - SHORT)
    zero, one = np.zeros(k.shape), np.ones(k.shape)
    return last_within(tail, alpha, guess, zero, one)


def upper_confidence_bound(k, n, alpha):
    """One-sided Clopper-Pearson upper bound on a binomial proportion.

    If K ~ Binomial(n, p), then P(upper_confidence_bound(K, n, alpha) < p) <= alpha
    for every p.

    Parameters
    ----------
    k : int or array-like of int
        Number of successes, 0 <= k <= n.

    n : int or array-like of int
        Number of trials, n >= 1. Broadcast against `k`.

    alpha : float or array-like of float
        Probability with which the bound may fall below p, in (0, 1).

    Returns
    -------
    p_upper : float or ndarray of float
        The (1 - alpha)-quantile of Beta(k + 1, n - k), rounded up so that it never
        falls below the exact value; 1 where k = n. Its relative error is below
        1e-12, also where the bound itself is tiny.

    Raises
    ------
    ValueError
        If a count is negative or not whole, k > n, n < 1, or alpha is outside (0, 1).

    See Also
    --------
    lower_confidence_bound : The bound from below.

    References
    ----------
    C. J. Clopper and E. S. Pearson (1934), Biometrika 26(4), 404-413.

    Examples
    --------
    >>> from sksmooth.stats import upper_confidence_bound
    >>> upper_confidence_bound([0, 10, 100], 100, 0.001).round(4)
    array([0.0667, 0.2247, 1.    ])
    """
    k, n, alpha = check_trials(k, n, alpha)
    # 1 - alpha^(1/n), good to a few roundings at any n.
    none = -np.expm1(np.log(alpha) / n) * (1 + 8 * np.finfo(float).eps)
    p_upper = np.where(k == 0, np.minimum(none, 1.0), 1.0)
    some = (k > 0) & (k < n)
    p_upper[some] = _upper(k[some], n[some], alpha[some])
    return p_upper[()]


def _upper(k, n, alpha):
    """The bound for 0 < k < n; 1 - _lower(n - k, n, alpha) has few digits if small."""

    def tail(rows, p):
        # P(Bin(n, p) <= k) = P(Bin(n, q) >= n - k)
        value, error, slope = tail_and_slope(n[rows] - k[rows], n[rows], 1 - p, p)
        return value * (1 + error), -slope * p / (1 - p)

    guess = special.betainccinv(k + 1.0, n - k, alpha) * (1 + SHORT)
    zero, one = np.zeros(k.shape), np.ones(k.shape)
    return np.minimum(last_within(tail, alpha, guess, one, zero), 1.0)
