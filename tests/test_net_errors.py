"""What is near to a net, an input or a device, and is none: errors that help."""

import numpy as np
import pytest
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV

torch = pytest.importorskip("torch")
pytest.importorskip("skorch")

from sksmooth import GaussianAugmenter, SmoothedClassifier  # noqa: E402
from sksmooth.torch import ModuleClassifier  # noqa: E402
from tests.nets import MLP, classifier, halfspace_module  # noqa: E402

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

    def test_training_nothing(self):
        f = ModuleClassifier(halfspace_module([1.0, -1.0, 0.0, 0.0]))
        search = {"sigma": [0.1, 0.2]}
        with pytest.warns(UserWarning, match="fit trains nothing.*FrozenEstimator"):
            SmoothedClassifier(f, n=50).fit(X, y % 2)
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
