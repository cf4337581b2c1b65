"""Noisy copies of an input, from numbers that NumPy draws in double precision."""

import numpy as np

from ._streams import overflow

# Numbers that stay in cache while they are worked on.
_CACHED = 2**13


def noisy_copies(x, scale, draw, out):
    """Fill `out` with x + scale * noise; see ``BoundNoise.copies``.

    Noise is rounded to the dtype of `out` before x is added, as it is where several
    inputs share it.

    Parameters
    ----------
    x : ndarray of shape `shape`

    scale : float or ndarray that broadcasts to `shape`

    draw : callable
        Fills a C-contiguous float64 array of shape (n, *shape) with noise of scale 1.
        What it draws for n copies is what it draws for them one after another.

    out : C-contiguous ndarray of shape (n_copies, *shape), float32 or float64
        Overwritten.

    Raises
    ------
    ValueError
        If a noisy copy is too large for its dtype.
    """
    x = np.asarray(x, out.dtype)
    try:
        with np.errstate(over="raise"):
            for part, noise in _drawn(draw, out):
                np.multiply(noise, scale, out=part, casting="same_kind")
                part += x
    except FloatingPointError:
        raise overflow(out.dtype) from None


def noisy_copies_on_grid(x, scale, step, draw, out):
    """Fill `out` with x + scale * noise, where both are rounded to a grid.

    Parameters
    ----------
    x : ndarray of shape `shape`
        On the grid; ``check_range`` has been called.

    step : float or ndarray that broadcasts to `shape`
        Powers of two.

    scale, draw, out
        As in ``noisy_copies``.
    """
    # Whole numbers below 2^53: adding and scaling them is exact.
    place = x.astype(float) / step
    for part, steps in _drawn(draw, out):
        steps *= scale / step
        np.rint(steps, out=steps)
        steps += place
        np.multiply(steps, step, out=part, casting="same_kind")


def _drawn(draw, out):
    """Yield parts of `out`, in order, with as much noise in double precision."""
    shape = out.shape[1:]
    rows = max(1, _CACHED // max(1, int(np.prod(shape))))
    buffer = np.empty((min(rows, len(out)), *shape))
    for start in range(0, len(out), rows):
        part = out[start : start + rows]
        noise = buffer[: len(part)]
        draw(noise)
        yield part, noise
