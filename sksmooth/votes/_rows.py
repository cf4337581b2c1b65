"""The rows of X, split into what receives noise and what stays as it is."""

from dataclasses import dataclass, replace
from functools import cached_property
from itertools import repeat
from typing import Any

import narwhals as nw
import numpy as np

from ..noise import BoundNoise, Gaussian
from ..noise._grid import (
    check_range,
    grid_step,
    round_to_grid,
    rounding_loss,
)
from ..noise._sigma import check_sigma, sigma_by_column
from ._cells import row_contents

_GAUSSIAN = Gaussian()

# Rows are rounded to a grid in chunks of about this much memory.
_CHUNK_BYTES = 2**24

# Integers up to this are the same number in float32 and in float64.
_LARGEST_EXACT = 2.0**24


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

    taken : ndarray of int of shape (n_inputs,) or None
        Where these rows stand in the user's X, for error messages; None if X is whole.
    """

    values: np.ndarray
    noise: BoundNoise
    frame: Any = None
    noisy: tuple = ()
    taken: np.ndarray | None = None

    @classmethod
    def from_array(cls, X, sigma, kind=_GAUSSIAN):
        """Take an array of shape (n_inputs, *shape) and sigma, scalar or broadcastable.

        Raises
        ------
        ValueError
            If sigma does not broadcast against one input, is negative or not finite.
        """
        values = np.ascontiguousarray(X)
        return cls(values, kind.bind(check_sigma(sigma, values.shape[1:])))

    @classmethod
    def from_frame(cls, frame, sigma, kind=_GAUSSIAN):
        """Take a data frame and sigma: scalar, one value per column, or by its name.

        Raises
        ------
        ValueError
            As `from_array`, and if a column with sigma > 0 is not floating-point.
        """
        table = nw.from_native(frame, eager_only=True)
        sigma = sigma_by_column(sigma, table.columns)
        sigma = check_sigma(sigma, (table.shape[1],))
        noisy = np.broadcast_to(np.asarray(sigma) > 0, (table.shape[1],))
        dtypes = table.schema.dtypes()
        wrong = [
            f"{table.columns[place]!r} ({dtypes[place]})"
            for place in np.flatnonzero(noisy)
            if not dtypes[place].is_float()
        ]
        if wrong:
            raise ValueError(
                "noise needs floating-point columns, but these are not: "
                f"{', '.join(wrong[:5])}{' ...' if len(wrong) > 5 else ''}. Either "
                "declare them out of the adversary's reach with a sigma of 0 (sigma "
                "then is an array with one value per column, or a dict from their "
                "names), or, if noise on them makes sense, cast them to float."
            )
        places = np.flatnonzero(noisy).tolist()
        if places:
            values = np.ascontiguousarray(numbers(table[:, places]))
        else:  # some libraries would forget how many rows there are
            values = np.empty((len(table), 0))
        if values.dtype not in (np.float32, np.float64):
            values = values.astype(np.float64)
        sigma = sigma if np.ndim(sigma) == 0 else sigma[noisy]
        return cls(values, kind.bind(sigma), frame, tuple(places))

    def __len__(self):
        return len(self.values)

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
    def level(self):
        """Noise level of one whole input: a float, or an array of its shape."""
        if self.frame is None or np.ndim(self.sigma) == 0:
            return self.sigma
        level = np.zeros(self.table.shape[1])
        level[list(self.noisy)] = self.sigma
        return level

    @property
    def table(self):
        """The frame behind narwhals, or None."""
        if self.frame is None:
            return None
        return nw.from_native(self.frame, eager_only=True)

    @cached_property
    def has_gaps(self):
        """Is any of `values` missing?"""
        return bool(np.isnan(self.values.min(initial=0)))

    @cached_property
    def _nulls(self):
        """Which noisy columns have nulls beside NaN, by their places: where they do.

        With pandas all those that may have some, so that the dtype of a copy does not
        depend on the rows.
        """
        found = {place: self._null_in(place) for place in self.noisy}
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
        return np.arange(len(self.values)) if self.taken is None else self.taken

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
                f"grid={grid!r} needs noise that is rounded to a grid, and "
                f"{type(self.noise.kind).__name__} does not say that it is "
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
        return {np.dtype(str(dtypes[place]).lower()) for place in self.noisy}

    def contents(self):
        """Yield, row by row, the bytes that key the noise of that row.

        Equal rows have equal bytes, whatever the memory layout of X. Nulls are not
        equal to NaN: the base classifier may tell them apart.
        """
        gaps, null, others = self.has_gaps, None, repeat(b"", len(self.values))
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
        if self.frame is None:
            return values
        table = self.table
        names, dtypes = table.columns, table.schema.dtypes()
        backend = table.implementation
        all_noisy = len(self.noisy) == len(names) and len(set(dtypes)) == 1
        if all_noisy and not self._nulls and all(isinstance(n, str) for n in names):
            return nw.from_numpy(values, schema=names, backend=backend).to_native()
        # With a repeated index pandas would refuse the assignment.
        copies = nw.maybe_reset_index(table[rows])
        noise = []
        for k, (place, column) in enumerate(zip(self.noisy, values.T, strict=True)):
            there = slice(None)
            if place in self._nulls:  # the copy has the right kind of gap already
                there = np.flatnonzero(~np.isnan(self.values[rows, k]))
            column = nw.new_series(
                names[place], column[there], dtypes[place], backend=backend
            )
            if place in self._nulls:
                column = copies[:, place].scatter(there, column)
            noise.append(column)
        return copies.with_columns(*noise).to_native()

    @cached_property
    def is_plain_matrix(self):
        """Is what ``assemble`` returns a matrix of numbers, perhaps under names?

        Then ``as_matrix`` returns the same numbers. Not so where gaps are no NaN, where
        copies of columns are rounded to another dtype than that of `values`, or where
        an integer is too large to be a float.
        """
        if self.values.ndim != 2 or self.frame is None:
            return self.values.ndim == 2
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
        if self.frame is None or not self._others:
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

    def matrix(self):
        """Return (X, sigma) with every column as a number, or None if that fails.

        X is a 2-D float array (NaN where a value is missing), sigma the noise level of
        each of its columns. This is
        for short cuts that never make a noisy copy. On a grid there are none: f is
        what `predict` computes for each point of it, rounding included.
        """
        values, noise = self.values, self.noise
        if values.ndim != 2 or noise.step is not None:
            return None
        if self.frame is None:
            sigma = np.broadcast_to(noise.sigma, values.shape[1:]).astype(float)
            return values, sigma
        table = self.table
        if not all(dtype.is_numeric() for dtype in table.schema.dtypes()):
            return None
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
