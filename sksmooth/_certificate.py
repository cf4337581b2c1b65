"""What `certify` returns."""

from dataclasses import dataclass, replace
from decimal import ROUND_FLOOR, Decimal

import numpy as np
from sklearn.utils.validation import check_consistent_length, column_or_1d

from ._labels import label_indices, name_classes
from .stats import (
    certified_accuracy_lower_bound,
    certify_counts,
    lower_confidence_bound,
    split_alpha,
)
from .stats._certify import BOUNDS, bounds_from_lower
from .stats._checks import check_level, check_radius
from .stats._radius import radius_after_loss


@dataclass(frozen=True, eq=False, repr=False)
class Certificate:
    """Classes and the radii inside which no perturbation changes them.

    Immutable, and iterable as the paper's pair::

        prediction, radius = g.certify(X)

    Parameters
    ----------
    prediction : ndarray of shape (n_inputs,)
        The class of each input, or the abstain label.

    radius : ndarray of float of shape (n_inputs,)
        l2 radius in the units of the input; 0 where nothing is certified, infinite
        where (by exact computation) no other class can ever win. If `sigma`
        is an array, the radius is in units of sigma: the certified set is
        ``{delta : sum_i (delta_i / sigma_i)^2 < radius^2}`` over the features with
        sigma_i > 0, with delta_i = 0 for the others.

    p_lower : ndarray of float of shape (n_inputs,)
        Lower bound on the probability of the selected class under noise.

    p_upper : ndarray of float of shape (n_inputs,)
        Upper bound on the probability of every other class.

    selected : ndarray of int of shape (n_inputs,)
        Column of the class that `p_lower` bounds.

    counts : ndarray of int of shape (n_inputs, n_classes)
        Estimation votes by class; each row sums to `n_used`.

    selection_counts : ndarray of int of shape (n_inputs, n_classes) or None
        Votes that selected the class; None if `bound` is "joint".

    n_used : ndarray of int of shape (n_inputs,)
        Estimation votes taken; below `n` where drawing stopped early.

    n : int
        Estimation votes allowed per input; 0 for exact certificates.

    alpha : float
        Each certificate is wrong with at most this probability; 0 for exact ones.

    sigma : float or ndarray
        Noise level.

    bound : {"cohen", "joint", "multiclass", "exact"}
        How `p_lower` and `p_upper` were found.

    classes : ndarray of shape (n_classes,)
        The class behind each column of `counts`.

    abstain_label : label or None
        What stands for "no prediction".

    first_equal : ndarray of int of shape (n_inputs,)
        Place of the first input that equals this one. Equal inputs have the same
        votes, so their certificates are no independent evidence.

    looks : ndarray of int
        Sample sizes at which drawing might have stopped; ``[n]`` if it could not.

    noise : {"independent", "shared"}
        Did the inputs have noise of their own, or all the same? Then several
        certificates can be wrong together.

    projected : bool
        True if `recertify` scaled the counts: an extrapolation, not a certificate.

    radius_loss : ndarray of float of shape (n_inputs,) or None
        What rounding the inputs to a grid has taken off `radius`, in its units; None
        without a grid.

    See Also
    --------
    SmoothedClassifier.certify : Makes certificates.

    Notes
    -----
    Missing values of an input are out of the adversary's reach: the radius is a
    distance in what is there, to inputs with the same gaps.

    References
    ----------
    J. Cohen, E. Rosenfeld, J. Z. Kolter (2019), arXiv:1902.02918, section 3.2.2.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.naive_bayes import GaussianNB
    >>> from sksmooth import SmoothedClassifier
    >>> X, y = load_iris(return_X_y=True)
    >>> g = SmoothedClassifier(GaussianNB(), n=1_000, random_state=0)
    >>> certificate = g.fit(X, y).certify(X)
    >>> certificate
    Certificate(150 inputs: 146 certified, 4 not; median certified radius 0.615;
                sigma=0.25, n=1000, alpha=0.001)
    >>> prediction, radius = certificate
    """

    prediction: np.ndarray
    radius: np.ndarray
    p_lower: np.ndarray
    p_upper: np.ndarray
    selected: np.ndarray
    counts: np.ndarray
    selection_counts: np.ndarray | None
    n_used: np.ndarray
    n: int
    alpha: float
    sigma: float | np.ndarray
    bound: str
    classes: np.ndarray
    abstain_label: object
    first_equal: np.ndarray
    looks: np.ndarray
    noise: str = "independent"
    projected: bool = False
    radius_loss: np.ndarray | None = None

    def __post_init__(self):
        # Views, so that the arrays of the classifier stay writable for their owner.
        for name, value in vars(self).items():
            if isinstance(value, np.ndarray):
                view = value.view()
                view.flags.writeable = False
                object.__setattr__(self, name, view)

    def __iter__(self):
        return iter((self.prediction, self.radius))

    @property
    def distinct(self):
        """Boolean ndarray of shape (n_inputs,): is this the first of equal inputs?"""
        return self.first_equal == np.arange(len(self.first_equal))

    @property
    def certified(self):
        """Boolean ndarray of shape (n_inputs,): is there a radius at all?"""
        return self.radius > 0

    @property
    def half_axes(self):
        """Half axes of the certified ellipsoids, in the units of the input.

        ndarray of float of shape (n_inputs, *sigma.shape): how far each feature may
        move if no other does; 0 for features without noise. For a scalar sigma the
        ellipsoid is a ball, and this is the radius.
        """
        if np.ndim(self.sigma) == 0:
            return self.radius.copy()
        finite = np.multiply.outer(np.nan_to_num(self.radius, posinf=0), self.sigma)
        endless = np.isinf(self.radius).reshape(-1, *(1,) * self.sigma.ndim)
        return np.where(endless & (self.sigma > 0), np.inf, finite)

    def to_frame(self):
        """Return the certificates as a pandas DataFrame, one row an input.

        Returns
        -------
        frame : pandas.DataFrame
            Columns prediction, radius, p_lower, count (votes of the selected class)
            and n_used (all votes).

        Raises
        ------
        ImportError
            If pandas is not installed.

        Examples
        --------
        >>> from sklearn.datasets import load_iris
        >>> from sklearn.naive_bayes import GaussianNB
        >>> from sksmooth import SmoothedClassifier
        >>> X, y = load_iris(return_X_y=True)
        >>> g = SmoothedClassifier(GaussianNB(), n=1_000, random_state=0).fit(X, y)
        >>> g.certify(X[[0, 70, 149]]).to_frame().round(2)
           prediction  radius  p_lower  count  n_used
        0           0    0.62     0.99   1000    1000
        1          -1    0.00     0.45    503    1000
        2           2    0.12     0.69    736    1000
        """
        try:
            import pandas as pd
        except ImportError as error:
            raise ImportError(
                "Certificate.to_frame needs pandas: pip install pandas."
            ) from error
        return pd.DataFrame(
            {
                "prediction": self.prediction,
                "radius": self.radius,
                "p_lower": self.p_lower,
                "count": self._votes,
                "n_used": self.n_used,
            }
        )

    def recertify(self, *, alpha=None, bound=None, n=None):
        """Certify again from the same votes, at another alpha, bound or sample size.

        Parameters
        ----------
        alpha : float, default=None
            Failure probability; None keeps it.

        bound : {"cohen", "joint", "multiclass"}, default=None
            None keeps it.

        n : int, default=None
            Number of votes to project to. The counts are scaled as if more (or
            fewer) votes had fallen into the same shares, so the result tells what to
            expect from `n` votes but certifies nothing; it is marked `projected`.

        Returns
        -------
        certificate : Certificate

        Raises
        ------
        ValueError
            If the votes do not allow it: exact certificates have none, "joint" ones
            no selection votes, and votes drawn with a `radius_tol`, which might have
            stopped early, allow only the bound "cohen" and no projection.

        Notes
        -----
        Each of the certificates that result is valid. But to look at several and then
        report the best one is a choice made on the same votes, which no alpha covers.

        References
        ----------
        J. Cohen, E. Rosenfeld, J. Z. Kolter (2019), arXiv:1902.02918, figure 8.

        Examples
        --------
        >>> from sklearn.datasets import load_iris
        >>> from sklearn.naive_bayes import GaussianNB
        >>> from sksmooth import SmoothedClassifier
        >>> X, y = load_iris(return_X_y=True)
        >>> g = SmoothedClassifier(GaussianNB(), n=1_000, random_state=0)
        >>> certificate = g.fit(X, y).certify(X)
        >>> strict = certificate.recertify(alpha=1e-6)
        >>> bool((strict.radius <= certificate.radius).all())
        True
        """
        if alpha is None and bound is None and n is None:
            return self
        alpha = self.alpha if alpha is None else alpha
        bound = self.bound if bound is None else bound
        if bound not in (*BOUNDS, self.bound):
            raise ValueError(f"bound must be one of {sorted(BOUNDS)}, got {bound!r}.")
        if self.bound == "exact":
            raise ValueError("an exact certificate has no votes to count again.")
        if self.selection_counts is None and BOUNDS[bound].needs_selection:
            raise ValueError(
                f"bound={bound!r} needs votes of their own for the selection, and a "
                "'joint' certificate has none: certify again."
            )
        # What counts is that drawing might have stopped, not whether it did.
        sequential = len(self.looks) > 1
        if sequential and (bound != "cohen" or n is not None):
            raise ValueError(
                "votes that might have stopped early (radius_tol) can be certified "
                "again only with bound='cohen' and without n."
            )
        counts = self.counts if n is None else _projected_counts(self.counts, n)
        unit = self.sigma if np.ndim(self.sigma) == 0 else 1.0
        if sequential:
            look = np.searchsorted(self.looks, self.n_used)
            alphas = split_alpha(alpha, len(self.looks))[look]
            p_lower = lower_confidence_bound(self._votes, self.n_used, alphas)
            bounds = bounds_from_lower(self.selected, p_lower, unit)
        else:
            bounds = certify_counts(
                counts, self.selection_counts, alpha=alpha, bound=bound, sigma=unit
            )
        radius = radius_after_loss(bounds.radius, self.radius_loss)
        prediction = name_classes(
            bounds.selected, radius > 0, self.classes, self.abstain_label
        )
        return replace(
            self,
            prediction=prediction,
            radius=radius,
            p_lower=bounds.p_lower,
            p_upper=bounds.p_upper,
            selected=bounds.selected,
            counts=counts,
            n_used=counts.sum(axis=1),
            n=self.n if n is None else int(n),
            looks=self.looks if n is None else np.array([int(n)]),
            alpha=alpha,
            bound=bound,
            projected=self.projected or n is not None,
        )

    def certified_accuracy_lower_bound(self, y_true, *, radius=0.0, rho=0.001):
        """Certified accuracy that these certificates prove with probability 1 - rho.

        The share of certified inputs is itself an estimate, because each certificate
        may be wrong with probability `alpha`. This is the exact lower bound on the
        share that is truly certifiable. Inputs that are equal count once, because
        they share their noise and so are no independent evidence; if their labels
        differ, the input counts as wrong, because g can be right for one only.

        If all inputs shared their noise, the votes of the m distinct ones are counted
        again at alpha = rho / m (unless alpha is lower): then, with probability
        1 - rho, none of the certificates is wrong.

        Parameters
        ----------
        y_true : array-like of shape (n_inputs,)
            True labels.

        radius : float or array-like of float, default=0.0
            l2 radius, >= 0, in the units of the certified radii.

        rho : float, default=0.001
            Probability with which the bound may fail, at each radius by itself.

        Returns
        -------
        share : float or ndarray of float
            Of the distinct inputs; of the shape of `radius`.

        Raises
        ------
        ValueError
            If lengths differ, an argument is out of range, or the certificate is a
            projection.

        References
        ----------
        J. Cohen, E. Rosenfeld, J. Z. Kolter (2019), arXiv:1902.02918, appendix D.

        Examples
        --------
        >>> from sklearn.datasets import load_iris
        >>> from sklearn.naive_bayes import GaussianNB
        >>> from sksmooth import SmoothedClassifier, certified_accuracy_score
        >>> X, y = load_iris(return_X_y=True)
        >>> g = SmoothedClassifier(GaussianNB(), n=1_000, random_state=0)
        >>> certificate = g.fit(X, y).certify(X)
        >>> round(float(certified_accuracy_score(y, certificate, radius=0.5)), 3)
        0.72
        >>> round(certificate.certified_accuracy_lower_bound(y, radius=0.5), 3)
        0.718
        """
        if self.projected:
            raise ValueError("a projection certifies nothing.")
        radius = check_radius(radius)
        rho = float(check_level(rho, "rho"))
        y_true = column_or_1d(y_true)
        check_consistent_length(y_true, self.radius)
        independent = self.noise == "independent"
        # A little below, so that rounding does not cost an input.
        alpha = rho / self.distinct.sum() * (1 - 1e-12)
        if not independent and self.alpha > alpha:
            certificate = self.recertify(alpha=alpha)
            return certificate.certified_accuracy_lower_bound(
                y_true, radius=radius, rho=rho
            )
        right = label_indices(y_true, self.classes) == self.selected
        # Equal inputs are one input, which reaches only what all of them do.
        robust = np.full(len(y_true), np.inf)
        reached = np.where(right & self.certified, self.radius, -np.inf)
        np.minimum.at(robust, self.first_equal, reached)
        robust = np.sort(robust[self.distinct])
        n_inputs = len(robust)
        n_counted = n_inputs - np.searchsorted(robust, radius, side="left")
        if self.bound != "exact":
            n_counted = certified_accuracy_lower_bound(
                n_counted,
                n_inputs,
                alpha=self.alpha,
                rho=rho,
                independent=independent,
            )
        share = n_counted / n_inputs
        return share if radius.ndim else float(share)

    @property
    def _votes(self):
        """Votes of the selected class."""
        return np.take_along_axis(self.counts, self.selected[:, None], axis=1)[:, 0]

    def __repr__(self):
        certified = self.certified
        n_inputs, n_certified = len(certified), int(certified.sum())
        parts = [f"{n_certified} certified, {n_inputs - n_certified} not"]
        if n_certified:
            # The lower median: a radius that really occurs.
            middle = np.quantile(self.radius[certified], 0.5, method="lower")
            unit = "" if np.ndim(self.sigma) == 0 else " sigma"
            parts.append(f"median certified radius {round_down(middle)}{unit}")
        if len(self.looks) > 1:
            used, allowed = int(self.n_used.sum()), n_inputs * self.n
            parts.append(f"{used:,} votes, {1 - used / allowed:.0%} saved")
        if self.projected:
            parts.append("PROJECTED, not a certificate")
        sigma = (
            f"{self.sigma:g}"
            if np.ndim(self.sigma) == 0
            else f"<array of shape {np.shape(self.sigma)}>"
        )
        settings = f"sigma={sigma}, n={self.n}, alpha={self.alpha:g}"
        if self.bound != "cohen":
            settings += f", bound={self.bound!r}"
        return (
            f"Certificate({n_inputs} inputs: {'; '.join(parts)};\n"
            f"            {settings})"
        )


def round_down(value, digits=3):
    """Return a number >= 0 as text, never above its exact value."""
    if np.isinf(value):
        return "inf"
    return str(Decimal(float(value)).quantize(Decimal(1).scaleb(-digits), ROUND_FLOOR))


def _projected_counts(counts, n):
    """Scale each row of votes to the sum n, keeping the shares up to rounding."""
    if n != int(n) or n < 1:
        raise ValueError(f"n must be a whole number >= 1, got {n!r}.")
    exact = counts / counts.sum(axis=1, keepdims=True) * int(n)
    scaled = np.floor(exact).astype(np.int64)
    # The votes that rounding left over go to the largest remainders.
    left = int(n) - scaled.sum(axis=1, keepdims=True)
    rank = np.argsort(np.argsort(-(exact - scaled), axis=1, kind="stable"), axis=1)
    return scaled + (rank < left)
