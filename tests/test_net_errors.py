"""What is near to a net, an input or a device, and is none: errors that help."""

import numpy as np
import pytest
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline

torch = pytest.importorskip("torch")
pytest.importorskip("skorch")

from sksmooth import GaussianAugmenter, SmoothedClassifier  # noqa: E402
from sksmooth.torch import ModuleClassifier, _module  # noqa: E402
from tests.nets import (  # noqa: E402
    MLP,
    binary_classifier,
    classifier,
    halfspace_module,
)

X = np.random.default_rng(0).normal(size=(20, 4)).astype(np.float32)
y = np.arange(20) % 3


class TestTheEstimator:
    def test_a_module(self):
        g = SmoothedClassifier(MLP(), n=100)
        for ask in (lambda: g.fit(X, y), lambda: g.predict(X), lambda: g.certify(X)):
            with pytest.raises(TypeError, match=r"torch module \(MLP\).*ModuleClassif"):
                ask()
        with pytest.raises(TypeError, match="torch module") as info:
            g.fit(X, y)
        assert "Linear" not in str(info.value)  # not all of its layers

    def test_a_class(self):
        with pytest.raises(TypeError, match="is the class LogisticRegression itself"):
            SmoothedClassifier(LogisticRegression).fit(X, y)
        with pytest.raises(TypeError, match="is the class MLP itself"):
            SmoothedClassifier(MLP).fit(X, y)

    def test_no_predict(self):
        with pytest.raises(
            TypeError, match="GaussianAugmenter, which has no 'predict'"
        ):
            SmoothedClassifier(GaussianAugmenter()).fit(X, y)


class TestTheModule:
    @pytest.mark.parametrize("classes", [None, [0, 1]])
    def test_a_class(self, classes):
        f = ModuleClassifier(torch.nn.Linear, classes=classes)
        message = r"the class Linear itself.*ModuleClassifier\(Linear\(\.\.\.\)\)"
        for ask in (f.predict, f.fit, SmoothedClassifier(f).certify):
            with pytest.raises(TypeError, match=message):
                ask(X, y) if ask == f.fit else ask(X)

    def test_something_else(self):
        with pytest.raises(TypeError, match="got an object of type function"):
            ModuleClassifier(lambda x: x).predict(X)
        with pytest.raises(TypeError, match="NeuralNetClassifier. What has a `predict"):
            ModuleClassifier(classifier()).predict(X)

    @pytest.mark.parametrize(
        "module",
        [
            torch.nn.Linear(4, 1),
            torch.nn.Sequential(torch.nn.Linear(4, 1), torch.nn.Flatten(0)),
            torch.nn.Sequential(torch.nn.Linear(4, 1), torch.nn.BatchNorm1d(1)),
            torch.nn.Sequential(torch.nn.Linear(4, 8), torch.nn.Linear(8, 1)),
        ],
        ids=str,
    )
    @pytest.mark.filterwarnings("ignore:sigma is small for the units of X")
    def test_one_logit(self, module):
        f = ModuleClassifier(module)
        assert f.classes_.tolist() == [0, 1]
        with torch.no_grad():
            logits = module.eval()(torch.from_numpy(X)).numpy().reshape(-1)
        assert f.predict(X).tolist() == (logits > 0).astype(int).tolist()
        g = SmoothedClassifier(f, sigma=1e-6, n=50, random_state=0)
        assert g.predict(X).tolist() == (logits > 0).astype(int).tolist()

    def test_a_number_of_outputs_that_was_guessed_wrong(self):
        class Backwards(torch.nn.Module):
            def __init__(self):
                super().__init__()
                self.last, self.first = torch.nn.Linear(8, 1), torch.nn.Linear(4, 8)

            def forward(self, x):
                return self.last(self.first(x))

        f = ModuleClassifier(Backwards())
        for ask in (f.predict, SmoothedClassifier(f, n=50).predict):
            with pytest.raises(ValueError, match="a single one for two.*in `classes`"):
                ask(X)

    def test_training_nothing(self, monkeypatch):
        monkeypatch.setattr(_module, "_said", False)
        f = ModuleClassifier(halfspace_module([1.0, -1.0, 0.0, 0.0]))
        search = {"sigma": [0.1, 0.2]}
        with pytest.warns(UserWarning, match="fit trains nothing.*FrozenEstimator"):
            SmoothedClassifier(f, n=50).fit(X, y % 2)
        SmoothedClassifier(f, n=50).fit(X, y % 2)  # said once, and not by every fit
        g = SmoothedClassifier(FrozenEstimator(f), n=50)
        GridSearchCV(g, search, cv=2).fit(X, y % 2)


class TestTheInputs:
    def test_datasets(self):
        dataset = torch.utils.data.TensorDataset(torch.from_numpy(X))
        loader = torch.utils.data.DataLoader(dataset)
        f = ModuleClassifier(MLP())
        g = SmoothedClassifier(f, n=50)
        for data, hint in ((dataset, "torch.stack"), (loader, "torch.cat")):
            for ask in (g.predict, g.certify, lambda data: g.fit(data, y)):
                message = f"X is a {type(data).__name__}: pass .* array.*{hint}"
                with pytest.raises(TypeError, match=message):
                    ask(data)

    @pytest.mark.parametrize(("shape", "hint"), [
        ((6, 6), r"failed on .*\. .* X\[:, None\].* X\[None\] of a single"),
        ((6,), r"failed on .*\. .* X\.reshape\(-1, channels, height, width\)"),
        ((6, 6, 1), r"failed on .*\. Are these images with the channels last\?"),
    ], ids=str)  # fmt: skip
    def test_axes_of_images(self, shape, hint):
        conv = torch.nn.Conv2d(1, 2, 3)
        module = torch.nn.Sequential(conv, torch.nn.Flatten(), torch.nn.Linear(32, 2))
        f = ModuleClassifier(module)
        images = np.zeros((5, *shape), np.float32)
        for ask in (f.predict, SmoothedClassifier(f, n=50).predict):
            with pytest.raises(RuntimeError, match=hint):
                ask(images)

    def test_images_of_different_shapes(self):
        g = SmoothedClassifier(ModuleClassifier(MLP()), n=50)
        images = [torch.zeros(1, 5, 5), torch.zeros(1, 5, 5), torch.zeros(1, 5, 6)]
        message = r"X\[0\] has \(1, 5, 5\), X\[2\] has \(1, 5, 6\).*resize"
        for data in (images, [one.numpy() for one in images]):
            with pytest.raises(ValueError, match=message):
                g.predict(data)


def sigmoids(module):
    return torch.nn.Sequential(module, torch.nn.Sigmoid())


def one_vs_rest():
    module = torch.nn.Linear(4, 3)
    torch.nn.init.zeros_(module.bias)
    return module


class TestTheOutputs:
    """What is said of the outputs, against the outputs themselves."""

    @pytest.mark.parametrize(("module", "outputs", "hint"), [
        (sigmoids(torch.nn.Linear(4, 1)), "logits", "every answer is the second class"),
        (halfspace_module([5.0, 0, 0, 0]), "probabilities", "are numbers from"),
        (torch.nn.Sequential(torch.nn.Linear(4, 1), torch.nn.ReLU6()),
         "probabilities", "from .*not one above 1/2"),
        (sigmoids(one_vs_rest()), "probabilities", "one SmoothedClassifier per label"),
    ])  # fmt: skip
    def test_are_something_else(self, module, outputs, hint):
        torch.manual_seed(0)
        if isinstance(module, torch.nn.Sequential) and "ReLU6" in str(module):
            torch.nn.init.constant_(module[0].bias, 3.0)
        n_classes = 3 if "per label" in hint else 2
        f = ModuleClassifier(module, outputs=outputs, classes=range(n_classes))
        for ask in (f.predict_proba, SmoothedClassifier(f, n=50).certify):
            with pytest.warns(UserWarning, match=hint) as warned:
                ask(X)
            assert len(warned) == 1

    @pytest.mark.parametrize(("module", "outputs"), [
        (torch.nn.Linear(4, 1), "logits"),
        (sigmoids(torch.nn.Linear(4, 1)), "probabilities"),
        (torch.nn.Sequential(torch.nn.Linear(4, 3), torch.nn.Softmax(1)),
         "probabilities"),
        (sigmoids(one_vs_rest()), "logits"),
    ])  # fmt: skip
    def test_are_what_they_are_said_to_be(self, module, outputs):
        if str(module) == str(torch.nn.Linear(4, 1)):  # in [0, 1], but not far away
            torch.nn.init.constant_(module.weight, 0.01)
            torch.nn.init.constant_(module.bias, 0.5)
        n_classes = 3 if "out_features=3" in str(module) else 2
        f = ModuleClassifier(module, outputs=outputs, classes=range(n_classes))
        f.predict_proba(X)  # warnings are errors
        SmoothedClassifier(f, sigma=0.5, n=50).certify(X)

    def test_of_skorch(self):
        net = binary_classifier(sigmoids(torch.nn.Linear(4, 1)), max_epochs=1)
        g = SmoothedClassifier(net.fit(X, (y % 2).astype(np.float32)), n=50)
        with pytest.warns(UserWarning, match="every answer is the second class"):
            g.predict(X)

    @pytest.mark.parametrize("n_channels", [1, 3])
    def test_of_segmentation(self, n_channels):
        module = torch.nn.Conv2d(1, n_channels, 3, padding=1)
        f = ModuleClassifier(module, classes=range(max(2, n_channels)))
        images = np.zeros((3, 1, 5, 5), np.float32)
        for ask in (f.predict, SmoothedClassifier(f, n=50).certify):
            with pytest.raises(ValueError, match="segmentation is not supported"):
                ask(images)


class TestTheNoiseParameter:
    @pytest.mark.parametrize(("base", "name", "message"), [
        (classifier(), "module__sgma", "'module__sgma'.* MLP takes no 'sgma'.*'sigma'"),
        (make_pipeline(classifier()), "neuralnetclassifier__module__s", "MLP takes no"),
        (classifier(), "modul__sigma", "no part 'modul'; it has .*'module'"),
        (LogisticRegression(), "sigma", "noise_param='sigma': .*Valid.*'tol'"),
        (classifier(torch.nn.Sequential(torch.nn.Linear(4, 3))), "module__sigma",
         "Sequential takes no 'sigma'.*hand it to GaussianNoise"),
    ])  # fmt: skip
    def test_is_none(self, base, name, message):
        with pytest.raises(ValueError, match=message):
            SmoothedClassifier(base, noise_param=name).fit(X, y)

    def test_and_weights_that_are_there(self):
        module = MLP(sigma=0.5)
        weight = module.layers[1].weight.detach().clone()
        net = classifier(module, lr=0.0, max_epochs=1)
        g = SmoothedClassifier(net, sigma=0.5, n_copies=0, n=50).fit(X, y)
        kept = g.estimator_.module_.layers[1].weight
        assert torch.equal(kept, weight)
        assert kept is not module.layers[1].weight
        with pytest.warns(UserWarning, match=r"new MLP\(sigma=.*its weights"):
            g.set_params(noise_param="module__sigma").fit(X, y)
        assert not torch.equal(g.estimator_.module_.layers[1].weight, weight)


class TestTheDevice:
    @pytest.mark.parametrize("device", ["cuda", "cuda:97", "gpu", "xla"])
    def test_not_here(self, device):
        if device == "cuda" and torch.cuda.is_available():
            pytest.skip("it is")
        f = ModuleClassifier(MLP(), device=device)
        message = f"device='{device}' cannot be used here: .*Leave device out"
        for ask in (f.predict, SmoothedClassifier(f, n=50).predict):
            with pytest.raises(ValueError, match=message) as info:
                ask(X)
            assert len(str(info.value)) < 700
        with pytest.raises(ValueError, match=message):
            SmoothedClassifier(classifier(device=device), n=50).fit(X, y)
