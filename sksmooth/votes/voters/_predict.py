"""The voter for any classifier: noisy copies through `predict`."""

from contextlib import contextmanager

import numpy as np

from ..._compiled import warn_without_numba
from ..._errors import in_words
from ...models._nets import as_net_takes
from .._voter import CopyingVoter

# Normals that NumPy draws in the time in which a hundred trees predict once.
_AS_NORMALS = 1000


class AnyVoter(CopyingVoter):
    """Counts what `estimator.predict` answers to noisy copies.

    Parameters
    ----------
    estimator : fitted classifier

    classes : ndarray of shape (n_classes,)
        The labels that `estimator` may return.

    dtype : floating-point dtype
        In which `estimator` takes noisy copies.
    """

    buffers = ("_batch", "_noise")

    # Whether numba would make the votes fast, see ``TreesVoter``.
    lacks_numba = False

    # What `predict` does is not known.
    prefer = "processes"

    # Enough rows to drown the overhead of a call of `predict`, few enough bytes for
    # the cache and for what the estimator allocates on top.
    batch_bytes = 8 * 2**20

    def __init__(self, estimator, classes, dtype):
        self.estimator = estimator
        self.classes = classes
        self.n_classes = len(classes)
        self.dtype = dtype
        self._order = np.argsort(classes, kind="stable")
        self._sorted = classes[self._order]

    def expect(self, n_votes):
        """Say what makes many votes slow, if it can be had; see ``Voter.expect``."""
        if self.lacks_numba:
            warn_without_numba("trees vote", n_votes * _AS_NORMALS)
        return False

    def take(self, inputs):
        """Be the voter for these inputs."""
        self.inputs = inputs.as_dtype(self.dtype)
        self.open = inputs.noise.open

    @property
    def row_bytes(self):
        return self.inputs.row_bytes

    def allocate(self, size):
        """Make room for one batch of `size` noisy copies."""
        values = self.inputs.values
        self._batch = np.empty((size, *values.shape[1:]), values.dtype)
        self._rows = np.empty(size, np.intp)
        self._noise = None
        return size

    def fill(self, start, stop, row, stream):
        """Put noisy copies of input `row` into places start ... stop - 1."""
        x = self.inputs.values[row]
        self.inputs.noise.copies(x, stream, self._batch[start:stop])
        self._rows[start:stop] = row

    def draw(self, stream, size):
        """Make the noise of the next `size` copies of all inputs."""
        if self._noise is None:
            self._noise = np.empty_like(self._batch)
        self.inputs.noise.alone(stream, self._noise[:size])

    def place(self, start, stop, row, first):
        """Put copies of input `row` into places start ... stop - 1."""
        noise = self._noise[first : first + stop - start]
        x = self.inputs.values[row]
        self.inputs.noise.add(x, noise, self._batch[start:stop])
        self._rows[start:stop] = row

    def classify(self, size):
        """Return the class index of each of the first `size` copies."""
        X = self.inputs.assemble(self._batch[:size], self._rows[:size])
        return self._by_predict(self.estimator, X, size)

    def _by_predict(self, estimator, X, size):
        """Return the class indices of what `estimator` makes of `size` copies, X."""
        labels = asked(estimator, X, "noisy copies")
        if labels.shape == (size, 1):
            labels = labels[:, 0]
        if labels.shape != (size,):
            raise ValueError(
                f"{type(estimator).__name__}.predict returned an array of shape "
                f"{labels.shape} for {size} inputs; one label each, shape ({size},), "
                "is needed."
            )
        return self._class_indices(labels)

    def _class_indices(self, labels):
        try:
            place = np.searchsorted(self._sorted, labels)
            place[place == len(self._sorted)] = 0
            unknown = self._sorted[place] != labels
        except TypeError:  # labels that cannot be compared with the classes
            unknown = np.array([label not in self._sorted for label in labels])
        if np.any(unknown):
            raise ValueError(
                f"{type(self.estimator).__name__}.predict returned "
                f"{labels[unknown].tolist()[0]!r}, which is not one of its classes_ "
                f"{self.classes.tolist()!r}."
            )
        return self._order[place]


def asked(estimator, X, what):
    """Return what `estimator` predicts; its errors say that X are `what`."""
    with explaining(estimator, X, what):
        return np.asarray(estimator.predict(X))


@contextmanager
def explaining(estimator, X, what="noisy copies"):
    """Raise what `estimator` raises over X as a RuntimeError that says so."""
    try:
        yield
    except Exception as error:
        shape = X.shape if hasattr(X, "shape") else (len(X),)
        raise RuntimeError(
            f"{type(estimator).__name__}.predict failed on a batch of {shape[0]} "
            f"{what}, of type {type(X).__name__} and shape {shape}: {in_words(error)}"
        ) from error


def check_one_row(estimator, inputs):
    """Let `estimator` predict the first input as it is, to see whether it can."""
    one = copied(estimator, inputs.take(slice(0, 1)))
    asked(estimator, one, "inputs as they are")


def copied(estimator, inputs):
    """Return inputs without noise, in the container that `estimator` takes.

    A copy: what the estimator does to its input must not reach the user's X.
    """
    if inputs.frame is None:
        whole = inputs.assemble(inputs.values.copy(), np.arange(len(inputs)))
        return as_net_takes(estimator, whole)
    return inputs.table.clone().to_native()
