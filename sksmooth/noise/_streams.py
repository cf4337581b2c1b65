"""The only source of random numbers: one stream of standard normals for each input.

A stream is keyed by what the row holds, not by where it stands, so an input gets the
same noise for any batch size, row order, subset or process, and different inputs get
independent noise. (Shared noise has one key for all inputs.) Streams are consumed in
order and never re-read.
"""

from hashlib import blake2b

import numpy as np

from ._normals import open_stream as open_stream

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
    return stream_keys(entropy, (purpose,), [content])[purpose][0]


def stream_keys(entropy, purposes, contents):
    """Return the keys of many inputs for several purposes: a dict of lists of bytes.

    Parameters
    ----------
    entropy : int

    purposes : tuple of str

    contents : iterable of bytes
        What each row holds.
    """
    for purpose in purposes:
        if purpose not in PURPOSES:
            raise ValueError(f"purpose must be one of {PURPOSES}, got {purpose!r}.")
    started = {
        purpose: blake2b(
            key=entropy.to_bytes(16, "little"),
            person=purpose.encode(),
            digest_size=32,
        )
        for purpose in purposes
    }
    keys = {purpose: [] for purpose in purposes}
    for content in contents:
        for purpose, start in started.items():
            one = start.copy()
            one.update(content)
            keys[purpose].append(one.digest())
    return keys


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
