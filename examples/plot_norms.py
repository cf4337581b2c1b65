"""
Which noise for which norm
==========================

A certificate holds in a ball, and the kind of noise decides which. Gaussian noise
certifies l2 balls: many pixels may change, each by a little. Laplace and uniform
noise certify l1 balls: the sum of all changes counts, so a few pixels may change
more. Sigma is the standard deviation of each, so nothing else differs here. Split noise
is not drawn, but listed: it certifies l1 balls, for data on a grid, with few
predictions.
"""

# %%
# Three kinds of noise, one forest
# --------------------------------
# The data are images of digits, with pixels from 0 to 1. ``fit`` trains on copies with
# the same noise that is used for voting.
import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.ensemble import RandomForestClassifier
from sklearn.model_selection import train_test_split

from sksmooth import (
    CertifiedAccuracyDisplay,
    SmoothedClassifier,
    certified_accuracy_score,
)
from sksmooth.noise import Split

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
# Noise that is listed
# --------------------
# Pixels have 17 grey levels, in steps of 1/16. Split noise cuts this range into cells
# of 20 steps, in 20 ways, and all of these copies vote: 20 predictions per image, and
# an answer that does not depend on chance. The others take 1,100 predictions, and are
# wrong with probability at most 0.001. What a cell hides has a standard deviation of
# 0.36.
split = Split(levels=20, step=1 / 16)
g = SmoothedClassifier(f, noise=split, n_copies=5, random_state=0)
certificates["split"] = g.fit(X_train, y_train).certify(X_test)
print("split", certificates["split"], sep=": ")

# %%
# Radii in one norm
# -----------------
# Radii in different norms are not comparable, so you have to name the norm. In a norm
# other than its own, a certificate proves the largest ball that fits inside its own
# ball: with 64 features an l1 ball of radius R holds an l2 ball of radius R / 8.
radii = {"l1": [0.25, 0.5, 0.75], "l2": [0.1, 0.25, 0.5]}
for norm, some in radii.items():
    print(f"\n{norm} radius" + "".join(f"{radius:8.2f}" for radius in some))
    for noise, certificate in certificates.items():
        scores = certified_accuracy_score(y_test, certificate, radius=some, norm=norm)
        print(f"{noise:>9}" + "".join(f"{score:8.1%}" for score in scores))

# %%
# In l1 the other kinds of noise certify more than Gaussian noise. Split noise is far
# ahead, and ends at half a cell. Of the kinds that are drawn, uniform noise is ahead at
# small radii, and ends at half its width, where Laplace noise still certifies some
# images. In l2 only Gaussian noise certifies much at all.
fig, axes = plt.subplots(1, 2, figsize=(9, 4.5), sharey=True, layout="constrained")
for ax, norm in zip(axes, radii, strict=True):
    CertifiedAccuracyDisplay.from_certificate(certificates, y_test, norm=norm, ax=ax)
    ax.legend(loc="upper right", fontsize="small")
    ax.set(ylim=(0, 1.4), yticks=np.arange(6) / 5)
plt.show()

# %%
# *Certified accuracy of a forest under four kinds of noise, on the left in l1 and on
# the right in l2. Choose the noise by the norm in which the adversary is limited.*
