"""Compiled prediction of sums of trees. Imports numba.

A node stands between two leaves of its tree. A row for which its test holds
(x > threshold) is in none of the leaves of its left branch. So the nodes are asked
from left to right: where the test holds, and the row's leaf so far is in the left
branch, its leaf is now the one right behind the node. In a tree that asks the same in
all nodes of a level, a test adds a bit of the number of the leaf.

A block of rows goes through a node together, and no branch depends on a single row.
Compared are not the values but their ranks among the thresholds of the feature, in a
byte where that is enough. A node whose test holds for no row of a block is left out:
noisy copies of one input are near each other.

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

# Rows that go through a node together.
BLOCK = 512

# Rows whose values of a feature are ranked together: their lines stay in the cache.
TILE = 128

# It is asked so often whether the trees that are left can change anything.
LOOKS = 8

# Rows that go through a tree before the next tree is read.
WALK_BLOCK = 4096

# A part with fewer rows is not worth the cost of parting it.
_FEW = 128

_ONE, _TWO = np.uint32(1), np.uint32(2)
_TOP_BIT = np.uint32(31)
_OTHER_BITS = np.uint32(2**31 - 1)


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
def classify(X, forest, grid, rule, divisor, margin, takes_missing, winner):
    """Write the class of each row of X to `winner`.

    Parameters
    ----------
    X : ndarray of shape (n_rows, n_features)
        Of the dtype of the thresholds: each further one is compiled anew.

    forest : tuple of arrays
        See ``models._forest.Forest``: all but the grid.

    grid : tuple of arrays, or None
        See ``models._ranks.Grid``.

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
    used, first_test, feature, limit, missing, first, after, by_bits = forest[:8]
    first_leaf, value, column, start, rest = forest[8:]
    n_trees, width, n_columns = len(column), len(value), len(start)
    step = max(1, n_trees // LOOKS)
    shape = len(used), BLOCK
    rows = np.zeros(shape, limit.dtype)
    # The same, but a missing value goes to the right.
    others = np.zeros(shape if takes_missing else (0, 0), limit.dtype)
    above_all = np.inf if grid is None else 2 ** (8 * limit.itemsize) - 1
    most, gaps = np.empty(len(used), limit.dtype), np.zeros(len(used), np.bool_)
    leaf = np.empty(BLOCK, first.dtype)
    sums = np.empty((n_columns, BLOCK))
    for begin in range(0, len(X), BLOCK):
        size = min(BLOCK, len(X) - begin)
        some = X[begin : begin + size]
        if not _is_finite(some.ravel()):
            if not takes_missing or _is_infinite(some.ravel()):
                return False
            _find_gaps(some, used, gaps)
        else:
            gaps[:] = False
        _read(some, used, grid, rows, most)
        for k in np.flatnonzero(gaps):
            _read_gaps(rows[k], some[:, used[k]], others[k], above_all)
        for k in range(n_columns):
            sums[k, :] = start[k]
        for t in range(n_trees):
            leaf[:] = 0
            for i in range(first_test[t], first_test[t + 1]):
                f = feature[i]
                x, least, begins, ends = rows[f], limit[i], first[i], after[i]
                if gaps[f] and missing[i]:
                    x = others[f]
                elif most[f] <= least:
                    continue
                if by_bits[t]:
                    for r in range(BLOCK):
                        leaf[r] = leaf[r] | ends if x[r] > least else leaf[r]
                elif begins == 0:
                    for r in range(BLOCK):
                        leaf[r] = ends if x[r] > least else leaf[r]
                else:
                    for r in range(BLOCK):
                        is_there = (x[r] > least) & (leaf[r] >= begins)
                        leaf[r] = ends if is_there else leaf[r]
            for k in range(width):
                total = sums[column[t] + k]
                values = value[k, first_leaf[t] : first_leaf[t + 1]]
                for r in range(BLOCK):
                    total[r] += values[leaf[r]]
            if (
                t + 1 < n_trees
                and (t + 1) % step == 0
                and settled(sums, size, rule, divisor, margin, rest[t])
            ):
                break
        winners(sums, size, rule, divisor, margin, winner[begin : begin + size])
    return True


@numba.njit(nogil=True)
def _is_finite(values):
    n = 0
    for i in range(len(values)):
        n += not abs(values[i]) < np.inf
    return n == 0


@numba.njit(nogil=True)
def _is_infinite(values):
    n = 0
    for i in range(len(values)):
        n += abs(values[i]) == np.inf
    return n > 0


@numba.njit(nogil=True)
def _find_gaps(X, used, gaps):
    """Note which of the columns that are used have missing values."""
    for k in range(len(used)):
        gaps[k] = np.any(np.isnan(X[:, used[k]]))


@numba.njit(nogil=True)
def _read_gaps(row, values, other, above_all):
    """Let missing values be above all thresholds in `other`, which is `row` else."""
    for r in range(len(values)):
        other[r] = row[r] if values[r] == values[r] else above_all


@numba.njit(nogil=True)
def _read(X, used, grid, rows, most):
    """Fill `rows` with the columns of X that are used, or their ranks by a grid.

    Parameters
    ----------
    rows : ndarray of shape (n_used, BLOCK)
        Overwritten, as far as X has rows. A missing value is above no threshold.

    most : ndarray of shape (n_used,)
        Overwritten with the largest of each.
    """
    # Places without a sign are not asked whether they count from the end.
    width = np.uint32(X.shape[1])
    x, cell = np.empty(TILE, X.dtype), np.empty(TILE, np.uint32)
    for begin in range(0, len(X), TILE):
        size = np.uint32(min(TILE, len(X) - begin))
        tile = X[begin : begin + size].ravel()
        for k in range(len(used)):
            column, row = np.uint32(used[k]), rows[k, begin : begin + size]
            if grid is None:
                for r in range(size):
                    row[r] = tile[np.uint32(r) * width + column]
            else:
                for r in range(size):
                    x[r] = tile[np.uint32(r) * width + column]
                low, scale, steps, place, limits = grid
                _rank(x, (low[k], scale[k], steps[k], place[k], limits[k]), cell, row)
    for k in range(len(used)):
        if grid is None:
            most[k] = _largest(rows[k], len(X), x)
        else:
            row, largest = rows[k], rows[k, 0]
            for r in range(len(X)):
                largest = row[r] if row[r] > largest else largest
            most[k] = largest


@numba.njit(nogil=True)
def _rank(x, where, cell, row):
    """Fill `row` with the ranks of the first of x, by the grid of their feature."""
    low, scale, steps, place, limits = where
    zero, last = limits.dtype.type(0), limits.dtype.type(len(place) - 1)
    size = np.uint32(len(row))
    for r in range(TILE):
        y = (x[r] - low) * scale
        y = y if y > zero else zero  # and if x is missing
        cell[r] = np.uint32(y if y < last else last)
    half = _ONE << np.uint32(steps - 1)
    for r in range(size):
        at = np.uint32(place[cell[r]])
        cell[r] = at + half * np.uint32(x[r] > limits[at + half - _ONE])
    for _ in range(steps - 1):
        half >>= _ONE
        for r in range(size):
            above = x[r] > limits[cell[r] + half - _ONE]
            cell[r] += half * np.uint32(above)
    for r in range(size):
        row[r] = cell[r]


@numba.njit(nogil=True)
def _largest(row, size, largest):
    """Return the largest of the first numbers of a row, of which not all are missing.

    `largest` is overwritten. (A loop over one number is not made of vectors.)
    """
    largest[:] = -np.inf
    for begin in range(0, size, TILE):
        some = row[begin : min(begin + TILE, size)]
        for r in range(len(some)):
            largest[r] = some[r] if some[r] > largest[r] else largest[r]
    half = TILE // 2
    while half:
        for r in range(half):
            other = largest[r + half]
            largest[r] = other if other > largest[r] else largest[r]
        half //= 2
    return largest[0]


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
