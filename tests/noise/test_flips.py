"""Flips of categories: reference values, all adversaries of small domains, rounding."""

from fractions import Fraction
from itertools import combinations, product

import numpy as np
import pytest

from sksmooth.noise import _flips
from sksmooth.noise._flips import (
    SCALE,
    changed_regions,
    column_regions,
    flip_regions,
    flip_threshold,
    stays,
    worst_columns,
)
from sksmooth.noise._regions import Regions, rest_of, round_down, round_up
from tests.noise.exact import exact_worst, joint_masses, knots, least_of_all_sets

HALF = Fraction(1, 2)


@pytest.mark.parametrize(
    "a, n_values, needed",
    [
        ("0.8", 2, (0.5, 0.875, 0.96875, 0.9921875)),
        ("0.8", 3, (0.5, 0.9375, 0.9921875, 0.99902344)),
        ("0.8", 10, (0.5, 0.98611111, 0.99961420, 0.99998928)),
        ("0.6", 10, (0.5, 0.96296296, 0.98765432, 0.99835391)),
    ],
)
def test_needed(a, n_values, needed):
    for changes, value in enumerate(needed):
        regions = changed_regions([(Fraction(a), n_values)] * changes)
        assert round(float(regions.needed()), 8) == value


def test_needed_of_two_kinds_of_columns():
    a = Fraction(4, 5)
    assert changed_regions([(a, 2), (a, 5)]).needed() == Fraction("0.9921875")


@pytest.mark.parametrize(
    "name, a, n_values", [("mnist_0.8", "0.8", 2), ("imagenet_0.2", "0.2", 256)]
)
def test_published_thresholds(published, name, a, n_values):
    """Lee, Yuan, Chang and Jaakkola (2019): 20 digits, some of them rounded up."""
    file = published / "flips" / f"lee2019_{name}.txt"
    lines = file.read_text(encoding="utf-8").splitlines()[1:]
    assert len(lines) >= 10
    for line in lines:
        changes, value, _ = line.split(maxsplit=2)
        regions = changed_regions([(Fraction(a), n_values)] * int(changes))
        assert abs(regions.needed() - Fraction(value)) <= Fraction(1, 10**20)


def test_thresholds_of_lee_et_al_as_rationals():
    """The same without the file: a = .8 of two values, a = .2 of 256."""
    two = [changed_regions([(Fraction("0.8"), 2)] * k).needed() for k in range(8)]
    digits = "0.5 0.875 0.96875 0.9921875 0.99275 0.9969875 0.999006875 0.99970371875"
    assert two == [Fraction(value) for value in digits.split()]
    one = changed_regions([(Fraction("0.2"), 256)]).needed()
    assert one == HALF + Fraction(1, 5) - Fraction(4, 5) / 255  # the middle line


@pytest.mark.parametrize("n_values", [2, 3, 7])
@pytest.mark.parametrize("flip", [0, 1, 2**20, SCALE // 2, SCALE - 1, SCALE])
def test_one_column_has_three_lines(n_values, flip):
    a = stays(flip, n_values)
    beta = (1 - a) / (n_values - 1)
    assert beta == Fraction(flip, SCALE * n_values)
    regions = column_regions(a, n_values)
    assert sum(here for here, _ in regions.masses) == 1
    assert sum(there for _, there in regions.masses) == 1
    for p in (Fraction(i, 60) for i in range(61)):
        lines = [beta * p / a, p - (a - beta), 1 - a / beta * (1 - p) if beta else 0]
        # With flips of 0, what has p < 1 here may have none there.
        assert exact_worst(regions, p) == (max(lines) if beta else 0)


def test_no_flips_prove_nothing_and_flips_alone_all():
    assert flip_regions(0, (3, 3), 1).needed() == 1
    assert flip_regions(0, (3, 3), 1).worst([0.5, 1]).tolist() == [0, 0]
    assert flip_regions(SCALE, (3, 3), 2).needed() == HALF
    assert flip_regions(SCALE, (3, 3), 2).masses == ((1, 1),)
    assert flip_regions(0, (3, 3), 0).needed() == HALF


def certified_changes(rest, threshold, n_values, runner_up=None):
    """How many categories may change: -1 where the class is not certified at all."""
    found = np.full(np.shape(rest), -1)
    for changes in range(1 + sum(n > 1 for n in n_values)):
        ahead = flip_regions(threshold, n_values, changes).ahead(rest, runner_up)
        found = np.where(ahead, changes, found)
    return found


class TestAllAdversaries:
    """Every x' and every set of points of a small domain."""

    @staticmethod
    def check(sizes, threshold):
        columns = []
        for n in sizes:
            a = stays(threshold, n)
            beta = Fraction(threshold, SCALE * n)
            columns.append(
                [[a if v == w else beta for w in range(n)] for v in range(n)]
            )
        x = (0,) * len(sizes)
        here = joint_masses(columns, x)
        tight = set()
        for other in product(*map(range, sizes)):
            changes = sum(v != 0 for v in other)
            there = joint_masses(columns, other)
            regions = flip_regions(threshold, tuple(sizes), changes)
            least = least_of_all_sets(here, there)
            for p, lost in least.items():
                bound = exact_worst(regions, p)
                assert lost >= bound
                tight |= {(changes, p)} if lost == bound else set()
        for changes in range(sum(n > 1 for n in sizes) + 1):
            # Where the bound bends, some set and some x' reach it.
            for p in knots(flip_regions(threshold, tuple(sizes), changes)):
                assert (changes, p) in tight

    @pytest.mark.parametrize("threshold", [SCALE // 4, 3 * SCALE // 4 + 1])
    @pytest.mark.parametrize("sizes", [(2, 3), (4, 2), (3, 3), (2, 2, 2), (1, 5)])
    def test_none_does_better(self, sizes, threshold):
        self.check(sizes, threshold)


class TestWorstColumns:
    def test_those_with_most_values(self):
        assert worst_columns((2, 5, 1, 3), 2) == (5, 3)
        assert worst_columns((2, 5, 1, 3), 0) == ()

    def test_capped_at_the_columns_that_can_change(self):
        assert worst_columns((2, 5, 1, 3), 9) == (5, 3, 2)
        assert (
            flip_regions(2**31, (2, 1), 5).masses == flip_regions(2**31, (2,), 1).masses
        )

    @pytest.mark.parametrize("threshold", [SCALE // 10, SCALE // 2, SCALE - 7])
    def test_no_other_choice_is_worse(self, threshold):
        sizes = (2, 3, 5, 9)
        for changes in (1, 2, 3):
            bound = flip_regions(threshold, sizes, changes)
            for few in range(changes + 1):
                for some in combinations(sizes, few):
                    other = changed_regions((stays(threshold, n), n) for n in some)
                    for p in {*knots(bound), *knots(other)}:
                        assert exact_worst(bound, p) <= exact_worst(other, p)

    def test_also_at_one_a_for_all(self):
        a = Fraction(3, 5)
        for few, many in ((2, 3), (3, 4), (4, 50)):
            for third in (2, 5):
                bound = changed_regions([(a, many), (a, third)])
                other = changed_regions([(a, few), (a, third)])
                for p in {*knots(bound), *knots(other)}:
                    assert exact_worst(bound, p) <= exact_worst(other, p)

    def test_the_smaller_column_is_made_of_the_larger(self):
        """The kernel of the documentation: a share of the others counts as v or v'."""
        threshold = SCALE // 3
        for few, many in ((2, 3), (3, 7), (5, 200)):
            q = Fraction(many - few, few * (many - 2))
            a, beta = stays(threshold, many), Fraction(threshold, SCALE * many)
            rest = (many - 2) * beta
            assert a + q * rest == stays(threshold, few)
            assert beta + q * rest == Fraction(threshold, SCALE * few)
            assert 0 <= 1 - 2 * q

    def test_many_columns_of_all_sizes_stay_few_regions(self, monkeypatch):
        sizes = tuple(range(2, 22))
        regions = flip_regions(2**31, sizes, 20)
        assert len(regions) <= _flips._MOST_REGIONS
        exact = flip_regions(2**31, sizes, 5)
        monkeypatch.setattr(_flips, "_MOST_REGIONS", 50)
        columns = worst_columns(sizes, 5)
        assert columns == (21, 20, 20, 20, 20)
        safe = changed_regions((stays(2**31, n), n) for n in columns)
        for p in {*knots(exact), *knots(safe)}:
            assert exact_worst(safe, p) <= exact_worst(exact, p)


class TestRounding:
    """Floats are on the safe side of rationals."""

    @pytest.mark.parametrize(
        "columns",
        [
            [],
            [("0.8", 2)],
            [("0.6", 10)] * 3,
            [("0.45", 2), ("0.55", 3), ("0.999", 7)],
            [("0.9999999", 1000)] * 4,
        ],
    )
    def test_worst_is_rounded_down(self, columns):
        regions = changed_regions((Fraction(a), n) for a, n in columns)
        rng = np.random.default_rng(0)
        bends = [float(p) for p in knots(regions)]
        p = np.concatenate([
            rng.random(200),
            1 - rng.random(100) ** 20,
            rng.random(100) ** 20,
            bends,
            np.clip(np.nextafter(bends, 0), 0, 1),
            np.clip(np.nextafter(bends, 2), 0, 1),
        ])  # fmt: skip
        got = regions.worst(p)
        for one, value in zip(p.tolist(), got.tolist(), strict=True):
            exact = exact_worst(regions, Fraction(one))
            assert 0 <= Fraction(value) <= exact
            assert exact - Fraction(value) <= Fraction(1, 10**15)
        assert np.all(np.diff(regions.worst(np.sort(p))) >= 0)
        assert regions.worst(0.0) == 0
        assert regions.worst(1.0) >= 1 - 1e-15

    @pytest.mark.parametrize("odds", [1023.999, 511.7, 300.3, 256.0])
    def test_every_rounding_counts_where_little_is_left(self, odds):
        """Where 1 - (a / beta) (1 - p) cancels, one unit too much would pass it."""
        for i in range(60):
            a = 1 - 1 / (1 + Fraction(odds) + Fraction(i, 3 * 2**44))
            regions = changed_regions([(a, 2)])
            p = round_up(a) + np.arange(40) * 2.0**-53
            for one, value in zip(p.tolist(), regions.worst(p).tolist(), strict=True):
                assert Fraction(value) <= exact_worst(regions, Fraction(one))

    def test_needed_is_where_the_bound_is_one_half(self):
        for columns in ([("0.8", 3)], [("0.3", 40)] * 2, [("0.99", 2), ("0.9", 5)]):
            regions = changed_regions((Fraction(a), n) for a, n in columns)
            for level in (HALF, Fraction(3, 4), Fraction(1, 1000)):
                needed = regions.needed(level)
                assert exact_worst(regions, needed) == level
            above = np.nextafter(round_up(regions.needed()), 2)
            assert regions.worst(above) <= exact_worst(regions, Fraction(float(above)))
        assert changed_regions([]).needed(Fraction(2)) == 1

    def test_helpers(self):
        for p in (0.0, 0.3, 2.0**-60, 0.5, 0.7, 1.0):
            assert Fraction(float(rest_of(p))) >= 1 - Fraction(p)
        assert rest_of([0, 0.5, 0.7, 1]).tolist() == [1, 0.5, 1 - 0.7, 0]
        third = Fraction(1, 3)
        assert Fraction(round_down(third)) < third < Fraction(round_up(third))
        assert round_down(HALF) == round_up(HALF) == 0.5
        assert np.nextafter(round_down(third), 1) == round_up(third)


class TestCertifiedChanges:
    def test_more_than_is_needed_and_no_more(self):
        sizes, threshold = (3, 1, 2, 5), flip_threshold(0.6)
        needed = [flip_regions(threshold, sizes, k).needed() for k in range(4)]
        for k, one in enumerate(needed):
            rest = np.array([round_down(1 - one) * (1 + s) for s in (-1e-12, 1e-12)])
            got = certified_changes(rest, threshold, sizes)
            assert got.tolist() == [k, k - 1]
        # All three that can change, and no more.
        assert certified_changes([0.0, 1.0], threshold, sizes).tolist() == [3, -1]

    def test_with_a_runner_up(self):
        sizes, threshold = (2, 2), flip_threshold(0.8)
        rest, runner_up = np.array([0.3, 0.3, 0.6, 0.6]), [0.3, 0.01, 0.1, 0.4]
        got = certified_changes(rest, threshold, sizes, runner_up)
        for p, other, changes in zip(1 - rest, runner_up, got, strict=True):
            for k in range(3):
                regions = flip_regions(threshold, sizes, k)
                left = exact_worst(regions, Fraction(p))
                left += exact_worst(regions, 1 - Fraction(other))
                assert (left > 1) == (k <= changes)
        assert set(got.tolist()) == {-1, 1, 2}

    def test_no_columns(self):
        assert certified_changes(0.1, 7, ()).tolist() == 0
        assert certified_changes(0.1, 7, (1, 1)).tolist() == 0


def test_equal_ratios_are_one_region():
    quarter = Fraction(1, 4)
    regions = Regions([(quarter, quarter), (HALF, HALF), (quarter, quarter), (0, 0)])
    assert regions.masses == ((1, 1),)
    assert len(changed_regions([(Fraction(4, 5), 3)] * 3)) == 7


def test_threshold():
    assert flip_threshold(0.5) == 2**31
    assert flip_threshold(1) == 2**32 and flip_threshold(0) == 0
    assert flip_threshold(0.1) == round(0.1 * 2**32)
    for wrong in (-0.1, 1.1, float("nan")):
        with pytest.raises(ValueError, match="flip must be a probability"):
            flip_threshold(wrong)
