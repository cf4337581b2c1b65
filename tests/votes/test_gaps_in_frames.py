"""Null and NaN in one column of a frame: two kinds of gap, which f may tell apart."""

import numpy as np
import pandas as pd
import pytest

from sksmooth import SmoothedClassifier
from sksmooth.votes._frame_rows import FrameInputs
from sksmooth.votes._rows import Inputs
from tests.helpers import Fixed, first_equal

pl = pytest.importorskip("polars")
pa = pytest.importorskip("pyarrow")

GAPS = [None, float("nan"), 1.0, None, float("nan")]
B = [1.0] * 5


def arrow_in_pandas(kind="float64"):
    a = pd.arrays.ArrowExtensionArray(pa.chunked_array([pa.array(GAPS, kind)]))
    return pd.DataFrame({"a": a, "b": B})


FRAMES = {
    "polars": lambda: pl.DataFrame({"a": GAPS, "b": B}),
    "polars float32": lambda: pl.DataFrame({"a": GAPS, "b": B}).cast(pl.Float32),
    "pyarrow": lambda: pa.table({"a": pa.array(GAPS), "b": pa.array(B)}),
    "pandas": arrow_in_pandas,
    "pandas float32": lambda: arrow_in_pandas("float32"),
}


def is_null(frame):
    """Of column a, as Arrow itself sees it."""
    column = frame["a"]
    if isinstance(column, pd.Series):
        column = pa.array(column.array._pa_array.to_pylist())
    if isinstance(column, pl.Series):
        return column.is_null().to_numpy()
    return column.is_null().to_numpy(zero_copy_only=False)


def null_says_one(frame):
    return is_null(frame).astype(int)


@pytest.mark.parametrize("kind", FRAMES)
class TestNullAndNaN:
    def test_key_different_noise(self, kind):
        inputs = FrameInputs.from_frame(FRAMES[kind](), 0.3)
        assert first_equal(inputs) == [0, 1, 2, 0, 1]
        for rows in (slice(0, 1), slice(1, 3)):  # whatever the other rows hold
            some = list(inputs.contents())[rows]
            assert list(inputs.take(rows).contents()) == some

    @pytest.mark.parametrize("sigma", [0.3, [0.3, 0]], ids=str)
    def test_are_the_same_in_every_copy(self, kind, sigma):
        inputs = FrameInputs.from_frame(FRAMES[kind](), sigma)
        rows = np.array([1, 0, 2, 2, 4, 3])
        copies = inputs.assemble(inputs.values[rows] + 0.5, rows)
        assert is_null(copies).tolist() == [False, True, False, False, False, True]
        a = np.array(copies["a"].to_numpy(), dtype=float)
        np.testing.assert_array_equal(a, [np.nan, np.nan, 1.5, 1.5, np.nan, np.nan])

    @pytest.mark.parametrize("options", [{}, {"grid": "auto"}], ids=str)
    def test_get_votes_of_their_own(self, kind, options, tmp_path):
        f = Fixed(null_says_one)
        g = SmoothedClassifier(f, sigma=0.3, n=100, random_state=0, **options)
        frame = FRAMES[kind]()
        take = frame.slice if not isinstance(frame, pd.DataFrame) else None
        assert g.certify(frame).prediction.tolist() == [1, 0, 0, 1, 0]
        for row, expected in ((0, 1), (1, 0)):
            one = take(row, 1) if take else frame[row : row + 1]
            c = g.certify(one, store=tmp_path / "votes")
            assert c.prediction.tolist() == [expected]


def test_without_nulls_the_bytes_are_those_of_an_array():
    values = np.array([[1.0, np.nan], [2.0, 3.0]])
    expected = list(Inputs.from_array(values, 0.3).contents())
    for frame in (pl.DataFrame(values, ["a", "b"]), pd.DataFrame(values)):
        assert list(FrameInputs.from_frame(frame, 0.3).contents()) == expected
    # And of a row without, whatever nulls there are in others.
    frame = pl.DataFrame({"a": [None, 2.0], "b": [1.0, 3.0]})
    assert list(FrameInputs.from_frame(frame, 0.3).contents())[1] == expected[1]
