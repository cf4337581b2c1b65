"""Binomial tails to 40 digits, for tests at extreme arguments."""

import mpmath


def upper_tail(k, n, p):
    """P(Bin(n, p) >= k), by summing the side that decays geometrically."""
    with mpmath.workdps(60):
        p = mpmath.mpf(p)
        if k <= 0:
            return mpmath.mpf(1)
        if k > n:
            return mpmath.mpf(0)
        if k > n * p:
            return _sum(k, n, p)
        return 1 - _sum(n - k + 1, n, 1 - p)


def _sum(k, n, p):
    """Sum of the probabilities of k, k + 1, ...; they decay as k > n p."""
    if k < n:
        log_binomial = (
            mpmath.loggamma(n + 1) - mpmath.loggamma(k + 1) - mpmath.loggamma(n - k + 1)
        )
        term = mpmath.exp(
            log_binomial + k * mpmath.log(p) + (n - k) * mpmath.log(1 - p)
        )
    else:
        term = p**n
    total = mpmath.mpf(0)
    for j in range(k, n + 1):
        total += term
        term *= mpmath.mpf(n - j) / (j + 1) * p / (1 - p) if j < n else 0
        if term < total * mpmath.mpf(10) ** -45:
            break
    return total
