"""Votes need nothing of the CPU but the inputs and, at the end, the counts.

There is no second device to test on, so nets are put on torch's "meta" device. It does
everything but compute, refuses to mix with tensors elsewhere, and has no values that
could be brought to the host: whatever assumes a CPU fails there.
"""

import gc
import tracemalloc

import numpy as np
import pytest
from sklearn.decomposition import PCA
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

torch = pytest.importorskip("torch")
pytest.importorskip("skorch")

from sksmooth.noise import _on_device as _device_noise  # noqa: E402
from sksmooth.torch import ModuleClassifier  # noqa: E402
from sksmooth.votes._rows import Inputs  # noqa: E402
from sksmooth.votes.voters._net import TorchVoter  # noqa: E402
from tests.helpers import count_votes  # noqa: E402
from tests.nets import MLP, classifier, halfspace_module  # noqa: E402

KEY = {"entropy": 3, "purpose": "estimate"}
CLASSES = np.arange(3)
TABLE = np.random.default_rng(0).normal(size=(40, 4)).astype(np.float32)
IMAGES = TABLE[:4].reshape(4, 1, 2, 2)


def conv():
    return torch.nn.Sequential(
        torch.nn.Conv2d(1, 3, 2), torch.nn.BatchNorm2d(3), torch.nn.Flatten()
    )


def skorch_net(module=MLP):
    return classifier(module, device="meta", classes=CLASSES).initialize()


def without_weights():
    net = skorch_net()
    net.module_ = FirstThree()
    return net


def on_meta(module):
    return ModuleClassifier(module, classes=CLASSES, device="meta")


@pytest.fixture
def counted(monkeypatch):
    """What bincount gets; it alone is done on the host, as it has to count."""
    devices = []

    def bincount(slots, minlength):
        devices.append(slots.device.type)
        return torch.full((minlength,), 0).index_fill_(0, torch.tensor([0]), len(slots))

    monkeypatch.setattr(torch, "bincount", bincount)
    # There are no generators of that kind.
    monkeypatch.setattr(_device_noise, "_generator", lambda key, device: None)
    return devices


def behind(step, net):
    return make_pipeline(step.fit(TABLE), net)


class NoLinearFirst(torch.nn.Sequential):
    """A net that noise is not pushed into: that would ask for the weights' values."""

    def __init__(self):
        super().__init__(torch.nn.ReLU(), torch.nn.Linear(4, 3))


class FirstThree(torch.nn.Module):
    """It has no weights that would say where it is."""

    def forward(self, x):
        return x[:, :3]


CASES = {
    "no weights": (lambda: on_meta(FirstThree()), TABLE, 0.5, None),
    "skorch, no weights": (lambda: without_weights(), TABLE, 0.5, None),
    "images": (lambda: on_meta(conv()), IMAGES, 0.5, None),
    "sigma by pixel": (lambda: on_meta(conv()), IMAGES, [[[0.5, 1.0]] * 2], None),
    "grid": (lambda: on_meta(conv()), IMAGES, 0.5, 2.0**-8),
    "skorch": (skorch_net, TABLE, 0.5, None),
    "scaler": (lambda: behind(StandardScaler(), skorch_net()), TABLE, 0.5, None),
    "mixed": (lambda: behind(PCA(4), skorch_net(NoLinearFirst)), TABLE, 0.5, None),
}


class TestNothingAssumesACPU:
    @pytest.mark.parametrize("shared_noise", [False, True])
    @pytest.mark.parametrize("case", CASES)
    def test_only_counts_leave_the_device(self, counted, case, shared_noise):
        make, X, sigma, grid = CASES[case]
        push = case == "mixed"  # where steps mix features, noise is drawn behind them
        votes = count_votes(
            make(),
            CLASSES,
            Inputs.from_array(X, sigma).on_grid(grid)[0],
            100,
            shared_noise=shared_noise,
            batch_size=64,
            net_options={"push_forward": push},
            **KEY,
        )
        assert set(counted) == {"meta"}
        assert votes.counts.sum() == 100 * len(X)

    def test_the_module_of_the_user_stays_where_it_is(self, counted):
        module = conv()
        inputs = Inputs.from_array(IMAGES, 0.5)
        count_votes(on_meta(module), CLASSES, inputs, 100, **KEY)
        assert set(counted) == {"meta"}
        assert {p.device.type for p in module.parameters()} == {"cpu"}

    def test_the_test_would_see_a_tensor_that_is_elsewhere(self, counted):
        class Offset(torch.nn.Module):
            weight = torch.ones(3)  # no parameter, so it stays behind

            def forward(self, x):
                return x[:, :3] * self.weight

        f = on_meta(torch.nn.Sequential(torch.nn.Linear(4, 4), Offset()))
        inputs, options = Inputs.from_array(TABLE, 0.5), {"push_forward": False}
        with pytest.raises(RuntimeError, match="failed on a batch.*on meta"):
            count_votes(f, CLASSES, inputs, 100, net_options=options, **KEY)


class TestMemory:
    @pytest.mark.parametrize("push", [False, True])
    def test_is_flat_from_1_000_to_100_000_votes(self, monkeypatch, push):
        """Nothing is kept for a vote: no tensor, and not one byte of NumPy."""
        f = ModuleClassifier(halfspace_module([1.0, -1.0, 0.5, 0.0]))
        inputs, tally = Inputs.from_array(TABLE[:1], 0.5), TorchVoter.tally
        calls, tensors, peaks = [], [], []

        def watched(self, sizes):
            calls.append(sizes)
            if len(calls) in (1, 50, 100):
                held = (o for o in gc.get_objects() if type(o) is torch.Tensor)
                tensors[-1].add(sum(tensor.nbytes for tensor in held))
            return tally(self, sizes)

        monkeypatch.setattr(TorchVoter, "tally", watched)
        settings = {"batch_size": 1000, "net_options": {"push_forward": push}, **KEY}
        for n in (1_000, 1_000, 100_000):  # the first fills caches of what it uses
            calls.clear()
            tensors.append(set())
            gc.collect()
            tracemalloc.start()
            try:
                count_votes(f, np.arange(2), inputs, n, **settings)
                peaks.append(tracemalloc.get_traced_memory()[1])
            finally:
                tracemalloc.stop()
        assert len(calls) == 100
        assert tensors[1] == tensors[2]
        assert len(tensors[2]) == 1
        assert peaks[2] - peaks[1] < 100_000 - 1_000
