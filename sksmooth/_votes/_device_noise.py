"""Streams of standard normals on a device other than the CPU, keyed as `_noise` keys.

Numbers from the host would first have to be sent there, so a net on a GPU does not get
the noise that it gets on a CPU. It has the same distribution.

`normal_` is not a stream: what two calls draw differs from what one call for as many
numbers draws, because it spreads the numbers over its threads. Here numbers are
therefore always drawn in whole blocks of rows, of a size that depends on the shape of
an input alone. What is left of a block waits for the next call.
"""

from math import prod

import torch

# Enough numbers for a kernel to be worth its launch.
_BLOCK = 2**16


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
    if isinstance(sigma, torch.Tensor):
        stream.draw(out)
        out.mul_(sigma)
    else:  # rounded as by mul_, and one pass over memory less
        stream.draw(out, float(sigma))


def _generator(key, device):
    # Counter-based generators, seeded by 64 bits.
    return torch.Generator(device).manual_seed(int.from_bytes(key[:8], "little") >> 1)
