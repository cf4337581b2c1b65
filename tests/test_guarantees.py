"""Stopping, bounds and exact smoothing through the classifier."""

from functools import partial

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from scipy.stats import norm
from sklearn.base import clone
from sklearn.datasets import load_breast_cancer, load_iris
from sklearn.ensemble import AdaBoostClassifier, GradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier

from sksmooth import (
    SmoothedClassifier,
    certified_accuracy_score,
    certified_accuracy_scorer,
)
from sksmooth.exact._probabilities import exact_probabilities
from sksmooth.stats import certify_counts, lower_confidence_bound, sample_sizes
from sksmooth.votes._rows import Inputs
from tests.helpers import (
    Fixed,
    behind_company,
    halfspace,
    points_at_distance,
    sign_rule,
)

X, y = load_iris(return_X_y=True)
WEIGHTS = np.array([1.0, -2.0, 0.5, 3.0])


def smoothed(estimator=None, **params):
    defaults = {"method": "monte_carlo", "n": 2000, "sigma": 0.5, "random_state": 0}
    estimator = GaussianNB() if estimator is None else estimator
    return SmoothedClassifier(estimator, **{**defaults, **params})


class TestSequential:
    fixed = smoothed(stopping="fixed").fit(X, y)
    sequential = smoothed(stopping="sequential").fit(X, y)

    def test_predict_stops_early_and_agrees(self):
        calls = []
        base = Fixed(lambda batch: calls.append(len(batch)) or (batch[:, 0] > 0) * 1)
        far = np.full((50, 4), 5.0) + np.arange(50)[:, None]
        g = smoothed(base, n=10_000)
        assert np.all(g.predict(far) == 1)
        assert sum(behind_company(calls)) == 50 * 25
        calls.clear()
        assert np.all(g.set_params(stopping="fixed").predict(far) == 1)
        assert sum(behind_company(calls)) == 50 * 10_000

    def test_same_answers_as_with_fixed_n(self):
        a, b = self.fixed.predict(X), self.sequential.predict(X)
        answered = (a != -1) & (b != -1)
        assert answered.mean() > 0.9
        np.testing.assert_array_equal(a[answered], b[answered])

    def test_predict_proba_agrees_with_predict(self):
        for g in (self.fixed, self.sequential):
            shares, prediction = g.predict_proba(X), g.predict(X)
            np.testing.assert_allclose(shares.sum(axis=1), 1)
            answered = prediction != -1
            np.testing.assert_array_equal(
                shares.argmax(axis=1)[answered], prediction[answered]
            )
        resolution = 2000 * self.fixed.predict_proba(X)
        np.testing.assert_allclose(resolution, np.rint(resolution), atol=1e-9)

    @pytest.mark.parametrize("make", [halfspace, sign_rule])
    def test_rate_of_wrong_predictions(self, make):
        """Beside the boundary, through the engine: at most alpha/2."""
        m, alpha = 1000, 0.2
        points = points_at_distance(WEIGHTS, 0.0, 1e-9, m)
        g = smoothed(make(WEIGHTS), n=400, alpha=alpha)
        wrong = int(np.sum(g.predict(points) == 0))
        assert 0 < wrong <= stats.binom.ppf(1 - 1e-6, m, alpha / 2)

    def test_does_not_depend_on_batches_order_or_jobs(self):
        expected = self.sequential.predict_proba(X)
        correct = self.sequential.certified_correct(X, y, [0.1, 0.5])
        order = np.random.default_rng(0).permutation(150)
        for params in ({"batch_size": 17}, {"n_jobs": 2}):
            g = clone(self.sequential).set_params(**params).fit(X, y)
            np.testing.assert_array_equal(g.predict_proba(X[order]), expected[order])
            np.testing.assert_array_equal(
                g.certified_correct(X[order], y[order], [0.1, 0.5]), correct[order]
            )


class TestCertifiedCorrect:
    def test_equals_certify_with_fixed_n(self):
        g = smoothed(stopping="fixed").fit(X, y)
        prediction, radius = g.certify(X)
        radii = np.array([0.0, 0.2, 0.5, 0.9])
        expected = (prediction == y)[:, None] & (radius > 0)[:, None]
        expected = expected & (radius[:, None] >= radii)
        correct = g.certified_correct(X, y, radii)
        np.testing.assert_array_equal(correct, expected)
        assert correct.shape == (150, 4)
        assert g.certified_correct(X, y, 0.2).shape == (150,)
        np.testing.assert_array_equal(g.certified_correct(X, y, 0.2), expected[:, 1])

    def test_nearly_the_same_with_few_votes(self):
        fixed = smoothed(n=20_000, stopping="fixed").fit(X, y)
        sequential = smoothed(n=20_000).fit(X, y)
        radii = [0.0, 0.3, 0.6]
        a = fixed.certified_correct(X, y, radii).mean(axis=0)
        b = sequential.certified_correct(X, y, radii).mean(axis=0)
        assert np.all(np.abs(a - b) <= 0.02)

    def test_rate_of_false_claims_at_the_boundary(self):
        """Points exactly at the radius of the question: p_y = Phi(r / sigma)."""
        m, alpha, radius = 3000, 0.1, 0.4
        points = points_at_distance(WEIGHTS, 0.0, radius - 1e-9, m)
        g = smoothed(halfspace(WEIGHTS), n=800, alpha=alpha)
        false = int(g.certified_correct(points, np.ones(m), radius).sum())
        low, high = stats.binom.ppf([1e-6, 1 - 1e-6], m, [alpha / 10, alpha])
        assert low <= false <= high

    def test_unknown_labels_are_never_correct_and_cost_no_votes(self):
        base = Fixed(lambda batch: 1 / 0)
        g = smoothed(base)
        assert not g.certified_correct(X, np.full(150, 7), 0.1).any()
        g = smoothed().fit(X[:100], y[:100])
        correct = g.certified_correct(X, y, 0.1)
        assert correct[:100].mean() > 0.9
        assert not correct[100:].any()

    def test_string_labels(self):
        names = np.array(["c", "a", "b"])
        a = smoothed().fit(X, y).certified_correct(X, y, 0.3)
        b = smoothed().fit(X, names[y]).certified_correct(X, names[y], 0.3)
        np.testing.assert_array_equal(a, b)

    @pytest.mark.parametrize(
        "params", [{}, {"bound": "multiclass"}, {"method": "exact"}], ids=str
    )
    def test_labels_of_another_kind(self, params):
        g = smoothed(DecisionTreeClassifier(random_state=0), **params).fit(X, y)
        with pytest.raises(ValueError, match="labels of different kinds"):
            g.certified_correct(X, y.astype(str), 0.1)
        mixed = y.astype(object)
        mixed[0] = None
        correct = g.certified_correct(X, mixed, 0.01)
        assert not correct[0]
        assert correct[1:].mean() > 0.9

    def test_bad_input(self):
        g = smoothed().fit(X, y)
        with pytest.raises(ValueError, match="must be a finite number >= 0"):
            g.certified_correct(X, y, -1)
        with pytest.raises(ValueError, match="inconsistent numbers of samples"):
            g.certified_correct(X, y[:10], 0.1)
        with pytest.raises(ValueError, match="labels of different kinds"):
            g.certified_correct(X, y.astype(str), 0.1)

    def test_per_feature_sigma(self):
        g = smoothed(sigma=[0.5, 0.5, 0.0, 0.1], stopping="fixed").fit(X, y)
        prediction, radius = g.certify(X)
        np.testing.assert_array_equal(
            g.certified_correct(X, y, 1.0), (prediction == y) & (radius >= 1.0)
        )


class TestRadiusTolerance:
    g = smoothed(n=50_000, sigma=0.8).fit(X, y)

    def test_votes_are_saved_and_radii_stay_close(self):
        full, early = self.g.certify(X), self.g.certify(X, radius_tol=0.1)
        assert np.all(full.n_used == 50_000)
        assert early.n_used.mean() < 30_000
        assert set(early.n_used) <= set(sample_sizes(50_000))
        np.testing.assert_array_equal(early.counts.sum(axis=1), early.n_used)
        both = full.certified & early.certified
        assert both.mean() > 0.7
        # within the tolerance, up to the price of looking more than once
        assert np.max(full.radius[both] - early.radius[both]) < 0.1 + 0.03
        assert "saved" in repr(early)
        assert "saved" not in repr(full)

    def test_tolerance_for_each_input(self):
        tolerance = np.where(y == 0, 1e-9, 10.0)
        early = self.g.certify(X, radius_tol=tolerance)
        assert np.all(early.n_used[y != 0] == 100)
        assert np.all(early.n_used[y == 0] == 50_000)

    def test_radii_are_valid(self):
        m, alpha, distance = 2000, 0.1, 0.3
        points = points_at_distance(WEIGHTS, 0.0, distance, m)
        g = smoothed(halfspace(WEIGHTS), n=3200, alpha=alpha, sigma=0.3)
        radius = g.certify(points, radius_tol=0.05).radius
        false = int(np.sum(radius > distance))
        assert 0 < false <= stats.binom.ppf(1 - 1e-6, m, alpha)

    def test_votes_are_those_of_estimation(self):
        """Not those that selected the class, nor any that stopping made differ."""
        full, early = self.g.certify(X), self.g.certify(X, radius_tol=0)
        whole = early.n_used == 50_000
        assert whole.mean() > 0.9
        np.testing.assert_array_equal(full.counts[whole], early.counts[whole])
        np.testing.assert_array_equal(full.selection_counts, early.selection_counts)
        first = self.g.certify(X, radius_tol=100)
        assert np.all(first.n_used == 100)
        assert not np.array_equal(first.counts, first.selection_counts)

    def test_bad_tolerance(self):
        for bad in (-1, np.nan, [0.1, 0.2]):
            with pytest.raises(ValueError, match="radius_tol must be"):
                self.g.certify(X, radius_tol=bad)
        other = clone(self.g).set_params(bound="joint").fit(X, y)
        with pytest.raises(ValueError, match="radius_tol stops early only with"):
            other.certify(X, radius_tol=0.1)


class TestBounds:
    @pytest.mark.parametrize("bound", ["cohen", "joint", "multiclass"])
    def test_certificates_follow_from_their_counts(self, bound):
        g = smoothed(bound=bound, n=300).fit(X, y)
        c = g.certify(X)
        assert (c.selection_counts is None) == (bound == "joint")
        bounds = certify_counts(
            c.counts, c.selection_counts, alpha=0.001, bound=bound, sigma=0.5
        )
        np.testing.assert_array_equal(c.radius, bounds.radius)
        np.testing.assert_array_equal(c.p_lower, bounds.p_lower)
        np.testing.assert_array_equal(c.p_upper, bounds.p_upper)
        np.testing.assert_array_equal(
            c.prediction, np.where(c.radius > 0, bounds.selected, -1)
        )
        assert (f"bound={bound!r}" in repr(c)) == (bound != "cohen")

    def test_multiclass_certifies_below_one_half(self):
        """Three classes, shares .45, .3, .25: the paper's shortcut must abstain."""
        edges = norm.ppf([0.45, 0.75])
        base = Fixed(
            lambda batch: np.searchsorted(edges, batch[:, 0]), classes=(0, 1, 2)
        )
        x = np.zeros((1, 1))
        settings = {"n": 20_000, "sigma": 1.0, "n0": 1000}
        assert smoothed(base, **settings).certify(x).prediction == [-1]
        c = smoothed(base, **settings, bound="multiclass").certify(x)
        assert c.prediction == [0]
        assert c.p_lower < 0.5
        exact = (norm.ppf(0.45) - norm.ppf(0.3)) / 2
        assert 0.7 * exact < c.radius < exact

    def test_false_claims_of_the_joint_bound(self):
        """At p_1 = 1/2 any certified class is a false claim or a lucky one."""
        m, alpha = 3000, 0.1
        points = points_at_distance(WEIGHTS, 0.0, 0.0, m)
        g = smoothed(halfspace(WEIGHTS), n=100, alpha=alpha, bound="joint")
        certified = int(g.certify(points).certified.sum())
        low, high = stats.binom.ppf([1e-6, 1 - 1e-6], m, [alpha / 10, alpha])
        assert low <= certified <= high

    def test_scorer_with_multiclass_bound(self):
        g = smoothed(bound="multiclass").fit(X, y)
        expected = certified_accuracy_score(y, g.certify(X), radius=0.3)
        assert certified_accuracy_scorer(0.3)(g, X, y) == expected

    @pytest.mark.parametrize("params", [{"bound": "multiclass"}, {"method": "exact"}])
    def test_inputs_are_checked_once(self, params):
        base = DecisionTreeClassifier(random_state=0).fit(X, y)
        frame = pd.DataFrame(X, columns=list("abcd"))
        g = smoothed(base, **params)
        with pytest.warns(UserWarning, match="X has feature names") as record:
            g.certified_correct(frame, y, 0.1)
        assert len(record) == 1

    def test_unknown_bound(self):
        with pytest.raises(ValueError, match="'bound' parameter"):
            smoothed(bound="best").fit(X, y)
        with pytest.raises(ValueError, match="bound must be one of"):
            certify_counts([[5, 1]], [[5, 1]], alpha=0.1, bound="best")
        with pytest.raises(ValueError, match="needs selection_counts"):
            certify_counts([[5, 1]], alpha=0.1)
        with pytest.raises(ValueError, match="the same shape"):
            certify_counts([[5, 1]], [[5, 1, 0]], alpha=0.1)
        with pytest.raises(ValueError, match="shape"):
            certify_counts([5, 1], alpha=0.1, bound="joint")


class TestExact:
    cancer_X, cancer_y = load_breast_cancer(return_X_y=True)

    @pytest.mark.parametrize(
        "base",
        [
            LogisticRegression(max_iter=5000),
            DecisionTreeClassifier(random_state=0),
            AdaBoostClassifier(n_estimators=5, random_state=0),
            GradientBoostingClassifier(n_estimators=5, max_depth=1, random_state=0),
        ],
        ids=lambda base: type(base).__name__,
    )
    def test_agrees_with_votes(self, base):
        base = make_pipeline(StandardScaler(), base)
        scale = self.cancer_X.std(axis=0)
        settings = {"sigma": 0.3 * scale, "n": 2000}
        exact = smoothed(base, **settings, method="exact")
        votes = smoothed(base, **settings, stopping="fixed")
        exact.fit(self.cancer_X, self.cancer_y)
        votes.fit(self.cancer_X, self.cancer_y)
        p, shares = (
            exact.predict_proba(self.cancer_X),
            votes.predict_proba(self.cancer_X),
        )
        np.testing.assert_allclose(p.sum(axis=1), 1, atol=1e-12)
        inside = (p[:, 1] > 0.01) & (p[:, 1] < 0.99)
        q = p[inside, 1]
        z = (shares[inside, 1] - q) / np.sqrt(q * (1 - q) / 2000)
        assert inside.sum() > 20
        assert np.abs(z).max() < 5
        a, b = exact.certify(self.cancer_X), votes.certify(self.cancer_X)
        certified = b.certified
        np.testing.assert_array_equal(a.prediction[certified], b.prediction[certified])
        assert np.mean(b.radius <= a.radius) > 0.99
        assert (a.alpha, a.n, a.bound) == (0, 0, "exact")
        prediction = votes.predict(self.cancer_X)
        answered = prediction != -1
        np.testing.assert_array_equal(
            exact.predict(self.cancer_X)[answered], prediction[answered]
        )

    def test_certifies_by_the_upper_bounds(self):
        """Not by the middle of the bracket, which for big ensembles has a width."""
        base = GradientBoostingClassifier(
            n_estimators=300, max_depth=1, learning_rate=0.5, random_state=0
        )
        points, labels = self.cancer_X[:, ::3], self.cancer_y
        sigma = 0.5 * points.std(axis=0)
        g = smoothed(base, sigma=sigma, method="exact").fit(points, labels)
        some = points[::10]
        shares, upper = exact_probabilities(
            g.estimator_, g.classes_, Inputs.from_array(some, sigma)
        )
        assert np.max(upper - shares) > 1e-6
        certificate = g.certify(some)
        other = upper[np.arange(len(some)), 1 - shares.argmax(axis=1)]
        expected = np.maximum(-norm.ppf(other), 0)
        np.testing.assert_allclose(certificate.radius, expected, rtol=1e-9, atol=1e-12)

    def test_radius_of_a_linear_classifier_is_the_distance(self):
        points = np.vstack(
            [
                points_at_distance(WEIGHTS, 0.3, d, 5)
                for d in (1e-6, 0.1, 1.0, 8.0)  # up to 16 sigma
            ]
        )
        distance = np.repeat([1e-6, 0.1, 1.0, 8.0], 5)
        certificate = smoothed(halfspace(WEIGHTS, 0.3), method="exact").certify(points)
        np.testing.assert_allclose(certificate.radius, distance, rtol=1e-6)
        assert np.all(certificate.radius <= distance * (1 + 1e-12))
        assert np.all(certificate.prediction == 1)

    def test_a_tie_abstains(self):
        g = smoothed(halfspace([1.0, 0.0]), method="exact")
        x = np.array([[0.0, 3.0]])
        assert g.predict(x) == [-1]
        assert g.certify(x).prediction == [-1]
        np.testing.assert_allclose(g.predict_proba(x), [[0.5, 0.5]])

    def test_a_class_that_nothing_can_beat(self):
        """All weights on features without noise: the radius is infinite."""
        sigma = np.array([0.5, 0.0])
        g = smoothed(halfspace([0.0, 1.0]), sigma=sigma, method="exact")
        certificate = g.certify(np.array([[0.0, 3.0]]))
        assert certificate.radius == [np.inf]
        np.testing.assert_array_equal(certificate.half_axes, [[np.inf, 0.0]])
        assert "median certified radius inf" in repr(certificate)

    def test_certified_correct_and_scorers(self):
        g = smoothed(DecisionTreeClassifier(random_state=0), method="exact").fit(X, y)
        prediction, radius = g.certify(X)
        correct = g.certified_correct(X, y, [0.0, 0.2])
        np.testing.assert_array_equal(
            correct,
            ((prediction == y) & (radius > 0))[:, None]
            & (radius[:, None] >= [0.0, 0.2]),
        )
        assert g.max_certifiable_radius() == np.inf
        search = GridSearchCV(
            g, {"sigma": [0.1, 0.4]}, scoring=certified_accuracy_scorer(0.3), cv=3
        ).fit(X, y)
        assert search.best_score_ > 0.3

    def test_no_votes_to_recertify(self):
        g = smoothed(DecisionTreeClassifier(), method="exact").fit(X, y)
        c = g.certify(X)
        proved = c.certified_accuracy_lower_bound
        assert proved(y, radius=0.1) == certified_accuracy_score(y, c, radius=0.1)
        assert proved(y, radius=0.1, sample_weight=c.distinct) == float(
            certified_accuracy_score(
                y[c.distinct],
                (c.prediction[c.distinct], c.radius[c.distinct]),
                radius=0.1,
            )
        )
        with pytest.raises(ValueError, match="no votes"):
            c.recertify(n=10)

    def test_what_is_not_supported_is_named(self):
        g = smoothed(KNeighborsClassifier(), method="exact").fit(X, y)
        with pytest.raises(ValueError, match="KNeighborsClassifier.*monte_carlo"):
            g.certify(X)


class TestRecertify:
    g = smoothed(n=1000).fit(X, y)
    certificate = g.certify(X)

    def test_alpha(self):
        again = self.certificate.recertify(alpha=0.05)
        expected = clone(self.g).set_params(alpha=0.05).fit(X, y).certify(X)
        for name in ("prediction", "radius", "p_lower", "counts"):
            np.testing.assert_array_equal(getattr(again, name), getattr(expected, name))
        assert again.alpha == 0.05
        assert not again.projected
        np.testing.assert_array_equal(
            self.certificate.recertify().radius, self.certificate.radius
        )

    @pytest.mark.parametrize("bound", ["joint", "multiclass"])
    def test_bound(self, bound):
        again = self.certificate.recertify(bound=bound)
        expected = clone(self.g).set_params(bound=bound).fit(X, y).certify(X)
        np.testing.assert_array_equal(again.radius, expected.radius)
        np.testing.assert_array_equal(again.prediction, expected.prediction)

    def test_projection(self):
        more = self.certificate.recertify(n=100_000)
        assert more.projected
        assert "PROJECTED" in repr(more)
        assert np.all(more.counts.sum(axis=1) == 100_000)
        shares = more.counts / 100_000 - self.certificate.counts / 1000
        assert np.abs(shares).max() < 1e-5
        assert more.radius.mean() > self.certificate.radius.mean()
        np.testing.assert_array_equal(
            self.certificate.recertify(n=1000).radius, self.certificate.radius
        )
        fewer = self.certificate.recertify(n=7)
        assert np.all(fewer.counts.sum(axis=1) == 7)
        with pytest.raises(ValueError, match="projection certifies nothing"):
            more.certified_accuracy_lower_bound(y)
        with pytest.raises(ValueError, match="n must be a whole number"):
            self.certificate.recertify(n=0)

    def test_votes_that_stopped_early(self):
        early = self.g.certify(X, radius_tol=0.1)
        again = early.recertify(alpha=0.01)
        looks = sample_sizes(1000)
        share = np.where(early.n_used == 1000, 0.5, 0.5 / (len(looks) - 1))
        votes = early.counts[np.arange(150), early.selected]
        expected = lower_confidence_bound(votes, early.n_used, 0.01 * share)
        np.testing.assert_allclose(again.p_lower, expected, rtol=1e-12)
        with pytest.raises(ValueError, match="stopped early"):
            early.recertify(bound="joint")
        with pytest.raises(ValueError, match="stopped early"):
            early.recertify(n=10)

    def test_level_of_what_might_have_stopped(self):
        """Drawn with a tolerance, all n votes taken: alpha stays split."""
        x = np.array([[0.3]])
        alone = smoothed(halfspace([1.0]), n=1000).certify(x, radius_tol=1e-6)
        assert alone.n_used == 1000
        stricter = alone.recertify(alpha=0.0005)
        expected = lower_confidence_bound(alone.counts[0, 1], 1000, 0.00025)
        assert stricter.p_lower == expected
        with pytest.raises(ValueError, match="stopped early"):
            alone.recertify(bound="multiclass")
        # and no other input changes it
        pair = smoothed(halfspace([1.0]), n=1000).certify(
            np.vstack([x, [[50.0]]]), radius_tol=[1e-6, 9.0]
        )
        assert (
            pair.recertify(alpha=0.01).radius[0]
            == alone.recertify(alpha=0.01).radius[0]
        )

    def test_joint_has_no_selection_votes(self):
        joint = clone(self.g).set_params(bound="joint").fit(X, y).certify(X)
        assert joint.recertify(alpha=0.1).bound == "joint"
        with pytest.raises(ValueError, match="certify again"):
            joint.recertify(bound="cohen")


def test_duplicates_with_different_labels_count_as_wrong():
    points = points_at_distance(WEIGHTS, 0.0, 2.0, 50)
    g = smoothed(halfspace(WEIGHTS))
    X2, y2 = np.vstack([points, points]), np.repeat([1, 0], 50)
    for order in (slice(None), slice(None, None, -1)):
        certificate = g.certify(X2[order])
        assert certificate.certified_accuracy_lower_bound(y2[order]) == 0
    certificate = g.certify(X2)
    assert certificate.certified_accuracy_lower_bound(np.ones(100)) > 0.9
    radii = np.unique(np.append(0.0, certificate.radius))
    several = certificate.certified_accuracy_lower_bound(np.ones(100), radius=radii)
    assert several.tolist() == [
        certificate.certified_accuracy_lower_bound(np.ones(100), radius=radius)
        for radius in radii
    ]
    assert certificate.certified_accuracy_lower_bound(y2, radius=[0.1]).tolist() == [0]


def test_lower_bound_on_the_certified_accuracy():
    """Duplicates share their votes: each twice is the same share."""
    g = smoothed(n=500, alpha=0.05).fit(X, y)
    base = g.certify(X)
    once = base.certified_accuracy_lower_bound(y, radius=0.3, rho=0.05)
    assert 0 < once < certified_accuracy_score(y, base, radius=0.3)
    twice = g.certify(np.vstack([X, X]))
    assert twice.distinct.sum() == base.distinct.sum() < 150
    again = twice.certified_accuracy_lower_bound(np.r_[y, y], radius=0.3, rho=0.05)
    assert again == once


class TestPlanning:
    """What is called reachable is reached, and nothing beyond it."""

    far = np.full((1, 2), 1e6)
    beyond = 1 + 1e-6
    warns = partial(pytest.warns, UserWarning, match="can never be certified")

    def unanimous(self, **params):
        base = Fixed(lambda batch: np.ones(len(batch), int), classes=(0, 1, 2))
        return smoothed(base, **params)

    @pytest.mark.parametrize("n", [50, 1000])
    @pytest.mark.parametrize("stopping", ["fixed", "sequential"])
    @pytest.mark.parametrize("bound", ["cohen", "joint", "multiclass"])
    def test_reach(self, n, stopping, bound):
        g = self.unanimous(n=n, stopping=stopping, bound=bound)
        reach = g.max_certifiable_radius()
        assert g.certify(self.far).radius == pytest.approx(reach, rel=1e-9)
        reach = g.max_certifiable_radius(known_label=True) / self.beyond
        assert g.certified_correct(self.far, [1], reach)
        with self.warns():
            assert not g.certified_correct(self.far, [1], reach * self.beyond**2)

    @pytest.mark.parametrize("n", [50, 1000])
    @pytest.mark.parametrize("stopping", ["fixed", "sequential"])
    @pytest.mark.parametrize("radius", [0.3, 0.7, 1.2])
    def test_required_samples(self, n, stopping, radius):
        g = self.unanimous(n=n, stopping=stopping)
        needed = g.required_samples(radius, known_label=True)
        assert g.set_params(n=needed).certified_correct(self.far, [1], radius)
        if needed > 101:
            fewer = g.set_params(n=needed - 1)
            with self.warns():
                assert not fewer.certified_correct(self.far, [1], radius)
        needed = g.required_samples(radius)
        assert g.set_params(n=needed).certify(self.far).radius >= radius
        assert g.set_params(n=needed - 1).certify(self.far).radius < radius

    def test_exact_and_bad_input(self):
        g = smoothed(DecisionTreeClassifier().fit(X, y), method="exact")
        assert g.max_certifiable_radius() == np.inf
        assert g.required_samples(3.0) == 0
        with pytest.raises(ValueError, match="radius must be one number"):
            smoothed().required_samples([0.1, 0.2])
        with pytest.raises(ValueError, match="radius must be a number or an array"):
            smoothed().required_samples("far")

    def test_a_radius_beyond_reach_costs_no_more_than_the_first_look(self):
        calls = []
        base = Fixed(lambda batch: calls.append(len(batch)) or np.ones(len(batch), int))
        g = smoothed(base, n=10_000)
        with self.warns():
            correct = g.certified_correct(self.far, [1], [0.1, 5.0])
        assert correct.tolist() == [[True, False]]
        assert behind_company(calls) == [100]


def test_two_classes_leave_nothing_to_share_out():
    counts, selection = [[90, 10], [55, 45]], [[9, 1], [6, 4]]
    a = certify_counts(counts, selection, alpha=0.01, bound="multiclass")
    b = certify_counts(counts, selection, alpha=0.01, bound="cohen")
    for one, other in zip(a, b, strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("bound", ["cohen", "multiclass"])
def test_classes_are_selected_on_votes_of_their_own(bound):
    """The selection votes are wrong here, and must be followed all the same."""
    bounds = certify_counts(
        [[10, 80, 910]], [[60, 40, 0]], alpha=0.001, bound=bound, sigma=1.0
    )
    assert bounds.selected == [0]
    assert bounds.p_lower < 0.03
    assert bounds.radius == [0]


def test_error_of_multiclass_certificates_by_enumeration():
    """All outcomes of selection and estimation votes; three classes, two at a tie."""
    p, n0, n, alpha = np.array([0.4, 0.4, 0.2]), 3, 9, 0.2
    tables = {
        m: np.array([(i, j, m - i - j) for i in range(m + 1) for j in range(m + 1 - i)])
        for m in (n0, n)
    }
    mass = {m: stats.multinomial.pmf(t, m, p) for m, t in tables.items()}
    error = 0.0
    for selection, weight in zip(tables[n0], mass[n0], strict=True):
        selections = np.tile(selection, (len(tables[n]), 1))
        bounds = certify_counts(tables[n], selections, alpha=alpha, bound="multiclass")
        # Any class that is named at a tie is not robust at any radius.
        error += weight * mass[n][bounds.radius > 0].sum()
    assert 0 < error <= alpha
