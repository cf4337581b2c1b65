"""Attacks on smoothed nets, and what they cannot do."""

import sys

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

torch = pytest.importorskip("torch")
pytest.importorskip("skorch")

from sksmooth import SmoothedClassifier  # noqa: E402
from sksmooth.torch import (  # noqa: E402
    DecisionAttack,
    DeepFool,
    ModuleClassifier,
    SmoothedPGD,
    empirical_robust_accuracy,
)
from tests.nets import binary_classifier, classifier, halfspace_module  # noqa: E402

X, y = load_digits(return_X_y=True)
X, y = (X[:600] / 16).astype(np.float32), y[:600]
WEIGHTS = np.array([3.0, -4.0, 0.0, 12.0])  # of length 13


def smoothed(estimator, **params):
    defaults = {
        "method": "monte_carlo",
        "sigma": 0.25,
        "n": 500,
        "n0": 50,
        "random_state": 0,
    }
    return SmoothedClassifier(estimator, **{**defaults, **params})


def halfspace(**params):
    return smoothed(ModuleClassifier(halfspace_module(WEIGHTS, 1.0)), **params)


def points(n=40):
    """Points on both sides, and their distances from the boundary."""
    x = np.random.default_rng(0).normal(size=(n, 4)).astype(np.float32)
    score = x @ WEIGHTS + 1
    return x, (score > 0).astype(int), np.abs(score) / 13


@pytest.fixture(scope="module")
def digits():
    net = classifier(
        module__n_features=64, module__n_outputs=10, module__sigma=0.25, max_epochs=60
    )
    return smoothed(net, noise_param="module__sigma").fit(X[:400], y[:400])


class TestLinear:
    """Where the distance to the boundary is known."""

    @pytest.mark.parametrize(
        "options",
        [{}, {"random_start": True, "restarts": 2, "steps": 40, "step_size": 0.1}],
    )
    def test_succeeds_beyond_the_distance_and_not_before(self, options):
        x, labels, distance = points()
        g = halfspace(n=100_000)
        for share, expected in [(0.95, labels), (1.05, 1 - labels)]:
            attack = SmoothedPGD(share * distance, random_state=0, **options)
            moved = attack.generate(g, x, labels)
            winner = (moved @ WEIGHTS + 1 > 0).astype(int)
            np.testing.assert_array_equal(winner, expected)
            assert (np.linalg.norm(moved - x, axis=1) <= share * distance).all()

    def test_sigma_by_feature(self):
        """Radii are in units of sigma, and what has no noise is left alone."""
        sigma = np.array([0.5, 0.1, 0.3, 0.0])
        x, labels, _ = points()
        distance = np.abs(x @ WEIGHTS + 1) / np.linalg.norm(sigma * WEIGHTS)
        g = halfspace(sigma=sigma, n=100_000)
        for share, expected in [(0.95, labels), (1.05, 1 - labels)]:
            moved = SmoothedPGD(share * distance, random_state=0).generate(g, x, labels)
            winner = (moved @ WEIGHTS + 1 > 0).astype(int)
            np.testing.assert_array_equal(winner, expected)
            assert (moved[:, 3] == x[:, 3]).all()
            moved = (moved - x)[:, :3] / sigma[:3]
            assert (np.linalg.norm(moved, axis=1) <= share * distance * 1.0001).all()

    def test_empirical_robust_accuracy(self):
        """Just the share of distances that are larger, but for a few too near."""
        x, labels, distance = points(200)
        g = halfspace(sigma=0.1, n=100_000)
        radii = np.array([1.0, 0.0, 0.25, 2.0])
        got = empirical_robust_accuracy(
            g, x, labels, radii, SmoothedPGD(random_state=0)
        )
        expected = [np.mean(distance > r) for r in radii]
        np.testing.assert_allclose(got, expected, atol=0.02)
        one = empirical_robust_accuracy(g, x, labels, 0.25, SmoothedPGD(random_state=0))
        assert one == got[2]

    @pytest.mark.parametrize("outputs", ["logits", "probabilities"])
    def test_one_output(self, outputs):
        module = torch.nn.Sequential(torch.nn.Linear(4, 1))
        module[0].weight.data = torch.tensor(WEIGHTS, dtype=torch.float32)[None]
        module[0].bias.data.fill_(1.0)
        if outputs == "probabilities":
            module.append(torch.nn.Sigmoid())
        module[
            0
        ].weight.data *= 0.2  # else probabilities are 0 or 1 in single precision
        module[0].bias.data *= 0.2
        x, labels, distance = points()
        g = smoothed(ModuleClassifier(module, outputs=outputs))
        moved = SmoothedPGD(1.05 * distance, random_state=0).generate(g, x, labels)
        assert ((moved @ WEIGHTS + 1 > 0) != labels).all()

    def test_clip(self):
        x, labels, _ = points()
        clip = x.min() - 0.01, x.max() + 0.01
        attack = SmoothedPGD(5.0, clip=clip, random_state=0)
        moved = attack.generate(halfspace(), x, labels)
        assert moved.min() >= clip[0] - 1e-5 and moved.max() <= clip[1] + 1e-5
        assert np.linalg.norm(moved - x, axis=1).max() > 1


class TestNets:
    def test_no_attack_succeeds_inside_a_certified_radius(self, digits):
        """Of 200 inputs one may at most, with probability 0.98."""
        certificate = digits.certify(X[400:])
        certified = certificate.radius > 0
        x, found = X[400:][certified], certificate.prediction[certified]
        radius = certificate.radius[certified]
        attack = SmoothedPGD(radius, n_noise=32, restarts=2, random_state=0)
        answer = digits.predict(attack.generate(digits, x, found))
        assert np.sum((answer != found) & (answer != digits.abstain_label_)) <= 1
        far = attack.set_params(epsilon=4 * radius).generate(digits, x, found)
        answer = digits.predict(far)
        assert np.mean((answer != found) & (answer != digits.abstain_label_)) > 0.3

    def test_certified_accuracy_is_below(self, digits):
        x, labels = X[400:500], y[400:500]
        radii = [0.0, 0.25, 0.5, 1.0]
        proved = digits.certified_correct(x, labels, radii[:3]).mean(axis=0)
        attack = SmoothedPGD(n_noise=16, steps=10, random_state=0)
        got = empirical_robust_accuracy(digits, x, labels, radii, attack)
        assert (got[:3] >= proved).all()
        assert (np.diff(got) <= 0).all() and got[-1] < 0.5 * got[0]

    def test_better_than_the_gradient_of_the_net_alone(self, digits):
        """Noise helps: with one copy and one step less is found."""
        x, labels = X[400:500], y[400:500]
        weak = SmoothedPGD(n_noise=1, steps=1, random_state=0)
        strong = SmoothedPGD(n_noise=32, random_state=0)
        weak, strong = (
            empirical_robust_accuracy(digits, x, labels, 0.6, attack)
            for attack in (weak, strong)
        )
        assert strong < weak

    def test_repeats_in_batches_and_leaves_the_net_alone(self, digits):
        x, labels = X[400:410], y[400:410]
        module = digits.estimator_.module_
        before = {k: v.clone() for k, v in module.state_dict().items()}
        drawn = torch.get_rng_state()
        one, two = (
            SmoothedPGD(n_noise=16, steps=3, random_state=5).generate(digits, x, labels)
            for _ in range(2)
        )
        np.testing.assert_array_equal(one, two)
        assert torch.equal(drawn, torch.get_rng_state())
        assert one.dtype == np.float32
        assert all(torch.equal(before[k], v) for k, v in module.state_dict().items())
        # Copies in parts: as good an attack.
        small = SmoothedPGD(2.0, n_noise=16, batch_size=5, random_state=0)
        moved = small.generate(digits, x.astype(float), labels)
        assert moved.dtype == np.float64
        assert np.mean(digits.predict(moved) == labels) < 0.5

    def test_without_a_gradient(self):
        """A net that is flat nearly everywhere is searched at random."""

        class Steps(torch.nn.Module):
            def forward(self, x):
                return 9 * torch.stack([x.sign(), -x.sign()], dim=2)[:, 0]

        g = smoothed(ModuleClassifier(Steps(), classes=[0, 1]), sigma=1e-3)
        x = np.full((20, 1), 0.1, np.float32)
        moved = SmoothedPGD(0.2, random_state=0).generate(g, x, np.zeros(20, int))
        assert (g.predict(moved) == 1).mean() > 0.2

    def test_skorch_with_one_output(self):
        net = binary_classifier(
            torch.nn.Sequential(torch.nn.Linear(64, 1), torch.nn.Flatten(0)),
            max_epochs=20,
            lr=0.5,
        )
        labels = np.where(y < 5, "low", "high")
        g = smoothed(net).fit(X, labels)
        attack = SmoothedPGD(3.0, random_state=0)
        assert empirical_robust_accuracy(g, X[:50], labels[:50], 3.0, attack) < 0.1


class TestTensors:
    @pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16], ids=str)
    def test_of_kinds_that_numpy_does_not_take(self, dtype):
        x, labels, _ = points(8)
        given = torch.tensor(x, dtype=dtype, requires_grad=True)
        same, targets = given.detach().float().numpy(), torch.tensor(labels)
        g, attack = halfspace(), SmoothedPGD(0.5, steps=3, random_state=0)
        for one, f in [(attack, g), (DeepFool(), g.estimator)]:
            expected = one.generate(f, same, labels)
            for X in (given, list(given)):
                np.testing.assert_array_equal(one.generate(f, X, targets), expected)
        shares = [
            empirical_robust_accuracy(g, *data, 0.5, attack)
            for data in [(given, targets), (same, labels)]
        ]
        assert shares[0] == shares[1]

    @pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16], ids=str)
    def test_weights_in_half_precision(self, dtype):
        """Only the net is rounded: the ball has the edge that it has in float32."""
        x, labels, _ = points()
        f = ModuleClassifier(halfspace_module(WEIGHTS, 1.0).to(dtype))
        attack = SmoothedPGD(0.5, steps=5, random_state=0)
        for one, base in [(attack, smoothed(f)), (DeepFool(0.5), f)]:
            moved = one.generate(base, x, labels)
            assert np.linalg.norm(moved - x, axis=1).max() <= 0.5
            assert np.mean(f.predict(moved) == labels) < 0.8


class TestErrors:
    def test_other_bases(self):
        linear = smoothed(LogisticRegression()).fit(X, y)
        with pytest.raises(ValueError, match="no neural net"):
            SmoothedPGD().generate(linear, X, y)
        piped = smoothed(
            make_pipeline(
                StandardScaler(),
                classifier(module__n_features=64, module__n_outputs=10, max_epochs=1),
            )
        ).fit(X, y)
        with pytest.raises(ValueError, match="steps before its net"):
            SmoothedPGD().generate(piped, X, y)

    @pytest.mark.parametrize("noise", ["laplace", "uniform"])
    def test_other_kinds_of_noise(self, noise):
        x, labels, _ = points()
        g = halfspace().set_params(noise=noise)
        with pytest.raises(ValueError, match="draws Gaussian noise, but g has"):
            SmoothedPGD().generate(g, x, labels)

    @pytest.mark.parametrize(
        "params", [{"epsilon": -1}, {"steps": 0}, {"n_noise": 1.5}, {"step_size": -1}]
    )
    def test_parameters(self, params):
        x, labels, _ = points()
        (name,) = params
        with pytest.raises(ValueError, match=f"^{name} must be"):
            SmoothedPGD(**params).generate(halfspace(), x, labels)

    def test_labels(self):
        x, labels, _ = points()
        with pytest.raises(ValueError, match="y must have a label"):
            SmoothedPGD().generate(halfspace(), x, labels + 1)

    def test_clone(self):
        attack = SmoothedPGD(0.7, steps=3, clip=(0, 1))
        assert clone(attack).get_params() == attack.get_params()


class TestDeepFool:
    """Against a net itself, not a smoothed one."""

    def test_shortest_way_between_linear_classes(self):
        rng = np.random.default_rng(0)
        module = torch.nn.Linear(4, 5)
        f = ModuleClassifier(module, classes=list("abcde"))
        x = rng.normal(size=(50, 4))
        logits = module(torch.from_numpy(x).float()).detach().double().numpy()
        w, place = module.weight.detach().double().numpy(), logits.argmax(axis=1)
        distance = np.array(
            [
                min(
                    (z[k] - z[c]) / np.linalg.norm(w[k] - w[c])
                    for c in range(5)
                    if c != k
                )
                for z, k in zip(logits, place, strict=True)
            ]
        )
        labels = f.predict(x)
        moved = DeepFool(batch_size=17).generate(f, x, labels)
        assert (f.predict(moved) != labels).all()
        length = np.linalg.norm(moved - x, axis=1)
        np.testing.assert_allclose(length, distance, rtol=2e-3, atol=1e-5)
        # What is wrong anyway is left alone; and no ball is left.
        np.testing.assert_array_equal(
            DeepFool().generate(f, x, np.roll(list("abcde"), 1)[place]), x
        )
        short = DeepFool(0.9 * distance).generate(f, x, labels)
        assert (np.linalg.norm(short - x, axis=1) <= 0.9 * distance).all()
        assert (f.predict(short) == labels).all()
        radii = np.quantile(distance, [0.2, 0.5, 0.8]) * 1.005
        accuracy = empirical_robust_accuracy(f, x, labels, radii, DeepFool())
        np.testing.assert_array_equal(accuracy, [np.mean(distance > r) for r in radii])

    def test_never_nearer_than_the_boundary_of_a_net(self):
        """On the plane, where all points around an input can be looked at."""
        torch.manual_seed(3)
        module = torch.nn.Sequential(
            torch.nn.Linear(2, 16), torch.nn.ReLU(), torch.nn.Linear(16, 3)
        )
        f = ModuleClassifier(module)
        x = np.random.default_rng(0).normal(size=(20, 2)).astype(np.float32)
        labels = f.predict(x)
        clip = (-3.0, 3.0)
        moved = DeepFool(clip=clip).generate(f, x, labels)
        assert moved.min() >= -3 and moved.max() <= 3
        length = np.linalg.norm(moved - x, axis=1)
        found = f.predict(moved) != labels
        angle = np.linspace(0, 2 * np.pi, 241)
        ring = np.stack([np.cos(angle), np.sin(angle)], axis=1)
        steps = np.linspace(0, 3, 301)
        points = x[:, None, None] + steps[:, None, None] * ring
        differs = f.predict(points.reshape(-1, 2)).reshape(points.shape[:3])
        differs = (differs != labels[:, None, None]).any(axis=2)
        nearest = np.where(differs.any(1), steps[differs.argmax(axis=1)], np.inf)
        assert found.sum() >= 10
        # The grid of points has steps of 0.01.
        assert (length[found] >= nearest[found] - 0.0101).all()
        assert np.median(length[found] / nearest[found]) < 1.3

    def test_errors(self, digits):
        with pytest.raises(ValueError, match="SmoothedPGD attacks g itself"):
            DeepFool().generate(digits, X[:2], y[:2])
        net = digits.estimator_
        moved = DeepFool().generate(net, X[:5], y[:5])
        assert moved.shape == (5, 64) and moved.dtype == np.float32
        with pytest.raises(ValueError, match="y must have a label"):
            DeepFool().generate(net, X[:2], [0, 11])
        for params in ({"overshoot": -1}, {"epsilon": -1}, {"max_iter": 0}):
            (name,) = params
            with pytest.raises(ValueError, match=f"^{name} must"):
                DeepFool(**params).generate(net, X[:2], y[:2])


class TestDecisionAttack:
    """Runs where ART is installed, whose random numbers have no seed."""

    def test_linear(self):
        pytest.importorskip("art")
        x, labels, distance = points(6)
        coefficients = np.array([[*WEIGHTS]])
        f = LogisticRegression().fit(x, labels)
        f.coef_, f.intercept_ = coefficients, np.array([1.0])
        g = smoothed(f, n=10_000)
        for share in (0.95, 1.5):
            attack = DecisionAttack(share * distance, clip=(-5, 5))
            moved = attack.generate(g, x, labels)
            wrong = (moved @ WEIGHTS + 1 > 0) != labels
            assert wrong.any() == (share > 1)
            assert (np.linalg.norm(moved - x, axis=1) <= share * distance).all()

    def test_not_inside_certified_radii_of_a_forest(self):
        pytest.importorskip("art")
        rng = np.random.default_rng(0)
        x = rng.uniform(-1, 1, size=(300, 2))
        labels = np.where(np.hypot(*x.T) < 0.7, "in", "out")
        g = smoothed(RandomForestClassifier(10, random_state=0)).fit(x, labels)
        certificate = g.certify(x[:4])
        for share in (1, 3):
            attack = DecisionAttack(share * certificate.radius, max_iter=5)
            answer = g.predict(attack.generate(g, x[:4], certificate.prediction))
            wrong = (answer != certificate.prediction) & (answer != "abstain")
            assert wrong.any() == (share > 1)

    def test_without_art(self, monkeypatch):
        monkeypatch.setitem(sys.modules, "art.attacks.evasion", None)
        x, labels, _ = points()
        with pytest.raises(ImportError, match="adversarial-robustness-toolbox"):
            DecisionAttack().generate(halfspace(), x, labels)
