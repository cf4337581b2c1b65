"""Linear classifiers and regressors: their scores in the units of the input."""

import numpy as np

from .._sklearn import predicts_by_linear_scores, predicts_linearly
from ._affine import pull_back_all
from ._bounded import Bounded


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
    if chain.own or not predicts_by_linear_scores(chain.last):
        return None
    return 1 if np.ndim(chain.last.coef_) < 2 else chain.last.coef_.shape[0]


def linear_scores(chain, *, bounded=False, than=0):
    """Return (weights, offset) in input units, or None if a Chain is not linear.

    It is if its steps are affine and what predicts is linear. With `bounded` they are
    ``Bounded`` numbers, whose errors count every rounding since the fitted parameters.
    Of several classes these are the scores of all others less that of the class `than`.
    """
    f = chain.last
    if chain.own or not predicts_by_linear_scores(f):
        return None
    coef = f.coef_.toarray() if hasattr(f.coef_, "toarray") else f.coef_
    coef = np.atleast_2d(coef)
    n_scores = len(coef)
    offset = np.broadcast_to(f.intercept_, (n_scores,))
    coef, offset = coef.astype(float), offset.astype(float)
    if bounded:
        coef, offset = Bounded(coef), Bounded(offset)
    if n_scores > 1:
        others = np.delete(np.arange(n_scores), than)
        coef, offset = coef[others] - coef[than], offset[others] - offset[than]
    return pull_back_all(chain.steps, coef, offset)


def linear_outputs(chain):
    """Return (weights, offset) of a linear regressor in input units; None for others.

    ``Bounded`` numbers with a row for each output, as ``linear_scores`` returns them
    for classifiers.
    """
    f = chain.last
    if chain.own or not predicts_linearly(f):
        return None
    coef = f.coef_.toarray() if hasattr(f.coef_, "toarray") else f.coef_
    coef = np.atleast_2d(coef).astype(float)
    offset = np.broadcast_to(f.intercept_, (len(coef),)).astype(float)
    return pull_back_all(chain.steps, Bounded(coef), Bounded(offset))
