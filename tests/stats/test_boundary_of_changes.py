"""Certificates with changes are wrong with probability alpha at most, at the boundary.

Where the probability of a class is exactly what is needed, nothing may be certified:
what is the probability that it is? Enumerated in rationals.
"""

from fractions import Fraction
from math import comb

import numpy as np
import pytest

from sksmooth.noise import Gaussian, Laplace, SparseFlip, Uniform
from sksmooth.noise._with_flips import WithFlips
from sksmooth.stats._sequential import (
    CertifyKnownLabel,
    fewest_votes_for_radius,
    sample_sizes,
)

ALPHA = 0.05


def flips(noise, numbers=True):
    return WithFlips(noise, 2**31, (0, 1), (2, 4), numbers).bind(0.5)


CASES = [
    *[(flips(Gaussian(), numbers=False).changed(k), 0.0) for k in (1, 2)],
    *[(SparseFlip(0.1, 0.4).bind(1.0).changed(c), 0.0) for c in ((1, 0), (0, 2))],
    *[
        (flips(noise()).changed(k), r)
        for noise in (Gaussian, Laplace, Uniform)
        for k, r in ((0, 0.3), (1, 0.0), (1, 0.2), (2, 0.05))
    ],
]


def tail(n, k, p):
    """P(Bin(n, p) >= k), exactly."""
    return sum(comb(n, j) * p**j * (1 - p) ** (n - j) for j in range(k, n + 1))


@pytest.mark.parametrize("proof, radius", CASES)
@pytest.mark.parametrize("n", [40, 150])
def test_with_all_votes(proof, radius, n):
    needed = Fraction(float(proof.needed(radius)))
    if proof.changes and not radius:
        exact = proof.regions.needed()
        assert exact <= needed < exact + Fraction(1, 10**12)
        needed = exact
    k = int(fewest_votes_for_radius(n, ALPHA, radius, proof))
    wrong = tail(n, k, needed) if k <= n else 0
    assert wrong <= ALPHA
    # It is no empty claim: one vote less would be too many errors.
    assert tail(n, k - 1, needed) > ALPHA


@pytest.mark.parametrize("proof, radius", CASES)
def test_with_several_looks(proof, radius):
    """All ways to stop: of those who are not done, how many have how many votes."""
    looks = sample_sizes(200, 50)
    rule = CertifyKnownLabel(looks, ALPHA, np.array([radius]), proof, np.array([0]))
    p = Fraction(float(proof.needed(radius))).limit_denominator(10**6)
    p = min(p, Fraction(float(proof.needed(radius))))
    going, certified, seen = {0: Fraction(1)}, Fraction(0), 0
    for look, n in enumerate(looks.tolist()):
        more = n - seen
        after = {}
        for votes, mass in going.items():
            for j in range(more + 1):
                share = mass * comb(more, j) * p**j * (1 - p) ** (more - j)
                after[votes + j] = after.get(votes + j, 0) + float(share)
        counts = np.array([[k, n - k] for k in after])
        rows = np.zeros(len(counts), int)
        rule = CertifyKnownLabel(looks, ALPHA, np.array([radius]), proof, rows)
        value, settled = rule(
            np.full(len(counts), look), np.arange(len(counts)), counts
        )
        certified += sum(
            m for m, v in zip(after.values(), value[:, 0], strict=True) if v
        )
        going = {
            k: Fraction(m)
            for (k, m), v, s in zip(after.items(), value[:, 0], settled, strict=True)
            if not v and not s
        }
        seen = n
    assert certified <= ALPHA * (1 + 1e-9)
