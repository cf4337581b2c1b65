"""Streams of standard normals on a device other than the CPU, keyed as `_streams` keys.

Numbers from the host would first have to be sent there, so a net on a GPU does not get
the noise that it gets on a CPU. It has the same distribution.

`normal_` is not a stream: what two calls draw differs from what one call for as many
numbers draws, because it spreads the numbers over its threads. Here numbers are
therefore always drawn in whole blocks of rows, of a size that depends on the shape of
an input alone. What is left of a block waits for the next call.
"""

from math import prod

import numpy as np
import torch

from ._normals import level_for

# Enough numbers for a kernel to be worth its launch.
_BLOCK = 2**16

# Doubles that are rounded before they are turned into what the net takes.
_DOUBLES = 2**24


class DeviceStream:
    """Standard normals for noisy copies of one input, in order.

    Parameters
    ----------
    key : bytes
        See ``stream_key``.

    shape : tuple of int
        Shape of one input.

    dtype : torch.dtype
        float32 or float64.

    device : torch.device
        Not a CPU, other than for tests: there a generator keeps 32 bits of its seed.
    """

    def __init__(self, key, shape, dtype, device):
        self.generator = _generator(key, device)
        self.block = max(1, _BLOCK // prod(shape))
        self._spare = torch.empty((0, *shape), dtype=dtype, device=device)

    def draw(self, out, std=1.0):
        """Fill `out`, contiguous and of shape (n_copies, *shape), with normals.

        `std` is the same in all calls: it is in what is left for the next one, too.
        """
        ready = min(len(self._spare), len(out))
        out[:ready], self._spare = self._spare[:ready], self._spare[ready:]
        whole = (len(out) - ready) // self.block * self.block
        if whole:
            for part in out[ready : ready + whole].split(self.block):
                part.normal_(std=std, generator=self.generator)
        rest = out[ready + whole :]
        if len(rest):
            block = self._spare.new_empty((self.block, *out.shape[1:]))
            block.normal_(std=std, generator=self.generator)
            rest[:], self._spare = block[: len(rest)], block[len(rest) :]


def noisy_copies_on_device(x, sigma, stream, out):
    """Fill `out` with copies of `x`, each with its own N(0, sigma^2) noise.

    Parameters
    ----------
    x : tensor of shape `shape`
        One input.

    sigma : float or tensor that broadcasts to `shape`
        Standard deviation of the noise; 0 leaves a feature untouched.

    stream : DeviceStream

    out : contiguous tensor of shape (n_copies, *shape)
        Overwritten.
    """
    shared_noise_on_device(sigma, stream, out)
    out.add_(x)


def shared_noise_on_device(sigma, stream, out):
    """Fill `out` with N(0, sigma^2) noise, to be added to several inputs.

    Plus x the same as ``noisy_copies_on_device``, to the bit.

    Parameters
    ----------
    sigma, stream, out
        As in ``noisy_copies_on_device``.
    """
    level = sigma
    if not isinstance(sigma, torch.Tensor):
        level = level_on_device(sigma, out.dtype, out.device)
    if isinstance(level, torch.Tensor):
        stream.draw(out)
        out.mul_(level)  # in the precision of the level
    else:  # rounded as by mul_, and one pass over memory less
        stream.draw(out, level)


def level_on_device(sigma, dtype, device):
    """Return sigma as the noise on a device is multiplied with it, unrounded.

    Parameters
    ----------
    sigma : float or ndarray of float

    dtype : torch.dtype
        Of the noise, float32 or float64.

    device : torch.device

    Returns
    -------
    level : float or tensor
        A float is a number of `dtype`. On a device without double precision ("mps"),
        what is no float32 is rounded up: a radius that is a multiple of sigma is then
        one of no more than the noise has.
    """
    kind = np.dtype(np.float32 if dtype == torch.float32 else np.float64)
    level = level_for(sigma, kind)
    if level.dtype == kind and np.ndim(sigma) == 0:
        return float(sigma)
    if device.type == "mps":
        level = _rounded_up(level)
    return torch.from_numpy(level.copy()).to(device)


def _rounded_up(level):
    """Return the smallest float32 that are not below the numbers."""
    nearest = level.astype(np.float32)
    above = np.nextafter(nearest, np.float32(np.inf))
    return np.where(nearest < level, above, nearest)


def _generator(key, device):
    # Counter-based generators, seeded by 64 bits.
    return torch.Generator(device).manual_seed(int.from_bytes(key[:8], "little") >> 1)


def noisy_copies_on_device_grid(place, scale, step, stream, out):
    """Do what ``noisy_copies_on_grid`` does, on a device.

    Parameters
    ----------
    place : float64 tensor of shape `shape`
        The input in steps of the grid: whole numbers.

    scale : float64 tensor that broadcasts to `shape`
        Standard deviation of the noise in steps.

    step : float64 tensor that broadcasts to `shape`
        Steps of the grid.

    stream : DeviceStream
        Of dtype float64.

    out : tensor of shape (n_copies, *shape)
        Overwritten.
    """
    rows = max(1, _DOUBLES // max(1, place.numel()))
    buffer = torch.empty(
        (min(rows, len(out)), *place.shape), dtype=torch.float64, device=out.device
    )
    for part in out.split(rows):
        steps = buffer[: len(part)]
        stream.draw(steps)
        # Whole numbers, added and scaled exactly.
        steps.mul_(scale).round_().add_(place).mul_(step)
        part.copy_(steps)
