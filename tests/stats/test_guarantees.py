"""The three guarantees that turn class probabilities into a radius."""

import time

import mpmath
import numpy as np
import pytest

from sksmooth.stats import radius_from_probabilities

GUARANTEES = ("cohen", "li", "lecuyer")


def all_three(p_a, p_b=None):
    return [radius_from_probabilities(p_a, p_b, guarantee=g) for g in GUARANTEES]


def test_order_with_the_rest_as_runner_up():
    tail = 10.0 ** -np.arange(1, 16)
    p_a = np.unique(np.r_[np.linspace(0, 1, 4001), 1 - tail, 0.5 + tail])
    cohen, li, lecuyer = all_three(p_a)
    assert np.all(cohen >= li)
    # Next to 1/2 the rounding of "li" towards 0 is larger than "lecuyer" itself.
    assert np.all(li >= lecuyer - 1e-7)
    inside = (p_a > 0.5 + 1e-6) & (p_a < 1)
    assert np.all(li[inside] > 2 * lecuyer[inside])
    assert np.all(cohen[inside] > li[inside])
    assert np.all(lecuyer[inside] > 0)


def pairs():
    tail = 10.0 ** -np.arange(1, 16)
    values = np.unique(np.r_[np.linspace(0, 1, 251), tail, 1 - tail])
    p_a, p_b = (array.ravel() for array in np.meshgrid(values, values))
    possible = p_a + p_b <= 1
    return p_a[possible], p_b[possible]


def test_order_with_a_weaker_runner_up():
    p_a, p_b = pairs()
    cohen, li, lecuyer = all_three(p_a, p_b)
    assert np.all(cohen >= li)
    assert np.all(cohen >= lecuyer)
    likely = p_a > 0.11
    assert np.all(li[likely] >= lecuyer[likely] - 1e-7)


def reference(guarantee, p_a, p_b):
    """The maximum over a fine grid, to 30 digits."""
    p_a, p_b = mpmath.mpf(p_a), mpmath.mpf(p_b)
    if guarantee == "lecuyer":
        largest = min(mpmath.mpf(1), mpmath.log(p_a / p_b) / 2)
        grid = [largest * i / 1000 for i in range(1, 1001)]
        gaps = [(b, p_a - mpmath.exp(2 * b) * p_b) for b in grid]
        return max(
            b / mpmath.sqrt(2 * mpmath.log(1.25 * (1 + mpmath.exp(b)) / gap))
            for b, gap in gaps
            if gap > 0
        )
    radii = []
    for i in range(-300, 900):
        a = mpmath.mpf(10) ** (mpmath.mpf(i) / 200 + mpmath.mpf(10) ** -12)
        mean = ((p_a ** (1 - a) + p_b ** (1 - a)) / 2) ** (1 / (1 - a))
        radii.append(mpmath.sqrt(-2 / a * mpmath.log(1 - p_a - p_b + 2 * mean)))
    return max(radii)


def test_li_is_not_above_lecuyer_for_improbable_classes():
    """Known and documented; the formulas say so themselves."""
    cohen, li, lecuyer = all_three(0.01, 1e-4)
    assert cohen > lecuyer > 2 * li
    with mpmath.workdps(30):
        assert reference("lecuyer", 0.01, 1e-4) > 2 * reference("li", 0.01, 1e-4)


@pytest.mark.parametrize("guarantee", ["li", "lecuyer"])
@pytest.mark.parametrize(
    ("p_a", "p_b"),
    [(0.9, 0.1), (0.6, 0.4), (0.99, 0.01), (0.999999, 1e-6), (0.5, 0.2), (0.3, 0.05)],
)
def test_equals_the_formula_to_30_digits(guarantee, p_a, p_b):
    with mpmath.workdps(30):
        expected = float(reference(guarantee, p_a, p_b))
    radius = radius_from_probabilities(p_a, p_b, guarantee=guarantee)
    # The search beats the grid, by little.
    assert expected * (1 - 1e-7) <= radius <= expected * (1 + 1e-3)


@pytest.mark.parametrize("guarantee", ["li", "lecuyer"])
def test_monotone(guarantee):
    p_a = np.linspace(0.5, 1, 2001)
    radius = radius_from_probabilities(p_a, guarantee=guarantee)
    assert np.all(np.diff(radius) > 0)
    p_b = np.linspace(0, 0.4, 2001)
    radius = radius_from_probabilities(0.6, p_b, guarantee=guarantee)
    assert np.all(np.diff(radius) < 0)


@pytest.mark.parametrize("guarantee", ["li", "lecuyer"])
def test_edges(guarantee):
    def radius(p_a, p_b=None, sigma=1.0):
        return radius_from_probabilities(p_a, p_b, sigma=sigma, guarantee=guarantee)

    assert radius(0.5) == radius(0.2) == radius(0.0) == 0
    assert radius(0.3, 0.3) == radius(0.2, 0.3) == radius(0.0, 0.0) == 0
    assert radius(0.9, 0.0) > radius(0.9, 1e-12) > radius(0.9, 0.1) > 0
    assert radius(0.9, sigma=0.5) == pytest.approx(radius(0.9) / 2, rel=1e-15)
    assert radius([]).shape == radius([], []).shape == (0,)
    assert radius([[0.6], [0.7]], [0.1, 0.2, 0.3]).shape == (2, 3)
    assert isinstance(radius(0.9), float)


def test_probabilities_at_the_edge_of_floating_point():
    p_a, p_b = [1 - 2**-53, 5e-324, 0.6, 1.0], [1e-320, 0.0, 5e-324, 5e-324]
    cohen, li, lecuyer = all_three(p_a, p_b)
    for radius in (li, lecuyer):
        assert np.all((radius >= 0) & (radius <= cohen))
        assert np.all(radius[[0, 2, 3]] > 0)


def test_certainty():
    assert radius_from_probabilities(1.0, guarantee="li") == np.inf
    # b = 1: 1 / sqrt(2 ln(1.25 (1 + e))).
    assert radius_from_probabilities(1.0, guarantee="lecuyer") == pytest.approx(
        1 / np.sqrt(2 * np.log(1.25 * (1 + np.e))), rel=1e-12
    )


def test_li_takes_probabilities_that_sum_to_more_than_one_as_less():
    radius = radius_from_probabilities(0.9, [0.2, 0.5], guarantee="li")
    assert radius[0] == pytest.approx(
        radius_from_probabilities(0.8, 0.2, guarantee="li"), rel=1e-12
    )
    assert radius[1] == 0


@pytest.mark.parametrize("guarantee", GUARANTEES)
def test_ten_thousand_are_fast(guarantee):
    p_a = np.linspace(0.4, 1, 10_000)
    start = time.process_time()
    radius_from_probabilities(p_a, guarantee=guarantee)
    assert time.process_time() - start < 2


def test_unknown_guarantee():
    with pytest.raises(ValueError, match="guarantee must be one of cohen, lecuyer, li"):
        radius_from_probabilities(0.9, guarantee="levine")
