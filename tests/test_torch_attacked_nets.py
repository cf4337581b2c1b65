"""Attacks see the net that votes, and losses the noise that they have chosen."""

import copy
import pickle

import numpy as np
import pytest
from sklearn.ensemble import RandomForestClassifier

torch = pytest.importorskip("torch")
pytest.importorskip("skorch")

from skorch import NeuralNetBinaryClassifier, NeuralNetClassifier  # noqa: E402
from torch.nn import Linear, Sequential  # noqa: E402

from sksmooth import SmoothedClassifier  # noqa: E402
from sksmooth.torch import (  # noqa: E402
    CATRS,
    ConsistencyLoss,
    DecisionAttack,
    DeepFool,
    GaussianNoise,
    ModuleClassifier,
    Normalize,
    SmoothAdv,
    SmoothedPGD,
    SmoothMix,
    Stability,
)
from sksmooth.votes.run._fingerprint import hash_estimator  # noqa: E402

X = np.random.default_rng(0).normal(0, 0.5, size=(30, 4)).astype(np.float32)
WEIGHTS = np.array([3.0, -4.0, 0.0, 12.0], np.float32)  # of length 13
SCORE = X @ WEIGHTS - 1


def linear(n_outputs=2, factor=1.0):
    """Logits (0, score) times a factor, or the second one alone."""
    module = Linear(4, n_outputs)
    with torch.no_grad():
        module.weight.zero_()
        module.bias.zero_()
        module.weight[-1] = factor * torch.from_numpy(WEIGHTS)
        module.bias[-1] = -factor
    return module


class OwnLoss(torch.nn.Module):
    def forward(self, input, target):
        return torch.nn.functional.cross_entropy(input, target)


class Shifted(NeuralNetClassifier):
    """Is asked somewhere else: its boundary is that of x + 1."""

    def infer(self, x, **params):
        return super().infer(x + 1, **params)


def of_skorch(net, module, y, **params):
    net = net(
        module,
        lr=0.0,
        max_epochs=1,
        train_split=None,
        verbose=0,
        **params,
    )
    return net.fit(X, y)


def with_own_loss():
    y = (SCORE > 0).astype(int)
    return of_skorch(NeuralNetClassifier, linear(), y, criterion=OwnLoss), 0.0


def with_own_way():
    y, loss = (SCORE > 0).astype(int), torch.nn.CrossEntropyLoss
    return of_skorch(Shifted, linear(), y, criterion=loss), -11.0


def with_threshold(loss, module):
    """Answers the second class from a probability of .9 on."""
    y = (SCORE > 0).astype(np.float32)
    net = of_skorch(NeuralNetBinaryClassifier, module, y, criterion=loss, threshold=0.9)
    return net, np.log(9)


NETS = {
    "a loss of its own": with_own_loss,
    "a way of its own": with_own_way,
    "threshold": lambda: with_threshold(torch.nn.BCEWithLogitsLoss, one_logit()),
    "threshold of a probability": lambda: with_threshold(
        torch.nn.BCELoss, Sequential(one_logit(), torch.nn.Sigmoid())
    ),
    "one logit": lambda: (ModuleClassifier(linear(1), classes=[0, 1]), 0.0),
    "very sure": lambda: (ModuleClassifier(linear(factor=1e3)), 0.0),
    "very sure, one logit": lambda: (
        ModuleClassifier(linear(1, 1e3), classes=[0, 1]),
        0.0,
    ),
}


def one_logit():
    return Sequential(linear(1), torch.nn.Flatten(0))


@pytest.mark.parametrize("name", NETS)
class TestEachNet:
    """The distance to the boundary is known: no attack misses it, or sees another."""

    def test_deep_fool(self, name):
        f, boundary = NETS[name]()
        y = (boundary < SCORE).astype(int)
        np.testing.assert_array_equal(f.predict(X), y)
        moved = DeepFool().generate(f, X, y)
        assert (f.predict(moved) != y).all()
        got = np.linalg.norm(moved - X, axis=1)
        np.testing.assert_allclose(got, abs(SCORE - boundary) / 13, rtol=0.01)

    def test_smoothed_pgd(self, name):
        f, boundary = NETS[name]()
        distance = abs(SCORE - boundary) / 13
        g = SmoothedClassifier(f, sigma=0.05, n=20_000, random_state=0)
        y = (boundary < SCORE).astype(int)
        for share, expected in [(0.9, y), (1.1, 1 - y)]:
            attack = SmoothedPGD(share * distance, random_state=0)
            moved = attack.generate(g, X, y)
            np.testing.assert_array_equal(moved @ WEIGHTS - 1 > boundary, expected)


def test_nets_that_do_more_than_ask_their_module_are_refused():
    class Contrary(NeuralNetClassifier):
        def predict(self, X):
            return 1 - super().predict(X)

    y = (SCORE > 0).astype(int)
    f = of_skorch(Contrary, linear(), y, criterion=torch.nn.CrossEntropyLoss)
    with pytest.raises(ValueError, match="Contrary has its own predict"):
        DeepFool().generate(f, X, y)
    g = SmoothedClassifier(f, sigma=0.1, n=100, n0=10, random_state=0)
    with pytest.raises(ValueError, match="Contrary has its own predict"):
        SmoothedPGD().generate(g, X, y)


class TestRange:
    """clip: what lies outside would never be attacked, without a word."""

    def test_a_feature_without_noise_may_be_outside(self):
        g = SmoothedClassifier(
            ModuleClassifier(linear()), sigma=[0.2, 0.2, 0.0, 0.2], random_state=0
        )
        x = np.float32([[0.2, 0.2, 5.0, 0.2]])
        moved = SmoothedPGD(10.0, clip=(0, 1), random_state=0).generate(g, x, [1])
        assert (moved @ WEIGHTS - 1 < 0).all()
        assert moved[0, 2] == 5
        assert moved[0, [0, 1, 3]].min() >= 0

    @pytest.mark.parametrize("clip", [(1, 0), (0, 0), 1, (0,), (0, 1, 2), ("a", "b")])
    def test_no_range(self, clip):
        g = SmoothedClassifier(ModuleClassifier(linear()), random_state=0)
        for attack in (SmoothedPGD, DeepFool):
            with pytest.raises(ValueError, match="clip must be the least and the larg"):
                attack(clip=clip).generate(
                    g if attack is SmoothedPGD else g.estimator, X, np.ones(30, int)
                )
        for loss in (SmoothAdv, SmoothMix):
            with pytest.raises(ValueError, match="clip must be the least and the larg"):
                loss(clip=clip)

    @pytest.mark.parametrize("x", [X, 255 * abs(X), 1.001 + 0 * X])
    def test_outside(self, x):
        g = SmoothedClassifier(ModuleClassifier(linear()), random_state=0)
        y, message = np.ones(30, int), r"X leaves clip=\(0, 1\): its values go from"
        with pytest.raises(ValueError, match=message):
            SmoothedPGD(clip=(0, 1)).generate(g, x, y)
        with pytest.raises(ValueError, match=message):
            DeepFool(clip=(0, 1)).generate(g.estimator, x, y)
        module = Sequential(GaussianNoise(0.5, n_copies=2), linear())
        for loss in (SmoothAdv(clip=(0, 1)), SmoothMix(clip=(0, 1))):
            with pytest.raises(ValueError, match=message):
                loss.prepare(module, torch.from_numpy(x), torch.ones(30).long())

    def test_what_is_rounded_is_inside(self):
        x = np.clip(abs(X), 0, 1) + np.float32(1e-7)
        g = SmoothedClassifier(ModuleClassifier(linear()), random_state=0)
        SmoothedPGD(clip=(0, 1), steps=1).generate(g, x, np.ones(30, int))
        SmoothedPGD(clip=(0, np.inf), steps=1).generate(g, x, np.ones(30, int))

    def test_pixels_from_0_to_255(self):
        g = SmoothedClassifier(ModuleClassifier(linear()), sigma=20, random_state=0)
        x = np.full((2, 4), 100, np.uint8)
        for attack in (SmoothedPGD(), DecisionAttack()):
            if isinstance(attack, DecisionAttack):
                pytest.importorskip("art")
                x = x.reshape(2, 2, 2)
            with pytest.raises(ValueError, match="uint8, pixels from 0 to 255"):
                attack.generate(g, x, [0, 0])


@pytest.mark.parametrize("loss", [SmoothAdv, SmoothMix])
def test_sigma_by_feature(loss):
    """As in certificates: lengths are in units of sigma, and what has none stays."""
    sigma = torch.tensor([0.5, 0.1, 2.0, 0.0])
    layer, y = GaussianNoise(sigma, n_copies=1), torch.from_numpy(1 * (SCORE > 0))
    module, x = Sequential(layer, linear()), torch.from_numpy(X)
    params = {"clip": (-9.0, 9.0), "T": 1}
    params |= (
        {"epsilon": 0.7} if loss is SmoothAdv else {"alpha": 0.7, "one_step": True}
    )
    criterion = loss(**params)
    got = []
    layer.register_forward_hook(lambda layer, args, out: got.append(out.detach()))
    torch.manual_seed(0)
    criterion.prepare(module, x, y)
    got.clear()
    module(x)
    torch.manual_seed(0)
    shift = got[0][:30] - x - layer.draw(x)
    assert (shift[:, 3] == 0).all()
    way = shift[:, :3] / sigma[:3]
    np.testing.assert_allclose(way.norm(dim=1), 0.7, rtol=1e-4)
    steepest = (
        np.where(y.numpy() == 1, -1, 1)[:, None] * WEIGHTS[:3] * sigma[:3].numpy()
    )
    steepest *= 0.7 / np.linalg.norm(steepest, axis=1, keepdims=True)
    np.testing.assert_allclose(way, steepest, atol=1e-4)


class TestCATRS:
    def test_sigma_by_feature_is_refused(self):
        module = Sequential(GaussianNoise([0.5, 0.1, 1, 1], n_copies=2), linear())
        with pytest.raises(ValueError, match="CATRS needs a sigma that is one number"):
            CATRS().prepare(module, torch.from_numpy(X), torch.ones(30).long())

    def test_one_copy_cannot_teach_itself(self):
        module = Sequential(GaussianNoise(0.5), linear())
        x, y = torch.from_numpy(X), torch.ones(30).long()
        with pytest.raises(ValueError, match="without a teacher .* at least 2"):
            CATRS().prepare(module, x, y)
        CATRS(teacher=linear()).prepare(module, x, y)
        CATRS(lbd=0).prepare(module, x, y)


@pytest.mark.parametrize("loss", [SmoothAdv, SmoothMix, CATRS, Stability])
class TestOnePass:
    def made(self, loss, *first):
        layer = GaussianNoise(0.5, n_copies=4)
        module = Sequential(*first, layer, linear())
        return loss(), module, torch.from_numpy(X), torch.from_numpy(1 * (SCORE > 0))

    def test_another_pass_took_the_noise(self, loss):
        criterion, module, x, y = self.made(loss)
        for train in (True, False):  # such as one that logs the accuracy
            criterion.prepare(module, x, y)
            module.train(train)(x)
            outputs = module.train()(x)
            with pytest.raises(
                ValueError, match="another forward pass .* call prepare"
            ):
                criterion(outputs, y)

    def test_a_pass_in_eval_mode_may_come_after_it(self, loss):
        criterion, module, x, y = self.made(loss)
        criterion.prepare(module, x, y)
        outputs = module(x)
        module.eval()(x)
        assert criterion(outputs, y).isfinite()

    def test_training_in_eval_mode(self, loss):
        """To leave BatchNorm as it is."""
        criterion, module, x, y = self.made(loss)
        criterion.prepare(module.eval(), x, y)
        assert criterion(module(x), y).isfinite()

    def test_the_layer_gets_something_else(self, loss):
        criterion, module, x, y = self.made(loss, Normalize(0.5, 0.25))
        criterion.prepare(module, x, y)
        with pytest.raises(ValueError, match="has to come first in the net"):
            criterion(module(x), y)

    def test_of_another_dtype(self, loss):
        class Floats(torch.nn.Module):
            def forward(self, x):
                return x.float()

        criterion, module, x, y = self.made(loss, Floats())
        x = x.double() + 1e-12
        criterion.prepare(module, x, y)
        assert criterion(module(x), y).isfinite()

    def test_nothing_of_the_batch_stays(self, loss):
        """Neither in files nor in copies, even if no loss was asked for."""
        criterion, module, x, y = self.made(loss)
        criterion.prepare(module, x, y)
        module(x)
        for twin in (pickle.loads(pickle.dumps(module)), copy.deepcopy(module)):
            assert twin[0]._met is twin[0]._next is None
            assert hash_estimator(twin) == hash_estimator(module)


@pytest.mark.parametrize("params", [{}, {"consistency": 0.0, "eta": 0.5}])
@pytest.mark.parametrize("loss", [ConsistencyLoss, SmoothAdv])
def test_one_copy_has_nothing_to_be_compared_with(loss, params):
    params = {"consistency": 3.0, **params}
    criterion, y = loss(**params), torch.from_numpy(1 * (SCORE > 0))
    module, x = Sequential(GaussianNoise(0.5), linear()), torch.from_numpy(X)
    if loss is SmoothAdv:
        criterion.prepare(module, x, y)
    with pytest.raises(ValueError, match="n_copies=2.*criterion.eval"):
        criterion(module(x), y)
    plain = torch.nn.functional.cross_entropy(module.eval()(x), y)
    assert criterion.eval()(module(x), y) == plain


@pytest.mark.parametrize("dtype", [torch.uint8, torch.int64])
def test_whole_numbers_are_not_standardised(dtype):
    with pytest.raises(ValueError, match=r"x\.float\(\) / 255"):
        Normalize([0.5], [0.25])(torch.ones(1, 1, 2, 2, dtype=dtype))
    out = Normalize([0.5], [0.25])(torch.ones(1, 1, 2, 2, dtype=torch.float16))
    assert out.dtype == torch.float16 and (out == 2).all()


class TestDecisionAttack:
    @pytest.fixture(autouse=True)
    def _art(self):
        pytest.importorskip("art")

    @pytest.mark.parametrize(
        "params", [{"noise": "laplace"}, {"noise": "uniform"}, {"sigma": [0.1] * 4}]
    )
    def test_radii_of_another_kind(self, params):
        f = RandomForestClassifier(3, random_state=0).fit(X, SCORE > 0)
        g = SmoothedClassifier(f, n=100, n0=10, random_state=0, **params)
        with pytest.raises(ValueError, match="in l2, in the units of X"):
            DecisionAttack().generate(g, X[:2], (SCORE > 0)[:2])

    def test_labels(self):
        f = RandomForestClassifier(3, random_state=0).fit(X, SCORE > 0)
        g = SmoothedClassifier(f, sigma=0.1, n=100, n0=10, random_state=0)
        with pytest.raises(ValueError, match="y must have a label of"):
            DecisionAttack().generate(g, X[:2], [5, 5])

    def test_one_input_of_one_feature_can_move(self):
        f = RandomForestClassifier(3, random_state=0).fit(X[:, 3:], X[:, 3] > 0)
        g = SmoothedClassifier(f, sigma=0.1, n=500, n0=10, random_state=0)
        moved = DecisionAttack(2.0, max_iter=2).generate(g, [[0.5]], [True])
        assert not g.predict(moved)[0]
