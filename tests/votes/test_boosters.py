"""XGBoost, LightGBM and CatBoost by compiled trees give the labels of their predict."""

import json
import warnings

import numpy as np
import pytest
from sklearn.datasets import load_breast_cancer, load_wine
from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sksmooth import SmoothedClassifier
from sksmooth.models import _boosters
from sksmooth.models._trees import compiled
from sksmooth.models._unwrap import unwrap
from sksmooth.votes._rows import Inputs
from sksmooth.votes.voters import _trees as trees
from sksmooth.votes.voters._predict import AnyVoter
from tests.helpers import asked, beside, make_voter

pytest.importorskip("numba")

pytestmark = pytest.mark.filterwarnings("ignore:X does not have valid feature names")

X2, y2 = load_breast_cancer(return_X_y=True)
X3, y3 = load_wine(return_X_y=True)
X2, X3 = X2[:, :10], X3[:, :10]


def xgb(**kwargs):
    xgboost = pytest.importorskip("xgboost")
    return xgboost.XGBClassifier(**{"n_estimators": 20, "n_jobs": 1, **kwargs})


def lgbm(**kwargs):
    lightgbm = pytest.importorskip("lightgbm")
    kwargs = {"n_estimators": 20, "n_jobs": 1, "verbose": -1, **kwargs}
    return lightgbm.LGBMClassifier(**kwargs)


def cat(**kwargs):
    catboost = pytest.importorskip("catboost")
    quiet = {"verbose": 0, "allow_writing_files": False, "thread_count": 1}
    return catboost.CatBoostClassifier(**{"iterations": 20, **quiet, **kwargs})


def with_gaps(X, share=0.2):
    """Gaps in every second column."""
    gaps = np.random.default_rng(5).random(X.shape) < share
    gaps[:, ::2] = False
    return np.where(gaps, np.nan, X)


def labels(f, X, may_ask=0.0):
    """Labels by the compiled trees; only this share of rows may be asked of f."""
    voter = make_voter(f, f.classes_, Inputs.from_array(X, 1.0))
    assert type(voter) is trees.TreesVoter
    voter.allocate(len(X))
    voter._batch[:] = X
    voter._rows[:] = 0
    winner = voter._by_trees(voter._through_steps(voter._batch.copy()), len(X))
    assert winner is not None
    assert np.mean(winner < 0) <= may_ask
    return np.asarray(f.classes_)[voter.classify(len(X))]


def rows_at_thresholds(f, X, n=1000):
    """Rows whose values are thresholds of f, or their neighbours, or missing."""
    rng = np.random.default_rng(0)
    feature, threshold = asked(compiled(unwrap(f)).forest)
    rows = X[rng.integers(0, len(X), n)]
    for column in np.unique(feature):
        limits = threshold[feature == column]
        use = rng.random(n) < 0.8
        rows[use, column] = rng.choice(beside(limits[np.abs(limits) < 1e30]), n)[use]
    return rows


MADE = {
    "xgboost": xgb,
    "xgboost, hinge": lambda: xgb(objective="binary:hinge"),
    "xgboost, base score": lambda: xgb(base_score=0.9),
    "xgboost, softmax": lambda: xgb(objective="multi:softmax"),
    "xgboost, several trees a round": lambda: xgb(num_parallel_tree=3, subsample=0.5),
    "xgboost, exact, depth 8": lambda: xgb(tree_method="exact", max_depth=8),
    "xgboost, a leaf a tree": lambda: xgb(gamma=1e9),
    "lightgbm": lgbm,
    "lightgbm, forest": lambda: lgbm(
        boosting_type="rf", bagging_fraction=0.5, bagging_freq=1
    ),
    "lightgbm, dart": lambda: lgbm(boosting_type="dart"),
    "lightgbm, no missing": lambda: lgbm(use_missing=False),
    "lightgbm, 100 leaves": lambda: lgbm(num_leaves=100, min_child_samples=2),
    "lightgbm, extra": lambda: lgbm(extra_trees=True, sigmoid=0.1),
    "catboost": cat,
    "catboost, other trees": lambda: cat(grow_policy="Lossguide", nan_mode="Max"),
    "catboost, each level": lambda: cat(grow_policy="Depthwise", depth=8),
    "catboost, one by one": lambda: cat(loss_function="MultiClassOneVsAll"),
}
ONLY_2, ONLY_3 = ("hinge", "base score"), ("softmax", "one by one")


@pytest.mark.parametrize("gaps", [False, True], ids=["whole", "gaps"])
@pytest.mark.parametrize(
    ("made", "n_classes"),
    [(made, 2) for made in MADE if not made.endswith(ONLY_3)]
    + [(made, 3) for made in MADE if not made.endswith(ONLY_2)],
)
def test_labels_are_those_of_predict(made, n_classes, gaps):
    X, y = ((X2, y2), (X3, y3))[n_classes - 2]
    rng = np.random.default_rng(1)
    # On noise, so that votes differ.
    noisy = np.tile(X, (3, 1)) + X.std(axis=0) * rng.normal(size=(3 * len(X), 10))
    X, fitted_on = (with_gaps(X), with_gaps(noisy)) if gaps else (X, noisy)
    f = MADE[made]().fit(fitted_on, np.tile(y, 3))
    rows = rows_at_thresholds(f, X)
    if gaps:
        rows = with_gaps(rows)
    assert len(np.unique(f.predict(rows))) == n_classes or "a leaf" in made
    near = X[[3]] + 0.2 * np.nanstd(X, axis=0) * rng.normal(size=(500, 10))
    for some in (rows, noisy, near, rows[:1], rows[:257], rows[:33]):
        for dtype in (np.float32, np.float64):
            batch = some.astype(dtype)
            np.testing.assert_array_equal(
                labels(f, batch, 0.02), np.ravel(f.predict(batch))
            )


def test_missing_values_that_were_not_seen_in_training():
    rows = with_gaps(X3)
    for f in (xgb(), lgbm()):
        f.fit(X3, y3)
        np.testing.assert_array_equal(labels(f, rows), f.predict(rows))


def test_values_that_lightgbm_takes_for_zero():
    """It does so with up to 1e-35, which a threshold may be, or lie among them."""
    tiny = np.array([0.0, 1e-35, np.float32(1e-35), 2e-35, 1e-36, 5e-324, 1.0])
    tiny = np.unique(np.concatenate([beside(tiny), -beside(tiny)]))
    rng = np.random.default_rng(0)
    for X in (
        np.abs(rng.choice(tiny, 500)),
        rng.choice(tiny, 500),
        rng.choice([-1, 0, 1.0], 500),
    ):
        for zero_is in (0, 1):
            y = np.where(X == 0, zero_is, X > 1e-35).astype(int)
            f = lgbm(min_child_samples=1).fit(X[:, None], y)
            np.testing.assert_array_equal(
                labels(f, tiny[:, None]), f.predict(tiny[:, None])
            )


@pytest.mark.parametrize("make", [xgb, lgbm, cat], ids=lambda make: make.__name__)
def test_training_that_stopped_early(make):
    stop = {"early_stopping_rounds": 2, "n_estimators": 200}
    if make is cat:
        stop["iterations"] = stop.pop("n_estimators")
    rng = np.random.default_rng(0)
    shuffled = rng.permutation(y3)
    f = make(**stop, learning_rate=0.9)
    kwargs = {} if make is lgbm else {"verbose": False}
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="The argument 'eval_set'")
        f.fit(X3, y3, eval_set=[(X3, shuffled)], **kwargs)
    rows = rows_at_thresholds(f, X3)
    np.testing.assert_array_equal(labels(f, rows, 0.3), np.ravel(f.predict(rows)))


def moved(f, base_score):
    """Return a two-class model of XGBoost with another base score."""
    model = json.loads(f.get_booster().save_raw(raw_format="json"))
    model["learner"]["learner_model_param"]["base_score"] = f"[{base_score:.17E}]"
    twin = xgb()
    twin.load_model(bytearray(json.dumps(model), "utf-8"))
    return twin


def test_where_rounding_decides_the_library_does():
    """A base score that makes up for all leaves of a row: the sum is rounding alone."""
    rng = np.random.default_rng(0)
    X = X2 + X2.std(axis=0) * rng.normal(size=X2.shape)
    f = xgb(n_estimators=50, base_score=0.5).fit(X, y2)
    scores = f.predict(X, output_margin=True).astype(float)
    would_be_wrong = 0
    for row in np.argsort(np.abs(scores))[:12]:
        twin, x = moved(f, 1 / (1 + np.exp(scores[row]))), X[[row]]
        expected = twin.predict(x)
        np.testing.assert_array_equal(labels(twin, x, 1.0), expected)
        model = compiled(unwrap(twin))._replace(margin=-1.0)
        voter = trees.TreesVoter(twin, twin.classes_, np.float64, model)
        would_be_wrong += voter._by_trees(x, 1)[0] != expected[0]
    assert would_be_wrong


def test_ties():
    """Classes about which trees know nothing: what predict says, the first of them."""
    X, y = np.zeros((60, 2)), np.arange(60) % 3
    for f in (xgb(), lgbm()):
        f.fit(X, y)
        np.testing.assert_array_equal(labels(f, X, 1.0), f.predict(X))


def gradient(y, p):
    return p - y, np.ones_like(p)


def test_own_objective_of_xgboost():
    """The probabilities are those of the objective that it names instead."""
    f = xgb(objective=gradient).fit(X2, y2)
    rows = rows_at_thresholds(f, X2)
    np.testing.assert_array_equal(labels(f, rows, 0.02), f.predict(rows))


def subclass(f):
    return type("Own", (type(f),), {"predict": lambda self, X: np.ones(len(X), int)})(
        **f.get_params()
    )


OTHERS = {
    "xgboost dart": lambda: xgb(booster="dart", rate_drop=0.5),
    "xgboost linear": lambda: xgb(booster="gblinear"),
    "xgboost missing": lambda: xgb(missing=0.0),
    "xgboost raw": lambda: xgb(objective="binary:logitraw"),
    "xgboost subclass": lambda: subclass(xgb()),
    "lightgbm one by one": lambda: lgbm(objective="multiclassova"),
    "lightgbm stops": lambda: lgbm(pred_early_stop=True),
    "lightgbm zero": lambda: lgbm(zero_as_missing=True),
    "lightgbm linear": lambda: lgbm(linear_tree=True),
    "lightgbm custom": lambda: lgbm(objective=gradient),
    "lightgbm subclass": lambda: subclass(lgbm()),
}


@pytest.mark.parametrize("other", OTHERS)
@pytest.mark.filterwarnings("ignore::UserWarning")  # as that linear boosting will go
def test_other_models_are_left_alone(other):
    two_classes = "raw" in other or "custom" in other
    X, y = (X2, y2) if two_classes else (X3, y3)
    f = OTHERS[other]().fit(X.round(), y)
    assert compiled(unwrap(f)) is None


def test_what_else_is_left_alone():
    f = cat().fit(X2, y2)
    f.set_probability_threshold(0.3)
    assert compiled(unwrap(f)) is None
    X = X3.round().astype(int).astype(object)
    f = cat(cat_features=[0]).fit(X, y3)
    assert compiled(unwrap(f)) is None


def test_splits_on_categories_are_left_alone():
    codes = np.random.default_rng(0).integers(0, 20, 600)
    y = np.isin(codes, [1, 4, 9, 16, 17]).astype(int)
    f = lgbm(min_child_samples=5).fit(codes[:, None], y, categorical_feature=[0])
    assert compiled(unwrap(f)) is None
    f = xgb(feature_types=["c"], enable_categorical=True, tree_method="hist")
    assert compiled(unwrap(f.fit(codes[:, None], y))) is None
    several = xgb().fit(X3, np.column_stack([y3 == 0, y3 == 1]).astype(int))
    assert compiled(unwrap(several)) is None


@pytest.mark.parametrize("make", [xgb, lgbm, cat], ids=lambda make: make.__name__)
def test_an_export_that_is_not_what_predicts(make, monkeypatch):
    """One leaf that is off, or a form that is not known, and the library is asked."""
    f = make().fit(X3, y3)
    assert compiled(unwrap(f)) is not None
    read = _boosters._reader(f)

    def is_off(f):
        exported = read(f)
        tree = exported.trees[0]
        tree.value[np.flatnonzero(tree.left < 0)[0]] += 0.01
        return exported

    def fails(f):
        raise KeyError("trees")

    for wrong, why in ((is_off, "its scores are others"), (fails, "KeyError")):
        monkeypatch.setattr(_boosters, "_KNOWN", {})
        monkeypatch.setattr(_boosters, "_reader", lambda f, wrong=wrong: wrong)
        with pytest.warns(RuntimeWarning, match=f"could not be read.*{why}"):
            assert compiled(unwrap(f)) is None


def test_what_changed_is_read_again():
    f = lgbm().fit(X2, y2)
    before = labels(f, X2)
    for leaf in range(5):
        for tree in range(5):
            f.booster_.set_leaf_output(tree, leaf, 2.0)
    np.testing.assert_array_equal(labels(f, X2), f.predict(X2))
    assert np.any(labels(f, X2) != before)
    f = xgb().fit(X2, y2)
    assert labels(f, X2).mean() > 0.5
    xgboost = pytest.importorskip("xgboost")
    wrong = xgboost.DMatrix(X2, 1 - y2)
    for k in range(40):
        f.get_booster().update(wrong, 20 + k)
    np.testing.assert_array_equal(labels(f, X2), f.predict(X2))
    assert labels(f, X2).mean() < 0.5


def test_few_are_kept():
    for seed in range(_boosters._MOST_KNOWN + 2):
        compiled(unwrap(xgb(n_estimators=1, random_state=seed).fit(X2, y2)))
    assert len(_boosters._KNOWN) == _boosters._MOST_KNOWN


def scaled(f):
    return make_pipeline(StandardScaler(), f)


def resampled(f):
    pytest.importorskip("imblearn")
    from imblearn.pipeline import make_pipeline
    from imblearn.under_sampling import RandomUnderSampler

    return make_pipeline(StandardScaler(), RandomUnderSampler(random_state=0), f)


def frozen(f):
    return FrozenEstimator(scaled(f).fit(X3, y3))


@pytest.mark.parametrize("wrap", [lambda f: f, scaled, resampled, frozen])
@pytest.mark.parametrize("make", [xgb, lgbm, cat], ids=lambda make: make.__name__)
def test_votes_are_those_of_predict(make, wrap, monkeypatch):
    """The whole way, behind what is looked through."""
    f = wrap(make()).fit(X3, y3)
    sigma = 0.5 * X3.std(axis=0)
    voter = make_voter(f, f.classes_, Inputs.from_array(X3, sigma))
    assert type(voter) is trees.TreesVoter
    g = SmoothedClassifier(f, sigma=sigma, n=300, random_state=0)
    few = g.certify(X3[::20]).counts  # too few to read the trees
    monkeypatch.setattr(trees, "_WORTH_READING", 0)
    counts = g.certify(X3[::20]).counts
    np.testing.assert_array_equal(few, counts)
    monkeypatch.setattr("sksmooth.votes._recognise.has_kernel", lambda: False)
    assert type(make_voter(f, f.classes_, Inputs.from_array(X3, sigma))) is AnyVoter
    np.testing.assert_array_equal(g.certify(X3[::20]).counts, counts)
