"""The command verify: votes in a store, drawn again and compared."""

import json
import math

import click
import numpy as np

from .._versions import platform_in_use, versions_in_use
from ..votes.run._fingerprint import fingerprint
from ..votes.run._store import VotesMissing, VoteStore
from ._streams import emit

# Inputs that are named where votes differ.
_MOST_NAMED = 10


def verify_votes(g, data, store, sample, radius_tol, settings):
    """Draw votes on some inputs again, and compare them with those in a store.

    Parameters
    ----------
    g : SmoothedClassifier

    data : Data

    store : str
        It stays as it is.

    sample : int
        Inputs to draw, at random, by bits of the operating system.

    radius_tol : float or None

    settings : str or None
        The JSON file of the run, for its versions.

    Raises
    ------
    click.ClickException
        If votes differ, or the store lacks some of them.
    """
    there = None if settings is None else _versions_there(settings)
    rows = np.sort(np.random.default_rng().permutation(len(data.idx))[:sample])
    X = data.X.iloc[rows] if hasattr(data.X, "iloc") else data.X[rows]
    voting = g._ready(X).voting
    try:
        with VoteStore(store, *fingerprint(voting), read_only=True) as kept:
            before = g.certify(X, radius_tol=radius_tol, store=kept)
    except VotesMissing:
        raise click.ClickException(
            f"{store} lacks votes of some of the {len(rows)} inputs drawn, for n={g.n}"
            f", n0={g.n0} and bound={g.bound!r}. Give the options of the run, the same "
            "as for certify (--n, --n0, --bound, --radius-tol, --max and so on); if "
            "they are the same, the run was not completed."
        ) from None
    again = g.certify(X, radius_tol=radius_tol)
    n_votes = int(again.n_used.sum())
    if not n_votes:
        raise click.ClickException(
            f"certificates of {again.bound!r} kind rest on no votes, so there are none "
            "to verify: certify again and compare the logs."
        )
    if again.selection_counts is not None:
        n_votes += int(again.selection_counts.sum())
    differ = _rows_that_differ(before, again)
    if not len(differ):
        emit(
            f"{len(rows)} of {len(data.idx)} inputs, drawn at random: their "
            f"{n_votes:,} votes are those in the store, one for one.\n"
            + _what_that_says(len(rows), len(data.idx))
        )
        return
    named = ", ".join(str(data.idx[rows[row]]) for row in differ[:_MOST_NAMED])
    more = ", ..." if len(differ) > _MOST_NAMED else ""
    raise click.ClickException(
        f"votes on {len(differ)} of {len(rows)} inputs are not those in {store}: "
        f"inputs {named}{more}. {_what_may_differ(there)}"
    )


def _rows_that_differ(before, again):
    """Return the inputs whose votes, or what follows from them, are not the same."""
    same = np.ones(len(again.n_used), bool)
    for name in ("counts", "selection_counts", "n_used", "p_lower", "radius"):
        one, other = getattr(before, name), getattr(again, name)
        if one is not None:
            same &= np.all((one == other).reshape(len(same), -1), axis=1)
    return np.flatnonzero(~same)


def _what_that_says(n_drawn, n_inputs):
    """Say how many forged inputs such a sample finds."""
    if n_drawn == n_inputs:
        return "All inputs of the data were checked.\n"
    # With 3 / n_drawn of them forged, a sample misses all with probability exp(-3).
    share = min(1.0, math.ceil(3_000 / n_drawn) / 1_000)
    return (
        f"If {share:g} of the inputs had other votes in the store, the sample would "
        "have found one with probability 0.95 or more.\n"
    )


def _versions_there(path):
    try:
        with open(path, encoding="utf-8") as file:
            entries = json.load(file)
        return {**entries["versions"], "platform": entries["platform"]}
    except (ValueError, KeyError, TypeError, RecursionError):
        raise click.UsageError(
            f"--settings {path}: this is not the settings file that is written beside "
            "a log, run.json."
        ) from None


def _what_may_differ(there):
    here = {**versions_in_use(), "platform": platform_in_use()}
    if there is None:
        told = ", ".join(f"{name} {version}" for name, version in here.items())
        return (
            f"Here are {told}. With other versions or another kind of processor in "
            "the run, votes may differ and still be valid: --settings run.json, the "
            "file beside the log, compares them."
        )
    names = sorted(name for name in there if there[name] != here.get(name, there[name]))
    if not names:
        return (
            "Versions and system are those of the run. If the kind of processor is "
            "the same too, the votes in the store do not come from this model, data "
            "and noise."
        )
    told = ", ".join(f"{name} {there[name]} there, {here[name]} here" for name in names)
    return (
        f"Not the same as in the run: {told}. So votes may differ and still be valid: "
        "verify with the versions of the run."
    )
