"""
Beside bounds without noise
===========================

A net can also be certified by looking inside it: at how steep its layers are, or with
bounds that are carried through them. This example compares two such bounds with
smoothing on the same small net: how far each certifies, and what it costs.

The bounds are in ``benchmarks/deterministic.py``, so this example needs a checkout.
"""

# %%
# A small net, trained with noise
# -------------------------------
# Training with noise helps all three.
import sys
import time

import matplotlib.pyplot as plt
import numpy as np
import torch
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from skorch import NeuralNetClassifier
from torch import nn

from sksmooth import (
    CertifiedAccuracyDisplay,
    SmoothedClassifier,
    certified_accuracy_score,
)
from sksmooth.torch import GaussianNoise

sys.path += ["benchmarks", "../benchmarks"]
from deterministic import crown_radii, layers_of, lipschitz_radii  # noqa: E402


class Net(nn.Module):
    def __init__(self, sigma=0.0):
        super().__init__()
        self.layers = nn.Sequential(
            GaussianNoise(sigma),
            nn.Linear(64, 32),
            nn.ReLU(),
            nn.Linear(32, 32),
            nn.ReLU(),
            nn.Linear(32, 10),
        )

    def forward(self, x):
        return self.layers(x)


X, y = load_digits(return_X_y=True)
X = (X / 16).astype(np.float32)
X_train, X_test, y_train, y_test = train_test_split(
    X, y, train_size=1280, stratify=y, random_state=0
)
net = NeuralNetClassifier(
    Net,
    criterion=nn.CrossEntropyLoss,
    optimizer=torch.optim.Adam,
    lr=0.003,
    batch_size=64,
    max_epochs=60,
    iterator_train__shuffle=True,
    train_split=None,
    verbose=0,
)
g = SmoothedClassifier(
    net, sigma=0.25, n=10_000, noise_param="module__sigma", random_state=0
).fit(X_train, y_train)

# %%
# Three certificates for each input
# ---------------------------------
# - The Lipschitz margin: no change of the input by r changes the outputs by more than r
#   times the product of the layers' spectral norms.
# - CROWN: in a ball around the input each ReLU lies between two lines; carried back
#   through the layers, these bound the outputs in the ball. The largest ball is found
#   by bisection.
# - Smoothing, with 10,000 votes.
#
# The first two are about the net f itself and hold with certainty, up to rounding. The
# third is about g, and holds with probability 0.999 for each input.
f = g.estimator_
layers, clean = layers_of(f.module_), f.predict(X_test)
x, answers = torch.from_numpy(X_test).double(), torch.from_numpy(clean)
ways = {
    "Lipschitz margin of f": lambda: (clean, lipschitz_radii(layers, x, answers)),
    "CROWN on f": lambda: (clean, crown_radii(layers, x, answers)),
    "smoothing, g": lambda: g.certify(X_test),
}
certificates = {}
for name, certify in ways.items():
    start = time.process_time()
    certificates[name] = certify()
    ms = 1000 * (time.process_time() - start) / len(x)
    scores = certified_accuracy_score(y_test, certificates[name], radius=[0, 0.2, 0.4])
    print(f"{name:22} {ms:7.2f} ms each, certified accuracy at 0, 0.2, 0.4: {scores}")

# %%
# Plot
# ----
_, ax = plt.subplots(figsize=(6.5, 4.2), layout="constrained")
CertifiedAccuracyDisplay.from_certificate(
    certificates, y_test, unit="a pixel is 0 to 1", ax=ax
)
ax.set_title("One net, certified in three ways")
plt.show()

# %%
# For a net as small as this, CROWN certifies as much as smoothing up to about 0.2, with
# less work, and with certainty; farther out smoothing certifies more. The other two
# kinds of bounds loosen with every layer. Smoothing does not look inside: its radii
# depend only on how the net answers under noise, whatever its depth, and it also works
# for forests and nearest neighbours. :doc:`The comparison </comparison>` has the
# numbers, also for a net trained without noise.
