"""Losses, layers and attacks on a GPU; `test_gpu.py` says how to run these."""

from functools import partial

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("skorch")

from torch import nn  # noqa: E402
from torch.utils._python_dispatch import TorchDispatchMode  # noqa: E402
from torch.utils._pytree import tree_leaves  # noqa: E402

from sksmooth import SmoothedClassifier  # noqa: E402
from sksmooth.torch import (  # noqa: E402
    CATRS,
    MACER,
    ConsistencyLoss,
    DeepFool,
    GaussianNoise,
    ModuleClassifier,
    Normalize,
    PrepareCopies,
    SmoothAdv,
    SmoothedPGD,
    SmoothMix,
    Stability,
    empirical_robust_accuracy,
)
from tests.gpu_nets import X, the_device, y  # noqa: E402, F401
from tests.nets import MLP, classifier, halfspace_module  # noqa: E402

pytestmark = pytest.mark.gpu

X = X.reshape(len(X), -1)
WEIGHTS = np.array([3.0, -4.0, 0.0, 12.0])  # of length 13
# Makes a loss, given a device for its teacher.
LOSSES = {
    "consistency": lambda device: ConsistencyLoss(2.0, eta=0.5),
    "weighted": lambda device: ConsistencyLoss(weight=torch.ones(10).to(device)),
    "SmoothAdv": lambda device: SmoothAdv(0.5, T=2, consistency=1.0),
    "SmoothAdv from where it was": lambda device: SmoothAdv(0.5, T=1, remember=True),
    "SmoothAdv in a range": lambda device: SmoothAdv(0.5, T=2, clip=(0, 1)),
    "SmoothMix": lambda device: SmoothMix(alpha=0.5, T=2),
    "SmoothMix, one step": lambda device: SmoothMix(alpha=0.5, T=2, one_step=True),
    "CATRS": lambda device: CATRS(0.5, T=2),
    "CATRS, taught": lambda device: CATRS(0.5, T=2, teacher=net(7).to(device)),
    "MACER": lambda device: MACER(3.0),
    "Stability": lambda device: Stability(),
}
each_loss = pytest.mark.parametrize("loss", LOSSES)


def net(seed=0, sigma=0.25):
    torch.manual_seed(seed)
    return nn.Sequential(
        GaussianNoise(sigma, n_copies=3),
        nn.Linear(64, 32, bias=False),  # behind it is a BatchNorm
        nn.BatchNorm1d(32),
        nn.ReLU(),
        nn.Linear(32, 10),
    )


def step(loss, device, sigma=0.25, mode=None):
    """Return the loss and the gradients of a step, on the host."""
    module, criterion = net(sigma=sigma).to(device), LOSSES[loss](device)
    x = torch.from_numpy(X[:20]).to(device)
    target = torch.from_numpy(y[:20]).to(device)
    with mode or torch.enable_grad():
        if hasattr(criterion, "prepare"):
            criterion.prepare(module, x, target, epoch=0)
        value = criterion(module(x), target)
        value.backward()
    return [value.item(), *(p.grad.cpu().numpy() for p in module.parameters())]


class OnHost(TorchDispatchMode):
    """Collects what makes tensors on the host, but for single numbers."""

    def __init__(self):
        super().__init__()
        self.found = set()

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        made = func(*args, **(kwargs or {}))
        for one in tree_leaves(made):
            if isinstance(one, torch.Tensor) and one.numel() > 1:
                if one.device.type == "cpu":
                    self.found.add(str(func))
        return made


@pytest.fixture
def drawn_on_host(monkeypatch):
    """On any device torch draws the same, in the order in which it is asked."""
    rand, randn = torch.rand, torch.randn

    def like(draw, x):
        return draw(x.shape, dtype=x.dtype).to(x.device)

    def anywhere(*shape, device=None, **options):
        return rand(*shape, **options).to(device or "cpu")

    monkeypatch.setattr(torch, "randn_like", partial(like, randn))
    monkeypatch.setattr(torch, "rand_like", partial(like, rand))
    monkeypatch.setattr(torch, "rand", anywhere)


class TestLosses:
    @each_loss
    def test_the_same_step_as_on_the_cpu(self, device, loss, drawn_on_host):
        got, expected = step(loss, device), step(loss, "cpu")
        for one, other in zip(got, expected, strict=True):
            assert np.isfinite(one).all()
            scale = np.abs(other).max()
            np.testing.assert_allclose(one, other, rtol=1e-3, atol=1e-3 * scale)
        assert all(np.abs(one).max() > 0 for one in got[1:3])

    @each_loss
    def test_nothing_is_made_on_the_host(self, device, loss):
        mode = OnHost()
        step(loss, device, mode=mode)
        assert bool(mode.found) == (device.type == "cpu")

    @pytest.mark.parametrize("loss", ["SmoothAdv in a range", "SmoothMix", "Stability"])
    def test_sigma_by_feature(self, device, loss, drawn_on_host):
        sigma = np.linspace(0, 0.5, 64)
        got, expected = step(loss, device, sigma), step(loss, "cpu", sigma)
        assert got[0] == pytest.approx(expected[0], rel=1e-3)

    def test_a_net_of_skorch(self, device):
        """The weight of classes, the teacher and all copies are where the net is."""
        teacher = net(7).to(device)
        params = [
            (partial(ConsistencyLoss, weight=torch.ones(10)), {}),
            (SmoothAdv, {"T": 2}),
            (SmoothMix, {"T": 2}),
            (CATRS, {"T": 2}),
            (CATRS, {"T": 2, "teacher": teacher}),
            (MACER, {}),
            (Stability, {}),
        ]
        for criterion, options in params:
            trained = classifier(
                net,
                device=str(device),
                criterion=criterion,
                max_epochs=2,
                callbacks=[("copies", PrepareCopies())],
                **{f"criterion__{name}": value for name, value in options.items()},
            ).fit(X[:256], y[:256])
            losses = trained.history[:, "train_loss"]
            assert np.isfinite(losses).all() and losses[1] != losses[0]
            assert {p.device.type for p in trained.module_.parameters()} == {
                device.type
            }
            assert np.isfinite(trained.predict_proba(X[:10])).all()

    def test_training_repeats(self, device):
        """Where random_state is set, whatever was drawn before."""

        def weights():
            torch.rand(3, device=device)
            f = classifier(MLP, device=str(device), max_epochs=1)
            f.set_params(module__n_features=64, module__n_outputs=10)
            g = SmoothedClassifier(f, noise_param="module__sigma", random_state=0)
            module = g.fit(X[:200], y[:200]).estimator_.module_
            return torch.cat([p.detach().flatten() for p in module.parameters()])

        torch.testing.assert_close(weights(), weights(), rtol=1e-4, atol=1e-6)


class TestLayers:
    @pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16], ids=str)
    def test_noise_by_feature(self, device, dtype):
        sigma = torch.tensor([0.0, 0.5, 2.0], device=device, requires_grad=True)
        layer = GaussianNoise(sigma, n_copies=2, in_eval=True).to(device)
        out = layer(torch.ones(5000, 3, device=device, dtype=dtype))
        assert (out.shape, out.dtype) == ((10_000, 3), dtype)
        assert out.device.type == device.type
        assert (out[:, 0] == 1).all()
        got = (out - 1).float().square().mean(dim=0).sqrt().cpu()
        np.testing.assert_allclose(got, [0, 0.5, 2], rtol=0.05)
        assert layer.eval()(out).shape == out.shape

    def test_noise_comes_from_the_generator_of_the_device(self, device):
        layer, x = GaussianNoise(0.5), torch.zeros(10, device=device)
        torch.manual_seed(0)
        one = layer(x)
        torch.manual_seed(0)
        assert torch.equal(one, layer(x))
        assert torch.equal(one, 0.5 * (torch.manual_seed(0), torch.randn_like(x))[1])

    def test_normalize_moves_with_its_net(self, device):
        mean, std = [0.1, 0.2, 0.3], [0.5, 0.25, 2.0]
        x = torch.rand(4, 3, 2, 2)
        layer = Normalize(mean, std)
        expected = layer(x)
        torch.testing.assert_close(layer.to(device)(x.to(device)).cpu(), expected)
        again = Normalize(torch.tensor(mean, device=device), 0.5)
        torch.testing.assert_close(again.mean.cpu(), torch.tensor(mean))

    def test_certificates_of_a_net_that_normalizes(self, device):
        """Votes are those of the weights that a layer before them stands for."""
        scaled = halfspace_module(WEIGHTS / 2, 0.5)
        module = nn.Sequential(nn.Unflatten(1, (4, 1)), Normalize(0.25, 0.5))
        module = nn.Sequential(*module, nn.Flatten(), scaled)
        x, _, _ = points()
        f = ModuleClassifier(module, device=str(device))
        g = SmoothedClassifier(f, sigma=0.25, n=2000, random_state=0)
        score = (x - 0.25) @ WEIGHTS + 0.5
        certificate = g.certify(x)
        sure = np.abs(score) > 0.2 * 13
        assert (certificate.prediction == (score > 0))[sure].all()
        assert (certificate.radius <= np.abs(score) / 13)[sure].all()


def points(n=40):
    """Points on both sides, and their distances from the boundary."""
    x = np.random.default_rng(0).normal(size=(n, 4)).astype(np.float32)
    score = x @ WEIGHTS + 1
    return x, (score > 0).astype(int), np.abs(score) / 13


def halfspace(device, dtype=torch.float32, **params):
    module = halfspace_module(WEIGHTS, 1.0).to(dtype)
    f = ModuleClassifier(module, device=str(device))
    settings = {"sigma": 0.25, "n": 2000, "random_state": 0, **params}
    return SmoothedClassifier(f, **settings)


class TestAttacks:
    def test_smoothed_pgd_succeeds_beyond_the_distance_and_not_before(self, device):
        x, labels, distance = points()
        g = halfspace(device)
        for share, expected in [(0.95, labels), (1.05, 1 - labels)]:
            attack = SmoothedPGD(share * distance, random_state=0)
            moved = attack.generate(g, x, labels)
            assert (type(moved), moved.dtype) == (np.ndarray, np.float32)
            winner = (moved @ WEIGHTS + 1 > 0).astype(int)
            np.testing.assert_array_equal(winner, expected)
            assert (np.linalg.norm(moved - x, axis=1) <= share * distance).all()

    @pytest.mark.parametrize(
        "options",
        [
            {"random_start": True, "restarts": 2},
            {"clip": (-4, 4)},
            {"batch_size": 50, "n_noise": 16},
        ],
        ids=str,
    )
    def test_options(self, device, options):
        """Features without noise stay; the same seed leads to the same points."""
        x, labels, _ = points()
        g = halfspace(device, sigma=np.array([0.5, 0.1, 0.3, 0.0]))
        attack = SmoothedPGD(1.0, steps=5, random_state=0, **options)
        moved = attack.generate(g, x, labels)
        np.testing.assert_allclose(attack.generate(g, x, labels), moved, atol=1e-5)
        assert (moved[:, 3] == x[:, 3]).all()
        assert ((moved - x) @ WEIGHTS * (1 - 2 * labels) > 0).all()

    def test_deep_fool_finds_the_nearest_boundary(self, device):
        x, labels, distance = points()
        f = halfspace(device).estimator
        moved = DeepFool().generate(f, x, labels)
        assert (f.predict(moved) != labels).all()
        length = np.linalg.norm(moved - x, axis=1)
        np.testing.assert_allclose(length, distance, rtol=0.01)
        near = DeepFool(distance / 2, clip=(-4, 4)).generate(f, x, labels)
        assert (f.predict(near) == labels).all()

    def test_not_inside_certified_radii_of_a_net(self, device):
        net = classifier(
            module__n_features=64,
            module__n_outputs=10,
            module__sigma=0.25,
            device=str(device),
            max_epochs=15,
        )
        g = SmoothedClassifier(
            net, sigma=0.25, n=500, noise_param="module__sigma", random_state=0
        ).fit(X[:600], y[:600])
        x, labels = X[600:680], y[600:680]
        certificate = g.certify(x)
        some = certificate.radius > 0
        found, radius = certificate.prediction[some], certificate.radius[some]
        attack = SmoothedPGD(radius, n_noise=16, steps=5, random_state=0)
        answer = g.predict(attack.generate(g, x[some], found))
        assert np.sum((answer != found) & (answer != g.abstain_label_)) <= 1
        radii = [0.0, 0.25, 2.0]
        proved = g.certified_correct(x, labels, radii[:2]).mean(axis=0)
        attack = SmoothedPGD(n_noise=8, steps=5, random_state=0)
        got = empirical_robust_accuracy(g, x, labels, radii, attack)
        assert (got[:2] >= proved).all() and got[2] < 0.5 * got[0]
        assert {p.device.type for p in g.estimator_.module_.parameters()} == {
            device.type
        }
        moved = DeepFool().generate(g.estimator_, x, labels)
        assert np.mean(g.estimator_.predict(moved) == labels) < 0.1

    @pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16], ids=str)
    def test_weights_in_half_precision(self, device, dtype):
        """The ball has the edge that it has in float32."""
        x, labels, _ = points()
        g = halfspace(device, dtype)
        for attack, f in [
            (SmoothedPGD(0.5, steps=5, random_state=0), g),
            (DeepFool(0.5), g.estimator),
        ]:
            moved = attack.generate(f, x, labels)
            assert np.linalg.norm(moved - x, axis=1).max() <= 0.5
            assert np.mean(f.predict(moved) == labels) < np.mean(f.predict(x) == labels)

    def test_tensors_on_the_device(self, device):
        """Also those that want a gradient, which NumPy does not take."""
        x, labels, _ = points()
        g = halfspace(device, n=500)
        there = torch.tensor(x, device=device, requires_grad=True)
        targets = torch.tensor(labels, device=device)
        attack = SmoothedPGD(0.5, steps=3, random_state=0)
        for one, f in [(attack, g), (DeepFool(), g.estimator)]:
            got = one.generate(f, there, targets)
            np.testing.assert_allclose(got, one.generate(f, x, labels), atol=1e-5)
        shares = [
            empirical_robust_accuracy(g, *data, 0.5, attack)
            for data in [(there, targets), (x, labels)]
        ]
        assert shares[0] == pytest.approx(shares[1], abs=0.05)
