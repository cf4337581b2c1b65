"""Plots in the manner of scikit-learn's displays; matplotlib is imported by `plot`."""

from ._accuracy import CertifiedAccuracyDisplay
from ._images import NoisyInputsDisplay
from ._intervals import IntervalDisplay
from ._probability import ProbabilityDisplay
from ._regions import SmoothedDecisionDisplay
from ._votes import VotesDisplay

__all__ = [
    "CertifiedAccuracyDisplay",
    "IntervalDisplay",
    "NoisyInputsDisplay",
    "ProbabilityDisplay",
    "SmoothedDecisionDisplay",
    "VotesDisplay",
]
