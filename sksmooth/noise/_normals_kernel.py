"""NumPy's standard normals from SFC64, compiled into one loop: the same numbers.

NumPy calls a function for the bits of every normal. Compiled together, drawing the
bits (SFC64), turning them into a normal (a ziggurat, whose tables ``_ziggurat`` has)
and adding the normal to an input take a third of the time. Imports numba.

`votes.voters._linear_kernel` compiles `doubles` in, and numba's cache of it does not
see changes here: after a change, empty __pycache__ there.
"""

import math

import numba
import numpy as np

_COUNTER, _HALF_IS_LEFT, _HALF = 3, 4, 5  # after the three words of SFC64's state

_ONE = np.uint64(1)
_8, _9, _11, _17 = np.uint64(8), np.uint64(9), np.uint64(11), np.uint64(17)
_24, _32, _40 = np.uint64(24), np.uint64(32), np.uint64(40)
_3, _STRIP, _SIGNED_STRIP = np.uint64(3), np.uint64(255), np.uint64(511)
_52_BITS, _32_BITS = np.uint64(2**52 - 1), np.uint64(2**32 - 1)
_23_BITS = np.uint64(2**23 - 1)


@numba.njit(inline="always")
def _next(a, b, c, n):
    """Return the next 64 bits of SFC64, and its state after them."""
    bits = a + b + n
    return (
        bits,
        b ^ (b >> _11),
        c + (c << _3),
        ((c << _24) | (c >> _40)) + bits,
        n + _ONE,
    )


@numba.njit(inline="always")
def _next_half(a, b, c, n, is_left, half):
    """Return the next 32 bits: of every 64 the lower half first."""
    if is_left:
        return half, a, b, c, n, False, half
    bits, a, b, c, n = _next(a, b, c, n)
    return bits & _32_BITS, a, b, c, n, True, bits >> _32


@numba.njit(nogil=True)
def _unusual_double(bits, z, height, edge, a, b, c, n):
    """Decide on a point that is not inside its strip: (accepted, normal, state)."""
    strip, unit = bits & _STRIP, 1.0 / 2**53
    more, a, b, c, n = _next(a, b, c, n)
    if strip > 0:
        left = (height[strip - 1] - height[strip]) * ((more >> _11) * unit)
        return left + height[strip] < math.exp(-0.5 * z * z), z, a, b, c, n
    while True:
        beyond = -edge[1] * math.log1p(-((more >> _11) * unit))
        more, a, b, c, n = _next(a, b, c, n)
        drop = -math.log1p(-((more >> _11) * unit))
        if drop + drop > beyond * beyond:
            z = edge[0] + beyond
            return True, -z if (bits >> _17) & _ONE else z, a, b, c, n
        more, a, b, c, n = _next(a, b, c, n)


@numba.njit(nogil=True)
def _unusual_float(bits, z, height, edge, a, b, c, n, is_left, half):
    """Do what ``_unusual_double`` does, in single precision."""
    strip, unit = bits & _STRIP, np.float32(1.0 / 2**24)
    more, a, b, c, n, is_left, half = _next_half(a, b, c, n, is_left, half)
    if strip > 0:
        left = (height[strip - 1] - height[strip]) * (np.float32(more >> _8) * unit)
        accepted = left + height[strip] < math.exp(-0.5 * z * z)
        return accepted, z, a, b, c, n, is_left, half
    while True:
        beyond = -edge[1] * math.log1p(-(np.float32(more >> _8) * unit))
        more, a, b, c, n, is_left, half = _next_half(a, b, c, n, is_left, half)
        drop = -math.log1p(-(np.float32(more >> _8) * unit))
        if drop + drop > beyond * beyond:
            z = edge[0] + beyond
            z = -z if (bits >> _17) & _ONE else z
            return True, z, a, b, c, n, is_left, half
        more, a, b, c, n, is_left, half = _next_half(a, b, c, n, is_left, half)


@numba.njit(nogil=True, cache=True)
def doubles(state, tables, level, x, step, out):
    """Fill `out` with normals, or with noisy copies of `x`.

    Parameters
    ----------
    state : ndarray of uint64 of shape (6,)
        Of SFC64: three words and a counter; whether half of a word is left, and which.
        Moved on.

    tables : (width, inside, height, edge)
        See ``_ziggurat.tables``.

    level : ndarray of shape (n_features,), or None
        What to multiply the normals with; None: no copies, `x` is not looked at.

    x : ndarray of shape (n_features,)
        What to add.

    step : ndarray of shape (n_features,), or None
        Round the noise to whole numbers, and multiply the sum by this.

    out : ndarray of shape (n_copies, n_features)

    Returns
    -------
    finite : bool
        False if a copy is too large for its dtype.
    """
    width, inside, height, edge = tables
    a, b, c, n = state[0], state[1], state[2], state[_COUNTER]
    finite = True
    for i in range(out.shape[0]):
        for j in range(out.shape[1]):
            while True:
                bits, a, b, c, n = _next(a, b, c, n)
                strip, place = bits & _STRIP, (bits >> _9) & _52_BITS
                z = np.int64(place) * width[bits & _SIGNED_STRIP]
                if place < inside[strip]:
                    break
                accepted, z, a, b, c, n = _unusual_double(
                    bits, z, height, edge, a, b, c, n
                )
                if accepted:
                    break
            if level is None:
                out[i, j] = z
            elif step is not None:
                out[i, j] = (np.rint(z * level[j]) + x[j]) * step[j]
            else:
                out[i, j] = z
        if level is not None and step is None:
            for j in range(out.shape[1]):
                z = out[i, j] * level[j] + x[j]
                finite &= abs(z) != np.inf  # NaN is a missing value
                out[i, j] = z
    state[0], state[1], state[2], state[_COUNTER] = a, b, c, n
    return finite


@numba.njit(nogil=True, cache=True)
def floats(state, tables, level, x, step, out):
    """Do what ``doubles`` does, in single precision and without a `step`.

    `level` may be in double precision, and is then not rounded.
    """
    width, inside, height, edge = tables
    a, b, c, n = state[0], state[1], state[2], state[_COUNTER]
    is_left, half = state[_HALF_IS_LEFT] > 0, state[_HALF]
    finite = True
    for i in range(out.shape[0]):
        for j in range(out.shape[1]):
            while True:
                bits, a, b, c, n, is_left, half = _next_half(a, b, c, n, is_left, half)
                strip, place = bits & _STRIP, (bits >> _9) & _23_BITS
                z = np.float32(np.int64(place)) * width[bits & _SIGNED_STRIP]
                if place < inside[strip]:
                    break
                accepted, z, a, b, c, n, is_left, half = _unusual_float(
                    bits, z, height, edge, a, b, c, n, is_left, half
                )
                if accepted:
                    break
            out[i, j] = z
        if level is not None:
            for j in range(out.shape[1]):
                z = np.float32(out[i, j] * level[j]) + x[j]
                finite &= abs(z) != np.inf  # NaN is a missing value
                out[i, j] = z
    state[0], state[1], state[2], state[_COUNTER] = a, b, c, n
    state[_HALF_IS_LEFT], state[_HALF] = is_left, half
    return finite


@numba.njit(nogil=True, cache=True)
def many_doubles(states, tables, sizes, out):
    """Fill some rows of `out` with normals from each of many streams.

    Parameters
    ----------
    states : ndarray of uint64 of shape (n_streams, 6)
        Moved on.

    tables
        As for ``doubles``.

    sizes : ndarray of int of shape (n_streams,)
        Rows for each of them.

    out : ndarray of shape (sizes.sum(), n_features)
    """
    stop = 0
    for i in range(len(sizes)):
        start, stop = stop, stop + sizes[i]
        doubles(states[i], tables, None, None, None, out[start:stop])


@numba.njit(nogil=True, cache=True)
def many_floats(states, tables, sizes, out):
    """Do what ``many_doubles`` does, in single precision."""
    stop = 0
    for i in range(len(sizes)):
        start, stop = stop, stop + sizes[i]
        floats(states[i], tables, None, None, None, out[start:stop])
