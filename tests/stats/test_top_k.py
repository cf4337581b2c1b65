import numpy as np
import pytest
from scipy import optimize, stats

from sksmooth.noise import SparseFlip, Split, find_noise
from sksmooth.stats import (
    lower_confidence_bound,
    radius_from_probabilities,
    top_k_radius,
    upper_confidence_bound,
)


def significant(value, digits):
    return np.array([float(f"{v:.{digits}g}") for v in value])


def published_table(published):
    table = np.loadtxt(published / "topk_cifar10_sigma_0.25_counts.txt", dtype=int)
    radius = np.loadtxt(
        published / "topk_cifar10_sigma_0.25_top3_radius.txt", skiprows=1
    )
    return table[:, :-1], table[:, -1], radius[:, 1]


def test_every_published_radius_from_its_counts(published):
    counts, label, expected = published_table(published)
    radius = top_k_radius(counts, label, k=3, alpha=0.001, sigma=0.25)
    # The authors bisected [0, 10] 20 times and printed the lower end.
    step = 10 / 2**20
    np.testing.assert_array_equal(
        significant(np.floor(radius / step) * step, 3), expected
    )
    # Without that, 5 of 500 round the other way, each from within one step.
    other = significant(radius, 3) != expected
    assert other.sum() == 5
    np.testing.assert_array_equal(significant(radius[other] - step, 3), expected[other])


def test_grows_with_k(published):
    counts, label, _ = published_table(published)
    radii = [
        top_k_radius(counts, label, k=k, alpha=0.001, sigma=0.25) for k in range(1, 10)
    ]
    assert np.all(np.diff(radii, axis=0) >= 0)
    assert np.mean(radii[2] > 0) > np.mean(radii[0] > 0)


def test_top_1_is_theorem_1():
    counts = np.array([[900, 60, 40], [480, 300, 220], [60, 900, 40]])
    radius = top_k_radius(counts, 0, k=1, alpha=0.01, sigma=0.5)
    p_a = lower_confidence_bound(counts[:, 0], 1000, 0.01 / 3)
    p_b = upper_confidence_bound(counts[:, 1:].max(axis=1), 1000, 0.01 / 3)
    expected = radius_from_probabilities(p_a, np.minimum(p_b, 1 - p_a), sigma=0.5)
    np.testing.assert_allclose(radius, expected, rtol=1e-9)
    assert np.all(radius <= expected)
    assert radius[2] == 0


def equation(counts, label, k, alpha):
    """The defining equation of one input, and its root by another method."""
    n, n_classes = counts.sum(), len(counts)
    p = lower_confidence_bound(counts[label], n, alpha / n_classes)
    rivals = np.delete(upper_confidence_bound(counts, n, alpha / n_classes), label)
    rivals = np.sort(np.sort(rivals)[::-1][:k])

    def gap(r):
        passed = [
            stats.norm.cdf(stats.norm.ppf(min(rivals[:t].sum(), 1 - p)) + r) / t
            for t in range(1, k + 1)
        ]
        return stats.norm.cdf(stats.norm.ppf(p) - r) - min(passed)

    return optimize.brentq(gap, 0, 10, xtol=1e-13) if gap(0) > 0 else 0.0


def test_solves_the_equation():
    rng = np.random.default_rng(0)
    for _ in range(30):
        counts = rng.multinomial(5000, rng.dirichlet(np.full(6, 0.5)))
        for k in (1, 2, 5):
            label = rng.integers(6)
            radius = top_k_radius(counts[None], [label], k=k, alpha=0.01, sigma=0.7)
            expected = 0.7 * equation(counts, label, k, 0.01)
            assert radius[0] <= expected + 1e-12
            assert radius[0] == pytest.approx(expected, abs=1e-8)


def test_what_it_says_holds_for_three_slabs():
    """One feature, classes by intervals: the probabilities at any shift are known."""
    sigma, cuts = 0.5, np.array([-0.3, 0.2, 0.7])

    def probabilities(shift):
        return np.diff(np.r_[0, stats.norm.cdf((cuts - shift) / sigma), 1])

    votes = np.random.default_rng(0).multinomial(100_000, probabilities(0))
    for label in range(4):
        for k in (1, 2, 3):
            radius = top_k_radius(votes[None], label, k=k, alpha=0.001, sigma=sigma)[0]
            for shift in np.linspace(-radius, radius, 41):
                p = probabilities(shift)
                assert radius == 0 or np.sum(p > p[label]) < k


def test_edges():
    assert top_k_radius(np.empty((0, 3)), [], k=1, alpha=0.1, sigma=1).shape == (0,)
    counts = [[0, 0, 100_000], [100_000, 0, 0]]
    radius = top_k_radius(counts, [0, 0], k=2, alpha=0.001, sigma=[0.25, 0.5])
    assert radius[0] == 0
    assert 1.5 < radius[1] < 0.5 * 8


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"counts": [[-1, 5]]}, "counts must not be negative"),
        ({"counts": [[0.5, 5]]}, "counts must hold whole numbers"),
        ({"counts": [3, 5]}, "counts must have shape"),
        ({"counts": [[0, 0]]}, "at least one vote"),
        ({"label": [2]}, "label must lie in"),
        ({"label": [-1]}, "label must not be negative"),
        ({"k": 0}, "k must be a whole number from 1"),
        ({"k": 2}, "k must be a whole number from 1"),
        ({"k": 1.5}, "k must hold whole numbers"),
        ({"alpha": 0.0}, "alpha must lie strictly"),
        ({"sigma": 0.0}, "sigma must be positive"),
    ],
)
def test_bad_input(change, message):
    arguments = {"counts": [[3, 5]], "label": [1], "k": 1, "alpha": 0.1, "sigma": 1.0}
    arguments |= change
    counts, label = arguments.pop("counts"), arguments.pop("label")
    with pytest.raises(ValueError, match=message):
        top_k_radius(counts, label, **arguments)


@pytest.mark.parametrize("noise", ["laplace", "uniform"])
def test_top_1_of_other_noise(noise):
    """With the whole rest against the label, it is the radius of p_l itself."""
    counts = np.array([[900, 100], [600, 400], [1000, 0], [60, 940]])
    radius = top_k_radius(counts, 0, k=1, alpha=0.01, sigma=0.5, noise=noise)
    p_lower = lower_confidence_bound(counts[:, 0], 1000, 0.01 / 2)
    expected = find_noise(noise).bind(0.5).radius(p_lower)
    np.testing.assert_allclose(radius, expected, rtol=1e-9)
    assert np.all(radius <= expected * (1 + 1e-12)) and radius[3] == 0


def test_top_2_under_uniform_noise_in_closed_form():
    """p_l - v = min(S_1 + v, (S_2 + v) / 2) for v = r / (2 lambda)."""
    counts = [[400, 300, 290, 10]]
    p_l = lower_confidence_bound(400, 1000, 0.01 / 4)
    one, two = upper_confidence_bound(np.array([290, 300]), 1000, 0.01 / 4)
    v = max((p_l - one) / 2, (p_l - min(one + two, 1 - p_l) / 2) / 1.5)
    assert v > 0
    radius = top_k_radius(counts, 0, k=2, alpha=0.01, sigma=1.0, noise="uniform")
    assert radius[0] == pytest.approx(v * 2 * np.sqrt(3), rel=1e-9)


def test_noise_that_is_not_on_numbers():
    for noise in (Split(16, 1 / 255), SparseFlip()):
        with pytest.raises(ValueError, match="drawn on numbers"):
            top_k_radius([[12, 4, 0]], 0, k=2, alpha=0.05, sigma=1.0, noise=noise)
