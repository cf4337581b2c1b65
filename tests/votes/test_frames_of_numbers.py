"""Trees get frames of numbers as matrices, and steps that look at names get frames."""

import numpy as np
import pandas as pd
import pytest
from sklearn.compose import make_column_transformer
from sklearn.datasets import load_wine
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.feature_selection import SelectKBest
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from sksmooth import SmoothedClassifier
from sksmooth.votes._frame_rows import FrameInputs
from sksmooth.votes._rows import Inputs
from sksmooth.votes.voters import _trees as trees
from sksmooth.votes.voters._predict import AnyVoter
from tests.helpers import make_voter

pytest.importorskip("numba")

X, y = load_wine(return_X_y=True)
X = X[:, :5]
NAMES = list("abcde")
SIGMA = 0.3 * X.std(axis=0)


def frame(kind=""):
    table = pd.DataFrame(X, columns=NAMES)
    if kind == "float32":
        return table.astype(np.float32)
    if kind == "polars":
        return pytest.importorskip("polars").DataFrame(X, schema=NAMES)
    if kind == "gaps":
        return table.where(np.random.default_rng(0).random(X.shape) > 0.1)
    if kind in ("int64", "int8"):
        return table.assign(e=(X[:, 4] % 100).astype(kind))
    if kind == "mixed":
        return table.astype({"a": np.float32})
    if kind == "nullable":
        return table.astype("Float64")
    if kind == "int above 2**24":
        return table.assign(e=2**24 + X[:, 4].astype(int))
    if kind == "words":
        return table.assign(e=np.where(X[:, 4] > 100, "x", "y"))
    return table


def forest():
    return RandomForestClassifier(5, random_state=0)


def voter_for(f, table, sigma=SIGMA):
    return make_voter(f, f.classes_, FrameInputs.from_frame(table, sigma))


def without_e(kind):
    return np.where(np.arange(5) == 4, 0, SIGMA) if "int" in kind else SIGMA


@pytest.mark.parametrize("kind", ["", "float32", "polars", "gaps", "int64", "int8"])
@pytest.mark.parametrize("steps", [(), (StandardScaler(), SelectKBest(k=3))], ids=len)
def test_numbers_are_a_matrix(kind, steps, monkeypatch):
    table, sigma = frame(kind), without_e(kind)
    last = forest()
    if kind == "gaps":  # which neither the selector takes nor the kernel for forests
        steps, last = steps[:1], HistGradientBoostingClassifier(max_iter=3)
    f = make_pipeline(*steps, last).fit(table, y)
    voter = voter_for(f, table, sigma)
    assert type(voter) is trees.TreesVoter and voter.inputs.is_plain_matrix
    g = SmoothedClassifier(f, sigma=sigma, n=200, random_state=0)
    some = table[::20]
    with monkeypatch.context() as patch:
        patch.setattr(Inputs, "assemble", None)  # no frame is made
        patch.setattr("sksmooth.votes._voting.depends_on_company", lambda *_: False)
        counts = g.certify(some).counts
    monkeypatch.setattr("sksmooth.votes._recognise.has_kernel", lambda: False)
    assert type(voter_for(f, table, sigma)) is AnyVoter
    np.testing.assert_array_equal(g.certify(some).counts, counts)


@pytest.mark.parametrize("kind", ["mixed", "nullable", "int above 2**24"])
def test_what_is_no_matrix_of_the_same_numbers(kind):
    sigma = without_e(kind)
    assert not FrameInputs.from_frame(frame(kind), sigma).is_plain_matrix
    sigma = np.where(np.arange(5) == 4, 0, SIGMA)
    assert not FrameInputs.from_frame(frame("words"), sigma).is_plain_matrix


def test_nulls_in_some_rows_of_polars():
    table = frame("polars").with_columns(
        pytest.importorskip("polars").Series("c", [None, *X[1:, 2]])
    )
    inputs = FrameInputs.from_frame(table, SIGMA)
    assert not inputs.is_plain_matrix
    assert inputs.take(slice(1, 3)).is_plain_matrix


def test_matrix_of_columns_with_and_without_noise():
    table = frame("int64")[["e", "a", "b", "c", "d"]]
    inputs = FrameInputs.from_frame(table, [0, 1, 0, 1, 1])
    rows = np.array([3, 0, 3])
    values = inputs.values[rows] + 0.25
    made = inputs.as_matrix(values, rows)
    np.testing.assert_array_equal(made, inputs.assemble(values, rows).to_numpy())
    assert made.dtype == np.float64


def test_other_names_or_another_order_go_through_predict():
    f = forest().fit(frame(), y)
    for names in (list("abced"), list("abcdx")):
        table = frame().set_axis(names, axis=1)
        assert type(voter_for(f, table)) is AnyVoter
    with pytest.raises(ValueError, match="feature names"):
        SmoothedClassifier(f, sigma=1.0, n=10, n0=10).certify(table[:2])
    unnamed = forest().fit(X, y)  # it would warn
    assert type(voter_for(unnamed, frame())) is AnyVoter


def test_steps_that_look_at_names_get_the_frame(monkeypatch):
    """And the trees behind them the matrix that they make."""
    first = make_column_transformer(
        (StandardScaler(), ["c", "a"]), ("passthrough", ["e"])
    )
    f = make_pipeline(first, forest())
    f.fit(frame(), y)
    assert not voter_for(f, frame()).nameless
    g = SmoothedClassifier(f, sigma=SIGMA, n=200, random_state=0)
    with monkeypatch.context() as patch:
        patch.setattr(AnyVoter, "_by_predict", None)
        counts = g.certify(frame()[::20]).counts
        patch.undo()
        patch.setattr("sksmooth.votes._recognise.has_kernel", lambda: False)
        np.testing.assert_array_equal(g.certify(frame()[::20]).counts, counts)
    own = make_pipeline(
        FunctionTransformer(lambda table: table[["b"]].to_numpy()), forest()
    )
    assert type(voter_for(own.fit(frame(), y), frame())) is trees.TreesVoter


@pytest.mark.filterwarnings("ignore:X does not have valid feature names")
def test_steps_that_make_frames():
    f = make_pipeline(StandardScaler().set_output(transform="pandas"), forest())
    f.fit(frame(), y)
    g = SmoothedClassifier(f, sigma=SIGMA, n=100, random_state=0)
    voter = voter_for(f, frame())
    voter.allocate(len(X))
    voter._batch[:], voter._rows[:] = X, np.arange(len(X))
    np.testing.assert_array_equal(
        f.classes_[voter.classify(len(X))], f.predict(frame())
    )
    assert g.certify(frame()[:2]).counts.sum() == 200
