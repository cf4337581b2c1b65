"""
Sparse flags: calls that malware may add to look harmless
=========================================================

A program is described by which of 10,000 functions it calls: flags, nearly all of them
zero. To get past a detector, malware can call more functions; it cannot do without
those that it needs. So the noise drops most of the ones and adds a few, and
certificates count added and deleted flags. The programs are made up, so we know what
they depend on.
"""

# %%
# Made-up programs
# ----------------
# There are 20 families of programs, 8 of them malware. A family has 60 typical
# functions, of which a program calls a quarter; and every program calls some others.
# The matrix is sparse, and stays so: no noisy copy is ever dense.
import matplotlib.pyplot as plt
import numpy as np
from scipy.sparse import csr_matrix
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split

from sksmooth import SmoothedClassifier, certified_accuracy_score
from sksmooth.noise import SparseFlip

rng = np.random.default_rng(0)
n_programs, n_functions, n_families, n_typical = 2_000, 10_000, 20, 60
typical = np.array(
    [rng.choice(n_functions, n_typical, replace=False) for _ in range(n_families)]
)
family = rng.integers(n_families, size=n_programs)
calls = [
    np.union1d(
        typical[one][rng.random(n_typical) < 1 / 4],
        rng.choice(n_functions, rng.poisson(30)),
    )
    for one in family
]
starts = np.append(0, np.cumsum([len(one) for one in calls]))
X = csr_matrix(
    (np.ones(starts[-1]), np.concatenate(calls), starts), (n_programs, n_functions)
)
y = np.where(family < 8, "malware", "harmless")
X_train, X_test, y_train, y_test = train_test_split(
    X, y, test_size=200, stratify=y, random_state=0
)
print(f"{X.shape[1]:,} flags, of which a program has {starts[-1] / n_programs:.0f}")

# %%
# How much to drop
# ----------------
# Dropping more ones certifies more additions, as long as the rest still shows what a
# program is: an added call matters only if it is not dropped.
f = LogisticRegression(C=10)
malware = y_test == "malware"
certificates = {}
for p_del in (0.6, 0.8, 0.9):
    noise = SparseFlip(p_add=0.001, p_del=p_del)
    g = SmoothedClassifier(f, noise=noise, n=1_000, n_copies=5, random_state=0)
    certificates[p_del] = g.fit(X_train, y_train).certify(X_test[malware])
    alarms = np.mean(g.predict(X_test[~malware]) == "malware")
    caught = np.mean(certificates[p_del].prediction == "malware")
    print(f"p_del {p_del}: {caught:.0%} of malware caught, {alarms:.0%} false alarms")

# %%
# What is certain to be caught
# ----------------------------
# ``changes`` are pairs here: at most so many additions, and at most so many deletions.
ways = {
    "functions added": [(k, 0) for k in range(7)],
    "functions dropped": [(0, k) for k in range(0, 13, 2)],
}
scores = {
    (p_del, way): [
        certified_accuracy_score(y_test[malware], certificate, changes=one)
        for one in changes
    ]
    for p_del, certificate in certificates.items()
    for way, changes in ways.items()
}
print(
    f"\n{malware.sum()} programs that are malware: share that is certain to be caught"
)
for way, changes in ways.items():
    print(f"{way:<18}" + "".join(f"{max(one):8}" for one in changes))
    for p_del in certificates:
        some = "".join(f"{score:8.0%}" for score in scores[p_del, way])
        print(f"        p_del {p_del} {some}")

# %%
# Plot
# ----
fig, axes = plt.subplots(1, 2, figsize=(9, 4), sharey=True, layout="constrained")
for ax, way in zip(axes, ways, strict=True):
    for p_del in certificates:
        most = [max(one) for one in ways[way]]
        ax.plot(most, scores[p_del, way], marker="o", label=f"p_del = {p_del}")
    ax.set(xlabel=f"{way}, at most".capitalize(), ylim=(0, 1.05))
axes[0].set_ylabel("Malware that is certain to be caught")
axes[1].legend()
plt.show()

# %%
# The best noise depends on how many functions may be added: dropping nine of ten
# ones is the only way to certify three, and misses every fifth program that nobody
# changed. Votes set a limit as well: 1,000 of them prove a probability of at most .993,
# which is enough for 1, 3 and 6 additions.
