"""Certified accuracy against radius."""

from dataclasses import dataclass
from typing import Any

from ._curves import checked_attacks, checked_curves, each_of
from ._drawing import (
    NORMS,
    check_axes,
    draw_attacks,
    draw_curves,
    draw_legend,
    drawn_on,
)
from ._from_certificates import FromCertificates
from ._style import place, with_keywords


@dataclass(kw_only=True, eq=False, repr=False)
class CertifiedAccuracyDisplay(FromCertificates):
    """Certified accuracy against radius, for one classifier or several.

    Make it with :meth:`from_estimator`, :meth:`from_certificate`,
    :meth:`from_predictions` or :meth:`from_log`.
    The curve is exact: it steps down behind every radius that occurs. The area under it
    is the average certified radius (ACR).

    Parameters
    ----------
    radius : ndarray of float of shape (n_steps,), or list of them
        0 and the different radii of correctly classified inputs, increasing. One array
        a curve.

    accuracy : ndarray of float of shape (n_steps,), or list of them
        Certified accuracy at each radius, and from there down to the one before.

    lower_bound : ndarray of float of shape (n_steps,), None, or list, default=None
        Lower bound on the share of inputs that are truly certified; of all inputs, as
        `accuracy`, repeated ones included.

    rho : float, default=None
        Probability with which `lower_bound` may fail at each radius.

    max_radius : float, None, or list, default=None
        Largest radius that the votes could certify: where all of them agree.

    name : str or list of str, default=None
        Names of the curves.

    unit : str, default="units of X"
        What radii are measured in.

    norm : {"l1", "l2", "linf", "edits"}, default="l2"
        Norm of the radii.

    n_inputs : tuple of int, None, or list of them, default=None
        How many inputs are distinct, and how many there are with repeats. The title of
        the legend tells, where a lower bound is drawn and some inputs are repeated.

    projected : bool, or list of them, default=False
        Is it a projection to another number of votes, and no certified accuracy? Its
        name says so then.

    under_attack : pair (radius, accuracy), or dict of str to pair, default=None
        What attacks have left, as ``empirical_robust_accuracy`` of ``sksmooth.torch``
        measures it, at radii in the unit of the axis: each drawn dashed, with a mark at
        each radius. It stays below a mark to the right of it. One under the name of a
        curve has its colour, and is an upper bound next to that lower bound.

    Attributes
    ----------
    line_ : matplotlib Line2D, or list of them
        The curves.

    band_ : matplotlib artist, None, or list
        What lies between curve and lower bound.

    ceiling_ : matplotlib Line2D, None, or list
        The largest radii that the votes could certify.

    attacked_ : list of matplotlib Line2D
        The dashed curves.

    ax_ : matplotlib Axes
        Axes with the curves.

    figure_ : matplotlib Figure
        Figure with the axes.

    See Also
    --------
    sksmooth.certified_accuracy_score : The numbers behind it.
    sksmooth.average_certified_radius_score : The area under the curve.

    References
    ----------
    J. Cohen, E. Rosenfeld, J. Z. Kolter (2019), arXiv:1902.02918, figure 6.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.naive_bayes import GaussianNB
    >>> from sksmooth import SmoothedClassifier
    >>> from sksmooth.display import CertifiedAccuracyDisplay
    >>> X, y = load_iris(return_X_y=True)
    >>> g = SmoothedClassifier(GaussianNB(), n=1_000, random_state=0)
    >>> certificates = {
    ...     f"sigma = {sigma}": g.set_params(sigma=sigma).fit(X, y).certify(X)
    ...     for sigma in [0.25, 0.5]
    ... }
    >>> display = CertifiedAccuracyDisplay.from_certificate(certificates, y)
    >>> [line.get_label() for line in display.line_]
    ['sigma = 0.25 (ACR = 0.49)', 'sigma = 0.5 (ACR = 0.75)']
    """

    radius: Any
    accuracy: Any
    lower_bound: Any = None
    rho: float | None = None
    max_radius: Any = None
    name: Any = None
    unit: str = "units of X"
    norm: str = "l2"
    n_inputs: Any = None
    projected: Any = False
    under_attack: Any = None

    @with_keywords
    def plot(
        self,
        ax=None,
        *,
        name=None,
        curve_kwargs=None,
        plot_ceiling=True,
        label_acr=True,
        under_attack=None,
    ):
        """Draw the curves.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Axes to draw on; None makes new ones.

        name : str or list of str, default=None
            Names of the curves; None takes those of the display.

        curve_kwargs : dict or list of dict, default=None
            Passed on to `matplotlib.axes.Axes.plot`; a list has one dict per curve.

        plot_ceiling : bool, default=True
            Mark the largest radius that the votes could certify.

        label_acr : bool, default=True
            Tell the average certified radius next to the name of each curve.

        under_attack : pair (radius, accuracy), or dict of str to pair, default=None
            Dashed curves; None takes those of the display, which keeps what is given.

        Returns
        -------
        display : CertifiedAccuracyDisplay
            The object itself.

        Raises
        ------
        ImportError
            If matplotlib is not installed.

        ValueError
            If there are not as many names or dicts as curves, or not as many values in
            a curve as radii; if an accuracy under attack grows with the radius; if `ax`
            has curves of another norm or unit.
        """
        curves = checked_curves(self)
        names = each_of(self.name if name is None else name, len(curves), "names")
        kwargs = each_of(curve_kwargs, len(curves), "curve_kwargs")
        if not plot_ceiling:
            curves = [curve._replace(max_radius=None) for curve in curves]
        if under_attack is not None:
            self.under_attack = under_attack
        attacked = checked_attacks(self.under_attack)
        check_axes(ax, self.norm, self.unit)
        ax = place(self, ax)
        measured = self.norm, self.unit
        artists = draw_curves(ax, curves, names, kwargs, label_acr, *measured)
        self.line_, self.band_, self.ceiling_ = (
            artists[0] if len(curves) == 1 else map(list, zip(*artists, strict=True))
        )
        self.attacked_ = draw_attacks(ax, attacked, names, [a[0] for a in artists])
        projects = all(drawn.projected for drawn in drawn_on(ax))
        what = "Projected" if projects else "Certified"
        ax.set(
            xlabel=f"{NORMS[self.norm]} radius ({self.unit})",
            ylabel="Robust accuracy" if attacked else f"{what} accuracy",
        )
        ax.set_xlim(left=0)
        ax.set_ylim(0, 1.02)
        draw_legend(self)
        return self
