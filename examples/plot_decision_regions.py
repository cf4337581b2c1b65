"""
Decision regions and certified balls
====================================

Smooth a decision tree and a support vector machine on the plane, and see what smoothing
does to their decision regions and where certified balls reach.

Neither classifier says anything about robustness by itself: the tree cuts the plane
into rectangles, some of them slivers around a few training points.
"""

# %%
# Two classifiers
# ---------------
# The two moons overlap a little. ``fit`` trains each classifier on ten noisy copies of
# the training points, so that it knows the kind of inputs on which it votes. Both
# vote here; by default the tree would be exact, and no part of it grey.
import matplotlib.pyplot as plt
from sklearn.datasets import make_moons
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeClassifier

from sksmooth import SmoothedClassifier, SmoothedDecisionDisplay

X, y = make_moons(200, noise=0.15, random_state=0)
classifiers = {
    "Decision tree": DecisionTreeClassifier(min_samples_leaf=5, random_state=0),
    "Support vector machine": SVC(gamma=2),
}
smoothed = {
    name: SmoothedClassifier(
        f, sigma=0.25, method="monte_carlo", n=1_000, n_copies=10, random_state=0
    ).fit(X, y)
    for name, f in classifiers.items()
}

# %%
# Regions and balls
# -----------------
# The upper row shows the regions of the base classifiers f, which were trained on the
# noisy copies too. The lower row shows those of the smoothed classifiers g: smooth, and
# grey where 1,000 votes are too close to call. Each circle is the certified ball of
# the point in its middle: nowhere inside it does g give another answer, apart from a
# chance of 0.001 that the certificate is false.
centers = X[:10]
fig, axes = plt.subplots(
    2, 2, figsize=(10, 7), sharex=True, sharey=True, layout="constrained"
)
for (name, g), (upper, lower) in zip(smoothed.items(), axes.T, strict=True):
    display = SmoothedDecisionDisplay.from_estimator(
        g, X, centers=centers, grid_resolution=80, ax=lower
    )
    base = g.estimator_.predict(
        [*zip(display.xx0.ravel(), display.xx1.ravel(), strict=True)]
    )
    SmoothedDecisionDisplay(
        xx0=display.xx0,
        xx1=display.xx1,
        response=base.reshape(display.xx0.shape),
        classes=g.classes_,
        xlabel="feature 0",
        ylabel="feature 1",
    ).plot(upper)
    for label, color in enumerate(display.colors_):
        upper.scatter(*X[y == label].T, s=10, color=color, edgecolor="white", lw=0.5)
    upper.get_legend().remove()
    upper.set(title=f"{name} f", aspect="equal")
    lower.set_title(f"{name}, smoothed: g")
    radii = ", ".join(f"{ball.width / 2:.2f}" for ball in display.balls_)
    print(f"{name}: certified radii {radii}")
for ax in axes.flat:
    ax.label_outer()
axes[1, 0].get_legend().remove()
plt.show()

# %%
# Smoothing melts the slivers of the tree away. The points that remain certified keep a
# distance to the border that is proved, not hoped for: the balls reach at most into the
# grey zone, never to the other class.
