"""
Text: how many words may change
===============================

With :class:`~sksmooth.noise.DeleteTokens` inputs are texts, and the noise deletes most
of their words. The radius is a number of edits: words that are inserted, deleted
or replaced, anywhere in the text. Every machine that has this package also has the
texts of this example: the docstrings of NumPy and of scikit-learn.
"""

# %%
# Whose documentation is it?
# --------------------------
# Each text is a docstring up to its examples, which would name the package.
import inspect
from importlib import import_module

import matplotlib.pyplot as plt
import numpy as np
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline

from sksmooth import SmoothedClassifier, certified_accuracy_score
from sksmooth.noise import DeleteTokens

MODULES = {
    "numpy": ["numpy", "numpy.linalg", "numpy.fft", "numpy.polynomial", "numpy.ma"],
    "scikit-learn": [
        f"sklearn.{name}"
        for name in (
            *("cluster", "decomposition", "ensemble", "linear_model", "metrics"),
            *("model_selection", "preprocessing", "svm", "tree", "feature_selection"),
        )
    ],
}
texts, packages = [], []
for package, modules in MODULES.items():
    found = set()
    for module in map(import_module, modules):
        for name in dir(module):
            text = inspect.getdoc(getattr(module, name)) or ""
            words = text.partition("Examples\n---")[0].split()
            if not name.startswith("_") and len(words) >= 60:
                found.add(" ".join(words))
    texts += sorted(found)
    packages += [package] * len(found)
X_train, X_test, y_train, y_test = train_test_split(
    texts, packages, test_size=60, stratify=packages, random_state=0
)
length = np.median([len(text.split()) for text in X_test])
print(f"{len(texts)} texts, half of them of {length:.0f} words or more")

# %%
# Delete, and count
# -----------------
# The vectorizer is part of the classifier that is smoothed. ``fit`` trains it on
# copies with words deleted, and the radius is a number of words.
f = make_pipeline(TfidfVectorizer(), LogisticRegression(C=10))
certificates = {}
for p_del in (0.8, 0.9, 0.95):
    noise = DeleteTokens(p_del)
    g = SmoothedClassifier(f, noise=noise, n=500, n_copies=3, random_state=0)
    certificates[p_del] = g.fit(X_train, y_train).certify(X_test)
clean = f.fit(X_train, y_train).score(X_test, y_test)
print(f"without noise {clean:.0%} of {len(X_test)} texts are told right")

# %%
# Certified accuracy
# ------------------
# The norm has to be named, as always when it is not l2.
edits = np.arange(9)
print("share that is right, whatever so many edits are:")
print("p_del" + "".join(f"{n:6}" for n in edits))
scores = {}
for p_del, certificate in certificates.items():
    scores[p_del] = [
        certified_accuracy_score(y_test, certificate, radius=n, norm="edits")
        for n in edits
    ]
    print(f"{p_del:5}" + "".join(f"{score:6.0%}" for score in scores[p_del]))

# %%
# Plot
# ----
fig, ax = plt.subplots(figsize=(6, 4), layout="constrained")
for p_del, score in scores.items():
    ax.step(edits, score, where="post", marker="o", label=f"p_del = {p_del}")
ax.axhline(clean, color="0.6", linestyle=":", label="without noise, at 0 edits")
ax.set(xlabel="Words that may change, at most", ylabel="Certified accuracy")
ax.set_ylim(0, 1.05)
ax.legend()
plt.show()

# %%
# Each curve ends where the probability that all changed words are deleted, p_del to the
# power of the edits, falls below one half. More deletion certifies more edits, if the
# words that are left still tell what the text is about. One character can change two
# words: a space put into a word splits it in two, a replacement and an insertion.
