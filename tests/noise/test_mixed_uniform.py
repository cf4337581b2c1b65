"""Uniform noise and flips at once: the closed form against regions of both."""

from fractions import Fraction

import numpy as np
import pytest

from sksmooth.noise import Uniform
from sksmooth.noise._flips import SCALE, changed_regions, flip_regions, stays
from sksmooth.noise._mixed_uniform import (
    least_in_common,
    least_in_common_of_rest,
    needed,
    needed_in_common,
    radius_of_rest,
    worst,
    worst_in_common,
)
from sksmooth.noise._regions import Regions
from tests.noise.exact import exact_worst, joint_masses, knots, least_of_all_sets


def flips(*columns):
    return changed_regions((Fraction(a), n) for a, n in columns)


def joint(regions, common):
    """Uniform noise by itself has three regions: in common, only here, only there."""
    rest = 1 - common
    return (
        Regions([(common, common), (rest, Fraction(0)), (Fraction(0), rest)]) * regions
    )


ALL = [
    flips(),
    flips(("0.8", 2)),
    flips(("0.4", 10), ("0.4", 10)),
    flips(("0.45", 2), ("0.55", 3), ("0.6", 7)),
    flips(("1", 2)),
]


def test_without_categories_these_are_the_radii_of_uniform_noise():
    p = np.array([0.6, 0.9, 0.99])
    l1 = 2 * (1 - least_in_common(p, ALL[0]))
    np.testing.assert_allclose(l1, [0.2, 0.8, 0.98], atol=1e-14)
    with_runner_up = 2 * (1 - least_in_common(0.6, ALL[0], 0.1))
    np.testing.assert_allclose(with_runner_up, 0.5, atol=1e-14)
    linf = 2 * (1 - least_in_common(0.9, ALL[0]) ** 0.1)
    assert round(float(linf), 8) == 0.09959957


@pytest.mark.parametrize("regions", ALL)
def test_worst_is_below_the_exact_one_and_near(regions):
    for common in (1.0, 0.9, 0.77, 0.61, 0.5, 0.3, 2.0**-30, 0.0):
        both = joint(regions, Fraction(common))
        p = np.array([*map(float, knots(both)), 0.1, 0.77, 0.9999, 1 - 1e-12])
        got = worst_in_common(p, common, regions)
        for one, value in zip(p.tolist(), got.tolist(), strict=True):
            exact = exact_worst(both, Fraction(one))
            assert 0 <= Fraction(value) <= exact
            assert exact - Fraction(value) < Fraction(1, 10**14)


@pytest.mark.parametrize("regions", ALL)
def test_needed(regions):
    for common in (1.0, 0.9, 0.501, 0.3):
        share = Fraction(common)
        exact = joint(regions, share).needed()
        # The closed form: flips alone, at another level.
        assert exact == min(1, 1 - share + share * regions.needed(1 / (2 * share)))
        got = Fraction(float(needed_in_common(common, regions)))
        assert exact <= got <= exact + Fraction(1, 10**14)


@pytest.mark.parametrize("regions", ALL[:4])
def test_least_in_common(regions):
    """There what is left is 1/2, and not less."""
    rng = np.random.default_rng(0)
    rest = 10 ** -rng.uniform(0.3, 12, 50)
    found = least_in_common_of_rest(rest, regions)
    for one, value in zip(rest.tolist(), found.tolist(), strict=True):
        q, share = Fraction(one), Fraction(value)
        left = exact_worst(joint(regions, share), 1 - q)
        assert left >= Fraction(1, 2) or value == 1
        if value < 1:
            less = share - Fraction(1, 10**12)
            assert exact_worst(joint(regions, less), 1 - q) < Fraction(1, 2)
        else:
            assert exact_worst(regions, 1 - q) <= Fraction(1, 2)
    assert np.any(found < 1)


@pytest.mark.parametrize("regions", ALL[:4])
def test_least_in_common_with_a_runner_up(regions):
    rng = np.random.default_rng(1)
    rest = 10 ** -rng.uniform(0.1, 8, 40)
    runner_up = rest * rng.random(40)
    found = least_in_common_of_rest(rest, regions, runner_up)
    assert np.all(found <= least_in_common_of_rest(rest, regions))

    def left(share, one, other):
        both = joint(regions, share)
        return exact_worst(both, 1 - one) + exact_worst(both, 1 - other)

    for one, other, value in zip(rest, runner_up, found.tolist(), strict=True):
        one, other, share = Fraction(one), Fraction(other), Fraction(value)
        if value < 1:
            assert left(share, one, other) >= 1
            assert left(share - Fraction(1, 10**12), one, other) < 1
        else:
            assert left(share, one, other) <= 1
    assert np.any(found < 1)


def test_nothing_proves_nothing():
    assert least_in_common([0.99, 0.5, 0.0], flips(("1", 2))).tolist() == [1, 1, 1]
    assert least_in_common([0.5, 0.4, 0.0], ALL[0]).tolist() == [1, 1, 1]


def test_a_runner_up_has_no_more_than_all_others():
    rest = np.array([0.01, 0.2])
    for regions in ALL[:3]:
        alone = least_in_common_of_rest(rest, regions)
        with_bound = least_in_common_of_rest(rest, regions, [0.5, 0.2])
        np.testing.assert_allclose(with_bound, alone, rtol=1e-14)


def test_no_set_of_a_joint_grid_does_better():
    """Numbers uniform on four cells, moved by one or two, and a flipped category."""
    threshold = SCALE // 3
    a = stays(threshold, 2)
    flip = [[a, 1 - a], [1 - a, a]]
    for move in (0, 1, 2):
        numbers = [
            [Fraction(int(start <= cell < start + 4), 4) for cell in range(6)]
            for start in (0, move)
        ]
        for changes in (0, 1):
            here = joint_masses([numbers, flip], (0, 0))
            there = joint_masses([numbers, flip], (1, changes))
            common = 1 - Fraction(move, 4)
            bound = joint(flip_regions(threshold, (2,), changes), common)
            found = least_of_all_sets(here, there)
            assert all(lost >= exact_worst(bound, p) for p, lost in found.items())
            assert all(found[p] == exact_worst(bound, p) for p in knots(bound))


def test_at_distances_these_are_l1_radii():
    """In standard deviations, where the noise is sqrt(12) of them wide."""
    width = np.sqrt(12)
    p = np.array([0.6, 0.9, 0.99])
    found = radius_of_rest(1 - p, ALL[0])
    assert np.all(found <= width * (p - 0.5))
    np.testing.assert_allclose(found, width * (p - 0.5), rtol=0, atol=1e-13)
    uniform = Uniform().bind(1.0)
    np.testing.assert_allclose(found, uniform.radius(p), rtol=0, atol=1e-13)
    for regions in ALL:
        for distance in (0.0, 0.3, 1.0, 3.0):
            share = 1 - Fraction(distance) / Fraction(float(np.nextafter(width, 0)))
            exact = joint(regions, share)
            got = worst(p, distance, regions)
            for one, value in zip(p.tolist(), got.tolist(), strict=True):
                truth = exact_worst(exact, Fraction(one))
                assert truth - Fraction(1, 10**14) < value <= truth
            least = float(needed(distance, regions))
            assert exact.needed() <= least <= exact.needed() + Fraction(1, 10**14)
