"""Gaussian noise: l2 radii, and short cuts through linear maps."""

import numpy as np
from scipy.special import ndtr, ndtri

from . import _mixed
from ._family import BoundNoise, Noise
from ._grid import noisy_copies_on_grid
from ._streams import open_stream, overflow

# More than ndtr and ndtri err by, relative to 1 + z^2, for |z| up to 40.
_SLACK = 1e-12

_EPS = np.finfo(float).eps

# Added to every bound that is not 0 by logic: covers underflow. Phi(-37) is larger.
_TINY = 1e-300


class BoundGaussian(BoundNoise):
    """Independent normal noise on every feature, of standard deviation sigma."""

    norm = "l2"
    keeps_grid = True
    is_normal = True
    with_flips = _mixed

    open = staticmethod(open_stream)

    def copies(self, x, stream, out):
        """Fill `out` with copies of `x`; see ``BoundNoise.copies``."""
        if self.step is not None:
            noisy_copies_on_grid(x, self.sigma, self.step, stream, out)
        elif not stream.noisy_copies(x, self.sigma, out):
            raise overflow(out.dtype)

    def on_device(self, shape, dtype, device):
        """Return what draws it on a device; see ``BoundNoise.on_device``."""
        if self.step is not None and device.type == "mps":  # it has no doubles
            return None
        from ._on_device import DeviceNormals  # imports torch

        return DeviceNormals(self.sigma, self.step, shape, dtype, device)

    def worst(self, p, distance):
        """Phi(Phi^-1(p) - distance), with more taken off than rounding can add."""
        p, distance = np.asarray(p, float), np.asarray(distance, float)
        z = ndtri(p) - distance
        size = np.maximum(np.abs(np.nan_to_num(z)), np.abs(distance))
        return ndtr(z) * (1 - _SLACK * (1 + np.clip(size, 0, 40) ** 2))

    def upper(self, p, distance):
        """Phi(Phi^-1(p) + distance), with more added than rounding can take off.

        As sharp where p is small.
        """
        p, distance = np.asarray(p, float), np.asarray(distance, float)
        z = ndtri(p) + distance
        size = np.maximum(np.abs(np.nan_to_num(z)), np.abs(distance))
        slack = _SLACK * (1 + np.clip(size, 0, 40) ** 2)
        return np.minimum(ndtr(z) * (1 + slack) + _TINY, 1.0)

    def levels(self, p, distance):
        """Phi(Phi^-1(p) -+ distance), rounded outwards."""
        return self.worst(p, distance), self.upper(p, distance)

    @staticmethod
    def cdf_bounds(low, high):
        """Bound Phi; see ``BoundNoise.cdf_bounds``.

        Relative to Phi(u), the error of scipy's ndtr(u) is at most 1.6 eps (1 + u^2)
        for -37.5 < u < 0 and eps for u > 0 (against 40 digits at 6,000 points). More
        than twice that is allowed for.
        """
        below, above = ndtr(low), ndtr(high)
        below *= 1 - 4 * _EPS * (1 + np.clip(low, -40, 0) ** 2)
        above *= 1 + 4 * _EPS * (1 + np.clip(high, -40, 0) ** 2)
        return below, above + _TINY

    def needed(self, radius):
        """Phi(radius / sigma)."""
        return ndtr(np.asarray(radius, float) / self.unit)

    def radius(self, p_a, p_b=None):
        """Theorem 1: sigma / 2 (Phi^-1(p_a) - Phi^-1(p_b))."""
        if p_b is None:
            distance = ndtri(p_a)
        else:
            # Where p_a <= p_b nothing is certified, and inf - inf is avoided.
            ahead = np.asarray(p_a) > p_b
            p_a, p_b = np.where(ahead, p_a, 0.5), np.where(ahead, p_b, 0.5)
            distance = (ndtri(p_a) - ndtri(p_b)) / 2
        # `+ 0.0` turns a negative zero into a plain one.
        return np.maximum(self.unit * distance, 0.0) + 0.0

    def radius_of_rest(self, rest, runner_up):
        """Theorem 1, accurate where 1 - rest would round to 1."""
        radius = self.unit / 2 * (-ndtri(rest) - ndtri(runner_up))
        # A few units in the last place for the rounding of ndtri and the difference.
        radius = np.where(rest + runner_up < 1, radius * (1 - 1e-14), 0.0)
        return np.maximum(radius, 0.0)


class Gaussian(Noise):
    """Independent normal noise on every feature: the paper's, and the default.

    The radii that it proves are l2 distances.

    References
    ----------
    J. Cohen, E. Rosenfeld, J. Z. Kolter (2019), "Certified Adversarial Robustness via
    Randomized Smoothing", arXiv:1902.02918.

    Examples
    --------
    >>> from sklearn.naive_bayes import GaussianNB
    >>> from sksmooth import SmoothedClassifier
    >>> from sksmooth.noise import Gaussian
    >>> SmoothedClassifier(GaussianNB(), noise=Gaussian()).noise
    Gaussian()
    """

    bound = BoundGaussian
    in_words = "Gaussian (normal), drawn for each feature independently"
