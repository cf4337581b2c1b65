"""Bounds on class probabilities from one table of votes, beyond Clopper-Pearson's."""

import math

import numpy as np

from ._binomial import check_trials, lower_confidence_bound, upper_confidence_bound
from ._checks import check_counts, check_part
from ._search import first_where
from ._tails import tail_and_slope, upper_tail
from ._verify import last_within

_EPS = np.finfo(float).eps

# Shares of alpha for the first class, the second, and all others together.
MULTICLASS_SPLIT = (0.8, 0.1, 0.1)


def _abstention_threshold(n, alpha):
    """Smallest k with P(Bin(n, 1/2) >= k) <= alpha / 2; n + 1 if there is none."""
    # Few numbers of votes are different.
    cases, inverse = np.unique(np.stack([n, alpha]), axis=1, return_inverse=True)
    n, alpha = cases[0].astype(np.int64), cases[1]
    first = first_where(lambda k: upper_tail(k, n, 0.5) <= alpha / 2, n // 2 + 1, n + 1)
    return first[inverse.ravel()]


def joint_lower_bound(k, n, alpha):
    """Lower bound on the probability of the class that got the most of the n votes.

    There are no selection samples: one set of n votes both picks the class and bounds
    its probability. With c the class with the most votes and N their number,
    P(p_c < joint_lower_bound(N, n, alpha)) <= alpha, whatever the number of
    classes and their probabilities. The plain Clopper-Pearson bound is wrong here:
    with two equal classes it errs nearly twice as often as alpha says.

    Parameters
    ----------
    k : int or array-like of int
        Votes of the class with the most votes, 0 <= k <= n.

    n : int or array-like of int
        Number of votes of all classes, n >= 1. Broadcast against `k`.

    alpha : float or array-like of float
        Probability with which the class may have a lower probability than
        claimed, in (0, 1).

    Returns
    -------
    p_lower : float or ndarray of float
        0 (abstain) where k < k0 = min{j : P(Bin(n, 1/2) >= j) <= alpha / 2}, else
        the largest p >= 1/2 with P(Bin(n, p) >= k) + P(Bin(n, 1 - p) >= k0) <= alpha,
        rounded down.

    Raises
    ------
    ValueError
        If a count is negative or not whole, k > n, n < 1, or alpha is outside (0, 1).

    See Also
    --------
    lower_confidence_bound : For a class that was picked by other votes.
    multiclass_bounds : Bounds on the runner-up as well.

    Notes
    -----
    The proof is on the page "Bounds" of the documentation. In short: at most one class
    can get k0 > n / 2 votes. P(Bin(n, p) >= k0) is convex in p on [0, 1/2] and 0 at 0,
    hence superadditive, so all wrong classes together get there with probability
    at most P(Bin(n, 1 - p_1) >= k0), however many they are; the rest of alpha
    bounds the top class.

    Examples
    --------
    >>> from sksmooth.stats import joint_lower_bound
    >>> joint_lower_bound([60, 70, 90, 100], 100, 0.001).round(4)
    array([0.    , 0.5432, 0.7753, 0.9333])
    """
    k, n, alpha = check_trials(k, n, alpha)
    shape = k.shape
    # Each distinct case once: inputs by the thousand have few different counts.
    cases = np.stack([k.ravel(), n.ravel(), alpha.ravel()]).astype(float)
    cases, inverse = np.unique(cases, axis=1, return_inverse=True)
    p_lower = _joint_lower_bound(
        cases[0].astype(np.int64), cases[1].astype(np.int64), cases[2]
    )
    return p_lower[inverse.ravel()].reshape(shape)[()]


def _joint_lower_bound(k, n, alpha):
    k0 = _abstention_threshold(n, alpha)
    p_lower = np.zeros(k.shape)
    some = k >= k0
    k, n, alpha, k0 = k[some], n[some], alpha[some], k0[some]

    def total(rows, p):
        """P(Bin(n, p) >= k) + P(Bin(n, q) >= k0)."""
        q = 1 - p
        top, error, slope = tail_and_slope(k[rows], n[rows], p, q)
        rest, rest_error, rest_slope = tail_and_slope(k0[rows], n[rows], q, p)
        sum_ = (top * (1 + error) + rest * (1 + rest_error)) * (1 + 4 * _EPS)
        return sum_, (top * slope - rest * rest_slope * p / q) / (top + rest)

    # At 1/2 the sum is at most alpha; above Clopper-Pearson's bound the first term
    # alone is more. In between the sum falls, then rises: one crossing, from below.
    first = np.maximum(lower_confidence_bound(k, n, alpha), 0.5)
    half, above = np.full(k.shape, 0.5), np.minimum(first * (1 + 2.0**-40), 1.0)
    p_lower[some] = last_within(total, alpha, first, half, above)
    return p_lower


def multiclass_bounds(n_a, n_b, n, alpha, split=MULTICLASS_SPLIT):
    """Bound the top class from below and every other class from above: p_A and p_B.

    The first and the second class must have been picked by votes other than those
    counted here. Then P(p_A < p_a_lower or some other class > p_b_upper) <= alpha.

    Parameters
    ----------
    n_a : int or array-like of int
        Votes of the class that was picked as the first.

    n_b : int or array-like of int
        Votes of the class that was picked as the second.

    n : int or array-like of int
        Number of votes of all classes, n >= 1; what `n_a` and `n_b` leave is the
        pooled rest.

    alpha : float or array-like of float
        Probability with which any of the bounds may fail, in (0, 1).

    split : tuple of three floats, default=(0.8, 0.1, 0.1)
        Shares of `alpha` for the bounds on the first class, the second and the rest;
        positive, with a sum of at most 1.

    Returns
    -------
    p_a_lower : float or ndarray of float
        Lower bound on the probability of the first class, rounded down.

    p_b_upper : float or ndarray of float
        Upper bound on the probability of every other class:
        min(max(upper bound of the second, upper bound of the rest), 1 - p_a_lower),
        rounded up.

    Raises
    ------
    ValueError
        If a count is negative or not whole, n_a + n_b > n, n < 1, alpha is outside
        (0, 1), or `split` is not as described.

    See Also
    --------
    radius_from_probabilities : The radius from both bounds.

    Notes
    -----
    With p_B < 1 - p_A known, an input whose top class has p_A < 1/2 can be certified.

    Examples
    --------
    >>> from sksmooth.stats import multiclass_bounds, radius_from_probabilities
    >>> p_a, p_b = multiclass_bounds(48_000, 30_000, 100_000, alpha=0.001)
    >>> print(f"{p_a:.4f} {p_b:.4f}")
    0.4750 0.3054
    >>> print(f"{radius_from_probabilities(p_a, p_b, sigma=0.5):.4f}")
    0.1116
    """
    n_a, n_b = check_counts(n_a, "n_a"), check_counts(n_b, "n_b")
    n, alpha = check_counts(n, "n"), check_part(alpha)
    if np.any(n < 1):
        raise ValueError("n must be at least 1.")
    n_a, n_b, n, alpha = np.broadcast_arrays(n_a, n_b, n, alpha)
    rest = n - n_a - n_b
    if np.any(rest < 0):
        raise ValueError("n_a + n_b must not exceed n.")
    share = np.asarray(split, dtype=float)
    # .8 + .1 + .1 may exceed 1 by a rounding, far less than the bounds are rounded by.
    if share.shape != (3,) or not np.all(share > 0) or math.fsum(share) > 1 + 1e-15:
        raise ValueError(
            f"split must hold three positive numbers that sum to at most 1, "
            f"got {split!r}."
        )
    p_a_lower = np.asarray(lower_confidence_bound(n_a, n, share[0] * alpha))
    second = upper_confidence_bound(n_b, n, share[1] * alpha)
    others = upper_confidence_bound(rest, n, share[2] * alpha)
    p_b_upper = np.minimum(
        np.maximum(second, others), np.nextafter(1 - p_a_lower, np.inf)
    )
    return p_a_lower[()], np.minimum(p_b_upper, 1.0)[()]
