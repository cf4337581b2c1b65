"""
Prediction needs few votes, and seldom abstains
===============================================

Certifying a radius takes many votes, naming the class only a few. ``predict``
names it or abstains, and is wrong about g(x) with probability at most alpha.
How often does it abstain? Cohen, Rosenfeld and Kolter (2019, section 4 and
appendix E) counted 12 %, 4 % and 1 % on ImageNet for 100, 1,000 and 10,000
votes. Here are handwritten digits.
"""

# %%
# Predict with more and more votes
# --------------------------------
# Each run is kept in the Cohen log format. The run with 100,000 votes
# stands in for g itself.
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sksmooth import SmoothedClassifier
from sksmooth.logs import prediction_table

X, y = load_digits(return_X_y=True)
X_train, X_test, y_train, y_test = train_test_split(
    X / 16, y, test_size=0.25, stratify=y, random_state=0
)
f = make_pipeline(StandardScaler(), LogisticRegression(C=0.01, max_iter=1_000))
trained = SmoothedClassifier(f, sigma=0.25, n_copies=8, random_state=0)
f = trained.fit(X_train, y_train).estimator_

logs = {}
for seed, n in enumerate([100, 1_000, 10_000, 100_000]):
    # The trained f, with other noise in every run.
    g = SmoothedClassifier(f, sigma=0.25, n=n, stopping="fixed", random_state=seed)
    logs[f"{n:,}"] = pd.DataFrame(
        {"idx": np.arange(len(y_test)), "label": y_test, "predict": g.predict(X_test)}
    )
table = prediction_table(logs, logs["100,000"]).drop(index="100,000")
print(table.map("{:.1%}".format).to_string())

# %%
# Accurate means that the answer is that of g, right or wrong. So alpha = 0.001
# bounds "inaccurate".
#
# Plot
# ----
colors = ["#0072B2", "#56B4E9", "#D55E00", "#E69F00", "0.8"]
fig, ax = plt.subplots(figsize=(8, 3), layout="constrained")
table.plot.barh(stacked=True, color=colors, width=0.7, ax=ax)
for place, share in enumerate(table["abstain"]):
    ax.text(1.01, place, f"{share:.1%} abstain", va="center")
ax.set(
    xlabel=f"Share of {len(y_test)} images",
    ylabel="Votes n",
    title="Digits, sigma = 0.25, alpha = 0.001",
    xlim=(0, 1.15),
)
ax.invert_yaxis()
ax.legend(loc="upper center", bbox_to_anchor=(0.45, -0.22), ncols=3, frameon=False)
plt.show()

# %%
# Abstentions become rare, as in the paper: ten times the votes leave about a
# fifth of them. Answers that differ from g, which alpha bounds, did not occur
# at all.
#
# ``stopping="fixed"`` is only for this comparison. By default ``predict`` takes at
# most n votes, and images with a clear vote are done after 25.
