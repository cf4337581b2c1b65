import numpy as np
import pandas as pd
import polars as pl
import pytest

from sksmooth.votes._frame_rows import FrameInputs
from sksmooth.votes._rows import Inputs
from tests.helpers import first_equal


def test_equal_rows_have_equal_contents_in_any_layout():
    X = np.random.default_rng(0).normal(size=(5, 4))
    expected = list(Inputs.from_array(X, 1.0).contents())
    assert len(set(expected)) == 5
    for same in (np.asfortranarray(X), X[::-1][::-1], X.copy()):
        assert list(Inputs.from_array(same, 1.0).contents()) == expected
    for frame in (pd.DataFrame(X), pl.DataFrame(X)):
        assert list(FrameInputs.from_frame(frame, 1.0).contents()) == expected
    zeros = Inputs.from_array(np.array([[0.0], [-0.0]]), 1.0)
    assert len(set(zeros.contents())) == 1
    frame = pd.DataFrame({"a": [1.0, 1.0], "b": [0.0, -0.0]})
    assert len(set(FrameInputs.from_frame(frame, [1.0, 0.0]).contents())) == 1


def test_first_equal():
    X = np.array([[1.0, 2.0], [3.0, 4.0], [1.0, 2.0], [1.0, 4.0]])
    assert first_equal(Inputs.from_array(X, 1.0)) == [0, 1, 0, 3]


def mixed(library):
    return library.DataFrame(
        {"a": [1.0, 2.0, 3.0], "k": ["x", "y", "x"], "b": [4.0, 5.0, 6.0]}
    )


@pytest.mark.parametrize("library", [pd, pl])
def test_mixed_frame(library):
    inputs = FrameInputs.from_frame(mixed(library), [0.5, 0, 2.0])
    np.testing.assert_array_equal(inputs.values, [[1, 4], [2, 5], [3, 6]])
    np.testing.assert_array_equal(inputs.sigma, [0.5, 2.0])
    assert inputs.matrix() is None
    copies = inputs.assemble(np.arange(8.0).reshape(4, 2), np.array([0, 0, 2, 1]))
    assert type(copies) is library.DataFrame
    assert list(copies.columns) == ["a", "k", "b"]
    assert list(copies["a"]) == [0, 2, 4, 6]
    assert list(copies["k"]) == ["x", "x", "x", "y"]
    assert list(copies["b"]) == [1, 3, 5, 7]


def test_columns_without_noise_are_part_of_the_content():
    frame = mixed(pd)
    frame["a"] = 1.0
    frame["b"] = 1.0
    contents = list(FrameInputs.from_frame(frame, [1.0, 0, 1.0]).contents())
    assert contents[0] == contents[2] != contents[1]


@pytest.mark.parametrize("library", [pd, pl])
def test_numbers_without_noise_are_in_the_matrix(library):
    frame = library.DataFrame({"i": [1, 2], "f": [0.5, 1.5]})
    X, sigma = FrameInputs.from_frame(frame, [0, 3.0]).matrix()
    np.testing.assert_array_equal(X, [[1, 0.5], [2, 1.5]])
    np.testing.assert_array_equal(sigma, [0, 3])


def test_dtypes_and_index_survive():
    frame = pd.DataFrame({"a": [1.0, 2.0], "b": [3.0, 4.0]}, index=[7, 7])
    frame["a"] = frame["a"].astype("float32")
    inputs = FrameInputs.from_frame(frame, 1.0)
    copies = inputs.assemble(np.zeros((3, 2)), np.array([0, 1, 1]))
    assert copies.dtypes.tolist() == [np.float32, np.float64]
    named_by_numbers = FrameInputs.from_frame(pd.DataFrame(np.zeros((2, 2))), 1.0)
    copies = named_by_numbers.assemble(np.ones((3, 2)), np.array([0, 1, 1]))
    assert copies.columns.tolist() == [0, 1]
    assert np.all(copies == 1)


def test_take():
    inputs = FrameInputs.from_frame(mixed(pd), [1.0, 0, 1.0])
    part = inputs.take(slice(1, 3))
    assert len(part) == 2
    assert list(part.contents()) == list(inputs.contents())[1:]


def test_columns_that_are_not_float():
    frame = pd.DataFrame({"f": [1.0], "i": [1], "c": ["x"], "b": [True]})
    message = r"'i' \(Int64\), 'c' \(.*\), 'b' \(Boolean\).*sigma of 0.*cast"
    with pytest.raises(ValueError, match=message):
        FrameInputs.from_frame(frame, 1.0)
    assert FrameInputs.from_frame(frame, [1.0, 1.0, 0, 0]).counts == (1,)
    with pytest.raises(ValueError, match=r"not: 'b' \(Boolean\)\. "):
        FrameInputs.from_frame(frame, [1.0, 1.0, 0, 1.0])


@pytest.mark.parametrize(
    ("sigma", "message"),
    [
        (-1.0, "finite and not negative"),
        (np.nan, "finite and not negative"),
        ([1.0, np.inf, 1.0], "finite and not negative"),
        ("a", "a number or an array of numbers"),
        ({"a": 0.1}, "a number or an array of numbers"),
        ([1.0, 2.0], r"sigma of shape \(2,\) does not broadcast .* shape \(3,\)"),
    ],
)
def test_bad_sigma(sigma, message):
    with pytest.raises(ValueError, match=message):
        Inputs.from_array(np.zeros((2, 3)), sigma)


def test_sigma_as_a_series_must_follow_the_columns():
    frame = pd.DataFrame({"a": [1.0], "b": [2.0], "k": ["x"]})
    right = pd.Series([0.1, 0.2, 0.0], index=["a", "b", "k"])
    np.testing.assert_array_equal(
        FrameInputs.from_frame(frame, right).sigma, [0.1, 0.2]
    )
    unlabelled = right.reset_index(drop=True)
    assert FrameInputs.from_frame(frame, unlabelled).noisy == (0, 1)
    with pytest.raises(ValueError, match=r"labelled \['k', 'b', 'a'\].*reindex"):
        FrameInputs.from_frame(frame, right[::-1])
