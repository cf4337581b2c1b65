"""Provably robust scikit-learn classifiers by randomized smoothing."""

from ._augmenter import GaussianAugmenter
from ._certificate import Certificate
from ._classifier import SmoothedClassifier
from ._interval import IntervalCertificate
from ._interval_scores import (
    worst_case_absolute_error,
    worst_case_error_scorer,
    worst_case_squared_error,
)
from ._optional import SlowVotesWarning
from ._regressor import SmoothedRegressor
from ._version import __version__ as __version__
from ._versions import show_versions
from .display import (
    CertifiedAccuracyDisplay,
    IntervalDisplay,
    NoisyInputsDisplay,
    ProbabilityDisplay,
    SmoothedDecisionDisplay,
    VotesDisplay,
)
from .metrics import (
    average_certified_radius_score,
    certified_accuracy_score,
    certified_accuracy_scorer,
    certified_accuracy_scorers,
)
from .votes.run._merge import merge_stores

__all__ = [
    "Certificate",
    "CertifiedAccuracyDisplay",
    "GaussianAugmenter",
    "IntervalCertificate",
    "IntervalDisplay",
    "NoisyInputsDisplay",
    "ProbabilityDisplay",
    "SlowVotesWarning",
    "SmoothedClassifier",
    "SmoothedDecisionDisplay",
    "SmoothedRegressor",
    "VotesDisplay",
    "average_certified_radius_score",
    "certified_accuracy_score",
    "certified_accuracy_scorer",
    "certified_accuracy_scorers",
    "merge_stores",
    "show_versions",
    "worst_case_absolute_error",
    "worst_case_error_scorer",
    "worst_case_squared_error",
]
