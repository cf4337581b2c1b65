"""What noise on a grid costs: time, and radius.

    python benchmarks/grid.py [--repeats 7]

Nanoseconds of processor time for each noisy number, with and without a grid, in pairs
one after the other in one thread; the median of the ratios of the pairs. Then whole
votes of some classifiers, and the most that rounding takes off a radius.
"""

import argparse
from contextlib import nullcontext
from itertools import product
from statistics import median
from time import process_time
from unittest.mock import patch

import numpy as np
import torch
from sklearn.datasets import load_digits
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.neural_network import MLPClassifier

from sksmooth import SmoothedClassifier, _compiled
from sksmooth.noise import Gaussian
from sksmooth.noise import _normals as _stream
from sksmooth.noise._streams import open_stream, stream_key
from sksmooth.torch import ModuleClassifier

KEY = stream_key(0, "estimate", b"")
SIGMA = 0.25
STEP = SIGMA / 2**16


def seconds(function):
    start = process_time()
    function()
    return process_time() - start


def pairs(plain, on_grid, repeats):
    """Return the median times of both, and of their ratio."""
    plain(), on_grid()
    times = [(seconds(plain), seconds(on_grid)) for _ in range(repeats)]
    a, b = zip(*times, strict=True)
    return median(a), median(b), median(y / x for x, y in times)


def noise(d, dtype, grid):
    n = 2**20 // d
    x, out = np.zeros(d, dtype), np.empty((n, d), dtype)
    stream, noise = open_stream(KEY), Gaussian().bind(SIGMA, grid)
    return lambda: noise.copies(x, stream, out)


def classifiers():
    X, y = load_digits(return_X_y=True)
    X = X / 16
    noisy = X + SIGMA * np.random.default_rng(0).normal(size=X.shape)
    forest = RandomForestClassifier(100, random_state=0)
    boosting = HistGradientBoostingClassifier(max_iter=30, random_state=0)
    mlp = MLPClassifier((64,), max_iter=60, random_state=0, tol=1e-2)
    for f in (LogisticRegression(max_iter=500), mlp, boosting, forest):
        yield type(f).__name__, f.fit(noisy, y), X
    torch.manual_seed(0)
    net = torch.nn.Sequential(
        torch.nn.Linear(784, 256), torch.nn.ReLU(), torch.nn.Linear(256, 10)
    )
    images = np.random.default_rng(0).random((4, 784), np.float32)
    yield "torch MLP 784-256-10", ModuleClassifier(net, classes=np.arange(10)), images
    net = torch.nn.Sequential(
        torch.nn.Conv2d(1, 16, 3, 2),
        torch.nn.ReLU(),
        torch.nn.Conv2d(16, 32, 3, 2),
        torch.nn.ReLU(),
        torch.nn.Flatten(),
        torch.nn.Linear(32 * 36, 10),
    )
    images = images.reshape(4, 1, 28, 28)
    yield "torch CNN 1x28x28", ModuleClassifier(net, classes=np.arange(10)), images


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=7)
    options = parser.parse_args()
    torch.set_num_threads(1)
    _compiled._work = 2**62  # numba is used from now on
    print("| noise | features | None (ns) | grid (ns) | grid / None |")
    print("| --- | ---: | ---: | ---: | ---: |")
    by_numpy = patch.object(_stream, "module_if_worth", lambda name, work: None)
    for name, by in (("by NumPy", by_numpy), ("compiled", nullcontext())):
        for dtype, d in product(("float32", "float64"), (64, 3072)):
            with by:
                plain, on_grid = noise(d, dtype, None), noise(d, dtype, STEP)
                a, b, ratio = pairs(plain, on_grid, options.repeats)
            a, b = a * 1e9 / 2**20, b * 1e9 / 2**20
            print(f"| {name}, {dtype} | {d} | {a:.1f} | {b:.1f} | {ratio:.2f} |")
    print("\n| votes | None (us) | grid (us) | grid / None |")
    print("| --- | ---: | ---: | ---: |")
    for name, f, X in classifiers():
        votes = [
            SmoothedClassifier(
                f,
                sigma=SIGMA,
                n=2000,
                n0=1,
                grid=grid,
                method="monte_carlo",
                random_state=0,
            ).certify
            for grid in (None, "auto")
        ]
        X = X[:4]
        a, b, ratio = pairs(lambda: votes[0](X), lambda: votes[1](X), 3)  # noqa: B023
        a, b = a * 1e6 / 8000, b * 1e6 / 8000
        print(f"| {name} | {a:.2f} | {b:.2f} | {ratio:.2f} |")
    print("\n| features | the most that rounding takes off a radius |")
    print("| ---: | ---: |")
    for d in (30, 784, 3072, 150_528):
        print(f"| {d} | {np.sqrt(d) / 2**16:.5f} sigma |")


if __name__ == "__main__":
    main()
