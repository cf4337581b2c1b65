"""Packs noisy copies of many inputs into batches and counts the classes."""

import math
from collections import deque
from dataclasses import dataclass
from itertools import compress
from numbers import Integral
from typing import NamedTuple

import numpy as np

from ._shared import count_shared

# Where rows are tiny, more of them in one batch gain nothing.
_MAX_AUTO_ROWS = 65_536


class Votes(NamedTuple):
    """What was counted, and what the stopping rule made of it."""

    counts: np.ndarray  # int64, (n_inputs, n_classes)
    n_used: np.ndarray  # int64, (n_inputs,): votes drawn for each input
    value: np.ndarray | None  # (n_inputs, ...): the rule's largest over the looks

    @classmethod
    def none(cls, n_inputs, n_classes, rule):
        """Return room for the votes on some inputs."""
        return cls(
            np.zeros((n_inputs, n_classes), np.int64),
            np.zeros(n_inputs, np.int64),
            None if isinstance(rule, Integral) else rule.empty(n_inputs),
        )

    def put(self, part, rows):
        """Copy the votes of some rows to their place."""
        for source, target in zip(part, self, strict=True):
            if target is not None:
                target[rows] = source


class Asked:
    """A rule that is asked about some of the inputs, by their places among these.

    Parameters
    ----------
    rule : int or stopping rule
        An int draws as many votes for every input. A rule has ``looks``, the numbers
        of votes at which it is asked, and ``empty(n_inputs)``, the values before the
        first look; ``rule(look, rows, counts)`` returns (value, settled) for the inputs
        that have reached these looks. A settled input gets no more votes; the largest
        of an input's values is kept.

    places : ndarray of int, default=None
        Where the inputs stand among those that the rule knows; None: it is the same.
    """

    def __init__(self, rule, places=None):
        self.fixed = isinstance(rule, Integral)
        self.looks = np.array([rule]) if self.fixed else rule.looks
        self._rule, self._places = rule, places

    @property
    def usual(self):
        """About how many votes an input takes.

        Rules stop well before the last look for most inputs, and not at the first one:
        in the middle of their orders of magnitude.
        """
        return math.sqrt(float(self.looks[0]) * float(self.looks[-1]))

    def settled(self, look, rows, votes):
        """Note the rule's values for rows at their looks; return which are settled."""
        settled = look == len(self.looks) - 1
        if self.fixed or not len(rows):
            return settled
        places = rows if self._places is None else self._places[rows]
        value, enough = self._rule(look, places, votes.counts[rows])
        votes.value[rows] = np.maximum(votes.value[rows], value)
        return settled | enough


def count(voter, asked, todo, votes, batch_size="auto", shared=None, report=None):
    """Count votes in this process: fill a batch, classify it, tally, ask the rule.

    Parameters
    ----------
    voter : Voter
        For the inputs of `votes`.

    asked : Asked

    todo : iterable of (row, key)
        The rows that are wanted, with their noise keys.

    votes : Votes
        Where to put them.

    batch_size : int or "auto", default="auto"
        Noisy copies held at a time.

    shared : bytes, default=None
        The key of the noise of all inputs, if they share it.

    report : callable, default=None
        ``report(rows, n_votes)`` is told, after each batch, which rows are settled and
        how many votes were drawn.
    """
    looks = asked.looks
    if batch_size == "auto":
        batch_size = max(1, min(voter.batch_bytes // voter.row_bytes, _MAX_AUTO_ROWS))
    voter.forget()
    batch_size = voter.allocate(min(batch_size, len(votes.counts) * int(looks[-1])))
    if shared is not None:
        rows = np.array([row for row, _ in todo], int)
        count_shared(voter, rows, asked, votes, voter.open(shared), batch_size, report)
        return
    counts, n_used, _ = votes
    # Inputs under way come before new ones, so that few streams are open at a time.
    under_way = deque()
    new = (_UnderWay(row, voter.open(key), 0, looks[0]) for row, key in todo)
    while True:
        # A row is in a batch at most once: what has reached its look has to wait.
        drawn, arrived, filled = [], [], 0
        while filled < batch_size:
            one = under_way.popleft() if under_way else next(new, None)
            if one is None:
                break
            size = min(batch_size - filled, one.missing)
            voter.fill(filled, filled + size, one.row, one.stream)
            filled += size
            drawn.append((one.row, size))
            one.missing -= size
            if one.missing:
                under_way.appendleft(one)
            else:
                arrived.append(one)
        if not drawn:
            return
        rows, sizes = np.transpose(drawn)
        counts[rows] += voter.tally(sizes)
        n_used[rows] += sizes
        rows = np.array([one.row for one in arrived], int)
        look = np.array([one.look for one in arrived], int)
        settled = asked.settled(look, rows, votes)
        for one in compress(arrived, ~settled):
            one.look += 1
            one.missing = looks[one.look] - looks[one.look - 1]
            under_way.append(one)
        if report is not None:
            report(rows[settled], filled)


@dataclass(slots=True)
class _UnderWay:
    """An input that is being voted on."""

    row: int
    stream: object
    look: int
    missing: int  # votes up to its next look
