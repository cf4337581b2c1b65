"""The tables of the ziggurat by which NumPy makes standard normals.

The area under the bell curve is cut into 256 strips of the same area, the lowest with
the tail. Random bits choose a strip and a point on it; as long as it lies inside, which
almost all do, its abscissa is the normal. (Marsaglia & Tsang, "The Ziggurat Method for
Generating Random Variables", 2000.)

NumPy does not tell its tables, which were rounded in their own way. So they are read
off what its generator makes of chosen bits.
"""

import math

import numpy as np

_STRIPS = 256

DIFFERENT = f"NumPy {np.__version__} makes normals in another way than sksmooth knows"


def tables(dtype):
    """Return the tables of NumPy's ziggurat.

    Parameters
    ----------
    dtype : float32 or float64

    Returns
    -------
    width : ndarray of shape (512,)
        Of a strip, in steps of a point's place on it: there are 2^52 or 2^23. Once for
        normals above 0 and, negative, once for those below.

    inside : ndarray of uint64 of shape (256,)
        Places below it are under the curve whatever their height.

    height : ndarray of shape (256,)
        Of the curve at the outer edge of a strip; 1 for strip 0. These cannot be read
        off. Computed, one of them differs from NumPy's in its last bit (float64,
        strip 38), which matters for one normal in 10^18.

    edge : ndarray of shape (2,)
        Where the tail begins, and its inverse.
    """
    dtype = np.dtype(dtype)
    places = 2.0**52 if dtype == np.float64 else 2.0**23
    half = int(places) // 2
    strips = range(_STRIPS)
    # The middle of a strip is always accepted, and a power of two times the width.
    middle = np.array([_normal(k, half, dtype)[0] for k in strips], dtype)
    width = middle / dtype.type(half)
    edges = _edges()
    with np.errstate(invalid="ignore"):
        inside = np.append(edges[-1], edges[:-1]) / edges * places
    inside[1] = 0  # the top strip has nothing that surely is inside
    inside = inside.astype(np.int64)
    for k in strips:
        inside[k] = _first_outside(k, int(inside[k]), dtype)
    height = [1.0, *(math.exp(-0.5 * x * x) for x in edges[1:].tolist())]
    edge = np.array([edges[-1], 1 / edges[-1]], dtype)
    width = np.append(width, -width)
    return width, inside.astype(np.uint64), np.array(height, dtype), edge


def _edges():
    """Return where the strips end, in double precision; strip 0 as if it did."""
    half = 2**51
    return 2 * np.array([_normal(k, half, np.dtype(float))[0] for k in range(_STRIPS)])


def _first_outside(strip, guess, dtype):
    """Return the first place on a strip that takes more than one draw of bits."""
    for place in range(max(0, guess - 2), guess + 3):
        if _normal(strip, place, dtype)[1] > 1:
            return place
    raise RuntimeError(DIFFERENT)


def in_the_tail(dtype, seed):
    """Return a bit generator whose next normal is in the tail, in strip 0.

    Parameters
    ----------
    dtype : float32 or float64

    seed : int
        Of all that comes after the first bits.

    Returns
    -------
    bits : numpy.random.SFC64
    """
    rng = np.random.default_rng(seed)
    place = (2**52 if np.dtype(dtype) == np.float64 else 2**23) - 1 - seed
    words = rng.integers(0, 2**63, 3, dtype=np.uint64).tolist()
    return _with_next(seed % 2 << 8 | place << 9, np.dtype(dtype), words)


def _normal(strip, place, dtype):
    """Return NumPy's normal for chosen bits, and how many draws of bits it took."""
    bits = _with_next(strip | place << 9, dtype, (0, 0, 0))
    normal = np.random.Generator(bits).standard_normal(dtype=dtype)
    draws = int(bits.state["state"]["state"][3])
    return normal, draws + (dtype == np.float32)


def _with_next(chosen, dtype, words):
    """Return a bit generator whose next 64 or 32 bits are chosen."""
    bits = np.random.SFC64(0)
    state = bits.state
    # 64 bits are the sum of two words and the counter, which is 0. 32 bits are those
    # left from before, and then those of the next words.
    if dtype == np.float64:
        words = ((chosen - words[1]) % 2**64, *words[1:])
    else:
        state["has_uint32"], state["uinteger"] = 1, chosen
    state["state"]["state"][:] = (*words, 0)
    bits.state = state
    return bits
