"""Are a net's outputs what they are said to be? Seen on the outputs themselves."""

import torch

# How far sums of probabilities may be from 1, in any precision.
_ROUNDING = 1e-2

# Points far away from the inputs, and how far, in what the inputs reach to.
_FAR_POINTS, _FAR = 32, 1e3


def doubt(name, said, batch, output, ask):
    """Return what speaks against `said`, in words, or None.

    A sigmoid stays in [0, 1] wherever it is asked. A logit that does so for some inputs
    leaves that range far away from them, so nets in doubt are asked there, too.

    Parameters
    ----------
    name : str
        Of the class of the net.

    said : {"logits", "probabilities"} or None
        What the outputs are said to be; None: nothing.

    batch : tensor of shape (n, *shape)

    output : tensor of shape (n, ...)
        What the module made of it.

    ask : callable
        Returns the output for another batch.
    """
    if output.ndim > 2:
        return None  # an error, where the outputs are counted
    output = output.reshape(len(output), -1)
    output = output[output.isfinite().all(dim=1)]
    if not len(output):
        return None
    if said == "logits" and output.shape[1] == 1:
        if not (_are_shares(output) and _are_shares(ask(_far(batch)))):
            return None
        return (
            f"the one output of the module of {name} is taken for a logit, of which a "
            "positive one means the second class; but all its values are in [0, 1], "
            "like those of a sigmoid, so every answer is the second class. Say "
            "ModuleClassifier(module, outputs='probabilities') if it ends in a "
            "sigmoid, or leave the sigmoid out."
        )
    if said != "probabilities":
        return None
    if not _are_shares(output):
        low, high = output.min().item(), output.max().item()
        return (
            f"the outputs of the module of {name} are said to be probabilities, but "
            f"are numbers from {low:.3g} to {high:.3g}. Leave outputs='probabilities' "
            "out if they are logits: of one logit, a positive one means the second "
            "class, and not one above 1/2."
        )
    total = output.sum(dim=1)
    if output.shape[1] > 1 and ((total - 1).abs() > _ROUNDING).any():
        return (
            f"the outputs of the module of {name} are said to be probabilities, but "
            f"those of one input add up to {total.min().item():.3g} or "
            f"{total.max().item():.3g}, not to 1. Smoothing is for one class per "
            "input. If each output is a label of its own (multi-label), make one "
            "SmoothedClassifier per label, around a module that returns this output "
            "alone. If the largest output is the class all the same, leave "
            "outputs='probabilities' out."
        )
    return None


def _are_shares(output):
    return bool(((output >= -_ROUNDING) & (output <= 1 + _ROUNDING)).all())


def _far(batch):
    """Return points in all directions, far away."""
    generator = torch.Generator().manual_seed(0)
    points = torch.randn((_FAR_POINTS, *batch.shape[1:]), generator=generator)
    reach = batch.nan_to_num(0).abs().max().item() + 1
    return (_FAR * reach * points).to(batch.device, batch.dtype)
