"""The rows of X, split into what receives noise and what stays as it is."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import pairwise, repeat
from typing import Any, NamedTuple

import narwhals as nw
import numpy as np
from scipy.sparse import csr_array, issparse

from .._categories import MISSING, Categories
from ..noise import BoundNoise, Gaussian
from ..noise._binary import as_binary_csr
from ..noise._grid import (
    check_range,
    grid_step,
    round_to_grid,
    rounding_loss,
)
from ..noise._sigma import (
    check_sigma,
    is_one_number,
    sigma_by_column,
    sigma_of_numbers,
)
from ..noise._with_flips import WithFlips
from ._cells import row_contents

_GAUSSIAN = Gaussian()

# Rows are rounded to a grid in chunks of about this much memory.
_CHUNK_BYTES = 2**24

# Integers up to this are the same number in float32 and in float64.
_LARGEST_EXACT = 2.0**24


class Flips(NamedTuple):
    """Which columns are categories, and the noise on them."""

    categories: Categories
    threshold: int  # drawn anew with probability threshold / 2^32

    def beside(self, kind, places, numbers=True):
        """Return noise of a kind on numbers, and these flips at `places`."""
        n_values = tuple(self.categories.n_values.tolist())
        return WithFlips(kind, self.threshold, tuple(places), n_values, numbers)


@dataclass(frozen=True)
class Inputs:
    """Validated inputs, in a form from which noisy copies can be made.

    Values may be missing (NaN, or null in a frame); they are missing in every copy.

    Attributes
    ----------
    values : ndarray of shape (n_inputs, *shape), float32 or float64
        What receives noise: the whole array, or a frame's columns with sigma > 0.

    noise : BoundNoise
        What `values` receive.

    frame : data frame or None
        The user's frame; None if X came as an array.

    noisy : tuple of int
        Places of the columns of `frame` that `values` holds, in order. (Places, as
        names of pandas columns need not be strings.)

    categories : Categories or None
        Of the columns of which `values` holds codes.

    counts : tuple of int
        Places of columns of `frame` whose noise is rounded.

    container : type or None
        Of the sparse matrix that `values` were, see ``as_dense``.

    taken : ndarray of int of shape (n_inputs,) or None
        Where these rows stand in the user's X, for error messages; None if X is whole.
    """

    values: np.ndarray
    noise: BoundNoise
    frame: Any = None
    noisy: tuple = ()
    categories: Any = None
    counts: tuple = ()
    container: type | None = None
    taken: np.ndarray | None = None

    @classmethod
    def from_array(cls, X, sigma, kind=_GAUSSIAN, flips=None):
        """Take an array of shape (n_inputs, *shape) and sigma, scalar or broadcastable.

        Parameters
        ----------
        X : ndarray
            Of floats, or of cells of any kind if there are categories.

        sigma : float or array-like

        kind : Noise, default=Gaussian()
            On the numbers.

        flips : Flips, default=None
            On the categories; None: there are none.

        Raises
        ------
        ValueError
            If sigma does not broadcast against one input, is negative or not finite.
        """
        if flips is None:
            values = np.ascontiguousarray(X)
            return cls(values, kind.bind(check_sigma(sigma, values.shape[1:])))
        places = flips.categories.places
        sigma = sigma_of_numbers(sigma, X.shape[1], places)
        others = [place for place in range(X.shape[1]) if place not in places]
        values = np.empty(X.shape, X.dtype if X.dtype == np.float32 else np.float64)
        values[:, others] = X[:, others].astype(values.dtype)
        values[:, places] = _as_floats(flips.categories.encode(X))
        kind = flips.beside(kind, places, bool(np.any(sigma)))
        return cls(values, kind.bind(sigma), categories=flips.categories)

    @classmethod
    def from_sparse(cls, X, sigma, kind):
        """Take a sparse matrix of zeros and ones, for a kind of noise that does.

        Parameters
        ----------
        X : sparse matrix or array of shape (n_inputs, n_features)

        sigma : float

        kind : Noise

        Raises
        ------
        ValueError
            If X holds anything else.
        """
        X = as_binary_csr(X)
        return cls(X, kind.bind(check_sigma(sigma, X.shape[1:])))

    @classmethod
    def from_frame(cls, frame, sigma, kind=_GAUSSIAN, flips=None, counts=None):
        """Take a data frame and sigma: scalar, one value per column, or by its name.

        Parameters
        ----------
        frame : data frame

        sigma : float, array-like or mapping

        kind, flips
            As in `from_array`.

        counts : tuple of int, default=None
            Places of columns whose noise is rounded. None: those of whole numbers.

        Raises
        ------
        ValueError
            As `from_array`, and if a column with sigma > 0 is neither floating-point
            nor one of whole numbers that sigma names.
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
        wholes = [k for k in numeric if table.schema.dtypes()[k].is_integer()]
        counts = tuple(wholes if counts is None else counts)
        as_floats = [nw.col(names[k]).cast(nw.Float64) for k in {*wholes} - {*counts}]
        if as_floats:  # numbers in `fit`, where they were no whole ones
            table = table.with_columns(*as_floats)
            frame = table.to_native()
        if numeric:
            values = np.ascontiguousarray(numbers(table[:, numeric]))
        else:  # some libraries would forget how many rows there are
            values = np.empty((len(table), 0))
        if values.dtype not in (np.float32, np.float64):
            values = values.astype(np.float64)
        if flips is None:
            sigma = sigma if np.ndim(sigma) == 0 else sigma[noisy]
            noise = kind.bind(sigma)
            return cls(values, noise, frame, tuple(numeric), counts=counts)
        held = sorted({*numeric, *places})
        own = [held.index(place) for place in places]
        codes = flips.categories.encode(frame)
        every = np.empty((len(table), len(held)), values.dtype)
        every[:, [held.index(place) for place in numeric]] = values
        every[:, own] = _as_floats(codes)
        noise = flips.beside(kind, own, bool(numeric)).bind(sigma[held])
        # What `fit` did not see is replaced, and dtypes are those that it saw.
        frame = flips.categories.decode(codes, frame)
        return cls(every, noise, frame, tuple(held), flips.categories, counts)

    def __len__(self):
        return self.values.shape[0]

    @property
    def is_sparse(self):
        """Are `values` a sparse matrix?"""
        return issparse(self.values)

    def as_dense(self):
        """Return inputs whose `values` are an array; what is made of it is sparse."""
        if not self.is_sparse:
            return self
        kind = type(self.values)
        return replace(self, values=self.values.toarray().astype(float), container=kind)

    @property
    def sigma(self):
        """Noise level of `values`: float, or ndarray that broadcasts to an input."""
        return self.noise.sigma

    @property
    def grid(self):
        """Steps of the grid that `values` are on; None if they are on none."""
        return self.noise.step

    @property
    def n_noisy(self):
        """Number of features that have noise."""
        shape = self.values.shape[1:]
        return int(np.count_nonzero(np.broadcast_to(self.sigma, shape)))

    @property
    def input_shape(self):
        """Shape of one input: that of an array's row, or (n_columns,) of a frame."""
        if self.frame is None:
            return self.values.shape[1:]
        return self.table.shape[1:]

    @property
    def row_bytes(self):
        """Size of one noisy copy; of a frame, with the columns that have no noise."""
        return self.values.itemsize * int(np.prod(self.input_shape))

    @property
    def why_not_fed(self):
        """Why a net cannot be given `values` as they are, or None if it can."""
        if self.categories is None:
            return None
        return "it is given the values of categories, and flips are of codes"

    @property
    def level(self):
        """Noise level of one whole input: a float, or an array of its shape."""
        if self.frame is None or np.ndim(self.sigma) == 0:
            return self.sigma
        level = np.zeros(self.table.shape[1])
        level[list(self.noisy)] = self.sigma
        return level

    @cached_property
    def table(self):
        """The frame behind narwhals, or None."""
        if self.frame is None:
            return None
        return nw.from_native(self.frame, eager_only=True)

    @cached_property
    def has_gaps(self):
        """Is any of `values` missing?"""
        if self.is_sparse:
            return False
        return bool(np.isnan(self.values.min(initial=0)))

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
        if self.frame is None:
            return list(self._categorical)
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

    @property
    def origin(self):
        """Where these rows stand in the user's X."""
        return np.arange(len(self)) if self.taken is None else self.taken

    def take(self, rows):
        """Return the inputs in a slice of rows."""
        frame = None if self.frame is None else self.table[rows].to_native()
        taken = self.origin[rows]
        return replace(self, values=self.values[rows], frame=frame, taken=taken)

    def on_grid(self, grid):
        """Round the inputs to a grid, on which noise is added exactly.

        Parameters
        ----------
        grid : None, "auto" or float
            Step of the grid; None returns the inputs as they are.

        Returns
        -------
        inputs : Inputs

        loss : ndarray of float of shape (n_inputs,) or None
            What having been rounded takes off each radius.

        Raises
        ------
        ValueError
            If `grid` is no power of two or too fine, or if noisy copies could leave
            the range in which every multiple of it is a number of their dtype.
        """
        if grid is None:
            return self, None
        if not self.noise.keeps_grid:
            raise ValueError(
                f"grid={grid!r} needs noise that can be rounded to a grid, and "
                f"{type(self.noise.kind).__name__} does not say that it can be "
                "(keeps_grid): use grid=None."
            )
        step = grid_step(grid, self.sigma)
        noise = self.noise.at(self.sigma, step)
        for dtype in self._noisy_dtypes():
            check_range(self.values, noise, dtype)
        values, loss = np.empty_like(self.values), np.empty(len(self))
        size = max(1, _CHUNK_BYTES // max(1, 8 * self.values[0].size))
        for start in range(0, len(self), size):
            some = slice(start, start + size)
            values[some] = round_to_grid(self.values[some], self.sigma, step)
            loss[some] = rounding_loss(
                self.values[some], values[some], self.sigma, step, noise.norm
            )
        frame = self.frame
        if frame is not None:
            frame = self.assemble(values, np.arange(len(self)))
        return replace(self, values=values, frame=frame, noise=noise), loss

    def as_dtype(self, dtype):
        """Return the inputs with `values` of another floating-point dtype."""
        if self.grid is not None:
            check_range(self.values, self.noise, dtype)
        return replace(self, values=self.values.astype(dtype, copy=False))

    def _noisy_dtypes(self):
        """Dtypes in which the base classifier gets what has noise."""
        if self.frame is None:
            return [self.values.dtype]
        dtypes = self.table.schema.dtypes()
        floats = [dtypes[place] for place in self._numeric if dtypes[place].is_float()]
        return {self.values.dtype, *(np.dtype(str(one).lower()) for one in floats)}

    def contents(self):
        """Yield, row by row, the bytes that key the noise of that row.

        Equal rows have equal bytes, whatever the memory layout of X. Nulls are not
        equal to NaN: the base classifier may tell them apart.
        """
        if self.is_sparse or self._has_flags:
            yield from self._flags()
            return
        gaps, null, others = self.has_gaps, None, repeat(b"", len(self))
        if self.frame is not None:
            null, others = self._null_cells(), self._other_contents()
        for row, (value, other) in enumerate(zip(self.values, others, strict=True)):
            # `+ 0.0` gives -0.0 and 0.0, which are equal, the same bytes.
            value = value + 0.0
            if gaps:
                value[np.isnan(value)] = np.nan  # of all bit patterns the same one
            if null is not None:
                value[null[row]] = -np.nan  # the one with the sign set
            yield value.tobytes() + other

    @property
    def _has_flags(self):
        """Are `values` zeros and ones that might be a sparse matrix as well?"""
        might_be = self.frame is None and self.noise.kind.takes_sparse
        return might_be and self.values.ndim == 2

    def _flags(self):
        """Yield what ``contents`` does: the same whether `values` are sparse or not.

        Where the ones are, and where values are missing.
        """
        rows, nothing = self.values, np.empty(0, "<i8")
        if not self.is_sparse:
            rows, gaps = csr_array(rows == 1), np.isnan(rows)
        indices = rows.indices.astype("<i8")
        for row, (start, stop) in enumerate(pairwise(rows.indptr.tolist())):
            gap = nothing if self.is_sparse else np.flatnonzero(gaps[row]).astype("<i8")
            yield b"ones" + indices[start:stop].tobytes() + b"gaps" + gap.tobytes()

    def _null_cells(self):
        """Return where `values` are null, as an array of bool; None if nowhere."""
        if not self.has_gaps:
            return None
        null = np.zeros(self.values.shape, bool)
        for k, place in enumerate(self.noisy):
            null[:, k] = self._nulls.get(place, False)
        return null if null.any() else None

    def _other_contents(self):
        others = self._others
        return row_contents(self.table[:, others]) if others else [b""] * len(self)

    def assemble(self, values, rows):
        """Return a container of the user's type with noisy `values` in place.

        Parameters
        ----------
        values : ndarray of shape (n, *shape)
            Noisy copies.

        rows : ndarray of int of shape (n,)
            The input that each of them is a copy of.
        """
        if self.is_sparse or self.container is not None:
            return values if issparse(values) else self.container(values)
        if self.categories is not None:
            codes = values[:, self._codes]
            codes = np.where(np.isnan(codes), MISSING, codes).astype(np.int64)
        if self.frame is None and self.categories is None:
            return values
        if self.frame is None:
            return self.categories.decode(codes, values)
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
            column = values[there, k]
            if place in self.counts:
                column = _rounded(column, dtypes[place])
            column = nw.new_series(names[place], column, dtypes[place], backend=backend)
            if place in self._nulls:
                column = copies[:, place].scatter(there, column)
            noise.append(column)
        if self.categories is not None:
            noise += self.categories.columns(codes, copies)
        return copies.with_columns(*noise).to_native()

    @cached_property
    def is_plain_matrix(self):
        """Is what ``assemble`` returns a matrix of numbers, perhaps under names?

        Then ``as_matrix`` returns the same numbers. Not so where gaps are no NaN, where
        copies of columns are rounded to another dtype than that of `values`, or where
        an integer is too large to be a float.
        """
        if self.is_sparse or self.values.ndim != 2:
            return False
        if self.categories is not None:
            return self.frame is None and self.categories.is_of_floats
        if self.frame is None:
            return True
        dtypes = self.table.schema.dtypes()
        own = {str(dtypes[place]).lower() for place in self.noisy}
        if self._nulls or own - {self.values.dtype.name}:
            return False
        if any(self._null_in(place) is not None for place in self._others):
            return False
        wholes = [place for place in self._others if dtypes[place].is_integer()]
        if not all(dtypes[place].is_float() for place in {*self._others} - {*wholes}):
            return False
        largest = np.abs(numbers(self.table[:, wholes])).max(initial=0) if wholes else 0
        return bool(largest <= _LARGEST_EXACT)

    def as_matrix(self, values, rows):
        """Return the numbers of what ``assemble`` returns, as one array.

        For inputs that are a plain matrix; the parameters are those of ``assemble``.
        """
        if self.frame is None:
            return self.assemble(values, rows)
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

        Depends on what kinds of columns there are, and not on what is in them. Not so
        where noise is rounded: f sees whole numbers there.
        """
        if self.values.ndim != 2 or self.categories is not None:
            return False
        if self.is_sparse or self.container is not None or self.counts:
            return False
        if self.frame is None:
            return True
        return all(dtype.is_numeric() for dtype in self.table.schema.dtypes())

    def matrix(self):
        """Return (X, sigma) with every column as a number, or None if that fails.

        X is a 2-D float array (NaN where a value is missing), sigma the noise level of
        each of its columns. This is
        for short cuts that never make a noisy copy. On a grid there are none: f is
        what `predict` computes for each point of it, rounding included.
        """
        if self.noise.step is not None or not self.has_numbers:
            return None
        if self.frame is None:
            values = self.values
            return values, np.full(values.shape[1:], self.noise.sigma, float)
        table = self.table
        sigma = np.zeros(table.shape[1])
        sigma[list(self.noisy)] = self.sigma
        return numbers(table).astype(float, copy=False), sigma


def numbers(table):
    """Return a narwhals frame of numbers as an array, with NaN for what is missing."""
    array = table.to_numpy()
    if array.dtype == object:  # pandas' NA among floats of pyarrow
        null = [table[:, j].is_null().to_numpy() for j in range(table.shape[1])]
        array = np.where(np.column_stack(null), np.nan, array).astype(float)
    return array


def _as_floats(codes):
    """Return codes of categories as floats, NaN where they are missing."""
    return np.where(codes == MISSING, np.nan, codes)


def _rounded(values, dtype):
    """Return noisy values of a column of counts, as whole numbers.

    Of its dtype, in the range of that; as floats, if others of them are missing. That
    is done to what has its noise already, so it is a part of the classifier.
    """
    if not dtype.is_integer():
        return np.rint(values)
    kind = np.dtype(str(dtype).lower())
    low, high = np.iinfo(kind).min, np.iinfo(kind).max
    if high > 2**53:  # the largest float that is not above it
        high = np.nextafter(float(high), 0)
    return np.clip(np.rint(values.astype(float)), low, high).astype(kind)


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
