"""Which of several classes with as many votes is named: the first, on any machine."""

import numpy as np
import pytest

from sksmooth.stats import certify_counts, multiclass_bounds

BOUNDS = ["cohen", "joint", "multiclass"]


def tied(n_classes):
    """Few votes for many classes: the top is shared by several, mostly."""
    rng = np.random.default_rng(n_classes)
    return rng.integers(1, 4, size=(200, n_classes))


def first_of_the_most(votes):
    return np.array([row.tolist().index(max(row)) for row in votes])


@pytest.mark.parametrize("bound", BOUNDS)
@pytest.mark.parametrize("n_classes", [2, 3, 10, 17, 100])
def test_the_first(n_classes, bound):
    """Of many classes a sort that is not told to keep the order does not keep it."""
    selection, counts = tied(n_classes), tied(n_classes)[::-1].copy()
    selected = certify_counts(
        counts, None if bound == "joint" else selection, alpha=0.001, bound=bound
    ).selected
    decides = counts if bound == "joint" else selection
    np.testing.assert_array_equal(selected, first_of_the_most(decides))


@pytest.mark.parametrize("n_classes", [3, 10, 17, 100])
def test_the_first_runner_up(n_classes):
    selection, counts = tied(n_classes), tied(n_classes)[::-1].copy()
    bounds = certify_counts(counts, selection, alpha=0.001, bound="multiclass")
    rows = np.arange(len(counts))
    first = first_of_the_most(selection)
    selection[rows, first] = 0
    second = first_of_the_most(selection)
    p_lower, p_upper = multiclass_bounds(
        counts[rows, first], counts[rows, second], counts.sum(axis=1), 0.001
    )
    np.testing.assert_array_equal(bounds.p_lower, p_lower)
    np.testing.assert_array_equal(bounds.p_upper, p_upper)
