"""What a run left is made again: what was forged is found, what is there stays."""

import json
import os
import sqlite3
import zlib
from hashlib import sha256
from pathlib import Path

import joblib
import numpy as np
import pytest
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.naive_bayes import GaussianNB, MultinomialNB
from sklearn.pipeline import make_pipeline

from sksmooth import SmoothedClassifier, SmoothedRegressor
from sksmooth.noise import DeleteTokens, Split
from sksmooth.votes.run._store_file import checksum

testing = pytest.importorskip("click.testing")
skops_io = pytest.importorskip("skops.io")

N_INPUTS = 12
OPTIONS = "--n 200 --n0 20 --seed 3".split()


@pytest.fixture
def run(tmp_path, monkeypatch):
    """Run a command where there are a model, data, and a store of a run."""
    from sksmooth.cli._app import app

    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)
    X = rng.normal(size=(N_INPUTS, 2)) + np.repeat([[0], [2]], N_INPUTS // 2, axis=0)
    y = np.repeat([0, 1], N_INPUTS // 2)

    def run(*words, code=0):
        result = testing.CliRunner().invoke(app, list(words))
        assert result.exit_code == code, (result.output, result.exception)
        return " ".join(result.output.split())

    g = SmoothedClassifier(
        GaussianNB(), sigma=0.5, random_state=0, method="monte_carlo"
    )
    skops_io.dump(g.fit(X, y), "g.skops")
    skops_io.dump(LogisticRegression().fit(X, y), "linear.skops")
    np.savez("test.npz", X=X, y=y)
    run.stored = "g.skops", "test.npz", *OPTIONS
    run("certify", *run.stored, "--store", "run.sqlite", "--out", "run.tsv")
    return run


def forge(n_used, store="run.sqlite"):
    """Move a vote from one class to the other, with a checksum that fits."""
    db = sqlite3.connect(store)
    name, counts, value = db.execute(
        "SELECT id, counts, value FROM votes WHERE n_used = ? LIMIT 1", (n_used,)
    ).fetchone()
    votes = np.frombuffer(zlib.decompress(counts), "<i8").copy()
    votes += [-1, 1] if votes[0] else [1, -1]
    counts = zlib.compress(votes.tobytes())
    db.execute(
        "UPDATE votes SET counts = ?, checksum = ? WHERE id = ?",
        (counts, checksum(name, n_used, counts, value), name),
    )
    db.commit()
    db.close()


def test_votes_are_found_and_left_alone(run):
    names = sorted(os.listdir())
    with open("run.sqlite", "rb") as file:
        content = file.read()
    told = run("verify", "run.sqlite", *run.stored)
    assert f"their {220 * N_INPUTS:,} votes are those in the store" in told
    assert "All inputs of the data were checked" in told
    told = run("verify", "run.sqlite", *run.stored, "--sample", "7")
    assert f"{220 * 7:,} votes" in told and "If 0.429 of the inputs" in told
    with open("run.sqlite", "rb") as file:
        assert file.read() == content
    assert sorted(os.listdir()) == names


@pytest.mark.parametrize("n_used", [200, 20])
def test_forged_votes_are_found(run, n_used):
    forge(n_used)
    told = run("verify", "run.sqlite", *run.stored, code=1)
    assert f"votes on 1 of {N_INPUTS} inputs are not those" in told
    assert "--settings run.json" in told
    # Whose versions are those of the run, which is no excuse then.
    told = run("verify", "run.sqlite", *run.stored, "--settings", "run.json", code=1)
    assert "do not come from this model, data and noise" in told
    with open("run.json") as file:
        entries = json.load(file)
    entries["versions"]["numpy"] = "1.0"
    with open("run.json", "w") as file:
        json.dump(entries, file)
    told = run("verify", "run.sqlite", *run.stored, "--settings", "run.json", code=1)
    assert "numpy 1.0 there" in told and "still be valid" in told


def test_other_runs_are_not_verified(run):
    store, files = "run.sqlite", ["g.skops", "test.npz"]
    told = run("verify", store, *files, *OPTIONS[:-1], "4", code=1)
    assert "random_state is" in told
    told = run("verify", store, *files, "--n", "300", "--seed", "3", code=1)
    assert f"lacks votes of some of the {N_INPUTS} inputs" in told
    told = run("verify", store, *run.stored, "--sigma", "0.25", code=1)
    assert "sigma is 0.5 there and 0.25 here" in told
    told = run("verify", store, *files, "--key-file", "key", code=2)
    assert "there is no such file" in told and not os.path.exists("key")
    told = run("verify", store, *run.stored, "--predict", code=1)
    assert "for predict with n=200" in told and "try without --predict" in told
    # One that computes has no votes, whatever is in the store.
    linear = ["linear.skops", "test.npz", "--sigma", "0.5", "--seed", "3"]
    votes = ["--method", "monte_carlo", "--n", "200"]
    run("certify", *linear, *votes, "--store", "linear.sqlite")
    told = run("verify", "linear.sqlite", *linear, "--method", "exact", code=1)
    assert "verify the log of the run instead" in told
    told = run("verify", "linear.sqlite", *linear, "--predict", code=1)
    assert "predict computes and draws no votes" in told


def test_votes_of_predict(run):
    files = ["g.skops", "test.npz", "--n", "200", "--seed", "3"]
    run("predict", *files, "--store", "predict.sqlite", "--out", "predict.tsv")
    told = run("verify", "predict.sqlite", *files, "--predict")
    assert "votes are those in the store" in told
    told = run("verify", "predict.sqlite", *files, code=1)
    assert "try with --predict" in told and "certified_correct" in told
    assert "from votes drawn again" in run("verify", "predict.tsv", *files)
    n_used = sqlite3.connect("predict.sqlite").execute("SELECT min(n_used) FROM votes")
    forge(n_used.fetchone()[0], "predict.sqlite")
    told = run("verify", "predict.sqlite", *files, "--predict", code=1)
    assert f"votes on 1 of {N_INPUTS} inputs are not those" in told


def rewrite(old, new, beside=True):
    """Change a log and, if that is so, the hash of it that stands beside."""
    text = Path("run.tsv").read_text()
    assert old in text
    text = text.replace(old, new, 1)
    Path("run.tsv").write_text(text)
    if beside:
        entries = json.loads(Path("run.json").read_text())
        entries["log_sha256"] = sha256(text.encode()).hexdigest()
        Path("run.json").write_text(json.dumps(entries))


def test_lines_of_a_log(run):
    told = run("verify", "run.tsv", *run.stored)
    assert "from votes drawn again, and the p_A beside the log are those in" in told
    told = run("verify", "run.tsv", "g.skops", "test.npz", "--seed", "3", code=1)
    assert "n is 200 there and 100000 here; n0 is 20 there and 100 here" in told
    told = run("verify", "run.tsv", *run.stored, "--max", "5", code=1)
    assert "has 12 inputs, which are not the 5 of the data" in told
    entries = json.loads(Path("run.json").read_text())
    entries["p_lower"][2] += 0.001
    Path("run.json").write_text(json.dumps(entries))
    told = run("verify", "run.tsv", *run.stored, code=1)
    assert "lines on 1 of 12 inputs are not those in run.tsv: inputs 2." in told
    assert "do not come from this model, data" in told  # versions stand beside
    (line,) = [row for row in Path("run.tsv").read_text().splitlines() if row[0] == "5"]
    columns = line.split("\t")
    columns[3] = "9.000000"
    rewrite(line, "\t".join(columns))
    told = run("verify", "run.tsv", *run.stored, code=1)
    assert "lines on 2 of 12 inputs are not those in run.tsv: inputs 2, 5." in told
    rewrite("\n3\t", "\n4\t")
    told = run("verify", "run.tsv", *run.stored, code=1)
    assert "an input occurs twice" in told


def test_logs_without_votes(run):
    linear = ["linear.skops", "test.npz", "--sigma", "0.5"]
    for command in ("certify", "predict"):
        run(command, *linear, "--out", "run.tsv", "--force")
        assert "their lines, computed again," in run("verify", "run.tsv", *linear)
    # Without a key the noise of votes was new, and is gone.
    votes = [*linear, "--method", "monte_carlo", "--n", "200"]
    for command in ("certify", "predict"):
        run(command, *votes, "--out", "run.tsv", "--force")
        told = run("verify", "run.tsv", *votes, code=1)
        assert "whose noise was new in that run" in told


def test_runs_on_texts(run):
    texts = ["a a a", "b b b", "a a", "b b"]
    g = SmoothedClassifier(
        make_pipeline(CountVectorizer(token_pattern="."), MultinomialNB()),
        noise=DeleteTokens(0.5),
        n=100,
        random_state=0,
    )
    skops_io.dump(g.fit(texts, [0, 1, 0, 1]), "texts.skops")
    table = "text,y\n" + "".join(f"{text},{k % 2}\n" for k, text in enumerate(texts))
    Path("texts.csv").write_text(table)
    files = ["texts.skops", "texts.csv", "--label", "y"]
    run("certify", *files, "--store", "texts.sqlite", "--out", "texts.tsv")
    for left in ("texts.sqlite", "texts.tsv"):
        told = run("verify", left, *files, "--sample", "3")
        assert "3 of 4 inputs" in told
    assert "one column beside" in run("certify", *files[:2], code=1)


def test_a_split_run(run):
    g = SmoothedClassifier(GaussianNB(), noise=Split(levels=4, step=1), random_state=0)
    X = np.arange(8.0)[:, None]
    skops_io.dump(g.fit(X, X[:, 0] > 3), "split.skops")
    np.savez("split.npz", X=X)
    run("certify", "split.skops", "split.npz", "--store", "s.sqlite", "--out", "s.tsv")
    for left in (["s.sqlite"], ["s.sqlite", "--predict"], ["s.tsv"]):
        assert "All inputs of" in run("verify", *left, "split.skops", "split.npz")


def test_a_regressor_is_refused(run):
    X = np.arange(6.0)[:, None]
    r = SmoothedRegressor(LinearRegression(), sigma=0.5, random_state=0)
    joblib.dump(r.fit(X, X[:, 0]), "r.joblib")
    told = run("certify", "r.joblib", "test.npz", "--trust-pickle", code=1)
    assert "these commands are for classes" in told
