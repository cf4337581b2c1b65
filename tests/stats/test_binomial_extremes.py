"""Clopper-Pearson's bounds at extreme arguments, and where SciPy's quantiles fail."""

import mpmath
import numpy as np
import pytest
from scipy import special

from sksmooth.stats import (
    _binomial,
    _bounds,
    certify_counts,
    joint_lower_bound,
    lower_confidence_bound,
    population_accuracy_lower_bound,
    rank_verification_pvalue,
    upper_confidence_bound,
)
from sksmooth.stats._verify import last_within
from tests.stats.exact import upper_tail

# The relative distance from the exact bound that may be given away.
GIVEN_AWAY = mpmath.mpf(1e-12)


def check_lower(k, n, alpha):
    bound = mpmath.mpf(float(lower_confidence_bound(k, n, alpha)))
    with mpmath.workdps(50):
        assert upper_tail(k, n, bound) <= mpmath.mpf(alpha)
        assert upper_tail(k, n, bound * (1 + GIVEN_AWAY)) > mpmath.mpf(alpha)


def check_upper(k, n, alpha):
    bound = mpmath.mpf(float(upper_confidence_bound(k, n, alpha)))
    with mpmath.workdps(50):
        if bound < 1:
            assert upper_tail(n - k, n, 1 - bound) <= mpmath.mpf(alpha)
        if k < n:
            least = 1 - bound * (1 - GIVEN_AWAY)
            assert upper_tail(n - k, n, least) > mpmath.mpf(alpha)


# All that is far from the mean, where the sums of the exact tail are short.
ALPHAS = [0.1, 1e-3, 3.7e-14, 1e-15]


@pytest.mark.parametrize("alpha", ALPHAS)
@pytest.mark.parametrize("n", [351_899_870, 10**9])
def test_parameters_of_1000(n, alpha):
    for k in (999, 1000, 1001, n - 1000, n - 999, n - 998):
        check_lower(k, n, alpha)
        check_upper(k, n, alpha)


def test_the_example_of_the_documentation():
    bounds = lower_confidence_bound([999, 1000, 1001], 10**9, 0.1)
    assert bounds * 1e9 == pytest.approx([958.714, 959.694, 960.674], abs=1e-3)
    counts = [[10**8 - 999, 999], [10**8 - 998, 998]]
    fewer, more = certify_counts(counts, [[9, 1]] * 2, alpha=1e-12).radius
    assert 4.2168 < fewer < more < 4.2171
    share = population_accuracy_lower_bound(10**8 - 999, 10**8, alpha=1e-6, rho=1e-12)
    bound = lower_confidence_bound(10**8 - 999, 10**8, 1e-12)
    assert share == pytest.approx((bound - 1e-6) / (1 - 1e-6), rel=1e-14)


@pytest.mark.parametrize("seed", range(3))
def test_at_random(seed):
    rng = np.random.default_rng(seed)
    for _ in range(12):
        n = int(10 ** rng.uniform(0, 9))
        few = int(10 ** rng.uniform(0, 4))
        k = [min(n, few), max(1, n - few), int(rng.integers(1, n + 1))]
        # In the middle the exact sums are long: there, up to 10^6.
        k = k[rng.integers(3 if n <= 10**6 else 2)]
        alpha = float(10 ** rng.uniform(-15, -0.7))
        check_lower(k, n, alpha)
        check_upper(k, n, alpha)


@pytest.mark.parametrize("alpha", [0.2, 0.5, 0.9, 0.999])
def test_levels_that_no_one_asks_for(alpha):
    for n in (1, 5, 1000):
        for k in sorted({1, n // 2, n - 1, n} - {0}):
            check_lower(k, n, alpha)
            check_upper(n - k, n, alpha)


@pytest.mark.parametrize("alpha", [1e-20, 1e-50, 1e-100])
def test_parts_of_the_lowest_levels(alpha):
    for k, n in [(1, 1), (1, 10**6), (40, 50), (900, 1000), (10**6 - 3, 10**6)]:
        check_lower(k, n, alpha)
        check_upper(k, n, alpha)


def near_the_places(n):
    """All counts near powers of ten and 1000, from both ends."""
    centers = [0, n // 2, *(10**j for j in range(13))]
    k = np.concatenate([np.arange(center - 40, center + 41) for center in centers])
    k = np.unique([k, n - k])
    return k[(k >= 0) & (k <= n)]


@pytest.mark.parametrize("alpha", [*ALPHAS, 0.5, 0.9, 1e-30])
@pytest.mark.parametrize("n", [100, 1999, 10**5, 351_899_870, 10**9, 10**12])
def test_more_votes_never_give_less(n, alpha):
    k = np.arange(n + 1) if n < 2000 else near_the_places(n)
    assert np.all(np.diff(lower_confidence_bound(k, n, alpha)) > 0)
    assert np.all(np.diff(upper_confidence_bound(k, n, alpha)) >= 0)
    if n <= 10**9:
        assert np.all(np.diff(joint_lower_bound(k, n, alpha)) >= 0)


@pytest.mark.parametrize("alpha", ALPHAS)
@pytest.mark.parametrize("n", [1000, 10**5])
def test_joint_bound_to_50_digits(n, alpha):
    """Both tails together are at most alpha, and more a little further on."""
    k = n * 9 // 10
    low = n // 2
    # The least count that does not abstain, by the exact tail.
    high = n
    while high - low > 1:
        middle = (low + high) // 2
        rare = upper_tail(middle, n, 0.5) <= mpmath.mpf(alpha) / 2
        low, high = (low, middle) if rare else (middle, high)
    for votes in (high, high + n // 1000 + 1, k, max(high, n - 999), n):
        bound = mpmath.mpf(float(joint_lower_bound(votes, n, alpha)))
        assert bound >= 0.5 - 1e-13
        with mpmath.workdps(50):
            for p, within in ((bound, True), (bound * (1 + GIVEN_AWAY), False)):
                if p < 1:
                    total = upper_tail(votes, n, p) + upper_tail(high, n, 1 - p)
                    # At the first count 1/2 may be the last p within alpha.
                    if within or votes > high:
                        assert (total <= mpmath.mpf(alpha)) == within
    assert joint_lower_bound(high - 1, n, alpha) == 0


@pytest.mark.parametrize("total", [3, 10, 100, 1000, 10**5])
def test_p_values_are_never_below_the_exact_ones(total):
    for distance in (1, 2, 4, 7):
        first = total // 2 + int(distance * np.sqrt(total) / 2) + 1
        if first > total:
            continue
        value = rank_verification_pvalue(first, total - first)
        exact = 2 * upper_tail(first, total, 0.5)
        with mpmath.workdps(50):
            assert exact <= mpmath.mpf(float(value)) <= exact * (1 + 1e-9)


def test_p_value_without_a_rival_is_exact():
    votes = np.arange(1, 1000)
    assert rank_verification_pvalue(votes, 0).tolist() == (2.0 ** (1 - votes)).tolist()
    assert 0 < rank_verification_pvalue(2000, 0) <= 1e-300


@pytest.mark.parametrize(
    "wrong",
    [
        lambda x: 2 * x,
        lambda x: x / 2,
        lambda x: np.full_like(x, np.nan),
        lambda x: np.ones_like(x),
        lambda x: np.zeros_like(x),
        lambda x: x * (1 + 1e-9),
    ],
    ids=["double", "half", "nan", "one", "zero", "a little"],
)
def test_no_quantile_of_others_is_trusted(monkeypatch, wrong):
    k = np.array([1, 2, 50, 51, 99, 700, 999, 1000])
    alpha = np.array([[0.9], [0.5], [1e-3], [1e-15]])
    lower = lower_confidence_bound(k, 1000, alpha)
    upper = upper_confidence_bound(k, 1000, alpha)
    for name in ("betaincinv", "betainccinv"):
        right = getattr(special, name)
        monkeypatch.setattr(special, name, lambda *args, f=right: wrong(f(*args)))
    again = lower_confidence_bound(k, 1000, alpha)
    np.testing.assert_allclose(again, lower, rtol=1e-12)
    np.testing.assert_allclose(
        upper_confidence_bound(k, 1000, alpha), upper, rtol=1e-12
    )
    for count in (1, 700, 999):
        check_lower(count, 1000, 1e-3)
        check_upper(count, 1000, 1e-3)


def test_a_search_ends_even_if_slopes_are_wrong():
    """Newton is a short cut: by halving alone it ends, too, and on the safe side."""
    for slope in (1e-9, -1.0, 0.0, np.nan, 1e9):

        def tail(rows, p, slope=slope):
            return p**2, np.full(p.shape, slope)

        level, zero, one = np.full(3, 0.25), np.zeros(3), np.ones(3)
        start = np.array([0.9, 1e-9, np.nan])
        found = last_within(tail, level, start, zero, one)
        # A little is left for the rounding of a function of it.
        assert np.all(found < 0.5 - 5e-15)
        assert last_within(tail, level, start * 0 + 0.5, zero, one)[0] < 0.5 - 5e-15
        if slope != 1e9:  # which says that there is nothing left to gain
            np.testing.assert_allclose(found, 0.5, rtol=1e-12)


def test_what_a_tail_may_err_by_is_counted(monkeypatch):
    """If tails could be half as much again, bounds must be those of a lower alpha."""
    for module in (_binomial, _bounds):

        def vaguer(*args, right=module.tail_and_slope):
            value, error, slope = right(*args)
            return value, error + 0.5, slope

        monkeypatch.setattr(module, "tail_and_slope", vaguer)
    twice = [700, 700]  # single ones are remembered
    bounds = lower_confidence_bound(twice, 1000, 0.001)
    joint = joint_lower_bound(twice, 1000, 0.001)
    upper = upper_confidence_bound(700, 1000, 0.001)
    monkeypatch.undo()
    assert bounds == pytest.approx(lower_confidence_bound(700, 1000, 0.001 / 1.5))
    assert joint == pytest.approx(bounds, rel=1e-9)
    assert upper == pytest.approx(upper_confidence_bound(700, 1000, 0.001 / 1.5))


@pytest.mark.parametrize("bound", [lower_confidence_bound, upper_confidence_bound])
def test_half_of_the_step_back_is_left_for_a_radius(bound):
    """Phi^-1 errs by a few units in the last place; bounds leave more than that."""
    n = 1000
    k = np.arange(1, n)
    value = bound(k, n, 1e-3)
    for count in (1, 2, 500, 998):
        p = mpmath.mpf(float(value[count - 1]))
        with mpmath.workdps(50):
            if bound is lower_confidence_bound:
                assert upper_tail(count, n, p * (1 + 1e-14)) <= 1e-3
            else:
                assert upper_tail(n - count, n, 1 - p * (1 - 1e-14)) <= 1e-3


@pytest.mark.parametrize("alpha", [1e-15, 1.5e-15, 1e-100])
def test_an_upper_bound_is_a_probability(alpha):
    upper = upper_confidence_bound([0, 1], 1, alpha)
    assert upper[0] <= upper[1] == 1
