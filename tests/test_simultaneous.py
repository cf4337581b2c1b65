"""Certificate.simultaneous: which inputs are certified, all together."""

from dataclasses import replace
from itertools import product

import numpy as np
import pytest
from scipy.stats import binom, norm
from sklearn.datasets import load_breast_cancer, load_iris
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import GaussianNB
from statsmodels.stats.multitest import multipletests

from sksmooth import SmoothedClassifier
from sksmooth._claims import _p_values
from sksmooth.stats import split_alpha
from tests.helpers import Fixed

X, y = load_iris(return_X_y=True)


def smoothed(estimator=None, **params):
    settings = {
        "method": "monte_carlo",
        "n": 500,
        "sigma": 0.5,
        "random_state": 0,
        **params,
    }
    return SmoothedClassifier(estimator or GaussianNB(), **settings)


@pytest.fixture(scope="module")
def certificate():
    return smoothed().fit(X, y).certify(X)


def test_against_statsmodels(certificate):
    for radius in (0.0, 0.3, 0.6):
        votes = certificate.counts[np.arange(150), certificate.selected]
        p = binom.sf(votes - 1, 500, norm.cdf(radius / 0.5))
        p = np.where(certificate.certified, p, 1)[certificate.distinct]
        expected = multipletests(p, alpha=0.01, method="holm")[0]
        found = certificate.simultaneous(radius, 0.01)
        np.testing.assert_array_equal(found[certificate.distinct], expected)
        assert 0 < expected.sum() < len(expected)


KINDS = [
    {},
    {"bound": "joint"},
    {"bound": "multiclass"},
    {"noise": "laplace"},
    {"noise": "uniform"},
    {"grid": 2.0**-6},
    {"sigma": [0.5, 0.3, 0.2, 0.4]},
    {"shared_noise": True},
]


@pytest.mark.parametrize("params", KINDS, ids=str)
def test_one_input_is_certified_as_it_is_alone(params):
    found = smoothed(**params).fit(X, y).certify(X[::12])
    own, rows = found.norm, range(len(found.radius))
    for radius in np.quantile(found.radius[found.radius > 0], [0.3, 0.8]):
        # Not at the edge of a ball, where both roundings may differ.
        radius *= 1 - 1e-9
        alone = [found.select(i).simultaneous(radius, 0.001, norm=own)[0] for i in rows]
        expected = found.radius >= radius
        if params.get("bound") == "joint":  # without looking at k0: a little sharper
            assert np.all(np.array(alone) >= expected)
        else:
            np.testing.assert_array_equal(alone, expected)
        together = found.simultaneous(radius, 0.001, norm=own)
        assert np.all(together <= alone)
        strict = found.recertify(alpha=0.001 / len(found.radius))
        assert np.all(together >= (strict.radius >= radius))  # Bonferroni


def test_looks_share_the_level():
    found = smoothed(n=2_000).fit(X, y).certify(X, radius_tol=0.05)
    assert len(np.unique(found.n_used)) > 1
    shares = split_alpha(0.01, len(found.looks)) / 0.01
    shares = shares[np.searchsorted(found.looks, found.n_used)]
    votes = found.counts[np.arange(150), found.selected]
    p = np.minimum(binom.sf(votes - 1, found.n_used, norm.cdf(0.4 / 0.5)) / shares, 1)
    p_values = _p_values(found, 0.4, 0.01, found.noise.bind(found.sigma))
    assert np.all(p_values >= p * (1 - 1e-14))
    np.testing.assert_allclose(p_values, p, rtol=1e-10)
    p = np.where(found.certified, p, 1)[found.distinct]
    expected = multipletests(p, alpha=0.01, method="holm")[0]
    np.testing.assert_array_equal(
        found.simultaneous(0.4, 0.01)[found.distinct], expected
    )


def test_other_norms_and_sigmas(certificate):
    # A ball of linf radius r lies in one of l2 radius 2 r, in four dimensions.
    np.testing.assert_array_equal(
        certificate.simultaneous(0.15, 0.01, norm="linf"),
        certificate.simultaneous(0.3, 0.01),
    )
    with pytest.raises(ValueError, match="n_noisy"):
        replace(certificate, n_noisy=None).simultaneous(0.1, 0.01, norm="linf")


def test_changes_of_categories():
    table = np.random.default_rng(0).integers(0, 3, (60, 3)).astype(float)
    labels = (table[:, 0] > 0).astype(int)
    g = smoothed(Fixed(lambda Z: (Z[:, 0] > 0) * 1), n_copies=0, n=2_000)
    g.set_params(sigma=0.5, categorical_features=[1, 2], flip=0.3)
    found = g.fit(table, labels).certify(table)
    for changes, radius in product((0, 1), (0.0, 0.05)):
        radii = found.radius_for(changes=changes)
        expected = found.certified_for(changes) & (radii >= radius)
        rows = range(len(table))
        alone = [
            found.select(i).simultaneous(radius, 0.001, changes=changes)[0]
            for i in rows
        ]
        np.testing.assert_array_equal(alone, expected)


def test_equal_inputs_are_one_claim(certificate):
    g = smoothed().fit(X, y)
    many = g.certify(np.tile(X, (5, 1)))
    np.testing.assert_array_equal(
        many.simultaneous(0.3, 0.01), np.tile(certificate.simultaneous(0.3, 0.01), 5)
    )


def test_exact_certificates_are_certain():
    X, y = load_breast_cancer(return_X_y=True)
    X = X[:, :5] / X[:, :5].std(axis=0)
    g = smoothed(LogisticRegression(), method="exact").fit(X, y)
    found = g.certify(X)
    np.testing.assert_array_equal(
        found.simultaneous(0.5, 1e-9), found.certified & (found.radius >= 0.5)
    )


def test_abstentions_are_no_claims(certificate):
    strict = certificate.recertify(alpha=1e-12)
    claimed = strict.simultaneous(0.0, 0.5)
    assert np.all(claimed <= strict.certified)
    assert claimed.sum() < certificate.simultaneous(0.0, 0.5).sum()


def test_what_it_refuses(certificate):
    with pytest.raises(ValueError, match="projection"):
        certificate.recertify(n=1000).simultaneous(0.1, 0.01)
    for radius, alpha in ((-1, 0.1), ([0.1, 0.2], 0.1), (0.1, 0), (0.1, [0.1, 0.2])):
        with pytest.raises(ValueError, match="radius|alpha"):
            certificate.simultaneous(radius, alpha)


@pytest.mark.parametrize("shared", [False, True])
@pytest.mark.parametrize("bound", ["cohen", "joint"])
def test_any_false_claim_over_all_votes(certificate, bound, shared):
    # Two inputs of two classes at the boundary of radius .3: one claim is wrong.
    n, alpha, m = 12, 0.3, 2
    q = norm.cdf(0.3 / 0.5) * (1 - 1e-12)
    few = replace(
        certificate.select(range(m)),
        bound=bound,
        classes=np.arange(2),
        counts=np.zeros((m, 2), int),
        selection_counts=None,
    )
    few = replace(few, n=n, looks=np.array([n]), n_used=np.full(m, n))
    few = replace(few, first_equal=np.arange(m), shared_noise=shared)
    total = 0.0
    vectors = (
        [(k,) * m for k in range(n + 1)] if shared else product(range(n + 1), repeat=m)
    )
    for votes in vectors:
        counts = np.stack([votes, n - np.array(votes)], axis=1)
        selection = None if bound == "joint" else np.tile([1, 0], (m, 1))
        selected = counts.argmax(axis=1) if bound == "joint" else np.zeros(m, int)
        found = replace(
            few,
            counts=counts,
            selection_counts=selection,
            selected=selected,
            certified=np.ones(m, bool),
        )
        if found.simultaneous(0.3, alpha).any():
            chance = binom.pmf(votes, n, q)
            total += chance[0] if shared else np.prod(chance)
    assert 0.02 < total <= alpha
