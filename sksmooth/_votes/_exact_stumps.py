"""Class probabilities of a two-class ensemble of stumps under noise, up to a bracket.

The score of such an ensemble is a sum of step functions of one feature each. Under
noise that is a sum of independent discrete variables, whose distribution is convolved
on a grid (after M. Horvath, M. Mueller, M. Fischer, M. Vechev 2022, arXiv:2205.13909).
"""

import warnings

import numpy as np
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import AdaBoostClassifier, GradientBoostingClassifier

from ._exact_axes import EPS, TINY, Axes, Intervals, largest_float32, unsupported
from ._exact_trees import is_tree

# Up to so many cells of constant f, f is asked for its class in each of them.
_MAX_CELLS = 2**12
# Sums of some of the features are kept one by one up to so many, in two groups; what
# fits into them needs no grid.
_MAX_ATOMS = 2**14
# Points of the grid that the others are rounded to.
_GRID = 2**17


class ExactStumps:
    """Class probabilities of a sum of stumps and a threshold at 0.

    Parameters
    ----------
    estimator : fitted AdaBoostClassifier or GradientBoostingClassifier

    constant : float
        The score without any stump.

    stumps : list of (feature, threshold, left, right)
        Each adds `left` to the score where float32(z[feature]) <= threshold, and
        `right` elsewhere. Class 1 is where the score is positive.

    steps : list of transformers
        What x goes through on its way to the ensemble.

    sigma : ndarray of shape (n_columns,)
        Noise level of the columns of x.
    """

    def __init__(self, estimator, constant, stumps, steps, sigma):
        features = np.unique([stump[0] for stump in stumps]).astype(np.intp)
        self.axes = Axes(features, estimator.n_features_in_, steps, sigma)
        # For each feature, the cuts and the score in the pieces between them.
        self.cuts, self.scores = (
            zip(*(_step_function(stumps, feature) for feature in features), strict=True)
            if len(features)
            else ((), ())
        )
        ends = [np.concatenate([[-np.inf], cuts, [np.inf]]) for cuts in self.cuts]
        self.intervals = Intervals(
            self.axes,
            np.repeat(np.arange(len(features)), [len(s) for s in self.scores]),
            np.concatenate([e[:-1] for e in ends] or [[]]),
            np.concatenate([e[1:] for e in ends] or [[]]),
        )
        sizes = [len(scores) for scores in self.scores]
        self.pieces = np.cumsum([0, *sizes])
        if np.prod(sizes, dtype=float) <= _MAX_CELLS:
            self.plan = _Cells(estimator, features, self.cuts)
        else:
            # What f's own sum, and each of ours, may be off by: a rounding a term.
            total = abs(constant) + sum(max(abs(s[2]), abs(s[3])) for s in stumps)
            error = 8 * EPS * (len(stumps) + 4) * total
            self.plan = _Convolution(constant, self.scores, error)

    @property
    def row_bytes(self):
        """Memory that one input takes."""
        return self.intervals.row_bytes + self.plan.row_bytes

    def probabilities(self, X):
        """Return probabilities and upper bounds, each (2, n_inputs)."""
        masses = self.intervals.upper(X)
        masses = [
            np.ascontiguousarray(masses[start:stop].T)
            for start, stop in zip(self.pieces[:-1], self.pieces[1:], strict=True)
        ]
        lower, upper = self.plan.bracket(masses, len(X))
        middle = lower + upper
        return middle / middle.sum(axis=0), upper + TINY


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
        cells = _outer_product(masses, n_inputs)
        upper = np.stack([~self.positive, self.positive]).astype(float) @ cells.T
        return upper, upper * (1 + EPS * (cells.shape[1] + len(masses) + 2))


class _Convolution:
    """P(score > 0), up to rounding of the scores to a grid.

    The features are split into three: `first` and `last`, whose sums are listed one
    by one, and those between, each of which is rounded to the grid and convolved into
    the sums of the first. With nothing between, there is no grid and no rounding.
    """

    def __init__(self, constant, scores, error):
        groups = self.groups = _split([len(s) for s in scores])
        first, last = (_all_sums([scores[i] for i in group]) for group in groups[::2])
        middle = [scores[i] for i in groups[1]]
        first = first + constant
        self.order = np.argsort(first, kind="stable")
        first = first[self.order]
        self.windows = []
        if middle:
            sums, slack = self._lay_grid(first, middle, last, error)
        else:
            sums, slack = first, 0.0
        # The score is last + sums + (something in [0, slack]), give or take `error`.
        self.n_sums = len(sums)
        self.surely = np.searchsorted(sums, error - last, side="right")
        self.maybe = np.searchsorted(sums, -error - slack - last, side="left")

    def _lay_grid(self, first, middle, last, error):
        """Plan the convolution; return the sums it ends with, and the slack.

        A sum that is so low, or so high, that what is still to come cannot change the
        sign of the score, may as well be a little less extreme: so the grid covers
        only a window, and sums outside of it are moved to its ends.
        """
        # What is still to come after `first`, after the next feature, and so on.
        least = _totals_from([s.min() for s in [*middle, last]])
        most = _totals_from([s.max() for s in [*middle, last]])
        reach = np.cumsum([np.ptp(first), *(np.ptp(s) for s in middle)])
        # The shortest step such that no window has more than _GRID cells.
        step = np.minimum(reach, most - least).max() / (_GRID - 4 * len(reach))
        margin = (len(reach) + 2) * step + error
        self.shifts = []
        base, slack, cells = _round(first, step)
        start, stop = 0, cells.max() + 1
        for place in range(len(reach)):
            if place:
                origin, more, shifts = _round(middle[place - 1], step)
                base, slack = base + origin, slack + more
                self.shifts.append(shifts)
                stop += shifts.max()
            # The outermost cells that are looked at decide the sign in any case.
            start = max(start, int(np.floor((-most[place] - margin - base) / step)))
            stop = min(stop, int(np.ceil((-least[place] + margin - base) / step)) + 1)
            stop = max(stop, start + 1)
            self.windows.append((start, stop))
        start, stop = self.windows[0]
        cells = np.clip(cells, start, stop - 1) - start
        self.starts = np.flatnonzero(np.diff(cells, prepend=-1))
        self.cells = cells[self.starts]
        start, stop = self.windows[-1]
        return base + step * np.arange(start, stop), slack

    @property
    def row_bytes(self):
        n_listed = len(self.order) + len(self.surely)
        widest = max((b - a for a, b in self.windows), default=self.n_sums)
        return 8 * (4 * widest + 3 * n_listed)

    def bracket(self, masses, n_inputs):
        """Return lower and upper bounds, each (2, n_inputs)."""
        first, middle, last = ([masses[i] for i in group] for group in self.groups)
        last = _outer_product(last, n_inputs)
        sums = _outer_product(first, n_inputs)[:, self.order]
        if middle:
            start, stop = self.windows[0]
            grid = np.zeros((n_inputs, stop - start))
            grid[:, self.cells] = np.add.reduceat(sums, self.starts, axis=1)
            sums = grid
        for i, mass in enumerate(middle):
            sums = _convolve(sums, mass, self.shifts[i], *self.windows[i : i + 2])
        # Bounds on P(class 1) need sums from a place on, those on P(class 0) up to it.
        tail = np.zeros((n_inputs, sums.shape[1] + 1))
        np.cumsum(sums[:, ::-1], axis=1, out=tail[:, -2::-1])
        one = [_dot(last, tail[:, place]) for place in (self.surely, self.maybe)]
        tail[:, 0] = 0
        np.cumsum(sums, axis=1, out=tail[:, 1:])
        zero = [_dot(last, tail[:, place]) for place in (self.maybe, self.surely)]
        # One rounding a term of every sum, and two for every feature.
        n_terms = len(self.order) + last.shape[1] + 4 * len(masses)
        n_terms += sum(stop - start for start, stop in self.windows)
        n_terms += sum(mass.shape[1] for mass in masses) + sums.shape[1]
        lower, upper = np.stack([zero, one], axis=1)
        return lower, upper * (1 + EPS * n_terms)


def _outer_product(masses, n_inputs):
    """Return the masses of all combinations, (n_inputs, n_combinations)."""
    product = np.ones((n_inputs, 1))
    for mass in masses:
        product = (product[:, :, None] * mass[:, None]).reshape(n_inputs, -1)
    return product


def _dot(a, b):
    return np.einsum("ij,ij->i", a, b)


def _totals_from(values):
    """Return the sum of all values from each place on."""
    return np.cumsum(values[::-1])[::-1]


def _all_sums(scores):
    """Return the sums of all combinations, in the order of `_outer_product`."""
    sums = np.zeros(1)
    for score in scores:
        sums = np.add.outer(sums, score).ravel()
    return sums


def _split(sizes):
    """Split features by their number of pieces into first, between, last.

    The smallest go into the two lists of combinations as long as these stay short:
    that leaves the fewest roundings.
    """
    groups, products = ([], [], []), [1, None, 1]
    for i in sorted(range(len(sizes)), key=lambda i: sizes[i]):
        group = 0 if products[0] <= products[2] else 2
        if products[group] * sizes[i] > _MAX_ATOMS:
            groups[1].append(i)
        else:
            groups[group].append(i)
            products[group] *= sizes[i]
    return groups


def _round(scores, step):
    """Round down to multiples of `step` above an origin.

    Returns
    -------
    origin : float

    slack : float
        scores - origin - step * cells lies in [0, slack].

    cells : ndarray of int, from 0 on
    """
    # The origin may be anywhere. Rounding errors are points on a circle of length
    # `step`; cut at the end of the widest gap, they are smallest.
    points = np.sort(np.mod(scores, step))
    gaps = np.diff(points, prepend=points[-1] - step)
    widest = gaps.argmax()
    origin = points[widest]
    # Half of the gap is left on either side, so that cells do not depend on rounding.
    cells = np.floor((scores - origin + gaps[widest] / 2) / step).astype(np.intp)
    origin += step * cells.min()
    return origin, step - gaps[widest], cells - cells.min()


def _convolve(sums, mass, shifts, window, next_window):
    """Add an independent variable, with `mass` at `shifts`, to sums in a window."""
    n_inputs, length = sums.shape
    next_length = next_window[1] - next_window[0]
    longer = np.zeros((n_inputs, next_length))
    scratch = np.empty_like(sums)
    for shift, share in zip(shifts, mass.T, strict=True):
        place = window[0] + shift - next_window[0]
        # Rows first ... last - 1 land inside, the others at the ends.
        first = min(max(-place, 0), length)
        last = max(min(next_length - place, length), first)
        inside = scratch[:, first:last]
        np.multiply(sums[:, first:last], share[:, None], out=inside)
        longer[:, place + first : place + last] += inside
        longer[:, 0] += share * sums[:, :first].sum(axis=1)
        longer[:, -1] += share * sums[:, last:].sum(axis=1)
    return longer


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
    return any(
        isinstance(estimator, boosting)
        and type(estimator).predict is boosting.predict
        and type(estimator).decision_function is boosting.decision_function
        and not {"predict", "decision_function"} & set(vars(estimator))
        for boosting in (AdaBoostClassifier, GradientBoostingClassifier)
    )


def stumps_of(estimator):
    """Return the constant and the stumps that a boosting adds up.

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
    stumps = []
    for tree, values in leaves:
        if tree.max_depth > 1:
            raise unsupported(f"{name} with trees of depth {tree.max_depth}")
        left, right = tree.children_left[0], tree.children_right[0]
        if left == -1:
            constant += values[0]
        elif values[left] == values[right]:
            constant += values[left]
        else:
            threshold = tree.threshold[0]
            stumps.append((tree.feature[0], threshold, values[left], values[right]))
    return constant, stumps


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
