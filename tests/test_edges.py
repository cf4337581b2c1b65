"""What happens exactly at an edge: equal to a radius, a level, a reach, the last look.

On one side of each edge there is a claim, on the other none; these tests say on which
side the edge itself lies.
"""

from decimal import Decimal

import mpmath
import numpy as np
import pytest
from scipy.stats import norm
from sklearn.datasets import load_iris
from sklearn.naive_bayes import GaussianNB
from sklearn.tree import DecisionTreeClassifier

from sksmooth import (
    SmoothedClassifier,
    average_certified_radius_score,
    certified_accuracy_score,
    certified_accuracy_scorer,
)
from sksmooth.stats import (
    lower_confidence_bound,
    radius_from_probabilities,
    upper_confidence_bound,
)
from tests.helpers import COMPANY, Fixed, behind_company, halfspace

X, y = load_iris(return_X_y=True)
BOUNDS = ["cohen", "joint", "multiclass"]


def smoothed(estimator=None, **params):
    defaults = {"method": "monte_carlo", "n": 1000, "sigma": 0.5, "random_state": 0}
    estimator = GaussianNB() if estimator is None else estimator
    return SmoothedClassifier(estimator, **{**defaults, **params})


def unanimous(classes=(0, 1, 2), **params):
    """Every vote is for class 1."""
    base = Fixed(lambda batch: np.ones(len(batch), int), classes=classes)
    return smoothed(base, **params)


def thirds(**params):
    """Three classes, all equally likely at 0."""
    edges = norm.ppf([1 / 3, 2 / 3])
    base = Fixed(lambda batch: np.searchsorted(edges, batch[:, 0]), classes=(0, 1, 2))
    return smoothed(base, sigma=1.0, **params)


class TestAnInputThatAbstains:
    """It is certified for no label and at no radius, 0 among them."""

    def test_exact(self):
        g = smoothed(halfspace([1.0, 0.0]), method="exact")
        ties = np.array([[0.0, 3.0], [0.0, -1.0]])
        certificate = g.certify(ties)
        assert certificate.prediction.tolist() == [-1, -1]
        for label in (0, 1):
            correct = g.certified_correct(ties, np.full(2, label), [0.0, 0.1])
            assert not correct.any()
            assert certified_accuracy_scorer(0)(g, ties, np.full(2, label)) == 0
            assert certificate.certified_accuracy_lower_bound([label] * 2) == 0

    @pytest.mark.parametrize("bound", BOUNDS)
    @pytest.mark.parametrize("stopping", ["fixed", "sequential"])
    def test_votes(self, bound, stopping):
        g = thirds(bound=bound, stopping=stopping, n=500)
        points = np.linspace(-1e-3, 1e-3, 20)[:, None]
        certificate = g.certify(points)
        assert not certificate.certified.any()
        # Some class is selected, for some of the inputs each
        assert set(certificate.selected) == {0, 1, 2}
        for label in (0, 1, 2):
            labels = np.full(20, label)
            assert not g.certified_correct(points, labels, [0.0, 0.2]).any()
            assert certified_accuracy_score(labels, certificate) == 0
            assert certificate.certified_accuracy_lower_bound(labels) == 0


class TestAProjection:
    """What was extrapolated once is no certificate, whatever is done with it."""

    projection = smoothed().fit(X, y).certify(X).recertify(n=50_000)

    @pytest.mark.parametrize(
        "again",
        [{}, {"alpha": 0.01}, {"bound": "multiclass"}, {"n": 1000}, {"n": 10**6}],
        ids=str,
    )
    def test_stays_one(self, again):
        certificate = self.projection.recertify(**again)
        assert certificate.projected
        assert "PROJECTED" in repr(certificate)
        with pytest.raises(ValueError, match="projection certifies nothing"):
            certificate.certified_accuracy_lower_bound(y)
        with pytest.raises(ValueError, match="projection certifies nothing"):
            certificate.recertify(alpha=0.1).certified_accuracy_lower_bound(y)

    def test_under_shared_noise(self):
        """Where the lower bound counts again at another alpha by itself."""
        certificate = smoothed(shared_noise=True).fit(X, y).certify(X)
        assert certificate.certified_accuracy_lower_bound(y, rho=0.05) > 0
        for again in ({"n": 10**6}, {"n": 1000}):
            with pytest.raises(ValueError, match="projection certifies nothing"):
                certificate.recertify(**again).certified_accuracy_lower_bound(y)

    def test_nothing_else_becomes_one(self):
        certificate = smoothed().fit(X, y).certify(X)
        assert not certificate.projected
        assert not certificate.recertify(alpha=0.5, bound="joint").projected


class TestARadiusThatIsReached:
    """The ball of a radius is open: what holds below it holds at it."""

    @pytest.mark.parametrize("bound", BOUNDS)
    @pytest.mark.parametrize("method", ["monte_carlo", "exact"])
    def test_equal_to_that_of_the_certificate(self, bound, method):
        base = DecisionTreeClassifier(max_depth=3, random_state=0)
        g = smoothed(base, bound=bound, method=method, stopping="fixed").fit(X, y)
        some = X[::10]
        certificate = g.certify(some)
        assert certificate.certified.sum() > 10
        more = np.nextafter(certificate.radius, np.inf)
        at = g.certified_correct(some, certificate.selected, certificate.radius)
        beyond = g.certified_correct(some, certificate.selected, more)
        np.testing.assert_array_equal(np.diag(at), certificate.certified)
        if bound != "joint" or method == "exact":  # with the label known, no selection
            assert not np.diag(beyond)[certificate.certified].any()

    def test_in_the_scores(self):
        prediction, radius = np.array([0, 1, 1]), np.array([0.3, 0.5, 0.0])
        labels = np.array([0, 1, 1])
        pair = prediction, radius
        at = [0.0, 0.3, np.nextafter(0.3, 1), 0.5, np.nextafter(0.5, 1)]
        score = certified_accuracy_score(labels, pair, radius=at)
        np.testing.assert_allclose(score, np.array([2, 2, 1, 1, 0]) / 3)
        assert average_certified_radius_score(labels, pair) == pytest.approx(0.8 / 3)

    def test_in_the_lower_bound(self):
        g = smoothed(alpha=1e-9).fit(X, y)
        certificate = g.certify(X[::7])
        labels = certificate.selected
        every = np.sort(certificate.radius[certificate.certified])
        at, repeats = np.unique(every, return_counts=True)
        assert len(at) > 10
        proven = certificate.certified_accuracy_lower_bound(labels, radius=at, rho=0.01)
        beyond = certificate.certified_accuracy_lower_bound(
            labels, radius=np.nextafter(at, np.inf), rho=0.01
        )
        # At such an alpha all that is counted is proven.
        counted = np.cumsum(repeats[::-1])[::-1]
        np.testing.assert_allclose(proven, counted / len(labels))
        np.testing.assert_allclose(beyond, (counted - repeats) / len(labels))


class TestReach:
    """All votes agree, and the radius asked for is the largest that they certify."""

    x = np.zeros((1, 2))

    @pytest.mark.parametrize("n", [50, 100, 101, 200, 1000])
    @pytest.mark.parametrize("stopping", ["fixed", "sequential"])
    @pytest.mark.parametrize("bound", BOUNDS)
    @pytest.mark.parametrize("classes", [(0, 1), (0, 1, 2)], ids=len)
    def test_is_reached(self, n, stopping, bound, classes):
        g = unanimous(classes, n=n, stopping=stopping, bound=bound)
        reach = g.max_certifiable_radius()
        radius = g.certify(self.x).radius[0]
        if bound == "cohen" or (bound == "multiclass" and len(classes) == 2):
            assert radius == reach
        assert radius == pytest.approx(reach, rel=1e-9)
        reach = g.max_certifiable_radius(known_label=True)
        scorer = certified_accuracy_scorer(reach)
        beyond = np.nextafter(reach, np.inf) * (1 + 1e-9)
        if bound != "multiclass" or len(classes) == 2:
            assert g.certified_correct(self.x, [1], reach)  # and no warning
            assert scorer(g, self.x, [1]) == 1  # and no warning
        with pytest.warns(UserWarning, match="can never be certified"):
            assert not g.certified_correct(self.x, [1], beyond)
        with pytest.warns(UserWarning, match="can never be certified"):
            assert certified_accuracy_scorer(beyond)(g, self.x, [1]) == 0

    def test_two_classes_have_no_others_to_share_alpha_with(self):
        two, three = unanimous((0, 1)), unanimous((0, 1, 2))
        for g in (two, three):
            g.set_params(bound="multiclass")
        cohen = unanimous((0, 1)).max_certifiable_radius()
        assert two.max_certifiable_radius() == cohen
        assert three.max_certifiable_radius() < cohen
        assert three.max_certifiable_radius() == pytest.approx(
            radius_from_probabilities((0.8 * 0.001) ** (1 / 1000), sigma=0.5), rel=1e-9
        )

    @pytest.mark.parametrize("known_label", [False, True])
    @pytest.mark.parametrize("n", [30, 100, 300])
    def test_needs_as_many_votes_as_it_came_from(self, n, known_label):
        g = unanimous(n=n)
        reach = g.max_certifiable_radius(known_label=known_label)
        assert g.required_samples(reach, known_label=known_label) == n
        beyond = np.nextafter(reach, np.inf)
        assert g.required_samples(beyond, known_label=known_label) > n


class TestTolerance:
    @pytest.mark.parametrize("scale", [2.0**-7, 2.0**5])
    def test_has_the_units_of_the_radius(self, scale):
        """X, sigma and tolerance in other units: the same votes, the same stops."""
        points = np.random.default_rng(0).normal(size=(40, 2)) + 0.7
        # Under noise of its own a row would have other votes: they depend on its bytes.
        plain = smoothed(halfspace([1.0, 1.0]), n=6400, sigma=0.5, shared_noise=True)
        expected = plain.certify(points, radius_tol=0.1)
        assert len(set(expected.n_used)) >= 2
        g = smoothed(
            halfspace([1.0, 1.0]), n=6400, sigma=0.5 * scale, shared_noise=True
        )
        got = g.certify(points * scale, radius_tol=0.1 * scale)
        np.testing.assert_array_equal(got.n_used, expected.n_used)
        np.testing.assert_array_equal(got.counts, expected.counts)
        np.testing.assert_array_equal(got.radius, expected.radius * scale)
        other = g.certify(points * scale, radius_tol=0.1)
        assert not np.array_equal(other.n_used, expected.n_used)

    def test_bounds_what_more_votes_could_have_added(self):
        """Settled before the end: what was hoped for there is within the tolerance."""
        tolerance, sigma, n, alpha = 0.6, 4.0, 12_800, 0.001
        points = np.random.default_rng(0).normal(size=(60, 2)) * 3 + 3
        g = smoothed(halfspace([1.0, 1.0]), n=n, sigma=sigma, alpha=alpha)
        certificate = g.certify(points, radius_tol=tolerance)
        early = certificate.n_used < n
        assert np.mean(early) > 0.3
        n_used, p_lower = certificate.n_used[early], certificate.p_lower[early]
        votes = certificate.counts[np.arange(60), certificate.selected][early]
        hope = np.minimum(
            lower_confidence_bound(votes + n - n_used, n, alpha / 2),
            upper_confidence_bound(votes, n_used, 0.001),
        )
        growth = radius_from_probabilities(hope, sigma=sigma)
        growth -= radius_from_probabilities(p_lower, sigma=sigma)
        assert np.all(growth <= tolerance * (1 + 1e-9))


class TestLooks:
    @pytest.mark.parametrize("n", [100, 200, 400, 800, 1600, 99, 101, 399])
    def test_n_is_looked_at_once(self, n):
        """Also where it is the first sample size times a power of two."""
        looks = smoothed().set_params(n=n).fit(X, y).certify(X[:2], radius_tol=0).looks
        assert looks[-1] == n
        assert np.all(np.diff(looks) > 0)
        assert looks[:-1].tolist() == [k for k in 100 * 2 ** np.arange(9) if k < n]

    @pytest.mark.parametrize("n", [100, 400])
    @pytest.mark.parametrize("shared_noise", [False, True])
    def test_no_more_than_n_votes(self, n, shared_noise):
        calls = []

        def label(batch):
            calls.append(len(batch))
            return (batch[:, 0] > 0).astype(int)

        g = smoothed(Fixed(label), n=n, shared_noise=shared_noise, batch_size=64)
        near = np.array([[1e-9], [-2e-9], [3e-9]])
        assert not g.certified_correct(near, [1, 1, 1], 0.05).any()
        assert sum(behind_company(calls)) <= 3 * n
        calls.clear()
        certificate = g.certify(near, radius_tol=0)
        votes = behind_company(calls)
        assert sum(votes) == 3 * (n + 100)  # and those that select
        assert certificate.counts.sum(axis=1).tolist() == [n] * 3

    @pytest.mark.parametrize("shared_noise", [False, True])
    @pytest.mark.parametrize("batch_size", [10, 100])
    def test_the_best_look_counts(self, shared_noise, batch_size):
        """All of the first hundred votes are for class 1, and later ones are not."""
        seen, company = [0], []

        def label(batch):
            if len(company) < len(COMPANY):
                company.append(len(batch))
                return np.ones(len(batch), int)
            place = seen[0] + np.arange(len(batch))
            seen[0] += len(batch)
            # 100 votes select, before those that are bounded
            return np.where(place < 200, 1, place % 2)

        g = smoothed(
            Fixed(label), n=400, shared_noise=shared_noise, batch_size=batch_size
        )
        certificate = g.certify(np.zeros((1, 1)), radius_tol=0)
        assert company == COMPANY
        assert certificate.n_used == [400]
        assert certificate.counts.tolist() == [[150, 250]]
        at_first = lower_confidence_bound(100, 100, 0.001 / 4)
        at_last = lower_confidence_bound(250, 400, 0.001 / 2)
        assert at_first > at_last
        assert certificate.p_lower == [at_first]
        expected = radius_from_probabilities(at_first, sigma=0.5)
        assert certificate.radius == [expected]


class TestStore:
    """One file, other questions: never the answer to another one."""

    near = np.linspace(-0.2, 0.4, 30)[:, None]
    ones = np.ones(30)

    @pytest.mark.parametrize("shared_noise", [False, True])
    @pytest.mark.parametrize("order", [(200, 3000), (3000, 200)], ids=str)
    def test_of_two_sizes(self, shared_noise, order, tmp_path):
        path = tmp_path / "votes.sqlite"
        answers = []
        for n in order:
            g = smoothed(halfspace([1.0]), n=n, shared_noise=shared_noise, alpha=0.05)
            for ask in (
                lambda g, **store: g.predict(self.near, **store),
                lambda g, **store: g.predict_proba(self.near, **store),
                lambda g, **s: g.certified_correct(self.near, self.ones, [0, 0.1], **s),
                lambda g, **s: g.certify(self.near, radius_tol=0.01, **s).p_lower,
                lambda g, **store: g.certify(self.near, **store).radius,
            ):
                expected = ask(g)
                np.testing.assert_array_equal(ask(g, store=path), expected)
                answers.append(expected)
        # and the two sizes do differ
        half = len(answers) // 2
        for one, other in zip(answers[:half], answers[half:], strict=True):
            assert not np.array_equal(one, other)


class TestPlan:
    @pytest.fixture
    def planning(self):
        pytest.importorskip("click")
        from sksmooth.cli import _planning

        return _planning

    def test_share_is_never_below_what_is_needed(self, planning):
        """The text is a number, which is at least Phi(radius / sigma)."""
        ratios = np.r_[np.linspace(0, 3.99, 200), np.linspace(4, 36, 300)]
        with mpmath.workdps(50):
            for ratio in ratios.tolist():
                text = planning._share_text(ratio)
                missing = Decimal(text.removeprefix("1 - "))
                if not text.startswith("1 - "):
                    missing = 1 - missing
                tail = mpmath.erfc(mpmath.mpf(ratio) / mpmath.sqrt(2)) / 2
                assert mpmath.mpf(str(missing)) <= tail
                # and not far above it
                assert mpmath.mpf(str(missing)) >= tail * 0.85 - 1.1e-6
                if ratio >= 4:
                    assert missing > 0

    @pytest.mark.parametrize("alpha", [0.001, 0.25, 2.0**-20])
    @pytest.mark.parametrize("n", [20, 100, 1000])
    def test_votes_for_any_radius_at_all(self, planning, n, alpha):
        """At radius 0 the class must still be certain: p_lower above 1/2."""
        needed = planning._row(0.5, 0.0, alpha, n)[5]
        p_lower = lower_confidence_bound(np.arange(n + 1), n, alpha)
        enough = np.flatnonzero(p_lower > 0.5)
        assert needed == (str(enough[0]) if len(enough) else "-")

    def test_votes_for_a_radius_that_a_count_gives(self, planning):
        p_lower = lower_confidence_bound(930, 1000, 0.001)
        radius = float(radius_from_probabilities(p_lower, sigma=0.5))
        assert planning._row(0.5, radius, 0.001, 1000)[5] == "930"
        more = float(np.nextafter(radius, 1))
        assert planning._row(0.5, more, 0.001, 1000)[5] == "931"
