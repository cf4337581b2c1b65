import numpy as np
import pytest
from scipy.stats import norm

from sksmooth.stats import (
    max_certifiable_radius,
    radius_from_probabilities,
    required_samples,
)


def test_theorem_1_is_tight_for_linear_classifiers():
    """A halfspace at distance d has p_a = Phi(d / sigma): the radius is d."""
    distance = np.linspace(0.01, 3, 50)
    for sigma in (0.1, 1.0, 7.0):
        p_a = norm.cdf(distance / sigma)
        inside = p_a < 1 - 1e-12
        radius = radius_from_probabilities(p_a[inside], sigma=sigma)
        np.testing.assert_allclose(radius, distance[inside], rtol=1e-3)


def test_worst_case_classifier_of_theorem_1():
    """Three parallel slabs: the runner-up catches up exactly at the radius."""
    p_a, p_b, sigma = 0.5, 0.2, 0.7
    a, b = sigma * norm.ppf(p_a), -sigma * norm.ppf(p_b)
    radius = radius_from_probabilities(p_a, p_b, sigma=sigma)
    # c_A is everything below a, c_B everything above b, in the direction of delta.
    at = norm.cdf((a - radius) / sigma), norm.sf((b - radius) / sigma)
    assert at[0] == pytest.approx(at[1], rel=1e-12)


def test_shortcut_equals_theorem_1_with_the_rest():
    p_a = np.linspace(0.5, 0.999, 20)
    np.testing.assert_allclose(
        radius_from_probabilities(p_a, sigma=2.0),
        radius_from_probabilities(p_a, 1 - p_a, sigma=2.0),
        atol=1e-12,
    )


def test_edges():
    assert radius_from_probabilities(0.5) == 0
    assert radius_from_probabilities(0.2) == 0
    assert radius_from_probabilities(0.0, 0.0) == 0
    assert radius_from_probabilities(1.0) == np.inf
    assert radius_from_probabilities([]).shape == (0,)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"p_a": 1.1}, "p_a must lie in"),
        ({"p_a": np.nan}, "p_a must lie in"),
        ({"p_a": 0.9, "p_b": -0.1}, "p_b must lie in"),
        ({"p_a": 0.9, "sigma": 0.0}, "sigma must be positive"),
    ],
)
def test_bad_input(arguments, message):
    with pytest.raises(ValueError, match=message):
        radius_from_probabilities(**arguments)


@pytest.mark.parametrize("alpha", [0.9, 0.5, 0.05, 1e-3, 1e-10])
@pytest.mark.parametrize("sigma", [0.1, 1.0])
def test_required_samples_is_the_fewest(alpha, sigma):
    for radius in sigma * np.array([0, 0.1, 0.5, 1, 2, 3, 4, 5, 6]):
        n = required_samples(radius, sigma, alpha)
        assert max_certifiable_radius(n, sigma, alpha) >= radius
        assert max_certifiable_radius(n, sigma, alpha) > 0
        if n > 1:
            fewer = max_certifiable_radius(n - 1, sigma, alpha)
            assert fewer < radius or fewer == 0


def test_four_sigma_need_about_100_000_votes():
    """Figure 5 (right) of the paper."""
    assert 1e5 < required_samples(4.0, 1.0, 0.001) < 3e5
    assert max_certifiable_radius(100_000, 1.0, 0.001) == pytest.approx(3.81, abs=0.01)


def test_no_feasible_number_of_samples():
    with pytest.raises(ValueError, match="choose a larger sigma"):
        required_samples(10.0, 1.0, 0.001)
    with pytest.raises(ValueError, match="radius must be a finite number >= 0"):
        required_samples(-1.0, 1.0, 0.001)
