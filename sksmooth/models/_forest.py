"""A sum of trees as a compiled kernel takes it, and how its labels are read off."""

from typing import NamedTuple

import numpy as np

# How `predict` reads the sums, as the kernel numbers it.
HIGHEST_MEAN, ABOVE_ZERO, NOT_BELOW_ZERO = 0, 1, 2

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

    A test is x[feature] > threshold; it rules out leaves among 32 that follow each
    other, a word. (A node whose left branch spans several words has several tests.)
    Leaves are numbered from left to right, tree after tree. In a tree `by_bits` a test
    is a level, and clears a bit: those that are cleared in the end number the leaf.
    """

    first_test: np.ndarray  # int64, (n_trees + 1,)
    feature: np.ndarray  # int64, (n_tests,)
    threshold: np.ndarray  # float32 or float64, (n_tests,)
    missing: np.ndarray  # bool, (n_tests,): is the test passed by a missing value?
    word: np.ndarray  # int64, (n_tests,): counted in the tree
    mask: np.ndarray  # uint32, (n_tests,): leaves that are not ruled out
    by_bits: np.ndarray  # bool, (n_trees,)
    first_leaf: np.ndarray  # int64, (n_trees + 1,)
    value: np.ndarray  # float64, (n_leaves, width): what a leaf adds
    column: np.ndarray  # int64, (n_trees,): to which columns, from this on
    start: np.ndarray  # float64, (n_columns,): the sums without trees
    rest: np.ndarray  # float64, (n_trees,): see ``_rest``


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
    parts, n_tests, n_leaves, known = [], [], [0], {}
    for tree in trees:
        shape = tree.left.tobytes(), tree.right.tobytes(), tree.levels is None
        if shape not in known:  # trees of one shape have the same tests
            known[shape] = _tests(tree.left.tolist(), tree.right.tolist(), tree.levels)
        leaves, node, word, mask = known[shape]
        missing = np.zeros(len(node), bool)
        if tree.missing is not None:
            missing = tree.missing[node]
        test = tree.feature[node], tree.threshold[node], missing, word, mask
        parts.append((*test, tree.value[leaves]))
        n_tests.append(len(node))
        n_leaves.append(n_leaves[-1] + len(leaves))
    *tests, value = map(np.concatenate, zip(*parts, strict=True))
    first_test, tests = _merged(np.repeat(np.arange(len(trees)), n_tests), *tests)
    feature, threshold, missing, word, mask = tests
    return Forest(
        first_test=np.searchsorted(first_test, np.arange(len(trees) + 1)),
        feature=feature.astype(np.int64),
        threshold=threshold,
        missing=missing,
        word=word,
        mask=mask,
        by_bits=np.array([tree.levels is not None for tree in trees]),
        first_leaf=np.array(n_leaves, np.int64),
        value=np.ascontiguousarray(value, float),
        column=np.asarray(column, np.int64),
        start=np.array(start, float),
        rest=_rest([tree.value[tree.left < 0] for tree in trees], column, start),
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
    """Return the leaves from left to right, and the tests: node, word and mask."""
    leaves, tests, waiting = [], [], [(0, None)]
    while waiting:
        node, before = waiting.pop()
        if before is not None:  # the left branch is through: leaves before, ..., now
            ruled_out = 2 ** len(leaves) - 2**before
            for word in range(before // 32, (len(leaves) - 1) // 32 + 1):
                mask = ~(ruled_out >> 32 * word) % 2**32
                tests.append((node, word, mask))
        elif left[node] < 0:
            leaves.append(node)
        else:
            here = len(leaves)
            waiting += [(right[node], None), (node, here), (left[node], None)]
    if levels is not None:
        bits = 2 ** np.arange(len(levels))[::-1]
        tests = [
            (node, 0, 2**32 - 1 - bit)
            for node, bit in zip(levels, bits.tolist(), strict=True)
        ]
    node, word, mask = np.array(tests, np.int64).reshape(-1, 3).T
    return leaves, node, word, mask.astype(np.uint32)


def _merged(tree, feature, threshold, missing, word, mask):
    """Join the tests of a tree that ask the same: all nodes of a level, for instance.

    Returns
    -------
    tree : ndarray of int of shape (n_tests,)
        Sorted.

    tests : tuple of arrays of shape (n_tests,)
        feature, threshold, missing, word, mask
    """
    keys = tree, feature, threshold, missing, word
    order = np.lexsort(keys[::-1])
    keys = [key[order] for key in keys]
    new = np.ones(len(order), bool)
    if len(order):
        new[1:] = np.any([key[1:] != key[:-1] for key in keys], axis=0)
        mask = np.bitwise_and.reduceat(mask[order], np.flatnonzero(new))
    tree, *tests = (key[new] for key in keys)
    return tree, (*tests, mask)


def largest_float32(threshold):
    """Return the largest float32 that is not above each threshold.

    Trees compare float32(x) <= threshold, so they cannot tell a threshold from this.
    """
    threshold = np.asarray(threshold, dtype=float)
    nearest = threshold.astype(np.float32)
    below = np.nextafter(nearest, np.float32(-np.inf))
    return np.where(nearest > threshold, below, nearest)
