"""Noise on numbers and flips of categories: one kind of noise for tables of both.

Inputs hold a number for each feature: categories are codes (see ``Categories``), NaN
where they are missing. Numbers and categories have streams of their own.
"""

from fractions import Fraction
from hashlib import blake2b

import numpy as np

from ._draw_flips import KEEP, draw_flips_alone
from ._family import BoundNoise, Noise
from ._flips import SCALE, flip_regions, probability_text
from ._proof import Proof
from ._regions import rest_of, round_up

_NO_NUMBERS = "no number has noise, so nothing but a radius of 0 is certified"


class Changed(Proof):
    """What noise on numbers and flips of categories prove where some are changed.

    It is certified in the closed ball of radius 0 at least.

    Parameters
    ----------
    noise : BoundWithFlips

    changes : int
        How many categories are changed, at most.
    """

    closed = True

    def __init__(self, noise, changes):
        self.kind, self.sigma, self.step = noise.kind, noise.sigma, noise.step
        self.norm, self._numbers = noise.norm, noise.numbers
        if not self.kind.numbers:
            self.remedy = _NO_NUMBERS
        self.changes = changes
        self.regions = flip_regions(self.kind.threshold, self.kind.n_values, changes)
        self._mixed = self._numbers.with_flips if self.kind.numbers else None

    def worst(self, p, distance):
        """Return what is left of `p`; see ``Proof.worst``."""
        if self._mixed is None:
            return self.regions.worst(p) + 0.0 * np.asarray(distance, float)
        return self._mixed.worst(p, distance, self.regions)

    def needed(self, radius):
        """Return the probability above which a class is certified at a radius."""
        distance = np.asarray(radius, float) / self.unit
        if self._mixed is None:
            return np.where(distance > 0, 1.0, round_up(self.regions.needed()))
        return self._mixed.needed(distance, self.regions)

    def radius(self, p_a, p_b=None):
        """Return the radius of a class; see ``Proof.radius``."""
        return self.radius_of_rest(rest_of(p_a), p_b)

    def radius_of_rest(self, rest, runner_up=None):
        """Return the radius of a class, given what all others have together."""
        if self._mixed is None:
            return np.zeros(np.shape(rest))
        distance = self._mixed.radius_of_rest(rest, self.regions, runner_up)
        unit = self.unit
        return distance if unit == 1 else np.nextafter(distance * unit, 0)

    def certified(self, radius, p_a, p_b=None):
        """Return whether flips alone leave a class ahead; see ``Proof.certified``."""
        return self.regions.ahead(rest_of(p_a), p_b)

    def to_norm(self, radius, norm, n_features):
        """Return the radius in another norm; see ``Proof.to_norm``."""
        return self._numbers.to_norm(radius, norm, max(n_features, 1))

    def from_norm(self, radius, norm, n_features):
        """Return the radius that one in another norm takes."""
        return self._numbers.from_norm(radius, norm, max(n_features, 1))


class BoundWithFlips(BoundNoise):
    """Noise on the numbers of an input, and flips of its categories."""

    is_discrete = True

    def __init__(self, kind, sigma, step=None):
        super().__init__(kind, sigma, step)
        if kind.noise.listed is not None:
            raise ValueError(
                f"{kind.noise!r} lists its copies, and flips of categories are drawn: "
                "categorical_features needs noise that is drawn."
            )
        if kind.numbers and kind.noise.bound.with_flips is None:
            raise ValueError(
                f"it is not known what {kind.noise!r} noise on numbers proves together "
                "with changes of categories: with categorical_features use Gaussian, "
                "Laplace or uniform noise, or a sigma of 0 for all numbers."
            )
        self.numbers = kind.noise.bind(sigma, step)
        self.norm, self.largest = self.numbers.norm, self.numbers.largest
        self.keeps_grid = self.numbers.keeps_grid
        self._places = list(kind.places)
        self._n_values = np.array(kind.n_values, np.uint64)
        # Where no category is changed, flips do not matter.
        self._unchanged = self.numbers if kind.numbers else Changed(self, 0)
        self.closed, self.remedy = self._unchanged.closed, self._unchanged.remedy

    def open(self, key):
        """Return a stream for the numbers and one for the flips."""
        own = blake2b(key, person=b"flips", digest_size=32).digest()
        return self.numbers.open(key), super().open(own)

    def copies(self, x, stream, out):
        """Fill `out` with copies of `x`; see ``BoundNoise.copies``."""
        if self.kind.numbers:
            self.numbers.copies(x, stream[0], out)
        else:
            out[...] = x
        self._put(x, self._flips(stream[1], len(out)), out)

    def alone(self, stream, out):
        """Fill `out` with noise on numbers, and what ``draw_flips_alone`` draws."""
        if self.kind.numbers:
            self.numbers.alone(stream[0], out)
        else:
            out[...] = 0
        out[:, self._places] = self._flips(stream[1], len(out))

    def add(self, x, noise, out):
        """Write to `out` what ``copies`` makes of x and the noise of ``alone``."""
        flips = noise[:, self._places]
        self.numbers.add(x, noise, out)
        self._put(x, flips, out)

    def _flips(self, rng, n_copies):
        flips = np.empty((n_copies, len(self._places)), np.int64)
        draw_flips_alone(self._n_values, self.kind.threshold, rng, flips)
        return flips

    def _put(self, x, flips, out):
        codes = x[self._places]
        stays = (flips == KEEP) | np.isnan(codes)
        out[:, self._places] = np.where(stays, codes, flips)

    def changed(self, changes):
        """Return what is proved if categories are changed; see ``Proof.changed``."""
        whole = isinstance(changes, (int, np.integer)) and not isinstance(changes, bool)
        if not whole or changes < 0:
            raise ValueError(
                "changes must be a whole number of categorical features, 0 or more, "
                f"got {changes!r}."
            )
        changes = min(int(changes), self.kind.n_changeable)
        if not changes:
            return self
        return Changed(self, changes)

    def worst(self, p, distance):
        """See ``Proof.worst``."""
        return self._unchanged.worst(p, distance)

    def upper(self, p, distance):
        """See ``Proof.upper``."""
        return self._unchanged.upper(p, distance)

    def levels(self, p, distance):
        """See ``Proof.levels``."""
        return self._unchanged.levels(p, distance)

    def needed(self, radius):
        """See ``Proof.needed``."""
        return self._unchanged.needed(radius)

    def radius(self, p_a, p_b=None):
        """See ``Proof.radius``."""
        return self._unchanged.radius(p_a, p_b)

    def radius_of_rest(self, rest, runner_up):
        """See ``Proof.radius_of_rest``."""
        return self._unchanged.radius_of_rest(rest, runner_up)

    def certified(self, radius, p_a, p_b=None):
        """See ``Proof.certified``."""
        return self._unchanged.certified(radius, p_a, p_b)

    def to_norm(self, radius, norm, n_features):
        """See ``Proof.to_norm``."""
        return self._unchanged.to_norm(radius, norm, n_features)

    def from_norm(self, radius, norm, n_features):
        """See ``Proof.from_norm``."""
        return self._unchanged.from_norm(radius, norm, n_features)


class WithFlips(Noise):
    """Noise of another kind on numbers, and flips of categories.

    What :class:`SmoothedClassifier` makes of `noise`, `flip` and the categories that
    ``fit`` has seen, and what certificates hold.

    Parameters
    ----------
    noise : Noise
        Of the numbers.

    threshold : int
        A category is drawn anew with probability threshold / 2^32.

    places : tuple of int
        Which features are categories.

    n_values : tuple of int
        How many values each of them has.

    numbers : bool, default=True
        Do any numbers have noise?
    """

    bound = BoundWithFlips

    def __init__(self, noise, threshold, places, n_values, numbers=True):
        self.noise = noise
        self.threshold = threshold
        self.places = places
        self.n_values = n_values
        self.numbers = numbers

    @property
    def n_changeable(self):
        """How many categories can be changed: those of two values or more."""
        return sum(n > 1 for n in self.n_values)

    @property
    def in_words(self):
        """What this noise does; see ``Noise.in_words``."""
        values = ", ".join(map(str, self.n_values))
        return (
            f"{self.noise.in_words if self.numbers else 'none on numbers'}; categories "
            f"(of {values} values) are drawn anew with probability flip = "
            f"{probability_text(self.flip)}"
        )

    @property
    def flip(self):
        """Probability that a category is drawn anew."""
        return float(Fraction(self.threshold, SCALE))
