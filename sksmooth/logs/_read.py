"""Read logs, whoever wrote them."""

import re
import warnings
from contextlib import suppress

import numpy as np

from .._labels import check_same_kind
from .._optional import optional
from ._beside import ATTRIBUTE, read_beside
from ._format import ABSTAIN, HEADER, is_abstention, is_whole, plain_number, whole

_REQUIRED = HEADER[:3]
# Nothing is computed from these, so it does no harm if their last digits are cut off.
_EXPENDABLE = ("correct", "time")
_CLOCK = re.compile(
    r"(?:([0-9]+) days?, )?([0-9]+):([0-9][0-9]):([0-9][0-9](?:\.[0-9]*)?)"
)


def read_log(path):
    """Read a certification or prediction log in the Cohen log format.

    Reads everything that the reference code and its successors have written: times as
    seconds or as h:mm:ss.ffffff, a `correct` that holds something else (it is
    recomputed), extra columns such as `basePredict` or `count`, any order of columns,
    line ends of any system, and the last line of a run that was killed.

    Parameters
    ----------
    path : str or path-like
        File to read.

    Returns
    -------
    log : pandas.DataFrame
        One row per input, with the columns of the file and these types: `idx` int;
        `label` and `predict` int, or strings if the file has no numbers there, with -1
        (or "-1") for abstentions; `radius` float, if the file has it; `correct` bool,
        label == predict, False for abstentions; `time` float, seconds, if the file has
        it. Other columns are numbers if all of their values are. No rows if the file
        has none. ``log.attrs["run"]`` is a dict of what `write_log` or the command
        line put into the JSON file beside the log (sigma, norm, n, alpha, versions
        and more), if there is one.

    Raises
    ------
    ImportError
        If pandas is not installed.

    ValueError
        If the file is empty or not UTF-8 text, a column is missing or occurs twice, or
        a value is not valid (radii and times must be finite and >= 0, integers have 64
        bits, and digits are 0 to 9), or an abstention has a radius above 0: the message
        names file and line.

    Warns
    -----
    UserWarning
        If the last line is incomplete and therefore left out. A last line without a
        line end counts as complete if all values are there and it ends with the time.
        If the JSON file beside it does not belong to the log as it is now.

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
    pd = optional("pandas", "read_log")
    content = _read_content(path)
    columns, rows, numbers = _read_rows(path, content)
    cells = {name: [row[k] for row in rows] for k, name in enumerate(columns)}

    def parsed(name, parse, dtype):
        return _parse_column(path, name, cells[name], numbers, parse, dtype)

    kind = _label_kind(cells["label"] + cells["predict"])
    log = {name: _numbers_or_texts(texts) for name, texts in cells.items()}
    log["idx"] = parsed("idx", whole, np.int64)
    log["label"], log["predict"] = parsed("label", *kind), parsed("predict", *kind)
    log["correct"] = is_correct(log["label"], log["predict"])
    for name, parse in [("radius", _radius), ("time", _seconds)]:
        if name in cells:
            log[name] = parsed(name, parse, np.float64)
    if "radius" in log:
        check_abstentions(
            log["predict"], log["radius"], lambda row: f"{path}, line {numbers[row]}"
        )
    frame = pd.DataFrame(log)
    beside = read_beside(path, content)
    if beside is not None:
        frame.attrs[ATTRIBUTE] = beside
    return frame


def _read_rows(path, content):
    """Return the columns of a log, its rows as lists of texts, and their lines."""
    text = _as_text(path, content)
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
    rows = [[cell.strip() for cell in line.split("\t")] for _, line in lines[1:]]
    if rows and _is_cut(rows[-1], columns, unended=not text.endswith("\n")):
        number, line = lines.pop()
        rows.pop()
        warnings.warn(
            f"{path}, line {number}: the last line {line!r} is incomplete, as "
            "after a run that was killed, and is left out.",
            UserWarning,
            stacklevel=3,
        )
    for row, (number, line) in zip(rows, lines[1:], strict=True):
        if len(row) != len(columns):
            raise ValueError(
                f"{path}, line {number}: expected {len(columns)} values separated by "
                f"tabs, got {len(row)}: {line!r}."
            )
    return columns, rows, [number for number, _ in lines[1:]]


def _read_content(path):
    with open(path, "rb") as file:
        return file.read()


def _as_text(path, content):
    """Return the text of a file, its lines ended by \\n."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = content[: error.start].replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        raise ValueError(
            f"{path}, line {before.count(bytes([10])) + 1}: byte "
            f"0x{content[error.start]:02x} is not UTF-8 text. If the file is a log, "
            "save it as UTF-8."
        ) from None
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _is_cut(row, columns, unended):
    """Does the last line look as if its end were missing?"""
    if len(row) != len(columns):
        return len(row) < len(columns)
    if not row[-1]:
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
    numbers = [text for text in texts if is_whole(text)]
    if len(numbers) < len(texts) and all(map(is_abstention, numbers)):
        return _text, object
    return whole, np.int64


def _text(text):
    if not text:
        raise ValueError("must not be empty")
    return text


def _radius(text):
    radius = plain_number(text)
    if not (np.isfinite(radius) and radius >= 0):
        raise ValueError("must be finite and >= 0")
    return radius


def _seconds(text):
    clock = _CLOCK.fullmatch(text)
    try:
        parts = [
            plain_number(part) for part in (clock.groups("0") if clock else [text])
        ]
    except ValueError:
        raise ValueError("must be seconds or h:mm:ss") from None
    days, hours, minutes, seconds = [0.0] * (4 - len(parts)) + parts
    seconds += ((days * 24 + hours) * 60 + minutes) * 60
    if not (np.isfinite(seconds) and seconds >= 0):
        raise ValueError("must be finite and >= 0")
    return seconds


def _numbers_or_texts(texts):
    if not any("." in text for text in texts):
        with suppress(ValueError):
            return np.array([whole(text) for text in texts], dtype=np.int64)
    with suppress(ValueError):
        return np.array([plain_number(text) for text in texts], dtype=np.float64)
    return np.array(texts, dtype=object)


def is_correct(label, predict):
    """Return where a class is predicted that is the label, of arrays.

    Raises
    ------
    ValueError
        If labels are texts and answers are numbers, or the other way round.
    """
    check_same_answers(label, predict)
    return (label == predict).astype(bool) & ~is_abstaining(predict)


def check_same_answers(one, other):
    """Raise a ValueError if one array has texts for classes and the other numbers."""
    one, other = (labels[~is_abstaining(labels)] for labels in (one, other))
    if len(one) and len(other):  # -1 stands for no class in either kind
        check_same_kind(one, other)


def is_abstaining(predict):
    """Return where an array of answers, numbers or texts, has no class."""
    if predict.dtype.kind in "iuf":
        return predict == ABSTAIN
    return np.isin(predict.astype(str), str(ABSTAIN))


def check_abstentions(predict, radius, place):
    """Refuse a -1 with a radius, which others may have meant as a class.

    Parameters
    ----------
    predict : ndarray of shape (n_inputs,)

    radius : ndarray of float of shape (n_inputs,)

    place : callable
        ``place(row)`` -> str, where an error says that it is.
    """
    bad = np.flatnonzero(is_abstaining(predict) & (radius > 0))
    if len(bad):
        raise ValueError(
            f"{place(bad[0])}: predict is -1, an abstention, but the radius is "
            f"{radius[bad[0]]:g}. If -1 is a class here, number the classes from 0, "
            "as the format has no place for it; if not, the radius has to be 0."
        )
