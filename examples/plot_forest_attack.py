"""
Attack a random forest, smoothed and not
========================================

A random forest changes its answer in steps, so it can be attacked by small
changes of a few features, without gradients. This example attacks a forest f
and the smoothed forest g by asking for predictions only, and compares how far
the attack has to go with what was certified.
"""

# %%
# The forest and its certificate
# ------------------------------
# Breast tumours, benign or malignant. The unit of each of the 30 features, and
# so of every norm below, is its standard deviation.
import matplotlib.pyplot as plt
import numpy as np
from sklearn.base import clone
from sklearn.datasets import load_breast_cancer
from sklearn.ensemble import RandomForestClassifier
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler

from sksmooth import SmoothedClassifier

X, y = load_breast_cancer(return_X_y=True)
X_train, X_test, y_train, y_test = train_test_split(X, y, stratify=y, random_state=0)
scaler = StandardScaler().fit(X_train)
X_train, X_test = scaler.transform(X_train), scaler.transform(X_test)

forest = RandomForestClassifier(30, min_samples_leaf=5, random_state=0)
f = clone(forest).fit(X_train, y_train)
g = SmoothedClassifier(forest, sigma=0.5, n=10_000, n_copies=5, random_state=0)
g.fit(X_train, y_train)

x, label = X_test[:40], y_test[:40]
prediction, radius = g.certify(x)
attacked = (prediction == label) & (f.predict(x) == label)
x, label, radius = x[attacked], label[attacked], radius[attacked]
print(f"{len(x)} inputs that both classify correctly and g certifies")

# %%
# A boundary attack
# -----------------
# Start from a training input of another class, walk towards the target until
# just before the class changes back, then wander along the boundary in random
# steps that come closer (after Brendel, Rauber and Bethge 2018,
# arXiv:1712.04248).


def boundary_attack(classify, x, label, n_steps=400, seed=0):
    """Return inputs close to x that are not classified as the label."""
    rng = np.random.default_rng(seed)
    wrong = classify(X_train)[:, None] != label
    distance = np.linalg.norm(X_train[:, None] - x, axis=2)
    inside = x
    outside = X_train[np.where(wrong, distance, np.inf).argmin(axis=0)]
    for _ in range(10):
        middle = (inside + outside) / 2
        fooled = (classify(middle) != label)[:, None]
        inside = np.where(fooled, inside, middle)
        outside = np.where(fooled, middle, outside)
    step = np.full((len(x), 1), 0.3)
    for _ in range(n_steps):
        length = np.linalg.norm(outside - x, axis=1, keepdims=True)
        aside = rng.normal(size=x.shape)
        aside *= step * length / np.linalg.norm(aside, axis=1, keepdims=True)
        direction = outside + aside - x
        direction /= np.linalg.norm(direction, axis=1, keepdims=True)
        closer = x + direction * length * (1 - step / 5)
        fooled = (classify(closer) != label)[:, None]
        outside = np.where(fooled, closer, outside)
        step *= np.where(fooled, 1.1, 0.97)
    return outside


def norms(adversarial):
    """Return how far each attack went."""
    return np.linalg.norm(adversarial - x, axis=1)


adversarial_f = boundary_attack(f.predict, x, label)
norm_f = norms(adversarial_f)

# %%
# The attack on g gets answers from 100 votes each. These are too few to know g's
# answer near its boundary, so success is judged by ``predict`` with up to 10,000
# other votes. The distance is to the first point on the line through the attack's
# result at which g names another class.
few = SmoothedClassifier(
    g.estimator_,
    sigma=g.sigma,
    n=100,
    stopping="fixed",
    abstain_label=None,
    random_state=1,
)
adversarial_g = boundary_attack(few.predict, x, label)
norm_g = np.full(len(x), np.nan)
for multiple in np.arange(0.7, 3, 0.05):
    moved = x + multiple * (adversarial_g - x)
    answer = g.predict(moved)
    fooled = (answer != label) & (answer != g.abstain_label_) & np.isnan(norm_g)
    norm_g[fooled] = norms(moved)[fooled]

print("                             attack on f   attack on g")
for text, function in {
    "fooled": lambda norm: np.sum(~np.isnan(norm)),
    "... within the radius": lambda norm: np.sum(norm < radius),
    "median norm": np.nanmedian,
    "smallest norm / radius": lambda norm: np.nanmin(norm / radius),
}.items():
    print(f"{text:>23}  {function(norm_f):15.4g} {function(norm_g):13.4g}")

# %%
# Plot
# ----
fig, ax = plt.subplots(figsize=(6.5, 5), layout="constrained")
end = 1.1 * radius.max()
ax.fill_between([0, end], [0, end], color="0.9", label="within the certified radius")
ax.plot(radius, norm_f, "o", color="#D55E00", label="attack on f")
ax.plot(radius, norm_g, "s", color="#0072B2", label="attack on g")
ax.set(
    xlabel="Certified radius of g (standard deviations)",
    ylabel="Norm at which the attack succeeds (standard deviations)",
    title="A random forest f and its smoothed version g",
    xlim=(0, end),
    ylim=(0, None),
)
ax.legend(loc="upper left")
plt.show()

# %%
# Each input is a pair of points, one above the other. Some attacks on f succeed
# within the radius certified for g; none on g does, as was proved. On g
# the attack usually has to go further than on f, and always further than the
# certified radius: an attack bounds the true radius from above, a certificate from
# below.
