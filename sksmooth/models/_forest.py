"""A sum of trees as a compiled kernel takes it, and how its labels are read off."""

from typing import NamedTuple

import numpy as np

from ._ranks import most_distinct, ranked

# How `predict` reads the sums, as the kernel numbers it.
HIGHEST_MEAN, ABOVE_ZERO, NOT_BELOW_ZERO = 0, 1, 2

# Up to so many bytes of thresholds a feature, values are compared as they are: to find
# their ranks takes as long as some tests do.
_FEW_BYTES = 80

# Trees with more leaves are walked faster, node by node, than asked all at once.
_MOST_LEAVES = 256

# Nodes and leaves of all trees are numbered by 31 bits; the highest bit is for others.
_HIGHEST = np.uint32(2**31)


class Tree(NamedTuple):
    """The nodes of a tree; node 0 is the root.

    A value that is missing goes the way that `missing` tells, any other to the right
    if x > threshold.
    """

    left: np.ndarray  # int, (n_nodes,): < 0 at a leaf
    right: np.ndarray  # int, (n_nodes,)
    feature: np.ndarray  # int, (n_nodes,)
    threshold: np.ndarray  # float32 or float64, (n_nodes,)
    value: np.ndarray  # float, (n_nodes, width): what a leaf adds
    missing: np.ndarray | None = None  # bool, (n_nodes,): to the right; None: never
    # If all nodes of a level ask the same: one of each level, the root first. All
    # leaves are equally deep then.
    levels: np.ndarray | None = None


class Forest(NamedTuple):
    """A sum of trees in the form the kernel takes.

    A test is x[feature] > threshold: its node stands between two leaves that follow
    each other, and a row that passes it is in none of the leaves `first`, ...,
    `after` - 1. Leaves are numbered from left to right in each tree, and so are tests.
    In a tree `by_bits` a test is a level, and `after` a bit of the number of the leaf.
    """

    used: np.ndarray  # int64, (n_used,): the columns of X that are asked
    first_test: np.ndarray  # int64, (n_trees + 1,)
    feature: np.ndarray  # int64, (n_tests,): its place among those that are used
    limit: np.ndarray  # (n_tests,): the rank of the threshold; itself without a grid
    missing: np.ndarray  # bool, (n_tests,): is the test passed by a missing value?
    first: np.ndarray  # unsigned, as wide as `limit`, (n_tests,)
    after: np.ndarray  # unsigned, as wide as `limit`, (n_tests,)
    by_bits: np.ndarray  # bool, (n_trees,)
    first_leaf: np.ndarray  # int64, (n_trees + 1,)
    value: np.ndarray  # float64, (width, n_leaves): what a leaf adds
    column: np.ndarray  # int64, (n_trees,): to which columns, from this on
    start: np.ndarray  # float64, (n_columns,): the sums without trees
    rest: np.ndarray  # float64, (n_trees,): see ``_rest``
    grid: tuple | None  # see ``_ranks.Grid``

    @property
    def dtype(self):
        """In which values are compared."""
        return (self.limit if self.grid is None else self.grid.limits).dtype


class Walk(NamedTuple):
    """A sum of trees, some of which have many leaves, in the form the kernel takes.

    A child is the number of a node or, with the highest bit set, that of a leaf. All
    are numbered tree after tree.
    """

    # uint32, (n_nodes,): the highest bit is set where a missing value goes to the right
    feature: np.ndarray
    threshold: np.ndarray  # float32 or float64, (n_nodes,)
    child: np.ndarray  # uint32, (2 * n_nodes,): left and right
    root: np.ndarray  # uint32, (n_trees,): as a child
    value: np.ndarray  # float64, (n_leaves, width): what a leaf adds
    column: np.ndarray  # int64, (n_trees,): to which columns, from this on
    start: np.ndarray  # float64, (n_columns,): the sums without trees
    rest: np.ndarray  # float64, (n_trees,): see ``_rest``

    @property
    def dtype(self):
        """In which values are compared."""
        return self.threshold.dtype


class Model(NamedTuple):
    """How a classifier predicts: steps, a sum of trees, and what is made of it."""

    steps: tuple  # transformers in front
    last: object  # the classifier behind them
    classes: np.ndarray
    n_features: int
    forest: Forest | Walk
    rule: int
    divisor: float = 1.0  # of the sums
    # Sums that are not further apart than this (or from zero) are asked of `last`;
    # below zero: none is, as the sums are those of `last` to the last bit.
    margin: float = -1.0
    takes_missing: bool = False


def flatten(trees, column, start):
    """Return the Forest of some trees.

    Parameters
    ----------
    trees : list of Tree

    column : array-like of int of shape (n_trees,)
        Column to which each tree adds.

    start : ndarray of shape (n_columns,), or None
        None if the classifier is no sum of such trees.

    Returns
    -------
    forest : Forest, Walk or None
    """
    if start is None:
        return None
    if any(map(_has_many_leaves, trees)):
        return _walk(trees, column, start)
    parts, n_tests, n_leaves, known = [], [0], [0], {}
    for tree in trees:
        shape = tree.left.tobytes(), tree.right.tobytes(), tree.levels is None
        if shape not in known:  # trees of one shape have the same tests
            known[shape] = _tests(tree.left.tolist(), tree.right.tolist(), tree.levels)
        leaves, node, first, after = known[shape]
        missing = np.zeros(len(node), bool)
        if tree.missing is not None:
            missing = tree.missing[node]
        test = tree.feature[node], tree.threshold[node], missing, first, after
        parts.append((*test, tree.value[leaves]))
        n_tests.append(n_tests[-1] + len(node))
        n_leaves.append(n_leaves[-1] + len(leaves))
    *tests, value = map(np.concatenate, zip(*parts, strict=True))
    feature, threshold, missing, first, after = tests
    used, feature = np.unique(feature, return_inverse=True)
    most = max(most_distinct(feature, threshold), int(np.diff(n_leaves).max()) - 1)
    if most > np.iinfo(np.uint16).max - 1:
        return _walk(trees, column, start)
    grid, limit = None, threshold
    # An infinite one is no less than infinity, which stands for what is missing.
    if threshold.nbytes > _FEW_BYTES * len(used) or np.any(np.isinf(threshold)):
        kind = np.uint8 if most < np.iinfo(np.uint8).max else np.uint16
        limit, grid = ranked(feature, threshold, kind)
    kind = f"u{limit.itemsize}"
    return Forest(
        used=used.astype(np.int64),
        first_test=np.array(n_tests, np.int64),
        feature=feature.astype(np.int64),
        limit=limit,
        missing=missing,
        first=first.astype(kind),
        after=after.astype(kind),
        by_bits=np.array([tree.levels is not None for tree in trees]),
        first_leaf=np.array(n_leaves, np.int64),
        value=np.ascontiguousarray(value.T, float),
        column=np.asarray(column, np.int64),
        start=np.array(start, float),
        rest=_rest([tree.value[tree.left < 0] for tree in trees], column, start),
        grid=grid,
    )


def _rest(values, column, start):
    """Bound what trees can still do to the lead of a column over another, or over 0.

    Parameters
    ----------
    values : list of ndarray of shape (n_leaves, width)
        Of each tree.

    column : array-like of int of shape (n_trees,)

    start : array-like of shape (n_columns,)

    Returns
    -------
    rest : ndarray of shape (n_trees,)
        After each tree: no lead changes by more, whatever the other trees add, and
        however their sums are rounded.
    """
    size = np.array([np.abs(value).max() for value in values])
    if values[0].shape[1] > 1:
        # A tree that adds to all columns adds as much to each, but for this.
        change = np.array([np.ptp(value, axis=1).max() for value in values])
        left = np.append(np.cumsum(change[:0:-1])[::-1], 0.0)
    else:
        own = size[:, None] * (np.asarray(column)[:, None] == np.arange(len(start)))
        of_each = np.vstack([np.cumsum(own[:0:-1], axis=0)[::-1], 0 * own[:1]])
        left = np.sort(of_each, axis=1)[:, -2:].sum(axis=1)
    return left + 1e-9 * (left + size.sum() + np.abs(start).max())


def _has_many_leaves(tree):
    return tree.levels is None and np.sum(tree.left < 0) > _MOST_LEAVES


def _walk(trees, column, start):
    """Return the Walk of some trees, or None if they have more nodes than it counts."""
    sizes = [len(tree.left) for tree in trees]
    if sum(sizes) >= _HIGHEST:
        return None
    is_leaf = np.concatenate([tree.left < 0 for tree in trees])
    inner = ~is_leaf
    # Where each stands among those of its kind.
    child = np.where(is_leaf, np.cumsum(is_leaf), np.cumsum(inner)) - 1
    child = child.astype(np.uint32) | is_leaf * _HIGHEST
    first = np.cumsum([0, *sizes[:-1]])
    feature = np.concatenate([tree.feature for tree in trees])[inner].astype(np.uint32)
    sides = [
        np.concatenate([side + at for side, at in zip(one, first, strict=True)])[inner]
        for one in ([tree.left for tree in trees], [tree.right for tree in trees])
    ]
    if trees[0].missing is not None:
        missing = np.concatenate([tree.missing for tree in trees])[inner]
        feature |= missing * _HIGHEST
    value = np.concatenate([tree.value[tree.left < 0] for tree in trees])
    return Walk(
        feature=feature,
        threshold=np.concatenate([tree.threshold for tree in trees])[inner],
        child=child[np.stack(sides, axis=1)].ravel(),
        root=child[first],
        value=np.ascontiguousarray(value, float),
        column=np.asarray(column, np.int64),
        start=np.array(start, float),
        rest=_rest([tree.value[tree.left < 0] for tree in trees], column, start),
    )


def _tests(left, right, levels):
    """Return the leaves from left to right, and the tests: node, first and after."""
    leaves, tests, waiting = [], [], [(0, None)]
    while waiting:
        node, first = waiting.pop()
        if first is not None:  # the left branch is through
            tests.append((node, first, len(leaves)))
        elif left[node] < 0:
            leaves.append(node)
        else:
            here = len(leaves)
            waiting += [(right[node], None), (node, here), (left[node], None)]
    if levels is not None:
        bits = 2 ** np.arange(len(levels))[::-1]
        tests = [(node, 0, bit) for node, bit in zip(levels, bits, strict=True)]
    node, first, after = np.array(tests, np.int64).reshape(-1, 3).T
    return leaves, node, first, after


def largest_float32(threshold):
    """Return the largest float32 that is not above each threshold.

    Trees compare float32(x) <= threshold, so they cannot tell a threshold from this.
    """
    threshold = np.asarray(threshold, dtype=float)
    nearest = threshold.astype(np.float32)
    below = np.nextafter(nearest, np.float32(-np.inf))
    return np.where(nearest > threshold, below, nearest)
