"""Tables, .csv and .parquet, and what is wrong with those that cannot be read."""

import click

from .._optional import optional
from ._unpacking import check_unpacked

_READ = " to be read"


def read_csv(path, label, inputs, limit):
    pandas = optional("pandas", path, to=_READ, extra="cli")
    try:
        frame = pandas.read_csv(path)
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
