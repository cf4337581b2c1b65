"""From a table of votes to a class, bounds on its probability and a radius."""

from collections.abc import Callable
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from ..noise import Gaussian
from ._binomial import lower_confidence_bound
from ._bounds import joint_lower_bound, multiclass_bounds
from ._checks import check_counts, check_part, check_positive
from ._simultaneous import joint_pvalue
from ._tails import upper_tail


class CertifiedBounds(NamedTuple):
    """A class and what is known about it; each field of shape (n_inputs,)."""

    selected: np.ndarray
    p_lower: np.ndarray
    p_upper: np.ndarray
    radius: np.ndarray


def _one_class(counts, selection_counts, n, alpha):
    selected = selection_counts.argmax(axis=1)
    return selected, lower_confidence_bound(_pick(counts, selected), n, alpha), None


def _joint(counts, selection_counts, n, alpha):
    selected = counts.argmax(axis=1)
    return selected, joint_lower_bound(_pick(counts, selected), n, alpha), None


def _multiclass(counts, selection_counts, n, alpha):
    if counts.shape[1] == 2:  # the runner-up has what is left: nothing to share out
        return _one_class(counts, selection_counts, n, alpha)
    order = np.argsort(-selection_counts, axis=1, kind="stable")
    selected, second = order[:, 0], order[:, 1]
    both = _pick(counts, selected), _pick(counts, second)
    return selected, *multiclass_bounds(*both, n, alpha)


class Bound(NamedTuple):
    """A way to certify counts of votes, and what the rest of the house must know."""

    # (counts, selection_counts, n, alpha) -> the class that is bounded, and bounds on
    # its probability and on that of every other class; None if that is the rest
    certify: Callable
    # Does it select classes on votes of their own?
    needs_selection: bool = True
    # Is a radius a question of one probability alone: is that of the class enough?
    by_threshold: bool = True
    # (votes of the class, n, probability) -> p-value of the hypothesis that the class
    # has at most this probability; None finds it by inverting `certify`, whose bounds
    # then have to get closer as alpha grows
    pvalue: Callable | None = None


BOUNDS = {
    "cohen": Bound(_one_class, pvalue=upper_tail),
    "joint": Bound(_joint, needs_selection=False, pvalue=joint_pvalue),
    "multiclass": Bound(_multiclass, by_threshold=False),
}


def find_bound(name):
    """Return the Bound of a name; raise a ValueError if there is none."""
    if name not in BOUNDS:
        raise ValueError(f"bound must be one of {sorted(BOUNDS)}, got {name!r}.")
    return BOUNDS[name]


def certify_counts(counts, selection_counts=None, *, alpha, bound="cohen", sigma=1.0):
    """Name a class, bound its probability and certify a radius, from counts of votes.

    Parameters
    ----------
    counts : array-like of int of shape (n_inputs, n_classes)
        Estimation votes.

    selection_counts : array-like of int of shape (n_inputs, n_classes), default=None
        Other votes, that select the class ("cohen") or the two classes
        ("multiclass") to be bounded. Not used by "joint".

    alpha : float
        P(a bound is wrong) <= alpha for each input.

    bound : {"cohen", "joint", "multiclass"}, default="cohen"
        "cohen": the paper's. "joint": selects and bounds with the same votes, worth it
        for small n. "multiclass": also bounds the runner-up, and so can certify
        classes with a probability below 1/2.

    sigma : float, default=1.0
        Level of Gaussian noise; the radius has its units.

    Returns
    -------
    bounds : CertifiedBounds
        Named tuple of arrays of shape (n_inputs,): `selected`, the column of the class
        that is bounded; `p_lower`, a lower bound on its probability; `p_upper`, an
        upper bound on the probability of every other class; `radius`, the certified
        l2 radius, 0 where nothing is certified.

    Raises
    ------
    ValueError
        If counts are negative or not whole, the tables differ in shape, or a table
        that `bound` needs is missing.

    References
    ----------
    J. Cohen, E. Rosenfeld, J. Z. Kolter (2019), arXiv:1902.02918, section 3.2.2.

    Examples
    --------
    >>> from sksmooth.stats import certify_counts
    >>> bounds = certify_counts(
    ...     [[90, 10, 0]], selection_counts=[[9, 1, 0]], alpha=0.001, sigma=0.5
    ... )
    >>> bounds.p_lower.round(3), bounds.radius.round(3)
    (array([0.775]), array([0.378]))
    """
    if np.ndim(check_part(alpha)) or np.ndim(check_positive(sigma, "sigma")):
        raise ValueError("alpha and sigma must be single numbers.")
    find_bound(bound)
    counts = _check_table(counts, "counts")
    if BOUNDS[bound].needs_selection:
        if selection_counts is None:
            raise ValueError(
                f"bound={bound!r} needs selection_counts: votes that are independent "
                "of those in counts. bound='joint' does not need them."
            )
        selection_counts = _check_table(selection_counts, "selection_counts")
        if selection_counts.shape != counts.shape:
            raise ValueError("selection_counts and counts must have the same shape.")
    noise = Gaussian().bind(float(sigma))
    return certify_votes(counts, selection_counts, alpha, bound, noise)


def certify_votes(counts, selection_counts, alpha, bound, noise):
    """Do what ``certify_counts`` does, for noise of any kind and votes as drawn.

    Parameters
    ----------
    counts, selection_counts, alpha, bound
        As in ``certify_counts``.

    noise : Proof

    Returns
    -------
    bounds : CertifiedBounds
    """
    found = BOUNDS[bound].certify(counts, selection_counts, counts.sum(axis=1), alpha)
    return _complete(*found, noise)


def _complete(selected, p_lower, p_upper, noise):
    if p_upper is None:
        return bounds_from_lower(selected, p_lower, noise)
    return CertifiedBounds(selected, p_lower, p_upper, noise.radius(p_lower, p_upper))


@lru_cache(maxsize=1024)
def _unanimous(n, alpha, bound, n_classes):
    votes = np.zeros((1, n_classes), np.int64)
    votes[0, 0] = n
    return BOUNDS[bound].certify(votes, votes, n, alpha)


def unanimous_bounds(n, alpha, bound, n_classes, noise):
    """Return what `n` votes certify if all of them are for one class.

    No other votes certify more.

    Parameters
    ----------
    n : int

    alpha, bound
        As in ``certify_counts``.

    n_classes : int

    noise : Proof

    Returns
    -------
    bounds : CertifiedBounds
        Of one input.

    Examples
    --------
    >>> from sksmooth.noise import Gaussian
    >>> from sksmooth.stats._certify import unanimous_bounds
    >>> noise = Gaussian().bind(0.5)
    >>> [unanimous_bounds(n, 0.001, "cohen", 2, noise).radius > 0 for n in (9, 10)]
    [array([False]), array([ True])]
    """
    return _complete(*_unanimous(n, alpha, bound, n_classes), noise)


def bounds_from_lower(selected, p_lower, noise):
    """Complete the bounds with the shortcut p_upper = 1 - p_lower, rounded up."""
    p_upper = np.minimum(np.nextafter(1 - p_lower, np.inf), 1.0)
    return CertifiedBounds(selected, p_lower, p_upper, noise.radius(p_lower))


def bounds_from_upper(probabilities, upper, noise):
    """Certify from upper bounds on every class probability, exact up to rounding.

    Bounding 1 - p_A by the sum of the other classes' bounds keeps radii accurate
    where p_A itself rounds to 1.

    Parameters
    ----------
    probabilities, upper : ndarray of float of shape (n_inputs, n_classes)

    noise : Proof

    Returns
    -------
    bounds : CertifiedBounds
    """
    selected = probabilities.argmax(axis=1)
    others = upper.copy()
    np.put_along_axis(others, selected[:, None], 0.0, axis=1)
    rest = np.minimum(others.sum(axis=1) * (1 + 1e-12), 1.0)
    return bounds_from_rest(selected, rest, others.max(axis=1), noise)


def bounds_from_rest(selected, rest, runner_up, noise):
    """Certify from upper bounds on what a class leaves to the others.

    Parameters
    ----------
    selected : ndarray of int of shape (n_inputs,)

    rest, runner_up : ndarray of float of shape (n_inputs,)
        On the probability of all other classes together, and of each of them.

    noise : Proof

    Returns
    -------
    bounds : CertifiedBounds
    """
    runner_up = np.minimum(runner_up, rest)
    radius = noise.radius_of_rest(rest, runner_up)
    # Rounded down; 1 stands only for a class that no other can beat.
    p_lower = np.where(rest > 0, np.nextafter(1 - rest, 0.0), 1.0)
    return CertifiedBounds(selected, p_lower, runner_up, radius)


def _check_table(table, name):
    table = check_counts(table, name)
    if table.ndim != 2 or table.shape[1] < 2:
        raise ValueError(f"{name} must have the shape (n_inputs, n_classes >= 2).")
    return table


def _pick(counts, columns):
    return np.take_along_axis(counts, columns[:, None], axis=1)[:, 0]
