"""Checks of what is smoothed: a base estimator, its labels and the targets."""

import sys
from numbers import Integral

import numpy as np
from sklearn.utils import assert_all_finite
from sklearn.utils.multiclass import check_classification_targets

from ._columns import as_column
from ._labels import check_label_kind
from ._sklearn import estimator_type


def check_estimator(estimator, wrapper="SmoothedClassifier", needed="classifier"):
    """Raise a TypeError if `estimator` cannot be one, and say what is near to it.

    Parameters
    ----------
    estimator : object

    wrapper : str, default="SmoothedClassifier"
        The class that wraps it.

    needed : {"classifier", "regressor"}, default="classifier"
        What it has to be, if it says what it is.
    """
    torch = sys.modules.get("torch")
    what = f"the 'estimator' parameter of {wrapper}"
    if torch is not None and isinstance(estimator, torch.nn.Module):
        raise TypeError(
            f"{what} is a torch module ({type(estimator).__name__}): wrap it in "
            "sksmooth.torch.ModuleClassifier(module, classes=...) if it is trained, or "
            "in skorch.NeuralNetClassifier(module, ...) to train it."
        )
    if isinstance(estimator, type):
        name = estimator.__name__
        raise TypeError(
            f"{what} is the class {name} itself; an instance is needed, {name}(...)."
        )
    # A method that depends on what is fitted is there on the class.
    if not hasattr(type(estimator), "predict") and not hasattr(estimator, "predict"):
        raise TypeError(
            f"{what} needs the methods 'fit' and 'predict', but got an object of type "
            f"{type(estimator).__name__}, which has no 'predict'."
        )
    kind = estimator_type(estimator)
    if kind not in (None, needed):
        why = {
            "classifier": "votes are counted by class. SmoothedRegressor is for those",
            "regressor": "it predicts a quantile. SmoothedClassifier is for those",
        }
        hint = " that predict numbers" if needed == "classifier" else " with classes"
        raise TypeError(
            f"{wrapper} needs a {needed}, but {type(estimator).__name__} is a {kind}: "
            f"{why[needed]}{hint}."
        )


def check_y(y):
    """Return y as a 1-D array of at least two classes."""
    if y is None:
        raise ValueError(
            "SmoothedClassifier requires y to be passed, but the target y is None."
        )
    y = as_column(y, "y", warn=True)
    if y.dtype == object and all(
        isinstance(label, (Integral, np.bool_)) for label in y
    ):
        y = np.array(y.tolist())
    check_label_kind(y, "y")
    assert_all_finite(y, input_name="y")
    check_classification_targets(y)
    check_classes(np.unique(y))
    return y


def check_classes(classes):
    """Return `classes` after checking that it is a 1-D array of two or more labels."""
    if not isinstance(classes, np.ndarray) or classes.ndim != 1:
        raise ValueError(
            "the base estimator must list its labels in a 1-D array classes_ (one "
            f"label per input, no multilabel targets), got {classes!r}. For a skorch "
            "net that was not trained by fit, pass them: NeuralNetClassifier(..., "
            "classes=...). A net that was fitted on tensors has to be fitted on "
            "arrays."
        )
    check_label_kind(classes, "classes_")
    if classes.dtype.kind in "fc" and not np.all(np.isfinite(classes)):
        raise ValueError(
            "the base estimator names labels that are not finite numbers, classes_ is "
            f"{classes.tolist()!r}: no label would ever be equal to them. Fit it on a "
            "y without missing values."
        )
    if len(classes) < 2:
        raise ValueError(
            "SmoothedClassifier needs at least two classes, got only the class "
            f"{classes.tolist()!r}: with one class every input is certified already."
        )
    return classes
