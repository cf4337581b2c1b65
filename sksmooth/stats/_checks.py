"""Argument checks shared by the functions of counts."""

import numpy as np


def check_level(value, name="alpha"):
    """Return `value` as a float array after checking 0 < value < 1."""
    level = np.asarray(value, dtype=float)
    if not np.all((level > 0) & (level < 1)):
        raise ValueError(f"{name} must lie strictly between 0 and 1, got {value!r}.")
    return level


def check_counts(value, name):
    """Return `value` as an int64 array after checking that it holds whole numbers."""
    counts = np.asarray(value)
    if counts.size == 0:
        return counts.astype(np.int64)
    if counts.dtype.kind not in "iuf":
        raise ValueError(f"{name} must hold whole numbers, got dtype {counts.dtype}.")
    if not np.all(np.isfinite(counts)) or np.any(np.floor(counts) != counts):
        raise ValueError(f"{name} must hold whole numbers, got {value!r}.")
    if np.any(counts < 0):
        raise ValueError(f"{name} must not be negative, got {value!r}.")
    return counts.astype(np.int64)


def check_positive(value, name):
    """Return `value` as a float array after checking that it is finite and > 0."""
    array = np.asarray(value, dtype=float)
    if not np.all(np.isfinite(array) & (array > 0)):
        raise ValueError(f"{name} must be positive and finite, got {value!r}.")
    return array


def check_radius(value, name="radius"):
    """Return `value` as a float array after checking that it is finite and >= 0."""
    array = np.asarray(value, dtype=float)
    if not np.all(np.isfinite(array) & (array >= 0)):
        raise ValueError(
            f"{name} must be a finite number >= 0 (or an array of them), got {value!r}."
        )
    return array
