"""Small nets with known behaviour."""

import numpy as np
import torch
from skorch import NeuralNetBinaryClassifier, NeuralNetClassifier

from sksmooth.torch import GaussianNoise

# Tests share the cores; torch's threads would wait for each other.
torch.set_num_threads(1)


class MLP(torch.nn.Module):
    """Noise, a hidden layer, and logits."""

    def __init__(self, n_features=4, n_outputs=3, sigma=0.0, in_eval=False, n_copies=1):
        super().__init__()
        self.layers = torch.nn.Sequential(
            GaussianNoise(sigma, in_eval=in_eval, n_copies=n_copies),
            torch.nn.Linear(n_features, 32),
            torch.nn.ReLU(),
            torch.nn.Dropout(0.5),
            torch.nn.Linear(32, n_outputs),
        )

    def forward(self, x):
        return self.layers(x)


class Answers(torch.nn.Module):
    """A module given by a function of the batch; remembers the batches' sizes."""

    def __init__(self, function):
        super().__init__()
        self.function = function
        self.unused = torch.nn.Parameter(torch.zeros(1))  # skorch wants something
        self.sizes = []

    def __deepcopy__(self, memo):
        return self  # so that a test sees what was done to the voter's copy

    def forward(self, x):
        self.sizes.append(len(x))
        return self.function(x)


def halfspace_module(weights, offset=0.0):
    """A linear module with logits (0, weights @ x + offset)."""
    weights = torch.as_tensor(np.asarray(weights, np.float32))
    module = torch.nn.Linear(len(weights), 2)
    with torch.no_grad():
        module.weight[0], module.weight[1] = 0.0, weights
        module.bias[0], module.bias[1] = 0.0, offset
    return module


def classifier(module=MLP, **params):
    """A skorch classifier that trains in a moment."""
    defaults = {
        "criterion": torch.nn.CrossEntropyLoss,
        "optimizer": torch.optim.Adam,
        "lr": 0.01,
        "max_epochs": 10,
        "train_split": None,
        "verbose": 0,
    }
    return NeuralNetClassifier(module, **{**defaults, **params})


def binary_classifier(module, **params):
    """A skorch classifier with one output."""
    return NeuralNetBinaryClassifier(module, train_split=None, verbose=0, **params)
