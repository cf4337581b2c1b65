"""Categorical columns: which they are, their values as codes and back."""

import pickle
import warnings

import numpy as np
import pandas as pd
import polars as pl
import pytest

from sksmooth._categories import MISSING, Categories
from sksmooth._find_categorical import find_categorical

FRAMES = [pd.DataFrame, pl.DataFrame]


def mixed_frame():
    return pd.DataFrame(
        {
            "age": [20.0, 30.0, 40.0, 50.0],
            "city": pd.Categorical(["b", "a", "b", "c"], ["c", "b", "a", "unused"]),
            "smokes": [True, False, True, True],
            "job": ["x", "y", "x", "z"],
            "code": [3, 7, 3, 5],
        }
    )


class TestFindCategorical:
    @pytest.mark.parametrize(
        "how, places",
        [
            (None, ()),
            ("from_dtype", (1,)),
            (["job", "city"], (1, 3)),
            (np.array(["job"], object), (3,)),
            (pd.Series(["code"]), (4,)),
            ([4, 2], (2, 4)),
            ([False, True, False, True, False], (1, 3)),
            ([False] * 5, ()),
            ([], ()),
        ],
    )
    def test_of_a_frame(self, how, places):
        assert find_categorical(mixed_frame(), how) == places

    def test_of_other_frames(self):
        kinds = {"e": pl.Enum(["a", "b"]), "c": pl.Categorical, "s": pl.String}
        table = pl.DataFrame({name: ["a"] for name in kinds}, schema=kinds)
        assert find_categorical(table, "from_dtype") == (0, 1)
        assert find_categorical(table, ["s"]) == (2,)

    def test_of_an_array(self):
        X = np.zeros((2, 3))
        assert find_categorical(X, "from_dtype") == ()
        assert find_categorical(X, [2]) == (2,)
        assert find_categorical(X, [True, False, True]) == (0, 2)

    @pytest.mark.parametrize(
        "how, message",
        [
            ("job", r"a single column is \['job'\]"),
            ([0.5], "must be None"),
            ([["job"]], "must be None"),
            (["job", 1], "must be None|no such column"),
            (["jobs"], r"names \['jobs'\], but X has no such column"),
            ([5], r"must lie in \[0, 4\], got \[5\]"),
            ([-1], r"must lie in \[0, 4\]"),
            ([True], "1 booleans, but X has 5 columns"),
        ],
    )
    def test_what_is_not_there(self, how, message):
        with pytest.raises(ValueError, match=message):
            find_categorical(mixed_frame(), how)

    def test_names_for_an_array(self):
        with pytest.raises(ValueError, match="X has no names"):
            find_categorical(np.zeros((2, 3)), ["job"])

    @pytest.mark.parametrize("how", [None, [0, 2], [True, False, True, False, False]])
    def test_as_hist_gradient_boosting(self, how):
        from sklearn.ensemble import HistGradientBoostingClassifier

        X = np.array([[0, 1.5, 1, 0, 2]] * 30 + [[1, 2.5, 0, 1, 1]] * 30)
        model = HistGradientBoostingClassifier(categorical_features=how, max_iter=1)
        model.fit(X, [0] * 30 + [1] * 30)
        mask = model.is_categorical_
        theirs = () if mask is None else tuple(np.flatnonzero(mask).tolist())
        assert find_categorical(X, how) == theirs


class TestCodes:
    def test_values_in_order_and_the_most_frequent(self):
        frame = mixed_frame()
        known = Categories(frame, (1, 2, 3, 4))
        assert known.n_values.tolist() == [3, 2, 3, 3]
        expected = [[1, 1, 0, 0], [0, 0, 1, 2], [1, 1, 0, 0], [2, 1, 2, 1]]
        assert known.encode(frame).tolist() == expected
        # The order of rows does not matter.
        again = Categories(frame[::-1], (1, 2, 3, 4))
        assert again.encode(frame).tolist() == expected

    def test_round_trip_keeps_dtypes(self):
        frame = mixed_frame()
        known = Categories(frame, (1, 2, 3, 4))
        back = known.decode(known.encode(frame), frame)
        pd.testing.assert_frame_equal(back, frame)
        some = frame.iloc[[3, 1, 1]]  # with a repeated index
        back = known.decode(known.encode(some), some)
        pd.testing.assert_frame_equal(back, some.reset_index(drop=True))

    def test_other_codes_are_other_values(self):
        frame = mixed_frame()
        known = Categories(frame, (1, 4))
        back = known.decode(np.array([[0, 2], [0, 2], [1, 0], [2, 1]]), frame)
        assert back["city"].tolist() == ["a", "a", "b", "c"]
        assert back["code"].tolist() == [7, 7, 3, 5]
        assert back.dtypes.equals(frame.dtypes)
        assert frame["code"].tolist() == [3, 7, 3, 5]

    def test_polars(self):
        schema = {
            "n": pl.Float32,
            "c": pl.Categorical,
            "e": pl.Enum(["q", "p"]),
            "s": pl.String,
            "b": pl.Boolean,
            "i": pl.Int8,
        }
        frame = pl.DataFrame(
            {
                "n": [0.5, 1.5, None],
                "c": ["x", None, "y"],
                "e": ["p", "q", None],
                "s": ["t", "u", "u"],
                "b": [True, None, False],
                "i": [None, 4, 2],
            },
            schema=schema,
        )
        known = Categories(frame, (1, 2, 3, 4, 5))
        codes = known.encode(frame)
        assert codes.tolist() == [
            [0, 0, 0, 1, MISSING],
            [MISSING, 1, 1, MISSING, 1],
            [1, MISSING, 1, 0, 0],
        ]
        back = known.decode(codes, frame)
        assert back.equals(frame) and back.schema == frame.schema

    def test_the_base_gets_the_dtype_it_was_trained_on(self):
        frame = mixed_frame()
        known = Categories(frame, (1, 3))
        other = frame.assign(
            city=["a", "b", "c", "a"],  # texts, no categories
            job=pd.Categorical(["z", "y", "x", "x"]),
        )
        back = known.decode(known.encode(other), other)
        assert back.dtypes.equals(frame.dtypes)
        assert back["city"].tolist() == ["a", "b", "c", "a"]
        assert back["job"].tolist() == ["z", "y", "x", "x"]

    def test_names_that_are_no_texts(self):
        frame = pd.DataFrame({0: [1, 2], "b": ["x", "y"], 7: ["u", "v"]})
        known = Categories(frame, (0, 2))
        back = known.decode(known.encode(frame)[::-1], frame)
        assert back.columns.tolist() == [0, "b", 7]
        assert back[7].tolist() == ["v", "u"]

    @pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int64, np.uint8])
    def test_arrays_of_numbers(self, dtype):
        X = np.array([[5, 2], [3, 1], [5, 9]], dtype)
        known = Categories(X, (0,))
        codes = known.encode(X)
        assert codes.tolist() == [[1], [0], [1]]
        back = known.decode(1 - codes, X)
        # The other column is of numbers, which will have noise.
        assert back.dtype == (
            dtype if dtype in (np.float32, np.float64) else np.float64
        )
        whole = Categories(X, (0, 1))
        assert whole.decode(whole.encode(X), X).dtype == dtype
        assert back.tolist() == [[3, 2], [5, 1], [3, 9]]
        assert X[0, 0] == 5

    def test_arrays_of_objects_and_texts(self):
        X = np.array([["a", 1.5, True], ["b", 2.5, None], ["a", 0.5, False]], object)
        known = Categories(X, (0, 2))
        assert known.encode(X).tolist() == [[0, 1], [1, MISSING], [0, 0]]
        assert known.decode(known.encode(X), X).tolist() == X.tolist()
        texts = np.array([["a", "long"], ["b", "longer"]])
        known = Categories(texts, (0, 1))
        assert known.decode(np.array([[1, 1]] * 2), texts).dtype == texts.dtype
        # Numbers as texts would be cut off.
        assert (
            Categories(texts, (1,)).decode(np.array([[1]] * 2), texts).dtype == object
        )

    def test_equal_values_of_other_types(self):
        known = Categories(np.array([[1.0], [0.0], [2.0]]), (0,))
        for X in (np.array([[2], [0]]), pd.DataFrame({"k": [2, 0]})):
            assert known.encode(X).tolist() == [[2], [0]]
        truth = Categories(pd.DataFrame({"b": [True, False]}), (0,))
        assert truth.encode(np.array([[1], [0]])).tolist() == [[1], [0]]

    def test_values_that_cannot_be_compared(self):
        X = np.array([["a"], [2], [(1, 2)], ["a"]], object)
        known = Categories(X, (0,))
        codes = known.encode(X)
        assert codes.tolist() == [[1], [0], [2], [1]]
        assert known.decode(codes, X).tolist() == X.tolist()
        with pytest.raises(ValueError, match="0 holds objects of type list"):
            Categories(np.array([[[1]], ["a"]], object), (0,))

    def test_learned_from_an_array_decoded_into_a_frame(self):
        known = Categories(np.array([[4.0], [6.0]]), (0,))
        for library in FRAMES:
            frame = library({"k": [6.0, 4.0, 6.0]})
            assert known.decode(known.encode(frame), frame)["k"].to_list() == [6, 4, 6]

    @pytest.mark.parametrize("library", ["pandas", "polars", "arrays"])
    @pytest.mark.parametrize("form", ["pickle", "skops"])
    def test_can_be_stored(self, library, form):
        X = {
            "pandas": mixed_frame(),
            "polars": pl.DataFrame(
                {"n": [0.5, 1.5], "e": ["b", "a"], "s": ["x", None], "i": [1, 2]},
                schema_overrides={"e": pl.Enum(["b", "c", "a"]), "i": pl.Int16},
            ),
            "arrays": np.array([[1, 2], [3, 4]]),
        }[library]
        known = Categories(X, tuple(range(1, X.shape[1])))
        if form == "pickle":
            again = pickle.loads(pickle.dumps(known))
        else:
            io = pytest.importorskip("skops.io")
            stored = io.dumps(known)
            types = io.get_untrusted_types(data=stored)
            assert all(name.startswith("sksmooth.") for name in types)
            again = io.loads(stored, trusted=types)
        codes = again.encode(X)
        np.testing.assert_array_equal(codes, known.encode(X))
        back = again.decode(codes, X)
        if library == "pandas":
            pd.testing.assert_frame_equal(back, X)
        else:
            assert np.array_equal(back, X) if library == "arrays" else back.equals(X)

    def test_ordered_categories_and_categories_of_numbers(self):
        kinds = [
            pd.Categorical(["hi", "lo", "hi"], ["lo", "mid", "hi"], ordered=True),
            pd.Categorical([3, 1, 3], [3, 2, 1]),
            pd.Categorical([True, False, True]),
        ]
        frame = pd.DataFrame(dict(zip("abc", kinds, strict=True)))
        known = Categories(frame, (0, 1, 2))
        assert known.n_values.tolist() == [2, 2, 2]
        pd.testing.assert_frame_equal(known.decode(known.encode(frame), frame), frame)

    def test_no_columns(self):
        X = np.zeros((3, 2))
        known = Categories(X, ())
        assert known.encode(X).shape == (3, 0)
        assert known.n_values.tolist() == []
        np.testing.assert_array_equal(known.decode(known.encode(X), X), X)
        frame = pd.DataFrame({"a": [1]}, index=[5])
        assert known.decode(known.encode(frame), frame)["a"].tolist() == [1]


class TestUnknown:
    @pytest.mark.parametrize("library", FRAMES)
    def test_becomes_the_most_frequent_and_is_told(self, library):
        known = Categories(library({"k": ["b", "a", "b"], "i": [1, 2, 2]}), (0, 1))
        X = library({"k": ["a", "new", "newer"], "i": [1, 3, 1]})
        message = r"3 categories that fit did not see.*'k' \(2\), 'i' \(1\)"
        with pytest.warns(UserWarning, match=message) as caught:
            codes = known.encode(X)
        assert len(caught) == 1
        assert codes.tolist() == [[0, 0], [1, 1], [1, 0]]
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            known.encode(X[:1])

    def test_of_as_frequent_ones_the_first(self):
        known = Categories(np.array([["b"], ["a"], ["c"]]), (0,))
        with pytest.warns(UserWarning, match=r"column: 0 \(1\)"):
            assert known.encode(np.array([["d"]])).tolist() == [[0]]

    def test_declared_but_never_seen_is_unknown(self):
        frame = mixed_frame()
        known = Categories(frame, (1,))
        X = frame.assign(city=pd.Categorical(["unused"] * 4, ["unused"]))
        with pytest.warns(UserWarning, match="4 categories"):
            codes = known.encode(X)
        back = known.decode(codes, X)
        assert back["city"].tolist() == ["b"] * 4
        assert back["city"].dtype == frame["city"].dtype


class TestMissing:
    COLUMNS = [
        pd.Series(["a", None, "b"], dtype=object),
        pd.Series(["a", np.nan, "b"], dtype=object),
        pd.Series(["a", None, "b"], dtype="string"),
        pd.Series(pd.Categorical(["a", None, "b"])),
        pd.Series([1, None, 2], dtype="Int64"),
        pd.Series([True, None, False], dtype="boolean"),
        pd.Series([1.0, np.nan, 2.0]),
        pl.Series([1.0, float("nan"), 2.0]),
        pl.Series(["a", None, "b"]),
        pl.Series([True, None, False]),
    ]

    @pytest.mark.parametrize("column", COLUMNS)
    def test_stays_missing(self, column):
        library = pd if isinstance(column, pd.Series) else pl
        frame = library.DataFrame({"k": column})
        known = Categories(frame, (0,))
        codes = known.encode(frame)
        assert codes[1, 0] == MISSING
        assert sorted(codes[[0, 2], 0]) == [0, 1]
        back = known.decode(codes, frame)
        if library is pd:
            pd.testing.assert_frame_equal(back, frame)
        else:
            assert back.equals(frame)

    @pytest.mark.parametrize("column", COLUMNS)
    def test_also_if_fit_saw_no_gap(self, column):
        library = pd if isinstance(column, pd.Series) else pl
        frame = library.DataFrame({"k": column})
        known = Categories(frame[[0, 2]] if library is pl else frame.iloc[[0, 2]], (0,))
        back = known.decode(known.encode(frame), frame)
        cells = back["k"].to_list()
        assert [cells[0], cells[2]] == [column.to_list()[0], column.to_list()[2]]
        assert cells[1] is None or cells[1] is pd.NA or cells[1] != cells[1]

    def test_where_the_dtype_has_no_room_for_it(self):
        known = Categories(pd.DataFrame({"k": [4, 6], "b": [True, False]}), (0, 1))
        X = pd.DataFrame({"k": [6, np.nan], "b": [None, True]})
        codes = known.encode(X)
        assert codes.tolist() == [[1, MISSING], [MISSING, 1]]
        back = known.decode(codes, X)
        assert back["k"][0] == 6 and np.isnan(back["k"][1])
        assert back["b"][1] is True and pd.isna(back["b"][0])

    def test_in_arrays(self):
        X = np.array([[1.0], [np.nan], [3.0]])
        known = Categories(X, (0,))
        assert known.encode(X).tolist() == [[0], [MISSING], [1]]
        np.testing.assert_array_equal(known.decode(known.encode(X), X), X)
        assert known.n_values.tolist() == [2]

    def test_nothing_but_gaps(self):
        with pytest.raises(ValueError, match="column 'k' has no values at all"):
            Categories(pd.DataFrame({"k": [None, None]}), (0,))


def test_numbers_that_are_not_whole():
    with pytest.raises(ValueError, match="column 1 holds numbers that are not"):
        Categories(np.array([[1.0, 0.5], [2.0, 1.0]]), (0, 1))
