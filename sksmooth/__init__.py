"""Provably robust scikit-learn classifiers by randomized smoothing."""

from ._augmenter import GaussianAugmenter
from ._certificate import Certificate
from ._classifier import SmoothedClassifier
from ._optional import SlowVotesWarning
from ._version import __version__ as __version__
from .display import (
    CertifiedAccuracyDisplay,
    NoisyInputsDisplay,
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
    "NoisyInputsDisplay",
    "SlowVotesWarning",
    "SmoothedClassifier",
    "SmoothedDecisionDisplay",
    "VotesDisplay",
    "average_certified_radius_score",
    "certified_accuracy_score",
    "certified_accuracy_scorer",
    "certified_accuracy_scorers",
    "merge_stores",
]
