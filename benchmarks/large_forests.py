"""Trees with more than 256 leaves: compiled, node by node, against their `predict`.

    python benchmarks/large_forests.py

Labels of noisy copies a second, one thread, processor time, the faster of three: many
inputs with 32 copies each, as `predict` asks for, and one with 8,192.
"""

import time

import numpy as np
from sklearn.datasets import make_classification
from sklearn.ensemble import ExtraTreesClassifier, RandomForestClassifier
from sklearn.preprocessing import scale
from threadpoolctl import threadpool_limits

from sksmooth.datasets import fetch_spambase
from sksmooth.models._trees import compiled
from sksmooth.models._unwrap import unwrap
from sksmooth.votes.voters import _trees_kernel

SIGMA, N_COPIES = 0.25, 8_192


def main():
    print("| trained on | leaves | copies | compiled | predict | x |")
    print("| --- | ---: | ---: | ---: | ---: | ---: |")
    rng = np.random.default_rng(0)
    X, y = fetch_spambase(return_X_y=True)
    X = scale(X) + SIGMA * rng.normal(size=X.shape)
    compare("RandomForest, Spambase", RandomForestClassifier(random_state=0), X, y)
    X, y = make_classification(
        20_000, 30, n_informative=15, n_classes=3, flip_y=0.1, random_state=0
    )
    X = scale(X)
    compare("RandomForest, 20,000 rows", RandomForestClassifier(random_state=0), X, y)
    compare("ExtraTrees, 20,000 rows", ExtraTreesClassifier(random_state=0), X, y)


def compare(name, f, X, y):
    X, rng = X.astype(np.float32), np.random.default_rng(1)
    f.fit(X, y)
    model, winner = compiled(unwrap(f)), np.empty(N_COPIES, np.int64)
    how = model.rule, model.divisor, model.margin, model.takes_missing
    leaves = np.mean([tree.get_n_leaves() for tree in f.estimators_])
    for n in (32, N_COPIES):
        copies = np.repeat(X[rng.integers(len(X), size=N_COPIES // n)], n, axis=0)
        copies += SIGMA * rng.normal(size=copies.shape).astype(np.float32)

        def walk(copies=copies):
            _trees_kernel.classify_walk(copies, tuple(model.forest), *how, winner)

        walk()  # compiles
        assert np.array_equal(model.classes[winner], f.predict(copies))
        ours, theirs = rate(walk), rate(lambda copies=copies: f.predict(copies))
        print(
            f"| {name} | {leaves:,.0f} | {n:,} | {ours:,.0f} | {theirs:,.0f} "
            f"| {ours / theirs:.2f} |",
            flush=True,
        )


def rate(call):
    took = []
    for _ in range(3):
        start = time.process_time()
        call()
        took.append(time.process_time() - start)
    return N_COPIES / min(took)


if __name__ == "__main__":
    with threadpool_limits(1):
        main()
