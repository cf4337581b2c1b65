"""What the choice of bound is worth: average certified radius, certified accuracy.

    python benchmarks/bounds.py [PUBLISHED] [--repeats 50] [--seed 0]

Uses the published votes on 500 CIFAR-10 images (10 classes, 100,000 votes each) where
the folder of published results is found: the argument, $SKSMOOTH_PUBLISHED, or
../shared/published next to the checkout. Elsewhere it uses 500 synthetic inputs.

All bounds spend the same n0 + n votes on an input. "cohen" and "multiclass" select on
n0 = 100 and estimate on n; "joint" does both on all n0 + n. The estimation votes are
drawn without replacement from the published ones (at n = 100,000 they are those), all
others with the published shares. Numbers are means over repeats, each followed by its
standard error; the repeats share the 500 inputs.
"""

import argparse
import os
from pathlib import Path

import numpy as np
from scipy.special import ndtr

from sksmooth.stats import (
    joint_lower_bound,
    lower_confidence_bound,
    multiclass_bounds,
    radius_from_probabilities,
)

SIGMA, ALPHA, RADIUS, N0 = 0.25, 0.001, 0.25, 100
SIZES = (100, 1_000, 10_000, 100_000)


def load(folder):
    """Published counts of shape (500, 10) and labels, or synthetic ones."""
    path = folder / "topk_cifar10_sigma_0.25_counts.txt"
    if path.is_file():
        table = np.loadtxt(path, dtype=int)
        return table[:, :-1], table[:, -1], "published CIFAR-10 votes"
    rng = np.random.default_rng(0)
    # Probit of p_A uniform, the rest uneven; 9 of 10 top classes are the right ones.
    p_a = ndtr(rng.uniform(-0.5, 4, size=(500, 1)))
    shares = np.hstack([p_a, (1 - p_a) * rng.dirichlet(np.full(9, 0.3), size=500)])
    counts = rng.multinomial(100_000, shares)
    label = np.where(rng.random(500) < 0.9, counts.argmax(axis=1), 9)
    return counts, label, "synthetic inputs (the published votes were not found)"


def subsample(rng, counts, n):
    """Draw n of the votes of each input without replacement."""
    if n == counts[0].sum():
        return counts
    return np.array([rng.multivariate_hypergeometric(row, n) for row in counts])


def certify(bound, selection, estimation):
    """Class and radius of each input; a radius of 0 is an abstention."""
    rows = np.arange(len(selection))
    n = estimation[0].sum()
    if bound == "joint":
        votes = selection + estimation
        best = votes.argmax(axis=1)
        p_lower = joint_lower_bound(votes[rows, best], votes[0].sum(), ALPHA)
        return best, radius_from_probabilities(p_lower, sigma=SIGMA)
    order = np.argsort(-selection, axis=1, kind="stable")
    best, second = order[:, 0], order[:, 1]
    if bound == "cohen":
        p_lower = lower_confidence_bound(estimation[rows, best], n, ALPHA)
        return best, radius_from_probabilities(p_lower, sigma=SIGMA)
    p_a, p_b = multiclass_bounds(
        estimation[rows, best], estimation[rows, second], n, ALPHA
    )
    return best, radius_from_probabilities(p_a, p_b, sigma=SIGMA)


def measure(counts, label, n, repeats, seed):
    """Per bound, a row a repeat: average certified radius, accuracy at RADIUS."""
    shares = counts / counts.sum(axis=1, keepdims=True)
    results = {"cohen": [], "joint": [], "multiclass": []}
    for repeat in range(repeats):
        rng = np.random.default_rng([seed, n, repeat])
        selection = rng.multinomial(N0, shares)
        estimation = subsample(rng, counts, n)
        for bound, rows in results.items():
            prediction, radius = certify(bound, selection, estimation)
            correct = (prediction == label) & (radius > 0)
            accuracy = np.mean(correct & (radius >= RADIUS))
            rows.append([np.mean(radius * correct), accuracy])
    return {bound: np.array(rows) for bound, rows in results.items()}


def table(counts, label, repeats, seed, sizes=SIZES):
    """The lines of a markdown table."""
    yield "| n | bound | ACR | against cohen | certified accuracy at .25 (%) |"
    yield "| ---: | --- | ---: | ---: | ---: |"
    for n in sizes:
        results = measure(counts, label, n, repeats, seed)
        reference = results["cohen"][:, 0].mean()
        for bound, rows in results.items():
            mean = rows.mean(axis=0)
            error = rows.std(axis=0, ddof=1) / np.sqrt(repeats)
            gain = f"{100 * (mean[0] / reference - 1):+.1f} %"
            yield (
                f"| {n:,} | {bound} | {mean[0]:.4f} ± {error[0]:.4f} "
                f"| {'' if bound == 'cohen' else gain} "
                f"| {100 * mean[1]:.1f} ± {100 * error[1]:.1f} |"
            )


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    default = Path(__file__).resolve().parents[2] / "shared" / "published"
    parser.add_argument(
        "published",
        nargs="?",
        type=Path,
        default=Path(os.environ.get("SKSMOOTH_PUBLISHED", default)),
    )
    parser.add_argument("--repeats", type=int, default=50)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    counts, label, source = load(arguments.published)
    print(
        f"{source}, sigma = {SIGMA}, alpha = {ALPHA}, n0 = {N0}, "
        f"{arguments.repeats} repeats\n"
    )
    for line in table(counts, label, arguments.repeats, arguments.seed):
        print(line, flush=True)


if __name__ == "__main__":
    main()
