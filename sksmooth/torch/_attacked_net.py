"""A trained net as attacks see it: logarithms of shares, the largest is its answer."""

import math

import numpy as np
import torch

from .._containers import plain
from ..models._find_nets import net_at_end
from ..models._net_errors import wrong_shape
from ..models._nets import why_not_direct
from ..models._torch_net import TorchNet
from ..models._unwrap import unwrap
from ._copies import two_logits

# Probabilities in single precision add up to 1 but for this.
_ROUNDING = 1e-3


def net_in(estimator, classes, attack, hint=""):
    """Return the net that an estimator is, as a TorchNet.

    Parameters
    ----------
    estimator : fitted classifier

    classes : ndarray of shape (n_classes,)

    attack : str
        Who asks, for messages.

    hint : str, default=""
        What else to do.

    Raises
    ------
    ValueError
        If it is no net, or does more than ask its module.
    """
    chain = unwrap(estimator)
    net = net_at_end(chain)
    reason = None
    if net is None:
        reason = f"{type(estimator).__name__} is no neural net"
    elif chain.steps:
        reason = "it has steps before its net: scaling can be a layer of the module"
    else:
        reason = why_not_direct(net, chain.searched)
    if reason is not None:
        raise ValueError(
            f"{attack} goes through the module of a skorch net or a ModuleClassifier, "
            f"but {reason}.{hint}"
        )
    return TorchNet(net, classes)


def as_floats(X):
    """Return inputs, also tensors wherever they are, as an array of floats."""
    X = np.asarray(plain(X))
    return X if X.dtype == np.float64 else X.astype(np.float32)


def dtype_of_rows(net):
    """Return in what inputs of a net are moved.

    In half precision a small step would be lost, and a ball would have no clear edge.
    """
    return net.dtype if net.dtype.itemsize >= 4 else torch.float32


def log_shares_of(net, rows):
    """Return what a TorchNet gives the classes of rows, as logarithms of shares.

    The largest is what the net answers. Differences of logits stay what they were,
    however sure the net is. Outputs that are no probabilities are taken for logits.

    Parameters
    ----------
    net : TorchNet

    rows : tensor of shape (n, *shape)

    Returns
    -------
    log_shares : tensor of shape (n, n_classes)
        With a gradient to `rows`.
    """
    output = net.infer(rows.to(net.dtype))
    exact = torch.float32 if output.device.type == "mps" else torch.float64
    output = output.to(exact)
    if net.gives_logits:
        logs = two_logits(output)
        if logs.shape != (len(rows), net.n_classes):
            raise wrong_shape(net.name, output, len(rows), net.classes)
    else:
        logs = net.scores(output)
        if _are_probabilities(logs):
            logs = logs.clamp_min(torch.finfo(exact).tiny).log()
    if net.threshold is not None:  # between two classes
        share = min(max(float(net.threshold), 1e-300), 1 - 2**-53)
        logs = logs - logs.new_tensor([math.log1p(-share), math.log(share)])
    return logs.log_softmax(dim=1)


def _are_probabilities(scores):
    add_up = ((scores.sum(dim=1) - 1).abs() <= _ROUNDING).all()
    return bool(add_up and (scores >= -_ROUNDING).all())
