"""What votes prove about a test set in which inputs occur several times."""

import numpy as np

from ._population import certified_accuracy_lower_bound


def certified_weight_lower_bound(reach, weight, radius, *, alpha, rho, independent):
    """Weight of the inputs that are truly certified, given those found to be.

    Of the inputs found at a radius, as many may be false finds as the bound for
    distinct inputs leaves room for; in the worst case they are the heaviest.

    Parameters
    ----------
    reach : ndarray of float of shape (n_inputs,)
        Radius up to which each distinct input was found to be right and robust; -inf
        where it was at none.

    weight : ndarray of float of shape (n_inputs,)
        How much each counts, > 0: how often it occurs.

    radius : ndarray of float
        l2 radii.

    alpha : float
        Failure probability of each certificate; 0 for exact ones.

    rho : float
        Probability with which the result may be too high, at each radius by itself.

    independent : bool
        False if failures may go together in any way.

    Returns
    -------
    weight : ndarray of float
        Of the shape of `radius`. Never above the weight that was found.
    """
    order = np.argsort(reach)
    n_found = _n_reached(reach[order], radius)
    found = np.append(0.0, np.cumsum(weight[order][::-1]))[n_found]
    if alpha > 0:
        n_false = n_found - certified_accuracy_lower_bound(
            n_found, len(reach), alpha=alpha, rho=rho, independent=independent
        )
        charged = _heaviest(reach, weight, radius.ravel(), n_false.ravel())
        found = found - charged.reshape(radius.shape)
    if np.all(weight == np.floor(weight)) and weight.sum() < 2**53:
        return found  # no rounding anywhere
    slack = 4 * (len(weight) + 2) * np.finfo(float).eps * weight.sum()
    return np.maximum(found - slack, 0.0)


def _heaviest(reach, weight, radius, n):
    """Return the sum of the n largest weights among what reaches each radius."""
    # By weight, heaviest first, and within a weight by reach.
    order = np.lexsort((reach, -weight))
    values, starts = np.unique(-weight[order], return_index=True)
    total, left = np.zeros(radius.shape), n.copy()
    some = np.flatnonzero(left)
    for value, group in zip(-values, np.split(reach[order], starts[1:]), strict=True):
        if not len(some):
            break
        n_here = np.minimum(left[some], _n_reached(group, radius[some]))
        left[some] -= n_here
        total[some] += value * n_here
        some = some[left[some] > 0]
    return total


def _n_reached(sorted_reach, radius):
    return len(sorted_reach) - np.searchsorted(sorted_reach, radius, side="left")
