"""Values in the place of votes: order statistics of f(x + noise) for each input."""

from functools import cached_property
from itertools import islice
from typing import NamedTuple

import numpy as np

from ..models._find_nets import nets_in
from ..models._nets import as_predict_takes
from ..models._unwrap import unwrap
from ._count import allocate
from ._recognise import Recognised
from ._voting import Voting
from .voters._predict import asked, copied
from .voters._values import SparseValuesVoter, ValuesVoter, as_values


class Order(NamedTuple):
    """Which order statistics of n values are wanted.

    Attributes
    ----------
    n : int

    ranks : ndarray of int of shape (n_inputs, n_ranks)
        From 1 to n.
    """

    n: int
    ranks: np.ndarray

    @property
    def looks(self):
        """Numbers of values at which there is something to do: all of them."""
        return np.array([self.n])


class Values(NamedTuple):
    """What was drawn."""

    ordered: np.ndarray  # float, (n_inputs, n_outputs, n_ranks)
    n_used: np.ndarray  # int64, (n_inputs,)

    def put(self, part, rows):
        """Copy the values of some rows to their place."""
        self.ordered[rows], self.n_used[rows] = part


class Valuing(Voting):
    """Draws order statistics of what a regressor predicts on noisy copies.

    Parameters
    ----------
    estimator : fitted regressor

    inputs : Inputs

    **settings : dict
        As in ``Voting``, whose streams, workers and checks these are. A rule is an
        ``Order``, and what is drawn are ``Values``.
    """

    def __init__(self, estimator, inputs, **settings):
        super().__init__(estimator, None, inputs, **settings)

    @cached_property
    def recognised(self):
        """What the regressor is; it is always asked through `predict`."""
        estimator, dtype = self.estimator, self.inputs.values.dtype
        chain = unwrap(estimator)
        if self.inputs.is_sparse:
            return Recognised(estimator, chain, SparseValuesVoter(estimator, dtype))
        has_nets, own = bool(nets_in(estimator)), estimator
        if has_nets:
            own, dtype = as_predict_takes(estimator, dtype)
        voter = ValuesVoter(own, dtype)
        return Recognised(estimator, chain, voter, has_nets=has_nets)

    @cached_property
    def outputs(self):
        """The shape of what the regressor predicts for one input: (), or (m,)."""
        estimator = self.estimator
        first = copied(estimator, self.inputs.take(slice(1)))
        answer = asked(estimator, first, "inputs as they are")
        as_values(estimator, answer, 1)
        return answer.shape[1:]

    @property
    def n_outputs(self):
        """How many numbers it predicts for one input."""
        return int(np.prod(self.outputs))

    def _none(self, n_inputs, rule):
        shape = n_inputs, self.n_outputs, rule.ranks.shape[1]
        return Values(np.empty(shape), np.zeros(n_inputs, np.int64))

    def _count(self, voter, purpose, asked, todo, votes, report=None):
        """Draw the values of all rows that are to do; see ``Voting._count``.

        Those of a row are there together, and no more rows than fill a batch.
        """
        n, shared = asked.rule.n, self._shared_key(purpose)
        most = len(votes.n_used) * n
        size = allocate(voter, self.batch_size, most, shared is not None)
        todo, several = iter(todo), max(1, size // n)
        while some := list(islice(todo, several)):
            rows = np.array([row for row, _ in some])
            streams = voter.open_many([shared or key for _, key in some])
            values = np.empty((len(rows), n, self.n_outputs))
            flat = values.reshape(len(rows) * n, self.n_outputs)
            for start in range(0, len(flat), size):
                part = flat[start : start + size]
                sizes = np.full(len(rows), n) if len(rows) > 1 else [len(part)]
                voter.fill_batch(rows, np.array(sizes), streams)
                part[...] = voter.classify(len(part))
            ranks = asked.rule.ranks[asked.places(rows)]
            values.sort(axis=1)
            ordered = np.take_along_axis(values, ranks[:, :, None] - 1, axis=1)
            votes.ordered[rows] = ordered.transpose(0, 2, 1)
            votes.n_used[rows] = n
            if report is not None:
                report(rows, len(flat))
