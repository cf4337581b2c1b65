"""The voter for neural nets: noise, forward pass and counting on the net's device."""

from threading import Lock, get_ident

import numpy as np
import torch

from ...models._first_layer import reduced
from ...models._net_choice import faster, laid_out, may_be_faster
from ...models._net_errors import explained
from ...models._net_modes import ready
from ...models._net_options import check_options
from ...models._torch_net import CONVOLVED_AT_ONCE
from ...noise._grid import check_range
from .._voter import CopyingVoter
from ._net_noise import MixedNoise, PlainNoise

# Images in a batch on a CPU, which are counted at once.
_CONVOLVED_ROWS = 4 * CONVOLVED_AT_ONCE

# No normal of torch or NumPy is larger than this.
_LARGEST_NORMAL = 40


def make(net, classes, feed, inputs, net_options, say):
    """Return the voter for a net that is asked itself, and how it is evaluated.

    Parameters
    ----------
    net : skorch net or ModuleClassifier

    classes : ndarray of shape (n_classes,)

    feed : callable
        See ``fold``.

    inputs : Inputs
        Some of those that are to be voted on.

    net_options, say
        As for ``recognise``.

    Returns
    -------
    voter : TorchVoter

    settled : Settled
    """
    fed, settled = feed(inputs), check_options(net_options)
    view = ready(net, classes, fed, settled)
    if settled.mode == "auto":
        view = laid_out(view, fed, say)
    voter = TorchVoter(view, feed, fed)
    if settled.mode == "auto" and may_be_faster(view, fed):
        voter.choose = lambda n_votes: faster(view, fed, n_votes, say)
    return voter, settled


class TorchVoter(CopyingVoter):
    """Counts what a net answers to noisy copies, one transfer of counts a batch.

    Parameters
    ----------
    net : TorchNet

    feed : callable
        Takes Inputs, and returns what the net takes for each of them, as a Fed.

    fed : Fed
        That of some inputs.

    Attributes
    ----------
    choose : callable or None
        ``choose(n_votes)`` returns another TorchNet, if that pays; see ``expect``.
    """

    buffers = ("_batch", "_shared")
    choose = None

    def __init__(self, net, feed, fed):
        self.net, self._feed = net, feed
        self._nets = {get_ident(): net}
        self._choosing, self._expected = Lock(), 0
        self.n_classes = net.n_classes
        self.dtype = _dtype(net)
        if net.first is not None:
            fed = net.first.feed(fed)
        self.shape = fed.values.shape[1:]
        where = self.dtype, net.device
        if fed.factor is not None:
            self.noise = MixedNoise(reduced(fed.factor), *where)
        else:
            self.noise = PlainNoise(fed.noise, self.shape, *where)
        self.on_host = net.device.type == "cpu"

    def expect(self, n_votes):
        """Get ready for about as many votes; see ``Voter.expect``."""
        with self._choosing:  # other workers wait for the one that gets ready
            if self.choose is None or n_votes <= self._expected:
                return False
            self._expected, net = n_votes, self.choose(n_votes)
            if net is None:
                return False
            self.net, self._nets, self.choose = net, {}, None
            return True

    def on(self, inputs):
        """Return the voter for some inputs.

        Each thread asks a module of its own: what it keeps of a batch must not meet
        another batch.
        """
        twin = super().on(inputs)
        ident = get_ident()
        if ident not in self._nets:
            self._nets[ident] = self.net.twin()
        twin.net = self._nets[ident]
        return twin

    def take(self, inputs):
        """Be the voter for these inputs.

        Raises
        ------
        ValueError
            If one of them with noise is too large for the dtype of the module, or too
            large to be on the grid in that dtype.
        """
        fed = self._feed(inputs)
        _check_range(fed, self.net)
        if self.net.first is not None:
            fed = self.net.first.feed(fed)
            _check_range(fed, self.net)
        # Where they stand in the user's X, for error messages.
        self.places = inputs.origin
        self.noise = self.noise.on(fed.values)
        self.open = self.noise.open
        self._in_batch = []

    @property
    def batch_bytes(self):
        """A good size of a batch.

        Larger ones were measured to lose time on a CPU, where they leave its caches.
        Elsewhere enough to keep the device busy.
        """
        if not self.on_host:
            return 32 * 2**20
        if self.net.convolves:
            return min(_CONVOLVED_ROWS * self.row_bytes, 2**24)
        return 5 * 2**19

    @property
    def row_bytes(self):
        return self.dtype.itemsize * self.noise.row_size

    def allocate(self, size):
        """Make room for a batch of up to `size` noisy copies; return how many."""
        where = {"dtype": self.dtype, "device": self.net.device}
        self._shared = None
        while True:
            try:
                self._batch = torch.empty((size, *self.shape), **where)
                self.noise.allocate(size)
            except RuntimeError as error:
                if size == 1 or not _is_out_of_memory(error):
                    raise
                size = (size + 1) // 2
            else:
                self._at_once = size
                if self.net.convolves and self.on_host:
                    self._at_once = min(size, CONVOLVED_AT_ONCE)
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
        if self.on_host:  # NumPy is faster with so few numbers
            slots = slots.numpy() + np.repeat(np.arange(len(sizes)) * width, sizes)
            counts = np.bincount(slots, minlength=len(sizes) * width)
        else:
            device = slots.device
            owner = torch.arange(len(sizes), device=device) * width
            repeats = torch.as_tensor(sizes, device=device)
            slots = slots + owner.repeat_interleave(repeats, output_size=len(slots))
            counts = torch.bincount(slots, minlength=len(sizes) * width).cpu().numpy()
        counts = counts.reshape(len(sizes), width)
        nan = np.flatnonzero(counts[:, -1])
        if len(nan):
            place = min(self.places[rows[one]] for one in nan)
            which = "counted from 0"
            if self.places[0] > 0:  # other workers may have met earlier ones
                first, last = self.places[0], self.places[-1]
                which += f"; the first among inputs {first} to {last}"
            raise ValueError(
                f"{self.net.name} returned NaN for noisy copies of input {place} "
                f"({which}). Is X scaled as in training, and did training diverge?"
            )
        return counts[:, :-1]

    def _winners(self, size):
        """Classify the first `size` copies, in parts that fit into memory or cache."""
        parts, start, self._spoiled = [], 0, False
        while start < size:
            left = size - start
            # Of equal sizes: a pass over a few rows takes nearly as long.
            n_rows = -(-left // -(-left // self._at_once))
            batch = self._batch[start : start + n_rows]
            part = self._part(batch, alone=n_rows == size)
            if part is None:
                self._at_once = (n_rows + 1) // 2
                if self.net.device.type == "cuda":
                    torch.cuda.empty_cache()
                continue
            parts.append(part)
            start += n_rows
        merged = parts[0] if len(parts) == 1 else torch.cat(parts)
        if not self.on_host:
            return merged
        kept = None if self._spoiled else self._batch[:size]
        try:
            return self.net.decide(merged, kept)
        except ValueError:
            raise
        except Exception as error:
            raise explained(self.net, self._batch[:size], error) from error

    def _to_give(self, batch):
        """Return what a net may write to: copies are needed again for close calls."""
        spares = self.net.margin is None or self.net.writes is False
        return batch if spares else batch.clone()

    def _part(self, batch, alone):
        """Return what the net makes of copies; None if they are too many for memory.

        On a CPU these are outputs, to be read together; elsewhere class indices, which
        take less of the device's memory.
        """
        version = self._batch._version
        try:
            if not self.on_host:
                return self.net.winners(batch)
            output = self.net.output(given := self._to_give(batch))
            if self.net.writes is None:
                self.net.writes = not _same_bits(given, batch)
            elif self._batch._version != version:  # for the first time
                self.net.writes = self._spoiled = True
            # A module may use one buffer for all its answers.
            return output if alone else output.clone()
        except ValueError:
            raise
        except Exception as error:
            # Copies that the module has changed cannot be tried again.
            changed = self._batch._version != version
            if changed or len(batch) == 1 or not _is_out_of_memory(error):
                raise explained(self.net, batch, error) from error
        return None


def _same_bits(a, b):
    """Are these equal, where values are missing, too?"""
    return torch.equal(a.view(torch.uint8), b.view(torch.uint8))


def _dtype(net):
    """Return in what noise is made; for half precision it is rounded once added."""
    if net.dtype == torch.float64 and net.device.type != "mps":
        return torch.float64
    return torch.float32


def _check_range(fed, net):
    """Raise a ValueError if noisy copies may be too large for their dtype."""
    if fed.factor is None:
        noise = np.max(fed.sigma)
    else:
        noise = np.abs(fed.factor).sum(axis=0).max(initial=0)
    dtype = _dtype(net)
    largest = np.fmax.reduce(np.abs(fed.values), axis=None)  # but for missing values
    if largest + _LARGEST_NORMAL * noise > torch.finfo(dtype).max:
        raise ValueError(
            f"x + noise overflows {str(dtype).removeprefix('torch.')}: scale X (and "
            "sigma) down."
        )
    if fed.grid is not None:
        kind = np.float32 if dtype == torch.float32 else np.float64
        check_range(fed.values, fed.noise, kind)


def _is_out_of_memory(error):
    if isinstance(error, torch.cuda.OutOfMemoryError):
        return True
    text = str(error).lower()
    return isinstance(error, RuntimeError) and (
        "out of memory" in text or "can't allocate memory" in text
    )
