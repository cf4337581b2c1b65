"""What intervals of smoothed regressors cost, and how many values they take.

    python benchmarks/regression.py

First, a linear regressor whose values have standard deviation 1, at a radius of sigma
/ 2: the exact interval is +-0.5, and this is the mean half-width of intervals by n
values. Then scikit-learn's diabetes data, features in standard deviations: mean errors
on a third of the inputs that was held out, as they are ("clean f" is the regressor
trained and used without noise) and at worst inside a radius, and ms per input.
"""

from time import perf_counter

import numpy as np
from sklearn.base import clone
from sklearn.datasets import load_diabetes
from sklearn.ensemble import RandomForestRegressor
from sklearn.linear_model import LinearRegression, Ridge
from sklearn.model_selection import train_test_split
from sklearn.tree import DecisionTreeRegressor

from sksmooth import SmoothedRegressor, worst_case_absolute_error
from sksmooth.stats import quantile_levels, quantile_ranks
from sksmooth.stats._quantiles import fewest_values

BASES = {
    "ridge": Ridge(),
    "tree of depth 5": DecisionTreeRegressor(max_depth=5, random_state=0),
    "forest of 100": RandomForestRegressor(min_samples_leaf=5, random_state=0),
}
RADII = [0.0, 0.1, 0.25, 0.5]


def half_widths():
    """Print what n values are worth."""
    f = LinearRegression()
    f.coef_, f.intercept_ = np.array([1.0]), 0.0
    print("| values | ranks of the ends | half-width | half-width / exact |")
    print("| ---: | --- | ---: | ---: |")
    levels = quantile_levels(0.5, 0.5, 1.0)
    for n in (100, 1_000, 10_000, 100_000):
        X = np.random.default_rng(n).normal(size=(max(30, 400_000 // n), 1))
        h = SmoothedRegressor(f, sigma=1.0, method="monte_carlo", n=n, random_state=0)
        half = h.certify_interval(X, 0.5).width.mean() / 2
        ranks = ", ".join(f"{k:,}" for k in quantile_ranks(n, *levels, 0.001))
        print(f"| {n:,} | {ranks} | {half:.3g} | {half / 0.5:.2f} |")
    for s in (1.0, 2.0, 3.0):
        levels = map(float, quantile_levels(0.5, s, 1.0))
        n = fewest_values(*levels, 0.001)
        print(f"both ends are finite at r = {s:g} sigma: {n:,} values")


def on_diabetes(sigma):
    """Print errors on held-out inputs."""
    X, y = load_diabetes(return_X_y=True)
    X = X / X.std(axis=0)
    X, X_test, y, y_test = train_test_split(X, y, test_size=1 / 3, random_state=0)
    radii = " | ".join(f"r = {radius:g}" for radius in RADII)
    print(f"| regressor, sigma = {sigma:g} | clean f | {radii} | ms per input |")
    print("| --- |" + " ---: |" * (2 + len(RADII)))
    for name, f in BASES.items():
        clean = np.abs(clone(f).fit(X, y).predict(X_test) - y_test).mean()
        h = SmoothedRegressor(f, sigma=sigma, n_copies=10, random_state=0).fit(X, y)
        for method in ("exact", "monte_carlo"):
            if method == "exact" and isinstance(f, RandomForestRegressor):
                continue
            h.set_params(method=method)
            start = perf_counter()
            certificate = h.certify_interval(X_test, RADII)
            ms = 1e3 * (perf_counter() - start) / len(y_test)
            errors = worst_case_absolute_error(y_test, certificate)
            how = "exact" if method == "exact" else f"n = {h.n:,}"
            cells = " | ".join(f"{error:.1f}" for error in errors)
            print(f"| {name}, {how} | {clean:.1f} | {cells} | {ms:.2g} |")


if __name__ == "__main__":
    half_widths()
    print()
    on_diabetes(sigma=0.5)
