"""
One image, its votes, its certificate
=====================================

What does a certificate rest on? On the votes of the base classifier on noisy
copies of one input, as figures 1 and 2 of Cohen, Rosenfeld and Kolter (2019)
show. Here is a digit that is certified, and one on which the vote is too close
to call.
"""

# %%
# Find a clear case and a close one
# ---------------------------------
# Images have 8 x 8 pixels from 0 to 1.
import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sksmooth import NoisyInputsDisplay, SmoothedClassifier, VotesDisplay

X, y = load_digits(return_X_y=True)
X_train, X_test, y_train, y_test = train_test_split(
    X / 16, y, test_size=0.25, stratify=y, random_state=0
)
f = make_pipeline(StandardScaler(), LogisticRegression(C=0.01, max_iter=1_000))
g = SmoothedClassifier(f, sigma=0.35, n=10_000, n_copies=8, random_state=0)
certificate = g.fit(X_train, y_train).certify(X_test)
print(certificate)

by_radius = np.argsort(certificate.radius, kind="stable")
clear = by_radius[len(by_radius) // 2]
close = np.flatnonzero(~certificate.certified)[0]
print(certificate.to_frame().loc[[clear, close]].to_string())

multiclass = certificate.recertify(bound="multiclass")
print(
    f"bound='multiclass' certifies the close one within {multiclass.radius[close]:.3f}"
)

# %%
# Plot
# ----
# Left, the image, and a noisy copy such as f votes on. Right, all votes.
fig = plt.figure(figsize=(11, 7), layout="constrained")
for part, index in zip(fig.subfigures(2, 1), (clear, close), strict=True):
    pictures, votes = part.subplots(1, 2, width_ratios=[1, 1.2])
    NoisyInputsDisplay.from_image(
        X_test[index],
        sigma=[0, g.sigma],
        shape=(8, 8),
        random_state=0,
        ax=pictures,
    )
    VotesDisplay.from_certificate(
        certificate, index=index, unit="units of a pixel, 0 to 1", ax=votes
    )
plt.show()

# %%
# The certificate of the upper image rests only on the gap between the
# two bounds. For the lower image a class leads, but with less than half of the
# votes, and the paper's bound gives all the rest to a single other class. The
# bound "multiclass" also looks at the runner-up, and certifies a small radius.
# Decide which bound to use before you look.
