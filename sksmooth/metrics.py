"""How accurate is a smoothed classifier under any perturbation of a given size?"""

import warnings

import numpy as np
from sklearn.utils.validation import check_consistent_length

from ._claims import told_answers
from ._columns import as_weights, check_order
from ._labels import as_labels, check_same_kind
from ._sklearn import _BaseScorer
from .noise._norms import known_norm
from .stats._checks import check_radius

__all__ = [
    "average_certified_radius_score",
    "certified_accuracy_score",
    "certified_accuracy_scorer",
    "certified_accuracy_scorers",
]


def certified_accuracy_score(
    y_true, certificate, *, radius=0.0, norm=None, changes=0, sample_weight=None
):
    """Share of inputs that are classified correctly and certified at a radius.

    Counts an input if its prediction is correct, not an abstention, and certified
    with R >= radius. No perturbation with a norm below `radius` can push the accuracy
    of the classifier below this share, up to the certificates' failure
    probability alpha.

    Parameters
    ----------
    y_true : array-like of shape (n_inputs,)
        True labels.

    certificate : Certificate, or pair (prediction, radius)
        What `certify` returned for these inputs.

    radius : float or array-like of float, default=0.0
        Radius, >= 0, in the units of the certified radii.

    norm : {"l1", "l2", "linf", "edits"}, default=None
        Norm of the radius. None is l2, and an error where the certificate is in
        another.

    changes : int or pair of int, default=0
        Number of categories that may change as well, whichever they are. For
        SparseFlip, (additions, deletions) of ones.

    sample_weight : array-like of shape (n_inputs,), default=None
        Sample weights.

    Returns
    -------
    score : float or ndarray of float
        In [0, 1]; of the shape of `radius`.

    Raises
    ------
    ValueError
        If a radius is negative or not finite, if lengths differ, or if radii are not l2
        and no norm is given.

    References
    ----------
    J. Cohen, E. Rosenfeld, J. Z. Kolter (2019), arXiv:1902.02918, section 4
    ("approximate certified test set accuracy").

    Examples
    --------
    >>> from sksmooth import certified_accuracy_score
    >>> certificate = ([0, 1, 1, -1], [0.9, 0.4, 0.7, 0.0])
    >>> certified_accuracy_score([0, 1, 0, 1], certificate, radius=[0, 0.5])
    array([0.5 , 0.25])
    """
    radius = check_radius(radius)
    robust, weight = correct_radii(y_true, certificate, norm, changes, sample_weight)
    # A wrong or abstaining input has no robust radius, not even 0.
    reached = robust >= radius[..., None]
    return np.average(reached, axis=-1, weights=weight)[()]


def average_certified_radius_score(
    y_true, certificate, *, norm=None, changes=0, sample_weight=None
):
    """Average certified radius (ACR): wrong or abstaining inputs count 0.

    Parameters
    ----------
    y_true : array-like of shape (n_inputs,)
        True labels.

    certificate : Certificate, or pair (prediction, radius)
        What `certify` returned for these inputs.

    norm : {"l1", "l2", "linf", "edits"}, default=None
        Norm of the radii. None is l2, and an error where the certificate is in another.

    changes : int or pair of int, default=0
        Number of categories that may change as well, whichever they are. For
        SparseFlip, (additions, deletions) of ones.

    sample_weight : array-like of shape (n_inputs,), default=None
        Sample weights.

    Returns
    -------
    score : float
        In the units of the certified radii; the area under the curve of certified
        accuracy against radius.

    Raises
    ------
    ValueError
        If lengths differ, or if radii are not l2 and no norm is given.

    References
    ----------
    R. Zhai et al. (2020), "MACER: Attack-free and scalable robust training via
    maximizing certified radius", arXiv:2001.02378, section 5.

    Examples
    --------
    >>> from sksmooth import average_certified_radius_score
    >>> certificate = ([0, 1, 1, -1], [0.9, 0.4, 0.7, 0.0])
    >>> round(float(average_certified_radius_score([0, 1, 0, 1], certificate)), 3)
    0.325
    """
    robust, weight = correct_radii(y_true, certificate, norm, changes, sample_weight)
    if weight is not None:  # 0 times infinity is no number
        robust, weight = robust[weight > 0], weight[weight > 0]
    return np.average(np.maximum(robust, 0), weights=weight)


def correct_radii(y_true, certificate, norm=None, changes=0, sample_weight=None):
    """Return the radius of each input, -inf where wrong or not certified; weights."""
    prediction, radius, certified = told_answers(certificate, norm, changes)
    check_order(y_true, getattr(certificate, "index", None), "y_true")
    y_true, weight = as_labels(y_true, "y_true"), as_weights(sample_weight)
    prediction = as_labels(prediction, "prediction")
    check_consistent_length(y_true, prediction, weight)
    if not len(y_true):
        raise ValueError("there are no inputs to score: y_true is empty.")
    check_same_kind(y_true, prediction)
    correct = (prediction == y_true) & certified
    return np.where(correct, radius, -np.inf), weight


def certified_accuracy_scorer(radius, *, norm=None, changes=0):
    """Make a scorer of certified accuracy at a radius, for GridSearchCV and the like.

    Parameters
    ----------
    radius : float
        Radius, >= 0, in the units of X (in units of sigma if sigma is an array).

    norm : {"l1", "l2", "linf", "edits"}, default=None
        Norm of the radius. None is l2, and an error for noise that measures in another
        norm. A search over kinds of noise needs one in which all of them certify.

    changes : int or pair of int, default=0
        Number of categories that may change as well, whichever they are. For
        SparseFlip, (additions, deletions) of ones.

    Returns
    -------
    scorer : callable
        ``scorer(estimator, X, y, sample_weight=None)`` -> float, for a
        :class:`SmoothedClassifier`.

    Raises
    ------
    ValueError
        If the radius is negative or not finite, or if there is no such norm.

    Warns
    -----
    UserWarning
        From the scorer, once: if no certificate can reach the radius with the
        classifier's sigma, n and alpha.

    See Also
    --------
    certified_accuracy_scorers : Several radii from one draw of votes.
    certified_accuracy_score : The metric behind it.

    References
    ----------
    J. Cohen, E. Rosenfeld, J. Z. Kolter (2019), arXiv:1902.02918, section 4.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.naive_bayes import GaussianNB
    >>> from sklearn.model_selection import cross_val_score
    >>> from sksmooth import SmoothedClassifier, certified_accuracy_scorer
    >>> X, y = load_iris(return_X_y=True)
    >>> g = SmoothedClassifier(GaussianNB(), n=1_000, random_state=0)
    >>> cross_val_score(g, X, y, scoring=certified_accuracy_scorer(0.25), cv=3).round(2)
    array([0.84, 0.82, 0.82])
    """
    radius = check_radius(radius)
    if radius.ndim:
        raise ValueError(
            f"radius must be one number, got {radius.tolist()}: use "
            "certified_accuracy_scorers for several."
        )
    return _CertifiedAccuracyScorer(radius, norm, changes)


def certified_accuracy_scorers(radii, *, norm=None, changes=0):
    """Make one scorer of certified accuracy at several radii from the same votes.

    Parameters
    ----------
    radii : array-like of float of shape (n_radii,)
        Radii, >= 0.

    norm : {"l1", "l2", "linf", "edits"}, default=None
        Norm of the radii. None is l2, and an error for noise that measures in another
        norm. A search over kinds of noise needs one in which all of them certify.

    changes : int or pair of int, default=0
        Number of categories that may change as well, whichever they are. For
        SparseFlip, (additions, deletions) of ones.

    Returns
    -------
    scorer : callable
        ``scorer(estimator, X, y, sample_weight=None)`` -> dict with a key such as
        "certified_accuracy_0.5" for each radius: the `scoring` of a multi-metric
        search, whose `refit` then names one of the keys. Votes are drawn once for
        all radii.

    Raises
    ------
    ValueError
        If a radius is negative or not finite, or occurs twice, or if there is no such
        norm.

    See Also
    --------
    certified_accuracy_scorer : One radius.

    References
    ----------
    J. Cohen, E. Rosenfeld, J. Z. Kolter (2019), arXiv:1902.02918, section 4.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.naive_bayes import GaussianNB
    >>> from sksmooth import SmoothedClassifier, certified_accuracy_scorers
    >>> X, y = load_iris(return_X_y=True)
    >>> g = SmoothedClassifier(GaussianNB(), n=1_000, random_state=0).fit(X, y)
    >>> scores = certified_accuracy_scorers([0, 0.5])(g, X, y)
    >>> {name: round(float(score), 2) for name, score in scores.items()}
    {'certified_accuracy_0': 0.95, 'certified_accuracy_0.5': 0.72}
    """
    radii = check_radius(radii, "radii")
    if radii.ndim != 1 or not len(radii):
        raise ValueError(
            f"radii must be a non-empty list of numbers, got {radii.tolist()!r}: use "
            "certified_accuracy_scorer for one."
        )
    if len({f"{radius:g}" for radius in radii}) < len(radii):
        raise ValueError(f"radii must differ, got {radii.tolist()}.")
    return _CertifiedAccuracyScorer(radii, norm, changes)


def _not_of_predictions(y_true, y_pred, *, radius, sample_weight=None):
    """Stand where scikit-learn looks for a function of labels, and say no.

    TunedThresholdClassifierCV takes it from a scorer and calls it with the labels that
    each threshold gives.
    """
    raise TypeError(
        "certified accuracy cannot be computed from predictions, and a threshold on "
        "predict_proba moves only predictions, not certificates. Tune the threshold "
        "of the classifier inside, SmoothedClassifier(TunedThresholdClassifierCV(f)), "
        "with a metric of labels as `scoring`; to tune by certified accuracy, search "
        "over parameters with GridSearchCV."
    )


class _CertifiedAccuracyScorer(_BaseScorer):
    """Scorer for one radius (0-d: a float) or several (1-d: a dict of floats)."""

    def __init__(self, radii, norm, changes):
        known_norm(norm)
        super().__init__(_not_of_predictions, 1, {"radius": radii}, "certify")
        self._radii, self._norm, self._changes = radii, norm, changes
        self._warned = set()

    def __repr__(self):
        norm = "" if self._norm is None else f", norm={self._norm!r}"
        norm += f", changes={self._changes}" if self._changes else ""
        if self._radii.ndim == 0:
            return f"certified_accuracy_scorer({self._radii:g}{norm})"
        return f"certified_accuracy_scorers({self._radii.tolist()}{norm})"

    def _score(self, method_caller, estimator, X, y_true, **kwargs):
        # A search is scored by the classifier that it found.
        estimator = getattr(estimator, "best_estimator_", estimator)
        if not hasattr(estimator, "certify"):
            raise TypeError(
                f"certified accuracy needs an estimator with `certify`, but "
                f"{type(estimator).__name__} has none. Put SmoothedClassifier "
                "outermost, as in SmoothedClassifier(make_pipeline(StandardScaler(), "
                "LogisticRegression())): then noise and radius are in the units of X."
            )
        prepared = estimator._ready(X, known_label=True)
        n_noisy = prepared.voting.inputs.n_noisy
        reach = estimator._reach_by(prepared.method)
        reach = reach.told(self._norm, n_noisy, self._changes)
        unreachable = reach.unreachable(self._radii, estimator.n, estimator.sigma)
        if unreachable and unreachable not in self._warned:
            self._warned.add(unreachable)
            warnings.warn(unreachable, stacklevel=2)
        correct = estimator._known_correct(
            prepared, y_true, reach.own(self._radii), self._changes
        )
        weight = as_weights(kwargs.get("sample_weight"))
        check_consistent_length(correct, weight)
        score = np.average(correct, axis=0, weights=weight)
        if self._radii.ndim == 0:
            return float(score)
        return {
            f"certified_accuracy_{radius:g}": float(value)
            for radius, value in zip(self._radii, score, strict=True)
        }
