"""Data of zeros and ones, sparse or not."""

import numpy as np
from scipy.sparse import issparse


def check_binary(values):
    """Raise an error unless all values are 0, 1 or missing (NaN).

    Parameters
    ----------
    values : ndarray

    Raises
    ------
    ValueError
        With one of the others.
    """
    other = ~((values == 0) | (values == 1) | (values != values))
    if np.any(other):
        raise ValueError(
            "flips of sparse data are for zeros and ones, but there are "
            f"{np.count_nonzero(other)} other values, such as "
            f"{values[other].flat[0]!r}. Turn counts into flags, X > 0, or choose "
            "another noise."
        )


def as_binary_csr(X):
    """Return a matrix of zeros and ones as CSR, so that the places of ones are known.

    Parameters
    ----------
    X : sparse matrix or array of shape (n_inputs, n_features)

    Returns
    -------
    X : csr_matrix or csr_array, as X is
        Every stored value is a one, and indices are in order. The same object if it was
        so; never written to.

    Raises
    ------
    ValueError
        If another value than 0 and 1 is stored, or one that is missing.
    """
    if not issparse(X) or X.ndim != 2:
        raise ValueError(f"a sparse matrix is needed, got {type(X).__name__}.")
    csr = X.tocsr()
    if not (csr.has_canonical_format and np.all(csr.data)):
        csr = csr.copy()
        csr.sum_duplicates()
        csr.eliminate_zeros()
    if np.any(csr.data != csr.data):
        raise ValueError(
            "values are missing in sparse X, which is for zeros and ones: fill them."
        )
    check_binary(csr.data)
    return csr
