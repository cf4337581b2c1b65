"""What exact probabilities cost, against 100,000 votes per input.

    python benchmarks/exact.py [--votes 100000] [--inputs 5] [--repeats 3]

Classifiers of scikit-learn's breast_cancer data (569 inputs, 30 standardised features),
trained on X + N(0, 0.5^2) and smoothed at sigma = 0.5. Milliseconds an input, the best
of the repeats, in one process: all inputs for the exact ones, `--inputs` of them for
the votes. "bracket" is what the upper bounds of an input add up to, less 1: the
probabilities are known to half of that.
"""

import argparse
from time import perf_counter

import numpy as np
from sklearn.datasets import load_breast_cancer
from sklearn.ensemble import AdaBoostClassifier, GradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier

from sksmooth.exact._probabilities import exact_probabilities
from sksmooth.votes._rows import Inputs
from sksmooth.votes._voting import Voting

SIGMA = 0.5
BASES = {
    "logistic regression": LogisticRegression(),
    "decision tree": DecisionTreeClassifier(random_state=0),
    "AdaBoost, 10 stumps": AdaBoostClassifier(n_estimators=10, random_state=0),
    "AdaBoost, 100 stumps": AdaBoostClassifier(n_estimators=100, random_state=0),
    "AdaBoost, 500 stumps": AdaBoostClassifier(n_estimators=500, random_state=0),
    "gradient boosting, 100 stumps": GradientBoostingClassifier(
        max_depth=1, random_state=0
    ),
    "gradient boosting, 100, rate 0.5": GradientBoostingClassifier(
        max_depth=1, learning_rate=0.5, subsample=0.5, random_state=0
    ),
}


def best_time(function, repeats):
    """Return the shortest time of `function()` and its last result."""
    times = []
    for _ in range(repeats):
        start = perf_counter()
        result = function()
        times.append(perf_counter() - start)
    return min(times), result


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--votes", type=int, default=100_000)
    parser.add_argument("--inputs", type=int, default=5)
    parser.add_argument("--repeats", type=int, default=3)
    options = parser.parse_args()
    X, y = load_breast_cancer(return_X_y=True)
    X = StandardScaler().fit_transform(X)
    noise = SIGMA * np.random.default_rng(0).normal(size=X.shape)
    inputs = Inputs.from_array(X, SIGMA)
    few = inputs.take(slice(0, options.inputs))
    print(
        "| classifier | exact (ms) | votes (ms) | votes / exact "
        "| largest bracket | median bracket |"
    )
    print("| --- | ---: | ---: | ---: | ---: | ---: |")
    for name, f in BASES.items():
        f.fit(X + noise, y)
        exact, (_, upper) = best_time(
            lambda f=f: exact_probabilities(f, f.classes_, inputs), options.repeats
        )
        votes, _ = best_time(
            lambda f=f: Voting(f, f.classes_, few, entropy=0).draw(
                "estimate", options.votes
            ),
            options.repeats,
        )
        exact, votes = 1e3 * exact / len(inputs), 1e3 * votes / len(few)
        bracket = upper.sum(axis=1) - 1
        print(
            f"| {name} | {exact:.2g} | {votes:.3g} | {votes / exact:.2g} "
            f"| {bracket.max():.1e} | {np.median(bracket):.1e} |"
        )


if __name__ == "__main__":
    main()
