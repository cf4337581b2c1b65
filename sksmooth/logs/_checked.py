"""What is asked of logs before anything is computed from them."""

import os
from collections import Counter

import numpy as np

from .._columns import as_column
from ._beside import ATTRIBUTE, measure_of
from ._read import check_abstentions, read_log

_UNITS = {"input": "units of the data", "sigma": "units of sigma"}


def named_logs(logs):
    """Return a dict of logs, and refuse what names none of them.

    Parameters
    ----------
    logs : dict of str to path-like or pandas.DataFrame
    """
    if isinstance(logs, dict):
        return logs
    raise TypeError(
        f"logs must be a dict of names and logs, got {_kind(logs)}: pass "
        "{'sigma = 0.25': log}, also for a single one."
    )


def as_log(log, name, columns):
    """Return a log as a frame in which each input stands once.

    Parameters
    ----------
    log : path-like or pandas.DataFrame

    name : str
        What an error calls it.

    columns : sequence of str
        Those that it needs.

    Raises
    ------
    TypeError
        If it is neither a file nor a frame.

    ValueError
        If it cannot be read, lacks a column or has one twice, or an input is in it
        twice, as after merging logs that overlap.
    """
    if not hasattr(log, "columns"):
        if not isinstance(log, (str, bytes, os.PathLike)):
            raise TypeError(
                f"{name} must be a file or what read_log returned, got {_kind(log)}. "
                "Several logs go into a dict, {'a': ..., 'b': ...}."
            )
        log = read_log(log)
    there = list(log.columns)
    twice = sorted({one for one in there if there.count(one) > 1}, key=str)
    if twice:
        raise ValueError(f"{name} has the column {twice[0]!r} twice.")
    for column in columns:
        if column not in there:
            raise ValueError(
                f"{name} has no column {column!r}, only {there}: certified "
                "accuracy needs the log of a certification."
                if column == "radius"
                else f"{name} has no column {column!r}, only {there}."
            )
    if "idx" in there:
        check_once(as_column(log["idx"], "idx"), name)
    return log


def check_once(idx, name):
    """Refuse inputs that would count more than once."""
    twice = [one for one, count in Counter(idx.tolist()).items() if count > 1]
    if twice:
        others = f", and {len(twice) - 1} other idx as well" if twice[1:] else ""
        raise ValueError(
            f"{name} has idx {twice[0]} more than once{others}: these inputs would be "
            "counted again. If the lines are about the same input, keep one of them, "
            "log.drop_duplicates('idx'); if not, idx has to be the place of each "
            "input in the whole data set."
        )


def check_one_measure(logs):
    """Refuse logs whose radii are known to be in different norms or units.

    Parameters
    ----------
    logs : dict of str to pandas.DataFrame
    """
    measures = {
        name: measure_of(getattr(log, "attrs", {}).get(ATTRIBUTE))
        for name, log in logs.items()
    }
    norms = {name: measure.norm for name, measure in measures.items()}
    units = {name: _UNITS.get(measure.unit) for name, measure in measures.items()}
    for what, each in [("norms", norms), ("units", units)]:
        known = {name: one for name, one in each.items() if one is not None}
        if len(set(known.values())) > 1:
            told = ", ".join(f"{one} in log {name!r}" for name, one in known.items())
            raise ValueError(
                f"radii in different {what} cannot be compared: {told}. Pass these "
                "logs separately."
            )


def radii_of(log, name):
    """Return the radii of a log, all of which are numbers that can be compared."""
    radius = as_column(log["radius"], "radius", float)
    bad = np.flatnonzero(~(radius >= 0))
    if len(bad):
        raise ValueError(
            f"{name}: the radius in row {bad[0]} is {radius[bad[0]]}, but radii are "
            "numbers >= 0."
        )
    predict = as_column(log["predict"], "predict")
    check_abstentions(predict, radius, lambda row: f"{name}, row {row}")
    return radius


def _kind(value):
    return f"a {type(value).__name__}"
