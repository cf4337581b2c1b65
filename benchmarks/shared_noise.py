"""How often many certificates are wrong together, with independent and shared noise.

    python benchmarks/shared_noise.py [--runs 2000] [--inputs 200] [--votes 1000]

A logistic regression of scikit-learn's digits, trained on X + N(0, sigma^2) and
smoothed at sigma = 4 (of 16 grey levels). In every run the votes on the same inputs are
drawn afresh, and each gives a lower bound of level alpha = .05 on the probability of
its most probable class. A bound is wrong if it exceeds the probability itself, which is
taken from 2 million other votes. If bounds were wrong independently of each other, at
least k of them would be with probability rho = .01 at most: this is the event counted.
"""

import argparse

import numpy as np
from scipy.stats import binom
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression

from sksmooth.stats import lower_confidence_bound
from sksmooth.votes._rows import Inputs
from sksmooth.votes._voting import Voting

SIGMA, ALPHA, RHO = 4.0, 0.05, 0.01


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=2000)
    parser.add_argument("--inputs", type=int, default=200)
    parser.add_argument("--votes", type=int, default=1000)
    options = parser.parse_args()
    X, y = load_digits(return_X_y=True)
    rng = np.random.default_rng(0)
    f = LogisticRegression(max_iter=5000)
    f.fit(X[800:] + SIGMA * rng.normal(size=X[800:].shape), y[800:])
    inputs = Inputs.from_array(X[:800], SIGMA)

    def draw(inputs, n, entropy, shared_noise):
        settings = {"entropy": entropy, "shared_noise": shared_noise}
        return Voting(f, f.classes_, inputs, **settings).draw("estimate", n).counts

    # Inputs with something to get wrong: among those that are always voted on alike no
    # bound can fail.
    first = draw(inputs, 10_000, 1, False)
    open_ = np.flatnonzero(first.max(axis=1) < 9_900)[: options.inputs]
    m = len(open_)
    if m < options.inputs:
        parser.error(f"--inputs: there are {m} inputs without a clear vote.")
    inputs = Inputs.from_array(X[open_], SIGMA)
    truth = draw(inputs, 2_000_000, 2, True)
    top = truth.argmax(axis=1)
    p = truth.max(axis=1) / 2_000_000
    # The event: more wrong bounds than independence would explain.
    k = int(binom.isf(RHO, m, ALPHA)) + 1
    print(f"{m} inputs, n = {options.votes}, {options.runs} runs; k = {k}")
    print(
        "| noise | bounds that are wrong | most at once | P(at least k wrong) "
        "| allowed |"
    )
    print("| --- | ---: | ---: | ---: | ---: |")
    for kind, shared_noise in (("independent", False), ("shared", True)):
        wrong = []
        for run in range(options.runs):
            counts = draw(inputs, options.votes, 1000 + run, shared_noise)
            lower = lower_confidence_bound(
                counts[np.arange(m), top], options.votes, ALPHA
            )
            wrong.append(np.sum(lower > p))
        wrong = np.array(wrong)
        print(
            f"| {kind} | {wrong.mean() / m:.2%} | {wrong.max()} "
            f"| {np.mean(wrong >= k):.2%} | {RHO:.0%} |"
        )


if __name__ == "__main__":
    main()
