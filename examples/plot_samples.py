"""
How many votes does a radius need?
==================================

n votes can never prove that a probability is 1, so they limit the radius,
however robust the classifier is. The limit grows slowly with n. Figures 5
(right) and 8 (middle) of Cohen, Rosenfeld and Kolter (2019) show both sides of
this; here they are on handwritten digits.
"""

# %%
# The limit
# ---------
# If all n votes agree, the probability of the class is at least alpha^(1/n),
# and the radius is sigma * Phi^-1 of that.
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
    average_certified_radius_score,
)
from sksmooth.stats import max_certifiable_radius, required_samples

alpha = 0.001
print("Votes that a radius needs, if all of them agree; alpha = 0.001")
for radius in (1, 2, 3, 4):
    print(f"  {radius} sigma: {required_samples(radius, sigma=1, alpha=alpha):9,}")

# %%
# Certify once, project to other numbers of votes
# -----------------------------------------------
# ``recertify(n=...)`` scales the votes as if the classes kept their shares.
# That is a forecast, not a certificate. Two of the forecasts are checked by voting
# again.
X, y = load_digits(return_X_y=True)
X_train, X_test, y_train, y_test = train_test_split(
    X / 16, y, test_size=0.25, stratify=y, random_state=0
)
f = make_pipeline(StandardScaler(), LogisticRegression(C=0.01, max_iter=1_000))
g = SmoothedClassifier(f, sigma=0.25, n_copies=8, random_state=0).fit(X_train, y_train)

sizes = [100, 1_000, 10_000, 100_000, 10_000_000]
certificate = g.certify(X_test)
projections = {f"n = {n:,}": certificate.recertify(n=n) for n in sizes}
projections[f"n = {g.n:,}"] = certificate

print("\nAverage certified radius on digits, sigma = 0.25")
print("                forecast   measured")
for n, (name, projection) in zip(sizes, projections.items(), strict=True):
    line = f"{name:>14}  {average_certified_radius_score(y_test, projection):8.3f}"
    if n < g.n:
        measured = g.set_params(n=n).certify(X_test)
        line += f"   {average_certified_radius_score(y_test, measured):8.3f}"
        g.set_params(n=100_000)
    print(line + ("   (taken)" if n == g.n else ""))

# %%
# Plot
# ----
fig, (left, right) = plt.subplots(1, 2, figsize=(11, 4.4), layout="constrained")
votes = np.geomspace(10, 1e7, 200).astype(int)
left.semilogx(votes, max_certifiable_radius(votes, 1.0, alpha), color="0.25")
display = CertifiedAccuracyDisplay.from_certificate(
    projections, y_test, unit="units of a pixel, 0 to 1", ax=right
)
for n, line in zip(sizes, display.line_, strict=True):
    left.plot(n, max_certifiable_radius(n, 1.0, alpha), "o", color=line.get_color())
left.set(
    xlabel="Number of votes n",
    ylabel="Largest radius, in sigma",
    title="The limit for alpha = 0.001",
    ylim=(0, None),
)
right.set_title("Certified accuracy on digits, sigma = 0.25")
plt.show()

# %%
# As in the paper, the limit creeps up with the logarithm of n, and 4 sigma need
# more than 100,000 votes. The curves for few votes plummet at their limits, the
# dotted lines. More votes move that end; at small radii they change little.
