"""Votes in a store are drawn again: what was forged is found, what is there stays."""

import json
import os
import sqlite3
import zlib

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import GaussianNB

from sksmooth import SmoothedClassifier
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


def forge(n_used):
    """Move a vote from one class to the other, with a checksum that fits."""
    db = sqlite3.connect("run.sqlite")
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
    # One that computes has no votes, whatever is in the store.
    linear = ["linear.skops", "test.npz", "--sigma", "0.5", "--seed", "3"]
    votes = ["--method", "monte_carlo", "--n", "200"]
    run("certify", *linear, *votes, "--store", "linear.sqlite")
    told = run("verify", "linear.sqlite", *linear, "--method", "exact", code=1)
    assert "rest on no votes" in told
