"""From a log at one alpha to another, without the votes."""

from decimal import Decimal

import numpy as np
from scipy.special import ndtr
from scipy.stats import binom

from ..stats import lower_confidence_bound, radius_from_probabilities
from ..stats._checks import check_counts, check_part, check_positive
from ._beside import ATTRIBUTE, reach_of
from ._checked import as_log, radii_of
from ._format import ABSTAIN
from ._read import is_abstaining, is_correct

# More than the radii of any program are off by rounding, and less than any digit.
_SLACK = 1e-9


def recertify_log(log, *, sigma, n, alpha, new_alpha, digits=3):
    """Return what a log would hold, at least, had its run been made at another alpha.

    A radius follows from the count of the votes for the class, so the count follows
    from the radius, up to the digits that are printed. Of the counts that agree with
    them the smallest is certified at `new_alpha`: no radius is larger than the votes
    themselves would give.

    Parameters
    ----------
    log : path-like or pandas.DataFrame
        A file, or what `read_log` returned, of a run with Gaussian noise, l2 radii, the
        Clopper-Pearson bound and a fixed number of votes, as the reference code makes.

    sigma : float
        Noise level of the run.

    n : int
        Votes per input of the run, without those that selected the class.

    alpha : float
        Failure probability per input of the run.

    new_alpha : float
        The one that is asked for. Choose it without looking at what comes out.

    digits : int, default=3
        Significant digits of the radii in the file, rounded to nearest or down: 3 as
        the reference code prints them, 6 as `write_log` does. Fewer are always safe.

    Returns
    -------
    log : pandas.DataFrame
        A copy with new `radius` and, where nothing is certified any more, `predict`
        -1. Abstentions, and answers with a radius of 0, are abstentions: their votes
        are not known. So at a larger alpha some inputs are missing that the votes
        would certify. ``to_csv(path, sep="\\t", index=False)`` writes it as a log.

    Raises
    ------
    ImportError
        If pandas is not installed.

    ValueError
        If an argument is out of range; if no count has a radius in the log at `sigma`,
        `n` and `alpha`; if what stands beside the log says that it is of another run,
        or of one whose radii do not tell the count, such as with votes that stopped
        early; or if the log cannot be used, as in `certified_accuracy_table`.

    See Also
    --------
    sksmooth.Certificate.recertify : The same from the votes, without any loss.

    Notes
    -----
    Let R(k) be the radius of k votes, which grows with k, and let a radius be printed
    as r, with a last digit worth u. Then R(k) >= r - u/2, whether it was rounded to
    nearest or down. So the smallest k' with R(k') >= r - u/2 is at most k, and bounds
    grow with the count at every alpha.

    References
    ----------
    J. Cohen, E. Rosenfeld, J. Z. Kolter (2019), arXiv:1902.02918, section 3.2.2.

    Examples
    --------
    At alpha = 0.01, 99,500 of 100,000 votes certify 0.635; at 0.001, 0.6321:

    >>> import pandas as pd
    >>> from sksmooth.logs import recertify_log
    >>> log = pd.DataFrame({"label": [3], "predict": [3], "radius": [0.635]})
    >>> run = {"sigma": 0.25, "n": 100_000, "alpha": 0.01}
    >>> recertify_log(log, **run, new_alpha=0.001)["radius"].round(3).tolist()
    [0.632]
    """
    name = "the log"
    for value in (
        check_positive(sigma, "sigma"),
        check_positive(check_counts(n, "n"), "n"),
        check_positive(check_counts(digits, "digits"), "digits"),
        check_part(alpha),
        check_part(new_alpha, "new_alpha"),
    ):
        if np.ndim(value):
            raise ValueError("sigma, n, alpha, new_alpha and digits must be numbers.")
    log = as_log(log, name, ("label", "predict", "radius"))
    radius = radii_of(log, name)
    settings = {"sigma": float(sigma), "n": int(n), "alpha": float(alpha)}
    _check_run(log, settings)
    known = ~is_abstaining(log["predict"].to_numpy()) & (radius > 0)
    printed, place = np.unique(radius[known], return_inverse=True)
    counts = _smallest_counts(printed, digits=int(digits), **settings)
    renewed = np.zeros(len(radius))
    p_lower = lower_confidence_bound(counts, n, new_alpha)
    renewed[known] = radius_from_probabilities(p_lower, sigma=sigma)[place]
    log = log.assign(radius=renewed)
    abstains = ABSTAIN if log["predict"].dtype.kind in "iuf" else str(ABSTAIN)
    log["predict"] = log["predict"].mask(renewed <= 0, abstains)
    answers = log["label"].to_numpy(), log["predict"].to_numpy()
    log["correct"] = is_correct(*answers)
    log.attrs.pop(ATTRIBUTE, None)  # it is of the run as it was
    return log


def _smallest_counts(printed, *, sigma, n, alpha, digits):
    """Return the smallest count that each radius may have been printed for."""
    last = np.array([10.0 ** (_exponent(r) - digits + 1) for r in printed])
    least = printed - last / 2 - _SLACK * printed

    def radius_of(counts):
        p_lower = lower_confidence_bound(counts, n, alpha)
        return radius_from_probabilities(p_lower, sigma=sigma)

    def enough(counts):
        return radius_of(counts) >= np.maximum(least, np.nextafter(0.0, 1.0))

    # Bisection, from near where SciPy sees the count, if that is right.
    guess = binom.isf(alpha, n, ndtr(least / sigma)).astype(np.int64) + 1
    low, high = np.clip(guess - 2, 0, n - 1), np.clip(guess + 2, 1, n)
    low, high = np.where(enough(low), 0, low), np.where(enough(high), high, n)
    while np.any(high - low > 1):
        middle = np.maximum((low + high) // 2, 1)
        good = enough(middle)
        low, high = np.where(good, low, middle), np.where(good, middle, high)
    found = radius_of(high)
    wrong = (found < least) | (found >= printed + last + _SLACK * printed)
    if np.any(wrong):
        raise ValueError(
            f"no count of {n:,} votes has a radius of {printed[wrong][-1]:g}, printed "
            f"with {digits} digits, at sigma={sigma:g} and alpha={alpha:g}: pass the "
            "settings of the run. Some published logs were run at another alpha than "
            "the paper says. If they are right, votes stopped early or the bound was "
            "another, and radii do not tell the counts."
        )
    return high


def _exponent(radius):
    """Return the place of the first digit; a logarithm can miss a power of ten."""
    return Decimal(repr(float(radius))).adjusted()


def _check_run(log, settings):
    """Refuse a log beside which something else stands."""
    run = getattr(log, "attrs", {}).get(ATTRIBUTE)
    if run is None:
        return
    known = reach_of(run)
    if not known or run["grid"] or run["flip"] is not None:
        raise ValueError(
            "the radii of this run do not tell the counts: that takes Gaussian noise "
            "without a grid, bound='cohen' and stopping='fixed'. "
            "Certificate.recertify, or certify with the store of the run, has the "
            "votes."
        )
    if known != settings:
        raise ValueError(
            f"the log was made with {known}, as the JSON file beside it says, and not "
            f"with {settings}."
        )
