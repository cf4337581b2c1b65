"""From class probabilities to an l2 radius: Theorem 1."""

import numpy as np
from scipy import special

from ._checks import check_positive


def radius_from_probabilities(p_a, p_b=None, *, sigma=1.0):
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

    Returns
    -------
    radius : float or ndarray of float
        0 where p_a <= p_b: nothing is certified there.

    Raises
    ------
    ValueError
        If a probability lies outside [0, 1] or sigma is not positive and finite.

    References
    ----------
    J. Cohen, E. Rosenfeld, J. Z. Kolter (2019), arXiv:1902.02918, Theorem 1.

    Examples
    --------
    >>> from sksmooth.stats import radius_from_probabilities
    >>> radius_from_probabilities([0.4, 0.5, 0.9], sigma=0.5).round(4)
    array([0.    , 0.    , 0.6408])
    >>> radius_from_probabilities(0.4, 0.1).round(4)
    np.float64(0.5141)
    """
    p_a = _check_probability(p_a, "p_a")
    sigma = check_positive(sigma, "sigma")
    if p_b is None:
        radius = sigma * special.ndtri(p_a)
    else:
        p_b = _check_probability(p_b, "p_b")
        # Where p_a <= p_b nothing is certified, and inf - inf is avoided.
        ahead = p_a > p_b
        p_a, p_b = np.where(ahead, p_a, 0.5), np.where(ahead, p_b, 0.5)
        radius = sigma / 2 * (special.ndtri(p_a) - special.ndtri(p_b))
    # `+ 0.0` turns a negative zero into a plain one.
    return (np.maximum(radius, 0.0) + 0.0)[()]


def _check_probability(value, name):
    array = np.asarray(value, dtype=float)
    if not np.all((array >= 0) & (array <= 1)):
        raise ValueError(f"{name} must lie in [0, 1], got {value!r}.")
    return array
