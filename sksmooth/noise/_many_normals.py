"""Streams of standard normals for many inputs at once: an array of their states.

The numbers are those of ``_normals.Stream``. One row of the array is a stream: where
SFC64 stands, as ``_normals`` hands it to compiled code. So no object is made for an
input that needs a few votes.
"""

import numpy as np

from ._normals import kernels_for, words

# 32 bits each, in a key.
_WORDS = 8

# Normals that NumPy draws while it is taken from one stream to another.
_A_STREAM = 1000

# Seeding fewer streams than this all together takes longer than one after the other.
_FEW = 12

# Of NumPy's SeedSequence, by M. O'Neill's seed_seq_fe: each word that is hashed, and
# each that is handed out, moves the constant on.
_POOL = 4
_HASH, _HASH_STEP = 0x43B0D7E5, 0x931E8875
_OUT, _OUT_STEP = 0x8B51F9DD, 0x58F38DED
_MIX_LEFT, _MIX_RIGHT = np.uint32(0xCA01F9DD), np.uint32(0x4973F715)
_HALF = np.uint32(16)

# Steps of SFC64 between its seed and its first number.
_STEPS = 12


def open_streams(keys):
    """Return the streams of standard normals that keys stand for.

    Parameters
    ----------
    keys : list of bytes
        32 bytes each, see ``stream_key``.

    Returns
    -------
    streams : ndarray of uint64 of shape (n_keys, 6)
        A row is what ``open_stream`` is of a key.
    """
    streams = np.zeros((len(keys), 6), np.uint64)
    alone = range(len(keys))
    if len(keys) >= _FEW:
        seeds = np.frombuffer(b"".join(keys), "<u4").reshape(-1, _WORDS)
        streams[:, :4] = _started(_seed_words(seeds.T)).T
        # A seed is a number: a word that is 0 at its end is no part of it.
        alone = np.flatnonzero(seeds[:, -1] == 0)
    for row in alone:
        seed = int.from_bytes(keys[row], "little")
        streams[row] = words(np.random.SFC64(seed).state)
    return streams


def standard_normals(streams, sizes, out):
    """Fill `out` with normals, some rows of it from each stream.

    Parameters
    ----------
    streams : ndarray of uint64 of shape (n_streams, 6)
        From ``open_streams``; moved on.

    sizes : ndarray of int of shape (n_streams,)
        Rows of `out` for each of them.

    out : C-contiguous ndarray of shape (sizes.sum(), n_features), float32 or float64
        Overwritten.
    """
    kernels = _kernels_for(out.size, len(sizes))
    if kernels is not None:
        _, fill_many, ziggurat = kernels[out.dtype]
        fill_many(streams, ziggurat, sizes, out)
        return
    bits = np.random.SFC64(0)
    generator, state, stop = np.random.Generator(bits), bits.state, 0
    for stream, size in zip(streams, sizes.tolist(), strict=True):
        start, stop = stop, stop + size
        state["state"]["state"] = stream[:4]
        state["has_uint32"], state["uinteger"] = stream[4:].tolist()
        bits.state = state
        generator.standard_normal(dtype=out.dtype, out=out[start:stop])
        stream[:] = words(bits.state)


def compiled_tables(n_normals, n_streams, dtype):
    """Return the tables for ``_normals_kernel`` if it is worth it to draw by that.

    Parameters
    ----------
    n_normals, n_streams : int
        How many normals from how many streams.

    dtype : float32 or float64

    Returns
    -------
    tables : tuple of ndarray, or None
        None, too, if it does not draw what NumPy does.
    """
    kernels = _kernels_for(n_normals, n_streams)
    return None if kernels is None else kernels[np.dtype(dtype)][2]


def _kernels_for(n_normals, n_streams):
    return kernels_for(n_normals + _A_STREAM * n_streams)


def _seed_words(entropy):
    """Return what ``SeedSequence(seed).generate_state(3, np.uint64)`` does.

    Parameters
    ----------
    entropy : ndarray of uint32 of shape (n_words >= 4, n_seeds)

    Returns
    -------
    words : ndarray of uint64 of shape (3, n_seeds)
    """
    constants = _constants(_HASH, _HASH_STEP)

    def hashed(values, n):
        """Hash values with the next n constants: for each of n words its own."""
        moved = [next(constants) for _ in range(n)]
        before, after = np.array(moved, np.uint32).T[:, :, None]
        values = (values ^ before) * after
        return values ^ (values >> _HALF)

    def mix(x, y):
        mixed = x * _MIX_LEFT - y * _MIX_RIGHT
        return mixed ^ (mixed >> _HALF)

    pool = hashed(entropy[:_POOL], _POOL)
    for word in range(_POOL):
        others = [k for k in range(_POOL) if k != word]
        pool[others] = mix(pool[others], hashed(pool[word], _POOL - 1))
    for word in entropy[_POOL:]:
        pool = mix(pool, hashed(word, _POOL))
    constants = _constants(_OUT, _OUT_STEP)
    halves = hashed(pool[np.arange(6) % _POOL], 6).astype(np.uint64)
    return halves[::2] | halves[1::2] << np.uint64(32)


def _constants(first, step):
    """Yield what a word is combined with and what it is multiplied with, in turn."""
    while True:
        after = first * step % 2**32
        yield first, after
        first = after


def _started(seed):
    """Return the states of SFC64 at its first number, of shape (4, n_seeds)."""
    a, b, c = seed
    n = np.ones_like(a)
    for _ in range(_STEPS):
        total = a + b + n
        a, b = b ^ (b >> np.uint64(11)), c + (c << np.uint64(3))
        c = (c << np.uint64(24) | c >> np.uint64(40)) + total
        n += np.uint64(1)
    return np.stack([a, b, c, n])
