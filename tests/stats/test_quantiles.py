"""Intervals of quantiles: levels, ranks, and how often both are wrong, exactly."""

from fractions import Fraction
from itertools import product
from math import comb

import numpy as np
import pytest
from scipy.stats import norm

from sksmooth.noise import Gaussian, Laplace, SparseFlip, Uniform
from sksmooth.noise._flips import SCALE, flip_threshold
from sksmooth.noise._proof import Proof
from sksmooth.noise._with_flips import WithFlips
from sksmooth.stats import quantile_levels, quantile_ranks
from sksmooth.stats._quantiles import estimate_rank, fewest_values

# (k_low, k_up) of the median at alpha = .001, for radii of .25, .5, 1 and 2 sigma.
REFERENCE = {
    100: [(24, 77), (16, 85), (5, 96), (0, 101)],
    1_000: [(351, 650), (261, 740), (122, 879), (9, 992)],
    10_000: [(3852, 6149), (2934, 7067), (1467, 8534), (180, 9821)],
}


@pytest.mark.parametrize("n", REFERENCE)
def test_reference_ranks(n):
    levels = quantile_levels(0.5, np.array([0.25, 0.5, 1.0, 2.0]) * 3, 3.0)
    assert list(zip(*quantile_ranks(n, *levels, 0.001), strict=True)) == REFERENCE[n]


def test_reference_ranks_of_another_quantile():
    assert quantile_ranks(1_000, *quantile_levels(0.9, 0.5, 1.0), 0.001) == (739, 982)


def test_gaussian_levels_are_phi_rounded_outwards():
    p, s = np.meshgrid([1e-3, 0.1, 0.5, 0.99], [0.0, 0.3, 1.0, 4.0])
    lower, upper = quantile_levels(p, s, 1.0)
    low, high = norm.cdf(norm.ppf(p) - s), norm.cdf(norm.ppf(p) + s)
    np.testing.assert_allclose([lower, upper], [low, high], rtol=1e-10)
    assert np.all(lower < low) and np.all((upper > high) | (upper == 1))
    # The way that is for any noise finds the same.
    found = Proof.levels(Gaussian().bind(1.0), p, s)
    np.testing.assert_allclose(found, [lower, upper], atol=1e-10)
    assert np.all(found[0] <= low) and np.all(found[1] >= high - 1e-16)


def test_levels_of_other_noise():
    lower, upper = Uniform().bind(1.0).levels(0.5, [1.0, 5.0])
    moved = 1 / (2 * np.sqrt(3))
    np.testing.assert_allclose(lower, [0.5 - moved, 0.0], atol=1e-12)
    np.testing.assert_allclose(upper, [0.5 + moved, 1.0], atol=1e-12)
    # Below 1/2, mass of Laplace noise shrinks by exp(-r / b), b = sigma / sqrt(2).
    lower, upper = Laplace().bind(1.0).levels(0.5, 1.0)
    shrunk = np.exp(-np.sqrt(2)) / 2
    np.testing.assert_allclose([lower, upper], [shrunk, 1 - shrunk], atol=1e-12)
    assert lower <= shrunk
    # No number moves under flips.
    assert SparseFlip().bind(1.0).levels(0.5, 0.1) == (0.0, 1.0)


def quantile_of(masses, values, q):
    """inf{y : P(f <= y) >= q}, in fractions; the lowest value for q = 0."""
    total = Fraction(0)
    for mass, value in sorted(zip(masses, values, strict=True), key=lambda one: one[1]):
        total += mass
        if total >= q:
            return value
    return max(values)


def test_levels_hold_for_every_function_on_a_small_domain():
    """One category of 3 values, flipped: all functions, inputs, changes, quantiles."""
    threshold = flip_threshold(0.6)
    flip = Fraction(threshold, SCALE)
    noise = WithFlips(Gaussian(), threshold, (0,), (3,), numbers=False).bind(np.ones(1))
    stays, moves = 1 - flip + flip / 3, flip / 3

    def masses(x):
        return [stays if value == x else moves for value in range(3)]

    n_tight = 0
    for p in (0.1, 0.15, 0.2001, 0.5, 0.61, 0.7, 0.85):
        levels = [Fraction(float(one)) for one in noise.changed(1).levels(p, 0.0)]
        for f in product(range(3), repeat=3):
            for x, there in product(range(3), repeat=2):
                lower, upper = (quantile_of(masses(x), f, q) for q in levels)
                middle = quantile_of(masses(there), f, Fraction(p))
                assert lower <= middle <= upper
                n_tight += (lower == middle) + (middle == upper)
    assert n_tight > 300  # they are not just wide


def binomial(k, n, p):
    return comb(n, k) * p**k * (1 - p) ** (n - k)


@pytest.mark.parametrize(("n", "alpha"), [(7, 0.3), (20, 0.05), (50, 0.01)])
def test_ranks_are_the_best_that_hold(n, alpha):
    """In fractions: one rank further in would be wrong too often."""
    for lower in (0.05, 0.25, 0.5, 0.875):
        upper = 1 - lower
        k_low, k_up = map(int, quantile_ranks(n, lower, upper, alpha))
        half, p = Fraction(alpha) / 2, Fraction(lower)

        def up_to(k, p=p):
            return sum(binomial(j, n, p) for j in range(k + 1))

        assert up_to(k_low - 1) <= half < up_to(k_low)
        assert k_up == n + 1 - k_low  # by symmetry, as these levels are exact


@pytest.mark.parametrize("masses", [(2, 5, 3), (1, 1, 8), (4, 2, 4), (5, 5, 0)])
def test_how_often_intervals_are_wrong_with_ties(masses):
    """A regressor of three values: every outcome of n draws, at the levels' boundary.

    The levels are just what is at most the lowest value, or below the highest one.
    """
    n, alpha = 20, 0.1
    a, b, c = (Fraction(mass, 10) for mass in masses)
    outcomes = [
        (i, j, comb(n, i) * comb(n - i, j) * a**i * b**j * c ** (n - i - j))
        for i in range(n + 1)
        for j in range(n + 1 - i)
    ]
    assert sum(one[2] for one in outcomes) == 1
    for lower, upper in [(a, a + b), (a, 1 - a), (a + b, a + b), (a / 2, a + b / 2)]:
        ranks = quantile_ranks(n, float(lower), float(upper), alpha)
        h_low, h_up = (quantile_of((a, b, c), (0, 1, 2), q) for q in (lower, upper))
        wrong = [Fraction(0), Fraction(0)]
        for i, j, probability in outcomes:
            values = [-np.inf, *[0] * i, *[1] * j, *[2] * (n - i - j), np.inf]
            wrong[0] += probability * (values[ranks[0]] > h_low)
            wrong[1] += probability * (values[ranks[1]] < h_up)
        assert max(wrong) <= Fraction(alpha) / 2


def test_levels_next_to_0_and_1():
    assert quantile_ranks(10, 0.0, 1.0, 0.5) == (0, 11)
    assert quantile_ranks(10, 1.0, 0.0, 0.5) == (10, 1)
    assert quantile_ranks(10, 5e-324, 1 - 2.0**-53, 0.5) == (0, 11)


def test_rank_of_the_estimate():
    assert [estimate_rank(100, q) for q in (0.07, 0.5, 0.501, 1e-9, 1 - 1e-9)] == [
        7,
        50,
        51,
        1,
        100,
    ]


def test_fewest_values():
    for s in (0.0, 0.5, 1.0, 2.0):
        levels = [float(one) for one in quantile_levels(0.9, s, 1.0)]
        n = fewest_values(*levels, 0.001)
        for k, finite in ((n - 1, False), (n, True)):
            k_low, k_up = quantile_ranks(k, *levels, 0.001)
            assert (k_low > 0 and k_up <= k) == finite
    assert fewest_values(0.0, 0.9, 0.001) is None
    assert fewest_values(0.1, 1.0, 0.001) is None
    assert fewest_values(1e-12, 0.9, 0.001) is None


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: quantile_levels(1.0, 0.1, 1.0), "quantile must lie strictly"),
        (lambda: quantile_levels(0.5, -0.1, 1.0), "radius must be a finite"),
        (lambda: quantile_levels(0.5, 0.1, 0.0), "sigma must be positive"),
        (lambda: quantile_ranks(0, 0.1, 0.9, 0.1), "n must be at least 1"),
        (lambda: quantile_ranks(9, -0.1, 0.9, 0.1), r"lower must lie in \[0, 1\]"),
        (lambda: quantile_ranks(9, 0.1, np.nan, 0.1), r"upper must lie in \[0, 1\]"),
        (lambda: quantile_ranks(9, 0.1, 0.9, 0.0), "alpha must lie strictly"),
    ],
)
def test_what_is_out_of_range(call, message):
    with pytest.raises(ValueError, match=message):
        call()
