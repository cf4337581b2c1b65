"""The voter for sparse binary inputs: their noisy copies are sparse, too."""

import numpy as np

from ._predict import AnyVoter


class SparseVoter(AnyVoter):
    """Counts what `estimator.predict` answers to sparse noisy copies.

    Inputs have a CSR matrix of zeros and ones as `values`, see ``as_binary_csr``, and
    BoundSparseFlip as `noise`.

    Parameters
    ----------
    estimator : fitted classifier

    classes : ndarray of shape (n_classes,)
        The labels that `estimator` may return.

    dtype : dtype
        Of the ones in what `estimator` gets.

    dense : bool, default=False
        Does `estimator` get arrays? Then a batch is dense just before `predict`.
    """

    buffers = ("_copies", "_noise")

    def __init__(self, estimator, classes, dtype, dense=False):
        super().__init__(estimator, classes, dtype)
        self.dense = dense

    def take(self, inputs):
        """Be the voter for these inputs."""
        self.inputs = inputs
        self.open = inputs.noise.open

    @property
    def row_bytes(self):
        """Size of a copy, as expected of a typical input."""
        n_inputs, n_features = self.inputs.values.shape
        itemsize = np.dtype(self.dtype).itemsize
        p_add, p_del = (one / 2**32 for one in self.inputs.noise.thresholds)
        n_ones = self.inputs.values.nnz / max(1, n_inputs)
        expected = n_ones * (1 - p_del) + (n_features - n_ones) * p_add
        # Indices are drawn as 64 bits, and handed on as they fit. Shared noise has a
        # bit for each feature.
        row_bytes = 8 + int(expected * (2 * 8 + itemsize)) + n_features // 8
        return row_bytes + (n_features * itemsize if self.dense else 0)

    def allocate(self, size):
        """Begin a batch; there is nothing to make room for."""
        self._copies, self._noise = [], None
        return size

    def fill(self, start, stop, row, stream):
        """Put noisy copies of input `row` into places start ... stop - 1."""
        self._put(
            start,
            self.inputs.noise.sparse_copies(
                self._ones(row), self.inputs.values.shape[1], stream, stop - start
            ),
        )

    def draw(self, stream, size):
        """Make the noise of the next `size` copies of all inputs."""
        n_features = self.inputs.values.shape[1]
        self._noise = self.inputs.noise.sparse_alone(n_features, stream, size)

    def place(self, start, stop, row, first):
        """Put copies of input `row` into places start ... stop - 1."""
        copies = range(first, first + stop - start)
        ones = self._ones(row)
        self._put(start, self.inputs.noise.sparse_add(ones, self._noise, copies))

    def _ones(self, row):
        """Return where an input is 1."""
        values = self.inputs.values
        return values.indices[values.indptr[row] : values.indptr[row + 1]]

    def _put(self, start, copies):
        if start == 0:  # batches are filled from the first place on
            self._copies = []
        indptr, indices = copies
        self._copies.append((np.diff(indptr), indices))

    def classify(self, size):
        """Return the class index of each of the first `size` copies."""
        X = self._stacked()
        if X.shape[0] != size:
            raise RuntimeError(f"a batch of {size} copies has {X.shape[0]}.")
        return self._by_predict(self.estimator, X, size)

    def _stacked(self):
        """Return the batch as one matrix, of the kind that the user's X is."""
        lengths = np.concatenate([lengths for lengths, _ in self._copies])
        indices = np.concatenate([indices for _, indices in self._copies])
        n_features = self.inputs.values.shape[1]
        shape = (len(lengths), n_features)
        if self.dense:
            X = np.zeros(shape, self.dtype)
            X[np.repeat(np.arange(len(lengths)), lengths), indices] = 1
            return X
        index = np.int32 if max(len(indices), *shape) < 2**31 else np.int64
        indptr = np.zeros(len(lengths) + 1, index)
        np.cumsum(lengths, out=indptr[1:])
        ones = np.ones(len(indices), self.dtype)
        X = type(self.inputs.values)((ones, indices.astype(index), indptr), shape=shape)
        X.has_canonical_format = True
        return X
