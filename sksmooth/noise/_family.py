"""What every kind of noise offers: how it is drawn, and what it proves."""

from abc import abstractmethod

import numpy as np
from sklearn.base import BaseEstimator

from ._proof import Proof
from ._streams import add_noise


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

    # Of noise that is not drawn: how many copies there are, all of which vote.
    listed = None

    # May inputs be a sparse matrix? Then what it is bound to has ``sparse_copies``.
    takes_sparse = False

    # Are inputs texts? Then it has ``tokens``, and what it is bound to is about which
    # tokens are there.
    takes_texts = False

    @property
    def in_words(self):
        """What this noise does, as a part of a sentence, for statements.

        Without its level, sigma. By default its class and parameters; another kind
        may say it better.
        """
        params = self.get_params(deep=False).items()
        given = ", ".join(f"{name}={value!r}" for name, value in params)
        return f"{type(self).__name__}({given})"

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


class BoundNoise(Proof):
    """Noise of a kind and a level, and what it proves.

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

    # No noise that is drawn is further out, in standard deviations.
    largest = 40.0

    # Are copies on the grid of `step`, if there is one, and inputs are on it? See
    # ``noisy_copies_on_grid``.
    keeps_grid = False

    # Is a linear map of it normal, of a covariance that is the map's? Then what the map
    # makes of noisy copies may be drawn in their place.
    is_normal = False

    # May copies of a row be the row itself, or the same, as there are few outcomes?
    is_discrete = False

    # Is it symmetric on every axis, with mass around 0, and its `norm` l1? Then a
    # two-class linear classifier is its own smoothed one, as far as its l1 distance.
    keeps_halfspaces = False

    # Is noise of level c sigma the same as c times noise of level sigma?
    scales = True

    def __init__(self, kind, sigma, step=None):
        self.kind, self.sigma, self.step = kind, sigma, step

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

    def check(self, values):
        """Check what is to have this noise.

        Parameters
        ----------
        values : ndarray of shape (n_inputs, *shape)

        Raises
        ------
        ValueError
            If this noise is not for such values.
        """

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

    # ``cdf_bounds(low, high)`` -> (a lower bound on F(low), an upper bound on F(high)),
    # for ndarrays of float and F the distribution function on one axis, in standard
    # deviations; F(-u) = 1 - F(u). For exact probabilities; None: there are none.
    cdf_bounds = None

    # ``worst(p, distance, regions)``, ``needed(distance, regions)`` and
    # ``radius_of_rest(rest, regions, runner_up)``, in standard deviations: what this
    # noise on numbers proves together with flips of categories that cost the Regions.
    # See `_mixed`; None: that is not known.
    with_flips = None
