"""Thresholds are tuned inside, not outside."""

import numpy as np
import pytest
from sklearn.datasets import load_breast_cancer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import (
    FixedThresholdClassifier,
    TunedThresholdClassifierCV,
    cross_val_score,
)
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sksmooth import (
    SmoothedClassifier,
    certified_accuracy_score,
    certified_accuracy_scorer,
    certified_accuracy_scorers,
)

X, y = load_breast_cancer(return_X_y=True)
X = StandardScaler().fit_transform(X)[:, :5]


@pytest.mark.parametrize(
    "scorer", [certified_accuracy_scorer(0.1), certified_accuracy_scorers([0, 0.1])]
)
@pytest.mark.parametrize("smoothed", [True, False])
def test_certified_accuracy_is_no_function_of_labels(scorer, smoothed):
    f = LogisticRegression()
    g = SmoothedClassifier(f, n=50, random_state=0) if smoothed else f
    tuned = TunedThresholdClassifierCV(g, scoring=scorer, cv=2)
    with pytest.raises(TypeError, match=r"SmoothedClassifier\(TunedThresholdClassif"):
        tuned.fit(X, y)


def test_what_the_error_recommends():
    inside = TunedThresholdClassifierCV(
        make_pipeline(StandardScaler(), LogisticRegression()),
        scoring="balanced_accuracy",
        cv=2,
    )
    g = SmoothedClassifier(inside, n=200, random_state=0)
    scores = cross_val_score(g, X, y, scoring=certified_accuracy_scorer(0.1), cv=2)
    assert np.all(scores > 0.7)


def test_a_fixed_threshold_around_g_certifies_nothing():
    g = SmoothedClassifier(LogisticRegression(), n=200, random_state=0)
    around = FixedThresholdClassifier(g, threshold=0.3).fit(X, y)
    assert around.score(X, y) > 0.8
    with pytest.raises(TypeError, match="needs an estimator with `certify`"):
        certified_accuracy_scorer(0.1)(around, X, y)


def test_labels_for_a_certificate():
    with pytest.raises(ValueError, match=r"or a pair \(prediction, radius\)"):
        certified_accuracy_score(y, y, radius=0.1)
