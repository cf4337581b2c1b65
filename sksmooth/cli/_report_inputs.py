"""Single inputs on the page of a run, as images or by their first values."""

import click
import numpy as np

from .._summary import round_down
from ._html import Picture, table, tag

# Inputs of each kind that are shown, and their values.
_SHOWN, _MOST_VALUES = 5, 6


def some_inputs(run, X, image_shape):
    """Return tables of the most and the least robust inputs."""
    order = np.argsort(run.radius, kind="stable")
    wrong = run.certified & ~run.right
    groups = [
        ("Certified and wrong, the most robust first", order[::-1], wrong),
        ("Right, the least robust first", order, run.right),
        ("Right, the most robust first", order[::-1], run.right),
        ("Not certified", order, ~run.certified),
    ]
    show = _Shown(X, image_shape)
    body = []
    for title, rows, chosen in groups:
        rows = rows[chosen[rows]][:_SHOWN]
        count = int(np.sum(chosen))
        body.append(tag("h3", f"{title} ({min(_SHOWN, count)} of {count})"))
        if not len(rows):
            body.append(tag("p", "None."))
            continue
        lines = []
        for row in rows:
            one = run.log.iloc[row]
            answer = one["predict"] if run.certified[row] else "none"
            p_lower = round_down(run.entries["p_lower"][row])
            radius = round_down(one["radius"])
            told = [one["idx"], one["label"], answer, radius, p_lower]
            lines.append([*show.images(row), *told, *show.values(row)])
        head = ["input", "label", "answer", "radius", "p_A at least"]
        head = [*show.images_head, *head, *show.values_head]
        body.append(table(head, lines))
    if X is None:
        body.append(
            tag(
                "p",
                "The inputs themselves are shown with --data.",
                **{"class": "small"},
            )
        )
    return body


class _Shown:
    """How an input is shown: as an image, or as its first values."""

    def __init__(self, X, image_shape):
        self._X, self._images = X, None
        self.images_head, self.values_head = [], []
        if X is None:
            return
        if hasattr(X, "columns"):
            self.values_head = [str(name) for name in X.columns[:_MOST_VALUES]]
            return
        self._images = _as_images(X, image_shape)
        if self._images is None:
            n = int(np.prod(X.shape[1:]))
            self.values_head = [f"x{k}" for k in range(n)][:_MOST_VALUES]
            return
        self.images_head = ["image"]
        low, high = float(np.nanmin(X)), float(np.nanmax(X))
        if not 0 <= low <= high <= 1:
            self._images = (self._images - low) / ((high - low) or 1.0)

    def images(self, row):
        if self._images is None:
            return []
        return [Picture(self._images[row], f"input {row}")]

    def values(self, row):
        n = len(self.values_head)
        if not n:
            return []
        is_frame = hasattr(self._X, "columns")
        values = self._X.iloc[row, :n] if is_frame else self._X[row].ravel()[:n]
        return [
            f"{one:.4g}" if isinstance(one, (float, np.floating)) else one
            for one in values
        ]


def _as_images(X, shape):
    """Return inputs of shape (n_inputs, height, width[, 3]), or None if not images."""
    if shape is not None:
        if int(np.prod(shape)) != int(np.prod(X.shape[1:])):
            raise click.UsageError(
                f"--image-shape {'x'.join(map(str, shape))}: inputs have "
                f"{int(np.prod(X.shape[1:]))} values each."
            )
        X = X.reshape(len(X), *shape)
    if X.ndim == 4 and X.shape[1] in (1, 3) and X.shape[3] not in (1, 3):
        X = np.moveaxis(X, 1, -1)
    if X.ndim == 4 and X.shape[3] == 1:
        X = X[..., 0]
    is_image = X.ndim == 3 or (X.ndim == 4 and X.shape[3] == 3)
    return np.asarray(X, float) if is_image else None
