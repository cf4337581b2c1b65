"""
Ten classes without votes, and certificates that hold together
==============================================================

For a linear classifier, the noise on the scores is normal. With two classes
that gives the class probabilities exactly; with ten it gives bounds that are
close enough to beat 10,000 votes in time and in radius. And among many certificates
that do rest on votes, which are right, all of them at once?
"""

# %%
# One classifier, certified both ways
# -----------------------------------
# Handwritten digits, pixels in [0, 1], logistic regression trained on noisy
# copies. ``method="analytic"`` adds up the chances of the nine rivals and takes off
# what pairs of them have in common.
import time

import matplotlib.pyplot as plt
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split

from sksmooth import (
    CertifiedAccuracyDisplay,
    SmoothedClassifier,
    average_certified_radius_score,
)

X, y = load_digits(return_X_y=True)
X_train, X_test, y_train, y_test = train_test_split(
    X / 16, y, test_size=200, stratify=y, random_state=0
)
g = SmoothedClassifier(
    LogisticRegression(max_iter=1_000), sigma=0.25, n=10_000, n_copies=3, random_state=0
).fit(X_train, y_train)

certificates = {}
for name, params in {
    "analytic": {"method": "analytic"},
    "10,000 votes": {"method": "monte_carlo", "bound": "cohen"},
    "10,000 votes, multiclass": {"method": "monte_carlo", "bound": "multiclass"},
}.items():
    g.set_params(**params)
    start = time.perf_counter()
    certificates[name] = g.certify(X_test)
    seconds = time.perf_counter() - start
    acr = average_certified_radius_score(y_test, certificates[name])
    print(f"{name:>25}: average certified radius {acr:.3f}, {seconds:6.2f} s")

# %%
# Bounds are not estimates: the analytic certificates have no alpha, and no number of
# votes limits their radii. An input whose class is not far ahead may
# be certified by votes but not by a bound.
votes, analytic = certificates["10,000 votes, multiclass"], certificates["analytic"]
lost = (votes.certified & ~analytic.certified).sum()
print(f"certified by votes only: {lost} of {len(y_test)}")

# %%
# Which of them are right, all together?
# --------------------------------------
# Each of the certificates by votes may be wrong with probability 0.001: nobody knows
# which. :meth:`~sksmooth.Certificate.simultaneous` returns inputs that are all
# certified at a radius, except with probability 0.001 for the whole list.
radii = [0.0, 0.2, 0.4, 0.6, 0.75]
votes = certificates["10,000 votes"]
each = [int((votes.certified & (votes.radius >= r)).sum()) for r in radii]
together = [int(votes.simultaneous(r, alpha=0.001).sum()) for r in radii]
print("radius      " + "".join(f"{r:7.2f}" for r in radii))
print("each        " + "".join(f"{k:7d}" for k in each))
print("all together" + "".join(f"{k:7d}" for k in together))

# %%
# Plot
# ----
display = CertifiedAccuracyDisplay.from_certificate(certificates, y_test)
shares = [
    (votes.simultaneous(r, 0.001) & (votes.selected == y_test)).mean() for r in radii
]
display.ax_.plot(radii, shares, "kx", label="10,000 votes, all together")
display.ax_.set_title("Logistic regression on digits, sigma = 0.25")
display.ax_.legend()
plt.show()

# %%
# A claim about all of them together costs little: if a class is clear, its votes are
# also clear at a two-hundredth of the level. It costs most near the largest radius of
# 10,000 votes (dotted), where all of them have to agree. The bounds end where
# the classifier's robustness does.
