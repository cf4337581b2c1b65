"""What smoothing costs a neural net: votes against its bare forward pass.

    python benchmarks/nets.py

One thread on the CPU; process time, best of three, all in one run, so that the ratios
hold on a busy machine. "Votes" is noise, forward pass and counting; "forward" the same
number of rows that are there already, by the plain net and by a frozen graph of it.
"""

import time
import warnings

import numpy as np
import torch
from torch import nn

from sksmooth._votes import Inputs, count_votes
from sksmooth.torch import ModuleClassifier


def mlp():
    layers = nn.Linear(784, 256), nn.ReLU(), nn.Linear(256, 10)
    return (784,), nn.Sequential(*layers), 512, 20_000


def cnn():
    layers = []
    for before, after in ((1, 16), (16, 32)):
        layers += [
            nn.Conv2d(before, after, 3, padding=1),
            nn.BatchNorm2d(after),
            nn.ReLU(),
            nn.MaxPool2d(2),
        ]
    layers += [nn.Flatten(), nn.Linear(32 * 7 * 7, 10)]
    return (1, 28, 28), nn.Sequential(*layers), 256, 4_000


def best_of_three(work):
    """Process time in seconds, after one run to warm up."""
    work()
    times = []
    for _ in range(3):
        start = time.process_time()
        work()
        times.append(time.process_time() - start)
    return min(times)


def frozen(module, batch):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch would like another way of freezing
        graph = torch.jit.freeze(torch.jit.trace(module, batch))
        return torch.jit.optimize_for_inference(graph)


def normals():
    """Print how fast either library makes normals."""
    n, generator = 4_000_000, torch.Generator().manual_seed(0)
    tensor, array = torch.empty(n), np.empty(n, np.float32)
    stream = np.random.Generator(np.random.SFC64(0))
    by_torch = best_of_three(lambda: tensor.normal_(generator=generator))
    by_numpy = best_of_three(lambda: stream.standard_normal(dtype="f4", out=array))
    print(
        f"million normals a second: torch {n / by_torch / 1e6:.0f}, "
        f"NumPy {n / by_numpy / 1e6:.0f}"
    )


def net(name, shape, module, size, n):
    """Print what a copy costs, in microseconds."""
    module.eval()
    batch = torch.randn(size, *shape)
    n = n // size * size

    def forward(module):
        with torch.inference_mode():
            for _ in range(n // size):
                module(batch).argmax(1)

    classifier = ModuleClassifier(module)
    X = np.random.default_rng(0).random((1, *shape), dtype=np.float32)
    inputs, classes = Inputs.from_array(X, 0.25), np.arange(10)

    def votes(mode):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            count_votes(
                classifier,
                classes,
                inputs,
                n,
                entropy=1,
                purpose="estimate",
                net_options={"mode": mode},
            )

    graph = frozen(module, batch)
    bare = {"eager": module, "frozen": graph}
    bare = {mode: best_of_three(lambda m=m: forward(m)) for mode, m in bare.items()}
    for mode, seconds in bare.items():
        cost = best_of_three(lambda mode=mode: votes(mode))
        print(
            f"{name}, {mode}: forward {1e6 * seconds / n:6.1f} us a copy, votes "
            f"{1e6 * cost / n:6.1f} us; votes / best forward "
            f"{cost / min(bare.values()):.2f}"
        )


def main():
    torch.set_num_threads(1)
    normals()
    net("MLP 784-256-10", *mlp())
    net("CNN 1x28x28", *cnn())


if __name__ == "__main__":
    main()
