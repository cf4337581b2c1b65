"""
Which noise for which norm
==========================

A certificate holds in a ball, and the kind of noise decides which. Gaussian noise
certifies l2 balls: many pixels may change, each of them little. Laplace and uniform
noise certify l1 balls: the sum of all changes counts, so that few pixels may change
more. Sigma is the standard deviation of each, so nothing else differs here.
"""

# %%
# Three kinds of noise, one forest
# --------------------------------
# Images of digits, pixels from 0 to 1. ``fit`` trains on copies with the noise that
# the votes are taken under.
import matplotlib.pyplot as plt
from sklearn.datasets import load_digits
from sklearn.ensemble import RandomForestClassifier
from sklearn.model_selection import train_test_split

from sksmooth import (
    CertifiedAccuracyDisplay,
    SmoothedClassifier,
    certified_accuracy_score,
)

X, y = load_digits(return_X_y=True)
X_train, X_test, y_train, y_test = train_test_split(
    X / 16, y, test_size=200, stratify=y, random_state=0
)
f = RandomForestClassifier(50, random_state=0)
certificates = {}
for noise in ("gaussian", "laplace", "uniform"):
    g = SmoothedClassifier(
        f, noise=noise, sigma=0.35, n=1_000, n_copies=5, random_state=0
    )
    certificates[noise] = g.fit(X_train, y_train).certify(X_test)
    print(noise, certificates[noise], sep=": ")

# %%
# Radii in one norm
# -----------------
# Radii of different norms are not comparable, so the norm has to be told. In another
# than its own a certificate proves what the largest ball inside of its own ball
# does: in 64 features an l1 ball of radius R holds an l2 ball of R / 8.
radii = {"l1": [0.25, 0.5, 0.75], "l2": [0.1, 0.25, 0.5]}
for norm, some in radii.items():
    print(f"\n{norm} radius" + "".join(f"{radius:8.2f}" for radius in some))
    for noise, certificate in certificates.items():
        scores = certified_accuracy_score(y_test, certificate, radius=some, norm=norm)
        print(f"{noise:>9}" + "".join(f"{score:8.1%}" for score in scores))

# %%
# In l1 the two other kinds of noise certify more. Uniform noise is ahead at small
# radii, and ends at half of its width, where Laplace noise still certifies some. In l2
# Gaussian noise is the only one that certifies much at all.
fig, axes = plt.subplots(1, 2, figsize=(9, 4), sharey=True, layout="constrained")
for ax, norm in zip(axes, radii, strict=True):
    CertifiedAccuracyDisplay.from_certificate(certificates, y_test, norm=norm, ax=ax)
plt.show()

# %%
# *Certified accuracy of a forest under three kinds of noise, on the left in l1 and on
# the right in l2. Choose the noise by the norm in which the adversary is limited.*
