"""Votes under one noise for all inputs: each block of it is drawn once.

Vote number i on any input is f(x + noise i). So the loop is over blocks of noise
outside and over inputs inside; in `_count` it is the other way round.
"""

import numpy as np

from ._voter import CopyingVoter


def count_shared(voter, rows, asked, votes, stream, block, report=None):
    """Count the votes on some inputs under the noise of `stream`.

    Parameters
    ----------
    voter : Voter
        With room for a batch of `block` noisy copies.

    rows : ndarray of int
        The inputs that are wanted.

    asked : Asked

    votes : Votes
        The arrays to count in.

    stream : stream of noise, see ``Voter.open``

    block : int
        Most noise to hold at a time, in copies.

    report : callable, default=None
        ``report(rows, n_votes)`` is told which rows are settled, and how many votes
        were drawn since it was last told.
    """
    looks = asked.looks.tolist()
    kind = _Copied if isinstance(voter, CopyingVoter) else _Compared
    counter = kind(voter, votes.counts, block)

    def go_on(rows, look):
        """Return which rows need votes beyond a look at which all are counted."""
        if not rows:
            return []
        rows = np.array(rows)
        votes.n_used[rows] = looks[look]
        settled = asked.settled(np.full(len(rows), look), rows, votes)
        if report is not None:
            n_new = looks[look] - (looks[look - 1] if look else 0)
            report(rows[settled], n_new * len(rows))
        return rows[~settled].tolist()

    # Some rows may be behind: their last copies wait in a batch that is not full yet.
    here, behind = rows.tolist(), []
    for look, n_votes in enumerate(looks):
        start = looks[look - 1] if look else 0
        for first in range(start, n_votes, block):
            if not here:  # nothing else to fill the batch with
                counter.flush()
                here, behind = go_on(behind, look - 1), []
            if not here:
                return
            size = min(block, n_votes - first)
            voter.draw(stream, size)
            done = 0
            while done < len(here) or behind:
                if done == len(here):
                    counter.flush()
                else:
                    counter.add(here[done:], size)
                    done = len(here)
                if behind and not counter.waits_for(behind):
                    here += go_on(behind, look - 1)
                    behind = []
        counted, behind = counter.split(here)
        here = go_on(counted, look)
        if look == len(looks) - 1:
            counter.flush()
            go_on(behind, look)


class _Copied:
    """Noisy copies, put into batches that are classified when they are full.

    Parameters
    ----------
    voter : Voter

    counts : ndarray of int of shape (n_inputs, n_classes)
        Counted in.

    room : int
        Copies in a batch.
    """

    def __init__(self, voter, counts, room):
        self._voter, self._counts, self._room = voter, counts, room
        self._rows, self._sizes, self._filled = [], [], 0

    def add(self, rows, size):
        """Put copies of rows into batches, under the `size` noises of ``draw``."""
        for row in rows:
            first = 0
            while first < size:
                n_copies = min(size - first, self._room - self._filled)
                stop = self._filled + n_copies
                self._voter.place(self._filled, stop, row, first)
                self._rows.append(row)
                self._sizes.append(n_copies)
                self._filled, first = stop, first + n_copies
                if self._filled == self._room:
                    self.flush()

    def flush(self):
        """Classify the batch as it is."""
        if self._filled:
            tally = self._voter.tally(np.array(self._sizes))
            np.add.at(self._counts, self._rows, tally)
            self._rows, self._sizes, self._filled = [], [], 0

    def split(self, rows):
        """Return those of the rows that are counted, and those with copies waiting."""
        waiting = set(self._rows)
        counted = [row for row in rows if row not in waiting]
        return counted, [row for row in rows if row in waiting]

    def waits_for(self, rows):
        """Is a copy of any of the rows still in the batch?"""
        return not set(self._rows).isdisjoint(rows)


class _Compared:
    """Counts of a voter that compares scores instead of making copies."""

    def __init__(self, voter, counts, room):
        self._voter, self._counts, self._room = voter, counts, room

    def add(self, rows, size):
        """Count the votes on rows under the `size` noises of ``draw``."""
        self._counts[rows] += self._voter.compare(np.array(rows), size, self._room)

    def flush(self):
        """Nothing waits."""

    def split(self, rows):
        """Return the rows, and none that wait."""
        return rows, []

    def waits_for(self, rows):
        """Nothing waits."""
        return False
