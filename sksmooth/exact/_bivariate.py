"""Lower bounds on the probability that two dependent normal numbers are both low."""

import numpy as np
from scipy.special import ndtr, owens_t

from ..models._bounded import EPS

# Below, Phi loses digits to underflow: 0 is a lower bound.
_LOWEST = -37.0

# Arguments are taken to be at most this, which lowers the bound by less than 1e-8.
_HIGHEST = -1e-8

# Relative to Phi(u) (1 + u^2), scipy's ndtr errs by up to 1.6 EPS and owens_t by 1.04
# (against 25 digits at 400 points, -35 < u < 0). Four times their sum is taken off.
_SLACK = 8 * EPS


def joint_below(u, v, rho):
    """Bound P(X <= u, Y <= v) from below, for standard normal X, Y of correlation rho.

    By Owen's function T, for u, v < 0::

        (Phi(u) + Phi(v)) / 2 - T(u, (v / u - rho) / s) - T(v, (u / v - rho) / s)

    with s = sqrt(1 - rho^2). As T(u, a) grows with a, both quotients are rounded up.

    Parameters
    ----------
    u, v : ndarray of float
        At most 0 (higher ones are taken as 0).

    rho : ndarray of float
        In [-1, 1), or lower. A lower bound on the correlation gives one on the
        probability, which grows with it.

    Returns
    -------
    probability : ndarray of float
        At most the exact one, and at least 0.

    References
    ----------
    D. B. Owen (1956), "Tables for computing bivariate normal probabilities", Annals of
    Mathematical Statistics 27(4), 1075-1090.
    """
    u, v, rho = np.broadcast_arrays(u, v, rho)
    some = (u > _LOWEST) & (v > _LOWEST) & (rho > -1) & (rho < 1)
    u, v = np.minimum(u[some], _HIGHEST), np.minimum(v[some], _HIGHEST)
    rho = rho[some]
    spread = np.sqrt((1 - rho) * (1 + rho))
    halves = ndtr(u) / 2 + ndtr(v) / 2
    taken = owens_t(u, _slope(v / u, rho, spread)) + owens_t(
        v, _slope(u / v, rho, spread)
    )
    error = _SLACK * ((1 + u**2) * ndtr(u) + (1 + v**2) * ndtr(v))
    probability = np.zeros(some.shape)
    probability[some] = np.maximum(halves - taken - error, 0.0)
    return probability


def _slope(ratio, rho, spread):
    """Return (ratio - rho) / spread, rounded up."""
    above = ratio - rho + 2 * EPS * (ratio + np.abs(rho))
    slope = above / spread
    return slope + 8 * EPS * np.abs(slope)
