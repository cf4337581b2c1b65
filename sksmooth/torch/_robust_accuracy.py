"""Accuracy of a smoothed classifier under attack."""

import numpy as np
from sklearn.base import clone

from .._containers import plain
from .._labels import as_labels


def empirical_robust_accuracy(g, X, y, radius, attack):
    """Return the share of inputs that g gets right, and still does when attacked.

    This is an upper bound on the accuracy in the worst case, as certified accuracy is a
    lower bound; the truth lies between them. An input for which g abstains,
    clean or attacked, counts as wrong.

    Parameters
    ----------
    g : SmoothedClassifier
        Fitted. Only its `predict` is called.

    X : array-like or tensor of shape (n_inputs, *shape)

    y : array-like of shape (n_inputs,)
        True labels.

    radius : float or array-like of shape (n_radii,)
        Radii of the balls, as in certified accuracy. An input that is broken at a
        radius counts as broken at the larger ones, without another attack.

    attack : object with `generate` and `set_params`
        As ``SmoothedPGD``: ``generate(g, X, y)`` returns attacked inputs, within its
        parameter `epsilon` of X. A clone of it is used, with epsilon set to each
        radius.

    Returns
    -------
    accuracy : float or ndarray of shape (n_radii,)

    See Also
    --------
    SmoothedPGD : An attack on smoothed nets.
    sksmooth.certified_accuracy_score : The lower bound.

    Examples
    --------
    >>> import torch
    >>> from sksmooth import SmoothedClassifier
    >>> from sksmooth.torch import (
    ...     ModuleClassifier,
    ...     SmoothedPGD,
    ...     empirical_robust_accuracy,
    ... )
    >>> module = torch.nn.Linear(1, 2)
    >>> for weight, value in zip(module.parameters(), ([[-1.0], [1.0]], [0.0, 0.0])):
    ...     weight.data = torch.tensor(value)
    >>> g = SmoothedClassifier(ModuleClassifier(module), sigma=0.5, random_state=0)
    >>> X, y = [[-2.0], [-1.0], [1.0], [3.0]], [0, 0, 1, 1]
    >>> attack = SmoothedPGD(random_state=0)
    >>> empirical_robust_accuracy(g, X, y, [0, 1.5, 2.5], attack)
    array([1.  , 0.5 , 0.25])
    """
    radii = np.asarray(radius, float)
    X, y = np.asarray(plain(X)), as_labels(y, "y")
    right = g.predict(X) == y
    attack, shares = clone(attack), np.empty(radii.size)
    for place in np.argsort(radii, axis=None):
        rows = np.flatnonzero(right)
        level = radii.flat[place]
        if level > 0 and len(rows):
            moved = attack.set_params(epsilon=level).generate(g, X[rows], y[rows])
            right[rows] = g.predict(moved) == y[rows]
        shares[place] = right.mean()
    return float(shares[0]) if radii.ndim == 0 else shares
