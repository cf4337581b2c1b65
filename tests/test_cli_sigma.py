"""--sigma: one number, or one for each column."""

import numpy as np
import pytest
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression

from sksmooth import SmoothedClassifier
from sksmooth.logs import read_log
from sksmooth.noise import Laplace, Uniform

click = pytest.importorskip("click")
pd = pytest.importorskip("pandas")

from sksmooth.cli._types import Sigma, sigma_text  # noqa: E402
from sksmooth.noise._sigma import is_one_number  # noqa: E402

X, y = load_iris(return_X_y=True)


def parse(text):
    return Sigma().convert(text, None, None)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("0.3", 0.3),
        ("1e-3", 1e-3),
        ("amount=0.3", {"amount": 0.3}),
        ("amount=0.3,age=2,*=0", {"amount": 0.3, "age": 2.0, "*": 0.0}),
        ("amount=0.3, age=2", {"amount": 0.3, "age": 2.0}),
        ("a=b=0.3", {"a=b": 0.3}),
        ('"a,b=0.3",c=1', {"a,b": 0.3, "c": 1.0}),
        ("sepal length (cm)=1", {"sepal length (cm)": 1.0}),
        ("*=1,age=0", {"*": 1.0, "age": 0.0}),
        ("größe=1", {"größe": 1.0}),
    ],
)
def test_parsed(text, expected):
    sigma = parse(text)
    assert sigma == expected and parse(sigma) is sigma
    if isinstance(expected, dict):
        assert list(sigma) == list(expected)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("0", "above 0"),
        ("-1", "above 0"),
        ("nan", "not a finite number"),
        ("inf", "not a finite number"),
        ("", "not a finite number"),
        ("amount", "nor COLUMN=NUMBER"),
        ("amount=", "not a finite number"),
        ("amount=-1", "of at least 0"),
        ("amount=nan", "not a finite number"),
        ("=1", "not of the form COLUMN=NUMBER"),
        ("amount=1,", "not of the form COLUMN=NUMBER"),
        ("amount=1,2", "not of the form COLUMN=NUMBER"),
        ("a=1,b,c=1", "not of the form COLUMN=NUMBER"),
        ("a=1,a=1", "'a' is named twice"),
        ("a=0,*=0", "one column at least needs noise"),
    ],
)
def test_refused(text, message):
    with pytest.raises(click.BadParameter, match=message):
        parse(text)


@pytest.mark.parametrize(
    ("sigma", "text"),
    [(0.25, "0.25"), ({"a": 0.3, "*": 0.0}, "a=0.3,*=0"), ([1, 2], "an array")],
)
def test_told(sigma, text):
    assert sigma_text(sigma) == text
    assert is_one_number(sigma) == (text == "0.25")


@pytest.fixture
def run(tmp_path, monkeypatch):
    """Certify a table with columns a, b, c and "d,e", by one of two models."""
    testing = pytest.importorskip("click.testing")
    skops_io = pytest.importorskip("skops.io")
    from sksmooth.cli._app import app

    monkeypatch.chdir(tmp_path)
    frame = pd.DataFrame(X, columns=["a", "b", "c", "d,e"])
    frame.assign(kind=y).to_csv("test.csv", index=False)
    for name, data in [("named", frame), ("unnamed", X)]:
        f = LogisticRegression(max_iter=1_000).fit(data, y)
        skops_io.dump(f, f"{name}.skops")

    def run(model, sigma, *words, code=0):
        words = ["certify", model, "test.csv", "--label", "kind", *words]
        words += ["--sigma", sigma, "--n", "500", "--seed", "3"]
        result = testing.CliRunner().invoke(app, words)
        assert result.exit_code == code, result.stderr
        return " ".join(result.stderr.split())

    return run


def check_log(path, sigma, noise="gaussian"):
    """Is a log the certificate of a model without names, with an array for sigma?"""
    f = LogisticRegression(max_iter=1_000).fit(X, y)
    g = SmoothedClassifier(f, sigma=sigma, noise=noise, n=500, random_state=3)
    expected, log = g.certify(X), read_log(path)
    assert np.any(log["radius"] > 0)
    np.testing.assert_array_equal(log["predict"], expected.prediction)
    np.testing.assert_allclose(log["radius"], expected.radius, rtol=1e-5)


BY_COLUMN = '"d,e=0.5",*=0,a=0.25'


def test_by_column_for_a_model_without_names(run):
    text = run("unnamed.skops", BY_COLUMN, "--out", "run.tsv")
    assert "radii are in units of sigma" in text
    check_log("run.tsv", [0.25, 0, 0, 0.5])
    text = run("unnamed.skops", "amount=0.3,*=0", code=2)
    assert "sigma names 'amount', but X has no such column" in text
    assert "its columns are 'a', 'b', 'c', 'd,e'" in text
    text = run("unnamed.skops", "a=0.3,b=1", code=2)
    assert "does not name the columns 'c', 'd,e'" in text


def test_by_column(run):
    """The certificate is that of the mapping, which SmoothedClassifier takes."""
    text = run("named.skops", BY_COLUMN, "--out", "run.tsv")
    assert "radii are in units of sigma" in text
    assert "sigma=d,e=0.5,*=0,a=0.25, n=500" in text
    log = read_log("run.tsv")
    frame = pd.DataFrame(X, columns=["a", "b", "c", "d,e"])
    f = LogisticRegression(max_iter=1_000).fit(frame, y)
    sigma = {"d,e": 0.5, "*": 0.0, "a": 0.25}
    expected = SmoothedClassifier(f, sigma=sigma, n=500, random_state=3).certify(frame)
    np.testing.assert_array_equal(log["predict"], expected.prediction)
    np.testing.assert_allclose(log["radius"], expected.radius, rtol=1e-5)
    assert np.any(log["radius"] > 0)
    assert "'amount'" in run("named.skops", "amount=0.3,*=0", code=1)


@pytest.mark.parametrize("noise", ["laplace", "uniform"])
def test_noise_of_another_kind(run, noise):
    text = run("unnamed.skops", "0.5", "--noise", noise, "--out", "run.tsv")
    assert "radii are l1 radii, which the log does not say" in text
    check_log("run.tsv", 0.5, noise)
    assert "is not one of" in run("unnamed.skops", "0.5", "--noise", "cauchy", code=2)


def test_noise_that_a_model_was_not_trained_under(capsys):
    from sksmooth.cli._model import as_smoothed

    g = SmoothedClassifier(LogisticRegression(max_iter=1_000)).fit(X, y)
    as_smoothed(g, "f.skops", {"noise": "gaussian"})
    assert capsys.readouterr().err == ""
    assert as_smoothed(g, "f.skops", {"noise": "laplace"}).noise == "laplace"
    text = " ".join(capsys.readouterr().err.split())
    assert "f.skops was trained under Gaussian() noise, now it is Laplace()." in text


@pytest.mark.parametrize("kind", [Laplace(), Uniform()])
def test_a_model_that_holds_its_noise(run, kind):
    from skops.io import dump

    f = LogisticRegression(max_iter=1_000)
    dump(SmoothedClassifier(f, noise=kind, n_copies=0).fit(X, y), "own.skops")
    assert "radii are l1 radii" in run("own.skops", "0.25", "--out", "run.tsv")
    assert np.any(read_log("run.tsv")["radius"] > 0)


def test_answers_that_are_certified_at_a_radius_of_0(run):
    """Categories alone have no radius, and their answers are no abstentions."""
    skops_io = pytest.importorskip("skops.io")
    Z = np.rint(X)
    pd.DataFrame(Z, columns=list("abcd")).assign(kind=y).to_csv("test.csv", index=False)
    g = SmoothedClassifier(
        LogisticRegression(max_iter=1_000),
        categorical_features=[0, 1, 2, 3],
        flip=0.2,
        n=500,
        random_state=3,
    )
    expected = g.fit(Z, y).certify(Z)
    assert expected.certified.sum() > 100 and not np.any(expected.radius)
    skops_io.dump(g, "g.skops")
    run("g.skops", "0.25", "--out", "run.tsv")
    log = read_log("run.tsv")
    np.testing.assert_array_equal(log["predict"], expected.prediction)
    np.testing.assert_array_equal(log["correct"], expected.prediction == y)
