"""Section 3.1 and appendix B: for a linear classifier everything is known exactly."""

import numpy as np
import pytest
from scipy import stats
from scipy.stats import norm

from sksmooth import SmoothedClassifier
from sksmooth.stats import lower_confidence_bound, radius_from_probabilities
from tests.helpers import halfspace, points_at_distance, sign_rule

WEIGHTS, OFFSET = np.array([1.0, -2.0, 0.5, 3.0]), 0.7
LENGTH = np.linalg.norm(WEIGHTS)
BOTH_VOTERS = pytest.mark.parametrize("make", [halfspace, sign_rule])


def random_points(n_points, seed=0):
    return np.random.default_rng(seed).normal(size=(n_points, len(WEIGHTS)))


def within_binomial_bounds(k, m, p):
    """Is k a plausible count of m trials of probability p (two-sided, 10^-6)?"""
    low, high = stats.binom.interval(1 - 1e-6, m, p)
    return low <= k <= high


@BOTH_VOTERS
def test_g_equals_f_wherever_it_does_not_abstain(make):
    f = make(WEIGHTS, OFFSET)
    X = random_points(400)
    g = SmoothedClassifier(f, method="monte_carlo", sigma=0.5, n=2000, random_state=0)
    prediction = g.predict(X)
    answered = prediction != -1
    assert answered.mean() > 0.9
    np.testing.assert_array_equal(prediction[answered], f.predict(X)[answered])
    never = SmoothedClassifier(
        f, method="monte_carlo", sigma=0.5, n=2000, random_state=0, abstain_label=None
    )
    np.testing.assert_array_equal(never.predict(X)[answered], prediction[answered])


@pytest.mark.parametrize("distance", [0.1, 0.5, 1.0])
def test_rate_of_overclaimed_radii(distance):
    """The rate of radii beyond the true one, against its exact value."""
    sigma, n, alpha = 0.5, 500, 0.1
    m = 3000
    X = points_at_distance(WEIGHTS, OFFSET, distance, m)
    g = SmoothedClassifier(
        halfspace(WEIGHTS, OFFSET),
        method="monte_carlo",
        sigma=sigma,
        n=n,
        alpha=alpha,
        random_state=0,
    )
    prediction, radius = g.certify(X)
    false = (prediction != 1) & (prediction != -1) | (radius > distance)
    k = np.arange(n + 1)
    p = norm.cdf(distance / sigma)
    over = lower_confidence_bound(k, n, alpha) > p
    exact = stats.binom.pmf(k, n, p)[over].sum()
    assert 0 < exact <= alpha
    assert within_binomial_bounds(false.sum(), m, exact)


@BOTH_VOTERS
def test_rate_of_wrong_predictions(make):
    """Just beside the boundary, where naming either class is nearly as likely."""
    n, alpha, m = 60, 0.2, 1000
    X = points_at_distance(WEIGHTS, OFFSET, 1e-9, m)
    g = SmoothedClassifier(
        make(WEIGHTS, OFFSET),
        method="monte_carlo",
        sigma=0.5,
        n=n,
        alpha=alpha,
        stopping="fixed",
        random_state=0,
    )
    wrong = g.predict(X) == 0
    k = np.arange(n + 1)
    lost = [k_1 < n / 2 and stats.binomtest(k_1, n).pvalue <= alpha for k_1 in k]
    exact = stats.binom.pmf(k, n, 0.5)[lost].sum()
    assert alpha / 4 < exact <= alpha / 2
    assert within_binomial_bounds(wrong.sum(), m, exact)


@pytest.mark.parametrize(("n", "least"), [(100_000, 0.97), (1_000_000, 0.99)])
@pytest.mark.parametrize("distance", [0.25, 0.5, 0.75, 1.0])  # 0.5 to 2 sigma
def test_radius_approaches_the_distance(distance, n, least):
    f = halfspace(WEIGHTS, OFFSET)
    g = SmoothedClassifier(f, method="monte_carlo", sigma=0.5, n=n, random_state=1)
    _, radius = g.certify(points_at_distance(WEIGHTS, OFFSET, distance, 20))
    assert np.all(radius <= distance)
    assert np.median(radius) / distance > least


def test_ratio_to_the_distance_grows_with_n():
    """With the expected number of votes; it cannot be better than Clopper-Pearson."""
    for distance in np.arange(0.5, 2.01, 0.25):
        ratios = []
        for n in (1_000, 10_000, 100_000, 1_000_000):
            k = int(n * norm.cdf(distance))
            p_lower = lower_confidence_bound(k, n, 0.001)
            ratios.append(radius_from_probabilities(p_lower) / distance)
        assert ratios == sorted(ratios)
        assert 0.99 < ratios[-1] < 1


def test_perturbations_inside_and_outside_the_radius():
    """Inside, none of 1,000 directions flips g; just outside, the worst one does."""
    f = halfspace(WEIGHTS, OFFSET)
    x = points_at_distance(WEIGHTS, OFFSET, 0.6, 1)
    g = SmoothedClassifier(
        f,
        method="monte_carlo",
        sigma=0.5,
        n=100_000,
        abstain_label=None,
        random_state=0,
    )
    prediction, radius = g.certify(x)
    assert prediction == [1]
    directions = np.random.default_rng(0).normal(size=(1000, len(WEIGHTS)))
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    inside = np.vstack([directions, -WEIGHTS / LENGTH]) * 0.999 * radius
    assert np.all(g.predict(x + inside) == 1)
    flipped = x - 1.001 * 0.6 * WEIGHTS / LENGTH
    # g = f exactly; f has flipped, and so has the majority of the votes of g
    assert f.predict(flipped) == [0]
    big = SmoothedClassifier(
        f,
        method="monte_carlo",
        sigma=0.01,
        n=100_000,
        abstain_label=None,
        random_state=0,
    )
    assert big.predict(flipped) == [0]


@pytest.mark.filterwarnings("ignore:sigma is small for the units of X")
def test_ellipsoid_of_per_feature_sigma():
    """The certified set touches the boundary exactly: support function of w."""
    sigma = np.array([0.5, 0.25, 0.0, 1.0])
    f = halfspace(WEIGHTS, OFFSET)
    reach = np.linalg.norm(WEIGHTS * sigma)
    X = random_points(300)
    margin = X @ WEIGHTS + OFFSET
    g = SmoothedClassifier(
        f, method="monte_carlo", sigma=sigma, n=100_000, random_state=0
    )
    certificate = g.certify(X)
    certified = certificate.certified
    # Largest drop of w.x inside {sum (delta_i / sigma_i)^2 < R^2} is R |w * sigma|.
    exact = np.abs(margin) / reach
    assert np.all(certificate.radius[certified] <= exact[certified])
    close = certified & (exact > 1) & (exact < 2)
    assert close.sum() > 20
    assert np.all(certificate.radius[close] / exact[close] > 0.97)
    half_axes = certificate.half_axes
    np.testing.assert_allclose(half_axes, np.outer(certificate.radius, sigma))
    # The worst point of the ellipsoid: g keeps its class there, and has lost it just
    # beyond the exact ellipsoid.
    worst = -np.sign(margin)[:, None] * sigma**2 * WEIGHTS / reach
    never = SmoothedClassifier(
        f,
        method="monte_carlo",
        sigma=sigma / 100,
        n=2000,
        abstain_label=None,
        random_state=0,
    )
    some = np.flatnonzero(close)
    inside = X[some] + 0.999 * certificate.radius[some, None] * worst[some]
    np.testing.assert_array_equal(never.predict(inside), certificate.prediction[some])
    outside = X[some] + 1.01 * exact[some, None] * worst[some]
    np.testing.assert_array_equal(
        never.predict(outside), 1 - certificate.prediction[some]
    )


def test_nothing_is_certified_on_the_boundary():
    m, alpha = 2000, 0.05
    X = points_at_distance(WEIGHTS, OFFSET, 0.0, m)
    g = SmoothedClassifier(
        halfspace(WEIGHTS, OFFSET),
        method="monte_carlo",
        n=100,
        n0=10,
        alpha=alpha,
        random_state=0,
    )
    certified = g.certify(X).certified.sum()
    k = np.arange(101)
    exact = stats.binom.pmf(k, 100, 0.5)[lower_confidence_bound(k, 100, alpha) > 0.5]
    assert within_binomial_bounds(certified, m, exact.sum())
    assert exact.sum() <= alpha
