"""Stopping rules and planning, exactly at their edges."""

from dataclasses import fields, replace

import numpy as np
import pytest
from scipy.stats import norm

from sksmooth.noise import Gaussian
from sksmooth.stats import (
    lower_confidence_bound,
    max_certifiable_radius,
    radius_from_probabilities,
    rank_verification_pvalue,
    required_samples,
    sample_sizes,
    split_alpha,
    upper_confidence_bound,
)
from sksmooth.stats._radius import radius_after_loss
from sksmooth.stats._sequential import (
    BoundProbability,
    CertifyKnownLabel,
    NameTopClass,
    fewest_votes_for_radius,
)
from sksmooth.votes._count import Asked, Votes
from sksmooth.votes.run._store import _questions

UNIT = Gaussian().bind(1.0)


def ask(rule, look, k):
    """Ask a rule about k votes of two classes, for class 0."""
    k = np.asarray(k)
    counts = np.stack([k, rule.looks[look] - k], axis=1)
    return rule(np.full(len(k), look), np.zeros(len(k), int), counts)


def known_label(looks, alpha, radii, sigma=1.0, loss=None, **settings):
    return CertifyKnownLabel(
        np.asarray(looks),
        alpha,
        np.atleast_1d(radii),
        Gaussian().bind(sigma),
        np.zeros(1, int),
        loss=None if loss is None else np.array([loss]),
        **settings,
    )


class TestTheLastCountThatCanStillWin:
    """A radius is given up where all votes that are left could not save it, only."""

    looks = np.array([40, 80, 160, 200])
    # The upper bound, at such a level, gives nothing up before the count does.
    never = 1e-15

    @pytest.mark.parametrize("alpha", [0.3, 0.01])
    @pytest.mark.parametrize("radius", [0.0, 0.4, 1.1, 1.9])
    @pytest.mark.parametrize("loss", [None, 0.0, 0.07])
    def test_of_a_known_label(self, alpha, radius, loss):
        rule = known_label(self.looks, alpha, radius, loss=loss, futility=self.never)
        alphas = split_alpha(alpha, len(self.looks))
        needed = [
            fewest_votes_for_radius(n, level, radius + (loss or 0.0), UNIT)
            for n, level in zip(self.looks.tolist(), alphas, strict=True)
        ]
        p_needed = norm.cdf(radius + (loss or 0.0))
        n_lost = 0
        for look, n in enumerate(self.looks[:-1].tolist()):
            k = np.arange(n + 1)
            accepted, settled = ask(rule, look, k)
            np.testing.assert_array_equal(accepted[:, 0], k >= needed[look])
            left = self.looks[look + 1 :] - n
            can_win = np.any(k[:, None] + left >= needed[look + 1 :], axis=1)
            hopeless = upper_confidence_bound(k, n, self.never) < p_needed
            expected = accepted[:, 0] | ~can_win | hopeless
            np.testing.assert_array_equal(settled, expected)
            n_lost += np.sum(~can_win & ~hopeless)
        assert n_lost > 0 or radius < 1

    @pytest.mark.parametrize("tolerance", [0.0, 0.2, 0.6])
    def test_of_a_tolerance(self, tolerance):
        """Votes go on as long as one count ahead has a bound that is so much better."""
        rule = BoundProbability(
            self.looks,
            0.05,
            np.zeros(1, int),
            np.full(1, tolerance),
            UNIT,
            futility=self.never,
        )
        alphas = split_alpha(0.05, len(self.looks))
        n_settled = 0
        for look, n in enumerate(self.looks[:-1].tolist()):
            k = np.arange(n + 1)
            p_lower, settled = ask(rule, look, k)
            np.testing.assert_array_equal(
                p_lower, lower_confidence_bound(k, n, alphas[look])
            )
            best = lower_confidence_bound(k + 200 - n, 200, alphas[-1])
            hope = np.minimum(best, upper_confidence_bound(k, n, self.never))
            growth = radius_from_probabilities(hope)
            growth = growth - radius_from_probabilities(p_lower)
            np.testing.assert_array_equal(settled, growth <= tolerance)
            n_settled += np.sum(settled & (p_lower > 0.5))
        assert n_settled > 0 or tolerance == 0

    @pytest.mark.parametrize("futility", [0.3, 0.001])
    @pytest.mark.parametrize("radius", [0.0, 0.4, 1.1])
    @pytest.mark.parametrize("loss", [None, 0.0])
    def test_and_the_last_that_may_hope(self, futility, radius, loss):
        """Given up at a count whose upper bound is below what is needed, only."""
        rule = known_label(self.looks, 0.05, radius, loss=loss, futility=futility)
        free = replace(rule, futility=self.never)
        n_hopeless = 0
        for look, n in enumerate(self.looks[:-1].tolist()):
            k = np.arange(n + 1)
            accepted, settled = ask(rule, look, k)
            _, counted_out = ask(free, look, k)
            upper = upper_confidence_bound(k, n, futility)
            hopeless = radius_from_probabilities(upper) < radius
            hopeless |= radius_from_probabilities(upper) == 0
            given_up = settled & ~accepted[:, 0] & ~counted_out
            n_hopeless += given_up.sum()
            # One count may differ, where the bound is Phi(r) up to rounding.
            assert np.sum(given_up & ~hopeless) == 0
            assert np.sum(hopeless & ~settled) <= 1
        assert n_hopeless > 0


class TestALevelThatIsReached:
    def test_by_a_p_value(self):
        """The test rejects at a level that is the p-value."""
        for first, second in [(20, 0), (40, 3), (300, 210)]:
            p_value = rank_verification_pvalue(first, second)
            n = first + second
            at = NameTopClass(np.array([n]), float(p_value))
            below = replace(at, alpha=float(np.nextafter(p_value, 0)))
            assert np.all(ask(at, 0, [first, second]))
            assert not np.any(ask(below, 0, [first, second]))

    def test_is_shared_equally_by_the_looks_of_a_name(self):
        looks = np.array([20, 40, 80])
        p_value = float(rank_verification_pvalue(15, 5))
        for look, alpha in [(0, 3.01 * p_value), (0, 2.99 * p_value)]:
            sure, settled = ask(NameTopClass(looks, alpha), look, [15])
            assert sure == settled == (alpha > 3 * p_value)

    def test_by_a_bound(self):
        """A radius that is the bound's at one count is certified from there on."""
        for n, k, alpha in [
            (100, 93, 0.01),
            (1000, 700, 0.001),
            (100_000, 99_990, 0.1),
        ]:
            p_lower = lower_confidence_bound(k, n, alpha)
            radius = float(radius_from_probabilities(p_lower, sigma=0.7))
            assert fewest_votes_for_radius(n, alpha, radius, Gaussian().bind(0.7)) == k
            more = float(np.nextafter(radius, np.inf))
            assert (
                fewest_votes_for_radius(n, alpha, more, Gaussian().bind(0.7)) == k + 1
            )
            for loss in (None, 0.0, radius / 7):
                left = float(radius_after_loss(radius, loss))
                for asked, expected in [(left, True), (np.nextafter(left, 9), False)]:
                    rule = known_label([n], alpha, asked, 0.7, loss)
                    accepted, _ = ask(rule, 0, [k - 1, k])
                    assert accepted.tolist() == [[False], [expected]]

    def test_at_radius_zero_the_class_must_be_certain(self):
        """alpha^(1/n) = 1/2 for alpha = 2^-n: n votes are not enough, n + 1 are."""
        for n in (4, 10, 20):
            for loss in (None, 0.0):
                for votes, certain in [(n, False), (n + 1, True)]:
                    rule = known_label([votes], 2.0**-n, 0.0, loss=loss)
                    accepted, settled = ask(rule, 0, [votes])
                    assert accepted == certain
            assert fewest_votes_for_radius(n, 2.0**-n, 0.0, UNIT) == n + 1
            assert fewest_votes_for_radius(n + 1, 2.0**-n, 0.0, UNIT) == n + 1
            assert required_samples(0.0, 1.0, 2.0**-n) == n + 1


class TestRequiredSamples:
    @pytest.mark.parametrize("n", [1, 2, 3, 11, 100, 12_345])
    @pytest.mark.parametrize("alpha", [0.3, 0.001])
    def test_of_a_radius_that_is_a_reach(self, n, alpha):
        reach = float(max_certifiable_radius(n, 0.3, alpha))
        if reach == 0:
            assert required_samples(reach, 0.3, alpha) > n
            return
        assert required_samples(reach, 0.3, alpha) == n
        assert required_samples(np.nextafter(reach, 1e9), 0.3, alpha) == n + 1

    def test_one_vote_may_do(self):
        assert required_samples(0.0, 1.0, 0.6) == 1
        assert required_samples(0.0, 1.0, [0.5, 0.49]).tolist() == [2, 2]


class TestSampleSizes:
    @pytest.mark.parametrize("first", [1, 25, 100])
    def test_of_powers_of_two(self, first):
        for power in range(12):
            n = first * 2**power
            doublings = [first * 2**k for k in range(power)]
            assert sample_sizes(n, first).tolist() == [*doublings, n]
            assert sample_sizes(n + 1, first).tolist() == [*doublings, n, n + 1]
            if power and first > 1:
                assert sample_sizes(n - 1, first).tolist() == [*doublings, n - 1]

    def test_by_default_the_first_is_100(self):
        assert sample_sizes(250).tolist() == [100, 200, 250]


RULES = {
    "label": CertifyKnownLabel(
        looks=np.array([100, 200]),
        alpha=0.01,
        radii=np.array([0.1, 0.2]),
        noise=Gaussian().bind(0.5),
        label=np.array([0, 1, 0]),
    ),
    "label, loss": CertifyKnownLabel(
        looks=np.array([100, 200]),
        alpha=0.01,
        radii=np.array([0.1, 0.2]),
        noise=Gaussian().bind(0.5),
        label=np.array([0, 1, 0]),
        loss=np.array([0.1, 0.1, 0.2]),
    ),
    "name": NameTopClass(looks=np.array([100, 200]), alpha=0.01),
    "bound": BoundProbability(
        looks=np.array([100, 200]),
        alpha=0.01,
        selected=np.array([0, 1, 0]),
        tolerance=np.array([0.1, 0.1, 0.2]),
        noise=Gaussian().bind(0.5),
    ),
}


class Other(Gaussian):
    """Noise of another kind."""


OTHER = {
    "looks": [np.array([100, 300]), np.array([50, 200]), np.array([200])],
    "alpha": [np.nextafter(0.01, 1), 0.02],
    "radii": [np.array([0.1, np.nextafter(0.2, 1)]), np.array([0.1])],
    "noise": [
        Gaussian().bind(np.nextafter(0.5, 1)),
        Gaussian().bind(np.array([0.5])),
        Gaussian().bind(0.5, 2.0**-10),
        Other().bind(0.5),
    ],
    "futility": [0.002],
    "give_up": [0, 0.02],
}


@pytest.mark.parametrize("name", RULES)
def test_another_rule_asks_another_question(name):
    """Each field has a part in what answers depend on; so no store mixes them up."""
    rule = RULES[name]
    questions = _questions(rule, 3)
    assert questions == _questions(rule, 3)
    seen = set()
    for field in fields(rule):
        value = getattr(rule, field.name)
        if field.name in OTHER:
            seen.add(field.name)
            for other in OTHER[field.name]:
                changed = _questions(replace(rule, **{field.name: other}), 3)
                assert not set(changed) & set(questions)
        elif value is not None:  # an entry for each input: the others stay
            seen.add(field.name)
            other = value.copy()
            other[1] = 2 if value.dtype.kind == "i" else np.nextafter(value[1], 1)
            changed = _questions(replace(rule, **{field.name: other}), 3)
            same = [a == b for a, b in zip(changed, questions, strict=True)]
            assert same == [True, False, True]
    assert {"looks", "alpha"} < seen or name == "name"
    assert set(rule.per_input) == {"label", "loss", "selected", "tolerance"} & {
        field.name for field in fields(rule)
    }
    if not rule.per_input:
        assert questions == questions[:1] * 3
        assert _questions(rule, 2) == questions[:2]
    rows = np.array([2, 0])
    own = {name: getattr(rule, name) for name in rule.per_input}
    own = {name: value[rows] for name, value in own.items() if value is not None}
    assert _questions(replace(rule, **own), 2) == [questions[2], questions[0]]


def test_rules_of_other_kinds_ask_other_questions():
    questions = [set(_questions(rule, 3)) for rule in [*RULES.values(), 100, 200]]
    assert len(set.union(*questions)) == sum(map(len, questions))


def test_a_question_is_the_same_once_a_rule_has_been_asked():
    """What a rule keeps for itself is no part of it."""
    for rule in RULES.values():
        questions = _questions(rule, 3)
        rule(np.zeros(3, int), np.arange(3), np.array([[90, 10], [10, 90], [50, 50]]))
        assert _questions(rule, 3) == questions


class TestSharesOfAlpha:
    @pytest.mark.parametrize("n_looks", [2, 3, 4, 11])
    @pytest.mark.parametrize("last", [0.5, 0.9])
    def test_the_last_look_has_its_own(self, n_looks, last):
        parts = split_alpha(0.01, n_looks, last)
        assert len(parts) == n_looks
        assert parts[-1] == pytest.approx(0.01 * last)
        others = 0.01 * (1 - last) / (n_looks - 1)
        assert parts[:-1].tolist() == pytest.approx([others] * (n_looks - 1))

    def test_equal_ones(self):
        assert split_alpha(0.01, 4, None).tolist() == pytest.approx([0.0025] * 4)
        assert split_alpha(0.01, 1) == split_alpha(0.01, 1, None) == 0.01


def test_many_classes_are_told_apart_by_the_first_two():
    """The runner-up is the second of all, wherever it stands."""
    counts = np.array([[3, 50, 2, 40, 5], [60, 1, 20, 1, 18], [30, 30, 30, 10, 0]])
    at = float(rank_verification_pvalue(60, 20))
    rule = NameTopClass(np.array([100]), at)
    sure, settled = rule(np.zeros(3, int), np.arange(3), counts)
    assert sure.tolist() == settled.tolist() == [False, True, False]


@pytest.mark.parametrize("loss", [None, 0.0])
def test_rows_have_labels_of_their_own(loss):
    """What a rule is asked about some rows depends on these, and on their look."""
    labels = np.array([0, 1, 2, 1])
    rule = CertifyKnownLabel(
        np.array([100, 1000]),
        0.01,
        np.array([0.0, 0.5]),
        UNIT,
        labels,
        loss=None if loss is None else np.array([0.0, 0.0, 0.0, 9.0]),
    )
    assert rule.empty(4).shape == (4, 2)
    assert not rule.empty(4).any()
    rows, looks = np.array([3, 1, 0]), np.array([0, 0, 1])
    counts = np.array([[2, 98, 0], [2, 98, 0], [100, 880, 20]])
    accepted, settled = rule(looks, rows, counts)
    first = loss is None  # a loss of 9 leaves nothing
    assert accepted.tolist() == [[first] * 2, [True] * 2, [False] * 2]
    assert settled.all()
    # Some of the rows, by their places among these, as a worker asks.
    votes = Votes.none(2, 3, rule)
    votes.counts[:] = counts[:2]
    Asked(rule, np.array([1, 3])).settled(np.zeros(2, int), np.arange(2), votes)
    assert votes.value.tolist() == [[True] * 2, [first] * 2]


def test_rows_have_tolerances_of_their_own():
    rule = BoundProbability(
        np.array([100, 200]), 0.01, np.array([0, 1, 1]), np.array([0.0, 5.0, 0.0]), UNIT
    )
    assert rule.empty(3).tolist() == [0, 0, 0]
    counts = np.array([[10, 90], [10, 90], [60, 140]])
    p_lower, settled = rule(np.array([0, 0, 1]), np.array([2, 1, 0]), counts)
    votes, n, level = [90, 90, 60], [100, 100, 200], [0.005] * 3
    np.testing.assert_allclose(
        p_lower, lower_confidence_bound(votes, n, level), rtol=1e-12
    )
    assert settled.tolist() == [False, True, True]


def test_a_rule_of_another_kind_with_the_same_settings_asks_another_question():
    class Other(NameTopClass):
        pass

    rule = RULES["name"]
    other = Other(rule.looks, rule.alpha)
    assert not set(_questions(other, 3)) & set(_questions(rule, 3))
