"""Nets through the public face: noise layer, ModuleClassifier, training, errors."""

import pickle
import subprocess
import sys

import numpy as np
import pytest
from scipy import sparse, stats
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import Normalizer

torch = pytest.importorskip("torch")
pytest.importorskip("skorch")

from skorch.dataset import ValidSplit  # noqa: E402

from sksmooth import SmoothedClassifier, certified_accuracy_scorer  # noqa: E402
from sksmooth.torch import (  # noqa: E402
    ConsistencyLoss,
    GaussianNoise,
    ModuleClassifier,
    Normalize,
    _module,
)
from tests.nets import MLP, classifier, halfspace_module  # noqa: E402

X, y = load_digits(return_X_y=True)
X = (X[:400] / 16).astype(np.float32)
y = y[:400]


def digits_net(**params):
    return classifier(module__n_features=64, module__n_outputs=10, **params)


def smoothed(estimator, **params):
    defaults = {
        "method": "monte_carlo",
        "sigma": 0.25,
        "n": 200,
        "n0": 20,
        "random_state": 0,
    }
    return SmoothedClassifier(estimator, **{**defaults, **params})


def test_torch_is_imported_only_when_it_is_used():
    code = (
        "import sys, sksmooth\n"
        "from sklearn.datasets import load_iris\n"
        "from sklearn.naive_bayes import GaussianNB\n"
        "X, y = load_iris(return_X_y=True)\n"
        "sksmooth.SmoothedClassifier(GaussianNB(), n=10).fit(X, y).predict(X[:2])\n"
        "print(sorted({'torch', 'skorch'} & set(sys.modules)))"
    )
    run = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert run.stdout.strip() == "[]"


class TestGaussianNoise:
    def test_noise_in_training_only(self):
        layer, x = GaussianNoise(0.5), torch.ones(20_000, 3)
        noisy = layer(x)
        assert (noisy - x).std().item() == pytest.approx(0.5, rel=0.02)
        assert not torch.equal(layer(x), noisy)
        assert layer.eval()(x) is x
        assert not torch.equal(GaussianNoise(0.5, in_eval=True).eval()(x), x)

    def test_sigma_zero_is_the_identity(self):
        x = torch.ones(5, 3)
        assert GaussianNoise(0)(x) is x

    @pytest.mark.parametrize("kind", [list, np.array, torch.tensor])
    def test_sigma_by_feature(self, kind):
        noise = GaussianNoise(kind([0.0, 1.0, 2.0]))(torch.zeros(20_000, 3))
        np.testing.assert_allclose(noise.std(dim=0), [0, 1, 2], rtol=0.03)

    @pytest.mark.parametrize("dtype", [torch.float64, torch.bfloat16])
    def test_dtype_and_device_are_those_of_the_input(self, dtype):
        for sigma in (0.1, [0.1, 0.2]):
            assert GaussianNoise(sigma)(torch.zeros(4, 2, dtype=dtype)).dtype == dtype
            out = GaussianNoise(sigma)(torch.zeros(4, 2, device="meta"))
            assert out.device.type == "meta"

    def test_checkpoints_hold_no_sigma(self):
        assert GaussianNoise(0.5).state_dict() == {}
        net = MLP(sigma=0.5)
        net.load_state_dict(MLP(sigma=0.1).state_dict())
        assert net.layers[0].sigma == 0.5

    def test_pickle_and_repr(self):
        copy = pickle.loads(pickle.dumps(GaussianNoise([0.5, 1.0], in_eval=True)))
        assert copy.sigma.tolist() == [0.5, 1.0]
        assert copy.in_eval
        assert repr(GaussianNoise(0.5)) == "GaussianNoise(sigma=0.5)"
        assert repr(GaussianNoise(1, n_copies=2)).endswith("sigma=1.0, n_copies=2)")

    @pytest.mark.parametrize("sigma", [0.5, [0.5, 0.0, 1.0]])
    def test_copies(self, sigma):
        layer = GaussianNoise(sigma, n_copies=3, in_eval=True)
        x = torch.arange(12.0).reshape(4, 3)
        noise = layer(x).reshape(3, 4, 3) - x
        assert not torch.equal(noise[0], noise[1])
        assert noise.abs().max() < 5
        assert layer.eval()(x).shape == (4, 3)
        assert GaussianNoise(0, n_copies=2)(x).equal(torch.cat([x, x]))

    @pytest.mark.parametrize("n_copies", [0, -1, 1.5, True, "two"])
    def test_bad_n_copies(self, n_copies):
        with pytest.raises(ValueError, match="n_copies must be a positive whole"):
            GaussianNoise(0.5, n_copies=n_copies)

    @pytest.mark.parametrize("sigma", [-1, np.nan, [1, -1]])
    def test_bad_sigma(self, sigma):
        with pytest.raises(ValueError, match="finite and not negative"):
            GaussianNoise(sigma)

    def test_sigma_that_does_not_fit(self):
        with pytest.raises(ValueError, match=r"shape \(2,\) does not broadcast"):
            GaussianNoise([1, 2])(torch.zeros(4, 1))

    def test_gradients_pass_through(self):
        x = torch.ones(3, 2, requires_grad=True)
        GaussianNoise(0.5)(x).sum().backward()
        assert torch.equal(x.grad, torch.ones(3, 2))

    @pytest.mark.parametrize("in_eval", [False, True])
    def test_validation_under_noise(self, in_eval):
        """With in_eval, skorch's validation sees noise; otherwise it does not."""
        net = digits_net(module__sigma=0.5, module__in_eval=in_eval).initialize()
        batch = torch.from_numpy(X), torch.from_numpy(y)
        losses = [net.validation_step(batch)["loss"].item() for _ in range(2)]
        assert (losses[0] != losses[1]) == in_eval


class TestNormalize:
    images = torch.tensor(np.random.default_rng(0).random((4, 3, 2, 5)))

    def test_by_channel(self):
        mean, std = [0.1, 0.2, 0.3], [1.0, 2.0, 4.0]
        got = Normalize(mean, torch.tensor(std))(self.images)
        expected = (self.images - torch.tensor(mean).reshape(3, 1, 1)) / torch.tensor(
            std
        ).reshape(3, 1, 1)
        torch.testing.assert_close(got, expected)
        assert got.dtype == torch.float64
        rows = self.images[:, :, 0, 0]
        torch.testing.assert_close(Normalize(mean, std)(rows), got[:, :, 0, 0])
        torch.testing.assert_close(
            Normalize(0.5, 0.5)(self.images), 2 * self.images - 1
        )

    def test_is_no_weight_and_moves_with_the_net(self):
        layer = pickle.loads(pickle.dumps(Normalize([0.5], [0.25])))
        assert not list(layer.parameters()) and not layer.state_dict()
        out = layer.to("meta")(torch.zeros(2, 1, 3, 3, device="meta"))
        assert out.device.type == "meta"
        assert repr(layer.to_empty(device="cpu")).startswith("Normalize(mean=[")

    def test_noise_stays_in_the_units_of_pixels(self):
        """Votes on a net that wants standardised inputs."""
        inner = halfspace_module([1.0, -1.0])
        module = torch.nn.Sequential(Normalize([0.5, 0.5], [0.1, 0.1]), inner)
        x = [[0.6, 0.5]]
        one = smoothed(ModuleClassifier(module), sigma=0.1).certify(x).radius
        two = smoothed(ModuleClassifier(inner), sigma=1.0).certify([[1.0, 0.0]]).radius
        np.testing.assert_allclose(one, two / 10, rtol=0.25)

    def test_errors(self):
        for std in (0.0, [1.0, -1.0], np.nan):
            with pytest.raises(ValueError, match="std must be .*positive"):
                Normalize(0.0, std)
        with pytest.raises(ValueError, match="mean must be .*finite"):
            Normalize(np.inf, 1.0)
        with pytest.raises(ValueError, match="3 values for channels.*come first"):
            Normalize([0.1] * 3, 1.0)(self.images.permute(0, 2, 3, 1))


class TestConsistencyLoss:
    logits = torch.tensor(np.random.default_rng(0).normal(size=(3 * 5, 4)))
    target = torch.tensor([0, 3, 1, 1, 2])

    def test_the_formula(self):
        p = self.logits.softmax(1).reshape(3, 5, 4).numpy()
        cross_entropy = -np.log(p[:, range(5), self.target]).mean()
        divergence = stats.entropy(p.mean(axis=0)[None], p, axis=2).mean()
        loss = ConsistencyLoss(consistency=2.5)(self.logits, self.target).item()
        assert loss == pytest.approx(cross_entropy + 2.5 * divergence)

    def test_equal_copies_and_one_copy_cost_nothing_more(self):
        one, plain = self.logits[:5], torch.nn.CrossEntropyLoss()
        expected = plain(one, self.target).item()
        # One copy: in eval mode.
        for logits, loss in [
            (one, ConsistencyLoss().eval()),
            (one.repeat(3, 1), ConsistencyLoss()),
        ]:
            assert loss(logits, self.target).item() == pytest.approx(expected)
        loss = ConsistencyLoss(consistency=0, label_smoothing=0.1)
        plain = torch.nn.CrossEntropyLoss(label_smoothing=0.1)
        expected = plain(self.logits, self.target.repeat(3))
        assert loss(self.logits, self.target).equal(expected)

    def test_targets_that_are_probabilities(self):
        target = torch.nn.functional.one_hot(self.target, 4).double()
        a = ConsistencyLoss()(self.logits, target).item()
        assert a == pytest.approx(ConsistencyLoss()(self.logits, self.target).item())

    @pytest.mark.parametrize("low", [0.0, -torch.inf])
    def test_gradients_stay_finite_where_a_share_underflows(self, low):
        rows = [[900.0, 0.0, low], [0.0, 900.0, low]]
        logits = torch.tensor(rows, requires_grad=True)
        loss = ConsistencyLoss()(logits, torch.tensor([0]))
        loss.backward()
        assert loss.isfinite()
        assert logits.grad.isfinite().all()

    @pytest.mark.parametrize("consistency", [-1, np.nan, np.inf])
    def test_bad_consistency(self, consistency):
        with pytest.raises(ValueError, match="consistency must be finite"):
            ConsistencyLoss(consistency)

    def test_outputs_that_do_not_fit(self):
        with pytest.raises(ValueError, match="14 outputs .* 5 targets.*n_copies"):
            ConsistencyLoss()(self.logits[:14], self.target)
        for target in (self.target[:0], self.target[0]):
            with pytest.raises(ValueError, match="copies of 0 targets"):
                ConsistencyLoss()(self.logits, target)

    def test_nets_trained_with_it_answer_more_alike(self):
        """With skorch, whose validation has one copy of each input."""
        divergence = []
        for consistency in (0.0, 5.0):
            net = digits_net(
                criterion=ConsistencyLoss,
                criterion__consistency=consistency,
                module__n_copies=2,
                train_split=ValidSplit(5),
                max_epochs=30,
            )
            g = smoothed(net, sigma=0.5, noise_param="module__sigma").fit(X, y)
            net = g.estimator_
            assert np.isfinite(net.history[:, "valid_loss"]).all()
            noise = np.random.default_rng(0).normal(size=(20, *X.shape))
            copies = (X + 0.5 * noise).astype(np.float32).reshape(-1, 64)
            p = net.predict_proba(copies).reshape(20, len(X), 10)
            divergence.append(stats.entropy(p, p.mean(axis=0)[None], axis=2).mean())
            assert np.mean(net.predict(X) == y) > 0.9
        assert divergence[1] < 0.5 * divergence[0]


class TestModuleClassifier:
    def test_predictions(self):
        f = ModuleClassifier(halfspace_module([1.0, -1.0]), classes=["no", "yes"])
        points = [[2.0, 1.0], [1.0, 3.0]]
        assert f.predict(points).tolist() == ["yes", "no"]
        p = 1 / (1 + np.exp([-1.0, 2.0]))
        np.testing.assert_allclose(
            f.predict_proba(torch.tensor(points, requires_grad=True)),
            np.column_stack([1 - p, p]),
            rtol=1e-5,
        )

    def test_lists_of_tensors(self):
        f = ModuleClassifier(torch.nn.Identity(), classes=torch.tensor([5, 7]))
        x = torch.tensor([[0.0, 1.0], [2.0, 1.0]], requires_grad=True)
        for given in (list(x), list(x.bfloat16())):
            assert f.predict(given).tolist() == [7, 5]

    def test_one_output(self):
        module = torch.nn.Linear(1, 1)
        torch.nn.init.ones_(module.weight)
        torch.nn.init.zeros_(module.bias)
        points = np.array([[-1.0], [0.4], [0.6]])
        assert ModuleClassifier(module).predict(points).tolist() == [0, 1, 1]
        module = torch.nn.Sequential(module, torch.nn.Hardtanh(0, 1))
        f = ModuleClassifier(module, outputs="probabilities")
        assert f.predict(points).tolist() == [0, 0, 1]
        assert smoothed(f, sigma=0.01).predict(points).tolist() == [0, 0, 1]

    def test_is_a_scikit_learn_estimator(self, monkeypatch):
        monkeypatch.setattr(_module, "_said", False)
        module = MLP()
        f = ModuleClassifier(module, classes=[3, 5, 7], batch_size=2)
        assert f.get_params()["batch_size"] == 2
        copy = clone(f)
        assert copy.module is not module
        rows = np.ones((5, 4))
        np.testing.assert_array_equal(copy.predict(rows), f.predict(rows))
        np.testing.assert_array_equal(
            pickle.loads(pickle.dumps(f)).predict(rows), f.predict(rows)
        )
        with pytest.warns(UserWarning, match="trains nothing"):
            assert f.fit(rows, [3, 5, 7, 3, 5]) is f
        with pytest.raises(ValueError, match="y holds .*4.*does not know"):
            f.fit(rows, [3, 5, 7, 4, 5])
        assert module.training

    def test_smoothed(self, monkeypatch):
        monkeypatch.setattr(_module, "_said", False)
        f = ModuleClassifier(halfspace_module([1.0, -1.0]), classes=["no", "yes"])
        g = smoothed(f, abstain_label="?")
        assert g.predict([[2.0, 0.0], [0.0, 0.0], [0.0, 2.0]]).tolist() == [
            "yes",
            "?",
            "no",
        ]
        with pytest.warns(UserWarning, match="trains nothing") as warned:
            g.fit(np.eye(2), ["no", "yes"])
        assert len(warned) == 1
        assert g.predict([[2.0, 0.0]]).tolist() == ["yes"]
        g.set_params(estimator=FrozenEstimator(f)).fit(np.eye(2), ["no", "yes"])
        assert g.predict([[2.0, 0.0]]).tolist() == ["yes"]

    def test_errors(self):
        with pytest.raises(ValueError, match="number of outputs.*not known"):
            _ = ModuleClassifier(torch.nn.ReLU()).classes_
        with pytest.raises(ValueError, match="different labels"):
            _ = ModuleClassifier(MLP(), classes=[1, 1, 2]).classes_
        with pytest.raises(ValueError, match="outputs must be"):
            ModuleClassifier(MLP(), outputs="votes").predict(np.ones((1, 4)))
        with pytest.raises(ValueError, match=r"shape \(1, 3\).*2 classes"):
            ModuleClassifier(MLP(), classes=[0, 1]).predict(np.ones((1, 4)))


class TestTraining:
    def test_noise_param_ties_the_layer_to_sigma(self):
        g = smoothed(digits_net(), sigma=0.375, noise_param="module__sigma").fit(X, y)
        assert g.estimator_.module_.layers[0].sigma == 0.375
        assert g.score(X, y) > 0.8

    def test_inputs_and_labels_get_the_types_that_torch_wants(self):
        g = smoothed(digits_net(max_epochs=1)).fit(X.astype(float), y.astype("int32"))
        assert g.predict(X.astype(float)).dtype == np.int64
        frozen = FrozenEstimator(g.estimator_)
        smoothed(frozen).fit(X.astype(float), y).predict(X[:2].astype(float))

    def test_grid_search_trains_at_each_level(self):
        """Here and in two processes, with the same results to the last bit."""
        one, two = (
            GridSearchCV(
                smoothed(digits_net(), noise_param="module__sigma"),
                {"sigma": [0.25, 0.5, 5.0]},
                scoring=certified_accuracy_scorer(radius=0.1),
                cv=2,
                n_jobs=n_jobs,
            ).fit(X, y)
            for n_jobs in (1, 2)
        )
        assert one.best_params_ == two.best_params_ == {"sigma": 0.25}
        for split in ("split0_test_score", "split1_test_score"):
            assert one.cv_results_[split].tolist() == two.cv_results_[split].tolist()
        best = [search.best_estimator_.estimator_.module_ for search in (one, two)]
        assert best[0].layers[0].sigma == best[1].layers[0].sigma == 0.25
        for first, second in zip(
            best[0].parameters(), best[1].parameters(), strict=True
        ):
            assert torch.equal(first, second)

    def test_random_state_seeds_the_training(self):
        """The same net whatever torch drew before, and torch's generator as before."""

        def weights(random_state, before):
            torch.manual_seed(before)
            g = smoothed(
                digits_net(max_epochs=1, iterator_train__shuffle=True),
                noise_param="module__sigma",
                random_state=random_state,
            ).fit(X, y)
            return g.estimator_.module_.layers[1].weight, torch.rand(1)

        first, drawn = weights(0, before=1)
        torch.manual_seed(1)
        assert torch.equal(drawn, torch.rand(1))
        assert torch.equal(first, weights(0, before=2)[0])
        assert not torch.equal(first, weights(1, before=1)[0])
        free, drawn = weights(None, before=1)
        assert torch.equal(free, weights(None, before=1)[0])
        assert not torch.equal(free, weights(None, before=2)[0])


class TestBadInput:
    @pytest.fixture
    def net(self):
        return digits_net(max_epochs=1).fit(X, y)

    def test_not_initialised(self):
        with pytest.raises(NotFittedError, match="call fit, or wrap"):
            smoothed(digits_net()).predict(X)

    def test_initialised_without_classes(self):
        with pytest.raises(ValueError, match=r"NeuralNetClassifier\(..., classes="):
            smoothed(digits_net().initialize()).predict(X)

    def test_bytes(self, net):
        with pytest.raises(ValueError, match="uint8.*X.astype.'float32'. / 255"):
            smoothed(net).predict((X * 16).astype(np.uint8))
        images = np.zeros((4, 1, 8, 8), np.uint8)
        for pixels in (images, torch.from_numpy(images)):
            with pytest.raises(ValueError, match="uint8"):
                smoothed(net).fit(pixels, [0, 1, 0, 1])

    def test_sparse(self, net):
        with pytest.raises(TypeError, match="[Ss]parse"):
            smoothed(net).predict(sparse.csr_matrix(X))

    def test_tensors_with_gradients(self, net):
        tensor = torch.from_numpy(X[:5]).requires_grad_()
        expected = smoothed(net).predict_proba(X[:5])
        np.testing.assert_array_equal(smoothed(net).predict_proba(tensor), expected)
        assert tensor.grad is None

    def test_a_module_in_training_mode(self, net):
        """Votes are those of eval mode, and the mode stays as it was."""
        expected = smoothed(net).predict_proba(X[:5])
        net.module_.train()
        np.testing.assert_array_equal(smoothed(net).predict_proba(X[:5]), expected)
        assert net.module_.training


def test_a_pipeline_that_cannot_be_folded_says_so(capsys):
    pipeline = make_pipeline(Normalizer(), digits_net(max_epochs=1))
    g = smoothed(pipeline, n=20, n0=10).fit(X[:200], y[:200])
    capsys.readouterr()
    g.predict(X[:2])
    assert capsys.readouterr().err == ""
    g.set_params(verbose=1).predict(X[:2])
    said = capsys.readouterr().err
    assert "through predict, which is slower: Normalizer is not affine" in said
