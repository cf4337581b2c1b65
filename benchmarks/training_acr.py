"""Training methods on one test bench: average certified radius, certified accuracy.

    python benchmarks/training_acr.py [mnist fashion_mnist digits] [--sigma 0.5 ...]
        [--method gaussian smoothmix ...] [--set T=2 lbd=1.5] [--copies M] [--teacher]
        [--epochs E | --equal-passes | --seconds S] [--pretrain E] [--train 60000]
        [--every 5] [--n 10000]
        [--seed 0 ...] [--ema 0] [--device cuda] [--threads T] [--csv FILE]
        [--published FILE] [--keep FOLDER] [--only-train] [--more N --of M]
    python benchmarks/training_acr.py --passes

The net of the published comparisons (LeNet: 20 and 50 convolutions of 5 x 5, 500 hidden
units), trained by each method of `sksmooth.torch` on all training images, pixels from 0
to 1, under a learning rate that rises and falls once. Every 5th test image is certified
with n votes, n0 = 100, alpha = 0.001. Prints a line a run: the average certified radius
(ACR) and certified accuracies, with half the width of 95 % intervals over test images
(normal for the ACR, exact for accuracies), the number of test images, n, and seconds.
Judge methods by all columns: the ACR alone rewards large radii of easy inputs
(arXiv:2410.06895).

Parameters are the published ones where those are known (METHODS). --set and --copies
change those of the loss, --ema takes a moving average of the weights, --teacher has
CAT-RS taught by a net trained with plain noise before, whose time counts. With
--equal-passes a method has E epochs divided by its forward passes, at least one; with
--seconds as many epochs as take about S seconds, found out by short runs before.
--pretrain starts from the weights that E epochs of "consistency" led to, whose time
counts. Seconds of training are of the processor, of all threads. Several seeds are
followed by their mean. --published names a file like training_acr.csv, with the columns
dataset, method, sigma, acr, r=0, ...: its row is printed below. --keep FOLDER keeps
trained nets there and takes those that are there, whatever they were trained with;
so they can be trained first (--only-train) and certified again with other --n.

--more N estimates the ACR with N votes: the mean of all radii projected to N votes,
plus the mean error of that for --of M images drawn at random, which are certified with
N votes. This is unbiased however wrong projections are, and takes M * N votes.

A smoke run on a processor:

    python benchmarks/training_acr.py mnist --train 512 --epochs 1 --every 500 --n 200

"digits" are scikit-learn's 8 x 8 digits, 1,280 for training, with a small net (64-256-
10) and lengths of attacks divided by 4: minutes on a processor.

--passes counts the forward and backward passes that a step takes for each image.
"""

import argparse
import ast
import csv
import time
import warnings
from copy import copy, deepcopy
from pathlib import Path

import joblib
import numpy as np
import torch
from scipy.stats import binomtest, norm
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from skorch import NeuralNetClassifier
from skorch.callbacks import Callback, LRScheduler
from torch import nn

from sksmooth import (
    SmoothedClassifier,
    average_certified_radius_score,
    certified_accuracy_score,
)
from sksmooth.datasets import fetch_fashion_mnist, fetch_mnist
from sksmooth.torch import (
    CATRS,
    MACER,
    ConsistencyLoss,
    GaussianNoise,
    PrepareCopies,
    SmoothAdv,
    SmoothMix,
    Stability,
)

DATA = ("mnist", "fashion_mnist", "digits")
LENGTHS = ("epsilon", "alpha")  # in the units of pixels
RADII = np.arange(11) / 4

# Loss, noisy copies, and its parameters, of which a dict has those for each sigma.
PIXELS = {"clip": (0.0, 1.0)}
CONSISTENCY = {"consistency": {0.25: 10.0, 0.5: 5.0, 1.0: 5.0}, "eta": 0.5}
METHODS = {
    "gaussian": (ConsistencyLoss, 1, {"consistency": 0.0}),
    "stability": (Stability, 1, {"lbd": 2.0}),
    "macer": (MACER, 16, {"lbd": {0.25: 16.0, 0.5: 16.0, 1.0: 6.0}}),
    "consistency": (ConsistencyLoss, 2, CONSISTENCY),
    "smoothadv": (SmoothAdv, 4, {"epsilon": 1.0, "T": 10, **PIXELS}),
    "smoothadv+consistency": (
        SmoothAdv,
        4,
        {"epsilon": 1.0, "T": 10, **CONSISTENCY, **PIXELS},
    ),
    "smoothadv+memory": (
        SmoothAdv,
        1,
        {
            "epsilon": {0.25: 0.5, 0.5: 1.0, 1.0: 1.5},
            "T": 1,
            "remember": True,
            **PIXELS,
        },
    ),
    "smoothmix": (
        SmoothMix,
        4,
        {
            "eta": 5.0,
            "alpha": 1.0,
            "T": {0.25: 2, 0.5: 4, 1.0: 8},
            "one_step": True,
            **PIXELS,
        },
    ),
    "catrs": (
        CATRS,
        4,
        {"epsilon": 1.0, "T": 4, "lbd": {0.25: 0.5, 0.5: 1.0, 1.0: 2.0}},
    ),
}
# The names of methods in the file of published results, where they are others.
PUBLISHED = {
    "gaussian": "cohen",
    "stability": "stab",
    "smoothadv": "salman",
    "catrs": "cat-rs",
}


class Pool(nn.Module):
    """Largest of 2 x 2; a net with it votes 1.2 times as fast as with nn.MaxPool2d."""

    def forward(self, x):
        if torch.is_grad_enabled():  # gradients of slices cost more than they save
            return nn.functional.max_pool2d(x, 2)
        x = torch.maximum(x[..., ::2, :], x[..., 1::2, :])
        return torch.maximum(x[..., ::2], x[..., 1::2])


class LeNet(nn.Module):
    """Noise, two convolutions with pooling, two linear layers."""

    def __init__(self, sigma=0.5, n_copies=1):
        super().__init__()
        self.layers = nn.Sequential(
            GaussianNoise(sigma, n_copies=n_copies),
            nn.Conv2d(1, 20, 5),
            Pool(),  # before ReLU: the same values from a quarter of the work
            nn.ReLU(),
            nn.Conv2d(20, 50, 5),
            Pool(),
            nn.ReLU(),
            nn.Flatten(),
            nn.Linear(800, 500),
            nn.ReLU(),
            nn.Linear(500, 10),
        )
        # On a processor 1.8 times as many steps a second as in the usual order.
        self.to(memory_format=torch.channels_last)

    def forward(self, x):
        return self.layers(x)


class SmallNet(LeNet):
    """Noise, a hidden layer, logits."""

    def __init__(self, sigma=0.5, n_copies=1):
        nn.Module.__init__(self)
        self.layers = nn.Sequential(
            GaussianNoise(sigma, n_copies=n_copies),
            nn.Linear(64, 256),
            nn.ReLU(),
            nn.Linear(256, 10),
        )


def load(name, n_train, every):
    """Return training images and labels, test images and labels."""
    if name == "digits":
        X, y = load_digits(return_X_y=True)
        X = (X / 16).astype(np.float32)
        X, X_test, y, y_test = train_test_split(
            X, y, train_size=1280, stratify=y, random_state=0
        )
    else:
        fetch = fetch_mnist if name == "mnist" else fetch_fashion_mnist
        X, y = fetch(return_X_y=True)
        X_test, y_test = fetch(subset="test", return_X_y=True)
    return X[:n_train], y[:n_train], X_test[::every], y_test[::every]


class Start(Callback):
    """Begins with the weights of another net, where there is one."""

    def __init__(self, weights):
        self.weights = weights

    def on_train_begin(self, net, **kwargs):
        if self.weights is not None:
            net.module_.load_state_dict(self.weights)
            self.weights = None  # not to be kept with the net


class MovingAverage(Callback):
    """Ends with an exponential moving average of the weights; none with decay 0."""

    def __init__(self, decay):
        self.decay = decay

    def on_train_begin(self, net, **kwargs):
        self.n_steps_, self.average_ = 0, deepcopy(net.module_.state_dict())

    def on_batch_end(self, net, training=None, **kwargs):
        if training and self.decay:
            self.n_steps_ += 1
            # The first steps are soon forgotten.
            share = 1 - min(self.decay, self.n_steps_ / (self.n_steps_ + 9))
            for name, weight in net.module_.state_dict().items():
                self.average_[name].lerp_(weight, share)

    def on_train_end(self, net, **kwargs):
        if self.decay:
            net.module_.load_state_dict(self.average_)
        del self.average_


def parameters(name, method, sigma, epochs, changes):
    """Return the loss, its number of copies, and its parameters."""
    loss, copies, params = METHODS[method]
    params = {
        k: v[min(v, key=lambda level: abs(level - sigma))] if isinstance(v, dict) else v
        for k, v in params.items()
    }
    if name == "digits":
        params = {k: v / 4 if k in LENGTHS else v for k, v in params.items()}
    if loss in (SmoothAdv, SmoothMix):  # 10 of 90 epochs
        params["warmup"] = max(1, round(epochs / 9))
    if loss is MACER:  # 30 of 90
        params["deferred"] = round(epochs / 3)
    return loss, copies, {**params, **changes}


def make_net(module, loss, copies, params, n_images, options, start=None):
    batch = min(options.batch, n_images)
    schedule = LRScheduler(
        torch.optim.lr_scheduler.OneCycleLR,
        max_lr=options.lr,
        total_steps=options.epochs * (n_images // batch),
        step_every="batch",
    )
    return NeuralNetClassifier(
        module,
        module__n_copies=copies,
        criterion=loss,
        **{f"criterion__{name}": value for name, value in params.items()},
        optimizer=torch.optim.Adam,
        lr=options.lr,
        batch_size=batch,
        max_epochs=options.epochs,
        iterator_train__shuffle=True,
        iterator_train__drop_last=True,
        train_split=None,
        callbacks=[
            ("start", Start(start)),
            ("copies", PrepareCopies()),
            ("schedule", schedule),
            ("average", MovingAverage(options.ema)),
        ],
        device=options.device,
        verbose=0,
    )


def smoothed(net, sigma, seed, options):
    on_processor = torch.device(options.device).type == "cpu"
    return SmoothedClassifier(
        net,
        sigma=sigma,
        n=options.n,
        noise_param="module__sigma",
        n_jobs=options.threads if on_processor else None,
        random_state=seed,
    )


def with_epochs(options, epochs, **others):
    return argparse.Namespace(**{**vars(options), "epochs": epochs, **others})


def train(name, method, sigma, seed, X, y, options):
    """Return a smoothed classifier and the seconds of the processor that it took."""
    module = SmallNet if name == "digits" else LeNet

    def trained(method, options, start=None, **others):
        if method is None:
            loss, copies, params = nn.CrossEntropyLoss, 1, {}
        else:
            loss, copies, params = parameters(
                name, method, sigma, options.epochs, options.set
            )
            copies = options.copies or copies
        params = {**params, **others}
        net = make_net(module, loss, copies, params, len(X), options, start)
        return smoothed(net, sigma, seed, options).fit(X, y)

    begin, weights, others = time.process_time(), None, {}
    if options.pretrain:
        before = with_epochs(options, options.pretrain, set={}, copies=None)
        before = trained("consistency", before)
        weights = before.estimator_.module_.state_dict()
    if options.teacher and method == "catrs":
        others["teacher"] = trained(None, options).estimator_.module_
    g = trained(method, options, weights, **others)
    return g, time.process_time() - begin


def epochs_in(seconds, train):
    """Return how many epochs take so many seconds, found out by short runs."""
    train(1)  # pays for what is done once
    epochs, took = 1, train(1)[1]
    while took < seconds / 20:
        epochs *= 2
        took = train(epochs)[1]
    return max(1, round(epochs * seconds / took))


def run(name, method, sigma, seed, images, options):
    """Train and certify; return what stands in the line."""
    X, y, X_test, y_test = images
    epochs = options.epochs
    if options.equal_passes:
        loss, copies, params = parameters(name, method, sigma, epochs, options.set)
        passes = count_passes(loss, options.copies or copies, params)[0]
        epochs = max(1, round(epochs / passes))
    kept = None
    if options.keep:
        options.keep.mkdir(parents=True, exist_ok=True)
        kept = options.keep / f"{name}-{method}-{sigma:g}-{seed}.joblib"
    if options.seconds and not (kept and kept.exists()):
        epochs = epochs_in(
            options.seconds,
            lambda e: train(name, method, sigma, seed, X, y, with_epochs(options, e)),
        )
    if kept and kept.exists():
        net, trained, epochs = joblib.load(kept)
    else:
        options = with_epochs(options, epochs)
        g, trained = train(name, method, sigma, seed, X, y, options)
        net = g.estimator_
        if kept:
            del net.optimizer_  # twice as large as the net
            joblib.dump((net.set_params(callbacks=None), trained, epochs), kept)
    if options.only_train:
        return None
    net.device = options.device
    net.module_.to(options.device)
    g = smoothed(net, sigma, seed, options)
    start = time.perf_counter()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of torch, about freezing
        certificate = g.certify(X_test)
    certified = time.perf_counter() - start

    m = len(y_test)
    radius = right_radius(certificate, y_test)
    row = {"dataset": name, "method": method, "sigma": sigma, "seed": seed}
    row["inputs"], row["n"], row["epochs"] = m, options.n, epochs
    row["train_s"], row["certify_s"] = trained, certified
    row["acr"] = average_certified_radius_score(y_test, certificate)
    row["acr_half"] = half_width(radius)
    accuracies = certified_accuracy_score(y_test, certificate, radius=RADII)
    for r, accuracy in zip(RADII, accuracies, strict=True):
        ends = binomtest(round(accuracy * m), m).proportion_ci(0.95)
        row[f"r={r:g}"] = accuracy
        row[f"r={r:g}_low"], row[f"r={r:g}_high"] = ends.low, ends.high
    more = ("more", "of", "acr_more", "acr_more_half")
    row |= dict.fromkeys(more)
    if options.more:
        row |= with_more_votes(g, X_test, y_test, certificate, options)
    return row


def right_radius(certificate, y):
    return np.where(certificate.prediction == y, certificate.radius, 0.0)


def half_width(values):
    """Return half the width of a normal 95 % interval for the mean."""
    return norm.ppf(0.975) * values.std(ddof=1) / np.sqrt(len(values))


def with_more_votes(g, X, y, certificate, options):
    """Return an estimate of the ACR with more votes, which only some images get."""
    projected = right_radius(certificate.recertify(n=options.more), y)
    some = np.random.default_rng(0).choice(len(y), options.of, replace=False)
    more = copy(g).set_params(n=options.more).certify(X[some])
    error = right_radius(more, y[some]) - projected[some]
    return {
        "more": options.more,
        "of": options.of,
        "acr_more": projected.mean() + error.mean(),
        "acr_more_half": np.hypot(half_width(projected), half_width(error)),
    }


def line(row):
    """Return a run as a line of text."""
    cells = []
    for r in RADII:
        half = (row[f"r={r:g}_high"] - row[f"r={r:g}_low"]) / 2
        cells.append(f"{row[f'r={r:g}']:.3f}±{half:.3f}")
    return (
        f"{row['dataset']:13} {row['method']:21} {row['sigma']:5g} {row['seed']:4} "
        f"{row['acr']:.3f}±{row['acr_half']:.3f}  {' '.join(cells)} "
        f"{row['inputs']:6} {row['n']:7} {row['epochs']:6} "
        f"{row['train_s']:7.0f} {row['certify_s']:9.0f}"
    )


def more_line(row):
    acr = f"{row['acr_more']:.3f}±{row['acr_more_half']:.3f}"
    return f"{'':13} ACR with {row['more']:,} votes, of {row['of']} images: {acr}"


def published_line(row, published):
    """Return the published row of the same data, method and sigma, or None."""
    method = PUBLISHED.get(row["method"], row["method"])
    wanted = row["dataset"].replace("_", "-"), method, row["sigma"]
    for other in published:
        if (other["dataset"], other["method"], float(other["sigma"])) == wanted:
            cells = (f"{float(other[f'r={r:g}']):.3f}      " for r in RADII)
            acr, inputs = float(other["acr"]), other["inputs"]
            return (
                f"{'':13} {'published':21} {row['sigma']:5g} {'':4} "
                f"{acr:.3f}        {' '.join(cells)} {inputs:>6}"
            )
    return None


def count_passes(loss, copies, params):
    """Return forward and backward passes of a step, for each image.

    Counted at the first layer behind the noise, on a few random images.
    """
    module, criterion = LeNet(n_copies=copies), loss(**params)
    passed = {"forward": 0, "backward": 0}

    def count(gradient):
        passed["backward"] += len(gradient)

    def watch(layer, args, output):
        passed["forward"] += len(output)
        if output.requires_grad:
            output.register_hook(count)

    module.layers[1].register_forward_hook(watch)
    x, y = torch.rand(8, 1, 28, 28), torch.arange(8)
    if hasattr(criterion, "prepare"):
        criterion.prepare(module, x, y, epoch=0)
    criterion(module(x), y).backward()
    return tuple(n // len(x) for n in passed.values())


def print_passes():
    print("forward and backward passes of a step, for each image (sigma = 0.5)")
    print(f"{'method':22} copies      T  forward  backward")
    for method in METHODS:
        loss, copies, params = parameters("mnist", method, 0.5, 90, {})
        forward, backward = count_passes(loss, copies, params)
        steps = params.get("T", "")
        print(f"{method:22} {copies:6} {steps:>6}  {forward:7}  {backward:8}")


def pair(text):
    name, _, value = text.partition("=")
    return name, ast.literal_eval(value)


def parse():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(DATA))
    parser.add_argument("--method", nargs="+", choices=METHODS, default=list(METHODS))
    parser.add_argument("--sigma", nargs="+", type=float, default=[0.25, 0.5, 1.0])
    parser.add_argument("--seed", nargs="+", type=int, default=[0])
    parser.add_argument("--set", nargs="+", type=pair, default=[])
    parser.add_argument("--copies", type=int)
    parser.add_argument("--teacher", action="store_true")
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--equal-passes", action="store_true")
    parser.add_argument("--seconds", type=float, help="of training, in place of epochs")
    parser.add_argument("--pretrain", type=int, default=0, help="epochs before")
    parser.add_argument("--batch", type=int, default=256)
    parser.add_argument("--lr", type=float, default=0.003)
    parser.add_argument("--ema", type=float, default=0.0)
    parser.add_argument("--train", type=int, default=60_000, help="training images")
    parser.add_argument("--every", type=int, default=5, help="stride of test images")
    parser.add_argument("--n", type=int, default=10_000)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--csv", type=Path, help="append the runs to this file")
    parser.add_argument("--published", type=Path, help="a file of published results")
    parser.add_argument("--keep", type=Path, help="a folder for trained nets")
    parser.add_argument("--only-train", action="store_true", help="and --keep")
    parser.add_argument("--more", type=int, metavar="N", help="votes, for some images")
    parser.add_argument(
        "--of", type=int, default=200, metavar="M", help="so many images"
    )
    parser.add_argument("--passes", action="store_true")
    options = parser.parse_args()
    if unknown := set(options.names) - set(DATA):
        parser.error(f"no data set {sorted(unknown)[0]!r}; there is {', '.join(DATA)}")
    if options.only_train and not options.keep:
        parser.error("--only-train needs --keep FOLDER")
    options.set = dict(options.set)
    return options


def main():
    options = parse()
    torch.set_num_threads(options.threads)
    if options.passes:
        print_passes()
        return
    published = []
    if options.published:
        with options.published.open(newline="") as file:
            published = list(csv.DictReader(file))
    length = f"{options.epochs} epochs"
    if options.equal_passes:
        length += " over passes"
    if options.seconds:
        length = f"about {options.seconds:g} s"
    if options.pretrain:
        length += f" after {options.pretrain} of consistency"
    if options.keep:
        length += " (not of nets that were kept)"
    device = options.device
    if torch.device(device).type == "cuda":
        device = torch.cuda.get_device_name(device)
    print(
        f"at most {options.train:,} training images, {length} of batches "
        f"of {options.batch}, Adam to {options.lr:g}, ema {options.ema:g}; alpha = "
        f"0.001, n0 = 100; {device}, {options.threads} thread(s); {options.set or ''}"
    )
    heads = " ".join(f"r={r:<9g}" for r in RADII)
    print(
        f"{'dataset':13} {'method':21} sigma seed ACR          {heads} inputs       n "
        f"epochs train s certify s"
    )
    for name in options.names or DATA[:2]:
        images = load(name, options.train, options.every)
        for sigma in options.sigma:
            for method in options.method:
                acr = []
                for seed in options.seed:
                    row = run(name, method, sigma, seed, images, options)
                    if row is None:
                        continue
                    acr.append(row["acr"])
                    print(line(row), flush=True)
                    if options.more:
                        print(more_line(row), flush=True)
                    if options.csv:
                        append(options.csv, row)
                if len(acr) > 1:
                    error = np.std(acr, ddof=1) / np.sqrt(len(acr))
                    text = f"{np.mean(acr):.4f} ± {error:.4f} (standard error)"
                    print(f"{'':13} {len(acr)} seeds: mean ACR {text}", flush=True)
                if row and (text := published_line(row, published)):
                    print(text, flush=True)


def append(path, row):
    is_new = not path.exists()
    with path.open("a", newline="") as file:
        writer = csv.DictWriter(file, row)
        if is_new:
            writer.writeheader()
        writer.writerow(row)


if __name__ == "__main__":
    main()
