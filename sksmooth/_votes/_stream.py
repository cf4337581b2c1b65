"""Streams of standard normals: by NumPy, or the same numbers by compiled code.

What a stream draws does not depend on which of the two does it, so the compiled code
may take over at any time: as soon as noise is worth loading it, or numba is loaded
anyway.
"""

import warnings
from functools import cache

import numpy as np

from ._compiled import module_if_worth
from ._ziggurat import DIFFERENT, tables

# Numbers that stay in the first-level cache while they are worked on.
_CACHED = 2**12

# Enough of them for some hundred from outside of the strips, and some from the tail.
_CHECKED = 2**15

_KINDS = {np.dtype(np.float32): "floats", np.dtype(np.float64): "doubles"}


class Stream:
    """Standard normals of ``numpy.random.SFC64(seed)``, in order.

    Parameters
    ----------
    seed : int
    """

    def __init__(self, seed):
        self._bits = np.random.SFC64(seed)
        self._generator = np.random.Generator(self._bits)
        self._state = None  # once compiled code draws

    def standard_normal(self, out):
        """Fill `out`, a C-contiguous array of float32 or float64, with normals."""
        if not self._is_compiled(out.size):
            self._generator.standard_normal(dtype=out.dtype, out=out)
            return
        fill, ziggurat = _kernel(self._module, out.dtype)
        fill(self._state, ziggurat, None, None, None, out.reshape(1, -1))

    def noisy_copies(self, x, sigma, out):
        """Fill `out` with copies of `x`, each with its own N(0, sigma^2) noise.

        Parameters
        ----------
        x : ndarray of shape `shape`

        sigma : float or ndarray that broadcasts to `shape`
            A number is rounded to the dtype of the copies.

        out : C-contiguous ndarray of shape (n_copies, *shape), float32 or float64
            Overwritten.

        Returns
        -------
        finite : bool
            False if a copy is too large for its dtype.
        """
        x = np.ascontiguousarray(x, out.dtype)
        level = np.asarray(sigma)
        if level.ndim == 0:
            level = level.astype(out.dtype)
        if not self._is_compiled(out.size):
            self._generator.standard_normal(dtype=out.dtype, out=out)
            try:
                with np.errstate(over="raise"):
                    out *= level
                    out += x
            except FloatingPointError:
                return False
            return True
        fill, ziggurat = _kernel(self._module, out.dtype)
        level = np.broadcast_to(level, x.shape).ravel()
        flat = out.reshape(len(out), -1)
        return fill(self._state, ziggurat, level, x.ravel(), None, flat)

    def noisy_copies_on_grid(self, place, scale, step, out):
        """Fill `out` with (place + scale * normals, rounded to whole numbers) * step.

        In double precision, before it is rounded to the dtype of `out`.

        Parameters
        ----------
        place : float64 ndarray of shape `shape`
            Whole numbers.

        scale, step : float or ndarray that broadcasts to `shape`

        out : C-contiguous ndarray of shape (n_copies, *shape), float32 or float64
            Overwritten.
        """
        if self._is_compiled(out.size):
            fill, ziggurat = _kernel(self._module, np.dtype(float))
            flat = [
                np.broadcast_to(np.asarray(part, float), place.shape).ravel()
                for part in (scale, place, step)
            ]
            fill(self._state, ziggurat, *flat, out.reshape(len(out), -1))
            return
        rows = max(1, _CACHED // max(1, place.size))
        buffer = np.empty((min(rows, len(out)), *place.shape))
        for start in range(0, len(out), rows):
            part = out[start : start + rows]
            steps = buffer[: len(part)]
            self._generator.standard_normal(out=steps)
            steps *= scale
            np.rint(steps, out=steps)
            steps += place
            np.multiply(steps, step, out=part, casting="same_kind")

    def _is_compiled(self, n_normals):
        """Say who draws the next normals, which may be handed over here."""
        if self._state is None:
            module = module_if_worth("_stream_kernel", n_normals)
            if module is None or _kernel(module, np.dtype(float)) is None:
                return False
            self._state, self._module = _words(self._bits.state), module
        return True


@cache
def _kernel(module, dtype):
    """Return the compiled function and the tables for a dtype, or None."""
    fill = getattr(module, _KINDS[dtype])
    try:
        ziggurat = tables(dtype)
        _check(fill, ziggurat, dtype)
    except RuntimeError as error:
        warnings.warn(
            f"{error}; it makes the noise itself then, which is slower.",
            RuntimeWarning,
            stacklevel=2,
        )
        return None
    return fill, ziggurat


def _check(fill, ziggurat, dtype):
    """Raise a RuntimeError unless compiled code draws what NumPy does."""
    bits = np.random.SFC64(0)
    state, got = _words(bits.state), np.empty((1, _CHECKED), dtype)
    fill(state, ziggurat, None, None, None, got)
    if not np.array_equal(
        got[0], np.random.Generator(bits).standard_normal(_CHECKED, dtype)
    ):
        raise RuntimeError(DIFFERENT)


def _words(state):
    """Return the state of SFC64 as the compiled code takes it."""
    half = state["has_uint32"], state["uinteger"]
    return np.array([*state["state"]["state"].tolist(), *half], np.uint64)
