"""Split noise: l1 radii without votes that are drawn, for data on a grid."""

from functools import lru_cache
from numbers import Integral, Real

import numpy as np

from ._family import BoundNoise, Noise
from ._split import NEAR, grid_indices, split_certificate, split_copies

_EPS = np.finfo(float).eps


@lru_cache(maxsize=16)
def _offsets(levels, size):
    """Return where each feature is cut: elsewhere. It need not be a secret."""
    return (np.random.SFC64(levels).random_raw(size) % levels).astype(int)


class BoundSplit(BoundNoise):
    """All copies of an input, each with the middles of other cells.

    Its standard deviation is that of a cell: sigma has no effect.
    """

    norm = "l1"
    scales = False
    closed = True
    remedy = "choose more levels"

    def __init__(self, kind, sigma, step=None):
        if np.ndim(sigma):
            raise ValueError(
                f"{kind!r} cuts every feature, whatever sigma is: leave sigma a single "
                "number."
            )
        self.levels, self.width = int(kind.levels), float(kind.step)
        super().__init__(kind, self.levels * self.width / np.sqrt(12), step)

    def check(self, values):
        """Raise a ValueError if values are not on the grid."""
        self._indices(values)

    def _indices(self, values):
        # Values that are off the grid by 1 / (4 L) steps are further apart than their
        # indices by less than a step, as far as half of a cell.
        return grid_indices(values, self.width, min(NEAR, 1 / (4 * self.levels)))

    def open(self, key):
        """Return the number of the first copy; the others follow, in a circle."""
        return [int.from_bytes(key[:8], "little") % self.levels]

    def copies(self, x, stream, out):
        """Fill `out` with the next copies of `x`; see ``BoundNoise.copies``."""
        self._fill(x, self._next(stream, len(out)), out)

    def alone(self, stream, out):
        """Fill `out` with the numbers of the next copies."""
        numbers = self._next(stream, len(out))
        out[...] = numbers.reshape(-1, *(1,) * (out.ndim - 1))

    def add(self, x, noise, out):
        """Write to `out` the copies of `x` whose numbers `noise` holds."""
        self._fill(x, noise.reshape(len(noise), -1)[:, 0].astype(int), out)

    def _next(self, stream, n_copies):
        numbers = (stream[0] + np.arange(n_copies)) % self.levels
        stream[0] += n_copies
        return numbers

    def _fill(self, x, numbers, out):
        offsets = _offsets(self.levels, x.size).reshape(x.shape)
        indices = self._indices(x)[None]
        middles = split_copies(indices, offsets, self.levels, numbers)
        np.multiply(middles[0], self.width, out=out, casting="same_kind")
        out[:, np.isnan(x)] = np.nan

    def of_counts(self, counts):
        """Return the class and the radius of each input, from votes of all copies.

        Parameters
        ----------
        counts : ndarray of int of shape (n_inputs, n_classes)

        Returns
        -------
        selected : ndarray of int of shape (n_inputs,)

        radius : ndarray of float of shape (n_inputs,)
            Of closed balls. No input is between one number of steps and the next, so
            that it may be more than that by a rounding.
        """
        selected, steps = split_certificate(counts)
        return selected, self._length(steps)

    def worst(self, p, distance):
        """Return what is left of a share of the copies: each step takes one."""
        # More than the roundings of the quotient can do.
        moved = np.asarray(distance, float) * self.unit / self.width
        lost = np.floor(moved * (1 + 8 * _EPS)) / self.levels
        return np.maximum(np.nextafter(np.asarray(p, float) - lost, -1), 0.0)

    def radius(self, p_a, p_b=None):
        """Return the radius at which a share of the copies is ahead of any other."""
        p_a = np.asarray(p_a, float)
        other = 1 - p_a if p_b is None else np.asarray(p_b, float)
        ahead = (p_a - other) * self.levels * (1 - 8 * _EPS)
        # Without a tie, whichever class a tie is for.
        return self._length(np.maximum(np.ceil(ahead / 2) - 1, 0))

    @property
    def furthest(self):
        """Half of the steps in a cell: a tie that is won is no change."""
        return float(self._length(self.levels // 2))

    def _length(self, steps):
        return steps * (self.width * (1 + 4 * _EPS))

    def certified(self, radius, p_a, p_b=None):
        """Return True: an answer of all copies is what it is."""
        return np.ones(np.shape(radius), bool)


class Split(Noise):
    """All copies of an input are listed, and nothing is drawn: l1, without an alpha.

    For data on a grid, such as pixels in steps of 1/255 or integers. Copy j of `levels`
    cuts every feature into cells of `levels` steps, and keeps the middle of the cell
    that it lies in. All copies vote, so an answer takes `levels` predictions; there is
    no abstention, and radii are those of closed balls, in whole steps. `sigma`,
    `alpha`, `n` and related parameters have no effect.

    Parameters
    ----------
    levels : int
        Number of copies, and of steps in a cell. The largest radius is half of that.

    step : float
        Step of the grid. Data that are not on it are an error.

    References
    ----------
    A. Levine, S. Feizi (2021), "Improved, Deterministic Smoothing for L1 Certified
    Robustness", arXiv:2103.10834.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from sklearn.ensemble import RandomForestClassifier
    >>> from sksmooth import SmoothedClassifier
    >>> from sksmooth.noise import Split
    >>> X, y = load_digits(return_X_y=True)  # whole numbers from 0 to 16
    >>> forest = RandomForestClassifier(50, random_state=0)
    >>> g = SmoothedClassifier(forest, noise=Split(levels=16, step=1), random_state=0)
    >>> certificate = g.fit(X[:1000], y[:1000]).certify(X[1000:1004])
    >>> certificate.norm, certificate.radius.round(6), certificate.alpha
    ('l1', array([6., 7., 8., 6.]), 0.0)
    """

    bound = BoundSplit

    def __init__(self, levels, step):
        self.levels = levels
        self.step = step

    @property
    def in_words(self):
        """What this noise does; see ``Noise.in_words``."""
        return (
            f"none is drawn; each feature is a whole number of steps of {self.step!r}, "
            f"and each of the {self.levels} copies of an input tells for each feature "
            f"only in which cell of {self.levels} steps it lies"
        )

    def bind(self, sigma, step=None):
        """Return this noise, at its own level.

        Parameters
        ----------
        sigma : float
            Has no effect.

        step : None
            There is no other grid.

        Returns
        -------
        noise : BoundNoise

        Raises
        ------
        ValueError
            If a parameter is unusable.
        """
        levels, own = self.levels, self.step
        is_whole = isinstance(levels, Integral) and not isinstance(levels, bool)
        if not is_whole or levels < 1:
            raise ValueError(f"levels must be a whole number >= 1, got {levels!r}.")
        if not isinstance(own, Real) or not 0 < own < np.inf:
            raise ValueError(f"step must be a positive number, got {own!r}.")
        return super().bind(sigma, step)

    @property
    def listed(self):
        """Number of copies, all of which vote."""
        return int(self.levels)
