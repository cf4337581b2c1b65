"""When a close vote between two classes is given up before its last look.

An input that is given up is one on which `predict` abstains, so no error comes of it.
What it costs is bounded: an abstention where later votes would have named the class.
"""

from functools import lru_cache

import numpy as np
from scipy import special

from ._ranking import rank_verification_pvalue
from ._search import first_where

# P(an input is given up although the votes that were left would have named its class)
# is at most this.
GIVE_UP = 0.05

# Probabilities of the class at which the bound is computed: so many between 1/2 and
# where the leader is never behind, which is as many standard deviations away.
_STEPS, _DEVIATIONS = 256, 8


@lru_cache(maxsize=64)
def most_to_give_up(looks, alphas, risk):
    """Return the most votes of the leader of two at which each look gives up.

    With p >= 1/2 the probability of the better class, c the answer for a look at m
    votes, and t the fewest of n votes with which a later look names a class: this class
    is given up there and would be named later with probability at most

        P(Bin(m, p) <= c) * sum over the later looks of P(Bin(n - m, p) >= t - c),

    whose first factor falls with p, while the second one grows. So between two values
    of p it is at most the first at the lower one times the second at the higher one.
    The largest of these is kept below the look's share of `risk`: half of it for the
    last but one, a quarter for the look before, and so on.

    Parameters
    ----------
    looks : tuple of int

    alphas : tuple of float
        Their levels of the test.

    risk : float
        Largest probability, over all looks, to give up what would be named.

    Returns
    -------
    most : ndarray of int of shape (n_looks,)
        -1 where nothing is given up, as at the last look.
    """
    n, most = np.array(looks), np.full(len(looks), -1)

    def named(k):
        leader = np.minimum(np.maximum(k, n - k), n)  # n + 1 stands for never
        return (2 * k > n) & (rank_verification_pvalue(leader, n - leader) <= alphas)

    needed = first_where(named, np.zeros(len(n), int), n + 1)
    for look in range(len(looks) - 2, -1, -1):
        risk = risk / 2
        m, later = n[look], n[look + 1 :, None]
        p = np.linspace(0.5, min(1.0, 0.5 + _DEVIATIONS / 2 / np.sqrt(m)), _STEPS)
        low, high = p, np.append(p[1:], 1.0)

        def too_risky(c, m=m, later=later, low=low, high=high, risk=risk, look=look):
            missing = needed[look + 1 :, None] - c
            hope = _at_least(missing, later - m, high).sum(axis=0)
            behind = 1 - _at_least(c + 1, m, low)
            return np.max(behind * np.minimum(hope, 1)) > risk

        # At m // 2 - 1 votes or fewer nobody leads.
        first = (m + 1) // 2
        c = first_where(too_risky, np.array(first), np.array(needed[look])) - 1
        if c < first:
            break
        most[look] = c
    most.setflags(write=False)
    return most


def _at_least(k, n, p):
    """P(Bin(n, p) >= k)."""
    inside = np.clip(k, 1, n)
    tail = special.betainc(inside, n - inside + 1, p)
    return np.where(k < 1, 1.0, np.where(k > n, 0.0, tail))
