"""The tables of the ziggurat by which NumPy makes standard normals.

The area under the bell curve is cut into 256 strips of the same area, the lowest with
the tail. Random bits choose a strip and a point on it; as long as it lies inside, which
almost all do, its abscissa is the normal. (Marsaglia & Tsang, "The Ziggurat Method for
Generating Random Variables", 2000.)

NumPy does not tell its tables; numba has a copy of them. Every name taken from there,
all of them private, is in this file.
"""

import numpy as np


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
        Of the curve at the outer edge of a strip; 1 for strip 0.

    edge : ndarray of shape (2,)
        Where the tail begins, and its inverse.
    """
    from numba.np.random import _constants as numpys

    if np.dtype(dtype) == np.float64:
        width, inside, height = numpys.wi_double, numpys.ki_double, numpys.fi_double
        edge = numpys.ziggurat_nor_r, numpys.ziggurat_nor_inv_r
    else:
        width, inside, height = numpys.wi_float, numpys.ki_float, numpys.fi_float
        edge = numpys.ziggurat_nor_r_f, numpys.ziggurat_nor_inv_r_f
    width = np.append(width, -width)
    return width, inside.astype(np.uint64), height, np.array(edge, dtype)


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
    is_double = np.dtype(dtype) == np.float64
    place = (2**52 if is_double else 2**23) - 1 - seed
    chosen = seed % 2 << 8 | place << 9
    words = np.random.default_rng(seed).integers(0, 2**63, 3, np.uint64).tolist()
    bits = np.random.SFC64(0)
    state = bits.state
    # 64 bits are the sum of two words and the counter, which is 0. 32 bits are those
    # left from before.
    if is_double:
        words[0] = (chosen - words[1]) % 2**64
    else:
        state["has_uint32"], state["uinteger"] = 1, chosen
    state["state"]["state"][:] = (*words, 0)
    bits.state = state
    return bits
