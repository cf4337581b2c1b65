"""Gaussian noise on numbers and flips of categories at once.

The numbers move by s standard deviations, which is N(0, 1) against N(s, 1) on a line,
and the categories change at a cost of regions of masses P_j under x and P'_j under x'
(``Regions``). Both are independent, so that the ratio of a point z of region j is
exp(s z - s^2 / 2) P'_j / P_j. The sets that lose most are those of small ratio, which
in region j are z <= c_j,

    c_j = (t - log(P'_j / P_j)) / s + s / 2,

with t such that they have the probability p under x.

Rounding errors of t do no harm. For every t, right or wrong, and l = exp(t),

    worst(p) >= sum_j P'_j Phi(c_j - s) + l (sum_j P_j Phi(-c_j) - (1 - p))

(weak duality), and at the right t both are equal; near it they differ by the square of
the error. So a t from bisection is put into the right hand side, where all terms but
the last are rounded down. docs/categories.md has the proofs.
"""

import math

import numpy as np
from scipy.special import ndtr, ndtri

from ._mixed_search import MixedNoise

# More than ndtr errs by, relative to 1 + z^2, for z from -40 to 0; above 0, to 1.
_SLACK = 1e-12

_HALVINGS = 48
_NEXT_TO_1 = float(np.nextafter(1, 0))
_ROOT_OF_2_PI = math.sqrt(2 * math.pi)


def _least(rest, distance, regions):
    """Return a lower bound on what is left of 1 - rest, and how fast it falls.

    Parameters
    ----------
    rest, distance : ndarray of float of shape (n,)
        Both positive.

    Returns
    -------
    least, slope : ndarray of float of shape (n,)
        The slope is that by distance, with its sign changed.
    """
    here, there, ratio = regions.in_floats
    if not len(here):
        return np.zeros(rest.shape), np.ones(rest.shape)
    s = distance[:, None]
    t = _multiplier(rest, s, here, ratio)
    c, scale = (t - ratio) / s + s / 2, np.exp(t[:, 0])
    kept = _sum(_below(c - s) * there) + scale * _sum(_below(-c) * here)
    roundings = 4 * (len(here) + 4) * np.finfo(float).eps
    least = kept * (1 - roundings) - scale * rest * (1 + roundings)
    slope = _sum(np.exp(-((c - s) ** 2) / 2) * there) / _ROOT_OF_2_PI
    return np.maximum(least, 0.0), np.maximum(slope, 1e-300)


def _multiplier(rest, s, here, ratio):
    """Return t at which 1 - rest is below the cuts, about: shape (n, 1).

    Newton's method on the quantiles, which are lines where s is large, inside of a
    bracket, which is halved where steps are as at the edge of a stair.
    """
    total = here.sum()
    goal = -ndtri(np.minimum(rest / total, _NEXT_TO_1))[:, None]
    low, high = (s * (goal - s / 2) + end for end in (ratio.min(), ratio.max()))
    t, done = (low + high) / 2, np.zeros(goal.shape, bool)
    for _ in range(_HALVINGS):
        c = (t - ratio) / s + s / 2
        above = _sum(ndtr(-c) * here)[:, None] / total
        reached = -ndtri(np.clip(above, 1e-300, _NEXT_TO_1))
        done |= np.abs(reached - goal) < 1e-7
        if np.all(done):
            break
        low, high = np.where(reached < goal, t, low), np.where(reached < goal, high, t)
        density = _sum(np.exp(-(c**2) / 2) * here)[:, None] / total / s
        steepness = density / np.exp(-(reached**2) / 2)
        step = (goal - reached) / np.maximum(steepness, 1e-300)
        inside = (t + step > low) & (t + step < high)
        t = np.where(done, t, np.where(inside, t + step, (low + high) / 2))
    return np.minimum(t, 700.0)


def _sum(terms):
    """Add up along the last axis: in the same order however many rows there are."""
    return terms.sum(axis=-1)


def _below(z):
    """Phi(z), rounded down."""
    return ndtr(z) * (1 - _SLACK * (1 + np.clip(z, -40, 0) ** 2))


def _quantile(probability):
    """Return the normal quantile of a probability, and the density there."""
    quantile = ndtri(probability)
    return quantile, np.exp(-(quantile**2) / 2) / _ROOT_OF_2_PI


_mixed = MixedNoise(_least, _quantile)
worst, needed = _mixed.worst, _mixed.needed
radius, radius_of_rest = _mixed.radius, _mixed.radius_of_rest
