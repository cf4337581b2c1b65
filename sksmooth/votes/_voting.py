"""A classifier and inputs, made ready once for a call: every draw of votes is from it.

What the classifier is gets recognised once, and its voter serves every draw, in every
chunk that a worker gets.
"""

import sys
import time
import warnings
from contextlib import nullcontext
from functools import cached_property

import numpy as np
from joblib import effective_n_jobs, parallel_config
from tqdm.auto import tqdm

from .._seeding import seeded_votes
from ..models._find_nets import nets_in, with_nets
from ..noise._streams import SHARED, stream_key
from ._company import depends_on_company
from ._count import Asked, Votes, count
from ._recognise import recognise
from .run._progress import Progress
from .run._store import Ledger
from .run._workers import Chunks, run_chunks

# Inputs of which some are enough to find out how a net is evaluated.
_EXAMPLES = 16


class Voting:
    """Draws votes: how often each class is predicted on noisy copies of each input.

    Parameters
    ----------
    estimator : fitted classifier

    classes : ndarray of shape (n_classes,)
        The labels that `estimator` may return.

    inputs : Inputs
        Rows, and the noise that they get.

    entropy : int
        128 bits that key all noise.

    purposes : tuple of str
        What votes may be drawn for: families of streams that are independent.

    shared_noise : bool, default=False
        Do all inputs have the same noise, or each its own?

    batch_size : int or "auto", default="auto"
        Noisy copies held at a time.

    net_options : dict or Settled, default=None
        How a net is evaluated, see ``SmoothedClassifier``.

    n_jobs : int, default=None
        Workers, which get the rows in chunks.

    verbose : int, default=0
        1 or more shows a progress bar.
    """

    def __init__(
        self,
        estimator,
        classes,
        inputs,
        *,
        entropy,
        purposes=("select", "estimate"),
        shared_noise=False,
        batch_size="auto",
        net_options=None,
        n_jobs=None,
        verbose=0,
    ):
        self.estimator, self.classes, self.inputs = estimator, classes, inputs
        self.entropy, self.purposes = entropy, purposes
        self.shared_noise, self.batch_size = shared_noise, batch_size
        self.net_options, self.n_jobs, self.verbose = net_options, n_jobs, verbose

    def __repr__(self):  # without the entropy, which is a secret
        return f"Voting({type(self.estimator).__name__}, {len(self.inputs)} inputs)"

    @cached_property
    def recognised(self):
        """What the classifier is, and its voter, which has no inputs yet."""
        some = self.inputs.take(slice(_EXAMPLES))
        return recognise(
            self.estimator, self.classes, some, self.net_options, self._say
        )

    def _say(self, message):
        if self.verbose:
            tqdm.write(message, file=sys.stderr)

    @cached_property
    def depends_on_company(self):
        """Do answers depend on the other inputs of a batch? Then they are no votes."""
        return depends_on_company(
            self.recognised, self.classes, self.inputs, self.net_options
        )

    @cached_property
    def keys(self):
        """Noise keys by purpose: a list of bytes with one for each input."""
        keys = {purpose: [] for purpose in self.purposes}
        for content in self.inputs.contents():
            for purpose in self.purposes:
                keys[purpose].append(stream_key(self.entropy, purpose, content))
        return keys

    def first_equal(self):
        """Return, for each input, the place of the first one that equals it."""
        seen = {}
        keys = self.keys[self.purposes[0]]
        return np.array([seen.setdefault(key, row) for row, key in enumerate(keys)])

    def of(self, rows):
        """Return the voting on some of the inputs."""
        twin = object.__new__(Voting)
        vars(twin).update(vars(self), inputs=self.inputs.take(rows))
        vars(twin).pop("keys", None)
        return twin

    def draw(self, purpose, rule, store=None, before=None):
        """Count the classes that are predicted on noisy copies of each input.

        Parameters
        ----------
        purpose : str
            One of the purposes.

        rule : int or stopping rule
            See ``Asked``.

        store : VoteStore, default=None
            Where votes are read from and written to, once a second or after each chunk.

        before : callable, default=None
            Called without arguments if any votes have to be drawn.

        Returns
        -------
        votes : Votes
            The same for any batch size, number of workers and state of the store.
        """
        n_inputs = len(self.inputs)
        votes = Votes.none(n_inputs, len(self.classes), rule)
        rows, ledger = np.arange(n_inputs), None
        if store is not None:
            ledger = Ledger(store, self.keys[purpose], rule, votes)
            rows = ledger.missing()
        if before is not None and len(rows):
            before()
        with (
            Progress(n_inputs, n_inputs - len(rows), purpose, self.verbose) as bar,
            ledger or nullcontext(),
            warnings.catch_warnings(),
            self._seeded(purpose, rows),
        ):
            if not len(rows):
                return votes
            # Said once, when X was validated; not again for every batch. Set here and
            # not in the workers, because threads share the filters; Parallel hands
            # them on.
            for text in ("X has feature names", "X does not have valid feature names"):
                warnings.filterwarnings("ignore", message=text)

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

            self._draw(purpose, rule, rows, votes, by_others, report)
        return votes

    def _seeded(self, purpose, rows):
        """Return a context in which nets that are random draw what the key says."""
        if not len(rows) or self.recognised.plain:
            return nullcontext()
        return seeded_votes(self.estimator, self.entropy, purpose, self.inputs, rows)

    def _draw(self, purpose, rule, rows, votes, by_others, report):
        """Count the votes on some rows, in this process or in workers."""
        keys, asked = self.keys[purpose], Asked(rule)
        n_jobs = min(effective_n_jobs(self.n_jobs), len(rows))
        chunks = Chunks(rows, n_jobs, int(asked.looks[0]))
        voter = self.recognised.voter
        if n_jobs == 1:
            voter = voter.on(self.inputs)
            # All inputs under shared noise are settled together, those of a chunk.
            for part in chunks if self.shared_noise else [rows]:
                todo = ((row, keys[row]) for row in part if not by_others(row))
                start = time.perf_counter()
                self._count(voter, purpose, asked, todo, votes, report)
                chunks.took(len(part), time.perf_counter() - start)
            return

        def chunk(rows):
            return self.inputs.take(_as_slice(rows)), [keys[row] for row in rows]

        shared = self, purpose, rule
        with parallel_config(prefer=voter.prefer):  # a backend that is named wins
            for some, part in run_chunks(work, shared, chunk, chunks, by_others):
                votes.put(part, some)
                report(some, int(part.n_used.sum()))

    def _count(self, voter, purpose, asked, todo, votes, report=None):
        shared = None
        if self.shared_noise:
            shared = stream_key(self.entropy, purpose, SHARED)
        count(voter, asked, todo, votes, self.batch_size, shared, report)

    def __getstate__(self):
        """Travel to another process: rows come in chunks, and the voter is made there.

        How a net is evaluated has been decided.
        """
        state = vars(self) | {"inputs": self.inputs.take(slice(_EXAMPLES))}
        state.pop("keys", None)
        recognised = state.pop("recognised", None)
        if recognised is not None and recognised.settled is not None:
            state["net_options"] = recognised.settled
        if nets_in(self.estimator):
            from ..models import _torch_net

            state["estimator"] = with_nets(self.estimator, _torch_net.packed)
        return state


def work(shared, rows, chunk):
    """Count the votes on a chunk of rows; what a worker does."""
    (voting, purpose, rule), (inputs, keys) = shared, chunk
    votes = Votes.none(len(rows), len(voting.classes), rule)
    voter = voting.recognised.voter.on(inputs)
    voting._count(voter, purpose, Asked(rule, rows), enumerate(keys), votes)
    return votes


def _as_slice(rows):
    """Return rows as a slice if they are neighbours, which needs no copy."""
    first, last = int(rows[0]), int(rows[-1])
    neighbours = last - first == len(rows) - 1 and np.all(np.diff(rows) == 1)
    return slice(first, last + 1) if neighbours else rows
