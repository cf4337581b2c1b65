"""Exact probabilities of what a tree answers under noise: the sum over its leaves."""

import numpy as np
from scipy.sparse import csr_array
from sklearn.tree import DecisionTreeClassifier

from .._sklearn import predicts_as
from ..models._forest import largest_float32
from ._axes import EPS, TINY, Axes, Intervals, unsupported


class ExactTree:
    """Probabilities of the classes of a tree, or of whatever else its leaves stand for.

    A leaf is a box, and the noise is independent between features, so its mass is a
    product of interval masses over the features on its path.

    Parameters
    ----------
    tree : fitted DecisionTreeClassifier or DecisionTreeRegressor

    steps : sequence of transformers
        What x goes through on its way to the tree.

    noise : BoundNoise
        Of the columns of x, one level for each.

    answers : ndarray of int of shape (n_nodes,), default=None
        What each node stands for: 0, 1, ..., all of which occur at leaves, in the place
        of classes; None for those.
    """

    def __init__(self, tree, steps, noise, answers=None):
        if answers is None:
            features = features_of(tree)
            self.n_classes = len(tree.classes_)
            answers = tree.tree_.value[:, 0].argmax(axis=1)
        else:
            features = splits_of(tree)
            self.n_classes = answers.max() + 1
        leaves, boxes = _leaves(tree.tree_)
        # Which of them some input without gaps reaches.
        filled = [all(low < high for low, high, _ in box.values()) for box in boxes]
        # Longest paths first, so that those that go on are always the first few.
        order = sorted(range(len(boxes)), key=lambda i: -len(boxes[i]))
        boxes = [boxes[i] for i in order]
        winner = answers[leaves[order]]
        self.by_class = csr_array(
            (np.ones(len(order)), (winner, np.arange(len(order)))),
            shape=(self.n_classes, len(order)),
        )
        filled = np.array(filled)[order]
        self.has_leaf = np.isin(np.arange(self.n_classes), winner[filled])[:, None]
        self.axes = Axes(features, tree.n_features_in_, steps, noise)
        axis_of = {feature: axis for axis, feature in enumerate(features.tolist())}
        sides = [
            [(axis_of[feature], *ends) for feature, ends in box.items()]
            for box in boxes
        ]
        place = {
            side: i for i, side in enumerate(sorted({s for b in sides for s in b}))
        }
        *sides_of, takes_gaps = np.reshape(list(place), (-1, 4)).T
        self.intervals = Intervals(self.axes, *sides_of)
        self.takes_gaps = takes_gaps.astype(bool)[:, None]
        self.filled = np.array([low < high for _, low, high, _ in place])[:, None]
        self.paths = [
            np.array([place[box[depth]] for box in sides if len(box) > depth])
            for depth in range(len(sides[0]))
        ]

    @property
    def row_bytes(self):
        """Memory that one input takes."""
        return self.intervals.row_bytes + 8 * (2 * len(self.by_class.indices) + 4)

    def probabilities(self, X):
        """Return probabilities and upper bounds, each (n_classes, n_inputs)."""
        gaps = np.isnan(X)
        masses, has_leaf = self.intervals.upper(X), self.has_leaf
        n_leaves = len(self.by_class.indices)
        if np.any(gaps):
            # A gap is one in every copy, and goes one way at each split.
            missing = gaps.T[self.axes.column][self.intervals.own_axis]
            masses = np.where(missing, self.takes_gaps, masses)
            open_to = np.where(missing, self.takes_gaps, self.filled)
            has_leaf = self.by_class @ self._products(open_to) > 0
        products = self._products(masses)
        # One rounding a factor and one a term, at most half an eps each.
        slack = 1 + EPS * (len(self.paths) + n_leaves)
        upper = self.by_class @ products * slack
        # The bounds are a few eps wide: what they add up to is 1 but for that.
        return upper / upper.sum(axis=0), upper + TINY * has_leaf

    def _products(self, factors):
        """Return the product along the path of each leaf, (n_leaves, n_inputs)."""
        products = np.ones((len(self.by_class.indices), factors.shape[1]))
        for path in self.paths:
            products[: len(path)] *= factors[path]
        return products


def _leaves(tree):
    """Return the leaves that some input reaches, and what leads there.

    Returns
    -------
    leaves : ndarray of int
        Their nodes.

    boxes : list of dict
        For each leaf, {feature: (low, high, takes_gaps)}: low < float32(z) <= high, or
        z is missing and `takes_gaps`. What only gaps reach has low >= high.
    """
    left, right = tree.children_left.tolist(), tree.children_right.tolist()
    feature = tree.feature.tolist()
    threshold = largest_float32(tree.threshold).tolist()
    nodes = tree.__getstate__()["nodes"]
    gaps_left = nodes["missing_go_to_left"].astype(bool).tolist()
    leaves, boxes = [], []
    stack = [(0, {})]
    while stack:
        node, box = stack.pop()
        if left[node] == -1:
            leaves.append(node)
            boxes.append(box)
            continue
        low, high, gaps = box.get(feature[node], (-np.inf, np.inf, True))
        cut, left_gaps = threshold[node], gaps_left[node]
        # A cut outside of the box leaves one side empty and the other as it was.
        for child, *side in (
            (right[node], max(low, cut), high, gaps and not left_gaps),
            (left[node], low, min(cut, high), gaps and left_gaps),
        ):
            if side[0] >= side[1]:
                side[:2] = np.inf, -np.inf
            if side[0] < side[1] or side[2]:
                stack.append((child, {**box, feature[node]: tuple(side)}))
    return np.array(leaves), boxes


def features_of(tree):
    """Return the features that a DecisionTreeClassifier splits on.

    Raises
    ------
    Unsupported
        If it has several outputs.
    """
    if tree.n_outputs_ != 1:
        raise unsupported(f"a decision tree with {tree.n_outputs_} outputs")
    return splits_of(tree)


def splits_of(tree):
    """Return the features that a tree splits on."""
    splits = tree.tree_.children_left != -1
    return np.unique(tree.tree_.feature[splits]).astype(np.intp)


def is_tree(estimator):
    """Is `estimator` a decision tree that predicts as scikit-learn's does?"""
    return predicts_as(estimator, DecisionTreeClassifier)
