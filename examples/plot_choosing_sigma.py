"""
Choosing sigma by cross-validation
==================================

The noise level sigma is the one parameter that has to be chosen. Which is best
depends on the radius that matters: small perturbations call for little noise,
large ones for much. A grid search by certified accuracy finds it, here for four
radii at once.
"""

# %%
# One search, four radii
# ----------------------
# ``certified_accuracy_scorers`` scores all radii from the same votes, and
# voting on an image stops as soon as all four are decided. ``refit`` names the
# radius by which the final classifier is chosen. Images have 8 x 8 pixels from 0
# to 1.
import warnings

import matplotlib.pyplot as plt
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sksmooth import (
    SmoothedClassifier,
    certified_accuracy_score,
    certified_accuracy_scorers,
)

X, y = load_digits(return_X_y=True)
X_train, X_test, y_train, y_test = train_test_split(
    X / 16, y, test_size=0.25, stratify=y, random_state=0
)
f = make_pipeline(StandardScaler(), LogisticRegression(C=0.01, max_iter=1_000))
g = SmoothedClassifier(f, n=10_000, n_copies=8, random_state=0)

radii = [0, 0.25, 0.5, 0.75]
sigmas = [0.08, 0.12, 0.18, 0.25, 0.35, 0.5, 0.7]
search = GridSearchCV(
    g,
    {"sigma": sigmas},
    scoring=certified_accuracy_scorers(radii),
    refit="certified_accuracy_0.5",
    cv=3,
)
with warnings.catch_warnings():
    # 10,000 votes reach 3.1 sigma. The scorer warns where a radius is beyond that and
    # the score has to be 0; here this is part of the picture.
    warnings.filterwarnings("ignore", "radius .* can never be certified")
    search.fit(X_train, y_train)

# %%
# Table 1 of Cohen, Rosenfeld and Kolter (2019) has the same shape: a radius,
# the sigma that is best for it, and the certified accuracy there.
print("radius   best sigma   certified accuracy in cross-validation")
scores = {
    radius: search.cv_results_[f"mean_test_certified_accuracy_{radius:g}"]
    for radius in radii
}
for radius, score in scores.items():
    print(f"{radius:6.2f}   {sigmas[score.argmax()]:10g}   {score.max():14.1%}")

# %%
# The search is itself the classifier that it chose. Only now are the test
# images used.
certificate = search.best_estimator_.certify(X_test)
print(f"\nChosen by radius 0.5: sigma = {search.best_params_['sigma']}. On test images")
for radius in radii:
    score = certified_accuracy_score(y_test, certificate, radius=radius)
    print(f"  certified accuracy at {radius:.2f}: {score:6.1%}")

# %%
# Plot
# ----
fig, ax = plt.subplots(figsize=(7, 4.5), layout="constrained")
colors = ["#0072B2", "#D55E00", "#009E73", "#CC79A7"]
for color, (radius, score) in zip(colors, scores.items(), strict=True):
    ax.plot(sigmas, score, "o-", color=color, markersize=4, label=f"radius {radius:g}")
    ax.plot(sigmas[score.argmax()], score.max(), "*", color=color, markersize=15)
ax.set(
    xlabel="sigma (units of a pixel, 0 to 1)",
    ylabel="Certified accuracy in cross-validation",
    title="The best sigma (star) grows with the radius",
    ylim=(0, 1.02),
)
ax.legend()
plt.show()

# %%
# Each radius has its own best sigma: little noise certifies only small radii, and
# much noise hides the image. So decide which perturbations matter before you
# tune. A sigma chosen by accuracy alone, at radius 0, would be the smallest.
