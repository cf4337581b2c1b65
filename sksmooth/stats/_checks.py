"""Argument checks shared by the functions of counts."""

import numpy as np

# What bounds are verified for. Ten times as many votes would add 5 % to the largest
# radius, and take ten times as long.
MAX_VOTES = 10**9

# Of what is asked for, and of the parts into which looks, classes and inputs divide it.
_SMALLEST_LEVEL = 1e-15
_SMALLEST_PART = 1e-100


def _as_floats(value, name):
    try:
        return np.asarray(value, dtype=float)
    except (TypeError, ValueError):
        raise ValueError(
            f"{name} must be a number or an array of numbers, got {value!r}."
        ) from None


def check_part(value, name="alpha"):
    """Return `value` as ``check_level`` does, for what may be a part of a level."""
    return check_level(value, name, _SMALLEST_PART)


def check_level(value, name="alpha", smallest=_SMALLEST_LEVEL):
    """Return `value` as a float array after checking 0 < value < 1."""
    level = _as_floats(value, name)
    if not np.all((level > 0) & (level < 1)):
        raise ValueError(f"{name} must lie strictly between 0 and 1, got {value!r}.")
    if np.any(level < smallest):
        raise ValueError(
            f"{name} below {smallest:g} is beyond what bounds in double "
            f"precision are verified for, got {value!r}."
        )
    return level


def check_counts(value, name):
    """Return `value` as an int64 array after checking that it holds whole numbers."""
    counts = np.asarray(value)
    if counts.size == 0:
        return counts.astype(np.int64)
    if counts.dtype.kind not in "iuf":
        raise ValueError(f"{name} must hold whole numbers, got dtype {counts.dtype}.")
    whole = counts.dtype.kind != "f" or np.all(
        np.isfinite(counts) & (np.floor(counts) == counts)
    )
    if not whole:
        raise ValueError(f"{name} must hold whole numbers, got {value!r}.")
    if np.any(counts > 2.0**53):
        raise ValueError(f"{name} must be at most 2^53, got {value!r}.")
    if np.any(counts < 0):
        raise ValueError(f"{name} must not be negative, got {value!r}.")
    return counts.astype(np.int64)


def check_votes(n, name="n"):
    """Return `n`, a number of votes to draw, after checking that it can be drawn."""
    if n > MAX_VOTES:
        raise ValueError(
            f"{name} must be at most {MAX_VOTES:,}, got {n}: bounds are verified up to "
            "there, and so many votes for each input would hardly ever be counted. "
            "Ten times as many votes add about 5 % to the largest radius."
        )
    return n


def check_positive(value, name):
    """Return `value` as a float array after checking that it is finite and > 0."""
    array = _as_floats(value, name)
    if not np.all(np.isfinite(array) & (array > 0)):
        raise ValueError(f"{name} must be positive and finite, got {value!r}.")
    return array


def check_radius(value, name="radius"):
    """Return `value` as a float array after checking that it is finite and >= 0."""
    array = _as_floats(value, name)
    if not np.all(np.isfinite(array) & (array >= 0)):
        raise ValueError(
            f"{name} must be a finite number >= 0 (or an array of them), got {value!r}."
        )
    return array
