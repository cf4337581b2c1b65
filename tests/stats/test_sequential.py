"""The error of every stopping rule, exactly: dynamic programming over the looks."""

import numpy as np
import pytest
from scipy import signal, stats
from scipy.special import ndtr

from sksmooth.noise import Gaussian
from sksmooth.stats import (
    lower_confidence_bound,
    radius_from_probabilities,
    sample_sizes,
    split_alpha,
)
from sksmooth.stats._sequential import (
    BoundProbability,
    CertifyKnownLabel,
    NameTopClass,
    fewest_votes_for_radius,
)

UNIT = Gaussian().bind(1.0)


def walk(looks, p, settle):
    """Follow the votes for one class over the looks, exactly.

    ``settle(look, k)`` says for counts k = 0..n of that class which are settled with a
    mistake and which without. Returns the probability of a mistake, the expected
    number of votes and the probability of reaching the last look undecided.
    """
    mass, wrong, votes, before = np.ones(1), 0.0, 0.0, 0
    for look, n in enumerate(looks):
        step = stats.binom.pmf(np.arange(n - before + 1), n - before, p)
        mass = signal.convolve(mass, step).clip(0)  # by FFT where that is faster
        mistake, fine = settle(look, np.arange(n + 1))
        wrong += mass[mistake].sum()
        over = mistake | fine | (n == looks[-1])
        votes += n * mass[over].sum()
        mass, before = np.where(mistake | fine, 0.0, mass), n
        if n == looks[-1]:
            return wrong, votes, mass.sum()
        mass = np.where(over, 0.0, mass)


def two_classes(k, n):
    return np.stack([k, n - k], axis=1)


class TestCertifyKnownLabel:
    @staticmethod
    def settle(rule):
        def settle(look, k):
            rows = np.zeros(len(k), int)
            counts = two_classes(k, rule.looks[look])
            accepted, settled = rule(np.full(len(k), look), rows, counts)
            return accepted[:, 0], settled & ~accepted[:, 0]

        return settle

    @pytest.mark.parametrize("n", [50, 100, 130, 1000, 3000])
    @pytest.mark.parametrize("alpha", [0.05, 0.001])
    @pytest.mark.parametrize("radius", [0.0, 0.3, 1.0, 2.0])
    def test_crossing_probability_at_the_boundary(self, n, alpha, radius):
        looks = sample_sizes(n)
        rule = CertifyKnownLabel(
            looks, alpha, np.array([radius]), UNIT, np.zeros(1, int)
        )
        p = ndtr(radius)
        reachable = (
            fewest_votes_for_radius(n, split_alpha(alpha, len(looks))[-1], radius, UNIT)
            <= n
        )
        error, votes, _ = walk(looks, p * (1 - 1e-12), self.settle(rule))
        assert error <= alpha
        if reachable:
            assert error > alpha / 10
        assert votes <= n * (1 + 1e-9)

    @pytest.mark.parametrize("radius", [0.0, 1.0])
    def test_crossing_probability_at_full_length(self, radius):
        looks, alpha = sample_sizes(100_000), 0.001
        rule = CertifyKnownLabel(
            looks, alpha, np.array([radius]), UNIT, np.zeros(1, int)
        )
        error, _, _ = walk(looks, ndtr(radius) * (1 - 1e-12), self.settle(rule))
        assert alpha / 10 < error <= alpha

    @pytest.mark.parametrize("at", [0, 1, 2])
    def test_companion_radii_do_not_add_to_the_error(self, at):
        """Several radii are asked; p sits at the boundary of one of them."""
        looks, alpha = sample_sizes(3000), 0.05
        radii = np.array([0.3, 0.6, 1.2])
        rule = CertifyKnownLabel(looks, alpha, radii, UNIT, np.zeros(1, int))
        p = ndtr(radii[at]) * (1 - 1e-12)

        def settle(look, k):
            counts = two_classes(k, looks[look])
            rows = np.zeros(len(k), int)
            accepted, settled = rule(np.full(len(k), look), rows, counts)
            mistake = accepted[:, at:].any(axis=1)  # this radius or a larger one
            return mistake, settled & ~mistake

        error, _, _ = walk(looks, p, settle)
        assert alpha / 10 < error <= alpha

    def test_hopeless_radii_are_given_up_at_once(self):
        looks = sample_sizes(10_000)
        rule = CertifyKnownLabel(
            looks, 0.001, np.array([0.5, 5.0]), UNIT, np.zeros(1, int)
        )
        accepted, settled = rule(
            np.zeros(1, int), np.zeros(1, int), np.array([[100, 0]])
        )
        assert accepted.tolist() == [[True, False]]
        assert settled.tolist() == [True]

    def test_futility_does_not_touch_the_guarantee(self):
        looks = sample_sizes(1000)
        for futility in (1e-9, 0.3, 0.99):
            rule = CertifyKnownLabel(
                looks, 0.01, np.array([0.5]), UNIT, np.zeros(1, int), futility
            )
            error, _, _ = walk(looks, ndtr(0.5), self.settle(rule))
            assert error <= 0.01

    def test_power_and_savings(self):
        """Far from the boundary the answer comes at the first looks."""
        looks = sample_sizes(100_000)
        rule = CertifyKnownLabel(looks, 0.001, np.array([0.5]), UNIT, np.zeros(1, int))
        for p, certain in [(0.95, 1), (0.3, 0)]:
            right, votes, _ = walk(looks[:6], p, self.settle(rule))
            assert right == pytest.approx(certain, abs=1e-9)
            assert votes < 300

    def test_thresholds_are_those_of_the_radius(self):
        """Accepting means that Clopper and Pearson's bound gives the radius."""
        sigma, radii = 0.25, np.array([0.0, 0.1, 0.31])
        looks = sample_sizes(500)
        alphas = split_alpha(0.001, len(looks))
        rule = CertifyKnownLabel(
            looks, 0.001, radii, Gaussian().bind(sigma), np.zeros(1, int)
        )
        for look, n in enumerate(looks):
            k = np.arange(n + 1)
            p_lower = lower_confidence_bound(k, n, alphas[look])
            reached = radius_from_probabilities(p_lower, sigma=sigma)[:, None]
            expected = (reached >= radii) & (reached > 0)
            accepted, _ = rule(
                np.full(n + 1, look), np.zeros(n + 1, int), two_classes(k, n)
            )
            np.testing.assert_array_equal(accepted, expected)

    def test_all_radii_must_be_settled(self):
        looks = sample_sizes(1000)
        rule = CertifyKnownLabel(
            looks, 0.001, np.array([0.0, 1.0]), UNIT, np.zeros(1, int)
        )
        counts = np.array([[100, 0], [70, 30], [85, 15], [0, 100]])
        accepted, settled = rule(np.zeros(4, int), np.zeros(4, int), counts)
        assert accepted.tolist() == [
            [True, True],
            [True, False],
            [True, False],
            [False, False],
        ]
        assert settled.tolist() == [True, True, False, True]


class TestNameTopClass:
    @staticmethod
    def settle(rule):
        def settle(look, k):
            counts = two_classes(k, rule.looks[look])
            sure, settled = rule(np.full(len(k), look), np.zeros(len(k), int), counts)
            np.testing.assert_array_equal(sure, settled)
            return sure & (counts[:, 1] > counts[:, 0]), sure

        return settle

    @pytest.mark.parametrize("n", [10, 25, 60, 1000, 3200])
    @pytest.mark.parametrize("alpha", [0.2, 0.001])
    def test_error_at_the_tie(self, n, alpha):
        """Both classes equally likely: naming the second is the mistake."""
        looks = sample_sizes(n, 25)
        rule = NameTopClass(looks, alpha, give_up=0)
        error, _, _ = walk(looks, 0.5, self.settle(rule))
        assert error <= alpha / 2
        if 2 * 0.5**n <= alpha / len(looks):
            assert error > alpha / 10

    def test_savings(self):
        looks = sample_sizes(100_000, 25)
        _, votes, _ = walk(looks[:6], 0.9, self.settle(NameTopClass(looks, 0.001)))
        assert votes < 60


class TestBoundProbability:
    @pytest.mark.parametrize("p", [0.5, 0.8, 0.99])
    def test_error_of_the_largest_bound_under_any_stopping(self, p):
        """Even one who stops at the look that suits him best errs at most alpha."""
        looks, alpha = sample_sizes(1600), 0.05
        rule = BoundProbability(looks, alpha, np.zeros(1, int), np.zeros(1), UNIT)

        def settle(look, k):
            counts = two_classes(k, looks[look])
            p_lower, _ = rule(np.full(len(k), look), np.zeros(len(k), int), counts)
            return p_lower > p, np.zeros(len(k), bool)

        error, _, _ = walk(looks, p, settle)
        assert alpha / 10 < error <= alpha

    def test_stops_when_the_radius_cannot_grow(self):
        looks = sample_sizes(10_000)
        rule = BoundProbability(
            looks, 0.001, np.zeros(3, int), np.array([0.0, 0.05, 10.0]), UNIT
        )
        counts = np.repeat([[1440, 160]], 3, axis=0)
        p_lower, settled = rule(np.full(3, 4), np.arange(3), counts)
        assert settled.tolist() == [False, False, True]
        expected = lower_confidence_bound(1440, 1600, 0.001 / 2 / 7)
        np.testing.assert_array_equal(p_lower, expected)
        counts = np.repeat([[5760, 640]], 3, axis=0)
        _, settled = rule(np.full(3, 6), np.arange(3), counts)
        assert settled.tolist() == [False, False, True]


@pytest.mark.parametrize("n", [1, 99, 100, 101, 200, 1000, 12_800, 100_000])
@pytest.mark.parametrize("first", [25, 100, 1000])
def test_sample_sizes(n, first):
    looks = sample_sizes(n, first)
    assert looks[-1] == n
    assert np.all(np.diff(looks) > 0)
    assert looks[:-1].tolist() == [first * 2**k for k in range(len(looks) - 1)]
    assert len(looks) == 1 or 2 * looks[-2] >= n
    for last in (0.5, None):
        alphas = split_alpha(0.01, len(looks), last)
        assert alphas.shape == looks.shape
        assert sum(alphas.tolist()) <= 0.01 * (1 + 1e-12)


def test_bad_input():
    with pytest.raises(ValueError, match="at least 1"):
        sample_sizes(0)
    with pytest.raises(ValueError, match="n must hold whole numbers"):
        sample_sizes(1000.7)
    with pytest.raises(ValueError, match="alpha must lie strictly"):
        split_alpha(1.0, 3)
    with pytest.raises(ValueError, match="last must lie strictly"):
        split_alpha(0.1, 3, last=1.5)
    with pytest.raises(ValueError, match="n_looks must be at least 1"):
        split_alpha(0.1, 0)
    with pytest.raises(ValueError, match="beyond what bounds in double precision"):
        split_alpha(1e-300, 3)
