"""Bounds in rationals, and adversaries who try everything."""

from fractions import Fraction
from itertools import product

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
    column_masses : list of square nested lists
        [v][w]: of each column, how likely v becomes w.

    x : tuple of int
    """
    points = product(*(range(len(masses)) for masses in column_masses))
    return [
        _product(m[v][w] for m, v, w in zip(column_masses, x, z, strict=True))
        for z in points
    ]


def _product(factors):
    result = Fraction(1)
    for factor in factors:
        result *= factor
    return result
