"""Certificates of nets on a GPU: noises, files, data; `test_gpu.py` says how to run."""

import copy
import pickle

import joblib
import numpy as np
import pytest
from scipy.special import ndtr
from sklearn.base import clone
from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

torch = pytest.importorskip("torch")
pytest.importorskip("skorch")

from skorch import NeuralNetRegressor  # noqa: E402
from torch import nn  # noqa: E402

from sksmooth import SmoothedClassifier, SmoothedRegressor  # noqa: E402
from sksmooth.torch import ModuleClassifier  # noqa: E402
from tests.gpu_nets import Pixels, X, assert_alike, the_device, y  # noqa: E402, F401
from tests.nets import MLP, classifier, halfspace_module  # noqa: E402

pytestmark = pytest.mark.gpu

IMAGES = X[600:608]
X = X.reshape(len(X), -1)
WEIGHTS = np.array([0.5, -1.0, 0.25, 2.0], np.float32)
POINTS = np.random.default_rng(0).normal(size=(6, 4)).astype(np.float32)


class Tiring(Pixels):
    """Breaks down after some batches, if `left` says so."""

    left = None

    def forward(self, x):
        if self.left is not None:
            type(self).left -= 1
            if self.left < 0:
                raise RuntimeError("enough")
        return super().forward(x)


def pixels(device, module=None, **params):
    f = ModuleClassifier(module or Pixels(), classes=[0, 1, 2], device=str(device))
    settings = {"sigma": 0.3, "n": 3000, "n0": 300, "random_state": 0, **params}
    return SmoothedClassifier(f, **settings)


def counts(g, x=IMAGES, **settings):
    return g.certify(x, **settings).counts


def halfspace(device, **params):
    f = ModuleClassifier(halfspace_module(WEIGHTS, 0.3), device=str(device))
    return SmoothedClassifier(f, **{"n": 5000, "random_state": 0, **params})


@pytest.fixture(scope="module")
def trained(device):
    f = classifier(device=str(device), max_epochs=5)
    f.set_params(module__n_features=64, module__n_outputs=10)
    g = SmoothedClassifier(
        f, sigma=0.25, n=1000, noise_param="module__sigma", random_state=0
    )
    return g.fit(X[:400], y[:400])


class TestNoises:
    @pytest.mark.parametrize("noise", ["laplace", "uniform"])
    @pytest.mark.parametrize("shared_noise", [False, True])
    @pytest.mark.parametrize("grid", [None, 2.0**-8])
    def test_what_is_drawn_on_the_host(self, device, noise, shared_noise, grid):
        """Then votes are those of the CPU, to the last one."""
        params = {"noise": noise, "shared_noise": shared_noise, "grid": grid}
        got = counts(pixels(device, **params))
        np.testing.assert_array_equal(got, counts(pixels("cpu", **params)))
        got = counts(pixels(device, n_jobs=2, **params))
        np.testing.assert_array_equal(got, counts(pixels("cpu", **params)))

    @pytest.mark.parametrize(
        "options", [{"push_forward": True}, {"push_forward": False}], ids=str
    )
    def test_sigma_by_feature(self, device, options):
        """Radii are as large as they should be, in units of sigma."""
        sigma = np.array([0.5, 1.0, 0.0, 0.25])
        g = halfspace(device, sigma=sigma, net_options=options)
        certificate = g.certify(POINTS)
        z = (POINTS @ WEIGHTS + 0.3) / np.linalg.norm(WEIGHTS * sigma)
        share = certificate.counts[:, 1] / 5000
        np.testing.assert_allclose(share, ndtr(z), atol=0.04)
        assert (certificate.radius <= np.abs(z)).all()

    def test_votes_that_stop_early(self, device):
        params = {"stopping": "sequential", "n": 20_000}
        g, on_cpu = halfspace(device, **params), halfspace("cpu", **params)
        answers = (POINTS @ WEIGHTS + 0.3 > 0).astype(int)
        np.testing.assert_array_equal(g.predict(POINTS), answers)
        np.testing.assert_array_equal(on_cpu.predict(POINTS), answers)
        correct = g.certified_correct(POINTS, answers, [0.0, 0.8])
        assert correct[:, 0].all()
        assert not correct[np.abs(POINTS @ WEIGHTS + 0.3) < 0.8 * 2.3, 1].any()

    def test_processes(self, device):
        """Each has the net on its device, and counts the same."""
        expected = counts(pixels(device))
        with joblib.parallel_config("loky", n_jobs=2):
            got = counts(pixels(device, n_jobs=2))
        np.testing.assert_array_equal(got, expected)


class TestStore:
    @pytest.mark.parametrize("n_jobs", [1, 2])
    @pytest.mark.parametrize("shared_noise", [False, True])
    def test_an_interrupted_run_goes_on(
        self, device, shared_noise, n_jobs, tmp_path, monkeypatch
    ):
        params = {"shared_noise": shared_noise, "batch_size": 500, "module": Tiring()}
        expected, path = counts(pixels(device, **params)), tmp_path / "votes.sqlite"
        monkeypatch.setattr(Tiring, "left", 20)
        with pytest.raises(RuntimeError, match="enough"):
            counts(pixels(device, **params), store=path)
        monkeypatch.setattr(Tiring, "left", None)
        got = counts(pixels(device, n_jobs=n_jobs, **params), store=path)
        np.testing.assert_array_equal(got, expected)

    def test_votes_of_one_device_serve_another(self, device, tmp_path, monkeypatch):
        path, params = tmp_path / "votes.sqlite", {"module": Tiring()}
        expected = counts(pixels(device, **params), store=path)
        monkeypatch.setattr(Tiring, "left", 8)  # is the answer one of other inputs?
        got = counts(pixels("cpu", **params), store=path)
        np.testing.assert_array_equal(got, expected)

    def test_a_net_of_skorch(self, trained, tmp_path):
        """Training left an optimizer and buffers on the device: they do not matter."""
        path, x = tmp_path / "votes.sqlite", X[600:604]
        one = counts(trained, x, store=path)
        np.testing.assert_array_equal(counts(trained, x, store=path), one)
        loaded = pickle.loads(pickle.dumps(trained))
        np.testing.assert_array_equal(counts(loaded, x, store=path), one)


class TestCopies:
    @pytest.mark.parametrize("way", ["pickle", "joblib", "deepcopy"])
    def test_of_a_net_of_skorch(self, device, trained, way, tmp_path):
        if way == "joblib":
            joblib.dump(trained, tmp_path / "g.joblib")
            g = joblib.load(tmp_path / "g.joblib")
        elif way == "pickle":
            g = pickle.loads(pickle.dumps(trained))
        else:
            g = copy.deepcopy(trained)
        found = {p.device.type for p in g.estimator_.module_.parameters()}
        assert found == {device.type}
        x = X[600:604]
        np.testing.assert_array_equal(counts(g, x), counts(trained, x))

    def test_of_a_module_that_lives_on_the_device(self, device):
        module = halfspace_module(WEIGHTS, 0.3).to(device)
        g = SmoothedClassifier(ModuleClassifier(module), n=1000, random_state=0)
        expected = counts(g, POINTS)
        for other in (clone(g), copy.deepcopy(g), pickle.loads(pickle.dumps(g))):
            np.testing.assert_array_equal(counts(other, POINTS), expected)
        assert {p.device.type for p in module.parameters()} == {device.type}

    def test_a_clone_is_trained_anew(self, device, trained):
        g = clone(trained).fit(X[:400], y[:400])
        x = X[600:604]
        assert_alike(counts(g, x), counts(trained, x))


class TestData:
    def test_behind_a_scaler(self, device):
        """By noise behind the scaler, and by asking the net itself."""
        f = classifier(device=str(device), max_epochs=5)
        f.set_params(module__n_features=64, module__n_outputs=10, module__sigma=0.5)
        f = make_pipeline(StandardScaler(), f).fit(X[:400], y[:400])
        settings = {"sigma": 0.1, "n": 1000, "random_state": 0}
        g = SmoothedClassifier(FrozenEstimator(f), **settings)
        x = X[600:620]
        certificate = g.certify(x)
        sure = certificate.radius > 0.05
        assert sure.any() and (certificate.prediction == f.predict(x))[sure].all()
        on_cpu = copy.deepcopy(f)
        on_cpu[-1].module_.cpu()
        on_cpu[-1].device = "cpu"
        other = SmoothedClassifier(FrozenEstimator(on_cpu), **settings)
        assert_alike(certificate.counts, counts(other, x))
        on_grid = SmoothedClassifier(FrozenEstimator(f), grid=2.0**-8, **settings)
        assert_alike(counts(on_grid, x), certificate.counts)

    @pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16])
    def test_tensors_on_the_device(self, device, dtype):
        """Also of what wants a gradient; labels too."""
        x = torch.tensor(IMAGES, dtype=dtype, device=device, requires_grad=True)
        same = x.detach().cpu()
        same = (same.float() if dtype.itemsize < 4 else same).numpy()
        g = pixels(device)
        expected = counts(g, same)
        for given in (x, list(x)):
            np.testing.assert_array_equal(counts(g, given), expected)
            answers = g.estimator.predict(given)
            np.testing.assert_array_equal(answers, g.estimator.predict(same))
        labels = torch.tensor(answers, device=device)
        correct = g.certified_correct(x, labels, [0.0, 0.1])
        np.testing.assert_array_equal(
            correct, g.certified_correct(same, answers, [0.0, 0.1])
        )
        assert g.score(x, labels) == g.score(same, answers)

    def test_classes_and_labels_in_tensors(self, device):
        classes = torch.tensor([5, 7], device=device)
        f = ModuleClassifier(halfspace_module(WEIGHTS).to(device), classes=classes)
        answers = np.where(POINTS @ WEIGHTS > 0, 7, 5)
        np.testing.assert_array_equal(f.predict(POINTS), answers)
        with pytest.raises(ValueError, match="y holds .*6"):
            f.fit(POINTS, torch.tensor([5, 6, 7, 5, 6, 7], device=device))

    def test_training_on_tensors(self, device):
        x, labels = (torch.tensor(a[:200], device=device) for a in (X, y))
        f = classifier(MLP, device=str(device), max_epochs=8)
        f.set_params(module__n_features=64, module__n_outputs=10)
        g = SmoothedClassifier(f, n=200, noise_param="module__sigma", random_state=0)
        assert g.fit(x, labels).score(x, labels) > 0.5

    @pytest.mark.parametrize("dtype", [torch.float64, torch.bfloat16, torch.float16])
    def test_weights_of_other_precisions(self, device, dtype):
        module = halfspace_module(WEIGHTS, 0.3).to(dtype)
        f = ModuleClassifier(module, device=str(device))
        g = SmoothedClassifier(f, sigma=0.5, n=5000, random_state=0)
        certificate = g.certify(POINTS)
        z = (POINTS @ WEIGHTS + 0.3) / np.linalg.norm(WEIGHTS * 0.5)
        np.testing.assert_allclose(certificate.counts[:, 1] / 5000, ndtr(z), atol=0.04)

    def test_a_net_with_parts_of_its_own(self, device):
        """Buffers move along; what is no part of a module is made where x is."""

        class Parts(nn.Module):
            def __init__(self):
                super().__init__()
                self.register_buffer("scale", torch.arange(1.0, 5.0), persistent=False)
                self.head = halfspace_module(WEIGHTS, 0.3)

            def forward(self, x):
                return self.head(x * self.scale / torch.arange(1, 5, device=x.device))

        f = ModuleClassifier(Parts(), device=str(device))
        g = SmoothedClassifier(f, sigma=0.25, n=5000, random_state=0)
        z = (POINTS @ WEIGHTS + 0.3) / np.linalg.norm(WEIGHTS * 0.25)
        share = counts(g, POINTS)[:, 1] / 5000
        np.testing.assert_allclose(share, ndtr(z), atol=0.04)

    def test_regression(self, device):
        """The median of a linear function under noise is its value at x."""
        net = NeuralNetRegressor(
            nn.Linear(4, 1), device=str(device), train_split=None, verbose=0
        ).initialize()
        g = SmoothedRegressor(FrozenEstimator(net), sigma=0.1, n=2000, random_state=0)
        value = net.predict(POINTS)
        np.testing.assert_allclose(g.predict(POINTS), value, atol=0.05)
        lower, _, upper = g.certify_interval(POINTS, 0.05)
        assert (lower < value).all() and (value < upper).all()
