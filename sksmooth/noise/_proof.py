"""What noise proves: how far a class with some probability stays the most probable."""

from abc import ABC, abstractmethod
from numbers import Real

import joblib
import numpy as np

from ._norms import ball_around, ball_inside

# Radii are searched up to so many standard deviations: no count of votes reaches 10.
_FURTHEST = 64.0


def told(kind):
    """Return a text that tells a Noise, with its parameters, from any other."""
    name = f"{type(kind).__module__}.{type(kind).__qualname__}"
    params = sorted((key, _plain(value)) for key, value in vars(kind).items())
    return f"{name} {joblib.hash(params)}" if params else name


def _plain(value):
    """Return equal numbers as the same object, whatever type they are of."""
    is_number = isinstance(value, Real) and not isinstance(value, (bool, np.bool_))
    return float(value) if is_number else value


class Proof(ABC):
    """What noise of a kind and a level proves. Two are equal if they prove the same.

    Attributes
    ----------
    kind : Noise

    sigma : float or ndarray that broadcasts to one input
        Standard deviation; 0 leaves a feature untouched.

    norm : {"l1", "l2", "edits"}
        In which distances are measured.
    """

    norm = None

    # How many categories are changed, see ``changed``.
    changes = 0

    # Are balls closed? Then ``certified`` is asked without knowing the radius.
    closed = False

    # What to do where no radius is large enough.
    remedy = "choose a larger sigma"

    @property
    def key(self):
        """What tells this noise from others that prove something else."""
        # The class itself: another one may have the same name, as in a notebook.
        return type(self.kind), told(self.kind), self.unit, self.changes

    def __eq__(self, other):
        return isinstance(other, Proof) and self.key == other.key

    def __hash__(self):
        return hash(self.key)

    @property
    def unit(self):
        """What radii are multiples of: sigma, or 1 if it differs between features."""
        return float(self.sigma) if np.ndim(self.sigma) == 0 else 1.0

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

    def levels(self, p, distance):
        """Return between which levels here the `p`-quantile stays, within a distance.

        What is at most y with probability p there has at least the probability
        1 - sup{u: worst(u) <= 1 - p} here; and what has inf{u: worst(u) >= p} here has
        at least p there.

        Parameters
        ----------
        p : array-like of float
            In (0, 1).

        distance : array-like of float
            In multiples of `unit`.

        Returns
        -------
        lower, upper : ndarray of float
            Rounded down and up; 0 and 1 where there is no such level.
        """
        p, distance = np.broadcast_arrays(
            np.asarray(p, float), np.asarray(distance, float)
        )
        rest = np.nextafter(1 - p, 2)
        upper = _first_level(lambda u: self.worst(u, distance) >= p, p)
        left = _first_level(lambda u: self.worst(u, distance) > rest, 1 - p)
        lower = np.where(left < 1, np.nextafter(1 - left, 0), 0.0)
        return np.maximum(lower, 0.0), upper

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

    @property
    def furthest(self):
        """The largest radius that anything certifies: of a class of probability 1."""
        return float(self.radius(1.0, 0.0))

    def certified(self, radius, p_a, p_b=None):
        """Return whether classes are certified at all, of which radii are known.

        Parameters
        ----------
        radius : array-like of float
            What ``radius`` returned; what a grid takes off may have been taken off.

        p_a, p_b : array-like of float
            What it was given.

        Returns
        -------
        certified : ndarray of bool
            Where balls are open: is the radius above 0? A closed ball of radius 0 is
            the input itself.
        """
        return np.asarray(radius) > 0

    def changed(self, changes):
        """Return what this noise proves if categories are changed as well.

        Parameters
        ----------
        changes : int
            How many, at most.

        Returns
        -------
        proof : Proof

        Raises
        ------
        ValueError
            If there are no categories, and `changes` is not 0.
        """
        if isinstance(changes, bool) or changes != 0:
            raise ValueError(
                f"changes={changes!r}: there are no categorical features under this "
                "noise, so no certificate says anything about changes of them."
            )
        return self

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


def _first_level(holds, low):
    """Return a level at which `holds` was found true, next to where it is not; or 1."""
    high = np.ones(np.shape(low))
    for _ in range(60):
        middle = (low + high) / 2
        found = holds(middle)
        low, high = np.where(found, low, middle), np.where(found, middle, high)
    return high
