"""From values under noise to intervals of their quantiles: which order statistics."""

import numpy as np

from ..noise import Gaussian
from ._binomial import check_trials
from ._checks import MAX_VOTES, check_level, check_positive, check_radius
from ._search import first_where
from ._tails import upper_tail


def quantile_levels(quantile, radius, sigma):
    """Compute the levels between which a quantile under Gaussian noise stays in a ball.

    With h_q(x) the q-quantile of f(x + N(0, sigma^2 I)) and s = radius / sigma,
    h_lower(x) <= h_quantile(x + delta) <= h_upper(x) for every f and every delta of
    norm at most `radius`, where lower, upper = Phi(Phi^-1(quantile) -+ s).

    Parameters
    ----------
    quantile : float or array-like of float
        In (0, 1); 0.5 is the median.

    radius : float or array-like of float
        Largest l2 norm of delta, >= 0, in the units of `sigma`.

    sigma : float or array-like of float
        Noise level.

    Returns
    -------
    lower, upper : float or ndarray of float
        Rounded down and up.

    Raises
    ------
    ValueError
        If an argument is out of range.

    See Also
    --------
    quantile_ranks : The order statistics that bound quantiles of these levels.

    References
    ----------
    P. Chiang, M. Curry, A. Abdelkader, A. Kumar, J. Dickerson, T. Goldstein (2020),
    "Detection as Regression: Certified Object Detection with Median Smoothing",
    arXiv:2007.03730, lemma 1.

    Examples
    --------
    >>> from sksmooth.stats import quantile_levels
    >>> lower, upper = quantile_levels(0.5, radius=0.5, sigma=0.5)
    >>> print(f"{lower:.4f} {upper:.4f}")
    0.1587 0.8413
    """
    quantile = check_level(quantile, "quantile")
    distance = check_radius(radius) / check_positive(sigma, "sigma")
    lower, upper = Gaussian().bind(1.0).levels(quantile, distance)
    return lower[()], upper[()]


def quantile_ranks(n, lower, upper, alpha):
    """Find which order statistics enclose two quantiles, by exact binomials.

    With Y_(1) <= ... <= Y_(n) the sorted values of n independent draws,
    P(Y_(k_low) > h_lower or Y_(k_up) < h_upper) <= alpha, whatever the distribution
    is: alpha / 2 on each side. Ties make it smaller.

    Parameters
    ----------
    n : int or array-like of int
        Number of draws, at least 1.

    lower, upper : float or array-like of float
        Levels of the quantiles, in [0, 1], such as :func:`quantile_levels` returns.

    alpha : float or array-like of float
        Probability with which one of the two may fail, in (0, 1).

    Returns
    -------
    k_low : int or ndarray of int
        Rank max{k : P(Bin(n, lower) <= k - 1) <= alpha / 2}. 0: no order statistic is
        low enough, and the lower end is -inf.

    k_up : int or ndarray of int
        Rank min{k : P(Bin(n, upper) >= k) <= alpha / 2}. n + 1: none is high enough.

    Raises
    ------
    ValueError
        If n < 1, a level is outside [0, 1] or alpha outside (0, 1).

    See Also
    --------
    quantile_levels : The levels for a radius.

    Notes
    -----
    Both are found by tails that are rounded up, so that a rank whose tail is too close
    to alpha / 2 to tell is not taken.

    Examples
    --------
    >>> from sksmooth.stats import quantile_levels, quantile_ranks
    >>> levels = quantile_levels(0.5, radius=[0.25, 0.5, 1.0], sigma=0.5)
    >>> k_low, k_up = quantile_ranks(1_000, *levels, alpha=0.001)
    >>> k_low, k_up
    (array([261, 122,   9]), array([740, 879, 992]))
    """
    _, n, alpha = check_trials(0, n, alpha)
    lower, upper = _level(lower, "lower"), _level(upper, "upper")
    n, lower, upper, alpha = np.broadcast_arrays(n, lower, upper, alpha)
    # Of the complement, which rounding must not make smaller.
    rest = np.where(lower > 0, np.minimum(np.nextafter(1 - lower, 2), 1.0), 1.0)
    rest = np.where(lower == 1, 0.0, rest)
    k_low = n + 1 - _first_rank(n, rest, alpha / 2)
    return k_low[()], _first_rank(n, upper, alpha / 2)[()]


def _first_rank(n, p, level):
    """Return min{k : P(Bin(n, p) >= k) <= level}; n + 1 if there is none up to n."""
    cases = np.stack([n, p, level], axis=-1).astype(float).reshape(-1, 3)
    cases, inverse = np.unique(cases, axis=0, return_inverse=True)
    some, p, level = cases[:, 0].astype(np.int64), cases[:, 1], cases[:, 2]
    first = first_where(
        lambda k: upper_tail(k, some, p) <= level, np.ones(len(some), int), some + 1
    )
    return first[inverse.ravel()].reshape(n.shape)


def estimate_rank(n, quantile):
    """Return the rank of the order statistic that estimates a quantile: ceil(n p).

    Up to the rounding of n p: 7 of 100 for .07, whose product is 7.000000000000001.
    """
    rank = np.ceil(n * quantile * (1 - 4 * np.finfo(float).eps))
    return int(np.clip(rank, 1, n))


def fewest_values(lower, upper, alpha):
    """Return the smallest n with which both ends are finite; None if no n is enough.

    Parameters
    ----------
    lower, upper : float
        Levels, see ``quantile_ranks``.

    alpha : float

    Returns
    -------
    n : int or None
    """
    farther = max(upper, float(np.nextafter(1 - lower, 2)))  # as far as 1 - lower

    def enough(n):
        k_low, k_up = quantile_ranks(n, lower, upper, alpha)
        return k_low > 0 and k_up <= n

    if farther >= 1:
        return None
    n = int(np.log(alpha / 2) / np.log(farther))  # farther^n = alpha / 2
    if n > MAX_VOTES:
        return None
    return next(k for k in range(max(1, n - 1), n + 9) if enough(k))


def _level(value, name):
    level = np.asarray(value, float)
    if not np.all((level >= 0) & (level <= 1)):
        raise ValueError(f"{name} must lie in [0, 1], got {value!r}.")
    return level
