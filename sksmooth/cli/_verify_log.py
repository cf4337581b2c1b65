"""What the command verify does with a log: its lines, computed again and compared."""

import math

import click

from .._about import about
from .._claims import CERTAIN
from ..logs._beside import read_beside, six_digits
from ..logs._format import HEADER
from ._log import log_of_certificate, log_of_prediction

# What `about` tells of these inputs or of this machine, not of the settings of a run.
_OF_THE_RUN = {"n_inputs", "n_certified", "repeats", "largest_radius_loss"}
_OF_THE_RUN |= {"versions", "platform"}


def looks_like_a_log(path):
    """Tell whether a file begins as a log does that this package wrote."""
    with open(path, "rb") as file:
        first = file.readline(100)
    names = first.decode("utf-8", "replace").split()
    return names[:1] == HEADER[:1] and "predict" in names and set(names) <= set(HEADER)


def check_log(g, data, X, rows, path, radius_tol):
    """Compute some lines of a log again.

    Parameters
    ----------
    g : SmoothedClassifier

    data : Data

    X : array or frame
        The inputs in `rows` of the data.

    rows : ndarray of int

    path : str

    radius_tol : float or None

    Returns
    -------
    same : list of bool
        For each of the rows.

    what : str
        What is the same, if all of them are.

    beside : dict or None
        What stands beside the log.

    Raises
    ------
    click.ClickException
        If the log is about other inputs, or settings, or if its noise is gone.
    """
    with open(path, "rb") as file:
        content = file.read()
    names, lines = _lines(content, path, data)
    idx, y = data.idx[rows], None if data.y is None else data.y[rows]
    beside = read_beside(path, content) if "radius" in names else None
    if "radius" in names:
        certificate = g.certify(X, radius_tol=radius_tol)
        by_votes = certificate.bound not in CERTAIN
        text, _ = log_of_certificate(certificate, y if "label" in names else None, idx)
    else:
        by_votes = not g._is_exact(g._ready(X, "predict").method)
        answer, y = g.predict(X), y if "label" in names else None
        text, _ = log_of_prediction(answer, g.abstain_label_, y, idx)
    if by_votes and "entropy_" not in vars(g) and g.random_state is None:
        raise click.ClickException(
            f"{path} rests on votes, whose noise was new in that run, so nobody can "
            "draw them again: certify with --seed or --key-file what others are to "
            "verify, and give the same here."
        )
    again = _table(text)[1]
    shown = [k for k, name in enumerate(names) if name != "time"]
    same = [
        all(one[k] == lines[one[0]][k] for k in shown if k < len(one)) for one in again
    ]
    what = f"their lines, {'from votes drawn' if by_votes else 'computed'} again,"
    if beside is not None:
        _check_settings(about(certificate), beside, path)
        p_lower = six_digits(certificate.p_lower)
        stored = _p_lower_there(beside, path, len(data.idx))
        same = [
            line and p == stored[row]
            for line, p, row in zip(same, p_lower, rows, strict=True)
        ]
        what += " and the p_A beside the log"
    return same, f"{what} are those in {path}, digit for digit", beside


def _lines(content, path, data):
    """Return the columns of a log, and its lines by idx; all inputs have one."""
    try:
        names, rows = _table(content.decode("utf-8"))
    except UnicodeDecodeError:
        raise click.ClickException(f"{path} is no log: it is no UTF-8 text.") from None
    lines = {row[0]: row for row in rows}
    whole = all(len(row) == len(names) for row in rows)
    if not whole or len(lines) != len(rows):
        raise click.ClickException(
            f"{path} is not as certify or predict wrote it: a line lacks a column, or "
            "an input occurs twice."
        )
    if "label" in names and data.y is None:
        raise click.UsageError(f"{path} has labels: say where they are, --label.")
    if lines.keys() != {str(one) for one in data.idx}:
        raise click.ClickException(
            f"{path} has {len(lines)} inputs, which are not the {len(data.idx)} of the "
            "data: give --skip and --max of the run, if it had them."
        )
    return names, lines


def _table(text):
    names, *rows = (line.split("\t") for line in text.splitlines())
    return names, rows


def _check_settings(here, there, path):
    differ = [
        f"{name} is {there.get(name)} there and {one} here"
        for name, one in here.items()
        if name not in _OF_THE_RUN and there.get(name) != one
    ]
    if differ:
        raise click.ClickException(
            f"{path} is of a run with other settings: {'; '.join(differ)}. Give the "
            "options of that run."
        )


def _p_lower_there(beside, path, n_inputs):
    found = beside.get("p_lower")
    if not isinstance(found, list) or len(found) != n_inputs:
        raise click.ClickException(
            f"the .json file beside {path} does not have the p_A of all its inputs."
        )
    return [one if isinstance(one, float) else math.nan for one in found]
