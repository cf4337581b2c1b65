"""Many certificates at once: p-values of votes, and which claims hold all together."""

import numpy as np

from ._checks import check_level
from ._tails import upper_tail

# Levels are searched from here on, in decades. `check_part` allows parts of them.
_LOWEST_DECADE = -90.0


def holm(p_values, alpha):
    """Tell which hypotheses are rejected, all together at one level.

    Holm's procedure: the smallest of m p-values is held against alpha / m, the next
    one against alpha / (m - 1), and so on up to the first that is larger. However the
    p-values depend on each other, the probability that any true hypothesis is
    rejected is at most alpha.

    Parameters
    ----------
    p_values : array-like of float of shape (n_hypotheses,)
        In [0, 1]. Each is valid by itself: under its hypothesis it is at most t with
        probability at most t, for every t.

    alpha : float
        In (0, 1).

    Returns
    -------
    rejected : ndarray of bool of shape (n_hypotheses,)
        What p-values are held against is rounded down.

    Raises
    ------
    ValueError
        If there is a p-value outside [0, 1], if they are not one-dimensional, or if
        alpha is outside (0, 1).

    References
    ----------
    S. Holm (1979), "A simple sequentially rejective multiple test procedure",
    Scandinavian Journal of Statistics 6(2), 65-70.

    Examples
    --------
    >>> from sksmooth.stats import holm
    >>> holm([0.001, 0.06, 0.02, 0.5], alpha=0.1)
    array([ True, False,  True, False])
    """
    p_values = np.asarray(p_values, dtype=float)
    if p_values.ndim != 1 or not np.all((p_values >= 0) & (p_values <= 1)):
        raise ValueError(
            f"p_values must be a list of numbers between 0 and 1, got {p_values!r}."
        )
    alpha = check_level(alpha)
    if alpha.ndim:
        raise ValueError(f"alpha must be a single number, got {alpha!r}.")
    left = np.arange(len(p_values), 0, -1)
    steps = np.where(left == 1, alpha, np.nextafter(alpha / left, 0))
    order = np.argsort(p_values, kind="stable")
    rejected = np.zeros(len(p_values), bool)
    rejected[order] = np.logical_and.accumulate(p_values[order] <= steps)
    return rejected


def joint_pvalue(k, n, p):
    """P-value of a class with most of n votes, which were used to find it.

    Of the hypothesis that the class with most votes has at most the probability `p`,
    however many classes there are.

    Parameters
    ----------
    k : ndarray of int
        Votes of that class.

    n : ndarray of int
        All votes.

    p : ndarray of float
        In [1/2, 1].

    Returns
    -------
    p_value : ndarray of float
        P(Bin(n, p) >= k) + P(Bin(n, 1 - p) >= k), rounded up, and at most 1; 1 unless
        k > n / 2.
    """
    p = np.asarray(p, float)
    rest = np.nextafter(1 - p, 1)
    other = upper_tail(k, n, np.maximum(rest, 1e-300))
    both = upper_tail(k, n, p) + np.where(p < 1, other, 0.0)
    return np.where(2 * k > n, np.minimum(np.nextafter(both, 2), 1.0), 1.0)


def inverted_pvalue(certified_at, n_inputs):
    """P-value of certificates that grow with their level: the least that certifies.

    Parameters
    ----------
    certified_at : callable
        Takes a level for each input, and returns which inputs are certified at it. One
        that is certified at some level must be so at all higher ones.

    n_inputs : int

    Returns
    -------
    p_value : ndarray of float of shape (n_inputs,)
        A level at which the input is certified, hardly above the least; 1 if there is
        none.
    """
    low, high = np.full(n_inputs, _LOWEST_DECADE), np.zeros(n_inputs)
    for _ in range(32):
        middle = (low + high) / 2
        good = certified_at(10.0**middle)
        low, high = np.where(good, low, middle), np.where(good, middle, high)
    return 10.0**high
