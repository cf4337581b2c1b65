"""The command verify: votes of a store or lines of a log, made again and compared."""

import json
import math

import click
import numpy as np

from .._versions import platform_in_use, versions_in_use
from ..noise import find_noise
from ..votes.run._fingerprint import fingerprint
from ..votes.run._store import VotesMissing, VoteStore
from ._streams import emit
from ._verify_log import check_log, looks_like_a_log

# Inputs that are named where votes differ.
_MOST_NAMED = 10


def verify_run(g, data, path, sample, settings, *, radius_tol, predicts):
    """Draw votes on some inputs again, and compare them with what a run left.

    Parameters
    ----------
    g : SmoothedClassifier

    data : Data

    path : str
        A store of votes, or a log. It stays as it is.

    sample : int
        Inputs to draw, at random, by bits of the operating system.

    settings : str or None
        The JSON file of the run, for its versions.

    radius_tol : float or None

    predicts : bool
        Are the votes in the store those of predict? A log tells by itself.

    Raises
    ------
    click.ClickException
        If something differs, or the run cannot be verified.
    """
    there = None if settings is None else _versions_there(settings)
    rows = np.sort(np.random.default_rng().permutation(len(data.idx))[:sample])
    X = data.X.iloc[rows] if hasattr(data.X, "iloc") else data.X[rows]
    if looks_like_a_log(path):
        same, what, beside = check_log(g, data, X, rows, path, radius_tol)
        there = there or (beside and _versions_in(beside))
        noun, of_one = "lines", "another line in the log"
    else:
        same, what = _check_votes(g, X, path, radius_tol, predicts)
        noun, of_one = "votes", "other votes in the store"
    differ = np.flatnonzero(~np.asarray(same))
    if not len(differ):
        emit(
            f"{len(rows)} of {len(data.idx)} inputs, drawn at random: {what}.\n"
            + _what_that_says(len(rows), len(data.idx), of_one)
        )
        return
    named = ", ".join(str(data.idx[rows[row]]) for row in differ[:_MOST_NAMED])
    more = ", ..." if len(differ) > _MOST_NAMED else ""
    raise click.ClickException(
        f"{noun} on {len(differ)} of {len(rows)} inputs are not those in {path}: "
        f"inputs {named}{more}. {_what_may_differ(there)}"
    )


def _check_votes(g, X, store, radius_tol, predicts):
    """Return, for each input, whether its votes are those in a store; what, in words.

    Raises
    ------
    click.ClickException
        If there are no votes in the store, or none to compare with.
    """
    prepared = g._ready(X, "predict") if predicts else g._ready(X)
    rule = "predict" if predicts else "certify"
    listed = find_noise(g.noise).listed is not None  # all copies, for either rule
    computes = g._is_exact if predicts else g._is_certain
    if computes(prepared.method) and not listed:
        raise click.ClickException(
            f"with this model and method={g.method!r}, {rule} computes and draws no "
            "votes, so a store has none: verify the log of the run instead, sksmooth "
            "verify run.tsv MODEL DATA. For a run by votes give --method monte_carlo."
        )
    if predicts and not listed:

        def draw(store=None):
            return g._top_class_votes(prepared, store)
    else:

        def draw(store=None):
            return g.certify(X, radius_tol=radius_tol, store=store)

    try:
        with VoteStore(store, *fingerprint(prepared.voting), read_only=True) as kept:
            before = draw(kept)
    except VotesMissing:
        other = "without --predict" if predicts else "with --predict"
        raise click.ClickException(
            f"{store} lacks votes of some of the {len(X)} inputs drawn, for {rule} "
            f"with n={g.n}, n0={g.n0}, alpha={g.alpha:g} and bound={g.bound!r}. "
            "Give the options of the run (--n, --n0, --alpha, --bound, --radius-tol, "
            "--max and so on); if they are the same, the run was not completed, or the "
            f"votes are of another question: try {other}. Votes of certified_correct "
            "and of scorers cannot be verified here: call it in Python with the store "
            "and without, and compare."
        ) from None
    again = draw()
    n_votes = int(again.n_used.sum())
    if getattr(again, "selection_counts", None) is not None:
        n_votes += int(again.selection_counts.sum())
    what = f"their {n_votes:,} votes are those in the store, one for one"
    return _same_votes(before, again), what


def _same_votes(before, again):
    """Return for each input whether votes, and what follows from them, are the same."""
    same = np.ones(len(again.n_used), bool)
    for name in ("counts", "selection_counts", "n_used", "value", "p_lower", "radius"):
        one, other = getattr(before, name, None), getattr(again, name, None)
        if one is not None:
            same &= np.all((one == other).reshape(len(same), -1), axis=1)
    return same


def _what_that_says(n_drawn, n_inputs, of_one):
    """Say how many forged inputs such a sample finds."""
    if n_drawn == n_inputs:
        return "All inputs of the data were checked.\n"
    # With 3 / n_drawn of them forged, a sample misses all with probability exp(-3).
    share = min(1.0, math.ceil(3_000 / n_drawn) / 1_000)
    return (
        f"If {share:g} of the inputs had {of_one}, the sample would have "
        "found one with probability 0.95 or more.\n"
    )


def _versions_there(path):
    try:
        with open(path, encoding="utf-8") as file:
            return _versions_in(json.load(file))
    except (ValueError, KeyError, TypeError, RecursionError):
        raise click.UsageError(
            f"--settings {path}: this is not the settings file that is written beside "
            "a log, run.json."
        ) from None


def _versions_in(entries):
    return {**entries["versions"], "platform": entries["platform"]}


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
            "Versions and system are those of the run. If the kind of processor is the "
            "same too, the results do not come from this model, data and noise."
        )
    told = ", ".join(f"{name} {there[name]} there, {here[name]} here" for name in names)
    return (
        f"Not the same as in the run: {told}. So votes may differ and still be valid: "
        "verify with the versions of the run."
    )
