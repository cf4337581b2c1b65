"""What counts would be with more votes, or fewer."""

import numpy as np

from ._checks import check_votes


def projected_counts(counts, n):
    """Scale each row of votes to the sum n, keeping the shares up to rounding.

    Parameters
    ----------
    counts : ndarray of int of shape (n_inputs, n_classes)

    n : int

    Returns
    -------
    counts : ndarray of int of shape (n_inputs, n_classes)

    Raises
    ------
    ValueError
        If n is not a whole number >= 1.
    """
    if n != int(n) or n < 1:
        raise ValueError(f"n must be a whole number >= 1, got {n!r}.")
    check_votes(n)
    exact = counts / counts.sum(axis=1, keepdims=True) * int(n)
    scaled = np.floor(exact).astype(np.int64)
    # The votes that rounding left over go to the largest remainders.
    left = int(n) - scaled.sum(axis=1, keepdims=True)
    rank = np.argsort(np.argsort(-(exact - scaled), axis=1, kind="stable"), axis=1)
    return scaled + (rank < left)
