"""The distribution of a sum of independent discrete variables, up to a bracket.

Where not all combinations can be listed, some of the variables are rounded to a grid,
outwards (after M. Horvath, M. Mueller, M. Fischer, M. Vechev 2022, arXiv:2205.13909).
"""

import numpy as np

from ._axes import EPS

# Sums of some of the features are kept one by one up to so many, in two groups; what
# fits into them needs no grid.
_MAX_ATOMS = 2**14
# Points of the grid that the others are rounded to.
_GRID = 2**17


class Convolution:
    """P(score > 0), up to rounding of the scores to a grid.

    The features are split into three: `first` and `last`, whose sums are listed one
    by one, and those between, each of which is rounded to the grid and convolved into
    the sums of the first. With nothing between, there is no grid and no rounding.

    Parameters
    ----------
    constant : float
        Added to every score.

    scores : list of ndarray
        For each feature, what it may add to the score.

    error : float
        Bound on the rounding errors of the score, here and in f: a score within
        `error` of 0 counts for both classes.
    """

    def __init__(self, constant, scores, error):
        groups = self.groups = _split([len(s) for s in scores])
        first, last = (_all_sums([scores[i] for i in group]) for group in groups[::2])
        middle = [scores[i] for i in groups[1]]
        first = first + constant
        self.order = np.argsort(first, kind="stable")
        first = first[self.order]
        self.windows = []
        if middle:
            sums, slack = self._lay_grid(first, middle, last, error)
        else:
            sums, slack = first, 0.0
        # The score is last + sums + (something in [0, slack]), give or take `error`.
        self.n_sums = len(sums)
        self.surely = np.searchsorted(sums, error - last, side="right")
        self.maybe = np.searchsorted(sums, -error - slack - last, side="left")

    def _lay_grid(self, first, middle, last, error):
        """Plan the convolution; return the sums it ends with, and the slack.

        A sum that is so low, or so high, that what is still to come cannot change the
        sign of the score, may as well be a little less extreme: so the grid covers
        only a window, and sums outside of it are moved to its ends.
        """
        # What is still to come after `first`, after the next feature, and so on.
        least = _totals_from([s.min() for s in [*middle, last]])
        most = _totals_from([s.max() for s in [*middle, last]])
        reach = np.cumsum([np.ptp(first), *(np.ptp(s) for s in middle)])
        # The shortest step such that no window has more than _GRID cells.
        step = np.minimum(reach, most - least).max() / (_GRID - 4 * len(reach))
        step = step or 1.0  # nothing varies
        margin = (len(reach) + 2) * step + error
        self.shifts = []
        base, slack, cells = _round(first, step)
        start, stop = 0, cells.max() + 1
        for place in range(len(reach)):
            if place:
                origin, more, shifts = _round(middle[place - 1], step)
                base, slack = base + origin, slack + more
                self.shifts.append(shifts)
                stop += shifts.max()
            # The outermost cells that are looked at decide the sign in any case.
            start = max(start, int(np.floor((-most[place] - margin - base) / step)))
            stop = min(stop, int(np.ceil((-least[place] + margin - base) / step)) + 1)
            stop = max(stop, start + 1)
            self.windows.append((start, stop))
        start, stop = self.windows[0]
        cells = np.clip(cells, start, stop - 1) - start
        self.starts = np.flatnonzero(np.diff(cells, prepend=-1))
        self.cells = cells[self.starts]
        start, stop = self.windows[-1]
        return base + step * np.arange(start, stop), slack

    @property
    def row_bytes(self):
        n_listed = len(self.order) + len(self.surely)
        widest = max((b - a for a, b in self.windows), default=self.n_sums)
        return 8 * (4 * widest + 3 * n_listed)

    def bracket(self, masses, n_inputs):
        """Return lower and upper bounds, each (2, n_inputs).

        `masses` holds, for each feature, upper bounds of shape (n_inputs, n_pieces);
        the lower bounds are lower only up to the error of these.
        """
        first, middle, last = ([masses[i] for i in group] for group in self.groups)
        last = outer_product(last, n_inputs)
        sums = outer_product(first, n_inputs)[:, self.order]
        if middle:
            start, stop = self.windows[0]
            grid = np.zeros((n_inputs, stop - start))
            grid[:, self.cells] = np.add.reduceat(sums, self.starts, axis=1)
            sums = grid
        for i, mass in enumerate(middle):
            sums = _convolve(sums, mass, self.shifts[i], *self.windows[i : i + 2])
        # Bounds on P(class 1) need sums from a place on, those on P(class 0) up to it.
        tail = np.zeros((n_inputs, sums.shape[1] + 1))
        np.cumsum(sums[:, ::-1], axis=1, out=tail[:, -2::-1])
        one = [_dot(last, tail[:, place]) for place in (self.surely, self.maybe)]
        tail[:, 0] = 0
        np.cumsum(sums, axis=1, out=tail[:, 1:])
        zero = [_dot(last, tail[:, place]) for place in (self.maybe, self.surely)]
        # One rounding a term of every sum, and two for every feature.
        n_terms = len(self.order) + last.shape[1] + 4 * len(masses)
        n_terms += sum(stop - start for start, stop in self.windows)
        n_terms += sum(mass.shape[1] for mass in masses) + sums.shape[1]
        lower, upper = np.stack([zero, one], axis=1)
        return lower, upper * (1 + EPS * n_terms)


def outer_product(masses, n_inputs):
    """Return the masses of all combinations, (n_inputs, n_combinations)."""
    product = np.ones((n_inputs, 1))
    for mass in masses:
        product = (product[:, :, None] * mass[:, None]).reshape(n_inputs, -1)
    return product


def _dot(a, b):
    return np.einsum("ij,ij->i", a, b)


def _totals_from(values):
    """Return the sum of all values from each place on."""
    return np.cumsum(values[::-1])[::-1]


def _all_sums(scores):
    """Return the sums of all combinations, in the order of `outer_product`."""
    sums = np.zeros(1)
    for score in scores:
        sums = np.add.outer(sums, score).ravel()
    return sums


def _split(sizes):
    """Split features by their number of pieces into first, between, last.

    The smallest go into the two lists of combinations as long as these stay short:
    that leaves the fewest roundings.
    """
    groups, products = ([], [], []), [1, None, 1]
    for i in sorted(range(len(sizes)), key=lambda i: sizes[i]):
        group = 0 if products[0] <= products[2] else 2
        if products[group] * sizes[i] > _MAX_ATOMS:
            groups[1].append(i)
        else:
            groups[group].append(i)
            products[group] *= sizes[i]
    return groups


def _round(scores, step):
    """Round down to multiples of `step` above an origin.

    Returns
    -------
    origin : float

    slack : float
        scores - origin - step * cells lies in [0, slack].

    cells : ndarray of int, from 0 on
    """
    # The origin may be anywhere. Rounding errors are points on a circle of length
    # `step`; cut at the end of the widest gap, they are smallest.
    points = np.sort(np.mod(scores, step))
    gaps = np.diff(points, prepend=points[-1] - step)
    widest = gaps.argmax()
    origin = points[widest]
    # Half of the gap is left on either side, so that cells do not depend on rounding.
    cells = np.floor((scores - origin + gaps[widest] / 2) / step).astype(np.intp)
    origin += step * cells.min()
    return origin, step - gaps[widest], cells - cells.min()


def _convolve(sums, mass, shifts, window, next_window):
    """Add an independent variable, with `mass` at `shifts`, to sums in a window."""
    n_inputs, length = sums.shape
    next_length = next_window[1] - next_window[0]
    longer = np.zeros((n_inputs, next_length))
    scratch = np.empty_like(sums)
    for shift, share in zip(shifts, mass.T, strict=True):
        place = window[0] + shift - next_window[0]
        # Rows first ... last - 1 land inside, the others at the ends.
        first = min(max(-place, 0), length)
        last = max(min(next_length - place, length), first)
        inside = scratch[:, first:last]
        np.multiply(sums[:, first:last], share[:, None], out=inside)
        longer[:, place + first : place + last] += inside
        longer[:, 0] += share * sums[:, :first].sum(axis=1)
        longer[:, -1] += share * sums[:, last:].sum(axis=1)
    return longer
