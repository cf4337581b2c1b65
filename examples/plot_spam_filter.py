"""
A spam filter, and fields that a spammer cannot touch
=====================================================

Tables have columns in different units, and an adversary can seldom change all
of them. Sigma takes care of both: one value per column, and 0 for columns that cannot
be touched. This example certifies a filter trained on Spambase: 57 frequencies
of words and characters.
"""

# %%
# Units
# -----
# Frequencies, in per cent, are very skewed, so the filter reads log(1 +
# frequency). An l2 ball needs a common unit as well: here the standard
# deviation of each column. That is a statement about the adversary: a change of
# one standard deviation costs the same in every column.
import matplotlib.pyplot as plt
import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sksmooth import (
    CertifiedAccuracyDisplay,
    SmoothedClassifier,
    certified_accuracy_score,
)
from sksmooth.datasets import fetch_spambase

spam = fetch_spambase()
X_train, X_test, y_train, y_test = train_test_split(
    np.log1p(spam.data), spam.target, test_size=0.25, random_state=0
)
deviation = X_train.std(axis=0)

# %%
# Words that an outsider does not know
# ------------------------------------
# The good mail belongs to George at HP Labs, in area code 650, and such words
# mark it. A spammer who knew them could write them, too. If we may assume that
# spammers do not know them, they leave these columns alone: their sigma is 0.
private = "hp hpl george 650 lab labs telnet 857 415 85".split()
is_private = np.isin(spam.feature_names, [f"word_freq_{word}" for word in private])
adversaries = {
    "may change all columns": deviation,
    "does not know private words": np.where(is_private, 0, deviation),
}

# %%
# Certify
# -------
# A two-class linear filter needs no votes. With an array as sigma, radii are in
# units of sigma: of standard deviations.
f = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1_000))
caught = y_test == 1
certificates = {}
radii = [0, 0.5, 1, 2]
print(
    f"{caught.sum()} spam mails, {(~caught).sum()} others; certified accuracy at radius"
)
print(" " * 39 + "".join(f"{radius:8.1f}" for radius in radii))
for name, sigma in adversaries.items():
    g = SmoothedClassifier(f, sigma=sigma, method="exact", n_copies=5, random_state=0)
    g.fit(X_train, y_train)
    certificates[name] = g.certify(X_test[caught])
    for kind, rows in {"spam": caught, "others": ~caught}.items():
        scores = certified_accuracy_score(
            y_test[rows], g.certify(X_test[rows]), radius=radii
        )
        print(f"{name:>30}, {kind:<6} " + "".join(f"{score:8.1%}" for score in scores))

# %%
# What a radius means
# -------------------
# ``half_axes`` has the radius in the units of each column, if nothing else
# changes. Converted back to per cent of all words (or letters, for runs of
# capitals), here is the spam mail with the median radius: its three largest
# columns, a word that marks good mail, and a private word.
certificate = certificates["does not know private words"]
middle = np.argsort(certificate.radius)[len(certificate.radius) // 2]
mail, room = X_test[caught][middle], certificate.half_axes[middle]
shown = np.argsort(mail / deviation)[-3:].tolist()
shown += [spam.feature_names.index(f"word_freq_{word}") for word in ("edu", "george")]

print(f"\nA spam mail certified within {certificate.radius[middle]:.2f} deviations")
print("                            now    caught from       to")
for column in shown:
    now, step = mail[column], room[column]
    low, high = np.expm1([max(now - step, 0), now + step])
    name = spam.feature_names[column]
    print(f"{name:>22} {np.expm1(now):8.2f}   {low:12.2f} {high:8.2f}")

# %%
# Plot
# ----
display = CertifiedAccuracyDisplay.from_certificate(
    certificates, y_test[caught], unit="standard deviations"
)
display.ax_.set(
    ylabel="Spam that is certain to stay caught",
    title="Spambase: what the spammer cannot touch helps",
)
plt.show()

# %%
# Words that the spammer does not know cannot be used against the filter: at a radius
# of two standard deviations, ten points more of the spam is certain to be
# caught. The guarantee is as good as the assumption. It says nothing about a
# spammer who does write "george".
