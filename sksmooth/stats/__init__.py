"""From vote counts to guarantees: pure, vectorised functions that need no estimator."""

from ._binomial import lower_confidence_bound, upper_confidence_bound
from ._bounds import joint_lower_bound, multiclass_bounds
from ._certify import certify_counts
from ._planning import max_certifiable_radius, required_samples
from ._population import (
    bernstein_accuracy_lower_bound,
    certified_accuracy_lower_bound,
    population_accuracy_lower_bound,
)
from ._quantiles import quantile_levels, quantile_ranks
from ._radius import radius_from_probabilities
from ._ranking import rank_verification_pvalue
from ._sequential import sample_sizes, split_alpha
from ._simultaneous import holm
from ._top_k import top_k_radius

__all__ = [
    "bernstein_accuracy_lower_bound",
    "certified_accuracy_lower_bound",
    "certify_counts",
    "holm",
    "joint_lower_bound",
    "lower_confidence_bound",
    "max_certifiable_radius",
    "multiclass_bounds",
    "population_accuracy_lower_bound",
    "quantile_levels",
    "quantile_ranks",
    "radius_from_probabilities",
    "rank_verification_pvalue",
    "required_samples",
    "sample_sizes",
    "split_alpha",
    "top_k_radius",
    "upper_confidence_bound",
]
