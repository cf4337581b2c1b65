"""Preprocessing steps that are affine maps, folded into the weights behind them."""

import numpy as np
from sklearn.decomposition import PCA
from sklearn.feature_selection import SelectorMixin
from sklearn.preprocessing import (
    MaxAbsScaler,
    MinMaxScaler,
    RobustScaler,
    StandardScaler,
)

_PULL_BACKS = {}


def pulls_back(transformer_class):
    """Register how weights are pulled back through `transformer_class`.

    The registered function takes (step, weights, offset) with scores
    ``weights @ step.transform(x) + offset`` and returns the weights and offset that
    give the same scores from x itself, or None if this step is not affine. It is
    looked up by the exact class: a subclass may transform differently.
    """

    def register(function):
        _PULL_BACKS[transformer_class] = function
        return function

    return register


def pull_back(step, weights, offset):
    """Return (weights, offset) in the units before `step`, or None if not affine."""
    if step is None or (isinstance(step, str) and step == "passthrough"):
        return weights, offset
    if "transform" in vars(step):  # replaced on this very object
        return None
    function = _PULL_BACKS.get(type(step))
    if function is not None:
        return function(step, weights, offset)
    # scikit-learn's own selectors; others may do more in a method they override.
    is_own = type(step).__module__.startswith("sklearn.feature_selection.")
    if is_own and isinstance(step, SelectorMixin):
        return _through_selector(step, weights, offset)
    return None


@pulls_back(StandardScaler)
def _through_standard_scaler(step, weights, offset):
    # mean_ is there even if it is not subtracted.
    center = step.mean_ if step.with_mean else None
    return _through_scaling(weights, offset, center=center, scale=step.scale_)


@pulls_back(RobustScaler)
def _through_robust_scaler(step, weights, offset):
    return _through_scaling(weights, offset, center=step.center_, scale=step.scale_)


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
def _through_pca(step, weights, offset):
    if step.whiten:
        # As PCA.transform: a vanishing variance is not divided by.
        scale = np.sqrt(step.explained_variance_)
        smallest = np.finfo(scale.dtype).eps
        weights = weights / np.maximum(scale, smallest)
    weights = weights @ step.components_
    return weights, offset - weights @ step.mean_


def _through_selector(step, weights, offset):
    support = step.get_support()
    full = np.zeros((len(weights), len(support)))
    full[:, support] = weights
    return full, offset


def _through_scaling(weights, offset, center=None, scale=None):
    # transform(x) = (x - center) / scale, either of them switched off by None
    if scale is not None:
        weights = weights / scale
    if center is not None:
        offset = offset - weights @ center
    return weights, offset
