"""What `certify_interval` returns."""

from dataclasses import dataclass

import numpy as np

from ._columns import make_read_only
from ._optional import optional
from ._summary import sigma_text
from .noise import Noise


@dataclass(frozen=True, eq=False, repr=False)
class IntervalCertificate:
    """Intervals that hold a smoothed prediction, wherever its input moves in a ball.

    Immutable, and iterable as three arrays::

        lower, prediction, upper = h.certify_interval(X, radius)

    Parameters
    ----------
    lower : ndarray of float of shape (n_inputs, *outputs, *radius.shape)
        For every delta of norm at most `radius` the exact quantile of f(x + delta +
        noise) lies between `lower` and `upper`, ends included. Minus infinity where `n`
        values are too few to tell. Here `outputs` is nothing, or n_outputs if f
        predicts rows of numbers.

    prediction : ndarray of float of shape (n_inputs, *outputs)
        The quantile for the inputs as they are: an estimate, or exact, see `method`.

    upper : ndarray of float of shape (n_inputs, *outputs, *radius.shape)
        The other end; infinite where values are too few.

    radius : ndarray of float
        The radii asked for; 0-d if there was one. In the units of the inputs, or
        in units of sigma if that is an array.

    norm : {"l1", "l2", "linf", "edits"}
        The norm of the radii.

    changes : int or pair of int
        Categories that may change as well.

    quantile : float
        0.5: predictions are medians.

    n : int
        Values drawn for each input; 0 if intervals are exact.

    alpha : float
        For each input and radius, the probability that the interval of one of its
        outputs is wrong; 0 if they are exact.

    sigma : float or ndarray
        Level of the noise.

    method : {"monte_carlo", "exact"}
        How they were found, after "auto" has been resolved.

    noise : Noise
        Its kind.

    index : pandas.Index or None
        Of the frame that was certified.

    feature_names : ndarray or None
        Its columns.

    See Also
    --------
    SmoothedRegressor.certify_interval : Makes them.

    References
    ----------
    P. Chiang, M. Curry, A. Abdelkader, A. Kumar, J. Dickerson, T. Goldstein (2020),
    arXiv:2007.03730.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.neighbors import KNeighborsRegressor
    >>> from sksmooth import SmoothedRegressor
    >>> X = load_iris().data
    >>> X, y = X[::5, :3], X[::5, 3]  # predict the width of petals
    >>> f = KNeighborsRegressor()
    >>> h = SmoothedRegressor(f, sigma=0.3, random_state=0).fit(X, y)
    >>> certificate = h.certify_interval(X[::10], radius=0.1)
    >>> certificate
    IntervalCertificate(3 inputs, radius 0.1: 3 bounded, 0 not; median width 0.04;
                        quantile=0.5, sigma=0.3, n=1000, alpha=0.001)
    >>> lower, prediction, upper = certificate
    """

    lower: np.ndarray
    prediction: np.ndarray
    upper: np.ndarray
    radius: np.ndarray
    norm: str
    changes: object
    quantile: float
    n: int
    alpha: float
    sigma: float | np.ndarray
    method: str
    noise: Noise
    index: object = None
    feature_names: np.ndarray | None = None

    def __post_init__(self):
        shape = (*np.shape(self.prediction), *np.shape(self.radius))
        for name in ("lower", "upper"):
            found = np.shape(getattr(self, name))
            if found != shape:
                raise ValueError(f"{name} must have shape {shape}, got {found}.")
        make_read_only(self)

    def __setstate__(self, state):
        vars(self).update(state)
        make_read_only(self)

    def __iter__(self):
        return iter((self.lower, self.prediction, self.upper))

    @property
    def width(self):
        """How long intervals are: ``upper - lower``; infinite unless both ends are not.

        Of the shape of `lower`.
        """
        width = np.full(self.lower.shape, np.inf)
        # Of two ends at the same infinity the difference is not known.
        return np.subtract(self.upper, self.lower, out=width, where=self.bounded)

    @property
    def bounded(self):
        """Boolean ndarray of the shape of `lower`: are both ends finite?"""
        return np.isfinite(self.lower) & np.isfinite(self.upper)

    def to_frame(self):
        """Return the intervals as a pandas DataFrame, one row per input and radius.

        Returns
        -------
        frame : pandas.DataFrame
            Columns lower, prediction and upper; for several outputs lower_0,
            prediction_0, upper_0, lower_1, ... If there are several radii, also radius,
            with all radii of the first input first. The index is that of the frame that
            was certified, if it was a pandas frame.

        Raises
        ------
        ImportError
            If pandas is not installed.

        Examples
        --------
        >>> from sklearn.datasets import load_iris
        >>> from sklearn.linear_model import Ridge
        >>> from sksmooth import SmoothedRegressor
        >>> X = load_iris().data
        >>> X, y = X[::5, :3], X[::5, 3]  # predict the width of petals
        >>> h = SmoothedRegressor(Ridge(), sigma=0.3, random_state=0).fit(X, y)
        >>> h.certify_interval(X[:2], radius=[0.1, 0.2]).to_frame().round(2)
           radius  lower  prediction  upper
        0     0.1   0.19        0.23   0.28
        0     0.2   0.14        0.23   0.32
        1     0.1   0.36        0.41   0.45
        1     0.2   0.32        0.41   0.50
        """
        pd = optional("pandas", "IntervalCertificate.to_frame")
        n_inputs, n_radii = len(self.prediction), self.radius.size
        several, columns = self.prediction.ndim > 1, {}
        if self.radius.ndim:
            columns["radius"] = np.tile(self.radius.ravel(), n_inputs)
        middle = self.prediction.reshape(n_inputs, -1)
        ends = [
            end.reshape(n_inputs, middle.shape[1], n_radii)
            for end in (self.lower, self.upper)
        ]
        for k in range(middle.shape[1]):
            name = f"_{k}" if several else ""
            columns[f"lower{name}"] = ends[0][:, k].ravel()
            columns[f"prediction{name}"] = np.repeat(middle[:, k], n_radii)
            columns[f"upper{name}"] = ends[1][:, k].ravel()
        index = pd.RangeIndex(n_inputs) if self.index is None else self.index
        return pd.DataFrame(columns, index=index.repeat(n_radii))

    def __repr__(self):
        bounded, n_inputs = self.bounded, len(self.prediction)
        radius = np.array2string(self.radius, separator=", ", threshold=4)
        unit = "" if np.ndim(self.sigma) == 0 else " sigma"
        norm = "" if self.norm == "l2" else f"{self.norm} "
        of_all = "" if bounded.ndim == 1 else f" of {bounded.size} intervals"
        text = (
            f"{n_inputs} inputs, {norm}radius {radius}{unit}: "
            f"{bounded.sum()} bounded, {(~bounded).sum()} not{of_all}"
        )
        if np.any(bounded):
            text += f"; median width {np.median(self.width[bounded]):.3g}"
        sigma = sigma_text(
            self.sigma, self.feature_names, getattr(self.noise, "places", None) or ()
        )
        if np.any(self.changes):
            text += f"; {self.changes} changed"
        settings = f"quantile={self.quantile:g}, sigma={sigma}, "
        settings += (
            "exact" if self.method == "exact" else f"n={self.n}, alpha={self.alpha:g}"
        )
        name = type(self).__name__
        return f"{name}({text};\n{'':{len(name) + 1}}{settings})"
