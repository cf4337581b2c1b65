"""A missing value stays missing in every copy, and passes if the base takes it."""

import numpy as np
import pandas as pd
import polars as pl
import pytest
import sklearn
from scipy.stats import binomtest, norm
from sklearn.base import ClassifierMixin
from sklearn.compose import make_column_transformer
from sklearn.datasets import load_iris
from sklearn.ensemble import (
    BaggingClassifier,
    ExtraTreesClassifier,
    HistGradientBoostingClassifier,
    RandomForestClassifier,
    VotingClassifier,
)
from sklearn.frozen import FrozenEstimator
from sklearn.impute import KNNImputer, SimpleImputer
from sklearn.linear_model import LogisticRegression, RidgeClassifier
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeClassifier
from sklearn.utils import get_tags
from sklearn.utils.estimator_checks import parametrize_with_checks

from sksmooth import GaussianAugmenter, SmoothedClassifier
from sksmooth.exact._probabilities import numbers_of
from sksmooth.models._trees import compiled
from sksmooth.models._unwrap import unwrap
from sksmooth.votes._frame_rows import FrameInputs
from sksmooth.votes._rows import Inputs
from sksmooth.votes.voters import _trees as trees
from sksmooth.votes.voters._predict import AnyVoter
from tests.helpers import (
    COMPANY,
    Fixed,
    OpaqueLogisticRegression,
    behind_company,
    first_equal,
)

FULL, y = load_iris(return_X_y=True)
X = FULL.copy()
X[::7, 1] = np.nan
X[3::11, 2:] = np.nan
GAPS = np.isnan(X)
SOME = np.r_[0:150:10, 3, 7]

TAKES = [
    DecisionTreeClassifier(random_state=0),
    RandomForestClassifier(5, random_state=0),
    ExtraTreesClassifier(5, random_state=0),
    HistGradientBoostingClassifier(max_iter=5, random_state=0),
    make_pipeline(StandardScaler(), HistGradientBoostingClassifier(max_iter=5)),
    make_pipeline(SimpleImputer(), StandardScaler(), LogisticRegression()),
    make_pipeline(StandardScaler(), KNNImputer(n_neighbors=2), MLPClassifier((5,))),
    BaggingClassifier(DecisionTreeClassifier(), 3, random_state=0),
    VotingClassifier(
        [
            ("a", DecisionTreeClassifier(random_state=0)),
            ("b", make_pipeline(SimpleImputer(), GaussianNB())),
        ]
    ),
]
REFUSES = [
    LogisticRegression(),
    OpaqueLogisticRegression(),
    RidgeClassifier(),
    GaussianNB(),
    SVC(),
    KNeighborsClassifier(),
    MLPClassifier((5,)),
    make_pipeline(StandardScaler(), LogisticRegression()),
    make_pipeline(StandardScaler(), MLPClassifier((5,))),
    make_pipeline(GaussianAugmenter(), LogisticRegression(max_iter=1000)),
]
pytestmark = pytest.mark.filterwarnings("ignore:Stochastic Optimizer")


def name_of(f):
    return " ".join(type(step).__name__ for _, step in getattr(f, "steps", [("", f)]))


def smoothed(f, **params):
    params = {
        "method": "monte_carlo",
        "sigma": 0.3,
        "n": 200,
        "n0": 20,
        "random_state": 0,
        **params,
    }
    return SmoothedClassifier(f, **params)


@pytest.mark.parametrize("f", TAKES, ids=name_of)
def test_bases_that_take_them(f):
    g = smoothed(f).fit(X, y)
    assert np.mean(g.predict(X) == y) > 0.6
    counts = g.certify(X[SOME]).counts
    for params in ({"batch_size": 37}, {"n_jobs": 2}):
        again = g.set_params(**params).certify(X[SOME]).counts
        np.testing.assert_array_equal(counts, again)
    g.set_params(batch_size="auto", n_jobs=None)
    np.testing.assert_array_equal(counts[3:], g.certify(X[SOME][3:]).counts)
    # What has no gaps is not affected by the gaps of others.
    full = ~GAPS[SOME].any(axis=1)
    np.testing.assert_array_equal(counts[full], g.certify(X[SOME][full]).counts)
    for base in (g.estimator_, FrozenEstimator(g.estimator_)):
        assert smoothed(base).certify(X[SOME]).counts.sum() == counts.sum()
    assert smoothed(FrozenEstimator(g.estimator_)).fit(X, y).score(X, y) > 0.6


@pytest.mark.parametrize("data", ["array", "float32", "frame", "polars"])
@pytest.mark.parametrize("f", REFUSES, ids=name_of)
def test_bases_that_do_not(f, data):
    make = {
        "array": np.asarray,
        "float32": lambda values: values.astype(np.float32),
        "frame": lambda values: pd.DataFrame(values, columns=list("abcd")),
        "polars": lambda values: pl.DataFrame(values, list("abcd"), orient="row"),
    }[data]
    holes, full = make(X), make(FULL)
    advice = r"contains NaN.*does not take.*stays missing.*an imputer in"
    with pytest.raises(ValueError, match=advice) as caught:
        smoothed(f).fit(holes, y)
    assert "HistGradient" not in str(caught.value)
    g = smoothed(f).fit(full, y)
    for one in (g, smoothed(g.estimator_)):
        for ask in (one.predict, one.certify, one.predict_proba):
            with pytest.raises(ValueError, match=advice) as caught:
                ask(holes)
            assert "HistGradient" not in str(caught.value)


def test_the_error_says_where():
    g = smoothed(GaussianNB()).fit(FULL, y)
    with pytest.raises(ValueError, match=r"2 of 5 inputs .* first input 2, feature 3 "):
        g.predict(np.where(np.indices((5, 4)).prod(axis=0) == 6, np.nan, FULL[:5]))
    frame = pd.DataFrame(X, columns=list("abcd"))
    g = smoothed(GaussianNB()).fit(frame.fillna(0), y)
    with pytest.raises(ValueError, match="'b' of floats, column 'c' of .*'d'.* have"):
        g.predict(frame)


@pytest.mark.parametrize("f", [TAKES[0], TAKES[3], TAKES[5], GaussianNB()])
def test_infinity_stays_refused(f):
    bad = FULL.copy()
    bad[4, 2] = np.inf
    g = smoothed(f).fit(FULL, y)
    for one in (bad, np.where(GAPS, np.nan, bad), pd.DataFrame(bad)):
        for ask in (g.predict, smoothed(g.estimator_).predict, lambda X: g.fit(X, y)):
            with pytest.raises(ValueError, match="contains infinity"):
                ask(one)


def test_noise_that_overflows_is_still_seen():
    f = DecisionTreeClassifier().fit(X, y)
    for shared_noise in (False, True):
        g = smoothed(f, sigma=3e38, shared_noise=shared_noise)
        with pytest.raises(ValueError, match="overflows float32"):
            g.predict(X.astype(np.float32))


def gaps_of(copies):
    """Where copies have gaps, which have to be of the kind that X has: null or NaN."""
    if isinstance(copies, np.ndarray):
        return np.isnan(copies)
    if isinstance(copies, pl.DataFrame):
        assert not any(column.is_nan().any() for column in copies.get_columns())
        return np.column_stack([c.is_null().to_numpy() for c in copies.get_columns()])
    return copies.isna().to_numpy()


def containers():
    names = list("abcd")
    frame = pd.DataFrame(X, columns=names)
    mixed = frame.copy()
    mixed["b"] = mixed["b"].astype("Float64")
    mixed["d"] = mixed["d"].astype("float32")
    return {
        "array": X,
        "float32": X.astype(np.float32),
        "frame": frame,
        "named by numbers": pd.DataFrame(X),
        "NA": frame.astype("Float64"),
        "mixed": mixed,
        "pyarrow": frame.astype("double[pyarrow]"),
        "polars": pl.DataFrame(frame).fill_nan(None),
        "polars float32": pl.DataFrame(frame).fill_nan(None).cast(pl.Float32),
        "images": X.reshape(-1, 2, 2),
    }


@pytest.mark.parametrize("sigma", [0.3, [0.3, 0.3, 0, 0.3], [0.3, 0, 0.3, 0]])
@pytest.mark.parametrize("kind", containers())
def test_gaps_are_the_same_in_every_copy(kind, sigma):
    data = containers()[kind]
    seen = []

    def function(copies):
        gaps = gaps_of(copies)
        seen.append(gaps.reshape(len(gaps), -1))
        assert type(copies) is type(data)
        if isinstance(copies, pd.DataFrame):
            assert copies.dtypes.tolist() == data.dtypes.tolist()
        return np.zeros(len(copies), int)

    if kind == "images":
        sigma = np.reshape(sigma, (2, 2)) if np.ndim(sigma) else sigma
    for params in ({}, {"shared_noise": True}, {"grid": "auto"}):
        seen.clear()
        g = smoothed(Fixed(function), sigma=sigma, batch_size=1000, **params)
        g.certify(data[:20])
        # 20 votes to select a class, 200 to bound its probability; before that
        # some rows as they are.
        batches = seen[[len(s) for s in seen].index(COMPANY[0]) :]
        votes = np.concatenate(behind_company(batches))
        first, second, alone = batches[: len(COMPANY)]
        np.testing.assert_array_equal(first[1::2], alone)
        np.testing.assert_array_equal(second[1::2], alone)
        with_gaps = GAPS[:20].any(axis=1)
        patterns = np.unique(GAPS[:20][with_gaps], axis=0)
        # Of the copies half have gaps, of all kinds, and the company has none.
        np.testing.assert_array_equal(np.unique(alone[::2], axis=0), patterns)
        assert not alone[1::2].any()
        assert not first[::2].any()
        assert not second[::2].any()
        assert len(votes) == 20 * 220
        of_one_row = [np.unique(part, axis=0) for part in np.split(votes[:400], 20)]
        for row, pattern in enumerate(of_one_row):
            np.testing.assert_array_equal(pattern, GAPS[row : row + 1])


@pytest.mark.parametrize("kind", ["NA", "pyarrow", "mixed", "polars"])
def test_the_dtype_of_a_copy_does_not_depend_on_the_rows(kind):
    """Else votes could depend on how rows are shared out between workers."""
    inputs = FrameInputs.from_frame(containers()[kind], 0.3)
    whole = inputs.assemble(inputs.values, np.arange(150)).dtypes
    full = inputs.take(slice(1, 3))
    assert not full.has_gaps
    assert list(full.assemble(full.values, np.arange(2)).dtypes) == list(whole)


def test_noise_reaches_what_is_there():
    """Of a polars frame with nulls, too, where columns are put together by parts."""
    for data in (containers()["polars"], containers()["mixed"], X):
        values = []

        def function(copies, values=values):
            if isinstance(copies, pd.DataFrame):
                copies = copies.to_numpy(float, na_value=np.nan)
            values.append(np.array(copies, dtype=float))
            return np.zeros(len(copies), int)

        smoothed(Fixed(function), sigma=0.5, batch_size=1000, n0=1).certify(data[:5])
        (votes,) = [one for one in values if len(one) == 1000]
        copies = votes.reshape(5, 200, 4)
        z = (copies - X[:5, None]) / 0.5
        there = ~np.isnan(z)
        assert there.sum() == 200 * (~GAPS[:5]).sum()
        assert abs(z[there].mean()) < 5 / np.sqrt(there.sum())
        assert abs(z[there].std() - 1) < 5 / np.sqrt(2 * there.sum())
        spread = np.nanstd(z[:, :, 0], axis=1)
        assert np.all((spread > 0.75) & (spread < 1.25))


@pytest.mark.parametrize("f", TAKES[:4], ids=name_of)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_compiled_trees_answer_as_predict_does(f, dtype, monkeypatch):
    """Label by label, whatever stands beside a row with gaps."""
    pytest.importorskip("numba")
    f = f.fit(X, y)
    rng = np.random.default_rng(0)
    rows = np.tile(X, (4, 1)) + 0.3 * rng.normal(size=(600, 4))
    rows[rng.random(rows.shape) < 0.1] = np.nan
    rows = rows.astype(dtype)
    inputs = Inputs.from_array(rows, 1.0)
    model = compiled(unwrap(f))
    voter = trees.TreesVoter(f, f.classes_, dtype, model).on(inputs)
    voter.allocate(600)
    for part in (rows, rows[:1], rows[~np.isnan(rows).any(axis=1)], rows[::-1]):
        voter._batch[: len(part)] = part
        labels = f.classes_[voter.classify(len(part))]
        np.testing.assert_array_equal(labels, f.predict(part))
    # And the whole way, against votes that never see the compiled trees.
    for shared_noise in (False, True):
        g = smoothed(f, shared_noise=shared_noise)
        a = g.certify(X[SOME].astype(dtype)).counts
        with monkeypatch.context() as patch:
            patch.setattr(trees, "_kernel", lambda: None)
            b = g.certify(X[SOME].astype(dtype)).counts
        np.testing.assert_array_equal(a, b)


def test_what_the_votes_of_a_row_with_a_gap_are():
    """They are f's, given the gap: here of another halfspace."""

    def function(X):
        return np.where(np.isnan(X[:, 1]), X[:, 0] > 0, X[:, 1] > 0).astype(int)

    rows = np.array([[0.2, np.nan], [-0.4, np.nan], [0.2, -1.0], [np.nan, 0.5]])
    distance = np.array([0.2, 0.4, 1.0, 0.5])
    for params in ({}, {"grid": "auto"}, {"shared_noise": True}):
        c = smoothed(Fixed(function), sigma=0.5, n=10_000, n0=500, **params).certify(
            rows
        )
        np.testing.assert_array_equal(c.prediction, [1, 0, 0, 1])
        assert np.all((c.radius > 0.8 * distance) & (c.radius <= distance))
        for counts, d in zip(c.counts, distance, strict=True):
            share = binomtest(int(counts.max()), 10_000, norm.cdf(d / 0.5))
            assert share.pvalue > 1e-6


def test_a_grid_takes_nothing_off_for_gaps():
    rows = np.array([[0.3, 0.4], [np.nan, 0.4], [np.nan, np.nan]])
    inputs, loss = Inputs.from_array(rows, 0.5).on_grid(2.0**-10)
    assert np.all(np.isfinite(loss))
    assert loss[0] >= loss[1] >= loss[2] > 0
    np.testing.assert_array_equal(np.isnan(inputs.values), np.isnan(rows))
    # The range of what is there is still looked at.
    rows[0, 1] = 1e12
    with pytest.raises(ValueError, match="outside the representable range"):
        Inputs.from_array(rows.astype(np.float32), 0.5).on_grid(2.0**-10)


def test_all_bit_patterns_of_nan_key_the_same_noise():
    patterns = np.array([0x7FF8000000000000, 0xFFF8000000000001], np.uint64)
    rows = np.column_stack([patterns.view(float), [1.0, 1.0]])
    assert len(set(Inputs.from_array(rows, 1.0).contents())) == 1
    for library in (pd, pl):
        frame = library.DataFrame({"a": [1.0, 1.0], "b": patterns.view(float)})
        assert len(set(FrameInputs.from_frame(frame, [1.0, 0]).contents())) == 1
        assert len(set(FrameInputs.from_frame(frame, 1.0).contents())) == 1
    assert first_equal(Inputs.from_array(np.vstack([rows, [1, 1]]), 1.0))[2] == 2


@pytest.mark.parametrize("library", [pd, pl])
def test_gaps_in_columns_without_noise(library):
    """Numbers, texts: the base has to take them, and the noise is on the others."""
    columns = {f"x{j}": FULL[:, j] for j in range(4)}
    k = pl.Series([None if i % 5 == 0 else i % 3 for i in range(150)], dtype=pl.Int64)
    k = k if library is pl else pd.array(k.to_list(), dtype="Int64")
    word = [None if i % 4 == 0 else "ab"[i % 2] for i in range(150)]
    gaps = np.where(np.arange(150) % 6 == 0, np.nan, 1.0)
    sigma = [0.3] * 4 + [0]
    for column in (k, gaps):
        frame = library.DataFrame({**columns, "k": column})
        for f in (TAKES[3], TAKES[5]):
            g = smoothed(f, sigma=sigma).fit(frame, y)
            assert g.score(frame, y) > 0.8
            assert smoothed(g.estimator_, sigma=sigma).score(frame, y) > 0.8
        with pytest.raises(ValueError, match="column 'k' of .* has missing values"):
            smoothed(LogisticRegression(), sigma=sigma).fit(frame, y)
    frame = library.DataFrame({**columns, "word": word})
    encoder = make_column_transformer(
        (OneHotEncoder(sparse_output=False, handle_unknown="ignore"), ["word"]),
        remainder="passthrough",
    )
    g = smoothed(make_pipeline(encoder, DecisionTreeClassifier()), sigma=sigma)
    assert g.fit(frame, y).score(frame, y) > 0.8


def test_exact_refuses():
    f = DecisionTreeClassifier(max_depth=3).fit(X, y)
    g = smoothed(f, method="exact")
    assert len(g.certify(FULL).radius) == 150
    np.testing.assert_array_equal(
        g.certify(X).radius, g.certify(pd.DataFrame(X)).radius
    )
    with pytest.raises(ValueError, match="missing values only of a decision tree"):
        numbers_of(g._prepare(X, ()).voting.inputs)


def test_training_noise_keeps_gaps():
    seen = []

    class Recorder(Fixed):
        def fit(self, X, y):
            seen.append(X)
            return self

    base = Recorder(lambda X: np.zeros(len(X), int), classes=(0, 1, 2))
    for n_copies in (0, 1, 3):
        smoothed(base, n_copies=n_copies).fit(X, y)
        expected = np.tile(GAPS, (max(1, n_copies), 1))
        np.testing.assert_array_equal(np.isnan(seen[-1]), expected)
    for data in (X, pd.DataFrame(X)):
        noisy = np.asarray(GaussianAugmenter(0.3).fit_transform(data))
        np.testing.assert_array_equal(np.isnan(noisy), GAPS)
        assert np.all((noisy != X) | (GAPS & np.isnan(noisy)))


class Guesser(ClassifierMixin, sklearn.base.BaseEstimator):
    """Ranks NaN like a number: its argmax is an answer from nothing."""

    def fit(self, X, y):
        self.classes_ = np.unique(y)
        return self

    def predict_proba(self, X):
        p = 1 / (1 + np.exp(-(X[:, 0] - 6 + 0 * X.sum(axis=1))))
        return np.column_stack([1 - p, p, 0 * p])

    def predict(self, X):
        return self.classes_[self.predict_proba(X).argmax(axis=1)]


def test_scores_of_nan_are_no_answer():
    with pytest.raises(ValueError, match="which Guesser answers NaN to"):
        smoothed(Guesser()).fit(X, y)
    g = smoothed(Guesser()).fit(FULL, y)
    with pytest.raises(ValueError, match="which Guesser answers NaN to"):
        g.certify(X)
    # scikit-learn can be told not to look.
    g = smoothed(LogisticRegression()).fit(FULL, y)
    with sklearn.config_context(assume_finite=True):
        with pytest.raises(ValueError, match="LogisticRegression answers NaN to"):
            g.certify(X)


def test_errors_that_are_not_about_gaps_are_not_put_down_to_them():
    def function(X):
        raise ValueError("a wheel came off")

    with pytest.raises(RuntimeError, match="a wheel came off"):
        smoothed(Fixed(function)).certify(X)
    with pytest.raises(RuntimeError, match="a wheel came off"):
        smoothed(Fixed(function)).certify(X[GAPS.any(axis=1)])
    with pytest.raises(ValueError, match="max_depth"):
        smoothed(DecisionTreeClassifier(max_depth=-3)).fit(X, y)


def test_a_store_resumes(tmp_path):
    g = smoothed(TAKES[3]).fit(X, y)
    whole = g.certify(X[SOME])
    g.certify(X[SOME][:5], store=tmp_path / "votes")
    again = g.certify(X[SOME], store=tmp_path / "votes")
    np.testing.assert_array_equal(whole.counts, again.counts)


def test_nets():
    torch = pytest.importorskip("torch")
    skorch = pytest.importorskip("skorch")
    from sksmooth.torch import ModuleClassifier

    class Filled(torch.nn.Module):
        def __init__(self, fill=True):
            super().__init__()
            self.fill = fill
            self.last = torch.nn.Linear(4, 3)

        def forward(self, x):
            return self.last(torch.nan_to_num(x) if self.fill else x)

    def net(fill):
        return skorch.NeuralNetClassifier(
            Filled,
            module__fill=fill,
            criterion=torch.nn.CrossEntropyLoss,
            max_epochs=60,
            lr=0.1,
            train_split=None,
            verbose=0,
        )

    single, labels = X.astype(np.float32), y.astype(np.int64)
    for steps in ([], [StandardScaler()]):
        g = smoothed(make_pipeline(*steps, net(True))).fit(single, labels)
        assert g.score(single, labels) > 0.45
        with pytest.raises(ValueError, match="answers NaN to|does not take"):
            smoothed(make_pipeline(*steps, net(False))).fit(single, labels)
        g = smoothed(make_pipeline(*steps, net(False)))
        g.fit(FULL.astype(np.float32), labels)
        with pytest.raises(ValueError, match="answers NaN to"):
            g.certify(single)
    g = smoothed(make_pipeline(SimpleImputer(), net(False))).fit(single, labels)
    assert g.score(single, labels) > 0.45
    f = ModuleClassifier(torch.nn.Linear(4, 3))
    with pytest.raises(ValueError, match="does not take"):
        smoothed(f).certify(single)
    f = make_pipeline(SimpleImputer().fit(single), f)
    assert len(smoothed(f).certify(single[:5]).radius) == 5


@pytest.mark.parametrize("f", TAKES[:-2], ids=name_of)
def test_the_tag_is_that_of_the_base(f):
    assert get_tags(smoothed(f)).input_tags.allow_nan
    assert get_tags(smoothed(FrozenEstimator(f))).input_tags.allow_nan


@pytest.mark.parametrize("f", REFUSES, ids=name_of)
def test_the_tag_of_a_base_that_does_not_take_them(f):
    assert not get_tags(smoothed(f)).input_tags.allow_nan


@parametrize_with_checks(
    [
        SmoothedClassifier(
            HistGradientBoostingClassifier(max_iter=5),
            sigma=0.1,
            n=100,
            n0=20,
            abstain_label=None,
        )
    ]
)
def test_checks_of_scikit_learn(estimator, check):
    check(estimator)


def test_votes_go_the_generic_way_only_where_they_must(monkeypatch):
    """Rows without gaps are still counted by the compiled trees."""
    pytest.importorskip("numba")
    f = DecisionTreeClassifier(random_state=0).fit(X, y)
    monkeypatch.setattr(AnyVoter, "_by_predict", None)
    assert smoothed(f).certify(FULL[:5]).counts.sum() == 5 * 200
