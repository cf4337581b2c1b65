"""Two distributions on finitely many points: what a set may lose, exactly.

Let noise on x give points the masses P, and noise on x' the masses P'. Only the ratio
P' / P of a point matters, so points of the same ratio are one region. By Neyman and
Pearson, of all sets with P(A) = p those have the least P'(A) that take regions in the
order of P' / P, and a part of the last one: a convex function of p, made of one line
for each region. With q = 1 - p the lines are

    m_j - r_j q,   r_j = P'_j / P_j,   m_j = sum of P'_i over i < j + r_j sum of P_i
                                             over i >= j,

and the function is the largest of them. All masses are rationals; floats come in at the
end, rounded in the safe direction. docs/categories.md has the proofs.
"""

import math
import sys
from fractions import Fraction
from functools import cached_property

import numpy as np


class Regions:
    """Regions of equal likelihood ratio, with their masses under x and x'.

    Parameters
    ----------
    masses : iterable of (Fraction, Fraction)
        Of points, or of sets of points with the same ratio: under x and under x'.

    Attributes
    ----------
    masses : tuple of (Fraction, Fraction)
        One pair for each ratio, in the order of P' / P.
    """

    def __init__(self, masses):
        found = {}
        for here, there in masses:
            if here or there:
                ratio = there / here if here else math.inf
                other = found.get(ratio, (0, 0))
                found[ratio] = (other[0] + here, other[1] + there)
        self.masses = tuple(found[ratio] for ratio in sorted(found))

    def __len__(self):
        return len(self.masses)

    def __mul__(self, other):
        """Return the regions of two independent parts together."""
        return Regions(
            (here * here_too, there * there_too)
            for here, there in self.masses
            for here_too, there_too in other.masses
        )

    @property
    def creates(self):
        """Has a region a mass under x' only? Then what has none here may have some."""
        return any(there and not here for here, there in self.masses)

    @cached_property
    def lines(self):
        """(m_j, r_j) of each region that has a mass under x: tuple of Fractions."""
        lines, inside, outside = [], Fraction(0), Fraction(1)
        for here, there in self.masses:
            if here:
                ratio = Fraction(there) / here
                lines.append((inside + ratio * outside, ratio))
            inside, outside = inside + there, outside - here
        return tuple(lines)

    @cached_property
    def rounded_lines(self):
        """m_j rounded down and r_j rounded up: two arrays of float."""
        level = [round_down(at_one) for at_one, _ in self.lines]
        slope = [round_up(ratio) for _, ratio in self.lines]
        return np.array(level), np.array(slope)

    @cached_property
    def in_floats(self):
        """P_j and P'_j, rounded down, and log(P'_j / P_j), where neither is zero."""
        both = [(here, there) for here, there in self.masses if here and there]
        ratios = [Fraction(there) / here for here, there in both]
        # Of whole numbers: a ratio may be too large for a float.
        logs = [math.log(r.numerator) - math.log(r.denominator) for r in ratios]
        here = [round_down(mass) for mass, _ in both]
        there = [round_down(mass) for _, mass in both]
        return np.array(here), np.array(there), np.array(logs)

    def worst(self, p):
        """Return the least probability under x' of what has `p` under x.

        Parameters
        ----------
        p : array-like of float

        Returns
        -------
        probability : ndarray of float
            Rounded down. Does not fall as `p` grows, and is convex up to rounding.
        """
        return self.worst_of_rest(rest_of(p))

    def worst_of_rest(self, rest):
        """Return ``worst(1 - rest)``, accurate where 1 - rest would round to 1."""
        rest = np.asarray(rest, float)
        kept = np.zeros(rest.shape)
        for level, slope in zip(*self.rounded_lines, strict=True):
            line = np.nextafter(level - lost(slope, rest), -np.inf)
            kept = np.maximum(kept, line)
        return kept

    def ahead(self, rest, runner_up=None):
        """Is a class certified, given what all others have together?

        Parameters
        ----------
        rest : array-like of float
            Upper bound on the probability of all other classes.

        runner_up : array-like of float, default=None
            Upper bound on the probability of any of them; None takes `rest`.

        Returns
        -------
        ahead : ndarray of bool
        """
        least = self.worst_of_rest(rest)
        if runner_up is None:
            return least > 0.5
        # Of two lower bounds: their sum rounds to more than 1 only if it is more.
        return least + self.worst_of_rest(np.minimum(runner_up, rest)) > 1

    def needed(self, level=Fraction(1, 2)):
        """Return sup{p : worst(p) <= level}, exactly.

        Parameters
        ----------
        level : Fraction, default=1/2
            Not negative.

        Returns
        -------
        p : Fraction
            1 if nothing is above the level.
        """
        crossings = [
            1 - (at_one - level) / ratio for at_one, ratio in self.lines if ratio
        ]
        return min([Fraction(1), *crossings])


def rest_of(p):
    """Return 1 - p, rounded up; exact from 1/2 on."""
    p = np.asarray(p, float)
    rest = 1 - p
    return np.where((p > 0) & (p < 0.5), np.nextafter(rest, 2), rest)


def lost(slope, rest):
    """Return slope * rest, rounded up; an infinite slope takes nothing of nothing."""
    with np.errstate(invalid="ignore"):
        return np.where(rest > 0, np.nextafter(slope * rest, np.inf), 0.0)


def round_up(fraction):
    """Return the least float that is at least a rational."""
    try:
        value = float(fraction)
    except OverflowError:
        return math.inf if fraction > 0 else -sys.float_info.max
    return value if Fraction(value) >= fraction else math.nextafter(value, math.inf)


def round_down(fraction):
    """Return the largest float that is at most a rational."""
    return -round_up(-fraction)
