"""Categorical columns: what values they have, and codes for these.

What noise flips are codes: a whole number for each value that a column had in `fit`.
The base classifier is given values again, of the dtype that it was trained on.
"""

import warnings
from collections import Counter
from dataclasses import dataclass

import narwhals as nw
import numpy as np

from ._find_categorical import as_table
from ._frame_dtype import FrameDtype

# The code of a missing value.
MISSING = -1


@dataclass(frozen=True)
class _Column:
    """A categorical column as `fit` saw it.

    Attributes
    ----------
    place : int

    name : str
        For messages.

    values : list
        In order; the code of each is its place here. (No dict: some formats store the
        keys of one as texts.)

    most_frequent : int
        The code of the value that was there most often, the first of those.

    dtype : FrameDtype or None
        What the base was trained on; None if X was an array.

    gap : list
        A missing cell, None or NaN, if there was one.
    """

    place: int
    name: str
    values: list
    most_frequent: int
    dtype: FrameDtype | None
    gap: list

    @classmethod
    def learn(cls, X, place):
        table = as_table(X)
        name = f"{place}" if table is None else f"{table.columns[place]!r}"
        cells, missing = _cells(X, place)
        there = np.flatnonzero(~missing).tolist()
        counts = Counter()
        for row in there:
            _check_hashable(cells[row], name)
            counts[cells[row]] += 1
        if not counts:
            raise ValueError(
                f"categorical column {name} has no values at all: leave it out of X."
            )
        _check_whole(counts, name)
        values = _in_order(counts)
        most = max(range(len(values)), key=lambda code: (counts[values[code]], -code))
        gaps = [cells[row] for row in np.flatnonzero(missing)[:1]]
        gaps = [cell if isinstance(cell, float) else None for cell in gaps]
        dtype = None if table is None else FrameDtype.of(table[:, place])
        return cls(place, name, values, most, dtype, gaps)

    def encode(self, X):
        """Return the codes of a column of X, and how many values were not known."""
        cells, missing = _cells(X, self.place)
        known = {value: code for code, value in enumerate(self.values)}
        unknown = len(known)
        codes = np.array([known.get(cell, unknown) for cell in cells], np.int64)
        codes[missing] = MISSING
        n_unknown = int(np.count_nonzero(codes == unknown))
        codes[codes == unknown] = self.most_frequent
        return codes, n_unknown

    def decode(self, codes, implementation):
        """Return the column of a frame that holds what the codes stand for."""
        missing, cells = codes == MISSING, list(self.values)
        if missing.any():
            cells += self.gap
        if self.dtype is None:
            column = nw.new_series("value", cells, backend=implementation)
        else:
            column = self.dtype.series(cells, implementation)
        if not missing.any() or self.gap:
            column = column[np.where(missing, len(self.values), codes)]
            return nw.maybe_reset_index(column)
        # The dtype of `fit` may have no room for a gap: then it is what the library
        # makes of it.
        column = nw.maybe_reset_index(column[np.maximum(codes, 0)])
        there = nw.new_series("there", ~missing, backend=implementation)
        kept = nw.when(nw.col("there")).then(nw.col("value"))
        return column.to_frame().with_columns(there).select(kept)["value"]


class Categories:
    """The values of categorical columns, as `fit` saw them.

    Parameters
    ----------
    X : ndarray of shape (n_inputs, n_features), or data frame
        What `fit` was given.

    places : tuple of int
        Of the categorical columns; see ``find_categorical``.

    Attributes
    ----------
    places : tuple of int

    n_values : ndarray of int of shape (n_columns,)
        How many values each of them has, missing ones not counted.

    Raises
    ------
    ValueError
        If a column has no values, or numbers that are not whole.
    """

    def __init__(self, X, places):
        self._columns = tuple(_Column.learn(X, place) for place in places)
        self.places = tuple(places)
        self._dtype = None if as_table(X) is not None else _whole_dtype(X, places)
        self.n_values = np.array([len(one.values) for one in self._columns], np.int64)

    @property
    def is_of_floats(self):
        """Are arrays with these categories of floats?"""
        return self._dtype is not None and np.dtype(self._dtype).kind == "f"

    def told(self):
        """Return what tells these from others: the values of each column, in order."""
        values = [(column.place, column.values) for column in self._columns]
        return values, self._dtype

    def encode(self, X):
        """Return the codes of the categorical columns of X.

        A value that `fit` did not see is taken for the most frequent one of its column,
        and a warning says how many there were.

        Parameters
        ----------
        X : ndarray of shape (n_inputs, n_features), or data frame

        Returns
        -------
        codes : ndarray of int64 of shape (n_inputs, n_columns)
            ``MISSING`` where a value is missing.
        """
        pairs = [column.encode(X) for column in self._columns]
        found = [
            f"{column.name} ({n_unknown})"
            for column, (_, n_unknown) in zip(self._columns, pairs, strict=True)
            if n_unknown
        ]
        if found:
            total = sum(n_unknown for _, n_unknown in pairs)
            warnings.warn(
                f"X holds {total} categories that fit did not see; they count as the "
                f"most frequent one of their column: {', '.join(found)}.",
                UserWarning,
                stacklevel=2,
            )
        codes = [codes for codes, _ in pairs]
        return np.stack(codes, axis=1) if codes else np.empty((len(X), 0), np.int64)

    def decode(self, codes, X):
        """Return X with the values that codes stand for in place.

        Parameters
        ----------
        codes : ndarray of int of shape (n_inputs, n_columns)

        X : ndarray of shape (n_inputs, n_features), or data frame
            Is not changed.

        Returns
        -------
        X : data frame or array
            Categorical columns of a frame have the dtype that they had in `fit`; an
            array has the dtype of the one in `fit`.
        """
        table = as_table(X)
        if table is None:
            return self._decode_array(codes, X)
        columns = self.columns(codes, table)
        return nw.maybe_reset_index(table).with_columns(*columns).to_native()

    def columns(self, codes, table):
        """Return what ``decode`` puts into a narwhals frame: a list of its columns."""
        names, library = table.columns, table.implementation
        return [
            column.decode(codes[:, k], library).alias(names[column.place])
            for k, column in enumerate(self._columns)
        ]

    def _decode_array(self, codes, X):
        # After a frame in `fit`, an array may hold anything.
        out = X.astype(np.dtype(self._dtype or object))
        for k, column in enumerate(self._columns):
            missing = codes[:, k] == MISSING
            values = np.empty(len(column.values), out.dtype)
            for code, value in enumerate(column.values):
                values[code] = value
            out[~missing, column.place] = values[codes[~missing, k]]
            if column.gap and out.dtype == object:
                out[missing, column.place] = column.gap[0]
        return out


def _whole_dtype(X, places):
    """Return the dtype, as a text, of arrays like X once their numbers have noise."""
    only_categories = len(places) == X.shape[1]
    if X.dtype.kind in "iub" and not only_categories:
        return "float64"
    if X.dtype.kind in "US" and not only_categories:  # numbers would be cut off
        return "object"
    return X.dtype.str


def _cells(X, place):
    """Return the cells of a column as a list, and an array of which are missing."""
    table = as_table(X)
    if table is None:
        cells = X[:, place].tolist()
        missing = [_is_missing(cell) for cell in cells]
    else:
        column = table[:, place]
        cells = column.to_list()
        null = column.is_null().to_list()
        missing = [a or _is_missing(b) for a, b in zip(null, cells, strict=True)]
    return cells, np.array(missing, bool)


def _is_missing(cell):
    """Is this None, NaN, or what pandas has in place of them?"""
    if isinstance(cell, float):
        return cell != cell
    return cell is None or type(cell).__name__ in ("NAType", "NaTType")


def _check_hashable(cell, name):
    try:
        hash(cell)
    except TypeError:
        raise ValueError(
            f"categorical column {name} holds objects of type {type(cell).__name__}, "
            "which cannot be told apart as categories."
        ) from None


def _check_whole(values, name):
    wrong = [v for v in values if isinstance(v, float) and not v.is_integer()]
    if wrong:
        raise ValueError(
            f"categorical column {name} holds numbers that are not integers, such as "
            f"{wrong[0]!r}: categories are strings, booleans or integers. For noise on "
            "a column of other numbers, name it in sigma."
        )


def _in_order(values):
    """Sort values, also those that cannot be compared: an order that never changes."""
    try:
        return sorted(values)
    except TypeError:
        return sorted(values, key=lambda value: (type(value).__qualname__, repr(value)))
