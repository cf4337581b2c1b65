"""Stop drawing votes as soon as they settle the question.

All rules look at the votes at sample sizes that are fixed in advance, and split alpha
between these looks. By the union bound the answer is then wrong with probability at
most alpha whatever made the drawing stop at one look and not at another.

A rule is called as ``rule(look, rows, counts)`` with the index of the look that each of
some inputs has reached, the inputs' places and their counts so far. It returns, for
each of them, a value (the engine keeps the largest over the looks) and whether the
answer is settled. ``rule.empty(n_inputs)`` are the values before the first look.
Fields with an entry for each input are named in ``rule.per_input``.
"""

from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from typing import ClassVar

import numpy as np

from ..noise._proof import Proof
from ._binomial import lower_confidence_bound, upper_confidence_bound
from ._checks import (
    check_counts,
    check_level,
    check_part,
    check_radius,
)
from ._futility import GIVE_UP, most_to_give_up
from ._radius import certified_after_loss, radius_after_loss
from ._ranking import rank_verification_pvalue

# Error allowed in giving up early, at each look. Any value leaves the guarantee as it
# is; a larger one saves votes at the price of certified accuracy.
FUTILITY = 0.001


def sample_sizes(n, first=100):
    """Sample sizes at which a sequential rule looks: first, 2 first, 4 first, ..., n.

    Parameters
    ----------
    n : int
        Largest number of votes, at least 1.

    first : int, default=100
        Smallest number of votes.

    Returns
    -------
    looks : ndarray of int64
        Strictly increasing; ends with `n`.

    References
    ----------
    S. J. Pocock (1977), "Group sequential methods in the design and analysis of
    clinical trials", Biometrika 64(2), 191-199.

    Examples
    --------
    >>> from sksmooth.stats import sample_sizes
    >>> sample_sizes(1_000)
    array([ 100,  200,  400,  800, 1000])
    """
    n, first = int(check_counts(n, "n")), int(check_counts(first, "first"))
    if n < 1 or first < 1:
        raise ValueError("n and first must be at least 1.")
    doublings = max(0, int(np.ceil(np.log2(n / first))))
    looks = first * 2 ** np.arange(doublings, dtype=np.int64)
    return np.append(looks[looks < n], np.int64(n))


def split_alpha(alpha, n_looks, last=0.5):
    """Share out the failure probability between the looks.

    Parameters
    ----------
    alpha : float
        Failure probability of the whole, in (0, 1).

    n_looks : int
        Number of looks.

    last : float or None, default=0.5
        Share of the last look; the others get equal parts of what remains. ``None``
        gives all looks the same.

    Returns
    -------
    alphas : ndarray of float of shape (n_looks,)
        Their exact sum is at most `alpha`.

    Examples
    --------
    >>> from sksmooth.stats import split_alpha
    >>> split_alpha(0.001, 5)
    array([0.000125, 0.000125, 0.000125, 0.000125, 0.0005  ])
    """
    alpha = float(check_part(alpha))
    if n_looks < 1:
        raise ValueError(f"n_looks must be at least 1, got {n_looks!r}.")
    if last is not None:
        check_level(last, "last")
    return np.array(_parts(alpha, int(n_looks), last))


@lru_cache(maxsize=64)
def _parts(alpha, n_looks, last):
    """Do what ``split_alpha`` does: rules ask for it again with every batch."""
    if n_looks == 1:
        return (alpha,)
    if last is None:
        parts = np.full(n_looks, alpha / n_looks)
    else:
        parts = np.full(n_looks, alpha * (1 - last) / (n_looks - 1))
        parts[-1] = alpha * last
    # Rounded down, so that the exact sum of these numbers is not above alpha.
    while sum(map(Fraction, parts.tolist())) > Fraction(alpha):
        parts = np.nextafter(parts, 0)
    return tuple(check_part(parts).tolist())


def fewest_votes_for_radius(n, alpha, radius, noise):
    """Fewest of n votes with which a class is certified at a radius.

    Parameters
    ----------
    n : int
        Votes drawn.

    alpha : float
        Level of the Clopper-Pearson bound.

    radius : array-like of float
        Radii, >= 0.

    noise : Proof

    Returns
    -------
    k : ndarray of int64 of the shape of `radius`
        n + 1 where not even n votes suffice.
    """
    radius = check_radius(radius)

    def enough(k):
        p_lower = lower_confidence_bound(k, n, alpha)
        reached = noise.radius(p_lower)
        return (reached >= radius) & noise.certified(reached, p_lower)

    return _fewest(enough, n, radius.shape)


def _fewest(enough, n, shape):
    """Smallest k in 0..n+1 with ``enough(k)``, which is monotone; n + 1 if none."""
    low, high = np.full(shape, -1), np.full(shape, n + 1)
    while np.any(high - low > 1):
        middle = np.clip((low + high) // 2, 0, n)
        good = enough(middle)
        open_ = high - low > 1
        low = np.where(open_ & ~good, middle, low)
        high = np.where(open_ & good, middle, high)
    return high


@lru_cache(maxsize=64)
def _thresholds(looks, alphas, radii, noise, futility):
    """Counts of the right class at which each look accepts or rejects each radius.

    Returns accept and reject, int arrays of shape (n_looks, n_radii): the radius is
    certified from `accept` votes on, and given up at `reject` votes or fewer.
    """
    radii = np.array(radii)
    accept = np.array(
        [
            fewest_votes_for_radius(n, alpha, radii, noise)
            for n, alpha in zip(looks, alphas, strict=True)
        ]
    )
    p_needed = noise.needed(radii)
    reject = np.array(
        [
            _fewest(
                lambda k, n=n: upper_confidence_bound(k, n, futility) >= p_needed,
                n,
                radii.shape,
            )
            - 1
            for n in looks
        ]
    )
    # Nor is there any hope where all votes that are left could not make a later look
    # accept; a radius beyond reach is given up at once.
    for look in range(len(looks) - 1):
        left = np.array(looks[look + 1 :])[:, None] - looks[look]
        reject[look] = np.maximum(
            reject[look], (accept[look + 1 :] - left).min(axis=0) - 1
        )
    return accept, reject


@dataclass(frozen=True)
class CertifyKnownLabel:
    """Is the probability of the known label above what each radius needs?

    Certified accuracy needs no more: no class is selected, and the question is one
    of a fixed threshold. The value is a boolean for each radius.

    Parameters
    ----------
    looks : ndarray of int of shape (n_looks,)
        Sample sizes.

    alpha : float
        P(an input is called certified at a radius at which it is not) <= alpha.

    radii : ndarray of float of shape (n_radii,)

    noise : Proof
        Tells which radius a probability certifies.

    label : ndarray of int of shape (n_inputs,)
        Column of the true class of each input.

    futility : float, default=0.001
        Level of the upper bound with which a radius is given up early.

    loss : ndarray of float of shape (n_inputs,), default=None
        What is taken off the radius of each input, see ``radius_after_loss``.
    """

    per_input: ClassVar = ("label", "loss")

    looks: np.ndarray
    alpha: float
    radii: np.ndarray
    noise: Proof
    label: np.ndarray
    futility: float = FUTILITY
    loss: np.ndarray | None = None

    def empty(self, n_inputs):
        return np.zeros((n_inputs, len(self.radii)), bool)

    def __call__(self, look, rows, counts):
        if self.loss is not None:
            return self._decide(look, rows, counts)
        alphas = split_alpha(self.alpha, len(self.looks))
        numbers = (self.looks, alphas, self.radii)
        numbers = (tuple(one.tolist()) for one in numbers)
        accept, reject = _thresholds(*numbers, self.noise, self.futility)
        votes = np.take_along_axis(counts, self.label[rows][:, None], axis=1)
        accepted = votes >= accept[look]
        rejected = votes <= reject[look]
        return accepted, np.all(accepted | rejected, axis=1)

    def _decide(self, look, rows, counts):
        """Answer where thresholds differ from input to input."""
        alphas = split_alpha(self.alpha, len(self.looks))
        n, loss = self.looks[look], self.loss[rows]
        votes = np.take_along_axis(counts, self.label[rows][:, None], axis=1)[:, 0]

        def reaches(p):
            left = radius_after_loss(self.noise.radius(p), loss)
            certified = certified_after_loss(self.noise, left, loss, p)
            return (left[:, None] >= self.radii) & certified[:, None]

        accepted = reaches(lower_confidence_bound(votes, n, alphas[look]))
        # As far as votes that are left, all for the label, could lift a later bound.
        ahead = np.zeros(len(rows))
        for later, (n_later, level) in enumerate(zip(self.looks, alphas, strict=True)):
            left = np.maximum(n_later - n, 0)
            best = lower_confidence_bound(votes + left, n + left, level)
            ahead = np.where(look < later, np.maximum(ahead, best), ahead)
        hope = np.minimum(upper_confidence_bound(votes, n, self.futility), ahead)
        return accepted, np.all(accepted | ~reaches(hope), axis=1)


@dataclass(frozen=True)
class NameTopClass:
    """Is the class with most votes the most probable one? Hung and Fithian's test.

    The value is True once the test rejects at its share of alpha; then the answer is
    settled, too. A close vote between two classes is given up if that is unlikely to
    come; one between more is not.

    Parameters
    ----------
    looks : ndarray of int of shape (n_looks,)
        Sample sizes.

    alpha : float
        P(the class named is not the most probable one) <= alpha.

    give_up : float, default=0.05
        Of two classes: P(an input is given up, and later votes would have named its
        class) <= give_up. 0 gives nothing up.
    """

    per_input: ClassVar = ()

    looks: np.ndarray
    alpha: float
    give_up: float = GIVE_UP

    def empty(self, n_inputs):
        return np.zeros(n_inputs, bool)

    def __call__(self, look, rows, counts):
        alphas = split_alpha(self.alpha, len(self.looks), last=None)
        second, first = np.partition(counts, -2, axis=1)[:, -2:].T
        sure = rank_verification_pvalue(first, second) <= alphas[look]
        if not self.give_up or counts.shape[1] > 2 or np.all(sure):
            return sure, sure
        numbers = tuple(self.looks.tolist()), tuple(alphas.tolist())
        return sure, sure | (first <= most_to_give_up(*numbers, self.give_up)[look])


@dataclass(frozen=True)
class BoundProbability:
    """Lower bound on the probability of a selected class, good enough for its radius.

    The value is the Clopper-Pearson bound at the look's share of alpha. Drawing stops
    when more votes could not raise the radius by more than a tolerance: not above
    what the upper bound at the futility level allows, nor above what all votes that
    are left could do.

    Parameters
    ----------
    looks : ndarray of int of shape (n_looks,)
        Sample sizes.

    alpha : float
        P(the largest bound over the looks exceeds the probability) <= alpha.

    selected : ndarray of int of shape (n_inputs,)
        Column of the selected class.

    tolerance : ndarray of float of shape (n_inputs,)
        In the units of radii.

    noise : Proof
        Tells which radius a probability certifies.

    futility : float, default=0.001
        Level of the upper bound.
    """

    per_input: ClassVar = ("selected", "tolerance")

    looks: np.ndarray
    alpha: float
    selected: np.ndarray
    tolerance: np.ndarray
    noise: Proof
    futility: float = FUTILITY

    def empty(self, n_inputs):
        return np.zeros(n_inputs)

    def __call__(self, look, rows, counts):
        alphas = split_alpha(self.alpha, len(self.looks))
        n, n_last = self.looks[look], self.looks[-1]
        votes = np.take_along_axis(counts, self.selected[rows][:, None], axis=1)[:, 0]
        p_lower = lower_confidence_bound(votes, n, alphas[look])
        at_most = np.minimum(
            upper_confidence_bound(votes, n, self.futility),
            lower_confidence_bound(votes + n_last - n, n_last, alphas[-1]),
        )
        growth = self.noise.radius(at_most) - self.noise.radius(p_lower)
        return p_lower, growth <= self.tolerance[rows]
