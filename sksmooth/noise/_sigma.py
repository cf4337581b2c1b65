"""The noise level as users give it: a number, an array, or a mapping from columns."""

from collections.abc import Mapping

import numpy as np

# The key of a mapping that stands for all columns which are not named.
OTHERS = "*"


def is_one_number(sigma):
    """Is sigma one noise level for all features? Radii are then multiples of it."""
    return not isinstance(sigma, Mapping) and np.ndim(sigma) == 0


def check_sigma(sigma, shape):
    """Return sigma as a float, or as a float array of exactly `shape`."""
    if isinstance(sigma, Mapping):
        raise ValueError(
            "sigma must be a number or an array of numbers where X has no column "
            f"names, got {sigma!r}: pass a data frame (to fit, too), or one value per "
            "feature."
        )
    try:
        level = np.asarray(sigma, dtype=float)
    except (TypeError, ValueError):
        level = None
    if level is None or not _are_numbers(sigma):
        raise ValueError(
            f"sigma must be a number or an array of numbers, got {sigma!r}."
        )
    if not np.all(np.isfinite(level) & (level >= 0)):
        raise ValueError(
            f"sigma must be finite and not negative, got {sigma!r}; 0 is allowed only "
            "inside an array, for features that the adversary cannot touch."
        )
    if level.ndim == 0:
        return float(level)
    try:
        return np.ascontiguousarray(np.broadcast_to(level, shape))
    except ValueError:
        raise ValueError(
            f"sigma of shape {level.shape} does not broadcast to one input of shape "
            f"{shape}: give a number, or one value per feature."
        ) from None


def check_some_noise(sigma):
    """Raise a ValueError if sigma is 0 everywhere."""
    level = sigma
    if isinstance(sigma, Mapping):
        level = [_number(name, value) for name, value in sigma.items()]
    if not np.any(check_sigma(level, np.shape(level))):
        raise ValueError(
            f"sigma must be positive (for at least one feature), got {sigma!r}: "
            "without noise there is nothing to smooth and nothing to certify."
        )


def sigma_by_column(sigma, columns):
    """Return a mapping from column to sigma as an array; anything else as it is.

    Parameters
    ----------
    sigma : float, array-like or mapping
        A mapping names every column of X, unless its key "*" stands for the others.

    columns : sequence
        Names of the columns of X, in order.

    Returns
    -------
    sigma : as given, or ndarray of float of shape (n_columns,)

    Raises
    ------
    ValueError
        If the mapping names what is no column, leaves out a column, or holds what is
        no noise level; if sigma is a Series whose labels are not the columns.
    """
    if not isinstance(sigma, Mapping):
        _check_order(sigma, columns)
        return sigma
    columns = list(columns)
    unknown = [name for name in sigma if name != OTHERS and name not in columns]
    if unknown:
        raise ValueError(
            f"sigma names {_listed(unknown)}, but X has no such column: its columns "
            f"are {_listed(columns)}."
        )
    missing = [name for name in columns if name not in sigma]
    if missing and OTHERS not in sigma:
        raise ValueError(
            f"sigma does not name the columns {_listed(missing)} of X. Name them, too, "
            "or give all other columns a value with the key '*': sigma={..., '*': 0} "
            "puts no noise on them, and the certificate then holds only while they do "
            "not change."
        )
    level = [_number(name, sigma.get(name, sigma.get(OTHERS))) for name in columns]
    return check_sigma(level, (len(columns),))


def sigma_of_numbers(sigma, n_columns, places, columns=None):
    """Return the noise level of each column where some are categories, which have 0.

    Parameters
    ----------
    sigma : float, array-like or mapping
        Need not name the categories. A number is that of all other columns, and so is
        what the key "*" stands for.

    n_columns : int

    places : sequence of int
        Of the categories.

    columns : sequence, default=None
        Names of the columns, if they have any.

    Returns
    -------
    sigma : ndarray of float of shape (n_columns,)

    Raises
    ------
    ValueError
        As ``sigma_by_column`` and ``check_sigma``; or if a category has noise.
    """
    if isinstance(sigma, Mapping) and columns is not None:
        sigma = {**{columns[place]: 0.0 for place in places}, **sigma}
    if columns is not None:
        sigma = sigma_by_column(sigma, columns)
    one = is_one_number(sigma)
    level = check_sigma(sigma, (n_columns,))
    level = np.full(n_columns, level) if one else level.copy()
    if one:
        level[list(places)] = 0.0
    wrong = [place for place in places if level[place] > 0]
    if wrong:
        names = wrong if columns is None else [columns[place] for place in wrong]
        raise ValueError(
            f"sigma is above 0 for the categorical columns {_listed(names)}, which are "
            "flipped and do not get noise like numbers. Give them a sigma of 0, or "
            "leave them out of categorical_features."
        )
    return level


def least_levels(sigma):
    """Return the levels of columns that are there whatever the columns are.

    Parameters
    ----------
    sigma : float, array-like or mapping

    Returns
    -------
    levels : ndarray of float
        Of a mapping those that are named; if no noise is on them, one of the others.
    """
    if not isinstance(sigma, Mapping):
        return np.asarray(sigma, dtype=float)
    levels = {name: _number(name, value) for name, value in sigma.items()}
    others = levels.pop(OTHERS, 0.0)
    named = list(levels.values())
    return np.array(named if any(named) else [others])


def _number(name, value):
    """Return the noise level of one column."""
    try:
        level = float(value) if np.ndim(value) == 0 and _are_numbers(value) else None
    except (TypeError, ValueError):
        level = None
    if level is None:
        raise ValueError(
            f"sigma must be a number for each column, got {name!r}: {value!r}."
        )
    if not 0 <= level < np.inf:
        raise ValueError(
            "sigma must be finite and not negative for each column, got "
            f"{name!r}: {value!r}; 0 is for columns that the adversary cannot touch."
        )
    return level


def _are_numbers(value):
    """Are these numbers, and neither texts of numbers nor truth values?"""
    array = np.asarray(value)
    if array.dtype == object:
        return not any(isinstance(x, (str, bytes, bool, np.bool_)) for x in array.flat)
    return array.dtype.kind in "iuf"


def _listed(names):
    """Return the first few names as text."""
    more = ", ..." if len(names) > 5 else ""
    return ", ".join(repr(name) for name in names[:5]) + more


def _check_order(sigma, columns):
    """Raise a ValueError if sigma is a Series whose labels are not the columns."""
    labels = getattr(sigma, "index", None)
    if labels is None or callable(labels):  # no pandas Series; a list has a method
        return
    counted = list(range(len(columns)))
    # Labels that only count the columns say nothing, unless columns are named so.
    says_nothing = list(labels) == counted and not set(columns) & set(counted)
    if list(labels) != list(columns) and not says_nothing:
        raise ValueError(
            f"sigma is labelled {list(labels)!r}, but the columns of X are "
            f"{list(columns)!r}: give it in their order, sigma.reindex(X.columns)."
        )
