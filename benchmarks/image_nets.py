"""Certified accuracy of a small net on images, as published results report it.

    python benchmarks/image_nets.py [fashion_mnist | mnist] [--epochs 10] [--n 10000]

Trains a net with two convolutions on all 60,000 training images, with fresh noise in
every batch (`GaussianNoise`), and certifies every 20th test image. The settings were
chosen on the last 2,000 training images. One thread; prints processor seconds.
"""

import argparse
import time
import warnings

import numpy as np
import torch
from skorch import NeuralNetClassifier
from skorch.callbacks import LRScheduler
from torch import nn

from sksmooth import SmoothedClassifier
from sksmooth.datasets import fetch_fashion_mnist, fetch_mnist
from sksmooth.torch import GaussianNoise

DATA = {
    "fashion_mnist": ("Fashion-MNIST", fetch_fashion_mnist, 0.25),
    "mnist": ("MNIST", fetch_mnist, 0.5),
}
RADII = [0.0, 0.25, 0.5, 0.75, 1.0, 1.25]


class SmallCNN(nn.Module):
    """Noise, two convolutions that halve the image, two linear layers."""

    def __init__(self, sigma=0.25, width=32):
        super().__init__()
        self.layers = nn.Sequential(
            GaussianNoise(sigma),
            nn.Conv2d(1, width, 5, stride=2, padding=2, bias=False),
            nn.BatchNorm2d(width),
            nn.ReLU(),
            nn.Conv2d(width, 2 * width, 3, stride=2, padding=1, bias=False),
            nn.BatchNorm2d(2 * width),
            nn.ReLU(),
            nn.Flatten(),
            nn.Linear(2 * width * 7 * 7, 128),
            nn.ReLU(),
            nn.Linear(128, 10),
        )

    def forward(self, x):
        return self.layers(x)


def make_net(n_images, epochs, batch=256, lr=0.005, **params):
    """An untrained net whose learning rate rises and falls once over all epochs."""
    schedule = LRScheduler(
        torch.optim.lr_scheduler.OneCycleLR,
        max_lr=lr,
        total_steps=epochs * (n_images // batch),
        step_every="batch",
    )
    return NeuralNetClassifier(
        SmallCNN,
        criterion=nn.CrossEntropyLoss,
        optimizer=torch.optim.Adam,
        lr=lr,
        batch_size=batch,
        max_epochs=epochs,
        iterator_train__shuffle=True,
        iterator_train__drop_last=True,
        train_split=None,
        callbacks=[("schedule", schedule)],
        verbose=0,
        **params,
    )


def run(name, epochs, n):
    """Train, certify, and print certified accuracies."""
    title, fetch, sigma = DATA[name]
    X, y = fetch(return_X_y=True)
    X_test, y_test = fetch(subset="test", return_X_y=True)
    X_test, y_test = X_test[::20], y_test[::20]
    torch.manual_seed(0)
    g = SmoothedClassifier(
        make_net(len(X), epochs),
        sigma=sigma,
        n=n,
        noise_param="module__sigma",
        net_options={"mode": "frozen"},
        random_state=0,
    )
    start = time.process_time()
    g.fit(X, y)
    trained = time.process_time()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of torch, about freezing
        certificate = g.certify(X_test)
    certified = time.process_time()

    correct = certificate.prediction == y_test
    accuracies = [np.mean(correct & (certificate.radius >= r)) for r in RADII]
    votes = len(X_test) * (g.n0 + g.n)
    print(
        f"{title}, sigma = {sigma}, {epochs} epochs, {len(X_test)} test images, "
        f"n = {n:,}, alpha = {g.alpha}"
    )
    print("  radius             " + "".join(f"{r:8.2f}" for r in RADII))
    print("  certified accuracy " + "".join(f"{a:8.3f}" for a in accuracies))
    print(
        f"  average certified radius {np.mean(correct * certificate.radius):.3f}, "
        f"abstained {1 - certificate.certified.mean():.1%}"
    )
    print(
        f"  trained in {trained - start:.0f} s, certified in {certified - trained:.0f} "
        f"s ({1e6 * (certified - trained) / votes:.0f} us a vote)",
        flush=True,
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("name", nargs="?", choices=list(DATA))
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--n", type=int, default=10_000)
    options = parser.parse_args()
    torch.set_num_threads(1)
    for name in [options.name] if options.name else DATA:
        run(name, options.epochs, options.n)


if __name__ == "__main__":
    main()
