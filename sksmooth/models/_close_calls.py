"""Copies on which rounding may decide which class wins.

A net's scores are rounded otherwise in another size of batch, by another number of
threads or by another engine. That changes the class of a copy only where its two
highest scores are as close as such roundings; these copies are told from the others
here, and asked for again in one way that is always the same.
"""

import math
from dataclasses import dataclass

import torch

# How many times the largest difference seen between two ways of computing scores two
# of them have to be apart. Each of them may be off, so half of it is what either way
# may differ by.
_TIMES = 10

# What that largest difference is at least taken for, in units of the last place of the
# largest score: scores are sums of many terms.
_UNITS = 32

# More than the roundings of a bar in single precision.
_UP = 1 + 1e-6

# A lead in logits that no rounding of exponentials, at 6e-8 each, makes up for.
_CLEAR = 1e-5


@dataclass(frozen=True)
class Margin:
    """How far apart two scores must be for rounding not to matter.

    Attributes
    ----------
    relative : float
        As a share of the largest score of the copy, in absolute value,

    scale : float
        which counts as this large at least.

    least : float
        What comes on top.
    """

    relative: float
    scale: float = 0.0
    least: float = 0.0

    @classmethod
    def seen(cls, difference, scale, dtype, softmax):
        """Return the margin where scores up to `scale` were seen to differ so much.

        `softmax` says that scores are logits.
        """
        relative = _UNITS * torch.finfo(dtype).eps
        if scale > 0:
            relative = max(relative, difference / scale)
        return cls(_TIMES * relative, scale, _CLEAR if softmax else 0.0)

    def _of(self, lowest, highest):
        # Scores of minus infinity are those of classes that are left out.
        largest = torch.maximum(highest.abs(), lowest.nan_to_num(neginf=0.0).abs())
        return largest.clamp_(min=self.scale).mul_(self.relative).add_(self.least)

    def _of_all(self, lowest, highest):
        """Return a bar for all copies whose scores lie between these numbers.

        As for the largest score among them, rounded up. Not finite if one of them is
        NaN or infinity.
        """
        if math.isnan(lowest) or math.isnan(highest):
            return math.nan
        lowest = 0.0 if lowest == -math.inf else lowest
        largest = max(abs(highest), abs(lowest), self.scale)
        return _UP * (largest * self.relative + self.least)

    def by_rank(self, scores):
        """Return the places of the highest scores, and which of them are close calls.

        Parameters
        ----------
        scores : tensor of shape (n, n_classes)

        Returns
        -------
        winner : tensor of int of shape (n,)

        close : tensor of int of shape (n_close,)
            Also where scores are not finite.
        """
        if not scores.is_floating_point():
            scores = scores.double()
        highest, winner = scores.max(dim=1)
        # Usually there is none, which is seen at once by the largest score of all
        # copies: the highest of a copy counts as near itself, and nothing else does.
        bar = self._of_all(*(one.item() for one in scores.aminmax()))
        near = scores >= (highest - bar)[:, None]
        if math.isfinite(bar) and torch.count_nonzero(near).item() == len(scores):
            return winner, winner[:0]
        rows = ((near.sum(dim=1) != 1) | ~highest.isfinite()).nonzero()[:, 0]
        some, highest = scores[rows], highest[rows]
        near = some >= (highest - self._of(some.amin(dim=1), highest))[:, None]
        return winner, rows[(near.sum(dim=1) != 1) | ~highest.isfinite()]

    def by_threshold(self, scores, threshold):
        """Tell whether scores exceed a threshold, and which are close calls."""
        bar = self._of(scores, scores)
        close = ~((scores - threshold).abs() > bar)
        return (scores > threshold).long(), close.nonzero()[:, 0]
