"""Noisy copies of a few inputs, the same ones in two batches of different company.

They show whether answers depend on the company (``_company``). They hold few numbers,
also where inputs are large.
"""

from typing import NamedTuple

import numpy as np

from ..noise._grid import round_to_grid
from ._missing import missing_rows

# Copies that are asked for, with company before, between and behind them; of large
# inputs fewer, so that they hold about this many numbers.
_COPIES, _NUMBERS = 16, 2**20

# Rows that are looked at for one far from the first, and for patterns of gaps.
_ROWS, _ROWS_WITH_GAPS = 64, 1024

# Rows of a batch in which one copy is far from all others: enough for one in a hundred
# to be an outlier.
_CALM = 129

# Copies that differ in what noise leaves alone, and rows of a batch for each of them.
_OTHERS, _FEW = 6, 3

# How far noise moves the company, in what it moves copies by; and no further than
# these, where answers to such company fail.
FAR, NEAR = 10, 1

# Relative change of copies that moves their last bits.
_LAST_BITS = 2.0**-20


class Batch(NamedTuple):
    """Copies in company: `rows` are whose they are, and `asked` the ones that count."""

    values: np.ndarray
    rows: np.ndarray
    asked: slice


def n_copies(values):
    """Return how many copies to ask for."""
    return max(1, min(_COPIES, _NUMBERS // max(1, values[0].size)))


def two_batches(source, kinds, size, far=FAR):
    """Return two batches with the same copies in the odd places.

    The company in the two lies at opposite corners of what surrounds the inputs, and
    noise moves it further out.

    Parameters
    ----------
    source : Inputs or Fed

    kinds : list of ndarray of int
        Rows of `source` to ask about, of which the first are the more important; then
        those for company, by what they lack.

    size : int
        Copies to ask for.

    far : float, default=FAR
        How far noise moves the company out.
    """
    values, asked, company = source.values, kinds[0], kinds[1:]
    corners = [_corners(values, group) for group in company]
    rows = np.zeros(2 * size + 1, int)
    rows[1::2] = asked[np.linspace(0, len(asked) - 1, size).astype(int)]
    copies = _noise(source, len(rows))
    copies += values[rows]
    batches, origins = (copies, copies.copy()), (rows, rows.copy())
    out = _noise(source, size + 1, absolute=True)
    out *= far
    for place in range(size + 1):
        ends, outward = corners[place % len(corners)]
        for side in (0, 1):
            row, corner = ends[side]
            origins[side][2 * place] = row
            batches[side][2 * place] = corner + (2 * side - 1) * outward * out[place]
    if source.grid is not None:
        batches = [round_to_grid(one, source.sigma, source.grid) for one in batches]
    asked = slice(1, None, 2)
    return [Batch(*one, asked) for one in zip(batches, origins, strict=True)]


def calm_batches(batch, source):
    """Return batches in which a copy of `batch` is an outlier, and which copy that is.

    All others are its input, without noise: who cuts off what is far from the rest of a
    batch does it there. The copies are those that noise moved up, and down, in the most
    places, as outliers may be looked for on one side. Of a frame also, in small
    batches, copies that differ in the columns without noise: who numbers the categories
    that a batch has sees one of them there.

    Parameters
    ----------
    batch : Batch
        One of ``two_batches``.

    source : Inputs

    Returns
    -------
    batches : list of (Batch, int)
    """
    copies, rows = (part[batch.asked] for part in batch[:2])
    side = np.sign(copies - source.values[rows]).reshape(len(rows), -1)
    side = np.nansum(side, axis=1)
    size = max(_FEW, min(_CALM, _NUMBERS // max(1, copies[0].size)))
    places = dict.fromkeys([int(side.argmax()), int(side.argmin())], size)
    if source.frame is not None:
        contents = list(source.other_contents())
        of_each = {contents[row]: place for place, row in enumerate(rows)}
        for place in list(of_each.values())[:_OTHERS]:
            places.setdefault(place, _FEW)
    found = []
    for place, size in places.items():
        middle = size // 2
        origins = np.full(size, rows[place])
        values = source.values[origins]
        values[middle] = copies[place]
        found.append((Batch(values, origins, slice(middle, middle + 1)), place))
    return found


def _corners(values, rows):
    """Return the first row and the one farthest from it, and corners on their sides."""
    away = values[rows] - values[rows[0]]
    np.nan_to_num(away, copy=False)
    size = np.einsum("ij,ij->i", *[away.reshape(len(rows), -1)] * 2)
    farthest = size.argmax()
    up = away[farthest] >= 0
    low, high = np.fmin.reduce(values[rows]), np.fmax.reduce(values[rows])
    low, high = np.where(up, low, high), np.where(up, high, low)
    return ((rows[0], low), (rows[farthest], high)), np.where(up, 1, -1).astype(np.int8)


def _noise(source, n, absolute=False):
    """Return noise for copies, or its size."""
    values, factor = source.values, getattr(source, "factor", None)
    shape = values.shape[1:] if factor is None else factor.shape[:1]
    noise = np.random.default_rng(n).standard_normal((n, *shape), values.dtype)
    if absolute:
        noise = np.abs(noise, out=noise)
    if factor is not None:
        return noise @ factor
    noise *= np.asarray(source.sigma, values.dtype)
    return noise


def moved(batch, source, seed):
    """Return a batch changed in the last bits, or by steps of the grid."""
    values = batch.values
    step = np.random.default_rng(seed).integers(-1, 2, values.shape, np.int8)
    if source.grid is not None:
        step = step * np.asarray(source.grid, values.dtype)
    else:
        step = step * (_LAST_BITS * np.abs(values))
    if source.sigma is not None:
        step = np.where(np.asarray(source.sigma) > 0, step, 0)
    return batch._replace(values=(values + step).astype(values.dtype))


def some_rows(inputs):
    """Return rows to take, and who of them is what, as ``two_batches`` wants it.

    Who fills gaps by what is in the batch answers differently where there are gaps: of
    inputs that have some, one for each pattern comes first. Company is complete, if
    there are complete inputs.
    """
    n = max(2, min(_ROWS, _NUMBERS // max(1, int(np.prod(inputs.values.shape[1:])))))
    everywhere = np.arange(len(inputs))
    gaps = missing_rows(inputs)
    incomplete, complete = everywhere[gaps], everywhere[~gaps]
    if not len(incomplete):
        rows = _spread(complete, n)
        return rows, [np.arange(len(rows))] * 2
    width = max(1, int(np.prod(inputs.values.shape[1:])))
    incomplete = _spread(incomplete, max(1, min(_ROWS_WITH_GAPS, _NUMBERS // width)))
    missing = np.isnan(inputs.values[incomplete]).reshape(len(incomplete), -1)
    known = {}
    kinds = np.array([known.setdefault(m.tobytes(), len(known)) for m in missing])
    first = np.unique(kinds, return_index=True)[1]
    others = np.setdiff1d(np.arange(len(incomplete)), first)
    half = min(_COPIES, n) // 2
    most = half if len(complete) else n
    some = _spread(first, most)
    some = np.concatenate([some, _spread(others, most - len(some))])
    incomplete, kinds = incomplete[some], kinds[some]
    if not len(complete):
        company = [np.flatnonzero(kinds == kind) for kind in np.unique(kinds)]
        return incomplete, [np.arange(len(some))[:_COPIES], *company]
    complete = _spread(complete, n - len(some))
    company = len(some) + np.arange(len(complete))
    pairs = [np.resize(p, half) for p in (np.arange(len(some)), _spread(company, half))]
    rows = np.concatenate([incomplete, complete])
    return rows, [np.column_stack(pairs).ravel(), company]


def _spread(rows, n):
    if len(rows) <= n:
        return rows
    return rows[np.linspace(0, len(rows) - 1, n).astype(int)]
