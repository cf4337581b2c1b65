"""The voter for trees and sums of trees, compiled: needs numba (`sksmooth[fast]`).

The labels are those of `predict`, on every row: the same comparisons, and either the
same sums in the same order, or sums whose error is known and `predict` in its doubt.
"""

import numpy as np

from ..._compiled import compiled_module
from ...models._forest import Walk
from ._predict import AnyVoter, explaining

# Votes from which on it pays to read many trees, or what a library exports.
_WORTH_READING = 10_000

# Integers up to this are the same number in single precision.
_LARGEST_EXACT = 2**24


class TreesVoter(AnyVoter):
    """Counts what a sum of trees predicts.

    Parameters
    ----------
    estimator, classes, dtype
        As for ``AnyVoter``.

    model : Model or None
        What ``compiled`` made of `estimator`.

    read : callable, default=None
        Returns the model and `nameless`, where that takes long. It is called once there
        are enough votes; until then `predict` is asked, which answers the same.

    nameless : bool, default=True
        Does `estimator` take the columns of a frame as a matrix, with the same result?
    """

    prefer = "threads"

    def __init__(self, estimator, classes, dtype, model, nameless=True, read=None):
        super().__init__(estimator, classes, dtype)
        self.model, self._read = None, read
        if model is not None:
            self._use(model, nameless)

    def _use(self, model, nameless):
        self._own, self.nameless = self._class_indices(model.classes), nameless
        self.model = model

    def expect(self, n_votes):
        """Read the trees, if there are enough votes; see ``Voter.expect``."""
        read = self._read
        if read is None or n_votes < _WORTH_READING:
            return False
        self._read, (model, nameless) = None, read()
        if model is not None:
            self._use(model, nameless)
        return model is not None

    def classify(self, size):
        """Return the class index of each of the first `size` copies.

        Steps may write to the batch, so they run once: what comes out of them goes to
        the compiled trees or, if it is nothing for these, to the classifier itself.
        """
        if self.model is None:
            return super().classify(size)
        inputs, batch, rows = self.inputs, self._batch[:size], self._rows[:size]
        as_matrix = self.nameless and inputs.is_plain_matrix
        assemble = inputs.as_matrix if as_matrix else inputs.assemble
        X = self._through_steps(assemble(batch, rows))
        winner = self._by_trees(X, size)
        if winner is None:
            X = X if self.model.steps else inputs.assemble(batch, rows)
            return self._by_predict(self.model.last, X, size)
        classes = self._own[winner]
        close = np.flatnonzero(winner < 0)
        if len(close):  # sums between which rounding decides
            if self.model.steps:
                X = X[close]
            else:
                X = inputs.assemble(batch[close], rows[close])
            classes[close] = self._by_predict(self.model.last, X, len(close))
        return classes

    def _through_steps(self, X):
        """Do what a Pipeline does before its last step predicts."""
        with explaining(self.estimator, X):
            for step in self.model.steps:
                X = step.transform(X)
        return X

    def _by_trees(self, X, size):
        """Return what the compiled trees make of X, or None if it is not for them.

        -1 where their classifier has to be asked.
        """
        if type(X) is not np.ndarray or X.shape != (size, self.model.n_features):
            return None
        if X.dtype.kind not in "fiub":
            return None
        if X.dtype.kind in "iu" and X.size:
            if max(-int(X.min()), int(X.max())) > _LARGEST_EXACT:
                return None  # a library may round them to single precision
        model, winner = self.model, np.empty(size, np.int64)
        with np.errstate(over="ignore"):  # the kernel sees it
            X = np.ascontiguousarray(X, model.forest.dtype)
        how = model.rule, model.divisor, model.margin, model.takes_missing
        if isinstance(model.forest, Walk):
            valid = _kernel().classify_walk(X, tuple(model.forest), *how, winner)
        else:
            *forest, grid = model.forest
            grid = None if grid is None else tuple(grid)
            valid = _kernel().classify(X, tuple(forest), grid, *how, winner)
        if not valid:
            # Missing values, or numbers that are too large: predict knows.
            return None
        return winner


def _kernel():
    """Return the module with the compiled code, or None without numba."""
    return compiled_module("votes.voters._trees_kernel")


def has_kernel():
    """Can trees be asked by compiled code?"""
    return _kernel() is not None
