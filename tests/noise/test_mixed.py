"""Numbers and categories at once: reference values, 30 digits, a grid of both."""

from fractions import Fraction

import mpmath
import numpy as np
import pytest
from scipy.special import ndtr

from sksmooth.noise import Gaussian
from sksmooth.noise._flips import changed_regions
from sksmooth.noise._mixed import needed, radius, radius_of_rest, worst
from sksmooth.noise._sparse_flips import sparse_regions
from tests.noise.exact import mixed_worst


def flips(*columns):
    return changed_regions((Fraction(a), n) for a, n in columns)


REGIONS = {
    "none": flips(),
    "one of two": flips(("0.8", 2)),
    "three of ten": flips(*[("0.4", 10)] * 3),
    "all kinds": flips(("0.45", 2), ("0.55", 3), ("0.6", 7)),
    "hardly any noise": flips(("0.9999", 3)),
    "only noise": flips(("0.5", 2), ("0.25", 4)),
    "sparse": sparse_regions(Fraction(1, 50), Fraction(4, 5), 2, 1),
    "nothing is added": sparse_regions(Fraction(0), Fraction(3, 5), 1, 0),
}


@pytest.mark.parametrize(
    "a, n_values, p, radii",
    [
        ("0.8", 2, 0.99, (2.32634787, 1.92407887, 1.38845540, 0)),
        ("0.8", 3, 0.99, (2.32634787, 1.57611773, 0, 0)),
        ("0.8", 10, 0.999, (3.09023231, 1.99541015, 0, 0)),
        ("0.4", 10, 0.99, (2.32634787, 2.05071634, 1.73176323, 1.33899636)),
    ],
)
def test_radii(a, n_values, p, radii):
    for changes, value in enumerate(radii):
        regions = flips(*[(a, n_values)] * changes)
        assert round(float(radius(p, regions)), 8) == value


def test_needed():
    digits = (0.69146246, 0.95719586, 0.99391125, 0.99907023)
    for changes, value in enumerate(digits):
        regions = flips(*[("0.8", 3)] * changes)
        assert round(float(needed(0.5, regions)), 8) == value


@pytest.mark.parametrize("name", REGIONS)
def test_worst_is_below_the_truth_and_near(name):
    """To 30 digits, from next to no distance to far, from 1/2 to next to 1."""
    regions = REGIONS[name]
    rng = np.random.default_rng(1)
    rest = np.concatenate([rng.random(8), 10 ** -rng.uniform(1, 15, 8)])
    p, distance = 1 - rest, 10 ** rng.uniform(-4, 0.9, 16)
    got = worst(p, distance, regions)
    for one, s, value in zip(p, distance, got, strict=True):
        exact = mixed_worst(regions, 1 - Fraction(float(one)), float(s))
        assert 0 <= value <= exact
        assert exact - value < 1e-10


@pytest.mark.parametrize("name", REGIONS)
def test_radius_is_below_the_truth_and_near(name):
    regions = REGIONS[name]
    rest = 10 ** -np.random.default_rng(2).uniform(0.2, 14, 10)
    found = radius_of_rest(rest, regions)
    for one, value in zip(rest.tolist(), found.tolist(), strict=True):
        if value:
            assert mixed_worst(regions, one, value) > 0.5
        further = value * (1 + 1e-9) + 1e-6
        assert mixed_worst(regions, one, further) < 0.5
    assert np.count_nonzero(found) >= 2


def test_radius_with_a_runner_up():
    rng = np.random.default_rng(3)
    for name in ("one of two", "three of ten", "all kinds"):
        regions = REGIONS[name]
        rest = 10 ** -rng.uniform(0.1, 8, 6)
        runner_up = rest * rng.random(6)
        found = radius_of_rest(rest, regions, runner_up)
        assert np.all(found >= radius_of_rest(rest, regions))
        for one, other, value in zip(rest, runner_up, found, strict=True):
            if value:
                left = mixed_worst(regions, one, value)
                assert left + mixed_worst(regions, other, value) > 1
            further = value * (1 + 1e-9) + 1e-6
            left = mixed_worst(regions, one, further)
            assert left + mixed_worst(regions, other, further) < 1
        assert np.count_nonzero(found) >= 2


def test_of_numbers_alone_it_is_the_known_radius():
    p = np.array([0.3, 0.5, 0.6, 0.9, 0.99, 1 - 1e-9])
    gaussian = Gaussian().bind(1.0)
    got = radius(p, flips())
    assert np.all(got <= gaussian.radius(p))
    np.testing.assert_allclose(got, gaussian.radius(p), rtol=0, atol=1e-10)
    got = radius(p, flips(), (1 - p) / 3)
    np.testing.assert_allclose(got, gaussian.radius(p, (1 - p) / 3), atol=1e-10)


def test_certified_at_a_radius_is_more_than_is_needed():
    rng = np.random.default_rng(4)
    for regions in (REGIONS["one of two"], REGIONS["three of ten"]):
        p = 1 - 10 ** -rng.uniform(0.4, 6, 40)
        found = radius(p, regions)
        least = needed(found, regions)
        assert np.all((p > least - 1e-9)[found > 0])
        assert np.all(worst(p, found, regions)[found > 0] > 0.5)
        for s in (0.1, 1.0):
            above = needed(s, regions)
            with mpmath.workdps(30):
                assert mixed_worst(regions, 1 - Fraction(float(above)), s) >= 0.5
            assert worst(above + 1e-9, s, regions) > 0.5


def test_no_set_on_a_grid_of_both_does_better():
    """Numbers cut into 40,000 cells, which are sorted: a coarser view of both."""
    edges = np.linspace(-8, 8, 40_001)
    for name, s in (("all kinds", 0.7), ("three of ten", 1.5), ("one of two", 0.05)):
        regions = REGIONS[name]
        masses = np.array(regions.masses, dtype=float)
        here = np.outer(masses[:, 0], np.diff(ndtr(edges))).ravel()
        there = np.outer(masses[:, 1], np.diff(ndtr(edges - s))).ravel()
        middle = (edges[1:] + edges[:-1]) / 2
        ratio = np.add.outer(np.log(masses[:, 1] / masses[:, 0]), s * middle)
        order = np.argsort(ratio.ravel())
        reached = np.cumsum(here[order])
        left = np.cumsum(there[order])
        for p in (0.2, 0.6, 0.95, 0.999, 0.99999):
            best = np.interp(p, reached, left)
            bound = worst(p, s, regions)
            assert bound <= best + 1e-12
            assert best - bound < 1e-5
