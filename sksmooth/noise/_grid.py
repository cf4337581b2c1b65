"""A grid on which x + noise is exact, so that no rounding tells where x was.

The sum of x and noise, rounded to a floating-point number, has low bits that depend on
x: a classifier can read them, and then its votes are not those of a function of a
Gaussian. Here x and the noise are both rounded to whole multiples of a step h before
they are added, as whole numbers, without any further rounding. docs/floating_point.md
has the theorem.
"""

import math
from numbers import Real

import numpy as np

from ._norms import length

# Steps of "auto" in one sigma: fine enough to cost next to no radius, coarse enough
# for 24 bits to reach 128 sigma.
_AUTO_STEPS = 2**16

# Noise is itself a multiple of about 2^-52. If rounded, it has the right distribution
# only as long as each step holds many of these.
_MOST_STEPS = 2**24


def check_grid(grid):
    """Raise a ValueError if `grid` is a number but no power of two."""
    if grid is None or isinstance(grid, str):
        return
    is_number = isinstance(grid, Real) and not isinstance(grid, bool)
    if not is_number or not np.isfinite(grid) or grid <= 0:
        raise ValueError(f'grid must be None, "auto" or a power of two, got {grid!r}.')
    if math.frexp(grid)[0] != 0.5:
        below = math.ldexp(1.0, math.frexp(grid)[1] - 1)
        raise ValueError(
            f"grid must be a power of two, so that scaling by it is exact, got "
            f"{grid!r}: the nearest are {below!r} and {2 * below!r}."
        )


def grid_step(grid, sigma):
    """Return the step for each feature that receives noise.

    Parameters
    ----------
    grid : "auto" or float
        A power of two. "auto" takes, for each feature, the largest power of two that
        is not above sigma / 2^16. It does not look at X: the step is a part of what
        the smoothed classifier is, so it must be the same for all inputs.

    sigma : float or ndarray
        Noise level, in the same units.

    Returns
    -------
    step : float or ndarray of the shape of `sigma`
        1 for features without noise, which are not rounded.

    Raises
    ------
    ValueError
        If `grid` is no power of two, or too fine.
    """
    check_grid(grid)
    sigma = np.asarray(sigma, dtype=float)
    if grid == "auto":
        exponent = np.frexp(sigma)[1] - 1  # 2^exponent <= sigma < 2^(exponent + 1)
        step = np.ldexp(1.0, exponent) / _AUTO_STEPS
    else:
        step = np.full(sigma.shape, float(grid))
        if np.any(sigma > _MOST_STEPS * step):
            raise ValueError(
                f"grid={grid!r} is too fine for sigma={sigma.max():g}: below sigma / "
                f"2^{_MOST_STEPS.bit_length() - 1} the noise itself has too few bits. "
                'Use "auto" or a larger power of two.'
            )
    step = np.where(sigma > 0, step, 1.0)
    return step if step.ndim else float(step)


def check_range(values, noise, dtype):
    """Raise a ValueError if a noisy copy may not be a number of `dtype` exactly.

    Parameters
    ----------
    values : ndarray of shape (n_inputs, *shape)

    noise : BoundNoise
        On a grid.

    dtype : floating-point dtype
        What the base classifier is given.
    """
    sigma, step = noise.sigma, noise.step
    info = np.finfo(dtype)
    most = 2.0 ** (info.nmant + 1)
    smallest, largest = float(info.tiny), float(info.max)
    noisy = np.broadcast_to(np.asarray(sigma) > 0, values.shape[1:])
    # Without a copy: the largest and the smallest tell the largest in size.
    size = np.maximum(values.max(axis=0), -values.min(axis=0)).astype(float)
    if np.any(np.isnan(size)):  # missing values
        size = np.fmax(np.fmax.reduce(values), -np.fmin.reduce(values)).astype(float)
        size = np.nan_to_num(size, nan=0)
    reach = np.where(noisy, size + noise.largest * np.asarray(sigma), 0.0)
    step = np.broadcast_to(step, reach.shape)
    with np.errstate(over="ignore"):
        steps = np.where(noisy, reach / step + 1, 0.0)
    if np.any(noisy & ((step < smallest) | (step > largest / most))):
        raise ValueError(
            f"numbers on a grid of step {step[noisy].min():g} to {step[noisy].max():g} "
            f"under- or overflow {info.dtype}: scale X (and sigma)."
        )
    if np.all(steps <= most):
        return
    worst = np.unravel_index(np.argmax(steps), steps.shape)
    with np.errstate(over="ignore"):
        needed = 2.0 ** np.ceil(np.log2(reach[worst] / (most - 1)))
    wider = "" if most > 2**24 else ', pass X.astype("float64") if the base takes it,'
    raise ValueError(
        f"votes outside the representable range: with noise, inputs may reach "
        f"{reach[worst]:g}, but {info.dtype} holds all multiples of grid="
        f"{step[worst]:g} only up to {most * step[worst]:g}. Use a coarser grid, "
        f"grid={needed:g} or a larger power of two{wider} or scale X (and sigma) down."
    )


def round_to_grid(values, sigma, step):
    """Return `values` with every feature that receives noise rounded to its grid.

    Exact: dividing and multiplying by a power of two is, and so is rounding to a whole
    number (ties to even).
    """
    with np.errstate(under="ignore"):
        rounded = np.rint(values / np.asarray(step, values.dtype))
    rounded *= np.asarray(step, values.dtype)
    return np.where(np.asarray(sigma) > 0, rounded, values)


def rounding_loss(values, rounded, sigma, step, norm="l2"):
    """Return how far rounding may move each input away from one within reach, doubled.

    The distance between two inputs grows by at most that of the first from its rounded
    self, which is known, and that of the second, at most half a step a feature.

    Parameters
    ----------
    values, rounded : ndarray of shape (n_inputs, *shape)
        Inputs before and after ``round_to_grid``.

    sigma, step : float or ndarray that broadcasts to `shape`

    norm : {"l1", "l2"}, default="l2"
        Norm of the radius.

    Returns
    -------
    loss : ndarray of float of shape (n_inputs,)
        What it takes off a radius: in the units of the inputs, or in units of sigma if
        sigma is an array. Rounded up.
    """
    own = values.astype(float) - rounded  # exact
    own[np.isnan(own)] = 0  # what is missing does not move
    if np.ndim(sigma):
        noisy = np.asarray(sigma) > 0
        unit = np.where(noisy, sigma, 1.0)
        own = np.where(noisy, own / unit, 0.0)
    own = length(own.reshape(len(own), -1), norm)
    # Sums in any order, with a few more roundings; no underflow matters,
    # as `other` is far larger.
    slack = 1 + (values[0].size + 8) * np.finfo(float).eps
    return (own + loss_of_others(sigma, step, values[0].size, norm)) * slack


def loss_of_others(sigma, step, n_features, norm="l2"):
    """Return the part of the loss that is the same for all inputs.

    Parameters
    ----------
    sigma, step : float or ndarray
        Arrays have one value for each of the features.

    n_features : int
        Features of an input.

    norm : {"l1", "l2"}, default="l2"
        Norm of the radius.

    Returns
    -------
    loss : float
        Half a step in every feature with noise.
    """
    if np.ndim(sigma) == 0:
        return step / 2 * (n_features if norm == "l1" else np.sqrt(n_features))
    sigma, step = np.broadcast_arrays(sigma, step)
    noisy = sigma > 0
    # An array that broadcasts stands for several features each.
    repeats, halves = n_features / sigma.size, step[noisy] / sigma[noisy] / 2
    if norm == "l1":
        return repeats * np.sum(halves)
    return np.sqrt(repeats * np.sum(halves**2))


def noisy_copies_on_grid(x, sigma, step, stream, out):
    """Fill `out` with copies of `x`, each with its own rounded noise.

    Parameters
    ----------
    x : ndarray of shape `shape`
        One input, on the grid.

    sigma, step : float or ndarray that broadcasts to `shape`
        ``check_range`` has been called.

    stream : Stream
        Consumed by ``out.size`` standard normals in double precision.

    out : C-contiguous ndarray of shape (n_copies, *shape), float32 or float64
        Overwritten.
    """
    # Whole numbers below 2^53: adding and scaling them is exact.
    place = x.astype(float) / step
    stream.noisy_copies_on_grid(place, sigma / step, step, out)
