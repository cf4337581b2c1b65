"""What smoothing costs a neural net: votes against its bare forward pass.

    python benchmarks/nets.py [number of threads] [--nets mlp cnn resnet] [--ready-only]
        [--bfloat16]

"forward" is a bare forward pass and argmax over rows that are there already, in each of
the ways to run a net and in its best size of batch; "votes" is noise, forward pass and
counting of as many copies of one input. All runs of a net are interleaved and the best
of each counts, so that ratios hold on a busy machine. One thread: time of the process;
more: time on the clock, once by torch's own threads, once by workers with one each.

The table has the best size of batch for each forward pass; all sizes go to stderr.

The votes are those of a call that has got the net ready in its mode. What that takes is
printed as "ready in", and for a later call, for which the engine is kept, as "again".

--bfloat16 only compares votes in that precision with those of mode "eager", of nets
that give copies of an input to many classes: their time, and how many are others.
"""

import argparse
import copy
import sys
import time
from functools import partial
from itertools import cycle, islice

import joblib
import numpy as np
import torch
from torch import nn

from sksmooth.models import _net_modes
from sksmooth.models._net_engines import freeze, through_onnx, why_no_onnx
from sksmooth.models._net_memory import Memory
from sksmooth.torch import ModuleClassifier
from sksmooth.votes._rows import Inputs
from sksmooth.votes._voting import Voting

ROUNDS = 4


class Block(nn.Module):
    """A residual block of two convolutions."""

    def __init__(self, before, after, stride):
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(before, after, 3, stride, 1, bias=False),
            nn.BatchNorm2d(after),
            nn.ReLU(),
            nn.Conv2d(after, after, 3, 1, 1, bias=False),
            nn.BatchNorm2d(after),
        )
        self.short_cut = nn.Identity()
        if before != after:
            self.short_cut = nn.Sequential(
                nn.Conv2d(before, after, 1, stride, bias=False), nn.BatchNorm2d(after)
            )

    def forward(self, x):
        return torch.relu(self.body(x) + self.short_cut(x))


def mlp():
    layers = nn.Linear(784, 256), nn.ReLU(), nn.Linear(256, 10)
    return (784,), nn.Sequential(*layers), 40_000, (512, 1024)


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
    return (1, 28, 28), nn.Sequential(*layers), 16_000, (128, 256)


def resnet(n_blocks=3):
    """Return ResNet-20; with more blocks at each width a deeper one."""
    layers = [nn.Conv2d(3, 16, 3, padding=1, bias=False), nn.BatchNorm2d(16), nn.ReLU()]
    width = 16
    for after in (16, 32, 64):
        for stride in (1 if after == 16 else 2, *[1] * (n_blocks - 1)):
            layers.append(Block(width, after, stride))
            width = after
    layers += [nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(64, 10)]
    return (3, 32, 32), nn.Sequential(*layers), 384, (64, 128)


def balance(module, shape):
    """Let all classes win some copies, so that it can be seen if others win."""
    module.eval()
    x = torch.from_numpy(np.random.default_rng(0).random(shape, dtype=np.float32))
    with torch.no_grad():
        scores = module(x + 0.25 * torch.randn(100, *shape))
        module[-1].bias.sub_(scores.mean(0)).div_(scores.std(0))
        module[-1].weight.div_(scores.std(0)[:, None])


def interleaved(works, clock):
    """Return the shortest time of each piece of work, in seconds."""
    times = [[] for _ in works]
    for _ in range(ROUNDS):
        for work, taken in zip(works, times, strict=True):
            start = clock()
            work()
            taken.append(clock() - start)
    return [min(taken) for taken in times]


def engines(module, shape):
    """Return the module run in each way, as functions of a contiguous batch."""
    few = torch.randn(2, *shape)
    ways = {"eager": module, "frozen": freeze(module, few).module}
    if why_no_onnx(torch.device("cpu")) is None:
        ways["onnxruntime"] = through_onnx(module, few).module
    if len(shape) == 3:
        twin = copy.deepcopy(module).to(memory_format=torch.channels_last)
        ways["channels_last"] = twin
    return ways


def normals(clock):
    """Print how fast either library makes normals."""
    n, generator = 4_000_000, torch.Generator().manual_seed(0)
    tensor, array = torch.empty(n), np.empty(n, np.float32)
    stream = np.random.Generator(np.random.SFC64(0))
    by_torch, by_numpy = interleaved(
        [
            lambda: tensor.normal_(generator=generator),
            lambda: stream.standard_normal(dtype="f4", out=array),
        ],
        clock,
    )
    print(
        f"million normals a second: torch {n / by_torch / 1e6:.0f}, "
        f"NumPy {n / by_numpy / 1e6:.0f}",
        file=sys.stderr,
    )


def in_bfloat16(name, shape, module, n, _, clock):
    """Print what votes cost in bfloat16, and how many are others."""
    balance(module, shape)
    X = np.random.default_rng(0).random((1, *shape), dtype=np.float32)
    low = {"mode": "eager", "push_forward": False, "dtype": "bfloat16"}
    options = {**low, "dtype": None}, low, {**low, "channels_last": True}
    draws = []
    for one in options:
        inputs, f = Inputs.from_array(X, 0.25), ModuleClassifier(module)
        voting = Voting(f, np.arange(10), inputs, entropy=1, net_options=one)
        draws.append(partial(voting.draw, "estimate", n))
    counts = [draw().counts for draw in draws]
    seconds = interleaved(draws, clock)
    for one, votes, taken in zip(options, counts, seconds, strict=True):
        differ = np.abs(votes - counts[0]).sum() // 2
        layout = ", channels_last" * ("channels_last" in one)
        print(
            f"{name}: {one['dtype'] or 'float32'}{layout}: "
            f"{1e6 * taken / n:.0f} us a vote, {taken / seconds[0]:.2f} of eager; "
            f"{differ} of {n} are others",
            flush=True,
        )


def net(name, shape, module, n, sizes, options, n_threads, clock, ready_only):
    """Print what it takes to get ready, and what a copy costs, in microseconds."""
    module.eval()
    works = {}
    classifier, classes = ModuleClassifier(module), np.arange(10)
    X = np.random.default_rng(0).random((n_threads, *shape), dtype=np.float32)
    inputs = Inputs.from_array(X, 0.25)

    def ready(options, **settings):
        settings |= {"net_options": options, "entropy": 1}
        voting = Voting(classifier, classes, inputs, **settings)
        voting.recognised.voter.expect(1e6)  # votes, for which "auto" chooses
        return voting

    labels = [", ".join(f"{k}={v}" for k, v in one.items()) for one in options]
    labels = [label or "default" for label in labels]
    for label, one in zip(labels, options, strict=True):
        _net_modes.engines, times = Memory(), []
        for _ in range(2):
            start = clock()
            ready(one)
            times.append(f"{clock() - start:.2f} s")
        line = f"{name}: {label}: ready in {', again in '.join(times)}"
        print(line, file=sys.stdout if ready_only else sys.stderr, flush=True)
    if ready_only:
        return
    # More than a cache holds, less than memory.
    rows = torch.randn(min(n, 10_000), *shape)
    layout = torch.channels_last

    def forward(module, batches):
        with torch.inference_mode():
            for batch in islice(cycle(batches), n // len(batches[0])):
                module(batch).argmax(1)

    for way, run in engines(module, shape).items():
        for size in sizes:
            batches = rows[: len(rows) // size * size].split(size)
            if way == "channels_last":
                batches = [b.contiguous(memory_format=layout) for b in batches]
            works["forward", way, size] = partial(forward, run, batches)

    def by_workers(voting):
        torch.set_num_threads(1)
        with joblib.parallel_config(backend="threading"):
            voting.draw("estimate", n // n_threads)
        torch.set_num_threads(n_threads)

    for label, one in zip(labels, options, strict=True):
        draw = ready(one).of(np.arange(1)).draw
        works["votes", label, "1 worker"] = partial(draw, "estimate", n)
        if n_threads > 1:
            alone = ready(one, n_jobs=n_threads)
            label_workers = f"{n_threads} workers"
            works["votes", label, label_workers] = partial(by_workers, alone)
    for work in works.values():
        work()
    taken = dict(zip(works, interleaved(list(works.values()), clock), strict=True))
    shown = {}  # each way to run the net by its best size of batch
    for (kind, label, detail), t in taken.items():
        print(f"{name}: {kind}, {label}, {detail}: {1e6 * t / n:.1f}", file=sys.stderr)
        what = f"{label}, {detail}" if kind == "votes" and n_threads > 1 else label
        shown[kind, what] = min(t, shown.get((kind, what), t))
    best = min(t for (kind, _), t in shown.items() if kind == "forward")
    for (kind, what), t in shown.items():
        us = float(f"{1e6 * t / n:.3g}")
        cells = name, kind, what, f"{us:,g}", f"{t / best:.2f}"
        print("|", " | ".join(cells), "|", flush=True)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("n_threads", type=int, nargs="?", default=1)
    parser.add_argument("--nets", nargs="+", default=["mlp", "cnn", "resnet"])
    parser.add_argument("--ready-only", action="store_true")
    parser.add_argument("--bfloat16", action="store_true")
    arguments = parser.parse_args()
    n_threads = arguments.n_threads
    clock = time.process_time if n_threads == 1 else time.perf_counter
    torch.set_num_threads(n_threads)
    print(f"{n_threads} thread(s); torch {torch.__version__}", file=sys.stderr)
    normals(clock)
    if not (arguments.ready_only or arguments.bfloat16):
        print("| net | | how | us per copy | of the best forward pass |")
        print("| --- | --- | --- | ---: | ---: |")
    generic = {"push_forward": False}
    wide = [generic, {**generic, "mode": "onnxruntime"}, {}]
    deep = [{"mode": "eager"}, {"channels_last": True}]
    deep += [{"mode": "frozen"}, {"mode": "onnxruntime"}, {}]
    cases = {
        "mlp": ("MLP 784-256-10", mlp, wide),
        "cnn": ("CNN 1x28x28", cnn, deep),
        "resnet": ("ResNet-20 3x32x32", resnet, deep),
    }
    for case in arguments.nets:
        name, make, options = cases[case]
        torch.manual_seed(0)
        shape, module, *sizes = make()
        if arguments.bfloat16:
            in_bfloat16(name, shape, module, *sizes, clock)
            continue
        settings = options, n_threads, clock, arguments.ready_only
        net(name, shape, module, *sizes, *settings)


if __name__ == "__main__":
    main()
