"""Trees and sums of trees, in the form that the compiled kernel takes."""

from typing import NamedTuple

import numpy as np
from sklearn.ensemble import (
    ExtraTreesClassifier,
    GradientBoostingClassifier,
    HistGradientBoostingClassifier,
    RandomForestClassifier,
)
from sklearn.tree import DecisionTreeClassifier, ExtraTreeClassifier

from .._sklearn import boosting_start, hist_boosting

# How `predict` reads the sums, as the kernel numbers it.
_HIGHEST_MEAN, _ABOVE_ZERO, _NOT_BELOW_ZERO = 0, 1, 2


# Trees with more leaves are walked faster, node by node, than asked all at once.
_MOST_LEAVES = 256


class Forest(NamedTuple):
    """A sum of trees in the form the kernel takes.

    A test is x[feature] > threshold; it rules out leaves among 64 that follow each
    other, a word. (A node whose left branch spans several words has several tests.)
    Leaves are numbered from left to right, tree after tree.
    """

    first_test: np.ndarray  # int64, (n_trees + 1,)
    feature: np.ndarray  # int64, (n_tests,)
    threshold: np.ndarray  # float32 or float64, (n_tests,)
    word: np.ndarray  # int64, (n_tests,): counted in the tree
    mask: np.ndarray  # uint64, (n_tests,): leaves that are not ruled out
    first_leaf: np.ndarray  # int64, (n_trees + 1,)
    value: np.ndarray  # float64, (n_leaves, width): what a leaf adds
    column: np.ndarray  # int64, (n_trees,): to which columns, from this on
    start: np.ndarray  # float64, (n_columns,): the sums without trees


class Model(NamedTuple):
    """How a classifier predicts: steps, a sum of trees, and what is made of it."""

    steps: tuple  # transformers in front
    last: object  # the classifier behind them
    classes: np.ndarray
    n_features: int
    forest: Forest
    rule: int
    divisor: float  # of the sums


def is_sum_of_trees(chain):
    """Is this one of scikit-learn's classifiers of trees, without steps before it?"""
    return not chain.steps and not chain.own and type(chain.last) in _MAKERS


def compiled(chain):
    """Return the Model of a Chain, or None if its trees cannot be compiled.

    It is for steps that get a matrix.
    """
    f = chain.last
    make = None if chain.own else _MAKERS.get(type(f))
    if make is None or getattr(f, "n_outputs_", 1) != 1:
        return None
    if not {"predict_proba", "decision_function"}.isdisjoint(vars(f)):
        return None  # which predict may ask
    n_features = getattr(f, "n_features_in_", None)
    if n_features is None:
        return None
    forest, rule, divisor = make(f)
    if forest is None:
        return None
    return Model(chain.steps, f, f.classes_, n_features, forest, rule, divisor)


def _single(f):
    return _mean([f])


def _averaged(f):
    # Where trees vote at the same time, the order of the sum is not known.
    return _mean(f.estimators_)


def _mean(trees):
    n_classes = len(trees[0].classes_)
    parts = [_nodes(tree.tree_, tree.tree_.value[:, 0, :n_classes]) for tree in trees]
    forest = flatten(parts, [0] * len(parts), np.zeros(n_classes))
    return forest, _HIGHEST_MEAN, float(len(parts))


def _boosted(f):
    start, stages = boosting_start(f), f.estimators_
    parts = [
        _nodes(tree.tree_, f.learning_rate * tree.tree_.value[:, 0, :1])
        for tree in stages.ravel()
    ]
    n_columns = stages.shape[1]
    rule = _NOT_BELOW_ZERO if n_columns == 1 else _HIGHEST_MEAN
    return flatten(parts, _in_turn(parts, n_columns), start), rule, 1.0


def _hist_boosted(f):
    start, stages = hist_boosting(f)
    parts = []
    for nodes in (nodes for stage in stages for nodes in stage):
        left, right = (
            np.where(nodes["is_leaf"], -1, nodes[side].astype(np.int64))
            for side in ("left", "right")
        )
        threshold = nodes["num_threshold"]
        value = nodes["value"][:, None]
        parts.append((left, right, nodes["feature_idx"], threshold, value))
    n_columns = len(stages[0])
    rule = _ABOVE_ZERO if n_columns == 1 else _HIGHEST_MEAN
    return flatten(parts, _in_turn(parts, n_columns), start), rule, 1.0


_MAKERS = {
    DecisionTreeClassifier: _single,
    ExtraTreeClassifier: _single,
    RandomForestClassifier: _averaged,
    ExtraTreesClassifier: _averaged,
    GradientBoostingClassifier: _boosted,
    HistGradientBoostingClassifier: _hist_boosted,
}


def _in_turn(parts, n_columns):
    return np.arange(len(parts)) % n_columns


def _nodes(tree, value):
    """Return what ``flatten`` takes; scikit-learn's trees compare float32."""
    threshold = largest_float32(tree.threshold)
    return tree.children_left, tree.children_right, tree.feature, threshold, value


def flatten(trees, column, start):
    """Return the Forest of some trees.

    Parameters
    ----------
    trees : list of (left, right, feature, threshold, value)
        Arrays with one entry a node, as in scikit-learn: node 0 is the root, a leaf
        has left < 0; value is of shape (n_nodes, width).

    column : array-like of int of shape (n_trees,)
        Column to which each tree adds.

    start : ndarray of shape (n_columns,), or None
        None if the classifier is no sum of such trees.

    Returns
    -------
    forest : Forest or None
        None also if a tree has too many leaves.
    """
    if start is None or any(np.sum(tree[0] < 0) > _MOST_LEAVES for tree in trees):
        return None
    parts, n_tests, n_leaves = [], [0], [0]
    for left, right, feature, threshold, value in trees:
        leaves, tests = _tests(left.tolist(), right.tolist())
        node, word, mask = np.array(tests, np.uint64).reshape(-1, 3).T
        node = node.astype(np.int64)
        parts.append((feature[node], threshold[node], word, mask, value[leaves]))
        n_tests.append(n_tests[-1] + len(tests))
        n_leaves.append(n_leaves[-1] + len(leaves))
    feature, threshold, word, mask, value = map(
        np.concatenate, zip(*parts, strict=True)
    )
    return Forest(
        first_test=np.array(n_tests, np.int64),
        feature=feature.astype(np.int64),
        threshold=threshold,
        word=word.astype(np.int64),
        mask=mask,
        first_leaf=np.array(n_leaves, np.int64),
        value=np.ascontiguousarray(value, float),
        column=np.asarray(column, np.int64),
        start=np.array(start, float),
    )


def _tests(left, right):
    """Return the leaves from left to right, and the tests: (node, word, mask)."""
    leaves, tests, waiting = [], [], [(0, None)]
    while waiting:
        node, before = waiting.pop()
        if before is not None:  # the left branch is through: leaves before, ..., now
            ruled_out = 2 ** len(leaves) - 2**before
            for word in range(before // 64, (len(leaves) - 1) // 64 + 1):
                mask = ~(ruled_out >> 64 * word) % 2**64
                tests.append((node, word, mask))
        elif left[node] < 0:
            leaves.append(node)
        else:
            here = len(leaves)
            waiting += [(right[node], None), (node, here), (left[node], None)]
    return leaves, tests


def largest_float32(threshold):
    """Return the largest float32 that is not above each threshold.

    Trees compare float32(x) <= threshold, so they cannot tell a threshold from this.
    """
    threshold = np.asarray(threshold, dtype=float)
    nearest = threshold.astype(np.float32)
    below = np.nextafter(nearest, np.float32(-np.inf))
    return np.where(nearest > threshold, below, nearest)
