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

import copy

import numpy as np
import torch

from ...noise._on_device import DeviceStream
from ...noise._streams import open_stream


class PlainNoise:
    """Independent noise on every element of the inputs.

    Parameters
    ----------
    noise : BoundNoise

    shape : tuple of int
        Shape of an input.

    dtype : torch.dtype
        float32 or float64.

    device : torch.device
    """

    def __init__(self, noise, shape, dtype, device):
        self.noise, self.dtype, self.device = noise, dtype, device
        self.on_host = device.type == "cpu"
        self.row_size = int(np.prod(shape))
        self.drawn_there = None
        if not self.on_host:
            self.drawn_there = noise.on_device(shape, dtype, device)
        # Returns the stream of noise for one input.
        self.open = (self.drawn_there or noise).open

    def on(self, values):
        """Return the maker of noise for inputs: ndarray of shape (n_inputs, *shape)."""
        twin = copy.copy(self)
        twin.values, twin._row = values, None
        return twin

    def allocate(self, size):
        """Make room for what `size` copies need besides themselves."""

    def fill(self, row, stream, out):
        """Write noisy copies of input `row` to `out`."""
        if self.drawn_there is not None:
            self.drawn_there.copies(self.load(row), stream, out)
            return
        here = out if self.on_host else torch.empty_like(out, device="cpu")
        self.noise.copies(self.values[row], stream, here.numpy())
        if here is not out:
            out.copy_(here)

    def draw(self, stream, out):
        """Write noise alone to `out`."""
        if self.drawn_there is not None:
            self.drawn_there.alone(stream, out)
            return
        here = out if self.on_host else torch.empty_like(out, device="cpu")
        self.noise.alone(stream, here.numpy())
        if here is not out:
            out.copy_(here)

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
    factor : ndarray of shape (n_normals, width)
        The covariance is ``factor.T @ factor``.

    dtype, device
        As for ``PlainNoise``.
    """

    def __init__(self, factor, dtype, device):
        self.dtype, self.device = dtype, device
        self.on_host = device.type == "cpu"
        self.factor = torch.from_numpy(factor).to(device, dtype)
        self.row_size = sum(factor.shape)

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
