"""Streams of standard normals on a torch device, keyed as those of `_noise`.

Why not the streams of `_noise`: NumPy draws 60 million float32 normals a second on one
core, torch 135 million, and noise is most of the cost of a small net. On a GPU numbers
from the host would first have to be sent there. So the votes of a net do not use the
same noise as those of any other estimator; they have the same distribution.

`normal_` is not a stream: what two calls draw differs from what one call for as many
numbers draws, because it works on blocks of 16 (on a CPU) or spreads the numbers over
its threads (on a GPU). Here numbers are therefore always drawn in whole blocks of rows,
of a size that depends on the shape of an input alone. What is left of a block waits
for the next call.
"""

from functools import cache
from math import gcd, prod

import numpy as np
import torch

from ._noise import open_stream

# Numbers that `normal_` makes together on a CPU.
_LANES = 16

# Elsewhere: enough for a kernel to be worth its launch.
_DEVICE_BLOCK = 2**16

# Floats that stay in the second-level cache until signal is added to noise; of fewer,
# the calls themselves would cost as much as the sums.
_CACHED = 2**16

# Words of the state of a Mersenne twister, and where torch keeps them.
_WORDS = 624
_FIRST_WORD = 3


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
    """

    def __init__(self, key, shape, dtype, device):
        size = prod(shape)
        self.generator = _generator(key, device)
        # On a CPU blocks of whole lanes may be drawn by one call.
        self.joins = device.type == "cpu"
        if self.joins:
            self.block = _LANES // gcd(size, _LANES)
        else:
            self.block = max(1, _DEVICE_BLOCK // size)
        self._spare = torch.empty((0, *shape), dtype=dtype, device=device)

    def draw(self, out, std=1.0):
        """Fill `out`, contiguous and of shape (n_copies, *shape), with normals.

        `std` is the same in all calls: it is in what is left for the next one, too.
        """
        ready = min(len(self._spare), len(out))
        out[:ready], self._spare = self._spare[:ready], self._spare[ready:]
        whole = (len(out) - ready) // self.block * self.block
        if whole:
            blocks = out[ready : ready + whole]
            for part in [blocks] if self.joins else blocks.split(self.block):
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
    for part in _in_cache(stream, out):
        _draw_scaled(sigma, stream, part)
        part.add_(x)


def shared_noise_on_device(sigma, stream, out):
    """Fill `out` with N(0, sigma^2) noise, to be added to several inputs.

    Plus x the same as ``noisy_copies_on_device``, to the bit.

    Parameters
    ----------
    sigma, stream, out
        As in ``noisy_copies_on_device``.
    """
    for part in _in_cache(stream, out):
        _draw_scaled(sigma, stream, part)


def _draw_scaled(sigma, stream, out):
    if isinstance(sigma, torch.Tensor):
        stream.draw(out)
        out.mul_(sigma)
    else:  # rounded as by mul_, and one pass over memory less
        stream.draw(out, float(sigma))


def _in_cache(stream, out):
    """Split `out` into parts that can stay in the cache, of whole blocks."""
    rows = len(out)
    if stream.joins:
        size = max(1, prod(out.shape[1:]))
        rows = max(1, _CACHED // size // stream.block) * stream.block
    return out.split(rows)


def _generator(key, device):
    generator = torch.Generator(device)
    if device.type != "cpu":
        # Counter-based generators, seeded by 64 bits.
        return generator.manual_seed(int.from_bytes(key[:8], "little") >> 1)
    # The Mersenne twister on the CPU takes only 32 bits of a seed: among 10,000 inputs
    # two would share their noise with a probability of 1 %. So it gets a whole state.
    state = _blank_state().copy()
    words = np.frombuffer(open_stream(key).bytes(4 * _WORDS), "<u4")
    state[_FIRST_WORD : _FIRST_WORD + _WORDS] = words
    return generator.set_state(torch.from_numpy(state.view(np.uint8)))


@cache
def _blank_state():
    """Return the state of a fresh generator, after a look at where its words are."""
    generator = torch.Generator("cpu").manual_seed(1)
    state = generator.get_state().numpy().view(np.uint64)
    words = np.random.RandomState(1).get_state()[1]
    if not np.array_equal(state[_FIRST_WORD : _FIRST_WORD + _WORDS], words):
        raise RuntimeError(
            f"torch {torch.__version__} keeps the state of its random numbers in a way "
            "that sksmooth does not know: use another version of either."
        )
    return state
