"""Packs noisy copies of many inputs into batches and counts the classes."""

import sys
import warnings
from collections import deque
from dataclasses import dataclass
from functools import partial
from itertools import compress
from numbers import Integral
from typing import NamedTuple

import numpy as np
from joblib import effective_n_jobs
from joblib.parallel import get_active_backend
from sklearn.utils.parallel import Parallel, delayed
from tqdm.auto import tqdm

from ._any import AnyVoter
from ._linear import LinearVoter, linear_scores
from ._nets import as_net_takes, direct, find_net
from ._noise import stream_key

# Where rows are tiny, more of them in one batch gain nothing.
_MAX_AUTO_ROWS = 65_536


def make_voter(estimator, classes, inputs, net_options=None):
    """Return the fastest voter that is exact in distribution for `estimator`.

    What a net's options ask for has been settled by ``settle``.
    """
    scores = linear_scores(estimator)
    matrix = inputs.matrix() if scores is not None else None
    if matrix is not None:
        return LinearVoter(*scores, *matrix)
    net, values, sigma, reason = direct(estimator, inputs)
    if net is None:
        return AnyVoter(estimator, classes, inputs)
    # Torch has been imported if there is a net.
    from . import _torch, _torch_net

    if reason is None:
        return _torch.make(
            net, classes, values, sigma, inputs.origin, net_options, grid=inputs.grid
        )
    inputs = inputs.as_dtype(as_net_takes(estimator, inputs.values).dtype)
    estimator = _torch_net.with_net(estimator, _torch_net.silenced)
    return AnyVoter(estimator, classes, inputs)


def settle(estimator, classes, inputs, net_options, say):
    """Decide once, for all workers, how a net is evaluated.

    Parameters
    ----------
    net_options : dict or None

    say : callable
        Takes what the user may want to know, in words.

    Returns
    -------
    net_options : dict or None
        Without "auto".

    Raises
    ------
    ValueError
        If there are options, but `estimator` is no net or must be asked through
        `predict`.
    """
    net, values, _, reason = direct(estimator, inputs)
    if net is None:
        reason = f"{type(estimator).__name__} does not end in a neural net"
    if reason is None:
        from . import _net_modes

        return _net_modes.settle(net, classes, values, net_options, say)
    if net_options:
        raise ValueError(f"net_options={net_options!r} cannot be used: {reason}.")
    if net is not None:
        say(f"votes are taken through predict, which is slower: {reason}.")
    return None


class Votes(NamedTuple):
    """What was counted, and what the stopping rule made of it."""

    counts: np.ndarray  # int64, (n_inputs, n_classes)
    n_used: np.ndarray  # int64, (n_inputs,): votes drawn for each input
    value: np.ndarray | None  # (n_inputs, ...): the rule's largest over the looks


def count_votes(
    estimator,
    classes,
    inputs,
    rule,
    *,
    entropy,
    purpose,
    batch_size="auto",
    net_options=None,
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

    rule : int or stopping rule
        An int draws as many votes for every input. A rule has ``looks``, the numbers
        of votes at which it is asked, ``empty`` (the value before the first look) and
        ``take(rows)``; ``rule(look, rows, counts)`` returns (value, settled) for the
        inputs that have reached these looks. A settled input gets no more votes; the
        largest of an input's values is kept.

    entropy : int
        128 bits that key all noise.

    purpose : str
        Which of the independent families of streams to use.

    batch_size : int or "auto", default="auto"
        Noisy copies held at a time.

    net_options : dict, default=None
        How a net is evaluated, see ``SmoothedClassifier``.

    n_jobs : int, default=None
        Workers, each over its own share of the rows.

    verbose : int, default=0
        1 or more shows a progress bar.

    Returns
    -------
    votes : Votes
        The same for any `batch_size` and `n_jobs`.
    """
    n_inputs = len(inputs)
    n_jobs = min(effective_n_jobs(n_jobs), n_inputs)
    # A few shares a worker, so that none waits long for the last.
    n_shares = 1 if n_jobs == 1 else min(n_inputs, 4 * n_jobs)
    edges = np.linspace(0, n_inputs, n_shares + 1).astype(int).tolist()
    settings = {"entropy": entropy, "purpose": purpose, "batch_size": batch_size}
    with (
        tqdm(total=n_inputs, desc=purpose, unit="input", disable=not verbose) as bar,
        warnings.catch_warnings(),
    ):
        # Said once, when X was validated; not again for every batch. Set here and not
        # in the workers, because threads share the filters; Parallel hands them on.
        for message in ("X has feature names", "X does not have valid feature names"):
            warnings.filterwarnings("ignore", message=message)
        say = partial(bar.write, file=sys.stderr) if verbose else _hush
        settings["net_options"] = settle(estimator, classes, inputs, net_options, say)
        if n_jobs == 1:
            return _count(estimator, classes, inputs, rule, **settings, progress=bar)
        parts = []
        rows = [slice(*pair) for pair in zip(edges[:-1], edges[1:], strict=True)]
        backend, _ = get_active_backend()
        as_they_come = backend.supports_return_generator
        shares_memory = getattr(backend, "supports_sharedmem", False)
        if find_net(estimator) is not None and not shares_memory:
            from . import _torch_net

            estimator = _torch_net.with_net(estimator, _torch_net.packed)
        shares = Parallel(
            n_jobs=n_jobs, return_as="generator" if as_they_come else "list"
        )(
            delayed(_count)(
                estimator,
                classes,
                inputs.take(some),
                rule if isinstance(rule, Integral) else rule.take(some),
                **settings,
            )
            for some in rows
        )
        for share in shares:
            parts.append(share)
            bar.update(len(share.counts))
    fields = zip(*parts, strict=True)
    return Votes(*(None if f[0] is None else np.concatenate(f) for f in fields))


def _hush(message):
    """Say nothing."""


def _count(
    estimator,
    classes,
    inputs,
    rule,
    *,
    entropy,
    purpose,
    batch_size,
    net_options=None,
    progress=None,
):
    """Count votes in this process: fill a batch, classify it, tally, ask the rule."""
    voter = make_voter(estimator, classes, inputs, net_options)
    n_inputs, n_classes = len(inputs), len(classes)
    fixed = isinstance(rule, Integral)
    looks = np.array([rule]) if fixed else rule.looks
    value = None if fixed else rule.empty
    if batch_size == "auto":
        batch_size = max(1, min(voter.batch_bytes // voter.row_bytes, _MAX_AUTO_ROWS))
    batch_size = min(batch_size, n_inputs * int(looks[-1]))
    batch_size = voter.allocate(batch_size)
    counts = np.zeros((n_inputs, n_classes), np.int64)
    n_used = np.zeros(n_inputs, np.int64)
    # Inputs under way come before new ones, so that few streams are open at a time.
    under_way = deque()
    new = (
        _UnderWay(row, voter.open(stream_key(entropy, purpose, content)), 0, looks[0])
        for row, content in enumerate(inputs.contents())
    )
    while True:
        # A row is in a batch at most once: what has reached its look has to wait.
        drawn, arrived, filled = [], [], 0
        while filled < batch_size:
            one = under_way.popleft() if under_way else next(new, None)
            if one is None:
                break
            size = min(batch_size - filled, one.missing)
            voter.fill(filled, filled + size, one.row, one.stream)
            filled += size
            drawn.append((one.row, size))
            one.missing -= size
            if one.missing:
                under_way.appendleft(one)
            else:
                arrived.append(one)
        if not drawn:
            return Votes(counts, n_used, value)
        rows, sizes = np.transpose(drawn)
        counts[rows] += voter.tally(sizes)
        n_used[rows] += sizes
        if not arrived:
            continue
        look = np.array([one.look for one in arrived])
        settled = look == len(looks) - 1
        if not fixed:
            rows = np.array([one.row for one in arrived])
            now, enough = rule(look, rows, counts[rows])
            value[rows] = np.maximum(value[rows], now)
            settled |= enough
        for one in compress(arrived, ~settled):
            one.look += 1
            one.missing = looks[one.look] - looks[one.look - 1]
            under_way.append(one)
        if progress is not None:
            progress.update(int(settled.sum()))


@dataclass(slots=True)
class _UnderWay:
    """An input that is being voted on."""

    row: int
    stream: object
    look: int
    missing: int  # votes up to its next look
