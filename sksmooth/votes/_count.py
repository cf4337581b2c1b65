"""Packs noisy copies of many inputs into batches and counts the classes."""

import math
from itertools import islice
from numbers import Integral
from typing import NamedTuple

import numpy as np

from ._shared import count_shared


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
        self.rule, self._places = rule, places

    @property
    def usual(self):
        """About how many votes each input takes.

        Rules stop well before the last look for most inputs, and not at the first one:
        in the middle of their orders of magnitude.
        """
        return math.sqrt(float(self.looks[0]) * float(self.looks[-1]))

    def places(self, rows):
        """Return where rows stand among the inputs that the rule knows."""
        return rows if self._places is None else self._places[rows]

    def settled(self, look, rows, votes):
        """Note the rule's values for rows at their looks; return which are settled."""
        settled = look == len(self.looks) - 1
        if self.fixed or not len(rows):
            return settled
        value, enough = self.rule(look, self.places(rows), votes.counts[rows])
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
    most = len(votes.counts) * int(looks[-1])
    batch_size = allocate(voter, batch_size, most, shared is not None)
    if shared is not None:
        rows = np.array([row for row, _ in todo], int)
        count_shared(voter, rows, asked, votes, voter.open(shared), batch_size, report)
        return
    todo, first = iter(todo), int(looks[0])

    def starting(room):
        """Return new inputs for what room there is."""
        some = list(islice(todo, max(0, -(-room // first))))
        return _UnderWay.starting(some, voter, first)

    under_way = starting(batch_size)
    while len(under_way.row):
        # A row is in a batch at most once: what has reached its look has to wait.
        start = np.cumsum(under_way.missing) - under_way.missing
        n = int(np.searchsorted(start, batch_size))
        row, missing = under_way.row[:n], under_way.missing[:n]
        sizes = np.minimum(missing, batch_size - start[:n])
        voter.fill_batch(row, sizes, under_way.stream[:n])
        votes.counts[row] += voter.tally(sizes)
        votes.n_used[row] += sizes
        missing -= sizes
        n -= int(missing[-1] > 0)  # only the last one may not have found room for all
        arrived, waiting = under_way.of(slice(n)), under_way.of(slice(n, None))
        settled = asked.settled(arrived.look, arrived.row, votes)
        if report is not None:
            report(arrived.row[settled], int(sizes.sum()))
        if len(waiting.row) == 0 and settled.all():  # of one input, as a rule
            under_way = starting(batch_size)
            continue
        going_on = arrived.of(~settled).going_on(looks)
        # Inputs under way come before new ones, so that few streams are open at a time.
        room = batch_size - int(waiting.missing.sum() + going_on.missing.sum())
        under_way = waiting.and_then(going_on, starting(room))


def allocate(voter, batch_size, most, shared):
    """Make room for a batch of noisy copies, at most so many; return its size."""
    if batch_size == "auto":
        batch_size = voter.good_size(shared)
    voter.forget()
    return voter.allocate(min(batch_size, most))


class _UnderWay(NamedTuple):
    """Inputs that are being voted on: arrays with an entry for each."""

    row: np.ndarray
    look: np.ndarray
    missing: np.ndarray  # votes up to its next look
    stream: np.ndarray

    @classmethod
    def starting(cls, todo, voter, first):
        """Open the streams of some (row, key), which want `first` votes."""
        row = np.array([row for row, _ in todo], np.int64)
        look = np.zeros(len(row), np.int64)
        return cls(row, look, look + first, voter.open_many([key for _, key in todo]))

    def of(self, places):
        """Return some of them."""
        return _UnderWay(*(part[places] for part in self))

    def and_then(self, *others):
        """Return them with others behind."""
        return _UnderWay(*map(np.concatenate, zip(self, *others, strict=True)))

    def going_on(self, looks):
        """Return them on their way to the next look."""
        look = self.look + 1
        return self._replace(look=look, missing=looks[look] - looks[self.look])
