"""A call makes its classifier and its rows ready once, for all draws and workers."""

import os
from collections import Counter
from pathlib import Path
from unittest.mock import patch

import joblib
import numpy as np
import pytest
from sklearn.datasets import load_iris
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import GaussianNB
from sklearn.neural_network import MLPClassifier

from sksmooth import SmoothedClassifier, certified_accuracy_scorer
from sksmooth.votes import _voting
from sksmooth.votes._rows import Inputs

X, y = load_iris(return_X_y=True)
# What each method draws: certify selects classes, and then estimates.
DRAWS = {
    "predict": 1,
    "predict_proba": 1,
    "certify": 2,
    "certify early": 2,
    "certified_correct": 1,
    "scorer": 1,
}
BASES = {
    "linear": LogisticRegression(max_iter=2000).fit(X, y),
    "MLP": MLPClassifier((5,), tol=10.0, random_state=0).fit(X, y),
    "trees": RandomForestClassifier(5, random_state=0).fit(X, y),
    "any": GaussianNB().fit(X, y),
}


def smooth(base, **params):
    return SmoothedClassifier(
        base,
        **{
            "method": "monte_carlo",
            "sigma": 0.3,
            "n": 400,
            "random_state": 0,
            **params,
        },
    )


def ask(g, method, **kwargs):
    if method == "certify early":
        return g.certify(X, radius_tol=0.1, **kwargs)
    if method == "certified_correct":
        return g.certified_correct(X, y, [0.0, 0.2], **kwargs)
    if method == "scorer":
        return certified_accuracy_scorer(0.2)(g, X, y)
    return getattr(g, method)(X, **kwargs)


@pytest.fixture
def counted(monkeypatch):
    """How often classifiers are recognised, and how many rows are read as bytes."""
    n = Counter()
    recognise, contents = _voting.recognise, Inputs.contents

    def recognise_and_count(*args):
        n["recognised"] += 1
        return recognise(*args)

    def count_contents(inputs):
        for one in contents(inputs):
            n["rows"] += 1
            yield one

    monkeypatch.setattr(_voting, "recognise", recognise_and_count)
    monkeypatch.setattr(Inputs, "contents", count_contents)
    return n


@pytest.mark.parametrize("n_jobs", [1, 2])
@pytest.mark.parametrize("method", DRAWS)
@pytest.mark.parametrize("base", BASES)
def test_in_this_process(base, method, n_jobs, counted):
    g = smooth(BASES[base], n_jobs=n_jobs)
    with joblib.parallel_config("threading"):
        ask(g, method)
    assert counted == {"recognised": 1, "rows": len(X)}


@pytest.mark.parametrize("params", [{"shared_noise": True}, {"grid": "auto"}], ids=str)
@pytest.mark.parametrize("base", ["linear", "trees"])
def test_other_noise(base, params, counted):
    ask(smooth(BASES[base], **params), "certify")
    assert counted == {"recognised": 1, "rows": len(X)}


@pytest.mark.parametrize("method", [one for one in DRAWS if one != "scorer"])
def test_with_a_store(method, counted, tmp_path):
    g = smooth(BASES["any"])
    expected = ask(g, method, store=tmp_path / "votes")
    assert counted == {"recognised": 1, "rows": len(X)}
    counted.clear()
    got = ask(g, method, store=tmp_path / "votes")
    # All votes are there: nothing is asked, so nothing has to be known.
    assert counted == {"rows": len(X)}
    if "certify" in method:
        expected, got = expected.counts, got.counts
    np.testing.assert_array_equal(got, expected)


@pytest.mark.parametrize("mode", ["eager", "auto"])
def test_a_net(mode, counted):
    torch = pytest.importorskip("torch")
    skorch = pytest.importorskip("skorch")
    net = skorch.NeuralNetClassifier(torch.nn.Linear(4, 3), classes=[0, 1, 2])
    g = smooth(net.initialize(), net_options={"mode": mode})
    for method, draws in DRAWS.items():
        counted.clear()
        if method == "scorer":
            certified_accuracy_scorer(0.2)(g, X.astype("f4"), y)
        else:
            ask(g, method)
        assert counted["recognised"] == 1
        # A draw keys torch's generator by its first row, and so does a look at company.
        assert counted["rows"] <= len(X) + draws + 1


class Logged(GaussianNB):
    """Notes where it is unpickled."""

    def __setstate__(self, state):
        super().__setstate__(state)
        note(self.log, "unpickled")


def note(log, what):
    with open(log, "a") as file:
        file.write(f"{what} {os.getpid()}\n")


def work(shared, rows, chunk):
    """What a worker does, with notes of what it takes."""
    log = shared[0].estimator.log
    recognise, contents = _voting.recognise, Inputs.contents

    def recognise_and_note(*args):
        note(log, "recognised")
        return recognise(*args)

    def note_contents(inputs):
        note(log, "rows")
        return contents(inputs)

    note(log, "chunk")
    with (
        patch.object(_voting, "recognise", recognise_and_note),
        patch.object(Inputs, "contents", note_contents),
    ):
        return counted_work(shared, rows, chunk)


counted_work = _voting.work


@pytest.mark.parametrize("method", ["certify", "predict", "certified_correct"])
def test_in_other_processes(method, counted, tmp_path, monkeypatch):
    """Once a draw in each worker, however many chunks it gets."""
    base = Logged().fit(X, y)
    base.log = tmp_path / "log"
    expected = ask(smooth(BASES["any"]), method)
    counted.clear()
    monkeypatch.setattr(_voting, "work", work)
    with joblib.parallel_config("loky"):
        got = ask(smooth(base, n_jobs=2), method)
    if method == "certify":
        expected, got = expected.counts, got.counts
    np.testing.assert_array_equal(got, expected)
    assert counted == {"recognised": 1, "rows": len(X)}
    notes = Counter(Path(base.log).read_text().splitlines())
    workers = {note.split()[1] for note in notes}
    assert str(os.getpid()) not in workers
    for worker in workers:
        assert notes[f"unpickled {worker}"] <= DRAWS[method]
        assert notes[f"recognised {worker}"] <= DRAWS[method]
        assert notes[f"rows {worker}"] == 0  # keys are sent
    chunks = sum(notes[f"chunk {worker}"] for worker in workers)
    assert chunks > DRAWS[method] * len(workers)


def test_threads_unpickle_nothing(tmp_path):
    base = Logged().fit(X, y)
    base.log = tmp_path / "log"
    with joblib.parallel_config("threading"):
        smooth(base, n_jobs=2).certify(X)
    assert not base.log.exists()
