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

    # Scores are cheap: drown the overhead of calls, but stay near the cache.
    batch_bytes = 2**21

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
        return 8 * max(1, sum(self.factor.shape)) + len(self.weights)

    def allocate(self, size):
        """Make room for a batch of `size` noisy copies, classes by rows."""
        rank, n_scores = self.factor.shape
        self._normals = np.empty((size, rank))
        self._scores = np.empty((n_scores, size))
        self._sums = np.empty((2, size))
        self._better = np.empty((n_scores, size), bool)
        return size

    def fill(self, start, stop, row, stream):
        """Put scores of noisy copies of input `row` into places start ... stop - 1."""
        normals = self._normals[start:stop]
        stream.standard_normal(out=normals)
        scores = self._scores[:, start:stop]
        np.matmul(self.factor.T, normals.T, out=scores)
        scores += self._clean_scores(row)[:, None]

    def tally(self, sizes):
        """Count the winners of the batch; see ``Voter.tally``."""
        return self._count(sizes, self._scores[:, : sizes.sum()])

    def draw(self, stream, size):
        """Make the scores of the noise of the next `size` copies of all inputs."""
        normals = self._normals[:size]
        stream.standard_normal(out=normals)
        np.matmul(self.factor.T, normals.T, out=self._scores[:, :size])

    def tally_block(self, rows, size, batch_size):
        """Count under the noise of ``draw``: no copy is made, scores are compared."""
        counts = np.zeros((len(rows), self.n_classes), np.int64)
        n_together = max(1, batch_size // size)
        for start in range(0, len(rows), n_together):
            some = rows[start : start + n_together]
            means = np.array([self._clean_scores(row) for row in some]).T
            counts[start : start + n_together] = self._count(
                np.full(len(some), size), self._scores[:, :size], means[:, :, None]
            )
        return counts

    def _clean_scores(self, row):
        return self.weights @ self.X[row] + self.offset

    def _count(self, sizes, noisy, means=None):
        """Count the winners in each part of a batch.

        Parameters
        ----------
        sizes : ndarray of int of shape (n_parts,)

        noisy : ndarray of shape (n_scores, n_copies)
            Scores.

        means : ndarray of shape (n_scores, n_parts, 1), default=None
            Added to `noisy`, which are the same in all parts.

        Returns
        -------
        counts : ndarray of int of shape (n_parts, n_classes)
        """
        size = int(sizes.sum())
        shape = (size,) if means is None else (len(sizes), size // len(sizes))
        sums, best = self._sums[:, :size].reshape(2, *shape)
        better = self._better[:, :size].reshape(-1, *shape)
        best.fill(0)
        for k, scores in enumerate(noisy):
            if means is None:
                sums = scores
            else:
                np.add(scores, means[k], out=sums)
            np.greater(sums, best, out=better[k])
            np.maximum(best, sums, out=best)
        # The last score that is better than all before it wins.
        counts = np.zeros((len(sizes), self.n_classes), np.int64)
        starts = np.cumsum(sizes) - sizes
        won, n_before = np.zeros(shape, bool), 0
        for k, contender in reversed(list(enumerate(self.contenders[1:]))):
            won |= better[k]
            n_won = _count_parts(won.ravel(), starts)
            counts[:, contender] = n_won - n_before
            n_before = n_won
        counts[:, self.contenders[0]] = sizes - n_before
        return counts


def _count_parts(flags, starts):
    """Count the True in each part of `flags`; the parts begin at `starts`."""
    if len(starts) == 1:  # many times faster
        return np.count_nonzero(flags)
    return np.add.reduceat(flags.view(np.uint8), starts, dtype=np.int64)


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
