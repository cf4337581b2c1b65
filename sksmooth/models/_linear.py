"""Linear classifiers: their scores in the units of the input."""

import numpy as np
from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import Pipeline

from .._sklearn import predicts_by_linear_scores
from ._affine import pull_back
from ._bounded import Bounded


def check_finite(scores):
    """Raise a ValueError where comparing scores would make no sense."""
    if not np.all(np.isfinite(scores)):
        raise ValueError(
            "the scores of the linear classifier overflow float64: scale X (and sigma) "
            "down."
        )


def linear_scores(estimator, *, bounded=False):
    """Return (weights, offset) in input units, or None if `estimator` is not linear.

    Looks through FrozenEstimator and through Pipelines whose steps before the linear
    classifier are affine. With `bounded` they are ``Bounded`` numbers, whose errors
    count every rounding since the fitted parameters.
    """
    if "predict" in vars(estimator):  # replaced on this very object
        return None
    if isinstance(estimator, FrozenEstimator):
        return linear_scores(estimator.estimator, bounded=bounded)
    if type(estimator) is Pipeline:
        scores = linear_scores(estimator.steps[-1][1], bounded=bounded)
        for _, step in reversed(estimator.steps[:-1]):
            if scores is None:
                return None
            scores = pull_back(step, *scores)
        return scores
    if not predicts_by_linear_scores(estimator):
        return None
    coef = estimator.coef_
    coef = np.atleast_2d(coef.toarray() if hasattr(coef, "toarray") else coef)
    n_scores = len(coef)
    offset = np.broadcast_to(estimator.intercept_, (n_scores,))
    coef, offset = coef.astype(float), offset.astype(float)
    if bounded:
        coef, offset = Bounded(coef), Bounded(offset)
    if n_scores == 1:
        return coef, offset
    return coef[1:] - coef[0], offset[1:] - offset[0]
