"""What it costs to give up close votes, exactly: enumeration over the looks."""

import numpy as np
import pytest
from scipy import stats

from sksmooth.stats import sample_sizes
from sksmooth.stats._sequential import NameTopClass

SHARE = 0.05


def follow(n, alpha, p):
    """Follow the votes for a class of probability p, whether given up or not.

    Returns
    -------
    named, wrong, lost : float
        P(it is named), P(the other one is), and P(it would be named but is given up).

    votes : float
        Expected number.
    """
    looks = sample_sizes(n, 25)
    ever, rule = NameTopClass(looks, alpha, give_up=0), NameTopClass(looks, alpha)
    # Of votes that are not settled: as drawn, and those that were given up before.
    mass, lost_mass = np.ones(1), np.zeros(1)
    named = wrong = lost = votes = 0.0
    for look, m in enumerate(looks):
        step = stats.binom.pmf(np.arange(m - len(mass) + 2), m - len(mass) + 1, p)
        mass, lost_mass = np.convolve(mass, step), np.convolve(lost_mass, step)
        k = np.arange(m + 1)
        asked = np.full(m + 1, look), k, np.stack([k, m - k], axis=1)
        sure, _ = ever(*asked)
        same, settled = rule(*asked)
        np.testing.assert_array_equal(same, sure)
        assert np.all(settled[sure])
        ahead = sure & (2 * k > m)
        named += mass[ahead].sum()
        wrong += mass[sure & ~ahead].sum()
        lost += lost_mass[ahead].sum()
        over = settled | (m == n)
        votes += m * mass[over].sum()
        lost_mass = np.where(sure, 0, lost_mass + np.where(over & ~sure, mass, 0))
        mass = np.where(over, 0, mass)
    return named, wrong, lost, votes


@pytest.mark.parametrize(("n", "alpha"), [(60, 0.2), (100, 0.001), (3000, 0.01)])
def test_what_is_given_up(n, alpha):
    """At most the share that is allowed, at any p, and not nothing."""
    near = 0.5 + np.linspace(0, 6, 25) / np.sqrt(n) / 2
    named, wrong, lost, _ = np.transpose([follow(n, alpha, p) for p in near])
    assert SHARE / 10 < lost.max() <= SHARE
    assert lost.max() < 0.02  # as the docs say
    assert wrong.max() <= alpha / 2
    # Nothing else is lost: with what was given up, as many as without.
    looks = sample_sizes(n, 25)
    for p, all_named in zip(near[::8], (named + lost)[::8], strict=True):
        assert all_named == pytest.approx(_named_by_all(looks, alpha, p), abs=1e-12)


def _named_by_all(looks, alpha, p):
    """P(a class of probability p is named) where nothing is given up."""
    rule, mass, named = NameTopClass(looks, alpha, give_up=0), np.ones(1), 0.0
    for look, m in enumerate(looks):
        step = stats.binom.pmf(np.arange(m - len(mass) + 2), m - len(mass) + 1, p)
        mass, k = np.convolve(mass, step), np.arange(m + 1)
        sure, _ = rule(np.full(m + 1, look), k, np.stack([k, m - k], axis=1))
        named += mass[sure & (2 * k > m)].sum()
        mass = np.where(sure, 0, mass)
    return named


def test_what_it_saves():
    """Of the votes on a tie more than a third, and nearly nothing of clear ones."""
    *_, votes = follow(10_000, 0.001, 0.5)
    assert votes < 6_500


def test_more_than_two_classes_are_not_given_up():
    looks = sample_sizes(1_000, 25)
    rule, look = NameTopClass(looks, 0.001), len(looks) - 2
    for counts, expected in [([400, 400], True), ([400, 400, 0], False)]:
        _, settled = rule(np.array([look]), np.zeros(1, int), np.array([counts]))
        assert settled.tolist() == [expected]


def test_the_last_look_gives_nothing_up_by_itself():
    rule = NameTopClass(np.array([100]), 0.01)
    sure, settled = rule(np.zeros(1, int), np.zeros(1, int), np.array([[50, 50]]))
    assert sure.tolist() == settled.tolist() == [False]
