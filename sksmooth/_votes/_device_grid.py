"""Noise on a grid for the votes of nets; see `_grid`.

Whole numbers of steps need normals in double precision, which "mps" devices do not
have: there the host makes the noise, as on a CPU.
"""

import numpy as np
import torch

from ._device_noise import DeviceStream
from ._grid import check_range, noisy_copies_on_grid
from ._noise import open_stream
from ._torch_noise import PlainNoise

# Doubles that are rounded before they are turned into what the net takes.
_BLOCK = 2**24


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
    rows = max(1, _BLOCK // max(1, place.numel()))
    buffer = torch.empty(
        (min(rows, len(out)), *place.shape), dtype=torch.float64, device=out.device
    )
    for part in out.split(rows):
        steps = buffer[: len(part)]
        stream.draw(steps)
        # Whole numbers, added and scaled exactly.
        steps.mul_(scale).round_().add_(place).mul_(step)
        part.copy_(steps)
