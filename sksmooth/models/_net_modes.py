"""Ways to evaluate a net that are faster than the plain one, and equal to it.

Results differ from the plain ones by rounding, so a vote may differ where two scores
are equal up to that. Every other mode has to give the same classes as the plain one on
noisy copies of the inputs, in two sizes of batch.
"""

import copy
import time

import numpy as np
import torch

from ._first_layer import push_forward
from ._net_engines import OnnxModule, freeze, through_compile, why_no_onnx
from ._nets import Settled
from ._torch_net import CONVOLVED_AT_ONCE, TorchNet, explained, in_short

MODES = ("eager", "frozen", "compile", "onnxruntime", "auto")
DTYPES = (None, "bfloat16", "float16")
_DEFAULTS = {
    "mode": "eager",
    "dtype": None,
    "channels_last": False,
    "push_forward": True,
}
_KNOWN = {
    "mode": MODES,
    "dtype": DTYPES,
    "channels_last": (False, True),
    "push_forward": (False, True),
}

# Copies that a mode is tried on; if they take longer than that many seconds, fewer of
# them are timed.
_PROBE = 256
_SLOW = 0.1

# How much less time a mode has to take. Not a few per cent: the plain mode is what
# `predict` does.
_WORTH_IT = 0.9


def settle(net, classes, fed, options, say):
    """Check the options of a net and decide what "auto" means.

    Parameters
    ----------
    net : skorch net or ModuleClassifier

    classes : ndarray of shape (n_classes,)

    fed : Fed

    options : dict or None

    say : callable
        Takes a message.

    Returns
    -------
    settled : Settled

    view : TorchNet
        The net, evaluated so.

    Raises
    ------
    ValueError
        If an option or its value is not known, if options do not go together, or if
        the net cannot be evaluated as they say or answers differently then.

    RuntimeError
        If the net cannot be evaluated at all.
    """
    options = check_options(options)
    if options["mode"] == "auto":
        return _fastest(net, classes, fed, options, say)
    settled = Settled(**options)
    if _is_plain(settled):
        return settled, ready(net, classes, fed, settled)
    plain = ready(net, classes, fed, Settled(**{**options, **_PLAIN}))
    batch = _probe(plain, fed)
    probes = _probes(batch)
    try:
        expected = [_answers(plain, probe) for probe in probes]
    except ValueError:
        raise
    except Exception as error:  # not the fault of the mode
        raise explained(plain, batch, error) from error
    view = ready(net, classes, fed, settled)
    _check(view, settled, probes, expected)
    return settled, view


_PLAIN = {"mode": "eager", "channels_last": False}


def check_options(options):
    """Return all options of a net, with their defaults."""
    options = {} if options is None else dict(options)
    for name, value in options.items():
        if name not in _KNOWN:
            raise ValueError(
                f"net_options has no {name!r}; it may have {sorted(_KNOWN)!r}."
            )
        if value not in _KNOWN[name]:
            raise ValueError(
                f"net_options[{name!r}] must be one of {_KNOWN[name]!r}, got {value!r}."
            )
    options = {**_DEFAULTS, **options}
    mode = options["mode"]
    if mode in ("frozen", "onnxruntime"):
        if options["dtype"] is not None:
            raise ValueError(
                f"net_options: mode={mode!r} keeps the net's dtype; use 'eager' or "
                "'compile'."
            )
        if options["channels_last"]:
            raise ValueError(
                f"net_options: mode={mode!r} chooses its own memory format; use "
                "channels_last with 'eager' or 'compile'."
            )
    if mode == "auto" and options["channels_last"]:
        raise ValueError(
            "net_options: mode='auto' tries channels_last by itself; leave it out."
        )
    return options


def ready(net, classes, fed, settled):
    """Return a TorchNet in the mode that was settled on.

    Whether it answers as the plain one has been checked by ``settle``.

    Raises
    ------
    ValueError
        If the net cannot be evaluated in this mode.
    """
    view = TorchNet(net, classes)
    view.autocast = settled.dtype
    if settled.push_forward:
        push_forward(view, fed)
    if _is_plain(settled):
        return view
    label, name = _label(settled), f"the module of {view.name}"
    if view.borrowed:
        raise ValueError(f"{name} cannot be copied, and so is for mode 'eager' only")
    if settled.channels_last:
        if fed.values.ndim != 4 or view.first is not None:
            raise ValueError(
                "channels_last is for images that go into a convolution; inputs "
                f"have shape {fed.values.shape[1:]}"
            )
        # A copy with weights of its own: theirs move in memory.
        view.replace(copy.deepcopy(view.module).to(memory_format=torch.channels_last))
        view.memory_format = torch.channels_last
    if settled.mode == "onnxruntime" and (why := why_no_onnx(view.device)):
        raise ValueError(f"mode 'onnxruntime': {why}")
    run = {"frozen": freeze, "compile": through_compile, "onnxruntime": OnnxModule}
    try:
        if settled.mode in run:
            batch = view.to_input(_probe(view, fed, rows=2))
            with view.precision():
                view.replace(run[settled.mode](view.module, batch))
                view.in_engine = True
        view.winners(_probe(view, fed, rows=2))
    except Exception as error:
        raise ValueError(
            f"{name} cannot be used in mode {label}: {in_short(error)}"
        ) from error
    return view


def _fastest(net, classes, fed, options, say):
    """Return what "auto" means for a net, and the net evaluated so."""
    plain = Settled(**{**options, **_PLAIN})
    eager = ready(net, classes, fed, plain)
    if options["dtype"] is not None:
        say(f"mode 'auto' is 'eager', the only one for dtype={options['dtype']!r}.")
        return plain, eager
    if eager.device.type != "cpu" or eager.borrowed:
        say(f"mode 'auto' is 'eager', the only one for {eager.name} here.")
        return plain, eager
    candidates = [{"mode": "frozen"}, {"mode": "onnxruntime"}]
    if fed.values.ndim == 4 and eager.first is None:
        candidates.append({"channels_last": True})
    batch = _probe(eager, fed)
    probes = _probes(batch)
    start = time.perf_counter()
    try:
        expected = [_answers(eager, probe) for probe in probes]
    except Exception:  # will be raised again, and explained, where votes are drawn
        return plain, eager
    if time.perf_counter() - start > _SLOW:
        batch = batch[: _PROBE // 4]
    shortest = _seconds(eager, batch)
    seconds, best = {_label(plain): shortest}, (plain, eager)
    for changes in candidates:
        settled = Settled(**{**vars(plain), **changes})
        try:
            view = ready(net, classes, fed, settled)
            answers = [*expected, expected[0][: len(batch)]]
            _check(view, settled, [*probes, batch], answers)
        except ValueError as error:
            say(f"mode 'auto' passes over {_label(settled)}: {error}.")
            continue
        seconds[_label(settled)] = taken = _seconds(view, batch)
        limit = shortest * (_WORTH_IT if best[0] is plain else 1)
        if taken < limit:
            best, shortest = (settled, view), taken
    first = seconds[_label(plain)]
    table = ", ".join(f"{name} {taken / first:.2f}" for name, taken in seconds.items())
    say(f"mode 'auto' is {_label(best[0])}. Time of a forward pass: {table}.")
    return best


def _probes(batch):
    """Return the batches that every mode has to answer like the plain one."""
    return [batch, batch[:3]]


def _check(view, settled, probes, expected):
    """Raise a ValueError if a net answers otherwise than expected, or fails."""
    for probe, classes in zip(probes, expected, strict=True):
        try:
            answers = _answers(view, probe)
        except Exception as error:  # a graph may hold the number of rows it was made of
            raise ValueError(
                f"the module of {view.name} cannot be used in mode "
                f"{_label(settled)}: it fails on a batch of {len(probe)}, "
                f"{in_short(error)}"
            ) from error
        if not torch.equal(answers, classes):
            raise ValueError(
                f"the module of {view.name} answers differently in mode "
                f"{_label(settled)}"
            )


def _is_plain(settled):
    return settled.mode == "eager" and not settled.channels_last


def _label(settled):
    return repr(settled.mode) + (" with channels_last" * settled.channels_last)


def _probe(net, fed, rows=_PROBE):
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


def _answers(net, batch):
    """Return the class indices of copies, as many at a time as votes are taken."""
    size = CONVOLVED_AT_ONCE if net.convolves else len(batch)
    # Copies: a module may write to its input, and other modes get the same batch.
    return torch.cat([net.winners(part.clone()) for part in batch.split(size)])


def _seconds(net, batch):
    best = np.inf
    for _ in range(3):
        start = time.perf_counter()
        _answers(net, batch)
        best = min(best, time.perf_counter() - start)
    return best
