"""A kind of noise from outside: three methods and a name are all that it takes."""

import pickle
import tracemalloc
from itertools import product

import joblib
import numpy as np
import pandas as pd
import polars as pl
import pytest
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.naive_bayes import GaussianNB
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier

from sksmooth import (
    SmoothedClassifier,
    certified_accuracy_scorer,
)
from sksmooth.display._curves import curve_of_certificate
from sksmooth.noise import FAMILIES, BoundNoise, Gaussian, Noise
from sksmooth.stats._sequential import CertifyKnownLabel
from sksmooth.votes._rows import Inputs
from sksmooth.votes.voters._predict import AnyVoter
from sksmooth.votes.voters._trees import TreesVoter
from tests.helpers import Fixed, halfspace, make_voter, sign_rule


def spread(k):
    """Standard deviation of a number from -k to k, all alike."""
    return np.sqrt(k * (k + 1) / 3)


class BoundSteps(BoundNoise):
    """As many steps from -k to k on each feature, all alike.

    Inputs are on a lattice, and so are those that the adversary may choose. Between
    noise on x and on an x' that is a step away on r features or r steps on one, at most
    a share of r / (2 k + 1) of the mass differs.
    """

    norm = "l1"

    def copies(self, x, stream, out):
        k = self.kind.k
        out[...] = x + stream.integers(-k, k + 1, out.shape) * (self.sigma / spread(k))

    def worst(self, p, distance):
        k = self.kind.k
        moved = np.asarray(distance) * spread(k) / (2 * k + 1) * (1 + 1e-14)
        return np.maximum(np.nextafter(p - moved, -1), 0.0)


class Steps(Noise):
    """The numbers from -k to k, all alike, times what makes sigma of them."""

    bound = BoundSteps

    def __init__(self, k=2):
        self.k = k


SIGMA = spread(2)  # so that a step is 1
SIDE = 25
# A map of three classes, and the middle of it, where noise does not leave the map.
MAP = np.zeros((SIDE, SIDE), int)
MAP[:, 9:], MAP[14:, 6:18] = 1, 2
MAP[4, 4], MAP[20, 12], MAP[5, 16] = 2, 0, 0
MAP[np.random.default_rng(0).random(MAP.shape) < 0.08] = 1
MIDDLE = np.array(list(product(range(2, SIDE - 2), repeat=2)), float)


def look_up(X):
    i, j = np.rint(np.asarray(X)).astype(int).T
    assert np.all(np.column_stack([i, j]) == np.asarray(X))  # on the lattice
    return MAP[i, j]


BASE = Fixed(look_up, classes=(0, 1, 2))


@pytest.fixture(autouse=True)
def registered(monkeypatch):
    monkeypatch.setitem(FAMILIES, "steps", Steps)


def smoothed(base=BASE, **params):
    return SmoothedClassifier(
        base,
        **{
            "method": "monte_carlo",
            "sigma": SIGMA,
            "noise": "steps",
            "random_state": 0,
            **params,
        },
    )


def probabilities():
    """P(class) at every point of the middle, by enumeration of all 25 noises."""
    shifts = list(product(range(-2, 3), repeat=2))
    labels = np.stack([look_up(MIDDLE + shift) for shift in shifts])
    return np.stack([(labels == c).mean(axis=0) for c in range(3)], axis=1)


def false_claims(classes, radius):
    """How many points within a certified radius g answers otherwise on."""
    p = probabilities()
    ordered = np.sort(p, axis=1)
    g = np.where(ordered[:, -1] - ordered[:, -2] > 1e-9, p.argmax(axis=1), -1)
    distance = np.abs(MIDDLE[:, None] - MIDDLE).sum(axis=2)
    return np.sum((distance < radius[:, None]) & (g != classes[:, None]))


class TestWhatItProves:
    """By enumeration of every point that the adversary may choose."""

    @pytest.mark.parametrize("runner_up", [False, True])
    def test_from_probabilities(self, runner_up):
        p = probabilities()
        ordered = np.sort(p, axis=1)
        noise = Steps().bind(SIGMA)
        radius = noise.radius(ordered[:, -1], ordered[:, -2] if runner_up else None)
        assert false_claims(p.argmax(axis=1), radius) == 0
        assert np.sum(radius > 1) > 50
        # The test would see radii of one step more.
        assert false_claims(p.argmax(axis=1), np.where(radius > 0, radius + 1, 0)) > 0

    @pytest.mark.parametrize("bound", ["cohen", "joint", "multiclass"])
    @pytest.mark.parametrize("shared_noise", [False, True])
    def test_from_votes(self, bound, shared_noise):
        g = smoothed(n=3000, alpha=1e-4, bound=bound, shared_noise=shared_noise)
        c = g.certify(MIDDLE)
        assert false_claims(c.prediction, c.radius) == 0
        assert np.sum(c.radius > 1) > 30
        assert c.radius.max() <= g.max_certifiable_radius(norm="l1") < 2.5

    def test_to_the_boundary_of_a_halfspace(self):
        """There the bound is sharp: a radius ends where the answer changes."""
        noise = Steps(4).bind(spread(4))
        at = np.arange(4)  # of the class of x >= 0, which is a half step further
        p = (4 + at + 1) / 9
        np.testing.assert_allclose(noise.radius(p), at + 0.5, rtol=1e-12)
        np.testing.assert_allclose(noise.radius(p, 1 - p), at + 0.5, rtol=1e-12)
        np.testing.assert_allclose(noise.needed(at + 0.5), p, rtol=1e-12)
        assert np.all(noise.radius(p) <= at + 0.5)
        assert np.all(noise.needed(at + 0.5) >= p)
        assert noise.needed(0.0) == pytest.approx(0.5)

    def test_radii_are_multiples_of_sigma(self):
        p = np.array([0.55, 0.7, 0.9])
        one = Steps().bind(SIGMA).radius(p)
        np.testing.assert_allclose(Steps().bind(10 * SIGMA).radius(p), 10 * one)
        of_each = Steps().bind(np.array([SIGMA, 3.0])).radius(p)
        np.testing.assert_allclose(of_each, one / SIGMA)

    def test_one_sided_bounds(self):
        noise, p = Steps().bind(SIGMA), np.linspace(0, 1, 101)
        for distance in (0.0, 0.3, 1.0, 9.0):
            worst, upper = noise.worst(p, distance), noise.upper(p, distance)
            assert np.all((worst >= 0) & (worst <= p) & (upper >= p) & (upper <= 1))
            np.testing.assert_allclose(upper, 1 - noise.worst(1 - p, distance))
            assert np.all(np.diff(worst) >= 0)
        assert noise.radius_of_rest(np.array([0.0, 0.6]), np.array([0.0, 0.5]))[1] == 0


class TestTheClassifier:
    def test_a_name_is_an_instance(self):
        a, b = (smoothed(n=200, noise=noise) for noise in ("steps", Steps()))
        a, b = a.certify(MIDDLE), b.certify(MIDDLE)
        np.testing.assert_array_equal(a.counts, b.counts)
        assert isinstance(a.noise, Steps) and a.shared_noise is False

    def test_predict(self):
        g = smoothed(n=2000)
        p, labels = probabilities(), g.predict(MIDDLE)
        sure = labels >= 0
        np.testing.assert_array_equal(labels[sure], p.argmax(axis=1)[sure])
        assert sure.mean() > 0.9
        shares = g.set_params(stopping="fixed").predict_proba(MIDDLE)
        assert np.abs(shares - p).max() < 5 / np.sqrt(4 * 2000)

    @pytest.mark.parametrize("stopping", ["fixed", "sequential"])
    def test_certified_correct(self, stopping):
        g = smoothed(n=2000, stopping=stopping)
        y = probabilities().argmax(axis=1)
        radii = [0.0, 0.9, 2.0]
        correct = g.certified_correct(MIDDLE, y, radii, norm="l1")
        c = smoothed(n=2000).certify(MIDDLE)
        assert np.mean(correct[:, 1] == ((c.radius >= 0.9) & c.certified)) > 0.95
        assert 0.05 < correct[:, 2].mean() < correct[:, 0].mean() < 1
        for radius, column in zip(radii, correct.T, strict=True):
            assert false_claims(y, np.where(column, radius, 0.0)) == 0
        score = certified_accuracy_scorer(0.9, norm="l1")(g, MIDDLE, y)
        assert score == correct[:, 1].mean()

    def test_early_stop(self):
        g = smoothed(n=10_000)
        c, full = g.certify(MIDDLE, radius_tol=0.3), g.certify(MIDDLE)
        assert c.n_used.sum() < full.n_used.sum()
        assert false_claims(c.prediction, c.radius) == 0
        assert np.all(full.radius - c.radius <= 0.3 + 0.1)

    @pytest.mark.parametrize("known_label", [False, True])
    def test_reach_and_required_samples(self, known_label):
        g = smoothed(n=1000)
        reach = g.max_certifiable_radius(known_label=known_label, norm="l1")
        alpha = g.alpha
        if known_label:
            alpha = 0.001 / 2  # of several looks the last has half
        assert reach == pytest.approx(5 * (alpha ** (1 / 1000) - 0.5), rel=1e-9)
        for radius in (0.0, 1.0, 2.0, 2.4):
            n = g.required_samples(radius, known_label=known_label, norm="l1")
            enough, fewer = (
                smoothed(n=m).max_certifiable_radius(known_label=known_label, norm="l1")
                for m in (n, n - 1)
            )
            assert enough >= radius and enough > 0
            assert fewer < radius or fewer == 0
        # Half of the noise's width: no probability certifies so much.
        with pytest.raises(ValueError, match="choose a larger sigma"):
            g.required_samples(2.5, norm="l1")
        with pytest.warns(UserWarning, match="radius 2.5 can never be certified"):
            correct = g.certified_correct(MIDDLE[:3], [0, 0, 0], 2.5, norm="l1")
        assert not correct.any()

    def test_recertify(self):
        c = smoothed(n=2000, alpha=0.05).certify(MIDDLE)
        strict = smoothed(n=2000, alpha=1e-4).certify(MIDDLE)
        again = c.recertify(alpha=1e-4)
        np.testing.assert_array_equal(again.radius, strict.radius)
        joint = c.recertify(bound="joint")
        other = smoothed(n=2000, alpha=0.05, bound="joint").certify(MIDDLE)
        np.testing.assert_array_equal(joint.radius, other.radius)
        assert isinstance(again.noise, Steps)
        early = smoothed(n=2000, alpha=0.05).certify(MIDDLE, radius_tol=0.2)
        # The best look is not known any more, only the last one.
        again = early.recertify(alpha=0.05).radius
        assert np.all(again <= early.radius) and np.mean(again == early.radius) > 0.8

    def test_a_curve_ends_where_its_noise_does(self):
        c = smoothed(n=1000).certify(MIDDLE)
        y = probabilities().argmax(axis=1)
        assert curve_of_certificate(y, c, 0.001, "l1").max_radius == pytest.approx(
            5 * (0.001 ** (1 / 1000) - 0.5), rel=1e-9
        )

    def test_a_store_tells_kinds_of_noise_apart(self, tmp_path):
        path, g = tmp_path / "votes", smoothed(n=500)
        expected = g.certify(MIDDLE)
        for _ in range(2):
            c = g.certify(MIDDLE, store=path)
            np.testing.assert_array_equal(c.counts, expected.counts)
        y = probabilities().argmax(axis=1)
        first = g.certified_correct(MIDDLE, y, [0.0, 1.0], store=path, norm="l1")
        again = g.certified_correct(MIDDLE, y, [0.0, 1.0], store=path, norm="l1")
        np.testing.assert_array_equal(first, again)
        for noise in (Steps(3), "gaussian"):
            with pytest.raises(ValueError, match=r"noise is Steps\(k=\d\) there and"):
                smoothed(n=500, noise=noise).certify(MIDDLE, store=path)

    @pytest.mark.parametrize("backend", ["threading", "loky"])
    @pytest.mark.parametrize("shared_noise", [False, True])
    def test_workers(self, backend, shared_noise):
        X, y = MIDDLE[::5], probabilities().argmax(axis=1)[::5]
        params = {"n": 500, "shared_noise": shared_noise}
        base = DecisionTreeClassifier(random_state=0).fit(MIDDLE, look_up(MIDDLE))
        expected = smoothed(base, **params)
        with joblib.parallel_config(backend):
            # Sent to other processes by value, as it is in no registry there.
            got = smoothed(base, n_jobs=2, noise=Steps(), **params)
            c = got.certify(X)
            correct = got.certified_correct(X, y, 1.0, norm="l1")
        np.testing.assert_array_equal(c.counts, expected.certify(X).counts)
        np.testing.assert_array_equal(
            correct, expected.certified_correct(X, y, 1.0, norm="l1")
        )

    @pytest.mark.parametrize("batch_size", [1, 7, 1000])
    def test_batches(self, batch_size):
        params = {"n": 137, "n0": 10}
        expected = smoothed(**params).certify(MIDDLE[::20]).counts
        got = smoothed(batch_size=batch_size, **params).certify(MIDDLE[::20]).counts
        np.testing.assert_array_equal(got, expected)

    @pytest.mark.parametrize("dtype", [np.float32, np.float64])
    def test_shared_noise_is_the_same_for_all_inputs(self, dtype):
        seen = []
        base = Fixed(lambda X: seen.append(X.copy()) or np.zeros(len(X), int))
        X = np.array([[0.0, 5.0], [7.0, -3.0]], dtype)
        g = smoothed(base, n=50, n0=1, shared_noise=True, batch_size=50)
        g.certify(X)
        first, second = [one for one in seen if len(one) == 50]
        assert first.dtype == dtype
        np.testing.assert_array_equal(first - X[0], second - X[1])
        assert set(np.unique(first - X[0])) == {-2, -1, 0, 1, 2}

    @pytest.mark.parametrize("library", [pd, pl])
    def test_frames(self, library):
        frame = library.DataFrame(
            {"i": MIDDLE[:, 0], "word": ["a"] * len(MIDDLE), "j": MIDDLE[:, 1]}
        )
        base = Fixed(
            lambda X: look_up(np.column_stack([X["i"], X["j"]])), classes=(0, 1, 2)
        )
        c = smoothed(base, sigma={"i": SIGMA, "j": SIGMA, "*": 0}, n=1000)
        c = c.certify(frame)
        radius = c.radius * SIGMA  # is in units of sigma
        assert false_claims(c.prediction, radius) == 0
        assert np.sum(radius > 1) > 50

    def test_training_is_on_its_copies(self):
        seen = []

        class Seen(GaussianNB):
            def fit(self, X, y, sample_weight=None):
                seen.append(X)
                return super().fit(X, y)

        g = smoothed(Seen(), n_copies=20, n=100)
        g.fit(MIDDLE, look_up(MIDDLE))
        moves = seen[0].reshape(20, -1, 2) - MIDDLE
        assert set(np.unique(moves)) == {-2, -1, 0, 1, 2}
        assert moves.std() == pytest.approx(SIGMA, rel=0.05)

    def test_missing_values_stay(self):
        seen = []
        base = Fixed(
            lambda X: (
                seen.append(np.isnan(X)) or (np.nan_to_num(X[:, 0]) > 0).astype(int)
            )
        )
        X = np.array([[3.0, np.nan], [np.nan, 2.0]])
        assert smoothed(base, n=100).predict(X).tolist() == [1, 0]
        assert all(np.all(gaps.sum(axis=1) == 1) for gaps in seen if len(gaps) > 90)


class TestScikitLearn:
    def test_params_clone_and_pickle(self):
        g = smoothed(noise=Steps(3), n=200)
        assert g.get_params()["noise__k"] == 3
        assert clone(g).noise.k == 3 and clone(g).noise is not g.noise
        g.set_params(noise__k=2)
        expected = g.certify(MIDDLE[::9])
        sent = pickle.loads(pickle.dumps(smoothed(GaussianNB(), noise=Steps(3))))
        assert sent.noise.k == 3
        again = pickle.loads(pickle.dumps(expected))
        assert again.noise.k == 2
        np.testing.assert_array_equal(again.recertify(alpha=0.001).radius, again.radius)
        assert "noise=Steps(k=3)" in repr(smoothed(noise=Steps(3)))

    def test_a_search_over_kinds_and_their_parameters(self):
        X, y = MIDDLE[::3], look_up(MIDDLE)[::3]
        g = smoothed(DecisionTreeClassifier(max_depth=5, random_state=0), n=200)
        scoring = certified_accuracy_scorer(0.5, norm="l1")
        grid = {"noise": ["gaussian", "steps", Steps(4)]}
        search = GridSearchCV(g, grid, scoring=scoring, cv=2).fit(X, y)
        scores = search.cv_results_["mean_test_score"]
        assert len(set(scores)) > 1 and np.all(scores > 0)
        g.set_params(noise=Steps())
        search = GridSearchCV(g, {"noise__k": [1, 2, 5]}, scoring=scoring, cv=2)
        assert search.fit(X, y).best_estimator_.noise.k in (1, 2, 5)


class TestNoShortCut:
    """What is exact for a normal distribution only is not done."""

    X = MIDDLE
    y = (MIDDLE[:, 0] > 11).astype(int)

    @pytest.mark.parametrize(
        "f",
        [
            LogisticRegression(),
            make_pipeline(StandardScaler(), LogisticRegression()),
            MLPClassifier((3,), max_iter=500, random_state=0),
        ],
        ids=["linear", "scaled", "MLP"],
    )
    @pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
    def test_scikit_learn(self, f, monkeypatch):
        f.fit(self.X, self.y)
        inputs = Inputs.from_array(self.X, SIGMA, Steps())
        assert type(make_voter(f, f.classes_, inputs)) is AnyVoter
        # And they are those that anyone else's predict would give.
        opaque = Fixed(f.predict)
        for shared_noise in (False, True):
            a, b = (
                smoothed(one, n=200, shared_noise=shared_noise).certify(self.X).counts
                for one in (f, opaque)
            )
            np.testing.assert_array_equal(a, b)

    def test_trees_are_compiled(self):
        pytest.importorskip("numba")
        f = DecisionTreeClassifier(random_state=0).fit(self.X, look_up(self.X))
        inputs = Inputs.from_array(self.X, SIGMA, Steps())
        assert type(make_voter(f, f.classes_, inputs)) is TreesVoter
        a, b = (
            smoothed(one, n=200).certify(self.X).counts
            for one in (f, Fixed(f.predict, (0, 1, 2)))
        )
        np.testing.assert_array_equal(a, b)

    @pytest.mark.parametrize("shared_noise", [False, True])
    @pytest.mark.parametrize("behind", [None, "scaler", "mixing"])
    def test_nets(self, shared_noise, behind):
        torch = pytest.importorskip("torch")
        skorch = pytest.importorskip("skorch")
        torch.manual_seed(0)
        # Fewer outputs than inputs: normal noise would be drawn behind the layer.
        X = np.column_stack([self.X] * 3).astype(np.float32)
        layers = torch.nn.Linear(6, 2), torch.nn.Tanh(), torch.nn.Linear(2, 2)
        f = net = skorch.NeuralNetClassifier(
            torch.nn.Sequential(*layers), classes=[0, 1]
        ).initialize()
        if behind == "scaler":
            f = make_pipeline(StandardScaler().fit(X), net)
        elif behind == "mixing":
            from sklearn.decomposition import PCA

            f = make_pipeline(PCA(3).fit(X), net)
            layers[0].weight.data = layers[0].weight.data[:, :3]
        inputs = Inputs.from_array(X, SIGMA, Steps())
        voter = make_voter(f, np.arange(2), inputs)
        if behind == "mixing":
            assert type(voter) is AnyVoter
        else:
            assert voter.net.first is None
            assert isinstance(voter.noise.noise, BoundSteps)
        # Against votes through predict, in law: the share of each input.
        g = smoothed(f, n=4000, shared_noise=shared_noise)
        got = g.certify(X[::20]).counts
        opaque = Fixed(lambda batch: f.predict(batch.astype(np.float32)))
        other = smoothed(opaque, n=4000, random_state=1).certify(X[::20]).counts
        p = (got + other) / 8000
        z = (got - other)[:, 0] / np.sqrt(2 * 4000 * p[:, 0] * p[:, 1]).clip(1)
        assert np.abs(z).max() < 4.5
        assert np.sum((p[:, 0] > 0.02) & (p[:, 0] < 0.98)) > 3

    def test_push_forward_of_a_net_that_was_asked_for(self):
        torch = pytest.importorskip("torch")
        from sksmooth.torch import ModuleClassifier

        f = ModuleClassifier(torch.nn.Linear(6, 2), classes=[0, 1])
        X = np.column_stack([self.X] * 3).astype(np.float32)
        inputs = Inputs.from_array(X, SIGMA, Steps())
        voter = make_voter(f, np.arange(2), inputs, {"push_forward": True})
        assert voter.net.first is None

    @pytest.mark.parametrize(
        "f", [halfspace([1.0, 0.0]), DecisionTreeClassifier()], ids=["linear", "tree"]
    )
    def test_exact_probabilities_are_those_of_normal_noise(self, f):
        if isinstance(f, DecisionTreeClassifier):
            f.fit(self.X, self.y)
        g = smoothed(f, method="exact")
        for ask in (g.predict, g.certify, g.predict_proba):
            with pytest.raises(ValueError, match=r"Steps\(\).*Gaussian.*monte_carlo"):
                ask(self.X)
        with pytest.raises(ValueError, match="monte_carlo"):
            g.certified_correct(self.X, self.y, 0.1, norm="l1")

    def test_ties_are_as_predict_says(self):
        """A halfspace through lattice points: votes are not broken at random."""
        c = smoothed(sign_rule([1.0, 0.0], -11.0), n=500).certify(
            np.array([[13.0, 0.0]])
        )
        d = smoothed(halfspace([1.0, 0.0], -11.0), n=500).certify(
            np.array([[13.0, 0.0]])
        )
        np.testing.assert_array_equal(c.counts, d.counts)
        assert 0 < c.counts[0, 0] < 500


class TestWhichNoise:
    @pytest.mark.parametrize("noise", ["cauchy", "Gaussian", "", "normal"])
    def test_unknown_names(self, noise):
        message = (
            rf"noise must be one of 'gaussian'.*, 'steps' or an instance.*got '{noise}'"
        )
        self.refused(noise, ValueError, message)

    @pytest.mark.parametrize("noise", [None, 1, Gaussian, Steps, Steps().bind(1.0)])
    def test_what_is_no_noise(self, noise):
        self.refused(noise, ValueError, "noise must be one of .* an instance")

    @pytest.mark.parametrize(
        "noise, shared", [("shared", True), ("independent", False)]
    )
    def test_names_of_the_past(self, noise, shared):
        self.refused(noise, ValueError, f"is now shared_noise={shared}: noise names")

    @pytest.mark.parametrize("shared_noise", ["shared", None, 2])
    def test_shared_noise_is_a_yes_or_no(self, shared_noise):
        g = SmoothedClassifier(GaussianNB(), shared_noise=shared_noise)
        with pytest.raises(ValueError, match="'shared_noise' parameter"):
            g.fit(MIDDLE, look_up(MIDDLE))

    def refused(self, noise, error, message):
        X, y = MIDDLE, look_up(MIDDLE)
        g = SmoothedClassifier(GaussianNB().fit(X, y), noise=noise)
        clone(g)
        for ask in (lambda: g.fit(X, y), lambda: g.predict(X), lambda: g.certify(X)):
            with pytest.raises(error, match=message):
                ask()
        with pytest.raises(error, match=message):
            g.max_certifiable_radius(norm="l1")


class TestIdentity:
    """Votes and thresholds of one kind are not taken for those of another one."""

    @pytest.mark.parametrize(
        "one, other",
        [
            (np.zeros(5000), np.eye(1, 5000, 2500)[0]),
            (1.0, 1.0 + 1e-12),
            ("a" * 1000 + "b" + "a" * 1000, "a" * 2001),
        ],
        ids=["array", "number", "text"],
    )
    def test_by_parameters(self, one, other, tmp_path):
        a, b = Steps(), Steps()
        a.extra, b.extra = one, other
        assert a.bind(SIGMA) != b.bind(SIGMA)
        assert a.bind(SIGMA) == clone_of(a).bind(SIGMA)
        path = tmp_path / "votes"
        smoothed(noise=a, n=100).predict(MIDDLE[:3], store=path)
        smoothed(noise=clone_of(a), n=100).predict(MIDDLE[:3], store=path)
        with pytest.raises(ValueError, match="another run: noise is"):
            smoothed(noise=b, n=100).predict(MIDDLE[:3], store=path)

    def test_by_level(self):
        assert Gaussian().bind(0.5) != Gaussian().bind(0.25)
        assert Gaussian().bind(1.0) != Steps().bind(1.0)
        assert len({Gaussian().bind(0.5), Gaussian().bind(0.5)}) == 1


def clone_of(noise):
    return pickle.loads(pickle.dumps(noise))


def test_a_grid_is_for_noise_that_keeps_it():
    """Copies of this one are where they are, whatever the step."""
    with pytest.raises(ValueError, match="Steps does not say that it can be"):
        smoothed(grid=2.0**-4).certify(MIDDLE[:3])


@pytest.mark.parametrize("noise", [Noise(), Steps])
def test_no_kind_that_could_be_drawn(noise):
    with pytest.raises(ValueError, match="not a kind of noise|noise must be one of"):
        smoothed(noise=noise).certify(MIDDLE[:3])


def test_the_second_draw_takes_the_room_of_the_first():
    X = np.zeros((3, 64, 64), np.float32)
    base = Fixed(lambda X: np.zeros(len(X), int))
    g = SmoothedClassifier(base, n0=4000, n=4000, batch_size=1000, random_state=0)
    g.certify(X)
    tracemalloc.start()
    g.certify(X)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 1.5 * 1000 * 64 * 64 * 4


def test_kinds_of_one_name_are_not_taken_for_each_other():
    """As when a cell of a notebook is run again."""

    def make(scale):
        class BoundMine(BoundNoise):
            norm = "l1"

            def copies(self, x, stream, out):
                out[...] = x

            def worst(self, p, distance):
                return np.maximum(np.asarray(p) - scale * np.asarray(distance), 0)

        class Mine(Noise):
            bound = BoundMine

        return Mine()

    reached = [fewest_votes_known(make(scale).bind(1.0)) for scale in (0.01, 0.2, 0.01)]
    assert reached[0] == reached[2] < reached[1]


def fewest_votes_known(noise):
    """Least votes with which a rule accepts a radius of 1, by its own table."""
    looks, label = np.array([100]), np.zeros(101, int)
    rule = CertifyKnownLabel(looks, 0.05, np.array([1.0]), noise, label)
    votes = np.arange(101)
    counts = np.column_stack([votes, 100 - votes])
    value, _ = rule(np.zeros(101, int), votes, counts)
    return int(value[:, 0].argmax())
