"""How large the noise is against what X itself varies by."""

import warnings

import numpy as np

# Below this share of the spread, noise changes next to nothing: most often sigma is
# meant for other units of X. Published values are from .2 to 5 times the spread.
_SMALL = 0.01

# Elements of images that reach further than this are pixels from 0 to 255 or the like:
# standardised ones reach from about -3 to 3, and grey levels of few bits up to 16. Dark
# pixels vary by a tenth of 255 or less, and a sigma of .25 may be 1 % of that; it is
# 0.1 % of 255, where published values are from 12 %.
_WIDE = 20

# Of fewer rows of a table, nobody can say how much its columns vary.
_FEWEST_ROWS = 10

# Numbers to look at, on evenly spaced rows: enough for one digit.
_MOST_NUMBERS = 2**18


def warn_of_little_noise(inputs):
    """Warn if sigma is below 1 % of the typical spread of what receives noise.

    Of images, also if it is below 1 % of the range of their pixels, and that is wide.

    Parameters
    ----------
    inputs : Inputs
    """
    share = share_of_spread(inputs)
    if share is None:
        return
    are_images = inputs.values.ndim > 2
    what = "standard deviation of " + ("pixels" if are_images else "a typical column")
    if are_images and share >= _SMALL:
        pixels, level = _sample(inputs)
        low, high = (float(end[0]) for end in _ends(pixels))
        if high - low > _WIDE:
            share = float(level[0]) / (high - low)
            what = f"range of pixels, which is from {low:.3g} to {high:.3g}"
    if share >= _SMALL:
        return
    warnings.warn(
        f"sigma is small for the units of X: it is {share:.2g} times the {what}, so "
        "certified radii are tiny, too. Scale X (images from 0 to 1, say) or choose a "
        "larger sigma. docs/pitfalls.md has the filter that silences this.",
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
    sample, level = _sample(inputs)
    spread = _standard_deviation(sample)
    varies = spread > 0  # infinite if that overflows
    if not np.any(varies):
        return None
    with np.errstate(over="ignore"):
        return float(np.median(level[varies] / spread[varies]))


def _sample(inputs):
    """Return some rows of what receives noise, and sigma: by column, or of images."""
    values = inputs.values
    step = -(-values.size // _MOST_NUMBERS)
    sample = values[:: min(step, -(-len(values) // _FEWEST_ROWS))].astype(float)
    level = np.broadcast_to(inputs.sigma, values.shape[1:]).ravel()
    sample = sample.reshape(len(sample), -1)[:, level > 0]
    level = level[level > 0]
    if values.ndim > 2:
        sample, level = sample.reshape(-1, 1), np.median(level, keepdims=True)
    return sample, level


def _standard_deviation(columns):
    """Return the standard deviation of each column, of what is not missing.

    Outliers, 1 % on each side and at least one, are drawn in to the next number, unless
    nothing is left then.
    """
    there = np.isfinite(columns)
    low, high = _ends(columns)
    columns = np.where(low < high, np.clip(columns, low, high), columns)
    n = np.maximum(there.sum(axis=0), 1)
    with np.errstate(over="ignore", invalid="ignore"):
        mean = np.where(there, columns, 0).sum(axis=0) / n
        off = np.where(there, columns - mean, 0)
        return np.sqrt(np.sum(off**2, axis=0) / n)


def _ends(columns):
    """Return the least and the largest number of each column, but for outliers."""
    n, in_order = np.isfinite(columns).sum(axis=0), np.sort(columns, axis=0)
    n_out = np.maximum(n // 100, 1)  # what is missing comes last
    places = np.stack([np.minimum(n_out, n - 1), n - 1 - n_out])
    return np.take_along_axis(in_order, np.maximum(places, 0), axis=0)
