"""Decision regions of a smoothed classifier on the plane."""

from dataclasses import dataclass
from functools import partial

import narwhals as nw
import numpy as np
from scipy.sparse import issparse

from .._columns import names_of
from ._style import ABSTAIN_COLOR, INK, check_names, colors, import_pyplot, place, style


@dataclass(kw_only=True, eq=False, repr=False)
class SmoothedDecisionDisplay:
    """Decision regions of g for inputs of two features, and certified balls.

    Make it with :meth:`from_estimator`. Where g abstains, the plane is grey.

    Parameters
    ----------
    xx0 : ndarray of float of shape (n_rows, n_columns)
        First feature on a grid, as from `numpy.meshgrid`.

    xx1 : ndarray of float of shape (n_rows, n_columns)
        Second feature.

    response : ndarray of int of shape (n_rows, n_columns)
        Place of the predicted class in `classes`; -1 for an abstention.

    classes : ndarray of shape (n_classes,)
        Class labels.

    centers : ndarray of float of shape (n_points, 2), default=None
        Inputs that were certified.

    half_axes : ndarray of float of shape (n_points, 2), default=None
        How far each feature of them may move: the half axes of the certified
        ellipses, or rhombs in l1. All 0 for a center that is not certified.

    center_response : ndarray of int of shape (n_points,), default=None
        Place of their classes; -1 for an abstention.

    xlabel : str, default="feature 0"
        Name of the first feature.

    ylabel : str, default="feature 1"
        Name of the second feature.

    norm : {"l1", "l2"}, default="l2"
        Norm of the certified balls.

    Attributes
    ----------
    surface_ : matplotlib QuadMesh
        The regions.

    colors_ : list of str
        Color of each class; for points drawn on top.

    balls_ : list of matplotlib Ellipse, or Polygon in l1
        Certified balls: one for each center with a finite radius > 0.

    points_ : list of matplotlib Line2D
        The centers: dots if certified, else crosses.

    ax_ : matplotlib Axes
        Axes with the regions.

    figure_ : matplotlib Figure
        Figure with the axes.

    See Also
    --------
    sklearn.inspection.DecisionBoundaryDisplay : For ordinary classifiers.

    References
    ----------
    J. Cohen, E. Rosenfeld, J. Z. Kolter (2019), arXiv:1902.02918, figure 1 (left).

    Examples
    --------
    >>> from sklearn.datasets import make_moons
    >>> from sklearn.tree import DecisionTreeClassifier
    >>> from sksmooth import SmoothedClassifier
    >>> from sksmooth.display import SmoothedDecisionDisplay
    >>> X, y = make_moons(noise=0.1, random_state=0)
    >>> f = DecisionTreeClassifier(random_state=0)
    >>> g = SmoothedClassifier(f, sigma=0.2, random_state=0).fit(X, y)
    >>> display = SmoothedDecisionDisplay.from_estimator(
    ...     g, X, centers=X[:5], grid_resolution=20
    ... )
    >>> [round(float(ball.width) / 2, 2) for ball in display.balls_]
    [0.31, 0.21, 0.13, 0.17, 0.4]
    """

    xx0: np.ndarray
    xx1: np.ndarray
    response: np.ndarray
    classes: np.ndarray
    centers: np.ndarray | None = None
    half_axes: np.ndarray | None = None
    center_response: np.ndarray | None = None
    xlabel: str = "feature 0"
    ylabel: str = "feature 1"
    norm: str = "l2"

    @classmethod
    def from_estimator(
        cls,
        estimator,
        X,
        *,
        centers=None,
        grid_resolution=100,
        margin=0.1,
        xlabel=None,
        ylabel=None,
        ax=None,
        **kwargs,
    ):
        """Predict on a grid, certify some points, and plot both.

        Parameters
        ----------
        estimator : SmoothedClassifier
            Fitted on two features.

        X : array-like of shape (n_inputs, 2), data frame or sparse matrix
            Inputs that the picture has to show.

        centers : array-like of shape (n_points, 2), or data frame, default=None
            Inputs to certify and to draw the certified balls of.

        grid_resolution : int, default=100
            Points of the grid in each direction: `predict` is called on its square.

        margin : float, default=0.1
            Room around X, as a share of the range of each feature.

        xlabel : str, default=None
            Name of the first feature; None takes the name of its column, if any.

        ylabel : str, default=None
            Name of the second feature.

        ax : matplotlib Axes, default=None
            Axes to draw on; None makes new ones.

        **kwargs : dict
            Passed on to :meth:`plot`.

        Returns
        -------
        display : SmoothedDecisionDisplay

        Raises
        ------
        ImportError
            If matplotlib is not installed.

        ValueError
            If the inputs have not two features, or an argument is out of range.

        NotFittedError, RuntimeError
            As `predict`.

        Examples
        --------
        >>> from sklearn.datasets import make_moons
        >>> from sklearn.svm import SVC
        >>> from sksmooth import SmoothedClassifier
        >>> from sksmooth.display import SmoothedDecisionDisplay
        >>> X, y = make_moons(noise=0.1, random_state=0)
        >>> g = SmoothedClassifier(SVC(gamma=2), sigma=0.2, n=1_000, random_state=0)
        >>> display = SmoothedDecisionDisplay.from_estimator(
        ...     g.fit(X, y), X, grid_resolution=10, ylabel="height"
        ... )
        >>> display.response.shape, display.ax_.get_ylabel()
        ((10, 10), 'height')
        """
        import_pyplot(cls, "from_estimator")
        points = _plane(X, "X")
        if grid_resolution < 2 or not margin >= 0:
            raise ValueError(
                "grid_resolution must be at least 2 and margin at least 0, got "
                f"{grid_resolution} and {margin}."
            )
        low, high = points.min(axis=0), points.max(axis=0)
        room = np.where(high > low, margin * (high - low), 1.0)
        axes = np.linspace(low - room, high + room, grid_resolution)
        xx0, xx1 = np.meshgrid(axes[:, 0], axes[:, 1])
        grid = _like(X, np.column_stack([xx0.ravel(), xx1.ravel()]))
        prediction = estimator.predict(grid)
        classes = estimator.classes_
        response = _places(prediction, classes).reshape(xx0.shape)
        certified = {}
        if centers is not None:
            certified["centers"] = _plane(centers, "centers")
            certificate = estimator.certify(centers)
            half_axes = certificate.half_axes
            if half_axes.ndim == 1:
                half_axes = np.column_stack([half_axes, half_axes])
            certified["half_axes"], certified["norm"] = half_axes, certificate.norm
            certified["center_response"] = np.where(
                certificate.certified, _places(certificate.prediction, classes), -1
            )
        _, columns = names_of(X)
        columns = (cls.xlabel, cls.ylabel) if columns is None else columns
        names = [str(name) for name in columns]
        return cls(
            xx0=xx0,
            xx1=xx1,
            response=response,
            classes=classes,
            **certified,
            xlabel=names[0] if xlabel is None else xlabel,
            ylabel=names[1] if ylabel is None else ylabel,
        ).plot(ax, **kwargs)

    def plot(self, ax=None, *, name=None, ball_kwargs=None, **kwargs):
        """Draw regions, balls and centers.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Axes to draw on; None makes new ones.

        name : list of str of shape (n_classes,), default=None
            Names of the classes; None takes the labels.

        ball_kwargs : dict, default=None
            Passed on to `matplotlib.patches.Ellipse`, or `Polygon` in l1.

        **kwargs : dict
            Passed on to `matplotlib.axes.Axes.pcolormesh`.

        Returns
        -------
        display : SmoothedDecisionDisplay
            The object itself.

        Raises
        ------
        ImportError
            If matplotlib is not installed.

        ValueError
            If there are not as many names as classes.
        """
        n_classes = len(self.classes)
        names = self.classes if name is None else name
        check_names(names, n_classes, "classes")
        ax = place(self, ax)
        from matplotlib.colors import ListedColormap, to_rgb
        from matplotlib.patches import Patch

        self.colors_ = colors(n_classes)
        # Light, so that balls and points stand out; not transparent, which would let
        # the seams between the cells show.
        tints = [[0.45 * v + 0.55 for v in to_rgb(color)] for color in self.colors_]
        default = {
            "cmap": ListedColormap([ABSTAIN_COLOR, *tints]),
            "vmin": -1.5,
            "vmax": n_classes - 0.5,
            "shading": "nearest",
            "rasterized": True,
            "zorder": -1,
        }
        self.surface_ = ax.pcolormesh(
            self.xx0, self.xx1, self.response, **style(default, kwargs)
        )
        handles = [
            Patch(color=tint, label=f"g(x) = {text}")
            for tint, text in zip(tints, names, strict=True)
        ]
        if np.any(self.response < 0):
            handles.append(Patch(color=ABSTAIN_COLOR, label="abstains"))
        self.balls_, self.points_ = [], []
        if self.centers is not None:
            handles += self._draw_balls(ball_kwargs)
        ax.set(
            xlabel=self.xlabel,
            ylabel=self.ylabel,
            xlim=(self.xx0.min(), self.xx0.max()),
            ylim=(self.xx1.min(), self.xx1.max()),
        )
        ax.legend(handles=handles, loc="upper right", framealpha=0.9)
        return self

    def _draw_balls(self, ball_kwargs):
        from matplotlib.lines import Line2D
        from matplotlib.patches import Ellipse, Polygon

        round_ = np.array_equal(self.half_axes[:, 0], self.half_axes[:, 1])
        if round_:
            # A circle should look like one.
            self.ax_.set_aspect("equal", adjustable="box")
        dots = {"markeredgecolor": "white", "markersize": 5}
        for center, axes, index in zip(
            self.centers, self.half_axes, self.center_response, strict=True
        ):
            color = INK if index < 0 else self.colors_[index]
            if index >= 0 and np.all(np.isfinite(axes)):
                default = {"facecolor": "none", "edgecolor": color, "linewidth": 1.5}
                look = style(default, ball_kwargs)
                if self.norm == "l1":
                    corners = np.vstack([np.diag(axes), -np.diag(axes)])
                    ball = Polygon(center + corners, **look)
                else:
                    ball = Ellipse(center, *(2 * axes), **look)
                self.balls_.append(self.ax_.add_patch(ball))
            look = {"marker": "x"} if index < 0 else {"marker": "o", **dots}
            self.points_ += self.ax_.plot(
                *center, color=color, linestyle="none", **look
            )
        entry = partial(Line2D, [], [], linestyle="none")
        handles = []
        if self.balls_:
            shape, name = ("D", "l1 ball") if self.norm == "l1" else ("o", "ellipse")
            circle = {"marker": shape, "markersize": 11, "markerfacecolor": "none"}
            name = "ball" if round_ and self.norm == "l2" else name
            text = f"certified {name}"
            handles.append(entry(**circle, markeredgecolor=INK, label=text))
        if np.any(self.center_response < 0):
            handles.append(entry(marker="x", color=INK, label="no certificate"))
        return handles


def _plane(X, name):
    """Return X as an array of shape (n_points, 2)."""
    X = X.toarray() if issparse(X) else X
    points = np.asarray(X, dtype=float)
    if points.ndim != 2 or points.shape[1] != 2:
        raise ValueError(
            f"{name} must have two features to be drawn on a plane, got shape "
            f"{points.shape}."
        )
    if not len(points) or not np.all(np.isfinite(points)):
        raise ValueError(f"{name} must hold at least one input, all numbers finite.")
    return points


def _like(X, grid):
    """Return the grid as a data frame if X is one."""
    _, columns = names_of(X)
    if columns is None:
        return grid
    frame = nw.from_native(X, eager_only=True)
    made = dict(zip(columns, grid.T, strict=True))
    return nw.from_dict(made, backend=frame.implementation).to_native()


def _places(labels, classes):
    """Return the place of each label in `classes`, -1 for the abstain label."""
    match = np.asarray(labels)[:, None] == classes
    return np.where(match.any(axis=1), match.argmax(axis=1), -1)
