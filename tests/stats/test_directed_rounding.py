"""What is rounded is rounded in the safe direction: against rationals and 50 digits.

A bound may be rounded further than it must be, but never to the other side. Every test
takes the numbers that go into one computation as they are stored, does the computation
exactly, and compares.
"""

import math
from fractions import Fraction

import mpmath
import numpy as np
import pytest
from scipy import special

from sksmooth.noise import Gaussian
from sksmooth.stats import (
    bernstein_accuracy_lower_bound,
    certified_accuracy_lower_bound,
    certify_counts,
    joint_lower_bound,
    lower_confidence_bound,
    max_certifiable_radius,
    multiclass_bounds,
    population_accuracy_lower_bound,
    radius_from_probabilities,
    top_k_radius,
    upper_confidence_bound,
)
from sksmooth.stats._certify import bounds_from_lower, bounds_from_upper
from sksmooth.stats._radius import radius_after_loss, radius_before_loss

HALF = Fraction(1, 2)


@pytest.fixture(autouse=True)
def fifty_digits():
    with mpmath.workdps(50):
        yield


def mp(number):
    """A float or a rational as a number of 50 digits."""
    if isinstance(number, Fraction):
        return mpmath.mpf(number.numerator) / number.denominator
    return mpmath.mpf(float(number))


def phi(z):
    return mpmath.erfc(-z / mpmath.sqrt(2)) / 2


def quantile(p):
    """Phi^-1 of a probability, by Newton's method on the smaller tail."""
    if p > 0.5:
        return -quantile(1 - p)
    z = mpmath.mpf(float(special.ndtri(float(p))))
    for _ in range(4):
        z -= (phi(z) / p - 1) * p / mpmath.npdf(z)
    assert abs(phi(z) / p - 1) < mpmath.mpf(10) ** -40
    return z


def next_down(number):
    return float(np.nextafter(number, -np.inf))


class TestBoundsFromUpper:
    """1 - (the sum of all others) bounds the selected class, and the radius."""

    @staticmethod
    def check(upper, sigma=1.0):
        """Check rows of upper bounds, of which the first class is the selected one."""
        upper = np.atleast_2d(np.asarray(upper, dtype=float))
        shares = np.eye(upper.shape[1])[np.zeros(len(upper), int)]
        bounds = bounds_from_upper(shares, upper, Gaussian().bind(sigma))
        assert np.all(bounds.selected == 0)
        for row, p_lower, p_upper, radius in zip(
            upper, bounds.p_lower, bounds.p_upper, bounds.radius, strict=True
        ):
            others = [Fraction(value) for value in row[1:]]
            rest = min(sum(others), Fraction(1))
            assert Fraction(p_lower) <= 1 - rest
            assert Fraction(p_upper) >= max(others)
            if rest == 0:
                assert radius == np.inf
            elif rest + max(others) >= 1:
                assert radius == 0
            else:
                exact = -quantile(mp(rest)) - quantile(mp(max(others)))
                assert mp(radius) <= mp(sigma) / 2 * exact
                # A looser margin than that would cost radius.
                assert mp(radius) >= mp(sigma) / 2 * exact * (1 - 1e-13) - 1e-11

    @pytest.mark.parametrize("n_others", [1, 2, 5, 40])
    @pytest.mark.parametrize("size", [1e-300, 1e-20, 1e-9, 1e-3, 0.3, 0.49, 0.6])
    def test_of_any_size(self, n_others, size):
        rng = np.random.default_rng(n_others)
        others = size * rng.dirichlet(np.ones(n_others), size=20)
        self.check(np.column_stack([np.ones(20), others]), sigma=0.3)

    def test_two_sums_that_almost_cancel(self):
        """A class of probability above .4, just ahead of the next: a tiny radius."""
        rng = np.random.default_rng(0)
        second = 0.4 - rng.uniform(0, 1e-9, 200)
        third = 0.6 - second - rng.uniform(1e-12, 1e-9, 200)
        self.check(np.column_stack([np.ones(200), second, third]))

    def test_sums_of_many_roundings(self):
        """Terms of which each is half lost when it is added to the others."""
        tiny = np.full(300, 2.0**-55 * 1.5)
        rows = [[1.0, 0.25, *tiny], [1.0, *tiny, 0.25], [1.0, 2.0**-20, *tiny / 2**19]]
        self.check(rows)
        almost = 0.5 - 2.0**-44
        self.check([[1.0, almost, *tiny], [1.0, *tiny, almost]])

    def test_where_no_digit_is_left_for_a_margin(self):
        """Below 1e-311 a probability has so few bits that 1e-12 of it is nothing."""
        steps = np.arange(1, 400)
        smallest = np.ldexp(1.0, -1074)
        self.check(np.column_stack([np.ones(399), steps * smallest]), sigma=1.7)
        self.check([[1.0, 0.0], [1.0, smallest]])

    def test_certainty_that_rounding_would_make(self):
        """1 - 10^-17 is no certainty, and 1 - 0 is one."""
        upper = np.array([[1.0, 1e-17], [1.0, 0.0]])
        bounds = bounds_from_upper(np.eye(2)[[0, 0]], upper, Gaussian().bind(1.0))
        assert bounds.p_lower[0] < 1
        assert bounds.p_lower[1] == 1


class TestCertifyCounts:
    """All that is claimed for counts, from the bounds that direct functions give."""

    counts = np.random.default_rng(0).multinomial(1000, [0.62, 0.3, 0.08], size=60)
    counts = np.vstack([counts, [[1000, 0, 0], [0, 1000, 0], [300, 500, 200]]])
    selection = np.tile([60, 30, 10], (len(counts), 1))

    @pytest.mark.parametrize("bound", ["cohen", "joint", "multiclass"])
    @pytest.mark.parametrize("sigma", [0.3, 1.0, 7.0])
    def test_radius(self, bound, sigma):
        bounds = certify_counts(
            self.counts, self.selection, alpha=0.01, bound=bound, sigma=sigma
        )
        n_certified = 0
        for p_lower, p_upper, radius in zip(*bounds[1:], strict=True):
            if radius == 0:
                assert p_lower <= p_upper or p_lower <= 0.5
                continue
            n_certified += 1
            exact = mp(sigma) / 2 * (quantile(mp(p_lower)) - quantile(mp(p_upper)))
            # The roundings of Phi^-1, far below those that the bounds were lowered by.
            assert mp(radius) <= exact * (1 + 4 * np.finfo(float).eps)
        assert n_certified > 30

    @pytest.mark.parametrize("bound", ["cohen", "joint", "multiclass"])
    def test_the_two_probabilities_leave_no_gap(self, bound):
        """No class but the selected one can have more than 1 - p_lower."""
        bounds = certify_counts(self.counts, self.selection, alpha=0.01, bound=bound)
        p_lower, p_upper = bounds.p_lower, bounds.p_upper
        if bound == "multiclass":
            direct = multiclass_bounds(
                self.counts[:, 0], self.counts[:, 1], 1000, alpha=0.01
            )
            np.testing.assert_array_equal(p_lower, direct[0])
            np.testing.assert_array_equal(p_upper, direct[1])
            return
        for low, high in zip(p_lower, p_upper, strict=True):
            assert Fraction(low) + Fraction(high) >= 1
            assert high <= 1

    def test_selected_class_and_its_votes(self):
        k = self.counts[:, 0]
        cohen = certify_counts(self.counts, self.selection, alpha=0.01, sigma=0.5)
        assert np.all(cohen.selected == 0)
        p_lower = lower_confidence_bound(k, 1000, 0.01)
        np.testing.assert_array_equal(cohen.p_lower, p_lower)
        np.testing.assert_array_equal(
            cohen.radius, radius_from_probabilities(p_lower, sigma=0.5)
        )
        joint = certify_counts(self.counts, alpha=0.01, bound="joint", sigma=0.5)
        top = self.counts.max(axis=1)
        np.testing.assert_array_equal(joint.selected, self.counts.argmax(axis=1))
        np.testing.assert_array_equal(joint.p_lower, joint_lower_bound(top, 1000, 0.01))
        multi = certify_counts(
            self.counts, self.selection, alpha=0.01, bound="multiclass", sigma=0.5
        )
        assert np.all(multi.selected == 0)
        np.testing.assert_array_equal(
            multi.radius,
            radius_from_probabilities(multi.p_lower, multi.p_upper, sigma=0.5),
        )

    def test_ties_of_the_selection_go_to_the_first_class(self):
        """With as many votes, the first is named and the next is the runner-up."""
        counts = [[400, 100, 500], [400, 500, 100]]
        ties = [[5, 5, 5], [5, 5, 5]]
        for bound in ("cohen", "multiclass"):
            bounds = certify_counts(counts, ties, alpha=0.01, bound=bound)
            assert bounds.selected.tolist() == [0, 0]
        direct = multiclass_bounds([400, 400], [100, 500], 1000, alpha=0.01)
        np.testing.assert_array_equal(bounds.p_upper, direct[1])

    def test_the_runner_up_is_the_second_of_many(self):
        """The pooled rest is bounded by itself, and ties go in the order of classes."""
        counts = [[400, 50, 250, 150, 150]]
        bounds = certify_counts(
            counts, [[40, 5, 25, 15, 15]], alpha=0.01, bound="multiclass"
        )
        direct = multiclass_bounds([400], [250], 1000, alpha=0.01)
        np.testing.assert_array_equal(bounds.p_lower, direct[0])
        np.testing.assert_array_equal(bounds.p_upper, direct[1])
        counts = np.arange(300)[None]
        bounds = certify_counts(
            counts, np.ones((1, 300), int), alpha=0.01, bound="multiclass"
        )
        assert bounds.selected == [0]
        direct = multiclass_bounds([0], [1], counts.sum(), alpha=0.01)
        np.testing.assert_array_equal(bounds.p_upper, direct[1])

    def test_two_classes_leave_nothing_to_share_out(self):
        counts, selection = [[900, 100], [300, 700]], [[9, 1], [8, 2]]
        settings = {"alpha": 0.01, "sigma": 0.3}
        both = [
            certify_counts(counts, selection, bound=bound, **settings)
            for bound in ("cohen", "multiclass")
        ]
        for one, other in zip(*both, strict=True):
            np.testing.assert_array_equal(one, other)
        assert both[0].radius[0] > 0

    def test_sigma_is_1_unless_said(self):
        plain = certify_counts(self.counts, self.selection, alpha=0.01)
        same = certify_counts(self.counts, self.selection, alpha=0.01, sigma=1.0)
        np.testing.assert_array_equal(plain.radius, same.radius)

    @pytest.mark.parametrize(
        ("change", "message"),
        [
            ({"alpha": [0.1, 0.2]}, "single numbers"),
            ({"sigma": [1.0, 2.0]}, "single numbers"),
            ({"alpha": 1.5}, "alpha must lie"),
            ({"sigma": 0.0}, "sigma must be positive"),
            ({"counts": [5, 1]}, "counts must have the shape"),
            ({"counts": [[5], [1]]}, "counts must have the shape"),
            ({"selection_counts": [[[5, 1]]]}, "selection_counts must have the shape"),
            ({"counts": [[0.5, 1]]}, "counts must hold whole numbers"),
            ({"selection_counts": [[-5, 1]]}, "selection_counts must not be negative"),
        ],
    )
    def test_bad_input(self, change, message):
        arguments = {"counts": [[5, 1]], "selection_counts": [[5, 1]], "alpha": 0.1}
        with pytest.raises(ValueError, match=message):
            certify_counts(**(arguments | change))

    def test_a_bound_below_one_half_is_told_from_its_complement(self):
        p_lower = np.random.default_rng(0).uniform(0, 1, 2000)
        p_lower[:3] = 0.0, 1.0, 0.5
        bounds = bounds_from_lower(np.zeros(2000, int), p_lower, Gaussian().bind(1.0))
        sums = [
            Fraction(a) + Fraction(b)
            for a, b in zip(p_lower, bounds.p_upper, strict=True)
        ]
        assert min(sums) >= 1
        assert max(sums) <= 1 + Fraction(1, 2**50)
        assert bounds.p_upper[0] == 1
        assert bounds.p_upper.max() <= 1


@pytest.mark.parametrize("n", [97, 1000, 12_345])
@pytest.mark.parametrize("alpha", [0.05, 0.001])
def test_the_runner_up_gets_all_that_the_top_class_may_leave(n, alpha):
    """Without a third class p_B is 1 - p_A, which rounding must not make less."""
    k = np.unique(np.linspace(1, n // 2, 400).astype(int))
    p_a, p_b = multiclass_bounds(k, n - k, n, alpha)
    for low, high in zip(p_a, p_b, strict=True):
        assert Fraction(high) >= 1 - Fraction(low)
        assert Fraction(high) <= 1 - Fraction(low) + Fraction(1, 2**51)


@pytest.mark.parametrize("n", [20, 61, 333, 1000])
def test_no_class_is_named_that_half_of_alpha_does_not_allow(n):
    """k0 is the smallest k with P(Bin(n, 1/2) >= k) <= alpha / 2, exactly."""
    tail, n_cases = Fraction(0), 0
    for k in range(n, n // 2, -1):
        tail += Fraction(math.comb(n, k), 2**n)
        alpha = float(2 * tail)
        alpha = alpha if Fraction(alpha) < 2 * tail else next_down(alpha)
        if 1e-14 < alpha < 0.9:
            n_cases += 1
            assert joint_lower_bound(k, n, alpha) == 0
            assert joint_lower_bound(k, n, alpha * (1 + 1e-6)) >= 0.5
    assert n_cases >= 8


def binomial_tail(k, n, p):
    """P(Bin(n, p) >= k), a rational."""
    p = Fraction(p)
    total, term = Fraction(0), (1 - p) ** n
    for j in range(n + 1):
        if j >= k:
            total += term
        if j < n:
            term = term * (n - j) / (j + 1) * p / (1 - p)
    return total


class TestCertifiedAccuracy:
    """t inputs are truly certified, unless that is less probable than rho."""

    @pytest.mark.parametrize("alpha", [0.001, 0.05, 0.3])
    @pytest.mark.parametrize("n", [2, 5, 17, 60])
    def test_a_tail_just_above_rho_is_plausible(self, n, alpha):
        """rho is the float just below the exact probability that all are errors."""
        n_cases = 0
        for k in range(1, n + 1):
            tail = binomial_tail(k, n, alpha)
            rho = float(tail)
            rho = rho if Fraction(rho) < tail else next_down(rho)
            if not 1e-14 < rho < 1:
                continue
            n_cases += 1
            assert certified_accuracy_lower_bound(k, n, alpha=alpha, rho=rho) == 0
            # and not much more is: the bound is no looser than it must be
            looser = min(rho * (1 + 1e-6), 1 - 1e-9)
            if Fraction(looser) > tail:
                assert certified_accuracy_lower_bound(k, n, alpha=alpha, rho=looser) > 0
        assert n_cases >= 2

    @pytest.mark.parametrize("alpha", [0.001, 0.01, 0.25, 1e-9])
    def test_one_input_whose_error_is_as_probable_as_allowed(self, alpha):
        assert certified_accuracy_lower_bound(1, 1, alpha=alpha, rho=alpha) == 1
        less = next_down(alpha)
        assert certified_accuracy_lower_bound(1, 1, alpha=alpha, rho=less) == 0

    def test_errors_that_go_together(self):
        """min{t: (n - t) alpha > rho (k - t)}, where one rounding decides."""
        rng = np.random.default_rng(0)
        for _ in range(400):
            n = int(rng.integers(2, 2000))
            k = int(rng.integers(1, n + 1))
            t = int(rng.integers(0, k))
            alpha = float(rng.uniform(1e-6, 1e-2))
            exact = (n - t) * Fraction(alpha) / (k - t)
            rho = float(exact)
            rho = rho if Fraction(rho) < exact else next_down(rho)
            if not 0 < rho < 1:
                continue
            bound = certified_accuracy_lower_bound(
                k, n, alpha=alpha, rho=rho, independent=False
            )
            # t is plausible by the thickness of a rounding
            assert bound <= t

    def test_errors_that_go_together_are_no_more_than_they_may_be(self):
        """The definition, where no rounding decides."""
        rng = np.random.default_rng(1)
        bounds = set()
        for _ in range(300):
            n = int(rng.integers(2, 300))
            k = int(rng.integers(0, n + 1))
            alpha, rho = (10.0 ** rng.uniform(-4, -1, 2)).tolist()
            ratios = [
                (n - t) * Fraction(alpha) / ((k - t) * Fraction(rho)) for t in range(k)
            ]
            if any(abs(ratio - 1) < 1e-12 for ratio in ratios):
                continue
            exact = next((t for t, ratio in enumerate(ratios) if ratio > 1), k)
            bound = certified_accuracy_lower_bound(
                k, n, alpha=alpha, rho=rho, independent=False
            )
            assert bound == exact
            bounds.add(0 if bound == 0 else 1 if bound < k else 2)
        assert bounds == {0, 1, 2}

    def test_population(self):
        """(L - alpha) / (1 - alpha), with L as it is stored."""
        rng = np.random.default_rng(0)
        n = rng.integers(1, 3000, 1500)
        k = (n * rng.uniform(size=1500)).astype(int)
        alpha = 10 ** rng.uniform(-9, -0.5, 1500)
        share = population_accuracy_lower_bound(k, n, alpha=alpha, rho=0.001)
        counted = lower_confidence_bound(k, n, 0.001)
        assert np.mean(share > 0) > 0.5
        for got, low, one in zip(share, counted, alpha, strict=True):
            exact = (Fraction(low) - Fraction(one)) / (1 - Fraction(one))
            assert Fraction(got) <= max(exact, Fraction(0))
            assert Fraction(got) >= exact * (1 - Fraction(1, 2**49))

    def test_bernstein(self):
        rng = np.random.default_rng(0)
        for _ in range(500):
            n = int(rng.integers(10, 20_000))
            k = int(rng.integers(n // 2, n + 1))
            alpha, rho = (10.0 ** rng.uniform(-7, -1.5, 2)).tolist()
            share = bernstein_accuracy_lower_bound(k, n, alpha=alpha, rho=rho)
            a, log_rho = mp(alpha), -mpmath.log(mp(rho)) / n
            exact = mp(Fraction(k, n)) - a - log_rho / 3
            exact -= mpmath.sqrt(2 * a * (1 - a) * log_rho)
            assert mp(share) <= max(exact, 0)
            assert mp(share) >= exact - 1e-14


class TestTopK:
    def gap(self, counts, label, k, alpha, radius, sigma=1):
        """P(label) less the least that k rivals need, at a distance, relative to it."""
        n, level = int(counts.sum()), alpha / len(counts)
        p = mp(lower_confidence_bound(counts[label], n, level))
        rivals = np.delete(upper_confidence_bound(counts, n, level), label)
        rivals = np.sort(np.sort(rivals)[::-1][:k])
        r = mp(radius) / mp(sigma)
        sums = np.cumsum([Fraction(value) for value in rivals])
        passed = [
            phi(quantile(min(mp(total), 1 - p)) + r) / t
            for t, total in enumerate(sums, start=1)
        ]
        own = phi(quantile(p) - r)
        return own / min(passed) - 1

    def test_rivals_have_not_caught_up(self):
        """Classes that are rarely chosen: small tails, in which roundings are large."""
        rng = np.random.default_rng(0)
        n_certified = 0
        for _ in range(60):
            p = np.sort(10.0 ** rng.uniform(-6, -3, 5))[::-1]
            counts = rng.multinomial(10**8, [*p, 1 - p.sum()])
            label, k = int(rng.integers(0, 4)), int(rng.integers(2, 5))
            sigma = float(rng.uniform(0.1, 3))
            radius = top_k_radius(counts[None], label, k=k, alpha=0.01, sigma=sigma)[0]
            if radius == 0:
                continue
            n_certified += 1
            gap = self.gap(counts, label, k, 0.01, radius, sigma)
            assert 0 <= gap < 1e-8
        assert n_certified > 20

    def test_one_vote_of_a_thousand(self):
        rng = np.random.default_rng(1)
        for _ in range(40):
            counts = rng.multinomial(1000, rng.dirichlet(np.full(4, 0.7)))
            for k in (1, 2, 3):
                radius = top_k_radius(counts[None], 0, k=k, alpha=0.05, sigma=1.0)[0]
                if radius:
                    assert 0 <= self.gap(counts, 0, k, 0.05, radius) < 1e-8


class TestRadius:
    def test_lecuyer_of_probabilities_that_are_almost_equal(self):
        """A few roundings apart, what is rounded decides: nothing above the formula."""
        for p_b in (0.01, 0.11, 0.3, 0.4999):
            for ulps in (1, 2, 5, 17, 40, 200):
                p_a = float(p_b + ulps * np.spacing(p_b))
                radius = radius_from_probabilities(p_a, p_b, guarantee="lecuyer")
                assert mp(radius) <= self.lecuyer(mp(p_a), mp(p_b)) * (1 + 1e-12)

    @staticmethod
    def lecuyer(p_a, p_b):
        """The formula's maximum over b, rounded up."""
        largest = min(mpmath.mpf(1), (mpmath.log(p_a) - mpmath.log(p_b)) / 2)

        def radius(share):
            b = share * largest
            delta = p_a - mpmath.exp(2 * b) * p_b
            if delta <= 0:
                return mpmath.mpf(0)
            return b / mpmath.sqrt(2 * mpmath.log(1.25 * (1 + mpmath.exp(b)) / delta))

        low, high = mpmath.mpf(0), mpmath.mpf(1)
        for _ in range(60):  # it rises, then falls
            first, second = low + (high - low) / 3, high - (high - low) / 3
            low, high = (
                (first, high) if radius(first) < radius(second) else (low, second)
            )
        return radius((low + high) / 2) * (1 + mpmath.mpf(10) ** -18)

    @pytest.mark.parametrize("alpha", [0.3, 0.05, 0.001, 1e-6, 1e-12])
    def test_all_votes_for_one_class(self, alpha):
        n = np.array([1, 2, 3, 7, 10, 11, 100, 1000, 10**5, 10**7, 10**9])
        radii = max_certifiable_radius(n, 0.7, alpha)
        for one, radius in zip(n.tolist(), radii, strict=True):
            p = mpmath.exp(mpmath.log(mp(alpha)) / one)
            exact = mp(0.7) * quantile(p) if p > 0.5 else 0
            assert mp(radius) <= exact

    def test_alpha_to_one_nth_of_exactly_one_half(self):
        """2^-k after k votes is p = 1/2: no class is certain, whatever is rounded."""
        k = np.arange(1, 50)
        assert np.all(max_certifiable_radius(k, 1.0, 2.0**-k) == 0)
        assert np.all(max_certifiable_radius(k + 1, 1.0, 2.0**-k) > 0)

    def test_losses(self):
        rng = np.random.default_rng(0)
        for _ in range(500):
            radius, loss = 10.0 ** rng.uniform(-6, 3, 2)
            left = float(radius_after_loss(radius, loss))
            assert Fraction(left) <= max(Fraction(radius) - Fraction(loss), 0)
            before = radius_before_loss(radius, loss)
            assert Fraction(before) >= Fraction(radius) + Fraction(loss)
            assert radius_after_loss(before, loss) >= radius
