"""Quantiles of a regressor's values under noise without drawing any.

For linear regressors, whose values are normal, and for trees, whose values are those of
their leaves. The ends of intervals hold in exact arithmetic; what is between is not.
"""

import numpy as np
from scipy.special import ndtri
from sklearn.tree import DecisionTreeRegressor

from .._sklearn import predicts_as
from ..models._bounded import EPS
from ..models._linear import linear_outputs
from ..models._unwrap import unwrap
from ._axes import Unsupported, coarser, columns_of
from ._probabilities import ExactLinear, chunks, numbers_of
from ._trees import ExactTree, splits_of

# More than ndtri errs by, relative to 1 + |z|.
_SLACK = 1e-14


def exact_quantiles(estimator, inputs, quantile, distances, levels):
    """Compute a quantile of f(x + noise), and what it stays between near x.

    Parameters
    ----------
    estimator : fitted regressor
        f: a linear one, or a DecisionTreeRegressor; also behind affine steps, which for
        a tree act on each feature by itself.

    inputs : Inputs
        Rows and their noise, which is Gaussian if f is linear.

    quantile : float
        Which one.

    distances : ndarray of float of shape (n_radii,)
        How far from x, in the units of the noise.

    levels : pair of ndarray of float of shape (n_radii,)
        What ``Proof.levels`` says of these distances.

    Returns
    -------
    lower, upper : ndarray of shape (n_inputs, n_outputs, n_radii)
        Rounded outwards.

    middle : ndarray of shape (n_inputs, n_outputs)

    Raises
    ------
    ValueError
        If `estimator` or the noise is not supported, or X has columns that are not
        numbers, or missing values in front of anything but a tree.
    """
    chain = unwrap(estimator)
    X, sigma = numbers_of(
        inputs, chain=chain, takes_gaps=is_regression_tree(chain.last)
    )
    noise = inputs.noise.at(sigma)
    models = _models(chain, noise, quantile, distances, levels)
    shape = len(X), len(models)
    lower, upper = np.empty((2, *shape, len(distances)))
    middle = np.empty(shape)
    for output, model in enumerate(models):
        for rows in chunks(X, model.row_bytes):
            ends = model.quantiles(X[rows])
            lower[rows, output], middle[rows, output], upper[rows, output] = ends
    return lower, upper, middle


def has_exact_quantiles(estimator, noise):
    """Tell whether quantiles are known for f and a kind of noise; see ``is_exact``."""
    if noise.cdf_bounds is None:
        return False
    chain = unwrap(estimator)
    if linear_outputs(chain) is not None:
        return noise.is_normal
    f = chain.last
    if not is_regression_tree(f):
        return False
    try:
        columns = columns_of(splits_of(f), f.n_features_in_, chain.steps)[0]
    except Unsupported:
        return False
    return len(set(columns.tolist())) == len(columns)


def is_regression_tree(estimator):
    """Is `estimator` a regression tree that predicts as scikit-learn's does?"""
    return predicts_as(estimator, DecisionTreeRegressor)


def _models(chain, noise, *settings):
    """Return what computes the quantiles of each output."""
    weights_and_offset, f = linear_outputs(chain), chain.last
    name = type(f).__name__
    if weights_and_offset is not None:
        if not noise.is_normal:
            raise _unsupported(f"{name} under {noise.kind!r} noise")
        weights, offset = weights_and_offset
        outputs = range(len(offset.value))
        return [
            _OfLinear(weights[k], offset[k], noise, chain.steps, *settings)
            for k in outputs
        ]
    steps = " > ".join(type(step).__name__ for step in chain.steps)
    name = f"{name} behind {steps}" if steps else name
    if not is_regression_tree(f):
        raise _unsupported(name)
    try:
        return [
            _OfTree(f, chain.steps, noise, output, *settings)
            for output in range(f.n_outputs_)
        ]
    except Unsupported as error:
        raise _unsupported(name) from error


def _unsupported(what):
    return Unsupported(
        f"method='exact' cannot compute the quantiles of {what}. It supports linear "
        "regressors under Gaussian noise, also behind affine steps, and "
        "DecisionTreeRegressor of any depth, behind affine steps that act on every "
        "feature by itself. For anything else use method='monte_carlo'."
    )


class _OfLinear(ExactLinear):
    """Of values that are normal: mean and standard deviation times that of N(0, 1)."""

    def __init__(self, weights, offset, noise, steps, quantile, distances, levels):
        super().__init__(weights, offset, noise, steps)
        self.z = ndtri(quantile)
        slack = _SLACK * (1 + np.abs(self.z) + distances)
        # Next to x the mean moves by as many standard deviations as x does.
        self.low, self.high = self.z - distances - slack, self.z + distances + slack

    def quantiles(self, X):
        """Return lower ends, quantiles and upper ends."""
        score, error = (part[:, None] for part in self.scores(X))
        # No noise blurs how values are rounded.
        error = error * coarser(X.dtype, self.steps)
        level = self.level
        least = self.low * np.where(self.low < 0, level.high, level.low)
        most = self.high * np.where(self.high > 0, level.high, level.low)
        # A rounding of each product and of each sum.
        size = np.abs(score) + error + np.maximum(np.abs(least), np.abs(most))
        error = error + 4 * EPS * size
        middle = score[:, 0] + self.z * self.spread
        return score - error + least, middle, score + error + most


class _OfTree:
    """Of values with known probabilities: those of the leaves, in order, added up."""

    def __init__(self, f, steps, noise, output, quantile, distances, levels):
        tree = f.tree_
        leaves = tree.children_left == -1
        self.values = np.unique(tree.value[leaves, output, 0])
        answers = np.zeros(tree.node_count, int)
        found = np.searchsorted(self.values, tree.value[leaves, output, 0])
        answers[leaves] = found
        self.tree = ExactTree(f, steps, noise, answers)
        self.quantile = quantile
        lower, upper = levels
        self.lower = lower
        # Of what is above; 0 is exact, and only what cannot be reached is not above.
        self.above = np.maximum(np.nextafter(1 - upper, -1), 0.0)

    @property
    def row_bytes(self):
        """Memory that one input takes."""
        return self.tree.row_bytes + 8 * 8 * len(self.values)

    def quantiles(self, X):
        """Return lower ends, quantiles and upper ends."""
        probabilities, bounds = self.tree.probabilities(X)
        slack = 1 + EPS * len(bounds)
        up_to = np.cumsum(bounds, axis=0) * slack
        above = np.zeros(up_to.shape)
        above[:-1] = np.cumsum(bounds[:0:-1], axis=0)[::-1] * slack
        # The last one is both as low and as high as it gets, whatever rounding does.
        enough = (up_to >= self.lower[:, None, None]) & (up_to > 0)
        enough[:, -1] = True
        low = enough.argmax(axis=1)
        high = (above <= self.above[:, None, None]).argmax(axis=1)
        total = np.cumsum(probabilities, axis=0)
        # Shares of what the sum came to, which rounding may have left below 1.
        middle = (total / total[-1] >= self.quantile).argmax(axis=0)
        if len(low):
            middle = np.clip(middle, low.max(axis=0), high.min(axis=0))
        return self.values[low.T], self.values[middle], self.values[high.T]
