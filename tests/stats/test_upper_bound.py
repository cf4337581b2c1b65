import mpmath
import numpy as np
import pytest
from scipy import stats

from sksmooth.stats import lower_confidence_bound, upper_confidence_bound
from tests.stats.exact import upper_tail


def lower_tail(k, n, p):
    """P(Bin(n, p) <= k)."""
    with mpmath.workdps(60):
        return upper_tail(n - k, n, 1 - mpmath.mpf(p))


@pytest.mark.parametrize("alpha", [0.5, 0.05, 1e-3, 1e-12])
@pytest.mark.parametrize("n", [1, 2, 10, 100, 1000])
def test_never_below_the_exact_bound(n, alpha):
    for k in sorted({0, 1, 2, n // 3, n // 2, n // 2 + 1, n - 2, n - 1}):
        if not 0 <= k < n:
            continue
        p_upper = upper_confidence_bound(k, n, alpha)
        # The exact bound is where the tail equals alpha; the tail decreases in p.
        if p_upper < 1:
            assert lower_tail(k, n, p_upper) <= mpmath.mpf(alpha)
        assert lower_tail(k, n, p_upper * (1 - 2e-12)) > mpmath.mpf(alpha)


@pytest.mark.parametrize("n", [10**5, 10**7])
@pytest.mark.parametrize("alpha", [0.05, 1e-3, 1e-12])
@pytest.mark.parametrize("k", [0, 1, 2, 3, 5, 10, 50, 500])
def test_keeps_its_digits_where_it_is_tiny(k, n, alpha):
    p_upper = upper_confidence_bound(k, n, alpha)
    assert lower_tail(k, n, p_upper) <= mpmath.mpf(alpha)
    assert lower_tail(k, n, p_upper * (1 - 2e-12)) > mpmath.mpf(alpha)


@pytest.mark.parametrize("alpha", [0.05, 1e-12])
@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_never_below_the_exact_bound_for_many_votes(share, alpha):
    n = 10**6
    k = int(n * share)
    p_upper = upper_confidence_bound(k, n, alpha)
    assert lower_tail(k, n, p_upper) <= mpmath.mpf(alpha)
    assert lower_tail(k, n, p_upper - 1e-11) > mpmath.mpf(alpha)


@pytest.mark.parametrize("failures", [1, 2, 50])
def test_never_below_the_exact_bound_near_one(failures):
    n = 10**7
    p_upper = upper_confidence_bound(n - failures, n, 1e-3)
    assert p_upper <= 1
    assert lower_tail(n - failures, n, min(p_upper, 1 - 1e-16)) <= mpmath.mpf(1e-3)


@pytest.mark.parametrize("alpha", [0.1, 0.001])
@pytest.mark.parametrize("n", [1, 7, 50, 400])
def test_coverage_is_exact(n, alpha):
    """P(bound < p) by enumeration: at most alpha, and alpha at its worst points."""
    k = np.arange(n + 1)
    bounds = upper_confidence_bound(k, n, alpha)
    for p in [0.0001, 0.01, 0.3, 0.5, 0.77, 0.99]:
        assert stats.binom.pmf(k, n, p)[bounds < p].sum() <= alpha * (1 + 1e-9)
    for worst in bounds[:-1]:
        p = worst * (1 + 1e-9)
        error = stats.binom.pmf(k, n, p)[bounds < p].sum()
        assert 0.999 * alpha < error <= alpha * (1 + 1e-7)


def test_mirrors_the_lower_bound():
    n = 1000
    k = np.arange(n + 1)
    mirrored = 1 - lower_confidence_bound(n - k, n, 0.001)
    p_upper = upper_confidence_bound(k, n, 0.001)
    np.testing.assert_allclose(p_upper, mirrored, rtol=0, atol=1e-11)
    assert np.all(np.diff(p_upper) > 0)


def test_edges():
    assert upper_confidence_bound(10, 10, 0.001) == 1
    assert upper_confidence_bound(0, 10, 0.001) == pytest.approx(
        1 - 0.001**0.1, rel=1e-14
    )
    rule_of_three = -np.log(0.05) / 10**12
    assert upper_confidence_bound(0, 10**12, 0.05) == pytest.approx(
        rule_of_three, rel=1e-11
    )
    assert upper_confidence_bound([], 10, 0.001).shape == (0,)
    assert upper_confidence_bound([[1, 2], [3, 4]], 10, 0.001).shape == (2, 2)


@pytest.mark.parametrize(
    ("k", "n", "alpha", "message"),
    [
        (-1, 10, 0.1, "k must not be negative"),
        (11, 10, 0.1, "k must not exceed n"),
        (1.5, 10, 0.1, "k must hold whole numbers"),
        (0, 0, 0.1, "n must be at least 1"),
        (1, 10, 0.0, "alpha must lie strictly between 0 and 1"),
        (1, 10, 1.0, "alpha must lie strictly between 0 and 1"),
    ],
)
def test_bad_input(k, n, alpha, message):
    with pytest.raises(ValueError, match=message):
        upper_confidence_bound(k, n, alpha)
