"""Everything private that is taken from scikit-learn, in one place."""

from functools import cache, lru_cache
from inspect import getattr_static

import numpy as np
from sklearn.base import _fit_context
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.dummy import DummyClassifier
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import (
    ARDRegression,
    BayesianRidge,
    ElasticNet,
    HuberRegressor,
    LassoCV,
    LinearRegression,
    Ridge,
    RidgeClassifier,
    RidgeCV,
    SGDRegressor,
)
from sklearn.linear_model._base import LinearClassifierMixin
from sklearn.metrics._scorer import _BaseScorer
from sklearn.model_selection._search import BaseSearchCV
from sklearn.multiclass import OneVsRestClassifier
from sklearn.neighbors import NearestCentroid
from sklearn.pipeline import Pipeline
from sklearn.svm import SVC, NuSVC
from sklearn.utils import get_tags
from sklearn.utils._param_validation import (
    HasMethods,
    Interval,
    StrOptions,
    make_constraint,
)
from sklearn.utils.metadata_routing import _routing_enabled, process_routing
from sklearn.utils.validation import _check_method_params

__all__ = [
    "HasMethods",
    "KeepsSecrets",
    "Interval",
    "StrOptions",
    "_BaseScorer",
    "_check_method_params",
    "_fit_context",
    "_routing_enabled",
    "allows_nan",
    "answering_estimator",
    "surely_refuses_nan",
    "boosting_start",
    "discriminants",
    "estimator_type",
    "has_valid_parameters",
    "hist_boosting",
    "one_against_rest",
    "parts_of_columns",
    "predicts_as",
    "predicts_by_centroids",
    "predicts_by_linear_scores",
    "predicts_linearly",
    "process_routing",
    "query_tree_content",
    "separating_kernels",
]

_SEARCH_PREDICT = vars(BaseSearchCV)["predict"]
_QUERY_TREES = ("sklearn.neighbors._kd_tree", "sklearn.neighbors._ball_tree")

_LINEAR_PREDICTS = {LinearClassifierMixin.predict, RidgeClassifier.predict}
_LINEAR_DECISIONS = {
    LinearClassifierMixin.decision_function,
    LinearDiscriminantAnalysis.decision_function,
}


# Of regressors whose `predict` is nothing but `_decision_function`. Which of them share
# the methods of a common base depends on the version.
_LINEAR_REGRESSORS = (
    ARDRegression,
    BayesianRidge,
    ElasticNet,
    HuberRegressor,
    LassoCV,
    LinearRegression,
    Ridge,
    RidgeCV,
    SGDRegressor,
)
_REGRESSION_PREDICTS = {cls.predict for cls in _LINEAR_REGRESSORS}
_REGRESSION_DECISIONS = {cls._decision_function for cls in _LINEAR_REGRESSORS}


class KeepsSecrets:
    """An estimator whose HTML does not show the fitted attributes in `_secrets`.

    scikit-learn 1.9 lists all attributes that end in an underscore; before, it lists
    none.
    """

    _secrets = ()

    def _get_fitted_attr_html(self, doc_link=""):
        listed = super()._get_fitted_attr_html(doc_link=doc_link)
        for name in self._secrets:
            listed.pop(name, None)
        return listed


def has_valid_parameters(estimator):
    """Do all parameters satisfy their constraints?

    What ``_validate_params`` asks, but a constraint is made once: of which kind it is,
    and what parameters there are, takes longer to find out than a row to certify. What
    was answered for a number or a word is remembered.
    """
    kind = type(estimator)
    for name in _constraints(kind):
        value = getattr(estimator, name, None)
        ask = _is_known_to_be_valid if type(value) in _SIMPLE else _is_valid
        if not ask(kind, name, value):
            return False
    return True


def _is_valid(kind, name, value):
    return any(one.is_satisfied_by(value) for one in _constraints(kind)[name])


# By type, too: 1 equals True and 1.0.
_is_known_to_be_valid = lru_cache(maxsize=1024, typed=True)(_is_valid)
_SIMPLE = {bool, int, float, str, type(None)}


@cache
def _constraints(kind):
    return {
        name: [make_constraint(one) for one in constraints]
        for name, constraints in kind._parameter_constraints.items()
        if constraints != "no_validation"
    }


def predicts_by_linear_scores(estimator):
    """Is `estimator.predict` the argmax (or sign) of ``coef_ @ x + intercept_``?

    True only if both methods are scikit-learn's own: a subclass that overrides
    either may predict anything.
    """
    cls = type(estimator)
    # RidgeClassifier thresholds each output by itself for multilabel targets.
    binarizer = getattr(estimator, "_label_binarizer", None)
    if getattr(binarizer, "y_type_", "").startswith("multilabel"):
        return False
    return (
        getattr(cls, "predict", None) in _LINEAR_PREDICTS
        and getattr(cls, "decision_function", None) in _LINEAR_DECISIONS
        and "decision_function" not in vars(estimator)
        and getattr(estimator.classes_, "ndim", None) == 1
    )


def one_against_rest(estimator):
    """Return the binary classifiers whose scores a OneVsRestClassifier compares.

    None if they are not all linear, or it predicts several labels at a time. As of
    linear scores, the first of the highest wins; a single one has to be above 0. None,
    too, where the last one wins, as in scikit-learn 1.6, and where two are equal, so
    that rounding may say which one does.
    """
    if type(estimator) is not OneVsRestClassifier:
        return None
    if not hasattr(estimator, "estimators_"):
        return None
    if estimator.label_binarizer_.y_type_ not in ("binary", "multiclass"):
        return None
    parts, n_classes = estimator.estimators_, len(estimator.classes_)
    if len(parts) != (n_classes if n_classes > 2 else 1):
        return None
    if not all(map(_has_one_linear_score, parts)):
        return None
    are_different = len({_content(part) for part in parts}) == len(parts)
    if n_classes > 2 and not (are_different and _first_of_equal_wins()):
        return None
    return parts


def _content(part):
    coef = part.coef_.toarray() if hasattr(part.coef_, "toarray") else part.coef_
    row = np.append(np.ravel(coef), part.intercept_).astype(float)
    return (row + 0.0).tobytes()  # -0.0 is 0.0


@cache
def _first_of_equal_wins():
    """Ask scikit-learn, by three scores that are 0."""
    f = OneVsRestClassifier(RidgeClassifier()).fit(np.eye(3), [0, 1, 2])
    for one in f.estimators_:
        one.coef_, one.intercept_ = np.zeros((1, 3)), np.zeros(1)
    return bool(f.predict(np.zeros((1, 3)))[0] == 0)


def _has_one_linear_score(part):
    return (
        getattr(type(part), "decision_function", None) in _LINEAR_DECISIONS
        and "decision_function" not in vars(part)
        and estimator_type(part) == "classifier"
        and np.size(part.intercept_) == 1
        and (np.ndim(part.coef_) == 1 or part.coef_.shape[0] == 1)
    )


def separating_kernels(estimator):
    """Return what a linear SVC of two classes adds up: (factors, vectors, intercept).

    ``factors @ (vectors @ x) + intercept`` is not below 0 where it predicts the second
    class. None for all others: of more classes there is a vote between pairs, of which
    none is the highest of linear scores.
    """
    f = estimator
    if type(f) not in (SVC, NuSVC) or not hasattr(f, "_dual_coef_"):
        return None
    if f.kernel != "linear" or len(f.classes_) != 2 or f._sparse:
        return None
    if f.break_ties and f.decision_function_shape == "ovo":  # predict refuses
        return None
    return -f._dual_coef_[0], f.support_vectors_, -f._intercept_[0]


def discriminants(estimator):
    """Return what `transform` of a LinearDiscriminantAnalysis multiplies X with."""
    return estimator.scalings_[:, : estimator._max_components]


def parts_of_columns(step):
    """Return the parts of a fitted ColumnTransformer that returns arrays or frames.

    Returns
    -------
    parts : list of tuple, or None if it is not clear what they are
        Transformer, the places of the columns that it gets, the slice of what it makes
        among all that comes out, and what that is multiplied with, or None. A factor is
        a float: small integers times an integer would overflow.
    """
    names = [name for name, _, _ in step.transformers]
    if step.sparse_output_ or "remainder" in names:  # the name of the rest
        return None
    parts, factors = [], step.transformer_weights or {}
    for name, transformer, columns in step.transformers_:
        if isinstance(transformer, str) and transformer == "drop":
            continue
        places = list(step._transformer_to_input_indices.get(name, ()))
        if name != "remainder" and not _are_at(columns, places, step):
            return None
        if len(set(places)) < len(places):
            return None
        if places:
            factor, made = factors.get(name), step.output_indices_[name]
            if not isinstance(factor, float | None):
                return None
            parts.append((transformer, places, made, factor))
    return parts


def _are_at(columns, places, step):
    """Does a part of a ColumnTransformer get these places of arrays and of frames?"""
    if isinstance(columns, slice):
        of_names = any(isinstance(end, str) for end in (columns.start, columns.stop))
    elif np.ndim(columns) == 1:
        columns = np.asarray(columns, None if len(columns) else int)
        of_names = columns.dtype.kind not in "biu"
    else:  # one column, in one dimension
        return False
    if of_names:  # it gets no arrays, and of frames always the same places
        return hasattr(step, "feature_names_in_") and len(places) > 0
    try:
        return np.arange(step.n_features_in_)[columns].tolist() == places
    except IndexError:
        return False


def predicts_by_centroids(estimator):
    """Does `estimator.predict` name the nearest centroid, in squared distances?

    True only if that is scikit-learn's own, as in ``predicts_by_linear_scores``, for
    Euclidean distances and priors above 0.
    """
    cls = type(estimator)
    return (
        getattr(cls, "predict", None) is NearestCentroid.predict
        and cls._decision_function is NearestCentroid._decision_function
        and "_decision_function" not in vars(estimator)
        and estimator.metric == "euclidean"
        and hasattr(estimator, "centroids_")
        and bool(np.all(estimator.class_prior_ > 0))
    )


def has_equal_priors(estimator):
    """Does a NearestCentroid take its priors for equal? So its `predict` finds out."""
    n_classes = len(estimator.classes_)
    return bool(np.isclose(estimator.class_prior_, 1 / n_classes).all())


# What `predict` of a tree or a boosting comes down to.
_BEHIND_PREDICT = (
    "predict",
    "decision_function",
    "_raw_predict",
    "_raw_predict_init",
    "_check_X",
    "_validate_X_predict",
)


def predicts_as(estimator, cls):
    """Is `estimator` a `cls`, of trees, whose answers are made as scikit-learn does?

    A subclass may do what it likes in `fit`.
    """
    if not isinstance(estimator, cls):
        return False
    if not vars(estimator).keys().isdisjoint(_BEHIND_PREDICT):
        return False
    own = type(estimator)
    return own is cls or all(
        getattr(own, name, None) is getattr(cls, name, None) for name in _BEHIND_PREDICT
    )


def predicts_linearly(estimator):
    """Is `estimator.predict` of a regressor ``coef_ @ x + intercept_``?

    True only if it is scikit-learn's own, as in ``predicts_by_linear_scores``.
    """
    cls = type(estimator)
    return (
        getattr(cls, "predict", None) in _REGRESSION_PREDICTS
        and getattr(cls, "_decision_function", None) in _REGRESSION_DECISIONS
        and "_decision_function" not in vars(estimator)
    )


def boosting_start(f):
    """Return the scores that a GradientBoostingClassifier starts from.

    ndarray of shape (n_columns,), or None if they depend on the input.
    """
    if f.init_ != "zero" and type(f.init_) is not DummyClassifier:
        return None
    if getattr(f.init_, "strategy", "prior") in ("stratified", "uniform"):
        return None
    return f._raw_predict_init(np.zeros((1, f.n_features_in_), np.float32))[0]


def hist_boosting(f):
    """Return what a HistGradientBoostingClassifier adds up.

    Returns
    -------
    start : ndarray of shape (n_columns,), or None if a split is on categories

    stages : list of list of structured arrays
        The nodes of each stage's trees, one tree a column.
    """
    stages = [[tree.nodes for tree in stage] for stage in f._predictors]
    if f.is_categorical_ is not None or getattr(f, "_preprocessor", None) is not None:
        return None, stages
    return np.ravel(f._baseline_prediction), stages


def estimator_type(estimator):
    """Return "classifier", "regressor", ..., or None for a foreign class."""
    if hasattr(estimator, "__sklearn_tags__"):
        return get_tags(estimator).estimator_type
    return getattr(estimator, "_estimator_type", None)


def allows_nan(estimator):
    """Does `estimator` say that it takes missing values? Of a Pipeline: all its steps.

    False for one that does not say; it may take them nevertheless.
    """
    if isinstance(estimator, FrozenEstimator):
        return allows_nan(estimator.estimator)
    if isinstance(estimator, Pipeline):
        for _, step in estimator.steps:
            if step is None or step == "passthrough":
                continue
            if not allows_nan(step):
                return False
            if type(step).__module__.startswith("sklearn.impute."):
                return True  # there are none behind it
        return True
    if not hasattr(estimator, "__sklearn_tags__"):
        return False
    return get_tags(estimator).input_tags.allow_nan


def answering_estimator(estimator):
    """Return the fitted estimator that a fitted search asks; None for all else."""
    if not isinstance(estimator, BaseSearchCV) or "predict" in vars(estimator):
        return None
    if not estimator.refit:  # any more: then it answers nothing
        return None
    if getattr_static(type(estimator), "predict") is not _SEARCH_PREDICT:
        return None
    return getattr(estimator, "best_estimator_", None)


def query_tree_content(tree):
    """Return the state of a KDTree or BallTree without its counters; None for all else.

    It counts what its queries have cost: n_trims, n_leaves, n_splits and n_calls.
    """
    if type(tree).__module__ not in _QUERY_TREES or not hasattr(tree, "get_n_calls"):
        return None
    *content, _, _, _, _, metric, weights = tree.__getstate__()
    return [*content, metric, weights]


def surely_refuses_nan(estimator):
    """Is `estimator` one of scikit-learn's own that checks X and wants no NaN in it?

    Where others are inside, its word is not enough.
    """
    if not type(estimator).__module__.startswith("sklearn."):
        return False
    parts = estimator.get_params(deep=False).values()
    if any(hasattr(part, "fit") or isinstance(part, list) for part in parts):
        return False
    tags = get_tags(estimator)
    return not (tags.input_tags.allow_nan or tags.no_validation)
