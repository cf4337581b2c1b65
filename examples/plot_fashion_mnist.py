"""
A neural net for images, trained with fresh noise
=================================================

Smooth a small convolutional net on Fashion-MNIST: pictures of clothes, 28 x 28 pixels
from 0 to 1. The net sees fresh noise in every batch, and votes are taken on its own
device. For comparison, the same net is trained on clean pictures and smoothed
afterwards.

Needs the data set; :func:`~sksmooth.datasets.fetch_fashion_mnist` says how to get it.
"""

# %%
# A net with a noise layer
# ------------------------
# :class:`~sksmooth.torch.GaussianNoise` comes first, so its sigma is in the units of
# the pixels. It adds noise in training mode only.
import matplotlib.pyplot as plt
import numpy as np
import torch
from skorch import NeuralNetClassifier
from torch import nn

from sksmooth import (
    CertifiedAccuracyDisplay,
    SmoothedClassifier,
    certified_accuracy_score,
)
from sksmooth.datasets import fetch_fashion_mnist
from sksmooth.torch import GaussianNoise


class SmallCNN(nn.Module):
    def __init__(self, sigma=0.0):
        super().__init__()
        self.layers = nn.Sequential(
            GaussianNoise(sigma),
            nn.Conv2d(1, 16, 5, stride=2, padding=2),
            nn.BatchNorm2d(16),
            nn.ReLU(),
            nn.Conv2d(16, 32, 3, stride=2, padding=1),
            nn.BatchNorm2d(32),
            nn.ReLU(),
            nn.Flatten(),
            nn.Linear(32 * 7 * 7, 128),
            nn.ReLU(),
            nn.Linear(128, 10),
        )

    def forward(self, x):
        return self.layers(x)


net = NeuralNetClassifier(
    SmallCNN,
    criterion=nn.CrossEntropyLoss,
    optimizer=torch.optim.Adam,
    lr=0.002,
    batch_size=128,
    max_epochs=3,
    iterator_train__shuffle=True,
    train_split=None,
    verbose=0,
)

# %%
# Train with and without noise, certify both
# ------------------------------------------
# ``noise_param`` names the parameter of the net that ``fit`` sets to sigma. Without it
# and with ``n_copies=0``, the net is trained on the pictures as they are.
clothes = fetch_fashion_mnist()
X_train, y_train = clothes.data[:30_000], clothes.target[:30_000]
X_test, y_test = fetch_fashion_mnist(subset="test", return_X_y=True)
X_test, y_test = X_test[::50], y_test[::50]

options = {"sigma": 0.25, "n": 2_000}
smoothed = {
    "trained with noise": SmoothedClassifier(
        net, noise_param="module__sigma", random_state=0, **options
    ),
    "trained without": SmoothedClassifier(net, n_copies=0, random_state=0, **options),
}
certificates = {
    name: g.fit(X_train, y_train).certify(X_test) for name, g in smoothed.items()
}

radii = [0, 0.25, 0.5]
print(f"{len(y_test)} test pictures: certified accuracy at radius")
print(" " * 20 + "".join(f"{radius:8.2f}" for radius in radii))
for name, certificate in certificates.items():
    scores = certified_accuracy_score(y_test, certificate, radius=radii)
    print(f"{name:20}" + "".join(f"{score:8.1%}" for score in scores))
certificate = certificates["trained with noise"]
proved = certificate.certified_accuracy_lower_bound(y_test, radius=0.25)
print(f"Proved at 0.25, trained with noise: {proved:.1%} with probability 99.9%.")

# %%
# Plot
# ----
# Beside the curves: four pictures that are classified correctly, ordered by certified
# radius, and what the net sees of them when it votes.
correct = np.flatnonzero(certificate.prediction == y_test)
wanted = np.array([0.1, 0.3, 0.5, 0.65])
shown = correct[np.abs(certificate.radius[correct] - wanted[:, None]).argmin(axis=1)]
sigma = smoothed["trained with noise"].sigma
noise = np.random.default_rng(0).normal(0, sigma, (28, 28))

fig, axes = plt.subplot_mosaic(
    "CCCC0123;CCCC4567", figsize=(11, 4.2), layout="constrained"
)
CertifiedAccuracyDisplay.from_certificate(
    certificates, y_test, unit="a pixel is 0 to 1", ax=axes["C"]
)
axes["C"].set_title("Noise in training is what makes it robust")
for place, index in enumerate(shown):
    picture = X_test[index, 0]
    for row, pixels in enumerate((picture, picture + noise)):
        ax = axes[str(4 * row + place)]
        ax.imshow(pixels, cmap="gray_r", vmin=0, vmax=1)
        ax.set(xticks=[], yticks=[])
    name = clothes.target_names[y_test[index]]
    radius = np.floor(100 * certificate.radius[index]) / 100  # never rounded up
    axes[str(place)].set_title(f"{name}\n{radius:.2f}", fontsize=10)
axes["0"].set_ylabel("certified")
axes["4"].set_ylabel("with noise")
plt.show()

# %%
# The net that was trained with noise keeps most of its answers under any change within
# the radius. The other one sees noise for the first time when it votes, and little of
# it can be certified: smoothing protects a classifier that has learnt to see through
# the noise.
