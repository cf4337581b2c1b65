"""Votes under one noise for all inputs: each block of it is drawn once.

Vote number i on any input is f(x + noise i). So the loop is over blocks of noise
outside and over inputs inside; in `_engine` it is the other way round.
"""

import numpy as np


def count_shared(voter, n_inputs, looks, rule, value, *, stream, block, progress=None):
    """Count the votes on each input under the noise of `stream`.

    Parameters
    ----------
    voter : Voter
        With room for a batch of `block` noisy copies.

    n_inputs : int

    looks : ndarray of int of shape (n_looks,)
        Numbers of votes at which the rule is asked.

    rule : stopping rule or None
        See ``count_votes``; None draws all votes for every input.

    value : ndarray or None
        The rule's value before the first look; written to.

    stream : stream of noise, see ``Voter.open``

    block : int
        Most noise to hold at a time, in copies.

    progress : tqdm or None
        Told how many inputs are settled.

    Returns
    -------
    counts : ndarray of int of shape (n_inputs, n_classes)

    n_used : ndarray of int of shape (n_inputs,)

    value : ndarray or None
    """
    counts = np.zeros((n_inputs, voter.n_classes), np.int64)
    n_used = np.zeros(n_inputs, np.int64)
    open_ = np.arange(n_inputs)
    drawn = 0
    for look, n_votes in enumerate(looks.tolist()):
        while drawn < n_votes:
            size = min(block, n_votes - drawn)
            voter.draw(stream, size)
            counts[open_] += voter.tally_block(open_, size, block)
            drawn += size
        n_used[open_] = n_votes
        settled = np.full(len(open_), look == len(looks) - 1)
        if rule is not None:
            now, enough = rule(np.full(len(open_), look), open_, counts[open_])
            value[open_] = np.maximum(value[open_], now)
            settled |= enough
        open_ = open_[~settled]
        if progress is not None:
            progress.update(int(settled.sum()))
        if not len(open_):
            break
    return counts, n_used, value
