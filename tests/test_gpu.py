"""Nets on a GPU: training, votes, and what goes to and fro.

`make test-gpu` runs these, and fails where there is no GPU; elsewhere they are skipped.
SKSMOOTH_TEST_DEVICE names another device: on "cpu" the same tests run, to see that they
are right themselves.
"""

import json
import warnings

import numpy as np
import pytest
from scipy.special import ndtr
from scipy.stats import binom
from sklearn.model_selection import GridSearchCV

torch = pytest.importorskip("torch")
pytest.importorskip("skorch")

from torch import nn  # noqa: E402

from sksmooth import SmoothedClassifier, certified_accuracy_scorer  # noqa: E402
from sksmooth.torch import ModuleClassifier  # noqa: E402
from sksmooth.votes._recognise import recognise  # noqa: E402
from sksmooth.votes._rows import Inputs  # noqa: E402
from tests.gpu_nets import (  # noqa: E402, F401
    CNN,
    Pixels,
    X,
    all_but_equal,
    assert_alike,
    the_device,
    trained_cnn,
    y,
)
from tests.helpers import count_votes  # noqa: E402
from tests.nets import classifier, halfspace_module  # noqa: E402

pytestmark = pytest.mark.gpu

KEY = {"entropy": 3, "purpose": "estimate"}


class Watched(nn.Module):
    """A module that shows somebody what it gets."""

    def __init__(self, module, watch):
        super().__init__()
        self.module, self.watch = module, watch

    def forward(self, x):
        self.watch(x)
        return self.module(x)


def votes(module, device, n=2000, inputs=X[600:604], sigma=0.3, grid=None, **settings):
    f = ModuleClassifier(module, classes=np.arange(10), device=str(device))
    if isinstance(getattr(module, "module", module), Pixels):
        f.set_params(classes=np.arange(3))
    inputs = Inputs.from_array(inputs, sigma).on_grid(grid)[0]
    return count_votes(f, f.classes_, inputs, n, **settings, **KEY).counts


class TestFitAndCertify:
    def test_a_search_over_sigma(self, device):
        net = classifier(CNN, device=str(device), max_epochs=3)
        g = SmoothedClassifier(
            net, n=200, noise_param="module__sigma", random_state=0, alpha=0.01
        )
        scorer = certified_accuracy_scorer(radius=0.1)
        search = GridSearchCV(g, {"sigma": [0.2, 0.4]}, scoring=scorer, cv=2)
        search.fit(X[:300], y[:300])
        best = search.best_estimator_
        module = best.estimator_.module_
        assert {p.device.type for p in module.parameters()} == {device.type}
        assert module.layers[0].sigma == best.sigma
        assert search.best_score_ > 0.15

    @pytest.mark.parametrize("shared_noise", [False, True])
    def test_a_module_that_is_trained(self, device, cnn, shared_noise):
        settings = {"n": 1000, "shared_noise": shared_noise, "random_state": 0}
        f = ModuleClassifier(cnn, device=str(device))
        g = SmoothedClassifier(f, sigma=0.3, **settings)
        inputs, labels = X[600:640], y[600:640]
        certificate = g.certify(inputs)
        prediction = g.predict(inputs)
        certain = (certificate.prediction >= 0) & (prediction >= 0)
        assert np.array_equal(certificate.prediction[certain], prediction[certain])
        correct = g.certified_correct(inputs, labels, [0.0, 0.1])
        assert 0.5 < np.mean(correct[:, 0]) <= np.mean(prediction == labels) + 0.1
        assert np.all(correct[:, 1] <= correct[:, 0])
        assert {p.device.type for p in cnn.parameters()} == {"cpu"}

    def test_on_a_grid(self, device, cnn):
        step, seen = 2.0**-8, []

        def watch(x):
            seen.append(torch.equal(x, (x / step).round() * step))

        counts = votes(Watched(cnn, watch), device, grid=step)
        assert all(seen)
        assert counts.sum() == 2000 * 4
        assert_alike(counts, votes(cnn, "cpu", grid=step))


class TestSameNoise:
    def test_a_module_without_weights_is_asked_on_the_device(self, device):
        """So that these tests are about the device, for `Pixels` has none."""
        where = set()
        watched = Watched(Pixels(), lambda x: where.add(x.device.type))
        votes(watched, device, n=100)
        ModuleClassifier(watched, classes=range(3), device=str(device)).predict(X[:2])
        assert where == {device.type}

    @pytest.mark.parametrize("shared_noise", [False, True])
    @pytest.mark.parametrize("grid", [None, 2.0**-8])
    def test_for_any_batch_and_company(self, device, shared_noise, grid):
        settings = {"shared_noise": shared_noise, "grid": grid}
        expected = votes(Pixels(), device, **settings)
        for batch_size in (64, 333):
            counts = votes(Pixels(), device, batch_size=batch_size, **settings)
            np.testing.assert_array_equal(counts, expected)
        alone = votes(Pixels(), device, inputs=X[602:603], **settings)
        np.testing.assert_array_equal(alone[0], expected[2])
        counts = votes(Pixels(), device, n_jobs=2, **settings)
        np.testing.assert_array_equal(counts, expected)

    def test_counts_of_a_net_differ_by_rounding_at_most(self, device, cnn):
        expected = votes(cnn, device)
        for batch_size in (64, 333):
            counts = votes(cnn, device, batch_size=batch_size)
            assert all_but_equal(counts, expected)

    def test_it_would_be_seen(self, device, cnn):
        other = {"inputs": X[604:608]}
        assert not all_but_equal(votes(cnn, device, **other), votes(cnn, device))


class TestDistribution:
    def test_of_a_halfspace(self, device):
        module = halfspace_module([0.5, -1.0, 0.25, 2.0], 0.3)
        x = np.array([[0.2, 0.1, -0.4, 0.05], [0.0, 0.5, 0.0, -0.1]], np.float32)
        sigma = np.array([0.5, 1.0, 0.0, 0.25])
        f = ModuleClassifier(module, device=str(device))
        inputs = Inputs.from_array(x, sigma)
        options = {"push_forward": False}
        n = 100_000
        counts = count_votes(
            f, np.arange(2), inputs, n, net_options=options, **KEY
        ).counts[:, 1]
        weights = np.array([0.5, -1.0, 0.25, 2.0])
        share = ndtr((x @ weights + 0.3) / np.linalg.norm(weights * sigma))
        assert np.all(binom.cdf(counts, n, share) > 1e-4)
        assert np.all(binom.sf(counts - 1, n, share) > 1e-4)

    def test_is_that_of_the_cpu(self, device, cnn):
        assert_alike(votes(cnn, device), votes(cnn, "cpu"))


class TestModes:
    def mode(self, module, device, **options):
        f = ModuleClassifier(module, device=str(device))
        inputs = Inputs.from_array(X[600:604], 0.3)
        return recognise(f, np.arange(10), inputs, options).voter.net

    def test_the_default(self, device, cnn):
        """By rule: channels last on a GPU, and no autocast."""
        net, autocast = self.mode(cnn, device), []
        last, usual = torch.channels_last, torch.preserve_format
        assert net.memory_format == (last if device.type == "cuda" else usual)
        assert net.autocast is None

        def watch(x):
            autocast.append(torch.is_autocast_enabled(device.type))

        votes(Watched(cnn, watch), device, n=100)
        assert set(autocast) == {False}

    @pytest.mark.parametrize(
        "options",
        [
            {"mode": "eager"},
            {"channels_last": True},
            {"mode": "auto"},
            {"dtype": "bfloat16"},
            {"dtype": "bfloat16", "channels_last": True},
            {"mode": "compile"},
        ],
        ids=str,
    )
    def test_votes_in_a_mode(self, device, cnn, options):
        if options.get("mode") == "compile" and device.type == "cpu":
            pytest.skip("there is a test of compile on a CPU")
        expected = votes(cnn, device)
        counts = votes(cnn, device, net_options=options)
        if options.get("dtype"):
            assert 0 < np.abs(counts - expected).sum() < 0.05 * expected.sum()
        else:
            assert all_but_equal(counts, expected)

    def test_to_get_ready_draws_from_no_generator(self, device, cnn):
        draws = nn.Sequential(cnn, nn.Dropout(0.5))
        draws[1].forward = lambda x: nn.functional.dropout(x, 0.5, training=True)
        state = torch.get_rng_state
        if device.type == "cuda":
            state = torch.cuda.get_rng_state
        before = state()
        self.mode(draws, device)
        assert torch.equal(state(), before)


class TestMemory:
    def test_a_batch_that_does_not_fit_is_halved(self, device, cnn):
        sizes = []
        if device.type == "cuda":
            row = torch.cuda.mem_get_info(device)[0] // 50

            def take(n):
                torch.empty(n * row, dtype=torch.uint8, device=device)
        else:

            def take(n):
                if n > 50:
                    raise torch.OutOfMemoryError("out of memory")

        def watch(x):
            take(len(x))
            sizes.append(len(x))

        counts = votes(Watched(cnn, watch), device, batch_size=2000)
        assert 20 < max(sizes) <= 50
        assert all_but_equal(counts, votes(cnn, device, batch_size=2000))


class TestTransfers:
    def moved(self, module, device, tmp_path, **settings):
        """Return how many bytes go to the device and come back."""
        activities = [torch.profiler.ProfilerActivity.CPU]
        if device.type == "cuda":
            activities.append(torch.profiler.ProfilerActivity.CUDA)
        with warnings.catch_warnings():
            # Said by torch 2.11 of the default of an option.
            warnings.filterwarnings("ignore", "Warning: Profiler clears events")
            with torch.profiler.profile(activities=activities) as profile:
                votes(module, device, **settings)
        path = tmp_path / "trace.json"
        profile.export_chrome_trace(str(path))
        events = json.loads(path.read_text("utf-8"))["traceEvents"]
        copies = [e for e in events if e.get("cat") == "gpu_memcpy"]
        assert bool(copies) == (device.type == "cuda")
        return tuple(
            sum(e["args"]["bytes"] for e in copies if way in e["name"])
            for way in ("HtoD", "DtoH")
        )

    @pytest.mark.parametrize("shared_noise", [False, True])
    def test_counts_alone_come_back(self, device, cnn, tmp_path, shared_noise):
        settings = {"batch_size": 1000, "shared_noise": shared_noise}
        votes(cnn, device, **settings)  # weights are there, kernels are chosen
        few = self.moved(cnn, device, tmp_path, n=10_000, **settings)
        many = self.moved(cnn, device, tmp_path, n=50_000, **settings)
        batches = 4 * 40  # more of them
        # Of a batch: an input, the copies of each; a row of counts for each, and what
        # bincount asks of its argument.
        assert many[0] - few[0] <= batches * 4 * (X[0].nbytes + 8)
        assert many[1] - few[1] <= batches * (4 * 11 * 8 + 64)
        assert many[1] < 50_000 * 4 // 2  # and so not one byte for each vote
