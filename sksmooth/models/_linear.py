"""Linear classifiers and regressors: their scores in the units of the input."""

import numpy as np

from .._sklearn import (
    has_equal_priors,
    one_against_rest,
    predicts_by_centroids,
    predicts_by_linear_scores,
    predicts_linearly,
    separating_kernels,
)
from ._affine import pull_back_all
from ._bounded import EPS, SMALLEST, Bounded

# Share of a squared distance that `predict` of centroids may lose by rounding.
_LOST = 1e-5


def check_finite(scores):
    """Raise a ValueError where comparing scores would make no sense."""
    if not np.all(np.isfinite(scores)):
        raise ValueError(
            "the scores of the linear classifier overflow float64: scale X (and sigma) "
            "down."
        )


def count_scores(chain):
    """Return how many scores a linear classifier has, 1 for two classes.

    Cheap; None for all others. Steps may still not be affine.
    """
    f = chain.last
    if chain.own:
        return None
    if predicts_by_centroids(f):
        n_scores = len(f.centroids_)
        if _are_equal(f) or _are_far_out(f):
            return None
        return 1 if n_scores == 2 else n_scores
    if separating_kernels(f) is not None:
        return 1
    if (parts := one_against_rest(f)) is not None:
        return len(parts)
    if not predicts_by_linear_scores(f):
        return None
    return 1 if np.ndim(f.coef_) < 2 else f.coef_.shape[0]


def linear_scores(chain, *, bounded=False, than=0):
    """Return (weights, offset) in input units, or None if a Chain is not linear.

    It is if its steps are affine and what predicts is linear. With `bounded` they are
    ``Bounded`` numbers, whose errors count every rounding since the fitted parameters.
    Of several classes these are the scores of all others less that of the class `than`.
    """
    f = chain.last
    if count_scores(chain) is None:
        return None
    if predicts_by_centroids(f):
        coef, offset = _scores_of_centroids(f, Bounded if bounded else np.asarray)
        n_scores = len(f.centroids_)
    elif (kernels := separating_kernels(f)) is not None:
        coef, offset = _score_of_kernels(*kernels, bounded)
        n_scores = 1
    else:
        parts = one_against_rest(f) or [f]
        coef = np.concatenate([_coef(part) for part in parts])
        n_scores = len(coef)
        offset = np.concatenate([np.ravel(part.intercept_) for part in parts])
        offset = np.full(n_scores, offset, float)
        if bounded:
            coef, offset = Bounded(coef), Bounded(offset)
    if n_scores > 1:
        others = np.arange(n_scores) != than
        coef, offset = coef[others] - coef[than], offset[others] - offset[than]
    return pull_back_all(chain.steps, coef, offset)


def _coef(f):
    coef = f.coef_.toarray() if hasattr(f.coef_, "toarray") else f.coef_
    return np.atleast_2d(coef).astype(float)


def _score_of_kernels(factors, vectors, intercept, bounded):
    """Return (coef, offset) of ``factors @ (vectors @ x) + intercept``.

    Parameters
    ----------
    factors : ndarray of shape (n_vectors,)

    vectors : ndarray of shape (n_vectors, n_features)

    intercept : float

    bounded : bool
        Return Bounded numbers. Their errors also cover how `predict` rounds that sum,
        and a tie, which is of the second class here, is counted as one.
    """
    coef = (factors @ vectors)[None]
    # A sum of 0 belongs to the second class. The smallest number is lost in any other.
    offset = np.array([intercept or SMALLEST], float)
    if not bounded:
        return coef, offset
    n_terms = sum(vectors.shape) + 4
    error = n_terms * (EPS * (np.abs(factors) @ np.abs(vectors)) + 4 * SMALLEST)
    error = np.where(np.any(vectors != 0, axis=0), error, 0.0)
    return Bounded(coef, error[None]), Bounded(offset, np.array([SMALLEST]))


def _are_equal(f):
    """Are two centroids equal? Which of them `predict` names is for rounding to say."""
    return len({row.tobytes() for row in f.centroids_ + 0.0}) < len(f.centroids_)


def _are_far_out(f):
    """Are centroids so far from 0 that `predict` rounds the distances between them off?

    It subtracts squared lengths, of which little is left then.
    """
    centroids = np.asarray(f.centroids_, float)
    length = (centroids**2).sum(axis=1).max()
    gap = min(
        ((one - centroids[k + 1 :]) ** 2).sum(axis=1).min(initial=np.inf)
        for k, one in enumerate(centroids)
    )
    return bool(EPS * length > _LOST * gap)


def _scores_of_centroids(f, numbers):
    """Return (coef, offset) of a NearestCentroid.

    The squared distance to c is |x|^2 - 2 c.x + |c|^2, of which |x|^2 does not matter.
    With priors that differ, features are divided by the deviation within the classes,
    unless that is 0, and 2 log prior is added to the score.

    Parameters
    ----------
    f : fitted NearestCentroid

    numbers : callable
        What the fitted numbers are taken as: ``np.asarray``, or ``Bounded``.
    """
    centroids = weights = numbers(np.asarray(f.centroids_, float))
    if not has_equal_priors(f):
        spread = np.ravel(f.within_class_std_dev_).astype(float)
        spread = numbers(np.where(spread == 0, 1.0, spread))
        weights = centroids / (spread * spread)
    n_columns = f.centroids_.shape[1]
    offset = -((centroids * weights) @ np.ones(n_columns))
    if not has_equal_priors(f):
        logs = 2 * np.log(f.class_prior_)
        if numbers is Bounded:
            logs = Bounded(logs, 4 * EPS * np.abs(logs))
        offset = offset + logs
    return weights * 2.0, offset


def unused_columns(chain):
    """Return which columns have no weight in what a linear model computes.

    ndarray of bool of shape (n_columns,); None if the chain is not linear.
    """
    found = linear_scores(chain, bounded=True)
    if found is None and hasattr(chain.last, "coef_"):
        found = linear_outputs(chain)
    return None if found is None else ~found[0].may_differ_from_0.any(axis=0)


def linear_outputs(chain):
    """Return (weights, offset) of a linear regressor in input units; None for others.

    ``Bounded`` numbers with a row for each output, as ``linear_scores`` returns them
    for classifiers.
    """
    f = chain.last
    if chain.own or not predicts_linearly(f):
        return None
    coef = _coef(f)
    offset = np.broadcast_to(f.intercept_, (len(coef),)).astype(float)
    return pull_back_all(chain.steps, Bounded(coef), Bounded(offset))
