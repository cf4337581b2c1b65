"""Exact class probabilities of a decision tree under noise: the sum over its leaves."""

import numpy as np
from scipy.sparse import csr_array
from sklearn.tree import DecisionTreeClassifier

from ..models._forest import largest_float32
from ._axes import EPS, TINY, Axes, Intervals, unsupported


class ExactTree:
    """Class probabilities of a DecisionTreeClassifier.

    A leaf is a box, and the noise is independent between features, so its mass is a
    product of interval masses over the features on its path.

    Parameters
    ----------
    tree : fitted DecisionTreeClassifier

    steps : sequence of transformers
        What x goes through on its way to the tree.

    noise : BoundNoise
        Of the columns of x, one level for each.
    """

    def __init__(self, tree, steps, noise):
        if tree.n_outputs_ != 1:
            raise unsupported(f"a decision tree with {tree.n_outputs_} outputs")
        self.n_classes = len(tree.classes_)
        leaves, boxes = _leaves(tree.tree_)
        # Longest paths first, so that those that go on are always the first few.
        order = sorted(range(len(boxes)), key=lambda i: -len(boxes[i]))
        boxes = [boxes[i] for i in order]
        winner = tree.tree_.value[leaves[order], 0].argmax(axis=1)
        self.by_class = csr_array(
            (np.ones(len(order)), (winner, np.arange(len(order)))),
            shape=(self.n_classes, len(order)),
        )
        self.has_leaf = np.isin(np.arange(self.n_classes), winner)[:, None]
        features = np.unique([feature for box in boxes for feature in box])
        features = features.astype(np.intp)
        self.axes = Axes(features, tree.n_features_in_, steps, noise)
        axis_of = {feature: axis for axis, feature in enumerate(features.tolist())}
        sides = [
            [(axis_of[feature], *ends) for feature, ends in box.items()]
            for box in boxes
        ]
        place = {
            side: i for i, side in enumerate(sorted({s for b in sides for s in b}))
        }
        self.intervals = Intervals(self.axes, *np.reshape(list(place), (-1, 3)).T)
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
        masses = self.intervals.upper(X)
        n_leaves = len(self.by_class.indices)
        products = np.ones((n_leaves, len(X)))
        for path in self.paths:
            products[: len(path)] *= masses[path]
        # One rounding a factor and one a term, at most half an eps each.
        slack = 1 + EPS * (len(self.paths) + n_leaves)
        upper = self.by_class @ products * slack
        # The bounds are a few eps wide: what they add up to is 1 but for that.
        return upper / upper.sum(axis=0), upper + TINY * self.has_leaf


def _leaves(tree):
    """Return the leaves that some input reaches, and what leads there.

    Returns
    -------
    leaves : ndarray of int
        Their nodes.

    boxes : list of dict
        For each leaf, {feature: (low, high)}: low < float32(z) <= high.
    """
    left, right = tree.children_left.tolist(), tree.children_right.tolist()
    feature = tree.feature.tolist()
    threshold = largest_float32(tree.threshold).tolist()
    leaves, boxes = [], []
    stack = [(0, {})]
    while stack:
        node, box = stack.pop()
        if left[node] == -1:
            leaves.append(node)
            boxes.append(box)
            continue
        low, high = box.get(feature[node], (-np.inf, np.inf))
        cut = threshold[node]
        # A cut outside of the box leaves one side empty and the other as it was.
        if cut < high:
            stack.append((right[node], {**box, feature[node]: (max(low, cut), high)}))
        if cut > low:
            stack.append((left[node], {**box, feature[node]: (low, min(cut, high))}))
    return np.array(leaves), boxes


def is_tree(estimator):
    """Is `estimator` a decision tree that predicts as scikit-learn's does?"""
    return (
        isinstance(estimator, DecisionTreeClassifier)
        and type(estimator).predict is DecisionTreeClassifier.predict
        and "predict" not in vars(estimator)
    )
