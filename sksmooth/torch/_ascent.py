"""Steps uphill of a fixed l2 length, inside an l2 ball."""

import torch


def ascend(objective, start, *, steps, step_size, epsilon=None, restrict=None):
    """Yield where each step of gradient ascent leads.

    Parameters
    ----------
    objective : callable
        Of a tensor like `start`; the sum over rows of what is to grow.

    start : tensor of shape (n_rows, *shape)

    steps : int

    step_size : float
        l2 length of a step of each row.

    epsilon : float, default=None
        A row moves no further than this from its start, in l2. None is as far as the
        steps lead.

    restrict : callable, default=None
        What is done to the rows after each step, before they are pulled back into the
        ball.

    Yields
    ------
    rows : tensor of shape (n_rows, *shape)
        Without a gradient.
    """
    rows = start
    for _ in range(steps):
        rows = rows.detach().requires_grad_()
        # Only for these rows: the gradients of the weights are left alone.
        (gradient,) = torch.autograd.grad(objective(rows), rows)
        rows = rows.detach() + step_size * _unit(gradient)
        if restrict is not None:
            rows = restrict(rows)
        if epsilon is not None:
            rows = start + shortened(rows - start, epsilon)
        yield rows


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
