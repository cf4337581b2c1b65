"""How often certificates are false, where the truth is known exactly.

    python benchmarks/coverage_campaign.py [--inputs 12000] [--seed 0]

Two classifiers whose class probabilities under noise are known: a linear one, and a
decision tree of scikit-learn's wine data (3 classes, 13 standardised features) through
method="exact". On a grid the truth is that of the rounded classifier: a comparison
with t is one with the middle between two grid points. Inputs of the linear one are at
distances of 0 to 3.5 sigma from its boundary; those of the tree are training points
with noise. An answer counts as false if it claims more than the truth: a bound on a
probability above it (which contains every false radius), a radius that is too large
(bound "multiclass"), "correct" at a radius just beyond the true one (all inputs are
put at that distance), or a class other than g's (`predict`, all inputs put next to
the boundary).

Prints, for each setting and alpha, false answers / all answers, with Clopper and
Pearson's two-sided 99 % interval; first for each kind of answer, whatever f, grid and
n, then for all settings. Votes are shared between the columns and between the
bounds of a row's setting; sigma is .25 for half of the inputs and 1 for the others.
Exits with 1 if any interval lies above alpha.
"""

import argparse
import sys

import numpy as np
from scipy.special import betaincinv, ndtr, ndtri
from sklearn.datasets import load_wine
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier

from sksmooth import SmoothedClassifier

ALPHAS = (0.1, 0.01, 0.001)
SIGMAS = (0.25, 1.0)
COARSE = 2.0**-5
DIGITS = 1e-7  # to which the truth on a grid is known; without one it is 1e-12


class Linear:
    """A halfspace, whose smoothed self is itself."""

    name = "linear"

    def __init__(self, on_grid):
        # On a grid only one feature counts, so that the rounded boundary is known.
        self.weights = np.array([1.0, 0, 0, 0] if on_grid else [1.0, -2, 0.5, 3])
        self.offset = 0.3
        self.base = LogisticRegression()
        self.base.coef_ = self.weights[None]
        self.base.intercept_ = np.array([self.offset])
        self.base.classes_ = np.array([0, 1])
        self.base.n_features_in_ = 4

    def points(self, distance, rng):
        """Inputs of class 1 at these distances from the boundary."""
        x = rng.normal(size=(len(distance), 4))
        length = np.linalg.norm(self.weights)
        gap = (x @ self.weights + self.offset) / length - distance
        return x - np.outer(gap, self.weights / length)

    def inputs(self, m, sigma, rng):
        return self.points(sigma * rng.uniform(0, 3.5, m), rng)

    def truth(self, x, sigma, step):
        if step is None:
            length = np.linalg.norm(self.weights)
            z = (x @ self.weights + self.offset) / length / sigma
        else:
            boundary = (np.floor(-self.offset / step) + 0.5) * step
            z = (np.rint(x[:, 0] / step) * step - boundary) / sigma
        return ndtr(np.column_stack([-z, z]))


class Tree:
    """A decision tree, whose leaves are boxes of known mass."""

    name = "tree"

    def __init__(self, on_grid):
        X, y = load_wine(return_X_y=True)
        self.X = StandardScaler().fit_transform(X)
        rng = np.random.default_rng(0)
        copies = np.tile(self.X, (10, 1))
        copies += rng.normal(0, 0.5, copies.shape)
        self.base = DecisionTreeClassifier(max_depth=8, random_state=0)
        self.base.fit(copies, np.tile(y, 10))

    def inputs(self, m, sigma, rng):
        x = self.X[rng.integers(len(self.X), size=m)]
        return x + rng.normal(0, 0.3, x.shape)

    def truth(self, x, sigma, step):
        base = self.base
        if step is not None:
            base = DecisionTreeClassifier()
            base.__setstate__(self.base.__reduce__()[2])
            base.tree_.__setstate__(self.base.tree_.__getstate__())
            threshold = base.tree_.threshold
            threshold[:] = (np.floor(threshold / step) + 0.5) * step
            x = np.rint(x / step) * step
        g = SmoothedClassifier(base, sigma=sigma, method="exact")
        return g.predict_proba(x)


def claims_too_much(certificate, p, digits):
    """Which certificates claim more than the probabilities `p` allow."""
    selected = certificate.selected[:, None]
    p_selected = np.take_along_axis(p, selected, axis=1)[:, 0]
    if certificate.bound != "multiclass":
        return certificate.certified & (certificate.p_lower > p_selected + digits)
    others = p.copy()
    np.put_along_axis(others, selected, 0, axis=1)
    with np.errstate(invalid="ignore"):
        true = (ndtri(p_selected) - ndtri(others.max(axis=1))) * certificate.sigma / 2
    return certificate.certified & ~(certificate.radius <= true * (1 + 1e-9) + digits)


def interval(k, m, level=0.99):
    """Clopper and Pearson's two-sided interval."""
    tail = (1 - level) / 2
    low = betaincinv(k, m - k + 1, tail) if k else 0.0
    high = betaincinv(k + 1, m - k, 1 - tail) if k < m else 1.0
    return float(low), float(high)


def campaign(n_inputs, seed):
    """Yield (setting, alpha, false answers, answers)."""
    rng = np.random.default_rng(seed)
    plans = [
        (Linear, None, 100, 1.0),
        (Linear, None, 1000, 1.0),
        (Linear, None, 10_000, 1.0),
        (Linear, "auto", 1000, 0.5),
        (Linear, COARSE, 1000, 0.5),
        (Tree, None, 100, 1.0),
        (Tree, None, 1000, 0.5),
        (Tree, "auto", 1000, 0.25),
        (Tree, COARSE, 1000, 0.25),
    ]
    for kind, grid, n, share in plans:
        model = kind(on_grid=grid is not None)
        m = int(n_inputs * share)
        totals = {}
        for sigma in SIGMAS:
            step = 2.0 ** np.floor(np.log2(sigma)) / 2**16 if grid == "auto" else grid
            digits = 1e-12 if grid is None else DIGITS
            g = SmoothedClassifier(
                model.base,
                sigma=sigma,
                n=n,
                grid=grid,
                method="monte_carlo",
                random_state=seed,
            )
            x = model.inputs(m // 2, sigma, rng)
            p = model.truth(x, sigma, step)
            drawn = {"n votes": g.certify(x), "radius_tol": None}
            if n > 100:
                drawn["radius_tol"] = g.certify(x, radius_tol=0.1 * sigma)
            for how, certificate in drawn.items():
                if certificate is None:
                    continue
                bounds = ("cohen", "joint", "multiclass")
                for bound in bounds if how == "n votes" else bounds[:1]:
                    for alpha in ALPHAS:
                        again = certificate.recertify(alpha=alpha, bound=bound)
                        false = int(claims_too_much(again, p, digits).sum())
                        row = (model.name, grid, n, f"certify, {how}, {bound}", alpha)
                        k, total = totals.get(row, (0, 0))
                        totals[row] = k + false, total + len(x)
            if kind is Linear and grid is None:
                radius = 0.8 * sigma
                x = model.points(np.full(m // 2, radius * (1 - 1e-9)), rng)
                tie = model.points(np.full(m // 2, 1e-9), rng)
                for alpha in ALPHAS:
                    g.set_params(alpha=alpha)
                    ones = np.ones(len(x))
                    for row, false in [
                        ("certified_correct", g.certified_correct(x, ones, radius)),
                        ("predict", g.predict(tie) == 0),
                    ]:
                        row = (model.name, grid, n, f"{row}, sequential", alpha)
                        k, total = totals.get(row, (0, 0))
                        totals[row] = k + int(np.sum(false)), total + len(x)
        for (*setting, alpha), (k, total) in totals.items():
            yield tuple(setting), alpha, k, total


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--inputs", type=int, default=12_000)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    settings, kinds = {}, {}
    for setting, alpha, k, total in campaign(options.inputs, options.seed):
        settings.setdefault(setting, {})[alpha] = k, total
        kind = kinds.setdefault(setting[-1:], {})
        before = kind.get(alpha, (0, 0))
        kind[alpha] = before[0] + k, before[1] + total
    above = print_table(["answer"], kinds)
    print()
    above += print_table(["f", "grid", "n", "answer"], settings)
    answers = sum(total for cells in kinds.values() for _, total in cells.values())
    print(f"\n{answers} answers; {above} intervals lie above their alpha.")
    sys.exit(above > 0)


def print_table(names, rows):
    """Print a row for each setting; return how many intervals lie above alpha."""
    columns = [*names, "answers", *(f"alpha = {alpha:g}" for alpha in ALPHAS)]
    print(f"| {' | '.join(columns)} |")
    print("|" + " --- |" * len(names) + " ---: |" * (1 + len(ALPHAS)))
    above = 0
    for setting, cells in rows.items():
        row = [f"{x:g}" if isinstance(x, float) else str(x) for x in setting]
        row.append(str(cells[ALPHAS[0]][1]))
        for alpha, (k, total) in cells.items():
            low, high = interval(k, total)
            above += low > alpha
            row.append(f"{k / total:.5f} ({low:.5f}-{high:.5f})")
        print(f"| {' | '.join(row)} |")
    return above


if __name__ == "__main__":
    main()
