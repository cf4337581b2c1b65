"""How large the noise is against what X itself varies by."""

import warnings

import numpy as np

# Below this share of the spread, noise changes next to nothing: most often sigma is
# meant for other units of X. Published values are from .2 to 5 times the spread.
_SMALL = 0.01

# Of fewer rows of a table, nobody can say how much its columns vary.
_FEWEST_ROWS = 10

# Numbers to look at, on evenly spaced rows: enough for one digit.
_MOST_NUMBERS = 2**18


def warn_of_little_noise(inputs):
    """Warn if sigma is below 1 % of the typical spread of what receives noise.

    Parameters
    ----------
    inputs : Inputs
    """
    share = share_of_spread(inputs)
    if share is None or share >= _SMALL:
        return
    what = "pixels" if inputs.values.ndim > 2 else "a typical column"
    warnings.warn(
        f"sigma is small for the units of X: it is {share:.2g} times the standard "
        f"deviation of {what}, so certified radii are tiny, too. Scale X (images from "
        "0 to 1, say) or choose a larger sigma. docs/pitfalls.md has the filter that "
        "silences this.",
        UserWarning,
        stacklevel=2,
    )


def share_of_spread(inputs):
    """Return sigma in standard deviations of X; the median over columns with noise.

    Of a table, the standard deviation is that of each column over its rows. Elements
    of images and the like have the same unit, so theirs is one over all of them,
    within an image and between images.

    Parameters
    ----------
    inputs : Inputs

    Returns
    -------
    share : float, or None if X does not tell: few rows, or nothing varies
    """
    values = inputs.values
    if (
        inputs.noise.kind.takes_sparse
        or not values.size
        or (values.ndim == 2 and len(values) < _FEWEST_ROWS)
    ):
        return None
    step = -(-values.size // _MOST_NUMBERS)
    sample = values[:: min(step, -(-len(values) // _FEWEST_ROWS))].astype(float)
    level = np.broadcast_to(inputs.sigma, values.shape[1:]).ravel()
    sample = sample.reshape(len(sample), -1)[:, level > 0]
    level = level[level > 0]
    if values.ndim > 2:
        sample, level = sample.reshape(-1, 1), np.median(level, keepdims=True)
    spread = _standard_deviation(sample)
    varies = spread > 0  # infinite if that overflows
    if not np.any(varies):
        return None
    with np.errstate(over="ignore"):
        return float(np.median(level[varies] / spread[varies]))


def _standard_deviation(columns):
    """Return the standard deviation of each column, of what is not missing.

    Outliers, 1 % on each side and at least one, are drawn in to the next number, unless
    nothing is left then.
    """
    there = np.isfinite(columns)
    n, in_order = there.sum(axis=0), np.sort(columns, axis=0)  # what is missing last
    n_out = np.maximum(n // 100, 1)
    places = np.stack([np.minimum(n_out, n - 1), n - 1 - n_out])
    low, high = np.take_along_axis(in_order, np.maximum(places, 0), axis=0)
    columns = np.where(low < high, np.clip(columns, low, high), columns)
    n = np.maximum(there.sum(axis=0), 1)
    with np.errstate(over="ignore", invalid="ignore"):
        mean = np.where(there, columns, 0).sum(axis=0) / n
        off = np.where(there, columns - mean, 0)
        return np.sqrt(np.sum(off**2, axis=0) / n)
