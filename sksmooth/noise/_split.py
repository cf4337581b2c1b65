"""Split noise: all copies of an input are listed, and nothing is left to chance.

Every feature is a whole number of steps. Copy j of L cuts the line of feature i at
c + 1/2 + L m, c = (t_i + j) mod L, for all whole m, and keeps the middle of the cell
that the feature lies in. A feature that moves by one step crosses one cut of exactly
one of the L copies, so an input that moves by r steps in l1 differs in at most r
copies, and r votes at most change. (A. Levine, S. Feizi 2021, arXiv:2103.10834.)
"""

import numpy as np

# Floats are on the grid if they are so near to it, in steps: that leaves room for the
# rounding of pixels / 255 in single precision, and none for what lies between.
NEAR = 1e-3

# Beyond that, steps are too small for the digits of floats.
_LARGEST = 2.0**40


def grid_indices(values, step, near=NEAR):
    """Return values as whole numbers of steps.

    Parameters
    ----------
    values : ndarray of float

    step : float

    near : float, default=0.001
        How far off the grid a value may be, in steps.

    Returns
    -------
    indices : ndarray of int64
        0 where a value is missing.

    Raises
    ------
    ValueError
        If a value is not on the grid.
    """
    places = np.asarray(values, float) / step
    missing, small = np.isnan(places), np.abs(places) <= _LARGEST
    places = np.where(small, places, 0.0)
    indices = np.rint(places)
    off = (np.abs(places - indices) > near) | ~(small | missing)
    if np.any(off):
        first = np.asarray(values)[off].flat[0]
        raise ValueError(
            f"split noise is for values on a grid of step {step!r}, but {off.sum()} of "
            f"{off.size} values are not whole multiples of it, such as {first!r}. "
            "Round X to the grid first, or choose another step."
        )
    return indices.astype(np.int64)


def split_copies(indices, offsets, levels, copies, bounds=None):
    """Return some of the copies of some inputs.

    Parameters
    ----------
    indices : ndarray of int of shape (n_inputs, *shape)
        Features as whole numbers of steps.

    offsets : ndarray of int of shape `shape`
        t_i, which are part of what the smoothed classifier is.

    levels : int
        L, the number of copies.

    copies : array-like of int of shape (n_copies,)
        Which of them, from 0 to L - 1.

    bounds : (int, int), default=None
        The least and the largest index that data have. A cell is cut off there, so
        that its middle is between them, too. None for cells of L steps everywhere.

    Returns
    -------
    middles : ndarray of float of shape (n_inputs, n_copies, *shape)
        In steps: whole multiples of 1/4.
    """
    indices, offsets = np.asarray(indices), np.asarray(offsets)
    copies = np.asarray(copies).reshape(-1, *(1,) * offsets.ndim)
    cut = (offsets + copies) % levels
    # The last cut below: at `below` + 1/2, so that the cell holds below + 1, ...,
    # below + L.
    below = indices[:, None] - 1 - (indices[:, None] - 1 - cut) % levels
    low, high = below + 0.5, below + 0.5 + levels
    if bounds is not None:
        low, high = np.maximum(low, bounds[0]), np.minimum(high, bounds[1])
    return (low + high) / 2


def split_certificate(counts):
    """Return the class and the radius of each input, from the votes of all its copies.

    Parameters
    ----------
    counts : array-like of int of shape (n_inputs, n_classes)

    Returns
    -------
    prediction : ndarray of int of shape (n_inputs,)
        The class with most votes, the first of those with as many.

    steps : ndarray of int of shape (n_inputs,)
        No input at most so many steps away, in l1, has another class: a closed ball.
        It may be 0, which is the input itself.
    """
    counts = np.asarray(counts, dtype=np.int64)
    rows = np.arange(len(counts))
    prediction = counts.argmax(axis=1)
    others = counts.copy()
    others[rows, prediction] = -1
    # A class in front wins a tie.
    second = others.argmax(axis=1)
    ahead = counts[rows, prediction] - np.maximum(others[rows, second], 0)
    steps = (ahead - (second < prediction)) // 2
    return prediction, steps
