"""Laplace noise on numbers and flips of categories at once, in closed form.

Of all moves of length r in l1 (in units of b) one along an axis is the worst. There the
ratio of likelihoods L lies between exp(-r) and exp(r), and for every number u

    E min(u, L) = min(u, sqrt(u exp(-r)), 1).

Flips are independent of that, in regions of masses P_j under x and P'_j under x'
(``Regions``). So by weak duality, for every l, right or wrong,

    worst(p) >= sum_j min(l P_j, sqrt(l exp(-r) P_j P'_j), P'_j) - l (1 - p),

and at the right l both are equal. The right hand side is concave in l, and on each of
the intervals between the points P'_j / P_j exp(-+r) it is A l + B sqrt(l) + C. The
interval is found by bisection, its best l in closed form, and that l is put into the
right hand side, where all terms but the last are rounded down. docs/categories.md has
the proofs.
"""

import math

import numpy as np

from ._mixed_search import MixedNoise

_EPS = np.finfo(float).eps
_ROOT_2 = math.sqrt(2)

# Covers underflow.
_TINY = 1e-300

# The logarithm of no l is larger, so that l is a float.
_LARGEST = 700.0


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
    r = (distance * _ROOT_2)[:, None]
    t = np.minimum(_multiplier(rest, r, here, ratio), _LARGEST)
    scale = np.exp(t)
    # exp(-r / 2), rounded down: an error of r counts as often as r is large.
    far = np.minimum(r, 2 * _LARGEST)
    common = np.exp(-r / 2) * (1 - (4 + 4 * far) * _EPS)
    linear = scale * here
    middle = np.sqrt(scale) * common * (np.sqrt(here) * np.sqrt(there))
    terms = np.minimum(np.minimum(linear, middle), there)
    lost = scale[:, 0] * rest
    roundings = (len(here) + 16) * _EPS
    least = _sum(terms) * (1 - roundings) - lost * (1 + 4 * _EPS) - _TINY
    # Where l is at the end of an interval, one of the two is too large.
    rising = _sum(np.where(t <= ratio + r, terms, 0.0)) - lost
    falling = lost - _sum(np.where(t < ratio - r, terms, 0.0))
    slope = np.minimum(rising, falling) * _ROOT_2
    return np.maximum(least, 0.0), np.maximum(slope, 1e-300)


def _multiplier(rest, r, here, ratio):
    """Return the logarithm of the best l: shape (n, 1)."""
    kinks = np.sort(np.concatenate([ratio - r, ratio + r], axis=1), axis=1)
    # The first at which the right hand side does not rise any more; at the last one
    # there is nothing left that rises.
    first = np.zeros((len(rest), 1), np.intp)
    last = np.full((len(rest), 1), kinks.shape[1] - 1)
    while np.any(first < last):
        middle = (first + last) // 2
        place = np.take_along_axis(kinks, middle, axis=1)
        linear = np.where(place < ratio - r, here, 0.0)
        root = (place >= ratio - r) & (place < ratio + r)
        root = np.where(root, here / 2 * _root(ratio - r - place), 0.0)
        rises = (_sum(linear) + _sum(root) > rest)[:, None]
        first = np.where(rises & (first < last), middle + 1, first)
        last = np.where(rises, last, middle)
    high = np.take_along_axis(kinks, last, axis=1)
    low = np.take_along_axis(kinks, np.maximum(last - 1, 0), axis=1)
    # The slope is A - rest + B / (2 sqrt(l)), with B in units of sqrt(exp(low)).
    left = rest - _sum(np.where(ratio - r >= high, here, 0.0))
    root = (ratio - r <= low) & (ratio + r >= high)
    root = _sum(np.where(root, here / 2 * _root(ratio - r - low), 0.0))
    with np.errstate(divide="ignore", invalid="ignore"):
        place = low[:, 0] + 2 * np.log(root / left)
    place = np.where(left > 0, np.clip(place, low[:, 0], high[:, 0]), high[:, 0])
    return np.where(last[:, 0] == 0, high[:, 0], place)[:, None]


def _root(z):
    """sqrt(exp(z)) of what is not positive."""
    return np.exp(np.minimum(z, 0.0) / 2)


def _sum(terms):
    """Add up along the last axis: in the same order however many rows there are."""
    return terms.sum(axis=-1)


def _quantile(probability):
    """Return the quantile of Laplace noise, and the density there."""
    side = np.minimum(probability, 1 - probability)
    with np.errstate(divide="ignore"):
        quantile = np.log(2 * side) / _ROOT_2
    return np.where(probability > 0.5, -quantile, quantile), _ROOT_2 * side


_mixed = MixedNoise(_least, _quantile)
worst, needed = _mixed.worst, _mixed.needed
radius, radius_of_rest = _mixed.radius, _mixed.radius_of_rest
