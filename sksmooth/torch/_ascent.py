"""Steps uphill of a fixed l2 length, inside an l2 ball."""

import torch

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


def inside(x, clip):
    """Return what keeps x + shift in a range, as a function of the shift."""
    return None if clip is None else lambda shift: (x + shift).clamp(*clip) - x


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
