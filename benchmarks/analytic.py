"""What bounds without votes are worth for linear classifiers with ten classes.

    python benchmarks/analytic.py [--votes 100000]

The 450 test digits of scikit-learn, pixels in [0, 1], classifiers trained on noisy
copies at sigma = 0.25. Average certified radius (wrong or abstaining counts 0),
certified inputs, and milliseconds per input: by votes with two bounds, at alpha = .001,
and by method="analytic". "union bound" adds up the rivals without pairs, and "class
alone" is a radius that does not use the bound on the runner-up: both show what
a part of the analytic radius is worth.
"""

import argparse
from time import perf_counter

import numpy as np
from scipy.special import ndtri
from sklearn.datasets import load_digits
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split

from sksmooth import SmoothedClassifier, average_certified_radius_score
from sksmooth.exact import _multiclass

SIGMA = 0.25
BASES = {
    "logistic regression": LogisticRegression(max_iter=1_000),
    "LDA": LinearDiscriminantAnalysis(),
}


def certified(g, X, y, name, label):
    """Print the row of a table, and return the certificate."""
    start = perf_counter()
    found = g.certify(X)
    seconds = perf_counter() - start
    acr = average_certified_radius_score(y, found)
    n_certified = int(found.certified.sum())
    ms = 1e3 * seconds / len(y)
    print(f"| {name} | {label} | {acr:.4f} | {n_certified} | {ms:.3g} |")
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--votes", type=int, default=100_000)
    options = parser.parse_args()
    X, y = load_digits(return_X_y=True)
    split = train_test_split(X / 16, y, random_state=0, stratify=y)
    X_train, X_test, y_train, y_test = split
    print("| classifier | method | ACR | certified | ms per input |")
    print("| --- | --- | ---: | ---: | ---: |")
    for name, f in BASES.items():
        g = SmoothedClassifier(
            f, sigma=SIGMA, n=options.votes, n_copies=10, random_state=0
        ).fit(X_train, y_train)
        for bound in ("cohen", "multiclass"):
            g.set_params(bound=bound)
            certified(g, X_test, y_test, name, f'{options.votes:,} votes, "{bound}"')
        found = certified(
            g.set_params(method="analytic"), X_test, y_test, name, "analytic"
        )
        alone = SIGMA * np.maximum(ndtri(found.p_lower), 0)
        acr = np.mean(np.where(found.selected == y_test, alone, 0))
        print(f"| {name} | analytic, class alone | {acr:.4f} | {(alone > 0).sum()} | |")
        pairs, _multiclass.joint_below = _multiclass.joint_below, _no_pairs
        certified(g, X_test, y_test, name, "analytic, union bound")
        _multiclass.joint_below = pairs


def _no_pairs(u, v, rho):
    return np.zeros(np.broadcast_shapes(u.shape, v.shape, rho.shape))


if __name__ == "__main__":
    main()
