"""What trees split on, as independent variables: bounds on interval masses.

Every bound here holds in exact arithmetic for the numbers that are stored: it is
rounded outwards by more than the floating-point error made in computing it.
"""

from copy import copy

import numpy as np

from ..models._affine import pull_back, takes_apart
from ..models._bounded import EPS, SMALLEST, Bounded

# Added to every bound that is not 0 by logic: covers underflow.
TINY = 1e-300


class Unsupported(ValueError):
    """There is no exact answer for this kind of classifier."""


def unsupported(what):
    """Return the error that says `what` was found and what could have been."""
    return Unsupported(
        f"method='exact' cannot compute the class probabilities of {what}. It supports "
        "two-class linear classifiers, DecisionTreeClassifier of any depth, and "
        "two-class AdaBoostClassifier or GradientBoostingClassifier of depth-1 trees; "
        "each of them also behind affine steps that act on every feature by itself "
        "(scalers, feature selection) or in a FrozenEstimator. For anything else use "
        "method='monte_carlo'."
    )


def columns_of(features, n_features, steps):
    """Return the column of x that each feature is made of: coef * x[column] + offset.

    Parameters
    ----------
    features : ndarray of int of shape (n_axes,)

    n_features : int
        How many come out of the last step.

    steps : sequence of transformers

    Returns
    -------
    column : ndarray of int of shape (n_axes,)

    coef, offset : Bounded of shape (n_axes,)

    Raises
    ------
    Unsupported
        If a step is not affine, or mixes features.
    """
    rows = np.zeros((len(features), n_features))
    rows[np.arange(len(features)), features] = 1.0
    rows, offset = Bounded(rows), Bounded(np.zeros(len(features)))
    for step in reversed(steps):
        name = type(step).__name__
        pulled = pull_back(step, rows, offset)
        if pulled is None:
            raise unsupported(f"a tree behind {name}, which is not affine")
        rows, offset = pulled
        if np.any(np.count_nonzero(rows.may_differ_from_0, axis=1) > 1):
            raise unsupported(f"a tree behind {name}, which mixes features")
    column = rows.may_differ_from_0.argmax(axis=1)
    return column, rows[np.arange(len(features)), column], offset


def coarser(dtype, steps=()):
    """Return how much larger roundings in a dtype are than those in float64.

    Steps compute in the dtype of X; where they take its columns apart, in that of some
    of them, which may be single precision though that of all is not. Noise blurs what
    that does to a decision; where a decision is about features without noise, nothing
    does: there f may be on the other side, for good, of what its numbers say in exact
    arithmetic.
    """
    if takes_apart(steps):
        dtype = np.float32
    elif not np.issubdtype(dtype, np.inexact):  # integers are computed with as float64
        dtype = np.float64
    return np.finfo(dtype).eps / EPS


class Axes:
    """The features that a tree uses, behind the steps: z = coef * x[column] + offset.

    Parameters
    ----------
    features : ndarray of int of shape (n_axes,)
        Features that the tree splits on, without repetition.

    n_features : int
        How many features the tree is fed.

    steps : sequence of transformers
        What x goes through on its way to the tree.

    noise : BoundNoise
        Of the columns of x, one level for each.

    Raises
    ------
    Unsupported
        As ``columns_of``; or if a column with noise makes two of the features.
    """

    def __init__(self, features, n_features, steps, noise):
        self.steps = steps
        self.column, coef, offset = columns_of(features, n_features, steps)
        self.coef, self.coef_error = coef.value, coef.error
        self.offset, self.offset_error = offset.value, offset.error
        self.level = Level(np.abs(self.coef), coef.error, noise.sigma[self.column])
        self.cdf_bounds = noise.cdf_bounds
        noisy = self.column[~self.level.is_0]
        if len(set(noisy)) < len(noisy):
            raise unsupported("a tree that is fed a feature more than once")
        # z = x needs no arithmetic and has no error.
        self.exact = (self.coef == 1) & (self.offset == 0)
        self.exact &= (self.coef_error == 0) & (self.offset_error == 0)

    def place(self, X):
        """Return z for each input, (n_axes, n_inputs), and bounds on its error.

        0 stands for what is missing: whoever asks knows where that is.
        """
        x = np.nan_to_num(X.T[self.column].astype(float, copy=False), copy=False)
        with np.errstate(over="ignore", invalid="ignore"):
            scaled = self.coef[:, None] * x
            z = scaled + self.offset[:, None]
        if not np.all(np.isfinite(z)):
            raise ValueError(
                "the steps in front of the trees make X overflow float64: scale X (and "
                "sigma) down."
            )
        # One rounding of the product, one of the sum, doubled; and what the numbers of
        # the map may be off by.
        error = 2 * EPS * (np.abs(scaled) + np.abs(self.offset)[:, None])
        own = self.coef_error[:, None] * np.abs(x) + self.offset_error[:, None]
        error += own * (1 + 8 * EPS) + 4 * SMALLEST
        error[self.level.is_0] *= coarser(X.dtype, self.steps)
        error[self.exact] = 0
        return z, error


class Level:
    """Standard deviations, each known up to an error: size * sigma.

    Parameters
    ----------
    size, error : ndarray or float
        The exact size is at most `error` away from `size`.

    sigma : ndarray or float
    """

    def __init__(self, size, error, sigma):
        self.is_0 = (size + error == 0) | (sigma == 0)
        # Where these are so small that they are not rounded relatively, by one more.
        self.low = np.maximum((size - error) * sigma - SMALLEST, 0)
        self.high = np.where(self.is_0, 0, (size + error) * sigma + SMALLEST)

    def quotients(self, low, high):
        """Return bounds on u / level for every u between `low` and `high`.

        Rounded outwards, the roundings of `low`, `high` and the levels included, if
        these are at most one each. Where a level is 0 they mean nothing.

        Parameters
        ----------
        low, high : ndarray of shape (..., n_inputs)
            With a row for each level.
        """
        with np.errstate(over="ignore", divide="ignore", invalid="ignore"):
            least = low / np.where(low > 0, self.high[..., None], self.low[..., None])
            most = high / np.where(high > 0, self.low[..., None], self.high[..., None])
            least *= 1 - 4 * EPS * np.sign(least)
            most *= 1 + 4 * EPS * np.sign(most)
        # Such as 0 / 0.
        least[np.isnan(least)] = -np.inf
        most[np.isnan(most)] = np.inf
        return least, most

    def at(self, place):
        """Return the levels at some places."""
        level = copy(self)
        level.is_0, level.low, level.high = (
            part[place] for part in (self.is_0, self.low, self.high)
        )
        return level


def edges_of(axis, low, high):
    """Return the different ends of intervals, and the place among them of each one's.

    Returns
    -------
    edges : ndarray of float of shape (n_edges, 2)
        Axis and end.

    low, high : ndarray of int of shape (n_intervals,)
    """
    pairs = np.column_stack([np.concatenate([axis, axis]), np.concatenate([low, high])])
    edges, place = np.unique(pairs.astype(float), axis=0, return_inverse=True)
    return edges, *np.split(place.ravel(), 2)


class Intervals:
    """Probabilities of z[axis] in (low, high], for many intervals at once.

    Parameters
    ----------
    axes : Axes

    axis : array-like of int of shape (n_intervals,)

    low, high : array-like of float32 of shape (n_intervals,)
        Ends as a tree sees them: z belongs to the interval if
        low < float32(z) <= high. Infinite ends are allowed.

    edges : tuple, default=None
        What ``edges_of`` returns for them, where it is known.
    """

    def __init__(self, axes, axis, low, high, edges=None):
        edges, self.low, self.high = edges or edges_of(axis, low, high)
        self.own_axis = np.asarray(axis).astype(np.intp)
        self.axis = edges[:, 0].astype(np.intp)
        # float32(z) is the float32 nearest to z. For t a float32 and t' the next one,
        # float32(z) <= t is z < (t + t') / 2 or, where the tie is rounded to t, z <=
        # (t + t') / 2, which is the same but for a set of measure zero. The midpoint
        # of two neighbouring float32 is a float64.
        self.end = edges[:, 1].astype(np.float32)
        above = np.nextafter(self.end, np.float32(np.inf)).astype(float)
        middle = edges[:, 1] / 2 + above / 2
        self.middle = np.where(np.isneginf(self.end), -np.inf, middle)
        self.axes = axes
        self.level = axes.level.at(self.axis)
        self.fixed = self.level.is_0

    @property
    def row_bytes(self):
        """Memory that one input takes."""
        return 8 * (12 * len(self.axis) + 5 * len(self.low))

    def upper(self, X):
        """Return upper bounds on the masses, shape (n_intervals, n_inputs)."""
        below, below_up, above, above_up = self._edge_bounds(X)
        # Both are upper bounds; in a tail, the one on its side is sharp.
        left = below_up[self.high] - below[self.low]
        right = above_up[self.low] - above[self.high]
        return np.clip(np.minimum(left, right) * (1 + EPS), 0, 1)

    def _edge_bounds(self, X):
        """Bound P(z <= edge) and P(z > edge), each from below and from above."""
        z, error = (part[self.axis] for part in self.axes.place(X))
        middle = self.middle[:, None]
        low, high = self.level.quotients(middle - z - error, middle - z + error)
        below, below_up = self.axes.cdf_bounds(low, high)
        above, above_up = self.axes.cdf_bounds(-high, -low)  # it is symmetric
        if np.any(self.fixed):
            end = self.end[self.fixed, None]
            z, error = z[self.fixed], error[self.fixed]
            with np.errstate(over="ignore"):
                surely = (z + error).astype(np.float32) <= end
                maybe = (z - error).astype(np.float32) <= end
            below[self.fixed], below_up[self.fixed] = surely, maybe
            above[self.fixed], above_up[self.fixed] = ~maybe, ~surely
        return below, below_up, above, above_up
