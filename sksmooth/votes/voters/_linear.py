"""The voter for linear classifiers: votes drawn in the space of the scores.

For a linear classifier the scores of noisy copies of x are exactly
N(W x + b, W diag(sigma^2) W^T). Only differences of scores matter, so a vote costs
n_classes - 1 normals, whatever the number of features.
"""

import numpy as np

from ..._compiled import module_if_worth
from ...models._affine import blanked
from ...models._linear import check_finite
from ...models._ties import contenders
from ...noise._many_normals import compiled_tables, open_streams, standard_normals
from .._voter import Voter

# Inputs looked at together under shared noise.
_ROWS = 256

# Multiplications in a product of matrices for which OpenBLAS wakes no other threads. To
# wait for them costs more than they save, and far more where other work has the cores.
_ONE_THREAD = 2**18

# Inputs are copied to be multiplied: so much of them at a time.
_INPUT_BYTES = 2**19

# Votes with independent noise in a batch, which is never held as a whole: as many as
# drown what a batch and the opening of its streams cost.
_BATCH = 2**18

# Votes on one input that take less time the fewer calls there are.
_FEW_VOTES = 2**11

# No normal of NumPy is larger than this.
_LARGEST_NORMAL = 40

# Scores of more classes are multiplied faster by BLAS.
_FEW_SCORES = 64

_EPS = np.finfo(float).eps

_KERNEL = "votes.voters._linear_kernel"


class LinearVoter(Voter):
    """Counts the votes of a classifier with scores ``weights @ x + offset``.

    Class 0 has score 0 and class k the k-th row; the highest score wins, and the
    lower class in a tie, as in scikit-learn.

    Parameters
    ----------
    weights : ndarray of shape (n_classes - 1, n_features)

    offset : ndarray of shape (n_classes - 1,)

    sigma : ndarray of shape (n_features,)
        Noise level of each feature.
    """

    buffers = ("_normals", "_scores", "_sums", "_better")

    # Room for a batch, or part of it, once there is.
    _normals = None

    # Scores are cheap: drown the overhead of calls, but stay near the cache.
    batch_bytes = 2**21

    def __init__(self, weights, offset, sigma):
        # Classes with equal scores always tie, and the lowest of them wins. The factor
        # below would break such ties at random, so only the lowest takes part.
        self.n_classes = len(weights) + 1
        self.contenders = contenders(weights, offset)
        others = self.contenders[1:] - 1
        self.weights = weights = weights[others]
        self.offset = offset[others]
        # With A = weights * sigma and A^T = Q R, the scores of the noise, A n for
        # n ~ N(0, I), are R^T z for z = Q^T n ~ N(0, I): no assumption on the rank.
        # The sign of R's rows is free; fixing it keeps votes equal across LAPACKs.
        with np.errstate(over="ignore"):
            scaled = weights * sigma
            self._reach = _LARGEST_NORMAL * np.abs(scaled).sum(axis=1)
        check_finite(self._reach)
        factor = np.linalg.qr(scaled.T, mode="r")
        signs = np.where(np.diagonal(factor) < 0, -1.0, 1.0)
        self.factor = factor * signs[:, None]
        # Four times what the order of sums can change between two scores of noise: as
        # many roundings of numbers up to this sum, and twice as much for safety.
        most = _LARGEST_NORMAL * np.abs(self.factor).sum(axis=0).max(initial=0)
        self._rounding = 4 * _EPS * (len(factor) + 2) * most + np.finfo(float).tiny

    def take(self, inputs):
        """Be the voter for these inputs."""
        self.X = blanked(inputs.matrix()[0], self.weights)

    @property
    def row_bytes(self):
        return 8 * max(1, sum(self.factor.shape)) + len(self.weights)

    def good_size(self, shared):
        """Return a good size of a batch; see ``Voter.good_size``."""
        return super().good_size(shared) if shared else _BATCH

    def allocate(self, size):
        """Remember how many noisy copies to hold at most; room is made if needed."""
        self._most = size
        return size

    def _make_room(self, size):
        """Make room for some noisy copies, classes by rows."""
        if self._normals is not None and len(self._normals) >= size:
            return
        rank, n_scores = self.factor.shape
        self._normals = np.empty((size, rank))
        self._scores = np.empty((n_scores, size))
        self._sums = np.empty((2, size))
        self._better = np.empty((n_scores, size), bool)

    open_many = staticmethod(open_streams)

    def fill_batch(self, rows, sizes, streams):
        """Draw and count the votes on some inputs, for ``tally`` to return."""
        means = self._clean_scores(rows)
        self._counts = np.zeros((len(rows), self.n_classes), np.int64)
        size, n_scores = int(sizes.sum()), len(self.weights)
        module = tables = None
        if n_scores <= _FEW_SCORES:
            tables = compiled_tables(size * len(self.factor), len(rows), float)
        if tables is not None:
            module = module_if_worth(_KERNEL, size * n_scores // 4)
        if module is None:
            self._count_products(sizes, streams, means, self._counts)
            return
        found = np.zeros(means.shape, np.int64)
        slack, done = self._rounding + 4 * _EPS * np.abs(means).max(axis=1), 0
        while True:
            parts = streams, sizes, means, slack, found
            streams_, sizes_, *others = (part[done:] for part in parts)
            done += module.votes(streams_, tables, sizes_, self.factor, *others)
            if done == len(sizes):
                break
            # Some copy here is decided by how BLAS rounds.
            one = slice(done, done + 1)
            counts = self._counts[one]
            self._count_products(sizes[one], streams[one], means[one], counts)
            done += 1
        self._counts[:, self.contenders] += found

    def tally(self, sizes):
        """Return what ``fill_batch`` counted; see ``Voter.tally``."""
        counts, self._counts = self._counts, None
        return counts

    def _count_products(self, sizes, streams, means, counts):
        """Add the votes on some inputs to `counts`, by products of matrices."""
        size = int(sizes.sum())
        room = min(self._most, super().good_size(False), size)
        self._make_room(room)
        if size == room:
            counts += self._count_drawn(sizes, streams, means)
            return
        ends = np.cumsum(sizes)
        for begin in range(0, size, room):
            # The inputs whose copies find room now, and how many of each.
            here = np.diff(np.clip(ends - begin, 0, room), prepend=0)
            first, last = np.flatnonzero(here)[[0, -1]]
            some = slice(first, last + 1)
            counts[some] += self._count_drawn(here[some], streams[some], means[some])

    def _count_drawn(self, sizes, streams, means):
        """Return the votes on inputs for whose copies there is room."""
        stops = np.cumsum(sizes)
        size = int(stops[-1])
        standard_normals(streams, sizes, self._normals[:size])
        self._score_noise(size)
        return self._count(stops - sizes, stops, means)

    def _score_noise(self, size):
        """Make scores of the first `size` rows of normals, by one thread of BLAS."""
        at_once = max(2, _ONE_THREAD // max(1, self.factor.size))
        for start in range(0, size, at_once):
            some = slice(start, min(start + at_once, size))
            normals, out = self._normals[some], self._scores[:, some]
            np.matmul(self.factor.T, normals.T, out=out)

    def draw(self, stream, size):
        """Make the scores of the noise of the next `size` copies of all inputs."""
        self._make_room(self._most)
        stream.standard_normal(out=self._normals[:size])
        self._score_noise(size)
        self._leads = None

    def compare(self, rows, size, batch_size):
        """Count the votes on each of some inputs under the noise of ``draw``.

        No copy is made: the scores of the noise are compared with what x is ahead by.

        Parameters
        ----------
        rows : ndarray of int of shape (n_rows,)

        size : int
            How much noise there is.

        batch_size : int
            Scores to hold at a time, for each class.

        Returns
        -------
        counts : ndarray of int of shape (n_rows, n_classes)
        """
        counts = np.zeros((len(rows), self.n_classes), np.int64)
        module = module_if_worth(_KERNEL, size * len(rows))
        if module is not None:
            means = self._clean_scores(rows)
            found = np.zeros(means.shape, np.int64)
            module.compare(self._scores, size, means, found)
            counts[:, self.contenders] = found
            return counts
        if self._leads is None:
            self._leads = self._largest_leads(size, len(rows))
        n_together = max(1, batch_size // size)
        for start in range(0, len(rows), _ROWS):
            some = rows[start : start + _ROWS]
            means = self._clean_scores(some)
            may_win = self._may_win(means)
            clear = may_win.sum(axis=1) == 1
            part = counts[start : start + _ROWS]
            part[clear, self.contenders[may_win[clear].argmax(axis=1)]] = size
            open_ = np.flatnonzero(~clear)
            for few in np.split(open_, range(n_together, len(open_), n_together)):
                if len(few):
                    places = np.flatnonzero(may_win[few].any(axis=0))
                    start, stop = np.zeros(len(few), int), np.full(len(few), size)
                    part[few] = self._count(start, stop, means[few], places)
        return counts

    def _clean_scores(self, rows):
        """Return the scores of inputs without noise, of shape (n_rows, n_contenders).

        By one product for each input, of numbers that are side by side in memory:
        others depend, in the last bit, on how many inputs there are.
        """
        means = np.zeros((len(rows), len(self.contenders)))
        # A product of two vectors may depend on where in memory these are, as in NumPy
        # 1.26; one with a matrix, of two rows at least, does not.
        weights = self.weights
        weights = np.repeat(weights, 2, axis=0) if len(weights) == 1 else weights
        at_once = max(1, _INPUT_BYTES // (8 * max(1, self.X.shape[1])))
        with np.errstate(over="ignore", invalid="ignore"):
            for start in range(0, len(rows), at_once):
                some = slice(start, start + at_once)
                X = np.ascontiguousarray(self.X[rows[some]])
                products = np.matmul(weights, X[:, :, None])[:, : len(self.weights)]
                means[some, 1:] = products[:, :, 0] + self.offset
            if not np.isfinite(np.abs(means[:, 1:]) + self._reach).all():
                check_finite(np.inf)  # says what to do
        return means

    def _largest_leads(self, size, n_rows):
        """Return the most by which noise puts one contender ahead of another.

        Returns
        -------
        leads : ndarray of shape (n_contenders, n_contenders)
            Of the first over the second; infinite if not worth finding out.
        """
        n = len(self.contenders)
        leads = np.full((n, n), np.inf)
        if n_rows < 2 * n:
            return leads
        scores, gap = self._scores[:, :size], self._sums[0, :size]
        for a in range(n):
            for b in range(a):
                if b == 0:
                    gap = scores[a - 1]
                else:
                    gap = np.subtract(
                        scores[a - 1], scores[b - 1], out=self._sums[0, :size]
                    )
                leads[a, b], leads[b, a] = gap.max(), -gap.min()
        # More than rounding can change, here and where noise is added to a mean.
        return leads + 8 * _EPS * np.abs(scores).max(initial=0)

    def _may_win(self, means):
        """Tell, for each input, which contenders may win under the noise of ``draw``.

        The others are behind the one with the highest mean in every copy.
        """
        inputs, best = np.arange(len(means)), means.argmax(axis=1)
        highest = means[inputs, best][:, None]
        slack = 8 * _EPS * np.abs(means).max(axis=1, keepdims=True)
        may_win = means + self._leads[:, best].T + slack >= highest
        may_win[inputs, best] = True
        return may_win

    def _count(self, starts, stops, means, places=None):
        """Count the winners in each part of a batch.

        Parameters
        ----------
        starts, stops : ndarray of int of shape (n_parts,)
            Where the scores of a part's noise are: behind those of the part before, or,
            under shared noise, where those of all parts are.

        means : ndarray of shape (n_parts, n_contenders)
            Scores without noise.

        places : ndarray of int, default=None
            The contenders that may win, in order; None for all.

        Returns
        -------
        counts : ndarray of int of shape (n_parts, n_classes)
        """
        if places is None:
            places = np.arange(len(self.contenders))
        sizes = stops - starts
        size = int(sizes.sum())
        counts = np.zeros((len(sizes), self.n_classes), np.int64)
        if len(places) == len(self.contenders):
            module = module_if_worth(_KERNEL, size * len(places) // 4)
            if module is not None:
                found = np.zeros(means.shape, np.int64)
                module.count(self._scores, starts, stops, means, found)
                counts[:, self.contenders] = found
                return counts
        if len(sizes) == 1 and size <= _FEW_VOTES:
            scores = self._scores[places[places > 0] - 1, :size]
            scores += means[0, places[places > 0], None]
            if places[0] == 0:
                scores = np.vstack([np.zeros(size), scores])
            found = np.bincount(scores.argmax(axis=0), minlength=len(places))
            counts[0, self.contenders[places]] = found
            return counts
        sums, best = self._sums[:, :size]
        better = self._better[:, :size]
        best.fill(0 if places[0] == 0 else -np.inf)
        others = places[places > 0].tolist()
        for k in others:
            noise = self._scores[k - 1, : stops[-1]]
            if starts[-1] == 0:  # of all parts
                np.add(noise, means[:, k, None], out=sums.reshape(len(means), -1))
            else:
                np.add(noise, np.repeat(means[:, k], sizes), out=sums)
            np.greater(sums, best, out=better[k - 1])
            np.maximum(best, sums, out=best)
        # The last score that is better than all before it wins.
        begins = np.cumsum(sizes) - sizes
        won, n_before = np.zeros(size, bool), 0
        for k in reversed(others):
            won |= better[k - 1]
            n_won = _count_parts(won, begins)
            counts[:, self.contenders[k]] = n_won - n_before
            n_before = n_won
        if places[0] == 0:
            counts[:, self.contenders[0]] = sizes - n_before
        return counts


def _count_parts(flags, starts):
    """Count the True in each part of `flags`; the parts begin at `starts`."""
    if len(starts) == 1:  # many times faster
        return np.count_nonzero(flags)
    return np.add.reduceat(flags.view(np.uint8), starts, dtype=np.int64)
