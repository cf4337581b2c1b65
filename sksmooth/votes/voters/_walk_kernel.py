"""Compiled prediction of sums of trees with many leaves, node by node. Imports numba.

At the upper nodes of a tree a block of rows is parted in two, as often as a part has
many rows; those of a part stay in order. What is left goes down a level at a time, all
rows together: each row's step is independent of the others', so that the processor
works at many of them at once, where the steps of one row would wait for memory one
after the other. No branch depends on a row. Noisy copies of one input are near each
other: the first nodes, which answer alike for the whole block, are asked once for all.
"""

import numba
import numpy as np

from ._trees_kernel import LOOKS, ranges, settled, winners

# Rows that go through a tree before the next tree is read.
BLOCK = 4096

# A part with fewer rows is not worth the cost of parting it.
_FEW = 128

_ONE, _TWO = np.uint32(1), np.uint32(2)
_TOP_BIT = np.uint32(31)
_OTHER_BITS = np.uint32(2**31 - 1)


@numba.njit(nogil=True, cache=True)
def classify(X, walk, rule, divisor, margin, takes_missing, winner):
    """Write the class of each row of X to `winner`; see ``_trees_kernel.classify``.

    Parameters
    ----------
    walk : tuple of arrays
        See ``models._forest.Walk``.
    """
    feature, threshold, child, root, value, column, start, rest = walk
    n_trees, width, n_features = len(root), value.shape[1], X.shape[1]
    step = max(1, n_trees // LOOKS)
    # Places without a sign are not asked whether they count from the end.
    most_rows = np.uint32(min(BLOCK, len(X)))
    least = np.empty(n_features, X.dtype)
    most = np.empty(n_features, X.dtype)
    gaps = np.zeros(n_features, np.bool_)
    x = np.empty(n_features * most_rows, X.dtype)  # feature after feature
    sums = np.empty((len(start), most_rows))
    leaf = np.empty(most_rows, np.uint32)
    memory = np.empty((6, most_rows + 1), np.uint32)
    for begin in range(0, len(X), most_rows):
        size = min(most_rows, len(X) - begin)
        if not ranges(X[begin : begin + size], least, most, gaps, takes_missing):
            return False
        for r in range(size):
            for f in range(n_features):
                x[f * most_rows + r] = X[begin + r, f]
        for k in range(len(start)):
            sums[k, :] = start[k]
        for t in range(n_trees):
            top = root[t]
            while not top >> _TOP_BIT:
                f = feature[top] & _OTHER_BITS
                if most[f] <= threshold[top] and not gaps[f]:
                    top = child[_TWO * top]
                elif least[f] > threshold[top] and not gaps[f]:
                    top = child[_TWO * top + _ONE]
                else:
                    break
            tree = feature, threshold, child, top
            if np.any(gaps):
                _walk(x, most_rows, size, tree, memory, leaf, True)
            else:
                _walk(x, most_rows, size, tree, memory, leaf, None)
            for k in range(width):
                total = sums[column[t] + k]
                for r in range(size):
                    total[r] += value[leaf[r], k]
            if (
                t + 1 < n_trees
                and (t + 1) % step == 0
                and settled(sums, size, rule, divisor, margin, rest[t])
            ):
                break
        winners(sums, size, rule, divisor, margin, winner[begin : begin + size])
    return True


@numba.njit(nogil=True)
def _goes_right(one, limit, feature, has_gaps):
    """Return 1 if a value goes to the right, else 0."""
    right = np.uint32(one > limit)
    if has_gaps is not None:
        right |= np.uint32(one != one) & (feature >> _TOP_BIT)
    return right


@numba.njit(nogil=True)
def _walk(x, most_rows, size, tree, memory, leaf, has_gaps):
    """Write the leaf to which each row comes from the top of a tree to `leaf`.

    Parameters
    ----------
    x : ndarray of shape (n_features * most_rows,)

    tree : tuple
        Three arrays of all trees, and the node to begin with.


    memory : ndarray of uint32 of shape (6, most_rows + 1)
        Overwritten.

    has_gaps : True or None
        For which it is compiled each: None, if no value is missing.
    """
    feature, threshold, child, top = tree
    # Parts that wait: a node, and where its rows stand in `rows`. None is empty.
    nodes, starts, stops, rows, others, going = memory
    for r in range(size):
        rows[r] = r
    nodes[0], starts[0], stops[0] = top, 0, size
    n_going, waiting = np.uint32(0), 1
    while waiting:
        waiting -= 1
        node, begin, stop = nodes[waiting], starts[waiting], stops[waiting]
        if node >> _TOP_BIT:
            for i in range(begin, stop):
                leaf[rows[np.uint32(i)]] = node & _OTHER_BITS
            continue
        if stop - begin < _FEW:
            for i in range(begin, stop):
                r = rows[np.uint32(i)]
                leaf[r] = node  # as far as it has come
                going[n_going] = r
                n_going += _ONE
            continue
        f, limit = feature[node], threshold[node]
        at = (f & _OTHER_BITS) * most_rows
        n_left, n_right = begin, np.uint32(0)
        for i in range(begin, stop):
            r = rows[np.uint32(i)]
            right = _goes_right(x[at + r], limit, f, has_gaps)
            rows[n_left], others[n_right] = r, r
            n_left += _ONE - right
            n_right += right
        for i in range(n_right):
            rows[n_left + np.uint32(i)] = others[np.uint32(i)]
        if n_right:
            nodes[waiting] = child[_TWO * node + _ONE]
            starts[waiting], stops[waiting] = n_left, stop
            waiting += 1
        if n_left > begin:
            nodes[waiting] = child[_TWO * node]
            starts[waiting], stops[waiting] = begin, n_left
            waiting += 1
    while n_going:
        n_inside = np.uint32(0)
        for i in range(n_going):
            r = going[np.uint32(i)]
            node = leaf[r]
            f = feature[node]
            one = x[(f & _OTHER_BITS) * most_rows + r]
            right = _goes_right(one, threshold[node], f, has_gaps)
            following = child[_TWO * node + right]
            leaf[r] = following & _OTHER_BITS
            going[n_inside] = r
            n_inside += _ONE - (following >> _TOP_BIT)
        n_going = n_inside
