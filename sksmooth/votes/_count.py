"""Packs noisy copies of many inputs into batches and counts the classes."""

import time
import warnings
from collections import deque
from contextlib import nullcontext
from dataclasses import dataclass
from itertools import compress
from numbers import Integral
from typing import NamedTuple

import numpy as np
from joblib import effective_n_jobs, parallel_config

from .._seeding import seeded_votes
from ..models._find_nets import nets_in, with_nets
from ..models._linear import linear_scores
from ..models._mlp import mlp_layers
from ..models._net_labels import numbers_for_labels
from ..models._nets import Settled, as_predict_takes, direct
from ..models._ties import layer_ties, linear_ties
from ..models._trees import compiled
from ..models._unwrap import unwrap
from ..noise._streams import SHARED, stream_key
from ._shared import count_shared
from .run._progress import Progress
from .run._store import Ledger
from .run._workers import (
    Chunks,
    run_chunks,
    share,
    shares_memory,
)
from .voters._linear import LinearVoter
from .voters._mlp import MLPVoter
from .voters._predict import AnyVoter
from .voters._trees import TreesVoter, has_kernel

# Where rows are tiny, more of them in one batch gain nothing.
_MAX_AUTO_ROWS = 65_536


def make_voter(estimator, classes, inputs, net_options=None):
    """Return the fastest voter that is exact in distribution for `estimator`.

    What a net's options ask for has been settled by ``settle``.
    """
    chain = unwrap(estimator)
    voter = _without_noisy_inputs(chain, classes, inputs)
    if voter is not None:
        return voter
    net, fed, reason = direct(chain, inputs, net_options)
    if net is not None and reason is None:
        from .voters import _net as _torch

        return _torch.make(net, classes, fed, inputs.origin, net_options)
    if nets_in(estimator):
        classes = numbers_for_labels(estimator, classes)
        estimator, inputs = as_predict_takes(estimator, inputs)
        chain = unwrap(estimator)
    if has_kernel() and inputs.frame is None and inputs.values.ndim == 2:
        model = compiled(chain)
        if model is not None:
            return TreesVoter(estimator, classes, inputs, model)
    return AnyVoter(estimator, classes, inputs)


def _without_noisy_inputs(chain, classes, inputs):
    """Return a voter that draws what noise makes of the inputs, or None."""
    scores, layers = linear_scores(chain), mlp_layers(chain)
    matrix = None
    if scores is not None or layers is not None:
        matrix = inputs.matrix()
    if matrix is None:
        return None
    sigma = matrix[1]
    if scores is not None:
        return None if linear_ties(*scores, sigma) else LinearVoter(*scores, *matrix)
    if layer_ties(layers.weights, sigma):
        return None
    return MLPVoter(layers, classes, *matrix)


def settle(estimator, classes, inputs, net_options, say):
    """Decide once, for all workers, how a net is evaluated.

    Parameters
    ----------
    net_options : dict, Settled or None

    say : callable
        Takes what the user may want to know, in words.

    Returns
    -------
    net_options : Settled, or None if `estimator` does not end in a net

    Raises
    ------
    ValueError
        If there are options, but `estimator` is no net or must be asked through
        `predict`.
    """
    if isinstance(net_options, Settled):
        return net_options
    net, fed, reason = direct(unwrap(estimator), inputs, net_options)
    if net is None:
        reason = f"{type(estimator).__name__} does not end in a neural net"
    if reason is None:
        from ..models import _net_modes

        return _net_modes.settle(net, classes, fed, net_options, say)
    # To draw no noise behind a step is what predict does anyway.
    if net_options and (net is None or set(net_options) != {"push_forward"}):
        raise ValueError(f"net_options={net_options!r} cannot be used: {reason}.")
    if net is None:
        return None
    say(f"votes are taken through predict, which is slower: {reason}.")
    return Settled(mode="eager", dtype=None, channels_last=False, push_forward=False)


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
    noise="independent",
    batch_size="auto",
    net_options=None,
    n_jobs=None,
    verbose=0,
    store=None,
    before=None,
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
        largest of an input's values is kept. With a store, it also has ``questions()``.

    entropy : int
        128 bits that key all noise.

    purpose : str
        Which of the independent families of streams to use.

    noise : {"independent", "shared"}, default="independent"
        Does each input have noise of its own, or do all have the same?

    batch_size : int or "auto", default="auto"
        Noisy copies held at a time.

    net_options : dict or Settled, default=None
        How a net is evaluated, see ``SmoothedClassifier``; or what ``settle`` returned
        for the same estimator and sigma, to have that decided once for several draws.

    n_jobs : int, default=None
        Workers, which get the rows in chunks.

    verbose : int, default=0
        1 or more shows a progress bar.

    store : VoteStore, default=None
        Where votes are read from and written to, once a second or after each chunk.

    before : callable, default=None
        Called without arguments if any votes have to be drawn.

    Returns
    -------
    votes : Votes
        The same for any `batch_size`, `n_jobs` and state of the store.
    """
    votes = _no_votes(len(inputs), len(classes), rule)
    rows, keys, ledger = np.arange(len(inputs)), None, None
    if store is not None:
        keys = [stream_key(entropy, purpose, one) for one in inputs.contents()]
        ledger = Ledger(store, keys, rule, votes)
        rows = ledger.missing()
    if before is not None and len(rows):
        before()
    with (
        Progress(len(inputs), len(inputs) - len(rows), purpose, verbose) as bar,
        ledger or nullcontext(),
        warnings.catch_warnings(),
        seeded_votes(estimator, entropy, purpose, inputs.take(rows[:1])),
    ):
        if not len(rows):
            return votes
        # Said once, when X was validated; not again for every batch. Set here and not
        # in the workers, because threads share the filters; Parallel hands them on.
        for message in ("X has feature names", "X does not have valid feature names"):
            warnings.filterwarnings("ignore", message=message)
        settings = {
            "classes": classes,
            "entropy": entropy,
            "purpose": purpose,
            "noise": noise,
            "batch_size": batch_size,
            "net_options": settle(estimator, classes, inputs, net_options, bar.say),
        }

        def by_others(row):
            """Another process may have been faster."""
            found = ledger is not None and ledger.read(row)
            if found:
                bar.update(1, 0)
            return found

        def report(rows, n_votes):
            bar.update(len(rows), n_votes)
            if ledger is not None:
                ledger.finished(rows)

        n_jobs = min(effective_n_jobs(n_jobs), len(rows))
        chunks = Chunks(rows, n_jobs, rule if _is_fixed(rule) else rule.looks[0])
        if n_jobs == 1:
            # All inputs under shared noise are settled together, those of a chunk.
            parts = [rows] if ledger is None or noise == "independent" else chunks
            for part in parts:
                todo = None
                if ledger is not None:
                    todo = ((row, keys[row]) for row in part if not by_others(row))
                work = {"todo": todo, "votes": votes, "report": report}
                start = time.perf_counter()
                _count(estimator, inputs=inputs, rule=rule, **settings, **work)
                chunks.took(len(part), time.perf_counter() - start)
            return votes
        one = inputs.take(slice(0, 1))
        voter = make_voter(estimator, classes, one, settings["net_options"])
        with parallel_config(prefer=voter.prefer):  # a backend that is named wins
            shared = share((_packed(estimator), settings))
            parts = run_chunks(_count, shared, inputs, rule, chunks, by_others)
            for some, part in parts:
                _put(part, votes, some)
                report(some, int(part.n_used.sum()))
    return votes


def _is_fixed(rule):
    return isinstance(rule, Integral)


def _no_votes(n_inputs, n_classes, rule):
    return Votes(
        np.zeros((n_inputs, n_classes), np.int64),
        np.zeros(n_inputs, np.int64),
        None if _is_fixed(rule) else rule.empty,
    )


def _put(part, votes, rows):
    """Copy the votes of some rows to their place."""
    for source, target in zip(part, votes, strict=True):
        if target is not None:
            target[rows] = source


def _packed(estimator):
    """Return what becomes `estimator` in a worker, if workers are processes."""
    if not nets_in(estimator) or shares_memory():
        return estimator
    from ..models import _torch_net

    return with_nets(estimator, _torch_net.packed)


def _count(
    estimator,
    classes,
    inputs,
    rule,
    *,
    entropy,
    purpose,
    batch_size,
    noise="independent",
    net_options=None,
    todo=None,
    votes=None,
    report=None,
):
    """Count votes in this process: fill a batch, classify it, tally, ask the rule.

    `todo` yields the rows that are wanted, all by default, with their noise keys. Their
    votes are put into `votes`. ``report(rows, n_votes)`` is told, after each batch,
    which rows are settled and how many votes were drawn.
    """
    voter = make_voter(estimator, classes, inputs, net_options)
    n_inputs = len(inputs)
    fixed = _is_fixed(rule)
    looks = np.array([rule]) if fixed else rule.looks
    if batch_size == "auto":
        batch_size = max(1, min(voter.batch_bytes // voter.row_bytes, _MAX_AUTO_ROWS))
    batch_size = min(batch_size, n_inputs * int(looks[-1]))
    batch_size = voter.allocate(batch_size)
    if votes is None:
        votes = _no_votes(n_inputs, len(classes), rule)
    counts, n_used, value = votes
    if todo is None:
        todo = enumerate(stream_key(entropy, purpose, one) for one in inputs.contents())
    if noise == "shared":
        rows = np.array([row for row, _ in todo], int)
        stream = voter.open(stream_key(entropy, purpose, SHARED))
        count_shared(voter, rows, rule, votes, stream, batch_size, report)
        return votes
    # Inputs under way come before new ones, so that few streams are open at a time.
    under_way = deque()
    new = (_UnderWay(row, voter.open(key), 0, looks[0]) for row, key in todo)
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
            return votes
        rows, sizes = np.transpose(drawn)
        counts[rows] += voter.tally(sizes)
        n_used[rows] += sizes
        rows = np.array([one.row for one in arrived], int)
        settled = np.ones(len(rows), bool)
        if len(rows) and not fixed:
            look = np.array([one.look for one in arrived])
            now, settled = rule(look, rows, counts[rows])
            value[rows] = np.maximum(value[rows], now)
            settled = settled | (look == len(looks) - 1)
        for one in compress(arrived, ~settled):
            one.look += 1
            one.missing = looks[one.look] - looks[one.look - 1]
            under_way.append(one)
        if report is not None:
            report(rows[settled], filled)


@dataclass(slots=True)
class _UnderWay:
    """An input that is being voted on."""

    row: int
    stream: object
    look: int
    missing: int  # votes up to its next look
