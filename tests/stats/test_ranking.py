import itertools

import numpy as np
import pytest
from scipy import stats

from sksmooth.stats import rank_verification_pvalue


@pytest.mark.parametrize("total", [1, 2, 3, 10, 41, 1000])
def test_equals_scipys_two_sided_binomial_test(total):
    n_a = np.arange((total + 1) // 2, total + 1)
    expected = [stats.binomtest(int(k), total, 0.5).pvalue for k in n_a]
    np.testing.assert_allclose(
        rank_verification_pvalue(n_a, total - n_a), expected, rtol=1e-12
    )


def probability_of_naming_a_wrong_class(n, probabilities, alpha):
    """By enumeration of all outcomes of n votes; ties name no class."""
    best = np.argmax(probabilities)
    error = 0.0
    for counts in itertools.product(range(n + 1), repeat=len(probabilities) - 1):
        if sum(counts) > n:
            continue
        counts = (*counts, n - sum(counts))
        second, first = sorted(counts)[-2:]
        wrong = np.argmax(counts) != best
        if wrong and rank_verification_pvalue(first, second) <= alpha:
            error += stats.multinomial.pmf(counts, n, probabilities)
    return error


@pytest.mark.parametrize("alpha", [0.3, 0.05, 0.01])
def test_error_of_predict_two_classes(alpha):
    """At p_1 just above p_2 the error is near alpha / 2, and never above alpha."""
    errors = [
        probability_of_naming_a_wrong_class(n, [0.5 + 1e-9, 0.5 - 1e-9], alpha)
        for n in range(1, 60)
    ]
    assert max(errors) <= alpha / 2
    assert max(errors) > alpha / 4


@pytest.mark.parametrize("p", [(0.5, 0.5, 0.0), (0.4, 0.4, 0.2), (0.34, 0.33, 0.33)])
@pytest.mark.parametrize("n", [5, 12, 25])
def test_error_of_predict_three_classes(p, n):
    p = np.array(p) + [1e-9, -1e-9, 0]
    for alpha in (0.3, 0.05):
        assert probability_of_naming_a_wrong_class(n, p, alpha) <= alpha


def test_edges():
    assert rank_verification_pvalue(0, 0) == 1
    assert rank_verification_pvalue(7, 7) == 1
    assert rank_verification_pvalue(10, 0) == pytest.approx(2 * 0.5**10, rel=1e-14)


def test_bad_input():
    with pytest.raises(ValueError, match="the higher of the two"):
        rank_verification_pvalue(3, 4)
    with pytest.raises(ValueError, match="n_b must not be negative"):
        rank_verification_pvalue(3, -1)
