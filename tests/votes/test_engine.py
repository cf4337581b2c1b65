import subprocess
import sys
import tracemalloc
import warnings

import joblib
import numpy as np
import pandas as pd
import polars as pl
import pytest
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression
from sklearn.tree import DecisionTreeClassifier

from sksmooth.votes._frame_rows import FrameInputs
from sksmooth.votes._rows import Inputs
from sksmooth.votes.voters._linear import LinearVoter
from tests.helpers import Fixed, count_votes, make_voter

X, y = load_iris(return_X_y=True)
CLASSES = np.arange(3)
KEY = {"entropy": 3, "purpose": "estimate"}
BASES = [
    DecisionTreeClassifier(random_state=0).fit(X, y),
    LogisticRegression(max_iter=1000).fit(X, y),
]


def votes(estimator, X=X, n=137, sigma=0.3, **settings):
    inputs = Inputs.from_array(X, sigma)
    return count_votes(estimator, CLASSES, inputs, n, **{**KEY, **settings}).counts


@pytest.mark.parametrize("estimator", BASES, ids=["tree", "linear"])
def test_same_votes_however_they_are_drawn(estimator):
    expected = votes(estimator)
    assert np.all(expected.sum(axis=1) == 137)
    for batch_size in (1, 7, 137, 10_000):
        np.testing.assert_array_equal(votes(estimator, batch_size=batch_size), expected)
    np.testing.assert_array_equal(votes(estimator, n_jobs=2), expected)
    order = np.random.default_rng(0).permutation(len(X))
    np.testing.assert_array_equal(votes(estimator, X[order]), expected[order])
    np.testing.assert_array_equal(votes(estimator, X[17:18]), expected[17:18])
    assert not np.array_equal(votes(estimator, entropy=4), expected)
    assert not np.array_equal(votes(estimator, purpose="select"), expected)


def test_same_votes_in_another_process():
    code = (
        "from tests.votes.test_engine import BASES, votes\n"
        "print(*[votes(f).ravel().tolist() for f in BASES])"
    )
    run = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert run.stdout.split("\n")[0] == str(
        " ".join(str(votes(f).ravel().tolist()) for f in BASES)
    )


def test_batches_are_full_and_hold_the_right_copies():
    """The estimator sees every copy once, in batches of the size asked for."""
    sizes, seen = [], []

    def label(batch):
        sizes.append(len(batch))
        seen.append(batch.copy())
        return np.rint(batch[:, 0]).astype(int) % 3

    base = Fixed(label, classes=(0, 1, 2))
    X = np.array([[0.0], [10.0], [20.0], [31.0]])
    counts = votes(base, X, n=25, sigma=0.01, batch_size=30)
    assert sizes == [30, 30, 30, 10]
    expected = np.zeros((4, 3))
    expected[[0, 1, 2, 3], [0, 1, 2, 1]] = 25
    np.testing.assert_array_equal(counts, expected)
    np.testing.assert_allclose(np.concatenate(seen)[:, 0], np.repeat(X, 25), atol=0.1)


def test_the_users_array_is_not_written_to():
    before = X.copy()

    def greedy(batch):
        batch[:] = 0
        return np.zeros(len(batch), int)

    votes(Fixed(greedy, classes=(0, 1, 2)))
    np.testing.assert_array_equal(X, before)


def test_float32_stays_float32():
    seen = set()

    def label(batch):
        seen.add(batch.dtype)
        return np.zeros(len(batch), int)

    votes(Fixed(label, classes=(0, 1, 2)), X.astype(np.float32))
    assert seen == {np.dtype(np.float32)}


def test_memory_does_not_grow_with_n():
    def peak(n):
        tracemalloc.start()
        votes(BASES[0], X[:2], n=n, batch_size=1000)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return peak

    peak(1000)
    assert peak(50_000) < 1.5 * peak(2_000)


def test_auto_batch_size_is_bounded_in_bytes():
    sizes = []

    def label(batch):
        sizes.append(batch.nbytes)
        return np.zeros(len(batch), int)

    base = Fixed(label, classes=(0, 1, 2))
    votes(base, np.zeros((1, 3, 100, 100)), n=300)
    assert max(sizes) <= 8 * 2**20
    assert len(sizes) == 9
    # tiny rows: bounded in rows, too
    sizes.clear()
    votes(base, np.zeros((1, 1)), n=100_000)
    assert max(sizes) == 8 * 65_536


def test_auto_batch_size_counts_columns_without_noise():
    frame = pd.DataFrame(np.zeros((1, 1000)), columns=[f"x{j}" for j in range(1000)])
    rows = []

    def label(batch):
        rows.append(len(batch))
        return np.zeros(len(batch), int)

    sigma = np.zeros(1000)
    sigma[0] = 1.0
    inputs = FrameInputs.from_frame(frame, sigma)
    count_votes(Fixed(label, classes=(0, 1, 2)), CLASSES, inputs, 3000, **KEY)
    assert max(rows) * 1000 * 8 <= 8 * 2**20


@pytest.mark.parametrize(
    ("library", "backend"),
    # polars does not survive the fork of joblib's "multiprocessing"
    [(pd, "loky"), (pl, "loky"), (pd, "threading"), (pl, "threading")]
    + [(pd, "multiprocessing")],
)
def test_frames_in_parallel(library, backend):
    names = ["a", "b", "c", "d"]
    frame = library.DataFrame(dict(zip(names, X.T, strict=True)))
    base = DecisionTreeClassifier(random_state=0).fit(frame, y)
    inputs = FrameInputs.from_frame(frame, 0.3)
    expected = votes(DecisionTreeClassifier(random_state=0).fit(X, y))
    with joblib.parallel_config(backend=backend):
        got = count_votes(base, CLASSES, inputs, 137, **KEY, n_jobs=2)
    np.testing.assert_array_equal(got.counts, expected)


def test_threads_leave_the_warning_filters_alone():
    before = list(warnings.filters)
    with joblib.parallel_config(backend="threading"):
        votes(BASES[0], n_jobs=4)
    assert warnings.filters == before


def test_string_classes_in_any_order():
    names = np.array(["zebra", "ant", "bee"])
    base = Fixed(lambda X: names[np.rint(X[:, 0]).astype(int)], classes=names)
    inputs = Inputs.from_array(np.array([[0.0], [1.0], [2.0]]), 0.01)
    counts = count_votes(base, names, inputs, 10, **KEY).counts
    np.testing.assert_array_equal(counts, 10 * np.eye(3))


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (lambda X: np.full(len(X), 3), r"returned 3, which is not one of"),
        (lambda X: np.full(len(X), np.nan), r"returned nan, which is not one of"),
        (lambda X: np.full(len(X), "a"), r"returned 'a', which is not one of"),
        (lambda X: np.array([None] * len(X)), r"returned None, which is not one of"),
        (lambda X: np.zeros(len(X) - 1), r"shape \(136,\) for 137 inputs"),
        (lambda X: np.zeros((len(X), 2)), r"shape \(137, 2\) for 137 inputs"),
    ],
)
def test_answers_that_are_no_labels(function, message):
    with pytest.raises(ValueError, match=message):
        votes(Fixed(function, classes=(0, 1, 2)), X[:1])


def test_an_exception_of_the_base_is_chained():
    def fail(X):
        raise KeyError("no such tensor")

    message = "Fixed.predict failed on a batch of 137 noisy copies.*no such tensor"
    with pytest.raises(RuntimeError, match=message) as info:
        votes(Fixed(fail, classes=(0, 1, 2)), X[:1])
    assert isinstance(info.value.__cause__, KeyError)


def test_a_column_of_labels_is_accepted():
    base = Fixed(lambda X: np.ones((len(X), 1), int), classes=(0, 1, 2))
    assert votes(base, X[:1]).tolist() == [[0, 137, 0]]


def test_progress_is_shown_only_when_asked_for(capsys):
    votes(BASES[0], verbose=0)
    assert capsys.readouterr().err == ""
    votes(BASES[0], verbose=1)
    assert "150/150" in capsys.readouterr().err


def test_the_linear_voter_is_chosen_for_linear_classifiers():
    tree, linear = BASES
    inputs = Inputs.from_array(X, 0.3)
    assert isinstance(make_voter(linear, CLASSES, inputs), LinearVoter)
    assert not isinstance(make_voter(tree, CLASSES, inputs), LinearVoter)


class StopAtHalf:
    """Settles inputs of even number at the second look, the others never."""

    def __init__(self, places, looks=(10, 25, 60)):
        self.places, self.looks = places, np.array(looks)

    def empty(self, n_inputs):
        return np.zeros(n_inputs)

    def __call__(self, look, rows, counts):
        # what the engine promises: exactly the votes of this look, no more
        np.testing.assert_array_equal(counts.sum(axis=1), self.looks[look])
        return counts[:, 0] / self.looks[look], (look == 1) & (
            self.places[rows] % 2 == 0
        )


@pytest.mark.parametrize("batch_size", [1, 7, 64, "auto"])
@pytest.mark.parametrize("n_jobs", [1, 2])
def test_a_rule_sees_its_looks_and_stops_inputs(batch_size, n_jobs):
    rule = StopAtHalf(np.arange(150))
    inputs = Inputs.from_array(X, 0.3)
    base = BASES[0]
    result = count_votes(
        base, CLASSES, inputs, rule, **KEY, batch_size=batch_size, n_jobs=n_jobs
    )
    np.testing.assert_array_equal(result.n_used, np.where(np.arange(150) % 2, 60, 25))
    # the votes are the first ones of the same streams, whatever was stopped
    by_look = {n: votes(base, n=n) for n in (10, 25, 60)}
    expected = np.where(np.arange(150)[:, None] % 2, by_look[60], by_look[25])
    np.testing.assert_array_equal(result.counts, expected)
    shares = np.array([by_look[n][:, 0] / n for n in (10, 25, 60)])
    assert np.any(shares.max(axis=0) > shares[-1])
    np.testing.assert_array_equal(result.value[1::2], shares.max(axis=0)[1::2])


def test_settled_inputs_make_room_for_others():
    """Batches stay full while there is anything to vote on."""
    sizes = []

    def label(batch):
        sizes.append(len(batch))
        return np.zeros(len(batch), int)

    rule = StopAtHalf(np.zeros(300), looks=(10, 20, 10_000))
    inputs = Inputs.from_array(np.arange(300.0)[:, None], 1.0)
    base = Fixed(label, classes=(0, 1, 2))
    count_votes(base, CLASSES, inputs, rule, **KEY, batch_size=100)
    assert sum(sizes) == 300 * 20
    assert sizes == [100] * 60
