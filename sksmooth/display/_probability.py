"""How probable the true class is under noise, over a test set."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.utils.validation import check_consistent_length

from .._columns import as_column, check_order
from .._labels import as_labels, label_indices
from ._curves import as_list, by_name, each_of, number_by_name
from ._runs import probability_of_log, title_of
from ._style import (
    INK,
    colors,
    import_pyplot,
    marked,
    place,
    style,
    with_keywords,
)

_TAG = "sksmooth distribution of p_A"


@dataclass(kw_only=True, eq=False, repr=False)
class ProbabilityDisplay:
    """Distribution over a test set of what is proved of the true class's probability.

    Make it with :meth:`from_estimator`, :meth:`from_certificate`,
    :meth:`from_predictions` or :meth:`from_log`. A curve tells for each p in how many
    inputs the lower bound of p_A, the probability of the class under noise, is at most
    p: the lower, the better. An input for which another class was selected has 0.

    What lies left of 1/2 is not certified, however many votes there are; what has been
    gained at the right end are larger radii of inputs that were certified already. The
    average certified radius adds both up, and rewards the second far more.

    Parameters
    ----------
    probability : ndarray of float of shape (n_inputs,), or list of them
        Lower bound for each input, 0 where another class was selected. One array a
        curve.

    name : str or list of str, default=None
        Names of the curves.

    projected : bool, or list of them, default=False
        Is it a projection to another number of votes, and nothing that is proved? Its
        name says so then.

    Attributes
    ----------
    line_ : matplotlib Line2D, or list of them
        The curves.

    half_ : matplotlib Line2D
        Where p is 1/2.

    ax_ : matplotlib Axes
        Axes with the curves.

    figure_ : matplotlib Figure
        Figure with the axes.

    See Also
    --------
    CertifiedAccuracyDisplay : The same, by radius.

    References
    ----------
    C. Sun, Y. Mao, M. N. Mueller, M. Vechev (2024), "Average Certified Radius is a Poor
    Metric for Randomized Smoothing", arXiv:2410.06895.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.naive_bayes import GaussianNB
    >>> from sksmooth import SmoothedClassifier
    >>> from sksmooth.display import ProbabilityDisplay
    >>> X, y = load_iris(return_X_y=True)
    >>> g = SmoothedClassifier(GaussianNB(), n=1_000, random_state=0)
    >>> certificates = {
    ...     f"sigma = {sigma}": g.set_params(sigma=sigma).fit(X, y).certify(X)
    ...     for sigma in [0.25, 1]
    ... }
    >>> display = ProbabilityDisplay.from_certificate(certificates, y)
    >>> [round(float((p <= 0.9).mean()), 2) for p in display.probability]
    [0.17, 0.78]
    """

    probability: Any
    name: Any = None
    projected: Any = False

    @classmethod
    def from_estimator(cls, estimator, X, y, *, name=None, ax=None, **kwargs):
        """Certify inputs and plot the distribution.

        Parameters
        ----------
        estimator : SmoothedClassifier, or dict of str to SmoothedClassifier
            Fitted; several are drawn into one plot under the names given.

        X : array-like of shape (n_inputs, *shape), or data frame
            Inputs.

        y : array-like of shape (n_inputs,)
            True labels.

        name : str or list of str, default=None
            Names of the curves; None takes the keys of the dict.

        ax : matplotlib Axes, default=None
            Axes to draw on; None makes new ones.

        **kwargs : dict
            Passed on to :meth:`plot`.

        Returns
        -------
        display : ProbabilityDisplay

        Raises
        ------
        ImportError
            If matplotlib is not installed.

        NotFittedError, ValueError, RuntimeError
            As `certify`.

        Examples
        --------
        >>> from sklearn.datasets import load_iris
        >>> from sklearn.naive_bayes import GaussianNB
        >>> from sksmooth import SmoothedClassifier
        >>> from sksmooth.display import ProbabilityDisplay
        >>> X, y = load_iris(return_X_y=True)
        >>> g = SmoothedClassifier(GaussianNB(), n=1_000, random_state=0).fit(X, y)
        >>> display = ProbabilityDisplay.from_estimator(g, X, y)
        >>> display.ax_.get_ylabel()
        'Share of inputs with p or less'
        """
        import_pyplot(cls, "from_estimator", kwargs)
        found = {key: each.certify(X) for key, each in by_name(estimator).items()}
        found = found[None] if None in found else found
        return cls.from_certificate(found, y, name=name, ax=ax, **kwargs)

    @classmethod
    def from_certificate(cls, certificate, y, *, name=None, ax=None, **kwargs):
        """Plot the distribution that certificates prove.

        Parameters
        ----------
        certificate : Certificate, or dict of str to Certificate
            What `certify` returned; the keys of a dict name the curves.

        y : array-like of shape (n_inputs,)
            True labels.

        name : str or list of str, default=None
            Names of the curves; None takes the keys of the dict.

        ax : matplotlib Axes, default=None
            Axes to draw on; None makes new ones.

        **kwargs : dict
            Passed on to :meth:`plot`.

        Returns
        -------
        display : ProbabilityDisplay

        Raises
        ------
        ImportError
            If matplotlib is not installed.

        TypeError
            If it is a pair (prediction, radius), which knows no probabilities.

        ValueError
            If lengths differ, or `y` is a Series of the same inputs in another order.

        Notes
        -----
        What `recertify` has projected to another number of votes is drawn, and its name
        says that it is projected, not certified.

        Examples
        --------
        >>> from sklearn.datasets import load_iris
        >>> from sklearn.naive_bayes import GaussianNB
        >>> from sksmooth import SmoothedClassifier
        >>> from sksmooth.display import ProbabilityDisplay
        >>> X, y = load_iris(return_X_y=True)
        >>> g = SmoothedClassifier(GaussianNB(), n=1_000, random_state=0).fit(X, y)
        >>> display = ProbabilityDisplay.from_certificate(g.certify(X[:3]), y[:3])
        >>> display.probability.round(3)
        array([0.993, 0.993, 0.993])
        """
        import_pyplot(cls, "from_certificate", kwargs)
        named = by_name(certificate)
        found = {key: _of_certificate(each, y) for key, each in named.items()}
        projected = [each.projected for each in named.values()]
        return cls._from(found, name, projected).plot(ax, **kwargs)

    @classmethod
    def from_predictions(cls, y_true, certificate, **kwargs):
        """Plot certificates, the arguments in the order of scikit-learn's displays.

        The same as :meth:`from_certificate` but for the order.

        Parameters
        ----------
        y_true : array-like of shape (n_inputs,)
            True labels.

        certificate : Certificate, or dict of str to Certificate
            What `certify` returned; the keys of a dict name the curves.

        **kwargs : dict
            Passed on to :meth:`from_certificate`.

        Returns
        -------
        display : ProbabilityDisplay
        """
        return cls.from_certificate(certificate, y_true, **kwargs)

    @classmethod
    def from_log(cls, log, *, sigma=None, name=None, ax=None, **kwargs):
        """Plot the distribution behind logs in the Cohen log format.

        What `write_log` and the command line put beside a log has the lower bounds. If
        there is none, or rows of the log have been left out or sorted, a radius R
        stands for the probability Phi(R / sigma), of Gaussian noise. Abstentions have
        0, as errors have.

        Parameters
        ----------
        log : path-like, pandas.DataFrame, or dict of them
            A file, or what :func:`sksmooth.logs.read_log` returned; the keys of a dict
            name the curves.

        sigma : float or dict of float, default=None
            Noise level of a run with Gaussian noise, under the keys of `log` if they
            differ; 1 if radii are in units of sigma. None takes what stands beside the
            log.

        name : str or list of str, default=None
            Names of the curves; None takes the keys of the dict.

        ax : matplotlib Axes, default=None
            Axes to draw on; None makes new ones.

        **kwargs : dict
            Passed on to :meth:`plot`.

        Returns
        -------
        display : ProbabilityDisplay

        Raises
        ------
        ImportError
            If matplotlib or pandas is not installed.

        TypeError
            If `sigma` is a list, or a keyword is wrong.

        ValueError
            If a log has no radii, cannot be read, or has an `idx` more than once; if
            sigma is not positive, not known, or not that of the run; if rows were left
            out or sorted and radii do not tell the probabilities, as with other noise.

        Examples
        --------
        >>> import pandas as pd
        >>> from sksmooth.display import ProbabilityDisplay
        >>> log = pd.DataFrame(
        ...     {"label": [0, 1, 0], "predict": [0, 1, 1], "radius": [0.25, 0.5, 0.5]}
        ... )
        >>> display = ProbabilityDisplay.from_log(log, sigma=0.25)
        >>> display.probability.round(3)
        array([0.841, 0.977, 0.   ])
        """
        import_pyplot(cls, "from_log", kwargs)
        named = by_name(log)
        levels = number_by_name(sigma, named, "sigma", optional=True)
        found = {
            key: probability_of_log(each, title_of(key), levels[key])
            for key, each in named.items()
        }
        return cls._from(found, name, [False] * len(found)).plot(ax, **kwargs)

    @classmethod
    def _from(cls, found, name, projected):
        if name is None and None not in found:
            name = [str(key) for key in found]
        values = list(found.values())
        if len(values) > 1:
            return cls(probability=values, name=name, projected=projected)
        name = name[0] if isinstance(name, list) else name
        return cls(probability=values[0], name=name, projected=projected[0])

    @with_keywords
    def plot(self, ax=None, *, name=None, curve_kwargs=None):
        """Draw the curves.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Axes to draw on; None makes new ones.

        name : str or list of str, default=None
            Names of the curves; None takes those of the display.

        curve_kwargs : dict or list of dict, default=None
            Passed on to `matplotlib.axes.Axes.plot`; a list has one dict per curve.

        Returns
        -------
        display : ProbabilityDisplay
            The object itself.

        Raises
        ------
        ImportError
            If matplotlib is not installed.

        ValueError
            If there are not as many names or dicts as curves, or a curve has no inputs
            or values outside [0, 1].
        """
        curves = [
            _checked(as_column(each, "probability", float))
            for each in as_list(self.probability)
        ]
        names = each_of(self.name if name is None else name, len(curves), "names")
        projected = each_of(self.projected, len(curves), "of projected")
        names = [marked(*pair) for pair in zip(names, projected, strict=True)]
        kwargs = each_of(curve_kwargs, len(curves), "curve_kwargs")
        ax = place(self, ax)
        # A second display on the same axes goes on where the first one stopped.
        n_before = sum(line.get_gid() == _TAG for line in ax.lines)
        palette = colors(n_before + len(curves))[n_before:]
        lines = []
        for curve, label, given, color in zip(
            curves, names, kwargs, palette, strict=True
        ):
            default = {
                "color": color,
                "drawstyle": "steps-post",
                "label": label,
                "gid": _TAG,
            }
            lines += ax.plot(*_steps(curve), **style(default, given))
        self.line_ = lines if len(lines) > 1 else lines[0]
        self.half_ = ax.axvline(0.5, color=INK, ls=":", lw=1.2, zorder=1)
        ax.set(
            xlabel="p: lower bound on the probability of the true class",
            ylabel="Share of inputs with p or less",
            xlim=(0, 1),
            ylim=(0, 1.02),
        )
        if ax.get_legend_handles_labels()[0]:
            ax.legend(loc="upper left", framealpha=1)
        return self


def _of_certificate(certificate, y):
    """Return the lower bounds of the true classes, 0 where others were selected."""
    if not hasattr(certificate, "p_lower"):
        raise TypeError(
            f"a {type(certificate).__name__} knows no probabilities: pass the "
            "Certificate that `certify` returned."
        )
    check_order(y, certificate.index, "y")
    y = as_labels(y, "y")
    check_consistent_length(y, certificate.prediction)
    right = certificate.selected == label_indices(y, certificate.classes)
    return np.where(right, certificate.p_lower, 0.0)


def _checked(probability):
    if not len(probability) or not ((probability >= 0) & (probability <= 1)).all():
        raise ValueError(
            "probability must hold one number from 0 to 1 for each input, and at least "
            "one."
        )
    return probability


def _steps(probability):
    """Return 0, the values that occur and 1, and the share that is not above each."""
    values, n_equal = np.unique(
        np.concatenate([[0.0], probability, [1.0]]), return_counts=True
    )
    n_equal[[0, -1]] -= 1  # the ends, which are no inputs
    return values, n_equal.cumsum() / len(probability)
