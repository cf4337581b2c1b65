"""What votes of nets cost on a GPU: against a forward pass, a plain loop and ART.

    pip install --no-deps adversarial-robustness-toolbox==1.20.1 six
    python benchmarks/gpu.py [NET ...] [--device cuda] [--votes 100000]
        [--repeats 3] [--dtype float16] [--quick]

Nets: resnet-20, resnet-110 (32 pixels) and resnet-50 (224 pixels); all by default.

Noisy copies a second, by the clock, of an input after another that gets `--votes`:
"forward" is a forward pass and argmax over rows that are there already; "loop" is
noise by torch, forward pass and counting on the device; both in the best of some sizes
of batch and of both memory formats. "art" is the Adversarial Robustness Toolbox, if it
is installed, at its own size of batch. "sksmooth" is `certify` as it comes, in a call
for that input alone, "five" in one for five inputs, "shared" with `shared_noise=True`
for four inputs. All take turns, and medians of the repeats are reported. --dtype lets
all but ART compute in it, by torch's autocast.

What 500 inputs take is computed from the rate of "five" for `certify`, and measured on
five of them for `certified_correct` at a radius of sigma / 2.

--quick takes few votes of images of 32 pixels, on one thread, to see on a CPU that the
script runs: its numbers mean nothing.
"""

import argparse
import importlib.util
import logging
import time
import warnings
from contextlib import nullcontext
from functools import partial

import numpy as np
import torch
from nets import resnet
from torch import nn

from sksmooth import SmoothedClassifier
from sksmooth.torch import ModuleClassifier

SIGMA, MANY, ASKED = 0.25, 500, 5


class Bottleneck(nn.Module):
    """A residual block of three convolutions, as in ResNet-50."""

    def __init__(self, before, width, stride):
        super().__init__()
        after = 4 * width
        self.body = nn.Sequential(
            *_convolution(before, width, 1),
            nn.ReLU(),
            *_convolution(width, width, 3, stride),
            nn.ReLU(),
            *_convolution(width, after, 1),
        )
        self.short_cut = nn.Identity()
        if before != after or stride > 1:
            self.short_cut = nn.Sequential(*_convolution(before, after, 1, stride))

    def forward(self, x):
        return torch.relu(self.body(x) + self.short_cut(x))


def _convolution(before, after, size, stride=1):
    convolution = nn.Conv2d(before, after, size, stride, size // 2, bias=False)
    return convolution, nn.BatchNorm2d(after)


def resnet_50():
    layers = [*_convolution(3, 64, 7, 2), nn.ReLU(), nn.MaxPool2d(3, 2, 1)]
    before = 64
    for width, n_blocks in ((64, 3), (128, 4), (256, 6), (512, 3)):
        for k in range(n_blocks):
            stride = 2 if k == 0 and width > 64 else 1
            layers.append(Bottleneck(before, width, stride))
            before = 4 * width
    layers += [nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(before, 1000)]
    return (3, 224, 224), nn.Sequential(*layers), 1000, (64, 128, 256, 512)


def small_images(n_blocks):
    shape, module, *_ = resnet(n_blocks)
    return shape, module, 10, (256, 1024, 4096, 16384)


NETS = {
    "resnet-20": partial(small_images, 3),
    "resnet-110": partial(small_images, 18),
    "resnet-50": resnet_50,
}


class Peers:
    """One net, by everybody; each method takes n copies, and waits for the device."""

    def __init__(self, name, options):
        torch.manual_seed(0)
        self.shape, module, self.n_classes, sizes = NETS[name]()
        self.device, self.dtype = torch.device(options.device), options.dtype
        self.n0 = options.n0
        if options.quick:
            self.shape, sizes = (3, 32, 32), (8,)
        self.sizes = sizes
        self.module = module.to(self.device).eval()
        last = torch.channels_last
        self.formats = {torch.contiguous_format: self.module}
        twin, _ = NETS[name]()[1:3]
        twin.load_state_dict(module.state_dict())
        self.formats[last] = twin.to(self.device, memory_format=last).eval()
        rng = np.random.default_rng(0)
        self.X = rng.random((ASKED, *self.shape), dtype=np.float32)

    def names(self):
        art = ["art"] if importlib.util.find_spec("art") else []
        return ["forward", "loop", *art, "sksmooth", "five", "shared"]

    def precision(self):
        if self.dtype is None:
            return nullcontext()
        return torch.autocast(self.device.type, getattr(torch, self.dtype))

    def wait(self):
        if self.device.type == "cuda":
            torch.cuda.synchronize(self.device)

    def best(self, work, n):
        """Return the best rate of some work, over sizes of batch and formats."""
        rates = []
        for layout, module in self.formats.items():
            for size in self.sizes:
                try:
                    work(module, layout, size, size)  # kernels are chosen
                    self.wait()
                    start = time.perf_counter()
                    work(module, layout, size, max(n, size))
                    self.wait()
                except torch.OutOfMemoryError:
                    torch.cuda.empty_cache()
                    continue
                n_batches = -(-n // size)
                rates.append(n_batches * size / (time.perf_counter() - start))
        return max(rates)

    def forward(self, n):
        def work(module, layout, size, n):
            batch = torch.randn((size, *self.shape), device=self.device)
            batch = batch.contiguous(memory_format=layout)
            with torch.inference_mode(), self.precision():
                for _ in range(-(-n // size)):
                    module(batch).argmax(1)

        return self.best(work, n)

    def loop(self, n):
        x = torch.from_numpy(self.X[0]).to(self.device)

        def work(module, layout, size, n):
            counts = torch.zeros(self.n_classes, dtype=torch.long, device=self.device)
            with torch.inference_mode(), self.precision():
                for _ in range(-(-n // size)):
                    batch = torch.randn((size, *self.shape), device=self.device)
                    batch.mul_(SIGMA).add_(x)
                    labels = module(batch.contiguous(memory_format=layout)).argmax(1)
                    counts += torch.bincount(labels, minlength=self.n_classes)
            return counts.cpu()

        return self.best(work, n)

    def art(self, n):
        if not hasattr(self, "_art"):
            logging.getLogger("art").setLevel(logging.ERROR)
            from art.estimators.certification.randomized_smoothing import (
                PyTorchRandomizedSmoothing,
            )

            self._art = PyTorchRandomizedSmoothing(
                model=self.module,
                loss=nn.CrossEntropyLoss(),
                input_shape=self.shape,
                nb_classes=self.n_classes,
                device_type="cpu" if self.device.type == "cpu" else "gpu",
                sample_size=self.n0,
                scale=SIGMA,
                alpha=0.001,
            )
        return self.rate(lambda: self._art.certify(self.X[:1], n=n), self.n0 + n)

    def smoothed(self, n, **settings):
        options = None if self.dtype is None else {"dtype": self.dtype}
        f = ModuleClassifier(self.module, device=self.device)
        settings = {"random_state": 0, "net_options": options, **settings}
        return SmoothedClassifier(f, sigma=SIGMA, n=n, n0=self.n0, **settings)

    def sksmooth(self, n):
        return self.rate(lambda: self.smoothed(n).certify(self.X[:1]), self.n0 + n)

    def five(self, n):
        n_votes = ASKED * (self.n0 + n)
        return self.rate(lambda: self.smoothed(n).certify(self.X), n_votes)

    def shared(self, n):
        g, X = self.smoothed(n // 4, shared_noise=True), self.X[:4]
        return self.rate(lambda: g.certify(X), 4 * (self.n0 + n // 4))

    def rate(self, work, n):
        """Return copies a second."""
        start = time.perf_counter()
        work()
        self.wait()
        return n / (time.perf_counter() - start)

    def question(self, n):
        """Return the seconds in which `certified_correct` answers for an input."""
        g = self.smoothed(n)
        y = g.predict(self.X)
        y = np.where(np.isin(y, g.classes_), y, g.classes_[0])
        return 1 / self.rate(lambda: g.certified_correct(self.X, y, SIGMA / 2), ASKED)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("nets", nargs="*", metavar="NET")
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--votes", type=int, default=100_000)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--dtype", choices=["float16", "bfloat16"])
    parser.add_argument("--quick", action="store_true")
    options = parser.parse_args()
    options.n0 = 100
    if options.quick:
        options.votes, options.n0, options.repeats = 24, 8, 1
        torch.set_num_threads(1)
    if unknown := set(options.nets) - set(NETS):
        parser.error(f"unknown nets {sorted(unknown)}: {', '.join(NETS)}.")
    warnings.simplefilter("ignore")
    card = options.device
    if torch.device(options.device).type == "cuda":
        card = torch.cuda.get_device_name(options.device)
    print(f"{card}; torch {torch.__version__}; {options.dtype or 'float32'}")
    for name in options.nets or NETS:
        peers = Peers(name, options)
        rates = {peer: [] for peer in peers.names()}
        for peer in rates:
            getattr(peers, peer)(min(options.votes, 1000))  # kernels are chosen
        for _ in range(options.repeats):
            for peer, found in rates.items():
                found.append(getattr(peers, peer)(options.votes))
        rates = {peer: float(np.median(found)) for peer, found in rates.items()}
        for peer, rate in rates.items():
            share = rates["forward"] / rate
            print(f"{name}: {peer}: {rate:,.0f} copies/s, time {share:.2f} of forward")
        hours = MANY * (options.n0 + options.votes) / rates["five"] / 3600
        question = peers.question(options.votes) * MANY / 3600
        print(
            f"{name}: {MANY} inputs: certify {hours:.2g} h, certified_correct at "
            f"sigma / 2 {question:.2g} h",
            flush=True,
        )


if __name__ == "__main__":
    main()
