"""What is asked of an estimator, as arrays, and whether two such answers differ.

Rounding is no difference: how much of it there may be is for those who ask
(``_company``).
"""

from zlib import crc32

import numpy as np
from scipy.sparse import csr_array, issparse
from sklearn.ensemble import VotingClassifier
from sklearn.pipeline import make_pipeline

from ..models._by_rows import has_foreign_end, has_foreign_steps
from ..models._unwrap import unwrap

# Columns of a sparse output that are compared; a vectorizer may return millions, of
# which those that are so many apart are added up.
_WIDTH = 4096


def transform_of(estimator):
    """Return what the steps in front of `estimator` make of X, as a callable.

    None if there are none, or none that hold code of others than scikit-learn.
    """
    chain = unwrap(estimator)
    if not has_foreign_steps(chain):
        return None

    def transform(X):
        n_rows = len(X) if not hasattr(X, "shape") else X.shape[0]
        for step in chain.steps:
            X = step.transform(X)
        X = _as_floats(X)
        if len(X) != n_rows:
            raise ValueError("a step changes the number of rows")
        return X

    return transform


def members_of(estimator):
    """Return models that vote, with the steps in front of `estimator`.

    Their scores, and what their own steps return, tell more than the vote does.
    """
    chain = unwrap(estimator)
    if not isinstance(chain.last, VotingClassifier):
        return []
    return [make_pipeline(*chain.steps, member) for member in chain.last.estimators_]


def scores_of(estimator):
    """Return ``predict_proba``, else ``decision_function``, of `estimator`, or None.

    Also None where they tell no more than the steps in front: of a classifier that is
    scikit-learn's own, and holds no other model.
    """
    if not has_foreign_end(unwrap(estimator)):
        return None
    return getattr(
        estimator, "predict_proba", getattr(estimator, "decision_function", None)
    )


def _as_floats(output):
    """Return what a transformer returned as floats, one row for each of X."""
    if issparse(output):
        output, width = output.tocsr(), min(_WIDTH, output.shape[1])
        parts = output.data, output.indices % _WIDTH, output.indptr
        return csr_array(parts, shape=(output.shape[0], width)).toarray()
    if isinstance(output, (list, tuple)):  # perhaps of lists of tokens
        output = np.fromiter(output, object, len(output))
    output = np.asarray(output)
    output = output.reshape(len(output), -1)
    try:
        return output.astype(float)
    except (TypeError, ValueError):
        cells = [_as_float(cell) for cell in output.ravel()]
        return np.array(cells).reshape(output.shape)


def _as_float(cell):
    """Return a number that another text, or list of tokens, is unlikely to have."""
    try:
        return float(cell)
    except (TypeError, ValueError):
        return float(crc32(repr(cell).encode()))


def labels_differ(a, b):
    """Are any labels other ones?"""
    return not np.array_equal(a, b)


def numbers_differ(a, b, tolerance):
    """Do numbers differ by more than `tolerance` of the largest?"""
    a, b = np.asarray(a, float), np.asarray(b, float)
    atol = tolerance * _largest(a)
    return not np.allclose(a, b, rtol=0, atol=atol, equal_nan=True)


def outputs_differ(a, b, tolerance, rounding):
    """Do the numbers of any output differ by more than `tolerance` of their spread?

    Of each output by itself, which has a unit of its own; and by more than `rounding`
    of the largest.
    """
    a, b = (np.asarray(part, float).reshape(len(part), -1) for part in (a, b))
    if np.array_equal(a, b, equal_nan=True):
        return False
    finite = np.isfinite(a)
    low = np.min(a, axis=0, initial=np.inf, where=finite)
    high = np.max(a, axis=0, initial=-np.inf, where=finite)
    largest = np.maximum(np.abs(low), np.abs(high))
    # Where nothing is finite, low is above high.
    atol = np.where(
        low <= high, np.maximum(tolerance * (high - low), rounding * largest), 0
    )
    near = (np.abs(a - b) <= atol) | (a == b) | (np.isnan(a) & np.isnan(b))
    return not np.all(near)


def _largest(numbers):
    return np.abs(numbers[np.isfinite(numbers)]).max(initial=0)


def ranks_differ(a, b, tolerance):
    """Do outputs differ that much, and by more than a positive factor and a constant?

    These change no winner, so that a net may scale by the size of the batch.
    """
    rows = np.any(np.abs(a - b) > tolerance * _largest(a), axis=1)
    return bool(np.any(np.abs(_ranks(a[rows]) - _ranks(b[rows])) > tolerance))


def _ranks(outputs):
    if outputs.shape[1] == 1:
        return np.where(outputs > 0, 1, 0)
    outputs = outputs.astype(float) - outputs.mean(axis=1, keepdims=True, dtype=float)
    return outputs / np.linalg.norm(outputs, axis=1, keepdims=True)
