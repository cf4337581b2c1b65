"""A proved share is never above the share that was found, repeats or not."""

import numpy as np
import pytest

from sksmooth import Certificate, certified_accuracy_score
from sksmooth.stats import certified_accuracy_lower_bound, certify_counts


def made(n_distinct, repeats, *, seed=0, shared_noise=False, alpha=0.01, n=300):
    """A certificate of inputs that occur as often as `repeats` says, and labels."""
    rng = np.random.default_rng(seed)
    share = rng.uniform(0.3, 1.0, n_distinct)
    right = rng.binomial(n, share)
    counts = np.column_stack([right, n - right])
    inputs = rng.permutation(np.repeat(np.arange(n_distinct), repeats))
    _, first, group = np.unique(inputs, return_index=True, return_inverse=True)
    counts = counts[inputs]
    bounds = certify_counts(counts, counts, alpha=alpha, sigma=0.5)
    c = Certificate(
        prediction=np.where(bounds.radius > 0, bounds.selected, -1),
        counts=counts,
        selection_counts=counts,
        n_used=counts.sum(axis=1),
        n=n,
        alpha=alpha,
        sigma=0.5,
        bound="cohen",
        classes=np.array([0, 1]),
        abstain_label=-1,
        first_equal=first[group],
        looks=np.array([n]),
        shared_noise=shared_noise,
        **bounds._asdict(),
    )
    return c, (inputs % 7 == 0).astype(int)


RADII = np.linspace(0, 1.2, 25)


@pytest.mark.parametrize("shared_noise", [False, True])
@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("weighted", [False, True])
def test_never_above_the_score(shared_noise, seed, weighted):
    rng = np.random.default_rng(seed)
    repeats = rng.choice([1, 1, 1, 2, 5, 30], 80)
    c, y = made(80, repeats, seed=seed, shared_noise=shared_noise)
    weight = rng.random(len(y)) if weighted else None
    proved = c.certified_accuracy_lower_bound(y, radius=RADII, sample_weight=weight)
    score = certified_accuracy_score(y, c, radius=RADII, sample_weight=weight)
    assert np.all(proved <= score)
    assert proved[0] > 0


def test_failures_are_charged_to_the_most_repeated():
    """200 inputs, the first 40 times, all found: as many may be false as of 200."""
    repeats = np.ones(200, int)
    repeats[0] = 40
    c, _ = made(200, repeats)
    y = c.selected  # all right, though not all certified
    found = c.certified
    n_found = (found & c.distinct).sum()
    n_proved = certified_accuracy_lower_bound(n_found, 200, alpha=0.01, rho=0.001)
    n_false = n_found - n_proved
    assert n_false > 1
    heavy = found & (c.first_equal == np.flatnonzero(np.bincount(c.first_equal) > 1))
    expected = found.sum() - (n_false - 1) - (40 if heavy.any() else 1)
    assert c.certified_accuracy_lower_bound(y) == expected / len(y)


def test_exactly_the_score_without_failure_probability():
    c, y = made(80, np.tile([1, 3], 40))
    exact = Certificate(**{**vars(c), "alpha": 0.0, "bound": "exact"})
    np.testing.assert_array_equal(
        exact.certified_accuracy_lower_bound(y, radius=RADII),
        certified_accuracy_score(y, c, radius=RADII),
    )


@pytest.mark.parametrize("seed", range(20))
def test_roundings_of_weights_do_not_lift_it_above_the_score(seed):
    c, y = made(30, np.full(30, 40))
    exact = Certificate(**{**vars(c), "alpha": 0.0, "bound": "exact"})
    weight = np.random.default_rng(seed).random(len(y)) ** 9
    proved = exact.certified_accuracy_lower_bound(y, radius=RADII, sample_weight=weight)
    score = certified_accuracy_score(y, c, radius=RADII, sample_weight=weight)
    assert np.all(proved <= score)
    np.testing.assert_allclose(proved, score, atol=1e-11)


@pytest.mark.parametrize("shared_noise", [False, True])
def test_distinct_as_weights_counts_equal_inputs_once(shared_noise):
    c, y = made(80, np.tile([1, 3], 40), shared_noise=shared_noise)
    once = c.select(np.flatnonzero(c.distinct))
    assert once.distinct.all()
    np.testing.assert_array_equal(
        c.certified_accuracy_lower_bound(y, radius=RADII, sample_weight=c.distinct),
        once.certified_accuracy_lower_bound(y[c.distinct], radius=RADII),
    )


def test_equal_inputs_with_different_labels_are_wrong_where_they_have_weight():
    c, y = made(80, np.tile([1, 3], 40))
    y = c.selected.copy()
    several = np.flatnonzero(np.bincount(c.first_equal) > 1)
    equal = np.flatnonzero(c.first_equal == several[0])
    assert c.certified[equal[0]]
    before = c.certified_accuracy_lower_bound(y)
    y[equal[1]] = 1 - y[equal[1]]
    assert c.certified_accuracy_lower_bound(y) < before
    weight = np.ones(len(y))
    weight[equal[1]] = 0
    without = c.certified_accuracy_lower_bound(y, sample_weight=weight)
    assert without * weight.sum() >= before * len(y) - 3


def test_no_inputs():
    c, y = made(10, np.ones(10, int))
    with pytest.raises(ValueError, match="no certified share"):
        c.select([]).certified_accuracy_lower_bound([])
    with pytest.raises(ValueError, match="positive for at least one"):
        c.certified_accuracy_lower_bound(y, sample_weight=np.zeros(10))
