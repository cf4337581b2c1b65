"""Votes under one noise for all inputs: each block of it is drawn once.

Vote number i on any input is f(x + noise i). So the loop is over blocks of noise
outside and over inputs inside; in `_engine` it is the other way round.
"""

from numbers import Integral

import numpy as np


def count_shared(voter, rows, rule, votes, stream, block, report=None):
    """Count the votes on some inputs under the noise of `stream`.

    Parameters
    ----------
    voter : Voter
        With room for a batch of `block` noisy copies.

    rows : ndarray of int
        The inputs that are wanted.

    rule : int or stopping rule
        See ``count_votes``.

    votes : Votes
        The arrays to count in.

    stream : stream of noise, see ``Voter.open``

    block : int
        Most noise to hold at a time, in copies.

    report : callable, default=None
        ``report(rows, n_votes)`` is told which rows are settled, and how many votes
        were drawn since it was last told.
    """
    counts, n_used, value = votes
    fixed = isinstance(rule, Integral)
    looks = [int(rule)] if fixed else rule.looks.tolist()
    drawn = 0
    for look, n_votes in enumerate(looks):
        n_new = (n_votes - drawn) * len(rows)
        while drawn < n_votes and len(rows):
            size = min(block, n_votes - drawn)
            voter.draw(stream, size)
            counts[rows] += voter.tally_block(rows, size, block)
            drawn += size
        n_used[rows] = n_votes
        settled = np.full(len(rows), look == len(looks) - 1)
        if not fixed and len(rows):
            now, enough = rule(np.full(len(rows), look), rows, counts[rows])
            value[rows] = np.maximum(value[rows], now)
            settled |= enough
        if report is not None:
            report(rows[settled], n_new)
        rows = rows[~settled]
