"""What was found for an input an epoch ago."""

import torch

# Factors of splitmix64 (Steele, Lea, Flood 2014), as signed integers.
_MIXING = (0x9E3779B97F4A7C15 - 2**64, 0xBF58476D1CE4E5B9 - 2**64)

_WORDS = {8: torch.int32, 4: torch.int32, 2: torch.int16, 1: torch.uint8}


class Remembered:
    """A tensor for each input, of this epoch and of the one before.

    Inputs are known by what they and their targets are and not by their places, so that
    it does not matter in which order they come. Copies and pickles
    begin without memories: these are as large as the training data, twice.
    """

    def __init__(self):
        self.forget()

    def __reduce__(self):
        return Remembered, ()

    def forget(self):
        """Begin anew."""
        self._epoch, self._old, self._new = None, None, []

    def recall(self, x, target, epoch):
        """Return what was put for each row of x in the epoch before; 0 for new rows.

        Returns
        -------
        recalled : tensor of the shape of x

        found : tensor of bool, of shape (n_rows,)
        """
        if self._epoch is not None and epoch != self._epoch:
            self._turn()
            if epoch < self._epoch:  # another training
                self.forget()
        self._epoch = epoch
        recalled = torch.zeros_like(x)
        found = torch.zeros(len(x), dtype=torch.bool, device=x.device)
        if self._old is None or self._old[1].shape[1:] != x.shape[1:]:
            return recalled, found
        known, values = (part.to(x.device) for part in self._old)
        keys = _keys(x, target)
        places = torch.searchsorted(known, keys).clamp_max(len(known) - 1)
        found = known[places] == keys
        recalled[found] = values[places[found]].to(x)
        return recalled, found

    def put(self, x, target, values):
        """Remember a value of the shape of x."""
        if self._new and self._new[-1][1].shape[1:] != values.shape[1:]:
            raise ValueError("remember=True takes inputs that are all of one shape.")
        self._new.append((_keys(x, target), values.detach()))

    def _turn(self):
        """Let what was put in this epoch be what is recalled."""
        if not self._new:
            self._old = None
            return
        keys, values = (torch.cat(parts) for parts in zip(*self._new, strict=True))
        known, order = keys.sort()
        self._old, self._new = (known, values[order]), []


def _keys(x, target):
    """Return a 64-bit hash of each row and its target.

    Other rows have the same one with negligible probability, and then only begin
    elsewhere. It is a sum of products of integers, which wrap around: exact, in
    whatever batch and on whatever device.
    """
    words = x.detach().flatten(1).contiguous().view(_WORDS[x.dtype.itemsize])
    factors = _MIXING[0] * torch.arange(1, 1 + words.shape[1], device=x.device)
    factors = _MIXING[1] * (factors ^ (factors >> 30)) | 1
    return (words * factors).sum(dim=1) + _MIXING[0] * target.long()
