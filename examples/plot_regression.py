"""
A regressor with certified intervals
====================================

Smoothing is not only for classes. While the input moves inside a ball, the median of a
regressor's predictions under noise can move only so far, and we can compute how far:
from the regressor's values on 1,000 noisy copies, or without any copies for linear
regressors and trees.
"""

# %%
# Three regressors, smoothed
# --------------------------
# How far did diabetes progress within a year? There are ten features, each in units of
# its standard deviation, and so is the radius. ``fit`` trains on noisy copies.
import matplotlib.pyplot as plt
from sklearn.datasets import load_diabetes
from sklearn.ensemble import RandomForestRegressor
from sklearn.linear_model import Ridge
from sklearn.model_selection import GridSearchCV, train_test_split
from sklearn.tree import DecisionTreeRegressor

from sksmooth import (
    IntervalDisplay,
    SmoothedRegressor,
    worst_case_absolute_error,
    worst_case_error_scorer,
)

X, y = load_diabetes(return_X_y=True)
X = X / X.std(axis=0)
X_train, X_test, y_train, y_test = train_test_split(
    X, y, test_size=1 / 3, random_state=0
)

smoothed = {
    "ridge": Ridge(),
    "tree": DecisionTreeRegressor(max_depth=5, random_state=0),
    "forest": RandomForestRegressor(30, min_samples_leaf=5, random_state=0),
}
for name, f in smoothed.items():
    h = SmoothedRegressor(f, sigma=0.5, n_copies=10, random_state=0)
    smoothed[name] = h.fit(X_train, y_train)

# %%
# Which sigma?
# ------------
# The score is a mean absolute error that no move inside the radius can make worse:
# for each input, the distance from y to the farther end of its
# interval. It chooses sigma as certified accuracy does for a classifier.
search = GridSearchCV(
    smoothed["tree"],
    {"sigma": [0.25, 0.5, 1.0, 2.0]},
    scoring=worst_case_error_scorer(radius=0.25),
    cv=3,
).fit(X_train, y_train)
print(f"best sigma for a tree at radius 0.25: {search.best_params_['sigma']}")

# %%
# Errors inside a radius
# ----------------------
radii = [0.0, 0.1, 0.25, 0.5]
print("radius" + "".join(f"{r:8.2f}" for r in radii) + "  method")
for name, h in smoothed.items():
    certificate = h.certify_interval(X_test, radii)
    errors = worst_case_absolute_error(y_test, certificate)
    print(f"{name:6}" + "".join(f"{e:8.1f}" for e in errors), f" {certificate.method}")

# %%
# Plot
# ----
# The intervals of three patients, from each of the regressors.
fig, axes = plt.subplots(1, 3, figsize=(11, 4), sharey=True, layout="constrained")
patients = [0, 2, 17]
names = [f"patient {k}" for k in patients]
for ax, (name, h) in zip(axes, smoothed.items(), strict=True):
    IntervalDisplay.from_estimator(h, X_test[patients], name=names, ax=ax)
    ax.set_title(f"{name}, sigma = 0.5")
for ax in axes[1:]:
    ax.set_ylabel("")
    ax.get_legend().remove()
plt.show()

# %%
# The line is the prediction, and the band shows what it may become. For ridge the band
# is exact, a cone; for the tree it is exact, too, in steps from leaf to leaf. For the
# forest it is estimated: its width at radius 0 shows how well 1,000 values determine
# the median.
