"""Votes do not depend on how a net is run, also where scores are all but equal."""

import joblib
import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("skorch")

from torch import nn  # noqa: E402

from sksmooth import SmoothedClassifier  # noqa: E402
from sksmooth.models import _net_choice  # noqa: E402
from sksmooth.models._close_calls import Margin  # noqa: E402
from sksmooth.models._torch_net import TorchNet  # noqa: E402
from sksmooth.torch import ModuleClassifier  # noqa: E402
from sksmooth.votes._rows import Inputs  # noqa: E402
from tests.helpers import count_votes, make_voter  # noqa: E402
from tests.nets import Answers, binary_classifier  # noqa: E402

IMAGES = np.random.default_rng(0).normal(size=(4, 2, 8, 8)).astype(np.float32)
SMALL = {"mode": "eager"}
MODES = ["frozen", "onnxruntime", "channels_last", "auto", None]


def options(mode):
    if mode == "channels_last":
        return {"channels_last": True}
    if mode == "onnxruntime":
        pytest.importorskip("onnx")
        pytest.importorskip("onnxruntime")
    return mode and {"mode": mode}


class Rounded(nn.Module):
    """Scores in steps, so that many are equal."""

    def forward(self, x):
        return torch.round(2 * x) / 2


class Pooled(nn.Module):
    """A residual block and a mean, as in deeper nets."""

    def __init__(self):
        super().__init__()
        self.one = nn.Conv2d(2, 8, 3, padding=1)
        self.two = nn.Conv2d(8, 8, 3, padding=1, groups=2)
        self.norm = nn.BatchNorm2d(8)
        self.out = nn.Linear(8, 4)

    def forward(self, x):
        x = self.one(x).relu()
        x = self.norm(self.two(x) + x).relu()
        return self.out(x.mean(dim=(2, 3)))


def nearly_equal(module, by=1e-6):
    """Let the last layer give every class nearly the same score."""
    last = [m for m in module.modules() if isinstance(m, nn.Linear)][-1]
    with torch.no_grad():
        for values in (last.weight, last.bias):
            values.copy_(values[:1] + by * (values - values[:1]))
    return module


def plain():
    layers = nn.Conv2d(2, 8, 3), nn.BatchNorm2d(8), nn.ReLU(), nn.MaxPool2d(2)
    return nn.Sequential(*layers, nn.Flatten(), nn.Linear(72, 4))


NETS = {
    "plain": plain,
    "nearly equal": lambda: nearly_equal(plain()),
    "in steps": lambda: nn.Sequential(plain(), Rounded()),
    "residual": Pooled,
    "residual, nearly equal": lambda: nearly_equal(Pooled(), 1e-5),
    "one output": lambda: nn.Sequential(plain(), nn.Linear(4, 1)),
}


def smoothed(net, **params):
    torch.manual_seed(0)
    module = NETS[net]().eval()
    params = {"sigma": 0.3, "n": 80, "n0": 10, "random_state": 0, **params}
    return SmoothedClassifier(ModuleClassifier(module), **params)


@pytest.fixture(scope="module")
def eager():
    found = {}
    for net in NETS:
        g = smoothed(net, net_options=SMALL)
        found[net] = g.certify(IMAGES), g.predict(IMAGES)
    return found


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("net", NETS)
def test_counts_are_those_of_the_plain_net(net, mode, eager, monkeypatch):
    monkeypatch.setattr(_net_choice, "_SHARE", 1e9)  # "auto" takes what there is
    g = smoothed(net, net_options=options(mode))
    certificate, prediction = eager[net]
    np.testing.assert_array_equal(g.certify(IMAGES).counts, certificate.counts)
    np.testing.assert_array_equal(g.predict(IMAGES), prediction)
    few = g.set_params(batch_size=17).certify(IMAGES)
    np.testing.assert_array_equal(few.counts, certificate.counts)
    g.set_params(batch_size="auto", n_jobs=2)
    with joblib.parallel_config(backend="threading"):
        some = g.certify(IMAGES)
    np.testing.assert_array_equal(some.counts, certificate.counts)


def test_the_test_would_see_votes_that_depend_on_the_mode(eager, monkeypatch):
    decide = TorchNet.decide
    monkeypatch.setattr(
        TorchNet, "decide", lambda self, output, batch: decide(self, output, None)
    )
    g = smoothed("nearly equal", net_options=options("onnxruntime"))
    certificate, _ = eager["nearly equal"]
    assert not np.array_equal(g.certify(IMAGES).counts, certificate.counts)


def by_number(x, off=1e-6):
    """Scores of two classes that are close, rounded as the number of copies wants."""
    lead = off * (x[:, 0] + 3 * np.cos(len(x)))
    return torch.stack([torch.ones_like(lead), 1 + lead, 0 * lead], dim=1)


@pytest.mark.parametrize("batch_size", [1, 2, 7, 100, 300])
def test_close_calls_are_decided_in_a_batch_of_two(batch_size):
    """Known answers: the noise itself tells who leads where nothing else is there."""
    x = np.zeros((2, 3), np.float32)
    f = ModuleClassifier(Answers(by_number), classes=[0, 1, 2])
    voter = make_voter(f, f.classes_, Inputs.from_array(x, 1.0), SMALL)
    voter.allocate(batch_size)
    voter.fill(0, batch_size, 0, voter.open(bytes(32)))
    copies = voter._batch[:batch_size].clone()
    got = voter.classify(batch_size)
    expected = [int(by_number(one.expand(2, 3))[0].argmax()) for one in copies]
    np.testing.assert_array_equal(got, expected)
    if batch_size > 2:
        assert not np.array_equal(got, by_number(copies).argmax(1).numpy())


def test_those_of_a_threshold():
    class Close(nn.Module):
        """Probabilities of a class around one half, moved by the number of copies."""

        def __init__(self):
            super().__init__()
            self.unused = nn.Linear(3, 1)

        def forward(self, x):
            return 1e-6 * (x[:, 0] + 3 * np.cos(len(x)))

    net = binary_classifier(Close()).initialize()
    x = np.zeros((1, 3), np.float32)
    inputs = Inputs.from_array(x, 1.0)
    counts = [
        count_votes(
            net, net.classes_, inputs, 200, purpose="select", entropy=0, batch_size=size
        ).counts[0]
        for size in (2, 3, 60, 200)
    ]
    for other in counts[1:]:
        np.testing.assert_array_equal(other, counts[0])
    assert 0 < counts[0][0] < 200


class TestMargin:
    margin = Margin(relative=1e-3, scale=0.0, least=0.0)

    def called(self, *rows, **changes):
        margin = Margin(**{**vars(self.margin), **changes})
        winner, close = margin.by_rank(torch.tensor(rows))
        return winner.tolist(), close.tolist()

    def test_by_rank(self):
        rows = [1.0, 2.0], [2.0, 1.999], [2.0, 1.997], [-9.0, 1e-3], [5.0, 5.0]
        assert self.called(*rows) == ([1, 0, 0, 1, 0], [1, 4])
        # The largest score of a copy counts, and at least the scale.
        assert self.called([1e-3, 2e-3]) == ([1], [])
        assert self.called([1e-3, 2e-3], scale=1.0) == ([1], [0])
        assert self.called([1e-3, 2e-3, -9.0]) == ([1], [0])
        assert self.called([1.0, 1.5], least=0.6) == ([1], [0])

    def test_what_is_not_finite(self):
        inf, nan = np.inf, np.nan
        rows = [nan, 1.0], [inf, inf], [inf, 1.0], [-inf, -inf]
        assert self.called(*rows)[1] == [0, 1, 2, 3]
        # Classes that a net leaves out.
        assert self.called([1.0, -inf, -inf]) == ([0], [])
        # One without any for one with two.
        assert self.called([nan, nan], [1.0, 1.0])[1] == [0, 1]

    def test_by_threshold(self):
        winner, close = self.margin.by_threshold(torch.tensor([0.4, 0.5002, 0.6]), 0.5)
        assert (winner.tolist(), close.tolist()) == ([0, 1, 1], [1])

    def test_whole_numbers(self):
        winner, close = self.margin.by_rank(torch.tensor([[1, 2], [3, 3]]))
        assert (winner.tolist(), close.tolist()) == ([1, 0], [1])

    def test_what_was_seen(self):
        eps = torch.finfo(torch.float32).eps
        seen = Margin.seen(0.5, 1000.0, torch.float32, softmax=True)
        assert (seen.relative, seen.scale, seen.least) == (5e-3, 1000.0, 1e-5)
        # Nothing that was seen is taken for nothing there is.
        for one in ((0.0, 0.0), (0.0, 7.0), (1e-9, 7.0)):
            seen = Margin.seen(*one, torch.float32, softmax=False)
            assert (seen.relative, seen.least) == (pytest.approx(320 * eps), 0.0)


def test_a_module_that_writes_to_its_input_is_asked_again_about_what_it_got():
    def spoils(x):
        answers = by_number(x)
        x.fill_(7.0)
        return answers

    results = []
    for function in (by_number, spoils):
        f = ModuleClassifier(Answers(function), classes=[0, 1, 2])
        g = SmoothedClassifier(f, sigma=1.0, n=300, random_state=0)
        results.append(g.certify(np.zeros((3, 3), np.float32)).counts)
    np.testing.assert_array_equal(*results)


def test_a_module_that_squeezes():
    """On one copy alone it fails."""
    layers = plain()[:4], nn.AdaptiveAvgPool2d(1)

    class Squeezes(nn.Module):
        def __init__(self):
            super().__init__()
            torch.manual_seed(0)
            self.body, self.out = nn.Sequential(*layers), nn.Linear(8, 3)

        def forward(self, x):
            return nearly_equal(self.out)(self.body(x).squeeze())

    f = ModuleClassifier(Squeezes().eval())
    g = SmoothedClassifier(f, sigma=0.3, n=100, random_state=0)
    assert g.certify(IMAGES).counts.sum() == 400
