"""Flips of sparse binary data: a kind of noise whose certificates count flags.

See `_sparse_flips` for what changed flags cost, `_draw_sparse_flips` for how flips are
drawn.
"""

from fractions import Fraction
from hashlib import blake2b
from numbers import Real

import numpy as np

from ._binary import check_binary
from ._draw_sparse_flips import (
    draw_sparse_flips,
    draw_sparse_flips_alone,
    put_sparse_flips,
)
from ._family import BoundNoise, Noise
from ._flips import SCALE, flip_threshold, probability_text
from ._regions import rest_of, round_up
from ._sparse_flips import sparse_regions

# What ``alone`` writes at a place, where a zero would become a one, or a one a zero; or
# both, their sum.
_ADDED, _DELETED = 1, 2


class BoundSparseFlip(BoundNoise):
    """Flips of zeros and ones, and what they prove where some flags are changed.

    No number moves, so all radii are 0: certificates are about changes.

    Parameters
    ----------
    kind : SparseFlip

    sigma : float
        Without effect.

    step : None
        There is no grid.

    changes : (int, int), default=(0, 0)
        How many flags are added and deleted, at most.
    """

    # Radii are 0, which is the same in all norms: none has to be told.
    norm = "l2"
    is_discrete = True
    scales = False
    closed = True
    remedy = "no number has noise, so nothing but a radius of 0 is certified"

    def __init__(self, kind, sigma, step=None, changes=(0, 0)):
        if np.ndim(sigma):
            raise ValueError(
                f"{kind!r} flips every feature, whatever sigma is: leave sigma one "
                "number."
            )
        super().__init__(kind, 1.0, step)
        self.thresholds, self.changes = kind.thresholds, changes

    @property
    def unit(self):
        """There are no radii, so sigma is without effect."""
        return 1.0

    check = staticmethod(check_binary)

    # Drawing, of copies that are dense

    def open(self, key):
        """Return two streams; see ``draw_sparse_flips``."""
        own = blake2b(key, person=b"chosen", digest_size=32).digest()
        return super().open(key), super().open(own)

    def copies(self, x, stream, out):
        """Fill `out` with copies of `x`; see ``BoundNoise.copies``.

        Raises
        ------
        ValueError
            If a value of `x` is not 0, 1 or missing.
        """
        self._put(x, self.sparse_copies(_ones(x), x.size, stream, len(out)), out)

    def alone(self, stream, out):
        """Fill `out` with what would happen at each place; see ``BoundNoise.alone``."""
        n_features = out[0].size if len(out) else 0
        indptr, added, deleted = self.sparse_alone(n_features, stream, len(out))
        places = out.reshape(len(out), n_features)
        octets = deleted.astype("<u8").view(np.uint8)
        places[...] = np.unpackbits(octets, axis=1, count=n_features, bitorder="little")
        places *= _DELETED
        places[np.repeat(np.arange(len(out)), np.diff(indptr)), added] += _ADDED

    def add(self, x, noise, out):
        """Write to `out` copies of x, under the flips of ``alone``."""
        check_binary(x)
        added, deleted = noise % _DELETED == _ADDED, noise >= _DELETED
        out[...] = np.where(x == 1, ~deleted, np.where(x == 0, added, np.nan))

    def _put(self, x, copies, out):
        indptr, indices = copies
        out[...] = 0
        rows = np.repeat(np.arange(len(out)), np.diff(indptr))
        out.reshape(len(out), x.size)[rows, indices] = 1
        out[:, np.isnan(x)] = np.nan

    # Drawing, of copies that are sparse

    def sparse_copies(self, ones, n_features, stream, n_copies):
        """Return copies of an input; see ``draw_sparse_flips``."""
        return draw_sparse_flips(ones, n_features, *self.thresholds, stream, n_copies)

    def sparse_alone(self, n_features, stream, n_copies):
        """Return flips for any input; see ``draw_sparse_flips_alone``."""
        return draw_sparse_flips_alone(n_features, *self.thresholds, stream, n_copies)

    # Returns copies of an input under these flips.
    sparse_add = staticmethod(put_sparse_flips)

    # What it proves

    @property
    def regions(self):
        """What the changes cost: Regions."""
        rates = (Fraction(one, SCALE) for one in self.thresholds)
        return sparse_regions(*rates, *self.changes)

    def changed(self, changes):
        """Return what is proved if flags are changed.

        Parameters
        ----------
        changes : (int, int) or 0
            At most so many additions, of ones in place of zeros, and deletions, of
            zeros in place of ones. 0 is none of both.

        Returns
        -------
        proof : BoundSparseFlip

        Raises
        ------
        ValueError
            If `changes` is something else.
        """
        pair = (0, 0) if _is_count(changes) and changes == 0 else changes
        if not isinstance(pair, (tuple, list)) or len(pair) != 2:
            pair = (None, None)
        if not all(_is_count(one) and one >= 0 for one in pair):
            raise ValueError(
                "changes must be (additions, deletions), two whole numbers of flags, 0 "
                f"or more; got {changes!r}."
            )
        pair = tuple(map(int, pair))
        return BoundSparseFlip(self.kind, self.sigma, self.step, pair)

    def worst(self, p, distance):
        """Return what the changes leave of `p`; nothing if numbers move as well."""
        left = self.regions.worst(p)
        return np.where(np.asarray(distance, float) > 0, 0.0, left)

    def needed(self, radius):
        """Return the probability above which the changes are certified."""
        needed = round_up(self.regions.needed())
        return np.where(np.asarray(radius, float) > 0, 1.0, needed)

    def radius(self, p_a, p_b=None):
        """Return 0: no number may move."""
        return np.zeros(np.broadcast_shapes(np.shape(p_a), np.shape(p_b)))

    def radius_of_rest(self, rest, runner_up):
        """Return 0: no number may move."""
        return self.radius(rest, runner_up)

    def certified(self, radius, p_a, p_b=None):
        """Return whether classes are certified under the changes: a closed ball."""
        return self.regions.ahead(rest_of(p_a), p_b)


class SparseFlip(Noise):
    """Flips of sparse zeros and ones: bags of words, lists of calls, links.

    Each zero becomes a one with probability `p_add`, each one a zero with `p_del`,
    independently. Certificates are about numbers of added and of deleted ones; there
    are no radii, and `sigma` has no effect.

    Parameters
    ----------
    p_add : float, default=0.01
        Rounded to a multiple of 2^-32, which is then drawn and certified. If there are
        very many zeros, only a few should become ones: `p_add` times their number do on
        average.

    p_del : float, default=0.6
        Rounded in the same way.

    References
    ----------
    A. Bojchevski, J. Klicpera, S. Guennemann (2020), "Efficient Robustness Certificates
    for Discrete Data", arXiv:2008.12952.

    Examples
    --------
    >>> from sksmooth.noise import SparseFlip
    >>> noise = SparseFlip(p_add=0.01, p_del=0.6).bind(1.0)
    >>> [float(noise.changed(c).needed(0).round(4)) for c in [(1, 0), (0, 1), (0, 5)]]
    [0.825, 0.697, 0.9591]
    """

    bound = BoundSparseFlip
    takes_sparse = True

    def __init__(self, p_add=0.01, p_del=0.6):
        self.p_add = p_add
        self.p_del = p_del

    @property
    def in_words(self):
        """What this noise does; see ``Noise.in_words``."""
        added, dropped = map(probability_text, (self.p_add, self.p_del))
        return (
            f"each zero becomes a one with probability {added}, and each one a zero "
            f"with probability {dropped}, independently"
        )

    @property
    def thresholds(self):
        """`p_add` and `p_del` as drawn: two whole numbers, times 2^-32.

        Raises
        ------
        ValueError
            If one of them is no probability.
        """
        for name, value in (("p_add", self.p_add), ("p_del", self.p_del)):
            if not isinstance(value, Real) or not 0 <= value <= 1:
                raise ValueError(
                    f"{name} must be a probability, from 0 to 1, got {value!r}."
                )
        return flip_threshold(self.p_add), flip_threshold(self.p_del)


def _ones(x):
    """Return where an input is 1."""
    check_binary(x)
    return np.flatnonzero(x == 1)


def _is_count(value):
    return isinstance(value, (int, np.integer)) and not isinstance(value, bool)
