"""Exact probabilities of what a tree answers under noise: the sum over its leaves."""

from functools import lru_cache
from typing import NamedTuple

import numpy as np
from scipy.sparse import csr_array
from sklearn.tree import DecisionTreeClassifier

from .._sklearn import predicts_as
from ..models._forest import largest_float32
from ._axes import EPS, TINY, Axes, Intervals, edges_of, unsupported

# Nodes of a tree whose boxes are kept for the next call.
_MOST_REMEMBERED = 2**17


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
        boxes = _boxes_of(tree.tree_)
        n_leaves = len(boxes.leaves)
        winner = answers[boxes.leaves]
        self.by_class = csr_array(
            (np.ones(n_leaves), (winner, np.arange(n_leaves))),
            shape=(self.n_classes, n_leaves),
        )
        found = np.isin(np.arange(self.n_classes), winner[boxes.is_filled])
        self.has_leaf = found[:, None]
        self.axes = Axes(features, tree.n_features_in_, steps, noise)
        self.intervals = Intervals(self.axes, *boxes.sides, boxes.edges)
        self.takes_gaps = boxes.takes_gaps[:, None]
        self.filled = (boxes.sides[1] < boxes.sides[2])[:, None]
        self.paths = boxes.paths

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


class _Boxes(NamedTuple):
    """The leaves that some input reaches, and their boxes, longest paths first."""

    leaves: np.ndarray  # their nodes
    is_filled: np.ndarray  # which of them some input without gaps reaches
    # Of all different sides of boxes: the place of the feature among those that the
    # tree splits on, as low < float32(z) <= high.
    sides: tuple
    takes_gaps: np.ndarray  # and whether a gap is on that side
    edges: tuple  # of `sides`
    paths: list  # by depth, the side of each leaf whose path goes as far


def _boxes_of(tree):
    """Return the boxes of a fitted ``tree_``.

    Where a service asks about one row at a time, finding them takes longer than what
    comes then: they are remembered by what the tree consists of.
    """
    nodes = tree.__getstate__()["nodes"]
    if len(nodes) > _MOST_REMEMBERED:
        return _find_boxes(nodes)
    return _remembered(nodes.tobytes(), nodes.dtype)


@lru_cache(maxsize=4)
def _remembered(contents, dtype):
    return _find_boxes(np.frombuffer(contents, dtype))


def _find_boxes(nodes):
    leaves, boxes = _leaves(nodes)
    is_filled = [all(low < high for low, high, _ in box.values()) for box in boxes]
    # Longest paths first, so that those that go on are always the first few.
    order = sorted(range(len(boxes)), key=lambda i: -len(boxes[i]))
    features = sorted({feature for box in boxes for feature in box})
    axis_of = {feature: axis for axis, feature in enumerate(features)}
    own = [
        [(axis_of[feature], *ends) for feature, ends in boxes[i].items()] for i in order
    ]
    place = {side: i for i, side in enumerate(sorted({s for b in own for s in b}))}
    *sides, takes_gaps = np.reshape(list(place), (-1, 4)).T
    paths = [
        np.array([place[box[depth]] for box in own if len(box) > depth])
        for depth in range(len(own[0]))
    ]
    return _Boxes(
        leaves[order],
        np.array(is_filled)[order],
        tuple(sides),
        takes_gaps.astype(bool),
        edges_of(*sides),
        paths,
    )


def _leaves(nodes):
    """Return the leaves that some input reaches, and what leads there.

    Returns
    -------
    leaves : ndarray of int
        Their nodes.

    boxes : list of dict
        For each leaf, {feature: (low, high, takes_gaps)}: low < float32(z) <= high, or
        z is missing and `takes_gaps`. What only gaps reach has low >= high.
    """
    left, right = nodes["left_child"].tolist(), nodes["right_child"].tolist()
    feature = nodes["feature"].tolist()
    threshold = largest_float32(nodes["threshold"]).tolist()
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
