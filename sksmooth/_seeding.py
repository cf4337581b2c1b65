"""Random generators of torch: seeded for a while, then put back."""

import sys
from contextlib import contextmanager

from .models._find_nets import nets_in
from .noise._streams import stream_key


@contextmanager
def seeded_training(estimator, entropy):
    """Seed torch while nets are trained; afterwards its generators are as before.

    Weights, batches and noise layers draw from torch's global generator. Without this
    they would depend on what was trained before, and in which process.

    Parameters
    ----------
    estimator : classifier

    entropy : int or None
        None leaves the generators alone.
    """
    if entropy is None or not nets_in(estimator, frozen=False):
        yield
        return
    devices = range(sys.modules["torch"].cuda.device_count())
    with _seeded(stream_key(entropy, "train", b"torch"), devices):
        yield


@contextmanager
def seeded_votes(entropy, purpose, inputs, rows):
    """Seed torch while nets vote; afterwards its generators are as before.

    A net that is asked through skorch moves the global generator, as every iterator
    over batches does. One that is random has other random numbers for each purpose,
    and for other inputs.

    Parameters
    ----------
    entropy : int

    purpose : str

    inputs : Inputs

    rows : ndarray of int
        The first of these inputs counts.
    """
    cuda = sys.modules["torch"].cuda
    devices = range(cuda.device_count()) if cuda.is_initialized() else None
    first = next(inputs.take(rows[:1]).contents())
    with _seeded(stream_key(entropy, purpose, b"torch" + first), devices):
        yield


@contextmanager
def _seeded(key, devices):
    """Seed torch, on the CPU only if `devices` is None, until the context ends."""
    torch = sys.modules["torch"]
    # The seed for a GPU that has not been in use would wait for it, and stay.
    seed = torch.default_generator.manual_seed if devices is None else torch.manual_seed
    with torch.random.fork_rng(devices=devices or ()):
        seed(int.from_bytes(key[:8], "little") >> 1)  # 63 bits
        yield
