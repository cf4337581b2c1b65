"""What a row costs where rows are many and votes few, and what one row costs.

    python benchmarks/many_rows.py [--against FOLDER] [--rounds 3] [CASE ...]

Noisy copies of scikit-learn's digits are the rows, so that all differ. Those of a
"table" are a pandas frame of 8 of the pixels, and of 2 as categories, for boosting
behind an encoder and a scaler. Every case runs in a process of its own, on one thread:
its first call, which loads compiled code if it comes to that, and the fastest of those
that follow. With another checkout of this
repository as FOLDER, the two take turns and the last column compares them.
"""

import argparse
import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.compose import make_column_transformer
from sklearn.datasets import load_digits
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from sksmooth import SmoothedClassifier

LINEAR = LogisticRegression(max_iter=1000)
FOREST = RandomForestClassifier(100, random_state=0)
MLP = MLPClassifier((64,), max_iter=300, tol=1e-3, random_state=0)

NUMBERS, CATEGORIES = [f"pixel {k}" for k in range(18, 26)], ["a", "b"]
TABLE = make_pipeline(
    make_column_transformer(
        (OneHotEncoder(), CATEGORIES), (StandardScaler(), NUMBERS), sparse_threshold=0
    ),
    HistGradientBoostingClassifier(max_iter=30, early_stopping=False, random_state=0),
)

# (classifier, call, rows, n, calls after the first)
CASES = {
    "linear, predict 1,000 rows": (LINEAR, "predict", 1_000, 1_000, 15),
    "linear, predict 10,000 rows": (LINEAR, "predict", 10_000, 1_000, 5),
    "linear, predict 100,000 rows": (LINEAR, "predict", 100_000, 1_000, 2),
    "linear, predict 10,000 rows, n = 10,000": (LINEAR, "predict", 10_000, 10_000, 3),
    "linear, predict 1 row": (LINEAR, "predict", 1, 1_000, 300),
    "linear, certify 1 row": (LINEAR, "certify", 1, 1_000, 300),
    "linear, certify 1,000 rows": (LINEAR, "certify", 1_000, 1_000, 5),
    "linear, certify 100 rows, n = 100,000": (LINEAR, "certify", 100, 100_000, 2),
    "MLP, predict 1,000 rows": (MLP, "predict", 1_000, 1_000, 5),
    "forest, predict 1,000 rows": (FOREST, "predict", 1_000, 1_000, 3),
    "table, predict 1 row": (TABLE, "predict", 1, 1_000, 50),
    "table, predict 100 rows": (TABLE, "predict", 100, 1_000, 5),
    "table, predict 1,000 rows": (TABLE, "predict", 1_000, 1_000, 2),
}
SIGMA = 0.25


def measure(name):
    """Return seconds of processor time: of the first call, and of the fastest later."""
    f, call, n_rows, n, more = CASES[name]
    X, y = load_digits(return_X_y=True)
    X, flips = X / 16, {}
    if f is TABLE:
        X, y, flips = as_table(X), y % 2, {"categorical_features": CATEGORIES}
    g = SmoothedClassifier(f, sigma=SIGMA, n=n, random_state=0, **flips).fit(X, y)
    rng, took = np.random.default_rng(0), []
    for _ in range(1 + more):
        rows = X.take(rng.integers(len(X), size=n_rows), 0)
        numbers = NUMBERS if f is TABLE else slice(None)
        rows[numbers] += rng.normal(0, 0.01, rows[numbers].shape)
        start = time.process_time()
        getattr(g, call)(rows)
        took.append(time.process_time() - start)
    return took[0], min(took[1:])


def as_table(X):
    """Return pixels 18 to 25 of images as numbers, and two others as categories."""
    table = pd.DataFrame(X[:, 18:26], columns=NUMBERS)
    for name, pixel in zip(CATEGORIES, (36, 42), strict=True):
        table[name] = np.array(["dark", "grey", "light"])[
            (X[:, pixel] * 2.99).astype(int)
        ]
    return table


def in_a_process(name, folder):
    """Do what ``measure`` does, with the package in a folder."""
    one = {f"{lib}_NUM_THREADS": "1" for lib in ("OMP", "OPENBLAS", "MKL")}
    run = subprocess.run(
        [sys.executable, __file__, "--measure", name],
        env={**os.environ, **one, "PYTHONPATH": str(folder)},
        stdout=subprocess.PIPE,
        check=True,
        text=True,
    )
    return [float(number) for number in run.stdout.split()]


def _short(number):
    return f"{number:,.0f}" if number >= 1000 else f"{number:.3g}"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("cases", nargs="*", help="parts of names; all if none is given")
    parser.add_argument("--against", type=Path, help="another checkout")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--measure", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure:
        print(*measure(options.measure))
        return
    folders = [Path(__file__).resolve().parents[1]]
    if options.against:
        folders.append(options.against.resolve())
    print("| | first call, ms | later calls, ms | us per row | other / this |")
    print("| --- | ---: | ---: | ---: | ---: |")
    for name, case in CASES.items():
        if options.cases and not any(part in name for part in options.cases):
            continue
        times = [
            [in_a_process(name, folder) for folder in folders]
            for _ in range(options.rounds)
        ]
        first, later = np.median(times, axis=0).T  # of each folder
        ratio = f"{later[1] / later[0]:.2f}" if options.against else ""
        print(
            f"| {name} | {_short(1e3 * first[0])} | {_short(1e3 * later[0])} "
            f"| {_short(1e6 * later[0] / case[2])} | {ratio} |",
            flush=True,
        )


if __name__ == "__main__":
    main()
