"""How full batches are while inputs stop at different times.

    python benchmarks/packing.py [--inputs 500] [--batch-size 4096]

A decision tree of scikit-learn's digits, smoothed at sigma = 3. An input stops as soon
as its votes settle the answer; the batch is refilled from the next inputs.
Utilisation is the number of noisy copies divided by the places in all batches.
"""

import argparse
from unittest.mock import patch

import numpy as np
from sklearn.datasets import load_digits
from sklearn.tree import DecisionTreeClassifier

from sksmooth import SmoothedClassifier
from sksmooth.votes._voting import Voting

DRAW = Voting.draw


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--inputs", type=int, default=500)
    parser.add_argument("--batch-size", type=int, default=4096)
    options = parser.parse_args()
    X, y = load_digits(return_X_y=True)

    class Counted(DecisionTreeClassifier):
        """Asked through `predict`, whose batches are what is measured."""

        def predict(self, X):
            sizes.append(len(X))
            return super().predict(X)

    base = Counted(max_depth=8, random_state=0)
    base.fit(X + 3 * np.random.default_rng(0).normal(size=X.shape), y)
    sizes = []
    X, y = X[: options.inputs], y[: options.inputs]
    print("| noise | method | copies | fewest, most an input | batches | utilisation |")
    print("| --- | --- | ---: | ---: | ---: | ---: |")
    for kind, shared_noise in (("independent", False), ("shared", True)):
        g = SmoothedClassifier(
            base,
            method="monte_carlo",
            sigma=3.0,
            n=10_000,
            shared_noise=shared_noise,
            batch_size=options.batch_size,
            random_state=0,
        )
        for name in ("predict", "certified_correct"):
            used, sizes[:] = [], []

            def draw(self, *args, used=used, **kwargs):
                return _kept(DRAW(self, *args, **kwargs), used)

            with patch.object(Voting, "draw", draw):
                g.predict(X) if name == "predict" else g.certified_correct(X, y, 1.0)
            full = sum(sizes) / (len(sizes) * options.batch_size)
            print(
                f"| {kind} | {name} | {sum(sizes):,} "
                f"| {used[0].min()}, {used[0].max()} | {len(sizes)} | {full:.1%} |"
            )


def _kept(votes, used):
    used.append(votes.n_used)
    return votes


if __name__ == "__main__":
    main()
