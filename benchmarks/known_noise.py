"""What an adversary gains who knows random_state: false certificates on demand.

    python benchmarks/known_noise.py

The base is a halfspace, so that g is known: it answers 1 exactly where the first
feature is positive. All inputs lie on the other side, 0.01 sigma from the boundary.
There a certificate for class 1 is false, and has a probability of at most alpha.

The noise of an input depends on its bytes, so whoever knows the key can move an input
by 1e-9, look at the votes it will get, and try again until they lie.
"""

import argparse

import numpy as np
from scipy.stats import beta
from sklearn.linear_model import LogisticRegression

from sksmooth import SmoothedClassifier

SIGMA, ALPHA, N, N0 = 1.0, 0.001, 1_000, 100
DISTANCE = 0.01 * SIGMA
STEP = 1e-9  # how far an input is moved: no one would see it


def halfspace(n_features):
    """Return a fitted classifier that says 1 where the first feature is positive."""
    f = LogisticRegression()
    f.coef_ = np.eye(1, n_features)
    f.intercept_ = np.zeros(1)
    f.classes_ = np.array([0, 1])
    f.n_features_in_ = n_features
    return f


def smoothed(random_state, n_features=5):
    """Return g; with an int as random_state its noise can be foreseen."""
    return SmoothedClassifier(
        halfspace(n_features),
        sigma=SIGMA,
        method="monte_carlo",
        alpha=ALPHA,
        n=N,
        n0=N0,
        random_state=random_state,
    )


def is_false(g, X):
    """Tell which inputs are certified for class 1, though g answers 0 there."""
    prediction, radius = g.certify(X)
    return (prediction == 1) & (radius > 0) & (X[:, 0] < 0)


def search(g, x, n_tries, rng, n_at_once=5_000):
    """Return an input within STEP of x that g certifies falsely, and the tries."""
    for done in range(0, n_tries, n_at_once):
        n_now = min(n_at_once, n_tries - done)
        X = np.tile(x, (n_now, 1))
        X[:, 1:] += rng.uniform(-STEP / 2, STEP / 2, size=(n_now, len(x) - 1))
        found = np.flatnonzero(is_false(g, X))
        if len(found):
            return X[found[0]], done + found[0] + 1
    return None, n_tries


def interval(k, n, level=0.95):
    """Return Clopper and Pearson's two-sided interval for a share."""
    tail = (1 - level) / 2
    low = beta.ppf(tail, k, n - k + 1) if k else 0.0
    high = beta.isf(tail, k + 1, n - k) if k < n else 1.0
    return low, high


def show(what, k, n):
    low, high = interval(k, n)
    print(f"{what:44}{k:6} of {n:7,}{k / n:12.3%}   {low:.3%} to {high:.3%}")


def main(n_victims, n_tries, n_honest):
    rng = np.random.default_rng(0)

    def draw(n):
        X = rng.normal(size=(n, 5))
        X[:, 0] = -DISTANCE
        return X

    print(
        f"sigma={SIGMA:g}, alpha={ALPHA:g}, n={N}, n0={N0}; at most {n_tries:,} tries"
    )
    print(f"{'false certificates':44}{'':17}{'rate':>12}   95 % interval")
    key = 20_190_208
    known = smoothed(random_state=key)
    show("inputs as they come", int(is_false(known, draw(n_honest)).sum()), n_honest)
    found, tries = [], []
    for x in draw(n_victims):
        x_found, n_used = search(known, x, n_tries, rng)
        tries.append(n_used)
        if x_found is not None:
            found.append(x_found)
    show("inputs searched for, noise known", len(found), n_victims)
    # The same inputs again, each under many keys that the adversary did not know.
    n_keys = max(1, n_honest // max(1, len(found)))
    X = np.array(found).reshape(-1, 5)
    lies = sum(
        int(is_false(smoothed(random_state=key + 1 + k), X).sum())
        for k in range(n_keys)
        if len(X)
    )
    show("the inputs found, under other, secret noise", lies, max(1, len(X) * n_keys))
    print(f"tries for one input: {np.mean(tries):,.0f} on average")
    # The claim that SECURITY.md makes.
    if not interval(len(found), n_victims)[0] > ALPHA:
        raise SystemExit("the search did not beat alpha: SECURITY.md says it does")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--victims", type=int, default=10)
    parser.add_argument("--tries", type=int, default=20_000)
    parser.add_argument("--honest", type=int, default=50_000)
    arguments = parser.parse_args()
    main(arguments.victims, arguments.tries, arguments.honest)
