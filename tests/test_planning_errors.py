"""What is wrong is said before it is used, also where nothing is fitted yet."""

import numpy as np
import pytest
from sklearn.datasets import load_iris
from sklearn.naive_bayes import GaussianNB

from sksmooth import SmoothedClassifier, certified_accuracy_scorer

X, y = load_iris(return_X_y=True)


@pytest.mark.parametrize("sigma", [0, -1, np.nan, np.inf])
def test_sigma(sigma):
    g = SmoothedClassifier(GaussianNB(), sigma=sigma)
    for plan in (g.max_certifiable_radius, lambda: g.required_samples(0.1)):
        with pytest.raises(ValueError, match="sigma must be positive and finite, got"):
            plan()


@pytest.mark.parametrize("bound", ["Cohen", None, "exact"])
@pytest.mark.parametrize("method", ["monte_carlo", "exact"])
def test_bound(bound, method):
    g = SmoothedClassifier(GaussianNB(), n=300, random_state=0).fit(X, y)
    g.set_params(bound=bound, method=method)
    for ask in (
        lambda: g.certify(X[:2]),
        lambda: g.certified_correct(X[:2], y[:2], 0.1),
        lambda: certified_accuracy_scorer(0.1)(g, X[:2], y[:2]),
    ):
        with pytest.raises(ValueError, match="'bound' parameter of SmoothedClassifier"):
            ask()
    if method == "monte_carlo":
        for plan in (g.max_certifiable_radius, lambda: g.required_samples(0.1)):
            with pytest.raises(ValueError, match="bound must be one of"):
                plan()
