"""Laplace noise: l1 radii."""

import math

import numpy as np

from . import _mixed_laplace
from ._copies import noisy_copies, noisy_copies_on_grid
from ._family import BoundNoise, Noise

_EPS = np.finfo(float).eps

# Covers underflow.
_TINY = 1e-300

# More than the roundings of a logarithm, of b and of a few products, relatively.
_SLACK = 1e-14


class BoundLaplace(BoundNoise):
    """Independent Laplace noise on every feature, of standard deviation sigma."""

    norm = "l1"
    keeps_grid = True
    keeps_halfspaces = True
    with_flips = _mixed_laplace

    def copies(self, x, stream, out):
        """Fill `out` with copies of `x`; see ``BoundNoise.copies``."""
        scale = np.asarray(self.sigma) / math.sqrt(2)

        def draw(noise):
            # Pairs lie together, so that what a copy gets is one piece of the stream.
            pairs = stream.standard_exponential((len(noise), 2, *noise.shape[1:]))
            np.subtract(pairs[:, 0], pairs[:, 1], out=noise)

        if self.step is not None:
            noisy_copies_on_grid(x, scale, self.step, draw, out)
        else:
            noisy_copies(x, scale, draw, out)

    def worst(self, p, distance):
        """F(F^-1(p) - distance / b), with more taken off than rounding can add."""
        p, distance = np.asarray(p, float), np.asarray(distance, float)
        r = distance * math.sqrt(2)
        rest = np.where(p > 0.5, 1 - p, 0.5)  # exact
        slack = 8 * _EPS * (1 + np.minimum(r, 800))
        with np.errstate(over="ignore", under="ignore"):
            # Beyond 700 nothing is left above the median, unless p is 1.
            lost = rest * np.exp(np.minimum(r, 700)) * (1 + slack)
            # Below the median on both sides; from above it to below; above on both.
            low = np.exp(-r) * (1 - slack)
            low = np.where(p > 0.5, low / (4 * np.maximum(rest, 1e-300)), p * low)
            above = (p > 0.5) & (lost <= 0.5)
            return np.where(above, np.nextafter(1 - lost, 0), low)

    @staticmethod
    def cdf_bounds(low, high):
        """Bound F; see ``BoundNoise.cdf_bounds``."""
        return _cdf(low, -1), np.minimum(_cdf(high, 1), 1.0)

    def needed(self, radius):
        """1 - exp(-radius / b) / 2."""
        r = np.asarray(radius, float) / self.unit * math.sqrt(2)
        return np.minimum((1 - np.exp(-r * (1 + 4 * _EPS)) / 2) * (1 + 4 * _EPS), 1.0)

    def radius(self, p_a, p_b=None):
        """b / 2 (F^-1(p_a) - F^-1(p_b)); -b ln(2 (1 - p_a)) without p_b."""
        p_a = np.asarray(p_a, float)
        if p_b is None:
            return self._half_between(-_quantile(p_a), _quantile(p_a))
        p_a, p_b = np.broadcast_arrays(p_a, np.asarray(p_b, float))
        ahead = p_a > p_b  # else nothing is certified, and inf - inf is avoided
        low = _quantile(np.where(ahead, p_b, 0.5))
        return self._half_between(low, _quantile(np.where(ahead, p_a, 0.5)))

    def radius_of_rest(self, rest, runner_up):
        """Do what ``radius`` does, accurate where 1 - rest would round to 1."""
        ahead = rest + runner_up < 1
        low = _quantile(np.where(ahead, runner_up, 0.5))
        return self._half_between(low, -_quantile(np.where(ahead, rest, 0.5)))

    def _half_between(self, low, high):
        """Return half of the way from one quantile to another, rounded down."""
        low, high = (
            low * (1 + _SLACK * np.sign(low)),
            high * (1 - _SLACK * np.sign(high)),
        )
        half = self.unit / (2 * math.sqrt(2)) * (high - low)
        return np.maximum(half * (1 - _SLACK), 0.0)


def _cdf(u, side):
    """Return F of standard deviations, rounded down (side -1) or up (1)."""
    t = np.abs(u) * math.sqrt(2)
    slack = 8 * _EPS * (1 + np.minimum(t, 800))

    def tail(side):
        with np.errstate(under="ignore"):
            return np.exp(-t) / 2 * (1 + side * slack) + max(side, 0) * _TINY

    above = np.nextafter(1 - tail(-side), side * np.inf)
    return np.where(u < 0, tail(side), above)


def _quantile(p):
    """Return the p-quantile of Laplace noise with b = 1."""
    side = np.minimum(p, 1 - p)  # exact where it is 1 - p
    with np.errstate(divide="ignore"):
        return np.log(2 * side) * np.where(p > 0.5, -1.0, 1.0)


class Laplace(Noise):
    """Independent Laplace noise on every feature; the radii that it proves are l1.

    Sigma is its standard deviation, so it has the scale b = sigma / sqrt(2).

    References
    ----------
    J. Teng, G.-H. Lee, Y. Yuan (2020), "L1 Adversarial Robustness Certificates: a
    Randomized Smoothing Approach", OpenReview.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.naive_bayes import GaussianNB
    >>> from sksmooth import SmoothedClassifier
    >>> X, y = load_iris(return_X_y=True)
    >>> g = SmoothedClassifier(GaussianNB(), noise="laplace", n=1_000, random_state=0)
    >>> certificate = g.fit(X, y).certify(X[[0, 70, 149]])
    >>> certificate.norm, certificate.radius.round(2)
    ('l1', array([0.76, 0.01, 0.16]))
    """

    bound = BoundLaplace
    in_words = "Laplace, drawn for each feature independently"
