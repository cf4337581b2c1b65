"""scikit-learn's MLPClassifier: its first layer in the units of the input."""

from typing import NamedTuple

import numpy as np
from sklearn.neural_network import MLPClassifier

from ._affine import pull_back_all


class Layers(NamedTuple):
    """A net with its first layer in the units of the input."""

    weights: np.ndarray  # (n_hidden, n_features)
    offset: np.ndarray  # (n_hidden,)
    rest: list  # of (weights, offset) as MLPClassifier holds them: inputs by rows
    activation: str
    classes: np.ndarray


def mlp_layers(chain):
    """Return the Layers of a Chain, or None if it is no MLPClassifier.

    None also if a step before the net is not affine.
    """
    f = chain.last
    if chain.own or type(f) is not MLPClassifier or len(f.coefs_) < 2:
        return None
    if f.n_outputs_ > 1 and f.out_activation_ != "softmax":
        return None  # several labels at a time
    first = f.coefs_[0].T.astype(float), f.intercepts_[0].astype(float)
    first = pull_back_all(chain.steps, *first)
    if first is None:
        return None
    rest = list(zip(f.coefs_[1:], f.intercepts_[1:], strict=True))
    return Layers(*first, rest, f.activation, f.classes_)
