"""Tables, .csv and .parquet, and what is wrong with those that cannot be read."""

import io
import warnings
from contextlib import contextmanager

import click

from .._optional import optional
from ._streams import say
from ._unpacking import check_unpacked

_READ = " to be read"


def read_csv(path, label, inputs, limit):
    pandas = optional("pandas", path, to=_READ, extra="cli")
    with open(path, "rb") as file, _explained(pandas, path):
        # What comes out of a pipe can be read once.
        content = file if file.seekable() else io.BytesIO(file.read())

        def read(**how):
            content.seek(0)
            return pandas.read_csv(content, **how)

        _check_separator(read(nrows=0).columns)
        _check_width(pandas, read)
        frame = _read_typed(pandas, read)
        texts = [k for k in range(frame.shape[1]) if _holds_text(frame.iloc[:, k])]
        if texts:
            written = _read_written(read, texts)
            _note_words(frame.iloc[:, texts], written, path)
            for k, place in enumerate(texts):
                frame.isetitem(place, written.iloc[:, k])
    return _split(frame, path, label)


def read_parquet(path, label, inputs, limit):
    pandas = optional("pandas", path, to=_READ, extra="cli")
    pyarrow = optional("pyarrow", path, to=_READ)
    try:
        found = optional("pyarrow.parquet", path, to=_READ).read_metadata(path)
        # A value that is repeated is stored once, and needs its 8 bytes each time.
        check_unpacked(path, 8 * found.num_rows * found.num_columns, limit)
        frame = pandas.read_parquet(path)
    except (pyarrow.ArrowException, OSError) as error:
        raise ValueError(
            f"{path} cannot be read as a Parquet file, or not to its end: {error}"
        ) from error
    return _split(frame, path, label)


class _Misread(ValueError):
    """A table would be read, but not as it is meant."""


@contextmanager
def _explained(pandas, path):
    try:
        yield
    except _Misread as error:
        raise ValueError(f"{path}: {error}") from None
    except UnicodeDecodeError:
        raise ValueError(f"{path} {_not_utf8(path)}") from None
    except pandas.errors.EmptyDataError:
        raise ValueError(
            f"{path} is empty: its first line has to name the columns, and each of the "
            "others holds one input."
        ) from None
    except (pandas.errors.ParserError, ValueError) as error:
        raise ValueError(
            f"{path} cannot be read as a table of values separated by commas: {error}"
        ) from error


def _check_separator(columns):
    """Refuse a table in one column that seems to be one in several."""
    for mark, told in [(";", "';'"), ("\t", "tabs")]:
        if len(columns) == 1 and mark in str(columns[0]):
            raise _Misread(
                f"values seem to be separated by {told}: save them separated by commas."
            )


def _check_width(pandas, read):
    """Refuse lines with values that have no name.

    The first values of each line would become names of rows, and the columns shifted.
    """
    try:
        read(header=None, nrows=2, dtype=str)
    except pandas.errors.ParserError as error:
        if "Expected" not in str(error):
            raise
        raise _Misread(
            "lines have more values than the first line has names (a comma at their "
            "end, or row names without a head): remove them, or name them."
        ) from None


def _read_typed(pandas, read):
    """Read a table, its columns of the types that pandas finds."""
    with warnings.catch_warnings():
        # Columns of mixed types, of which it tells, are read again as texts.
        warnings.simplefilter("ignore", pandas.errors.DtypeWarning)
        return read()


def _read_written(read, places):
    """Read some columns as texts, of which only an empty one is missing.

    By default None, NA, null and other words are missing, too: right for numbers, but
    in a text they may be what the cell says.
    """
    return read(usecols=places, dtype=str, keep_default_na=False, na_values=[""])


def _holds_text(column):
    return column.dtype.kind == "O" and any(isinstance(one, str) for one in column)


def _note_words(typed, written, path):
    """Say which words are taken as written that elsewhere stand for missing values."""
    for k, name in enumerate(typed.columns):
        words = written.iloc[:, k][typed.iloc[:, k].isna().to_numpy()].dropna().unique()
        if len(words):
            say(
                f"Note: {path}: {', '.join(map(repr, words))} in the column {name!r} "
                "is taken for a text: if it means a missing value, leave its cell "
                "empty."
            )


def _split(frame, path, label):
    if label is None:
        return frame, None
    if label not in frame.columns:
        raise click.UsageError(
            f"{path} has no column {label!r} for --label, only "
            f"{', '.join(map(str, frame.columns))}."
        )
    return frame.drop(columns=label), frame[label].to_numpy()


def _not_utf8(path):
    """Say where a text is not UTF-8, and how to make it so."""
    with open(path, "rb") as file:
        content = file.read()
    name, start = "latin1", 0
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        name = "utf-16"
    try:
        content.decode()
    except UnicodeDecodeError as error:
        start = error.start
    line = content.count(b"\n", 0, start) + 1
    return (
        f"is no UTF-8 text: byte 0x{content[start]:02x} in line {line}. Save it as "
        "UTF-8: in a spreadsheet choose 'CSV UTF-8', or, if the text is in "
        f"{name}, run: iconv -f {name} -t utf-8"
    )
