"""From approximate to true certified accuracy: what the count of a test set proves."""

import numpy as np

from ._binomial import check_trials, lower_confidence_bound
from ._checks import check_level
from ._search import first_where
from ._tails import upper_tail


def certified_accuracy_lower_bound(
    n_certified, n_inputs, *, alpha, rho=0.001, independent=True
):
    """How many of the inputs are truly certified, given how many were found to be.

    A count, where the other bounds are shares: divide by `n_inputs` for an accuracy.

    Each input was certified with failure probability `alpha`, and `n_certified` of
    them came out right and robust at some radius. With probability at least 1 - rho
    over the noise, at least as many as returned here truly are. The inputs may be any;
    nothing is assumed about where they come from.

    Parameters
    ----------
    n_certified : int or array-like of int
        Inputs found to be certified, 0 <= n_certified <= n_inputs.

    n_inputs : int or array-like of int
        Number of distinct inputs. Broadcast against `n_certified`.

    alpha : float or array-like of float
        Failure probability of each certificate, in (0, 1).

    rho : float or array-like of float, default=0.001
        Probability with which the result may be too high, in (0, 1).

    independent : bool, default=True
        False if failures may be related in any way, as they are if all inputs
        share their noise.

    Returns
    -------
    n_truly_certified : int or ndarray of int
        T_L = min{t : P(Bin(n_inputs - t, alpha) >= n_certified - t) > rho}. If not
        independent, min{t : (n_inputs - t) alpha > rho (n_certified - t)}, or
        n_certified if that is less: all of them if alpha <= rho / n_inputs, and none if
        alpha > rho.

    Raises
    ------
    ValueError
        If a count is negative or not whole, n_certified > n_inputs, n_inputs < 1, or
        alpha or rho is outside (0, 1).

    See Also
    --------
    population_accuracy_lower_bound : For the distribution that inputs were drawn from.

    Notes
    -----
    If `independent`, certificates of different inputs must rest on independent noise.
    Noise that is keyed by the content of a row gives that for distinct rows; identical
    rows share their noise, hence their errors: count them once, in both arguments.

    References
    ----------
    J. Cohen, E. Rosenfeld, J. Z. Kolter (2019), arXiv:1902.02918, appendix D.

    Examples
    --------
    >>> from sksmooth.stats import certified_accuracy_lower_bound
    >>> certified_accuracy_lower_bound([300, 480], 500, alpha=0.001)
    array([297, 479])

    Under shared noise the same takes a lower alpha:

    >>> certified_accuracy_lower_bound(
    ...     [300, 480], 500, alpha=[[0.001], [1e-6]], independent=False
    ... )
    array([[  0,   0],
           [300, 480]])
    """
    certified, total, alpha, rho = _check(n_certified, n_inputs, alpha, rho)
    at_least = upper_tail if independent else _any_upper_tail

    def plausible(t):  # which it becomes as t grows; at n_certified it is certain
        return at_least(certified - t, total - t, alpha) > rho

    return first_where(plausible, np.zeros_like(certified), certified)[()]


def _any_upper_tail(k, n, p):
    """Highest P(sum of n indicators >= k) if each has probability p: Markov's bound."""
    return n * p / np.maximum(k, 1) * (1 + 4 * np.finfo(float).eps)


def population_accuracy_lower_bound(n_certified, n_inputs, *, alpha, rho=0.001):
    """Share of a population that is truly certified, given a sample from it.

    The inputs are independent draws from the population, each certified with failure
    probability `alpha` and its own noise, and `n_certified` of them came out right and
    robust at some radius. With probability at least 1 - rho over the sample and the
    noise, at least the returned share of the population truly is.

    Parameters
    ----------
    n_certified : int or array-like of int
        Inputs found to be certified, 0 <= n_certified <= n_inputs.

    n_inputs : int or array-like of int
        Size of the sample. Broadcast against `n_certified`.

    alpha : float or array-like of float
        Failure probability of each certificate, in (0, 1).

    rho : float or array-like of float, default=0.001
        Probability with which the result may be too high, in (0, 1).

    Returns
    -------
    share : float or ndarray of float
        The value max(0, (L - alpha) / (1 - alpha)), rounded down, with L the
        Clopper-Pearson lower bound of n_certified among n_inputs at level rho.

    Raises
    ------
    ValueError
        If a count is negative or not whole, n_certified > n_inputs, n_inputs < 1, or
        alpha or rho is outside (0, 1).

    See Also
    --------
    certified_accuracy_lower_bound : For the inputs themselves.

    Notes
    -----
    A sample with identical rows, which would share noise, is outside the theorem, and
    leaving out the repeats changes the population: only the bound for the inputs
    themselves holds then.

    Examples
    --------
    >>> from sksmooth.stats import population_accuracy_lower_bound
    >>> population_accuracy_lower_bound([300, 480], 500, alpha=0.001).round(4)
    array([0.5298, 0.9252])
    """
    certified, total, alpha, rho = _check(n_certified, n_inputs, alpha, rho)
    counted = lower_confidence_bound(certified, total, rho)
    share = (counted - alpha) / (1 - alpha) * (1 - 4 * np.finfo(float).eps)
    return np.maximum(share, 0.0)[()]


def bernstein_accuracy_lower_bound(n_certified, n_inputs, *, alpha, rho=0.001):
    """Share of the inputs that are truly certified, by Bernstein's inequality.

    For reference: valid under the assumptions of `certified_accuracy_lower_bound`,
    which is exact and higher.

    Parameters
    ----------
    n_certified : int or array-like of int
        Inputs found to be certified, 0 <= n_certified <= n_inputs.

    n_inputs : int or array-like of int
        Number of distinct inputs. Broadcast against `n_certified`.

    alpha : float or array-like of float
        Failure probability of each certificate, in (0, 1).

    rho : float or array-like of float, default=0.001
        Probability with which the result may be too high, in (0, 1).

    Returns
    -------
    share : float or ndarray of float
        The value max(0, n_certified / m - alpha
        - sqrt(2 alpha (1 - alpha) ln(1 / rho) / m) - ln(1 / rho) / (3 m)), with
        m = n_inputs.

    Raises
    ------
    ValueError
        If a count is negative or not whole, n_certified > n_inputs, n_inputs < 1, or
        alpha or rho is outside (0, 1).

    See Also
    --------
    certified_accuracy_lower_bound : The exact bound.

    Notes
    -----
    The version in circulation has alpha (1 - alpha) without the 2 under the root. It
    is not a bound at level rho: for m = 10,000 and rho = .001 it fails with
    probability 1.6 rho at alpha = .001 and 3.6 rho at alpha = .05.

    References
    ----------
    S. Boucheron, G. Lugosi, P. Massart (2013), Concentration Inequalities, theorem
    2.10.

    Examples
    --------
    >>> from sksmooth.stats import bernstein_accuracy_lower_bound
    >>> round(float(bernstein_accuracy_lower_bound(300, 500, alpha=0.001)), 4)
    0.5891
    """
    certified, total, alpha, rho = _check(n_certified, n_inputs, alpha, rho)
    log_rho = -np.log(rho) / total
    excess = alpha + np.sqrt(2 * alpha * (1 - alpha) * log_rho) + log_rho / 3
    return np.maximum(certified / total - excess - 1e-15, 0.0)[()]


def _check(n_certified, n_inputs, alpha, rho):
    certified, total, alpha = check_trials(
        n_certified, n_inputs, alpha, names=("n_certified", "n_inputs")
    )
    return np.broadcast_arrays(certified, total, alpha, check_level(rho, "rho"))
