"""scikit-learn's MLPClassifier: its first layer in the units of the input."""

from typing import NamedTuple

import numpy as np
from sklearn.frozen import FrozenEstimator
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import Pipeline

from ._affine import pull_back


class Layers(NamedTuple):
    """A net with its first layer in the units of the input."""

    weights: np.ndarray  # (n_hidden, n_features)
    offset: np.ndarray  # (n_hidden,)
    rest: list  # of (weights, offset) as MLPClassifier holds them: inputs by rows
    activation: str
    classes: np.ndarray


def mlp_layers(estimator):
    """Return the Layers of a classifier, or None if it is no MLPClassifier.

    Looks through FrozenEstimator and through Pipelines whose steps before the net are
    affine.
    """
    steps = []
    while True:
        if "predict" in vars(estimator):  # replaced on this very object
            return None
        if isinstance(estimator, FrozenEstimator):
            estimator = estimator.estimator
        elif type(estimator) is Pipeline:
            steps += [step for _, step in estimator.steps[:-1]]
            estimator = estimator.steps[-1][1]
        else:
            break
    if type(estimator) is not MLPClassifier or len(estimator.coefs_) < 2:
        return None
    if estimator.n_outputs_ > 1 and estimator.out_activation_ != "softmax":
        return None  # several labels at a time
    first = estimator.coefs_[0].T.astype(float), estimator.intercepts_[0].astype(float)
    for step in reversed(steps):
        first = pull_back(step, *first)
        if first is None:
            return None
    rest = list(zip(estimator.coefs_[1:], estimator.intercepts_[1:], strict=True))
    return Layers(*first, rest, estimator.activation, estimator.classes_)
