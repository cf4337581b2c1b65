"""A classifier and inputs, made ready once for a call: every draw of votes is from it.

What the classifier is gets recognised once, and its voter serves every draw, in every
chunk that a worker gets.
"""

import sys
import time
import warnings
from contextlib import contextmanager, nullcontext
from functools import cached_property

import numpy as np
from joblib import effective_n_jobs, parallel_config
from tqdm.auto import tqdm

from .._seeding import seeded_votes
from ..models._find_nets import nets_in, with_nets
from ..noise._streams import SHARED, stream_key, stream_keys
from ._company import depends_on_company, why_no_certificate
from ._count import Asked, Votes, count
from ._recognise import recognise
from .run._progress import Progress
from .run._store import Ledger
from .run._workers import Chunks, run_chunks
from .voters._predict import AnyVoter

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
        self._doubts = []  # that the user has not been told of

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
    def _voter(self):
        return self.recognised.voter.on(self.inputs)

    @cached_property
    def _depends_on_company(self):
        return depends_on_company(
            self.recognised, self.classes, self.inputs, self._doubts
        )

    @cached_property
    def keys(self):
        """Noise keys by purpose: a list of bytes with one for each input."""
        return stream_keys(self.entropy, self.purposes, self.inputs.contents())

    def first_equal(self):
        """Return, for each input, the place of the first one that equals it."""
        seen = {}
        keys = self.keys[self.purposes[0]]
        return np.array([seen.setdefault(key, row) for row, key in enumerate(keys)])

    def of(self, rows):
        """Return the voting on some of the inputs."""
        twin = object.__new__(Voting)
        vars(twin).update(vars(self), inputs=self.inputs.take(rows))
        for name in ("keys", "_voter"):
            vars(twin).pop(name, None)
        return twin

    def draw(self, purpose, rule, store=None):
        """Count the classes that are predicted on noisy copies of each input.

        Parameters
        ----------
        purpose : str
            One of the purposes.

        rule : int or stopping rule
            See ``Asked``.

        store : VoteStore, default=None
            Where votes are read from and written to, once a second or after each chunk.

        Returns
        -------
        votes : Votes
            The same for any batch size, number of workers and state of the store.

        Raises
        ------
        ValueError
            If answers depend on the other inputs of a batch, and votes have to be
            drawn: nothing can be certified by them. To predict, that is a warning.
        """
        n_inputs = len(self.inputs)
        votes = self._none(n_inputs, rule)
        rows, ledger, bar = np.arange(n_inputs), None, None
        if store is not None:
            ledger = Ledger(store, self.keys[purpose], rule, votes)
            rows = ledger.missing()
        if len(rows):
            self._check_company(purpose)
        if self.verbose:
            bar = Progress(n_inputs, n_inputs - len(rows), purpose)
        with bar or nullcontext(), ledger or nullcontext():
            if len(rows):
                self._draw(purpose, rule, rows, votes, ledger, bar)
        return votes

    def _none(self, n_inputs, rule):
        """Return room for what is drawn for some inputs."""
        return Votes.none(n_inputs, len(self.classes), rule)

    def _check_company(self, purpose):
        depends = self._depends_on_company
        while self._doubts:
            warnings.warn(self._doubts.pop(), UserWarning, stacklevel=5)
        if not depends:
            return
        message = why_no_certificate(self.estimator)
        if purpose != "predict":
            raise ValueError(f"no certificate holds here: {message}")
        warnings.warn(message, UserWarning, stacklevel=5)

    def _draw(self, purpose, rule, rows, votes, ledger, bar):
        """Count the votes on some rows, in this process or in workers."""

        def is_done(row):
            """Another process may have been faster."""
            found = ledger is not None and ledger.read(row)
            if found and bar is not None:
                bar.update(1, 0)
            return found

        def report(rows, n_votes):
            if bar is not None:
                bar.update(len(rows), n_votes)
            if ledger is not None:
                ledger.finished(rows)

        n_jobs = min(effective_n_jobs(self.n_jobs), len(rows))
        self._expected = Asked(rule).usual * len(rows) / n_jobs  # votes of a worker
        with self._quietly(purpose, rows):
            if n_jobs > 1:
                self._share_out(purpose, rule, rows, votes, n_jobs, is_done, report)
                return
            if self.recognised.voter.expect(self._expected):
                vars(self).pop("_voter", None)
            keys, asked = self.keys[purpose], Asked(rule)
            # All inputs under shared noise are settled together, those of a chunk.
            in_chunks = self.shared_noise and ledger is not None
            chunks = Chunks(rows, 1, int(asked.looks[0])) if in_chunks else [rows]
            for part in chunks:
                start = time.perf_counter()
                todo = ((row, keys[row]) for row in part)
                if ledger is not None:
                    todo = (one for one in todo if not is_done(one[0]))
                self._count(self._voter, purpose, asked, todo, votes, report)
                if in_chunks:
                    chunks.took(len(part), time.perf_counter() - start)

    @contextmanager
    def _quietly(self, purpose, rows):
        """Draw without warnings of every batch; what is random draws by the key."""
        if self.recognised.plain and not isinstance(self.recognised.voter, AnyVoter):
            yield
            return
        seeded = nullcontext()
        if self.recognised.has_nets:
            seeded = seeded_votes(self.entropy, purpose, self.inputs, rows)
        # Said once, when X was validated. Set here and not in the workers, because
        # threads share the filters; Parallel hands them on.
        with warnings.catch_warnings(), seeded:
            for text in ("X has feature names", "X does not have valid feature names"):
                warnings.filterwarnings("ignore", message=text)
            yield

    def _share_out(self, purpose, rule, rows, votes, n_jobs, is_done, report):
        keys = self.keys[purpose]

        def chunk(rows):
            return self.inputs.take(_as_slice(rows)), [keys[row] for row in rows]

        chunks = Chunks(rows, n_jobs, int(Asked(rule).looks[0]))
        shared = self, purpose, rule
        prefer = self.recognised.voter.prefer
        with parallel_config(prefer=prefer):  # a backend that is named wins
            for some, part in run_chunks(work, shared, chunk, chunks, is_done):
                votes.put(part, some)
                report(some, int(part.n_used.sum()))

    def _count(self, voter, purpose, asked, todo, votes, report=None):
        shared = self._shared_key(purpose)
        count(voter, asked, todo, votes, self.batch_size, shared, report)

    def _shared_key(self, purpose):
        """Return the key of the noise of all inputs, None if each has its own."""
        if not self.shared_noise:
            return None
        return stream_key(self.entropy, purpose, SHARED)

    def __getstate__(self):
        """Travel to another process: rows come in chunks, and the voter is made there.

        How a net is evaluated has been decided, but for what depends on the votes.
        """
        state = vars(self) | {"inputs": self.inputs.take(slice(_EXAMPLES))}
        for name in ("keys", "_voter"):
            state.pop(name, None)
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
    votes = voting._none(len(rows), rule)
    voter = voting.recognised.voter
    voter.expect(voting._expected)
    voter = voter.on(inputs)
    voting._count(voter, purpose, Asked(rule, rows), enumerate(keys), votes)
    return votes


def _as_slice(rows):
    """Return rows as a slice if they are neighbours, which needs no copy."""
    first, last = int(rows[0]), int(rows[-1])
    neighbours = last - first == len(rows) - 1 and np.all(np.diff(rows) == 1)
    return slice(first, last + 1) if neighbours else rows
