"""
Decision trees without votes
============================

Under Gaussian noise, the probability that an input falls into a leaf of a
decision tree is a product of interval probabilities. So the smoothed tree can
be computed exactly: no votes, no chance of a false certificate, and no limit to
the radius except the tree itself.
"""

# %%
# One tree, smoothed both ways
# ----------------------------
# Breast tumours, benign or malignant. The unit of each of the 30 features, and
# so of the radius, is its standard deviation. ``fit`` trains on noisy copies.
import time

import matplotlib.pyplot as plt
from sklearn.base import clone
from sklearn.datasets import load_breast_cancer
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier

from sksmooth import (
    CertifiedAccuracyDisplay,
    SmoothedClassifier,
    certified_accuracy_score,
)

X, y = load_breast_cancer(return_X_y=True)
X_train, X_test, y_train, y_test = train_test_split(X, y, stratify=y, random_state=0)
scaler = StandardScaler().fit(X_train)
X_train, X_test = scaler.transform(X_train), scaler.transform(X_test)

f = DecisionTreeClassifier(min_samples_leaf=20, random_state=0)
exact = SmoothedClassifier(
    f, sigma=0.5, method="exact", n_copies=20, random_state=0
).fit(X_train, y_train)
print(f"A tree of {exact.estimator_.get_n_leaves()} leaves")

methods = {"exact": exact}
for n in (1_000, 10_000):
    voting = clone(exact).set_params(method="monte_carlo", n=n)
    methods[f"{n:,} votes"] = voting.fit(X_train, y_train)

certificates, seconds = {}, {}
for name, g in methods.items():
    start = time.perf_counter()
    certificates[name] = g.certify(X_test)
    seconds[name] = time.perf_counter() - start

radii = [0, 0.5, 1, 1.5]
print(f"\n{len(y_test)} test inputs: certified accuracy at radius, and time")
print("             " + "".join(f"{radius:8.1f}" for radius in radii))
for name, certificate in certificates.items():
    scores = certified_accuracy_score(y_test, certificate, radius=radii)
    row = "".join(f"{score:8.1%}" for score in scores)
    print(f"{name:>12} {row}   {seconds[name]:7.3f} s")

# %%
# The votes stay below the exact radius, except with probability alpha = 0.001
# each.
exact_radius = certificates["exact"].radius
for name in ("1,000 votes", "10,000 votes"):
    too_large = (certificates[name].radius > exact_radius).sum()
    print(f"{name:>12}: {too_large} of {len(y_test)} radii above the exact one")

# %%
# Plot
# ----
display = CertifiedAccuracyDisplay.from_certificate(
    certificates, y_test, unit="standard deviations of the features"
)
display.ax_.set_title("A smoothed decision tree, sigma = 0.5")
plt.show()

# %%
# Exact radii end where the tree ends, votes where n ends (dotted). With the
# exact method there is nothing to choose but sigma; use it wherever it applies:
# decision trees, two-class linear classifiers, and two-class boosted stumps.
