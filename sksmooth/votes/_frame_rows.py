"""The rows of a data frame, of which some columns receive noise."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import narwhals as nw
import numpy as np

from ..noise import Gaussian
from ..noise._sigma import (
    check_sigma,
    is_one_number,
    sigma_by_column,
    sigma_of_numbers,
)
from ._cells import row_contents
from ._rows import Inputs, as_codes, as_floats

_GAUSSIAN = Gaussian()

# Integers up to this are the same number in float32 and in float64.
_LARGEST_EXACT = 2.0**24


@dataclass(frozen=True)
class FrameInputs(Inputs):
    """Validated rows of a data frame. `values` are of its columns with sigma > 0.

    Attributes
    ----------
    frame : data frame
        The user's.

    noisy : tuple of int
        Places of the columns that `values` holds, in order. (Places, as names of pandas
        columns need not be strings.)

    counts : tuple of int
        Places of columns whose noise is rounded.

    wholes : mapping of int to str
        Dtypes of integers that columns had in `fit`, in words of narwhals, by place.

    by_name : bool
        Does f look for columns by name, elsewhere than where they are? Then it is asked
        with frames only.
    """

    frame: Any = None
    noisy: tuple = ()
    counts: tuple = ()
    wholes: Mapping = field(default_factory=dict)
    by_name: bool = False

    @classmethod
    def from_frame(cls, frame, sigma, kind=_GAUSSIAN, flips=None, wholes=None):
        """Take a data frame and sigma: scalar, one value per column, or by its name.

        Parameters
        ----------
        frame : data frame

        sigma : float, array-like or mapping

        kind, flips
            As in `Inputs.from_array`.

        wholes : dict of int to str, default=None
            As the attribute. Of these columns, noisy ones are counts also where gaps
            make floats of them, as all columns of integers are.

        Raises
        ------
        ValueError
            As `Inputs.from_array`, and if a column with sigma > 0 is neither
            floating-point nor one of whole numbers that sigma names.
        """
        table = nw.from_native(frame, eager_only=True)
        names, places = table.columns, ()
        named = _named(sigma, names)
        if flips is None:
            sigma = check_sigma(sigma_by_column(sigma, names), (len(names),))
        else:
            places = flips.categories.places
            sigma = sigma_of_numbers(sigma, len(names), places, names)
        noisy = np.broadcast_to(np.asarray(sigma) > 0, (len(names),))
        numeric = np.flatnonzero(noisy).tolist()
        _check_dtypes(table, numeric, named)
        dtypes, wholes = table.schema.dtypes(), wholes or {}
        counts = tuple(k for k in numeric if k in wholes or dtypes[k].is_integer())
        if numeric:
            values = np.ascontiguousarray(numbers(table[:, numeric]))
        else:  # some libraries would forget how many rows there are
            values = np.empty((len(table), 0))
        if values.dtype not in (np.float32, np.float64):
            values = values.astype(np.float64)
        if flips is None:
            sigma = sigma if np.ndim(sigma) == 0 else sigma[noisy]
            noise = kind.bind(sigma)
            kept = {"noisy": tuple(numeric), "counts": counts, "wholes": wholes}
            return cls(values, noise, frame=frame, **kept)
        held = sorted({*numeric, *places})
        own = [held.index(place) for place in places]
        codes = flips.categories.encode(frame)
        every = np.empty((len(table), len(held)), values.dtype)
        every[:, [held.index(place) for place in numeric]] = values
        every[:, own] = as_floats(codes)
        noise = flips.beside(kind, own, bool(numeric)).bind(sigma[held])
        # What `fit` did not see is replaced, and dtypes are those that it saw.
        frame = flips.categories.decode(codes, frame)
        kept = {"noisy": tuple(held), "counts": counts, "wholes": wholes}
        return cls(every, noise, flips.categories, frame=frame, **kept)

    @cached_property
    def table(self):
        """The frame behind narwhals."""
        return nw.from_native(self.frame, eager_only=True)

    @property
    def input_shape(self):
        """Shape of one input: (n_columns,)."""
        return self.table.shape[1:]

    @property
    def level(self):
        """Noise level of one whole input: a float, or an array of its shape."""
        if np.ndim(self.sigma) == 0:
            return self.sigma
        level = np.zeros(self.input_shape)
        level[list(self.noisy)] = self.sigma
        return level

    def take(self, rows):
        """Return the inputs in a slice of rows."""
        return replace(super().take(rows), frame=self.table[rows].to_native())

    @property
    def not_floats(self):
        """Places of the columns that are no floats: the dtype of integers, or None."""
        return {
            place: str(dtype) if dtype.is_integer() else None
            for place, dtype in enumerate(self.table.schema.dtypes())
            if not dtype.is_float()
        }

    def count_range(self, place):
        """Return the least and the largest integer of a column of counts."""
        dtype = self.wholes.get(place) or str(self.table.schema.dtypes()[place])
        return _range_of(dtype)

    def _dtype_of_copies(self, place):
        """Return the dtype of noisy values: that of the column, if it holds them."""
        dtype = self.table.schema.dtypes()[place]
        if place in self.counts and dtype.is_integer():
            low, high = _range_of(str(dtype))
            least, largest = self.count_range(place)
            if least < low or largest > high:
                return getattr(nw, self.wholes[place])()
        return dtype

    def _with_values(self, values, noise):
        frame = self.assemble(values, np.arange(len(self)))
        return replace(super()._with_values(values, noise), frame=frame)

    @property
    def _categorical(self):
        """Which of the columns of a frame are categories, by their places."""
        return () if self.categories is None else self.categories.places

    @property
    def _numeric(self):
        """Which columns of a frame have noise as numbers, by their places."""
        return [place for place in self.noisy if place not in self._categorical]

    @property
    def _codes(self):
        """Which columns of `values` hold codes."""
        return [self.noisy.index(place) for place in self._categorical]

    @cached_property
    def _nulls(self):
        """Which noisy columns have nulls beside NaN, by their places: where they do.

        With pandas all those that may have some, so that the dtype of a copy does not
        depend on the rows.
        """
        found = {place: self._null_in(place) for place in self._numeric}
        return {place: null for place, null in found.items() if null is not None}

    def _null_in(self, place):
        """Which cells of a column are null; None if none are, or in pandas could be."""
        column = self.table[:, place]
        if isinstance(getattr(column.to_native(), "dtype", None), np.dtype):
            return None  # NaN is all it can hold
        null = column.is_null().to_numpy()
        may_be = null.any() or column.implementation.is_pandas_like()
        return null if may_be else None

    def _noisy_dtypes(self):
        """Return the dtypes in which the base classifier gets what has noise."""
        dtypes = self.table.schema.dtypes()
        floats = [dtypes[place] for place in self._numeric if dtypes[place].is_float()]
        return {self.values.dtype, *(np.dtype(str(one).lower()) for one in floats)}

    def contents(self):
        """Yield, row by row, the bytes that key the noise of that row.

        Nulls are not equal to NaN: the base classifier may tell them apart.
        """
        null = self._null_cells()
        for row, other in enumerate(self.other_contents()):
            value = self._comparable(self.values[row])
            if null is not None:
                value[null[row]] = -np.nan  # the one with the sign set
            yield value.tobytes() + other

    def _null_cells(self):
        """Return where `values` are null, as an array of bool; None if nowhere."""
        if not self.has_gaps:
            return None
        null = np.zeros(self.values.shape, bool)
        for k, place in enumerate(self.noisy):
            null[:, k] = self._nulls.get(place, False)
        return null if null.any() else None

    def other_contents(self):
        """Return the contents of the columns without noise, row by row, as bytes."""
        others = self._others
        return row_contents(self.table[:, others]) if others else [b""] * len(self)

    def assemble(self, values, rows):
        """Return a frame of the user's type with noisy `values` in place."""
        table = self.table
        names, dtypes = table.columns, table.schema.dtypes()
        backend, numeric = table.implementation, self._numeric
        all_noisy = len(numeric) == len(names) and len(set(dtypes)) == 1
        as_they_are = all_noisy and not self.counts and not self._nulls
        if as_they_are and all(isinstance(n, str) for n in names):
            return nw.from_numpy(values, schema=names, backend=backend).to_native()
        # With a repeated index pandas would refuse the assignment.
        copies = nw.maybe_reset_index(table[rows])
        noise = []
        for place in numeric:
            k, there = self.noisy.index(place), slice(None)
            if place in self._nulls:  # the copy has the right kind of gap already
                there = np.flatnonzero(~np.isnan(self.values[rows, k]))
            column, dtype = values[there, k], self._dtype_of_copies(place)
            if place in self.counts:
                column = _rounded(column, *self.count_range(place), dtype)
            column = nw.new_series(names[place], column, dtype, backend=backend)
            if place in self._nulls:
                column = copies[:, place].cast(dtype).scatter(there, column)
            noise.append(column)
        if self.categories is not None:
            codes = as_codes(values[:, self._codes])
            noise += self.categories.columns(codes, copies)
        return copies.with_columns(*noise).to_native()

    @cached_property
    def is_plain_matrix(self):
        """Is what ``assemble`` returns a matrix of numbers under names?

        Not so where gaps are no NaN, where noise is rounded, where copies of columns
        have another dtype than `values`, or where an integer is too large to be a
        float.
        """
        if self.categories is not None or self.counts:
            return False
        dtypes = self.table.schema.dtypes()
        own = {str(dtypes[place]).lower() for place in self.noisy}
        if self._nulls or own - {self.values.dtype.name}:
            return False
        if any(self._null_in(place) is not None for place in self._others):
            return False
        wholes = [place for place in self._others if dtypes[place].is_integer()]
        rest = {*self._others} - {*wholes}
        if not all(dtypes[k].is_float() or dtypes[k] == nw.Boolean for k in rest):
            return False
        largest = np.abs(numbers(self.table[:, wholes])).max(initial=0) if wholes else 0
        return bool(largest <= _LARGEST_EXACT)

    def as_matrix(self, values, rows):
        """Return the numbers of what ``assemble`` returns, as one array."""
        if not self._others:
            return values
        dtype = np.result_type(values, self._still)
        X = np.empty((len(values), self.table.shape[1]), dtype)
        X[:, list(self.noisy)] = values
        X[:, self._others] = self._still[rows]
        return X

    @property
    def _others(self):
        """Places of the columns without noise."""
        noisy = set(self.noisy)
        return [k for k in range(self.table.shape[1]) if k not in noisy]

    @cached_property
    def _still(self):
        """The columns without noise, as an array of numbers."""
        return numbers(self.table[:, self._others])

    @property
    def has_numbers(self):
        """Is an input a row of numbers to which noise is added, and nothing else?

        Not so where noise is rounded: f sees whole numbers there.
        """
        if self.counts or self.by_name or not super().has_numbers:
            return False
        dtypes = enumerate(self.table.schema.dtypes())
        return all(d.is_numeric() or self._is_of_flags(place, d) for place, d in dtypes)

    def _is_of_flags(self, place, dtype):
        """Is this a column of booleans, which f takes for 0 and 1?"""
        if dtype != nw.Boolean:
            return False
        column = self.table[:, place]
        if column.implementation.is_pandas_like():  # others may hold pandas.NA
            return isinstance(column.to_native().dtype, np.dtype)
        return column.implementation.is_polars()

    def _numbers(self):
        return numbers(self.table).astype(float, copy=False)


def numbers(table):
    """Return a narwhals frame of numbers as an array, with NaN for what is missing."""
    array = table.to_numpy()
    if array.dtype == object:  # pandas' NA among floats of pyarrow
        null = [table[:, j].is_null().to_numpy() for j in range(table.shape[1])]
        array = np.where(np.column_stack(null), np.nan, array).astype(float)
    return array


def _rounded(values, low, high, dtype):
    """Return noisy values of a column of counts, as whole numbers from low to high.

    As floats, if others of them are missing. That is done to what has its noise
    already, so it is a part of the classifier.
    """
    if high > 2**53:  # the largest float that is not above it
        high = np.nextafter(float(high), 0)
    rounded = np.clip(np.rint(values.astype(float)), low, high)
    kind = values.dtype if dtype.is_float() else np.dtype(str(dtype).lower())
    return rounded.astype(kind)


def _range_of(dtype):
    """Return the least and the largest number of integers such as "UInt8"."""
    kind, bits = dtype.lower().split("int")
    if kind:
        return 0, 2 ** int(bits) - 1
    return -(2 ** (int(bits) - 1)), 2 ** (int(bits) - 1) - 1


def _named(sigma, columns):
    """Return the places of columns for which the user has told a noise level."""
    if is_one_number(sigma):
        return set()
    if not isinstance(sigma, Mapping):
        return set(range(len(columns)))
    return {place for place, name in enumerate(columns) if name in sigma}


def _check_dtypes(table, numeric, named):
    """Raise a ValueError if columns with noise are none of numbers."""
    dtypes = table.schema.dtypes()
    wrong = [
        f"{table.columns[place]!r} ({dtypes[place]})"
        for place in numeric
        if not dtypes[place].is_float()
        and not (dtypes[place].is_integer() and place in named)
    ]
    if wrong:
        raise ValueError(
            "noise needs floating-point columns, but these are not: "
            f"{', '.join(wrong[:5])}{' ...' if len(wrong) > 5 else ''}. If they are "
            "categories, name them in categorical_features. If they are counts, name "
            "them in sigma (a dict from names to levels): their noise is rounded. If "
            "the adversary cannot change them, give them a sigma of 0. Otherwise cast "
            "them to float."
        )
