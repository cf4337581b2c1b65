"""Sparse flips: reference values, and all adversaries of small domains."""

from fractions import Fraction
from itertools import product

import pytest

from sksmooth.noise._sparse_flips import sparse_regions
from tests.noise.exact import exact_worst, joint_masses, knots, least_of_all_sets


@pytest.mark.parametrize(
    "p_add, p_del, additions, deletions, needed",
    [
        ("0.01", "0.6", 0, 0, 0.5),
        ("0.01", "0.6", 1, 0, 0.825),
        ("0.01", "0.6", 0, 1, 0.69696970),
        ("0.01", "0.6", 0, 5, 0.95911629),
        ("0.01", "0.6", 1, 1, 0.89),
        ("0.02", "0.8", 1, 0, 0.6125),
        ("0.02", "0.8", 2, 0, 0.7503125),
        ("0.02", "0.8", 3, 0, 0.91913281),
    ],
)
def test_needed(p_add, p_del, additions, deletions, needed):
    regions = sparse_regions(Fraction(p_add), Fraction(p_del), additions, deletions)
    assert round(float(regions.needed()), 8) == needed


@pytest.mark.parametrize("x", [(0, 0, 0), (0, 1, 1), (1, 0, 1), (1, 1, 1)])
def test_all_adversaries(x):
    """Every x' and every set of noisy x: none loses more, and the bends are reached."""
    p_add, p_del = Fraction(1, 50), Fraction(7, 10)
    masses = [[[1 - p_add, p_add], [p_del, 1 - p_del]]] * 3
    here, tight = joint_masses(masses, x), set()
    for other in product((0, 1), repeat=3):
        pairs = list(zip(x, other, strict=True))
        budget = pairs.count((0, 1)), pairs.count((1, 0))
        regions = sparse_regions(p_add, p_del, *budget)
        for p, lost in least_of_all_sets(here, joint_masses(masses, other)).items():
            bound = exact_worst(regions, p)
            assert lost >= bound
            tight |= {(budget, p)} if lost == bound else set()
    for additions in range(x.count(0) + 1):
        for deletions in range(x.count(1) + 1):
            for p in knots(sparse_regions(p_add, p_del, additions, deletions)):
                assert ((additions, deletions), p) in tight


def test_fewer_changes_are_no_worse():
    rates = Fraction(1, 100), Fraction(3, 5)
    for additions in range(3):
        for deletions in range(3):
            few = sparse_regions(*rates, additions, deletions)
            for more in ((1, 0), (0, 1)):
                many = sparse_regions(*rates, additions + more[0], deletions + more[1])
                for p in {*knots(few), *knots(many)}:
                    assert exact_worst(many, p) <= exact_worst(few, p)


def test_without_noise_nothing_is_proved():
    assert sparse_regions(Fraction(0), Fraction(0), 1, 0).needed() == 1
    # Nothing is ever added: that there is a one tells x' from x.
    assert sparse_regions(Fraction(0), Fraction(3, 5), 1, 0).needed() == Fraction(5, 6)
