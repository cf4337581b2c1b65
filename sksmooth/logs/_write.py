"""Write certificates to a log."""

import re
from datetime import timedelta

import numpy as np
from sklearn.utils.validation import check_consistent_length

from .._certificate import round_down
from .._claims import told_answers
from .._columns import as_column, check_order
from .._labels import as_labels, check_same_kind, is_text
from .._writing import write_file
from ._beside import check_beside, write_beside
from ._format import ABSTAIN, HEADER, is_whole, whole

_DIGITS = 6
_LONGEST = 1e13  # seconds: as far as timedelta goes


def write_log(certificate, y, path, *, norm=None, idx=None, time=None):
    """Write certificates to a log in the Cohen log format.

    The file appears complete or not at all: it is written under another name in the
    same folder, and then takes the place of any file at `path`, whose mode it keeps.
    Links are followed. A device or FIFO is written to and stays what it is.

    Whatever a Certificate knows but the format has no place for, such as sigma, n,
    alpha, the norm and the versions, goes into a JSON file of the same name beside it:
    run.json for run.tsv, and sigma_0.25.json for sigma_0.25. `read_log` finds it.

    Parameters
    ----------
    certificate : Certificate, or pair (prediction, radius)
        What `certify` returned.

    y : array-like of shape (n_inputs,)
        True labels: integers other than -1, or strings.

    path : str or path-like
        File to write.

    norm : {"l1", "l2", "linf", "edits"}, default=None
        Norm of the radii to write. None is l2, and an error where the certificate is in
        another: readers of the format take radii for l2 radii.

    idx : array-like of int of shape (n_inputs,), default=None
        Position of each input in its data set, all different; None counts from 0.

    time : array-like of float or timedelta of shape (n_inputs,), default=None
        Seconds, or time, spent on each input, written as h:mm:ss.ffffff; None writes
        0.

    Raises
    ------
    ValueError
        If lengths differ, if a radius is infinite, negative or NaN, if a label cannot
        be written, if the certificate is a projection, if its radii are not l2 and no
        norm is told, or if there is a JSON file of that name that belongs to something
        else. Nothing is written then.

    OSError
        If the file cannot be written. A file that was there is as before.

    See Also
    --------
    read_log : Reads the file.

    Notes
    -----
    An input without a certified radius is written as predict -1, radius 0.0, whatever
    the abstain label. Radii are rounded down to 6 significant digits, so that what
    is written is certified too. If sigma was an array they are in units of sigma, which
    only the JSON file says; the same goes for the norm.

    Strings are written as they are; most other readers of the format expect numbers. A
    class -1 would read as an abstention and is refused: encode such labels first, for
    instance with scikit-learn's LabelEncoder, before `fit`.

    References
    ----------
    J. Cohen, E. Rosenfeld, J. Z. Kolter (2019), arXiv:1902.02918, and the code
    published with it.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from sksmooth.logs import write_log
    >>> certificate = ([3, 1, -1], [0.7541239, 0.25, 0.0])
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "sigma_0.25"
    ...     write_log(certificate, [3, 2, 2], path, time=[1.5, 1.25, 2])
    ...     print(path.read_text().expandtabs(8))
    idx     label   predict radius  correct time
    0       3       3       0.754123        1       0:00:01.500000
    1       2       1       0.250000        0       0:00:01.250000
    2       2       -1      0.0     0       0:00:02
    """
    text = certification_text(certificate, y, norm=norm, idx=idx, time=time)
    knows_more = hasattr(certificate, "first_equal")
    if knows_more:
        check_beside(path)
    write_file(path, text)
    if knows_more:
        write_beside(path, certificate, text, norm)


def certification_text(certificate, y=None, *, norm=None, idx=None, time=None):
    """Return what `write_log` writes; without labels, idx, predict and radius only."""
    if getattr(certificate, "projected", False):
        raise ValueError("a projection certifies nothing: there is nothing to log.")
    if y is not None and hasattr(certificate, "radius_for"):  # no pair of arrays
        check_order(y, certificate.index, "y")
    prediction, radius, certified = told_answers(certificate, norm)
    prediction = as_labels(prediction, "prediction")
    idx = np.arange(len(radius)) if idx is None else as_column(idx, "idx")
    time = np.zeros(len(radius)) if time is None else _seconds_of(time)
    check_consistent_length(prediction, radius, idx, time)
    _check_writable(radius, idx, time)
    columns = _answer_columns(prediction, certified, y, idx)
    columns["radius"] = [radius_text(one) for one in radius]
    if y is not None:
        columns["time"] = [str(timedelta(seconds=float(one))) for one in time]
    return _as_text(columns)


def prediction_text(prediction, certain, y=None, *, idx):
    """Return a log of predictions: idx, predict and, with labels, label and correct."""
    return _as_text(_answer_columns(np.asarray(prediction), certain, y, idx))


def _answer_columns(prediction, certain, y, idx):
    """Return the columns about answers, as texts; -1 where they are not certain."""
    answer = np.full(len(prediction), str(ABSTAIN), dtype=object)
    columns = {"idx": [str(int(one)) for one in idx]}
    if y is not None:
        y = as_labels(y, "y")
        check_consistent_length(y, prediction)
        if len(y):
            check_same_kind(y, prediction)
        columns["label"] = label_texts(y)
    answer[certain] = label_texts(prediction[certain])
    columns["predict"] = answer
    if y is not None:
        pairs = zip(columns["label"], answer, strict=True)
        columns["correct"] = [str(int(a == b)) for a, b in pairs]
    return columns


def _as_text(columns):
    """Return columns of texts as a log, in the order of the format."""
    names = [name for name in HEADER if name in columns]
    rows = zip(*(columns[name] for name in names), strict=True)
    return "".join("\t".join(line) + "\n" for line in [names, *rows])


def _seconds_of(time):
    """Return times as seconds; as bare numbers timedeltas would lose their unit."""
    time = as_column(time, "time")
    if time.dtype.kind == "O":
        time = np.array([_seconds_in(one) for one in time], dtype=object)
    elif time.dtype.kind in "mM":
        time = _seconds_in(time)
    return as_column(time, "time", float)


def _seconds_in(time):
    """Return a timedelta, or an array of them, in seconds; a number as it is."""
    if isinstance(time, timedelta):
        return time.total_seconds()
    dtype = getattr(time, "dtype", np.dtype(float))
    if dtype.kind not in "mM":
        return time
    # Months differ in length, a bare timedelta64 has no unit, and dates are none.
    if dtype.kind == "M" or np.datetime_data(dtype)[0] in ("Y", "M", "generic"):
        raise ValueError(
            f"time must hold seconds or timedeltas of a fixed length, got {dtype}: "
            "convert it to seconds."
        )
    return time / np.timedelta64(1, "s")


def _check_writable(radius, idx, time):
    bad = np.flatnonzero(~(np.isfinite(radius) & (radius >= 0)))
    if len(bad):
        raise ValueError(
            f"the radius of input {bad[0]} is {radius[bad[0]]}: the format holds only "
            "finite radii >= 0. An exact certificate may be infinite: clip it."
        )
    numbers = idx.dtype.kind in "iuf" and np.all(np.isfinite(idx))
    if len(idx) and not (numbers and np.all(idx == np.floor(idx))):
        raise ValueError("idx must hold whole numbers.")
    if len(np.unique(idx)) < len(idx):
        raise ValueError(
            "idx must be different for each input: it is its place in the data set."
        )
    if not np.all(np.isfinite(time) & (time >= 0) & (time <= _LONGEST)):
        raise ValueError(
            f"time must hold finite numbers of seconds from 0 to {_LONGEST:g}."
        )


def label_texts(labels):
    """Return labels as the texts that stand in a log."""
    if is_text(labels):
        texts = [str(label) for label in labels]
        for text in texts:
            if not text.strip() or text != text.strip() or re.search(r"[\t\r\n]", text):
                raise ValueError(
                    f"label {text!r} cannot be written to a log: it is empty, or holds "
                    "a tab, a line end or a space at either end."
                )
            if is_whole(text):
                raise ValueError(
                    f"label {text!r} would be read as a number: convert y to int."
                )
        return texts
    if labels.dtype.kind == "b":
        labels = labels.astype(int)
    texts = [_whole_text(label, labels.dtype) for label in labels]
    if str(ABSTAIN) in texts:
        raise ValueError(
            "a label -1 means an abstention in a log: encode the labels as 0, 1, ... "
            "before fit, for instance with LabelEncoder."
        )
    return texts


def _whole_text(label, dtype):
    try:
        text = str(int(label))
        # Not dates, whose numbers mean nothing without their unit.
        if dtype.kind in "iufO" and int(label) == label:
            whole(text)  # else nobody could read it again
            return text
    except (TypeError, ValueError, OverflowError):
        pass
    raise ValueError(
        "labels must be whole numbers or strings to be written to a log, and whole "
        f"numbers must have 64 bits at most, but one is {label!r}."
    )


def radius_text(radius):
    if radius == 0:
        return "0.0"
    # Decimals that leave this many significant digits.
    decimals = _DIGITS - 1 - int(np.floor(np.log10(radius)))
    return round_down(radius, decimals)
