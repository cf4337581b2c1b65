"""How wrong is a smoothed regressor at most, under any perturbation of a given size?"""

import numpy as np
from sklearn.utils import check_array
from sklearn.utils.validation import check_consistent_length

from ._columns import as_weights, check_order
from ._sklearn import _BaseScorer
from ._tensors import from_torch
from .noise._norms import known_norm
from .stats._checks import check_radius


def worst_case_absolute_error(y_true, certificate, *, sample_weight=None):
    """Mean of the largest absolute errors inside a radius.

    For each input this takes the larger distance from y to the ends of its interval,
    ``max(|y - lower|, |upper - y|)``: wherever the input moves within the radius, the
    error of the smoothed prediction is no larger, if the interval is right.

    Parameters
    ----------
    y_true : array-like of shape (n_inputs,) or (n_inputs, n_outputs)
        True targets.

    certificate : IntervalCertificate, or (lower, prediction, upper)
        What `certify_interval` returned for these inputs.

    sample_weight : array-like of shape (n_inputs,), default=None
        Sample weights.

    Returns
    -------
    error : float or ndarray of float
        In the units of y, averaged over inputs and outputs. Of the shape of the radius
        of the certificate. Infinite if an interval is unbounded.

    Raises
    ------
    ValueError
        If shapes differ, y is not finite, or there are no inputs.

    See Also
    --------
    worst_case_squared_error : The same with squares.
    worst_case_error_scorer : For a search over sigma.

    Examples
    --------
    >>> from sksmooth import worst_case_absolute_error
    >>> intervals = [1.0, 2.0], [1.5, 2.5], [2.0, 4.0]  # lower, prediction, upper
    >>> worst_case_absolute_error([2.0, 2.5], intervals)
    1.25
    """
    return _averaged(_largest_errors(y_true, certificate), sample_weight)


def worst_case_squared_error(y_true, certificate, *, sample_weight=None):
    """Mean of the largest squared errors inside a radius.

    Parameters
    ----------
    y_true : array-like of shape (n_inputs,) or (n_inputs, n_outputs)
        True targets.

    certificate : IntervalCertificate, or (lower, prediction, upper)
        What `certify_interval` returned for these inputs.

    sample_weight : array-like of shape (n_inputs,), default=None
        Sample weights.

    Returns
    -------
    error : float or ndarray of float
        As :func:`worst_case_absolute_error`, of the squares of these errors.

    Raises
    ------
    ValueError
        If shapes differ, y is not finite, or there are no inputs.

    See Also
    --------
    worst_case_absolute_error : The same without squares.

    Examples
    --------
    >>> from sksmooth import worst_case_squared_error
    >>> intervals = [1.0, 2.0], [1.5, 2.5], [2.0, 4.0]  # lower, prediction, upper
    >>> worst_case_squared_error([2.0, 2.5], intervals)
    1.625
    """
    return _averaged(_largest_errors(y_true, certificate) ** 2, sample_weight)


def worst_case_error_scorer(radius, *, squared=False, norm=None, changes=0):
    """Make a scorer of the error inside a radius, for GridSearchCV and the like.

    Parameters
    ----------
    radius : float
        Radius, >= 0, in the units of X (in units of sigma if sigma is an array).

    squared : bool, default=False
        Score by :func:`worst_case_squared_error`, else by
        :func:`worst_case_absolute_error`.

    norm : {"l1", "l2", "linf", "edits"}, default=None
        Norm of the radius. None is l2, and an error for noise that measures in another
        norm.

    changes : int or pair of int, default=0
        Categories that may change as well.

    Returns
    -------
    scorer : callable
        ``scorer(estimator, X, y, sample_weight=None)`` -> float, for a
        :class:`SmoothedRegressor`: the error with a minus sign, so that more is better.
        Minus infinity where an interval is unbounded.

    Raises
    ------
    ValueError
        If the radius is negative or not finite, or if there is no such norm.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.model_selection import GridSearchCV
    >>> from sklearn.neighbors import KNeighborsRegressor
    >>> from sksmooth import SmoothedRegressor, worst_case_error_scorer
    >>> X = load_iris().data
    >>> X, y = X[::5, :3], X[::5, 3]  # predict the width of petals
    >>> h = SmoothedRegressor(KNeighborsRegressor(), random_state=0)
    >>> scorer = worst_case_error_scorer(0.1)
    >>> search = GridSearchCV(h, {"sigma": [0.1, 0.3, 1.0]}, scoring=scorer)
    >>> search.fit(X, y).best_params_
    {'sigma': 0.1}
    """
    radius = check_radius(radius)
    if radius.ndim:
        raise ValueError(f"radius must be one number, got {radius.tolist()}.")
    return _WorstCaseErrorScorer(radius, bool(squared), norm, changes)


class _WorstCaseErrorScorer(_BaseScorer):
    """Scorer for one radius."""

    def __init__(self, radius, squared, norm, changes):
        known_norm(norm)
        error = worst_case_squared_error if squared else worst_case_absolute_error
        super().__init__(error, -1, {}, "certify_interval")
        self._options = {"radius": radius, "norm": norm, "changes": changes}

    def __repr__(self):
        options = {"squared": self._score_func is worst_case_squared_error}
        options |= {"norm": self._options["norm"], "changes": self._options["changes"]}
        given = "".join(
            f", {name}={value!r}" for name, value in options.items() if value
        )
        return f"worst_case_error_scorer({self._options['radius']:g}{given})"

    def _score(self, method_caller, estimator, X, y_true, **kwargs):
        # A search is scored by the regressor that it found.
        estimator = getattr(estimator, "best_estimator_", estimator)
        if not hasattr(estimator, "certify_interval"):
            raise TypeError(
                "errors inside a radius need an estimator with `certify_interval`, but "
                f"{type(estimator).__name__} has none. Put SmoothedRegressor "
                "outermost, as in SmoothedRegressor(make_pipeline(StandardScaler(), "
                "Ridge())): then noise and radius are in the units of X."
            )
        certificate = estimator.certify_interval(X, **self._options)
        weight = kwargs.get("sample_weight")
        return -float(self._score_func(y_true, certificate, sample_weight=weight))


def _largest_errors(y_true, certificate):
    """Return the largest errors: (n_inputs, n_outputs, *radius.shape)."""
    check_order(y_true, getattr(certificate, "index", None), "y_true")
    lower, prediction, upper = (np.asarray(part, float) for part in certificate)
    n_radii = lower.shape[prediction.ndim :]
    y = check_array(from_torch(y_true), ensure_2d=False, input_name="y_true")
    y = y.astype(float)
    column = (len(prediction), 1)
    if {y.shape, prediction.shape} == {column[:1], column}:
        y = y.reshape(prediction.shape)
    check_consistent_length(y, prediction)
    if y.shape != prediction.shape:
        raise ValueError(
            f"y_true has shape {y.shape}, but predictions have {prediction.shape}."
        )
    y = y.reshape(*y.shape, *[1] * len(n_radii))
    errors = np.maximum(np.abs(y - lower), np.abs(upper - y))
    return errors.reshape(len(y), -1, *n_radii)


def _averaged(errors, sample_weight):
    weight = as_weights(sample_weight)
    check_consistent_length(errors, weight)
    if weight is not None:  # 0 times infinity is no number
        errors, weight = errors[weight > 0], weight[weight > 0]
    mean = np.average(errors.mean(axis=1), axis=0, weights=weight)
    return mean if mean.ndim else float(mean)
