"""From class probabilities to an l2 radius: Theorem 1, and two earlier guarantees."""

import numpy as np

from ..noise import Gaussian
from ._checks import check_positive

_EPS = np.finfo(float).eps


def radius_from_probabilities(p_a, p_b=None, *, sigma=1.0, guarantee="cohen"):
    """Certified l2 radius from bounds on the two highest class probabilities.

    Theorem 1: if the top class has probability at least `p_a` under N(0, sigma^2 I)
    noise and every other class at most `p_b`, no perturbation of l2 norm below

        R = sigma / 2 * (Phi^-1(p_a) - Phi^-1(p_b))

    changes the smoothed prediction.

    Parameters
    ----------
    p_a : float or array-like of float
        Lower bound on the probability of the top class, in [0, 1].

    p_b : float or array-like of float, default=None
        Upper bound on the probability of every other class, in [0, 1]. ``None``
        takes 1 - p_a, which turns the radius into sigma * Phi^-1(p_a).

    sigma : float or array-like of float, default=1.0
        Noise level, in the units of the input; the radius has the same units.

    guarantee : {"cohen", "lecuyer", "li"}, default="cohen"
        "cohen" is Theorem 1, the largest radius that any guarantee can give from
        these bounds. The two earlier guarantees are for comparison:
        cohen >= li >= lecuyer where p_b = 1 - p_a (see the notes for p_b < 1 - p_a).

    Returns
    -------
    radius : float or ndarray of float
        0 where p_a <= p_b: nothing is certified there.

    Raises
    ------
    ValueError
        If a probability lies outside [0, 1], sigma is not positive and finite or
        `guarantee` is none of the three.

    Notes
    -----
    The earlier guarantees are maxima over a free parameter, each value of which is
    valid: the search returns a valid radius, less than 1e-6 (relative) below the
    largest.

    - "lecuyer": sigma * b / sqrt(2 ln(1.25 (1 + e^b) / (p_a - e^(2 b) p_b))) over
      0 < b <= min(1, ln(p_a / p_b) / 2).
    - "li": sigma * sqrt(-(2 / a) ln(1 - p_a - p_b + 2 M)) over a > 0, with M the
      power mean ((p_a^(1 - a) + p_b^(1 - a)) / 2)^(1 / (1 - a)). Two probabilities
      that sum to more than 1 mean nothing to it: `p_a` is then taken as 1 - p_b.

    Theorem 1 is above both wherever p_a + p_b <= 1. "li" is above "lecuyer" if
    p_a > .11; for smaller p_a there are p_b < 1 - p_a with "lecuyer" above "li".

    References
    ----------
    J. Cohen, E. Rosenfeld, J. Z. Kolter (2019), arXiv:1902.02918, Theorem 1 and
    appendix I.
    M. Lecuyer, V. Atlidakis, R. Geambasu, D. Hsu, S. Jana (2019), arXiv:1802.03471.
    B. Li, C. Chen, W. Wang, L. Carin (2018), arXiv:1809.03113.

    Examples
    --------
    >>> from sksmooth.stats import radius_from_probabilities
    >>> radius_from_probabilities([0.4, 0.5, 0.9], sigma=0.5).round(4)
    array([0.    , 0.    , 0.6408])
    >>> round(float(radius_from_probabilities(0.4, 0.1)), 4)
    0.5141
    >>> for guarantee in ("cohen", "li", "lecuyer"):
    ...     print(f"{radius_from_probabilities(0.9, guarantee=guarantee):.4f}")
    1.2816
    1.0319
    0.3903
    """
    p_a = _check_probability(p_a, "p_a")
    p_b = None if p_b is None else _check_probability(p_b, "p_b")
    sigma = check_positive(sigma, "sigma")
    if guarantee not in _GUARANTEES:
        raise ValueError(
            f"guarantee must be one of {', '.join(_GUARANTEES)}, got {guarantee!r}."
        )
    radius = sigma * _GUARANTEES[guarantee](p_a, p_b)
    # `+ 0.0` turns a negative zero into a plain one.
    return (np.maximum(radius, 0.0) + 0.0)[()]


def radius_after_loss(radius, loss):
    """Take from a radius what rounding inputs to a grid costs.

    If rounding maps x and x' to q(x) and q(x'), and
    ||q(x) - q(x')|| <= ||x - x'|| + loss for all x', a radius that holds around q(x)
    for rounded inputs becomes one around x for inputs that are rounded first.

    Parameters
    ----------
    radius : array-like of float
        Certified radii, 0 where there is none.

    loss : array-like of float, or None
        In the units of `radius`; None takes off nothing.

    Returns
    -------
    radius : ndarray of float
        Rounded down; 0 where nothing is left.
    """
    radius = np.asarray(radius, dtype=float)
    if loss is None:
        return radius
    # The next number below makes up for the rounding of the difference.
    less = np.nextafter(radius - loss, -np.inf)
    return np.maximum(np.where(np.isinf(radius), radius, less), 0.0)


def certified_after_loss(proof, radius, loss, p_a, p_b=None):
    """Tell which classes are certified at all.

    Parameters
    ----------
    proof : Proof
        What the noise proves.

    radius : ndarray of float
        What ``radius_after_loss`` left.

    loss : array-like of float, or None
        What it took off.

    p_a, p_b : ndarray of float
        Bounds on the probabilities of the class and of every other.

    Returns
    -------
    certified : ndarray of bool
    """
    certified = proof.certified(radius, p_a, p_b)
    if loss is None:
        return certified
    # An input that was moved to the grid is known no further than the radius is.
    return certified & ((radius > 0) | (np.asarray(loss) == 0))


def radius_before_loss(radius, loss):
    """Return a radius from which `radius` is left after a loss; its inverse.

    Parameters
    ----------
    radius : float or ndarray of float
        What is to be left, >= 0.

    loss : float, ndarray of float or None
        See ``radius_after_loss``.

    Returns
    -------
    radius : float or ndarray of float
        Rounded up.
    """
    if loss is None:
        return radius
    up = np.nextafter(np.nextafter(radius + loss, np.inf), np.inf)
    return np.nextafter(up, np.inf)


def _lecuyer(p_a, p_b):
    p_a, p_b, ahead = _ahead(p_a, p_b)
    with np.errstate(divide="ignore"):
        largest = np.minimum(1.0, (np.log(p_a) - np.log(p_b)) / 2)

    def radius(share):
        b = share * largest
        # Rounded down: at the upper end of b both terms are equal up to rounding.
        delta = (p_a - np.exp(2 * b) * p_b * (1 + 8 * _EPS)) * (1 - 8 * _EPS)
        certified = delta > 0
        log_ratio = np.log(1.25 * (1 + np.exp(b))) - np.log(
            np.where(certified, delta, 1.0)
        )
        return np.where(certified, b / np.sqrt(2 * log_ratio), 0.0)

    grid = np.linspace(0, 1, 65)[1:]
    return np.where(ahead, _maximum(radius, grid, 0.0, 1.0), 0.0)


def _li(p_a, p_b):
    p_a, p_b, ahead = _ahead(p_a, p_b)
    p_a = np.minimum(p_a, 1 - p_b)
    ahead &= p_a > p_b
    p_a, p_b = np.where(ahead, p_a, 0.5), np.where(ahead, p_b, 0.25)
    zero = p_b == 0
    log_a, log_b = np.log(p_a), np.log(np.where(zero, 0.5, p_b))
    distance = log_a - log_b

    def radius(log_order):
        order = np.exp(log_order)
        s = 1 - order
        # The power mean is the geometric mean times cosh(x)^(1/s), x = s distance / 2.
        x = np.abs(s * distance / 2)
        small = np.log1p(2 * np.sinh(np.minimum(x, 1.0) / 2) ** 2)
        large = x + np.log1p(np.exp(-2 * x)) - np.log(2)
        log_cosh = np.where(x < 1, small, large)
        nonzero = np.where(s == 0, 1.0, s)
        log_mean = (log_a + log_b) / 2 + np.where(s == 0, 0.0, log_cosh / nonzero)
        # With p_b = 0 it is p_a 2^(-1/s) for s > 0, else 0.
        with_zero = np.where(
            s > 0, log_a - np.log(2) / np.where(s > 0, s, 1.0), -np.inf
        )
        mean = np.exp(np.where(zero, with_zero, log_mean))
        # Rounded up: by the roundings of the exponent and of the sum.
        mean *= 1 + (8 + 4 * np.abs(np.where(zero, 0.0, log_mean))) * _EPS
        total = np.minimum((1 - p_a - p_b) + 2 * mean + 4 * _EPS, 1.0)
        return np.sqrt(-2 / order * np.log(total))

    grid = np.linspace(np.log(1e-2), np.log(1e4), 97)
    best = _maximum(radius, grid, grid[0], grid[-1])
    # A class with probability 1 against none: no shift of the noise can swap them.
    return np.where(ahead, np.where(zero & (p_a == 1), np.inf, best), 0.0)


def _ahead(p_a, p_b):
    """Both probabilities, placeholders where p_a <= p_b, and where that is not so."""
    p_a, p_b = np.broadcast_arrays(p_a, 1 - p_a if p_b is None else p_b)
    ahead = p_a > p_b
    return np.where(ahead, p_a, 0.5), np.where(ahead, p_b, 0.25), ahead


def _maximum(function, grid, low, high):
    """Highest value that a search over the parameter finds, for each element.

    A walk along the grid, then golden sections between the neighbours of the best
    point. It returns a value that was reached, so never more than the maximum.
    """
    best = function(grid[0])
    where = np.zeros(best.shape, dtype=int)
    for i, point in enumerate(grid[1:], start=1):
        value = function(point)
        where = np.where(value > best, i, where)
        best = np.maximum(best, value)
    left = np.where(where > 0, grid[np.maximum(where - 1, 0)], low)
    right = np.where(where < len(grid) - 1, grid[(where + 1) % len(grid)], high)
    golden = (np.sqrt(5) - 1) / 2
    for _ in range(30):
        step = golden * (right - left)
        first, second = function(right - step), function(left + step)
        best = np.maximum(best, np.maximum(first, second))
        rising = second > first
        left, right = (
            np.where(rising, right - step, left),
            np.where(rising, right, left + step),
        )
    return best


_GUARANTEES = {"cohen": Gaussian().bind(1.0).radius, "lecuyer": _lecuyer, "li": _li}


def _check_probability(value, name):
    array = np.asarray(value, dtype=float)
    if not np.all((array >= 0) & (array <= 1)):
        raise ValueError(f"{name} must lie in [0, 1], got {value!r}.")
    return array
