"""Uniform noise on numbers and flips of categories at once, in closed form.

Around x and x' uniform noise has a share V in common: there the ratio of likelihoods is
1, and what else there is around x is not around x'. With flips of categories of lines
m_j - r_j q (see `_regions`), q = 1 - p,

    worst(p) = V worst_flip(1 - q / V) = max(0, max_j (V m_j - r_j q)),

which is above 1/2 as soon as V is above the least of (1/2 + r_j q) / m_j. So a radius
is the distance at which V is that: 2 lam (1 - V) in l1, 2 lam (1 - V^(1/d)) in linf.

Distances are in standard deviations, of l1: the least V is that of a move along one
axis, 1 - distance / (2 sqrt(3)).
"""

import math

import numpy as np

from ._regions import lost, rest_of

# More than five roundings of positive numbers can do.
_ROUNDINGS = 8 * np.finfo(float).eps

# Of the cube in which noise lies, in standard deviations.
_WIDTH = 2 * math.sqrt(3)


def worst(p, distance, regions):
    """Return the least probability, within a distance, of what has `p` here.

    Parameters
    ----------
    p : array-like of float

    distance : array-like of float
        How far the numbers move in l1, in standard deviations.

    regions : Regions
        What changes of the categories cost.

    Returns
    -------
    probability : ndarray of float
        Rounded down.
    """
    return worst_in_common(p, in_common(distance), regions)


def needed(distance, regions):
    """Return the probability above which a class is certified, rounded up."""
    return needed_in_common(in_common(distance), regions)


def radius_of_rest(rest, regions, runner_up=None):
    """Return the radius of a class, given what all others have together.

    Parameters
    ----------
    rest : array-like of float
        Upper bound on the probability of all other classes.

    regions : Regions

    runner_up : array-like of float, default=None
        Upper bound on the probability of any of them; None takes `rest`.

    Returns
    -------
    radius : ndarray of float
        Of l1, in standard deviations, rounded down; 0 where nothing is certified. At
        most the width of the noise: what is as far has nothing in common.
    """
    common = least_in_common_of_rest(rest, regions, runner_up)
    # Far enough above that for the roundings of what is left there.
    apart = 1 - common - 2 * _ROUNDINGS
    radius = _WIDTH * apart * (1 - _ROUNDINGS)
    ahead = regions.ahead(rest, runner_up)
    return np.where(ahead & (apart > 0), radius, 0.0)


def in_common(distance):
    """Return V, the share that noise has in common at a distance, rounded down."""
    apart = np.asarray(distance, float) / _WIDTH * (1 + _ROUNDINGS)
    return np.maximum(np.nextafter(1 - apart, -np.inf), 0.0)


def worst_in_common(p, common, regions):
    """Return the least probability, at a share in common, of what has `p` here.

    Parameters
    ----------
    p : array-like of float

    common : array-like of float
        V, the share that noise around x and around x' has in common, rounded down.

    regions : Regions
        What changes of the categories cost.

    Returns
    -------
    probability : ndarray of float
        Rounded down.
    """
    rest, common = rest_of(p)[..., None], np.asarray(common, float)[..., None]
    level, slope = regions.rounded_lines
    kept = common * level * (1 - _ROUNDINGS) - lost(slope, rest)
    return kept.max(axis=-1, initial=0.0)


def needed_in_common(common, regions):
    """Return the probability above which a class is certified, rounded up.

    It is 1 - V + V times the probability that flips alone bring down to 1 / (2 V).
    """
    half = worst_in_common(0.5, common, regions)
    return np.minimum(np.nextafter(1 - half, 2), 1.0)


def least_in_common(p_a, regions, p_b=None):
    """Return the share in common above which a class is certified.

    Parameters
    ----------
    p_a : array-like of float
        Lower bound on the probability of the class.

    regions : Regions
        What changes of the categories cost.

    p_b : array-like of float, default=None
        Upper bound on the probability of any other class; None takes 1 - p_a.

    Returns
    -------
    common : ndarray of float
        Rounded up; 1 where nothing is certified.
    """
    return least_in_common_of_rest(rest_of(p_a), regions, p_b)


def least_in_common_of_rest(rest, regions, runner_up=None):
    """Return the share in common above which a class is certified, given all others.

    Parameters
    ----------
    rest : array-like of float
        Upper bound on the probability of all other classes.

    regions : Regions

    runner_up : array-like of float, default=None
        Upper bound on the probability of any of them; None takes `rest`.

    Returns
    -------
    common : ndarray of float
        As that of ``least_in_common``.
    """
    rest = np.asarray(rest, float)
    if runner_up is None:
        return _crossing(0.5, rest, regions.rounded_lines, 0.0, (0.0, 0.0))
    rest, other = np.broadcast_arrays(rest, np.minimum(runner_up, rest))
    # What is left of 1 - p_b may be nothing, which is a line, too.
    lines = [(0.0, 0.0), *zip(*regions.rounded_lines, strict=True)]
    shares = [_crossing(1.0, rest, regions.rounded_lines, other, one) for one in lines]
    return np.minimum.reduce(shares)


def _crossing(goal, rest, lines, other, line):
    """Return the least V at which one of some lines, and another, are above a goal."""
    (level, slope), (level_too, slope_too) = lines, line
    both = lost(slope, rest[..., None])
    both = both + lost(slope_too, np.asarray(other))[..., None]
    with np.errstate(divide="ignore", over="ignore"):
        share = (goal + both) / (level + level_too) * (1 + _ROUNDINGS)
    return share.min(axis=-1, initial=1.0)
