"""
Linear classifiers: the radius is the distance
==============================================

Are certified radii right? For a linear classifier with two classes the answer is known.
Smoothing changes none of its predictions, and the largest radius that holds is the
distance to the decision boundary. A certificate should stay below that distance, and
come close to it with many votes (Cohen, Rosenfeld and Kolter 2019, section 3.1 and
appendix B).
"""

# %%
# A classifier and its distances
# ------------------------------
# Breast tumours, benign or malignant, described by 30 features. The unit of each
# feature, and so of noise and distances, is its standard deviation.
import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_breast_cancer
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

from sksmooth import SmoothedClassifier

X, y = load_breast_cancer(return_X_y=True)
X = StandardScaler().fit_transform(X)
f = LogisticRegression(C=0.1).fit(X, y)

normal = f.coef_ / np.linalg.norm(f.coef_)
side = np.sign(f.decision_function(X))
distance = np.abs(f.decision_function(X)) / np.linalg.norm(f.coef_)

# %%
# Certify
# -------
# With more and more votes, and with computed probabilities instead.
sigma = 1.0
sizes = [1_000, 10_000, 100_000]
votes = {"sigma": sigma, "method": "monte_carlo"}
voters = [SmoothedClassifier(f, **votes, n=n, random_state=0) for n in sizes]
exact = SmoothedClassifier(f, sigma=sigma, method="exact")
certificates = {f"{g.n:,} votes": g.certify(X) for g in voters}
certificates["exact"] = exact.certify(X)

middle = (distance > sigma) & (distance < 2 * sigma)
print(f"{len(X)} inputs, {middle.sum()} of them 1 to 2 sigma from the boundary")
print("                 inputs      classified   radius / distance")
print("               certified    as f does     (median, 1 to 2 sigma)")
for name, certificate in certificates.items():
    known = certificate.certified
    agree = np.mean(certificate.prediction[known] == f.predict(X)[known])
    ratio = np.median(certificate.radius[middle] / distance[middle])
    print(f"  {name:>13}  {known.sum():7d}   {agree:10.1%}   {ratio:15.4f}")

# %%
# How often is a radius too large?
# --------------------------------
# An input's certificate may be wrong with probability alpha. Other seeds draw other
# votes, so the rate can be counted.
n_draws = 40
g = SmoothedClassifier(f, **votes, n=10_000)
too_large = 0
for seed in range(n_draws):
    certificate = g.set_params(random_state=seed).certify(X)
    too_large += np.sum(certificate.radius > distance)
n_radii = n_draws * len(X)
print(f"\nRadii beyond the distance, from {g.n:,} votes and {n_draws} seeds:")
print(
    f"  {too_large} of {n_radii:,} = {too_large / n_radii:.2%}; alpha = {g.alpha:.2%}"
)

# %%
# Push inputs towards the boundary
# --------------------------------
# That is the worst direction. Inputs are pushed by multiples of the distance, and by
# multiples of the certified radii; the exact method gives g's answer there.
multiples = np.linspace(0.96, 1.25, 291)
lengths = {name: certificate.radius for name, certificate in certificates.items()}


def share_changed(length, inputs):
    """Share of inputs whose class changes when they are moved by these lengths."""
    moved = X - (side * length)[:, None] * normal
    return np.mean(exact.predict(moved[inputs]) != f.predict(X[inputs]))


everything = np.arange(len(X))
print("\nInputs whose class changes, all of them pushed towards the boundary")
for multiple in (0.999, 1.001):
    share = share_changed(multiple * distance, everything)
    print(f"  by {multiple} of the distance: {share:6.1%}")

# %%
# Plot
# ----
colors = dict(zip(lengths, ["#7fb3d9", "#2f7ebc", "#08306b", "#e6550d"], strict=True))
end = 5 * sigma
fig, (left, right) = plt.subplots(1, 2, figsize=(11, 4.8), layout="constrained")

left.plot([0, end], [0, end], color="0.8", linewidth=1, zorder=1)
for name, radius in lengths.items():
    shown = distance < end
    left.scatter(
        distance[shown], radius[shown], s=12, color=colors[name], linewidth=0, zorder=2
    )
    height = min(radius.max(), end)
    left.text(end * 1.015, height, name, color=colors[name], weight="bold", va="center")
left.set(
    xlabel="distance to the decision boundary, in sigma",
    ylabel="certified radius, in sigma",
    title="Radii come close to the distance, from below",
    xlim=(0, end),
    ylim=(0, end * 1.01),
)

for name, radius in lengths.items():
    changed = np.array([share_changed(t * radius, middle) for t in multiples])
    right.plot(multiples, 100 * changed, color=colors[name], linewidth=2.5)
right.axvline(1, color="0.8", linewidth=1, zorder=0)
right.set(
    xlabel="length of the push, in certified radii",
    ylabel="inputs whose class changes (%)",
    title="A little beyond the radius, classes do change",
    xlim=(multiples[0], multiples[-1]),
    ylim=(-2, 102),
)
for axes in (left, right):
    axes.grid(alpha=0.2)
    axes.spines[["top", "right"]].set_visible(False)
plt.show()

# %%
# Left: votes certify all but a few per cent of the distance, up to the largest radius
# that their number allows (the level ends of the bands); exact probabilities certify
# all of it. Right, in the same colours: inputs 1 to 2 sigma away keep their class when
# pushed by less than their radius, and lose it not far beyond, so no method could
# promise much more.
