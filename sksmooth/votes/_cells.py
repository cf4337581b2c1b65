"""What the cells of a data frame hold, in bytes that depend on nothing else.

They key the noise of a row and tell rows apart, so different content must give
different bytes: not what numpy prints of a long array. And equal content must give
equal bytes in every process: not the address that an object prints. Content that
cannot be told apart in this way is refused.
"""

import datetime
import decimal
import enum
import fractions
import pathlib
import uuid
from collections import OrderedDict
from hashlib import blake2b

import narwhals as nw
import numpy as np

# First in every tuple made here, so that none is equal to a tuple of the user's.
_MARK = ...

# Their repr is all they hold. Of types made from them that is not known: what they
# print is their own affair.
_BY_REPR = {type(None), datetime.date, datetime.timedelta, uuid.UUID, range}
_BY_REPR_IN_PANDAS = {"NaTType", "NAType", "Timestamp", "Timedelta", "Period"}


class _Unknown(Exception):
    """Raised for an object whose content is not known."""


def row_contents(table):
    """Return an iterator over the bytes that each row of a frame holds.

    Parameters
    ----------
    table : narwhals DataFrame

    Returns
    -------
    contents : iterator of bytes
        Equal for equal rows, whatever the library: numbers that are equal and of one
        kind (0.0 and -0.0, any two NaN), texts, dates, and arrays, lists and mappings
        of these. A float and an integer, or NaN and None, are different.

    Raises
    ------
    ValueError
        If a cell holds an object whose content is not known.
    """
    columns = [_column(table[:, place]) for place in range(table.shape[1])]
    return (repr(list(row)).encode() for row in zip(*columns, strict=True))


def _column(series):
    dtype = series.dtype
    if dtype.is_integer() or dtype == nw.Boolean:
        return series.to_list()
    if dtype.is_float():
        return [x + 0.0 if isinstance(x, float) else x for x in series.to_list()]
    whole = _whole(dtype)
    if whole != dtype:
        series = series.cast(whole)
    cells = []
    for cell in series.to_list():
        try:
            cells.append(content(cell))
        except (_Unknown, RecursionError) as error:
            what = error.args[0] if isinstance(error, _Unknown) else "itself, nested"
            raise ValueError(
                f"column {series.name!r} holds {what}: rows are distinguished, and "
                "their noise is keyed, by their content, and the content of such an "
                "object is not known. Turn the column into numbers, text, dates, or "
                "arrays, lists or dicts of these, or leave it out."
            ) from None
    return cells


def _whole(dtype):
    """Return the dtype as which all of a column's content reaches Python.

    Python's own dates and times end at microseconds.
    """
    if dtype == nw.Time or getattr(dtype, "time_unit", None) == "ns":
        return nw.Int64()
    if dtype == nw.List:
        return nw.List(_whole(dtype.inner))
    if dtype == nw.Array:
        return nw.Array(_whole(dtype.inner), dtype.size)
    if dtype == nw.Struct:
        return nw.Struct([nw.Field(f.name, _whole(f.dtype)) for f in dtype.fields])
    return dtype


def content(cell):
    """Return an object whose repr says what a cell holds, and nothing else.

    Raises
    ------
    _Unknown
        With words for what the cell holds, if that is not known.
    """
    kind = type(cell)
    if kind in (str, bytes, int, bool):
        return cell
    if kind is float:
        return cell + 0.0  # 0.0 for -0.0
    if kind in _BY_REPR:
        return cell
    if kind in (datetime.datetime, datetime.time):
        return _time(cell)
    if kind.__module__.partition(".")[0] == "pandas":
        return _of_pandas(cell)
    if isinstance(cell, enum.Enum):
        return _MARK, kind.__module__, kind.__qualname__, content(cell.value)
    if isinstance(cell, np.generic):
        return _scalar(cell)
    if isinstance(cell, np.ndarray):
        return _array(cell)
    if kind.__module__.partition(".")[0] == "torch" and hasattr(cell, "detach"):
        return _MARK, "tensor", str(cell.dtype), _array(_of_torch(cell))
    return _of_python(cell)


def _of_python(cell):
    """Do what ``content`` does for Python's own types and what is made from them."""
    match cell:
        case str():
            return str.__str__(cell)
        case bytes():
            return bytes.__add__(cell, b"")
        case bytearray():
            return _MARK, "bytearray", bytes(cell)
        case int():
            return int.__add__(cell, 0)
        case float():
            return float.__add__(cell, 0.0)
        case complex():
            return _MARK, "complex", cell.real + 0.0, cell.imag + 0.0
        case decimal.Decimal():
            return _decimal(cell)
        case fractions.Fraction():
            return _MARK, "Fraction", cell.numerator, cell.denominator
        case pathlib.PurePath():
            return _MARK, type(cell).__name__, pathlib.PurePath.__str__(cell)
        case tuple():
            return tuple(content(part) for part in cell)
        case list():
            return [content(part) for part in cell]
        case set() | frozenset():
            return _MARK, "set", sorted((content(part) for part in cell), key=repr)
        case dict():
            pairs = [(content(key), content(value)) for key, value in cell.items()]
            in_order = sorted(pairs, key=repr)
            if isinstance(cell, OrderedDict) and repr(pairs) != repr(in_order):
                return _MARK, "OrderedDict", pairs
            return _MARK, "dict", in_order
    raise _Unknown(f"objects of type {type(cell).__module__}.{type(cell).__qualname__}")


def _time(cell):
    """Return a time, or a date and time, with what its time zone says of it."""
    if cell.tzinfo is None:
        return cell
    offset, naive = cell.utcoffset(), cell.replace(tzinfo=None)
    return _MARK, naive, content(offset), cell.tzname()


def _of_pandas(cell):
    name = type(cell).__name__
    if name in _BY_REPR_IN_PANDAS:
        return cell
    if name == "Interval":
        return _MARK, name, content(cell.left), content(cell.right), cell.closed
    raise _Unknown(f"objects of type pandas.{name}")


def _of_torch(tensor):
    try:
        tensor = tensor.detach().cpu()
        return (tensor.double() if tensor.is_floating_point() else tensor).numpy()
    except (RuntimeError, TypeError):
        raise _Unknown(f"tensors of dtype {tensor.dtype}, {tensor.layout}") from None


def _decimal(cell):
    """Return sign, digits and exponent; the same for equal numbers."""
    if not cell.is_finite():
        return _MARK, "Decimal", str(cell)
    sign, digits, exponent = cell.as_tuple()
    if not cell:
        return _MARK, "Decimal", 0
    kept = "".join(map(str, digits)).lstrip("0").rstrip("0")
    exponent += len("".join(map(str, digits)).lstrip("0")) - len(kept)
    return _MARK, "Decimal", sign, kept, exponent


def _scalar(cell):
    """Do what ``content`` does for NumPy's scalars."""
    if isinstance(cell, (np.bool_, np.str_, np.bytes_)):
        return cell.item()
    if isinstance(cell, np.integer) and not isinstance(cell, np.timedelta64):
        return int(cell)
    if isinstance(cell, np.floating):
        # Long doubles do not fit into a Python float, but print all their digits.
        wide = cell.itemsize > 8
        return (_MARK, "longdouble", str(cell + 0)) if wide else float(cell) + 0.0
    if isinstance(cell, np.complexfloating):
        return _MARK, "complex", _scalar(cell.real), _scalar(cell.imag)
    if isinstance(cell, (np.datetime64, np.timedelta64)):
        return _MARK, str(cell.dtype), str(cell)
    if isinstance(cell, np.void):
        if cell.dtype.names is None:
            return _MARK, "void", cell.tobytes()
        return _MARK, "void", [(n, content(cell[n])) for n in cell.dtype.names]
    raise _Unknown(f"objects of type numpy.{type(cell).__name__}")


def _array(array):
    """Do what ``content`` does for arrays: their shape, and a hash of what is in it."""
    if type(array) not in (np.ndarray, np.memmap, np.matrix):
        raise _Unknown(f"objects of type {type(array).__name__}")
    kind, size = array.dtype.kind, array.dtype.itemsize
    shape = array.shape
    array = np.asarray(array).reshape(-1)  # without a dimension it would be a scalar
    if kind == "f" and size <= 8:
        array = array.astype("<f8") + 0.0
        array[np.isnan(array)] = np.nan
    elif kind == "u" and size == 8 and array.max(initial=0) >= 2**63:
        array = array.astype("<u8")
    elif kind in "iu":
        kind, array = "i", array.astype("<i8")
    elif kind in "mM":
        kind, array = str(array.dtype.newbyteorder("<")), array.astype("<i8")
    elif kind != "b":
        return _MARK, "array", shape, [content(part) for part in array]
    return _MARK, "array", kind, shape, blake2b(array.tobytes()).digest()
