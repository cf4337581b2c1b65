"""What mode "auto" means for a net: by rule, from its layers and the votes asked for.

No clock is asked, so that the choice is the same on any machine with the same packages.
It is a matter of time alone: votes do not depend on it. On a GPU, where close calls are
not asked about again, the votes asked for do not count, so that f is one function.
"""

import warnings

import torch
from torch import nn

from .._optional import SlowVotesWarning
from ._net_engines import why_no_onnx
from ._net_modes import (
    PROBED,
    PROBED_ALONE,
    in_mode,
    is_kept,
    probe,
    same_draws,
)
from ._torch_net import private_copy

# What getting ready may cost of what the votes would take without it.
_SHARE = 0.05

# Seconds on one core of a usual processor, as benchmarks/nets.py finds them: a product
# of a convolution or a linear layer, a number that a layer puts out, and for engines
# what a layer takes to be exported.
_PRODUCT, _OUTPUT = 1e-11, 1.5e-9
_START, _LAYER = 0.03, 0.004

# Copies that the plain net and the engine take to be compared. One in a small batch
# takes longer.
_COMPARED = 2 * PROBED + 2 * 2 * PROBED_ALONE

# A share of close calls with which an engine saves nothing: they are asked about again.
_MANY_CLOSE = 0.25

# Seconds of votes from which on a package that is missing is worth a word.
_LONG = 10.0

_hinted = False


def laid_out(plain, fed, say):
    """Return a net in the memory format that suits its device, for any votes.

    Channels last for convolutions of images on a GPU, whose fastest kernels take them
    so; not on a grid, where f is what the net as it is computes.

    Parameters
    ----------
    plain : TorchNet
        In eager mode.

    fed : Fed
        What it gets for some inputs.

    say : callable
        Takes what the user may want to know, in words.

    Returns
    -------
    net : TorchNet
        `plain`, if its answers are others then.
    """
    if not _wants_channels_last(plain, fed):
        return plain
    try:
        with same_draws(plain.device):
            view = in_mode(plain, fed, "eager", channels_last=True, asked_for=False)
    except (ValueError, RuntimeError) as error:  # as where 16 copies fill the memory
        say(f"mode 'auto' passes over channels_last: {error}.")
        return plain
    say("mode 'auto' is 'eager' with channels_last.")
    return view


def _wants_channels_last(plain, fed):
    return (
        plain.device.type == "cuda"
        and any(isinstance(m, nn.Conv2d) for m in _parts(plain))
        and fed.values.ndim == 4
        and fed.grid is None
        and plain.first is None
        and not plain.borrowed
    )


def faster(plain, fed, n_votes, say):
    """Return an engine for a net if that pays, in place of the plain one, or None.

    Convolutions on a CPU pay in onnxruntime or, without it, frozen; not on a grid,
    where f is what the net as it is computes.

    Parameters
    ----------
    plain : TorchNet
        In eager mode.

    fed : Fed
        What it gets for some inputs.

    n_votes : float
        About how many are asked for.

    say : callable
        Takes what the user may want to know, in words.
    """
    if not may_be_faster(plain, fed) or _SHARE * n_votes < _COMPARED:
        return None
    with same_draws(plain.device):
        return _faster(plain, fed, n_votes, say)


def may_be_faster(plain, fed):
    """Is there any number of votes for which an engine is taken?"""
    convolves = any(isinstance(m, nn.modules.conv._ConvNd) for m in _parts(plain))
    return (
        convolves
        and fed.grid is None
        and plain.device.type == "cpu"
        and plain.dtype == torch.float32
        and plain.margin is not None
        and not plain.borrowed
    )


def _parts(net):
    return net.module.modules()


def _faster(plain, fed, n_votes, say):
    two = probe(plain, fed, 2)
    try:
        seconds, n_layers = work(plain, two)
    except Exception:  # will be raised again, and explained, where votes are drawn
        return None
    budget = _SHARE * n_votes * seconds
    why = why_no_onnx(plain.device)
    if why is not None and n_votes * seconds > _LONG:
        _hint(plain, why)
    for mode in ("frozen",) if why else ("onnxruntime", "frozen"):
        cost = _COMPARED * seconds
        if not is_kept(plain, mode, two.shape[1:]):
            cost += _START + _LAYER * n_layers
        if cost > budget:
            say(
                f"mode 'auto' is 'eager': {n_votes:.0f} votes are too few for another; "
                f"net_options={{'mode': {mode!r}}} takes it all the same."
            )
            return None
        try:
            view = in_mode(plain, fed, mode, asked_for=False)
        except ValueError as error:
            say(f"mode 'auto' passes over {mode!r}: {error}.")
            continue
        if _share_of_close(view, probe(plain, fed, PROBED)) > _MANY_CLOSE:
            say(f"mode 'auto' passes over {mode!r}: many scores are all but equal.")
            return None
        say(f"mode 'auto' is {mode!r}." + (f" {why}." if why else ""))
        return view
    return None


def work(net, batch):
    """Return about how long a copy takes the plain net, and how many layers it has.

    Parameters
    ----------
    net : TorchNet

    batch : tensor of shape (n, *shape)

    Returns
    -------
    seconds : float
        By what its layers put out, and from how many products each number of it is.

    n_layers : int
    """
    module = private_copy(net.module)
    products = outputs = n_layers = 0

    def count(part, _, output):
        nonlocal products, outputs, n_layers
        n_layers += 1
        if not isinstance(output, torch.Tensor):
            return
        outputs += output.numel()
        for weight in part.parameters(recurse=False):
            if weight.ndim > 1:
                products += output.numel() * weight[0].numel()

    hooks = [
        part.register_forward_hook(count)
        for part in module.modules()
        if not any(True for _ in part.children())
        or any(True for _ in part.parameters(recurse=False))
    ]
    with torch.inference_mode():
        module(net.to_input(batch.clone()))
    for hook in hooks:
        hook.remove()
    return (_PRODUCT * products + _OUTPUT * outputs) / len(batch), n_layers


def _share_of_close(view, batch):
    ranks = view.ranks(view.output(batch))
    if view.threshold is not None:
        _, close = view.margin.by_threshold(ranks[:, 1], view.threshold)
    else:
        _, close = view.margin.by_rank(ranks)
    return len(close) / len(batch)


def _hint(net, why):
    global _hinted
    if _hinted:
        return
    _hinted = True
    warnings.warn(
        f"many votes of {net.name} would take less time in onnxruntime, but {why}.",
        SlowVotesWarning,
        stacklevel=2,
    )
