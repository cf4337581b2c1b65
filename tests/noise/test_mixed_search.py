"""Numbers and categories at once: what holds for every kind of noise."""

from fractions import Fraction

import numpy as np
import pytest

from sksmooth.noise import _mixed, _mixed_laplace, _mixed_search, _mixed_uniform
from sksmooth.noise._flips import flip_regions
from sksmooth.noise._sparse_flips import sparse_regions
from tests.noise.test_mixed import REGIONS, flips

SEARCHED = [_mixed, _mixed_laplace]
ALL = [*SEARCHED, _mixed_uniform]


@pytest.mark.parametrize("kind", ALL)
def test_a_runner_up_has_no_more_than_all_others(kind):
    rest = np.array([1e-4, 0.03])
    regions = REGIONS["three of ten"]
    got = kind.radius_of_rest(rest, regions, [0.5, 0.03])
    np.testing.assert_allclose(got, kind.radius_of_rest(rest, regions), rtol=1e-13)


@pytest.mark.parametrize("kind", ALL)
def test_a_radius_is_one_at_which_the_bound_was_computed(kind):
    rng = np.random.default_rng(5)
    rest = np.concatenate([10 ** -rng.uniform(0.2, 15, 150), 0.5 - rng.random(50) / 50])
    runner_up = rest * rng.random(200)
    for name, regions in REGIONS.items():
        found = kind.radius_of_rest(rest, regions)
        # 1 - rest, and not that rounded, which would be another input.
        p = 1 - rest
        exact = 1 - p == rest
        some = exact & (found > 0)
        assert np.all(kind.worst(p, found, regions)[some] > 0.5), name
        found = kind.radius_of_rest(rest, regions, runner_up)
        q = 1 - runner_up
        some = exact & (1 - q == runner_up) & (found > 0)
        left = kind.worst(p, found, regions) + kind.worst(q, found, regions)
        assert np.all(left[some] > 1), name


@pytest.mark.parametrize("kind", ALL)
def test_worst_goes_one_way(kind):
    """Up with p, down with the distance and with what is changed."""
    p = np.concatenate([np.linspace(0, 1, 201), 1 - np.geomspace(1e-15, 0.1, 60)])
    p = np.sort(p)[:, None]
    distance = np.concatenate([[0.0], np.geomspace(1e-9, 40, 80)])
    before = np.ones((len(p), len(distance)))
    for changes in range(4):
        regions = flips(*[("0.7", 2), ("0.6", 3), ("0.55", 6)][:changes])
        left = kind.worst(p, distance, regions)
        slack = 1e-9 if kind is _mixed else 1e-14  # more than is taken off for safety
        assert np.all(np.diff(left, axis=0) >= -slack)
        assert np.all(np.diff(left, axis=1) <= slack)
        assert np.all(left <= before + slack)
        assert np.all((left >= 0) & (left <= np.maximum(p, 1e-300)))
        before = left


@pytest.mark.parametrize("kind", SEARCHED)
def test_a_row_does_not_depend_on_the_others(kind, monkeypatch):
    """Bit for bit, alone, in any part and in any order."""
    rng = np.random.default_rng(6)
    rest = 10 ** -rng.uniform(0.2, 9, 40)
    runner_up, p, s = rest * rng.random(40), 1 - rest, 3 * rng.random(40)
    for name in ("three of ten", "all kinds"):
        regions = REGIONS[name]
        monkeypatch.undo()
        whole = (
            kind.radius_of_rest(rest, regions),
            kind.radius_of_rest(rest, regions, runner_up),
            kind.worst(p, s, regions),
        )
        monkeypatch.setattr(_mixed_search, "_BLOCK", 50)
        for rows in ([5], [3, 39, 0], slice(10, 30), slice(None, None, -1)):
            part = (
                kind.radius_of_rest(rest[rows], regions),
                kind.radius_of_rest(rest[rows], regions, runner_up[rows]),
                kind.worst(p[rows], s[rows], regions),
            )
            for one, other in zip(part, whole, strict=True):
                np.testing.assert_array_equal(one, other[rows])


@pytest.mark.parametrize("kind", ALL)
def test_ends(kind):
    regions = REGIONS["one of two"]
    assert kind.worst(0.0, 2.0, regions) == 0
    at_once = regions.worst(0.9)
    np.testing.assert_allclose(kind.worst([0.9, 0.9], 0, regions), at_once, rtol=1e-14)
    assert kind.worst(0.9, 1e-9, regions) <= at_once
    gone = kind.worst([0.9, 1 - 1e-16, 0.0], [[1e5], [1e200], [np.inf]], regions)
    np.testing.assert_array_equal(gone, np.zeros((3, 3)))
    assert kind.needed(np.inf, regions) == 1
    assert kind.radius_of_rest([], regions).shape == (0,)
    assert kind.radius_of_rest([0.125, 0.5, 1.0], regions).tolist() == [0, 0, 0]
    assert 0 < kind.radius_of_rest(0.124, regions) < 0.1
    little = kind.radius_of_rest([1e-300, 1e-30], regions)
    assert little[0] >= little[1] > 1
    # Without flips, categories give all away.
    nothing = flip_regions(0, (2, 2), 1)
    assert kind.worst([0.9, 1.0], 0.5, nothing).tolist() == [0, 0]
    assert kind.radius_of_rest([0.1, 0.0], nothing).tolist() == [0, 0]
    assert kind.needed(0.5, nothing) == 1


@pytest.mark.parametrize("kind", SEARCHED)
def test_of_certainty_all_is_left_however_far(kind):
    regions = REGIONS["one of two"]
    assert np.all(kind.worst(1.0, [2.0, np.inf], regions) > 1 - 1e-15)
    assert kind.radius_of_rest(0.0, regions) == np.inf
    assert kind.radius([1.0, 0.9], regions, [0.5, 0.0]).tolist() == [np.inf] * 2


@pytest.mark.parametrize("kind", SEARCHED)
def test_what_has_nothing_here_may_have_some_there(kind):
    """No zero becomes a one, but a one of x' stays one with .4: a class of no votes."""
    regions = sparse_regions(Fraction(0), Fraction(3, 5), 1, 0)
    found = kind.radius_of_rest(0.1, regions, 0.0)
    assert 0 < found < np.inf
    # The other class has .4 there by itself.
    assert kind.worst(0.9, found, regions) + 0.6 > 1
    assert kind.worst(0.9, found * (1 + 1e-9), regions) + 0.6 <= 1


@pytest.mark.parametrize("kind", ALL)
def test_many_changes_of_rare_flips(kind):
    """Ratios beyond the largest float."""
    regions = flip_regions(1, (2,) * 40, 40)
    assert kind.worst(0.999, 0.5, regions) == 0
    assert kind.radius_of_rest([0.001, 1e-300], regions).tolist() == [0, 0]
    assert kind.needed(0.5, regions) == 1


@pytest.mark.parametrize("kind", SEARCHED)
def test_many_regions(kind):
    """Of 31 columns of three kinds: hundreds of them, some of hardly any mass."""
    regions = flip_regions(2**31, (2,) * 20 + (3,) * 6 + (4,) * 5, 6)
    regions = regions * flip_regions(2**32 // 3, (5,) * 9, 5)
    rest = np.geomspace(1e-40, 0.4, 25)
    found = kind.radius_of_rest(rest, regions)
    assert np.all(np.diff(found) <= 0)
    assert found[0] > 1
    assert found[-1] == 0
