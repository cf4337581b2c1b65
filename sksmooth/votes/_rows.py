"""The rows of X, split into what receives noise and what stays as it is."""

from dataclasses import dataclass, replace
from functools import cached_property
from itertools import pairwise
from typing import Any, NamedTuple

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
from ..noise._sigma import check_sigma, sigma_of_numbers
from ..noise._with_flips import WithFlips

_GAUSSIAN = Gaussian()

# Rows are rounded to a grid in chunks of about this much memory.
_CHUNK_BYTES = 2**24


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
        What receives noise.

    noise : BoundNoise
        What `values` receive.

    categories : Categories or None
        Of the columns of which `values` holds codes.

    container : type or None
        Of the sparse matrix that `values` were, see ``as_dense``.

    taken : ndarray of int of shape (n_inputs,) or None
        Where these rows stand in the user's X, for error messages; None if X is whole.
    """

    values: np.ndarray
    noise: BoundNoise
    categories: Any = None
    container: type | None = None
    taken: np.ndarray | None = None

    # What data frames have, see FrameInputs.
    frame = table = None
    noisy = counts = ()

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
        values[:, places] = as_floats(flips.categories.encode(X))
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
        """Shape of one input."""
        return self.values.shape[1:]

    @property
    def row_bytes(self):
        """Size of one noisy copy, with what has no noise."""
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
        return self.sigma

    @cached_property
    def has_gaps(self):
        """Is any of `values` missing?"""
        if self.is_sparse:
            return False
        return bool(np.isnan(self.values.min(initial=0)))

    @property
    def origin(self):
        """Where these rows stand in the user's X."""
        return np.arange(len(self)) if self.taken is None else self.taken

    def take(self, rows):
        """Return the inputs in a slice of rows."""
        return replace(self, values=self.values[rows], taken=self.origin[rows])

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
        return self._with_values(values, noise), loss

    def _with_values(self, values, noise):
        return replace(self, values=values, noise=noise)

    def as_dtype(self, dtype):
        """Return the inputs with `values` of another floating-point dtype."""
        if self.grid is not None:
            check_range(self.values, self.noise, dtype)
        return replace(self, values=self.values.astype(dtype, copy=False))

    def _noisy_dtypes(self):
        """Return the dtypes in which the base classifier gets what has noise."""
        return {self.values.dtype}

    def contents(self):
        """Yield, row by row, the bytes that key the noise of that row.

        Equal rows have equal bytes, whatever the memory layout of X.
        """
        if self.is_sparse or self._has_flags:
            yield from self._flags()
            return
        for value in self.values:
            yield self._comparable(value).tobytes()

    def _comparable(self, value):
        """Return values of which equal ones have equal bytes."""
        value = value + 0.0  # -0.0 becomes 0.0
        if self.has_gaps:
            value[np.isnan(value)] = np.nan  # of all bit patterns the same one
        return value

    @property
    def _has_flags(self):
        """Are `values` zeros and ones that might be a sparse matrix as well?"""
        return self.noise.kind.takes_sparse and self.values.ndim == 2

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
        if self.categories is None:
            return values
        codes = as_codes(values[:, list(self.categories.places)])
        return self.categories.decode(codes, values)

    @property
    def is_plain_matrix(self):
        """Is what ``assemble`` returns a matrix of numbers, perhaps under names?

        Then ``as_matrix`` returns the same numbers.
        """
        if self.is_sparse or self.values.ndim != 2:
            return False
        return self.categories is None or self.categories.is_of_floats

    def as_matrix(self, values, rows):
        """Return the numbers of what ``assemble`` returns, as one array.

        For inputs that are a plain matrix; the parameters are those of ``assemble``.
        """
        return self.assemble(values, rows)

    @property
    def has_numbers(self):
        """Is an input a row of numbers to which noise is added, and nothing else?

        Depends on what kinds of columns there are, and not on what is in them.
        """
        if self.values.ndim != 2 or self.categories is not None:
            return False
        return not self.is_sparse and self.container is None

    def matrix(self):
        """Return (X, sigma) with every column as a number, or None if that fails.

        X is a 2-D float array (NaN where a value is missing), sigma the noise level of
        each of its columns. This is for short cuts that never make a noisy copy. On a
        grid there are none: f is what `predict` computes for each point of it, rounding
        included.
        """
        if self.noise.step is not None or not self.has_numbers:
            return None
        return self._numbers(), np.full(self.input_shape, self.level, float)

    def _numbers(self):
        """Return the inputs as a matrix, if they ``have_numbers``."""
        return self.values


def as_floats(codes):
    """Return codes of categories as floats, NaN where they are missing."""
    return np.where(codes == MISSING, np.nan, codes)


def as_codes(values):
    """Return floats, which may be NaN, as codes of categories."""
    return np.where(np.isnan(values), MISSING, values).astype(np.int64)
