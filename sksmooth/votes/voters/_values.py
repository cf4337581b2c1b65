"""Voters that do not count: they return the numbers that `predict` answers."""

import numpy as np

from ._predict import AnyVoter, asked
from ._sparse import SparseVoter


class ValuesVoter(AnyVoter):
    """Asks `estimator.predict` for numbers.

    Parameters
    ----------
    estimator : fitted regressor

    dtype : floating-point dtype
        In which `estimator` takes noisy copies.
    """

    def __init__(self, estimator, dtype):
        super().__init__(estimator, np.empty(0), dtype)

    def _by_predict(self, estimator, X, size):
        return as_values(estimator, asked(estimator, X, "noisy copies"), size)


class SparseValuesVoter(ValuesVoter, SparseVoter):
    """Asks it about sparse noisy copies."""

    dense = False


def as_values(estimator, answers, size):
    """Return what a regressor answered as floats of shape (size, n_outputs).

    Raises
    ------
    ValueError
        If it is not of real numbers, of another shape, or holds NaN, which is in no
        order.
    """
    found = np.asarray(answers)
    try:
        if found.dtype.kind not in "biufO":
            raise TypeError  # text that reads like numbers, complex numbers, times
        values = found.astype(float)
    except (TypeError, ValueError):
        raise ValueError(
            f"{type(estimator).__name__}.predict returned {found.ravel()[:1].tolist()} "
            f"..., of dtype {found.dtype}, where real numbers are needed."
        ) from None
    if values.ndim not in (1, 2) or len(values) != size or 0 in values.shape[1:]:
        raise ValueError(
            f"{type(estimator).__name__}.predict returned an array of shape "
            f"{values.shape} for {size} inputs; one number each, or one row of "
            "numbers, is needed."
        )
    if np.isnan(values.min(initial=0)):
        raise ValueError(
            f"{type(estimator).__name__}.predict returned NaN for a noisy copy, which "
            "is neither below nor above any number: no quantile is known."
        )
    return values.reshape(size, -1)
