"""Which columns are categorical, in all ways in which users may say it."""

import narwhals as nw
import numpy as np

_WANTED = (
    'categorical_features must be None, "from_dtype", or an array of column names, '
    "indices, or one boolean per column"
)


def find_categorical(X, categorical_features):
    """Return the places of the categorical columns of X.

    Parameters
    ----------
    X : ndarray of shape (n_inputs, n_features), or data frame

    categorical_features : None, "from_dtype", or array-like of str, int or bool
        As for HistGradientBoostingClassifier: columns by name, place or mask.
        "from_dtype" takes the columns of a frame whose dtype is Categorical or Enum,
        and none of an array. None takes none.

    Returns
    -------
    places : tuple of int
        In the order of the columns.

    Raises
    ------
    ValueError
        If `categorical_features` is none of these, or says what X does not have.
    """
    table = as_table(X)
    if categorical_features is None:
        return ()
    if isinstance(categorical_features, str):
        if categorical_features != "from_dtype":
            raise ValueError(
                f"{_WANTED}, got {categorical_features!r}: a single column is "
                f"[{categorical_features!r}]."
            )
        dtypes = () if table is None else table.schema.dtypes()
        kinds = (nw.Categorical, nw.Enum)
        return tuple(k for k, dtype in enumerate(dtypes) if dtype in kinds)
    named = np.asarray(categorical_features)
    if named.size == 0:
        return ()
    kind = named.dtype.kind
    if kind == "O" and all(isinstance(name, str) for name in named.flat):
        kind = "U"
    if kind not in "biuU" or named.ndim != 1:
        raise ValueError(f"{_WANTED}, got {categorical_features!r}.")
    n_columns = X.shape[1] if table is None else table.shape[1]
    if kind == "U":
        return _places_of_names(named.tolist(), table)
    if kind == "b":
        if len(named) != n_columns:
            raise ValueError(
                f"categorical_features has {len(named)} booleans, but X has "
                f"{n_columns} columns: it needs one for each."
            )
        return tuple(np.flatnonzero(named).tolist())
    if named.min() < 0 or named.max() >= n_columns:
        raise ValueError(
            f"categorical_features as indices must lie in [0, {n_columns - 1}], got "
            f"{named.tolist()!r}."
        )
    return tuple(sorted(set(named.tolist())))


def _places_of_names(names, table):
    if table is None:
        raise ValueError(
            "categorical_features names columns, but X has no names: pass a data "
            "frame, or indices of columns."
        )
    columns = list(table.columns)
    unknown = [name for name in names if name not in columns]
    if unknown:
        raise ValueError(
            f"categorical_features names {unknown!r}, but X has no such column: its "
            f"columns are {columns!r}."
        )
    return tuple(sorted({columns.index(name) for name in names}))


def as_table(X):
    """Return a data frame behind narwhals; None if X is none."""
    if not nw.dependencies.is_into_dataframe(X):
        return None
    return nw.from_native(X, eager_only=True)
