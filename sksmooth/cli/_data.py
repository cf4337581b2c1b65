"""DATA: files that hold inputs, with or without their labels."""

from pathlib import Path
from typing import NamedTuple

import click
import numpy as np

from ._command import say


class Data(NamedTuple):
    """What a file holds."""

    X: object  # ndarray, or pandas DataFrame
    y: np.ndarray | None
    idx: np.ndarray  # place of each input in the file


def load_data(path, *, label=None, inputs=None, skip=1, most=None):
    """Read inputs and labels.

    Parameters
    ----------
    path : str
        A file .npy, .npz, .csv or .parquet.

    label : str, default=None
        Where the labels are: a column, an array of the .npz, or a .npy file. None:
        array y of a .npz if there is one, else there are none.

    inputs : str, default=None
        Array of a .npz that holds the inputs.

    skip : int, default=1
        Take every skip-th input.

    most : int, default=None
        Take no more than this many.

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
    X, y = _READERS[kind](path, label, inputs)
    if y is not None and (y.ndim != 1 or len(y) != len(X)):
        raise click.UsageError(
            f"labels must be one a row, {len(X)} for {path}, but they are of shape "
            f"{y.shape}."
        )
    some = slice(None, None, skip)
    idx = np.arange(len(X))[some][:most]
    if not len(idx):
        raise ValueError(f"{path} holds no inputs.")
    X = X.iloc[idx] if hasattr(X, "iloc") else np.asarray(X[some][:most])
    y = None if y is None else y[idx]
    if y is not None:
        _check_complete(y, path)
    return Data(X, y, idx)


def as_model_takes(X, model):
    """Return a frame with the columns that the model knows, or as a matrix.

    Parameters
    ----------
    X : ndarray or pandas DataFrame

    model : SmoothedClassifier

    Returns
    -------
    X : ndarray or pandas DataFrame
    """
    if not hasattr(X, "columns"):
        return X
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


def _read_npy(path, label, inputs):
    X = _load_array(path, mmap_mode="r")
    if X.ndim < 2:
        raise ValueError(f"{path} holds an array of shape {X.shape}: one row an input.")
    if label is None:
        return X, None
    if label.endswith(".npy"):
        return X, _load_array(label)
    try:
        column = int(label)
    except ValueError:
        raise click.UsageError(
            f"--label {label}: for a .npy file, name another .npy file with the labels "
            "or the number of a column, such as 0 or -1."
        ) from None
    if X.ndim != 2 or not -X.shape[1] <= column < X.shape[1]:
        raise click.UsageError(
            f"--label {label}: {path}, of shape {X.shape}, has no such column."
        )
    return np.delete(X, column, axis=1), np.array(X[:, column])


def _read_npz(path, label, inputs):
    with _load_array(path) as file:
        names = file.files
        if label is None and "y" in names:
            label = "y"
        in_file = label is not None and not label.endswith(".npy")
        rest = [name for name in names if not (in_file and name == label)]
        if inputs is None:
            inputs = rest[0] if len(rest) == 1 else "X"
        for option, name in [("--inputs", inputs), ("--label", label)]:
            if (option == "--inputs" or in_file) and name not in names:
                raise click.UsageError(
                    f"{path} has no array {name!r}, only {', '.join(names)}: choose "
                    f"with {option}."
                )
        X = _member(file, inputs, path)
        if label is None:
            return X, None
        return X, _member(file, label, path) if in_file else _load_array(label)


def _read_csv(path, label, inputs):
    return _split(_pandas(path).read_csv(path), path, label)


def _read_parquet(path, label, inputs):
    pandas = _pandas(path)
    try:
        frame = pandas.read_parquet(path)
    except ImportError as error:
        raise ImportError(
            f"{path} needs pyarrow to be read: pip install pyarrow."
        ) from error
    return _split(frame, path, label)


_READERS = {
    ".npy": _read_npy,
    ".npz": _read_npz,
    ".csv": _read_csv,
    ".parquet": _read_parquet,
}


def _split(frame, path, label):
    if label is None:
        return frame, None
    if label not in frame.columns:
        raise click.UsageError(
            f"{path} has no column {label!r} for --label, only "
            f"{', '.join(map(str, frame.columns))}."
        )
    return frame.drop(columns=label), frame[label].to_numpy()


def _pandas(path):
    try:
        import pandas
    except ImportError as error:
        raise ImportError(
            f"{path} needs pandas to be read: pip install 'sksmooth[cli]'."
        ) from error
    return pandas


def _load_array(path, **options):
    try:
        return np.load(path, allow_pickle=False, **options)
    except (ValueError, EOFError) as error:
        raise ValueError(
            f"{path} cannot be read: {error} Arrays of Python objects are pickles and "
            "are not loaded; store numbers, or strings of fixed width."
        ) from error


def _member(file, name, path):
    try:
        return file[name]
    except ValueError as error:
        raise ValueError(
            f"{path}: array {name!r} cannot be read: {error} Arrays of Python objects "
            "are pickles and are not loaded; store numbers, or strings of fixed width."
        ) from error


def _check_complete(y, path):
    absent = [k for k, label in enumerate(y) if label is None or label != label]
    if absent:
        raise ValueError(
            f"{path}: {len(absent)} of {len(y)} labels are missing, the first at row "
            f"{absent[0]}."
        )
