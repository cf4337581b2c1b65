"""How far n votes can reach, and how many votes an answer needs."""

from itertools import count

import numpy as np

from ._binomial import lower_confidence_bound
from ._checks import check_part, check_positive, check_radius
from ._radius import radius_from_probabilities
from ._ranking import rank_verification_pvalue
from ._sequential import sample_sizes, split_alpha

_MOST_SAMPLES = 2**53


def max_certifiable_radius(n, sigma, alpha):
    """Largest radius that `n` votes can certify: all of them for one class.

    With all n votes equal the Clopper-Pearson bound is alpha^(1/n), so the radius is
    sigma * Phi^-1(alpha^(1/n)), however robust the classifier is.

    Parameters
    ----------
    n : int or array-like of int
        Number of votes, at least 1.

    sigma : float or array-like of float
        Noise level, in the units of the input.

    alpha : float or array-like of float
        Failure probability, in (0, 1).

    Returns
    -------
    radius : float or ndarray of float
        In the units of `sigma`; 0 if even n equal votes certify nothing.

    Raises
    ------
    ValueError
        If n < 1, sigma <= 0 or alpha is outside (0, 1).

    See Also
    --------
    required_samples : The inverse question.

    References
    ----------
    J. Cohen, E. Rosenfeld, J. Z. Kolter (2019), arXiv:1902.02918, section 3.2.2.

    Examples
    --------
    >>> from sksmooth.stats import max_certifiable_radius
    >>> max_certifiable_radius([100, 100_000], sigma=0.5, alpha=0.001).round(3)
    array([0.75 , 1.906])
    """
    return radius_from_probabilities(lower_confidence_bound(n, n, alpha), sigma=sigma)


def required_samples(radius, sigma, alpha):
    """Fewest votes with which a radius can be certified at all.

    Parameters
    ----------
    radius : float or array-like of float
        The l2 radius to certify, >= 0, in the units of `sigma`.

    sigma : float or array-like of float
        Noise level.

    alpha : float or array-like of float
        Failure probability, in (0, 1).

    Returns
    -------
    n : int or ndarray of int
        Smallest n with ``max_certifiable_radius(n, sigma, alpha) >= radius`` and
        > 0: what is needed when all votes agree.

    Raises
    ------
    ValueError
        If an argument is out of range, or if more than 2^53 votes would be needed
        (beyond about 8 sigma); then sigma is too small for the radius.

    See Also
    --------
    max_certifiable_radius : The inverse question.

    References
    ----------
    J. Cohen, E. Rosenfeld, J. Z. Kolter (2019), arXiv:1902.02918, figure 5 (right).

    Examples
    --------
    Four sigma need more than 200,000 votes:

    >>> from sksmooth.stats import required_samples
    >>> int(required_samples(4.0, sigma=1.0, alpha=0.001))
    218105
    """
    radius, sigma = check_radius(radius), check_positive(sigma, "sigma")
    radius, sigma, alpha = np.broadcast_arrays(radius, sigma, check_part(alpha))

    def enough(n):
        reach = max_certifiable_radius(n, sigma, alpha)
        return (reach >= radius) & (reach > 0)

    # Bisection on the definition itself, so that both functions agree to the vote.
    low, high = np.zeros(radius.shape, np.int64), np.full(radius.shape, _MOST_SAMPLES)
    if not np.all(enough(high)):
        raise ValueError(
            "no feasible number of votes certifies a radius of "
            f"{np.max(radius / sigma):g} sigma: choose a larger sigma."
        )
    while np.any(high - low > 1):
        middle = np.maximum((low + high) // 2, 1)
        good = enough(middle)
        low, high = np.where(good, low, middle), np.where(good, middle, high)
    return high[()]


def fewest_samples(enough):
    """Smallest n >= 1 with ``enough(n)``, which stays true once it is; None if none.

    Parameters
    ----------
    enough : callable
        ``enough(n)`` -> bool, for whole n up to 2^53.
    """
    if not enough(_MOST_SAMPLES):
        return None
    low, high = 0, 1
    while not enough(high):
        low, high = high, 2 * high
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if enough(middle) else (middle, high)
    return high


def can_name_class(looks, alpha):
    """Can `predict` name a class at any of its looks, if all votes are for one?

    Parameters
    ----------
    looks : ndarray of int of shape (n_looks,)
        Sample sizes; alpha is split equally between them.

    alpha : float

    Returns
    -------
    possible : bool

    Examples
    --------
    >>> from sksmooth.stats._planning import can_name_class
    >>> [can_name_class([n], 0.001) for n in (10, 11)]
    [False, True]
    """
    levels = split_alpha(alpha, len(looks), last=None)
    return bool(np.any(rank_verification_pvalue(looks, 0) <= levels))


def fewest_samples_to_name(alpha, first=None):
    """Smallest n with which `predict` can name a class.

    Parameters
    ----------
    alpha : float

    first : int, default=None
        The first of several looks; None looks at all n votes only.

    Returns
    -------
    n : int

    Examples
    --------
    >>> from sksmooth.stats._planning import fewest_samples_to_name
    >>> fewest_samples_to_name(0.001), fewest_samples_to_name(1e-15, first=25)
    (11, 53)
    """
    # A number of votes may bring a look of its own, so the answer need not stay true.
    for n in count(1):
        if can_name_class(sample_sizes(n, first or n), alpha):
            return n


def too_small(n, alpha, consequence, needed):
    """Say that `n` is too small for `alpha`, and which n would do.

    Parameters
    ----------
    n : int

    alpha : float

    consequence : str
        What this means for every input.

    needed : int or None
        None if no n would do.
    """
    remedy = "no n would do" if needed is None else f"n = {needed} would do"
    return (
        f"n is too small for alpha: with n={n} and alpha={alpha:g} {consequence}, "
        f"whatever the votes; {remedy}."
    )
