"""What statements say about columns: noise levels, names, lengths."""

import re
from decimal import ROUND_FLOOR, Context, Decimal

import numpy as np

from ._summary import round_down

# Columns that are named, and those whose noise level and lengths are told.
_MOST_NAMES, _MOST_LEVELS = 10, 20

# Radii for which lengths are told.
_MOST_RADII = 3

_THREE_DIGITS = Context(prec=3, rounding=ROUND_FLOOR)


def number(value):
    """Return a number as text, with as many digits as it takes to be that number."""
    short = f"{value:g}"
    return short if float(short) == value else repr(float(value))


def levels_by_column(entries):
    """Return noise levels under the names of columns, or None where they have none."""
    sigma = entries["sigma"]
    if isinstance(sigma, list) and not any(isinstance(one, list) for one in sigma):
        categories = {name for name, _ in entries.get("categories", ())}
        named = {f"column {place}": level for place, level in enumerate(sigma)}
        return {name: s for name, s in named.items() if name not in categories}
    if not isinstance(sigma, dict) or "array of shape" in sigma:
        return None
    return sigma


def out_of_reach(entries):
    """Return which columns have no noise, in words, or an empty text."""
    levels, sigma = levels_by_column(entries), entries["sigma"]
    if levels is not None:
        still = [quoted(name) for name, level in levels.items() if not level]
        return listed(still)
    n_still = 0
    if isinstance(sigma, dict):
        n_still = sigma.get("without noise", int(sigma["least"] == 0))
    elif isinstance(sigma, list):
        n_still = int(np.sum(np.array(sigma) == 0))
    return f"{n_still} features" if n_still else ""


def lengths(entries, radii, certified, at):
    """Return how far each column may move by itself, if they have their own sigma.

    Parameters
    ----------
    entries, radii, certified
        As for ``sections``.

    at : list of float
        Radii, of which the first ones above 0 are told; if there are none, the median.

    Returns
    -------
    rows : list of list of str
        The first one is the head; empty if one sigma is that of all.
    """
    levels = levels_by_column(entries)
    if levels is None or not np.any(certified):
        return []
    noisy = {name: level for name, level in levels.items() if level}
    at = [radius for radius in at if radius > 0][:_MOST_RADII]
    head = ["column", "sigma", *(f"radius {number(radius)}" for radius in at)]
    if not at:
        at = [float(np.quantile(radii[certified], 0.5, method="lower"))]
        head.append(f"median radius {round_down(at[0])}")
    rows = [
        [name, number(level), *(_product(level, radius) for radius in at)]
        for name, level in [*noisy.items()][:_MOST_LEVELS]
    ]
    if len(noisy) > _MOST_LEVELS:
        rows.append([f"and {len(noisy) - _MOST_LEVELS} more", *[""] * (len(head) - 1)])
    return [head, *rows]


def _product(level, radius):
    """Return a product as text, of three digits and rounded down."""
    if np.isinf(radius):
        return "inf"
    found = _THREE_DIGITS.multiply(Decimal(repr(level)), Decimal(repr(radius)))
    return f"{found:g}" if found else "0"


def quoted(name):
    """Return the name of a column in quotes, unless it is only a number of one."""
    return name if re.fullmatch(r"column \d+", name) else repr(name)


def listed(names):
    """Return names as text, and how many there are beyond the first ones."""
    names = list(names)
    more = len(names) - _MOST_NAMES
    return ", ".join(names[:_MOST_NAMES]) + (f" and {more} more" if more > 0 else "")


def sigma_text(entries):
    """Return the noise level, or those of columns, in words."""
    sigma, levels = entries["sigma"], levels_by_column(entries)
    if not isinstance(sigma, (dict, list)):
        what = "column of numbers" if entries.get("categories") else "feature"
        return f"{number(sigma)} for every {what}"
    still = out_of_reach(entries)
    if levels is not None:
        noisy = {name: level for name, level in levels.items() if level}
        named = [f"{quoted(name)}: {number(level)}" for name, level in noisy.items()]
        more = len(named) - _MOST_LEVELS
        named = named[:_MOST_LEVELS] + (
            [f"and {more} more columns"] if more > 0 else []
        )
        told = "by column " + ", ".join(named)
    elif isinstance(sigma, list):
        some = np.array(sigma)
        told = f"one for each feature, from {some.min():g} to {some.max():g}"
    else:
        told = (
            f"an array of shape {tuple(sigma['array of shape'])}, from "
            f"{sigma['least']:g} to {sigma['largest']:g} (hash {sigma['hash']})"
        )
    return f"{told}; 0 for {still}" if still else told
