"""What a booster exports, in one form for all libraries."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

# The unit roundoff of sums in float32, and in float64.
SINGLE, DOUBLE = 2.0**-24, 2.0**-53


class Exported(NamedTuple):
    """How a booster predicts: the highest of some sums, or whether the only one is > 0.

    `threshold` of all trees is in the precision in which the library compares.
    """

    trees: list  # of Tree, with `missing`, and `value` of the same width
    column: np.ndarray  # int, (n_trees,): to which columns each adds, from this on
    n_columns: int
    n_features: int
    classes: np.ndarray  # what `predict` returns, by column; or for <= 0 and for > 0
    scores: Callable  # the library's own sums for rows of X, with all it adds to them
    unit: float  # unit roundoff of its sums
    fuzz: float  # difference of sums that may get lost on the way to the label
    takes_missing: bool = True


def tree_of_dicts(root, read_leaf, read_split):
    """Return the nodes of a tree that is given as nested dicts.

    Parameters
    ----------
    root : dict

    read_leaf : callable
        Returns the value of a leaf, a number or a list, or None for any other node.

    read_split : callable
        Returns (left, right, rest) of any other node.

    Returns
    -------
    left, right : ndarray of int of shape (n_nodes,)
        Places of the children, below zero at a leaf.

    values : ndarray of float of shape (n_nodes, width)
        Zero where there is no leaf.

    splits : list of (int, object)
        Places of nodes that are no leaves, with the rest of what `read_split` returned.
    """
    nodes, left, right, leaves, splits = [root], [], [], {}, []
    for place, node in enumerate(nodes):  # which grow
        value, children = read_leaf(node), (-1, -1)
        if value is None:
            *below, rest = read_split(node)
            splits.append((place, rest))
            children = len(nodes), len(nodes) + 1
            nodes += below
        else:
            leaves[place] = np.atleast_1d(value)
        left.append(children[0])
        right.append(children[1])
    values = np.zeros((len(nodes), len(next(iter(leaves.values())))))
    values[list(leaves)] = list(leaves.values())
    return np.array(left), np.array(right), values, splits
