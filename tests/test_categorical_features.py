"""Tables with categories: flips beside noise, and what certificates say of changes."""

import pickle
import warnings
from itertools import product

import numpy as np
import pandas as pd
import polars as pl
import pytest
from joblib import parallel_config
from scipy.special import ndtr
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.compose import make_column_transformer
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder, StandardScaler

from sksmooth import (
    SmoothedClassifier,
    average_certified_radius_score,
    certified_accuracy_score,
    certified_accuracy_scorer,
)
from sksmooth.display import CertifiedAccuracyDisplay
from sksmooth.noise import SparseFlip, Split
from sksmooth.noise._flips import flip_threshold, stays
from sksmooth.stats import lower_confidence_bound

from .helpers import Fixed

FIELDS = ["prediction", "radius", "certified", "counts", "n_used"]


def same(one, other):
    for name in FIELDS:
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name))


def mixed(n=80, seed=0):
    """Two numbers, a text, a pandas category and a truth value; and labels."""
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame(
        {
            "age": rng.normal(size=n),
            "city": rng.choice(["a", "b", "c"], n),
            "pay": rng.normal(size=n).astype(np.float32),
            "kind": pd.Categorical(rng.choice(["u", "v"], n), ["v", "u", "unused"]),
            "smokes": rng.random(n) < 0.5,
        }
    )
    score = frame.age + 1.5 * (frame.city == "a") + (frame.kind == "u")
    return frame, (score > 0.7).astype(int).to_numpy()


CATEGORIES = ["city", "kind", "smokes"]
FRAME, Y = mixed()


def encoded():
    steps = make_column_transformer(
        (OneHotEncoder(handle_unknown="error"), CATEGORIES),
        (StandardScaler(), ["age", "pay"]),
    )
    return make_pipeline(steps, LogisticRegression())


def smooth(estimator=None, **settings):
    settings = {
        "sigma": 0.5,
        "categorical_features": CATEGORIES,
        "flip": 0.3,
        "n": 500,
        "random_state": 0,
        **settings,
    }
    return SmoothedClassifier(estimator or encoded(), **settings)


class Sees(ClassifierMixin, BaseEstimator):
    """Remembers what it was given; answers by the first column."""

    seen = []

    def fit(self, X, y):
        self.classes_ = np.unique(y)
        self.seen.clear()
        self.seen.append(X)
        return self

    def predict(self, X):
        self.seen.append(X)
        return self.classes_[np.zeros(len(X), int)]


class TestExactly:
    """g can be computed: all changes are tried, and all votes are counted."""

    K = (2, 3, 4)

    def setup_method(self):
        self.points = np.array(list(product(*(range(k) for k in self.K))), float)
        # Some changes overturn the majority, and some do not.
        self.answers = (self.points @ [3, 1, 0.9] > 2.8).astype(int)

    def f(self, X):
        places = np.ravel_multi_index(X.astype(int).T, self.K)
        return self.answers[places]

    def kernel(self, flip):
        """P(noisy point | point) in floats."""
        T = flip_threshold(flip)
        masses = []
        for k in self.K:
            a = float(stays(T, k))
            masses.append(np.where(np.eye(k, dtype=bool), a, (1 - a) / (k - 1)))
        return np.kron(np.kron(masses[0], masses[1]), masses[2])

    @pytest.mark.parametrize("flip", [0.2, 0.8])
    def test_no_change_of_categories_overturns_a_certificate(self, flip):
        p = self.kernel(flip) @ self.answers
        truth = np.where(p > 0.5, 1, 0)
        f = FrozenEstimator(Fixed(self.f))
        g = SmoothedClassifier(
            f,
            categorical_features=[0, 1, 2],
            flip=flip,
            n=20_000,
            alpha=1e-6,
            random_state=1,
        ).fit(self.points, np.arange(24) % 2)
        certificate = g.certify(self.points)
        counted = certificate.counts[:, 1] / 20_000
        # Six standard deviations at most, with this seed.
        assert np.all(np.abs(counted - p) < 6 * np.sqrt(p * (1 - p) / 20_000))
        distance = np.sum(self.points[:, None] != self.points[None], axis=2)
        other = truth[:, None] != truth[None]
        most = np.where(other, distance, 4).min(axis=1) - 1
        found = certificate.certified_changes
        assert np.all(found <= most)
        assert set(found) >= ({0, 1} if flip == 0.2 else {0})
        assert np.all(certificate.radius == 0)
        np.testing.assert_array_equal(certificate.certified, found >= 0)
        np.testing.assert_array_equal(
            g.predict(self.points)[found >= 0], certificate.prediction[found >= 0]
        )

    def test_numbers_and_categories_together(self):
        """One number and one category of three values: worst of both moves."""
        sigma, flip, cuts = 0.5, 0.3, np.array([-0.4, 0.0, 0.9])
        a = float(stays(flip_threshold(flip), 3))
        kernel = np.where(np.eye(3, dtype=bool), a, (1 - a) / 2)

        def p_of_1(x, v):
            return kernel[v] @ ndtr((x - cuts) / sigma)

        X = np.array([[x, v] for x in np.linspace(-2, 2, 9) for v in range(3)], float)
        f = FrozenEstimator(Fixed(lambda X: X[:, 0] > cuts[X[:, 1].astype(int)]))
        f.estimator.classes = (False, True)
        g = SmoothedClassifier(
            f,
            sigma=sigma,
            categorical_features=[1],
            flip=flip,
            n=20_000,
            alpha=1e-6,
            random_state=1,
        ).fit(X, X[:, 0] > 0)
        certificate = g.certify(X)
        p = np.array([p_of_1(x, int(v)) for x, v in X])
        counted = certificate.counts[:, 1] / 20_000
        assert np.all(np.abs(counted - p) < 6 * np.sqrt(p * (1 - p) / 20_000) + 1e-9)
        n_checked = 0
        for changes in (0, 1):
            radii = certificate.radius_for(changes=changes)
            certified = certificate.certified_for(changes)
            for row in np.flatnonzero(certified):
                x, v = X[row, 0], int(X[row, 1])
                moves = np.linspace(-1, 1, 41) * radii[row] * (1 - 1e-9)
                for to in range(3) if changes else [v]:
                    reached = np.array([p_of_1(x + move, to) for move in moves])
                    assert np.all((reached > 0.5) == certificate.prediction[row])
                    n_checked += 1
        assert n_checked > 30
        assert 0 < certificate.certified_for(1).sum() < certificate.certified.sum()

    def test_known_labels_are_certified_where_the_bound_says(self):
        g = smooth(stopping="fixed", alpha=0.01).fit(FRAME, Y)
        certificate = g.certify(FRAME)
        votes = certificate.counts[np.arange(len(Y)), Y]
        p_lower = lower_confidence_bound(votes, 500, 0.01)
        for changes in (0, 1, 2, 3):
            proof = certificate.noise.bind(0.5).changed(changes)
            reached = proof.radius(p_lower)
            certified = proof.certified(reached, p_lower)
            with warnings.catch_warnings():  # of radii beyond reach
                warnings.simplefilter("ignore", UserWarning)
                correct = g.certified_correct(FRAME, Y, [0, 0.1, 0.3], changes=changes)
            expected = certified[:, None] & (reached[:, None] >= [0, 0.1, 0.3])
            np.testing.assert_array_equal(correct, expected)
        assert np.any(g.certified_correct(FRAME, Y, 0.1, changes=1))


class TestContainers:
    def test_votes_do_not_depend_on_the_container(self):
        codes = FRAME.copy()
        for name in CATEGORIES:  # in the order of the values, as fit has them
            codes[name] = np.unique(FRAME[name], return_inverse=True)[1]
        array = codes.to_numpy(float)
        cells = FRAME.astype(object).to_numpy()

        def f(X):  # by what the cells mean
            X = np.asarray(X, dtype=object)
            a = (X[:, 1] == "a") | (X[:, 1] == 0)
            return (X[:, 0].astype(float) + 1.5 * a > 0.7).astype(int)

        wide = FRAME.assign(pay=FRAME.pay.astype(float))
        g = smooth(FrozenEstimator(Fixed(f)), categorical_features=[1, 3, 4])
        one = g.fit(wide, Y).certify(wide)
        for X in (pl.from_pandas(wide), array, cells, cells.tolist()):
            same(g.fit(X, Y).certify(X), one)

    @pytest.mark.parametrize("make", [lambda X: X, pl.from_pandas])
    def test_the_base_gets_the_dtypes_it_was_trained_on(self, make):
        X = make(FRAME)
        smooth(Sees(), n=20, n0=5).fit(X, Y).certify(X[:3])
        first, *others = Sees.seen
        assert len(others) > 1
        for one in others:
            assert list(one.columns) == list(first.columns)
            assert list(one.dtypes) == list(first.dtypes)
        assert list(first.dtypes) == list(X.dtypes)

    def test_numbers_of_an_array_stay_numbers_and_codes_whole(self):
        X = np.column_stack([FRAME.age, np.arange(80) % 4 * 10.0])
        smooth(Sees(), categorical_features=[1], n=20).fit(X, Y).certify(X[:3])
        for one in Sees.seen:
            assert one.dtype == np.float64
            assert set(one[:, 1]) <= {0.0, 10.0, 20.0, 30.0}
        assert len(set(Sees.seen[-1][:, 0])) > 3

    def test_whole_numbers_alone_stay_whole(self):
        X = np.arange(80)[:, None] % 4
        smooth(Sees(), categorical_features=[0], n=20).fit(X, Y).certify(X[:3])
        assert {one.dtype for one in Sees.seen} == {X.dtype}

    def test_from_dtype(self):
        f = make_pipeline(OrdinalEncoder(), GaussianNB())
        some = FRAME[["kind"]]
        g = smooth(f, categorical_features="from_dtype").fit(some, Y)
        assert g.certify(some[:5]).certified_changes.max() <= 1
        X = FRAME[["age", "pay"]].to_numpy()
        plain = SmoothedClassifier(GaussianNB(), sigma=0.5, n=500, random_state=0)
        same(
            smooth(GaussianNB(), categorical_features="from_dtype")
            .fit(X, Y)
            .certify(X),
            plain.fit(X, Y).certify(X),
        )

    def test_trees_that_are_compiled_see_values(self):
        X = np.column_stack([FRAME.age, np.arange(80) % 4 * 10.0])

        class Plain(RandomForestClassifier):
            pass

        forests = [
            kind(5, random_state=0).fit(X, Y)
            for kind in (RandomForestClassifier, Plain)
        ]
        one, other = (
            smooth(FrozenEstimator(f), categorical_features=[1]).fit(X, Y).certify(X)
            for f in forests
        )
        same(one, other)

    def test_hist_gradient_boosting(self):
        f = HistGradientBoostingClassifier(
            categorical_features=["kind"], max_iter=5, min_samples_leaf=2
        )
        X = FRAME[["age", "kind"]]
        g = smooth(f, categorical_features=["kind"], n=100).fit(X, Y)
        assert g.certify(X[:9]).certified.any()


class TestArraysAreAsFitSawThem:
    """Values of the domain need not fit into the dtype of the rows that are asked."""

    def test_texts(self):
        colours = np.array(["red", "green", "blue"] * 40)
        y = (colours == "green").astype(int)
        f = make_pipeline(OneHotEncoder(handle_unknown="error"), LogisticRegression())
        g = smooth(f, categorical_features=[0]).fit(colours[:, None], y)
        one = g.certify(np.array([["red"], ["green"]])).select([0])
        same(g.certify(np.array([["red"]])), one)
        same(g.certify(np.array([["red"]], dtype=object)), one)
        same(g.certify([["red"]]), one)

    def test_truth_values_and_small_integers(self):
        X = np.column_stack([np.arange(300), np.arange(300) % 2])
        y = (X[:, 0] % 3 == 2).astype(int)
        f = FrozenEstimator(RandomForestClassifier(3, random_state=0).fit(X, y))
        g = smooth(f, categorical_features=[0, 1], n=200).fit(X, y)
        one = g.certify(X[:2])
        same(g.certify(X[:2].astype(bool)), one)
        same(g.certify(X[:2].astype(np.uint8)), one)
        same(g.certify(X[:2].astype(float)), one)

    def test_numbers_among_texts(self):
        cells = np.array([["1", "a"], ["2", "b"], ["3", "a"]] * 10)
        smooth(Sees(), categorical_features=[1], n=20).fit(cells, Y[:30])
        (trained, *_) = Sees.seen
        numbers = trained[:, 0].astype(float)
        assert 0.3 < np.std(numbers - np.tile([1, 2, 3], 10)) < 0.7


class TestDomain:
    def test_what_fit_did_not_see_counts_as_the_most_frequent(self):
        g = smooth().fit(FRAME, Y)
        most = FRAME.city.value_counts().sort_index().idxmax()
        rows = FRAME.iloc[[3, 3]].reset_index(drop=True)
        rows["city"] = ["nowhere", most]
        with pytest.warns(UserWarning, match="fit did not see.*'city' .1."):
            certificate = g.certify(rows)
        assert certificate.first_equal.tolist() == [0, 0]
        same(certificate.select([0]), certificate.select([1]))

    def test_a_missing_category_stays_missing(self):
        frame = FRAME.assign(city=FRAME.city.where(np.arange(80) % 5 > 0, None))
        f = HistGradientBoostingClassifier(max_iter=3, min_samples_leaf=2)
        codes = make_pipeline(make_column_transformer((OrdinalEncoder(), ["city"])), f)
        g = smooth(codes, categorical_features=["city"], sigma={"*": 0})
        assert g.fit(frame[["city"]], Y).certify(frame[["city"]]).certified.any()
        smooth(Sees(), n=20, n0=5).fit(frame, Y).certify(frame[:1])
        # The last ones are votes, of the one row.
        assert Sees.seen[-1].city.isna().all()
        assert not Sees.seen[-1].kind.isna().any()

    def test_planning_needs_it(self):
        with pytest.raises(ValueError, match="which fit learns: call fit"):
            smooth().required_samples(0, changes=1)
        g = smooth(categorical_features=None, sigma={"age": 1.0, "*": 0}).fit(FRAME, Y)
        with pytest.raises(ValueError, match="not fitted with categorical_features"):
            g.set_params(categorical_features=["city"]).certify(FRAME[:2])

    @pytest.mark.parametrize("noise", [SparseFlip(), Split(4, 1)])
    def test_noise_that_does_not_go_with_flips(self, noise):
        X = np.column_stack([np.arange(80) % 2, np.arange(80) % 3])
        with pytest.raises(ValueError, match="categorical_features"):
            smooth(GaussianNB(), noise=noise, categorical_features=[1]).fit(X, Y)

    def test_without_fit_there_is_no_domain(self):
        f = encoded().fit(FRAME, Y)
        with pytest.raises(ValueError, match="was not fitted.*FrozenEstimator"):
            smooth(f).certify(FRAME)
        smooth(FrozenEstimator(f)).fit(FRAME, Y).certify(FRAME[:2])

    def test_one_value_cannot_change(self):
        X = np.column_stack([FRAME.age, np.zeros(80), np.arange(80) % 2])
        g = smooth(GaussianNB(), categorical_features=[1, 2]).fit(X, Y)
        certificate = g.certify(X[:5])
        assert certificate.certified_changes.max() <= 1
        np.testing.assert_array_equal(
            certificate.radius_for(changes=1), certificate.radius_for(changes=9)
        )

    def test_pickles(self):
        g = smooth().fit(FRAME, Y)
        same(pickle.loads(pickle.dumps(g)).certify(FRAME[:5]), g.certify(FRAME[:5]))


class TestInvariances:
    def test_batches_workers_order_and_stores(self, tmp_path):
        g = smooth().fit(FRAME, Y)
        one = g.certify(FRAME[:8], store=tmp_path / "votes")
        same(g.certify(FRAME[:8], store=tmp_path / "votes"), one)
        same(g.set_params(batch_size=97).certify(FRAME[:8]), one)
        with parallel_config(backend="threading"):
            same(g.set_params(n_jobs=2).certify(FRAME[:8]), one)
        g.set_params(n_jobs=None, batch_size="auto")
        back = g.certify(FRAME[7::-1])
        same(back.select(np.arange(8)[::-1]), one)

    def test_shared_noise(self):
        g = smooth(shared_noise=True).fit(FRAME, Y)
        one = g.certify(FRAME[:20])
        same(g.certify(FRAME[5:12]), one.select(slice(5, 12)))
        same(g.set_params(batch_size=133).certify(FRAME[:20]), one)
        shares = one.counts / 500
        apart = smooth().fit(FRAME, Y).certify(FRAME[:20]).counts / 500
        assert np.abs(shares - apart).max() < 0.15

    def test_other_values_are_another_run(self, tmp_path):
        X = np.column_stack([FRAME.age, np.arange(80) % 4])
        f = FrozenEstimator(GaussianNB().fit(X, Y))
        settings = {"categorical_features": [1], "n": 50}
        smooth(f, **settings).fit(X, Y).certify(X[:3], store=tmp_path / "a")
        other = smooth(f, **settings, flip=0.125).fit(X, Y)
        with pytest.raises(
            ValueError, match=r"flip = \S+ there and .* flip = 0.125 here"
        ):
            other.certify(X[:3], store=tmp_path / "a")
        X[-1, 1] = 9
        with pytest.raises(ValueError, match="another run"):
            smooth(f, **settings).fit(X, Y).certify(X[:3], store=tmp_path / "a")

    def test_equal_rows_are_trained_on_with_noise_of_their_own(self):
        X = np.zeros((1000, 1))
        X[0] = 1
        y = np.arange(1000) % 2
        smooth(Sees(), categorical_features=[0], n_copies=1).fit(X, y)
        # Of 1,000 zeros: ones are .15.
        assert 100 < Sees.seen[0].sum() < 200

    def test_training_copies_are_flipped(self):
        smooth(Sees(), n_copies=20).fit(FRAME, Y)
        (trained, *_) = Sees.seen
        clean = pd.concat([FRAME] * 20)
        # 24,000 values: each stays with 1 - .3 + .3 / K.
        for name, k in (("city", 3), ("kind", 2), ("smokes", 2)):
            stayed = np.mean(trained[name].to_numpy() == clean[name].to_numpy())
            assert abs(stayed - (0.7 + 0.3 / k)) < 0.03
        assert np.std(trained.age.to_numpy() - clean.age.to_numpy()) > 0.4


class TestLevels:
    def test_categories_get_no_sigma(self):
        for sigma in (
            {"age": 0.5, "pay": 0.5, "city": 1.0},
            [0.5, 0.5, 0.5, 0, 0],
        ):
            with pytest.raises(ValueError, match="above 0 for the categorical columns"):
                smooth(sigma=sigma).fit(FRAME, Y)
        by_name = (
            smooth(sigma={"age": 0.5, "pay": 0.5}).fit(FRAME, Y).certify(FRAME[:9])
        )
        others = smooth(sigma={"*": 0.5}).fit(FRAME, Y).certify(FRAME[:9])
        same(by_name, others)
        one = smooth().fit(FRAME, Y).certify(FRAME[:9])
        np.testing.assert_allclose(one.radius, 0.5 * by_name.radius)
        for changes in (1, 2):
            np.testing.assert_allclose(
                one.radius_for(changes=changes),
                0.5 * by_name.radius_for(changes=changes),
            )

    def test_on_a_grid_no_radius_is_larger(self):
        g = smooth(grid="auto").fit(FRAME, Y)
        certificate = g.certify(FRAME[:20])
        proof = certificate.noise.bind(0.5)
        full = proof.radius(certificate.p_lower)
        loss = certificate.radius_loss
        assert np.all((loss > 0) & (loss < 0.5 * 3 / 2**16))
        some = certificate.radius > 0
        assert np.all(certificate.radius[some] <= (full - loss)[some])
        full = proof.changed(1).radius(certificate.p_lower)
        some = certificate.radius_for(changes=1) > 0
        assert np.any(some)
        assert np.all(certificate.radius_for(changes=1)[some] <= (full - loss)[some])

    def test_counts_that_sigma_names_get_whole_noise(self):
        frame = FRAME.assign(visits=np.arange(80) % 7)
        sigma = {"age": 0.5, "pay": 0.5, "visits": 2.0}
        g = smooth(Sees(), sigma=sigma, n=50, n0=5).fit(frame, Y)
        g.certify(frame[:2])
        for one in Sees.seen:
            assert one.visits.dtype == frame.visits.dtype
        assert np.std(Sees.seen[0].visits - frame.visits.to_numpy()) > 1.5

    def test_counts_are_those_of_fit(self):
        frame = pd.DataFrame({"age": FRAME.age, "visits": np.arange(80) % 7})
        g = SmoothedClassifier(
            Sees(), sigma={"age": 0.5, "visits": 2.0}, n=50, n0=5, random_state=0
        )
        g.fit(frame, Y).certify(frame[:2].astype(float))
        for one in Sees.seen:
            np.testing.assert_array_equal(one.visits, np.rint(one.visits))
        g.fit(frame.astype(float), Y).certify(frame[:2])
        for one in Sees.seen:
            assert np.any(one.visits != np.rint(one.visits))

    def test_integers_beside_categories_are_numbers(self):
        frame = pd.DataFrame({"age": np.arange(80), "city": FRAME.city})
        g = smooth(Sees(), categorical_features=["city"], n=50).fit(frame, Y)
        assert g.certify(frame[:2]).n_noisy == 1

    def test_a_grid_takes_nothing_off_categories(self):
        X = FRAME[CATEGORIES]
        f = make_pipeline(OneHotEncoder(handle_unknown="ignore"), LogisticRegression())
        one, other = (
            smooth(f, grid=grid, flip=0.6).fit(X, Y).certify(X)
            for grid in (None, 2.0**-10)
        )
        same(one, other)
        assert one.certified.any()

    def test_unsigned_counts_with_gaps(self):
        visits = pd.array([0, 1, None, 3] * 20, dtype="UInt8")
        frame = pd.DataFrame({"age": FRAME.age, "visits": visits})
        g = SmoothedClassifier(
            Sees(), sigma={"age": 0.5, "visits": 2.0}, n=50, n0=5, random_state=0
        )
        g.fit(frame, Y).certify(frame[:4])
        for one in Sees.seen:
            assert one.visits.dtype == frame.visits.dtype
        np.testing.assert_array_equal(Sees.seen[0].visits.isna(), frame.visits.isna())
        assert Sees.seen[0].visits.max() > 4
        assert Sees.seen[0].visits.min() == 0


class TestScores:
    def test_agree_with_the_certificate(self):
        g = smooth().fit(FRAME, Y)
        certificate = g.certify(FRAME)
        right = certificate.selected == Y
        for changes in (0, 1, 2):
            certified = right & certificate.certified_for(changes)
            radius = certificate.radius_for(changes=changes)
            score = certified_accuracy_score(
                Y, certificate, radius=0.2, changes=changes
            )
            assert score == np.mean(certified & (radius >= 0.2))
            acr = average_certified_radius_score(Y, certificate, changes=changes)
            assert acr == np.mean(np.where(certified, radius, 0))
            bound = certificate.certified_accuracy_lower_bound(
                Y, radius=0.2, changes=changes
            )
            assert 0 <= bound <= score
        frame = certificate.to_frame()
        np.testing.assert_array_equal(
            frame["radius_1_changed"].isna(), ~certificate.certified_for(1)
        )
        np.testing.assert_array_equal(
            frame["certified_changes"], certificate.certified_changes
        )
        assert "radius_4_changed" not in frame

    def test_repr(self):
        sigma = {"age": 0.5, "pay": 0.25}
        text = repr(smooth(sigma=sigma).fit(FRAME, Y).certify(FRAME))
        assert "sigma={'age': 0.5, 'pay': 0.25}, flip=0.3, n=500" in text
        sigma["pay"] = 0
        text = repr(smooth(sigma=sigma).fit(FRAME, Y).certify(FRAME))
        assert "sigma={'age': 0.5, others: 0}, flip=0.3" in text

    def test_all_radii_hold_at_once(self):
        certificate = smooth().fit(FRAME, Y).certify(FRAME)
        radii = np.array([certificate.radius_for(changes=k) for k in range(5)])
        assert np.all(np.diff(radii, axis=0) <= 0)
        np.testing.assert_array_equal(radii[0], certificate.radius)
        np.testing.assert_array_equal(radii[3], radii[4])
        strict = certificate.recertify(alpha=1e-6)
        assert np.all(strict.radius_for(changes=1) <= radii[1])

    def test_a_search_over_flip(self):
        scorer = certified_accuracy_scorer(0.1, changes=1)
        assert repr(scorer) == "certified_accuracy_scorer(0.1, changes=1)"
        search = GridSearchCV(smooth(), {"flip": [0.01, 0.4]}, scoring=scorer, cv=2)
        with warnings.catch_warnings():  # that .01 cannot reach it
            warnings.simplefilter("ignore", UserWarning)
            search.fit(FRAME, Y)
        assert search.best_params_ == {"flip": 0.4}

    def test_a_search_over_flip_without_numbers(self):
        X = FRAME[CATEGORIES]
        f = make_pipeline(OneHotEncoder(handle_unknown="ignore"), LogisticRegression())
        g = smooth(f, flip=0.6).fit(X, Y)
        assert g.max_certifiable_radius(changes=1) == 0
        assert certified_accuracy_scorer(0, changes=1)(g, X, Y) > 0
        with pytest.warns(UserWarning, match="radius 0.5 can never be certified"):
            assert certified_accuracy_scorer(0.5)(g, X, Y) == 0

    def test_planning(self):
        g = smooth(n=20_000).fit(FRAME, Y)
        needed = g.required_samples(0.2, changes=1)
        assert needed > g.required_samples(0.2)
        g.set_params(n=needed)
        assert g.max_certifiable_radius(changes=1) >= 0.2
        g.set_params(n=needed - 1)
        assert g.max_certifiable_radius(changes=1) < 0.2

    def test_there_are_no_categories(self):
        g = SmoothedClassifier(GaussianNB(), n=100, random_state=0)
        X = FRAME[["age", "pay"]].to_numpy()
        certificate = g.fit(X, Y).certify(X)
        assert certificate.certified_changes.max() == 0
        for call in (
            lambda: certificate.radius_for(changes=1),
            lambda: g.certified_correct(X, Y, 0.1, changes=1),
            lambda: g.max_certifiable_radius(changes=1),
            lambda: certified_accuracy_score(Y, certificate, changes=1),
        ):
            with pytest.raises(ValueError, match="no categorical features"):
                call()
        with pytest.raises(ValueError, match="knows nothing of categories"):
            certified_accuracy_score([0], ([0], [0.5]), changes=1)
        with pytest.raises(ValueError, match="whole number of categorical"):
            smooth().fit(FRAME, Y).certify(FRAME[:1]).radius_for(changes=0.5)

    def test_display(self):
        pytest.importorskip("matplotlib")
        certificate = smooth().fit(FRAME, Y).certify(FRAME)
        display = CertifiedAccuracyDisplay.from_certificate(
            certificate, Y, changes=[0, 1, 2]
        )
        assert [line.get_label().split(" (")[0] for line in display.line_] == [
            "no category changed",
            "1 category changed",
            "2 categories changed",
        ]
        assert [round(one[0], 6) for one in display.accuracy] == [
            round(certified_accuracy_score(Y, certificate, changes=k), 6)
            for k in (0, 1, 2)
        ]
