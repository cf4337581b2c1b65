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


class DeviceNormals:
    """Draws N(0, sigma^2) noise on a device.

    Parameters
    ----------
    sigma : float or ndarray that broadcasts to `shape`
        Standard deviation; 0 leaves a feature untouched.

    step : float or ndarray that broadcasts to `shape`, or None
        Steps of the grid that inputs are on; then noise is drawn in double precision
        and rounded to it, as ``noisy_copies_on_grid`` does.

    shape : tuple of int
        Shape of one input.

    dtype : torch.dtype
        Of the copies, float32 or float64.

    device : torch.device
    """

    def __init__(self, sigma, step, shape, dtype, device):
        self.shape, self.dtype, self.device, self.step = shape, dtype, device, None
        if step is None:
            if np.ndim(sigma):
                sigma = np.broadcast_to(sigma, shape)
            self.level = level_on_device(sigma, dtype, device)
        else:
            self.dtype = torch.float64
            self.level, self.step = (
                torch.as_tensor(part, dtype=self.dtype, device=device)
                for part in (sigma / step, step)
            )

    def open(self, key):
        """Return the stream of noise for one input."""
        return DeviceStream(key, self.shape, self.dtype, self.device)

    def copies(self, x, stream, out):
        """Fill `out` with copies of `x`, each with its own noise.

        Parameters
        ----------
        x : tensor of shape `shape`
            One input; on the grid, if there is one.

        stream : DeviceStream

        out : contiguous tensor of shape (n_copies, *shape)
            Overwritten.
        """
        if self.step is not None:
            self._on_grid(x.to(self.dtype) / self.step, stream, out)
            return
        self.alone(stream, out)
        out.add_(x)

    def alone(self, stream, out):
        """Fill `out` with noise: plus x, to the bit what ``copies`` makes of x."""
        if self.step is not None:
            self._on_grid(self.step.new_zeros(self.shape), stream, out)
        elif isinstance(self.level, torch.Tensor):
            stream.draw(out)
            out.mul_(self.level)  # in the precision of the level
        else:  # rounded as by mul_, and one pass over memory less
            stream.draw(out, self.level)

    def _on_grid(self, place, stream, out):
        """Write (place + level * normals, rounded to whole numbers) * step."""
        rows = max(1, _DOUBLES // max(1, place.numel()))
        buffer = place.new_empty((min(rows, len(out)), *place.shape))
        for part in out.split(rows):
            steps = buffer[: len(part)]
            stream.draw(steps)
            # Whole numbers, added and scaled exactly.
            steps.mul_(self.level).round_().add_(place).mul_(self.step)
            part.copy_(steps)


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
