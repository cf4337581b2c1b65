"""
Three guarantees from the same votes
====================================

Cohen, Rosenfeld and Kolter (2019) were not the first to prove a radius for
smoothing with Gaussian noise. Lecuyer et al. (2019) and Li et al. (2018) had
proved smaller radii from the same probabilities. This example compares the three as
figures 5 (left) and 8 (left) of the paper do: as formulas, and on handwritten
digits.
"""

# %%
# The formulas
# ------------
# All three turn a lower bound on the probability of the top class, with the
# rest of the probability left for the runner-up, into a radius.
import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sksmooth import (
    CertifiedAccuracyDisplay,
    SmoothedClassifier,
    certified_accuracy_score,
)
from sksmooth.stats import radius_from_probabilities

guarantees = {
    "Cohen et al. 2019": "cohen",
    "Li et al. 2018": "li",
    "Lecuyer et al. 2019": "lecuyer",
}
# Evenly spaced in sigma, so that the curves are smooth near 1.
p_a = np.append(np.linspace(0.5, 0.99, 99), 1 - np.geomspace(0.01, 1e-5, 40))

print("Radius, in sigma, if the top class has a probability of at least")
print("                     " + "".join(f"{p:9}" for p in [0.6, 0.9, 0.99, 0.999]))
for name, guarantee in guarantees.items():
    radii = radius_from_probabilities([0.6, 0.9, 0.99, 0.999], guarantee=guarantee)
    print(f"{name:>20} " + "".join(f"{radius:9.3f}" for radius in radii))

# %%
# The same on digits
# ------------------
# One certificate holds all that is needed: its ``p_lower`` goes through each
# formula. Images have 8 x 8 pixels from 0 to 1.
X, y = load_digits(return_X_y=True)
X_train, X_test, y_train, y_test = train_test_split(
    X / 16, y, test_size=0.25, stratify=y, random_state=0
)
f = make_pipeline(StandardScaler(), LogisticRegression(C=0.01, max_iter=1_000))
g = SmoothedClassifier(f, sigma=0.25, n=100_000, n_copies=8, random_state=0)
certificate = g.fit(X_train, y_train).certify(X_test)

pairs = {
    name: (
        certificate.prediction,
        radius_from_probabilities(
            certificate.p_lower, sigma=certificate.sigma, guarantee=guarantee
        ),
    )
    for name, guarantee in guarantees.items()
}
radii = [0.1, 0.25, 0.5, 0.75]
print("\nCertified accuracy at radius" + "".join(f"{radius:8.2f}" for radius in radii))
for name, pair in pairs.items():
    scores = certified_accuracy_score(y_test, pair, radius=radii)
    print(f"{name:>28}" + "".join(f"{score:8.1%}" for score in scores))

# %%
# Plot
# ----
fig, (left, right) = plt.subplots(1, 2, figsize=(11, 4.4), layout="constrained")
display = CertifiedAccuracyDisplay.from_certificate(
    pairs, y_test, unit="units of a pixel, 0 to 1", ax=right
)
right.set_title("Certified accuracy on digits, sigma = 0.25")
for line, (name, guarantee) in zip(display.line_, guarantees.items(), strict=True):
    radius = radius_from_probabilities(p_a, guarantee=guarantee)
    left.plot(p_a, radius, color=line.get_color(), label=name)
left.set(
    xlabel="Lower bound on the probability of the top class",
    ylabel="Certified radius, in sigma",
    title="The formulas",
    xlim=(0.5, 1.005),
    ylim=(0, None),
)
left.legend()
plt.show()

# %%
# As in the paper, the radius of Cohen et al. is the largest of the three, for
# every probability and at every radius on the right. It cannot be improved: some
# classifier with the same probabilities changes its answer just beyond it.
