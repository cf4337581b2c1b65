"""Short cuts and threads, where what is in front of a model is of the user's own."""

import numpy as np
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin, TransformerMixin
from sklearn.datasets import load_digits, load_iris
from sklearn.ensemble import RandomForestClassifier
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import NearestCentroid
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, KBinsDiscretizer, StandardScaler
from sklearn.tree import DecisionTreeClassifier

from sksmooth import SmoothedClassifier
from sksmooth.models._linear import count_scores
from sksmooth.models._unwrap import unwrap
from sksmooth.votes._recognise import recognise
from sksmooth.votes._rows import Inputs
from sksmooth.votes.voters._predict import AnyVoter

X, y = load_iris(return_X_y=True)


class InPlace(TransformerMixin, BaseEstimator):
    """A function of each row, by way of an attribute that threads would share."""

    def fit(self, X, y=None):
        self.fitted_ = True
        return self

    def transform(self, X):
        self.X = np.array(X)
        self._scale()
        self._root()
        return self.X

    def _scale(self):
        self.X = self.X / np.linalg.norm(self.X, axis=1, keepdims=True)

    def _root(self):
        self.X = np.sign(self.X) * np.sqrt(np.abs(self.X))


class ByPredict(ClassifierMixin, BaseEstimator):
    """Has nothing but `predict` of another classifier."""

    def __init__(self, f):
        self.f, self.classes_ = f, f.classes_

    def fit(self, X, y):
        return self

    def predict(self, X):
        return self.f.predict(X)


class TestUnknownSteps:
    @pytest.mark.parametrize("tree", [DecisionTreeClassifier, RandomForestClassifier])
    def test_are_not_shared_by_threads(self, tree):
        f = make_pipeline(InPlace(), tree(random_state=0)).fit(X, y)
        inputs = Inputs.from_array(X[:3], 0.1)
        assert recognise(f, f.classes_, inputs).voter.prefer == AnyVoter.prefer

    def test_known_ones_are(self):
        inputs = Inputs.from_array(X[:3], 0.1)
        for steps in ([], [StandardScaler()], [KBinsDiscretizer(encode="ordinal")]):
            f = make_pipeline(*steps, RandomForestClassifier(3)).fit(X, y)
            voter = recognise(f, f.classes_, inputs).voter
            if type(voter) is not AnyVoter:  # without numba
                assert voter.prefer == "threads"

    def test_same_votes_with_workers(self):
        X, y = load_digits(return_X_y=True)
        X = X / 16
        f = make_pipeline(InPlace(), RandomForestClassifier(5, random_state=0))
        f.fit(X[:500], y[:500])
        counts = [
            SmoothedClassifier(
                f, sigma=0.25, n=1000, n0=100, batch_size=500, random_state=0, n_jobs=k
            )
            .certify(X[500:520])
            .counts
            for k in (None, 2)
        ]
        np.testing.assert_array_equal(*counts)


def as_whole_numbers(X):
    return np.rint(X).astype(np.int64)


def test_whole_numbers_that_single_precision_does_not_hold():
    """LightGBM rounds them, if they are integers; its compiled trees would not."""
    lightgbm = pytest.importorskip("lightgbm")
    rng = np.random.default_rng(0)
    X = np.column_stack([1.7e9 + rng.normal(0, 300, 600), rng.normal(0, 100, 600)])
    y = (X[:, 0] > 1.7e9).astype(int)
    f = make_pipeline(
        FunctionTransformer(as_whole_numbers),
        lightgbm.LGBMClassifier(n_estimators=20, verbose=-1),
    ).fit(X, y)
    params = {"sigma": 60.0, "n": 12_000, "n0": 100, "random_state": 0}
    one, other = (
        SmoothedClassifier(base, **params).certify(X[:8]).counts
        for base in (f, ByPredict(f))
    )
    np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("n_classes", [2, 3])
def test_centroids_far_from_0_vote_by_predict(n_classes):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(90, 3))
    y = np.argmax(X[:, :n_classes], axis=1)
    for offset, is_linear in [(0, True), (1e3, True), (2e7, False), (1e8, False)]:
        f = NearestCentroid().fit(X + [offset, 0, 0], y)
        assert (count_scores(unwrap(f)) is not None) == is_linear


def test_masked_values_are_refused():
    masked = np.ma.array(X[:5], mask=False)
    g = SmoothedClassifier(GaussianNB().fit(X, y), n=100, random_state=0)
    g.certify(masked)  # nothing is masked
    masked[0, 2] = np.ma.masked
    for ask in (g.certify, g.predict):
        with pytest.raises(ValueError, match=r"masked values.*X.filled\(np.nan\)"):
            ask(masked)
    with pytest.raises(ValueError, match="masked values"):
        g.fit(masked, y[:5])


def test_catboost_from_a_file(tmp_path):
    catboost = pytest.importorskip("catboost")
    f = catboost.CatBoostClassifier(iterations=5, verbose=0, allow_writing_files=False)
    f.fit(X, y).save_model(str(tmp_path / "m.cbm"))
    loaded = catboost.CatBoostClassifier().load_model(str(tmp_path / "m.cbm"))
    params = {"sigma": 0.3, "n": 12_000, "n0": 100, "random_state": 0}
    one, other = (  # a warning would be an error
        SmoothedClassifier(base, **params).certify(X[::30]).counts
        for base in (loaded, f)
    )
    np.testing.assert_array_equal(one, other)
