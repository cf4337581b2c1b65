"""What workers gain, how well the cost model predicts, how fast Ctrl-C stops.

    python benchmarks/parallel.py

For one worker and two: wall-clock seconds, and processor seconds of all processes,
which other programs on the machine disturb less. Two workers that need no more
processor time in total than one are twice as fast on two idle cores. Prints the
numbers of docs/scaling.md.
"""

import os
import pickle
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import psutil
import torch
from joblib.externals.loky import get_reusable_executor
from sklearn.datasets import load_digits
from sklearn.ensemble import RandomForestClassifier
from torch import nn

from sksmooth import SmoothedClassifier
from sksmooth.torch import ModuleClassifier

N_JOBS = 2


def forest():
    X, y = load_digits(return_X_y=True)
    f = RandomForestClassifier(100, random_state=0).fit(X[:1000] / 16, y[:1000])
    return f, X[1000:1400] / 16


def cnn():
    torch.manual_seed(0)
    layers = []
    for before, after in ((1, 16), (16, 32)):
        layers += [nn.Conv2d(before, after, 3, padding=1), nn.BatchNorm2d(after)]
        layers += [nn.ReLU(), nn.MaxPool2d(2)]
    layers += [nn.Flatten(), nn.Linear(32 * 7 * 7, 10)]
    X = np.random.default_rng(0).random((200, 1, 28, 28), dtype=np.float32)
    return ModuleClassifier(nn.Sequential(*layers)), X


def processor_seconds():
    """Return the processor seconds so far of this process and of each worker."""
    me = psutil.Process()
    processes = [me, *me.children(recursive=True)]
    return {p.pid: sum(p.cpu_times()[:2]) for p in processes}


def measure(work):
    """Return the result, wall-clock seconds and processor seconds of all processes."""
    before, start = processor_seconds(), time.perf_counter()
    result = work()
    seconds = time.perf_counter() - start
    after = processor_seconds()
    return result, seconds, sum(after[pid] - before.get(pid, 0) for pid in after)


def speed_up(name, f, X, n, method):
    """Print what two workers gain; return votes a second of one."""
    g = SmoothedClassifier(
        f, sigma=0.25, method="monte_carlo", n=n, n0=10, random_state=0
    )
    got = {}
    for n_jobs in (1, N_JOBS):
        g.set_params(n_jobs=n_jobs)
        getattr(g, method)(X[:4])  # starts the workers
        got[n_jobs] = measure(lambda: getattr(g, method)(X))
    (one, wall, cpu), (two, wall_2, cpu_2) = got[1], got[N_JOBS]
    same = np.array_equal(getattr(one, "counts", one), getattr(two, "counts", two))
    print(
        f"{name:6} {method:8} clock {wall:5.1f} s, {N_JOBS} workers {wall_2:5.1f} s; "
        f"processor {cpu:5.1f} s, {N_JOBS} workers {cpu_2:5.1f} s in total; "
        f"speed-up {wall / wall_2:.2f} by the clock, {N_JOBS * cpu / cpu_2:.2f} by "
        f"processor seconds; {'same' if same else 'DIFFERENT'} result",
        flush=True,
    )
    return len(X) * (n + 10) / cpu


def hours(n_inputs, n, votes_per_second, n_workers=1):
    """Cost model: hours to certify `n_inputs` with `n` votes each."""
    return n_inputs * n / (votes_per_second * n_workers) / 3600


def check_model(name, f, X, n_votes, votes_per_second):
    """Print a prediction for other n and numbers of inputs, and what they took."""
    for n_inputs, n in ((len(X) // 4, n_votes), (len(X) // 16, 3 * n_votes)):
        g = SmoothedClassifier(
            f, sigma=0.25, method="monte_carlo", n=n, n0=10, random_state=0
        )
        _, _, cpu = measure(lambda g=g, k=n_inputs: g.certify(X[:k]))
        predicted = 3600 * hours(n_inputs, n + 10, votes_per_second)
        print(
            f"{name:6} {n_inputs} inputs x {n} votes: predicted {predicted:5.1f} s, "
            f"took {cpu:5.1f} s ({predicted / cpu - 1:+.0%})"
        )


def sending(f):
    """Print the size of a model, which is sent once instead of with every chunk."""
    size = len(pickle.dumps(f))
    start = time.perf_counter()
    pickle.loads(pickle.dumps(f))
    print(
        f"model of {size / 1e6:.1f} MB: pickling and unpickling it takes "
        f"{1e3 * (time.perf_counter() - start):.0f} ms, once a worker"
    )


INTERRUPTED = """
import numpy as np, sys, time
from benchmarks.parallel import forest
from sksmooth import SmoothedClassifier
f, X = forest()
settings = {"method": "monte_carlo", "random_state": 0, "n_jobs": int(sys.argv[2])}
g = SmoothedClassifier(f, sigma=0.25, **settings)
try:
    g.certify(X, store=sys.argv[1])
except KeyboardInterrupt:
    print(time.time(), flush=True)
"""


def interrupt(n_jobs):
    """Print how long it takes from SIGINT until `certify`, and Python, have ended."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "votes.sqlite")
        run = subprocess.Popen(
            [sys.executable, "-c", INTERRUPTED, path, str(n_jobs)],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            start_new_session=True,
            cwd=Path(__file__).parent.parent,
        )
        while not path.exists():
            time.sleep(0.1)
        time.sleep(10)
        os.killpg(run.pid, signal.SIGINT)
        start = time.time()
        stopped, _ = run.communicate()
        print(
            f"Ctrl-C, {n_jobs} workers: certify stopped after "
            f"{float(stopped) - start:.2f} s, Python after {time.time() - start:.2f} s",
            flush=True,
        )


def main():
    torch.set_num_threads(1)
    pace = {}
    for name, make, n in (("forest", forest, 20_000), ("CNN", cnn, 1000)):
        f, X = make()
        pace[name] = speed_up(name, f, X, n, "certify")
        speed_up(name, f, X, 10 * n, "predict")
        check_model(name, f, X, n, pace[name])
    sending(forest()[0])
    for name, votes_per_second in pace.items():
        print(
            f"{name:6} {votes_per_second:9.0f} votes/s a core: 50,000 inputs x 100,000 "
            f"votes take {hours(50_000, 100_000, votes_per_second):.1f} core hours"
        )
    get_reusable_executor().shutdown(kill_workers=True)
    for n_jobs in (1, N_JOBS):
        interrupt(n_jobs)


if __name__ == "__main__":
    main()
