"""Steps uphill of a fixed l2 length, inside an l2 ball."""

import math

import torch

# What pixels may be outside their range, as a share of it.
_ROUNDING = 1e-6

# Where a shift is rounded, it does not leave the ball.
INSIDE = 1 - 1e-6


def ascend(slope, start, *, steps, step_size, epsilon=None, around=None, restrict=None):
    """Yield where each step of gradient ascent leads.

    Parameters
    ----------
    slope : callable
        Of a tensor like `start`: the gradient of what is to grow, row by row.

    start : tensor of shape (n_rows, *shape)

    steps : int

    step_size : float, or tensor that broadcasts against rows
        l2 length of a step of each row.

    epsilon : float or tensor, default=None
        A row moves no further than this from `around`, in l2. None is as far as the
        steps lead.

    around : tensor of the shape of `start`, default=None
        None is where they start.

    restrict : callable, default=None
        What is done to the rows after each step, before they are pulled back into the
        ball.

    Yields
    ------
    rows : tensor of shape (n_rows, *shape)
        Without a gradient.
    """
    rows = start
    around = start if around is None else around
    for _ in range(steps):
        rows = rows + step_size * _unit(slope(rows))
        if restrict is not None:
            rows = restrict(rows)
        if epsilon is not None:
            rows = around + shortened(rows - around, epsilon)
        yield rows


def slope_of(objective):
    """Return the gradient, as a function of rows, of a sum over rows.

    The gradients of the weights of a net in it are left alone.
    """

    def slope(rows):
        rows = rows.detach().requires_grad_()
        return torch.autograd.grad(objective(rows), rows)[0]

    return slope


def inside(x, clip, scale=1.0):
    """Return what keeps x + scale * shift in a range, as a function of the shift.

    Features of which the scale is 0 are left alone, wherever they are.

    Raises
    ------
    ValueError
        If other features leave the range before they are shifted.
    """
    if clip is None:
        return None
    scale = torch.as_tensor(scale, device=x.device, dtype=x.dtype)
    moves = (scale > 0).expand(x.shape[1:])
    check_inside(x if moves.all() else x[:, moves], clip)
    scale = torch.where(scale > 0, scale, 1.0)

    def restrict(shift):
        kept = ((x + scale * shift).clamp(*clip) - x) / scale
        return torch.where(moves, kept, 0.0)

    return restrict


def check_clip(clip):
    """Raise a ValueError unless `clip` is None or a range."""
    if clip is None:
        return None
    try:
        low, high = (float(end) for end in clip)
    except (TypeError, ValueError):
        low, high = math.nan, math.nan
    if not low < high:
        raise ValueError(
            "clip must be the least and the largest value of an input, as (0, 1), got "
            f"{clip!r}."
        )
    return clip


def check_inside(x, clip):
    """Raise a ValueError unless all values of x are in the range `clip`.

    Outside, where all steps would lead back to the range, nothing would be attacked.
    """
    if clip is None or 0 in x.shape:
        return
    low, high = (float(end) for end in clip)
    slack = _ROUNDING * (high - low if math.isfinite(high - low) else 1.0)
    least, most = float(x.min()), float(x.max())
    if least < low - slack or most > high + slack:
        raise ValueError(
            f"X leaves clip={clip!r}: its values go from {least:g} to {most:g}."
        )


def lengths(rows):
    """Return the l2 lengths of rows, in a shape that broadcasts against them."""
    return rows.flatten(1).norm(dim=1).reshape(-1, *[1] * (rows.ndim - 1))


def shortened(rows, epsilon):
    """Return rows, the longer ones scaled to the length epsilon."""
    norm = lengths(rows)
    return rows * torch.where(norm > epsilon, epsilon / norm, 1.0)


def _unit(gradient):
    """Return rows of length 1 in the direction of a gradient; 0 where that is 0."""
    # In two steps, since squares of the gradients of a sure net underflow.
    largest = gradient.abs().flatten(1).amax(dim=1).reshape(lengths(gradient).shape)
    gradient = gradient / torch.where(largest > 0, largest, 1.0)
    return gradient / lengths(gradient).clamp_min(1.0)
