"""What the losses share: outputs for the copies of a batch, and checks of weights."""

import math
from numbers import Integral

import torch

# Shares below exp(-10,000) are 0 in any precision; logarithms stay finite.
_LEAST_LOG_SHARE = -1e4


def unstack(rows, n_inputs):
    """Return rows for copies, one after another of all inputs, with an axis of copies.

    Parameters
    ----------
    rows : tensor of shape (n_copies * n_inputs, ...)

    n_inputs : int

    Returns
    -------
    copies : tensor of shape (n_copies, n_inputs, ...)

    Raises
    ------
    ValueError
        If there is no such number of copies.
    """
    if not n_inputs or not len(rows) or len(rows) % n_inputs:
        raise ValueError(
            f"{len(rows)} outputs are not a whole number of copies of {n_inputs} "
            "targets. Does the net begin with GaussianNoise(sigma, n_copies=...)?"
        )
    return rows.unflatten(0, (-1, n_inputs))


def two_logits(output):
    """Return a net's outputs, those of a net with one logit z as the two (0, z)."""
    if output.ndim == 1:
        output = output[:, None]
    if output.ndim == 2 and output.shape[1] == 1:
        return torch.cat([torch.zeros_like(output), output], dim=1)
    return output


def class_numbers(target):
    """Return targets as cross entropy takes them.

    Class numbers that losses of one logit take as floats, or as a column, become a row
    of integers. Probabilities of classes stay what they are.

    Raises
    ------
    ValueError
        If they are neither.
    """
    if target.ndim == 2 and target.shape[1] == 1:
        target = target[:, 0]
    if target.ndim != 1 or target.dtype == torch.int64:
        return target
    numbers = target.long()
    if not torch.equal(numbers.to(target.dtype), target):
        raise ValueError(
            "targets must be class numbers, 0, 1, ..., or one probability per class."
        )
    return numbers


def repeated(target, n_copies):
    """Return the targets of copies, one after another of all inputs."""
    return target.repeat(n_copies, *[1] * (target.ndim - 1))


def log_shares(logits):
    """Return log softmax over the last axis, without infinities."""
    return logits.log_softmax(dim=-1).clamp_min(_LEAST_LOG_SHARE)


def log_mean_shares(copies):
    """Return the logarithm of the mean over copies of softmax: the soft prediction.

    Parameters
    ----------
    copies : tensor of shape (n_copies, n_inputs, n_classes)
        Logits.

    Returns
    -------
    log_shares : tensor of shape (n_inputs, n_classes)
    """
    return log_shares(copies).logsumexp(dim=0) - math.log(len(copies))


def soft_cross_entropy(copies, target):
    """Return the cross entropy of the soft prediction, summed over inputs."""
    return -log_mean_shares(copies).gather(1, target[:, None]).sum()


def warm(epoch, warmup):
    """Return the share of the full strength that an epoch, from 0, trains with."""
    return 1.0 if epoch is None else min(1.0, (epoch + 1) / warmup)


def check_weight(value, name):
    """Raise a ValueError unless a weight or length is finite and not negative."""
    if not (math.isfinite(value) and value >= 0):
        raise ValueError(f"{name} must be finite and not negative, got {value!r}.")
    return value


def check_number(value, name, least=1):
    """Raise a ValueError unless a number of steps or epochs can be one."""
    if type(value) is bool or not isinstance(value, Integral) or value < least:
        raise ValueError(
            f"{name} must be a whole number of at least {least}, got {value!r}."
        )
    return value
