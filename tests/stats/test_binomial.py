import mpmath
import numpy as np
import pytest
from scipy import stats
from statsmodels.stats.proportion import proportion_confint

from sksmooth.stats import lower_confidence_bound


def upper_tail(k, n, p):
    """P(Bin(n, p) >= k) to 50 digits, by summing the fewer of the terms."""
    p = mpmath.mpf(p)
    terms = range(k, n + 1) if 2 * k > n else range(k)
    total = mpmath.fsum(
        mpmath.binomial(n, j) * p**j * (1 - p) ** (n - j) for j in terms
    )
    return total if 2 * k > n else 1 - total


@pytest.mark.parametrize("alpha", [0.5, 0.05, 1e-3, 1e-12])
@pytest.mark.parametrize("n", [1, 2, 10, 100, 1000])
def test_never_above_the_exact_bound(n, alpha):
    for k in sorted({1, 2, n // 3, n // 2, n // 2 + 1, n - 2, n - 1, n}):
        if not 1 <= k <= n:
            continue
        p_lower = lower_confidence_bound(k, n, alpha)
        with mpmath.workdps(50):
            # The exact bound is where the tail equals alpha; the tail increases in p.
            assert upper_tail(k, n, p_lower) <= mpmath.mpf(alpha)
            assert upper_tail(k, n, p_lower * (1 + 1e-12)) > mpmath.mpf(alpha)


@pytest.mark.parametrize("n", [10**5, 10**7])
@pytest.mark.parametrize("alpha", [1e-3, 1e-12])
@pytest.mark.parametrize("failures", [0, 1, 2, 50])
def test_never_above_the_exact_bound_for_many_votes(n, alpha, failures):
    k = n - failures
    p_lower = lower_confidence_bound(k, n, alpha)
    with mpmath.workdps(50):
        assert upper_tail(k, n, p_lower) <= mpmath.mpf(alpha)
        assert upper_tail(k, n, p_lower + 1e-12) > mpmath.mpf(alpha)


@pytest.mark.parametrize("alpha", [0.1, 0.001])
@pytest.mark.parametrize("n", [1, 7, 50, 400])
def test_coverage_is_exact(n, alpha):
    """P(bound > p) by enumeration: at most alpha, and alpha at its worst points."""
    k = np.arange(n + 1)
    bounds = lower_confidence_bound(k, n, alpha)
    for p in [0.01, 0.3, 0.5, 0.77, 0.99, 0.9999]:
        assert stats.binom.pmf(k, n, p)[bounds > p].sum() <= alpha * (1 + 1e-9)
    for worst in bounds[1:]:
        p = worst * (1 - 1e-9)
        error = stats.binom.pmf(k, n, p)[bounds > p].sum()
        assert 0.999 * alpha < error <= alpha * (1 + 1e-9)


def test_equals_statsmodels():
    n = 1000
    k = np.arange(1, n + 1)
    expected, _ = proportion_confint(k, n, alpha=2 * 0.001, method="beta")
    np.testing.assert_allclose(lower_confidence_bound(k, n, 0.001), expected, rtol=1e-9)


def test_edges():
    assert lower_confidence_bound(0, 10, 0.001) == 0
    assert lower_confidence_bound(10, 10, 0.001) == pytest.approx(0.001**0.1, rel=1e-14)
    assert lower_confidence_bound([], 10, 0.001).shape == (0,)
    assert lower_confidence_bound([[1, 2], [3, 4]], 10, 0.001).shape == (2, 2)


@pytest.mark.parametrize(
    ("k", "n", "alpha", "message"),
    [
        (-1, 10, 0.1, "k must not be negative"),
        (11, 10, 0.1, "k must not exceed n"),
        (1.5, 10, 0.1, "k must hold whole numbers"),
        ("3", 10, 0.1, "k must hold whole numbers"),
        (np.nan, 10, 0.1, "k must hold whole numbers"),
        (0, 0, 0.1, "n must be at least 1"),
        (1, 10, 0.0, "alpha must lie strictly between 0 and 1"),
        (1, 10, 1.0, "alpha must lie strictly between 0 and 1"),
        (1, 10, np.nan, "alpha must lie strictly between 0 and 1"),
    ],
)
def test_bad_input(k, n, alpha, message):
    with pytest.raises(ValueError, match=message):
        lower_confidence_bound(k, n, alpha)
