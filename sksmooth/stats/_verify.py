"""The last proportion at which a tail is at most its level, verified there."""

from itertools import count

import numpy as np

# Steps stop this much before the crossing, and within four times as much the search is
# over (relative). A radius loses less than 1e-8 sigma by it up to n = 10^7.
SHORT = 2.0**-43

# What is left for the rounding of a function of the result, as a radius is.
_REST = 2.0**-46

# After so many steps the interval is halved only, which ends for sure. Four are usual.
_NEWTON_STEPS = 30


def last_within(tail, level, start, safe, unsafe):
    """Return the last proportion, on the way from `safe`, where ``tail <= level``.

    The tail must cross the level once between `safe` and `unsafe`. What is returned was
    either found by `tail` to be within the level, or is `safe`, but for a small step
    back; so it is as right as `tail` is, whatever `start` may be.

    Parameters
    ----------
    tail : callable
        ``tail(rows, p)`` -> (the tail at `p` of these rows, rounded up, and d log(tail)
        / d log(p)).

    level, start, safe, unsafe : ndarray of float of shape (n,)
        `start` is tried first; it may be anything, also NaN. `safe` and `unsafe` are
        the ends of the search, in either order.

    Returns
    -------
    p : ndarray of float of shape (n,)
        Within 4 `SHORT` of the crossing (relative).
    """
    safe, unsafe = safe.copy(), unsafe.copy()
    p = np.where(_between(start, safe, unsafe), start, (safe + unsafe) / 2)
    rows, directions = np.arange(len(p)), np.sign(unsafe - safe)
    for step in count():
        if not len(rows):
            return safe * (1 - directions * _REST)
        towards = directions[rows]
        value, slope = tail(rows, p)
        within = value <= level[rows]
        safe[rows] = np.where(within, p, safe[rows])
        unsafe[rows] = np.where(within, unsafe[rows], p)
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            # Newton, by the logs of both; both are concave for one binomial tail, so
            # that from the safe side it does not cross.
            gap = (np.log(level[rows]) - np.log(value)) / slope
            aim = p * np.exp(gap) * (1 - towards * SHORT)
            ahead = gap * towards
        good, bad = safe[rows], unsafe[rows]
        near = within & (ahead >= 0) & (ahead <= 4 * SHORT)
        closed = np.abs(bad - good) <= 4 * SHORT * good
        newton = _between(aim, good, bad) & (step < _NEWTON_STEPS)
        p = np.where(newton, aim, _middle(good, bad))
        # Where no number lies between the ends, the search is over, too.
        open_ = ~(near | closed) & _between(p, good, bad)
        rows, p = rows[open_], p[open_]


def _between(p, one, other):
    return (p > np.minimum(one, other)) & (p < np.maximum(one, other))


def _middle(one, other):
    """The geometric mean, or a power of ten further where one end is 0."""
    zero = np.minimum(one, other) == 0
    return np.where(zero, np.maximum(one, other) / 1024, np.sqrt(one * other))
