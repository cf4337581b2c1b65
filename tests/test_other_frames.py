"""Frames of another library than the one in fit; what frames hold that f refuses."""

import datetime

import narwhals as nw
import numpy as np
import pytest
from sklearn.compose import make_column_transformer
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LinearRegression
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from sklearn.tree import DecisionTreeClassifier

from sksmooth import SmoothedClassifier, SmoothedRegressor
from sksmooth._frame_like import FrameLike

pd = pytest.importorskip("pandas")
pl = pytest.importorskip("polars")
pa = pytest.importorskip("pyarrow")

DAY = datetime.datetime(2020, 1, 1, 12)
WORDS, COUNTS, FLAGS = ["b", None, "a", "b"], [3, None, 1, 2], [True, None, False, True]
TIMES = [DAY, None, DAY + datetime.timedelta(1), DAY]

POLARS = pl.DataFrame({
    "float": [0.5, None, 1.5, 2.0],
    "float32": pl.Series([0.5, None, 1.5, 2.0], dtype=pl.Float32),
    "integer": [3, 0, 1, 2],
    "small": pl.Series([3, 0, 1, 2], dtype=pl.Int8),
    "count": COUNTS,
    "flag": FLAGS,
    "word": WORDS,
    "category": pl.Series(WORDS, dtype=pl.Categorical),
    "time": TIMES,
    "second": pl.Series(TIMES).dt.cast_time_unit("ns"),
    "zone": pl.Series(TIMES).dt.replace_time_zone("UTC"),
})  # fmt: skip

# The same, as pandas may hold it.
PANDAS = pd.DataFrame({
    "float": [0.5, np.nan, 1.5, 2.0],
    "float32": np.array([0.5, np.nan, 1.5, 2.0], np.float32),
    "integer": [3, 0, 1, 2],
    "small": np.array([3, 0, 1, 2], np.int8),
    "count": pd.Series(COUNTS, dtype="Int64"),
    "flag": pd.Series(FLAGS, dtype="boolean"),
    "word": pd.Series(["b", np.nan, "a", "b"], dtype=object),
    "category": pd.Series(WORDS, dtype="category"),
    "time": pd.Series(TIMES, dtype="datetime64[us]"),
    "second": pd.Series(TIMES, dtype="datetime64[ns]"),
    "zone": pd.Series(TIMES, dtype="datetime64[us]").dt.tz_localize("UTC"),
})  # fmt: skip


class TestFrameLike:
    @pytest.mark.parametrize("other", [POLARS, POLARS.to_arrow()], ids=["pl", "pa"])
    def test_pandas(self, other):
        made = FrameLike.of(PANDAS).make(other)
        pd.testing.assert_frame_equal(made, PANDAS)
        # Of the gaps between texts the kind is what counts, which is not looked at.
        assert isinstance(made["word"][1], float)
        with_none = PANDAS.assign(word=pd.Series(WORDS, dtype=object))
        assert FrameLike.of(with_none).make(other)["word"][1] is None

    @pytest.mark.parametrize("other", [PANDAS, POLARS.to_arrow()], ids=["pd", "pa"])
    def test_polars(self, other):
        assert FrameLike.of(POLARS).make(other).equals(POLARS)
        assert FrameLike.of(POLARS).make(other).schema == POLARS.schema

    def test_the_same_library_as_it_is(self):
        assert FrameLike.of(POLARS).make(POLARS) is POLARS
        assert FrameLike.of(PANDAS[["word"]]).make(PANDAS) is PANDAS

    def test_gaps_that_fit_did_not_see(self):
        frame = pd.DataFrame({"n": [1, 2], "flag": [True, False]})
        gaps = pl.DataFrame({"n": [1, None], "flag": [True, None]})
        made = FrameLike.of(frame).make(gaps)
        expected = pd.DataFrame({"n": [1, np.nan]})
        expected["flag"] = pd.Series([True, None], dtype=object)
        pd.testing.assert_frame_equal(made, expected)

    def test_cells_of_another_kind_stay_what_they_are(self):
        """A dtype that would change a value is not the one of fit any more."""
        frame = pd.DataFrame({"n": [1, 2], "flag": [True, False], "word": ["a", "b"]})
        frame["category"] = pd.Categorical(["a", "b"])
        other = pl.DataFrame(
            {"n": [0.5, 1], "flag": [0, 2], "word": [1, 2], "category": ["c", None]}
        )
        made = FrameLike.of(frame).make(other)
        assert made["n"].tolist() == [0.5, 1]
        assert made["flag"].tolist() == [0, 2]
        assert made["word"].tolist() == [1, 2]
        assert made["category"].cat.categories.tolist() == ["a", "b", "c"]
        assert made["category"][0] == "c"

    def test_a_column_that_cannot_be_made(self):
        mixed = pd.DataFrame({"word": pd.Series(["a", 1], dtype=object)})
        with pytest.raises(ValueError, match="column 'word' .Object. of X, a frame of"):
            FrameLike.of(POLARS[["word"]]).make(mixed)

    def test_a_library_that_is_not_here(self, monkeypatch):
        def missing(library):
            raise ModuleNotFoundError(f"No module named {library.value!r}")

        seen = FrameLike.of(PANDAS)
        monkeypatch.setattr(nw.Implementation, "to_native_namespace", missing)
        with pytest.raises(ValueError, match="install pandas, or call fit with a fr"):
            seen.make(POLARS)


N = 40
X = np.random.default_rng(0).normal(size=N)
Y = (np.arange(N) % 4 == 1).astype(int)


def by_gaps(word):
    """Return a frame of which only the gaps tell the class."""
    return pd.DataFrame(
        {"x": X, "word": pd.Series([word, np.nan, "a", "b"] * (N // 4))}
    )


@pytest.mark.parametrize("options", [
    {"sigma": 0.25, "categorical_features": ["word"], "flip": 0.1},
    {"sigma": {"x": 0.25, "word": 0.0}},
], ids=["flips", "no noise"])  # fmt: skip
@pytest.mark.parametrize("dtype", [object, "category"])
def test_the_same_answers(options, dtype):
    f = make_pipeline(
        make_column_transformer(
            (OneHotEncoder(), ["word"]), remainder=StandardScaler()
        ),
        KNeighborsClassifier(1),
    )
    frame = by_gaps("a").astype({"word": dtype})
    table = pa.table({c: frame[c] for c in frame})
    others = [pl.from_arrow(table), table]
    g = SmoothedClassifier(f, n=100, method="monte_carlo", random_state=0, **options)
    g.fit(frame, Y)
    expected = g.certify(frame)
    assert np.mean(expected.prediction == Y) > 0.9
    for other in others:
        np.testing.assert_array_equal(g.certify(other).counts, expected.counts)
    g.fit(others[0], Y)
    expected = g.predict_proba(others[0])
    assert np.mean(expected.argmax(axis=1) == Y) > 0.9
    np.testing.assert_array_equal(g.predict_proba(frame), expected)


def test_another_order_of_columns_and_more_of_them():
    frame = pd.DataFrame({"a": X, "b": -X})
    for other in (frame[["b", "a"]], frame.assign(c=X)):
        for g, y in [
            (SmoothedClassifier(DecisionTreeClassifier()), Y),
            (SmoothedRegressor(LinearRegression()), X),
        ]:
            g.fit(frame, y)
            with pytest.raises(ValueError, match=r"X\[g.feature_names_in_\]"):
                g.predict(other)
            chosen = other[g.feature_names_in_]
            np.testing.assert_array_equal(g.predict(chosen), g.predict(frame))
    with pytest.raises(ValueError, match="now missing:\n- b\n$"):
        g.predict(frame[["a"]])
    assert pl.from_pandas(other)[g.feature_names_in_].columns == ["a", "b"]


WITH_NA = pd.DataFrame({
    "x": X,
    "income": np.where(Y, np.nan, X),
    "word": pd.Series([pd.NA, "a", "a", "b"] * (N // 4), dtype="string"),
    "count": pd.Series([pd.NA, 1, 2, 3] * (N // 4), dtype="Int64"),
})  # fmt: skip


@pytest.mark.parametrize(("columns", "encoded", "wrong", "how"), [
    (["x", "income", "word", "count"], ["word", "count"],
     "column 'word' (String) of X", "X[c].astype(object).fillna(np.nan) for c in ['wo"),
    (["x", "income", "count"], ["income"],
     "column 'count' (Int64) of X", "X.astype({'count': 'float64'})"),
])  # fmt: skip
def test_pandas_na(columns, encoded, wrong, how):
    """The columns that fail are named, and what is said to help does."""
    frame = WITH_NA[columns]
    first = OneHotEncoder() if "word" in encoded else StandardScaler()
    steps = make_column_transformer((first, encoded), remainder="passthrough")
    sigma = {"x": 0.25, "*": 0.0}
    f = make_pipeline(steps, HistGradientBoostingClassifier(max_iter=1))
    g = SmoothedClassifier(f, sigma=sigma, n=50, method="monte_carlo")
    with pytest.raises(ValueError) as caught:
        g.fit(frame, Y)
    assert str(caught.value).startswith(f"{wrong}: missing values are pandas.NA")
    assert how in str(caught.value) and "income" not in str(caught.value)
    word = WITH_NA["word"].astype(object).fillna(np.nan)
    frame = WITH_NA.assign(word=word).astype({"count": "float64"})[columns]
    g.fit(frame, Y)


DATES = {
    "pandas": pd.DataFrame({"x": X, "day": pd.date_range("2020", periods=N)}),
    "objects": pd.DataFrame({"x": X, "day": [DAY.date()] * N}),
    "polars": pl.DataFrame({"x": X, "day": [DAY] * N}),
}


@pytest.mark.parametrize("frame", DATES.values(), ids=DATES)
def test_dates_are_named(frame):
    steps = make_column_transformer((StandardScaler(), ["x"]), remainder="passthrough")
    f = make_pipeline(steps, DecisionTreeClassifier())
    with pytest.raises(ValueError, match="dates or times.*the columns 'day': make num"):
        SmoothedClassifier(f, sigma={"x": 0.25, "day": 0.0}).fit(frame, Y)


def test_other_errors_of_fit_stay_as_they_are():
    """A column of dates is no reason to explain what is about something else."""

    class Refuses(DecisionTreeClassifier):
        def fit(self, X, y):
            raise KeyError("max_depth")

    with pytest.raises(KeyError):
        SmoothedClassifier(Refuses(), sigma={"x": 0.1, "day": 0.0}).fit(
            DATES["pandas"], Y
        )


def test_a_table_of_pyarrow_in_fit():
    f = make_pipeline(
        make_column_transformer((StandardScaler(), ["x"]), remainder="passthrough"),
        KNeighborsClassifier(),
    )
    with pytest.raises(ValueError, match="frame of pyarrow.*pass X.to_pandas"):
        SmoothedClassifier(f).fit(pa.table({"x": X, "y": X}), Y)


def test_labels_that_xgboost_refuses():
    f = pytest.importorskip("xgboost").XGBClassifier(n_estimators=2)
    named = np.where(Y, "review", "pass")
    with pytest.raises(ValueError) as caught:
        SmoothedClassifier(f).fit(X[:, None], named)
    assert "holds 'pass'" in str(caught.value)
    assert "(y == 'review').astype(int)" in str(caught.value)
