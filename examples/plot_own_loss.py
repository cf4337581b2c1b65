"""
A loss of your own for training under noise
===========================================

Votes are lost where the net fails on some of an input's noisy copies. Here is a loss,
in ten lines, that looks at the worst copies of each input, and what it gains over plain
noise.
"""

# %%
# The loss
# --------
# ``GaussianNoise(sigma, n_copies=m)`` at the front of the net makes m noisy copies of
# the batch in training mode: **the first copies of all inputs, then the second copies
# of all inputs**, and so on. So the loss gets ``m * n`` rows of outputs and the ``n``
# targets of the batch. In eval mode, as in skorch's validation, there is one row for
# each target.
import matplotlib.pyplot as plt
import numpy as np
import torch
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from skorch import NeuralNetClassifier
from torch import nn
from torch.nn.functional import cross_entropy

from sksmooth import (
    CertifiedAccuracyDisplay,
    SmoothedClassifier,
    average_certified_radius_score,
)
from sksmooth.torch import GaussianNoise


class WorstCopyLoss(nn.CrossEntropyLoss):  # so that skorch applies softmax
    def __init__(self, share=1.0):
        super().__init__()
        self.share = share  # of the worst copy; the rest is of the mean

    def forward(self, input, target):
        copies = input.unflatten(0, (-1, len(target)))  # copy, input, class
        rows, labels = copies.flatten(0, 1), target.repeat(len(copies))
        losses = cross_entropy(rows, labels, reduction="none").view(len(copies), -1)
        return torch.lerp(losses.mean(dim=0), losses.amax(dim=0), self.share).mean()


# %%
# Train with it
# -------------
# It is a criterion like any other: its parameters are ``criterion__share`` for skorch
# and for a grid search. With ``share=0`` it is the cross entropy of all copies, which
# is plain noise. (A loss that chooses the noise itself, to attack the net or to see
# clean inputs, has a method ``prepare(module, x, y, epoch=...)``, which
# :class:`~sksmooth.torch.PrepareCopies` calls before each step. It draws noise with
# the layer's ``draw(x)``, and hands it over with ``add_next(noise)``.)
class Net(nn.Module):
    def __init__(self, sigma=0.0, n_copies=4):
        super().__init__()
        self.layers = nn.Sequential(
            GaussianNoise(sigma, n_copies=n_copies),
            nn.Linear(64, 256),
            nn.ReLU(),
            nn.Linear(256, 10),
        )

    def forward(self, x):
        return self.layers(x)


X, y = load_digits(return_X_y=True)
X = (X / 16).astype(np.float32)
X_train, X_test, y_train, y_test = train_test_split(
    X, y, train_size=1280, stratify=y, random_state=0
)

certificates = {}
for name, share in {"plain noise": 0.0, "worst of four copies": 1.0}.items():
    net = NeuralNetClassifier(
        Net,
        criterion=WorstCopyLoss,
        criterion__share=share,
        optimizer=torch.optim.Adam,
        lr=0.003,
        batch_size=64,
        max_epochs=20,
        iterator_train__shuffle=True,
        train_split=None,
        verbose=0,
    )
    g = SmoothedClassifier(
        net, sigma=0.25, n=1_000, noise_param="module__sigma", random_state=0
    )
    certificates[name] = g.fit(X_train, y_train).certify(X_test)
    acr = average_certified_radius_score(y_test, certificates[name])
    print(f"{name:22} average certified radius {acr:.3f}")

# %%
# Plot
# ----
_, ax = plt.subplots(figsize=(6, 4), layout="constrained")
CertifiedAccuracyDisplay.from_certificate(
    certificates, y_test, unit="a pixel is 0 to 1", ax=ax
)
ax.set_title("Training on the worst copy of each digit")
plt.show()

# %%
# Both nets saw the same number of copies in the same number of steps. The one that had
# to get all four right loses fewer votes: its digits are certified further, and about
# as many are classified correctly as before.
