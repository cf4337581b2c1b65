"""What predicts in the end: behind Pipelines, FrozenEstimators and searches."""

import sys
from typing import NamedTuple

from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import Pipeline

from .._sklearn import answering_estimator


class Chain(NamedTuple):
    """An estimator taken apart: ``last.predict`` of what the steps make of X."""

    steps: tuple  # fitted transformers, the first to run first
    last: object  # what predicts
    own: bool  # its `predict` was replaced on the very object, and may do anything
    searched: bool  # a search found, and trained, it


def unwrap(estimator):
    """Return the Chain that `estimator.predict` runs.

    Looks through Pipelines (also imbalanced-learn's), FrozenEstimators and fitted
    searches such as GridSearchCV, in each other however deep, and through nothing else:
    a subclass may predict in a way of its own, and so may an object whose `predict` was
    replaced.

    Parameters
    ----------
    estimator : object
        Fitted or not; anything else is a chain by itself.

    Returns
    -------
    chain : Chain
        Without steps that are None or "passthrough".
    """
    steps, searched = [], False
    while not (own := "predict" in getattr(estimator, "__dict__", ())):
        if type(estimator) is FrozenEstimator:
            estimator = estimator.estimator
        elif type(estimator) is Pipeline:
            *before, (_, estimator) = estimator.steps
            steps += [step for _, step in before if not does_nothing(step)]
        elif type(estimator) is _imbalanced_pipeline():
            *before, (_, estimator) = estimator.steps
            # Those that resample do so in training only.
            steps += [
                step
                for _, step in before
                if not (does_nothing(step) or hasattr(step, "fit_resample"))
            ]
        elif (found := answering_estimator(estimator)) is not None:
            estimator, searched = found, True
        else:
            break
    return Chain(tuple(steps), estimator, own, searched)


def _imbalanced_pipeline():
    """Return the Pipeline of imbalanced-learn, or None where that is not loaded."""
    return getattr(sys.modules.get("imblearn.pipeline"), "Pipeline", None)


def does_nothing(step):
    """Is this a step that a Pipeline leaves out?"""
    return step is None or (isinstance(step, str) and step == "passthrough")
