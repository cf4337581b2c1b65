"""The voter for linear classifiers: votes drawn in the space of the scores.

For a linear classifier the scores of noisy copies of x are exactly
N(W x + b, W diag(sigma^2) W^T). Only differences of scores matter, so a vote costs
n_classes - 1 normals, whatever the number of features.
"""

import numpy as np
from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import Pipeline

from .._sklearn import predicts_by_linear_scores
from ._affine import pull_back
from ._voter import Voter


class LinearVoter(Voter):
    """Counts the votes of a classifier with scores ``weights @ x + offset``.

    Class 0 has score 0 and class k the k-th row; the highest score wins, and the
    lower class in a tie, as in scikit-learn.

    Parameters
    ----------
    weights : ndarray of shape (n_classes - 1, n_features)

    offset : ndarray of shape (n_classes - 1,)

    X : ndarray of shape (n_inputs, n_features)
        The clean inputs.

    sigma : ndarray of shape (n_features,)
        Noise level of each feature.
    """

    # Scores are cheap: stay inside the second-level cache.
    batch_bytes = 2**19

    def __init__(self, weights, offset, X, sigma):
        # Classes with equal scores always tie, and the lowest of them wins. The factor
        # below would break such ties at random, so only the lowest takes part.
        self.n_classes = len(weights) + 1
        scores = np.column_stack([weights, offset])
        scores = np.vstack([np.zeros(scores.shape[1]), scores])
        _, first = np.unique(scores, axis=0, return_index=True)
        self.contenders = np.sort(first)
        others = self.contenders[1:] - 1
        self.weights = weights = weights[others]
        self.offset = offset[others]
        self.X = X
        # With A = weights * sigma and A^T = Q R, the scores of the noise, A n for
        # n ~ N(0, I), are R^T z for z = Q^T n ~ N(0, I): no assumption on the rank.
        # The sign of R's rows is free; fixing it keeps votes equal across LAPACKs.
        factor = np.linalg.qr((weights * sigma).T, mode="r")
        signs = np.where(np.diagonal(factor) < 0, -1.0, 1.0)
        self.factor = factor * signs[:, None]

    @property
    def row_bytes(self):
        return 8 * max(1, sum(self.factor.shape))

    def allocate(self, size):
        """Make room for a batch of `size` noisy copies, classes by rows."""
        rank, n_scores = self.factor.shape
        self._normals = np.empty((size, rank))
        self._scores = np.empty((n_scores, size))
        return size

    def fill(self, start, stop, row, stream):
        """Put scores of noisy copies of input `row` into places start ... stop - 1."""
        normals = self._normals[start:stop]
        stream.standard_normal(out=normals)
        scores = self._scores[:, start:stop]
        np.matmul(self.factor.T, normals.T, out=scores)
        scores += (self.weights @ self.X[row] + self.offset)[:, None]

    def classify(self, size):
        """Return the class index of each of the first `size` copies."""
        winner = np.zeros(size, np.intp)
        best = np.zeros(size)
        for k, scores in enumerate(self._scores[:, :size], start=1):
            np.putmask(winner, scores > best, k)
            np.maximum(best, scores, out=best)
        return self.contenders[winner]


def linear_scores(estimator):
    """Return (weights, offset) in input units, or None if `estimator` is not linear.

    Looks through FrozenEstimator and through Pipelines whose steps before the linear
    classifier are affine.
    """
    if "predict" in vars(estimator):  # replaced on this very object
        return None
    if isinstance(estimator, FrozenEstimator):
        return linear_scores(estimator.estimator)
    if type(estimator) is Pipeline:
        scores = linear_scores(estimator.steps[-1][1])
        for _, step in reversed(estimator.steps[:-1]):
            if scores is None:
                return None
            scores = pull_back(step, *scores)
        return scores
    if not predicts_by_linear_scores(estimator):
        return None
    coef = estimator.coef_
    coef = np.atleast_2d(coef.toarray() if hasattr(coef, "toarray") else coef)
    offset = np.broadcast_to(estimator.intercept_, (len(coef),))
    coef, offset = coef.astype(float), offset.astype(float)
    if len(coef) == 1:
        return coef, offset
    return coef[1:] - coef[0], offset[1:] - offset[0]
