"""Certified accuracy of a small net on images, as published results report it.

    python benchmarks/image_nets.py [fashion_mnist | mnist] [--epochs E] [--n 10000]
        [--stopping fixed] [--threads T] [--consistency 0] [--bfloat16] [--held-out]

Trains a net with two convolutions on all 60,000 training images, with fresh noise in
every batch (`GaussianNoise`), and certifies every 20th test image with at most n votes.
Each image is seen under two noises at a time, on which the net is to agree
(`ConsistencyLoss`); --consistency 0 trains with one noise and the usual loss.

--bfloat16 trains in that precision, for processors that compute in it; votes are in
float32. --held-out is for choosing how to train: it keeps the last 10,000 training
images for certification, and never looks at the test images.
"""

import argparse
import time
import warnings

import torch
from skorch import NeuralNetClassifier
from skorch.callbacks import LRScheduler
from torch import nn

from sksmooth import SmoothedClassifier
from sksmooth.datasets import fetch_fashion_mnist, fetch_mnist
from sksmooth.torch import ConsistencyLoss, GaussianNoise

DATA = {
    "fashion_mnist": ("Fashion-MNIST", fetch_fashion_mnist, 0.25, 10),
    "mnist": ("MNIST", fetch_mnist, 0.5, 6),
}
CONSISTENCY = 2.0
RADII = [0.0, 0.25, 0.5, 0.75, 1.0]


class SmallCNN(nn.Module):
    """Noise, two convolutions that halve the image, two linear layers."""

    def __init__(self, sigma=0.25, width=32, n_copies=1):
        super().__init__()
        self.layers = nn.Sequential(
            GaussianNoise(sigma, n_copies=n_copies),
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


class Bfloat16Training(NeuralNetClassifier):
    """Computes batches of training in bfloat16 by torch's autocast."""

    def train_step_single(self, batch, **params):
        with torch.autocast("cpu", torch.bfloat16):
            return super().train_step_single(batch, **params)


def make_net(n_images, epochs, batch=256, lr=0.005, kind=NeuralNetClassifier, **params):
    """An untrained net whose learning rate rises and falls once over all epochs."""
    schedule = LRScheduler(
        torch.optim.lr_scheduler.OneCycleLR,
        max_lr=lr,
        total_steps=epochs * (n_images // batch),
        step_every="batch",
    )
    return kind(
        SmallCNN,
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


def run(name, epochs, n, stopping, consistency, bfloat16, held_out):
    """Train, certify, and print certified accuracies."""
    title, fetch, sigma, usual_epochs = DATA[name]
    epochs = epochs or usual_epochs
    X, y = fetch(return_X_y=True)
    if held_out:
        (X, X_test), (y, y_test) = ((a[:50_000], a[50_000:]) for a in (X, y))
    else:
        X_test, y_test = fetch(subset="test", return_X_y=True)
    X_test, y_test = X_test[::20], y_test[::20]
    kind = Bfloat16Training if bfloat16 else NeuralNetClassifier
    torch.manual_seed(0)
    g = SmoothedClassifier(
        make_net(
            len(X),
            epochs,
            kind=kind,
            criterion=ConsistencyLoss,
            criterion__consistency=consistency,
            module__n_copies=2 if consistency else 1,
        ),
        sigma=sigma,
        n=n,
        stopping=stopping,
        noise_param="module__sigma",
        n_jobs=torch.get_num_threads(),
        random_state=0,
    )
    start = time.perf_counter()
    g.fit(X, y)
    trained = time.perf_counter()
    radii = [r for r in RADII if r < g.max_certifiable_radius(known_label=True)]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of torch, about freezing
        correct = g.certified_correct(X_test, y_test, radii)
    certified = time.perf_counter()

    print(
        f"{title}, sigma = {sigma}, {epochs} epochs, consistency = {consistency}, "
        f"{len(X_test)} "
        f"{'held-out' if held_out else 'test'} images, "
        f"n = {n:,}, {stopping}, alpha = {g.alpha}"
    )
    print("  radius             " + "".join(f"{r:8.2f}" for r in radii))
    print("  certified accuracy " + "".join(f"{a:8.3f}" for a in correct.mean(axis=0)))
    print(
        f"  trained in {trained - start:.0f} s, "
        f"certified in {certified - trained:.0f} s, "
        f"{torch.get_num_threads()} thread(s)",
        flush=True,
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("name", nargs="?", choices=list(DATA))
    parser.add_argument("--epochs", type=int)
    parser.add_argument("--n", type=int, default=10_000)
    parser.add_argument("--stopping", default="sequential")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--consistency", type=float, default=CONSISTENCY)
    parser.add_argument("--bfloat16", action="store_true")
    parser.add_argument("--held-out", action="store_true")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    for name in [options.name] if options.name else DATA:
        run(
            name,
            options.epochs,
            options.n,
            options.stopping,
            options.consistency,
            options.bfloat16,
            options.held_out,
        )


if __name__ == "__main__":
    main()
