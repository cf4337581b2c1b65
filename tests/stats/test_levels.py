"""Parts of alpha: their exact sum, and how low they may be."""

from fractions import Fraction

import numpy as np
import pytest

from sksmooth import SmoothedClassifier
from sksmooth.stats import (
    certify_counts,
    lower_confidence_bound,
    multiclass_bounds,
    required_samples,
    sample_sizes,
    split_alpha,
    top_k_radius,
)


@pytest.mark.parametrize("last", [0.5, None, 0.3, 0.7, 1e-9])
def test_parts_never_sum_to_more_than_alpha(last):
    rng = np.random.default_rng(0)
    for alpha in [0.001, 0.1, 0.05, 1e-15, 1e-40, *rng.random(40)]:
        for n_looks in range(1, 16):
            parts = split_alpha(alpha, n_looks, last)
            total = sum(map(Fraction, parts.tolist()))
            assert total <= Fraction(float(alpha))
            assert total >= Fraction(float(alpha)) * (1 - Fraction(1, 10**14))


def test_parts_that_are_too_low_are_refused():
    assert split_alpha(1e-99, 3).min() > 1e-100
    for low in (lambda: split_alpha(1e-100, 3), lambda: split_alpha(1e-300, 3)):
        with pytest.raises(ValueError, match="beyond what bounds in double precision"):
            low()
    with pytest.raises(ValueError, match="alpha below 1e-100 is beyond"):
        lower_confidence_bound(5, 10, 1e-101)


def test_the_lowest_alpha_is_taken_by_all_that_divide_it():
    looks = sample_sizes(100_000)
    assert np.all(lower_confidence_bound(100, 100, split_alpha(1e-15, len(looks))) > 0)
    p_a, p_b = multiclass_bounds(9_000, 500, 10_000, alpha=1e-15)
    assert p_a > 0.85 and p_b < 0.1
    votes = np.zeros((1, 1000), int)
    votes[0, :2] = 9_000, 1_000
    assert top_k_radius(votes, 0, k=3, alpha=1e-15, sigma=1.0) > 0
    for bound in ("cohen", "joint", "multiclass"):
        bounds = certify_counts(votes, votes, alpha=1e-15, bound=bound)
        assert bounds.radius > 0
    g = SmoothedClassifier(None, alpha=1e-15)
    assert g.required_samples(0.5, known_label=True) >= required_samples(
        0.5, 0.25, 1e-15
    )
