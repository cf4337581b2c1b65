"""Streams of standard normals: by NumPy, or the same numbers by compiled code.

What a stream draws does not depend on which of the two does it, so the compiled code
may take over at any time: as soon as there is enough noise to be worth loading it.
"""

import warnings
from functools import cache

import numpy as np

from .._compiled import module_if_worth
from ._ziggurat import in_the_tail, tables

# Numbers that stay in the first-level cache while they are worked on.
_CACHED = 2**12

# Normals that are compared before compiled code draws any, and streams that begin in
# the tail: some hundreds from outside of the strips, and as many from the tail.
_CHECKED, _TAILS = 2**15, 200

# Normals that no code draws faster, as calling it takes longer.
_FEW = 2**10

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
        # Once compiled code draws:
        self._kernels = self._state = None

    def standard_normal(self, out):
        """Fill `out`, a C-contiguous array of float32 or float64, with normals."""
        kernels = self._compiled(out)
        if kernels is None:
            self._generator.standard_normal(dtype=out.dtype, out=out)
            return
        fill, _, ziggurat = kernels[out.dtype]
        fill(self._state, ziggurat, None, None, None, out.reshape(1, -1))

    def noisy_copies(self, x, sigma, out):
        """Fill `out` with copies of `x`, each with its own N(0, sigma^2) noise.

        Parameters
        ----------
        x : ndarray of shape `shape`

        sigma : float or ndarray that broadcasts to `shape`
            Normals are multiplied with sigma as it is, in double precision where it
            is no number of the dtype of the copies: radii are multiples of it.

        out : C-contiguous ndarray of shape (n_copies, *shape), float32 or float64
            Overwritten.

        Returns
        -------
        finite : bool
            False if a copy is too large for its dtype.
        """
        x, level = np.array(x, out.dtype), level_for(sigma, out.dtype)
        kernels = self._compiled(out)
        if kernels is None:
            self._generator.standard_normal(dtype=out.dtype, out=out)
            try:
                with np.errstate(over="raise"):
                    precise = np.result_type(level, out)
                    np.multiply(out, level, out=out, dtype=precise, casting="same_kind")
                    out += x
            except FloatingPointError:
                return False
            return True
        fill, _, ziggurat = kernels[out.dtype]
        parts = _flat(level, x), x.ravel(), None
        return fill(self._state, ziggurat, *parts, out.reshape(-1, x.size))

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
        kernels = self._compiled(out)
        if kernels is not None:
            fill, _, ziggurat = kernels[np.dtype(float)]
            parts = _flat(scale, place), _flat(place, place), _flat(step, place)
            fill(self._state, ziggurat, *parts, out.reshape(-1, place.size))
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

    def _compiled(self, out):
        """Return the compiled functions if they fill `out`; hand over to them."""
        if not out.flags.c_contiguous:
            raise ValueError("noise is written to C-contiguous arrays only")
        if self._kernels is None:
            kernels = kernels_for(out.size)
            if kernels is not None:
                self._state, self._kernels = words(self._bits.state), kernels
        return self._kernels if out.size else None


def open_stream(key):
    """Return the stream of standard normals that a key stands for.

    Parameters
    ----------
    key : bytes
        See ``stream_key``.

    Returns
    -------
    stream : Stream
    """
    return Stream(int.from_bytes(key, "little"))


def level_for(sigma, dtype):
    """Return sigma as an array: of `dtype` if that holds it exactly, else of float64.

    Parameters
    ----------
    sigma : float or ndarray of float

    dtype : floating-point dtype

    Returns
    -------
    level : ndarray of at least one dimension
    """
    # Not 0-d: its dtype would not count.
    sigma = np.atleast_1d(np.asarray(sigma, float))
    with np.errstate(over="ignore", under="ignore"):
        level = sigma.astype(dtype)
    return level if np.array_equal(level, sigma) else sigma


def _flat(values, x):
    """Return one number for each feature of x: contiguous, and of its own."""
    return np.array(np.broadcast_to(values, x.shape)).ravel()


def kernels_for(size):
    """Return the compiled functions if it is worth it to draw `size` numbers by them.

    Returns
    -------
    kernels : dict of dtype to (for a stream, for many streams, tables), or None
    """
    if size < _FEW:
        return None
    module = module_if_worth("noise._normals_kernel", size)
    return None if module is None else _checked(module)


@cache
def _checked(module):
    """Return the compiled functions by dtype; None if they differ from NumPy."""
    try:
        kernels = {}
        for dtype, name in _KINDS.items():
            fill, ziggurat = getattr(module, name), tables(dtype)
            _check(fill, ziggurat, dtype)
            kernels[dtype] = fill, getattr(module, f"many_{name}"), ziggurat
    except Exception as error:  # of any kind: another NumPy, or another numba
        warnings.warn(
            f"noise cannot be drawn by compiled code ({type(error).__name__}: "
            f"{error}); NumPy draws it, which is slower.",
            RuntimeWarning,
            stacklevel=2,
        )
        return None
    return kernels


def _check(fill, ziggurat, dtype):
    """Raise a RuntimeError unless compiled code draws what NumPy does."""
    streams = [np.random.SFC64(0)]
    # Some that begin in the tail, which is rare otherwise.
    streams += [in_the_tail(dtype, seed) for seed in range(_TAILS)]
    for bits, size in zip(streams, [_CHECKED] + [4] * _TAILS, strict=True):
        state, got = words(bits.state), np.empty((1, size), dtype)
        fill(state, ziggurat, None, None, None, got)
        expected = np.random.Generator(bits).standard_normal(size, dtype)
        if not np.array_equal(got[0], expected):
            raise RuntimeError(
                f"NumPy {np.__version__} draws normals in a way that sksmooth does not "
                "know"
            )


def words(state):
    """Return the state of SFC64 as the compiled code takes it."""
    half = state["has_uint32"], state["uinteger"]
    return np.array([*state["state"]["state"].tolist(), *half], np.uint64)
