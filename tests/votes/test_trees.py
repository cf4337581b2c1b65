"""Compiled trees give the labels of `predict`, on every row."""

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_breast_cancer, load_digits, load_iris
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import (
    ExtraTreesClassifier,
    GradientBoostingClassifier,
    HistGradientBoostingClassifier,
    RandomForestClassifier,
)
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier, ExtraTreeClassifier

from sksmooth import SmoothedClassifier
from sksmooth.models._forest import Walk
from sksmooth.models._trees import compiled
from sksmooth.models._unwrap import unwrap
from sksmooth.votes._frame_rows import FrameInputs
from sksmooth.votes._rows import Inputs
from sksmooth.votes.voters import _trees as trees
from sksmooth.votes.voters._predict import AnyVoter
from tests.helpers import asked, beside, count_votes, make_voter

pytest.importorskip("numba")

X3, y3 = load_iris(return_X_y=True)
X2, y2 = load_breast_cancer(return_X_y=True)
X2 = X2[:, :12]
BASES = [
    DecisionTreeClassifier(random_state=0),
    ExtraTreeClassifier(random_state=0),
    RandomForestClassifier(20, random_state=0),
    RandomForestClassifier(4, max_depth=2, random_state=0),  # sums often tie
    ExtraTreesClassifier(20, random_state=0),
    GradientBoostingClassifier(n_estimators=20, random_state=0),
    GradientBoostingClassifier(
        n_estimators=5, init="zero", loss="exponential", random_state=0
    ),
    HistGradientBoostingClassifier(max_iter=20, random_state=0),
    HistGradientBoostingClassifier(max_iter=5, max_leaf_nodes=3, random_state=0),
]


def labels(f, X):
    """Labels by the compiled trees; fails if they do not apply."""
    inputs = Inputs.from_array(X, 1.0)
    voter = make_voter(f, f.classes_, inputs)
    assert type(voter) is trees.TreesVoter
    voter.allocate(len(X))
    voter._batch[:] = X
    voter._rows[:] = 0
    original, AnyVoter.classify = AnyVoter.classify, None  # no way around the kernel
    try:
        return f.classes_[voter.classify(len(X))]
    finally:
        AnyVoter.classify = original


def rows_at_thresholds(f, X, n=3000):
    """Rows whose values are thresholds of f, or their neighbours among floats."""
    rng = np.random.default_rng(0)
    model = compiled(unwrap(f))
    feature, threshold = asked(model.forest)
    raw = _thresholds(f)
    rows = X[rng.integers(0, len(X), n)].astype(float)
    for column in range(X.shape[1]):
        own = np.concatenate([threshold[feature == column], raw.get(column, [])])
        own = own[np.abs(own) < 1e30]  # missing values are split off at infinity
        if not len(own):
            continue
        own = beside(own)
        use = rng.random(n) < 0.8
        rows[use, column] = rng.choice(own, n)[use]
    return rows


def _thresholds(f):
    """The thresholds as scikit-learn stores them, by feature."""
    found = {}
    if isinstance(f, HistGradientBoostingClassifier):
        nodes = [tree.nodes for stage in f._predictors for tree in stage]
        pairs = [
            (n["feature_idx"], n["num_threshold"])
            for part in nodes
            for n in part[part["is_leaf"] == 0]
        ]
    else:
        parts = np.ravel(getattr(f, "estimators_", [f]))
        pairs = [
            pair
            for part in parts
            for pair in zip(part.tree_.feature, part.tree_.threshold, strict=True)
        ]
    for feature, threshold in pairs:
        found.setdefault(int(feature), []).append(float(threshold))
    return found


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("data", [(X2, y2), (X3, y3)], ids=["2 classes", "3 classes"])
@pytest.mark.parametrize("f", BASES, ids=lambda f: str(f)[:40])
def test_labels_are_those_of_predict(f, data, dtype):
    X, y = data
    if len(np.unique(y)) > 2 and getattr(f, "loss", "") == "exponential":
        pytest.skip("the exponential loss is for two classes")
    f.fit(X, y)
    rows = rows_at_thresholds(f, X).astype(dtype)
    noisy = np.tile(X, (10, 1)) + 0.3 * X.std(axis=0) * np.random.default_rng(1).normal(
        size=(10 * len(X), X.shape[1])
    )
    for some in (rows, noisy.astype(dtype), rows[:1], rows[:257]):
        np.testing.assert_array_equal(labels(f, some), f.predict(some))


def test_votes_are_those_of_predict(monkeypatch):
    """The whole way: same noise, same votes, also where they stop early."""
    for f in (BASES[2], BASES[7]):
        f.fit(X3, y3)
        for shared_noise in (False, True):
            g = SmoothedClassifier(
                f,
                method="monte_carlo",
                sigma=0.3,
                n=500,
                shared_noise=shared_noise,
                random_state=0,
            )
            a = g.certify(X3[::10], radius_tol=0.05)
            with monkeypatch.context() as patch:
                patch.setattr(trees, "_kernel", lambda: None)
                b = g.certify(X3[::10], radius_tol=0.05)
            np.testing.assert_array_equal(a.counts, b.counts)


def test_up_to_256_leaves_and_ten_classes():
    X, y = load_digits(return_X_y=True)
    rng = np.random.default_rng(0)
    f = RandomForestClassifier(10, max_leaf_nodes=256, random_state=0)
    f.fit(X + 3 * rng.normal(size=X.shape), y)
    leaves = [tree.get_n_leaves() for tree in f.estimators_]
    assert 250 < min(leaves) <= max(leaves) == 256
    rows = X + 3 * rng.normal(size=X.shape)
    np.testing.assert_array_equal(labels(f, rows), f.predict(rows))
    for n in (64, 65, 127, 128, 129, 192, 193):
        f = DecisionTreeClassifier(max_leaf_nodes=n, random_state=0)
        f.fit(X + 5 * rng.normal(size=X.shape), y)
        assert f.get_n_leaves() == n
        np.testing.assert_array_equal(labels(f, rows), f.predict(rows))


MANY_LEAVES = [
    RandomForestClassifier(6, random_state=0),
    ExtraTreesClassifier(3, random_state=0),
    GradientBoostingClassifier(n_estimators=2, max_depth=None, random_state=0),
    HistGradientBoostingClassifier(
        max_iter=2, max_leaf_nodes=None, min_samples_leaf=2, random_state=0
    ),
]


@pytest.mark.parametrize("f", MANY_LEAVES, ids=lambda f: str(f)[:12])
@pytest.mark.parametrize("n_classes", [2, 3])
def test_more_than_256_leaves(f, n_classes):
    """Node by node, also where a part of a block is small, alike or lacks values."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(2_500, 5))
    f.fit(np.where(rng.random(X.shape) < 0.1, 9, X), rng.integers(n_classes, size=2500))
    assert isinstance(compiled(unwrap(f)).forest, Walk)
    edges = rows_at_thresholds(f, X, 1_000)
    copies = [x + 0.05 * rng.normal(size=(700, 5)) for x in edges[:6]]
    rows = np.vstack([edges, *copies])  # more than a block
    for some in (rows, rows[::-7], rows[:1]):
        np.testing.assert_array_equal(labels(f, some), f.predict(some))
    if isinstance(f, HistGradientBoostingClassifier):
        f.fit(np.where(rng.random(X.shape) < 0.1, np.nan, X), np.arange(2500) % 3)
        assert compiled(unwrap(f)).forest.feature.max() > 2**31  # some go right
        gaps = rng.random(edges.shape) < 0.2
        for some in (np.where(gaps, np.nan, edges), np.where(gaps[:1], np.nan, X)):
            np.testing.assert_array_equal(labels(f, some), f.predict(some))


def test_many_trees_are_read_for_many_votes_only(monkeypatch):
    """And the votes are the same."""
    f, inputs = RandomForestClassifier(9, random_state=0), Inputs.from_array(X3, 0.3)
    f.fit(X3, y3)
    settings = {"purpose": "estimate", "entropy": 0}
    one = inputs.take(slice(1))
    few = [count_votes(f, f.classes_, one, 100, **settings).counts]
    many = [count_votes(f, f.classes_, one, 10_000, **settings).counts]
    monkeypatch.setattr("sksmooth.models._trees._MANY_NODES", 10)
    read = []
    monkeypatch.setattr(
        "sksmooth.votes._recognise.compiled",
        lambda chain: read.append(chain) or compiled(chain),
    )
    few.append(count_votes(f, f.classes_, one, 100, **settings).counts)
    assert not read
    many.append(count_votes(f, f.classes_, one, 10_000, **settings).counts)
    assert len(read) == 1
    np.testing.assert_array_equal(few[0], few[1])
    np.testing.assert_array_equal(many[0], many[1])


def test_lopsided_trees():
    """A chain: every left branch, or every right one, is a leaf."""
    x = np.arange(60.0)[:, None]
    for power in (1, -1):
        f = DecisionTreeClassifier(random_state=0)
        f.fit(x, np.arange(60) % 2, sample_weight=4.0 ** (power * np.arange(60) / 4))
        rows = np.linspace(-1, 61, 1000)[:, None]
        np.testing.assert_array_equal(labels(f, rows), f.predict(rows))
    x, rows = np.arange(600.0)[:, None], np.linspace(-1, 601, 9000)[:, None]
    for weight in (1, 1.02 ** -np.arange(600.0), 1.02 ** np.arange(600.0)):
        f.fit(x, np.arange(600) % 2, sample_weight=weight * np.ones(600))
        np.testing.assert_array_equal(labels(f, rows), f.predict(rows))


def test_a_tree_that_is_a_leaf():
    for f in (
        DecisionTreeClassifier(max_depth=1, min_samples_split=200),
        HistGradientBoostingClassifier(max_iter=2, min_samples_leaf=150),
    ):
        f.fit(X3, y3)
        np.testing.assert_array_equal(labels(f, X3), f.predict(X3))


def test_names_of_classes_and_steps_in_front():
    names = np.array(["setosa", "versicolor", "virginica"])[y3]
    forest = RandomForestClassifier(10, random_state=0)
    for f in (
        make_pipeline(StandardScaler(), "passthrough", forest),
        FrozenEstimator(make_pipeline(StandardScaler(), None, forest).fit(X3, names)),
    ):
        f.fit(X3, names)
        rows = X3 + 0.5 * np.random.default_rng(0).normal(size=X3.shape)
        np.testing.assert_array_equal(labels(f, rows), f.predict(rows))


def test_training_that_went_on():
    f = GradientBoostingClassifier(n_estimators=5, warm_start=True, random_state=0)
    f.fit(X3, y3).set_params(n_estimators=9).fit(X3, y3)
    np.testing.assert_array_equal(labels(f, X3), f.predict(X3))
    f = HistGradientBoostingClassifier(max_iter=3, warm_start=True, random_state=0)
    f.fit(X3, y3).set_params(max_iter=6).fit(X3, y3)
    np.testing.assert_array_equal(labels(f, X3), f.predict(X3))


def test_trees_that_saw_missing_values():
    X = X3.copy()
    X[::7, 0] = np.nan
    for f in (BASES[0], BASES[2], BASES[7]):
        f.fit(X, y3)
        rows = rows_at_thresholds(f, X3)
        np.testing.assert_array_equal(labels(f, rows), f.predict(rows))
    # Histograms are the trees that may be asked about them, too: the last ones here.
    gaps = np.random.default_rng(0).random(rows.shape) < 0.2
    for some in (np.where(gaps, np.nan, rows), np.where(gaps[:1], np.nan, X3)):
        np.testing.assert_array_equal(labels(f, some), f.predict(some))


@pytest.mark.parametrize("f", [BASES[2], BASES[7]], ids=["forest", "hist"])
def test_nodes_that_answer_alike_for_a_whole_block(f):
    """Copies near one input, at or beside thresholds: a mask may be for all of them."""
    f.fit(X2, y2)
    rng = np.random.default_rng(0)
    edges = rows_at_thresholds(f, X2, 30)
    for x in (*X2[::60], *edges):
        for spread in (0.0, 1e-9, 0.05):
            noise = spread * X2.std(axis=0) * rng.normal(size=(300, X2.shape[1]))
            rows = np.vstack([x + noise, edges[:5]])
            np.testing.assert_array_equal(labels(f, rows), f.predict(rows))


class Stump(DecisionTreeClassifier):
    def predict(self, X):
        return np.zeros(len(X), int)


def patched(f):
    f.predict = lambda X: np.zeros(len(X), int)
    return f


@pytest.mark.parametrize(
    "f",
    [
        LogisticRegression(max_iter=5000),
        Stump(),
        patched(DecisionTreeClassifier()),
        HistGradientBoostingClassifier(max_iter=2, categorical_features=[1]),
        GradientBoostingClassifier(init=LogisticRegression(max_iter=5000)),
        GradientBoostingClassifier(init=DummyClassifier(strategy="uniform")),
    ],
    ids=lambda f: str(f)[:40],
)
def test_what_cannot_be_compiled_is_left_alone(f):
    f.fit(X3.round(), y3)
    assert compiled(unwrap(f)) is None


def test_left_alone_several_outputs_and_other_names():
    several = DecisionTreeClassifier().fit(X3, np.column_stack([y3, y3]))
    assert compiled(unwrap(several)) is None
    frame = pd.DataFrame(X3, columns=list("abcd"))
    f = DecisionTreeClassifier().fit(frame, y3)
    voter = make_voter(f, f.classes_, FrameInputs.from_frame(frame[list("bacd")], 1.0))
    assert type(voter) is AnyVoter


def test_rows_that_trees_refuse_are_refused():
    f = DecisionTreeClassifier().fit(X3, y3)
    inputs = Inputs.from_array(np.full((1, 4), 1e300), 1.0)
    settings = {"entropy": 0, "purpose": "estimate"}
    with pytest.raises(RuntimeError, match="predict failed on a batch of 10"):
        count_votes(f, f.classes_, inputs, 10, **settings)
    inputs = Inputs.from_array(X3[:, :3], 1.0)
    with pytest.raises(RuntimeError, match="predict failed on a batch of .*features"):
        count_votes(f, f.classes_, inputs, 10, **settings)
