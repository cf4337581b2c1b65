"""What `certify` returns."""

from dataclasses import dataclass
from decimal import ROUND_FLOOR, Decimal

import numpy as np


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
        l2 radius in the units of the input; 0 where nothing is certified. If `sigma`
        is an array, the radius is in units of sigma: the certified set is
        ``{delta : sum_i (delta_i / sigma_i)^2 < radius^2}`` over the features with
        sigma_i > 0, with delta_i = 0 for the others.

    p_lower : ndarray of float of shape (n_inputs,)
        Lower confidence bound on the probability of the selected class under noise.

    counts : ndarray of int of shape (n_inputs, n_classes)
        Estimation votes by class; each row sums to `n`.

    selected : ndarray of int of shape (n_inputs,)
        Column of the class that the selection votes chose and that `p_lower` bounds.

    classes : ndarray of shape (n_classes,)
        The class behind each column of `counts`.

    n : int
        Estimation votes per input.

    alpha : float
        Each certificate is wrong with at most this probability.

    sigma : float or ndarray
        Noise level.

    See Also
    --------
    SmoothedClassifier.certify : Makes certificates.

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
    counts: np.ndarray
    selected: np.ndarray
    classes: np.ndarray
    n: int
    alpha: float
    sigma: float | np.ndarray

    def __iter__(self):
        return iter((self.prediction, self.radius))

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
        return np.multiply.outer(self.radius, self.sigma)

    def to_frame(self):
        """Return the certificates as a pandas DataFrame, one row an input.

        Returns
        -------
        frame : pandas.DataFrame
            Columns prediction, radius, p_lower and count (votes of the selected
            class).

        Raises
        ------
        ImportError
            If pandas is not installed.
        """
        try:
            import pandas as pd
        except ImportError as error:
            raise ImportError(
                "Certificate.to_frame needs pandas: pip install pandas."
            ) from error
        votes = np.take_along_axis(self.counts, self.selected[:, None], axis=1)
        return pd.DataFrame(
            {
                "prediction": self.prediction,
                "radius": self.radius,
                "p_lower": self.p_lower,
                "count": votes[:, 0],
            }
        )

    def __repr__(self):
        certified = self.certified
        n_inputs, n_certified = len(certified), int(certified.sum())
        median = ""
        if n_certified:
            # The lower median: a radius that really occurs.
            middle = np.quantile(self.radius[certified], 0.5, method="lower")
            unit = "" if np.ndim(self.sigma) == 0 else " sigma"
            median = f" median certified radius {round_down(middle)}{unit};"
        sigma = (
            f"{self.sigma:g}"
            if np.ndim(self.sigma) == 0
            else f"<array of shape {np.shape(self.sigma)}>"
        )
        return (
            f"Certificate({n_inputs} inputs: {n_certified} certified, "
            f"{n_inputs - n_certified} not;{median}\n"
            f"            sigma={sigma}, n={self.n}, alpha={self.alpha:g})"
        )


def round_down(value, digits=3):
    """Return a number >= 0 as text, never above its exact value."""
    return str(Decimal(float(value)).quantize(Decimal(1).scaleb(-digits), ROUND_FLOOR))
