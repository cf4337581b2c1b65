"""
Between certificates and attacks
================================

A certified radius says how far an input can move without any harm; an attack shows
how far it must move to do harm. The truth lies between the two. Here are both for the
same smoothed net: certified accuracy, and the accuracy that is left under attack. For
comparison, there is also a net without any defence.
"""

# %%
# A net trained with noise
# ------------------------
import matplotlib.pyplot as plt
import numpy as np
import torch
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from skorch import NeuralNetClassifier
from torch import nn

from sksmooth import CertifiedAccuracyDisplay, SmoothedClassifier
from sksmooth.torch import (
    DeepFool,
    GaussianNoise,
    SmoothedPGD,
    empirical_robust_accuracy,
)


class Net(nn.Module):
    def __init__(self, sigma=0.0):
        super().__init__()
        self.layers = nn.Sequential(
            GaussianNoise(sigma),
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
X_test, y_test = X_test[:200], y_test[:200]
net = NeuralNetClassifier(
    Net,
    criterion=nn.CrossEntropyLoss,
    optimizer=torch.optim.Adam,
    lr=0.003,
    batch_size=64,
    max_epochs=40,
    iterator_train__shuffle=True,
    train_split=None,
    verbose=0,
)
g = SmoothedClassifier(
    net, sigma=0.25, n=10_000, noise_param="module__sigma", random_state=0
).fit(X_train, y_train)
certificate = g.certify(X_test)

# %%
# Attack it
# ---------
# :class:`~sksmooth.torch.SmoothedPGD` looks for the point in an l2 ball at which noisy
# copies get the least votes for the true class. g then answers there, with votes of its
# own. An abstention counts as an error. The other net is trained without noise, and
# answers without: :class:`~sksmooth.torch.DeepFool` walks to its nearest boundary.
radii = np.linspace(0, 1.4, 8)
attack = SmoothedPGD(steps=10, n_noise=32, clip=(0, 1), random_state=0)
accuracy = empirical_robust_accuracy(g, X_test, y_test, radii, attack)
torch.manual_seed(0)
f = net.fit(X_train, y_train)
undefended = empirical_robust_accuracy(f, X_test, y_test, radii, DeepFool(clip=(0, 1)))
print("radius   smoothed   undefended: share that withstands the attack")
for row in zip(radii, accuracy, undefended, strict=True):
    print("{:6.1f} {:10.1%} {:12.1%}".format(*row))

# %%
# Plot
# ----
_, ax = plt.subplots(figsize=(7, 4.5), layout="constrained")
CertifiedAccuracyDisplay.from_certificate(
    {"smoothed": certificate},
    y_test,
    unit="a pixel is 0 to 1",
    under_attack={
        "smoothed": (radii, accuracy),
        "undefended net": (radii, undefended),
    },
    ax=ax,
)
ax.set(xlim=(0, 1.4), title="Robust accuracy is between the curves of one colour")
plt.show()

# %%
# At most the dashed share of inputs is robust at a radius: the attack has broken the
# others. At least the solid share is robust, except with probability alpha for each
# input. Beyond the dotted line these votes certify nothing, however robust an input
# is; there only the attack says something. Smoothing certifies nothing about the
# undefended net, because certificates are about g alone; much smaller moves are enough
# to break that net.
