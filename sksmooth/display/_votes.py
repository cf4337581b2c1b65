"""The votes on one input, and what they prove."""

from dataclasses import dataclass

import narwhals as nw
import numpy as np
from scipy.sparse import issparse

from .._claims import CERTAIN
from .._columns import as_column
from .._containers import plain
from ._style import INK, check_names, colors, import_pyplot, place, style, with_keywords


@dataclass(kw_only=True, eq=False, repr=False)
class VotesDisplay:
    """Shares of the votes on one input, with the bounds that they prove.

    Make it with :meth:`from_estimator` or :meth:`from_certificate`. The input is
    certified if the lower bound of the selected class lies above the upper bound of
    every other class.

    Parameters
    ----------
    share : ndarray of float of shape (n_classes,)
        Share of each class in the votes; the exact probabilities if there were none.

    classes : ndarray of shape (n_classes,)
        Class labels.

    selected : int
        Place of the class that `p_lower` bounds.

    p_lower : float
        Lower bound on the probability of the selected class.

    p_upper : float
        Upper bound on the probability of every other class.

    radius : float
        Certified radius, 0 for none, or if only the input as it is, is certified.

    n_used : int, default=0
        Votes taken; 0 if the shares are exact.

    unit : str, default="units of X"
        What the radius is measured in.

    norm : {"l1", "l2", "linf", "edits"}, default="l2"
        Norm of the radius; the title names it unless it is l2.

    certified : bool, default=None
        Is there a certificate at all? None stands for: if the radius is above 0.

    projected : bool, default=False
        Is it a projection to another number of votes, which certifies nothing? The
        title says so then.

    Attributes
    ----------
    bars_ : matplotlib BarContainer
        One bar for each class that is shown.

    line_ : list of matplotlib Line2D
        The lower bound on the bar of the selected class, and the upper bound across the
        others.

    ax_ : matplotlib Axes
        Axes with the bars.

    figure_ : matplotlib Figure
        Figure with the axes.

    See Also
    --------
    sksmooth.Certificate : Where the numbers come from.

    References
    ----------
    J. Cohen, E. Rosenfeld, J. Z. Kolter (2019), arXiv:1902.02918, figure 1 (right).

    Examples
    --------
    >>> import numpy as np
    >>> from sksmooth.display import VotesDisplay
    >>> display = VotesDisplay(
    ...     share=np.array([0.7, 0.2, 0.1]),
    ...     classes=np.array(["cat", "dog", "owl"]),
    ...     selected=0,
    ...     p_lower=0.65,
    ...     p_upper=0.35,
    ...     radius=0.19,
    ...     n_used=1_000,
    ... ).plot()
    >>> [float(bar.get_height()) for bar in display.bars_]
    [0.7, 0.2, 0.1]
    """

    share: np.ndarray
    classes: np.ndarray
    selected: int
    p_lower: float
    p_upper: float
    radius: float
    n_used: int = 0
    unit: str = "units of X"
    norm: str = "l2"
    certified: bool | None = None
    projected: bool = False

    @classmethod
    def from_estimator(cls, estimator, X, *, index=0, unit=None, ax=None, **kwargs):
        """Certify one input and plot its votes.

        Parameters
        ----------
        estimator : SmoothedClassifier
            Fitted.

        X : array-like of shape (n_inputs, *shape), data frame, sparse matrix or texts
            Inputs, as `certify` takes them.

        index : int, default=0
            Which one to show. Only this one is certified.

        unit : str, default=None
            What the radius is measured in; None takes "units of X" or "sigma".

        ax : matplotlib Axes, default=None
            Axes to draw on; None makes new ones.

        **kwargs : dict
            Passed on to :meth:`plot`.

        Returns
        -------
        display : VotesDisplay

        Raises
        ------
        ImportError
            If matplotlib is not installed.

        IndexError
            If there is no such input.

        NotFittedError, ValueError, RuntimeError
            As `certify`.

        Examples
        --------
        >>> from sklearn.datasets import load_iris
        >>> from sklearn.naive_bayes import GaussianNB
        >>> from sksmooth import SmoothedClassifier
        >>> from sksmooth.display import VotesDisplay
        >>> X, y = load_iris(return_X_y=True)
        >>> g = SmoothedClassifier(GaussianNB(), n=1_000, random_state=0).fit(X, y)
        >>> VotesDisplay.from_estimator(g, X, index=70).share
        array([0.   , 0.497, 0.503])
        """
        import_pyplot(cls, "from_estimator", kwargs)
        one = _row(X, index)
        certificate = estimator.certify(one)
        share = None
        if certificate.bound in CERTAIN:
            share = estimator.predict_proba(one)[0]
        return cls._from_certificate(certificate, 0, share, unit).plot(ax, **kwargs)

    @classmethod
    def from_certificate(cls, certificate, *, index=0, unit=None, ax=None, **kwargs):
        """Plot the votes on one of the inputs that were certified.

        Parameters
        ----------
        certificate : Certificate
            What `certify` returned.

        index : int, default=0
            Which input to show.

        unit : str, default=None
            What the radius is measured in; None takes "units of X" or "sigma".

        ax : matplotlib Axes, default=None
            Axes to draw on; None makes new ones.

        **kwargs : dict
            Passed on to :meth:`plot`.

        Returns
        -------
        display : VotesDisplay

        Raises
        ------
        ImportError
            If matplotlib is not installed.

        IndexError
            If there is no such input.

        ValueError
            If the certificate is exact: it has no votes.

        Examples
        --------
        >>> from sklearn.datasets import load_iris
        >>> from sklearn.naive_bayes import GaussianNB
        >>> from sksmooth import SmoothedClassifier
        >>> from sksmooth.display import VotesDisplay
        >>> X, y = load_iris(return_X_y=True)
        >>> g = SmoothedClassifier(GaussianNB(), n=1_000, random_state=0).fit(X, y)
        >>> certificate = g.certify(X[[0, 70]])
        >>> display = VotesDisplay.from_certificate(certificate, index=1)
        >>> display.ax_.get_title()
        'Abstains: the bounds leave room for another class'
        """
        import_pyplot(cls, "from_certificate", kwargs)
        if certificate.bound in CERTAIN:
            raise ValueError(
                f"an {certificate.bound} certificate has no votes: "
                "VotesDisplay.from_estimator shows the probabilities instead."
            )
        display = cls._from_certificate(certificate, index, None, unit)
        return display.plot(ax, **kwargs)

    @classmethod
    def _from_certificate(cls, certificate, index, share, unit):
        n_used = int(certificate.n_used[index])
        if share is None:
            share = certificate.counts[index] / n_used
        if unit is None:
            unit = "units of X" if np.ndim(certificate.sigma) == 0 else "sigma"
            unit = "tokens" if certificate.norm == "edits" else unit
        return cls(
            share=share,
            classes=certificate.classes,
            selected=int(certificate.selected[index]),
            p_lower=float(certificate.p_lower[index]),
            p_upper=float(certificate.p_upper[index]),
            radius=float(certificate.radius[index]),
            n_used=n_used,
            unit=unit,
            norm=certificate.norm,
            certified=bool(certificate.certified[index]),
            projected=certificate.projected,
        )

    @with_keywords
    def plot(self, ax=None, *, name=None, max_classes=10, bar_kwargs=None):
        """Draw the bars and the bounds.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Axes to draw on; None makes new ones.

        name : list of str of shape (n_classes,), default=None
            Names of the classes; None takes the labels.

        max_classes : int, default=10
            If there are more classes, only those with most votes are shown.

        bar_kwargs : dict, default=None
            Passed on to `matplotlib.axes.Axes.bar`.

        Returns
        -------
        display : VotesDisplay
            The object itself.

        Raises
        ------
        ImportError
            If matplotlib is not installed.

        ValueError
            If there are not as many names as classes.
        """
        share = as_column(self.share, "share", float)
        names = self.classes if name is None else name
        check_names(names, len(share), "classes")
        shown = np.arange(len(share))
        if len(share) > max_classes:
            # The selected class first, whatever the votes of the second round say.
            order = np.argsort(-share, kind="stable")
            order = np.append(self.selected, order[order != self.selected])
            shown = order[:max_classes]
        ax = place(self, ax)
        places = np.arange(len(shown))
        chosen = shown == self.selected
        blue, orange = colors(2)
        fill = np.where(chosen, blue if self._is_certified() else "0.5", "0.75")
        self.bars_ = ax.bar(
            places,
            share[shown],
            **style({"color": list(fill), "width": 0.7}, bar_kwargs),
        )
        here, end = float(places[chosen][0]), len(shown) - 0.5
        low, high = self.p_lower, self.p_upper
        self.line_ = [
            *ax.plot([here - 0.45, here + 0.45], [low, low], color=INK, lw=2),
            *ax.plot(
                [-0.5, *[here - 0.5] * 2, *[here + 0.5] * 2, end],
                [high, high, np.nan, np.nan, high, high],
                color=orange,
                lw=2,
                ls="--",
            ),
        ]
        lower, upper = self.line_
        lower.set_label(f"lower bound of the selected class: {_floor(low)}")
        upper.set_label(f"upper bound of every other class: {_ceil(high)}")
        ax.set_xticks(places, [str(names[k]) for k in shown])
        if max(len(str(names[k])) for k in shown) * len(shown) > 60:
            ax.tick_params(axis="x", rotation=45)
        kind = "projected votes" if self.projected else "votes"
        votes = f"Share of {self.n_used:,} {kind}" if self.n_used else "Probability"
        hidden = len(share) - len(shown)
        ax.set(
            xlabel="Class" + (f" ({hidden} more not shown)" if hidden else ""),
            ylabel=votes,
            xlim=(-0.5, end),
            title=self._title(names),
        )
        # Room for the legend above the highest bar that there can be.
        ax.set_ylim(0, 1.27)
        ax.set_yticks(np.linspace(0, 1, 6))
        ax.legend(loc="upper center", frameon=False)
        return self

    def _is_certified(self):
        return self.radius > 0 if self.certified is None else self.certified

    def _title(self, names):
        if not self._is_certified():
            start = "a projection: would abstain, as" if self.projected else "Abstains:"
            return f"{start} the bounds leave room for another class"
        answer = f"g(x) = {names[self.selected]}"
        if self.projected:
            return f"a projection: {answer} would be certified {self._reach()}"
        return f"{answer}, certified {self._reach()}"

    def _reach(self):
        """Return for which inputs the class is certified, in words."""
        if np.isinf(self.radius):
            return "within any radius"
        if not self.radius > 0:  # no number may move, or no category change
            return "as it is"
        norm = "" if self.norm == "l2" else f" ({self.norm})"
        return f"within {_floor(self.radius)} {self.unit}{norm}"


def _row(X, index):
    """Return one row of X, as a table of one row."""
    if hasattr(X, "iloc"):
        return X.iloc[[index]]
    if hasattr(X, "columns"):
        frame = nw.from_native(X, eager_only=True)
        return frame[[range(len(frame))[index]]].to_native()
    if issparse(X):
        return X.tocsr()[[index]]
    X = plain(X)
    # Lists of texts, or of unlike cells, are read by whoever certifies them.
    return [X[index]] if isinstance(X, (list, tuple)) else np.asarray(X)[[index]]


def _floor(value):
    return f"{np.floor(value * 1000) / 1000:.3f}"


def _ceil(value):
    return f"{np.ceil(value * 1000) / 1000:.3f}"
