"""One value for each input: what users pass, in any container, as a 1-D array."""

from collections.abc import Mapping, Set
from numbers import Integral

import narwhals as nw
import numpy as np
from sklearn.utils.validation import check_array, check_consistent_length, column_or_1d

from ._tensors import from_torch


def as_column(values, name, dtype=None, *, warn=False):
    """Return one value for each input as an array of shape (n_inputs,).

    Values are taken by position: the index of a Series plays no part.

    Parameters
    ----------
    values : array-like of shape (n_inputs,) or (n_inputs, 1)
        A list, an array, a tensor, or a Series or a frame of one column.

    name : str
        What an error calls it.

    dtype : dtype, default=None
        To convert to; None leaves it.

    warn : bool, default=False
        Warn, as scikit-learn does in `fit`, of the shape (n_inputs, 1).

    Raises
    ------
    ValueError
        If it has another shape or cannot be converted.
    """
    if np.ma.is_masked(values):
        raise ValueError(f"{name} has masked values: leave these inputs out.")
    try:
        array = check_array(
            from_torch(values),
            dtype=dtype,
            ensure_2d=False,
            allow_nd=True,
            ensure_all_finite=False,
            ensure_min_samples=0,
            ensure_min_features=0,
            input_name=name,
        )
    except (TypeError, ValueError) as error:
        kind = "value" if dtype is None else "number"
        raise ValueError(
            f"{name} should be a 1d array with one {kind} for each input, got "
            f"{_brief(values)}: {str(error).splitlines()[0]}"
        ) from error
    if array.dtype.kind == "T":
        array = np.array(array.tolist())  # what scikit-learn can compare
    if array.ndim == 2 and array.shape[1] == 1:
        array = column_or_1d(array, warn=warn)
    if array.ndim != 1:
        raise ValueError(
            f"{name} should be a 1d array with one value for each input, got shape "
            f"{array.shape}."
        )
    return array


def as_weights(values, name="sample_weight"):
    """Return sample weights as an array of shape (n_inputs,); None if they are None.

    Raises
    ------
    ValueError
        As `as_column`; and if a weight is negative or not finite, or all are 0.
    """
    if values is None:
        return None
    weights = as_column(values, name, dtype=np.float64)
    bad = np.flatnonzero(~(np.isfinite(weights) & (weights >= 0)))
    if len(bad):
        raise ValueError(
            f"{name} must hold finite numbers >= 0, got {weights[bad[0]]} for input "
            f"{bad[0]}."
        )
    if not np.any(weights):
        raise ValueError(f"{name} must be positive for at least one input.")
    return weights


def check_order(values, index, name):
    """Raise a ValueError if a Series names the inputs in another order than `index`.

    Parameters
    ----------
    values : array-like
        One value for each input. Other names than those of the inputs say nothing.

    index : pandas.Index or None
        Names of the inputs.

    name : str
        What an error calls the values.
    """
    if index is None or callable(index):  # of a pair it is a method
        return
    if not _are_in_another_order(values, index):
        return
    raise ValueError(
        f"the index of {name} is certificate.index in another order: pass "
        f"{name}.loc[certificate.index], or {name}.to_numpy() if the values are in the "
        "order of the inputs all the same."
    )


def _are_in_another_order(values, index):
    names = getattr(values, "index", None)
    if names is None or callable(names) or len(names) != len(index):
        return False
    return not names.equals(index) and set(names) == set(index)


def make_read_only(thing):
    """Make the arrays that are attributes of a frozen dataclass read-only.

    By views of them: whoever made them may still write to them.
    """
    for name, value in vars(thing).items():
        if isinstance(value, np.ndarray):
            view = value.view()
            view.flags.writeable = False
            object.__setattr__(thing, name, view)


def as_pair(certificate):
    """Return prediction and radius of a Certificate, or of a pair of them.

    Returns
    -------
    prediction : ndarray of shape (n_inputs,)

    radius : ndarray of float of shape (n_inputs,)

    Raises
    ------
    ValueError
        If it is no pair, or if one of the two is not one value for each input.
    """
    # These can be unpacked, but into names of columns, keys or letters.
    no_pair = isinstance(certificate, (str, bytes, Mapping, Set))
    try:
        if no_pair or hasattr(certificate, "columns"):
            raise TypeError
        prediction, radius = certificate
    except (TypeError, ValueError):
        raise ValueError(
            "certificate must be what `certify` returned, or a pair (prediction, "
            f"radius) of arrays of shape (n_inputs,), got {_brief(certificate)}."
        ) from None
    prediction = as_column(prediction, "prediction")
    radius = as_column(radius, "radius", dtype=np.float64)
    check_consistent_length(prediction, radius)
    return prediction, radius


def as_rows(rows, n_inputs, index=None):
    """Return the positions of chosen inputs as an array of int of shape (n_chosen,).

    Parameters
    ----------
    rows : slice, int, or array-like of int or of bool

    n_inputs : int

    index : pandas.Index, default=None
        Names of the inputs.

    Raises
    ------
    IndexError
        If there is no such input, or if a mask has another length, or names of its own
        that are not those of the inputs.

    TypeError
        If `rows` is something else.
    """
    if isinstance(rows, slice):
        return np.arange(n_inputs)[rows]
    rows = from_torch(rows)
    if isinstance(rows, Integral) and not isinstance(rows, bool):
        rows = [rows]
    if str(getattr(rows, "dtype", "")) in ("boolean", "bool[pyarrow]"):
        rows = rows.astype(bool)  # an error if any is missing
    try:
        chosen = as_column(rows, "rows")
    except ValueError as error:
        raise TypeError(f"cannot select inputs by {_brief(rows)}: {error}") from error
    if chosen.dtype.kind == "b":
        if len(chosen) != n_inputs:
            raise IndexError(
                f"a mask must have one entry for each of the {n_inputs} inputs, got "
                f"{len(chosen)}."
            )
        names = getattr(rows, "index", None)
        if index is not None and not (names is None or callable(names)):
            steps = [getattr(names, part, None) for part in ("start", "step")]
            counted = steps == [0, 1] and not _are_in_another_order(rows, index)
            if not counted and not names.equals(index):
                raise IndexError(
                    "the index of the mask is not certificate.index, so it may be in "
                    "another order: pass mask.reindex(certificate.index), or "
                    "mask.to_numpy() to select by position."
                )
        return np.flatnonzero(chosen)
    if len(chosen) and chosen.dtype.kind not in "iu":
        raise TypeError(
            "inputs are selected by a slice, by positions or by a mask, got values of "
            f"dtype {chosen.dtype}. Names of rows are in certificate.index: "
            "certificate.index.get_indexer(names) finds their positions."
        )
    beyond = np.flatnonzero((chosen < -n_inputs) | (chosen >= n_inputs))
    if len(beyond):
        raise IndexError(
            f"there is no input {chosen[beyond[0]]}: there are {n_inputs}, counted "
            "from 0."
        )
    return chosen.astype(np.intp)


def names_of(X):
    """Return the index of a pandas frame and the columns of any frame, else None.

    Returns
    -------
    index : pandas.Index or None

    columns : ndarray of shape (n_columns,) or None
    """
    if type(X) is np.ndarray or not nw.dependencies.is_into_dataframe(X):
        return None, None
    columns = np.empty(X.shape[1], dtype=object)
    columns[:] = nw.from_native(X, eager_only=True).columns
    index = X.index if nw.dependencies.is_pandas_dataframe(X) else None
    return index, columns


def _brief(value):
    """Return the kind of a value, and its shape if it has one."""
    shape = getattr(value, "shape", None)
    kind = type(value).__name__
    if isinstance(shape, tuple):
        return f"{kind} of shape {shape}"
    if isinstance(value, (int, float, complex, str, bytes)) or value is None:
        return repr(value) if len(repr(value)) < 40 else kind
    return kind
