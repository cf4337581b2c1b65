"""Which estimators are sure to answer to each row by itself.

All others are asked whether they do, in every call: for one row of a table that takes
longer than its votes.
"""

from numbers import Number

import numpy as np
from sklearn import decomposition, preprocessing
from sklearn.compose import ColumnTransformer
from sklearn.pipeline import FeatureUnion, Pipeline

from .._sklearn import predicts_by_linear_scores
from ._plain import is_by_elements
from ._trees import is_sum_of_trees
from ._unwrap import does_nothing

# What `transform` of these returns for a row is computed from that row and from what
# was seen in fit. A subclass may do anything.
_BY_ROWS = {
    preprocessing.KBinsDiscretizer,
    preprocessing.Normalizer,
    preprocessing.OneHotEncoder,
    preprocessing.OrdinalEncoder,
    preprocessing.PolynomialFeatures,
    preprocessing.PowerTransformer,
    preprocessing.QuantileTransformer,
    preprocessing.SplineTransformer,
    preprocessing.TargetEncoder,
}

# These iterate until the batch as a whole has converged.
_BY_BATCHES = {decomposition.MiniBatchNMF, decomposition.NMF}

# Parameters of these kinds hold neither estimators nor functions.
_PLAIN = bool, str, Number, type, np.ndarray, np.random.RandomState


def answers_by_rows(chain):
    """Is this a classifier of trees, or linear, behind steps that are known?

    Parameters
    ----------
    chain : Chain

    Returns
    -------
    sure : bool
        False where that is not known.
    """
    last = chain._replace(steps=())
    if chain.own or not (is_sum_of_trees(last) or _is_linear(chain.last)):
        return False
    return not has_unknown_steps(chain)


def has_unknown_steps(chain):
    """Are there steps of which is not known that each row is transformed by itself?"""
    return not all(_transforms_rows(step) for step in chain.steps)


def has_foreign_steps(chain):
    """Are there steps in which code of others than scikit-learn may run?

    Its own look at a row by themselves, as far as is known: less than certainty, which
    ``has_unknown_steps`` is about, and enough not to look closely.
    """
    return not all(_is_own(step) for step in chain.steps)


def has_foreign_end(chain):
    """May code of others run in what predicts at the end of a chain?"""
    return chain.own or not _is_own(chain.last)


def _is_own(model):
    if does_nothing(model) or model == "drop":
        return True
    if type(model) is Pipeline:
        return all(_is_own(part) for _, part in model.steps)
    if type(model) is ColumnTransformer:
        parts = getattr(model, "transformers_", None)
        return parts is not None and all(_is_own(part[1]) for part in parts)
    if type(model) is FeatureUnion:
        return all(_is_own(part) for _, part in model.transformer_list)
    if not type(model).__module__.startswith("sklearn.") or type(model) in _BY_BATCHES:
        return False
    if {"transform", "predict_proba", "decision_function"} & vars(model).keys():
        return False  # replaced on this very object
    parameters = model.get_params(deep=False).values()
    return _transforms_rows(model) or all(map(_is_plain, parameters))


def _is_plain(value):
    if isinstance(value, dict):
        value = tuple(value.values())
    if isinstance(value, (list, tuple)):
        return all(map(_is_plain, value))
    return value is None or isinstance(value, _PLAIN)


def _is_linear(f):
    return hasattr(f, "classes_") and predicts_by_linear_scores(f)


def _transforms_rows(step):
    if does_nothing(step) or step == "drop":
        return True
    if "transform" in vars(step):  # replaced on this very object
        return False
    if type(step) is Pipeline:
        return all(_transforms_rows(part) for _, part in step.steps)
    if type(step) is ColumnTransformer:
        parts = getattr(step, "transformers_", None)
        return parts is not None and all(_transforms_rows(part[1]) for part in parts)
    if type(step) is preprocessing.FunctionTransformer:
        return step.func is None  # without one, it passes X through
    return type(step) in _BY_ROWS or is_by_elements(step)
