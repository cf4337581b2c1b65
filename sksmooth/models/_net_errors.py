"""Errors of nets, and what is to be done about them, in words."""

from torch import nn

_CHANNELS = (1, 3, 4)

# Characters of another package's error that are passed on.
_READABLE = 400


def in_short(error):
    """Return what an error says without the graph or the traceback that it prints."""
    kind = f"{type(error).__name__}: "
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    if lines and "TorchScript" in lines[0]:
        kind, lines = "", lines[-1:]  # which names the kind itself
    graph = [k for k, line in enumerate(lines) if line.startswith(("graph(", "%"))]
    text = (kind + " ".join(lines[: min([*graph, 3])])).removesuffix(": ")
    return text if len(text) <= _READABLE else f"{text[:_READABLE]} ..."


def explained(net, batch, error):
    """Return the error to raise where the module of a TorchNet failed on a batch."""
    shape = tuple(batch.shape)
    return RuntimeError(
        f"the module of {net.name} failed on a batch of {len(batch)} noisy copies, of "
        f"shape {shape}, {net.dtype} on {net.device}: "
        f"{in_short(error).removesuffix('.')}.{about_axes(net.module, shape)}"
    )


def about_axes(module, shape):
    """Return a sentence about axes of a batch that a module may have wanted, or ""."""
    if len(shape) == 4 and shape[-1] in _CHANNELS and shape[1] not in _CHANNELS:
        return (
            " Are these images with the channels last? torch wants them first: "
            "X.transpose(0, 3, 1, 2)."
        )
    if len(shape) == 4 or not any(isinstance(m, nn.Conv2d) for m in module.modules()):
        return ""
    wanted = " The convolutions want X of shape (n_inputs, channels, height, width): "
    if len(shape) == 3:
        return (
            f"{wanted}X[:, None] makes it of grey images without an axis of channels, "
            "X[None] of a single image."
        )
    return f"{wanted}X.reshape(-1, channels, height, width) makes it of flat rows."


def wrong_shape(name, output, n_inputs, classes):
    """Return the error to raise where outputs are not one number for each class.

    Parameters
    ----------
    name : str
        Of the class of the net.

    output : tensor of shape (n_inputs, ...)
        What the module returned.

    n_inputs : int

    classes : ndarray of shape (n_classes,)

    Returns
    -------
    error : ValueError
    """
    returned = (
        f"{name}'s module returned a tensor of shape {tuple(output.shape)} for "
        f"{n_inputs} inputs"
    )
    if output.ndim > 2:
        return ValueError(
            f"{returned}, as nets for segmentation do, which give a class to every "
            "pixel. Smoothing is for one class per input, and one row of outputs for "
            "each is needed; segmentation is not supported. Axes of length 1 are taken "
            "away by torch.nn.Sequential(module, torch.nn.Flatten())."
        )
    return ValueError(
        f"{returned}, but it has {len(classes)} classes: {classes.tolist()!r}. One "
        "output per class is needed, or a single one for two classes; name the classes "
        "of all outputs in `classes`."
    )
