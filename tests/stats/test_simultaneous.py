"""Holm's procedure, and p-values of votes: exact error rates at the boundary."""

from itertools import product
from math import comb, factorial

import numpy as np
import pytest
from scipy.stats import binom, norm
from statsmodels.stats.multitest import multipletests

from sksmooth.noise import Gaussian
from sksmooth.stats import holm
from sksmooth.stats._certify import BOUNDS, certify_votes
from sksmooth.stats._simultaneous import inverted_pvalue, joint_pvalue


@pytest.mark.parametrize("seed", range(5))
def test_holm_against_statsmodels(seed):
    rng = np.random.default_rng(seed)
    p_values = rng.random(rng.integers(1, 40)) ** rng.integers(1, 12)
    p_values[rng.random(len(p_values)) < 0.2] = 0.0
    for alpha in (0.001, 0.05, 0.5):
        expected = multipletests(p_values, alpha=alpha, method="holm")[0]
        np.testing.assert_array_equal(holm(p_values, alpha), expected)


def test_holm_at_its_edges():
    assert holm([], 0.1).tolist() == []
    assert holm([0.1], 0.1).tolist() == [True]  # no rounding where none is needed
    assert holm([0.1, 1.0], 0.1).tolist() == [False, False]
    # One that is too large keeps all larger ones, be they small enough for their step.
    assert holm([0.06, 0.09], 0.1).tolist() == [False, False]
    for wrong in ([0.5, 1.1], [-0.1], [np.nan], [[0.1]]):
        with pytest.raises(ValueError, match="p_values must be"):
            holm(wrong, 0.1)
    for wrong in (0, 1, [0.1, 0.2]):
        with pytest.raises(ValueError, match="alpha must"):
            holm([0.1], wrong)


def vectors(n, n_classes):
    """All tables of n votes for some classes, one a row."""
    rows = [v for v in product(range(n + 1), repeat=n_classes) if sum(v) == n]
    return np.array(rows)


def chances(counts, probabilities):
    """The multinomial probability of each row of counts."""
    ways = [factorial(sum(v)) / np.prod([factorial(k) for k in v]) for v in counts]
    with np.errstate(divide="ignore", invalid="ignore"):
        return ways * np.prod(np.asarray(probabilities) ** counts, axis=1)


def false_rate(p_values, false, chance):
    """The largest P(p-value <= t of a false claim) / t, over all t."""
    return max(
        chance[false & (p_values <= t)].sum() / t
        for t in np.unique(p_values[p_values < 1])
    )


@pytest.mark.parametrize("q", [0.5, 0.6, 0.8])
@pytest.mark.parametrize("n", [8, 9])
def test_joint_pvalue_is_valid_whatever_the_probabilities(n, q):
    counts = vectors(n, 3)
    top = counts.max(axis=1)
    p_values = joint_pvalue(top, np.full(len(top), n), np.full(len(top), q))
    worst = 0
    for p in ([q, 1 - q, 0], [0.5, 0.5, 0], [q, (1 - q) / 2, (1 - q) / 2], [1 / 3] * 3):
        false = np.asarray(p)[counts.argmax(axis=1)] <= q
        worst = max(worst, false_rate(p_values, false, chances(counts, p)))
    # Reached with two classes: nothing is lost but rounding.
    assert 0.999_999 < worst <= 1


@pytest.mark.parametrize("q", [0.5, 0.7, 0.9])
def test_one_class_pvalue_is_valid_and_sharp(q):
    n = 20
    k = np.arange(n + 1)
    p_values = BOUNDS["cohen"].pvalue(k, np.full(n + 1, n), np.full(n + 1, q))
    rate = false_rate(p_values, np.ones(n + 1, bool), binom.pmf(k, n, q))
    assert 0.999_999 < rate <= 1
    np.testing.assert_allclose(p_values, binom.sf(k - 1, n, q), rtol=1e-12)


def test_pvalue_of_the_multiclass_bound_is_the_level_that_certifies():
    counts = vectors(12, 3)
    selection = np.tile([3, 2, 1], (len(counts), 1))
    noise, radius = Gaussian().bind(1.0), 0.25

    def certified_at(levels):
        found = certify_votes(counts, selection, levels, "multiclass", noise)
        return found.radius >= radius

    p_values = inverted_pvalue(certified_at, len(counts))
    some = p_values < 1
    assert 10 < np.count_nonzero(some) < len(counts) - 10
    assert np.all(certified_at(np.minimum(p_values, 0.999))[some])
    assert not np.any(certified_at(p_values * 0.999_999)[some])
    # The class cannot be certified at this radius: it is where the claim just fails.
    worst = 0
    for p_a in (0.4, 0.5, 0.6):
        p_b = norm.cdf(norm.ppf(p_a) - 2 * radius)
        for p in ([p_a, p_b, 1 - p_a - p_b], [p_a, 1 - p_a - p_b, p_b]):
            if p[1] >= 0 and p[2] >= 0:
                chance = chances(counts, p)
                false = np.ones(len(counts), bool)
                worst = max(worst, false_rate(p_values, false, chance))
    assert 0.05 < worst <= 1


def certified_falsely(table, true_probabilities, q, alpha, together):
    """P(any false claim) over all count vectors of few inputs of two classes."""
    n = len(table) - 1
    k = range(n + 1)
    false = np.array(true_probabilities) <= q
    pmf = [
        [comb(n, j) * p**j * (1 - p) ** (n - j) for j in k] for p in true_probabilities
    ]
    total = 0.0
    vectors = (
        [(j,) * len(false) for j in k] if together else product(k, repeat=len(false))
    )
    for counts in vectors:
        if np.any(holm(table[list(counts)], alpha) & false):
            chance = [one[j] for one, j in zip(pmf, counts, strict=True)]
            total += chance[0] if together else np.prod(chance)
    return total


@pytest.mark.parametrize(
    "true_probabilities", [(0.7,) * 3, (0.7, 0.7, 0.98), (0.7, 0.5)]
)
def test_any_false_claim_of_several_inputs(true_probabilities):
    n, q, alpha = 13, 0.7, 0.21
    k = np.arange(n + 1)
    table = BOUNDS["cohen"].pvalue(k, np.full(n + 1, n), np.full(n + 1, q))
    rate = certified_falsely(table, true_probabilities, q, alpha, together=False)
    assert 0.02 < rate <= alpha
    # Each at level alpha by itself: several are one too many.
    naive = 1 - np.prod(
        [
            1 - binom.pmf(k, n, p)[table <= alpha].sum()
            for p in true_probabilities
            if p <= q
        ]
    )
    assert naive > rate
    if len(set(true_probabilities)) == 1:
        assert naive > alpha
        # All share the same votes, as with shared noise: any dependence is allowed.
        rate = certified_falsely(table, true_probabilities, q, alpha, together=True)
        assert 0 < rate <= alpha


def test_a_probability_of_1_is_never_exceeded():
    k, n = np.array([1000, 999, 600]), np.full(3, 1000)
    assert joint_pvalue(k, n, np.ones(3)).tolist() == [1, 1, 1]
