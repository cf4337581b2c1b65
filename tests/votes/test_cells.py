"""What cells hold decides which rows are equal: all of it, and nothing else."""

import datetime
import enum
import os
import pathlib
import subprocess
import sys
import uuid
from collections import OrderedDict, namedtuple
from decimal import Decimal
from fractions import Fraction
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from sksmooth import SmoothedClassifier
from sksmooth.votes._frame_rows import FrameInputs
from tests.helpers import Fixed


def n_distinct(column, library=pd):
    """How many of the rows count as different that differ in this column only."""
    frame = library.DataFrame({"x": [1.0] * len(column), "k": column})
    return len(set(FrameInputs.from_frame(frame, [1.0, 0]).contents()))


def objects(*cells):
    column = np.empty(len(cells), object)
    for place, cell in enumerate(cells):
        column[place] = cell
    return pd.Series(column)


class Colour(enum.Enum):
    RED = 1
    BLUE = 2


class Opaque:
    """Shows its address."""


class Silent(Opaque):
    """Shows nothing."""

    def __repr__(self):
        return "Silent()"


LONG = np.arange(1201.0)
CHANGED = LONG.copy()
CHANGED[600] += 1e-9
NS = [np.datetime64("2020-01-01T00:00:00.000000001"), np.datetime64("2020-01-01")]
Point = namedtuple("Point", "x y")
AB, BA = OrderedDict(a=1, b=2), OrderedDict(b=2, a=1)


class Span(datetime.timedelta):
    """Shows not what it holds, as the three below."""

    __repr__ = Silent.__repr__


class Moment(datetime.datetime):
    __repr__ = Silent.__repr__


class Day(datetime.date):
    __repr__ = Silent.__repr__


class Id(uuid.UUID):
    __repr__ = Silent.__repr__


NEW_YORK = ZoneInfo("America/New_York")
# An hour that comes twice.
TWICE = datetime.datetime(2020, 11, 1, 1, 30, tzinfo=NEW_YORK)

DIFFERENT = {
    "long arrays": (LONG, CHANGED),
    "arrays in lists": ([LONG], [CHANGED]),
    "arrays in dicts": ({"a": [LONG]}, {"a": [CHANGED]}),
    "arrays in tuples in sets of lists": ([(LONG,)], [(CHANGED,)]),
    "arrays of objects": (np.array([LONG, 1], object), np.array([CHANGED, 1], object)),
    "shapes": (np.zeros((2, 3)), np.zeros((3, 2))),
    "kinds": (np.zeros(2), np.zeros(2, bool)),
    "digits": (np.array([1.0]), np.array([np.nextafter(1.0, 2.0)])),
    "long doubles": (
        np.array([np.longdouble(1)]),
        np.array([np.nextafter(np.longdouble(1), np.longdouble(2))]),
    ),
    "long double scalars": (
        np.longdouble(1),
        np.nextafter(np.longdouble(1), np.longdouble(2)),
    ),
    "structured": (np.zeros(2, "f8,i4"), np.ones(2, "f8,i4")),
    "texts in arrays": (np.array(["a" * 99]), np.array(["a" * 98 + "b"])),
    "dates in arrays": (np.array(NS[:1]), np.array(NS[1:])),
    "big integers": (2**70, 2**70 + 1),
    "uint64": (np.array([2**64 - 1], np.uint64), np.array([2**64 - 2], np.uint64)),
    "text and bytes": ("a", b"a"),
    "bytes": (b"a" * 1000, b"a" * 999 + b"b"),
    "decimals": (Decimal("0.1"), Decimal("0.10000000000000000000000000000001")),
    "signs": (Decimal("1"), Decimal("-1")),
    "magnitudes": (Decimal("1E+3"), Decimal("1E+4")),
    "fractions": (Fraction(1, 3), Fraction(2, 3)),
    "dates": (datetime.date(2020, 1, 1), datetime.date(2020, 1, 2)),
    "folds": (TWICE, TWICE.replace(fold=1)),
    "times": (datetime.time(1, 2, 3, 4), datetime.time(1, 2, 3, 5)),
    "timestamps": (pd.Timestamp(1), pd.Timestamp(2)),
    "timedeltas": (pd.Timedelta(1), pd.Timedelta(2)),
    "periods": (pd.Period("2020-01", "M"), pd.Period("2020-02", "M")),
    "intervals": (pd.Interval(0.0, 1.0), pd.Interval(0.0, np.nextafter(1.0, 2))),
    "missing": (None, float("nan"), pd.NaT, pd.NA),
    "enums": (Colour.RED, Colour.BLUE),
    "paths": (pathlib.Path("a"), pathlib.Path("b")),
    "uuids": (uuid.UUID(int=1), uuid.UUID(int=2)),
    "nesting": ([1, [2]], [[1], 2], [1, 2]),
    "empty": ([], (), {}, set(), "", b""),
    "marks": (("array", 1), ["array", 1]),
    "complex": (1 + 2j, 1 + 3j),
    "masks": (np.bool_(True), np.bool_(False)),
    "orders of ordered keys": (AB, BA),
    "no dimensions": (np.array(1.0), np.array(2.0), np.array([1.0]), 1.0),
    "objects without dimensions": (np.array(None), np.array("a"), np.array(b"a")),
}
EQUAL = {
    "zeros": (0.0, -0.0, np.float64(-0.0), np.float32(0)),
    "zeros in arrays": (np.array([0.0]), np.array([-0.0])),
    "zeros in lists": ([0.0, (0.0, {1: 0.0})], [-0.0, (-0.0, {1: -0.0})]),
    "NaN": (float("nan"), np.nan, np.float32("nan"), -float("nan")),
    "NaN in arrays": (np.array([np.nan]), np.array([-np.nan])),
    "copies": (LONG, LONG.copy(), LONG[::-1][::-1], LONG.astype(">f8")),
    "layouts": (np.eye(3), np.asfortranarray(np.eye(3)), np.eye(6)[:3, :3]),
    "widths": (np.arange(3, dtype=np.int8), np.arange(3), np.arange(3, dtype="u8")),
    "orders of keys": ({"a": 1, "b": 2}, {"b": 2, "a": 1}, OrderedDict(a=1, b=2)),
    "sets": ({"a", "b", "c"}, {"c", "b", "a"}),
    "numbers of NumPy": (3, np.int8(3), np.uint64(3)),
    "texts of NumPy": ("a", np.str_("a")),
    "bytes of NumPy": (b"a", np.bytes_(b"a")),
    "decimals": (Decimal("1.0"), Decimal("1.00"), Decimal("1"), Decimal("10E-1")),
    "zero decimals": (Decimal("0"), Decimal("-0.00")),
    "units": (pd.Timestamp("2020-01-01"), pd.Timestamp("2020-01-01").as_unit("s")),
    "tuples": ((1, 2), Point(1, 2)),
    "NaN without dimensions": (np.array(np.nan), np.array(-np.nan)),
    "widths without dimensions": (np.array(1, "i1"), np.array(1, "u8")),
    "matrices": (np.matrix([[1.0]]), np.array([[1.0]])),
}


@pytest.mark.parametrize("name", DIFFERENT)
def test_different_cells(name):
    cells = DIFFERENT[name]
    assert n_distinct(objects(*cells)) == len(cells)
    assert n_distinct(objects(*[[cell] for cell in cells])) == len(cells)


@pytest.mark.parametrize("name", EQUAL)
def test_equal_cells(name):
    cells = EQUAL[name]
    assert n_distinct(objects(*cells)) == 1
    assert n_distinct(objects(*[(1, [cell]) for cell in cells])) == 1


def test_the_case_that_was_reported():
    frame = pd.DataFrame({"x": [1.0, 1.0], "k": objects(LONG, CHANGED)})
    f = Fixed(lambda X: np.zeros(len(X), int))
    g = SmoothedClassifier(f, sigma=[0.5, 0], n=100, random_state=0)
    assert g.certify(frame).distinct.tolist() == [True, True]


@pytest.mark.parametrize(
    "cell",
    [
        Opaque(),
        Silent(),
        [Opaque()],
        {"a": (1, Opaque())},
        {Opaque()},
        np.array([Opaque()], object),
        lambda: None,
        np.ma.masked_array([1.0], [True]),
        pd.Series([1.0]),
        pd.DataFrame({"a": [1.0]}),
        memoryview(b"a"),
        iter([]),
        Span(1),
        [Moment(2020, 1, 1)],
        Day(2020, 1, 1),
        Id(int=1),
        ...,
    ],
    ids=lambda cell: type(cell).__name__,
)
def test_cells_of_which_it_is_not_known_what_they_hold(cell):
    frame = pd.DataFrame({"x": [1.0, 2.0], "word": ["a", "b"], "k": objects(1, cell)})
    f = Fixed(lambda X: np.zeros(len(X), int))
    g = SmoothedClassifier(f, sigma=[0.5, 0, 0], n=100, random_state=0)
    for ask in (g.predict, g.certify, lambda X: g.fit(X, [0, 1])):
        with pytest.raises(ValueError, match="column 'k' holds .*Turn the column into"):
            ask(frame)


def test_a_cell_that_holds_itself():
    cell = []
    cell.append(cell)
    with pytest.raises(ValueError, match="column 'k' holds itself"):
        n_distinct(objects(cell, cell))


def test_columns_of_polars():
    ns = pl.Series([1, 2, 1002])
    by_two = pl.Series([[1, 2], [1, 3], [1, 1002]])
    columns = [
        ns.cast(pl.Datetime("ns")),
        ns.cast(pl.Datetime("ns", "UTC")),
        ns.cast(pl.Duration("ns")),
        ns.cast(pl.Time),
        ns.cast(pl.Datetime("us")),
        ns.cast(pl.Date),
        ns.cast(pl.Decimal(20, 2)),
        ns.cast(pl.String).cast(pl.Categorical),
        ns.cast(pl.String).cast(pl.Enum(["1002", "2", "1"])),
        ns.cast(pl.String).cast(pl.Binary),
        by_two,
        by_two.cast(pl.List(pl.Datetime("ns"))),
        by_two.cast(pl.List(pl.Time)),
        by_two.cast(pl.Array(pl.Int64, 2)),
        by_two.cast(pl.Array(pl.Int64, 2)).cast(pl.Array(pl.Duration("ns"), 2)),
        pl.Series([{"a": i, "b": None} for i in range(3)]),
        pl.Series([{"a": one.tolist()} for one in (LONG, CHANGED, LONG[:-1])]),
        pl.Series([LONG, CHANGED, LONG[:-1]], dtype=pl.Object),
        pl.Series([1.0, None, float("nan")]),
        pl.Series([None, "", "None"]),
    ]
    for column in columns:
        assert n_distinct(column, pl) == 3, column.dtype
    assert n_distinct(pl.Series([0.0, -0.0]), pl) == 1
    assert n_distinct(pl.Series([[0.0], [-0.0]]), pl) == 1
    with pytest.raises(ValueError, match="column 'k' holds objects"):
        n_distinct(pl.Series([Opaque(), Opaque()], dtype=pl.Object), pl)


def test_columns_of_pandas_and_arrow():
    ns = [pa.timestamp("ns"), pa.duration("ns"), pa.time64("ns")]
    for kind in ns:
        assert n_distinct(pd.array([1, 2], dtype=pd.ArrowDtype(kind))) == 2
        table = pa.table({"x": [1.0, 1.0], "k": pa.array([1, 2], kind)})
        assert len(set(FrameInputs.from_frame(table, [1.0, 0]).contents())) == 2
    lists = pd.array([[1, 2], [1, 3]], dtype=pd.ArrowDtype(pa.list_(pa.int64())))
    assert n_distinct(lists) == 2
    columns = [
        pd.Categorical(["a", "b"], categories=["b", "a", "c"]),
        pd.cut([0.1, 0.9], [0, 0.5, 1]),
        pd.to_datetime([1, 2]),
        pd.to_datetime([1, 2], utc=True),
        pd.to_timedelta([1, 2]),
        pd.period_range("2020", periods=2),
        pd.arrays.SparseArray([0.0, 1.0]),
        pd.array(["a", None], dtype="string"),
        pd.array([1, None], dtype="Int64"),
        np.array([1, 1 + 1j]),
    ]
    for column in columns:
        assert n_distinct(column) == 2, column
    # What the categories are besides is no content of a row.
    more = pd.Categorical(["a"], categories=["z", "a"])
    frames = [pd.DataFrame({"x": [1.0], "k": k}) for k in (more, pd.Categorical(["a"]))]
    one, other = (list(FrameInputs.from_frame(f, [1.0, 0]).contents()) for f in frames)
    assert one == other


def test_tensors_in_cells():
    torch = pytest.importorskip("torch")
    long, changed = torch.arange(2000.0), torch.arange(2000.0)
    changed[1000] = -1
    grad = long.clone().requires_grad_()
    assert n_distinct(objects(long, changed, long.clone(), grad)) == 2
    assert n_distinct(objects(long.bfloat16(), long.bfloat16() + 1)) == 2
    with pytest.raises(ValueError, match="column 'k' holds tensors of"):
        n_distinct(objects(torch.eye(3).to_sparse()))


def test_contents_are_the_same_in_every_process():
    """Hashes of texts, orders of sets and addresses differ between processes."""
    code = (
        "from tests.votes.test_cells import *\n"
        "cells = [cell for part in [*DIFFERENT.values(), *EQUAL.values()]"
        " for cell in part]\n"
        "cells += [{str(i) for i in range(50)}, frozenset(range(50))]\n"
        "frame = pd.DataFrame({'x': [1.0] * len(cells), 'k': objects(*cells)})\n"
        "from hashlib import sha256\n"
        "all = b'|'.join(FrameInputs.from_frame(frame, [1.0, 0]).contents())\n"
        "print(sha256(all).hexdigest())"
    )
    prints = {
        subprocess.run(
            [sys.executable, "-c", code],
            capture_output=True,
            text=True,
            check=True,
            env={**os.environ, "PYTHONHASHSEED": seed},
        ).stdout
        for seed in ("1", "2")
    }
    assert len(prints) == 1
    assert len(prints.pop()) == 65
