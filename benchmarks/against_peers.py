"""What votes cost here, in the Adversarial Robustness Toolbox and in a plain loop.

    pip install --no-deps adversarial-robustness-toolbox==1.20.1 six
    python benchmarks/against_peers.py [WORKLOAD ...] [--threads 1] [--seconds 1]
        [--votes 10000] [--repeats 3] [--question-inputs 50]
        [--memory-votes 100000] [--memory-only]

Workloads: linear, forest, hist, xgboost, lightgbm, mlp (torch), mlp-sklearn, cnn,
resnet; all by default.

First table, the same votes: certify with n0 = 100 and n = 10,000, in rows (noisy
copies) a second, on as many inputs as take about `--seconds` (at least 50 under shared
noise, which is shared by them); where one input takes longer, n is lower. "loop" is
NumPy noise in batches of 1,024 and the model's own predict; "bare" is the model on one
batch that is there already, without noise, at the best of three batch sizes. "as it
comes" is sksmooth with its defaults; nothing is asked for but sigma and n. "shared
noise" is the fastest that can be asked for. All take
turns, and medians of the repeats are reported: of process time with one thread, of wall
time with more (then the machine must have nothing else to do).

Second table, the same question: which inputs are certified at a radius of sigma / 2, at
alpha = .001 with up to 100,000 votes? sksmooth answers it by `certified_correct`. The
others draw 100,100 votes per input, at their pace in the first table. Labels are
those that g predicts.

Peak memory is what a new process needs on top of what it had after a short run, at
`--memory-votes` votes on one input (0: not measured; needs Linux). --memory-only leaves
out the rest.
"""

import argparse
import logging
import multiprocessing
import os
import sys
import time
import warnings
from pathlib import Path

import numpy as np

N0, ALPHA = 100, 0.001


def fitted(estimator, X, y, sigma):
    """Train on noisy data, as smoothing wants it."""
    noise = sigma * np.random.default_rng(0).normal(size=X.shape)
    return estimator.fit((X + noise).astype(X.dtype), y)


def linear():
    from sklearn.datasets import load_digits
    from sklearn.linear_model import LogisticRegression

    X, y = load_digits(return_X_y=True)
    return fitted(LogisticRegression(max_iter=5000), X, y, 4.0), X, 4.0


def forest():
    from sklearn.ensemble import RandomForestClassifier

    X, y = _breast_cancer()
    return fitted(RandomForestClassifier(random_state=0), X, y, 0.5), X, 0.5


def hist():
    from sklearn.ensemble import HistGradientBoostingClassifier

    X, y = _breast_cancer()
    return fitted(HistGradientBoostingClassifier(random_state=0), X, y, 0.5), X, 0.5


def xgboost():
    from xgboost import XGBClassifier

    X, y = _breast_cancer()
    return fitted(XGBClassifier(n_jobs=1), X, y, 0.5), X, 0.5


def lightgbm():
    from lightgbm import LGBMClassifier

    X, y = _breast_cancer()
    return fitted(LGBMClassifier(n_jobs=1, verbose=-1), X, y, 0.5), X, 0.5


def _breast_cancer():
    from sklearn.datasets import load_breast_cancer
    from sklearn.preprocessing import StandardScaler

    X, y = load_breast_cancer(return_X_y=True)
    return StandardScaler().fit_transform(X), y


def mlp():
    from torch import nn

    layers = nn.Linear(784, 256), nn.ReLU(), nn.Linear(256, 10)
    return _net(nn.Sequential(*layers), (784,))


def mlp_sklearn():
    from sklearn.neural_network import MLPClassifier

    rng = np.random.default_rng(0)
    X = rng.random((500, 784), dtype=np.float32)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # not converged: it is the size that matters
        f = MLPClassifier((256,), max_iter=2, random_state=0)
        return f.fit(X, np.arange(500) % 10), X, 0.25


def cnn():
    from torch import nn

    layers = []
    for before, after in ((1, 16), (16, 32)):
        layers += [nn.Conv2d(before, after, 3, padding=1), nn.BatchNorm2d(after)]
        layers += [nn.ReLU(), nn.MaxPool2d(2)]
    layers += [nn.Flatten(), nn.Linear(32 * 7 * 7, 10)]
    return _net(nn.Sequential(*layers), (1, 28, 28))


def resnet():
    from torch import nn

    class Block(nn.Module):
        def __init__(self, before, after):
            super().__init__()
            stride = 1 if before == after else 2
            self.body = nn.Sequential(
                nn.Conv2d(before, after, 3, stride, 1, bias=False),
                nn.BatchNorm2d(after),
                nn.ReLU(),
                nn.Conv2d(after, after, 3, 1, 1, bias=False),
                nn.BatchNorm2d(after),
            )
            self.skip = nn.Sequential()
            if stride > 1:
                self.skip = nn.Conv2d(before, after, 1, stride, bias=False)

        def forward(self, x):
            return (self.body(x) + self.skip(x)).relu()

    widths = [16, 16, 16, 16, 32, 32, 32, 64, 64, 64]
    blocks = [Block(*pair) for pair in zip(widths[:-1], widths[1:], strict=True)]
    head = nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(64, 10)
    first = nn.Conv2d(3, 16, 3, 1, 1, bias=False), nn.BatchNorm2d(16), nn.ReLU()
    return _net(nn.Sequential(*first, *blocks, *head), (3, 32, 32))


def _net(module, shape):
    import torch

    from sksmooth.torch import ModuleClassifier

    torch.manual_seed(0)
    for parameter in module.parameters():
        if parameter.ndim > 1:
            torch.nn.init.kaiming_normal_(parameter)
    X = np.random.default_rng(0).random((500, *shape), dtype=np.float32)
    return ModuleClassifier(module.eval()), X, 0.25


WORKLOADS = {
    "linear": linear,
    "forest": forest,
    "hist": hist,
    "xgboost": xgboost,
    "lightgbm": lightgbm,
    "mlp": mlp,
    "mlp-sklearn": mlp_sklearn,
    "cnn": cnn,
    "resnet": resnet,
}

# What the workloads are called in tables.
LABELS = {
    "linear": "LogisticRegression, digits",
    "forest": "RandomForest(100), breast_cancer",
    "hist": "HistGradientBoosting, breast_cancer",
    "xgboost": "XGBClassifier, breast_cancer",
    "lightgbm": "LGBMClassifier, breast_cancer",
    "mlp": "MLP 784-256-10, torch",
    "mlp-sklearn": "MLPClassifier 784-256-10",
    "cnn": "small CNN 1x28x28, torch",
    "resnet": "ResNet-20 3x32x32, torch",
}


class Peers:
    """One workload, by everybody. Each method draws n votes on one input."""

    def __init__(self, name, n_jobs=None):
        self.n_jobs = n_jobs
        self.f, self.X, self.sigma = WORKLOADS[name]()
        self.is_net = hasattr(self.f, "module")
        self.n_classes = 10 if self.is_net else len(self.f.classes_)

    def names(self):
        return ["art", "loop", "bare", "sksmooth", "shared"]

    def predict(self, batch):
        if not self.is_net:
            return self.f.predict(batch)
        import torch

        with torch.inference_mode():
            return self.f.module(torch.from_numpy(batch)).argmax(1).numpy()

    def smoothed(self, n, **settings):
        from sksmooth import SmoothedClassifier

        settings = {"random_state": 0, **settings}
        settings["n_jobs"] = None if CLOCK is time.process_time else self.n_jobs
        return SmoothedClassifier(self.f, sigma=self.sigma, n=n, **settings)

    def art(self, n, n_inputs):
        if not hasattr(self, "_art"):
            self._art = self._make_art()
        self._art.certify(self.X[:n_inputs], n=n)

    def _make_art(self):
        logging.getLogger("art").setLevel(logging.ERROR)
        warnings.simplefilter("ignore")
        settings = {"sample_size": N0, "scale": self.sigma, "alpha": ALPHA}
        if self.is_net:
            import torch
            from art.estimators.certification.randomized_smoothing import (
                PyTorchRandomizedSmoothing,
            )

            return PyTorchRandomizedSmoothing(
                model=self.f.module,
                loss=torch.nn.CrossEntropyLoss(),
                input_shape=self.X.shape[1:],
                nb_classes=self.n_classes,
                device_type="cpu",
                **settings,
            )
        from art.estimators import classification
        from art.estimators.certification.randomized_smoothing import (
            NumpyRandomizedSmoothing,
        )

        if type(self.f).__module__.startswith("sklearn."):
            model = classification.SklearnClassifier(model=self.f)
        else:  # what it has for LightGBM does not know of two classes
            model = classification.BlackBoxClassifier(
                self.f.predict_proba, self.X.shape[1:], self.n_classes
            )
        model.channels_first = False
        return NumpyRandomizedSmoothing(classifier=model, **settings)

    def loop(self, n, n_inputs):
        rng = np.random.default_rng(0)
        counts = np.zeros((n_inputs, self.n_classes), int)
        for x, count in zip(self.X, counts, strict=False):
            for start in range(0, n, 1024):
                size = min(1024, n - start)
                noise = rng.standard_normal((size, *x.shape), x.dtype)
                labels = self.predict(x + noise * x.dtype.type(self.sigma))
                count += np.bincount(labels, minlength=self.n_classes)

    def bare(self, n, n_inputs):
        """Return the best rate over some batch sizes: rows a second."""
        n = n * n_inputs // 3
        # Equal rows would take the same branches, which is faster than votes can be.
        rng, rates = np.random.default_rng(0), []
        for size in (64, 256, 1024) if self.is_net else (1024, 8192, 65_536):
            size = min(size, n)
            noise = rng.standard_normal((size, *self.X.shape[1:]), self.X.dtype)
            batch = self.X[:1] + noise * self.X.dtype.type(self.sigma)
            start = CLOCK()
            for _ in range(n // size):
                self.predict(batch)
            rates.append(n // size * size / (CLOCK() - start))
        return max(rates)

    def sksmooth(self, n, n_inputs):
        self.smoothed(n).certify(self.X[:n_inputs])

    def shared(self, n, n_inputs):
        self.smoothed(n, shared_noise=True).certify(self.X[:n_inputs])


CLOCK = time.process_time


def rate(peers, name, n, n_inputs):
    """Return rows a second."""
    start = CLOCK()
    result = getattr(peers, name)(n, n_inputs)
    return result if name == "bare" else n * n_inputs / (CLOCK() - start)


def same_votes(peers, options):
    """Return the median rate of each peer, all of them taking turns."""
    sizes = {name: size_for(peers, name, options) for name in peers.names()}
    rates = {name: [] for name in peers.names()}
    for _ in range(options.repeats):
        for name in peers.names():
            rates[name].append(rate(peers, name, *sizes[name]))
    return {name: float(np.median(each)) for name, each in rates.items()}


def size_for(peers, name, options):
    """Return votes and inputs that take about as long as wanted."""
    # Shared noise needs several inputs to share it.
    fewest = 50 if name == "shared" else 1
    rate(peers, name, 200, fewest)  # imports, compilation
    rows = 1000 * fewest
    while True:
        n_inputs = int(np.clip(rows / options.votes, fewest, len(peers.X)))
        n = int(np.clip(rows / n_inputs, 20, options.votes))
        pace = rate(peers, name, n, n_inputs)
        seconds = n * n_inputs / pace
        if seconds > options.seconds / 2 or n * n_inputs == options.votes * len(
            peers.X
        ):
            return n, n_inputs
        # What does not grow with the rows, such as choosing how to run a net, would
        # mislead a single step.
        rows *= np.clip(options.seconds / seconds, 2, 10)


def same_question(peers, options):
    """Return the seconds that an input takes here, and how many votes it took."""
    X = peers.X[: options.question_inputs]
    radius, seconds = peers.sigma / 2, {}
    for shared_noise in (False, True):
        g = peers.smoothed(100_000, shared_noise=shared_noise)
        y = g.predict(X)
        y = np.where(np.isin(y, g.classes_), y, g.classes_[0])
        g.certified_correct(X[:2], y[:2], radius)
        times = []
        for _ in range(options.repeats):
            start = CLOCK()
            g.certified_correct(X, y, radius)
            times.append(CLOCK() - start)
        seconds[shared_noise] = float(np.median(times)) / len(X)
    return seconds


def peak_memory(workload, name, n, threads, queue):
    """Put the MiB that n votes take on top of what is there into the queue."""
    from sksmooth import _compiled

    set_threads(threads)
    peers = Peers(workload)
    # Code is not counted: numba, which takes 100 MiB, is loaded in the short run.
    _compiled._work = 2**62
    getattr(peers, name)(1000, 1)
    # Linux: forgets the peak so far, which may be that of training or of the parent.
    Path("/proc/self/clear_refs").write_text("5")
    before = _status("VmRSS")
    getattr(peers, name)(n, 1)
    queue.put(_status("VmHWM") - before)


def _status(field):
    """Return an amount of memory of this process in MiB."""
    lines = Path("/proc/self/status").read_text().splitlines()
    (line,) = (line for line in lines if line.startswith(f"{field}:"))
    return int(line.split()[1]) / 1024


def set_threads(threads):
    from threadpoolctl import threadpool_limits

    threadpool_limits(threads)
    if "torch" in sys.modules:
        sys.modules["torch"].set_num_threads(threads)


def short(number):
    """Three digits and a unit."""
    for limit, unit in ((1e6, "M"), (1e3, "k")):
        if number >= limit:
            return f"{number / limit:.3g}{unit}"
    return f"{number:.3g}"


def main():
    global CLOCK
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("workloads", nargs="*", metavar="WORKLOAD")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=1.0)
    parser.add_argument("--votes", type=int, default=10_000)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--question-inputs", type=int, default=50)
    parser.add_argument("--memory-votes", type=int, default=100_000)
    parser.add_argument("--memory-only", action="store_true")
    options = parser.parse_args()
    names = options.workloads or list(WORKLOADS)
    if unknown := set(names) - set(WORKLOADS):
        parser.error(f"unknown workloads {sorted(unknown)}: {', '.join(WORKLOADS)}.")
    if options.threads > 1:
        CLOCK = time.perf_counter
    # Children that measure memory inherit these.
    for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ[variable] = str(options.threads)
    votes, questions, memory = [], [], []
    for name in names:
        if options.memory_votes:
            memory.append(memory_row(name, options))
            print(f"memory of {name} done", file=sys.stderr)
        if options.memory_only:
            continue
        peers = Peers(name, options.threads)
        set_threads(options.threads)
        r = same_votes(peers, options)
        ratios = [r[ours] / r["art"] for ours in OURS]
        rates = [short(r[peer]) for peer in peers.names()]
        votes.append([LABELS[name], *rates, *(f"{x:.3g}" for x in ratios)])
        q = same_question(peers, options)
        art = (N0 + 100_000) / r["art"]
        own = [q[False], q[True]]
        questions.append(
            [LABELS[name], f"{art:.3g}", *(f"{x:.3g}" for x in own)]
            + [f"{art / x:,.0f}" for x in own]
        )
        print(f"{name} done", file=sys.stderr)
    clock = "process" if options.threads == 1 else "wall"
    if votes:
        report_times(votes, questions, clock, options)
    if memory:
        print(f"Peak extra memory (MiB), {options.memory_votes} votes")
        table(["workload", "ART", "loop", "as it comes", "shared noise"], memory)


def report_times(votes, questions, clock, options):
    """Print the first two tables."""
    print(f"{options.threads} thread(s), {clock} time, median of {options.repeats}\n")
    print("The same votes: rows a second")
    head = ["workload", "ART", "loop", "bare model, no noise", "as it comes"]
    head.append("shared noise")
    table([*head, "/ ART", "shared / ART"], votes)
    print(f"The same question: seconds per input ({options.question_inputs} inputs)")
    head = ["workload", "ART", "as it comes", "shared noise", "times faster", "shared"]
    table(head, questions)


OURS = ("sksmooth", "shared")


def memory_row(workload, options):
    """Return the peak memory of each peer, ready to print."""
    peers = "art", "loop", "sksmooth", "shared"
    return [
        LABELS[workload],
        *(f"{_memory(workload, peer, options):.0f}" for peer in peers),
    ]


def _memory(workload, peer, options):
    context = multiprocessing.get_context("spawn")
    queue = context.Queue()
    arguments = workload, peer, options.memory_votes, options.threads, queue
    child = context.Process(target=peak_memory, args=arguments)
    child.start()
    child.join()
    return queue.get() if child.exitcode == 0 else np.nan


def table(head, rows):
    print(f"\n| {' | '.join(head)} |")
    print(f"| --- |{' ---: |' * (len(head) - 1)}")
    for row in rows:
        print(f"| {' | '.join(row)} |")
    print()


if __name__ == "__main__":
    main()
