"""The voter for neural nets: noise, forward pass and counting on the net's device."""

import numpy as np
import torch

from ._device_grid import GridNoise
from ._net_modes import apply
from ._torch_net import TorchNet
from ._torch_noise import PlainNoise
from ._voter import Voter

_CHANNELS = (1, 3, 4)


def make(net, classes, values, sigma, places, options, grid=None):
    """Return the voter for a net; `options` are those that ``settle`` returned."""
    view = apply(TorchNet(net, classes), values, options, check=False)
    return TorchVoter(view, values, sigma, places, grid)


class TorchVoter(Voter):
    """Counts what a net answers to noisy copies, one transfer of counts a batch.

    Parameters
    ----------
    net : TorchNet

    values : ndarray of shape (n_inputs, *shape)
        The clean inputs, as the net takes them.

    sigma : float or ndarray that broadcasts to `shape`
        Noise level of `values`.

    places : ndarray of int of shape (n_inputs,)
        Where the inputs stand in the user's X, for error messages.

    grid : float or ndarray that broadcasts to `shape`, default=None
        Steps of the grid that `values` are on.

    Raises
    ------
    ValueError
        If an input with noise is too large for the dtype of the module, or too large
        to be on the grid in that dtype.
    """

    def __init__(self, net, values, sigma, places, grid=None):
        self.net = net
        self.n_classes = net.n_classes
        self.places = places
        # Noise is made in half precision only after it has been added.
        self.dtype = torch.float32
        if net.dtype == torch.float64 and net.device.type != "mps":
            self.dtype = torch.float64
        numpy_dtype = np.float32 if self.dtype == torch.float32 else np.float64
        # No normal of torch or NumPy is larger than 40.
        if np.abs(values).max() + 40 * np.max(sigma) > np.finfo(numpy_dtype).max:
            raise ValueError(
                f"x + noise overflows {np.dtype(numpy_dtype)}: scale X (and sigma) "
                "down."
            )
        self.values = values
        if grid is None:
            self.noise = PlainNoise(values, sigma, self.dtype, net.device)
        else:
            self.noise = GridNoise(values, sigma, grid, self.dtype, net.device)
        self._in_batch = []

    @property
    def batch_bytes(self):
        """A good size of a batch.

        On a CPU what fits into the second-level cache (measured on 1 to 3 million
        parameters: larger batches lose up to 40 %); elsewhere enough to keep it busy.
        """
        if self.net.device.type != "cpu":
            return 32 * 2**20
        deep = any(p.ndim > 2 for p in self.net.module.parameters())
        return 2**20 if deep else 5 * 2**19

    @property
    def row_bytes(self):
        return self.dtype.itemsize * self.noise.row_size

    def open(self, key):
        """Return the stream of noise for one input, on the net's device."""
        return self.noise.open(key)

    def allocate(self, size):
        """Make room for a batch of up to `size` noisy copies; return how many."""
        shape = self.values.shape[1:]
        self._shared = None
        while True:
            try:
                self._batch = torch.empty(
                    (size, *shape), dtype=self.dtype, device=self.net.device
                )
            except RuntimeError as error:
                if size == 1 or not _is_out_of_memory(error):
                    raise
                size = (size + 1) // 2
            else:
                self._at_once = size
                return size

    def fill(self, start, stop, row, stream):
        """Put noisy copies of input `row` into places start ... stop - 1."""
        self.noise.fill(row, stream, self._batch[start:stop])
        self._in_batch.append(row)

    def draw(self, stream, size):
        """Make the noise of the next `size` copies of all inputs."""
        if self._shared is None:
            self._shared = torch.empty_like(self._batch)
        self.noise.draw(stream, self._shared[:size])

    def place(self, start, stop, row, first):
        """Put copies of input `row` into places start ... stop - 1."""
        noise = self._shared[first : first + stop - start]
        self.noise.place(row, noise, self._batch[start:stop])
        self._in_batch.append(row)

    def classify(self, size):
        """Return the class index of each of the first `size` copies."""
        return self._winners(size).cpu().numpy()

    def tally(self, sizes):
        """Classify the batch and count; see ``Voter.tally``."""
        rows, self._in_batch = self._in_batch, []
        width = self.n_classes + 1  # the last column counts NaN
        slots = self._winners(int(sizes.sum()))
        if len(sizes) > 1:
            device = slots.device
            owner = torch.arange(len(sizes), device=device) * width
            repeats = torch.as_tensor(sizes, device=device)
            slots = slots + owner.repeat_interleave(repeats, output_size=len(slots))
        counts = torch.bincount(slots, minlength=len(sizes) * width).cpu().numpy()
        counts = counts.reshape(len(sizes), width)
        nan = np.flatnonzero(counts[:, -1])
        if len(nan):
            place = min(self.places[rows[one]] for one in nan)
            raise ValueError(
                f"{self.net.name} returned NaN for noisy copies of input {place} "
                "(counted from 0). Is X scaled as in training, and did training "
                "diverge?"
            )
        return counts[:, :-1]

    def _winners(self, size):
        """Classify the first `size` copies, in parts that fit into memory."""
        parts, start = [], 0
        while start < size:
            batch = self._batch[start : min(size, start + self._at_once)]
            try:
                parts.append(self.net.winners(batch))
            except Exception as error:
                if _is_out_of_memory(error) and len(batch) > 1:
                    # Tried again outside of this handler, which holds on to tensors.
                    too_many = len(batch)
                elif isinstance(error, ValueError):
                    raise
                else:
                    raise self._failure(batch, error) from error
            else:
                start += len(batch)
                continue
            self._at_once = (too_many + 1) // 2
            if self.net.device.type == "cuda":
                torch.cuda.empty_cache()
        return parts[0] if len(parts) == 1 else torch.cat(parts)

    def _failure(self, batch, error):
        shape = tuple(batch.shape)
        hint = ""
        if len(shape) == 4 and shape[-1] in _CHANNELS and shape[1] not in _CHANNELS:
            hint = (
                " Are these images with the channels last? torch wants them first: "
                "X.transpose(0, 3, 1, 2)."
            )
        return RuntimeError(
            f"the module of {self.net.name} failed on a batch of {len(batch)} noisy "
            f"copies, of shape {shape}, {self.net.dtype} on {self.net.device}: "
            f"{error}{hint}"
        )


def _is_out_of_memory(error):
    if isinstance(error, torch.cuda.OutOfMemoryError):
        return True
    text = str(error).lower()
    return isinstance(error, RuntimeError) and (
        "out of memory" in text or "can't allocate memory" in text
    )
