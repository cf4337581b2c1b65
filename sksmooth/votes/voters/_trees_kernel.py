"""Compiled prediction of sums of trees. Imports numba.

A tree is a set of bits, one a leaf, from left to right. A node whose test fails
(x > threshold) rules out the leaves of its left branch; the exit leaf is the first that
is left once all nodes were asked (QuickScorer). In a tree that asks the same in all
nodes of a level, a bit is a level instead, and the bits number the leaf.

A block of rows goes through a node together, and no branch depends on a single row.
Noisy copies of one input are near each other, so that many nodes answer alike for the
whole block: a look at the least and the largest value of the feature tells, and nothing
or one mask for all rows is left to do.

Trees with many leaves are walked instead. At the upper nodes of a tree a block of rows
is parted in two, as often as a part has many rows; those of a part stay in order. What
is left goes down a level at a time, all
rows together: each row's step is independent of the others', so that the processor
works at many of them at once, where the steps of one row would wait for memory one
after the other. No branch depends on a row. Noisy copies of one input are near each
other: the first nodes, which answer alike for the whole block, are asked once for all.

Both ways stand in one file, because numba's cache looks at no other one.
"""

import numba
import numpy as np
from numba.core import types
from numba.extending import intrinsic

# Rows that go through a node together.
BLOCK = 256

# It is asked so often whether the trees that are left can change anything.
LOOKS = 8

# Rows that go through a tree before the next tree is read.
WALK_BLOCK = 4096

# A part with fewer rows is not worth the cost of parting it.
_FEW = 128

_ONE, _TWO = np.uint32(1), np.uint32(2)
_TOP_BIT = np.uint32(31)
_OTHER_BITS = np.uint32(2**31 - 1)

# Of leaves, a word; as wide as the numbers that are compared, where these are float32.
_ALL = np.uint32(2**32 - 1)


@intrinsic
def _first_bit(typingctx, bits):
    """Return the place of the lowest bit that is set; 32 if none is."""

    def generate(context, builder, signature, args):
        return builder.cttz(args[0], context.get_constant(types.boolean, False))

    return types.uint32(types.uint32), generate


@numba.njit(nogil=True)
def ranges(X, least, most, gaps, takes_missing):
    """Find out between what values the features are, and which have gaps.

    Returns
    -------
    valid : bool
        False if a value is infinite, or missing where none may be.
    """
    n_features = X.shape[1]
    least[:], most[:], gaps[:] = np.inf, -np.inf, False
    for r in range(len(X)):
        row = X[r]
        for f in range(n_features):
            least[f] = row[f] if row[f] < least[f] else least[f]
            most[f] = row[f] if row[f] > most[f] else most[f]
            gaps[f] |= row[f] != row[f]
    for f in range(n_features):
        if most[f] == np.inf or least[f] == -np.inf:
            # As they were set, and nothing has changed that: all are missing.
            if not (most[f] == -np.inf and least[f] == np.inf):
                return False
        if gaps[f] and not takes_missing:
            return False
    return True


@numba.njit(nogil=True)
def settled(sums, size, rule, divisor, margin, rest):
    """Find out whether no class of any row changes if leads change by `rest`."""
    if rule != 0:
        least = max(margin, 0.0) + rest
        for r in range(size):
            if not abs(sums[0, r]) > least:
                return False
        return True
    least = max(margin, 0.0) * divisor + rest
    for r in range(size):
        best, following = sums[0, r], -np.inf
        for k in range(1, len(sums)):
            total = sums[k, r]
            if total > best:
                best, following = total, best
            elif total > following:
                following = total
        if not best - following > least:
            return False
    return True


@numba.njit(nogil=True)
def winners(sums, size, rule, divisor, margin, winner):
    """Write the class of each row to `winner`, from sums of shape (columns, rows)."""
    for r in range(size):
        if rule != 0:
            total = sums[0, r]
            winner[r] = total >= 0 if rule == 2 else total > 0
            if abs(total) <= margin:
                winner[r] = -1
            continue
        best, best_mean, next_mean = 0, sums[0, r] / divisor, -np.inf
        for k in range(1, len(sums)):
            mean = sums[k, r] / divisor
            if mean > best_mean:
                best, best_mean, next_mean = k, mean, best_mean
            elif mean > next_mean:
                next_mean = mean
        winner[r] = -1 if best_mean - next_mean <= margin else best


@numba.njit(nogil=True, cache=True)
def classify(X, forest, rule, divisor, margin, takes_missing, winner):
    """Write the class of each row of X to `winner`.

    Parameters
    ----------
    X : ndarray of shape (n_rows, n_features)
        Of the dtype of the thresholds: each further one is compiled anew.

    forest : tuple of arrays
        See ``models._forest.Forest``.

    rule : int
        0: the column with the highest mean of leaf values; the first of equal ones.
        1: is the only column's sum > 0? 2: is it >= 0?

    divisor : float
        Of the sums, for the mean.

    margin : float
        Where sums are not further apart, or from zero, the class is -1.

    takes_missing : bool
        May values of X be NaN?

    winner : ndarray of int64 of shape (n_rows,)

    Returns
    -------
    valid : bool
        False if a value of X is infinite, or missing where none may be; then `winner`
        is of no use.
    """
    first_test, feature, threshold, missing, word, mask, by_bits = forest[:7]
    first_leaf, value, column, start, rest = forest[7:]
    n_trees, width = len(column), value.shape[1]
    step = max(1, n_trees // LOOKS)
    n_features, n_columns = X.shape[1], len(start)
    n_words = (np.max(np.where(by_bits, 1, np.diff(first_leaf))) + 31) // 32
    rows = np.zeros((n_features, BLOCK), threshold.dtype)
    least = np.empty(n_features, threshold.dtype)
    most = np.empty(n_features, threshold.dtype)
    gaps = np.zeros(n_features, np.bool_)
    bits = np.empty((n_words, BLOCK), np.uint32)
    in_all = np.empty(n_words, np.uint32)
    leaf = np.empty(BLOCK, np.int32)
    sums = np.empty((n_columns, BLOCK))
    for begin in range(0, len(X), BLOCK):
        size = min(BLOCK, len(X) - begin)
        for r in range(size):
            for f in range(n_features):
                rows[f, r] = X[begin + r, f]
        if not ranges(X[begin : begin + size], least, most, gaps, takes_missing):
            return False
        for k in range(n_columns):
            sums[k, :] = start[k]
        for t in range(n_trees):
            base = first_leaf[t]
            bits[:] = _ALL
            in_all[:] = _ALL
            for i in range(first_test[t], first_test[t + 1]):
                f, limit, keep = feature[i], threshold[i], mask[i]
                if most[f] <= limit and not (gaps[f] and missing[i]):
                    continue
                if least[f] > limit and (missing[i] or not gaps[f]):
                    in_all[word[i]] &= keep
                    continue
                x, some = rows[f], bits[word[i]]
                if missing[i] and gaps[f]:
                    for r in range(BLOCK):
                        some[r] &= _ALL if x[r] <= limit else keep
                else:
                    for r in range(BLOCK):
                        some[r] &= keep if x[r] > limit else _ALL
            n_more = (first_leaf[t + 1] - base + 31) // 32
            if by_bits[t]:
                n_more = 0
                for r in range(BLOCK):
                    leaf[r] = np.int32(~(bits[0, r] & in_all[0]))
            else:
                for r in range(BLOCK):
                    leaf[r] = np.int32(_first_bit(bits[0, r] & in_all[0]))
            for w in range(1, n_more):
                for r in range(BLOCK):
                    # Still there: no leaf in any earlier word.
                    later = 32 * w + np.int32(_first_bit(bits[w, r] & in_all[w]))
                    leaf[r] = later if leaf[r] == 32 * w else leaf[r]
            for k in range(width):
                total = sums[column[t] + k]
                values = value[base : first_leaf[t + 1], k]
                for r in range(size):
                    total[r] += values[leaf[r]]
            if (
                t + 1 < n_trees
                and (t + 1) % step == 0
                and settled(sums, size, rule, divisor, margin, rest[t])
            ):
                break
        winners(sums, size, rule, divisor, margin, winner[begin : begin + size])
    return True


@numba.njit(nogil=True, cache=True)
def classify_walk(X, walk, rule, divisor, margin, takes_missing, winner):
    """Write the class of each row of X to `winner`; see ``classify``.

    Parameters
    ----------
    walk : tuple of arrays
        See ``models._forest.Walk``.
    """
    feature, threshold, child, root, value, column, start, rest = walk
    n_trees, width, n_features = len(root), value.shape[1], X.shape[1]
    step = max(1, n_trees // LOOKS)
    # Places without a sign are not asked whether they count from the end.
    most_rows = np.uint32(min(WALK_BLOCK, len(X)))
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
