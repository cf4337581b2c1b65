"""Exact probabilities of trees and stumps under Laplace and uniform noise."""

import numpy as np
import pytest
from sklearn.ensemble import AdaBoostClassifier, GradientBoostingClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier

from sksmooth import SmoothedClassifier

NAMES = ["laplace", "uniform"]
SIGMA = 0.4


def data(n=300, seed=0):
    X = np.random.default_rng(seed).uniform(-1, 1, (n, 2))
    return X, ((X[:, 0] > 0.2) ^ (X[:, 1] > X[:, 0])).astype(int)


MODELS = {
    "tree": DecisionTreeClassifier(max_depth=5, random_state=0),
    "scaled tree": make_pipeline(
        StandardScaler(), DecisionTreeClassifier(max_depth=4, random_state=0)
    ),
    "cells": AdaBoostClassifier(n_estimators=15, random_state=0),
    "stumps": GradientBoostingClassifier(n_estimators=60, max_depth=1, random_state=0),
}


def exact(noise, model, **params):
    f = MODELS[model].fit(*data())
    return SmoothedClassifier(f, noise=noise, sigma=SIGMA, method="exact", **params)


@pytest.mark.parametrize("noise", NAMES)
@pytest.mark.parametrize("model", MODELS)
def test_they_are_the_shares_of_votes(noise, model):
    """A correct program fails with probability 2e-7, were seeds not fixed."""
    g, (X, _) = exact(noise, model, n=40_000, random_state=0), data(20, seed=1)
    p = g.predict_proba(X)
    assert np.sum((p > 0.02) & (p < 0.98)) > 10
    votes = g.set_params(method="monte_carlo", stopping="fixed").predict_proba(X)
    assert np.all(np.abs(votes - p) <= 5.6 * np.sqrt(p * (1 - p) / 40_000) + 1e-12)


@pytest.mark.parametrize("noise", NAMES)
@pytest.mark.parametrize("model", MODELS)
def test_no_point_of_a_certified_ball_has_another_class(noise, model):
    g, (X, _) = exact(noise, model), data(40, seed=1)
    certificate = g.certify(X)
    rng = np.random.default_rng(2)
    delta = rng.laplace(size=(40, 60, 2))
    delta[:, :4] = [[1, 0], [-1, 0], [0, 1], [0, -1]]
    delta /= np.abs(delta).sum(axis=2, keepdims=True)
    delta *= certificate.radius[:, None, None] * (1 - 1e-9)
    there = g.predict_proba((X[:, None] + delta).reshape(-1, 2)).reshape(40, 60, 2)
    own = np.take_along_axis(there, certificate.selected[:, None, None], axis=2)
    assert np.all(own[certificate.certified] >= 0.5)
    assert certificate.certified.sum() > 30
    assert certificate.radius.max() > 0.1
    # Under uniform noise in linf, too.
    radius = certificate.radius_for("linf")
    corners = np.array([[1, 1], [1, -1], [-1, 1], [-1, -1]]) * (1 - 1e-9)
    delta = corners * radius[:, None, None]
    there = g.predict_proba((X[:, None] + delta).reshape(-1, 2)).reshape(40, 4, 2)
    own = np.take_along_axis(there, certificate.selected[:, None, None], axis=2)
    assert np.all(own[certificate.certified] >= 0.5)


def test_a_stump_is_certified_to_its_edge():
    """On one feature the bound is sharp: the radius is the distance."""
    f = DecisionTreeClassifier(max_depth=1).fit([[0.0], [1.0]], [0, 1])
    x = np.array([[-0.1], [0.1], [0.49], [0.51], [0.8], [3.0]])
    # A tree sees float32: it switches half way to the next one.
    edge = 0.25 + float(np.nextafter(np.float32(0.5), np.float32(1))) / 2
    distance = np.abs(x[:, 0] - edge)
    g = SmoothedClassifier(f, noise="laplace", sigma=SIGMA, method="exact")
    radius = g.certify(x).radius
    assert np.all(radius <= distance)
    np.testing.assert_allclose(radius, distance, rtol=1e-9)
    assert g.max_certifiable_radius(norm="l1") == np.inf
    g = SmoothedClassifier(f, noise="uniform", sigma=SIGMA, method="exact")
    width = SIGMA * 3**0.5
    radius = g.certify(x).radius
    np.testing.assert_allclose(radius, np.minimum(distance, width), rtol=1e-6)
    assert g.max_certifiable_radius(norm="l1") == pytest.approx(width)
    assert g.required_samples(width * 0.99, norm="l1") == 0
    with pytest.raises(ValueError, match="choose a larger sigma"):
        g.required_samples(width * 1.01, norm="l1")
