"""Numbers and categories at once: what follows from what is left at one distance.

A kind of noise on numbers says what is left of a probability if numbers move so far and
categories change at a cost of regions (``Regions``), in arrays and rounded down. From
that one function follow the probability that is needed, and radii.
"""

import numpy as np

from ._regions import rest_of

# Nearer than that, differences of logarithms have too few digits: 0 is said instead.
_SHORTEST = 1e-7

# Beyond that nothing is left, of any float below 1.
_FURTHEST = 1e4

# Numbers in one array.
_BLOCK = 2**20

_STEPS = 50

# How near to a radius the search comes, relative to one standard deviation and it.
_NEAR = 1e-13

# What a runner-up of no votes may have where no votes does not stay none.
_NEXT_TO_NOTHING = 1e-300


class MixedNoise:
    """Noise of one kind on numbers, together with flips of categories.

    Parameters
    ----------
    least : callable
        ``least(rest, distance, regions)`` of two arrays of positive numbers, of shape
        (n,): what is left of 1 - rest at a distance in standard deviations, rounded
        down, and how fast it falls by distance, two arrays of shape (n,).

    quantile : callable
        Of probabilities: the quantile of noise along one axis, in standard deviations,
        and its density there. Only radii are searched with it, none is believed.
    """

    def __init__(self, least, quantile):
        self._least, self._quantile = least, quantile

    def worst(self, p, distance, regions):
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
        # All of a probability of 1 is left: what region has no mass here, it does not
        # have.
        moved = (distance > 0) & (rest > 0) & (probability > 0)
        probability[moved & ~(distance < _FURTHEST)] = 0.0
        moved &= distance < _FURTHEST
        further = np.maximum(distance[moved], _SHORTEST)
        probability[moved] = _in_blocks(self._kept, rest[moved], further, regions)
        return probability

    def needed(self, distance, regions):
        """Return the probability above which a class is certified, rounded up.

        The regions must be the same seen from x', as those of flips are. Then the set
        that loses most of p > needed is the complement of one that wins most of 1/2.
        """
        half = self.worst(0.5, distance, regions)
        return np.minimum(np.nextafter(1 - half, 2), 1.0)

    def radius(self, p_a, regions, p_b=None):
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
            In standard deviations, rounded down; 0 where nothing is certified, and
            where the categories alone take all there is.
        """
        return self.radius_of_rest(rest_of(p_a), regions, p_b)

    def radius_of_rest(self, rest, regions, runner_up=None):
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
        if regions.creates:
            other = np.where(rest > 0, np.maximum(other, _NEXT_TO_NOTHING), other)
        found = np.where(ahead, np.inf, 0.0)
        some = ahead & (rest > 0) & (other > 0)
        pairs = np.stack([rest[some], other[some]])
        (rest, other), where = np.unique(pairs, axis=1, return_inverse=True)
        found[some] = _in_blocks(self._solve, rest, other, regions)[np.ravel(where)]
        return found

    def _solve(self, rest, other, regions):
        """Return the largest distances at which a class is ahead, rounded down.

        Newton's method on the quantiles of what is left, which are lines for numbers
        alone, between bounds of which the lower one has been certified.
        """
        alike = np.array_equal(rest, other)
        furthest = -(self._quantile(rest)[0] + self._quantile(other)[0]) / 2
        low, high = np.zeros(rest.shape), furthest
        place, done = high, np.zeros(rest.shape, bool)
        for _ in range(_STEPS):
            place = np.maximum(place, _SHORTEST)
            one = self._least(rest, place, regions)
            two = one if alike else self._least(other, place, regions)
            good = ~done & (one[0] + two[0] > 1)
            low = np.where(good, np.maximum(low, place), low)
            high = np.where(good, high, np.minimum(high, place))
            # A bit less than Newton's step, so that the last ones come from the good
            # side.
            with np.errstate(invalid="ignore", over="ignore"):  # where nothing is left
                ahead, slope = self._line(one)
                ahead_too, slope_too = self._line(two)
                step = (ahead + ahead_too) / (slope + slope_too)
            following = place + step - _NEAR * (1 + place)
            done |= (good & ~(following > low)) | (high <= _SHORTEST)
            if np.all(done):
                break
            inside = done | ((following > low) & (following < high))
            place = np.where(inside, following, (low + high) / 2)
        return low

    def _line(self, least):
        """Return the quantile of a probability that falls, and how fast it falls."""
        probability, slope = least
        quantile, density = self._quantile(probability)
        return quantile, np.minimum(slope, 1.0) / np.maximum(density, 1e-300)

    def _kept(self, rest, distance, regions):
        return self._least(rest, distance, regions)[0]


def _in_blocks(function, first, second, regions):
    """Call a function of rows for not too many of them at a time."""
    size = max(1, _BLOCK // max(1, len(regions)))
    starts = range(0, max(1, len(first)), size)
    blocks = [slice(start, start + size) for start in starts]
    return np.concatenate([function(first[b], second[b], regions) for b in blocks])
