"""DATA: files that hold inputs, with or without their labels."""

from pathlib import Path
from typing import NamedTuple

import click
import numpy as np

from .._containers import check_real
from ..noise import find_noise
from ._arrays import read_npy, read_npz
from ._frames import read_csv, read_parquet
from ._streams import say


class Data(NamedTuple):
    """What a file holds."""

    X: object  # ndarray, or pandas DataFrame
    y: np.ndarray | None
    idx: np.ndarray  # place of each input in the file


def load_data(path, label, inputs, start, skip, most, limit):
    """Read inputs and labels.

    Parameters
    ----------
    path : str
        A file .npy, .npz, .csv or .parquet.

    label : str or None
        Where the labels are: a column, an array of the .npz, or a .npy file. None:
        array y of a .npz if there is one, else there are none.

    inputs : str or None
        Array of a .npz that holds the inputs.

    start : int
        Begin with the input of this number, counted from 0.

    skip : int
        Take every skip-th input from there on.

    most : int or None
        Take no more than this many.

    limit : float
        Bytes that a compressed file may unpack to, if that is more than it has.

    Returns
    -------
    data : Data
    """
    kind = Path(path).suffix.lower()
    if kind not in _READERS:
        raise click.UsageError(
            f"{path}: the name of a data file ends in {', '.join(_READERS)}."
        )
    if inputs is not None and kind != ".npz":
        raise click.UsageError("--inputs names an array of a .npz file only.")
    X, y = _READERS[kind](path, label, inputs, limit)
    n_rows = X.shape[0] if X.ndim else 1
    if y is not None and y.shape != (n_rows,):
        raise click.UsageError(
            f"labels must be one per row, {n_rows} for {path}, but they are of shape "
            f"{y.shape}."
        )
    if isinstance(X, np.ndarray):
        _check_numbers(X, path)
    if not len(X):
        raise ValueError(f"{path} holds no inputs.")
    if start >= len(X):
        raise click.UsageError(
            f"--start {start}: {path} has inputs 0 to {len(X) - 1} only."
        )
    idx = np.arange(len(X))[start::skip][:most]
    X = X.iloc[idx] if hasattr(X, "iloc") else np.asarray(X[start::skip][:most])
    if y is not None:
        y = _without_bytes(y[idx], path)
        _check_labels(y, path)
    return Data(X, y, idx)


def as_model_takes(X, model):
    """Return a frame with the columns that the model knows, or as a matrix.

    Parameters
    ----------
    X : ndarray or pandas DataFrame

    model : SmoothedClassifier

    Returns
    -------
    X : ndarray, pandas DataFrame, or Series of texts
    """
    if not hasattr(X, "columns"):
        return X
    if find_noise(model.noise).takes_texts:
        if len(X.columns) != 1:
            raise ValueError(
                f"{model.noise!r} takes texts, which are one column beside that of "
                f"--label, but the data have {', '.join(map(repr, X.columns))}."
            )
        return X.iloc[:, 0]
    names = getattr(model, "feature_names_in_", None)
    if names is None:
        numeric = all(dtype.kind in "fiub" for dtype in X.dtypes)
        return X.to_numpy() if numeric else X
    missing = [name for name in names if name not in X.columns]
    if missing:
        raise ValueError(
            f"the data have no column {', '.join(map(repr, missing))}, on which the "
            f"model was trained, only {', '.join(map(repr, X.columns))}."
        )
    known = set(names)
    extra = [str(name) for name in X.columns if name not in known]
    if extra:
        say(f"Note: the model does not know these columns: {', '.join(extra)}.")
    return X[list(names)]


_READERS = {
    ".npy": read_npy,
    ".npz": read_npz,
    ".csv": read_csv,
    ".parquet": read_parquet,
}


def _check_numbers(X, path):
    """Raise a ValueError if an array has no rows, or holds what is no number."""
    if X.ndim < 2:
        raise ValueError(
            f"{path} holds an array of shape {X.shape}, but inputs are rows: the shape "
            "has to be (inputs, features), or more dimensions for images. Texts are "
            "read from a column of a .csv or .parquet file."
        )
    if X.dtype.kind not in "biuf":
        check_real(X)
        raise ValueError(
            f"{path}: inputs have to be numbers, but the array is of dtype {X.dtype}."
        )


def _without_bytes(y, path):
    """Return labels, of which those that are bytes become the texts they spell."""
    if y.dtype.kind not in "SO" or not any(isinstance(one, bytes) for one in y):
        return y
    try:
        texts = [one.decode() if isinstance(one, bytes) else one for one in y]
    except UnicodeDecodeError as error:
        raise ValueError(
            f"{path}: the label {error.object!r} is no UTF-8 text: decode the labels "
            "and save them as strings."
        ) from None
    return np.array(texts, dtype=str if y.dtype.kind == "S" else object)


def _check_labels(y, path):
    """Raise a ValueError if a label is missing, or of a kind that no log can hold."""
    if y.dtype.kind in "mMcV":
        raise ValueError(
            f"{path}: labels have to be whole numbers or strings, but they are of "
            f"dtype {y.dtype}."
        )
    absent = [k for k, label in enumerate(y) if label is None or label != label]
    if absent:
        raise ValueError(
            f"{path}: {len(absent)} of {len(y)} labels are missing, the first at row "
            f"{absent[0]}."
        )
    endless = np.flatnonzero(np.isinf(y)) if y.dtype.kind == "f" else ()
    if len(endless):
        raise ValueError(
            f"{path}: the label of row {endless[0]} is {y[endless[0]]}, which is no "
            "class."
        )
