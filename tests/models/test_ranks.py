"""The rank of a value among thresholds, by a grid, is the number of those below it."""

import numpy as np
import pytest

from sksmooth.models._ranks import most_distinct, ranked
from tests.helpers import beside

kernel = pytest.importorskip("sksmooth.votes.voters._trees_kernel")

RNG = np.random.default_rng(0)
KINDS = {
    "one": [0.3],
    "evenly": np.arange(-20.0, 20),
    "far apart": [-1e30, -1.0, 0.0, 1e-30, 1.0, 1e30],
    "skewed": np.exp(3 * RNG.normal(size=250)),
    "neighbours": 1 + np.arange(9) * 2.0**-23,
    "the smallest": [0.0, 1e-45, 3e-45],
    "the largest": [-3.4e38, 3.4e38],
    "infinite": [-np.inf, 0.0, 1.0, np.inf],
    "nothing else": [np.inf],
    "many": RNG.normal(size=2_000),
}


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("kind", KINDS)
def test_ranks_count_the_thresholds_below(kind, dtype):
    own = np.array(KINDS[kind], dtype)
    threshold = RNG.permutation(np.concatenate([own, own, [0.77]]).astype(dtype))
    feature = np.where(threshold == dtype(0.77), 1, 0)
    assert most_distinct(feature, threshold) == len(np.unique(own))
    limit, grid = ranked(feature, threshold, np.uint16)
    np.testing.assert_array_equal(
        np.where(feature == 0, np.searchsorted(np.unique(own), threshold), 0), limit
    )
    with np.errstate(over="ignore"):
        some = np.concatenate([beside(own), 3 * RNG.normal(size=300), [1e300, 1e-300]])
        some = some.astype(dtype)
    some = np.append(some[np.isfinite(some)], dtype(np.nan))  # below all of them
    X = np.zeros((kernel.BLOCK * (len(some) // kernel.BLOCK + 1), 1), dtype)
    X[: len(some), 0] = some
    rows, most = np.empty((1, kernel.BLOCK), np.uint16), np.empty(1, np.uint16)
    for block in X.reshape(-1, kernel.BLOCK, 1):
        kernel._read(block, np.array([0]), tuple(grid), rows, most)
        expected = np.sum(block > np.unique(own), axis=1)
        np.testing.assert_array_equal(rows[0], expected)
        assert most[0] == expected.max()
