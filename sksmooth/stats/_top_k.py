"""How far does a label stay among the k most probable classes?"""

import numpy as np

from ..noise import find_noise
from ._binomial import lower_confidence_bound, upper_confidence_bound
from ._checks import check_counts, check_part, check_positive

# Radii are searched up to so many standard deviations: there a label has no
# probability left, in floating point.
_FURTHEST = 1024.0


def top_k_radius(counts, label, *, k, alpha, sigma, noise="gaussian"):
    """Certified radius within which a label stays among the top k classes.

    No perturbation of a norm below the radius takes `label` out of the `k` most
    probable classes under noise; an input's statement is false with probability at most
    `alpha`.

    Parameters
    ----------
    counts : array-like of int of shape (n_inputs, n_classes)
        Votes of each class for each input, at least one per input.

    label : int or array-like of int of shape (n_inputs,)
        The column of `counts` to certify; chosen without looking at these votes,
        such as the true class.

    k : int
        1 <= k < n_classes.

    alpha : float
        Failure probability for one input, in (0, 1). Each of the n_classes one-sided
        Clopper-Pearson bounds gets alpha / n_classes (Bonferroni).

    sigma : float or array-like of float of shape (n_inputs,)
        Noise level, in the units of the input.

    noise : str or instance of Noise, default="gaussian"
        Its kind, as for :class:`~sksmooth.SmoothedClassifier`. The radius is l2 for
        Gaussian noise, l1 for Laplace and uniform noise.

    Returns
    -------
    radius : ndarray of float of shape (n_inputs,)
        Rounded down; 0 where nothing is certified.

    Raises
    ------
    ValueError
        If a count is negative or not whole, an input has no votes, `label` is not a
        column of `counts`, `k`, `alpha` or `sigma` is out of range.

    See Also
    --------
    radius_from_probabilities : What it is for k = 1, given both bounds.

    Notes
    -----
    With p_l the lower bound of the label, b_1 >= ... >= b_k the k largest upper bounds
    of the other classes and S_t = min(the sum of the t smallest of those k, 1 - p_l),
    the radius solves worst(p_l, R / sigma) = min_t upper(S_t, R / sigma) / t, t = 1 ...
    k. For Gaussian noise worst(p, r) = Phi(Phi^-1(p) - r), and upper(p, r) has + r.

    References
    ----------
    J. Jia, X. Cao, B. Wang, N. Z. Gong (2020), "Certified Robustness for Top-k
    Predictions against Adversarial Perturbations via Randomized Smoothing", ICLR,
    arXiv:1912.09899, Theorem 1.

    Examples
    --------
    The third class is never first, and yet among the first three within .05:

    >>> from sksmooth.stats import top_k_radius
    >>> votes = [[6_000, 2_000, 1_500, 400, 100]]
    >>> [top_k_radius(votes, 2, k=k, alpha=0.001, sigma=0.25).item() for k in (1, 2)]
    [0.0, 0.0]
    >>> top_k_radius(votes, 2, k=3, alpha=0.001, sigma=0.25).round(4)
    array([0.0724])
    """
    counts = check_counts(counts, "counts")
    if counts.ndim != 2:
        raise ValueError(
            f"counts must have shape (n_inputs, n_classes), got {counts.shape}."
        )
    n_inputs, n_classes = counts.shape
    if check_counts(k, "k").ndim or not 1 <= k < n_classes:
        raise ValueError(
            f"k must be a whole number from 1 to n_classes - 1 = {n_classes - 1}, "
            f"got {k!r}."
        )
    label = np.broadcast_to(check_counts(label, "label"), (n_inputs,))
    if np.any(label >= n_classes):
        raise ValueError(f"label must lie in 0 ... {n_classes - 1}.")
    sigma = np.broadcast_to(check_positive(sigma, "sigma"), (n_inputs,))
    level = check_part(alpha) / n_classes
    if n_inputs == 0:
        return np.empty(0)

    n = counts.sum(axis=1)
    if np.any(n < 1):
        raise ValueError("every input needs at least one vote.")
    own = label[:, None] == np.arange(n_classes)
    p_label = lower_confidence_bound(counts[own], n, level)
    rivals = counts[~own].reshape(n_inputs, n_classes - 1)
    rivals = np.sort(upper_confidence_bound(rivals, n[:, None], level), axis=1)
    largest = rivals[:, -int(k) :]
    # Rounded up: the sum of k terms errs by less than k roundings.
    sums = np.cumsum(largest, axis=1) * (1 + 2 * k * np.finfo(float).eps)
    sums = np.minimum(sums, np.nextafter(1 - p_label, np.inf)[:, None])
    unit = find_noise(noise).bind(1.0)
    if unit.closed:
        raise ValueError(
            f"top-k radii are for noise that is drawn on numbers, not for {noise!r}."
        )
    return _solve(p_label, sums, unit) * sigma * (1 - 2 * np.finfo(float).eps)


def _solve(p_label, sums, noise):
    """The largest radius, in units of sigma, up to which the label cannot be passed."""
    sums, group = np.minimum(sums, 1.0), np.arange(1, sums.shape[1] + 1)

    def stays(radius):
        rivals = noise.upper(sums, radius[:, None]) / group * (1 + np.finfo(float).eps)
        return noise.worst(p_label, radius) > rivals.min(axis=1)

    low = np.zeros(p_label.shape)
    certified = stays(low)
    high = np.where(certified, _FURTHEST, 0.0)
    for _ in range(60):
        middle = (low + high) / 2
        good = stays(middle)
        low, high = np.where(good, middle, low), np.where(good, high, middle)
    return np.where(certified, low, 0.0)
