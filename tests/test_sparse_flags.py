"""Sparse flags in the classifier: CSR rows, and all changes of a small domain."""

from fractions import Fraction
from itertools import product

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from joblib import parallel_config
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import GridSearchCV
from sklearn.naive_bayes import BernoulliNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MaxAbsScaler, StandardScaler

from sksmooth import SmoothedClassifier, certified_accuracy_scorer
from sksmooth.display import CertifiedAccuracyDisplay
from sksmooth.noise import SparseFlip
from sksmooth.noise._proof import told

from .helpers import Fixed

RNG = np.random.default_rng(0)
Y = RNG.integers(0, 2, 120)
# Flags 0 ... 19 are of class 0, flags 20 ... 39 of class 1, 160 of none.
OFTEN = np.repeat([[0.4, 0.02, 0.02], [0.02, 0.4, 0.02]], [20, 20, 160], axis=1)
FLAGS = (RNG.random((120, 200)) < OFTEN[Y]).astype(float)
X = sp.csr_matrix(FLAGS)


def same(one, other):
    for name in ("prediction", "radius", "counts", "n_used", "certified"):
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name))


def smooth(f=None, p_add=0.01, p_del=0.4, **settings):
    settings = {
        "noise": SparseFlip(p_add, p_del),
        "n": 500,
        "random_state": 0,
    } | settings
    return SmoothedClassifier(f or BernoulliNB(), **settings)


class Sees(ClassifierMixin, BaseEstimator):
    seen = []

    def fit(self, X, y):
        self.classes_ = np.unique(y)
        self.seen.clear()
        self.seen.append(X)
        return self

    def predict(self, X):
        self.seen.append(X)
        return self.classes_[np.zeros(X.shape[0], int)]


def test_no_change_of_flags_overturns_a_certificate():
    points = np.array(list(product((0.0, 1.0), repeat=5)))
    answers = (points @ [3, 1, 1, 0.5, 0.5] > 1.9).astype(int)
    weights = 2.0 ** np.arange(4, -1, -1)
    f = FrozenEstimator(Fixed(lambda X: answers[(X @ weights).astype(int)]))
    add, delete = 0.1, 0.2
    one = np.array([[1 - add, add], [delete, 1 - delete]])
    kernel = one
    for _ in range(4):
        kernel = np.kron(kernel, one)
    p = kernel @ answers
    truth = (p > 0.5).astype(int)
    g = smooth(f, add, delete, n=4_000, alpha=1e-4)
    certificate = g.certify(sp.csr_array(points))
    shares = certificate.counts[:, 1] / 4_000
    assert np.all(np.abs(shares - p) < 6 * np.sqrt(p * (1 - p) / 4_000))
    added = np.sum((points[:, None] == 0) & (points[None] == 1), axis=2)
    deleted = np.sum((points[:, None] == 1) & (points[None] == 0), axis=2)
    other = truth[:, None] != truth[None]
    n_certified = 0
    for changes in product(range(3), repeat=2):
        certified = certificate.certified_for(changes)
        within = (added <= changes[0]) & (deleted <= changes[1])
        overturned = np.any(other & within, axis=1)
        assert not np.any(certified & overturned)
        n_certified += certified.sum()
        np.testing.assert_array_equal(
            certificate.radius_for(changes=changes), np.zeros(32)
        )
    assert n_certified > 30
    assert certificate.certified_for((0, 1)).sum() > 4


class TestContainers:
    @pytest.mark.parametrize("kind", [sp.csr_array, sp.csc_matrix, sp.coo_array])
    def test_votes_do_not_depend_on_the_container(self, kind):
        one = smooth().fit(X, Y).certify(X[:15])
        g = smooth().fit(kind(X), Y)
        same(g.certify(kind(X[:15])), one)

    def test_dense_or_sparse(self):
        f = FrozenEstimator(BernoulliNB().fit(X, Y))
        one = smooth(f).fit(X, Y).certify(X[:15])
        for dense in (
            FLAGS,
            FLAGS.astype(np.float32),
            FLAGS.astype(bool),
            FLAGS.astype(int),
        ):
            same(smooth(f).fit(dense, Y).certify(dense[:15]), one)

    def test_the_base_gets_sparse_ones_of_the_same_dtype(self):
        some = X.astype(np.float32)
        smooth(Sees(), n=20).fit(some, Y).certify(some[:3])
        assert len(Sees.seen) > 2
        for one in Sees.seen:
            assert type(one) is type(some)
        votes = Sees.seen[-1]
        assert votes.dtype == np.float32 and set(votes.data) == {1.0}

    def test_behind_steps(self):
        f = make_pipeline(MaxAbsScaler(), BernoulliNB())
        same(smooth(f).fit(X, Y).certify(X[:5]), smooth().fit(X, Y).certify(X[:5]))

    def test_training_copies_are_flipped(self):
        smooth(Sees(), p_add=0.05, n_copies=30).fit(X, Y)
        (trained, *_) = Sees.seen
        assert trained.shape == (3600, 200)
        clean = np.tile(FLAGS, (30, 1))
        # 700,000 flags: five standard deviations.
        noisy = trained.toarray()
        assert abs(noisy[clean == 1].mean() - 0.6) < 5 * np.sqrt(0.24 / clean.sum())
        assert abs(noisy[clean == 0].mean() - 0.05) < 0.002
        smooth(Sees(), n_copies=0).fit(X, Y)
        np.testing.assert_array_equal(Sees.seen[0].toarray(), FLAGS)


class TestInvariances:
    def test_batches_workers_order_and_stores(self, tmp_path):
        g = smooth().fit(X, Y)
        one = g.certify(X[:12], store=tmp_path / "votes")
        same(g.certify(X[:12], store=tmp_path / "votes"), one)
        same(g.set_params(batch_size=77).certify(X[:12]), one)
        with parallel_config(backend="threading"):
            same(g.set_params(n_jobs=2).certify(X[:12]), one)
        back = g.set_params(n_jobs=None).certify(X[np.arange(12)[::-1]])
        same(back.select(np.arange(12)[::-1]), one)

    def test_shared_noise(self):
        g = smooth(shared_noise=True).fit(X, Y)
        one = g.certify(X[:12])
        same(g.certify(X[4:9]), one.select(slice(4, 9)))
        same(g.certify(FLAGS[:12]), one)

    def test_equal_rows_are_equal_whatever_is_stored(self):
        zeros = X[:2].copy()
        zeros.data = np.append(zeros.data[:-1], 0.0)  # a zero that is stored
        dense = zeros.toarray()
        certificate = (
            smooth().fit(X, Y).certify(sp.vstack([zeros, sp.csr_matrix(dense)]))
        )
        assert certificate.first_equal.tolist() == [0, 1, 0, 1]


class TestFrames:
    def test_flags_of_any_dtype(self):
        some = pd.DataFrame(FLAGS[:, :30]).rename(columns=str)
        f = FrozenEstimator(BernoulliNB().fit(some, Y))
        one = smooth(f).fit(some, Y).certify(some[:9])
        for dtype in (bool, int, np.uint8):
            same(
                smooth(f).fit(some.astype(dtype), Y).certify(some[:9].astype(dtype)),
                one,
            )

    def test_sigma_leaves_no_column_out(self):
        some = pd.DataFrame(FLAGS[:, :30]).rename(columns=str)
        for sigma in ([0.3] + [0] * 29, {"3": 0.3, "*": 0}):
            with pytest.raises(ValueError, match="flips every feature"):
                smooth(sigma=sigma).fit(some, Y)


def test_gaps_elsewhere_change_no_vote():
    holes = FLAGS.copy()
    holes[0, 0] = np.nan
    f = HistGradientBoostingClassifier(max_iter=3, min_samples_leaf=2)
    g = smooth(f, n=100).fit(holes, Y)
    same(g.certify(holes[:4]).select(slice(1, None)), g.certify(holes[1:4]))


def test_nets_behind_steps_get_flags():
    pytest.importorskip("skorch")
    from .nets import classifier

    some = FLAGS[:, :4].astype(np.float32)
    f = make_pipeline(StandardScaler(), classifier()).fit(some, Y)
    counts = smooth(f, n=100).certify(some[:5]).counts
    assert np.all(counts.sum(axis=1) == 100)


def test_curves_of_several_changes():
    pytest.importorskip("matplotlib")
    certificate = smooth(n=1_000).fit(X, Y).certify(X[:9])
    display = CertifiedAccuracyDisplay.from_certificate(
        certificate, Y[:9], changes=[(0, 0), (0, 1)]
    )
    names = [line.get_label().split(" (")[0] for line in display.line_]
    assert names == ["0 added, 0 deleted", "0 added, 1 deleted"]


def test_scores():
    some, y = X[:60], Y[:60]
    g = smooth(n=1_000, alpha=0.01).fit(some, y)
    certificate = g.certify(some)
    for changes in ((0, 0), (0, 1), (1, 0)):
        right = (certificate.selected == y) & certificate.certified_for(changes)
        score = certified_accuracy_scorer(0, changes=changes)(g, some, y)
        assert abs(score - right.mean()) < 0.1
        assert score > 0.3
    search = GridSearchCV(
        g,
        {"noise__p_del": [0.4, 0.9]},
        scoring=certified_accuracy_scorer(0, changes=(0, 1)),
        cv=2,
    ).fit(some, y)
    assert search.best_params_ == {"noise__p_del": 0.4}
    assert g.required_samples(0, changes=(0, 1)) > g.required_samples(0)


def test_errors():
    with pytest.raises(ValueError, match="zeros and ones.*Turn counts into flags"):
        smooth().fit(X * 2, Y)
    with pytest.raises(ValueError, match="zeros and ones"):
        smooth().fit(FLAGS + 0.5, Y)
    with pytest.raises(TypeError, match="Sparse data was passed"):
        SmoothedClassifier(BernoulliNB()).fit(X, Y)
    certificate = smooth().fit(X, Y).certify(X[:2])
    with pytest.raises(ValueError, match="additions, deletions"):
        certificate.certified_for(1)
    with pytest.raises(ValueError, match="method='exact' needs the distribution"):
        smooth(method="exact").fit(X, Y).predict(X[:2])


def test_thresholds_are_what_is_drawn():
    noise = SparseFlip(0.3, 0.1)
    assert noise.thresholds == (round(0.3 * 2**32), round(0.1 * 2**32))
    assert told(SparseFlip(np.float64(0.3), 0.1)) == told(noise)
    assert Fraction(noise.thresholds[0], 2**32) != Fraction(3, 10)
