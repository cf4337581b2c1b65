"""Exact confidence bounds for a binomial proportion."""

import numpy as np
from scipy import special

from ._checks import check_counts, check_level

# betaincinv was seen to err by up to 2.2e-14 (relative, against 50 digits). Taking off
# five times as much keeps the returned bound at or below the true one; the radius
# loses less than 1e-8 sigma by it up to n = 10^7.
_SAFETY = 1 - 2.0**-43

# The same for the upper bound, after one Newton step: its relative error was seen to
# reach 6.4e-14 for few successes among 10^7 trials.
_UPPER_SAFETY = 1 + 2.0**-40

# Tails below 1/2 were seen to err by up to 2.2e-10 (relative, against 50 digits, up to
# n = 10^7, over SciPy 1.14 to 1.17). One that is compared with a level is first
# multiplied by this.
TAIL_MARGIN = 1 + 1e-9


def upper_tail(k, n, p):
    """P(Bin(n, p) >= k), also for k <= 0 (1) and k > n (0)."""
    some = np.clip(k, 1, np.maximum(n, 1))
    tail = special.betainc(some, np.maximum(n - some, 0) + 1.0, p)
    return np.where(k > n, 0.0, np.where(k < 1, 1.0, tail))


def check_trials(k, n, alpha, names=("k", "n")):
    """Return `k`, `n` and `alpha` of k successes in n trials, checked, broadcast."""
    k, n = check_counts(k, names[0]), check_counts(n, names[1])
    if np.any(n < 1):
        raise ValueError(f"{names[1]} must be at least 1.")
    if np.any(k > n):
        raise ValueError(f"{names[0]} must not exceed {names[1]}.")
    return np.broadcast_arrays(k, n, check_level(alpha))


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
    some = np.clip(k, 1, n)
    quantile = special.betaincinv(some, n - some + 1, alpha) * _SAFETY
    # alpha^(1/n): the exponent is good to one rounding, exp to another.
    exponent = np.log(alpha) / n
    all_equal = np.exp(exponent) * (1 - (4 - 2 * exponent) * np.finfo(float).eps)
    return np.where(k == n, all_equal, np.where(k > 0, quantile, 0.0))[()]


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
    # Where 0 < k < n; 1 - lower_confidence_bound(n - k, n, alpha) is the same number
    # but has no accuracy left where it is small.
    a, b = np.clip(k, 1, np.maximum(n - 1, 1)) + 1.0, np.maximum(n - k, 1.0)
    quantile = special.betainccinv(a, b, alpha)
    # The inverse errs by up to 1e-10 (relative) for few successes among many trials,
    # the function that it inverts does not: one Newton step.
    inside = (quantile > 0) & (quantile < 1)
    safe = np.where(inside, quantile, 0.5)
    log_density = (a - 1) * np.log(safe) + (b - 1) * np.log1p(-safe)
    with np.errstate(divide="ignore", over="ignore", invalid="ignore"):
        step = (special.betaincc(a, b, safe) - alpha) / np.exp(
            log_density - special.betaln(a, b)
        )
    small = inside & (np.abs(step) < 1e-6 * quantile)
    quantile = np.where(small, quantile + np.where(small, step, 0.0), quantile)
    # 1 - alpha^(1/n), good to a few roundings at any n.
    none = -np.expm1(np.log(alpha) / n) * (1 + 8 * np.finfo(float).eps)
    p_upper = np.where(k == 0, none, quantile * _UPPER_SAFETY)
    return np.where(k == n, 1.0, np.minimum(p_upper, 1.0))[()]
