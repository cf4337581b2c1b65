"""Nets, images and fixtures of the tests for a GPU."""

import os

import numpy as np
import pytest
import torch
from scipy.stats import chi2_contingency
from sklearn.datasets import load_digits
from torch import nn

from sksmooth.torch import GaussianNoise
from tests.nets import classifier

X, y = load_digits(return_X_y=True)
X = (X / 16).astype(np.float32).reshape(-1, 1, 8, 8)


class CNN(nn.Module):
    """Noise, two convolutions and logits."""

    def __init__(self, sigma=0.0):
        super().__init__()
        self.layers = nn.Sequential(
            GaussianNoise(sigma),
            nn.Conv2d(1, 8, 3, padding=1),
            nn.BatchNorm2d(8),
            nn.ReLU(),
            nn.Conv2d(8, 16, 3, padding=1, stride=2),
            nn.ReLU(),
            nn.Flatten(),
            nn.Linear(256, 10),
        )

    def forward(self, x):
        return self.layers(x)


class Pixels(nn.Module):
    """Scores are three pixels, to the bit: nothing is rounded."""

    def forward(self, x):
        return x.flatten(1)[:, 10:13]


@pytest.fixture(scope="module", name="device")
def the_device():
    named = os.environ.get("SKSMOOTH_TEST_DEVICE")
    if named is None and not torch.cuda.is_available():
        pytest.skip("no GPU: SKSMOOTH_TEST_DEVICE=cpu runs this on the CPU")
    return torch.device(named or "cuda")


@pytest.fixture(scope="module", name="cnn")
def trained_cnn(device):
    """A module on the CPU, trained on the device."""
    torch.manual_seed(0)
    net = classifier(CNN, device=str(device), module__sigma=0.3, max_epochs=8)
    return net.fit(X[:600], y[:600]).module_.cpu().eval()


def all_but_equal(counts, others):
    """Do votes differ in no more than rounding of scores explains?"""
    return np.abs(counts - others).sum() <= 0.002 * counts.sum()


def assert_alike(counts, others):
    """Votes have the same distribution, as far as a chi-squared test can tell."""
    for one, other in zip(counts, others, strict=True):
        table = np.stack([one, other])[:, one + other > 20]
        assert chi2_contingency(table).pvalue > 1e-4
