"""The only source of random numbers: one stream of standard normals for each input.

A stream is keyed by what the row holds, not by where it stands, so an input gets the
same noise for any batch size, row order, subset or process, and different inputs get
independent noise. (Shared noise has one key for all inputs.) Streams are consumed in
order and never re-read.
"""

from hashlib import blake2b

import numpy as np

from ._grid import noisy_copies_on_grid
from ._normals import Stream

PURPOSES = ("select", "estimate", "predict", "train")

# What keys the noise that all inputs share; no row has this content.
SHARED = b""


def stream_key(entropy, purpose, content):
    """Return the 32 bytes that seed the noise of one input.

    Parameters
    ----------
    entropy : int
        128 bits drawn once per fitted classifier.

    purpose : {"select", "estimate", "predict", "train"}
        Streams of different purposes are independent.

    content : bytes
        What the row holds (see ``Inputs.contents``).

    Returns
    -------
    key : bytes
    """
    if purpose not in PURPOSES:
        raise ValueError(f"purpose must be one of {PURPOSES}, got {purpose!r}.")
    return blake2b(
        content,
        key=entropy.to_bytes(16, "little"),
        person=purpose.encode(),
        digest_size=32,
    ).digest()


def open_stream(key):
    """Return the generator of standard normals that a key stands for.

    Parameters
    ----------
    key : bytes
        See ``stream_key``.

    Returns
    -------
    stream : Stream
    """
    return Stream(int.from_bytes(key, "little"))


def noisy_copies(x, sigma, stream, out, grid=None):
    """Fill `out` with copies of `x`, each with its own N(0, sigma^2) noise.

    Parameters
    ----------
    x : ndarray of shape `shape`
        One input. What is NaN is NaN in every copy.

    sigma : float or ndarray that broadcasts to `shape`
        Standard deviation of the noise; 0 leaves a feature untouched.

    stream : Stream
        Consumed by ``out.size`` standard normals.

    out : C-contiguous ndarray of shape (n_copies, *shape), float32 or float64
        Overwritten.

    grid : float or ndarray that broadcasts to `shape`, default=None
        Steps of the grid that `x` is on; the noise is then rounded to it, and the sum
        is exact. See ``Inputs.on_grid``.

    Raises
    ------
    ValueError
        If a noisy copy is too large for the dtype.
    """
    if grid is not None:
        return noisy_copies_on_grid(x, sigma, grid, stream, out)
    if not stream.noisy_copies(x, sigma, out):
        _raise_overflow(out.dtype)


def shared_noise(sigma, stream, out, grid=None):
    """Fill `out` with N(0, sigma^2) noise, to be added to several inputs.

    With ``add_noise`` equal to ``noisy_copies``.

    Parameters
    ----------
    sigma, stream, out, grid
        As in ``noisy_copies``.

    Raises
    ------
    ValueError
        If the noise is too large for the dtype.
    """
    # On a grid, what is added to it is there, too, so that sums are exact.
    noisy_copies(np.zeros(out.shape[1:], out.dtype), sigma, stream, out, grid)


def add_noise(x, noise, out):
    """Write x + noise to `out`; raise a ValueError if that is too large for it."""
    try:
        with np.errstate(over="raise"):
            np.add(noise, x, out=out)
    except FloatingPointError:
        _raise_overflow(out.dtype)


def _raise_overflow(dtype):
    raise ValueError(
        f"x + noise overflows {dtype}: scale X (and sigma) down."
    ) from None
