"""Packs noisy copies of many inputs into batches and counts the classes."""

import warnings

import numpy as np
from joblib import effective_n_jobs
from sklearn.utils.parallel import Parallel, delayed
from tqdm.auto import tqdm

from ._any import AnyVoter
from ._linear import LinearVoter, linear_scores
from ._noise import open_stream

# Where rows are tiny, more of them in one batch gain nothing.
_MAX_AUTO_ROWS = 65_536


def make_voter(estimator, classes, inputs):
    """Return the fastest voter that is exact in distribution for `estimator`."""
    scores = linear_scores(estimator)
    matrix = inputs.matrix() if scores is not None else None
    if matrix is not None:
        return LinearVoter(*scores, *matrix)
    return AnyVoter(estimator, classes, inputs)


def count_votes(
    estimator,
    classes,
    inputs,
    n,
    *,
    entropy,
    purpose,
    batch_size="auto",
    n_jobs=None,
    verbose=0,
):
    """Count the classes that `estimator` predicts on noisy copies of each input.

    Parameters
    ----------
    estimator : fitted classifier

    classes : ndarray of shape (n_classes,)
        The labels that `estimator` may return.

    inputs : Inputs
        Rows and their noise level.

    n : int
        Votes per input.

    entropy : int
        128 bits that key all noise.

    purpose : str
        Which of the independent families of streams to use.

    batch_size : int or "auto", default="auto"
        Noisy copies held at a time.

    n_jobs : int, default=None
        Workers, each over its own share of the rows.

    verbose : int, default=0
        1 or more shows a progress bar.

    Returns
    -------
    counts : ndarray of int64 of shape (n_inputs, n_classes)
        The same for any `batch_size` and `n_jobs`. Every row sums to `n`.
    """
    n_inputs = len(inputs)
    n_jobs = min(effective_n_jobs(n_jobs), n_inputs)
    # A few shares a worker, so that none waits long for the last.
    n_shares = 1 if n_jobs == 1 else min(n_inputs, 4 * n_jobs)
    edges = np.linspace(0, n_inputs, n_shares + 1).astype(int)
    settings = {"entropy": entropy, "purpose": purpose, "batch_size": batch_size}
    with tqdm(total=n_inputs, desc=purpose, unit="input", disable=not verbose) as bar:
        if n_jobs == 1:
            return _count(estimator, classes, inputs, n, **settings, progress=bar)
        counts = []
        shares = Parallel(n_jobs=n_jobs, return_as="generator")(
            delayed(_count)(
                estimator, classes, inputs.take(slice(start, stop)), n, **settings
            )
            for start, stop in zip(edges[:-1], edges[1:], strict=True)
        )
        for share in shares:
            counts.append(share)
            bar.update(len(share))
    return np.concatenate(counts)


def _count(
    estimator, classes, inputs, n, *, entropy, purpose, batch_size, progress=None
):
    """Count votes in this process: fill a batch, classify it, tally, repeat."""
    voter = make_voter(estimator, classes, inputs)
    n_inputs, n_classes = len(inputs), len(classes)
    if batch_size == "auto":
        batch_size = max(1, min(voter.batch_bytes // voter.row_bytes, _MAX_AUTO_ROWS))
    batch_size = min(batch_size, n_inputs * n)
    voter.allocate(batch_size)
    counts = np.zeros((n_inputs, n_classes), np.int64)
    # Inputs in turn; the stream of one that did not fit into a batch is kept.
    contents = inputs.contents()
    row, stream, missing = -1, None, 0
    with warnings.catch_warnings():
        # Said once, when X was validated; not again for every batch.
        warnings.filterwarnings("ignore", message="X does not have valid feature names")
        while row < n_inputs - 1 or missing:
            rows, sizes = [], []
            filled = 0
            while filled < batch_size and (row < n_inputs - 1 or missing):
                if not missing:
                    row += 1
                    stream = open_stream(entropy, purpose, next(contents))
                    missing = n
                size = min(batch_size - filled, missing)
                voter.fill(filled, filled + size, row, stream)
                rows.append(row)
                sizes.append(size)
                filled += size
                missing -= size
            winners = voter.classify(filled)
            slots = np.repeat(np.arange(len(rows)) * n_classes, sizes) + winners
            tally = np.bincount(slots, minlength=len(rows) * n_classes)
            # A row is in a batch at most once, so plain indexing adds every count.
            counts[rows] += tally.reshape(len(rows), n_classes)
            if progress is not None:
                progress.update(len(rows) - (missing > 0))
    return counts
