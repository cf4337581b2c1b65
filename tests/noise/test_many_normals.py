"""Many streams at once are the single ones: NumPy's, bit by bit, whoever draws."""

import numpy as np
import pytest

from sksmooth import _compiled
from sksmooth.noise import _normals
from sksmooth.noise._many_normals import open_streams, standard_normals
from sksmooth.noise._normals import open_stream


@pytest.fixture(params=["compiled", "NumPy", "first NumPy"])
def by(request, monkeypatch):
    """Who draws."""
    if request.param == "NumPy":
        monkeypatch.setattr(_normals, "module_if_worth", lambda *_: None)
    else:
        pytest.importorskip("numba")
        monkeypatch.setattr(_compiled, "_work", 2**62)
    return request.param


def keys_of(n, seed=0):
    """Return keys: some end in words that are 0, one is the number 0, one is 1."""
    rng = np.random.default_rng(seed)
    keys = [rng.bytes(32) for _ in range(n)]
    keys[:3] = [bytes(32), b"\x01" + bytes(31), rng.bytes(12) + bytes(20)]
    keys[3] = rng.bytes(28) + bytes(4)
    keys[4] = bytes(28) + b"\0\0\0\x80"
    return keys


@pytest.mark.parametrize("n", [5, 11, 12, 400])
def test_streams_start_as_numpys(n):
    """The seeding of many keys is SeedSequence's and SFC64's, in NumPy's own words."""
    keys = keys_of(n)
    for key, words in zip(keys, open_streams(keys).tolist(), strict=True):
        state = np.random.SFC64(int.from_bytes(key, "little")).state
        assert words[:4] == state["state"]["state"].tolist()
        assert words[4:] == [state["has_uint32"], state["uinteger"]]


def test_no_keys():
    assert open_streams([]).shape == (0, 6)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("n_features", [1, 3, 40])
def test_normals_of_many_are_those_of_each(by, dtype, n_features, monkeypatch):
    """In pieces of odd sizes, which leave half a word to float32; by turns."""
    keys, rng = keys_of(30), np.random.default_rng(1)
    alone, streams = [open_stream(key) for key in keys], open_streams(keys)
    real = _normals.module_if_worth
    for turn in range(4):
        if by == "first NumPy":
            switched = (lambda *_: None) if turn < 2 else real
            monkeypatch.setattr(_normals, "module_if_worth", switched)
        rows = np.sort(rng.permutation(30)[: 30 - turn])
        sizes = rng.integers(1, 60, size=len(rows))
        some, out = streams[rows], np.full((sizes.sum(), n_features), np.nan, dtype)
        standard_normals(some, sizes, out)
        streams[rows] = some
        parts = np.split(out, np.cumsum(sizes)[:-1])
        for row, got in zip(rows, parts, strict=True):
            expected = np.empty_like(got)
            alone[row].standard_normal(expected)
            np.testing.assert_array_equal(got, expected)
