"""Tails of the binomial distribution with a bound on their own error.

Special functions of other packages come without one, and have been wrong: see "Tails"
on the page "Bounds" of the documentation. Nothing is used here but +, -, *, /, sqrt,
exp, expm1, log and log1p.

For k > n p the tail is the probability of k itself times an integral (substitute
p e^-s in that of the beta distribution),

    P(Bin(n, p) >= k) = k b(k; n, p) I,   I = integral of exp(phi(s)) over s > 0,
    phi(s) = -k s + (n - k) log1p(p (1 - e^-s) / q),   q = 1 - p.

phi falls from 0 and is concave, so that a fixed rule of Gauss is enough, and 1 / I is
the derivative of the log of the tail by log p. For k <= n p the other tail is taken.
"""

import numpy as np

_EPS = np.finfo(float).eps

# No tail is said to be below this: smaller numbers lose their digits.
_SMALL = 1e-300

# What lies beyond phi = -40 is less than e^-40 of the integral, by concavity.
# Terms of the sums that are computed at a time.
_TOGETHER = 2**13

_CUT = 40.0

# Positive nodes of Gauss's rule with 40 on (-1, 1), and their weights; those of
# numpy.polynomial.legendre are good to 1e-12 only.
_GAUSS = np.array(
    [
        [0.03877241750605082, 0.0775059479784248],
        [0.11608407067525521, 0.07703981816424797],
        [0.1926975807013711, 0.07611036190062624],
        [0.2681521850072537, 0.07472316905796826],
        [0.3419940908257585, 0.07288658239580406],
        [0.413779204371605, 0.07061164739128678],
        [0.4830758016861787, 0.0679120458152339],
        [0.5494671250951282, 0.06480401345660104],
        [0.6125538896679802, 0.06130624249292894],
        [0.6719566846141796, 0.05743976909939155],
        [0.7273182551899271, 0.05322784698393682],
        [0.7783056514265194, 0.04869580763507223],
        [0.8246122308333117, 0.04387090818567327],
        [0.8659595032122595, 0.038782167974472016],
        [0.9020988069688743, 0.033460195282547844],
        [0.9328128082786765, 0.0279370069800234],
        [0.9579168192137917, 0.02224584919416696],
        [0.9772599499837743, 0.01642105838190789],
        [0.990726238699457, 0.010498284531152813],
        [0.9982377097105593, 0.004521277098533191],
    ]
)
# For the integral over s in (0, 1), with s = t^2: more nodes where phi bends most.
_T = (1 + np.concatenate([-_GAUSS[::-1, 0], _GAUSS[:, 0]])) / 2
_NODES = _T**2
_WEIGHTS = np.concatenate([_GAUSS[::-1, 1], _GAUSS[:, 1]]) * _T

# log(m!) - log(sqrt(2 pi m) (m / e)^m) for m = 0 (not used), 1, ..., 15.
_STIRLING_ERRORS = np.array(
    [
        0.0,
        0.08106146679532726,
        0.0413406959554093,
        0.02767792568499834,
        0.020790672103765093,
        0.016644691189821193,
        0.013876128823070748,
        0.01189670994589177,
        0.010411265261972096,
        0.009255462182712733,
        0.00833056343336287,
        0.007573675487951841,
        0.00694284010720953,
        0.006408994188004207,
        0.0059513701127588475,
        0.005554733551962801,
    ]
)


# Of Stirling's series for them, highest power of 1 / m first.
_STIRLING_SERIES = (-691 / 360360, 1 / 1188, -1 / 1680, 1 / 1260, -1 / 360, 1 / 12)


def tail_and_slope(k, n, p, q):
    """P(Bin(n, p) >= k), its error and its growth.

    Parameters
    ----------
    k, n : ndarray of int64
        1 <= k <= n.

    p, q : ndarray of float
        In (0, 1), with q = 1 - p up to a rounding of each: the smaller one decides.

    Returns
    -------
    tail : ndarray of float
        In [0, 1]; 0 where it is below the smallest number.

    error : ndarray of float
        The relative error of `tail` is less, unless it is 0.

    slope : ndarray of float
        d log(tail) / d log(p).
    """
    k, n = np.asarray(k, dtype=float), np.asarray(n, dtype=float)
    beyond = k > n * p
    # Else what is computed is P(Bin(n, q) >= n - k + 1), the tail on the other side.
    k_far = np.where(beyond, k, n - k + 1)
    p_far, q_far = np.where(beyond, p, q), np.where(beyond, q, p)
    integral = _integral(k_far, n, p_far / q_far)
    log_mass = _log_probability(k_far, n, p_far, q_far)
    # Roundings: of phi, by a few in k s, whose mean is at most k I; of n p and n q,
    # which move the log of the probability by the distance of k from them; of that log
    # itself.
    distance = np.abs(k_far - n * p_far)
    error = _EPS * (64 + 8 * k_far * integral + 3 * distance - 3 * log_mass)
    with np.errstate(under="ignore"):
        far = np.minimum(k_far * np.exp(log_mass) * integral, 1.0)
    tail = np.where(beyond, far, 1 - far)
    with np.errstate(divide="ignore", invalid="ignore"):
        # The far tail is at most 0.64 or so where it is subtracted.
        slope = np.where(beyond, 1 / integral, far / (integral * tail) * p / q)
        error = np.where(beyond, error, error * far / tail + _EPS)
    return tail, error, slope


def upper_tail(k, n, p):
    """P(Bin(n, p) >= k), rounded up; also for k <= 0 (1) and k > n (0).

    Parameters
    ----------
    k, n : array-like of int
        n >= 0.

    p : array-like of float
        In [0, 1].

    Returns
    -------
    tail : ndarray of float
        At least the exact value, and above it by no more than its error allows.
    """
    k, n, p = np.broadcast_arrays(np.asarray(k), np.asarray(n), np.asarray(p, float))
    inside = (k >= 1) & (k <= n) & (p > 0) & (p < 1)
    certain = (k < 1) | ((p >= 1) & (k <= n))
    tail = np.where(certain, 1.0, 0.0)
    some = p[inside]
    value, error, _ = tail_and_slope(k[inside], n[inside], some, 1 - some)
    tail[inside] = np.clip(value * (1 + error), _SMALL, 1.0)
    # Of one trial it is p itself.
    return np.where((k == 1) & (n == 1), p, tail)


def _integral(k, n, odds):
    """Integral of exp(phi) over s > 0, for k > n p and odds = p / q."""
    rest = n - k

    def phi(s):
        moved = -np.expm1(-s)
        return rest * np.log1p(odds * moved) - k * s, moved

    # Where phi is -40: a quadratic that is above phi, then Newton, which does not come
    # back below it.
    fall, bend = k - rest * odds, rest * odds * (1 + odds)
    end = 2 * _CUT / (fall + np.sqrt(fall**2 + 2 * _CUT * bend))
    for _ in range(3):
        value, moved = phi(end)
        steepness = k - rest * odds * (1 - moved) / (1 + odds * moved)
        end = end + (value + _CUT) / steepness
    total = np.zeros(np.shape(end))
    # One after the other, so that a sum does not depend on how many there are.
    together = max(1, _TOGETHER // max(1, total.size))
    for start in range(0, len(_NODES), together):
        some = np.s_[start : start + together, *(None,) * total.ndim]
        for term in _WEIGHTS[some] * np.exp(phi(_NODES[some] * end)[0]):
            total += term
    return total * end


def _log_probability(k, n, p, q):
    """Log of P(Bin(n, p) = k), for 1 <= k <= n."""
    rest = n - k
    deviance = _deviance(k, n * p) + _deviance(rest, n * q)
    some = np.maximum(rest, 1.0)
    log_mass = (
        _stirling_error(n) - _stirling_error(k) - _stirling_error(some) - deviance
    ) + np.log(n / k / some / (2 * np.pi)) / 2
    # All of them: p^n.
    log_p = np.where(p > 0.5, np.log1p(-np.minimum(q, 0.5)), np.log(p))
    log_all = n * log_p
    return np.where(rest == 0, log_all, log_mass)


def _deviance(x, mean):
    """x log(x / mean) + mean - x without cancellation (C. Loader 2000)."""
    difference = x - mean
    ratio = difference / (x + mean)
    square = ratio * ratio
    series = np.zeros(np.shape(x))
    for j in range(10, 0, -1):
        series = square * (series + 1 / (2 * j + 1))
    near = difference * ratio + 2 * x * ratio * series
    some = np.where(x > 0, x, 1.0)
    far = x * np.log(some / mean) - difference
    return np.where(np.abs(ratio) < 0.1, near, far)


def _stirling_error(m):
    """log(m!) - log(sqrt(2 pi m) (m / e)^m) for whole m >= 1."""
    large = np.maximum(m, 16.0)
    square = 1 / (large * large)
    series = 0.0
    for coefficient in _STIRLING_SERIES:
        series = series * square + coefficient
    small = _STIRLING_ERRORS[np.minimum(m, 15).astype(int)]
    return np.where(m > 15, series / large, small)
