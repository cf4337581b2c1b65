"""Bounds in rationals, and adversaries who try everything."""

from fractions import Fraction
from itertools import product

import mpmath
import numpy as np


def exact_worst(regions, p):
    """Least P'(A) of all A with P(A) = p: regions in order, and a part of the last."""
    left, lost = Fraction(p), Fraction(0)
    for here, there in regions.masses:
        if not here:
            break
        part = min(Fraction(1), left / here)
        lost, left = lost + part * there, left - part * here
    return lost


def knots(regions):
    """Every p at which the bound bends, in order."""
    found = [Fraction(0)]
    for here, _ in regions.masses:
        found.append(found[-1] + here)
    return sorted(set(found))


def least_of_all_sets(here, there):
    """Return {P(A): the least P'(A)} over all sets A of points.

    Parameters
    ----------
    here, there : list of int
        Masses of the points times a common number.
    """
    bits = (np.arange(2 ** len(here))[:, None] >> np.arange(len(here))) & 1
    p = bits @ np.array(here, dtype=object)
    lost = bits @ np.array(there, dtype=object)
    least = {}
    for one, other in zip(p.tolist(), lost.tolist(), strict=True):
        least[one] = min(other, least.get(one, other))
    return least


def joint_masses(column_masses, x):
    """Return the probability of each point of a grid under independent noise on x.

    Parameters
    ----------
    column_masses : list of nested lists
        [v][w]: of each column, how likely v becomes w.

    x : tuple of int
    """
    points = product(*(range(len(masses[0])) for masses in column_masses))
    return [
        _product(m[v][w] for m, v, w in zip(column_masses, x, z, strict=True))
        for z in points
    ]


def _product(factors):
    result = Fraction(1)
    for factor in factors:
        result *= factor
    return result


def phi(z):
    """The normal distribution function, to mpmath's digits."""
    return mpmath.erfc(-z / mpmath.sqrt(2)) / 2


def mp(fraction):
    """A rational or a float as a number of mpmath's."""
    fraction = Fraction(fraction)
    return mpmath.mpf(fraction.numerator) / fraction.denominator


def mixed_worst(regions, rest, distance):
    """What is left of 1 - rest if numbers move and regions change, to 30 digits."""
    with mpmath.workdps(30):
        rest, s = mp(rest), mp(distance)
        parts = [
            (mp(h), mp(t), mpmath.log(mp(t) / mp(h)))
            for h, t in regions.masses
            if h and t
        ]

        def cut(t, ratio):
            return (t - ratio) / s + s / 2

        low, high = mpmath.mpf(-3000), mpmath.mpf(3000)
        for _ in range(110):
            t = (low + high) / 2
            if mpmath.fsum(h * phi(-cut(t, r)) for h, _, r in parts) > rest:
                low = t
            else:
                high = t
        return mpmath.fsum(there * phi(cut(t, r) - s) for _, there, r in parts)


def laplace_worst(regions, rest, distance):
    """Do what ``mixed_worst`` does for Laplace noise: the best set itself."""
    with mpmath.workdps(30):
        p, r = 1 - mp(rest), mpmath.sqrt(2) * mp(distance)
        lost = mpmath.fsum(mp(h) for h, t in regions.masses if h and not t)
        parts = [
            (mp(h), mp(t), mpmath.log(mp(t) / mp(h)))
            for h, t in regions.masses
            if h and t
        ]

        def below(t, moved):
            """Probability that the log of the numbers' ratio is below t."""
            if t <= -r or t > r:
                return mpmath.mpf(t > r)
            z = (t + r) / 2 - moved
            return mpmath.exp(z) / 2 if z < 0 else 1 - mpmath.exp(-z) / 2

        def reached(t):
            return lost + mpmath.fsum(h * below(t - ratio, 0) for h, _, ratio in parts)

        low, high = mpmath.mpf(-3000), mpmath.mpf(3000)
        for _ in range(110):
            t = (low + high) / 2
            low, high = (t, high) if reached(t) <= p else (low, t)
        if reached(low) > p:
            return mpmath.mpf(0)
        # Of the points at which the ratio is that, a part.
        left = mpmath.fsum(there * below(low - ratio, r) for _, there, ratio in parts)
        return left + mpmath.exp(low) * (p - reached(low))
