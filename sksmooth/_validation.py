"""Checks of what the user passes to an estimator of this package."""

import secrets
from contextlib import contextmanager
from numbers import Integral

import narwhals as nw
import numpy as np
from sklearn.utils import assert_all_finite, check_random_state
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_array, column_or_1d, validate_data

from ._sklearn import Interval, estimator_type
from ._votes import Inputs, check_some_noise, find_net


class FromFit:
    """An attribute that `fit` stores and that, before `fit`, a fitted base lends."""

    def __set_name__(self, owner, name):
        self.name = name

    def __get__(self, wrapper, owner=None):
        if wrapper is None:
            return self
        if self.name in vars(wrapper):
            return vars(wrapper)[self.name]
        if "estimator_" not in vars(wrapper) and wrapper.__sklearn_is_fitted__():
            return getattr(wrapper.estimator, self.name)
        raise AttributeError(
            f"{type(wrapper).__name__!r} object has no attribute {self.name!r}"
        )

    def __set__(self, wrapper, value):
        vars(wrapper)[self.name] = value

    def __delete__(self, wrapper):
        vars(wrapper).pop(self.name, None)


@contextmanager
def all_or_nothing(estimator):
    """Give `estimator` its attributes back if what is done with it raises."""
    before = vars(estimator).copy()
    try:
        yield
    except BaseException:
        vars(estimator).clear()
        vars(estimator).update(before)
        raise


# What `random_state` may be: scikit-learn's 32 bits are too few for a secret.
SEEDS = ["random_state", Interval(Integral, 0, 2**128 - 1, closed="both")]


def draw_entropy(random_state):
    """Draw the 128 bits that key all noise of one estimator.

    None takes them from the operating system, as they may have to be a secret, and a
    number beyond scikit-learn's 32 bits is taken for what it is.
    """
    if random_state is None:
        return secrets.randbits(128)
    if isinstance(random_state, Integral) and random_state >= 2**32:
        return int(random_state)
    return int.from_bytes(check_random_state(random_state).bytes(16), "little")


def check_inputs(X, sigma, estimator, *, reset, allow_no_noise=False):
    """Validate X against what `estimator` was fitted on, and take its rows apart.

    Parameters
    ----------
    X : array-like of shape (n_inputs, *shape), torch tensor or data frame

    sigma : float or array-like
        Noise level, see ``Inputs``.

    estimator : estimator
        Holds (or, with `reset`, receives) ``n_features_in_``, ``feature_names_in_``
        and ``input_shape_``.

    reset : bool
        True in `fit`.

    allow_no_noise : bool, default=False
        Accept a sigma that is 0 everywhere.

    Returns
    -------
    inputs : Inputs

    Raises
    ------
    ValueError
        If X has the wrong shape, names or dtype, or holds NaN or infinity.

    TypeError
        If X is sparse.
    """
    if not allow_no_noise:
        check_some_noise(sigma)
    X = _from_torch(X)
    _check_no_bytes(X, estimator)
    if nw.dependencies.is_polars_lazyframe(X):
        raise TypeError("X is a lazy frame: pass X.collect().")
    if nw.dependencies.is_into_dataframe(X):
        # Where nothing is known of the columns, the base has to look at them itself.
        if (
            reset
            or hasattr(estimator, "input_shape_")
            or hasattr(estimator, "feature_names_in_")
        ):
            validate_data(estimator, X=X, reset=reset, skip_check_array=True)
        inputs = Inputs.from_frame(_floats_for_integers(X, sigma), sigma)
        if not inputs.table.shape[0]:
            raise ValueError("Found array with 0 sample(s) while at least 1 is needed.")
        _check_finite(inputs)
        if not reset and getattr(estimator, "_fitted_on_frame", True) is False:
            matrix = inputs.matrix()
            if matrix is not None:
                inputs = Inputs.from_array(*matrix)
    else:
        X = validate_data(
            estimator,
            X=X,
            reset=reset,
            dtype=[np.float64, np.float32],
            allow_nd=True,
            order="C",
        )
        inputs = Inputs.from_array(X, sigma)
    shape = inputs.input_shape
    if reset:
        estimator.input_shape_ = shape
        estimator._fitted_on_frame = inputs.frame is not None
    elif (expected := getattr(estimator, "input_shape_", shape)) != shape:
        raise ValueError(
            f"X has inputs of shape {shape}, but {type(estimator).__name__} was fitted "
            f"on inputs of shape {expected}."
        )
    return inputs


def _floats_for_integers(frame, sigma):
    """Treat a frame of integers only like an integer array: as numbers to smooth."""
    table = nw.from_native(frame, eager_only=True)
    if np.ndim(sigma) or not all(dtype.is_integer() for dtype in table.schema.dtypes()):
        return frame
    return table.with_columns(nw.all().cast(nw.Float64)).to_native()


def _check_finite(inputs):
    table = inputs.table
    dtypes = table.schema.dtypes()
    floats = [place for place, dtype in enumerate(dtypes) if dtype.is_float()]
    if floats:
        check_array(table[:, floats].to_numpy(), input_name="X")
    for place, dtype in enumerate(dtypes):
        if dtype.is_integer() and table[:, place].null_count():
            raise ValueError(
                f"Input X contains NaN: column {table.columns[place]!r} of integers "
                "has missing values."
            )


def _from_torch(X):
    """Turn a torch tensor into an array without importing torch."""
    if not type(X).__module__.startswith("torch") or not hasattr(X, "detach"):
        return X
    X = X.detach().cpu()
    if str(X.dtype) in ("torch.bfloat16", "torch.float16"):
        X = X.float()
    return X.numpy()


def _check_no_bytes(X, estimator):
    """Raise a ValueError if X holds pixels from 0 to 255 and sigma hardly does."""
    if getattr(X, "dtype", None) != np.uint8:
        return
    if X.ndim > 2 or find_net(getattr(estimator, "estimator", None)) is not None:
        raise ValueError(
            "X holds images of dtype uint8, pixels from 0 to 255. sigma and radii are "
            "in the units of X, so scale X first, X.astype('float32') / 255, and train "
            "the classifier on images from 0 to 1, too. If 0 to 255 is what you want, "
            "pass X.astype('float32')."
        )


def check_no_regressor(estimator):
    """Raise a TypeError if votes of `estimator` would make no sense."""
    kind = estimator_type(estimator)
    if kind not in (None, "classifier"):
        raise TypeError(
            f"SmoothedClassifier needs a classifier, but {type(estimator).__name__} is "
            f"a {kind}: votes are counted by class."
        )


def check_y(y):
    """Return y as a 1-D array of at least two classes."""
    if y is None:
        raise ValueError(
            "SmoothedClassifier requires y to be passed, but the target y is None."
        )
    y = column_or_1d(y, warn=True)
    assert_all_finite(y, input_name="y")
    check_classification_targets(y)
    check_classes(np.unique(y))
    return y


def check_classes(classes):
    """Return `classes` after checking that it is a 1-D array of two or more labels."""
    if not isinstance(classes, np.ndarray) or classes.ndim != 1:
        raise ValueError(
            "the base estimator must tell its labels in a 1-D array classes_ (one "
            f"label an input, no multilabel targets), got {classes!r}. A skorch net "
            "that was not trained by fit is told them by "
            "NeuralNetClassifier(..., classes=...)."
        )
    if len(classes) < 2:
        raise ValueError(
            "SmoothedClassifier needs at least two classes, got only the class "
            f"{classes.tolist()!r}: with one class every input is certified already."
        )
    return classes
