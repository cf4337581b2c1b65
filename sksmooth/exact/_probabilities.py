"""Class probabilities under noise without votes, for classifiers that allow it."""

import narwhals as nw
import numpy as np
from scipy.special import ndtr

from ..models._affine import blanked
from ..models._bounded import EPS, SMALLEST
from ..models._linear import (
    check_finite,
    count_scores,
    linear_scores,
    unused_columns,
)
from ..models._unwrap import unwrap
from ..noise import Gaussian
from ._axes import Level, Unsupported, coarser, columns_of, unsupported
from ._stumps import ExactStumps, is_boosting, stumps_of
from ._trees import ExactTree, features_of, is_tree

# Columns of these kinds together make a matrix in single precision.
_IN_SINGLE = {nw.Float32, nw.Int8, nw.Int16, nw.UInt8, nw.UInt16, nw.Boolean}

# Inputs are taken in chunks of about this much memory, so that it stays in cache.
_CHUNK_BYTES = 2**23


def exact_probabilities(estimator, classes, inputs, *, leader_only=False):
    """Compute P(f(x + noise) = c) for each input and class.

    Parameters
    ----------
    estimator : fitted classifier
        f: a two-class linear classifier, a DecisionTreeClassifier, or a two-class
        AdaBoostClassifier or GradientBoostingClassifier of depth-1 trees; also behind
        affine steps of a Pipeline that act on each feature by itself (any affine ones
        if f is linear), in a FrozenEstimator or found by a search.

    classes : ndarray of shape (n_classes,)
        The labels that `estimator` may return: the order of the columns.

    inputs : Inputs
        Rows and their noise level.

    leader_only : bool, default=False
        Settle for rough numbers where those tell which class is more probable than all
        others together: much faster for sums of many stumps.

    Returns
    -------
    probabilities : ndarray of shape (n_inputs, n_classes)
        Rows sum to 1.

    upper : ndarray of shape (n_inputs, n_classes)
        Upper bounds that hold in exact arithmetic. Small ones are sharp relative to
        their size, so 1 minus those of the other classes is a sharp lower bound, and
        0 stands only for a class that cannot be predicted.

    Raises
    ------
    ValueError
        If `estimator` or the noise is not supported, or X has columns that are not
        numbers, or missing values in front of anything but a tree.
    """
    last = unwrap(estimator).last
    X, sigma = numbers_of(inputs, chain=unwrap(estimator), takes_gaps=is_tree(last))
    model, own_classes = _make_model(estimator, inputs.noise.at(sigma))
    columns = places(own_classes, classes)
    probabilities = np.zeros((len(X), len(classes)))
    upper = np.zeros((len(X), len(classes)))
    settings = {"leader_only": True} if leader_only and is_boosting(last) else {}
    for rows in chunks(X, model.row_bytes):
        both = model.probabilities(X[rows], **settings)
        probabilities[rows, columns] = both[0].T
        upper[rows, columns] = np.minimum(both[1], 1).T
    return probabilities, upper


def is_exact(estimator, noise):
    """Tell whether probabilities are known exactly for f under a kind of noise.

    It depends on the model alone, and not on which features have noise: where that
    matters, as for two features that a step makes of one, all of them do.

    Parameters
    ----------
    estimator : fitted classifier

    noise : BoundNoise

    Returns
    -------
    is_exact : bool
        True: ``exact_probabilities`` takes every X of numbers. Of linear f under other
        noise than Gaussian only the radii are known, see ``exact_distances``.
    """
    if noise.cdf_bounds is None:
        return False
    chain = unwrap(estimator)
    f = chain.last
    if count_scores(chain) is not None:
        return noise.is_normal and is_halfspace(estimator)
    try:
        if is_tree(f):
            used = features_of(f)
        elif is_boosting(f):
            used = np.unique([stump[0] for stump in stumps_of(f)[-1]]).astype(np.intp)
        else:
            return False
        columns = columns_of(used, f.n_features_in_, chain.steps)[0]
    except Unsupported:
        return False
    return len(set(columns.tolist())) == len(columns)


def is_halfspace(estimator):
    """Tell whether f is a two-class linear classifier."""
    chain = unwrap(estimator)
    return count_scores(chain) == 1 and linear_scores(chain) is not None


def exact_distances(estimator, classes, inputs):
    """Compute how far inputs are from where a two-class linear classifier changes.

    Under noise that is symmetric on every axis, and has mass around 0, the smoothed
    classifier is the linear one: the noise on the score is symmetric, too. So the
    distance is the certified radius, whatever the probability.

    Parameters
    ----------
    estimator : fitted classifier
        For which `is_halfspace` holds.

    classes : ndarray of shape (n_classes,)

    inputs : Inputs
        With noise whose `norm` is l1.

    Returns
    -------
    selected : ndarray of int of shape (n_inputs,)
        Column of the class of each input.

    distance : ndarray of float of shape (n_inputs,)
        In l1: in the units of the inputs or, where sigma differs between features, in
        multiples of it. Rounded down; 0 where the class is not known.

    Raises
    ------
    ValueError
        As ``exact_probabilities``.
    """
    X, sigma = numbers_of(inputs, chain=unwrap(estimator))
    one = np.ndim(inputs.sigma) == 0
    model, own_classes = _make_model(estimator, Gaussian().bind(sigma))
    columns = np.array(places(own_classes, classes))
    weights = model.weights
    size = (np.abs(weights.value) + weights.error) * (1 + EPS)
    steepest = (np.where(sigma > 0, size if one else size * sigma, 0.0)).max(initial=0)
    selected, distance = np.empty(len(X), int), np.empty(len(X))
    for rows in chunks(X, model.row_bytes):
        score, error = model.scores(X[rows])
        selected[rows] = columns[(score > 0).astype(int)]
        margin = np.maximum(np.nextafter(np.abs(score) - error, -1), 0.0)
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            ratio = margin / steepest * (1 - 4 * EPS)
        distance[rows] = np.where(margin > 0, ratio, 0.0)
    return selected, distance


def numbers_of(inputs, method="exact", *, chain=None, takes_gaps=False):
    """Return X and the noise level of each column, which have to be numbers.

    Where values are missing, only f that `takes_gaps` may look; the steps of others, in
    `chain`, may drop those columns.
    """
    if inputs.categories is not None:
        raise ValueError(
            f"method={method!r} takes no categorical features: use "
            "method='monte_carlo'."
        )
    if inputs.noise.cdf_bounds is None:
        raise ValueError(
            "method='exact' needs the distribution of the noise on one axis, and "
            f"{inputs.noise.kind!r} does not give it (cdf_bounds), as Gaussian() does: "
            "use method='monte_carlo'."
        )
    matrix = inputs.matrix()
    if matrix is None:
        what = _describe_inputs(inputs)
        if method != "exact":
            raise ValueError(
                f"method={method!r} takes a matrix of numbers, and not {what}: use "
                "method='monte_carlo'."
            )
        raise unsupported(what)
    X, sigma = matrix
    if np.isnan(X.min(initial=0)) and not takes_gaps and chain is not None:
        X = blanked(X, _used_columns(chain, X.shape[1])[None])
    if np.isnan(X.min(initial=0)) and not takes_gaps:
        row, column = np.argwhere(np.isnan(X))[0].tolist()
        takes = "missing values only of a decision tree"
        takes = takes if method == "exact" else "no missing values"
        raise ValueError(
            f"Input X contains NaN (first in input {inputs.origin[row]}, column "
            f"{column}, counted from 0), and method={method!r} takes {takes}. Use "
            "method='monte_carlo', which does if the classifier does, or leave these "
            "inputs out."
        )
    if inputs.frame is not None:
        kinds = inputs.table.schema.dtypes()
        if set(kinds) <= _IN_SINGLE:  # in which f computes
            X = X.astype(np.float32)
    return X, sigma


def _used_columns(chain, n_columns):
    """Return which columns a linear f, or a sum of stumps, looks at."""
    if (unused := unused_columns(chain)) is not None:
        return ~unused
    used = np.ones(n_columns, bool)
    if is_boosting(chain.last):
        try:
            features = np.unique([stump[0] for stump in stumps_of(chain.last)[-1]])
            width = chain.last.n_features_in_
            found = columns_of(features.astype(np.intp), width, chain.steps)[0]
        except Unsupported:
            return used
        used[:] = False
        used[found] = True
    return used


def chunks(X, row_bytes):
    """Yield slices of rows that stay in cache, with what else a row takes."""
    size = max(1, _CHUNK_BYTES // (row_bytes + 8 * X.shape[1]))
    for start in range(0, len(X), size):
        yield slice(start, start + size)


class ExactLinear:
    """Class probabilities of a two-class linear classifier.

    The score of x + noise is normal with mean ``weights @ x + offset`` and standard
    deviation ``||weights * sigma||``; class 1 is where it is positive. Of several
    scores at once there are `level` and `scores`.

    Parameters
    ----------
    weights : Bounded of shape (n_columns,) or (n_scores, n_columns)

    offset : Bounded of shape () or (n_scores,)

    noise : BoundNoise
        Normal, with a level for each column of x.

    steps : sequence of transformers
        Those that `weights` were pulled back through.
    """

    def __init__(self, weights, offset, noise, steps=()):
        self.steps = steps
        sigma, self.cdf_bounds = noise.sigma, noise.cdf_bounds
        self.weights, self.offset = weights, offset
        self.spread = _norm(weights.value * sigma)
        # A sum of as many squares, in any order, and a root; and what the weights may
        # be off by moves the norm by no more than its own norm.
        n_noisy = np.sum(weights.may_differ_from_0 & (sigma > 0), axis=-1)
        self.slack = EPS * (len(sigma) + 4)
        error = _norm(weights.error * sigma) * (1 + self.slack)
        error += self.slack * self.spread + 4 * n_noisy * SMALLEST
        self.level = Level(np.asarray(self.spread), np.asarray(error), np.float64(1))

    @property
    def row_bytes(self):
        """Memory that one input takes."""
        return 8 * (len(self.weights.value) + 10)

    def probabilities(self, X):
        """Return probabilities and upper bounds, each (2, n_inputs)."""
        score, error = self.scores(X)
        if self.level.is_0:
            positive = score > 0
            upper = np.stack([score - error <= 0, score + error > 0])
            return np.stack([~positive, positive]).astype(float), upper.astype(float)
        low, high = self.level.quotients(score - error, score + error)
        upper = [self.cdf_bounds(-high, -low)[1], self.cdf_bounds(low, high)[1]]
        with np.errstate(over="ignore"):
            middle = score / (self.spread or self.level.high)
        return ndtr(np.stack([-middle, middle])), np.stack(upper)

    def scores(self, X):
        """Return scores and bounds on their errors, each (n_inputs,[ n_scores])."""
        weights, offset, dtype = self.weights, self.offset, X.dtype
        X = X.astype(float, copy=False)
        with np.errstate(over="ignore", invalid="ignore"):
            score = X @ weights.value.T + offset.value
            size_of_x = np.abs(X)
            size = size_of_x @ np.abs(weights.value).T + np.abs(offset.value)
        check_finite(size)
        # A sum of n terms, each a rounded product, in any order. No term, no rounding:
        # a score of exactly 0 stays a tie.
        error = self.slack * size
        own = size_of_x @ weights.error.T + offset.error
        error += own * (1 + self.slack)
        # A product that underflows is not 0.
        small = size < 1e-280
        if np.any(small):
            terms = (X != 0).astype(float) @ weights.may_differ_from_0.T.astype(float)
            error[small] += 4 * SMALLEST * terms[small]
        # What has no noise is as f computes it.
        return score, error * np.where(self.level.is_0, coarser(dtype, self.steps), 1.0)


def _norm(values):
    """Return the norm of a vector, or of each row of a matrix."""
    # Scaled, so that squares do not underflow.
    largest = np.abs(values).max(axis=-1, keepdims=True, initial=0)
    scaled = values / np.where(largest > 0, largest, 1)
    return largest[..., 0] * np.sqrt(np.sum(scaled**2, axis=-1))


def _make_model(estimator, noise):
    """Return what computes the probabilities, and the classes in its order."""
    chain = unwrap(estimator)
    scores, steps, f = linear_scores(chain, bounded=True), chain.steps, chain.last
    name = type(f).__name__
    if scores is not None:
        weights, offset = scores
        if not noise.is_normal:
            raise unsupported(f"{name} under {noise.kind!r} noise")
        if len(weights.value) != 1:
            raise unsupported(f"{name} with {len(f.classes_)} classes")
        return ExactLinear(weights[0], offset[0], noise, steps), f.classes_
    if is_tree(f):
        return ExactTree(f, steps, noise), f.classes_
    if is_boosting(f):
        return ExactStumps(f, *stumps_of(f), steps, noise), f.classes_
    behind = " > ".join(type(step).__name__ for step in steps)
    raise unsupported(f"{name} behind {behind}" if behind else name)


def places(own_classes, classes):
    """Return the column of each of `own_classes` among `classes`."""
    place = {label: column for column, label in enumerate(classes.tolist())}
    return [place[label] for label in own_classes.tolist()]


def _describe_inputs(inputs):
    """Say what keeps `inputs` from being a matrix of numbers."""
    if inputs.counts:
        return "a classifier of columns of counts, to which noise is rounded"
    if inputs.frame is None:
        return f"a classifier of inputs of shape {inputs.input_shape}"
    if inputs.by_name:
        return (
            "a classifier of columns that X has in other places than its frame of fit"
        )
    table = inputs.table
    names = [
        f"{name!r} ({dtype})"
        for name, dtype in zip(table.columns, table.schema.dtypes(), strict=True)
        if not (dtype.is_numeric() or dtype == nw.Boolean)
    ]
    more = " ..." if len(names) > 5 else ""
    return f"a classifier of columns that are not numbers: {', '.join(names[:5])}{more}"
