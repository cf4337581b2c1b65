"""Laplace noise and flips at once: reference values, 30 digits, a grid of both."""

import math

import numpy as np
import pytest

from sksmooth.noise import Laplace
from sksmooth.noise._mixed_laplace import needed, radius, radius_of_rest, worst
from tests.noise.exact import laplace_worst
from tests.noise.test_mixed import REGIONS, flips

ROOT_2 = math.sqrt(2)


@pytest.mark.parametrize(
    "a, n_values, p, radii",
    [
        ("0.8", 2, 0.99, (3.91202300, 2.59026716, 1.51982575, 0)),
        ("0.8", 3, 0.99, (3.91202300, 1.89711998, 0, 0)),
        ("0.8", 10, 0.999, (6.21460809, 2.69562768, 0, 0)),
        ("0.4", 10, 0.99, (3.91202300, 3.27070637, 2.43524305, 1.62359510)),
    ],
)
def test_radii(a, n_values, p, radii):
    """Those of docs/categories.md, in units of b, rounded down."""
    for changes, value in enumerate(radii):
        found = float(radius(p, flips(*[(a, n_values)] * changes))) * ROOT_2
        assert value <= found < value + 1.1e-8


def test_of_numbers_alone_it_is_laplace_noise():
    rng = np.random.default_rng(0)
    rest = np.concatenate([10 ** -rng.uniform(0, 14, 200), [0.5, 1.0]])
    p, s = 1 - rest, 4 * rng.random(202)
    laplace = Laplace().bind(1.0)
    np.testing.assert_allclose(
        worst(p, s, flips()), laplace.worst(p, s), rtol=1e-13, atol=1e-13
    )
    got, known = radius(p, flips()), laplace.radius(p)
    assert np.all(got <= known * (1 + 1e-14))
    np.testing.assert_allclose(got, known, rtol=0, atol=1e-11)
    got = radius_of_rest(rest, flips(), rest / 3)
    np.testing.assert_allclose(got, laplace.radius_of_rest(rest, rest / 3), atol=1e-11)
    np.testing.assert_allclose(needed(s, flips()), laplace.needed(s), rtol=1e-13)


@pytest.mark.parametrize("name", REGIONS)
def test_worst_is_below_the_truth_and_near(name):
    """To 30 digits, from next to no distance to far, from 1/2 to next to 1."""
    regions = REGIONS[name]
    rng = np.random.default_rng(1)
    p = 1 - np.concatenate([rng.random(8), 10 ** -rng.uniform(1, 15, 8)])
    distance = 10 ** rng.uniform(-4, 0.9, 16)
    got = worst(p, distance, regions)
    for one, s, value in zip(p, distance, got, strict=True):
        exact = laplace_worst(regions, 1 - one, float(s))
        assert 0 <= value <= exact
        assert exact - value < 1e-13


@pytest.mark.parametrize("name", REGIONS)
def test_radius_is_below_the_truth_and_near(name):
    regions = REGIONS[name]
    rest = 10 ** -np.random.default_rng(2).uniform(0.2, 14, 6)
    runner_up = rest * np.random.default_rng(3).random(6)
    for others in (None, runner_up):
        found = radius_of_rest(rest, regions, others)
        others = rest if others is None else others
        for one, other, value in zip(rest, others, found, strict=True):
            if value:
                left = laplace_worst(regions, one, value)
                assert left + laplace_worst(regions, other, value) > 1
            further = value + 1e-6 if value == 0 else value * (1 + 1e-10)
            left = laplace_worst(regions, one, further)
            assert left + laplace_worst(regions, other, further) < 1
        assert np.count_nonzero(found) >= 2


def test_needed_is_above_the_truth_and_near():
    for name in ("none", "one of two", "three of ten", "all kinds"):
        for s in (1e-3, 0.3, 1.7):
            p = float(needed(s, REGIONS[name]))
            assert laplace_worst(REGIONS[name], 1 - p, s) >= 0.5
            assert laplace_worst(REGIONS[name], 1 - p + 1e-13, s) < 0.5


def test_no_set_on_a_grid_of_both_does_better():
    """Numbers cut into 40,000 cells, which are sorted: a coarser view of both."""
    edges = np.linspace(-30, 30, 40_001)
    middle = (edges[1:] + edges[:-1]) / 2

    def cells(moved):
        cdf = np.where(
            edges < moved,
            np.exp(np.minimum(edges - moved, 0)) / 2,
            1 - np.exp(-np.maximum(edges - moved, 0)) / 2,
        )
        return np.diff(cdf)

    for name, r in (("all kinds", 0.9), ("three of ten", 2.1), ("one of two", 0.06)):
        regions = REGIONS[name]
        masses = np.array(regions.masses, dtype=float)
        here = np.outer(masses[:, 0], cells(0)).ravel()
        there = np.outer(masses[:, 1], cells(r)).ravel()
        of_numbers = np.abs(middle) - np.abs(middle - r)
        ratio = np.add.outer(np.log(masses[:, 1] / masses[:, 0]), of_numbers)
        order = np.argsort(ratio.ravel())
        reached, left = np.cumsum(here[order]), np.cumsum(there[order])
        for p in (0.2, 0.6, 0.95, 0.999, 0.99999):
            best = np.interp(p, reached, left)
            bound = worst(p, r / ROOT_2, regions)
            assert bound <= best + 1e-12
            assert best - bound < 1e-5


def test_no_move_along_several_axes_does_better():
    """Of two numbers and a flip, on a grid: every split of an l1 distance."""
    edges = np.linspace(-12, 12, 481)
    middle = (edges[1:] + edges[:-1]) / 2
    regions = REGIONS["one of two"]
    masses = np.array(regions.masses, dtype=float)

    def ratio_and_mass(r):
        cdf = np.where(
            edges < 0,
            np.exp(np.minimum(edges, 0)) / 2,
            1 - np.exp(-np.maximum(edges, 0)) / 2,
        )
        return np.abs(middle) - np.abs(middle - r), np.diff(cdf)

    for split in (0.0, 0.2, 0.5):
        first, mass = ratio_and_mass(split)
        second, _ = ratio_and_mass(1 - split)
        ratio = first[:, None] + second
        # Ratios in the middle of a cell: sets of them, of masses up to the grid's.
        both = np.add.outer(np.log(masses[:, 1] / masses[:, 0]), ratio).ravel()
        here = np.multiply.outer(masses[:, 0], np.multiply.outer(mass, mass)).ravel()
        order = np.argsort(both)
        reached = np.cumsum(here[order])
        left = np.cumsum(here[order] * np.exp(both[order]))
        for p in (0.3, 0.9, 0.99):
            best = np.interp(p, reached, left)
            assert worst(p, 1 / ROOT_2, regions) <= best + 2e-3
            if split == 0:
                assert best - worst(p, 1 / ROOT_2, regions) < 2e-3
            if split == 0.5 and p == 0.9:
                assert best - worst(p, 1 / ROOT_2, regions) > 1e-2
