"""The only source of random numbers: one stream of standard normals for each input.

A stream is keyed by what the row holds, not by where it stands, so an input gets the
same noise for any batch size, row order, subset or process, and different inputs get
independent noise. (Shared noise has one key for all inputs.) Streams are consumed in
order and never re-read.
"""

from hashlib import blake2b

import numpy as np

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


def add_noise(x, noise, out):
    """Write x + noise to `out`; raise a ValueError if that is too large for it."""
    try:
        with np.errstate(over="raise"):
            np.add(noise, x, out=out)
    except FloatingPointError:
        raise overflow(out.dtype) from None


def overflow(dtype):
    """Return the error that says that a noisy copy is too large."""
    return ValueError(f"x + noise overflows {dtype}: scale X (and sigma) down.")
