"""Which estimators are sure to answer to each row by itself.

All others are asked whether they do, in every call: for one row of a table that takes
longer than its votes.
"""

from sklearn import preprocessing
from sklearn.compose import ColumnTransformer
from sklearn.pipeline import Pipeline

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
