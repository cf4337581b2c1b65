"""Stores of parts of a run made into one."""

import os

from ._store import VoteStore


def merge_stores(paths, out):
    """Merge stores of votes, of parts of the same run, into one.

    Parameters
    ----------
    paths : sequence of path-like
        Stores that ``certify(X, store=path)`` and the like have written with the same
        model, sigma, random state and kind of X; on other machines, say.

    out : path-like
        The store that gets the votes of all of them. Created if it does not exist.

    Returns
    -------
    n_rows : int
        Inputs whose votes `out` did not have before, counting each of several draws
        of one input.

    Raises
    ------
    FileNotFoundError
        If one of `paths` does not exist.

    TypeError
        If `paths` is one path.

    ValueError
        If a file is not a store, or two hold votes of different runs; the message
        tells how they differ.

    RuntimeError
        If a store is damaged or cannot be written. What was merged before is kept.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.linear_model import LogisticRegression
    >>> from sksmooth import SmoothedClassifier, merge_stores
    >>> X, y = load_iris(return_X_y=True)
    >>> f = LogisticRegression(max_iter=1_000).fit(X, y)
    >>> g = SmoothedClassifier(f, random_state=0)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     first, second, both = (Path(folder, name) for name in "12b")
    ...     _ = g.predict(X[:100], store=first)
    ...     _ = g.predict(X[90:], store=second)
    ...     merge_stores([first, second], both)
    149
    """
    if isinstance(paths, (str, bytes, os.PathLike)):
        raise TypeError(
            f"paths must be a sequence of stores, got one, {paths!r}: pass [path, ...]."
        )
    paths = [os.fspath(path) for path in paths]
    for path in paths:
        if not os.path.exists(path):
            raise FileNotFoundError(f"there is no store {path}")
    n_rows = 0
    for path in paths:
        with VoteStore(path) as source, VoteStore(out, source.settings) as target:
            n_rows += target.absorb(source)
    return n_rows
