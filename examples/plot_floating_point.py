"""
Certificates and floating point
===============================

Theorem 1 is about real numbers, and computers round. A classifier that looks at
the rounding can get a large certificate that is false (Voráček and Hein 2023,
"Sound randomized smoothing in floating-point arithmetic"). This example builds
such a classifier, and shows how ``grid="auto"`` corrects its certificate.
"""

# %%
# A classifier of the last bits
# -----------------------------
# Near 1 a float32 is a multiple of 2^-24; near 0 its steps are finer. So this
# classifier can tell noisy copies of 1 from noisy copies of 0.
import matplotlib.pyplot as plt
import numpy as np
from scipy.stats import norm
from sklearn.base import BaseEstimator, ClassifierMixin

from sksmooth import SmoothedClassifier


class LowBits(ClassifierMixin, BaseEstimator):
    """1 where z is a multiple of 2^-24."""

    classes_ = np.array([0, 1])

    def fit(self, X, y):
        return self

    def predict(self, Z):
        return (Z[:, 0] * 2.0**24 % 1 == 0).astype(int)

    def __sklearn_is_fitted__(self):
        return True


plain = SmoothedClassifier(
    LowBits(), sigma=0.33, n=10_000, stopping="fixed", random_state=0
)
sound = SmoothedClassifier(**{**plain.get_params(deep=False), "grid": "auto"})
one, zero = np.float32([[1]]), np.float32([[0]])
for name, g in {"in floating point": plain, 'grid="auto"': sound}.items():
    print(
        f"{name:>17}: radius {g.certify(one).radius[0]:.3f} around 1, where g is "
        f"{g.predict(one)[0]}; at 0 it is {g.predict(zero)[0]}"
    )

# %%
# Shares of the votes
# -------------------
# If p_lower is a bound at 1, then at a distance of d the share of class 1 must
# be at least Phi(Phi^-1(p_lower) - d / sigma), by the proof of Theorem 1.
x = np.linspace(0, 2, 81, dtype=np.float32)[:, None]
p_lower = plain.certify(one).p_lower[0]
proved = norm.cdf(norm.ppf(p_lower) - abs(x[:, 0] - 1) / plain.sigma)

# %%
# Plot
# ----
fig, ax = plt.subplots(figsize=(7.5, 4.2), layout="constrained")
ax.fill_between(x[:, 0], proved, color="0.88", label="impossible by Theorem 1")
ax.plot(x, plain.predict_proba(x)[:, 1], ".-", color="#D55E00", label="floating point")
ax.plot(x, sound.predict_proba(x)[:, 1], color="#0072B2", label='grid="auto"')
ax.set(
    xlabel="x",
    ylabel="Share of votes for class 1",
    title="Votes of a classifier that looks at the last bits",
    xlim=(0, 2),
    ylim=(0, 1.05),
)
ax.legend(loc="lower right", framealpha=1)
plt.show()

# %%
# In floating point the votes near 0 fall below what the theorem allows, so the
# certificate at 1 is false. On the grid they do not: inputs and noise are
# rounded separately and then added without error, so the
# theorem applies. The rounding makes the radius smaller, but too little to be
# seen in three digits.
