import numpy as np
import pytest
from scipy import stats

from sksmooth.stats import (
    bernstein_accuracy_lower_bound,
    certified_accuracy_lower_bound,
    lower_confidence_bound,
    population_accuracy_lower_bound,
)

CASES = [
    (30, 0.05, 0.01),
    (100, 0.05, 0.01),
    (500, 0.001, 0.001),
    (500, 0.05, 0.001),
    (2000, 0.01, 0.01),
]


def worst_miss_rate(bound, m, alpha, rho, truths=None):
    """Highest P(bound > t) over the number t of inputs that are truly certified.

    Worst case: all t are found, and the other m - t are, wrongly, with probability
    alpha each, independently.
    """
    worst = 0.0
    for t in range(m + 1) if truths is None else truths:
        wrong = np.arange(m - t + 1)
        missed = bound(t + wrong, m, alpha, rho) > t
        worst = max(worst, stats.binom.pmf(wrong, m - t, alpha)[missed].sum())
    return worst


def exact(n_certified, m, alpha, rho):
    return certified_accuracy_lower_bound(n_certified, m, alpha=alpha, rho=rho)


def bernstein(n_certified, m, alpha, rho):
    share = bernstein_accuracy_lower_bound(n_certified, m, alpha=alpha, rho=rho)
    return m * share


def circulating(n_certified, m, alpha, rho):
    """Bernstein's form as it is often seen: no 2 under the root."""
    excess = np.sqrt(alpha * (1 - alpha) * np.log(1 / rho) / m)
    return n_certified - m * (alpha + excess + np.log(1 / rho) / (3 * m))


@pytest.mark.parametrize(("m", "alpha", "rho"), CASES)
def test_exact_miss_rate(m, alpha, rho):
    truths = range(0, m + 1, 1 if m <= 500 else 7)
    worst = worst_miss_rate(exact, m, alpha, rho, truths)
    assert rho / 2 < worst <= rho


@pytest.mark.parametrize(("alpha", "expected"), [(0.001, 1.58), (0.05, 3.60)])
def test_the_formula_in_circulation_misses_too_often(alpha, expected):
    """The truth t = 0 is its worst; with the 2 it is a bound, if a loose one."""
    m, rho = 10_000, 0.001
    miss = worst_miss_rate(circulating, m, alpha, rho, truths=[0])
    assert miss / rho == pytest.approx(expected, abs=0.01)
    assert worst_miss_rate(bernstein, m, alpha, rho, range(0, m + 1, 250)) <= rho
    assert worst_miss_rate(exact, m, alpha, rho, range(0, m + 1, 250)) <= rho


@pytest.mark.parametrize(("m", "alpha", "rho"), CASES)
def test_bernstein_miss_rate(m, alpha, rho):
    truths = range(0, m + 1, 1 if m <= 500 else 7)
    assert worst_miss_rate(bernstein, m, alpha, rho, truths) <= rho


@pytest.mark.parametrize(("m", "alpha", "rho"), CASES)
def test_exact_is_above_bernstein_and_above_the_simple_bound(m, alpha, rho):
    certified = np.arange(m + 1)
    bound = exact(certified, m, alpha, rho)
    assert np.all(bound >= np.floor(bernstein(certified, m, alpha, rho)))
    simple = certified - stats.binom.isf(rho, m, alpha)
    assert np.all(bound >= simple)
    assert np.all(bound <= certified)
    assert np.all(np.diff(bound) >= 0)


@pytest.mark.parametrize(("m", "alpha", "rho"), CASES)
def test_exact_is_its_definition(m, alpha, rho):
    certified = np.arange(0, m + 1, max(1, m // 50))
    t = np.arange(m + 1)[:, None]
    plausible = stats.binom.sf(certified - t - 1, m - t, alpha) > rho
    np.testing.assert_array_equal(
        exact(certified, m, alpha, rho), plausible.argmax(axis=0)
    )


def test_known_values():
    bound = certified_accuracy_lower_bound([0, 300, 480, 500], 500, alpha=0.001)
    assert bound.tolist() == [0, 297, 479, 500]


@pytest.mark.parametrize(("m", "alpha", "rho"), CASES)
def test_population_miss_rate(m, alpha, rho):
    """A draw is truly certified with probability q, else found so with alpha."""
    found = np.arange(m + 1)
    share = population_accuracy_lower_bound(found, m, alpha=alpha, rho=rho)
    peaks = share[share > 0] * (1 - 1e-9)
    miss = [
        stats.binom.pmf(found, m, q + (1 - q) * alpha)[share > q].sum()
        for q in [0.0, 0.1, 0.5, 0.9, 0.99, *peaks]
    ]
    assert 0.99 * rho < max(miss) <= rho * (1 + 1e-9)


def test_population_known_values():
    share = population_accuracy_lower_bound([0, 1, 300], 500, alpha=0.001)
    assert share[0] == share[1] == 0
    expected = (lower_confidence_bound(300, 500, 0.001) - 0.001) / 0.999
    assert expected - 1e-14 < share[2] <= expected


def test_repeated_inputs_must_be_counted_once():
    """Copies share their noise, hence their errors: 50 inputs, ten times each."""
    m, copies, alpha, rho = 50, 10, 0.001, 0.001
    wrong = np.arange(m + 1)
    probability = stats.binom.pmf(wrong, m, alpha)
    with_copies = exact(copies * wrong, copies * m, alpha, rho) > 0
    assert probability[with_copies].sum() > 40 * rho
    once = exact(wrong, m, alpha, rho) > 0
    assert probability[once].sum() <= rho


@pytest.mark.parametrize(
    "function",
    [
        certified_accuracy_lower_bound,
        population_accuracy_lower_bound,
        bernstein_accuracy_lower_bound,
    ],
)
def test_shapes_and_bad_input(function):
    assert function([], 10, alpha=0.1).shape == (0,)
    assert function([[1], [2]], [10, 20, 30], alpha=0.1, rho=0.01).shape == (2, 3)
    assert np.ndim(function(5, 10, alpha=0.1)) == 0
    for arguments, levels, message in [
        ((-1, 10), {"alpha": 0.1}, "n_certified must not be negative"),
        ((0.5, 10), {"alpha": 0.1}, "n_certified must hold whole numbers"),
        ((11, 10), {"alpha": 0.1}, "n_certified must not exceed n_inputs"),
        ((0, 0), {"alpha": 0.1}, "n_inputs must be at least 1"),
        ((5, 10), {"alpha": 0.0}, "alpha must lie strictly between 0 and 1"),
        ((5, 10), {"alpha": 0.1, "rho": 1.0}, "rho must lie strictly between 0 and 1"),
    ]:
        with pytest.raises(ValueError, match=message):
            function(*arguments, **levels)
