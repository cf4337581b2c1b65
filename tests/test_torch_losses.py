"""Losses for training under noise, against slow computations in NumPy."""

import copy
import pickle
from functools import partial

import numpy as np
import pytest
from scipy import stats
from scipy.special import log_softmax, softmax
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.model_selection import GridSearchCV

torch = pytest.importorskip("torch")
pytest.importorskip("skorch")

from skorch.dataset import ValidSplit  # noqa: E402

from sksmooth import SmoothedClassifier, certified_accuracy_scorer  # noqa: E402
from sksmooth.torch import (  # noqa: E402
    CATRS,
    MACER,
    ConsistencyLoss,
    GaussianNoise,
    PrepareCopies,
    SmoothAdv,
    SmoothMix,
    Stability,
)
from sksmooth.torch._remembered import Remembered  # noqa: E402
from tests.nets import classifier  # noqa: E402

SIGMA = 0.5
N, D, C = 5, 6, 3
rng = np.random.default_rng(0)
X, Y = rng.normal(size=(N, D)), np.array([1, 0, 2, 2, 1])
# What each of them needs to be worth a test; together with the classes themselves.
PREPARED = [
    partial(SmoothAdv, epsilon=0.7, T=3),
    partial(SmoothAdv, epsilon=0.7, T=3, consistency=2.0, eta=0.5),
    partial(SmoothMix, eta=3.0, alpha=0.4, T=3),
    partial(SmoothMix, eta=3.0, alpha=0.4, T=3, one_step=True),
    partial(CATRS, epsilon=0.7, T=3, lbd=2.0),
    partial(MACER, lbd=3.0),
    partial(Stability, lbd=0.5),
]


def name_of(make):
    return "-".join([make.func.__name__, *make.keywords])


each_loss = pytest.mark.parametrize("make", PREPARED, ids=name_of)


class Linear:
    """A net W x + b behind a noise layer, and what it gets in its last forward pass."""

    def __init__(self, n_copies=3, sigma=SIGMA):
        generator = np.random.default_rng(1)
        self.linear = torch.nn.Linear(D, C, dtype=torch.float64)
        self.W, self.b = generator.normal(0, 0.5, (C, D)), generator.normal(size=C)
        with torch.no_grad():
            self.linear.weight.copy_(torch.from_numpy(self.W))
            self.linear.bias.copy_(torch.from_numpy(self.b))
        self.layer = GaussianNoise(sigma, n_copies=n_copies)
        self.module = torch.nn.Sequential(self.layer, self.linear)
        self.linear.register_forward_pre_hook(self._keep)
        self.n_forward = self.n_backward = 0

    def _keep(self, module, args):
        self.rows = args[0].detach().numpy().reshape(-1, N, D)
        self.n_forward += len(self.rows)

    def count_backward(self):
        def count(gradient):
            self.n_backward += len(gradient) // N

        def watch(module, args, output):
            output.register_hook(count)

        self.linear.register_forward_hook(watch)

    def step(self, criterion, epoch=None):
        """Return the loss after a step's forward pass; its gradients are in the net."""
        x, y = torch.from_numpy(X), torch.from_numpy(Y)
        torch.manual_seed(3)
        if hasattr(criterion, "prepare"):
            criterion.prepare(self.module, x, y, epoch=epoch)
        loss = criterion(self.module(x), y)
        loss.backward()
        return loss.item()

    def drawn(self):
        """Return the noise that `step` began with."""
        torch.manual_seed(3)
        noise = self.layer.draw(torch.from_numpy(X)).numpy()
        return noise.reshape(-1, N, D)

    def check(self, reference, loss):
        """Compare a loss and its gradient with a function of weights and biases."""
        assert loss == pytest.approx(reference(self.W, self.b), rel=1e-9)
        slopes = np.empty_like(self.W)
        for place in np.ndindex(*slopes.shape):
            step = np.zeros_like(self.W)
            step[place] = 1e-5
            ends = (reference(self.W + s * step, self.b) for s in (1, -1))
            slopes[place] = np.subtract(*ends) / 2e-5
        gradient = self.linear.weight.grad.numpy()
        np.testing.assert_allclose(gradient, slopes, rtol=1e-5, atol=1e-8)


def unit(vector):
    return vector / np.linalg.norm(vector)


def into_ball(vector, epsilon):
    return vector * min(1, epsilon / np.linalg.norm(vector))


def soft_slope(net, x, y, noise):
    """The gradient of -log of the mean softmax at y, one input under its noises."""
    shares = [softmax(net.W @ (x + d) + net.b) for d in noise]
    parts = [p[y] * net.W.T @ (np.eye(C)[y] - p) for p in shares]
    return -sum(parts) / sum(p[y] for p in shares)


def adversarial(net, noise, steps, step_size, epsilon=np.inf, start=None):
    """Return where each step of the attack on g leads, input by input."""
    path = np.empty((steps, N, D))
    for i, (x, y) in enumerate(zip(X, Y, strict=True)):
        shift = np.zeros(D) if start is None else start[i]
        for t in range(steps):
            shift = shift + step_size * unit(soft_slope(net, x + shift, y, noise[:, i]))
            shift = path[t, i] = into_ball(shift, epsilon)
    return path


class TestSmoothAdv:
    @pytest.mark.parametrize("m", [1, 2, 4])
    def test_attack_and_objective(self, m):
        net = Linear(m)
        loss = net.step(SmoothAdv(0.7, T=3))
        noise = net.drawn()
        shift = adversarial(net, noise, 3, 2 * 0.7 / 3, 0.7)[-1]
        np.testing.assert_allclose(net.rows, X + shift + noise)
        rows = net.rows

        def objective(W, b):
            logs = log_softmax(rows @ W.T + b, axis=2)
            return -np.mean([logs[:, i, y] for i, y in enumerate(Y)])

        net.check(objective, loss)

    def test_with_consistency(self):
        net, epsilon = Linear(3), 0.7
        loss = net.step(SmoothAdv(epsilon, T=3, consistency=2.0, eta=0.5))
        logits = torch.from_numpy(net.rows @ net.W.T + net.b).flatten(0, 1)
        expected = ConsistencyLoss(2.0, eta=0.5)(logits, torch.from_numpy(Y))
        assert loss == pytest.approx(expected.item())

    def test_the_ball_is_of_l2(self):
        """As long as epsilon in all dimensions together, and not beyond."""
        net = Linear(2)
        net.step(SmoothAdv(0.7, T=4))
        shift = net.rows - X - net.drawn()
        np.testing.assert_allclose(np.linalg.norm(shift, axis=2), 0.7, rtol=1e-9)

    def test_warmup(self):
        net = Linear(2)
        for epoch, share in [(0, 0.25), (1, 0.5), (3, 1), (9, 1), (None, 1)]:
            net.step(SmoothAdv(0.8, T=4, warmup=4), epoch)
            length = np.linalg.norm(net.rows - X - net.drawn(), axis=2)
            np.testing.assert_allclose(length, 0.8 * share, rtol=1e-9)

    def test_clip(self):
        net = Linear(2)
        bounds = X.min() - 0.1, X.max() + 0.01
        net.step(SmoothAdv(3.0, T=4, clip=bounds))
        moved = net.rows - net.drawn()
        assert moved.min() >= bounds[0] - 1e-9 and moved.max() <= bounds[1] + 1e-9
        assert np.linalg.norm(moved - X, axis=2).max() > 1

    def test_without_a_radius_it_is_plain_noise(self):
        plain, net = Linear(3), Linear(3)
        loss = net.step(SmoothAdv(0.0))
        torch.manual_seed(3)
        y = torch.from_numpy(Y)
        expected = torch.nn.CrossEntropyLoss()(
            plain.module(torch.from_numpy(X)), y.repeat(3)
        )
        assert loss == expected.item()
        assert net.n_forward == 3

    def test_an_attack_begins_where_the_last_one_ended(self):
        net, shift, epsilon = Linear(2), None, 0.7
        criterion = SmoothAdv(epsilon, T=2, remember=True)
        for epoch in range(5):
            net.step(criterion, epoch)
            step_size = epsilon / 4
            shift = adversarial(net, net.drawn(), 2, step_size, epsilon, shift)[-1]
            np.testing.assert_allclose(net.rows, X + shift + net.drawn(), rtol=1e-9)
        assert np.linalg.norm(shift, axis=1).min() > 0.6

    @pytest.mark.parametrize("again", [lambda c: c.forget() or c, copy.deepcopy])
    def test_what_is_forgotten(self, again):
        criterion = SmoothAdv(0.7, T=2, remember=True)
        first, second = Linear(), Linear()
        first.step(SmoothAdv(0.7, T=2))
        second.step(criterion, 0)
        second.step(criterion, 1)
        assert not np.allclose(first.rows, second.rows)
        second.step(again(criterion), 2)
        np.testing.assert_allclose(first.rows, second.rows, rtol=1e-9)

    def test_what_is_new_is_attacked_as_without_memory(self):
        """As where training goes on, or images are flipped; not in the first epoch."""
        criterion = SmoothAdv(0.7, T=2, remember=True)
        one, other = Linear(2), Linear(2)
        one.step(criterion, 5)
        other.step(SmoothAdv(0.7, T=2))
        np.testing.assert_allclose(one.rows, other.rows, rtol=1e-9)
        one.step(criterion, 6)
        assert not np.allclose(one.rows, other.rows, atol=1e-3)

    def test_one_input_with_two_labels(self):
        """Each is attacked from where its own attack ended."""
        net = torch.nn.Sequential(GaussianNoise(1e-6), torch.nn.Linear(2, 2))
        x, y = torch.zeros(4, 2), torch.tensor([0, 1, 1, 0])
        criterion = SmoothAdv(1.0, T=1, remember=True)
        for epoch in range(4):
            criterion.prepare(net, x, y, epoch=epoch)
            criterion(net(x), y)
        shift, _ = criterion._shifts.recall(x, y, 4)
        weight = (net[1].weight[1] - net[1].weight[0]).detach()
        side = shift @ weight / weight.norm()
        np.testing.assert_allclose(side, [1, -1, -1, 1], atol=1e-3)

    def test_to_remember_takes_epochs(self):
        with pytest.raises(ValueError, match="epoch=epoch"):
            Linear().step(SmoothAdv(remember=True))


class TestRemembered:
    @pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.bfloat16])
    def test_inputs_are_known_in_any_order(self, dtype):
        generator = torch.Generator().manual_seed(0)
        x = torch.rand((1000, 1, 3, 5), generator=generator).to(dtype)
        x[500:] = x[:500]  # with another target
        target = torch.arange(1000) // 500
        values = torch.rand(x.shape, generator=generator).to(dtype)
        remembered, last = Remembered(), torch.zeros_like(x)
        for epoch in range(3):
            order = torch.randperm(len(x), generator=generator)
            for batch in order.split([300, 1, 699]):
                rows = x[batch], target[batch]
                recalled, found = remembered.recall(*rows, epoch)
                assert torch.equal(recalled, last[batch])
                assert bool(found.all() if epoch else not found.any())
                remembered.put(*rows, epoch + values[batch])
            last = epoch + values
        assert len(pickle.dumps(remembered)) < 1000

    def test_what_is_new_or_long_ago(self):
        x, y = torch.arange(12.0).reshape(6, 2), torch.zeros(6)
        remembered = Remembered()
        for epoch, rows in enumerate([x[:4], x[2:], x, x]):
            own = rows, y[: len(rows)]
            got, found = remembered.recall(*own, epoch)
            assert found.sum() == [0, 2, 4, 6][epoch]
            assert torch.equal(found, got.all(dim=1))
            remembered.put(*own, torch.ones_like(rows))
        assert not remembered.recall(x, y, 1)[0].any()  # another training
        remembered.put(x, y, torch.ones_like(x))
        other = torch.ones(2, 3)
        assert not remembered.recall(other, y[:2], 2)[0].any()
        remembered.put(other, y[:2], other)
        with pytest.raises(ValueError, match="all of one shape"):
            remembered.put(x, y, x)

    def test_one_bit_makes_another_input(self):
        x, y = torch.zeros(1, 784), torch.zeros(1)
        remembered = Remembered()
        remembered.recall(x, y, 0)
        remembered.put(x, y, torch.ones_like(x))
        for place in range(784):
            other = x.clone()
            other[0, place] = 1e-45
            assert not remembered.recall(other, y, 1)[1].any()
        assert not remembered.recall(x, y + 1, 1)[1].any()
        assert remembered.recall(x, y, 1)[0].all()


class TestSmoothMix:
    @pytest.mark.parametrize("m", [1, 3])
    @pytest.mark.parametrize("one_step", [False, True])
    def test_attack_and_objective(self, m, one_step):
        net = Linear(m)
        loss = net.step(SmoothMix(3.0, alpha=0.4, T=3, one_step=one_step))
        noise = net.drawn()
        path = adversarial(net, noise, 3, 0.4)
        start = X + path[0] if one_step else X
        clean, mixed = net.rows[:m], net.rows[m:]
        np.testing.assert_allclose(clean, start + noise)
        way, gone = X + path[-1] - start, mixed - noise - start
        share = (gone * way).sum(axis=2) / (way**2).sum(axis=1)
        np.testing.assert_allclose(gone, share[:, :, None] * way, atol=1e-9)
        np.testing.assert_allclose(share, share[:1].repeat(m, 0))
        share = share[0]
        assert 0 < share.min() and share.max() < 0.5 and share.std() > 0.02

        def objective(W, b):
            total = 0
            for i, (y, s) in enumerate(zip(Y, share, strict=True)):
                F = softmax(clean[:, i] @ W.T + b, axis=1)
                total -= np.log(F[:, y]).mean()
                soft = F.mean(axis=0)
                if soft.argmax() == y:
                    wanted = (1 - s) * soft + s / C
                    other = softmax(mixed[:, i] @ W.T + b, axis=1)
                    total += 3 * stats.entropy(wanted[None], other, axis=1).mean()
            return total / N

        net.check(objective, loss)

    def test_steps_add_up(self):
        """In two classes the direction never changes: T steps lead alpha T far."""
        module = torch.nn.Sequential(GaussianNoise(0.1), torch.nn.Linear(4, 2))
        rows = []
        module[1].register_forward_pre_hook(
            lambda _, args: rows.append(args[0].detach())
        )
        x, y = torch.randn(6, 4), torch.tensor([0, 1] * 3)
        SmoothMix(alpha=0.3, T=5).prepare(module, x, y)
        moved = (rows[4] - rows[0]).norm(dim=1)
        assert len(rows) == 5
        np.testing.assert_allclose(moved, 4 * 0.3, rtol=1e-4)

    def test_warmup(self):
        """At first the mixtures, and the one step, count little."""
        net = Linear(2)
        net.step(SmoothMix(3.0, alpha=0.4, T=2, one_step=True, warmup=4), 0)
        length = np.linalg.norm(net.rows[:2] - X - net.drawn(), axis=2)
        np.testing.assert_allclose(length, 0.1, rtol=1e-9)
        values = [
            Linear(2).step(SmoothMix(eta, alpha=0.4, T=2, warmup=warmup), 0)
            for eta, warmup in [(0.0, 1), (4.0, 1), (4.0, 4)]
        ]
        assert values[2] - values[0] == pytest.approx((values[1] - values[0]) / 4)


class TestCATRS:
    def attacked(self, net, noise, soft, steps, epsilon):
        worst = np.empty_like(noise)
        for j, i in np.ndindex(*noise.shape[:2]):
            d = first = noise[j, i]
            for _ in range(steps):
                p = softmax(net.W @ (X[i] + d) + net.b)
                d = d + 2 * epsilon / steps * unit(net.W.T @ (p - soft[i]))
                d = first.mean() + (d - d.mean()) * first.std() / d.std()
                d = first + into_ball(d - first, epsilon)
            worst[j, i] = d
        return worst

    @pytest.mark.parametrize("m", [2, 4])
    @pytest.mark.parametrize("taught", [False, True])
    def test_attack_and_objective(self, m, taught, monkeypatch):
        uniform = np.random.default_rng(5).random((m, N))
        monkeypatch.setattr(torch, "rand_like", lambda x: torch.from_numpy(uniform))
        net, other = Linear(m), Linear()
        other.linear.weight.data *= -0.5
        teacher = other.module if taught else None
        loss = net.step(CATRS(0.7, T=3, lbd=2.0, teacher=teacher))
        noise = net.drawn()
        W = other.linear.weight.detach().numpy() if taught else net.W
        soft = softmax((X + noise) @ W.T + net.b, axis=2).mean(axis=0)
        plain, worst = net.rows[:m], net.rows[m:]
        np.testing.assert_allclose(plain, X + noise)
        expected = X + self.attacked(net, noise, soft, 3, 0.7)
        np.testing.assert_allclose(worst, expected, rtol=1e-6)
        right = (plain @ net.W.T + net.b).argmax(axis=2) == Y
        kept = np.maximum(1, (uniform < right.mean(axis=0)).sum(axis=0))
        assert len(set(kept)) > 1 and m in kept

        def objective(W, b):
            total = 0
            for i, (y, k) in enumerate(zip(Y, kept, strict=True)):
                losses = -log_softmax(plain[:, i] @ W.T + b, axis=1)[:, y]
                total += np.sort(losses)[:k].sum() / m
                if k == m:
                    F = softmax(worst[:, i] @ W.T + b, axis=1)
                    total += 2 * stats.entropy(soft[i][None], F, axis=1).max()
            return total / N

        net.check(objective, loss)

    def test_the_ball_is_of_l2(self):
        net = Linear(4)
        net.step(CATRS(0.7, T=3))
        length = np.linalg.norm(net.rows[4:] - net.rows[:4], axis=2)
        assert length.max() <= 0.7 * (1 + 1e-9) and length.min() > 0.2

    def test_sure_and_unsure_inputs(self):
        """All copies right, for sure: plain cross entropy. All wrong: the easiest."""
        for sign in (1, -1):
            net = Linear(4, sigma=1e-3)
            net.linear.weight.data.copy_(sign * 9 * torch.eye(C, D))
            y = torch.from_numpy(X[:, :C].argmax(axis=1))
            criterion = CATRS(lbd=0.0)
            criterion.prepare(net.module, torch.from_numpy(X), y)
            output = net.module(torch.from_numpy(X))
            each = torch.nn.functional.cross_entropy(
                output, y.repeat(4), reduction="none"
            ).reshape(4, N)
            expected = each.mean(0) if sign > 0 else each.amin(0) / 4
            torch.testing.assert_close(criterion(output, y), expected.mean())

    def test_the_teacher_is_not_trained(self):
        teacher = Linear().module
        criterion = CATRS(teacher=teacher)
        assert not list(criterion.parameters())
        Linear().step(criterion)
        assert teacher.training
        assert all(weight.grad is None for weight in teacher.parameters())
        assert clone(classifier(criterion__teacher=teacher), safe=False)


class TestMACER:
    @pytest.mark.parametrize("k", [1, 4])
    @pytest.mark.parametrize("gamma", [8.0, 4.0])
    def test_objective(self, k, gamma):
        net = Linear(k)
        loss = net.step(MACER(3.0, gamma=gamma, beta=2.0))
        rows = net.rows
        active = []

        def objective(W, b):
            total = 0
            for i, y in enumerate(Y):
                z = rows[:, i] @ W.T + b
                total -= np.log(softmax(z, axis=1).mean(axis=0)[y])
                soft = softmax(2 * z, axis=1).mean(axis=0)
                xi = stats.norm.ppf(soft[y]) - stats.norm.ppf(np.delete(soft, y).max())
                if soft.argmax() == y and xi < gamma:
                    active.append(i)
                    total += 3 * SIGMA / 2 * (gamma - xi)
            return total / N

        net.check(objective, loss)
        assert active

    def test_far_beyond_the_margin_and_all_wrong(self):
        """Shares that round to 0 and 1 leave the loss and its gradient finite."""
        for scale, limit in [(1e4, 1e-6), (-1e4, np.inf)]:
            net = Linear(2, sigma=1e-3)
            net.linear.weight.data.copy_(scale * torch.eye(C, D))
            net.linear.bias.data.zero_()
            criterion, x = MACER(3.0), torch.from_numpy(X)
            y = x[:, :C].argmax(dim=1)
            criterion.prepare(net.module, x, y)
            loss = criterion(net.module(x), y)
            loss.backward()
            assert loss.isfinite() and loss < limit
            assert net.linear.weight.grad.isfinite().all()

    def test_deferred(self):
        criterion, net = MACER(3.0, deferred=2), Linear()
        first, second, third = (net.step(criterion, epoch) for epoch in range(3))
        assert first == second < third == net.step(MACER(3.0))
        assert first == net.step(MACER(0.0))

    def test_sigma_is_that_of_the_layer(self):
        net = Linear()
        net.layer.sigma = [0.5] * D
        with pytest.raises(ValueError, match="sigma that is one number"):
            net.step(MACER())
        net.layer.sigma = 0.5
        plain, full = net.step(MACER(0.0)), net.step(MACER(8.0))
        assert full - plain == pytest.approx(4 * (net.step(MACER(2.0)) - plain))


class TestStability:
    @pytest.mark.parametrize("m", [1, 3])
    def test_objective(self, m):
        net = Linear(m)
        loss = net.step(Stability(1.5))
        np.testing.assert_allclose(net.rows, [X, *(X + net.drawn())])
        rows = net.rows

        def objective(W, b):
            logs = log_softmax(rows @ W.T + b, axis=2)
            total = -logs[0, range(N), Y].mean()
            return total - 1.5 * (np.exp(logs[0]) * logs[1:]).sum(axis=2).mean()

        net.check(objective, loss)


def test_the_entropy_of_consistency():
    net = Linear(3)
    y = torch.from_numpy(Y).repeat(3)
    torch.manual_seed(3)
    output = net.module(torch.from_numpy(X))
    loss = ConsistencyLoss(2.0, eta=0.5)(output, y[:N])
    loss.backward()
    rows = net.rows

    def objective(W, b):
        p = softmax(rows @ W.T + b, axis=2)
        mean = p.mean(axis=0)
        loss = -np.log(p[:, range(N), Y]).mean()
        loss += 2 * stats.entropy(mean[None], p, axis=2).mean()
        return loss + 0.5 * stats.entropy(mean, axis=1).mean()

    net.check(objective, loss.item())
    with pytest.raises(ValueError, match="eta must be finite and not negative"):
        ConsistencyLoss(eta=-1)


class TestAll:
    @each_loss
    def test_what_they_leave_alone(self, make):
        """Modes, weights, gradients, and what BatchNorm knows."""
        module = torch.nn.Sequential(
            GaussianNoise(0.5, in_eval=True, n_copies=2),
            torch.nn.Linear(D, 8),
            torch.nn.BatchNorm1d(8),
            torch.nn.ReLU(),
            torch.nn.Dropout(0.5),
            torch.nn.Linear(8, C),
        )
        module[2].eval()
        before = {k: v.clone() for k, v in module.state_dict().items()}
        x, y = torch.from_numpy(X).float(), torch.from_numpy(Y)
        criterion = make()
        criterion.prepare(module, x, y)
        assert all(torch.equal(before[k], v) for k, v in module.state_dict().items())
        assert all(weight.grad is None for weight in module.parameters())
        modes = [part.training for part in module]
        assert modes == [True, True, False, True, True, True]
        assert module[0].in_eval
        loss = criterion(module(x), y)
        assert loss.dtype == torch.float32
        loss.backward()
        assert all(weight.grad.isfinite().all() for weight in module.parameters())
        with pytest.raises(ValueError, match="prepared nothing"):
            criterion(module(x), y)
        module.eval()(x)  # nothing is left for another pass
        assert len(module(x)) == N

    @each_loss
    def test_noise_is_fresh(self, make):
        net, x, y = Linear(2), torch.from_numpy(X), torch.from_numpy(Y)
        rows = []
        for _ in range(2):
            criterion = make()
            criterion.prepare(net.module, x, y)
            net.module(x)
            rows.append(net.rows)
        same = np.isclose(*rows).all(axis=2)
        assert not same[make.func is Stability :].any()

    @each_loss
    def test_without_preparation(self, make):
        logits, y = torch.zeros(2 * N, C), torch.from_numpy(Y)
        criterion = make()
        with pytest.raises(ValueError, match="prepared nothing.*PrepareCopies"):
            criterion(logits, y)
        loss = criterion.eval()(logits[:N], y)
        assert loss.item() == pytest.approx(np.log(C))

    @each_loss
    def test_saturated_nets(self, make):
        """Where gradients underflow, everything stays finite."""
        net = Linear(2)
        net.linear.weight.data *= 1e4
        assert np.isfinite(net.step(make()))
        assert np.isfinite(net.rows).all()
        assert net.linear.weight.grad.isfinite().all()

    @each_loss
    def test_pickle(self, make):
        criterion = pickle.loads(pickle.dumps(make()))
        assert Linear().step(criterion) == Linear().step(make())

    def test_the_noise_layer_has_to_be_there_and_first(self):
        x, y = torch.from_numpy(X), torch.from_numpy(Y)
        linear = Linear().linear
        for n in (0, 2):
            module = torch.nn.Sequential(*[GaussianNoise(1.0)] * 0, linear)
            for _ in range(n):
                module.append(GaussianNoise(1.0))
            with pytest.raises(ValueError, match=f"{n} GaussianNoise layers"):
                SmoothAdv().prepare(module, x, y)
        with pytest.raises(ValueError, match="has to come first"):
            SmoothAdv().prepare(torch.nn.Sequential(linear, GaussianNoise()), x, y)

    @pytest.mark.parametrize(
        "make, name",
        [
            (partial(SmoothAdv, -1), "epsilon"),
            (partial(SmoothAdv, T=0), "T"),
            (partial(SmoothAdv, remember="no"), "remember"),
            (partial(SmoothAdv, T=1.5), "T"),
            (partial(SmoothAdv, warmup=0), "warmup"),
            (partial(SmoothMix, np.inf), "eta"),
            (partial(SmoothMix, alpha=-1), "alpha"),
            (partial(CATRS, lbd=np.nan), "lbd"),
            (partial(MACER, gamma=-1), "gamma"),
            (partial(MACER, deferred=True), "deferred"),
            (partial(Stability, -1), "lbd"),
        ],
    )
    def test_bad_parameters(self, make, name):
        with pytest.raises(ValueError, match=f"^{name} must be"):
            make()

    @pytest.mark.parametrize(
        "criterion, copies",
        [
            (ConsistencyLoss(), 2),
            (Stability(), 1 + 2),
            (MACER(), 2),
            (SmoothAdv(T=5), 2 * (5 + 1)),
            (SmoothAdv(T=1, remember=True), 2 * (1 + 1)),
            (SmoothMix(T=5), 2 * (5 + 2)),
            (CATRS(T=5), 2 * (5 + 2)),
        ],
        ids=lambda value: "" if isinstance(value, int) else type(value).__name__,
    )
    def test_cost(self, criterion, copies):
        """Forward and backward passes of one input, with m = 2: docs/training.md."""
        net = Linear(2)
        net.count_backward()
        net.step(criterion, epoch=0)
        assert net.n_forward == net.n_backward == copies


digits, labels = load_digits(return_X_y=True)
digits, labels = (digits[:400] / 16).astype(np.float32), labels[:400]


def digits_net(make, **params):
    return classifier(
        module__n_features=64,
        module__n_outputs=10,
        module__sigma=0.25,
        module__n_copies=2,
        criterion=make.func,
        **{f"criterion__{name}": value for name, value in make.keywords.items()},
        callbacks=[("copies", PrepareCopies())],
        batch_size=64,
        **params,
    )


class OneLogit(torch.nn.Module):
    """Two linear logits, or their difference alone, as a column or not."""

    def __init__(self, form):
        super().__init__()
        self.noise = GaussianNoise(SIGMA, n_copies=3)
        generator = torch.Generator().manual_seed(0)
        self.weight = torch.nn.Parameter(torch.randn(2, D, generator=generator))
        self.form = form

    def forward(self, x):
        z = self.noise(x) @ self.weight.T
        one = z[:, 1] - z[:, 0]
        return {"two": z, "column": one[:, None], "row": one}[self.form]


@pytest.mark.parametrize("make", [*PREPARED, partial(ConsistencyLoss, 3.0, eta=0.5),
                                  "teacher"], ids=str)  # fmt: skip
def test_one_logit_is_two(make):
    found = []
    x, labels = torch.from_numpy(X).float(), torch.tensor([1, 0, 1, 1, 0])
    for form, target in (
        ("two", labels), ("column", labels[:, None].float()), ("row", labels.float()),
    ):  # fmt: skip
        net = OneLogit(form)
        teacher = OneLogit(form)
        criterion = CATRS(0.7, teacher=teacher) if make == "teacher" else make()
        torch.manual_seed(3)
        if hasattr(criterion, "prepare"):
            criterion.prepare(net, x, target)
        loss = criterion(net(x), target)
        loss.backward()
        found.append((loss.detach(), net.weight.grad))
    for loss, gradient in found[1:]:
        torch.testing.assert_close(loss, found[0][0], rtol=1e-4, atol=1e-6)
        torch.testing.assert_close(gradient, found[0][1], rtol=1e-3, atol=1e-5)
    assert found[0][1].abs().max() > 1e-3


def test_targets_between_two_classes():
    with pytest.raises(ValueError, match="must be class numbers"):
        ConsistencyLoss()(torch.zeros(4), torch.tensor([0.5, 1.0]))


class TestSkorch:
    @each_loss
    def test_training(self, make):
        """With validation, which is clean, inside a SmoothedClassifier."""
        net = digits_net(make, train_split=ValidSplit(5), max_epochs=20)
        g = SmoothedClassifier(
            net, sigma=0.25, n=100, noise_param="module__sigma", random_state=0
        ).fit(digits, labels)
        net = g.estimator_
        assert np.isfinite(net.history[:, ("train_loss", "valid_loss")]).all()
        assert g.score(digits, labels) > 0.8
        again = pickle.loads(pickle.dumps(net))
        np.testing.assert_array_equal(again.predict(digits), net.predict(digits))

    @each_loss
    def test_parameters(self, make):
        net = digits_net(make)
        params = clone(net).get_params()
        for name, value in make.keywords.items():
            assert params[f"criterion__{name}"] == value
        assert "copies" in str(net.initialize().get_params()["callbacks"])
        assert repr(net)
        first = next(iter({"T", "lbd", "eta"} & set(vars(net.criterion_))))
        net.set_params(**{f"criterion__{first}": 1})
        assert getattr(net.criterion_, first) == 1

    def test_what_is_remembered_of_inputs(self):
        """From epoch to epoch, in any order; when training is over, nothing."""
        recalled = []

        class Loss(SmoothAdv):
            def prepare(self, module, x, y, *, epoch):
                recalled.append((epoch, int(self._shifts.recall(x, y, epoch)[1].sum())))
                super().prepare(module, x, y, epoch=epoch)

        make = partial(Loss, epsilon=0.5, T=1, remember=True)
        net = digits_net(make, max_epochs=3).set_params(module__n_copies=1)
        net.set_params(iterator_train__shuffle=True)
        net.fit(digits, labels)
        for epoch in range(3):
            known = sum(n for at, n in recalled if at == epoch)
            assert known == (len(digits) if epoch else 0)
        rows = torch.from_numpy(digits), torch.from_numpy(labels)
        assert not net.criterion_._shifts.recall(*rows, 3)[1].any()

    def test_the_epoch_is_counted(self):
        epochs = []

        class Loss(torch.nn.CrossEntropyLoss):
            forget = 0.1  # somebody else's

            def prepare(self, module, x, y, *, epoch):
                epochs.append(epoch)

        make = partial(Loss)
        net = digits_net(make, max_epochs=3).set_params(module__n_copies=1)
        net.fit(digits[:64], labels[:64])
        net.partial_fit(digits[:64], labels[:64])
        assert epochs == [0, 1, 2, 3, 4, 5]

    def test_grid_search(self):
        """Over a parameter of the loss, over losses, and over sigma."""
        search = GridSearchCV(
            SmoothedClassifier(
                digits_net(partial(SmoothAdv), max_epochs=4),
                n=100,
                noise_param="module__sigma",
                random_state=0,
            ),
            [
                {"estimator__criterion__epsilon": [0.1, 0.5]},
                {"estimator__criterion": [MACER], "sigma": [0.25, 0.5]},
                {
                    "estimator__criterion": [torch.nn.CrossEntropyLoss],
                    "estimator__module__n_copies": [1],
                },
            ],
            scoring=certified_accuracy_scorer(radius=0.1),
            cv=2,
            error_score="raise",
        ).fit(digits, labels)
        scores = search.cv_results_["mean_test_score"]
        assert len(scores) == 5 and len(set(scores)) > 1
