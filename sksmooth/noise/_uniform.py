"""Uniform noise: l1 and linf radii."""

import math

import numpy as np

from . import _mixed_uniform
from ._copies import noisy_copies, noisy_copies_on_grid
from ._family import BoundNoise, Noise
from ._norms import ball_around, ball_inside

# More than the roundings of lambda and of a few products, roots and differences.
_SLACK = 1e-14


class BoundUniform(BoundNoise):
    """Independent uniform noise on every feature, of standard deviation sigma.

    It lies between -lambda and lambda = sqrt(3) sigma.
    """

    norm = "l1"
    keeps_grid = True
    keeps_halfspaces = True
    with_flips = _mixed_uniform
    largest = 2.0

    def copies(self, x, stream, out):
        """Fill `out` with copies of `x`; see ``BoundNoise.copies``."""
        scale = np.asarray(self.sigma) * math.sqrt(3)

        def draw(noise):
            stream.random(out=noise)
            noise *= 2
            noise -= 1

        if self.step is not None:
            noisy_copies_on_grid(x, scale, self.step, draw, out)
        else:
            noisy_copies(x, scale, draw, out)

    def worst(self, p, distance):
        """p - distance / (2 lambda): what leaves the cube, if all move on one axis."""
        p, distance = np.asarray(p, float), np.asarray(distance, float)
        lost = np.minimum(distance / (2 * math.sqrt(3)) * (1 + _SLACK), 1.0)
        return np.maximum(np.nextafter(p - lost, -1), 0.0)

    @staticmethod
    def cdf_bounds(low, high):
        """Bound F; see ``BoundNoise.cdf_bounds``."""
        below, above = (
            0.5 + np.clip(u, -2, 2) / (2 * math.sqrt(3)) for u in (low, high)
        )
        # Absolutely, as it ends at 0; what is surely beyond the end is exactly there.
        return np.clip(below - 1e-15, 0, 1), np.clip(above + 1e-15, 0, 1)

    def needed(self, radius):
        """1 / 2 + radius / (2 lambda), at most 1."""
        lost = np.asarray(radius, float) / self._width
        return np.minimum(0.5 + lost * (1 + _SLACK) + 1e-16, 1.0)

    def radius(self, p_a, p_b=None):
        """Lambda (p_a - p_b); 2 lambda (p_a - 1/2) without p_b."""
        ahead = np.asarray(p_a, float) - 0.5  # exact where it is not negative
        if p_b is not None:
            ahead = (np.asarray(p_a, float) - np.asarray(p_b, float)) / 2
        return np.maximum(self._width * ahead * (1 - _SLACK), 0.0)

    def to_norm(self, radius, norm, n_features):
        """Return the radius in another norm; see ``BoundNoise.to_norm``.

        In linf 2 lambda (1 - (1 - v)^(1 / n_features)) for v = radius / (2 lambda):
        if all features move by as much, that is what leaves the cube.
        """
        inside = ball_inside(radius, self.norm, norm, n_features)
        if norm == self.norm:
            return inside
        lost = np.minimum(np.asarray(radius, float) / self._width, 1.0)
        with np.errstate(divide="ignore"):
            side = -np.expm1(np.log1p(-lost) / n_features)
        return np.maximum(inside, side * self._width * (1 - _SLACK))

    def from_norm(self, radius, norm, n_features):
        """Return the radius that one in another norm takes: its inverse, rounded up."""
        around = ball_around(radius, self.norm, norm, n_features)
        if norm == self.norm:
            return around
        share = np.minimum(np.asarray(radius, float) / self._width, 1.0)
        with np.errstate(divide="ignore"):
            lost = -np.expm1(n_features * np.log1p(-share))
        # Where it is the whole cube, no probability is enough.
        return np.minimum(around, lost * self._width * (1 + _SLACK))

    @property
    def _width(self):
        """Width of the cube, in the units of radii."""
        return 2 * math.sqrt(3) * self.unit


class Uniform(Noise):
    """Independent uniform noise on every feature; it proves l1 and linf radii.

    Sigma is its standard deviation: it lies between -lambda and lambda = sqrt(3) sigma.

    References
    ----------
    G. Yang, T. Duan, J. E. Hu, H. Salman, I. Razenshteyn, J. Li (2020), "Randomized
    Smoothing of All Shapes and Sizes", arXiv:2002.08118.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.naive_bayes import GaussianNB
    >>> from sksmooth import SmoothedClassifier
    >>> X, y = load_iris(return_X_y=True)
    >>> g = SmoothedClassifier(GaussianNB(), noise="uniform", n=1_000, random_state=0)
    >>> certificate = g.fit(X, y).certify(X[[0, 70, 149]])
    >>> certificate.radius.round(2), certificate.radius_for("linf").round(2)
    (array([0.43, 0.02, 0.14]), array([0.14, 0.  , 0.04]))
    """

    bound = BoundUniform
    in_words = "uniform, drawn for each feature independently"
