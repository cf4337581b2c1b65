"""Ways to evaluate a net that are faster than the plain one, and equal to it.

The graph of a module in eval mode can be frozen (weights become constants, BatchNorm is
folded into convolutions) and handed to oneDNN. Results then differ from the plain ones
by rounding, so a vote may differ where two scores are equal up to that.
"""

import threading
import time
import warnings

import numpy as np
import torch

from ._torch_net import TorchNet

MODES = ("eager", "frozen", "auto")
DTYPES = (None, "bfloat16", "float16")

# Copies that a mode is tried on.
_PROBE = 256

# warnings.catch_warnings is not safe in threads.
_TRACING = threading.Lock()


def settle(net, classes, values, options, say):
    """Check the options of a net and decide what "auto" means.

    Parameters
    ----------
    net : skorch net or ModuleClassifier

    classes : ndarray of shape (n_classes,)

    values : ndarray of shape (n_inputs, *shape)

    options : dict or None

    say : callable
        Takes a message.

    Returns
    -------
    options : dict
        With the keys "mode" ("eager" or "frozen") and "dtype".

    Raises
    ------
    ValueError
        If an option or its value is not known, or options do not go together.
    """
    options = check_options(options)
    if options["mode"] == "frozen":
        apply(TorchNet(net, classes), values, options, check=True)
    if options["mode"] != "auto":
        return options
    plain = {**options, "mode": "eager"}
    if options["dtype"] is not None:
        say(f"mode 'auto' is 'eager', the only one for dtype={options['dtype']!r}.")
        return plain
    eager = TorchNet(net, classes)
    if eager.device.type != "cpu" or eager.borrowed:
        say(f"mode 'auto' is 'eager', the only one for {eager.name} here.")
        return plain
    try:
        frozen = TorchNet(net, classes)
        frozen = apply(frozen, values, {**options, "mode": "frozen"}, check=True)
    except ValueError as error:
        say(f"mode 'auto' is 'eager': {error}")
        return plain
    seconds = [_time(one, values) for one in (eager, frozen)]
    ratio = seconds[0] / seconds[1]
    # Not for a few per cent: the plain mode is what `predict` does.
    mode = "frozen" if ratio > 1.1 else "eager"
    say(f"mode 'auto' is {mode!r}: 'frozen' takes {1 / ratio:.2f} of the time.")
    return {**options, "mode": mode}


def check_options(options):
    """Return all options of a net, with their defaults."""
    options = {} if options is None else dict(options)
    known = {"mode": MODES, "dtype": DTYPES}
    for name, value in options.items():
        if name not in known:
            raise ValueError(
                f"net_options has no {name!r}; it may have {sorted(known)!r}."
            )
        if value not in known[name]:
            raise ValueError(
                f"net_options[{name!r}] must be one of {known[name]!r}, got {value!r}."
            )
    options = {"mode": "eager", "dtype": None, **options}
    if options["mode"] == "frozen" and options["dtype"] is not None:
        raise ValueError("net_options: a frozen net keeps its dtype; use mode='eager'.")
    return options


def apply(net, values, options, *, check):
    """Put a TorchNet into the mode that the options name, and return it.

    With `check`, see whether it answers as before. Workers need not do that again.

    Raises
    ------
    ValueError
        If the module cannot be frozen, or answers differently then.
    """
    if options is None:
        return net
    net.autocast = options["dtype"]
    if options["mode"] == "eager":
        return net
    if net.borrowed:
        raise ValueError(f"the module of {net.name} cannot be copied, nor frozen")
    batch = net.to_input(_probe(net, values))
    parts = (batch, batch[: len(batch) // 2 + 1]) if check else ()
    expected = [net.winners(part) for part in parts]
    try:
        net.replace(_freeze(net.module, batch))
        got = [net.winners(part) for part in parts]
    except Exception as error:
        raise ValueError(
            f"the module of {net.name} cannot be frozen: {error}"
        ) from error
    if not all(map(torch.equal, expected, got)):
        raise ValueError(f"the module of {net.name} answers differently when frozen")
    return net


def _freeze(module, batch):
    with _TRACING, warnings.catch_warnings(), torch.no_grad():
        # torch.jit is announced to be replaced, but nothing else freezes for oneDNN
        # without a C++ compiler; tracing warns of branches, which the probe tests.
        warnings.simplefilter("ignore")
        traced = torch.jit.trace(module, batch, check_trace=False)
        return torch.jit.optimize_for_inference(torch.jit.freeze(traced))


def _probe(net, values):
    """Return noisy copies of the first inputs; any noise will do."""
    rows = np.resize(np.arange(min(len(values), 16)), _PROBE)
    some = np.asarray(values[rows], np.float32)
    some += np.random.default_rng(0).normal(0, some.std() / 4, some.shape)
    return torch.from_numpy(some).to(net.device)


def _time(net, values):
    batch = _probe(net, values)
    best = np.inf
    for _ in range(5):
        start = time.perf_counter()
        net.winners(batch)
        best = min(best, time.perf_counter() - start)
    return best
