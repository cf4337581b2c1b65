"""Votes drawn behind the first layer are the votes of predict, in distribution."""

import numpy as np
import pytest
from scipy import stats
from sklearn.datasets import load_iris
from sklearn.decomposition import PCA
from sklearn.frozen import FrozenEstimator
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import PolynomialFeatures, StandardScaler

from sksmooth.models._mlp import mlp_layers
from sksmooth.models._unwrap import unwrap
from sksmooth.votes._rows import Inputs
from sksmooth.votes.voters._mlp import MLPVoter
from sksmooth.votes.voters._predict import AnyVoter
from tests.helpers import count_votes, make_voter

X3, y3 = load_iris(return_X_y=True)
X2, y2 = X3[50:], y3[50:]
pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


def net(*hidden, **settings):
    settings = {"learning_rate_init": 0.05, "max_iter": 60, **settings}
    return MLPClassifier(hidden, random_state=0, **settings)


def count(f, inputs, n, monkeypatch, *, plain, **settings):
    """Votes, by predict if `plain`."""
    settings = {"entropy": 0, "purpose": "estimate", **settings}
    if plain:
        monkeypatch.setattr("sksmooth.votes._recognise.mlp_layers", lambda f: None)
    voter = make_voter(f, f.classes_, inputs)
    assert type(voter) is (AnyVoter if plain else MLPVoter)
    counts = count_votes(f, f.classes_, inputs, n, **settings).counts
    monkeypatch.undo()
    return counts


def p_value(a, b):
    """P-value of "two tables of counts, (n_inputs, n_classes), agree in law"."""
    statistic = degrees = 0
    for pair in zip(a, b, strict=True):
        table = np.array(pair)
        table = table[:, table.sum(axis=0) >= 10]
        if table.shape[1] > 1:
            result = stats.chi2_contingency(table, correction=False)
            statistic, degrees = statistic + result.statistic, degrees + result.dof
    assert degrees > 30, f"only {degrees} comparisons: too few to see a difference"
    return stats.chi2.sf(statistic, degrees)


NETS = [
    net(3),
    net(10),
    net(5, 4, activation="tanh"),
    net(6, activation="logistic"),
    net(2, activation="identity"),
    make_pipeline(StandardScaler(), net(8)),
    make_pipeline(StandardScaler(), PCA(2), net(8)),
    FrozenEstimator(make_pipeline(StandardScaler(), "passthrough", net(3))),
]


@pytest.mark.parametrize("data", [(X2, y2), (X3, y3)], ids=["2 classes", "3 classes"])
@pytest.mark.parametrize("f", NETS, ids=lambda f: str(f)[:50])
def test_votes_agree_in_law(f, data, monkeypatch):
    X, y = data
    (f.estimator if isinstance(f, FrozenEstimator) else f).fit(X, y)
    inputs = Inputs.from_array(X[::2], np.array([0.5, 0.8, 0.0, 1.0]))
    a = count(f, inputs, 2000, monkeypatch, plain=True)
    b = count(f, inputs, 2000, monkeypatch, plain=False, entropy=1)
    assert p_value(a, b) > 1e-3


def test_the_comparison_would_see_a_wrong_sigma(monkeypatch):
    f = net(10).fit(X3, y3)
    a = count(f, Inputs.from_array(X3, 0.5), 5000, monkeypatch, plain=True)
    b = count(f, Inputs.from_array(X3, 0.55), 5000, monkeypatch, plain=False)
    assert p_value(a, b) < 1e-6


def test_mean_and_covariance_of_what_the_net_is_fed():
    f = make_pipeline(StandardScaler(), net(3)).fit(X3, y3)
    sigma = np.array([0.5, 0.0, 0.2, 1.0])
    voter = make_voter(f, f.classes_, Inputs.from_array(X3, sigma))
    scaler, mlp = f[0], f[1]
    A = mlp.coefs_[0].T / scaler.scale_
    np.testing.assert_allclose(
        voter.factor.T @ voter.factor, (A * sigma**2) @ A.T, atol=1e-12
    )
    assert voter.factor.shape == (3, 3)
    voter.allocate(1)
    expected = scaler.transform(X3[7:8]) @ mlp.coefs_[0] + mlp.intercepts_[0]
    np.testing.assert_allclose(voter._clean(7), expected[0], atol=1e-12)


@pytest.mark.parametrize("shared_noise", [False, True])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_same_votes_however_they_are_drawn(shared_noise, dtype, monkeypatch):
    f = net(6).fit(X3.astype(dtype), y3)
    assert f.coefs_[0].dtype == dtype
    X = X3[::10].astype(dtype)
    settings = {"plain": False, "shared_noise": shared_noise}
    expected = count(f, Inputs.from_array(X, 0.5), 200, monkeypatch, **settings)
    for batch_size in (7, 1000):
        counts = count(
            f,
            Inputs.from_array(X, 0.5),
            200,
            monkeypatch,
            batch_size=batch_size,
            **settings,
        )
        np.testing.assert_array_equal(counts, expected)
    alone = count(f, Inputs.from_array(X[5:6], 0.5), 200, monkeypatch, **settings)
    np.testing.assert_array_equal(alone, expected[5:6])


def test_shared_votes_agree_in_law(monkeypatch):
    """Within an input votes are independent, so inputs are compared one by one."""
    f = net(6).fit(X3, y3)
    inputs = Inputs.from_array(X3[::10], 0.8)
    a = count(f, inputs, 5000, monkeypatch, plain=True)
    b = count(f, inputs, 5000, monkeypatch, plain=False, shared_noise=True)
    p_values = []
    for pair in zip(a, b, strict=True):
        table = np.array(pair)
        table = table[:, table.sum(axis=0) >= 10]
        p_values.append(stats.chi2_contingency(table, correction=False).pvalue)
    assert min(p_values) * len(p_values) > 1e-3


def test_names_of_classes(monkeypatch):
    names = np.array(["c", "a", "b"])[y3]
    f = net(8).fit(X3, names)
    inputs = Inputs.from_array(X3, 1e-9)
    counts = count(f, inputs, 5, monkeypatch, plain=False)
    np.testing.assert_array_equal(f.classes_[counts.argmax(axis=1)], f.predict(X3))


class Opaque(MLPClassifier):
    def predict(self, X):
        return np.zeros(len(X), int)


def patched(f):
    f.predict = lambda X: np.zeros(len(X), int)
    return f


@pytest.mark.parametrize(
    "f",
    [
        Opaque((3,), max_iter=2),
        patched(net(3)),
        make_pipeline(PolynomialFeatures(), net(3)),
        net(),
    ],
    ids=lambda f: str(f)[:40],
)
def test_what_is_no_such_net_is_left_alone(f):
    assert mlp_layers(unwrap(f.fit(X3, y3))) is None


def test_several_labels_at_a_time_are_left_alone():
    f = net(3).fit(X3, np.column_stack([y3 > 0, y3 > 1]))
    assert mlp_layers(unwrap(f)) is None


def test_overflow_is_an_error(monkeypatch):
    f = net(3).fit(X3, y3)
    inputs = Inputs.from_array(np.full((1, 4), 1e308), 1.0)
    with pytest.raises(ValueError, match="overflow float64: scale X"):
        count(f, inputs, 10, monkeypatch, plain=False)
