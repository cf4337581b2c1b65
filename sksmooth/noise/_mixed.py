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

from ._regions import rest_of

# More than ndtr errs by, relative to 1 + z^2, for z from -40 to 0; above 0, to 1.
_SLACK = 1e-12

# Below this many standard deviations the c_j have too few digits: 0 is said instead.
_SHORTEST = 1e-7

# Numbers in one array.
_BLOCK = 2**20

_HALVINGS = 48
_STEPS = 50

# How near to a radius the search comes, relative to one standard deviation and it.
_NEAR = 1e-13

_NEXT_TO_1 = float(np.nextafter(1, 0))
_ROOT_OF_2_PI = math.sqrt(2 * math.pi)


def worst(p, distance, regions):
    """Return the least probability, within a distance, of what has `p` here.

    Parameters
    ----------
    p : array-like of float

    distance : array-like of float
        How far the numbers move, in standard deviations.

    regions : Regions
        What changes of the categories cost.

    Returns
    -------
    probability : ndarray of float
        Rounded down.
    """
    rest, distance = np.broadcast_arrays(rest_of(p), np.asarray(distance, float))
    probability = np.array(regions.worst_of_rest(rest))
    # All of a probability of 1 is left: what region has no mass here, it does not have.
    moved = (distance > 0) & (rest > 0) & (probability > 0)
    further = np.maximum(distance[moved], _SHORTEST)
    probability[moved] = _in_blocks(_kept, rest[moved], further, regions)
    return probability


def needed(distance, regions):
    """Return the probability above which a class is certified, rounded up.

    The regions must be the same seen from x', as those of flips are. Then the set that
    loses most of p > needed is the complement of one that wins most of 1/2.
    """
    half = worst(0.5, distance, regions)
    return np.minimum(np.nextafter(1 - half, 2), 1.0)


def radius(p_a, regions, p_b=None):
    """Return the radius of a class of at least `p_a`, the others at most `p_b`.

    Parameters
    ----------
    p_a : array-like of float

    regions : Regions
        What changes of the categories cost.

    p_b : array-like of float, default=None
        None takes 1 - p_a.

    Returns
    -------
    radius : ndarray of float
        In standard deviations, rounded down; 0 where nothing is certified, and where
        the categories alone take all there is.
    """
    return radius_of_rest(rest_of(p_a), regions, p_b)


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
        As that of ``radius``.
    """
    ahead = regions.ahead(rest, runner_up)
    other = rest if runner_up is None else np.minimum(runner_up, rest)
    rest, other = np.broadcast_arrays(np.asarray(rest, float), other)
    found = np.where(ahead, np.inf, 0.0)
    some = ahead & (rest > 0) & (other > 0)
    pairs = np.stack([rest[some], other[some]])
    (rest, other), where = np.unique(pairs, axis=1, return_inverse=True)
    found[some] = _in_blocks(_solve, rest, other, regions)[np.ravel(where)]
    return found


def _in_blocks(function, first, second, regions):
    """Call a function of rows for not too many of them at a time."""
    size = max(1, _BLOCK // max(1, len(regions)))
    starts = range(0, max(1, len(first)), size)
    blocks = [slice(start, start + size) for start in starts]
    return np.concatenate([function(first[b], second[b], regions) for b in blocks])


def _solve(rest, other, regions):
    """Return the largest distances at which a class is ahead, rounded down.

    Newton's method on the quantiles of what is left, which are lines for numbers alone,
    between bounds of which the lower one has been certified.
    """
    alike = np.array_equal(rest, other)
    low, high = np.zeros(rest.shape), -(ndtri(rest) + ndtri(other)) / 2
    place, done = high, np.zeros(rest.shape, bool)
    for _ in range(_STEPS):
        place = np.maximum(place, _SHORTEST)
        one = _least(rest, place, regions)
        two = one if alike else _least(other, place, regions)
        good = ~done & (one[0] + two[0] > 1)
        low = np.where(good, np.maximum(low, place), low)
        high = np.where(good, high, np.minimum(high, place))
        # A bit less than Newton's step, so that the last ones come from the good side.
        with np.errstate(invalid="ignore", over="ignore"):  # where nothing is left
            (ahead, slope), (ahead_too, slope_too) = _quantile(*one), _quantile(*two)
            step = (ahead + ahead_too) / (slope + slope_too)
        following = place + step - _NEAR * (1 + place)
        done |= (good & ~(following > low)) | (high <= _SHORTEST)
        if np.all(done):
            break
        inside = done | ((following > low) & (following < high))
        place = np.where(inside, following, (low + high) / 2)
    return low


def _quantile(probability, slope):
    """Return the normal quantile of a probability that falls, and how fast it falls."""
    quantile = ndtri(probability)
    density = np.exp(-(quantile**2) / 2) / _ROOT_OF_2_PI
    return quantile, np.minimum(slope, 1.0) / np.maximum(density, 1e-300)


def _kept(rest, distance, regions):
    return _least(rest, distance, regions)[0]


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
