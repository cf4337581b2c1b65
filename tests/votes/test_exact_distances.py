"""Two-class linear classifiers under Laplace and uniform noise: g = f."""

from fractions import Fraction

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sksmooth import SmoothedClassifier, certified_accuracy_scorer
from sksmooth.noise import Noise, find_noise

from ..helpers import halfspace

NAMES = ["laplace", "uniform"]
X = np.random.default_rng(0).normal(size=(60, 3))
Y = (X @ [2.0, -1.0, 0.5] > 0.2).astype(int)


def exact(f, **settings):
    return SmoothedClassifier(f, method="exact", **{"sigma": 0.3, **settings})


@pytest.mark.parametrize("noise", NAMES)
def test_the_radius_is_the_distance(noise):
    w, b = [2.0, -3.0, 0.5], -0.25
    g = exact(halfspace(w, b), noise=noise)
    prediction, radius = certificate = g.certify(X)
    np.testing.assert_array_equal(prediction, halfspace(w, b).predict(X))
    np.testing.assert_array_equal(g.predict(X), prediction)
    assert certificate.norm == "l1" and certificate.bound == "exact"
    for x, found in zip(X, radius, strict=True):
        margin = sum(Fraction(a) * Fraction(c) for a, c in zip(x, w, strict=True))
        distance = abs(margin + Fraction(b)) / 3
        assert Fraction(found) <= distance
        assert found > float(distance) * (1 - 1e-12)


@pytest.mark.parametrize("noise", NAMES)
def test_votes_agree_and_certify_no_more(noise):
    f = make_pipeline(StandardScaler(), LogisticRegression()).fit(X * [1, 9, 1], Y)
    g = exact(f, noise=noise, n=20_000, random_state=0)
    one = g.certify(X * [1, 9, 1])
    votes = g.set_params(method="monte_carlo").certify(X * [1, 9, 1])
    some = votes.certified
    np.testing.assert_array_equal(votes.selected[some], one.selected[some])
    assert np.all(votes.radius[some] <= one.radius[some])
    assert some.mean() > 0.8


@pytest.mark.parametrize("noise", NAMES)
def test_just_beyond_the_radius_is_another_class(noise):
    sigma = np.array([0.5, 0.0, 2.0])
    f = LogisticRegression().fit(X, Y)
    certificate = exact(f, noise=noise, sigma=sigma).certify(X)
    w = f.coef_[0]
    axis = np.argmax(np.abs(w) * sigma)
    step = -np.sign(f.decision_function(X)) * np.sign(w[axis]) * sigma[axis]
    for factor, changed in ((1 - 1e-9, False), (1 + 1e-9, True)):
        there = X.copy()
        there[:, axis] += step * certificate.radius * factor
        assert np.all((f.predict(there) != certificate.prediction) == changed)


def test_ties_and_what_noise_does_not_reach():
    g = exact(halfspace([1.0, 0.0]), noise="laplace", sigma=[0.0, 1.0])
    prediction, radius = g.certify([[0.0, 3.0], [0.5, 3.0], [-0.5, 3.0]])
    assert prediction.tolist() == [-1, 1, 0]
    assert radius.tolist() == [0, np.inf, np.inf]


def test_what_is_not_known():
    g = exact(halfspace([1.0, 1.0]), noise="uniform")
    with pytest.raises(ValueError, match="not known exactly under 'uniform'"):
        g.predict_proba(X[:, :2])
    assert g.max_certifiable_radius(norm="l1") == np.inf
    labels = (X[:, :2].sum(axis=1) > 0).astype(int)
    assert certified_accuracy_scorer(5.0, norm="l1")(g, X[:, :2], labels) == 0


@pytest.mark.parametrize("noise", NAMES)
def test_other_norms_are_those_of_a_distance(noise):
    """A distance is no statement about how much of the noise leaves its support."""
    d = 20
    g = exact(halfspace(np.ones(d)), noise=noise, sigma=0.5)
    x, y = np.full((1, d), 0.1), [1]
    certificate = g.certify(x)
    assert certificate.radius_for("linf")[0] == pytest.approx(0.1)
    assert certificate.radius_for("l2")[0] == pytest.approx(0.1 * np.sqrt(d))
    correct = g.certified_correct(x, y, [0.099, 0.101], norm="linf")
    assert correct.tolist() == [[True, False]]
    assert np.isinf(g.max_certifiable_radius(norm="linf"))


def test_noise_that_does_not_say_that_it_keeps_halfspaces():
    class BoundOther(type(find_noise("laplace").bind(1.0))):
        norm, keeps_halfspaces = "l2", False

    class Other(Noise):
        bound = BoundOther

    with pytest.raises(ValueError, match="cannot compute the class probabilities"):
        exact(halfspace([1.0, 1.0]), noise=Other()).certify(X[:, :2])


def test_planning_before_fit():
    g = exact(LogisticRegression(), noise="uniform")
    assert 0 < g.max_certifiable_radius(norm="l1") < np.inf
