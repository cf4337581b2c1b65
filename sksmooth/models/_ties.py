"""Scores that noise moves alike: which of them is higher may be for rounding to say.

Two scores of x + noise whose noise is the same, because their weights differ only where
sigma is 0, differ by what x says, for every noise. If x says nothing either (0, or what
a scaler makes 0) they tie, and `predict` has its rule for ties. Where noise is drawn
for the scores and not for x, the same two would differ by rounding errors. A model of
which two scores are like that must be asked through `predict`.
"""

from functools import lru_cache

import numpy as np

# Rows that differ by less, relatively, may be equal but for roundings behind steps.
_ALIKE = 1e-11


def linear_ties(weights, offset, sigma):
    """May two scores of a linear classifier differ by rounding errors only?

    Classes with equal weights and offsets do not count: ``LinearVoter`` lets the first
    of them stand for all.

    Parameters
    ----------
    weights : ndarray of shape (n_classes - 1, n_features)
        By how much the score of a class is ahead of that of the first, which is 0.

    offset : ndarray of shape (n_classes - 1,)

    sigma : ndarray of shape (n_features,)

    Returns
    -------
    ties : bool
        The same for all inputs: how votes are drawn must not depend on them.
    """
    weights = np.vstack([np.zeros(weights.shape[1]), weights])
    return _some_alike(weights[contenders(weights[1:], offset)], sigma)


def contenders(weights, offset):
    """Return the classes that can win: of those with equal scores the lowest.

    Parameters
    ----------
    weights, offset
        As for ``linear_ties``.

    Returns
    -------
    classes : ndarray of int
        In order.
    """
    scores = np.column_stack([weights, offset])
    scores = np.vstack([np.zeros(scores.shape[1]), scores + 0.0])  # -0.0 is 0.0
    first = {}
    for k, row in enumerate(scores):
        first.setdefault(row.tobytes(), k)
    return np.array(list(first.values()))


def layer_ties(weights, sigma):
    """May two units of a net's first layer differ by rounding errors only?

    Or one of them, which noise does not reach, from a number? Units without weights
    cannot: what they get is exact. Those with equal weights are computed alike.

    Parameters
    ----------
    weights : ndarray of shape (n_units, n_features)

    sigma : ndarray of shape (n_features,)

    Returns
    -------
    ties : bool
    """
    alive = np.unique(weights[np.any(weights != 0, axis=1)], axis=0)
    return _some_alike(np.vstack([np.zeros(weights.shape[1]), alive]), sigma)


def _some_alike(weights, sigma):
    """Is what noise does to two of the rows the same, up to rounding?"""
    # Rows that are alike are neighbours on any axis, and others are not on this one,
    # but for a chance of one in millions. An error of that kind costs time only.
    axis = _axis(len(sigma))
    with np.errstate(over="ignore", invalid="ignore"):
        noise = weights * sigma
        place, size = noise @ axis, np.abs(noise).max(axis=1, initial=0)
    if not np.all(np.isfinite(place)):
        return False  # who computes scores will say so
    order = np.argsort(place)
    gap, size = np.diff(place[order]), size[order]
    return bool(np.any(gap <= _ALIKE * np.maximum(size[1:], size[:-1])))


@lru_cache(maxsize=16)
def _axis(n_features):
    axis = np.random.default_rng(0).normal(size=n_features)
    axis.flags.writeable = False
    return axis
