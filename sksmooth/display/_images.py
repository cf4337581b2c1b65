"""What noise does to an image."""

from dataclasses import dataclass

import numpy as np
from sklearn.utils import check_random_state

from ..stats._checks import check_radius
from ._style import check_names, import_pyplot, style, with_keywords


@dataclass(kw_only=True, eq=False, repr=False)
class NoisyInputsDisplay:
    """An image with noise of several levels: what the base classifier has to read.

    Make it with :meth:`from_image`.

    Parameters
    ----------
    images : ndarray of float of shape (n_rows, n_sigmas, height, width[, 3])
        The noisy images; what is outside `value_range` is cut off when drawn.

    sigma : ndarray of float of shape (n_sigmas,)
        Noise level of each column.

    value_range : tuple of float, default=(0.0, 1.0)
        Values that are drawn black and white.

    Attributes
    ----------
    images_ : list of matplotlib AxesImage
        The pictures that are drawn, row by row. An image without noise is drawn in
        the first row only, as it would be the same in all.

    ax_ : ndarray of matplotlib Axes of shape (n_rows, n_sigmas)
        The axes of each.

    figure_ : matplotlib Figure
        Figure with the axes.

    References
    ----------
    J. Cohen, E. Rosenfeld, J. Z. Kolter (2019), arXiv:1902.02918, figures 2 and 4.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from sksmooth.display import NoisyInputsDisplay
    >>> x = load_digits().data[0] / 16
    >>> display = NoisyInputsDisplay.from_image(
    ...     x, sigma=[0, 0.25, 0.5], shape=(8, 8), random_state=0
    ... )
    >>> [ax.get_title() for ax in display.ax_[0]]
    ['clean', 'sigma = 0.25', 'sigma = 0.5']
    """

    images: np.ndarray
    sigma: np.ndarray
    value_range: tuple = (0.0, 1.0)

    @classmethod
    def from_image(
        cls,
        image,
        *,
        sigma,
        shape=None,
        n_copies=1,
        value_range=(0.0, 1.0),
        random_state=None,
        ax=None,
        **kwargs,
    ):
        """Add noise to an image and plot it.

        Parameters
        ----------
        image : array-like of shape (height, width) or (height, width, 3)
            Grey or RGB values. (3, height, width), as torch has it, is understood too.

        sigma : float or array-like of float of shape (n_sigmas,)
            Noise levels, >= 0, in the units of the image.

        shape : tuple of int, default=None
            Shape that the image is given first, if it comes as a row of a table.

        n_copies : int, default=1
            Rows, with different noise. Within a row it is the same noise, scaled.

        value_range : tuple of float, default=(0.0, 1.0)
            Values of the image for black and white.

        random_state : int, RandomState instance or None, default=None
            Seeds the noise. It is not the noise that a classifier votes with.

        ax : matplotlib Axes, or array of them, default=None
            One Axes to put the pictures into, or one for each picture; None makes new
            ones.

        **kwargs : dict
            Passed on to :meth:`plot`.

        Returns
        -------
        display : NoisyInputsDisplay

        Raises
        ------
        ImportError
            If matplotlib is not installed.

        ValueError
            If the image is not one, a sigma is negative, or a number out of range.

        Examples
        --------
        >>> from sklearn.datasets import load_digits
        >>> from sksmooth.display import NoisyInputsDisplay
        >>> x = load_digits().images[0]  # pixels from 0 to 16
        >>> display = NoisyInputsDisplay.from_image(
        ...     x, sigma=[0, 4], n_copies=2, value_range=(0, 16), random_state=0
        ... )
        >>> display.images.shape
        (2, 2, 8, 8)
        """
        import_pyplot(cls, "from_image", kwargs)
        clean = _check_image(image, shape)
        sigma = np.atleast_1d(check_radius(sigma, "sigma"))
        black, white = value_range
        if n_copies < 1 or not black < white or sigma.ndim != 1 or not len(sigma):
            raise ValueError(
                "n_copies must be at least 1, value_range increasing and sigma a "
                f"number or a list, got {n_copies}, {value_range} and {sigma.tolist()}."
            )
        noise = check_random_state(random_state).normal(size=(n_copies, *clean.shape))
        level = sigma.reshape(-1, *(1,) * clean.ndim)
        images = clean + level * noise[:, None]
        return cls(images=images, sigma=sigma, value_range=(black, white)).plot(
            ax, **kwargs
        )

    @with_keywords
    def plot(self, ax=None, *, name=None, image_kwargs=None):
        """Draw the pictures.

        Parameters
        ----------
        ax : matplotlib Axes, or array of them, default=None
            One Axes to put the pictures into, or one for each picture; None makes new
            ones.

        name : list of str of shape (n_sigmas,), default=None
            Titles of the columns; None tells sigma.

        image_kwargs : dict, default=None
            Passed on to `matplotlib.axes.Axes.imshow`.

        Returns
        -------
        display : NoisyInputsDisplay
            The object itself.

        Raises
        ------
        ImportError
            If matplotlib is not installed.

        ValueError
            If there are not as many axes as pictures, or titles as columns.
        """
        plt = import_pyplot(type(self), "plot")
        images = np.asarray(self.images)
        n_rows, n_columns = images.shape[:2]
        if name is None:
            name = ["clean" if s == 0 else f"sigma = {s:g}" for s in self.sigma]
        check_names(name, n_columns, "columns")
        self.ax_ = _grid_of_axes(plt, ax, n_rows, n_columns)
        self.figure_ = self.ax_[0, 0].figure
        black, white = self.value_range
        # RGB is always drawn from 0 to 1.
        shown = np.clip((images - black) / (white - black), 0, 1)
        default = {"cmap": "gray", "vmin": 0, "vmax": 1}
        self.images_ = []
        for row in range(n_rows):
            for column in range(n_columns):
                axes = self.ax_[row, column]
                if row > 0 and self.sigma[column] == 0:
                    axes.set_axis_off()
                    continue
                picture = axes.imshow(
                    shown[row, column], **style(default, image_kwargs)
                )
                self.images_.append(picture)
                axes.set(xticks=[], yticks=[])
                if row == 0:
                    axes.set_title(name[column])
        return self


def _check_image(image, shape):
    """Return an image as a float array of shape (height, width) or (..., 3)."""
    image = np.asarray(image, dtype=float)
    if shape is not None:
        image = image.reshape(shape)
    if image.ndim == 3 and image.shape[2] != 3 and image.shape[0] in (1, 3):
        image = np.moveaxis(image, 0, 2)
    if image.ndim == 3 and image.shape[2] == 1:
        image = image[:, :, 0]
    if not (image.ndim == 2 or (image.ndim == 3 and image.shape[2] == 3)):
        raise ValueError(
            "image must have shape (height, width), or (height, width, 3) for RGB, got "
            f"{image.shape}: give a row of a table its shape, as in shape=(8, 8)."
        )
    if not np.all(np.isfinite(image)):
        raise ValueError("image holds NaN or infinity.")
    return image


def _grid_of_axes(plt, ax, n_rows, n_columns):
    """Return axes of shape (n_rows, n_columns), new or made from what was given."""
    if ax is None:
        return plt.subplots(
            n_rows,
            n_columns,
            figsize=(2 * n_columns, 2.25 * n_rows),
            squeeze=False,
            layout="constrained",
        )[1]
    if not hasattr(ax, "imshow"):
        ax = np.asarray(ax, dtype=object)
        if ax.size != n_rows * n_columns:
            raise ValueError(
                f"{n_rows * n_columns} pictures need as many axes, got {ax.size}."
            )
        return ax.reshape(n_rows, n_columns)
    if n_rows * n_columns == 1:
        return np.array([[ax]], dtype=object)
    if ax.get_subplotspec() is None:
        raise ValueError(
            "one Axes for several pictures must be part of a grid, as plt.subplots "
            "makes it; or give one Axes for each picture."
        )
    ax.set_axis_off()
    parts = ax.get_subplotspec().subgridspec(n_rows, n_columns)
    return parts.subplots(squeeze=False)
