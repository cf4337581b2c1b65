"""What a log has no column for, in a JSON file beside it: run.tsv and run.json."""

import json
import os
import warnings
from decimal import ROUND_FLOOR, Context
from hashlib import sha256
from typing import NamedTuple

from .._about import about
from .._writing import is_stream, write_file

# Where `read_log` leaves it in the `attrs` of a frame.
ATTRIBUTE = "run"

# Numbers of changed categories for which radii are kept.
_MOST_CHANGES = 10

# What stands for an infinite radius, for which JSON has no word.
_ENDLESS = 1e9

_SIX_DIGITS = Context(prec=6, rounding=ROUND_FLOOR)


class Measure(NamedTuple):
    """What radii of a log are measured in."""

    norm: str | None
    unit: str | None  # "input" or "sigma"


def place_beside(path):
    """Return the name of the JSON file that belongs to a log."""
    return os.fsdecode(path).removesuffix(".tsv") + ".json"


def text_beside(certificate, log, norm=None, **more):
    """Return the content of the JSON file of a log.

    Parameters
    ----------
    certificate : Certificate

    log : str
        Content of the log.

    norm : {"l1", "l2", "linf", "edits"}, default=None
        Norm of the radii in the log; None is that of the certificate.

    **more : object
        Further entries, of what JSON can hold.
    """
    norm = certificate.norm if norm is None else norm
    entries = {
        **about(certificate),
        "radius_norm": norm,
        **more,
        "p_lower": six_digits(certificate.p_lower),
        "log_sha256": sha256(log.encode()).hexdigest(),
    }
    entries |= _with_changes(certificate, norm)
    return json.dumps(entries, indent=1, allow_nan=False) + "\n"


def six_digits(p_lower):
    """Return lower bounds, rounded down to six digits, as a list of floats."""
    return [float(_SIX_DIGITS.create_decimal(float(p))) for p in p_lower]


def _with_changes(certificate, norm):
    """Return radii where categories are changed: a list for 1, for 2, and so on.

    None where nothing is certified. They end where nothing is certified any more.
    """
    most = getattr(certificate.noise, "n_changeable", 0)
    if not most:
        return {}
    found = []
    for changes in range(1, most + 1):
        certified = certificate.certified_for(changes)
        if not certified.any() or changes > _MOST_CHANGES:
            return {"changes": found, "more_changes": bool(certified.any())}
        radii = certificate.radius_for(norm, changes)
        found.append(
            [
                _rounded_down(radius) if there else None
                for radius, there in zip(radii.tolist(), certified, strict=True)
            ]
        )
    return {"changes": found, "more_changes": False}


def _rounded_down(radius):
    return float(_SIX_DIGITS.create_decimal(min(radius, _ENDLESS)))


def check_beside(path):
    """Refuse to replace a JSON file that belongs to something else."""
    place = place_beside(path)
    if os.path.exists(place) and not is_stream(place) and _read(place) is None:
        raise ValueError(
            f"{place} holds something else, and would be replaced by the settings of "
            f"the log {path}: give the log another name."
        )


def write_beside(path, certificate, log, norm=None, **more):
    """Write the JSON file of a log, unless the log is no file that has a place."""
    if not is_stream(path):
        write_file(place_beside(path), text_beside(certificate, log, norm, **more))


def read_beside(path, content):
    """Return the entries of the JSON file of a log, or None if there is none.

    Parameters
    ----------
    path : str or path-like

    content : bytes
        Of the log.

    Warns
    -----
    UserWarning
        If it is of a log with other content, and so left out.
    """
    place = place_beside(path)
    entries = _read(place) if os.path.isfile(place) else None
    if entries is None or entries["log_sha256"] == sha256(content).hexdigest():
        return entries
    warnings.warn(
        f"{place} does not belong to {path} as it is now, and is ignored: certify "
        "again, or restore the log.",
        UserWarning,
        stacklevel=3,
    )
    return None


def _read(place):
    """Return the entries of a file, or None if it is none of ours."""
    try:
        with open(place, encoding="utf-8") as file:
            entries = json.load(file)
    except (ValueError, RecursionError):
        return None
    ours = isinstance(entries, dict) and {"format", "log_sha256"} <= entries.keys()
    return entries if ours else None


def reach_of(run):
    """Return sigma, n and alpha of a run where these say how far its votes reach.

    Parameters
    ----------
    run : dict or None
        What stands beside its log.

    Returns
    -------
    settings : dict
        Of `CertifiedAccuracyDisplay.from_log`. Empty for other noise, another bound,
        votes that may have stopped early, or if nothing is known.
    """
    if run is None or run["bound"] != "cohen" or len(run["looks"]) > 1:
        return {}
    if run["noise"] != "Gaussian()" or measure_of(run).norm != "l2":
        return {}
    sigma = run["sigma"] if run["radius_unit"] == "input" else 1.0
    return {"sigma": sigma, "n": run["n"], "alpha": run["alpha"]}


def curve_name(run, n_inputs):
    """Return what names the curve of a run whose radii are in units of sigma.

    None of other runs, whose sigma is a number that `from_log` names itself.
    """
    if not reach_of(run) or run["radius_unit"] != "sigma":
        return None
    return (
        f"sigma by feature, n = {run['n']:,}\nalpha = {run['alpha']:g}, "
        f"{n_inputs:,} inputs"
    )


def measure_of(run):
    """Return what radii of a log are measured in: norm and unit; None if not known.

    Parameters
    ----------
    run : dict or None
        What stands beside the log.

    Returns
    -------
    measure : Measure
    """
    run = run or {}
    # `write_log` may have written radii in another norm than that of the certificate.
    norm = run.get("radius_norm", run.get("norm"))
    return Measure(norm, run.get("radius_unit"))
