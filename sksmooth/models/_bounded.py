"""Numbers with bounds on how far rounding has taken them from the exact ones.

Code that is written for arrays and uses +, -, *, / and @ only counts its own roundings
if it is given these instead: see ``pull_back``.
"""

import numpy as np

EPS = np.finfo(float).eps  # twice the unit roundoff

# The spacing of the smallest numbers: what a product may lose to underflow is half.
SMALLEST = 2.0**-1074

# Bounds are themselves rounded, a few times.
_UP = 1 + 16 * EPS


class Bounded:
    """An array of numbers, each of them known up to an error.

    The other operand may be an array: its numbers are exact. Results that involve no
    rounding, because a term is 0 or a factor 1, add no error.

    Parameters
    ----------
    value : ndarray

    error : ndarray of the shape of `value`, or None
        The exact numbers are at most this far from `value`; None: not at all.
    """

    # Operators of arrays leave the work to those of this class; functions of NumPy,
    # which would know of no error, refuse it.
    __array_ufunc__ = None

    def __init__(self, value, error=None):
        self.value = np.asarray(value, dtype=float)
        self.error = np.zeros(self.value.shape) if error is None else error

    def __array__(self, *args, **kwargs):
        raise TypeError("an array would forget the errors of Bounded numbers")

    def __getitem__(self, place):
        return Bounded(self.value[place], self.error[place])

    @property
    def may_differ_from_0(self):
        """Boolean ndarray: False where the exact number is 0 for sure."""
        return (self.value != 0) | (self.error != 0)

    def rearranged(self, function):
        """Return what `function` makes of the array, if it only moves numbers."""
        return Bounded(function(self.value), function(self.error))

    def __add__(self, other):
        other = _bounded(other)
        value = self.value + other.value
        rounded = (self.value != 0) & (other.value != 0)
        own = np.where(rounded, EPS * np.abs(value), 0.0)
        return Bounded(value, (self.error + other.error + own) * _UP)

    def __neg__(self):
        return Bounded(-self.value, self.error)

    def __sub__(self, other):
        return self + -_bounded(other)

    def __mul__(self, other):
        other = _bounded(other)
        value = self.value * other.value
        error = (
            self.error * np.abs(other.value)
            + np.abs(self.value) * other.error
            + self.error * other.error
        )
        one = (np.abs(self.value) == 1) | (np.abs(other.value) == 1)
        exact = one & (error == 0)
        own = np.where(exact, 0.0, EPS * np.abs(value) + 4 * SMALLEST)
        touched = self.may_differ_from_0 & other.may_differ_from_0
        return Bounded(value, np.where(touched, (error + own) * _UP, 0.0))

    def __truediv__(self, other):
        other = _bounded(other)
        value = self.value / other.value
        least = (np.abs(other.value) - other.error) / _UP
        error = (self.error + np.abs(value) * other.error) / least
        exact = (np.abs(other.value) == 1) & (error == 0)
        own = np.where(exact, 0.0, EPS * np.abs(value) + 4 * SMALLEST)
        return Bounded(
            value, np.where(self.may_differ_from_0, (error + own) * _UP, 0.0)
        )

    def __matmul__(self, other):
        other = _bounded(other)
        value = self.value @ other.value
        size, others_size = np.abs(self.value), np.abs(other.value)
        # A rounding for each product and each sum, in any order, of those that are
        # not 0.
        n_terms = self.may_differ_from_0.astype(float) @ other.may_differ_from_0.astype(
            float
        )
        error = size @ other.error + self.error @ (others_size + other.error)
        own = n_terms * (EPS * (size @ others_size) + 4 * SMALLEST)
        # The bound is a sum of as many terms.
        return Bounded(value, (error + own) * (_UP + 4 * EPS * n_terms))


def _bounded(numbers):
    return numbers if isinstance(numbers, Bounded) else Bounded(numbers)


def divided_by_root(numbers, squares, least):
    """Return numbers / max(sqrt(squares), least).

    Parameters
    ----------
    numbers : ndarray or Bounded

    squares : ndarray
        Exact numbers.

    least : float
    """
    roots = np.maximum(np.sqrt(np.asarray(squares, dtype=float)), least)
    if isinstance(numbers, Bounded):
        roots = Bounded(roots, EPS * roots)
    return numbers / roots
