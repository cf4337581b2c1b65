"""Norms of perturbations, and what a ball of one says about balls of another."""

import numpy as np

NORMS = ("l1", "l2", "linf")

# What else radii may be measured in: it is no norm of a vector.
OTHER_MEASURES = ("edits",)

# One over the exponent of each norm.
_ORDER = {"l1": 1.0, "l2": 0.5, "linf": 0.0}

# More than the roundings of a root and a product.
_SLACK = 4 * np.finfo(float).eps


def known_norm(norm):
    """Raise a ValueError unless there is such a norm, or none is told."""
    if norm is not None and norm not in NORMS + OTHER_MEASURES:
        names = ", ".join(NORMS + OTHER_MEASURES)
        raise ValueError(f"norm must be one of {names}, got {norm!r}.")


def check_norm(norm, own):
    """Return the norm that is meant; None is the one that noise measures in by itself.

    Raises
    ------
    ValueError
        If there is no such norm.
    """
    if norm is None or norm == own:
        return own
    if own not in NORMS:
        raise ValueError(
            f"radii under this noise are numbers of {own}, which no other norm "
            f"measures: norm must be {own!r}, got {norm!r}."
        )
    if norm not in NORMS:
        raise ValueError(f"norm must be one of {', '.join(NORMS)}, got {norm!r}.")
    return norm


def told_norm(norm, own):
    """Do what ``check_norm`` does, but take no norm other than l2 for granted.

    Raises
    ------
    ValueError
        If there is no such norm; or if none is told, and `own` is not l2.
    """
    if norm is None and own != "l2":
        others = " or another of l1, l2 and linf" if own in NORMS else ""
        raise ValueError(
            f"radii under this noise are {own} radii, which must not be compared with "
            f"l2 radii by accident: say which norm you mean, norm={own!r}{others}."
        )
    return check_norm(norm, own)


def ball_inside(radius, norm, other, n_features):
    """Return the radius of the largest ball of another norm inside a ball.

    Parameters
    ----------
    radius : array-like of float
        Of the ball of `norm`.

    norm, other : {"l1", "l2", "linf"}

    n_features : int
        Features that may move.

    Returns
    -------
    radius : ndarray of float
        Rounded down.
    """
    radius, ratio = np.asarray(radius, float), _ratio(norm, other, n_features)
    return radius if ratio == 1 else radius / ratio * (1 - _SLACK)


def ball_around(radius, norm, other, n_features):
    """Return the radius of the ball of `norm` that just holds one of another norm.

    The inverse of ``ball_inside``, rounded up.
    """
    radius, ratio = np.asarray(radius, float), _ratio(norm, other, n_features)
    return radius if ratio == 1 else radius * ratio * (1 + _SLACK)


def _ratio(norm, other, n_features):
    """Return the most that `norm` of a vector can be, where `other` of it is 1."""
    return float(n_features) ** max(0.0, _ORDER[norm] - _ORDER[other])


def length(parts, norm):
    """Return the norm of each row of a 2-D array."""
    if norm == "l1":
        return np.sum(np.abs(parts), axis=1)
    return np.sqrt(np.sum(parts**2, axis=1))
