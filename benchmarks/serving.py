"""What n costs `predict`, and what it saves in abstentions.

    python benchmarks/serving.py [--rows 10000]

Noisy copies of the test part of a data set are the rows: scikit-learn's digits (ten
classes), and Spambase (two), if XGBoost and the data are there. Most votes go to the
few close calls; "half to" is the smallest share of the rows that get half of them. Of
two classes close calls are given up before n votes; "to the end" is without that.
"""

import argparse
import time
from functools import partial
from unittest.mock import patch

import numpy as np
from sklearn.datasets import load_digits
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import scale
from threadpoolctl import threadpool_limits

from sksmooth import SmoothedClassifier, _classifier
from sksmooth.datasets import fetch_spambase
from sksmooth.stats._sequential import NameTopClass
from sksmooth.votes._voting import Voting

SIGMA = 0.25
DRAW = Voting.draw
TO_THE_END = partial(NameTopClass, give_up=0)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=10_000)
    n_rows = parser.parse_args().rows
    print("| | n | abstains | wrong | votes per row | half to | ms per row |")
    print("| --- | ---: | ---: | ---: | ---: | ---: | ---: |")
    X, y = load_digits(return_X_y=True)
    boosting = HistGradientBoostingClassifier(
        max_iter=30, early_stopping=False, random_state=0
    )
    measure(LogisticRegression(max_iter=1000), X / 16, y, n_rows)
    measure(boosting, X / 16, y, n_rows)
    try:
        from xgboost import XGBClassifier

        X, y = fetch_spambase(return_X_y=True)
    except (ImportError, OSError) as error:
        raise SystemExit(f"no Spambase: {error}") from None
    measure(XGBClassifier(n_jobs=1), scale(X), y, n_rows)


def measure(f, X, y, n_rows):
    """Print a row of the table for each n, and two where close calls are given up."""
    X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=0)
    rng = np.random.default_rng(0)
    some = rng.integers(len(X_test), size=n_rows)
    rows = X_test[some] + rng.normal(0, 0.01, (n_rows, X.shape[1]))
    g = SmoothedClassifier(f, sigma=SIGMA, method="monte_carlo", random_state=0)
    g.fit(X_train, y_train)
    ways = {"": NameTopClass}
    if len(g.classes_) == 2:
        ways = {", to the end": TO_THE_END, "": NameTopClass}
    name = type(f).__name__.removesuffix("Classifier")
    for n in (100, 1_000, 10_000, 100_000):
        for way, rule in ways.items():
            used = []
            with (
                patch.object(Voting, "draw", _noting(used)),
                patch.object(_classifier, "NameTopClass", rule),
            ):
                # Loads what is compiled, which for fewer rows or votes it might not,
                # and finds the tests for the looks of this n.
                g.set_params(n=n).predict(rows)
                used.clear()
                start = time.process_time()
                answer = g.predict(rows)
                seconds = time.process_time() - start
            votes = np.sort(used[0])[::-1]
            half = np.searchsorted(votes.cumsum(), votes.sum() / 2) + 1
            abstains = answer == g.abstain_label_
            wrong = ~abstains & (answer != y_test[some])
            print(
                f"| {name}{way} | {n:,} | {abstains.mean():.2%} | {wrong.mean():.2%} "
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
