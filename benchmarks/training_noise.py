"""Noise once, noisy copies, or fresh noise: what a net gains from each.

    python benchmarks/training_noise.py

The same net on the same digits, always with the same number of gradient steps. Only the
noise differs: none; drawn once, as a GaussianAugmenter in a Pipeline does; k noisy
copies of every image (`n_copies`); or fresh in every batch (`GaussianNoise`). Prints
the share of test images certified at three radii, in per cent: the mean over seeds and
its standard error.
"""

import time

import numpy as np
import torch
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from skorch import NeuralNetClassifier
from torch import nn

from sksmooth import GaussianAugmenter, SmoothedClassifier
from sksmooth.torch import GaussianNoise

SIGMA = 0.25
RADII = [0.0, 0.25, 0.5]
SEEDS = range(3)
STEPS = [320, 2_240]  # in whole epochs, also of 16 copies
BATCH = 64


class Net(nn.Module):
    """Noise, a hidden layer, logits."""

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


def make_net(steps, rows):
    return NeuralNetClassifier(
        Net,
        criterion=nn.CrossEntropyLoss,
        optimizer=torch.optim.Adam,
        lr=0.003,
        batch_size=BATCH,
        max_epochs=round(steps / (rows // BATCH)),
        iterator_train__shuffle=True,
        iterator_train__drop_last=True,
        train_split=None,
        verbose=0,
    )


def ways(steps, n_images):
    """Yield the name and the untrained classifier of each way to train."""
    net, common = make_net(steps, n_images), {"sigma": SIGMA, "n": 1_000}
    yield "no noise", SmoothedClassifier(net, n_copies=0, **common)
    pipeline = make_pipeline(GaussianAugmenter(random_state=0), net)
    name = "gaussianaugmenter__sigma"
    yield "once (Pipeline)", SmoothedClassifier(pipeline, noise_param=name, **common)
    for k in (1, 4, 16):
        net = make_net(steps, k * n_images)
        yield f"n_copies={k}", SmoothedClassifier(net, n_copies=k, **common)
    net, name = make_net(steps, n_images), "module__sigma"
    yield "fresh in every batch", SmoothedClassifier(net, noise_param=name, **common)


def main():
    torch.set_num_threads(1)
    X, y = load_digits(return_X_y=True)
    X = (X / 16).astype(np.float32)
    # Multiples of the batch, so that every way takes exactly the same steps.
    X_train, X_test, y_train, y_test = train_test_split(
        X, y, train_size=20 * BATCH, stratify=y, random_state=0
    )
    heads = [f"r = {radius:g}" for radius in RADII]
    print(f"| steps of {BATCH} | noise | {' | '.join(heads)} | seconds |")
    print("| ---: | --- |" + " ---: |" * (len(RADII) + 1))
    for steps in STEPS:
        for name, g in ways(steps, len(X_train)):
            shares, seconds = [], 0.0
            for seed in SEEDS:
                g.set_params(random_state=seed)
                if "Pipeline" in name:
                    g.set_params(estimator__gaussianaugmenter__random_state=seed)
                start = time.process_time()
                g.fit(X_train, y_train)
                seconds += (time.process_time() - start) / len(SEEDS)
                correct = g.certified_correct(X_test, y_test, RADII)
                shares.append(100 * correct.mean(axis=0))
            mean = np.mean(shares, axis=0)
            error = np.std(shares, axis=0, ddof=1) / np.sqrt(len(SEEDS))
            cells = [f"{m:.1f} ± {e:.1f}" for m, e in zip(mean, error, strict=True)]
            cells = f"{steps:,}", name, *cells, f"{seconds:.1f}"
            print("|", " | ".join(cells), "|", flush=True)


if __name__ == "__main__":
    main()
