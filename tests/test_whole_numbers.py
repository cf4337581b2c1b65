"""Whole numbers in columns of a frame: counts, or floats that happen to be whole."""

import re
import shutil
import warnings
from pathlib import Path

import narwhals as nw
import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_iris
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.tree import DecisionTreeClassifier

from sksmooth import GaussianAugmenter, SmoothedClassifier, SmoothedRegressor
from sksmooth.noise import Split

X, y = load_iris(return_X_y=True)
FLOATS = pd.DataFrame(X, columns=list("abcd"))
COUNTS = FLOATS.round({"a": 0}).astype({"a": int})

# What a file may hold: floats as in `fit`, of which those in "a" are whole.
WRITTEN = FLOATS[::15].round({"a": 0})
PARSED = WRITTEN.astype({"a": int})

ALL = [0.3, 0.4, 0.3, 0.3]
SIGMAS = [0.3, ALL, {"*": 0.3}, {"a": 0.5, "*": 0.3}, {"a": 0, "*": 0.3}]


def smooth(sigma, f=None, **options):
    f = LogisticRegression(max_iter=500) if f is None else f
    options = {"method": "monte_carlo", "n": 300, "random_state": 0, **options}
    return SmoothedClassifier(f, sigma=sigma, **options)


def same(one, other):
    np.testing.assert_array_equal(one.counts, other.counts)
    np.testing.assert_array_equal(one.radius, other.radius)
    assert one.rounded == other.rounded


class Types(LogisticRegression):
    """Remembers the dtype of column "a" in all that it is asked about."""

    def predict(self, X):
        seen = vars(self).setdefault("seen_", set())
        seen.add(str(X["a"].dtype))
        return super().predict(X)


class TestAfterFitOnFloats:
    @pytest.mark.parametrize("sigma", SIGMAS, ids=str)
    @pytest.mark.parametrize("options", [{}, {"grid": "auto"}, {"shared_noise": True}])
    def test_the_same_certificate(self, sigma, options):
        g = smooth(sigma, **options).fit(FLOATS, y)
        for whole in (PARSED, WRITTEN.astype({"a": "uint8", "c": "int16"})):
            expected = g.certify(WRITTEN.assign(c=whole["c"].astype(float)))
            same(g.certify(whole), expected)
            assert expected.rounded == ()

    @pytest.mark.parametrize("sigma", SIGMAS, ids=str)
    def test_other_methods(self, sigma):
        g = smooth(sigma).fit(FLOATS, y)
        for answer in (g.predict, g.predict_proba):
            np.testing.assert_array_equal(answer(PARSED), answer(WRITTEN))
        correct = [g.certified_correct(t, y[::15], 0.1) for t in (PARSED, WRITTEN)]
        np.testing.assert_array_equal(*correct)

    @pytest.mark.parametrize("sigma", SIGMAS, ids=str)
    def test_the_base_gets_what_it_was_trained_on(self, sigma):
        g = smooth(sigma, Types(max_iter=500)).fit(FLOATS, y)
        g.estimator_.seen_ = set()
        g.predict(PARSED)
        assert g.estimator_.seen_ == {"float64"}

    @pytest.mark.parametrize("sigma", SIGMAS, ids=str)
    def test_a_row_and_a_whole_frame(self, sigma):
        """Whatever else is whole beside it."""
        g = smooth(sigma).fit(FLOATS, y)
        rows = FLOATS[:60:20].round(0)
        expected = g.certify(rows)
        same(g.certify(rows.astype(int)), expected)
        one = g.certify(rows[:1].astype({"b": int, "d": int}))
        np.testing.assert_array_equal(one.counts, expected.counts[:1])

    @pytest.mark.parametrize("sigma", [0.3, ALL, [0, 0.3, 0.3, 0.3]], ids=str)
    def test_names_that_are_numbers(self, sigma):
        first, second = (
            table.set_axis(range(4), axis=1) for table in (PARSED, WRITTEN)
        )
        g = smooth(sigma).fit(FLOATS.set_axis(range(4), axis=1), y)
        same(g.certify(first), g.certify(second))

    @pytest.mark.parametrize("sigma", SIGMAS, ids=str)
    @pytest.mark.parametrize("kind", ["nullable", "pyarrow dtypes", "polars", "table"])
    def test_other_frames(self, sigma, kind):
        if kind != "nullable":
            pytest.importorskip("polars" if kind == "polars" else "pyarrow")

        def convert(table):
            if kind == "polars":
                import polars

                return polars.DataFrame({k: table[k].to_numpy() for k in table})
            if kind == "table":
                import pyarrow

                return pyarrow.Table.from_pandas(table, preserve_index=False)
            names = {"i": "Int64", "f": "Float64"}
            if kind == "pyarrow dtypes":
                names = {"i": "int64[pyarrow]", "f": "double[pyarrow]"}
            return table.astype({k: names[table[k].dtype.kind] for k in table})

        g = smooth(sigma, make_pipeline(FunctionTransformer(plain), logistic()))
        g.fit(convert(FLOATS), y)
        expected = g.certify(convert(WRITTEN))
        same(g.certify(convert(PARSED)), expected)
        same(g.certify(PARSED), expected)  # of another library than in `fit`
        same(g.fit(FLOATS, y).certify(convert(PARSED)), g.certify(WRITTEN))

    def test_gaps(self):
        """pandas' Int64 has gaps, and so have integers in polars."""
        polars = pytest.importorskip("polars")
        f = make_pipeline(FunctionTransformer(filled), logistic())
        written = WRITTEN.assign(a=WRITTEN["a"].where(np.arange(10) % 3 > 0))
        cells = [None if np.isnan(v) else int(v) for v in written["a"]]
        frames = [
            written.astype({"a": "Float64"}),
            written.astype({"a": "Int64"}),
            polars.DataFrame({**PARSED.to_dict("list"), "a": cells}),
        ]
        for sigma in (0.3, ALL):
            g = smooth(sigma, f).fit(FLOATS, y)
            expected, *others = (g.certify(frame) for frame in frames)
            assert expected.rounded == ()
            for other in others:
                np.testing.assert_array_equal(other.prediction, expected.prediction)
                assert other.rounded == ()
            same(others[0], expected)

    def test_single_precision(self):
        g = smooth(ALL).fit(FLOATS.astype("float32"), y)
        table = WRITTEN.astype("float32").astype({"a": float})
        same(g.certify(table.astype({"a": int})), g.certify(table))

    @pytest.mark.parametrize("sigma", SIGMAS, ids=str)
    def test_arrays(self, sigma):
        g = smooth(sigma).fit(FLOATS, y)
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "X does not have valid feature names")
            whole = WRITTEN.round(0).to_numpy()
            same(g.certify(whole.astype(int)), g.certify(whole))

    @pytest.mark.parametrize("sigma", [0.3, ALL], ids=str)
    @pytest.mark.filterwarnings("ignore:X has feature names")
    def test_frames_after_fit_on_an_array(self, sigma):
        """Also if `fit` was called with a frame before: it had counts."""
        g = smooth(sigma)
        g.set_params(sigma=ALL).fit(COUNTS, y).set_params(sigma=sigma).fit(X, y)
        certificate = g.certify(PARSED)
        same(certificate, g.certify(WRITTEN))
        np.testing.assert_array_equal(
            certificate.counts, g.certify(WRITTEN.to_numpy()).counts
        )

    def test_a_frame_of_integers_in_fit(self):
        """With one sigma they are numbers, and so they are beside floats later."""
        g = smooth(0.3).fit(FLOATS.round(0).astype(int), y)
        same(g.certify(PARSED), g.certify(WRITTEN))

    def test_stores(self, tmp_path):
        g = smooth({"a": 0, "*": 0.3}).fit(FLOATS, y)
        votes = g.certify(WRITTEN, store=tmp_path / "votes")
        before = (tmp_path / "votes").stat().st_size
        same(g.certify(PARSED, store=tmp_path / "votes"), votes)
        assert (tmp_path / "votes").stat().st_size == before  # nothing was drawn

    def test_beside_categories(self):
        """What are categories in `fit` stay what they are, whole numbers or not."""
        table = FLOATS.assign(d=np.arange(150) % 3)
        options = {"categorical_features": ["d"], "flip": 0.3}
        for sigma in (0.3, {"a": 0.5, "*": 0.3}):
            g = smooth(sigma, **options).fit(table, y)
            one = g.certify(PARSED.assign(d=table["d"]))
            same(one, g.certify(WRITTEN.assign(d=table["d"])))

    @pytest.mark.filterwarnings("ignore:X has feature names")
    def test_beside_categories_of_an_array(self):
        array = np.column_stack([X[:, :3], np.arange(150) % 3])
        g = smooth(0.3, categorical_features=[3]).fit(array, y)
        written = WRITTEN.assign(d=np.arange(10) % 3)
        same(g.certify(written.astype({"a": int})), g.certify(written))

    @pytest.mark.parametrize(
        "f", [Ridge(), RandomForestRegressor(3, random_state=0)], ids=["exact", "drawn"]
    )
    @pytest.mark.parametrize("sigma", [0.3, ALL], ids=str)
    def test_the_regressor(self, f, sigma):
        h = SmoothedRegressor(f, sigma=sigma, n=100, random_state=0)
        h.fit(FLOATS, X[:, 3])
        one, other = (h.certify_interval(t, 0.05) for t in (PARSED, WRITTEN))
        np.testing.assert_array_equal(one.lower, other.lower)
        np.testing.assert_array_equal(one.prediction, other.prediction)

    def test_the_augmenter_in_a_pipeline(self):
        f = make_pipeline(GaussianAugmenter(sigma=0.3, random_state=0), logistic())
        f.fit(FLOATS, y)
        np.testing.assert_array_equal(f.predict(PARSED), f.predict(WRITTEN))
        made = f[0].transform(PARSED)
        pd.testing.assert_frame_equal(made, WRITTEN.reset_index(drop=True))

    def test_flags_are_no_numbers(self):
        g = smooth(0.3).fit(FLOATS, y)
        with pytest.raises(ValueError, match=r"floating-point columns.*'a' \(Bool"):
            g.predict(WRITTEN.assign(a=WRITTEN["a"] > 5))

    def test_noise_on_every_feature(self):
        bits = pd.DataFrame(X > X.mean(axis=0), columns=list("abcd"))
        g = SmoothedClassifier(logistic(), noise=Split(2, 1), random_state=0)
        g.fit(bits.astype(float), y)
        expected = g.certify(bits[::15].astype(float))
        for kinds in ({"a": int}, {"a": bool}, {"a": bool, "b": int}):
            same(g.certify(bits[::15].astype(float).astype(kinds)), expected)


class TestCounts:
    @pytest.mark.parametrize("sigma", [ALL, {"a": 1, "*": 0.3}], ids=str)
    def test_stay_counts(self, sigma):
        """Also where they are floats now, as gaps or a decimal point make them."""
        g = smooth(sigma).fit(COUNTS, y)
        one, other = g.certify(PARSED), g.certify(WRITTEN)
        assert one.rounded == other.rounded == (0,)
        np.testing.assert_array_equal(one.prediction, other.prediction)

    def test_without_noise_in_fit(self):
        """They may be counts: they are not smoothed as if they were floats."""
        g = smooth({"a": 0, "*": 0.3}, Types(max_iter=500)).fit(COUNTS, y)
        for sigma in (0.3, {"*": 0.3}):
            g.set_params(sigma=sigma)
            for whole in (PARSED, WRITTEN.round(0).astype(int)):
                with pytest.raises(ValueError, match="'a'.*name them in sigma"):
                    g.certify(whole)
        g.set_params(sigma=ALL).estimator_.seen_ = set()
        assert g.certify(PARSED).rounded == (0,)
        assert g.estimator_.seen_ == {"int64"}

    def test_without_noise_after_fit(self):
        g = smooth(ALL).fit(COUNTS, y).set_params(sigma={"a": 0, "*": 0.3})
        assert g.certify(PARSED).rounded == ()

    @pytest.mark.parametrize("kind", ["pandas", "polars"])
    @pytest.mark.parametrize(
        "fitted, others",
        [
            ("uint8", {"int64": "int64", "int8": "uint8", "float64": "float64"}),
            ("int8", {"int16": "int16", "uint8": "int8", "float64": "float64"}),
            ("int64", {"uint8": "int64", "int16": "int64", "float64": "float64"}),
        ],
    )
    def test_in_the_range_of_fit(self, kind, fitted, others):
        """Whatever the dtype of the next frame: that is how f saw them."""
        frame = pytest.importorskip(kind).DataFrame
        seen = []

        class Seen(DecisionTreeClassifier):
            def predict(self, X):
                column = X["a"].to_numpy()
                if len(column) > 1:  # no input as it is
                    seen.append((column.min(), column.max(), str(column.dtype)))
                return super().predict(X)

        f = Seen().fit(frame({"a": [-1.0, 0, 1]}), [1, 0, 1])
        g = SmoothedClassifier(FrozenEstimator(f), sigma=[100.0], n=300, random_state=0)
        g.fit(frame({"a": np.array([0, 1, 2, 3], fitted)}), [0, 1, 1, 1])
        x, limits = [0, 100], np.iinfo(fitted)
        expected = g.certify(frame({"a": np.array(x, fitted)}))
        for dtype, found in others.items():
            seen.clear()
            same(g.certify(frame({"a": np.array(x, dtype)})), expected)
            low, high, dtypes = zip(*seen, strict=True)
            assert set(dtypes) == {found}
            if fitted == "int64":
                assert min(low) < -128 and max(high) > 255
            else:
                assert (min(low), max(high)) == (limits.min, limits.max)

    def test_a_store_is_of_counts(self, tmp_path):
        """The same model, sigma and X, but other noise: another run."""
        f, store = logistic().fit(FLOATS, y), tmp_path / "votes"
        fitted = [FLOATS, COUNTS, COUNTS.astype({"a": "uint8"})]
        runs = [smooth(ALL, FrozenEstimator(f)).fit(table, y) for table in fitted]
        runs[0].certify(WRITTEN, store=store)
        for g in runs[1:]:
            with pytest.raises(ValueError, match="of another run: counts is"):
                g.certify(WRITTEN, store=store)

    def test_trees_see_them_rounded(self):
        """Compiled trees, too, where they are floats now."""
        forest = RandomForestClassifier(5, random_state=0).fit(FLOATS, y)
        g = smooth([0.5] * 4, FrozenEstimator(forest)).fit(COUNTS, y)
        one, other = g.certify(PARSED), g.certify(WRITTEN)
        same(one, other)
        # The same noise, not rounded, would give other votes.
        h = smooth([0.5] * 4, FrozenEstimator(forest)).fit(FLOATS, y)
        h.entropy_ = g.entropy_
        assert (h.certify(WRITTEN).counts != other.counts).any()


ADVICE = r"integers in columns with noise: 'a'\. .*cast them to float.*FrozenEstimator"


class TestFittedElsewhere:
    @pytest.mark.parametrize("sigma", [ALL, {"a": 0.3, "*": 0.3}], ids=str)
    def test_a_warning(self, sigma):
        g = smooth(sigma, logistic().fit(FLOATS, y))
        g.certify(WRITTEN)  # no warning: these are floats
        for answer in (g.certify, g.predict, g.predict_proba):
            with pytest.warns(UserWarning, match=ADVICE):
                answer(PARSED)
        with pytest.warns(UserWarning, match=ADVICE):
            g.certified_correct(PARSED, y[::15], 0.1)

    def test_of_the_regressor(self):
        h = SmoothedRegressor(Ridge().fit(FLOATS, X[:, 3]), sigma=ALL, n=50)
        with pytest.warns(UserWarning, match="this SmoothedRegressor did not train"):
            h.predict(PARSED)

    def test_columns_are_named(self):
        f = logistic().fit(FLOATS.join(FLOATS.add_prefix("w")), y)
        table = WRITTEN.join(WRITTEN.add_prefix("w")).round(0).astype(int)
        with pytest.warns(UserWarning, match=r"'a', 'b', 'c', 'd', 'wa' \.\.\.\."):
            smooth([0.3] * 8, f).predict(table)

    def test_none_where_nothing_is_rounded(self):
        f = logistic().fit(FLOATS, y)
        smooth({"a": 0, "*": 0.3}, f).certify(PARSED)
        smooth(0.3, f).certify(WRITTEN.round(0).astype(int))
        smooth(ALL, f).certify(PARSED.astype({"a": float}))
        with pytest.raises(ValueError, match="Otherwise cast them to float"):
            smooth(0.3, f).certify(PARSED)

    def test_what_it_says_to_do(self):
        f = logistic().fit(FLOATS, y)
        g = smooth(ALL, FrozenEstimator(f))
        g.fit(FLOATS, y)
        same(g.certify(PARSED), g.certify(WRITTEN))
        assert g.certify(PARSED).rounded == ()
        assert g.fit(COUNTS, y).certify(PARSED).rounded == (0,)


class TestCommandLine:
    @pytest.fixture
    def run(self, tmp_path, monkeypatch):
        testing = pytest.importorskip("click.testing")
        skops_io = pytest.importorskip("skops.io")
        from sksmooth.cli._app import app

        monkeypatch.chdir(tmp_path)
        WRITTEN.to_csv("written.csv", index=False)
        PARSED.to_csv("parsed.csv", index=False)
        assert ",5.0," not in Path("parsed.csv").read_text().replace("\n", ",")
        skops_io.dump(logistic().fit(FLOATS, y), "f.skops")

        def run(*words, code=0):
            result = testing.CliRunner().invoke(app, [*map(str, words)])
            assert result.exit_code == code, (result.stdout, result.stderr)
            return result

        return run

    @pytest.mark.parametrize("sigma", SIGMAS, ids=str)
    def test_the_same_log(self, run, sigma):
        import skops.io

        skops.io.dump(smooth(sigma).fit(FLOATS, y), "g.skops")
        for name in ("written", "parsed"):
            run("certify", "g.skops", f"{name}.csv", "--out", f"{name}.tsv")
        one, other = (
            pd.read_csv(f"{name}.tsv", sep="\t") for name in ("written", "parsed")
        )
        assert len(one) == 10
        pd.testing.assert_frame_equal(one, other)

    def test_going_on_with_a_store(self, run):
        import skops.io

        skops.io.dump(smooth(0.3).fit(FLOATS, y), "g.skops")
        shutil.copy("written.csv", "data.csv")
        command = ["certify", "g.skops", "data.csv", "--store", "votes"]
        run(*command, "--out", "one.tsv")
        shutil.copy("parsed.csv", "data.csv")
        run(*command, "--out", "two.tsv")
        one, two = (Path(f"{k}.tsv").read_text() for k in ("one", "two"))
        assert one == two

    @pytest.mark.filterwarnings("default")
    def test_a_model_that_was_fitted_elsewhere(self, run):
        words = ["--sigma", "a=0.5,*=0.3", "--n", "300", "--seed", "3"]
        parsed = run("certify", "f.skops", "parsed.csv", *words).stderr
        assert re.search(f"Warning: X holds {ADVICE}", " ".join(parsed.split()))
        assert "Warning" not in run("certify", "f.skops", "written.csv", *words).stderr


def logistic():
    return LogisticRegression(max_iter=500)


def plain(table):
    """Return a frame of any library as an array."""
    return nw.from_native(table, eager_only=True).to_numpy().astype(float)


def filled(table):
    return np.nan_to_num(table.to_numpy(dtype=float, na_value=np.nan), nan=5.0)
