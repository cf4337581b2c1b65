"""What every kind of noise offers: how it is drawn, and what it proves."""

from abc import ABC, abstractmethod

import joblib
import numpy as np
from sklearn.base import BaseEstimator

from ._norms import ball_around, ball_inside
from ._streams import add_noise

# Radii are searched up to so many standard deviations: no count of votes reaches 10.
_FURTHEST = 64.0


class Noise(BaseEstimator):
    """A kind of noise, without a level: what the parameter `noise` stands for.

    A subclass names, as `bound`, the ``BoundNoise`` that it becomes for a sigma.

    Examples
    --------
    Uniform noise proves l1 radii: of all moves of length r the worst is along one
    feature, and takes a share of r / (2 half) of the mass out of reach.

    >>> import numpy as np
    >>> from sksmooth.noise import BoundNoise, Noise
    >>> class BoundUniform(BoundNoise):
    ...     norm = "l1"
    ...
    ...     def copies(self, x, stream, out):
    ...         half = np.sqrt(3) * self.sigma
    ...         out[...] = x + stream.uniform(-half, half, out.shape)
    ...
    ...     def worst(self, p, distance):
    ...         moved = np.asarray(distance) / np.sqrt(12) * (1 + 1e-14)
    ...         return np.maximum(np.nextafter(p - moved, -1), 0)
    >>> class Uniform(Noise):
    ...     bound = BoundUniform
    >>> Uniform().bind(0.5).radius([0.4, 0.9]).round(3)
    array([0.   , 0.693])
    """

    bound = None

    def bind(self, sigma, step=None):
        """Return this noise at a level.

        Parameters
        ----------
        sigma : float or ndarray that broadcasts to one input
            Standard deviation, of all features or of each.

        step : float or ndarray that broadcasts to one input, default=None
            Steps of the grid that inputs are on and that noise is rounded to.

        Returns
        -------
        noise : BoundNoise
        """
        return self.bound(self, sigma, step)


def told(kind):
    """Return a text that tells a Noise, with its parameters, from any other."""
    name = f"{type(kind).__module__}.{type(kind).__qualname__}"
    params = sorted(vars(kind).items())
    return f"{name} {joblib.hash(params)}" if params else name


class BoundNoise(ABC):
    """Noise of a kind and a level. Two are equal if they prove the same.

    Parameters
    ----------
    kind : Noise

    sigma : float or ndarray that broadcasts to one input
        Standard deviation; 0 leaves a feature untouched.

    step : float or ndarray that broadcasts to one input, or None
        Steps of the grid that inputs are on; None if they are on none.

    Examples
    --------
    >>> from sksmooth.noise import Gaussian
    >>> noise = Gaussian().bind(0.5)
    >>> noise.radius([0.4, 0.9]).round(3), noise.worst([0.4, 0.9], 2).round(3)
    (array([0.   , 0.641]), array([0.012, 0.236]))
    """

    # In which distances are measured: "l1" or "l2".
    norm = None

    # No noise that is drawn is further out, in standard deviations.
    largest = 40.0

    # Are copies on the grid of `step`, if there is one, and inputs are on it? See
    # ``noisy_copies_on_grid``.
    keeps_grid = False

    # Is a linear map of it normal, of a covariance that is the map's? Then what the map
    # makes of noisy copies may be drawn in their place.
    is_normal = False

    def __init__(self, kind, sigma, step=None):
        self.kind, self.sigma, self.step = kind, sigma, step

    @property
    def key(self):
        """What tells this noise from others that prove something else."""
        return told(self.kind), self.unit

    def __eq__(self, other):
        return isinstance(other, BoundNoise) and self.key == other.key

    def __hash__(self):
        return hash(self.key)

    def __repr__(self):
        sigma, step = np.asarray(self.sigma).tolist(), np.asarray(self.step).tolist()
        return f"{self.kind!r}.bind({sigma}, {step})"

    def at(self, sigma, step=None):
        """Return noise of the same kind at another level.

        Parameters
        ----------
        sigma : float or ndarray that broadcasts to one input
            See ``Noise.bind``.

        step : float or ndarray that broadcasts to one input, default=None
            See ``Noise.bind``.

        Returns
        -------
        noise : BoundNoise
        """
        return self.kind.bind(sigma, step)

    @property
    def unit(self):
        """What radii are multiples of: sigma, or 1 if it differs between features."""
        return float(self.sigma) if np.ndim(self.sigma) == 0 else 1.0

    # Drawing

    def open(self, key):
        """Return the generator behind the noise of one input.

        Parameters
        ----------
        key : bytes
            32 bytes that no other input has.

        Returns
        -------
        stream : object
            What ``copies`` draws from.
        """
        return np.random.Generator(np.random.SFC64(int.from_bytes(key, "little")))

    @abstractmethod
    def copies(self, x, stream, out):
        """Fill `out` with copies of `x`, each with noise of its own.

        Parameters
        ----------
        x : ndarray of shape `shape`
            One input. What is NaN is NaN in every copy.

        stream : what ``open`` returned
            Consumed in order: two calls draw what one call for as many copies would.

        out : C-contiguous ndarray of shape (n_copies, *shape), float32 or float64
            Overwritten.

        Raises
        ------
        ValueError
            If a noisy copy is too large for the dtype.
        """

    def alone(self, stream, out):
        """Fill `out` with noise alone, for ``add``.

        Parameters
        ----------
        stream : what ``open`` returned
            See ``copies``.

        out : ndarray of shape (n_copies, *shape)
            Overwritten.
        """
        self.copies(np.zeros(out.shape[1:], out.dtype), stream, out)

    def add(self, x, noise, out):
        """Write to `out` what ``copies`` makes of x and the noise of ``alone``.

        Parameters
        ----------
        x : ndarray of shape `shape`
            One input.

        noise : ndarray of the shape of `out`
            From ``alone``.

        out : ndarray of shape (n_copies, *shape)
            Overwritten.
        """
        add_noise(x, noise, out)

    def on_device(self, shape, dtype, device):
        """Return what draws this noise on a device of torch.

        Parameters
        ----------
        shape : tuple of int
            Shape of one input.

        dtype : torch.dtype
            Of the copies.

        device : torch.device

        Returns
        -------
        drawn : object with the methods ``open``, ``copies`` and ``alone``, or None
            None: it is drawn on the host, and sent there.
        """
        return None

    # What it proves

    @abstractmethod
    def worst(self, p, distance):
        """Return the least probability, within a distance, of what has `p` here.

        By Neyman and Pearson: over all sets of probability `p` under noise on x, the
        least probability under noise on an x' at most so far from x.

        Parameters
        ----------
        p : array-like of float

        distance : array-like of float
            In multiples of `unit`.

        Returns
        -------
        probability : ndarray of float
            Rounded down. Does not fall as `p` grows, nor rise with the distance.
        """

    # ``cdf_bounds(low, high)`` -> (a lower bound on F(low), an upper bound on F(high)),
    # for ndarrays of float and F the distribution function on one axis, in standard
    # deviations; F(-u) = 1 - F(u). For exact probabilities; None: there are none.
    cdf_bounds = None

    def upper(self, p, distance):
        """Return the largest probability, within a distance, of what has `p` here.

        Parameters
        ----------
        p : array-like of float

        distance : array-like of float
            In multiples of `unit`.

        Returns
        -------
        probability : ndarray of float
            Rounded up.
        """
        p = np.asarray(p, float)
        rest = np.where(p > 0, np.nextafter(1 - p, 0), 1.0)
        return np.minimum(np.nextafter(1 - self.worst(rest, distance), 2), 1.0)

    def needed(self, radius):
        """Return the probability above which a class is certified at a radius.

        Parameters
        ----------
        radius : array-like of float

        Returns
        -------
        p : ndarray of float
            At least 1/2.
        """
        distance = np.asarray(radius, float) / self.unit
        low, high = np.full(distance.shape, 0.5), np.ones(distance.shape)
        for _ in range(60):
            middle = (low + high) / 2
            wins = self.worst(middle, distance) > 0.5
            low, high = np.where(wins, low, middle), np.where(wins, middle, high)
        return high

    def radius(self, p_a, p_b=None):
        """Return the radius of a class of at least `p_a`, the others at most `p_b`.

        Parameters
        ----------
        p_a : array-like of float

        p_b : array-like of float, default=None
            None takes 1 - p_a.

        Returns
        -------
        radius : ndarray of float
            Rounded down; 0 where nothing is certified.
        """
        p_a = np.asarray(p_a, float)
        if p_b is not None:
            p_a, p_b = np.broadcast_arrays(p_a, np.asarray(p_b, float))

        def wins(distance):
            ahead = self.worst(p_a, distance)
            return ahead > (0.5 if p_b is None else self.upper(p_b, distance))

        low, high = np.zeros(p_a.shape), np.full(p_a.shape, _FURTHEST)
        for _ in range(60):
            middle = (low + high) / 2
            good = wins(middle)
            low, high = np.where(good, middle, low), np.where(good, high, middle)
        radius = np.nextafter(low * self.unit, 0)
        return np.where(wins(np.zeros(p_a.shape)), radius, 0.0)

    def radius_of_rest(self, rest, runner_up):
        """Return the radius of a class, given what all others have together.

        Parameters
        ----------
        rest, runner_up : ndarray of float
            Upper bounds on the probability of all other classes, and of any of them.

        Returns
        -------
        radius : ndarray of float
            Rounded down; 0 where nothing is certified.
        """
        p_a = np.where(rest > 0, np.nextafter(1 - rest, 0), 1.0)
        return self.radius(p_a, runner_up)

    def to_norm(self, radius, norm, n_features):
        """Return what a radius proves in another norm.

        Parameters
        ----------
        radius : array-like of float
            In `self.norm`; what a grid takes off has been taken off.

        norm : {"l1", "l2", "linf"}

        n_features : int
            Features that have noise.

        Returns
        -------
        radius : ndarray of float
            That of the largest ball inside the certified one, unless a kind of noise
            knows better. Rounded down.
        """
        return ball_inside(radius, self.norm, norm, n_features)

    def from_norm(self, radius, norm, n_features):
        """Return the radius that one in another norm takes: the inverse of ``to_norm``.

        Parameters
        ----------
        radius : array-like of float
            In `norm`.

        norm : {"l1", "l2", "linf"}

        n_features : int

        Returns
        -------
        radius : ndarray of float
            Rounded up.
        """
        return ball_around(radius, self.norm, norm, n_features)
