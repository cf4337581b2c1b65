"""What n costs `predict`, and what it saves in abstentions.

    python benchmarks/serving.py [--rows 2000]

Noisy copies of the test part of scikit-learn's digits are the rows. Most votes go to
the few close calls; "half to" is the smallest share of the rows that get half of them.
"""

import argparse
import time
from unittest.mock import patch

import numpy as np
from sklearn.datasets import load_digits
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
from threadpoolctl import threadpool_limits

from sksmooth import SmoothedClassifier
from sksmooth.votes._voting import Voting

SIGMA = 0.25
MODELS = {
    "LogisticRegression": LogisticRegression(max_iter=1000),
    "HistGradientBoosting": HistGradientBoostingClassifier(
        max_iter=30, early_stopping=False, random_state=0
    ),
}
DRAW = Voting.draw


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=2_000)
    n_rows = parser.parse_args().rows
    X, y = load_digits(return_X_y=True)
    X_train, X_test, y_train, y_test = train_test_split(X / 16, y, random_state=0)
    rng = np.random.default_rng(0)
    some = rng.integers(len(X_test), size=n_rows)
    rows = X_test[some] + rng.normal(0, 0.01, (n_rows, 64))
    print("| | n | abstains | wrong | votes per row | half to | ms per row |")
    print("| --- | ---: | ---: | ---: | ---: | ---: | ---: |")
    for name, f in MODELS.items():
        g = SmoothedClassifier(f, sigma=SIGMA, random_state=0).fit(X_train, y_train)
        g.set_params(n=2_000).predict(rows)  # loads what is compiled
        for n in (100, 1_000, 10_000, 100_000):
            used, start = [], time.process_time()
            with patch.object(Voting, "draw", _noting(used)):
                answer = g.set_params(n=n).predict(rows)
            seconds = time.process_time() - start
            votes = np.sort(used[0])[::-1]
            half = np.searchsorted(votes.cumsum(), votes.sum() / 2) + 1
            abstains = answer == g.abstain_label_
            wrong = ~abstains & (answer != y_test[some])
            print(
                f"| {name} | {n:,} | {abstains.mean():.2%} | {wrong.mean():.2%} "
                f"| {votes.mean():,.0f} | {half / n_rows:.1%} "
                f"| {1e3 * seconds / n_rows:.3g} |",
                flush=True,
            )


def _noting(used):
    """Return ``Voting.draw``, which also notes the votes that each row has got."""

    def draw(self, *args, **kwargs):
        votes = DRAW(self, *args, **kwargs)
        used.append(votes.n_used)
        return votes

    return draw


if __name__ == "__main__":
    with threadpool_limits(1):
        main()
