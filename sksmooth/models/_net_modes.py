"""Ways to evaluate a net that are faster than the plain one, and equal to it.

Scores differ from the plain ones by rounding. How much is measured on a few noisy
copies, before any vote; copies for which that may matter are then asked about again,
see ``TorchNet.decide``. So votes do not depend on the mode.
"""

import copy
import warnings
from contextlib import contextmanager

import numpy as np
import torch

from ._first_layer import push_forward
from ._net_engines import freeze, through_compile, through_onnx, why_no_onnx
from ._net_errors import explained, in_short
from ._net_memory import contents, engines
from ._torch_net import CONVOLVED_AT_ONCE, TorchNet

# Copies that a mode is compared on, and those of them that are also asked about alone.
PROBED, PROBED_ALONE = 16, 2

# Another size of batch that a graph has to take.
_FEW = 3

# Copies for a graph that may hold one of several ways: in batches of the size of votes,
# which may be what it depends on.
_IN_DOUBT = 256

# Differences of scores, as a share of the largest one, that are no rounding.
_NO_ROUNDING = 1e-3


def ready(net, classes, fed, settled):
    """Return a TorchNet that is evaluated as was settled; "auto" begins as "eager".

    Parameters
    ----------
    net : skorch net or ModuleClassifier

    classes : ndarray of shape (n_classes,)

    fed : Fed
        What it gets for some inputs.

    settled : Settled

    Raises
    ------
    ValueError
        If the net cannot be evaluated so, or answers differently then.

    RuntimeError
        If the net cannot be evaluated at all.
    """
    view = TorchNet(net, classes, settled.dtype)
    if settled.push_forward:
        push_forward(view, fed)
    if settled.mode in ("eager", "auto") and not settled.channels_last:
        return view
    with same_draws(view.device):
        return in_mode(view, fed, settled.mode, settled.channels_last)


def in_mode(plain, fed, mode, channels_last=False, asked_for=True):
    """Return a TorchNet like `plain`, in another mode.

    Parameters
    ----------
    plain : TorchNet

    fed : Fed

    mode : str

    channels_last : bool, default=False

    asked_for : bool, default=True
        Did the user name the mode? If not, a graph that may be another function than
        the module is refused: what it is compared on need not show that.

    Raises
    ------
    ValueError, RuntimeError
        As for ``ready``.
    """
    label = repr(mode) + " with channels_last" * channels_last
    name = f"the module of {plain.name}"
    if plain.borrowed:
        raise ValueError(f"{name} cannot be copied, so only mode 'eager' is possible")
    if mode == "onnxruntime" and (why := why_no_onnx(plain.device)):
        raise ValueError(f"mode 'onnxruntime': {why}")
    if channels_last and (fed.values.ndim != 4 or plain.first is not None):
        raise ValueError(
            "channels_last is for images that go into a convolution; inputs "
            f"have shape {fed.values.shape[1:]}"
        )
    batch = probe(plain, fed, PROBED)
    expected = asked_plainly(plain, batch)
    view, doubtful = plain.twin(), False
    view.plain = plain
    try:
        if channels_last:
            # A copy with weights of its own: theirs move in memory.
            twin = copy.deepcopy(view.module).to(memory_format=torch.channels_last)
            view.replace(twin)
            view.memory_format = torch.channels_last
        if mode != "eager":
            module, doubtful = _engine(view, mode, view.to_input(batch[:2].clone()))
            view.replace(module)
            view.in_engine = True
        view.output(batch[:2].clone())
    except Exception as error:
        raise ValueError(
            f"{name} cannot be used in mode {label}: {in_short(error)}"
        ) from error
    may = f"{name} may take another way for other inputs, and a graph holds one"
    if doubtful and not asked_for:
        raise ValueError(may)
    if doubtful:
        size = CONVOLVED_AT_ONCE if plain.convolves else _IN_DOUBT
        batch = probe(plain, fed, size)
        expected = asked_plainly(plain, batch)
    view.margin = _margin(plain, view, batch, expected, label)
    if doubtful:
        warnings.warn(
            f"{may}: in mode {label} votes may differ from those in mode 'eager', and "
            "certificates are about the answers of the graph. Use mode 'eager' "
            "unless you know that they are the same.",
            UserWarning,
            stacklevel=2,
        )
    return view


def is_kept(plain, mode, shape):
    """Has a TorchNet's engine for copies of a shape been made already?"""
    return len(engines) > 0 and _contents(plain, mode, shape).key in engines


def _contents(plain, mode, shape):
    return contents(plain.module, mode, plain.dtype, tuple(shape))


def _engine(view, mode, batch):
    make = {
        "frozen": freeze,
        "compile": through_compile,
        "onnxruntime": through_onnx,
    }[mode]
    with view.precision():
        if mode == "compile":  # it shares the weights, and is for one module
            return make(view.module, batch)
        key, size = _contents(view, mode, batch.shape[1:])
        return engines.get(key, size, lambda: make(view.module, batch))


def probe(net, fed, rows):
    """Return noisy copies of the first inputs, as the module takes them."""
    if net.first is not None:
        fed = net.first.feed(fed)
    rng = np.random.default_rng(0)
    places = np.resize(np.arange(min(len(fed.values), 16)), rows)
    some = np.array(fed.values[places], float)
    if fed.factor is None:
        some += fed.sigma * rng.normal(size=some.shape)
    else:
        some += rng.normal(size=(rows, len(fed.factor))) @ fed.factor
    return torch.from_numpy(some.astype(np.float32)).to(net.device)


def asked_plainly(plain, batch):
    """Return the plain net's outputs for copies, in one batch and for some alone.

    Raises
    ------
    RuntimeError
        If it fails, which is not the fault of any mode.
    """
    try:
        return plain.output(batch.clone()).clone(), torch.cat(
            [plain.scored_alone(one).clone() for one in batch[:PROBED_ALONE]]
        )
    except ValueError:
        raise
    except Exception as error:
        raise explained(plain, batch, error) from error


def _margin(plain, view, batch, expected, label):
    """Return the margin of a mode by how far its scores are from the plain ones.

    Raises
    ------
    ValueError
        If it answers otherwise, or fails on another number of copies.
    """
    whole, alone = expected
    largest = difference = 0.0
    for size in (len(batch), _FEW):
        try:
            output = view.output(batch[:size].clone()).clone()
        except Exception as error:  # a graph may hold the number of rows it was made of
            raise ValueError(
                f"the module of {view.name} cannot be used in mode {label}: it fails "
                f"on a batch of {size}, {in_short(error)}"
            ) from error
        for other in (whole[:size], alone):
            a, b = other[:size], output[: len(other)]
            off, top = _difference(plain.ranks(a), plain.ranks(b))
            difference, largest = max(difference, off), max(largest, top)
            if plain.margin is None:  # rounding is coarse: there, classes have to do
                off = float(
                    not torch.equal(plain.decide(a, None), plain.decide(b, None))
                )
                top = 1.0
            if not off <= _NO_ROUNDING * top:
                raise ValueError(
                    f"the module of {view.name} answers differently in mode {label}"
                )
    return plain.margin_for(difference, largest)


def _difference(a, b):
    """Return how far scores are apart, and the largest; inf where one is not finite."""
    finite = a.isfinite()
    if not torch.equal(a[~finite].nan_to_num(), b[~finite].nan_to_num()):
        return np.inf, 0.0
    a, b = a[finite].double(), b[finite].double()
    if not a.numel():
        return 0.0, 0.0
    return (a - b).abs().max().item(), a.abs().max().item()


@contextmanager
def same_draws(device):
    """Let what is random in a net on a device draw, and put its generators back."""
    state = np.random.get_state()
    devices = [device] if device.type == "cuda" else []
    try:
        with torch.random.fork_rng(devices=devices):
            yield
    finally:
        np.random.set_state(state)
