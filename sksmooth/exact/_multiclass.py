"""Linear classifiers with several classes: what their class leaves to the others.

That another class wins is a union of events, one for each rival, and each of them is a
half-space. Hunter's bound on a union takes pairs into account along a spanning tree.
"""

import numpy as np

from ..models._bounded import EPS
from ..models._linear import check_finite, linear_scores
from ..models._unwrap import unwrap
from ._bivariate import joint_below
from ._probabilities import (
    ExactLinear,
    chunks,
    exact_probabilities,
    is_exact,
    numbers_of,
    places,
)

# Pairs are looked at among so many rivals, those who win most often.
_MOST_RIVALS = 32

# Of so many rivals all pairs are looked at once; of more, those of each input.
_FEW_RIVALS = 4 * _MOST_RIVALS


def analytic_bounds(estimator, classes, inputs):
    """Bound the probabilities of a linear classifier under Gaussian noise.

    Parameters
    ----------
    estimator : fitted classifier
        f: linear, with any number of classes; also behind affine steps of a Pipeline,
        in a FrozenEstimator or found by a search.

    classes : ndarray of shape (n_classes,)
        The labels that `estimator` may return.

    inputs : Inputs
        Rows and their noise level.

    Returns
    -------
    selected : ndarray of int of shape (n_inputs,)
        Column of the class of each input, among `classes`.

    rest : ndarray of float of shape (n_inputs,)
        Upper bound on the probability of all other classes together. 0 stands only for
        others that cannot be predicted.

    runner_up : ndarray of float of shape (n_inputs,)
        Upper bound on the probability of each of the others.

    Raises
    ------
    ValueError
        If `estimator` or the noise is not supported, or X has columns that are not
        numbers, or missing values.
    """
    chain = unwrap(estimator)
    scores = linear_scores(chain)
    if scores is None or not inputs.noise.is_normal:
        what = type(chain.last).__name__
        if scores is not None:
            what += f" under {inputs.noise.kind!r} noise"
        elif chain.steps:
            behind = " > ".join(type(step).__name__ for step in chain.steps)
            what += f" behind {behind}"
        exact = inputs.has_numbers and is_exact(estimator, inputs.noise)
        raise ValueError(
            "method='analytic' bounds the class probabilities of linear classifiers "
            "(coef_ and intercept_, also behind affine steps such as scalers and PCA) "
            f"under Gaussian noise, not of {what}: use "
            + ("method='exact'." if exact else "method='monte_carlo'.")
        )
    X, sigma = numbers_of(inputs, "analytic", chain=chain)
    weights, offset = scores
    if len(weights) == 1:
        probabilities, upper = exact_probabilities(estimator, classes, inputs)
        selected = probabilities.argmax(axis=1)
        rest = upper[np.arange(len(upper)), 1 - selected]
        return selected, rest, rest
    winner = np.empty(len(X), int)
    for rows in chunks(X, 8 * len(weights)):
        with np.errstate(over="ignore", invalid="ignore"):
            ahead = X[rows].astype(float) @ weights.T + offset
        check_finite(ahead)
        winner[rows] = np.column_stack([np.zeros(len(ahead)), ahead]).argmax(axis=1)
    rest, runner_up = np.empty(len(X)), np.empty(len(X))
    for one in np.unique(winner):
        rivals = Rivals(chain, one, inputs.noise.at(sigma))
        its = np.flatnonzero(winner == one)
        for rows in chunks(its[:, None], rivals.row_bytes):
            found = rivals.bounds(X[its[rows]])
            rest[its[rows]], runner_up[its[rows]] = found
    own_places = np.array(places(chain.last.classes_, classes))
    return own_places[winner], rest, runner_up


class Rivals:
    """All classes but one of a linear classifier, by their scores less its own.

    Parameters
    ----------
    chain : Chain
        Of a linear classifier with three classes or more.

    winner : int
        The one class.

    noise : BoundNoise
        Normal, with a level for each column of x.
    """

    def __init__(self, chain, winner, noise):
        weights, offset = linear_scores(chain, bounded=True, than=winner)
        n_rivals, n_columns = weights.value.shape
        self.model = ExactLinear(weights, offset, noise, chain.steps)
        # `predict` takes the first of equal scores.
        self.wins_ties = np.arange(n_rivals) < winner
        self.cdf_bounds = noise.cdf_bounds
        n_paired = min(n_rivals, _MOST_RIVALS)
        self.row_bytes = 8 * (n_columns + 8 * n_paired**2 + 16 * n_rivals)
        # Correlations are products of unit vectors. What the levels may be off by moves
        # those by no more than this; a rival without noise is in no pair.
        with np.errstate(divide="ignore", invalid="ignore"):
            spread, level = self.model.spread[:, None], self.model.level
            self._units = np.where(
                spread > 0, weights.value * noise.sigma / spread, 0.0
            )
            off = (level.high - level.low) / level.low
        self._off = np.where(np.isfinite(off), off, np.inf)
        self._all = None
        if n_rivals <= _FEW_RIVALS:
            self._all = self._correlations(np.arange(n_rivals))
        else:
            self.row_bytes += 8 * 2 * n_paired * n_columns

    def _correlations(self, some):
        """Return lower bounds on the correlations of rivals, all pairs of `some`."""
        units, off = self._units[some], self._off[some]
        one, other = off[..., :, None], off[..., None, :]
        slack = EPS * (units.shape[-1] + 8)
        less = one + (other + slack) + one * other
        return units @ np.swapaxes(units, -1, -2) - less

    def bounds(self, X):
        """Return upper bounds on P(some rival wins), and on P(it does) for each.

        Parameters
        ----------
        X : ndarray of float of shape (n_inputs, n_columns)

        Returns
        -------
        any_of_them, most : ndarray of float of shape (n_inputs,)
        """
        score, error = self.model.scores(X)
        shape = score.shape
        # Without noise on it, a rival wins for sure or never.
        wins = (score + error > 0) | (self.wins_ties & (score + error == 0))
        low, wins = np.full(shape, -np.inf), wins.astype(float)
        noisy = np.flatnonzero(~self.model.level.is_0)
        least, most = (score - error)[:, noisy].T, (score + error)[:, noisy].T
        ends = self.model.level.at(noisy).quotients(least, most)
        low[:, noisy], wins[:, noisy] = ends[0].T, self.cdf_bounds(*ends)[1].T
        most = np.minimum(wins.max(axis=1), 1.0)
        # As many roundings as there are terms.
        slack = EPS * (shape[1] + 4)
        total = wins.sum(axis=1) * (1 + slack)
        twice = self._tree(low, wins) * (1 - slack)
        together = np.where(total > 0, np.nextafter(total - twice, 2), 0.0)
        return np.clip(together, most, 1.0), most

    def _tree(self, low, wins):
        """Return the sum of joint probabilities along a large spanning tree."""
        n_inputs = len(low)
        first = np.argsort(-wins, axis=1, kind="stable")[:, :_MOST_RIVALS]
        size, every = first.shape[1], np.arange(n_inputs)
        low = np.take_along_axis(low, first, axis=1)
        one, other = np.triu_indices(size, 1)
        joint = np.full((n_inputs, size, size), -1.0)
        if self._all is not None:
            correlations = self._all[first[:, one], first[:, other]]
        else:
            correlations = self._correlations(first)[:, one, other]
        joint[:, one, other] = joint_below(low[:, one], low[:, other], correlations)
        joint = np.maximum(joint, joint.transpose(0, 2, 1))
        # Prim's algorithm: the tree grows by the rival with the largest joint term.
        reach, total = joint[:, 0].copy(), np.zeros(n_inputs)
        outside = np.ones((n_inputs, size), bool)
        outside[:, 0] = False
        for _ in range(size - 1):
            new = np.where(outside, reach, -1.0).argmax(axis=1)
            total += reach[every, new]
            outside[every, new] = False
            reach = np.maximum(reach, joint[every, new])
        return total
