"""Class probabilities of a two-class ensemble of stumps under noise, up to a bracket.

The score of such an ensemble is a sum of step functions of one feature each. Under
noise that is a sum of independent discrete variables: see `_exact_sums`.
"""

import warnings

import numpy as np
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import AdaBoostClassifier, GradientBoostingClassifier

from .._sklearn import predicts_as
from ..models._forest import largest_float32
from ._axes import EPS, TINY, Axes, Intervals, unsupported
from ._sums import Convolution, outer_product
from ._trees import is_tree

# Up to so many cells of constant f, f is asked for its class in each of them.
_MAX_CELLS = 2**12

# A class whose probability is bounded by this is not the leading one, by a margin that
# no bracket has.
_CLEARLY_LESS = 0.49


class ExactStumps:
    """Class probabilities of a sum of stumps and a threshold at 0.

    Parameters
    ----------
    estimator : fitted AdaBoostClassifier or GradientBoostingClassifier

    constant : float
        The score without any stump.

    size : float
        What the terms of the score, constant ones too, may add up to in absolute value.

    stumps : list of (feature, threshold, left, right)
        Each adds `left` to the score where float32(z[feature]) <= threshold, and
        `right` elsewhere. Class 1 is where the score is positive.

    steps : sequence of transformers
        What x goes through on its way to the ensemble.

    noise : BoundNoise
        Of the columns of x, one level for each.
    """

    def __init__(self, estimator, constant, size, stumps, steps, noise):
        features = np.unique([stump[0] for stump in stumps]).astype(np.intp)
        self.axes = Axes(features, estimator.n_features_in_, steps, noise)
        # For each feature, the cuts and the score in the pieces between them.
        functions = [_step_function(stumps, feature) for feature in features]
        self.cuts, scores = [f[0] for f in functions], [f[1] for f in functions]
        sizes = [len(of_one) for of_one in scores]
        ends = [np.concatenate([[-np.inf], cuts, [np.inf]]) for cuts in self.cuts]
        self.intervals = Intervals(
            self.axes,
            np.repeat(np.arange(len(features)), sizes),
            np.concatenate([e[:-1] for e in ends] or [[]]),
            np.concatenate([e[1:] for e in ends] or [[]]),
        )
        self.pieces = np.cumsum([0, *sizes])
        if np.prod(sizes, dtype=float) <= _MAX_CELLS:
            self.plan = _Cells(estimator, features, self.cuts)
            self.moments = None
        else:
            # What f's own sum, and each of ours, may be off by: a rounding a term.
            error = 8 * EPS * (len(estimator.estimators_) + 4) * size
            self.plan = Convolution(constant, scores, error)
            self.moments = _Moments(constant, scores, size)

    @property
    def row_bytes(self):
        """Memory that one input takes."""
        return self.intervals.row_bytes + self.plan.row_bytes

    def probabilities(self, X, *, leader_only=False):
        """Return probabilities and upper bounds, each (2, n_inputs).

        With `leader_only` those of an input may be rough, if it is known at once which
        class has most of it.
        """
        masses = self.intervals.upper(X)
        masses = [
            np.ascontiguousarray(masses[start:stop].T)
            for start, stop in zip(self.pieces[:-1], self.pieces[1:], strict=True)
        ]
        if leader_only and self.moments is not None:
            middle, upper = self.moments.bound(masses)
            open_ = upper.min(axis=0) > _CLEARLY_LESS
            if np.any(open_):
                some = [of_one[open_] for of_one in masses]
                found = self._bracket(some, np.count_nonzero(open_))
                middle[:, open_], upper[:, open_] = found
            return middle, upper
        return self._bracket(masses, len(X))

    def _bracket(self, masses, n_inputs):
        lower, upper = self.plan.bracket(masses, n_inputs)
        middle = lower + upper
        return middle / middle.sum(axis=0), upper + TINY


class _Moments:
    """Bounds from the mean and the variance of the score: Cantelli's inequality.

    A sum with variance v is below 0, m away from its mean, with probability at most
    v / (v + m^2).

    Parameters
    ----------
    constant : float

    scores : list of ndarray
        As in a ``Convolution``.

    size : float
        What all terms may add up to in absolute value.
    """

    def __init__(self, constant, scores, size):
        self.constant, self.scores, self.size = constant, scores, size

    def bound(self, masses):
        """Return rough probabilities and upper bounds, each (2, n_inputs)."""
        mean, variance = np.full(len(masses[0]), self.constant), np.zeros(1)
        for mass, score in zip(masses, self.scores, strict=True):
            own = mass @ score
            mean += own
            variance = variance + np.maximum(mass @ score**2 - own**2, 0.0)
        # Far more than masses that are a few eps too large, and sums of as many terms
        # here and in f, can be off by; where that matters, nothing is settled.
        distance = np.maximum(np.abs(mean) - 1e-8 * self.size, 0.0)
        variance = variance + 1e-8 * self.size**2
        other = variance / (variance + distance**2)
        ahead = (mean > 0).astype(int)
        upper = np.ones((2, len(mean)))
        upper[1 - ahead, np.arange(len(mean))] = other
        middle = np.stack([1 - ahead, ahead]).astype(float)
        return middle, upper


class _Cells:
    """All cells in which f is constant, and what f predicts there: no error at all.

    Ties and rounding in f's own sum are those of f, because it is f that is asked.
    """

    def __init__(self, estimator, features, cuts):
        # The cut belongs to the left piece; the next float32 is in the right one.
        points = [
            np.concatenate([c[:1], np.nextafter(c, np.float32(np.inf))]) for c in cuts
        ]
        grid = np.meshgrid(*points, indexing="ij")
        n_cells = grid[0].size if grid else 1
        Z = np.zeros((n_cells, estimator.n_features_in_), np.float32)
        for feature, values in zip(features, grid, strict=True):
            Z[:, feature] = values.ravel()
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="X does not have valid feature")
            self.positive = estimator.predict(Z) == estimator.classes_[1]

    @property
    def row_bytes(self):
        return 8 * 3 * len(self.positive)

    def bracket(self, masses, n_inputs):
        """Return lower and upper bounds, each (2, n_inputs)."""
        cells = outer_product(masses, n_inputs)
        upper = np.stack([~self.positive, self.positive]).astype(float) @ cells.T
        return upper, upper * (1 + EPS * (cells.shape[1] + len(masses) + 2))


def _step_function(stumps, feature):
    """Return the cuts of all stumps on `feature`, and their sum between the cuts."""
    _, thresholds, left, right = np.array([s for s in stumps if s[0] == feature]).T
    thresholds = largest_float32(thresholds)
    cuts = np.unique(thresholds)
    piece = np.arange(len(cuts) + 1)[:, None]
    is_left = piece <= np.searchsorted(cuts, thresholds)
    return cuts, np.where(is_left, left, right).sum(axis=1)


def is_boosting(estimator):
    """Is `estimator` a boosting that predicts as scikit-learn's does?"""
    boostings = AdaBoostClassifier, GradientBoostingClassifier
    return any(predicts_as(estimator, boosting) for boosting in boostings)


def stumps_of(estimator):
    """Return the constant, the size and the stumps that a boosting adds up.

    Raises
    ------
    ValueError
        If it has more than two classes, deeper trees, or something else than trees.
    """
    name = type(estimator).__name__
    if len(estimator.classes_) != 2:
        raise unsupported(f"{name} with {len(estimator.classes_)} classes")
    if isinstance(estimator, AdaBoostClassifier):
        constant, leaves = 0.0, _adaboost_leaves(estimator)
    else:
        constant, leaves = _gradient_boosting_leaves(estimator)
    stumps, size = [], abs(constant)
    for tree, values in leaves:
        if tree.max_depth > 1:
            raise unsupported(f"{name} with trees of depth {tree.max_depth}")
        size += np.abs(values).max()
        left, right = tree.children_left[0], tree.children_right[0]
        if left == -1:
            constant += values[0]
        elif values[left] == values[right]:
            constant += values[left]
        else:
            threshold = tree.threshold[0]
            stumps.append((tree.feature[0], threshold, values[left], values[right]))
    return constant, size, stumps


def _adaboost_leaves(estimator):
    """Yield each tree with what it adds, by node, to the score of the second class."""
    weights = np.asarray(estimator.estimator_weights_, dtype=float)
    total = weights.sum()
    if not (np.isfinite(total) and total != 0):
        raise unsupported(f"AdaBoostClassifier with weights that add up to {total}")
    # The score is divided by the sum of the weights, of which only the sign matters.
    for tree, weight in zip(
        estimator.estimators_, np.sign(total) * weights, strict=False
    ):
        if not is_tree(tree):
            raise unsupported(f"AdaBoostClassifier of {type(tree).__name__}")
        labels = tree.classes_[tree.tree_.value[:, 0].argmax(axis=1)]
        yield tree.tree_, np.where(labels == estimator.classes_[1], weight, -weight)


def _gradient_boosting_leaves(estimator):
    """Return the constant, and each tree with what it adds, by node, to the score."""
    leaves = [
        (tree.tree_, estimator.learning_rate * tree.tree_.value[:, 0, 0])
        for tree in estimator.estimators_[:, 0]
    ]
    init = estimator.init_
    if isinstance(init, str):  # "zero"
        return 0.0, leaves
    if type(init) is not DummyClassifier or init.strategy == "stratified":
        raise unsupported(f"GradientBoostingClassifier with init={init!r}")
    # How init_'s probability becomes a score is private and differs between versions
    # of scikit-learn: take the score of any input less what the first tree adds there.
    x = np.zeros((1, estimator.n_features_in_), np.float32)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="X does not have valid feature")
        score = next(estimator.staged_decision_function(x))[0, 0]
    tree, values = leaves[0]
    return score - values[tree.apply(x)[0]], leaves
