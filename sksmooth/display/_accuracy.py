"""Certified accuracy against radius."""

import numpy as np

from .._certificate import Certificate
from .._columns import as_column
from ._curves import (
    check_heights,
    corners,
    curve_of_certificate,
    curve_of_log,
    label,
)
from ._style import (
    INK,
    as_list,
    colors,
    import_pyplot,
    style,
)

_TAG = "sksmooth certified accuracy"


class CertifiedAccuracyDisplay:
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

    n_inputs : tuple of int, None, or list of them, default=None
        How many inputs are distinct, and how many there are with repeats. The title of
        the legend tells, where a lower bound is drawn and some inputs are repeated.

    Attributes
    ----------
    line_ : matplotlib Line2D, or list of them
        The curves.

    band_ : matplotlib artist, None, or list
        What lies between curve and lower bound.

    ceiling_ : matplotlib Line2D, None, or list
        The largest radii that the votes could certify.

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

    def __init__(
        self,
        *,
        radius,
        accuracy,
        lower_bound=None,
        rho=None,
        max_radius=None,
        name=None,
        unit="units of X",
        n_inputs=None,
    ):
        self.radius = radius
        self.accuracy = accuracy
        self.lower_bound = lower_bound
        self.rho = rho
        self.max_radius = max_radius
        self.name = name
        self.unit = unit
        self.n_inputs = n_inputs

    @classmethod
    def from_estimator(
        cls,
        estimator,
        X,
        y,
        *,
        rho=None,
        name=None,
        unit=None,
        ax=None,
        curve_kwargs=None,
        plot_ceiling=True,
        label_acr=True,
    ):
        """Certify inputs and plot certified accuracy against radius.

        Parameters
        ----------
        estimator : SmoothedClassifier, or dict of str to SmoothedClassifier
            Fitted; several are drawn into one plot under the names given.

        X : array-like of shape (n_inputs, *shape), or data frame
            Inputs.

        y : array-like of shape (n_inputs,)
            True labels.

        rho : float, default=None
            Draw the lower bound that holds with probability 1 - rho at each radius.

        name : str or list of str, default=None
            Names of the curves; None takes "sigma = 0.25" or the keys of the dict.

        unit : str, default=None
            What radii are measured in; None takes "units of X" or "units of sigma".

        ax : matplotlib Axes, default=None
            Axes to draw on; None makes new ones.

        curve_kwargs : dict or list of dict, default=None
            Passed on to `matplotlib.axes.Axes.plot`.

        plot_ceiling : bool, default=True
            Mark the largest radius that the votes could certify.

        label_acr : bool, default=True
            Tell the average certified radius next to the name of each curve.

        Returns
        -------
        display : CertifiedAccuracyDisplay

        Raises
        ------
        ImportError
            If matplotlib is not installed.

        NotFittedError, ValueError, RuntimeError
            As `certify`.

        TypeError
            If an estimator has no `certify`.

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
        >>> g = SmoothedClassifier(GaussianNB(), n=1_000, random_state=0).fit(X, y)
        >>> display = CertifiedAccuracyDisplay.from_estimator(g, X, y, rho=0.001)
        >>> display.line_.get_label()
        'sigma = 0.25 (ACR = 0.49)'
        """
        import_pyplot(f"{cls.__name__}.from_estimator")
        estimators = estimator if isinstance(estimator, dict) else {None: estimator}
        for each in estimators.values():
            if not hasattr(each, "certify"):
                raise TypeError(
                    f"{type(each).__name__} has no method `certify`: wrap it in "
                    "SmoothedClassifier."
                )
        certificates = {key: each.certify(X) for key, each in estimators.items()}
        if None in certificates:
            sigma = certificates[None].sigma
            text = "given per feature" if np.ndim(sigma) else f"= {sigma:g}"
            certificates = {f"sigma {text}": certificates[None]}
        return cls.from_certificate(
            certificates,
            y,
            rho=rho,
            name=name,
            unit=unit,
            ax=ax,
            curve_kwargs=curve_kwargs,
            plot_ceiling=plot_ceiling,
            label_acr=label_acr,
        )

    @classmethod
    def from_certificate(
        cls,
        certificate,
        y,
        *,
        rho=None,
        name=None,
        unit=None,
        ax=None,
        curve_kwargs=None,
        plot_ceiling=True,
        label_acr=True,
    ):
        """Plot the certified accuracy of certificates against radius.

        Parameters
        ----------
        certificate : Certificate, pair (prediction, radius), or dict of them
            What `certify` returned; the keys of a dict name the curves.

        y : array-like of shape (n_inputs,)
            True labels.

        rho : float, default=None
            Draw the lower bound that holds with probability 1 - rho at each radius.
            For Certificates only.

        name : str or list of str, default=None
            Names of the curves; None takes the keys of the dict.

        unit : str, default=None
            What radii are measured in; None takes "units of X" or "units of sigma".

        ax : matplotlib Axes, default=None
            Axes to draw on; None makes new ones.

        curve_kwargs : dict or list of dict, default=None
            Passed on to `matplotlib.axes.Axes.plot`.

        plot_ceiling : bool, default=True
            Mark the largest radius that the votes could certify.

        label_acr : bool, default=True
            Tell the average certified radius next to the name of each curve.

        Returns
        -------
        display : CertifiedAccuracyDisplay

        Raises
        ------
        ImportError
            If matplotlib is not installed.

        ValueError
            If lengths differ, if `rho` is given for a pair or a projection, or if some
            radii are in units of sigma and others are not.

        Examples
        --------
        >>> from sksmooth.display import CertifiedAccuracyDisplay
        >>> certificate = ([0, 1, 1, -1], [0.9, 0.4, 0.7, 0.0])
        >>> display = CertifiedAccuracyDisplay.from_certificate(
        ...     certificate, [0, 1, 0, 1], name="g"
        ... )
        >>> display.radius, display.accuracy
        (array([0. , 0.4, 0.9]), array([0.5 , 0.5 , 0.25]))
        """
        import_pyplot(f"{cls.__name__}.from_certificate")
        named = certificate if isinstance(certificate, dict) else {None: certificate}
        curves = [curve_of_certificate(y, each, rho) for each in named.values()]
        scaled = {
            np.ndim(each.sigma) > 0
            for each in named.values()
            if isinstance(each, Certificate)
        }
        if len(scaled) > 1:
            raise ValueError(
                "some certificates have radii in units of sigma, others in units of X: "
                "draw them apart."
            )
        if unit is None:
            unit = "units of sigma" if scaled == {True} else "units of X"
        return cls._from_curves(named, curves, rho, name, unit).plot(
            ax,
            curve_kwargs=curve_kwargs,
            plot_ceiling=plot_ceiling,
            label_acr=label_acr,
        )

    @classmethod
    def from_predictions(cls, y_true, certificate, **kwargs):
        """Plot the certified accuracy of certificates, in scikit-learn's order.

        The same as :meth:`from_certificate`, with the arguments in the order of
        scikit-learn's displays and of :func:`sksmooth.certified_accuracy_score`.

        Parameters
        ----------
        y_true : array-like of shape (n_inputs,)
            True labels.

        certificate : Certificate, pair (prediction, radius), or dict of them
            What `certify` returned; the keys of a dict name the curves.

        **kwargs : dict
            Passed on to :meth:`from_certificate`.

        Returns
        -------
        display : CertifiedAccuracyDisplay

        Raises
        ------
        ImportError, ValueError
            As :meth:`from_certificate`.

        Examples
        --------
        >>> from sksmooth.display import CertifiedAccuracyDisplay
        >>> y_true, y_pred, radius = [0, 1, 0, 1], [0, 1, 1, -1], [0.9, 0.4, 0.7, 0.0]
        >>> display = CertifiedAccuracyDisplay.from_predictions(
        ...     y_true, (y_pred, radius), name="g"
        ... )
        >>> display.line_.get_label()
        'g (ACR = 0.33)'
        """
        return cls.from_certificate(certificate, y_true, **kwargs)

    @classmethod
    def from_log(
        cls,
        log,
        *,
        sigma=None,
        n=100_000,
        alpha=0.001,
        rho=None,
        name=None,
        unit="units of the log",
        ax=None,
        curve_kwargs=None,
        plot_ceiling=True,
        label_acr=True,
    ):
        """Plot the certified accuracy of logs in the field's format against radius.

        A log does not tell how it was made, so `sigma`, `n` and `alpha` have to.

        Parameters
        ----------
        log : path-like, pandas.DataFrame, or dict of them
            A file, or what :func:`sksmooth.logs.read_log` returned; the keys of a dict
            name the curves.

        sigma : float or dict of float, default=None
            Noise level, under the keys of `log` if they differ. None marks no largest
            radius.

        n : int, default=100_000
            Votes per input; for the largest radius.

        alpha : float or dict of float, default=0.001
            Failure probability per input, under the keys of `log` if they differ; for
            the largest radius and `rho`.

        rho : float, default=None
            Draw the lower bound that holds with probability 1 - rho at each radius, if
            no input of the log occurs twice.

        name : str or list of str, default=None
            Names of the curves; None takes the keys of the dict.

        unit : str, default="units of the log"
            What radii are measured in.

        ax : matplotlib Axes, default=None
            Axes to draw on; None makes new ones.

        curve_kwargs : dict or list of dict, default=None
            Passed on to `matplotlib.axes.Axes.plot`.

        plot_ceiling : bool, default=True
            Mark the largest radius that the votes could certify.

        label_acr : bool, default=True
            Tell the average certified radius next to the name of each curve.

        Returns
        -------
        display : CertifiedAccuracyDisplay

        Raises
        ------
        ImportError
            If matplotlib or pandas is not installed.

        ValueError
            If a log has no rows, no radii, or cannot be read; or if it has more radius
            than `sigma`, `n` and `alpha` allow.

        Examples
        --------
        >>> import pandas as pd
        >>> from sksmooth.display import CertifiedAccuracyDisplay
        >>> log = pd.DataFrame(
        ...     {"label": [0, 1, 0], "predict": [0, 1, 1], "radius": [0.3, 0.9, 0.5]}
        ... )
        >>> display = CertifiedAccuracyDisplay.from_log(log, sigma=0.25)
        >>> display.accuracy.round(2), round(display.max_radius, 3)
        (array([0.67, 0.67, 0.33]), 0.953)
        """
        import_pyplot(f"{cls.__name__}.from_log")
        named = log if isinstance(log, dict) else {None: log}
        curves = [
            curve_of_log(
                each,
                "the log" if key is None else f"log {key!r}",
                sigma=sigma.get(key) if isinstance(sigma, dict) else sigma,
                n=n,
                alpha=alpha[key] if isinstance(alpha, dict) else alpha,
                rho=rho,
            )
            for key, each in named.items()
        ]
        return cls._from_curves(named, curves, rho, name, unit).plot(
            ax,
            curve_kwargs=curve_kwargs,
            plot_ceiling=plot_ceiling,
            label_acr=label_acr,
        )

    @classmethod
    def _from_curves(cls, named, curves, rho, name, unit):
        if name is None and None not in named:
            name = [str(key) for key in named]
        columns = [list(column) for column in zip(*curves, strict=True)]
        if len(curves) == 1:
            columns = [column[0] for column in columns]
            name = name[0] if isinstance(name, list) else name
        radius, accuracy, lower_bound, max_radius, n_inputs = columns
        return cls(
            radius=radius,
            accuracy=accuracy,
            lower_bound=lower_bound,
            rho=rho,
            max_radius=max_radius,
            name=name,
            unit=unit,
            n_inputs=n_inputs,
        )

    def plot(
        self,
        ax=None,
        *,
        name=None,
        curve_kwargs=None,
        plot_ceiling=True,
        label_acr=True,
    ):
        """Draw the curves.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Axes to draw on; None makes new ones.

        name : str or list of str, default=None
            Names of the curves; None takes those of the display.

        curve_kwargs : dict or list of dict, default=None
            Passed on to `matplotlib.axes.Axes.plot`; a list has one dict a curve.

        plot_ceiling : bool, default=True
            Mark the largest radius that the votes could certify.

        label_acr : bool, default=True
            Tell the average certified radius next to the name of each curve.

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
            a curve as radii.
        """
        plt = import_pyplot(f"{type(self).__name__}.plot")
        radii = [as_column(each, "radius", float) for each in as_list(self.radius)]
        n_curves = len(radii)

        def each(value, what):
            values = value if isinstance(value, list) else [value] * n_curves
            if len(values) != n_curves:
                raise ValueError(f"{n_curves} curves, but {len(values)} {what}.")
            return values

        names = each(self.name if name is None else name, "names")
        kwargs = each(curve_kwargs, "curve_kwargs")
        accuracies = check_heights(each(self.accuracy, "accuracies"), radii, "accuracy")
        lowers = each(self.lower_bound, "lower bounds")
        lowers = check_heights(lowers, radii, "lower_bound")
        ceilings = each(self.max_radius if plot_ceiling else None, "largest radii")
        if ax is None:
            _, ax = plt.subplots(layout="constrained")
        # A second display on the same axes goes on where the first one stopped.
        n_before = sum(line.get_gid() == _TAG for line in ax.lines)
        palette = colors(n_before + n_curves)[n_before:]
        self.ax_, self.figure_ = ax, ax.figure
        self.line_, self.band_, self.ceiling_ = [], [], []
        for k in range(n_curves):
            x, heights = corners(radii[k], accuracies[k])
            default = {
                "color": palette[k],
                "drawstyle": "steps-pre",
                "label": (
                    label(names[k], radii[k], accuracies[k]) if label_acr else names[k]
                ),
                "gid": _TAG,
            }
            (line,) = ax.plot(x, heights, **style(default, kwargs[k]))
            self.line_.append(line)
            self.band_.append(self._draw_band(line, radii[k], lowers[k]))
            self.ceiling_.append(self._draw_ceiling(line, ceilings[k]))
        if n_curves == 1:
            (self.line_,), (self.band_,) = self.line_, self.band_
            (self.ceiling_,) = self.ceiling_
        ax.set(xlabel=rf"$\ell_2$ radius ({self.unit})", ylabel="Certified accuracy")
        ax.set_xlim(left=0)
        ax.set_ylim(0, 1.02)
        self._draw_legend()
        return self

    def _draw_band(self, line, radius, lower):
        if lower is None:
            return None
        x, top = line.get_data()
        return self.ax_.fill_between(
            x,
            corners(radius, lower)[1],
            top,
            step="pre",
            color=line.get_color(),
            alpha=0.3,
            linewidth=0,
            zorder=line.get_zorder() - 0.5,
        )

    def _draw_ceiling(self, line, ceiling):
        if ceiling is None or not np.isfinite(ceiling):
            return None
        return self.ax_.axvline(
            ceiling, color=line.get_color(), linestyle=":", linewidth=1.2, zorder=1
        )

    def _draw_legend(self):
        """One entry a curve, and one for each kind of thing beside the curves."""
        from matplotlib.lines import Line2D
        from matplotlib.patches import Patch

        old = self.ax_.get_legend()
        extra = {} if old is None else getattr(old, "_sksmooth_extra", {})
        repeated = {} if old is None else getattr(old, "_sksmooth_repeated", {})
        if any(band is not None for band in as_list(self.band_)):
            text = f"lower bound, each with probability {1 - self.rho:g}"
            extra |= {text: Patch(color=INK, alpha=0.3, linewidth=0)}
            repeated |= {
                f"{n_distinct} of {n} inputs distinct": None
                for n_distinct, n in filter(None, as_list(self.n_inputs))
                if n_distinct < n
            }
        if any(ceiling is not None for ceiling in as_list(self.ceiling_)):
            extra |= {
                "most that the votes could certify": Line2D(
                    [], [], color=INK, linestyle=":", linewidth=1.2
                )
            }
        handles, labels = self.ax_.get_legend_handles_labels()
        if not handles and not extra:
            return
        # Opaque: no ceiling is drawn through it.
        legend = self.ax_.legend(
            handles + list(extra.values()),
            labels + list(extra),
            loc="best",
            framealpha=1,
            title="\n".join(repeated) or None,
        )
        legend._sksmooth_extra, legend._sksmooth_repeated = extra, repeated
