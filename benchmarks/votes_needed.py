"""Votes that sequential stopping takes, against a fixed number of them.

    python benchmarks/votes_needed.py [FOLDER]

FOLDER holds published vote counts (``topk_cifar10_sigma_0.25_counts.txt``,
``cohen2019/certify_imagenet_resnet50_sigma_0.50.tsv``); default: $SKSMOOTH_PUBLISHED,
or shared/published beside the checkout. Without it, class probabilities are drawn from
a distribution of a similar shape. Votes are simulated from the probabilities with a
fixed seed, so the numbers are the same in every run.
"""

import argparse
import os
from pathlib import Path

import numpy as np

from sksmooth.noise import Gaussian
from sksmooth.stats import (
    lower_confidence_bound,
    radius_from_probabilities,
    sample_sizes,
)
from sksmooth.stats._sequential import CertifyKnownLabel, NameTopClass

ALPHA = 0.001
REPEATS = 20


def draw_until_settled(rule, shares, rng):
    """Multinomial votes through the looks of a rule: value and votes of each input."""
    n_inputs = len(shares)
    counts = np.zeros(shares.shape, np.int64)
    value, used = rule.empty(n_inputs), np.zeros(n_inputs, np.int64)
    rows, before = np.arange(n_inputs), 0
    for look, n in enumerate(rule.looks):
        counts[rows] += rng.multinomial(n - before, shares[rows])
        now, settled = rule(np.full(len(rows), look), rows, counts[rows])
        value[rows] = np.maximum(value[rows], now)
        used[rows] = n
        rows, before = rows[~settled], n
    return value, used


def compare(name, shares, label, sigma, radii, n=100_000):
    """Print savings for certified accuracy and for predict."""
    rng, noise = np.random.default_rng(0), Gaussian().bind(sigma)
    print(f"\n{name}: {len(shares)} inputs, sigma={sigma}, alpha={ALPHA}")
    for question in [[r] for r in radii] + [radii]:
        totals = np.zeros(3)
        for _ in range(REPEATS):
            settings = {"alpha": ALPHA, "radii": np.array(question), "noise": noise}
            rule = CertifyKnownLabel(sample_sizes(n), label=label, **settings)
            value, used = draw_until_settled(rule, shares, rng)
            fixed = CertifyKnownLabel(np.array([n]), label=label, **settings)
            expected, _ = draw_until_settled(fixed, shares, rng)
            totals += used.mean(), value.mean(), expected.mean()
        votes, sequential, accuracy = totals / REPEATS
        radius = "/".join(f"{r:g}" for r in question)
        print(
            f"  certified accuracy at r = {radius:<16} {votes:9,.0f} votes per input: "
            f"{n / votes:5.1f}x fewer than {n:,}; accuracy {100 * sequential:.2f} % "
            f"against {100 * accuracy:.2f} %"
        )
    for n_predict in (n, 10_000):
        totals = np.zeros(3)
        for _ in range(REPEATS):
            # The "two" classes of ImageNet are the label and all others.
            rule = NameTopClass(sample_sizes(n_predict, 25), ALPHA, give_up=0)
            value, used = draw_until_settled(rule, shares, rng)
            fixed = NameTopClass(np.array([n_predict]), ALPHA)
            expected, _ = draw_until_settled(fixed, shares, rng)
            totals += used.mean(), 1 - value.mean(), 1 - expected.mean()
        votes, sequential, abstains = totals / REPEATS
        print(
            f"  predict with n = {n_predict:<25,} {votes:9,.0f} votes per input: "
            f"{n_predict / votes:5.1f}x fewer; abstains {100 * sequential:.2f} % "
            f"against {100 * abstains:.2f} %"
        )


def cifar(folder):
    table = np.loadtxt(folder / "topk_cifar10_sigma_0.25_counts.txt", dtype=np.int64)
    counts, label = table[:, :-1], table[:, -1]
    return counts / counts.sum(axis=1, keepdims=True), label


def imagenet(folder):
    """Shares of (label, all other classes) from the radii of the paper's log.

    The log holds the radius of the class that was named. Where that is wrong, the
    label can have at most the rest; where none was named, nothing is known about the
    label, and the input is left out.
    """
    log = np.genfromtxt(
        folder / "cohen2019" / "certify_imagenet_resnet50_sigma_0.50.tsv",
        delimiter="\t",
        skip_header=1,
        usecols=(1, 2, 3),
    )
    log = log[log[:, 1] != -1]
    right = log[:, 0] == log[:, 1]
    # Invert the Clopper-Pearson bound on a grid of counts (the log's alpha is 0.01).
    k = np.arange(50_000, 100_001)
    p_lower = lower_confidence_bound(k, 100_000, 0.01)
    radii = radius_from_probabilities(p_lower, sigma=0.5)
    share = k[np.searchsorted(radii, log[:, 2]).clip(max=len(k) - 1)] / 100_000
    share = np.where(right, share, 1 - share)
    return np.stack([share, 1 - share], axis=1), np.zeros(len(share), int)


def synthetic(n_inputs=500, n_classes=10):
    """Class probabilities in which many inputs are clear and some are close calls."""
    rng = np.random.default_rng(1)
    top = rng.beta(1.0, 0.35, n_inputs)
    rest = rng.dirichlet(np.full(n_classes - 1, 0.3), n_inputs) * (1 - top)[:, None]
    return np.hstack([top[:, None], rest]), np.zeros(n_inputs, int)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    default = Path(__file__).parents[2] / "shared" / "published"
    default = os.environ.get("SKSMOOTH_PUBLISHED", default)
    parser.add_argument("folder", nargs="?", type=Path, default=Path(default))
    folder = parser.parse_args().folder
    if folder.is_dir():
        compare("CIFAR-10", *cifar(folder), 0.25, [0, 0.25, 0.5, 0.75])
        compare("ImageNet", *imagenet(folder), 0.5, [0, 0.5, 1, 1.5])
    else:
        print(f"{folder} is not there: synthetic class probabilities only")
    compare("Synthetic", *synthetic(), 0.25, [0, 0.25, 0.5, 0.75])


if __name__ == "__main__":
    main()
