"""Certification logs in the format of the field, and the tables made from them.

The reference code and its successors write one line an input, separated by tabs::

    idx  label  predict  radius  correct  time

`predict` is -1 for an abstention.
"""

import os
import re
import uuid
import warnings
from datetime import timedelta

import numpy as np
from sklearn.utils.validation import check_consistent_length, column_or_1d

from ._certificate import round_down
from ._labels import check_same_kind, is_text
from .stats._checks import check_radius

__all__ = [
    "certified_accuracy_table",
    "format_table",
    "mark_best",
    "prediction_table",
    "read_log",
    "write_log",
]

_HEADER = ["idx", "label", "predict", "radius", "correct", "time"]
_REQUIRED = _HEADER[:3]
# Nothing is computed from these, so it does no harm if their last digits are cut off.
_EXPENDABLE = ("correct", "time")
_ABSTAIN = -1
_DIGITS = 6
_CLOCK = re.compile(r"(?:(\d+) days?, )?(\d+):(\d\d):(\d\d(?:\.\d*)?)")


def write_log(certificate, y, path, *, idx=None, time=None):
    """Write certificates to a log in the format of the field.

    The file appears complete or not at all: it is written under another name in the
    same folder, and then takes the place of any file at `path`.

    Parameters
    ----------
    certificate : Certificate, or pair (prediction, radius)
        What `certify` returned.

    y : array-like of shape (n_inputs,)
        True labels: whole numbers other than -1, or strings.

    path : str or path-like
        File to write.

    idx : array-like of int of shape (n_inputs,), default=None
        Place of each input in its data set; None counts from 0.

    time : array-like of float of shape (n_inputs,), default=None
        Seconds spent on each input, written as h:mm:ss.ffffff; None writes 0.

    Raises
    ------
    ValueError
        If lengths differ, if a radius is infinite, negative or NaN, if a label cannot
        be written, or if the certificate is a projection. Nothing is written then.

    See Also
    --------
    read_log : Reads the file.

    Notes
    -----
    An input without a certified radius is written as predict -1, radius 0.0, whatever
    the abstain label. Radii are rounded down to 6 significant digits, so that what
    is written is certified too. If sigma was an array they are in units of sigma, which
    the format has no place to say.

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
    write_whole(path, certification_text(certificate, y, idx=idx, time=time))


def certification_text(certificate, y=None, *, idx=None, time=None):
    """Return what `write_log` writes; without labels, idx, predict and radius only."""
    if getattr(certificate, "projected", False):
        raise ValueError("a projection certifies nothing: there is nothing to log.")
    prediction, radius = certificate
    prediction, radius = np.asarray(prediction), np.asarray(radius, dtype=float)
    idx = np.arange(len(radius)) if idx is None else column_or_1d(idx)
    time = np.zeros(len(radius)) if time is None else column_or_1d(time)
    check_consistent_length(prediction, radius, idx, time)
    _check_writable(radius, idx, time)
    columns = _answer_columns(prediction, radius > 0, y, idx)
    columns["radius"] = [radius_text(one) for one in radius]
    if y is not None:
        columns["time"] = [str(timedelta(seconds=float(one))) for one in time]
    return _as_text(columns)


def prediction_text(prediction, certain, y=None, *, idx):
    """Return a log of predictions: idx, predict and, with labels, label and correct."""
    return _as_text(_answer_columns(np.asarray(prediction), certain, y, idx))


def read_log(path):
    """Read a certification or prediction log in the format of the field.

    Copes with what the reference code and its successors have written: times as
    seconds or as h:mm:ss.ffffff, a `correct` that holds something else (it is computed
    anew), further columns such as `basePredict` or `count`, any order of columns, line
    ends of any system, and the last line of a run that was killed.

    Parameters
    ----------
    path : str or path-like
        File to read.

    Returns
    -------
    log : pandas.DataFrame
        One row an input, with the columns of the file and these types: `idx` int;
        `label` and `predict` int, or strings if the file has no numbers there, with -1
        (or "-1") for abstentions; `radius` float, if the file has it; `correct` bool,
        label == predict; `time` float, seconds, if the file has it. Other columns are
        numbers if all of their values are. No rows if the file has none.

    Raises
    ------
    ImportError
        If pandas is not installed.

    ValueError
        If the file is empty, a column is missing or occurs twice, or a value cannot be
        what it should be: the message names file and line.

    Warns
    -----
    UserWarning
        If the last line is incomplete, and so left out. A last line without a line
        end counts as complete if all values are there and it ends with the time.

    See Also
    --------
    write_log : Writes such files.
    certified_accuracy_table : Certified accuracies from several logs.

    References
    ----------
    J. Cohen, E. Rosenfeld, J. Z. Kolter (2019), arXiv:1902.02918, and the code
    published with it.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from sksmooth.logs import read_log, write_log
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "sigma_0.25"
    ...     write_log(([3, 1, -1], [0.75, 0.25, 0.0]), [3, 2, 2], path)
    ...     read_log(path)
       idx  label  predict  radius  correct  time
    0    0      3        3    0.75     True   0.0
    1    1      2        1    0.25    False   0.0
    2    2      2       -1    0.00    False   0.0
    """
    pd = _import_pandas("read_log")
    columns, rows, numbers = _read_rows(path)
    cells = {name: [row[k] for row in rows] for k, name in enumerate(columns)}

    def parsed(name, parse, dtype):
        return _parse_column(path, name, cells[name], numbers, parse, dtype)

    kind = _label_kind(cells["label"] + cells["predict"])
    log = {name: _numbers_or_texts(texts) for name, texts in cells.items()}
    log["idx"] = parsed("idx", _whole, np.int64)
    log["label"], log["predict"] = parsed("label", *kind), parsed("predict", *kind)
    log["correct"] = (log["label"] == log["predict"]).astype(bool)
    for name, parse in [("radius", _radius), ("time", _seconds)]:
        if name in cells:
            log[name] = parsed(name, parse, np.float64)
    return pd.DataFrame(log)


def certified_accuracy_table(logs, radii):
    """Certified accuracy of several logs at several radii.

    Parameters
    ----------
    logs : dict of str to path-like or pandas.DataFrame
        Name of each row, and its log: a file, or what `read_log` returned.

    radii : array-like of float of shape (n_radii,)
        l2 radii, >= 0, in the units of the logs.

    Returns
    -------
    table : pandas.DataFrame
        Share of the inputs with label == predict and radius >= r, in [0, 1]: one row
        a log, one column a radius. NaN for a log without rows.

    Raises
    ------
    ImportError
        If pandas is not installed.

    ValueError
        If a radius is negative or not finite, if a log has no radii, or if a file
        cannot be read as a log.

    See Also
    --------
    format_table : The table as Markdown or LaTeX, best values marked.

    References
    ----------
    J. Cohen, E. Rosenfeld, J. Z. Kolter (2019), arXiv:1902.02918, section 4 and
    table 1.

    Examples
    --------
    >>> import pandas as pd
    >>> from sksmooth.logs import certified_accuracy_table
    >>> small = {"label": [0, 1, 1], "predict": [0, 1, 0], "radius": [0.4, 0.2, 0.1]}
    >>> large = {"label": [0, 1, 1], "predict": [0, -1, 0], "radius": [0.9, 0.0, 0.3]}
    >>> logs = {"0.25": pd.DataFrame(small), "0.50": pd.DataFrame(large)}
    >>> certified_accuracy_table(logs, [0, 0.25, 0.5]).round(2)
    radius  0.00  0.25  0.50
    0.25    0.67  0.33  0.00
    0.50    0.33  0.33  0.33
    """
    pd = _import_pandas("certified_accuracy_table")
    radii = np.atleast_1d(check_radius(radii, "radii"))
    rows = {}
    for name, log in logs.items():
        robust = robust_radii(log, f"log {name!r}")
        reached = len(robust) - np.searchsorted(np.sort(robust), radii, side="left")
        rows[name] = (
            reached / len(robust) if len(robust) else np.full(len(radii), np.nan)
        )
    columns = pd.Index(radii, name="radius")
    return pd.DataFrame.from_dict(rows, orient="index", columns=columns)


def prediction_table(logs, reference):
    """How often predictions are right, and agree with a run of many more votes.

    Parameters
    ----------
    logs : dict of str to path-like or pandas.DataFrame
        Name of each row, and its log: a file, or what `read_log` returned.

    reference : path-like or pandas.DataFrame
        Log of a run whose predictions stand for g(x). It has all `idx` of the others.

    Returns
    -------
    table : pandas.DataFrame
        One row a log, with the shares of five kinds of answers, which add up to 1:
        correct or incorrect (label == predict), each accurate or inaccurate (the
        reference predicts the same), and abstentions.

    Raises
    ------
    ImportError
        If pandas is not installed.

    ValueError
        If the reference lacks an input of a log, or has one twice.

    Notes
    -----
    Where the reference abstains, g(x) is not known and an answer counts as inaccurate.

    References
    ----------
    J. Cohen, E. Rosenfeld, J. Z. Kolter (2019), arXiv:1902.02918, section 4
    ("Prediction") and appendix E.

    Examples
    --------
    >>> import pandas as pd
    >>> from sksmooth.logs import prediction_table
    >>> idx, label = range(4), [0, 1, 1, 2]
    >>> few = pd.DataFrame({"idx": idx, "label": label, "predict": [0, -1, 0, 2]})
    >>> many = pd.DataFrame({"idx": idx, "label": label, "predict": [0, 1, 0, 1]})
    >>> prediction_table({"100": few}, many).T
                            100
    correct, accurate      0.25
    correct, inaccurate    0.25
    incorrect, accurate    0.25
    incorrect, inaccurate  0.00
    abstain                0.25
    """
    pd = _import_pandas("prediction_table")
    reference = _as_log(reference)
    if not reference["idx"].is_unique:
        raise ValueError("the reference log has an idx twice.")
    truth = reference.set_index("idx")["predict"]
    rows = {}
    for name, log in logs.items():
        log = _as_log(log)
        missing = log.loc[~log["idx"].isin(truth.index), "idx"]
        if len(missing):
            raise ValueError(
                f"log {name!r} has inputs that the reference lacks, such as idx "
                f"{missing.iloc[0]}."
            )
        answer = log["predict"].to_numpy()
        abstains = np.isin(answer.astype(str), str(_ABSTAIN))
        correct = (log["label"].to_numpy() == answer) & ~abstains
        accurate = (truth.loc[log["idx"]].to_numpy() == answer) & ~abstains
        rows[name] = {
            "correct, accurate": np.mean(correct & accurate),
            "correct, inaccurate": np.mean(correct & ~accurate),
            "incorrect, accurate": np.mean(~correct & accurate),
            "incorrect, inaccurate": np.mean(~correct & ~accurate & ~abstains),
            "abstain": np.mean(abstains),
        }
    return pd.DataFrame.from_dict(rows, orient="index")


def mark_best(table, *, digits=2, mark="**{}**"):
    """Format a table of accuracies and mark the highest value of each column.

    Parameters
    ----------
    table : pandas.DataFrame
        Numbers, such as :func:`certified_accuracy_table` returns.

    digits : int, default=2
        Decimals.

    mark : str, default="**{}**"
        What surrounds the best values: bold in Markdown by default; for LaTeX use
        ``r"\\textbf{{{}}}"``.

    Returns
    -------
    marked : pandas.DataFrame
        Strings. Values that look the same are all marked; 0 never is. NaN is "-".

    See Also
    --------
    format_table : The same as one text.

    Examples
    --------
    >>> import pandas as pd
    >>> from sksmooth.logs import mark_best
    >>> table = pd.DataFrame({0.0: [0.748, 0.652], 0.5: [0.428, 0.414]}, ["a", "b"])
    >>> mark_best(table)
            0.0       0.5
    a  **0.75**  **0.43**
    b      0.65      0.41
    """

    def mark_column(column):
        texts = ["-" if value != value else f"{value:.{digits}f}" for value in column]
        numbers = [float(text) for text in texts if text != "-"]
        best = max(numbers, default=0)
        return [
            mark.format(text) if text != "-" and float(text) == best > 0 else text
            for text in texts
        ]

    return table.apply(mark_column).astype(object)


def format_table(table, *, style="markdown", digits=2):
    """Return a table of accuracies as Markdown or LaTeX, best values in bold.

    Parameters
    ----------
    table : pandas.DataFrame
        Numbers, such as :func:`certified_accuracy_table` returns.

    style : {"markdown", "latex"}, default="markdown"
        LaTeX needs the package booktabs. Names are passed on as they are, so they may
        hold mathematics, and have to escape what LaTeX takes for a command.

    digits : int, default=2
        Decimals.

    Returns
    -------
    text : str
        Ends with a line end.

    Raises
    ------
    ValueError
        If the style is not known.

    See Also
    --------
    mark_best : The marked values as a data frame, for its other formats.

    Examples
    --------
    >>> import pandas as pd
    >>> from sksmooth.logs import format_table
    >>> table = pd.DataFrame({0.0: [0.748, 0.652], 0.5: [0.428, 0.414]}, ["a", "b"])
    >>> print(format_table(table))
    |    |      0.0 |      0.5 |
    |:---|---------:|---------:|
    | a  | **0.75** | **0.43** |
    | b  |     0.65 |     0.41 |
    >>> print(format_table(table, style="latex"))
    \\begin{tabular}{lrr}
    \\toprule
     & 0.0 & 0.5 \\\\
    \\midrule
    a & \\textbf{0.75} & \\textbf{0.43} \\\\
    b & 0.65 & 0.41 \\\\
    \\bottomrule
    \\end{tabular}
    """
    if style not in ("markdown", "latex"):
        raise ValueError(f"style must be 'markdown' or 'latex', got {style!r}.")
    latex = style == "latex"
    marked = mark_best(
        table, digits=digits, mark=r"\textbf{{{}}}" if latex else "**{}**"
    )
    corner = "" if table.columns.name is None else str(table.columns.name)
    head = [corner, *map(str, table.columns)]
    rows = [
        [str(name), *values]
        for name, values in zip(marked.index, marked.to_numpy(), strict=True)
    ]
    if latex:
        lines = [
            rf"\begin{{tabular}}{{l{'r' * (len(head) - 1)}}}",
            r"\toprule",
            " & ".join(head) + r" \\",
            r"\midrule",
            *(" & ".join(row) + r" \\" for row in rows),
            r"\bottomrule",
            r"\end{tabular}",
        ]
        return "\n".join(lines) + "\n"
    width = [max(2, *map(len, column)) for column in zip(head, *rows, strict=True)]

    def line(row):
        cells = [row[0].ljust(width[0])]
        cells += [cell.rjust(w) for cell, w in zip(row[1:], width[1:], strict=True)]
        return "| " + " | ".join(cells) + " |"

    rule = [":" + "-" * (width[0] + 1), *("-" * (w + 1) + ":" for w in width[1:])]
    return "\n".join([line(head), f"|{'|'.join(rule)}|", *map(line, rows)]) + "\n"


def robust_radii(log, name="the log"):
    """Return the radius of each input of a log, -inf where it is wrong or abstains.

    Parameters
    ----------
    log : path-like or pandas.DataFrame

    name : str
        What an error calls it.

    Returns
    -------
    radii : ndarray of float of shape (n_inputs,)

    Raises
    ------
    ValueError
        If the log has no radii.
    """
    log = _as_log(log)
    for column in ("label", "predict", "radius"):
        if column not in log:
            raise ValueError(
                f"{name} has no column {column!r}, only {list(log.columns)}: certified "
                "accuracy needs the log of a certification."
            )
    correct = (log["label"] == log["predict"]).to_numpy()
    return np.where(correct, log["radius"].to_numpy(dtype=float), -np.inf)


def _import_pandas(caller):
    try:
        import pandas
    except ImportError as error:
        raise ImportError(f"{caller} needs pandas: pip install pandas.") from error
    return pandas


def _as_log(log):
    return log if hasattr(log, "columns") else read_log(log)


def _answer_columns(prediction, certain, y, idx):
    """Return the columns about answers, as texts; -1 where they are not certain."""
    answer = np.full(len(prediction), str(_ABSTAIN), dtype=object)
    columns = {"idx": [str(int(one)) for one in idx]}
    if y is not None:
        y = column_or_1d(y)
        check_consistent_length(y, prediction)
        if len(y):
            check_same_kind(y, prediction)
        columns["label"] = label_texts(y)
    answer[certain] = label_texts(prediction[certain])
    columns["predict"] = answer
    if y is not None:
        right = [a == b for a, b in zip(columns["label"], answer, strict=True)]
        columns["correct"] = [str(int(one)) for one in right]
    return columns


def _as_text(columns):
    """Return columns of texts as a log, in the order of the format."""
    names = [name for name in _HEADER if name in columns]
    rows = zip(*(columns[name] for name in names), strict=True)
    return "".join("\t".join(line) + "\n" for line in [names, *rows])


def _check_writable(radius, idx, time):
    bad = np.flatnonzero(~(np.isfinite(radius) & (radius >= 0)))
    if len(bad):
        raise ValueError(
            f"the radius of input {bad[0]} is {radius[bad[0]]}: the format holds only "
            "finite radii >= 0. An exact certificate may be infinite: clip it."
        )
    if len(idx) and np.any(idx != np.floor(idx)):
        raise ValueError("idx must hold whole numbers.")
    if not np.all(np.isfinite(time) & (time >= 0)):
        raise ValueError("time must hold finite numbers of seconds >= 0.")


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
            if _is_whole(text):
                raise ValueError(
                    f"label {text!r} would be read as a number: convert y to int."
                )
        return texts
    if labels.dtype.kind == "b":
        labels = labels.astype(int)
    if any(label != np.floor(label) for label in labels):
        raise ValueError("labels must be whole numbers or strings to be written.")
    if any(label == _ABSTAIN for label in labels):
        raise ValueError(
            "a label -1 means an abstention in a log: encode the labels as 0, 1, ... "
            "before fit, for instance with LabelEncoder."
        )
    return [str(int(label)) for label in labels]


def radius_text(radius):
    if radius == 0:
        return "0.0"
    # Decimals that leave this many significant digits.
    decimals = _DIGITS - 1 - int(np.floor(np.log10(radius)))
    return round_down(radius, decimals)


def write_whole(path, text):
    """Write a file that appears under its name only when it is complete."""
    path = os.path.realpath(path)
    folder, name = os.path.split(path)
    part = os.path.join(folder, f".{name}.{uuid.uuid4().hex}.part")
    try:
        with open(part, "x", encoding="utf-8", newline="\n") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        os.replace(part, path)
    except BaseException:
        if os.path.exists(part):
            os.remove(part)
        raise


def _read_rows(path):
    """Return the columns of a log, its rows as lists of texts, and their lines."""
    with open(path, encoding="utf-8-sig") as file:
        text = file.read()
    lines = [(k, line) for k, line in enumerate(text.split("\n"), 1) if line.strip()]
    if not lines:
        raise ValueError(f"{path} is empty: a log begins with a line of column names.")
    columns = [name.strip() for name in lines[0][1].split("\t")]
    missing = [name for name in _REQUIRED if name not in columns]
    if missing:
        raise ValueError(
            f"{path} has no column {', '.join(map(repr, missing))}: its first line "
            f"names {columns}, and a log needs at least {_REQUIRED}, separated by tabs."
        )
    if len(set(columns)) < len(columns):
        raise ValueError(f"{path} has a column twice: {columns}.")
    rows, numbers = [], []
    for number, line in lines[1:]:
        row = [cell.strip() for cell in line.split("\t")]
        is_last = number == lines[-1][0]
        unended = is_last and not text.endswith("\n")
        if is_last and len(row) <= len(columns) and _is_cut(row, columns, unended):
            warnings.warn(
                f"{path}, line {number}: the last line {line!r} is incomplete, as "
                "after a run that was killed, and is left out.",
                UserWarning,
                stacklevel=3,
            )
            continue
        if len(row) != len(columns):
            raise ValueError(
                f"{path}, line {number}: expected {len(columns)} values separated by "
                f"tabs, got {len(row)}: {line!r}."
            )
        rows.append(row)
        numbers.append(number)
    return columns, rows, numbers


def _is_cut(row, columns, unended):
    """Does the last line look as if its end were missing?"""
    if len(row) < len(columns) or not row[-1]:
        return True
    if not unended:
        return False
    if columns[-1] == "time":
        try:
            _seconds(row[-1])
        except ValueError:
            return True
    return columns[-1] not in _EXPENDABLE


def _parse_column(path, name, texts, numbers, parse, dtype):
    values = []
    for text, number in zip(texts, numbers, strict=True):
        try:
            values.append(parse(text))
        except ValueError as error:
            raise ValueError(
                f"{path}, line {number}: {name} is {text!r}, but {error}."
            ) from None
    return np.array(values, dtype=dtype)


def _label_kind(texts):
    """Return how to parse labels: as texts if no class among them is a number."""
    whole = [_is_whole(text) for text in texts]
    numbers = [text for text, is_whole in zip(texts, whole, strict=True) if is_whole]
    if not all(whole) and all(_whole(text) == _ABSTAIN for text in numbers):
        return _text, object
    return _whole, np.int64


def _is_whole(text):
    try:
        _whole(text)
    except ValueError:
        return False
    return True


def _whole(text):
    # A class may have been written as 3.0, as pandas does beside a missing value.
    match = re.fullmatch(r"([+-]?\d+)(\.0*)?", text)
    if not match:
        raise ValueError("must be a whole number")
    return int(match[1])


def _text(text):
    if not text:
        raise ValueError("must not be empty")
    return text


def _radius(text):
    try:
        radius = float(text)
    except ValueError:
        raise ValueError("must be a number") from None
    if not (np.isfinite(radius) and radius >= 0):
        raise ValueError("must be finite and >= 0")
    return radius


def _seconds(text):
    clock = _CLOCK.fullmatch(text)
    if clock:
        days, hours, minutes, seconds = clock.groups(default="0")
        return ((int(days) * 24 + int(hours)) * 60 + int(minutes)) * 60 + float(seconds)
    try:
        return float(text)
    except ValueError:
        raise ValueError("must be seconds or h:mm:ss") from None


def _numbers_or_texts(texts):
    for dtype in (np.int64, np.float64):
        try:
            return np.array([dtype(text) for text in texts], dtype=dtype)
        except ValueError:
            continue
    return np.array(texts, dtype=object)
