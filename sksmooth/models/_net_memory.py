"""Engines of nets, kept between calls: to make one takes longer than a short call.

They are found again by what a module holds, its weights and its structure, and never by
which object it is: a module that is trained further is another one.
"""

import io
import threading
from collections import OrderedDict
from hashlib import blake2b
from typing import Any, NamedTuple

import cloudpickle
import torch

# Weights of all nets whose engines are kept. An engine holds them up to twice.
_MOST_BYTES = 2**28


class Memory:
    """Keeps what was used last, as far as there is room. Threads may share it.

    Parameters
    ----------
    room : int
        What all that is kept may take together.
    """

    def __init__(self, room=_MOST_BYTES):
        self._room, self._kept = room, OrderedDict()
        self._lock = threading.RLock()

    def __contains__(self, key):
        return key in self._kept

    def __len__(self):
        return len(self._kept)

    def get(self, key, size, make):
        """Return what is kept under a key, made by ``make()`` if there is nothing.

        Nothing is kept under None, or where `size` is larger than the room.
        """
        if key is None or size > self._room:
            return make()
        with self._lock:  # another thread waits for what this one makes
            if key not in self._kept:
                self._kept[key] = make(), size
            self._kept.move_to_end(key)
            made, _ = self._kept[key]
            while sum(size for _, size in self._kept.values()) > self._room:
                self._kept.popitem(last=False)
            return made


engines = Memory()


class Contents(NamedTuple):
    """What tells a module from others, and the bytes of its weights."""

    key: bytes | None
    size: int


def contents(module, *details):
    """Return the Contents of a module; `details` are told apart by their repr.

    The key is None for a module that cannot be pickled. Code counts by its name, but
    for that of a script or notebook.
    """
    pickler = _Pickler(file := io.BytesIO())
    try:
        pickler.dump(module)
    except Exception:  # of any kind, from whatever the module holds
        return Contents(None, pickler.size)
    key = blake2b(file.getvalue(), digest_size=20)
    key.update(repr(details).encode())
    return Contents(key.digest(), pickler.size)


class _Pickler(cloudpickle.Pickler):
    """Writes hashes in the place of tensors."""

    size = 0

    def persistent_id(self, thing: Any):
        if not isinstance(thing, torch.Tensor):
            return None
        self.size += thing.nbytes
        flat = thing.detach().cpu().contiguous().flatten()
        numbers = flat.view(torch.uint8) if flat.numel() else flat
        data = blake2b(numbers.numpy(), digest_size=20).hexdigest()
        return type(thing).__name__, str(thing.dtype), tuple(thing.shape), data
