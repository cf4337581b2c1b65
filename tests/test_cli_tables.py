"""Tables as people save them: what a .csv file holds is taken as it is meant."""

from pathlib import Path

import numpy as np
import pytest

click = pytest.importorskip("click")
pd = pytest.importorskip("pandas")

from sksmooth.cli._data import load_data  # noqa: E402


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def load(text, label=None):
    Path("a.csv").write_text(text)
    return load_data("a.csv", label, None, 0, 1, None, 1e9)


class TestLines:
    @pytest.mark.parametrize(
        "text",
        [
            "a,b,c,d\n5.1,3.5,1.4,0.2,\n4.9,3.0,1.4,0.2,\n",
            "a,b,c,d\n5.1,3.5,1.4,0.2,,\n",
            "a,b\nx,1,2\ny,3,4\n",
            "a,b\n1,1,2\n0,3,4\n",
            "a,b\n0,1,2\n1,3,4\n",
            "a,b\n0,1,2,\n",
        ],
    )
    def test_with_more_values_than_names(self, text):
        with pytest.raises(ValueError, match="a.csv: lines have more values than the"):
            load(text)

    @pytest.mark.parametrize(
        ("text", "told"),
        [
            ("a;b;c\n1;2;3\n", "';'"),
            ("a;b\n1,5;2,5\n3,5;4,5\n", "';'"),  # numbers as in much of Europe
            ("a\tb\n1\t2\n", "tabs"),
        ],
    )
    def test_separated_by_others(self, text, told):
        message = f"a.csv: values seem to be separated by {told}: save them separated "
        with pytest.raises(ValueError, match=message):
            load(text)

    @pytest.mark.parametrize("text", ["a,b\n1,2\n", "a;b,c\n1,2\n", '"a,b",c\n1,2\n'])
    def test_that_are_right(self, text):
        assert load(text).X.to_numpy().tolist() == [[1, 2]]


WORDS = ["None", "NA", "null", "nan", "NaN", "n/a", "N/A", "<NA>", "#N/A", "NULL"]


class TestWords:
    @pytest.mark.parametrize("word", WORDS)
    def test_are_taken_as_written_in_texts(self, word, capsys):
        text = f"city,x,kind\n{word},1,{word}\nRome,{word},b\n,2.5,b\n{word},3,b\n"
        data = load(text, "kind")
        city = data.X["city"]
        assert city[[0, 1, 3]].tolist() == [word, "Rome", word]
        assert city.isna().tolist() == [False, False, True, False]
        np.testing.assert_array_equal(data.X["x"], [1, np.nan, 2.5, 3])
        assert data.y.tolist() == [word, "b", "b", "b"]
        told = capsys.readouterr().err
        assert f"Note: a.csv: '{word}' in the column 'city' is taken for a text" in told
        assert "'kind'" in told and "'x'" not in told

    def test_numbers_as_before(self, capsys):
        values = np.random.default_rng(0).normal(size=(200, 3))
        frame = pd.DataFrame(values, columns=list("abc")).assign(n=range(200), t=True)
        frame.loc[::7, "b"] = np.nan
        text = frame.assign(s="x").to_csv(index=False, na_rep="NA")
        X = load(text).X
        pd.testing.assert_frame_equal(X, pd.read_csv("a.csv"))
        assert [X[name].dtype.kind for name in "abcnt"] == list("fffib")
        assert capsys.readouterr().err == ""

    @pytest.mark.parametrize("word", ["NA", "None"])
    def test_nothing_else_are_missing_numbers(self, word, capsys):
        X = load(f"a,b\n{word},1\n{word},2\n,3\n").X
        assert X["a"].dtype.kind == "f" and X["a"].isna().all()
        assert capsys.readouterr().err == ""

    def test_booleans_with_gaps_stay_booleans(self):
        assert load("a,b\nTrue,1\n,2\nFalse,3\n").X["a"][[0, 2]].tolist() == [1, 0]

    def test_missing_labels_are_refused(self):
        for text in ("x,kind\n1,a\n2,\n", "x,kind\n1,0\n2,NA\n", "x,kind\n1,NA\n"):
            with pytest.raises(ValueError, match="labels are missing"):
                load(text, "kind")

    def test_columns_of_one_name(self):
        X = load("a,b,a\nNA,1,None\nx,2,y\n").X
        assert X.iloc[0].tolist() == ["NA", 1, "None"]

    def test_a_long_column_is_read_as_one(self, recwarn):
        """In pieces, numbers at its beginning would be no texts, unlike others."""
        lines = ["1.50"] * 300_000 + ["x"]
        X = load("a\n" + "\n".join(lines) + "\n").X
        assert X["a"].tolist() == lines and not len(recwarn)


def test_the_same_model_gives_the_same_classes():
    """As from a frame: by hand nobody would take the city None for a missing one."""
    testing = pytest.importorskip("click.testing")
    joblib = pytest.importorskip("joblib")
    from sklearn.compose import make_column_transformer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder

    from sksmooth import SmoothedClassifier
    from sksmooth.cli._app import app

    city = np.array(["None", "Rome", "NA"])[np.arange(60) % 3]
    x = np.random.default_rng(0).normal(size=60)
    X = pd.DataFrame({"x": x, "city": city})
    y = np.where(city == "Rome", "b", city)
    encode = make_column_transformer(
        (OneHotEncoder(handle_unknown="ignore"), ["city"]), remainder="passthrough"
    )
    f = make_pipeline(encode, LogisticRegression()).fit(X, y)
    sigma = {"x": 0.5, "*": 0.0}
    g = SmoothedClassifier(f, sigma=sigma, n=200, random_state=0).fit(X, y)
    joblib.dump(g, "g.pkl")
    X.assign(kind=y).to_csv("a.csv", index=False)
    words = ["certify", "g.pkl", "a.csv", "--label", "kind", "--trust-pickle"]
    result = testing.CliRunner().invoke(app, words)
    assert result.exit_code == 0, result.output
    rows = [line.split("\t") for line in result.stdout.splitlines()[1:]]
    assert [row[1] for row in rows] == y.tolist()
    assert [row[2] for row in rows] == g.certify(X).prediction.tolist()


@pytest.mark.parametrize("labels", [["a", "b", "ä"], ["cat", "dog", "cat"]])
def test_labels_of_bytes(labels):
    """HDF5 and other formats give bytes, which are the same classes as strings."""
    testing = pytest.importorskip("click.testing")
    skops_io = pytest.importorskip("skops.io")
    from sklearn.naive_bayes import GaussianNB

    from sksmooth import SmoothedClassifier
    from sksmooth.cli._app import app

    X, y = np.repeat(np.arange(3.0), 10)[:, None], np.repeat(labels, 10)
    g = SmoothedClassifier(GaussianNB(var_smoothing=1e-3), sigma=0.1, n=200)
    skops_io.dump(g.set_params(random_state=0).fit(X, y), "g.skops")
    logs = []
    for name, kind in [("bytes", np.char.encode(y, "utf-8")), ("texts", y)]:
        np.savez(f"{name}.npz", X=X, y=kind)
        words = ["predict", "g.skops", f"{name}.npz"]
        result = testing.CliRunner().invoke(app, words)
        assert result.exit_code == 0, result.output
        logs.append(result.stdout)
    assert logs[0] == logs[1] and f"\t{labels[0]}\t{labels[0]}\t1" in logs[0]
    np.savez("latin.npz", X=X, y=np.array([b"\xff"] * 30))
    result = testing.CliRunner().invoke(app, ["predict", "g.skops", "latin.npz"])
    assert result.exit_code == 1
    assert "is no UTF-8 text: decode the labels and save" in " ".join(
        result.stderr.split()
    )
