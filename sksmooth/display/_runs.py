"""What stands beside logs about their runs, and what the caller tells besides."""

import numpy as np
from scipy.special import ndtr

from .._claims import CERTAIN
from ..logs._beside import ATTRIBUTE, measure_of, reach_of
from ..logs._checked import as_log
from ..logs._tables import robust_radii

# Of the reference code, for logs beside which nothing stands.
_USUAL = {"n": 100_000, "alpha": 0.001}

_OF_LOG = "units of the log"
_OWN_UNITS = ("units of X", "units of sigma", "tokens")


def title_of(key):
    """Return what an error calls a log."""
    return "the log" if key is None else f"log {key!r}"


def read(log, title):
    """Return a log as a frame with all that a curve needs."""
    return as_log(log, title, ("label", "predict", "radius"))


def run_of(log):
    """Return what stands beside a log, a frame; None if nothing is known."""
    return log.attrs.get(ATTRIBUTE)


def common_norm(runs, told):
    """Return the norm of the radii of all logs.

    Parameters
    ----------
    runs : dict
        What stands beside each log, or None.

    told : str or None
        By the caller.

    Raises
    ------
    ValueError
        If norms differ, or a known one from what is told.
    """
    known = {key: measure_of(run).norm for key, run in runs.items() if run is not None}
    for key, norm in known.items():
        if told not in (None, norm):
            raise _contradiction(title_of(key), "norm", told, norm)
    if told is not None:
        return told
    norms = {key: known.get(key, "l2") for key in runs}
    if len(set(norms.values())) > 1:
        each = ", ".join(f"{norm} of {title_of(key)}" for key, norm in norms.items())
        raise ValueError(
            f"radii in different norms cannot share an axis: {each}. Draw these logs "
            "on axes of their own. (Where nothing stands beside a log, its radii are "
            "taken for l2 radii: pass norm if they are not.)"
        )
    return next(iter(norms.values()))


def common_log_unit(runs, told):
    """Return what the radii of all logs are measured in; parameters as `common_norm`.

    Raises
    ------
    ValueError
        If units differ, or a known one from what is told.
    """
    units = {key: _unit_of(run) for key, run in runs.items()}
    known = {key: unit for key, unit in units.items() if unit != _OF_LOG}
    if told is not None:
        for key, unit in known.items():
            # Other words, such as "cm", may well be what a unit of X is.
            if told in _OWN_UNITS and told != unit:
                raise _contradiction(title_of(key), "unit", told, unit)
        return told
    scaled = [runs[key]["sigma"] for key in runs if units[key] == "units of sigma"]
    if scaled and (len(scaled) < len(runs) or any(s != scaled[0] for s in scaled)):
        each = ", ".join(f"{unit} in {title_of(key)}" for key, unit in units.items())
        raise ValueError(
            "radii in units of sigma share an axis only with radii in units of the "
            f"same sigma, which these are not: {each}. Draw these logs on axes of "
            "their own, or say with `unit` what all of them are measured in."
        )
    return next(iter(known.values())) if len(known) == len(runs) else _OF_LOG


def _unit_of(run):
    if run is None:
        return _OF_LOG
    norm, unit = measure_of(run)
    if norm == "edits":
        return "tokens"
    return "units of sigma" if unit == "sigma" else "units of X"


def settings_of_log(run, title, *, sigma, n, alpha, rho):
    """Return the sigma, n and alpha of a run, as far as something depends on them.

    Parameters
    ----------
    run : dict or None
        What stands beside the log.

    title : str
        What an error calls the log.

    sigma, n, alpha : float or None
        What the caller tells.

    rho : float or None
        A lower bound at this level depends on alpha.

    Returns
    -------
    settings : dict
        With a sigma of None where it is not known how far votes reach.

    Raises
    ------
    ValueError
        If something told is not so.
    """
    told = {"sigma": sigma, "n": n, "alpha": alpha}
    given = {name: value for name, value in told.items() if value is not None}
    if run is None:
        return {"sigma": None, **_USUAL, **given}
    reach = reach_of(run)
    if sigma is not None and not reach:
        raise ValueError(
            f"sigma tells how far votes reach only under Gaussian noise, with "
            f"bound='cohen' and stopping='fixed'. The run of {title} had "
            f"{run['noise']}, bound={run['bound']!r} and looks={run['looks']}: leave "
            "sigma out."
        )
    # The frame may be what holds if categories are changed, where votes reach less far.
    known = reach if sigma is not None or not run["changeable_categories"] else {}
    if rho is not None:
        known = {**known, "alpha": run["alpha"]}
    for name, value in known.items():
        if name in given and not np.isclose(given[name], value, rtol=1e-9, atol=0):
            raise _contradiction(title, name, given[name], value)
    return {"sigma": None, "n": run["n"], "alpha": run["alpha"], **known}


def name_of_run(run, curve):
    """Return the settings of a run as the name of its curve."""
    if not run["has_sigma"]:
        level = run["noise"]
    elif run["radius_unit"] == "sigma":
        level = "sigma by feature"
    else:
        level = f"sigma = {run['sigma']:g}"
    _, n_inputs = curve.n_inputs
    if run["bound"] in CERTAIN:  # without votes, and without an alpha
        return f"{level}, {run['bound']}, {n_inputs:,} inputs"
    return name_of_settings(level, run["n"], run["alpha"], n_inputs)


def name_of_settings(level, n, alpha, n_inputs):
    """Return settings as the name of a curve."""
    return f"{level}, n = {n:,}\nalpha = {alpha:g}, {n_inputs:,} inputs"


def probability_of_log(log, title, sigma):
    """Return what a log proves of the probability of the true class, for each input.

    Parameters
    ----------
    log : path-like or pandas.DataFrame

    title : str
        What an error calls it.

    sigma : float or None
        What the caller tells.

    Returns
    -------
    probability : ndarray of float of shape (n_inputs,)
        0 where another class was selected, or none.
    """
    if sigma is not None and not sigma > 0:
        raise ValueError(f"sigma must be positive, got {sigma!r}.")
    frame = read(log, title)
    radius, run = robust_radii(frame, title), run_of(frame)
    if run is None:
        if sigma is None:
            raise ValueError(
                f"nothing stands beside {title} that says which noise it was made "
                "with: pass the sigma of its run, if the noise was Gaussian."
            )
        return ndtr(radius / sigma)  # 0 where wrong: the radius is -inf
    level = _level_of(run)
    if sigma is not None and not np.isclose(sigma, level, rtol=1e-9, atol=0):
        raise _contradiction(title, "sigma", sigma, level)
    if frame is not log or _has_rows_of_file(frame, run):
        return np.where(radius > -np.inf, run["p_lower"], 0.0)
    if not _radius_tells_probability(run):
        raise ValueError(
            f"{title} has other rows than its file, or in another order, and radii "
            f"tell the probabilities only under Gaussian noise with bound='cohen', not "
            f"under {run['noise']} with bound={run['bound']!r}: pass the file, or what "
            "read_log returned as it is."
        )
    return ndtr(radius / level)


def _level_of(run):
    """Return the noise level in the unit of the radii."""
    return run["sigma"] if run["radius_unit"] == "input" else 1.0


def _has_rows_of_file(frame, run):
    """Are the rows those that `read_log` found, as far as a frame can tell?

    A frame that was sorted and counted anew has an `idx` that does not increase.
    """
    n_inputs = len(run["p_lower"])
    same = np.array_equal(frame.index, np.arange(n_inputs))
    return same and "idx" in frame and frame["idx"].is_monotonic_increasing


def _radius_tells_probability(run):
    """Is it sigma times the normal quantile of the lower bound, or less?"""
    gaussian = run["noise"] == "Gaussian()" and run["flip"] is None
    return gaussian and measure_of(run).norm == "l2" and run["bound"] == "cohen"


def _contradiction(title, name, told, known):
    return ValueError(
        f"{name}={told!r}, but what stands beside {title} says {name}={known!r}: leave "
        f"{name} out."
    )
