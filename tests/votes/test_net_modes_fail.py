"""Modes that a net cannot be run in are passed over, or refused in a sentence."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("skorch")

from sksmooth import SmoothedClassifier  # noqa: E402
from sksmooth.models import _net_choice  # noqa: E402
from sksmooth.models._net_errors import in_short  # noqa: E402
from sksmooth.torch import ModuleClassifier  # noqa: E402

IMAGES = np.random.default_rng(0).normal(size=(4, 1, 8, 8)).astype(np.float32)


class Whole(torch.nn.Conv2d):
    """A linear layer from 64 to 3, which is a convolution of the whole image."""

    def __init__(self):
        super().__init__(1, 3, 8)

    def forward(self, x):
        scores = super().forward(x.reshape(-1, 1, 8, 8))
        return scores.reshape(*x.shape[:-1], 3)


class Net(torch.nn.Module):
    """A linear layer, and a function of it and the batch that is no good graph."""

    def __init__(self, function):
        super().__init__()
        torch.manual_seed(0)
        self.linear = Whole()
        self.function = function

    def forward(self, x):
        return self.function(self.linear, x)


def keeps_the_batch_size(f, x):
    return f(x.reshape(len(x), 64))


def loops_over_rows(f, x):
    return torch.stack([f(row.flatten()) for row in x])


def loops_over_parts(f, x):
    return torch.cat([f(part.flatten(1)) for part in x.split(1)])


def leaves_torch(f, x):
    return torch.from_numpy(f(x.flatten(1)).detach().numpy() * 2)


def fails_in_a_trace(f, x):
    return f(x.flatten(1)) * (1 / (not torch.jit.is_tracing()))


def has_no_operator(f, x):
    return f(torch.special.erfcx(x.flatten(1)))


GRAPHLESS = [
    keeps_the_batch_size,
    loops_over_rows,
    loops_over_parts,
    leaves_torch,
    fails_in_a_trace,
]


def smoothed(function, mode):
    f = ModuleClassifier(Net(function), classes=[0, 1, 2])
    options = None if mode is None else {"mode": mode}
    return SmoothedClassifier(f, n=100, random_state=0, net_options=options)


def needs_onnx(mode):
    if mode == "onnxruntime":
        pytest.importorskip("onnx")
        pytest.importorskip("onnxruntime")


@pytest.mark.parametrize("function", [*GRAPHLESS, has_no_operator])
def test_auto_passes_over_them(function, monkeypatch, capfd):
    """However few votes would be worth another mode."""
    needs_onnx("onnxruntime")
    monkeypatch.setattr(_net_choice, "_SHARE", 1e9)
    g = smoothed(function, "auto").set_params(verbose=1)
    got = g.certify(IMAGES).counts
    said = capfd.readouterr().err
    if function is not has_no_operator:
        assert "passes over 'frozen'" in said
    expected = smoothed(function, "eager").certify(IMAGES).counts
    np.testing.assert_array_equal(got, expected)
    assert "passes over 'onnxruntime'" in said
    assert "graph(" not in said


@pytest.mark.parametrize("mode", ["frozen", "onnxruntime"])
@pytest.mark.parametrize("function", [*GRAPHLESS, has_no_operator])
def test_by_name_they_are_refused(function, mode, capfd):
    needs_onnx(mode)
    if (function, mode) == (has_no_operator, "frozen"):
        pytest.skip("possible")
    with pytest.raises(ValueError, match=f"cannot be used in mode '{mode}'") as info:
        smoothed(function, mode).certify(IMAGES)
    assert len(str(info.value)) < 600
    assert "\n" not in str(info.value)
    printed = "".join(capfd.readouterr())
    assert "graph(" not in printed
    assert "onnxruntime:" not in printed


def test_errors_in_short():
    assert in_short(KeyError("not so")) == "KeyError: 'not so'"
    assert in_short(RuntimeError("")) == "RuntimeError"
    lines = ["The following operation failed in the TorchScript interpreter.", "a", "b"]
    assert in_short(RuntimeError("\n".join(lines))) == "b"
    graph = "graph(%x : Float)\n  %1 = y"
    assert in_short(RuntimeError(f"one\ntwo\n{graph}")) == "RuntimeError: one two"
    for before in ("", "\n", "one\n"):
        short = in_short(RuntimeError(before + graph))
        assert short == f"RuntimeError: {before.strip()}".removesuffix(": ")
    assert len(in_short(RuntimeError("x" * 9999))) < 500
