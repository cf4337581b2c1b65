import itertools
import re
from pathlib import Path

import mpmath
import numpy as np
import pytest
from scipy import stats

import sksmooth
from sksmooth.stats import joint_lower_bound, lower_confidence_bound, multiclass_bounds
from sksmooth.stats._certify import BOUNDS
from tests.stats.exact import upper_tail

# Every p at which the error can peak lies just below some bound; these as well.
GRID = np.r_[np.linspace(0.5, 1, 51), 0.5 + 1e-9, 0.5 - 1e-9]


def naive_lower_bound(k, n, alpha):
    """Clopper-Pearson on the votes that picked the class: what must not be done."""
    return lower_confidence_bound(k, n, alpha)


def two_class_error(bound, n, alpha, p):
    """P(the class with most of n votes has a lower probability than its bound)."""
    k = np.arange(n + 1)
    top = np.maximum(k, n - k)
    probability = np.where(2 * k >= n, p, 1 - p)  # of the class on top
    p_lower = bound(top, n, alpha)
    wrong = (p_lower > 0.5) & (p_lower > probability)
    return stats.binom.pmf(k, n, p)[wrong].sum()


def worst_two_class_error(bound, n, alpha):
    bounds = bound(np.arange(n // 2, n + 1), n, alpha)
    peaks = bounds[bounds > 0.5] * (1 - 1e-12)
    return max(two_class_error(bound, n, alpha, p) for p in [*GRID, *peaks])


@pytest.mark.parametrize("alpha", [0.3, 0.05, 0.001])
@pytest.mark.parametrize("n", [12, 25, 60, 100, 333])
def test_joint_level_is_exact_for_two_classes(n, alpha):
    worst = worst_two_class_error(joint_lower_bound, n, alpha)
    assert alpha / 10 < worst <= alpha * (1 + 1e-9)


@pytest.mark.parametrize("alpha", [0.05, 0.001])
def test_the_naive_rule_fails_that_test(alpha):
    worst = [worst_two_class_error(naive_lower_bound, n, alpha) for n in (25, 60, 100)]
    assert max(worst) > 1.3 * alpha


def probabilities(n_classes):
    """p_1 below, just below and at 1/2, above it, and ties for the top."""
    rest = n_classes - 1
    for top in (0.5 - 1e-9, 0.5, 0.5 + 1e-9, 0.55, 0.7, 0.9):
        yield np.r_[top, np.full(rest, (1 - top) / rest)]
        if 1 - top <= top + 1e-8:
            yield np.r_[top, 1 - top, np.zeros(rest - 1)]
    yield np.full(n_classes, 1 / n_classes)
    yield np.r_[0.4, 0.4, np.full(rest - 1, 0.2 / (rest - 1))]


@pytest.mark.parametrize("alpha", [0.3, 0.05, 0.001])
@pytest.mark.parametrize("n_classes", [3, 10])
@pytest.mark.parametrize("n", [25, 60, 100])
def test_joint_level_is_exact_for_many_classes(n, n_classes, alpha):
    """At most one class gets more than half of the votes: the errors just add."""
    k = np.arange(n + 1)
    p_lower = joint_lower_bound(k, n, alpha)
    assert np.all(2 * k[p_lower > 0] > n)
    for p in probabilities(n_classes):
        errors = [
            stats.binom.pmf(k, n, q)[(p_lower > 0.5) & (p_lower > q)].sum() for q in p
        ]
        assert sum(errors) <= alpha * (1 + 1e-9)


@pytest.mark.parametrize("n_classes", [3, 10])
def test_joint_level_by_simulation(n_classes):
    """No count of errors is one that a level of alpha makes improbable."""
    n, alpha, n_draws = 60, 0.05, 50_000
    rng = np.random.default_rng(0)
    cases = list(probabilities(n_classes))
    allowed = stats.binom.isf(1e-4 / len(cases), n_draws, alpha)
    errors = []
    for p in cases:
        votes = rng.multinomial(n, p, size=n_draws)
        p_lower = joint_lower_bound(votes.max(axis=1), n, alpha)
        wrong = (p_lower > 0.5) & (p_lower > p[votes.argmax(axis=1)])
        errors.append(wrong.sum())
    assert max(errors) <= allowed
    assert max(errors) > n_draws * alpha / 10


def test_the_naive_rule_fails_the_simulation():
    n, alpha, n_draws = 60, 0.05, 100_000
    votes = np.random.default_rng(0).multinomial(n, [0.5, 0.5, 0], size=n_draws)
    p_lower = naive_lower_bound(votes.max(axis=1), n, alpha)
    wrong = (p_lower > 0.5) & (p_lower > 0.5)
    assert wrong.sum() > stats.binom.isf(1e-4, n_draws, alpha)


@pytest.mark.parametrize("alpha", [0.5, 0.05, 1e-3, 1e-12])
@pytest.mark.parametrize("n", [50, 1000, 10**5, 10**7])
def test_joint_bound_is_the_supremum_rounded_down(n, alpha):
    """Against 40 digits, at the abstention threshold and at extreme counts."""
    half = mpmath.mpf(1) / 2
    k0 = int(stats.binom.isf(alpha / 2, n, 0.5)) + 1
    assert upper_tail(k0, n, half) <= alpha / 2 < upper_tail(k0 - 1, n, half)
    counts = {k0, k0 + 1, k0 + (n - k0) // 50, n - 2, n - 1, n}
    for k in sorted(k for k in counts if k0 <= k <= n):

        def total(p, k=k):
            return upper_tail(k, n, p) + upper_tail(k0, n, 1 - mpmath.mpf(p))

        p_lower = joint_lower_bound(k, n, alpha)
        assert p_lower >= 0.5
        assert total(p_lower) <= mpmath.mpf(alpha)
        assert total(p_lower * (1 + 1e-9)) > mpmath.mpf(alpha)
    assert joint_lower_bound(k0 - 1, n, alpha) == 0


def test_joint_is_barely_below_clopper_pearson():
    k, n, alpha = np.arange(101), 100, 0.001
    joint, plain = joint_lower_bound(k, n, alpha), lower_confidence_bound(k, n, alpha)
    assert np.all(joint <= plain + 1e-12)
    assert np.all(np.diff(joint) >= 0)
    clear = k >= 72
    np.testing.assert_allclose(joint[clear], plain[clear], atol=1e-4)
    assert np.all((joint == 0) | (joint >= 0.5))


def test_joint_broadcasts_and_keeps_shapes():
    k = np.array([[60, 70], [90, 100]])
    p_lower = joint_lower_bound(k, [[100], [1000]], [0.001, 0.01])
    for i, j in itertools.product(range(2), range(2)):
        alone = joint_lower_bound(k[i, j], [100, 1000][i], [0.001, 0.01][j])
        assert p_lower[i, j] == alone
    assert isinstance(joint_lower_bound(90, 100, 0.001), float)
    assert joint_lower_bound([], 100, 0.001).shape == (0,)
    assert joint_lower_bound(1, 1, 0.9) == 0  # no number of votes is enough


def three_class_error(n, alpha, p, split):
    """P(a bound of `multiclass_bounds` fails), by enumeration of n votes."""
    error = 0.0
    for n_a, n_b in itertools.product(range(n + 1), repeat=2):
        if n_a + n_b > n:
            continue
        p_a, p_b = multiclass_bounds(n_a, n_b, n, alpha, split)
        if p_a > p[0] or p_b < max(p[1:]):
            votes = [n_a, n_b, n - n_a - n_b]
            error += stats.multinomial.pmf(votes, n, p)
    return error


@pytest.mark.parametrize("split", [(0.8, 0.1, 0.1), (0.4, 0.3, 0.3)])
@pytest.mark.parametrize("alpha", [0.3, 0.05])
def test_multiclass_level_is_exact_for_three_classes(alpha, split):
    n = 12
    shares = [0.02, 0.15, 0.3, 0.45, 0.7]
    edges = [
        lower_confidence_bound(n - 1, n, split[0] * alpha) - 1e-9,
        lower_confidence_bound(n // 2, n, split[0] * alpha) - 1e-9,
    ]
    errors = [
        three_class_error(n, alpha, (a, (1 - a) * b, (1 - a) * (1 - b)), split)
        for a in [*shares, *edges]
        for b in (0.0, 0.1, 0.5, 0.9, 1.0)
    ]
    assert alpha / 10 < max(errors) <= alpha * (1 + 1e-9)


def test_multiclass_bounds_follow_their_definition():
    p_a, p_b = multiclass_bounds(480, 300, 1000, 0.01)
    assert p_a == lower_confidence_bound(480, 1000, 0.008)
    # 1 - (lower bound of the others) is an upper bound.
    assert p_b == pytest.approx(1 - lower_confidence_bound(700, 1000, 0.001), abs=1e-9)
    # The rest may hold more than the second class.
    assert multiclass_bounds(480, 220, 1000, 0.01)[1] == p_b
    # With two classes nothing beats 1 - p_a.
    p_a, p_b = multiclass_bounds(900, 100, 1000, 0.01)
    assert p_b == pytest.approx(1 - p_a, abs=1e-15)
    assert p_b >= 1 - p_a


def test_multiclass_edges():
    p_a, p_b = multiclass_bounds([], [], 10, 0.1)
    assert p_a.shape == p_b.shape == (0,)
    assert multiclass_bounds(0, 0, 10, 0.1) == (0.0, 1.0)
    p_a, p_b = multiclass_bounds([[5], [6]], [0, 1, 2], 10, 0.1)
    assert p_a.shape == p_b.shape == (2, 3)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((-1, 10, 0.1), "k must not be negative"),
        ((1.5, 10, 0.1), "k must hold whole numbers"),
        ((11, 10, 0.1), "k must not exceed n"),
        ((1, 0, 0.1), "n must be at least 1"),
        ((1, 10, 0.0), "alpha must lie strictly between 0 and 1"),
        ((1, 10, 1.0), "alpha must lie strictly between 0 and 1"),
    ],
)
def test_joint_bad_input(arguments, message):
    with pytest.raises(ValueError, match=message):
        joint_lower_bound(*arguments)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((-1, 1, 10, 0.1), "n_a must not be negative"),
        ((1, 0.5, 10, 0.1), "n_b must hold whole numbers"),
        ((6, 5, 10, 0.1), r"n_a \+ n_b must not exceed n"),
        ((0, 0, 0, 0.1), "n must be at least 1"),
        ((6, 4, 10, 1.0), "alpha must lie strictly between 0 and 1"),
        ((6, 4, 10, 0.1, (0.9, 0.1, 0.1)), "split must hold three"),
        ((6, 4, 10, 0.1, (1.0, 0.0, 0.0)), "split must hold three"),
        ((6, 4, 10, 0.1, (0.5, 0.5)), "split must hold three"),
        ((6, 4, 10, 0.1, (np.nan, 0.1, 0.1)), "split must hold three"),
    ],
)
def test_multiclass_bad_input(arguments, message):
    with pytest.raises(ValueError, match=message):
        multiclass_bounds(*arguments)


WITHOUT_VOTES = ("exact", "analytic")


def test_docstrings_name_every_bound():
    for path in Path(sksmooth.__file__).parent.rglob("*.py"):
        for names in re.findall(r"bound : \{(.*)\}", path.read_text("utf-8")):
            named = [
                name for name in re.findall(r"\w+", names) if name not in WITHOUT_VOTES
            ]
            assert named == list(BOUNDS), path
