"""Noisy inputs of a net, on its device: one class for each way of making them.

A maker of noise has ``open(key)``, the stream for one input;
``fill(row, stream, out)``, which writes noisy copies of an input; and, where all inputs
share their noise,
``draw(stream, out)``, which writes the noise alone, and ``place(row, noise, out)``,
which adds an input to it. ``row_size`` is how many numbers a copy takes, with what
``allocate(n_copies)`` makes room for.

On a CPU a net gets the same noise as any other classifier, written by NumPy into the
memory of the batch.
"""

import numpy as np
import torch

from ...noise._grid import check_range, noisy_copies_on_grid
from ...noise._on_device import (
    DeviceStream,
    level_on_device,
    noisy_copies_on_device,
    noisy_copies_on_device_grid,
    shared_noise_on_device,
)
from ...noise._streams import noisy_copies, open_stream, shared_noise


class PlainNoise:
    """Independent noise on every element of the inputs.

    Parameters
    ----------
    values : ndarray of shape (n_inputs, *shape)

    sigma : float or ndarray that broadcasts to `shape`

    dtype : torch.dtype
        float32 or float64.

    device : torch.device
    """

    def __init__(self, values, sigma, dtype, device):
        self.values, self.dtype, self.device = values, dtype, device
        self.shape = values.shape[1:]
        self.row_size = int(np.prod(self.shape))
        self.on_host = device.type == "cpu"
        self.sigma = sigma
        if not self.on_host:
            if np.ndim(sigma):
                sigma = np.broadcast_to(sigma, self.shape)
            self.sigma = level_on_device(sigma, dtype, device)
        self._row, self._x = None, None

    def allocate(self, size):
        """Make room for what `size` copies need besides themselves."""

    def open(self, key):
        """Return the stream of noise for one input."""
        if self.on_host:
            return open_stream(key)
        return DeviceStream(key, self.shape, self.dtype, self.device)

    def fill(self, row, stream, out):
        """Write noisy copies of input `row` to `out`."""
        if self.on_host:
            noisy_copies(self.values[row], self.sigma, stream, out.numpy())
        else:
            noisy_copies_on_device(self.load(row), self.sigma, stream, out)

    def draw(self, stream, out):
        """Write noise alone to `out`."""
        if self.on_host:
            shared_noise(self.sigma, stream, out.numpy())
        else:
            shared_noise_on_device(self.sigma, stream, out)

    def place(self, row, noise, out):
        """Write input `row` plus noise to `out`."""
        torch.add(noise, self.load(row), out=out)

    def load(self, row):
        """Return input `row` on the device."""
        if row != self._row:
            x = torch.from_numpy(np.array(self.values[row]))
            self._row, self._x = row, x.to(self.device, self.dtype)
        return self._x


class MixedNoise(PlainNoise):
    """Normal noise of any covariance on inputs that are rows.

    Parameters
    ----------
    values : ndarray of shape (n_inputs, width)

    factor : ndarray of shape (n_normals, width)
        The covariance is ``factor.T @ factor``.

    dtype, device
        As for ``PlainNoise``.
    """

    def __init__(self, values, factor, dtype, device):
        super().__init__(values, 1.0, dtype, device)
        self.factor = torch.from_numpy(factor).to(device, dtype)
        self.row_size += len(self.factor)

    def allocate(self, size):
        """Make room for the normals behind `size` copies."""
        self._normals = self.factor.new_empty((size, len(self.factor)))

    def open(self, key):
        """Return the stream of noise for one input."""
        if self.on_host:
            return open_stream(key)
        return DeviceStream(key, (len(self.factor),), self.dtype, self.device)

    def fill(self, row, stream, out):
        """Write noisy copies of input `row` to `out`."""
        torch.addmm(self.load(row), self._draw(stream, out), self.factor, out=out)

    def draw(self, stream, out):
        """Write noise alone to `out`."""
        torch.mm(self._draw(stream, out), self.factor, out=out)

    def _draw(self, stream, out):
        normals = self._normals[: len(out)]
        if self.on_host:
            stream.standard_normal(out=normals.numpy())
        else:
            stream.draw(normals)
        return normals


class GridNoise(PlainNoise):
    """Makes noisy copies of inputs that are on a grid.

    Parameters
    ----------
    values : ndarray of shape (n_inputs, *shape)

    sigma, step : float or ndarray that broadcasts to `shape`

    dtype : torch.dtype
        float32 or float64.

    device : torch.device

    Raises
    ------
    ValueError
        If a noisy copy may not be a number of `dtype` exactly.
    """

    def __init__(self, values, sigma, step, dtype, device):
        check_range(
            values, sigma, step, np.float32 if dtype == torch.float32 else float
        )
        super().__init__(values, sigma, dtype, device)
        self.sigma, self.step = sigma, step
        self.on_host = device.type in ("cpu", "mps")

    def open(self, key):
        """Return the stream of noise for one input."""
        if self.on_host:
            return open_stream(key)
        return DeviceStream(key, self.shape, torch.float64, self.device)

    def fill(self, row, stream, out):
        """Write noisy copies of input `row` to `out`."""
        self._write(self.values[row], stream, out)

    def draw(self, stream, out):
        """Write noise alone to `out`; adding an input to it is exact, too."""
        self._write(np.zeros(self.shape), stream, out)

    def _write(self, x, stream, out):
        sigma, step = self.sigma, self.step
        if self.device.type == "cpu":
            noisy_copies_on_grid(x, sigma, step, stream, out.numpy())
        elif self.on_host:
            copies = torch.empty(out.shape, dtype=out.dtype)
            noisy_copies_on_grid(x, sigma, step, stream, copies.numpy())
            out.copy_(copies)
        else:
            place, scale = x.astype(float) / step, sigma / step
            place, scale, step = (
                torch.as_tensor(part, dtype=torch.float64, device=self.device)
                for part in (place, scale, step)
            )
            noisy_copies_on_device_grid(place, scale, step, stream, out)
