"""Where two scores tie for every noise, votes go where `predict` says.

Two classes whose weights differ only where there is no noise, and where x is 0, tie in
every copy. Votes drawn in score space would then be decided by rounding.
"""

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression, RidgeClassifier
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sksmooth import SmoothedClassifier
from sksmooth.models._linear import linear_scores
from sksmooth.models._ties import linear_ties
from sksmooth.models._unwrap import unwrap
from sksmooth.votes._rows import Inputs
from sksmooth.votes.voters._linear import LinearVoter
from sksmooth.votes.voters._mlp import MLPVoter
from sksmooth.votes.voters._predict import AnyVoter
from tests.helpers import halfspace, make_voter


def linear(coef, intercept):
    coef = np.array(coef, float)
    f = LogisticRegression()
    f.coef_, f.intercept_ = coef, np.array(intercept, float)
    f.classes_, f.n_features_in_ = np.arange(len(coef)), coef.shape[1]
    return f


def of_the_issue():
    f = linear([[-0.1, 0.1 / 3, 0], [0.1, 0.07, 0], [0.1, 0.07, 1]], [0, 1, 1])
    return f, np.array([[5.1, 3.3, 0.0]]), [0.25, 0.25, 0.0]


def random_twins(seed, n_classes=5, d=6):
    """Some classes that differ in the last feature only, which has no noise."""
    rng = np.random.default_rng(seed)
    coef = rng.normal(size=(n_classes, d))
    one, other = rng.permutation(n_classes)[:2]
    coef[other] = coef[one]
    coef[other, -1] += 1
    coef[[one, other]] += 0.3
    intercept = rng.normal(size=n_classes) / 10
    intercept[other] = intercept[one] = 5
    X = rng.normal(size=(20, d))
    X[:, -1] = 0
    return linear(coef, intercept), X, np.append(np.full(d - 1, 0.5), 0.0)


@pytest.mark.parametrize("shared_noise", [False, True])
@pytest.mark.parametrize("n", [1_000, 40_000])  # the second in compiled code
def test_twins(shared_noise, n):
    f, X, sigma = of_the_issue()
    g = SmoothedClassifier(
        f,
        method="monte_carlo",
        sigma=sigma,
        n=n,
        shared_noise=shared_noise,
        random_state=0,
    )
    assert g.certify(X).counts.tolist() == [[0, n, 0]]
    rng = np.random.default_rng(0)
    copies = X + rng.normal(size=(n, 3)) * sigma
    assert np.all(f.predict(copies) == 1)


@pytest.mark.parametrize("shared_noise", [False, True])
@pytest.mark.parametrize("seed", range(10))
def test_random_twins(seed, shared_noise):
    f, X, sigma = random_twins(seed)
    g = SmoothedClassifier(
        f,
        method="monte_carlo",
        sigma=sigma,
        n=200,
        shared_noise=shared_noise,
        random_state=0,
    )
    counts = g.certify(X).counts
    _, (one, other) = None, np.flatnonzero(f.intercept_ == 5)
    assert not np.any(counts[:, other])
    assert np.any(counts[:, one])


def test_twins_behind_a_scaler():
    """The feature is at its mean, so the scaler makes it 0: folded, it is not."""
    rng = np.random.default_rng(1)
    data = rng.normal(3, 1.7, size=(50, 6))
    scaler = StandardScaler().fit(data)
    f, _, sigma = random_twins(3)
    X = data[:20].copy()
    X[:, -1] = scaler.mean_[-1]
    f = make_pipeline(scaler, f)
    counts = (
        SmoothedClassifier(f, method="monte_carlo", sigma=sigma, n=200, random_state=0)
        .certify(X)
        .counts
    )
    higher = np.flatnonzero(f[-1].intercept_ == 5)[1]
    assert not np.any(counts[:, higher])


def test_two_classes_that_noise_does_not_reach():
    """A score that noise does not move is what `predict` says it is."""
    f = halfspace([0.1, 0.2, 0.0], -0.3 * 0.1 - 0.2 * 0.7)
    X = np.array([[0.3, 0.7, 5.0], [0.3, 0.7, -1.0]])
    g = SmoothedClassifier(
        f, method="monte_carlo", sigma=[0, 0, 1.0], n=100, random_state=0
    )
    counts = g.certify(X).counts
    assert counts.argmax(axis=1).tolist() == f.predict(X).tolist()


def test_a_row_of_its_own_makes_no_difference():
    """Which voter it is depends on the model and sigma, not on X."""
    f, X, sigma = random_twins(0)
    for rows in (X, np.ones_like(X)):
        inputs = Inputs.from_array(rows, sigma)
        assert type(make_voter(f, f.classes_, inputs)) is AnyVoter
    # With noise on all features these are two classes like any others.
    inputs = Inputs.from_array(X, 0.5)
    assert type(make_voter(f, f.classes_, inputs)) is LinearVoter


def test_other_models_keep_the_short_cut():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(300, 20))
    y = rng.integers(30, size=300)
    for f in (LogisticRegression(), RidgeClassifier()):
        for sigma in (0.5, np.linspace(0, 1, 20)):
            f.fit(X, y)
            assert not linear_ties(
                *linear_scores(unwrap(f)), np.broadcast_to(sigma, 20)
            )
    # Equal classes are one contender.
    f.coef_[4], f.intercept_[4] = f.coef_[2], f.intercept_[2]
    assert not linear_ties(*linear_scores(unwrap(f)), np.full(20, 0.5))
    # A thousand classes are told apart, and the twins among them found.
    weights, offset = rng.normal(size=(1000, 50)), np.zeros(1000)
    sigma = np.append(np.full(49, 0.1), 0.0)
    assert not linear_ties(weights, offset, sigma)
    weights[700, :-1] = weights[3, :-1] * (1 + 1e-15)
    assert linear_ties(weights, offset, sigma)


def mlp(weights, out, activation="identity"):
    rng = np.random.default_rng(0)
    d, n_hidden = weights.shape
    f = MLPClassifier(n_hidden, max_iter=1, activation=activation)
    with pytest.warns(UserWarning, match="Maximum iterations"):
        f.fit(rng.normal(size=(20, d)), np.arange(20) % 2)
    f.coefs_ = [weights, np.array(out, float).reshape(-1, 1)]
    f.intercepts_ = [np.zeros(n_hidden), np.zeros(1)]
    return f


@pytest.mark.parametrize("activation", ["identity", "tanh", "relu"])
def test_units_of_a_net_that_noise_moves_alike(activation):
    weights = np.random.default_rng(0).normal(size=(4, 2))
    weights[:, 1] = weights[:, 0]
    weights[3, 1] += 1
    f = mlp(weights, [1, -1], activation)  # the difference of both
    X = np.array([[0.3, -1.7, 0.9, 0.0], [1.3, 0.7, 2.9, 0.0]])
    sigma = np.array([0.5, 0.5, 0.5, 0.0])
    inputs = Inputs.from_array(X, sigma)
    assert type(make_voter(f, f.classes_, inputs)) is AnyVoter
    counts = (
        SmoothedClassifier(f, method="monte_carlo", sigma=sigma, n=300, random_state=0)
        .certify(X)
        .counts
    )
    assert counts.tolist() == [[300, 0], [300, 0]]
    # Units without weights, as training leaves behind, are no reason.
    weights = np.random.default_rng(0).normal(size=(4, 3))
    weights[:, 1:] = 0
    f = mlp(weights, [1, -1, 1], activation)
    assert type(make_voter(f, f.classes_, inputs)) is MLPVoter


def test_units_of_a_module_that_noise_moves_alike():
    torch = pytest.importorskip("torch")
    from sksmooth.torch import ModuleClassifier

    net = torch.nn.Sequential(torch.nn.Linear(4, 2, bias=False)).double()
    with torch.no_grad():
        net[0].weight[1] = net[0].weight[0]
        net[0].weight[1, 3] += 1
    f = ModuleClassifier(net)
    X = np.random.default_rng(0).normal(size=(10, 4))
    X[:, 3] = 0
    g = SmoothedClassifier(
        f, method="monte_carlo", sigma=[0.5, 0.5, 0.5, 0.0], n=300, random_state=0
    )
    assert np.all(g.certify(X).counts == [300, 0])
