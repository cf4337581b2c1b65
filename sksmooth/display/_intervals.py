"""Intervals of smoothed predictions against the radius that they hold in."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from ..noise import find_noise
from ..noise._sigma import check_sigma, is_one_number
from ._drawing import NORMS, Drawn, check_axes, remember
from ._style import check_names, colors, import_pyplot, place, style, with_keywords

# Of more inputs nobody could tell the bands apart.
_MOST_INPUTS = 6

# Radii of a curve, up to so many standard deviations of the noise.
_N_RADII, _REACH = 61, 1.5

# Of texts, whose radii are whole numbers of edits.
_MOST_EDITS = 5


@dataclass(kw_only=True, eq=False, repr=False)
class IntervalDisplay:
    """How intervals of smoothed predictions grow with the radius, for some inputs.

    Make it with :meth:`from_estimator` or :meth:`from_certificate`. A band ends where
    an end of the interval is infinite.

    Parameters
    ----------
    radius : ndarray of float of shape (n_radii,)
        Increasing.

    lower : ndarray of float of shape (n_inputs, n_radii)
        Lower ends of the intervals.

    prediction : ndarray of float of shape (n_inputs,)
        The predictions for the inputs as they are.

    upper : ndarray of float of shape (n_inputs, n_radii)
        Upper ends.

    name : list of str, default=None
        Names of the inputs.

    unit : str, default="units of X"
        What radii are measured in.

    norm : {"l1", "l2", "linf", "edits"}, default="l2"
        Norm of the radii.

    Attributes
    ----------
    band_ : list of matplotlib artists
        One band an input.

    line_ : list of matplotlib Line2D
        The predictions.

    ax_ : matplotlib Axes
        Axes with the bands.

    figure_ : matplotlib Figure
        Figure with the axes.

    See Also
    --------
    sksmooth.IntervalCertificate : Where the numbers come from.

    References
    ----------
    P. Chiang, M. Curry, A. Abdelkader, A. Kumar, J. Dickerson, T. Goldstein (2020),
    arXiv:2007.03730.

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from sklearn.tree import DecisionTreeRegressor
    >>> from sksmooth import SmoothedRegressor
    >>> from sksmooth.display import IntervalDisplay
    >>> X, y = load_diabetes(return_X_y=True)
    >>> f = DecisionTreeRegressor(max_depth=4, random_state=0)
    >>> h = SmoothedRegressor(f, sigma=0.05, random_state=0).fit(X, y)
    >>> display = IntervalDisplay.from_estimator(h, X[:2])
    >>> len(display.band_)
    2
    """

    radius: np.ndarray
    lower: np.ndarray
    prediction: np.ndarray
    upper: np.ndarray
    name: Any = None
    unit: str = "units of X"
    norm: str = "l2"

    @classmethod
    def from_estimator(
        cls,
        estimator,
        X,
        *,
        radius=None,
        norm=None,
        output=0,
        name=None,
        ax=None,
        **kwargs,
    ):
        """Certify inputs at many radii, and draw the intervals.

        Parameters
        ----------
        estimator : SmoothedRegressor
            Fitted.

        X : array-like of shape (n_inputs, *shape), or data frame
            At most 6 inputs.

        radius : array-like of float of shape (n_radii,), default=None
            Increasing. None takes 61 radii up to 1.5 sigma; of texts 0 to 5 edits.

        norm : {"l1", "l2", "linf", "edits"}, default=None
            Norm of the radii.

        output : int, default=0
            Which output, of several.

        name : list of str, default=None
            Names of the inputs.

        ax : matplotlib Axes, default=None
            Where to draw; None makes new ones.

        **kwargs : dict
            Passed on to :meth:`plot`.

        Returns
        -------
        display : IntervalDisplay

        Raises
        ------
        ImportError
            If matplotlib is not installed.

        ValueError, RuntimeError
            As `certify_interval`.
        """
        import_pyplot(cls, "from_estimator", kwargs)
        if radius is None:
            radius = _radii_for(estimator)
        certificate = estimator.certify_interval(X, radius, norm=norm)
        shown = {"output": output, "name": name, "ax": ax}
        return cls.from_certificate(certificate, **shown, **kwargs)

    @classmethod
    def from_certificate(cls, certificate, *, output=0, name=None, ax=None, **kwargs):
        """Draw the intervals of a certificate for several radii.

        Parameters
        ----------
        certificate : IntervalCertificate
            Of at most 6 inputs, and radii of shape (n_radii,).

        output : int, default=0
            Which output, of several.

        name : list of str, default=None
            Names of the inputs. None takes the index of the frame, if there is one.

        ax : matplotlib Axes, default=None
            Where to draw; None makes new ones.

        **kwargs : dict
            Passed on to :meth:`plot`.

        Returns
        -------
        display : IntervalDisplay

        Raises
        ------
        ImportError
            If matplotlib is not installed.

        ValueError
            If it is for one radius only, or for too many inputs.
        """
        import_pyplot(cls, "from_certificate", kwargs)
        lower, prediction, upper = certificate
        if certificate.radius.ndim != 1 or len(certificate.radius) < 2:
            raise ValueError(
                "intervals are drawn against the radius: call certify_interval with "
                f"several radii in a list, not {certificate.radius.tolist()!r}."
            )
        if len(prediction) > _MOST_INPUTS:
            raise ValueError(
                f"bands of {len(prediction)} inputs would hide each other: choose at "
                f"most {_MOST_INPUTS}."
            )
        if prediction.ndim > 1:
            lower, upper = lower[:, output], upper[:, output]
            prediction = prediction[:, output]
        if name is None and certificate.index is not None:
            name = [str(one) for one in certificate.index]
        scaled = np.ndim(certificate.sigma) > 0
        unit = "units of sigma" if scaled else "units of X"
        return cls(
            radius=certificate.radius,
            lower=lower,
            prediction=prediction,
            upper=upper,
            name=name,
            unit="tokens" if certificate.norm == "edits" else unit,
            norm=certificate.norm,
        ).plot(ax, **kwargs)

    @with_keywords
    def plot(self, ax=None, *, name=None, band_kwargs=None):
        """Draw the intervals.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw; None makes new ones.

        name : list of str, default=None
            Names of the inputs, in place of those it has.

        band_kwargs : dict, default=None
            Keyword arguments for the bands, passed to matplotlib's `fill_between`.

        Returns
        -------
        display : IntervalDisplay
            Itself.

        Raises
        ------
        ValueError
            If there is not one name an input; if `ax` has bands of another norm or
            unit.

        ImportError
            If matplotlib is not installed.
        """
        n_inputs = len(self.prediction)
        names = self.name if name is None else name
        names = [f"input {k}" for k in range(n_inputs)] if names is None else names
        check_names(names, n_inputs, "inputs")
        check_axes(ax, self.norm, self.unit)
        ax = place(self, ax)
        self.band_, self.line_ = [], []
        for k, color in enumerate(colors(n_inputs)):
            lower, upper = self.lower[k], self.upper[k]
            given = style({"color": color, "alpha": 0.3, "linewidth": 0}, band_kwargs)
            bounded = np.isfinite(lower) & np.isfinite(upper)
            step = "post" if self.norm == "edits" else None
            band = ax.fill_between(
                self.radius, lower, upper, where=bounded, step=step, **given
            )
            (line,) = ax.plot(
                self.radius[[0, -1]],
                [self.prediction[k]] * 2,
                color=color,
                linewidth=1.2,
                label=names[k],
            )
            remember(line, Drawn(self.norm, self.unit))
            self.band_.append(band)
            self.line_.append(line)
        ax.set_xlim(self.radius[0], self.radius[-1])
        ax.set_xlabel(f"{NORMS[self.norm]} radius ({self.unit})")
        ax.set_ylabel("Smoothed prediction")
        ax.legend(loc="upper left")
        return self


def _radii_for(estimator):
    """Return radii that are of interest under the noise of an estimator."""
    if find_noise(estimator.noise).takes_texts:
        return np.arange(_MOST_EDITS + 1)
    sigma = estimator.sigma
    # Where sigma differs by feature, radii are in units of it.
    unit = check_sigma(sigma, ()) if is_one_number(sigma) else 1.0
    return np.linspace(0, _REACH * unit, _N_RADII)
