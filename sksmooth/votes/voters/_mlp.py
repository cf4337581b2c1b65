"""The voter for scikit-learn's MLPClassifier: noise drawn behind its first layer.

The first layer, and affine steps before it, turn x + noise into
N(W x + b, W diag(sigma^2) W^T), which is drawn from as many normals as W has rows, or
columns with noise if they are fewer: see ``_linear``. The rest of the net is as it is.
"""

import numpy as np
from scipy.special import expit

from ...models._affine import blanked
from .._voter import CopyingVoter

_ACTIVATIONS = {
    "identity": lambda hidden: None,
    "relu": lambda hidden: np.maximum(hidden, 0, out=hidden),
    "tanh": lambda hidden: np.tanh(hidden, out=hidden),
    "logistic": lambda hidden: expit(hidden, out=hidden),
}


class MLPVoter(CopyingVoter):
    """Counts the votes of a net from what its first layer makes of noisy copies.

    Parameters
    ----------
    layers : Layers
        What ``mlp_layers`` returned.

    classes : ndarray of shape (n_classes,)
        The labels in the order of the counts.

    sigma : ndarray of shape (n_features,)
        Noise level of each feature.
    """

    buffers = ("_normals", "_hidden", "_noise")

    # Where matrix products run at full speed, but stay near the cache.
    batch_bytes = 2**21

    def __init__(self, layers, classes, sigma):
        self.layers = layers
        self.n_classes = len(classes)
        own = {label: place for place, label in enumerate(classes.tolist())}
        self._own = np.array([own[label] for label in layers.classes.tolist()])
        self.dtype = layers.rest[0][0].dtype
        # As in LinearVoter: noise without a matrix that needs to have full rank.
        factor = np.linalg.qr((layers.weights * sigma)[:, sigma > 0].T, mode="r")
        signs = np.where(np.diagonal(factor) < 0, -1.0, 1.0)
        self.factor = (factor * signs[:, None]).astype(self.dtype)

    def take(self, inputs):
        """Be the voter for these inputs."""
        self.X = blanked(inputs.matrix()[0], self.layers.weights)

    @property
    def row_bytes(self):
        widths = [len(weights) for weights, _ in self.layers.rest]
        return self.dtype.itemsize * (sum(self.factor.shape) + sum(widths))

    def allocate(self, size):
        """Make room for a batch of `size` noisy copies."""
        rank, width = self.factor.shape
        self._normals = np.empty((size, rank), self.dtype)
        self._hidden = np.empty((size, width), self.dtype)
        self._noise = None
        self._row = None
        return size

    def fill(self, start, stop, row, stream):
        """Put the first layer of noisy copies of input `row` into the batch."""
        hidden = self._hidden[start:stop]
        self._make_noise(stream, hidden)
        hidden += self._clean(row)

    def draw(self, stream, size):
        """Make the noise of the next `size` copies of all inputs."""
        if self._noise is None:
            self._noise = np.empty_like(self._hidden)
        self._make_noise(stream, self._noise[:size])

    def place(self, start, stop, row, first):
        """Put the first layer of copies of input `row` into the batch."""
        noise = self._noise[first : first + stop - start]
        np.add(noise, self._clean(row), out=self._hidden[start:stop])

    def _make_noise(self, stream, out):
        normals = self._normals[: len(out)]
        stream.standard_normal(out=normals)
        np.matmul(normals, self.factor, out=out)

    def _clean(self, row):
        if row != self._row:
            with np.errstate(over="ignore", invalid="ignore"):  # seen by classify
                first = self.layers.weights @ self.X[row] + self.layers.offset
                self._row, self._first = row, first.astype(self.dtype)
        return self._first

    def classify(self, size):
        """Return the class index of each of the first `size` copies."""
        hidden = self._hidden[:size]
        with np.errstate(over="ignore", invalid="ignore"):
            for weights, offset in self.layers.rest:
                _ACTIVATIONS[self.layers.activation](hidden)
                hidden = hidden @ weights
                hidden += offset
        if not np.all(np.isfinite(hidden)):
            raise ValueError(
                f"x + noise makes MLPClassifier overflow {self.dtype}: scale X (and "
                "sigma) down."
            )
        if hidden.shape[1] == 1:
            winner = (hidden[:, 0] > 0).astype(np.intp)
        else:
            winner = hidden.argmax(axis=1)
        return self._own[winner]
