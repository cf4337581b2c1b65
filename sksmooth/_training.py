"""Noisy training sets."""

from collections import Counter

import numpy as np

from .noise._streams import stream_key


def noisy_training_set(inputs, n_copies, entropy):
    """Return `n_copies` noisy copies of every input, and the row each came from.

    Parameters
    ----------
    inputs : Inputs
        The clean training inputs.

    n_copies : int
        How many copies; 0 returns the inputs as they are.

    entropy : int
        See ``stream_key``; the purpose is "train".

    Returns
    -------
    X : container like the one the user passed, n_copies * len(inputs) rows
        All first copies, then all second ones, and so on.

    rows : ndarray of int
        Index of the clean input behind each row of X.
    """
    n_inputs = len(inputs)
    if n_copies == 0:
        # A copy: what the estimator does to its input must not reach the user's X.
        rows = np.arange(n_inputs)
        return inputs.assemble(inputs.values.copy(), rows), rows
    if inputs.is_sparse:
        return _sparse_training_set(inputs, n_copies, entropy)
    noisy = np.empty((n_copies, *inputs.values.shape), inputs.values.dtype)
    copies = np.empty((n_copies, *inputs.values.shape[1:]), inputs.values.dtype)
    noise = inputs.noise
    contents = inputs.contents()
    if inputs.noise.is_discrete:
        contents = _told_apart(contents)
    for row, content in enumerate(contents):
        stream = noise.open(stream_key(entropy, "train", content))
        noise.copies(inputs.values[row], stream, copies)
        noisy[:, row] = copies
    rows = np.tile(np.arange(n_inputs), n_copies)
    flat = noisy.reshape(n_copies * n_inputs, *inputs.values.shape[1:])
    return inputs.assemble(flat, rows), rows


def _sparse_training_set(inputs, n_copies, entropy):
    """Do what ``noisy_training_set`` does, without a dense copy."""
    noise, values = inputs.noise, inputs.values
    n_inputs, n_features = values.shape
    lengths, places = np.empty((n_inputs, n_copies), np.int64), []
    for row, content in enumerate(_told_apart(inputs.contents())):
        stream = noise.open(stream_key(entropy, "train", content))
        ones = values.indices[values.indptr[row] : values.indptr[row + 1]]
        indptr, indices = noise.sparse_copies(ones, n_features, stream, n_copies)
        lengths[row] = np.diff(indptr)
        places.append(indices)
    # Row by row as drawn; then all first copies, all second ones, and so on.
    indptr = np.append(0, lengths.ravel().cumsum())
    indices = np.concatenate([np.empty(0, np.int64), *places])
    ones = np.ones(len(indices), values.dtype)
    shape = (n_inputs * n_copies, n_features)
    copies = type(values)((ones, indices, indptr), shape=shape)
    order = np.arange(n_inputs * n_copies).reshape(n_inputs, n_copies).T.ravel()
    return copies[order], np.tile(np.arange(n_inputs), n_copies)


def _told_apart(contents):
    """Yield contents that differ from row to row.

    Of categories and flags there are few, so many rows are equal. If all of these had
    the same noise, the training set could lack what noise makes of them.
    """
    seen = Counter()
    for content in contents:
        yield content + b"again %d" % seen[content] if seen[content] else content
        seen[content] += 1
