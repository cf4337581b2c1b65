"""Preprocessing steps that are affine maps, folded into the weights behind them."""

import numpy as np
from sklearn.compose import ColumnTransformer
from sklearn.decomposition import PCA, IncrementalPCA, TruncatedSVD
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.feature_selection import SelectorMixin
from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    MaxAbsScaler,
    MinMaxScaler,
    RobustScaler,
    StandardScaler,
)
from sklearn.random_projection import GaussianRandomProjection, SparseRandomProjection

from .._sklearn import discriminants, parts_of_columns
from ._bounded import Bounded, divided_by_root
from ._unwrap import does_nothing

_PULL_BACKS = {}


def pulls_back(transformer_class):
    """Register how weights are pulled back through `transformer_class`.

    The registered function takes (step, weights, offset) with scores
    ``weights @ step.transform(x) + offset`` and returns the weights and offset that
    give the same scores from x itself, or None if this step is not affine. It is
    looked up by the exact class: a subclass may transform differently. It uses the
    operators of arrays only, so that they may be ``Bounded``, which count roundings.
    """

    def register(function):
        _PULL_BACKS[transformer_class] = function
        return function

    return register


def pull_back(step, weights, offset):
    """Return (weights, offset) in the units before `step`, or None if not affine.

    Parameters
    ----------
    step : fitted transformer, None or "passthrough"

    weights : ndarray or Bounded of shape (n_scores, n_features)

    offset : ndarray or Bounded of shape (n_scores,)

    Returns
    -------
    weights, offset : as given
        Of Bounded numbers the errors count every rounding on the way, the parameters
        of the step being exact as they are.
    """
    if does_nothing(step):
        return weights, offset
    if "transform" in vars(step):  # replaced on this very object
        return None
    if type(step) is FrozenEstimator:
        return pull_back(step.estimator, weights, offset)
    if type(step) is Pipeline:
        return pull_back_all([part for _, part in step.steps], weights, offset)
    function = _PULL_BACKS.get(type(step))
    if function is not None:
        return function(step, weights, offset)
    # scikit-learn's own selectors; others may do more in a method they override.
    is_own = type(step).__module__.startswith("sklearn.feature_selection.")
    if is_own and isinstance(step, SelectorMixin):
        return _through_selector(step, weights, offset)
    return None


def pull_back_all(steps, weights, offset):
    """Return (weights, offset) in the units before all steps, or None."""
    for step in reversed(steps):
        pulled = pull_back(step, weights, offset)
        if pulled is None:
            return None
        weights, offset = pulled
    return weights, offset


def takes_apart(steps):
    """Are columns handed to different transformers somewhere in these steps?

    Then each of them computes in the precision of its own columns.
    """
    return any(True for _ in _column_transformers(steps))


def takes_by_name(steps, columns):
    """Would these steps look for columns of a frame elsewhere than where they are?

    A ColumnTransformer that was fitted on a frame takes columns by name: in any order,
    and among others. Weights are by place.
    """
    known = [
        getattr(one, "feature_names_in_", ()) for one in _column_transformers(steps)
    ]
    return any(len(names) and list(names) != list(columns) for names in known)


def _column_transformers(steps):
    for step in steps:
        if type(step) is ColumnTransformer:
            yield step
        elif type(step) is FrozenEstimator:
            yield from _column_transformers([step.estimator])
        elif type(step) is Pipeline:
            yield from _column_transformers([part for _, part in step.steps])


def blanked(X, weights):
    """Return X with 0 for what is missing in columns that have no weight.

    There `predict` does not look, and 0 * NaN is NaN.

    Parameters
    ----------
    X : ndarray of shape (n_inputs, n_columns)

    weights : ndarray of shape (n_scores, n_columns)
        Numbers or booleans.
    """
    unused = ~np.any(weights, axis=0)
    if not np.any(np.isnan(X[:, unused])):
        return X
    return np.where(unused, X.dtype.type(0), X)


@pulls_back(StandardScaler)
def _through_standard_scaler(step, weights, offset):
    # mean_ is there even if it is not subtracted.
    center = step.mean_ if step.with_mean else None
    scale = step.scale_ if step.with_std else None
    return _through_scaling(weights, offset, center=center, scale=scale)


@pulls_back(RobustScaler)
def _through_robust_scaler(step, weights, offset):
    center = step.center_ if step.with_centering else None
    scale = step.scale_ if step.with_scaling else None
    return _through_scaling(weights, offset, center=center, scale=scale)


@pulls_back(MaxAbsScaler)
def _through_max_abs_scaler(step, weights, offset):
    if getattr(step, "clip", False):
        return None
    return _through_scaling(weights, offset, scale=step.scale_)


@pulls_back(MinMaxScaler)
def _through_min_max_scaler(step, weights, offset):
    if step.clip:
        return None
    return weights * step.scale_, offset + weights @ step.min_


@pulls_back(PCA)
@pulls_back(IncrementalPCA)
def _through_pca(step, weights, offset):
    if step.whiten:
        # As PCA.transform: a vanishing variance is not divided by.
        squares = step.explained_variance_
        least = np.finfo(squares.dtype).eps
        weights = divided_by_root(weights, squares, least)
    weights = weights @ step.components_
    return weights, offset - weights @ step.mean_


@pulls_back(TruncatedSVD)
@pulls_back(GaussianRandomProjection)
@pulls_back(SparseRandomProjection)
def _through_product(step, weights, offset):
    components = step.components_
    if hasattr(components, "toarray"):
        components = components.toarray()
    return weights @ components, offset


@pulls_back(LinearDiscriminantAnalysis)
def _through_discriminants(step, weights, offset):
    if step.solver not in ("svd", "eigen"):  # others transform nothing
        return None
    weights = weights @ discriminants(step).T
    if step.solver == "svd":
        offset = offset - weights @ step.xbar_
    return weights, offset


@pulls_back(FunctionTransformer)
def _through_function(step, weights, offset):
    return (weights, offset) if step.func is None else None


@pulls_back(ColumnTransformer)
def _through_columns(step, weights, offset):
    parts, n_columns = parts_of_columns(step), step.n_features_in_
    if parts is None:
        return None
    total = _spread_out(weights[:, :0], [], n_columns)
    for transformer, places, made, factor in parts:
        own = weights[:, made]
        if factor is not None:
            own = own * factor
        pulled = pull_back(transformer, own, offset)
        if pulled is None:
            return None
        own, offset = pulled
        total = total + _spread_out(own, places, n_columns)
    return total, offset


def _through_selector(step, weights, offset):
    support = step.get_support()
    return _spread_out(weights, support, len(support)), offset


def _spread_out(weights, places, n_columns):
    """Return weights of some columns as weights of all; those of others are 0."""

    def spread_out(numbers):
        full = np.zeros((len(numbers), n_columns))
        full[:, places] = numbers
        return full

    if isinstance(weights, Bounded):
        return weights.rearranged(spread_out)
    return spread_out(weights)


def _through_scaling(weights, offset, center=None, scale=None):
    # transform(x) = (x - center) / scale, either of them switched off by None
    if scale is not None:
        weights = weights / scale
    if center is not None:
        offset = offset - weights @ center
    return weights, offset
