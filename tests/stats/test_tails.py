"""Tails of the binomial distribution: never further off than they say."""

import mpmath
import numpy as np
import pytest

from sksmooth.stats import _tails
from sksmooth.stats._tails import tail_and_slope, upper_tail
from tests.stats.exact import upper_tail as exact_tail


def at_random(seed, n_cases):
    """Cases of all kinds: few and many successes, trials up to 10^9, far and near."""
    rng = np.random.default_rng(seed)
    while n_cases:
        n = int(10 ** rng.uniform(0, 9))
        few = int(10 ** rng.uniform(0, 4))
        k = [min(n, few), max(1, n - few + 1), int(rng.integers(1, n + 1))]
        # In the middle the exact sums are long: there, up to 10^6.
        k = k[rng.integers(3 if n <= 10**6 else 2)]
        center = k / (n + 1)
        # Far from the mean: a sum from near it takes long, to 40 digits.
        distance = rng.uniform(1, 9) * rng.choice([-1, 1])
        p = center - distance * np.sqrt(center * (1 - center) / n)
        if not 0 < p < 1:
            p = center * rng.random() ** rng.integers(1, 9)
        if 0 < p < 1:
            n_cases -= 1
            yield k, n, float(p)


def check(k, n, p):
    """The tail errs by less than it says, and upper_tail is on the right side."""
    value, error, _ = tail_and_slope(*np.array([[k], [n]]), np.array([p]), 1 - p)
    rounded_up = upper_tail(k, n, p)
    expected = exact_tail(k, n, p)
    with mpmath.workdps(50):
        if expected > 1e-290:
            assert abs(mpmath.mpf(value[0]) - expected) <= error[0] * expected
        assert expected <= mpmath.mpf(float(rounded_up))
        # No more is given away than the errors of both: n p is known to 1e-16.
        most = 2e-14 + 5e-15 * (abs(k - n * p) + np.sqrt(n)) + 2e-15 * 700
        assert rounded_up <= max(expected * (1 + most), 1e-300)


@pytest.mark.parametrize("seed", range(3))
def test_errs_by_no_more_than_it_says(seed):
    for case in at_random(seed, 30):
        check(*case)


@pytest.mark.parametrize("n", [1, 2, 3, 15, 16, 17, 40])
def test_few_trials(n):
    for k in range(1, n + 1):
        for p in [1e-300, 1e-20, 0.01, 0.3, 0.5, k / n - 1e-9, 0.9, 1 - 2**-53]:
            check(k, n, p)


@pytest.mark.parametrize("k", [999, 1000, 1001])
@pytest.mark.parametrize("n", [2000, 10**5, 10**9])
def test_where_special_functions_have_been_wrong(k, n):
    for at in (k, n - k + 1):
        for distance in (-5, 3):
            share = at / n
            check(at, n, share + distance * np.sqrt(share * (1 - share) / n))


@pytest.mark.parametrize("distance", [-2, -0.5, 0, 0.5, 2])
def test_near_the_mean(distance):
    """Where both tails are about 1/2, and the integrand falls like a normal density."""
    for k, n in [(1, 2), (1, 10**6), (5, 24), (1000, 10**4), (10**4 - 1, 10**4)]:
        check(k, n, k / n * (1 + distance / (5 * n)))


def test_the_smaller_of_p_and_q_decides():
    """q = 1e-20 cannot be written as 1 - p."""
    value, error, _ = tail_and_slope(
        np.array([10]), np.array([10]), np.array([1.0]), np.array([1e-20])
    )
    assert value == 1
    q = np.array([3e-12])
    value, error, _ = tail_and_slope(np.array([7]), np.array([9]), q, 1 - q)
    with mpmath.workdps(50):
        expected = exact_tail(7, 9, 3e-12)
        assert abs(mpmath.mpf(value[0]) - expected) <= error[0] * expected


def test_slope():
    """d log(tail) / d log(p), against a difference to 40 digits."""
    for k, n, p in [(7, 10, 0.3), (7, 10, 0.9), (600, 1000, 0.5), (3, 10**6, 1e-6)]:
        _, _, slope = tail_and_slope(*np.array([[k], [n]]), np.array([p]), 1 - p)
        with mpmath.workdps(50):
            step = mpmath.mpf(10) ** -15
            ratio = exact_tail(k, n, p * (1 + step)) / exact_tail(k, n, p)
            expected = float(mpmath.log(ratio) / mpmath.log1p(step))
        assert slope[0] == pytest.approx(expected, rel=1e-9)


def test_ends():
    tail = upper_tail([-1, 0, 1, 5, 6, 3, 3, 1], 5, [0.5, 0, 0, 1, 1, 0, 1, 1e-308])
    assert tail[:7].tolist() == [1, 1, 0, 1, 0, 0, 1]
    assert 5e-308 <= tail[7] <= 1e-300
    assert upper_tail(1, 0, 0.3) == 0
    assert upper_tail(0, 0, 0.3) == 1
    # Of one trial it is p: where alpha is rho, a margin would cost an input.
    assert upper_tail(1, 1, 0.001) == 0.001
    assert upper_tail([[1], [2]], [3, 4, 5], 0.5).shape == (2, 3)


def test_table_of_stirling():
    with mpmath.workdps(40):
        for m in [*range(1, 60), 1000, 10**9]:
            half_log = mpmath.log(2 * mpmath.pi) / 2
            stirling = (m + mpmath.mpf(0.5)) * mpmath.log(m) - m + half_log
            expected = mpmath.loggamma(m + 1) - stirling
            value = float(_tails._stirling_error(np.array([float(m)]))[0])
            assert abs(value - expected) < 2e-17 + 2e-16 * expected


def test_rule_of_gauss():
    """Exact for polynomials of degree 79 in t, which s = t^2 makes 39 in s."""
    for degree in range(39):
        total = (_tails._WEIGHTS * _tails._NODES**degree).sum()
        assert total == pytest.approx(1 / (degree + 1), rel=1e-14)
