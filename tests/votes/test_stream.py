"""Compiled or not, a stream is NumPy's: every branch of the ziggurat, bit by bit."""

import math
import sys
import threading
import warnings

import numpy as np
import pytest
from sklearn.datasets import load_iris
from sklearn.naive_bayes import GaussianNB
from sklearn.tree import DecisionTreeClassifier

from sksmooth import SlowVotesWarning, _compiled
from sksmooth.noise import _normals as _stream
from sksmooth.noise._normals import Stream
from sksmooth.noise._ziggurat import tables
from sksmooth.votes._recognise import recognise
from sksmooth.votes._rows import Inputs

DTYPES = [np.float32, np.float64]


@pytest.fixture(autouse=True)
def also_of_few(monkeypatch):
    """Compiled code draws any number of normals, to be compared."""
    monkeypatch.setattr(_stream, "_FEW", 1)


@pytest.fixture
def compiled(monkeypatch):
    """Let compiled code draw from the first normal on."""
    pytest.importorskip("numba")
    monkeypatch.setattr(_compiled, "_work", 2**62)


@pytest.fixture
def interpreted(monkeypatch):
    monkeypatch.setattr(_stream, "module_if_worth", lambda name, work: None)


def numpy_stream(seed):
    return np.random.Generator(np.random.SFC64(seed))


def at(bits, state=(0, 0, 0), dtype=np.float64):
    """Return a stream, NumPy's and ours, whose next bits are these."""
    numpys, ours = numpy_stream(0), Stream(0)
    chosen = numpys.bit_generator.state
    if dtype == np.float64:
        # The next bits are the sum of the two first words and the counter.
        words = (bits - state[0]) % 2**64, *state
        chosen["state"]["state"][:] = words
    else:
        chosen["state"]["state"][:] = (*state, 0)
        chosen["has_uint32"], chosen["uinteger"] = 1, bits
    numpys.bit_generator.state = ours._bits.state = chosen
    return numpys, ours


@pytest.mark.usefixtures("compiled")
@pytest.mark.parametrize("dtype", DTYPES)
def test_the_same_normals(dtype):
    """Ten millions: some thousands from the tail, some hundred thousands refused."""
    ours = np.empty(10_000_000, dtype)
    Stream(5).standard_normal(ours)
    expected = numpy_stream(5).standard_normal(dtype=dtype, size=ours.size)
    np.testing.assert_array_equal(ours, expected)
    assert np.abs(ours).max() > 4.5


@pytest.mark.usefixtures("compiled")
@pytest.mark.parametrize("dtype", DTYPES)
def test_every_strip_at_its_edges(dtype):
    """Points on both sides of where a strip needs more bits; what they draw then."""
    places = 2**52 if dtype == np.float64 else 2**23
    inside = tables(dtype)[1].tolist()
    rng = np.random.default_rng(0)
    ours = np.empty(4, dtype)
    slow = 0
    for strip in range(256):
        edge = inside[strip]
        near = {0, 1, places - 1, places // 2}
        near |= {place for place in range(edge - 1, edge + 2) if 0 <= place < places}
        near |= set(rng.integers(edge, places, 3).tolist()) if edge < places else set()
        for place in sorted(near):
            for sign in (0, 1):
                state = rng.integers(0, 2**63, 3).tolist()
                numpys, stream = at(strip | sign << 8 | place << 9, state, dtype)
                expected = numpys.standard_normal(dtype=dtype, size=4)
                stream.standard_normal(ours)
                np.testing.assert_array_equal(ours, expected)
                after = numpys.bit_generator.state
                words = after["state"]["state"].tolist()
                left = after["has_uint32"]
                assert stream._state[:5].tolist() == [*words, left]
                taken = words[3] if dtype == np.float64 else 1 + 2 * words[3] - left
                slow += taken > 4
    assert slow > 2000


@pytest.mark.usefixtures("compiled")
def test_heights_of_the_strips_to_their_last_bit():
    """Points that a height's last bit moves under the curve, or out from under it."""
    width, inside, height, _ = tables(float)
    words, ours, differ = 2**64, np.empty(1), 0
    for strip in range(2, 256):
        place = int(inside[strip]) // 2 + 2**51
        curve = math.exp(-0.5 * (place * width[strip]) ** 2)
        span = height[strip - 1] - height[strip]
        middle = int((curve - height[strip]) / span * 2**53)
        for step in range(-3, 4):
            # By which the sum of both moves in its last bit.
            second = middle + int(step * math.ulp(curve) / span * 2**53)
            # What SFC64 makes of its words: these are its next 64 bits, and those then.
            b = 12345
            c = ((second << 11) - 1 - (b ^ b >> 11)) * pow(9, -1, words) % words
            numpys, stream = at(strip | place << 9, (b, c, 0))
            expected = numpys.standard_normal(1)
            stream.standard_normal(ours)
            np.testing.assert_array_equal(ours, expected)
            differ += abs(expected[0]) != place * width[strip]
    assert 254 < differ < 6 * 254  # some are accepted, others not


@pytest.mark.usefixtures("compiled")
def test_single_and_double_precision_by_turns():
    """Half of a word that is left over stays there while doubles are drawn."""
    stream, numpys = Stream(3), numpy_stream(3)
    for size, dtype in ((3, "f4"), (2, "f8"), (1, "f4"), (1, "f8"), (5, "f4")):
        out = np.empty(size, dtype)
        stream.standard_normal(out)
        np.testing.assert_array_equal(out, numpys.standard_normal(size, dtype))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("sigma", [0.25, np.float64(0.1), np.array([0.1, 0.0, 3.0])])
def test_copies_and_the_hand_over(dtype, sigma, monkeypatch):
    """NumPy draws first, compiled code goes on, and nobody can tell."""
    pytest.importorskip("numba")
    x = np.array([1.5, -0.1, 1e3], dtype)
    n, whole = 1000, np.empty((1000, 3), dtype)
    with monkeypatch.context() as patch:
        patch.setattr(_stream, "module_if_worth", lambda name, work: None)
        assert Stream(1).noisy_copies(x, sigma, whole)
    normals = numpy_stream(1).standard_normal((n, 3), dtype)
    level = np.atleast_1d(sigma)  # in double precision
    np.testing.assert_array_equal(whole, (normals * level).astype(dtype) + x)
    got, stream = np.empty_like(whole), Stream(1)
    monkeypatch.setattr(_compiled, "_work", 0)
    monkeypatch.delitem(sys.modules, "numba", raising=False)
    assert stream.noisy_copies(x, sigma, got[:333])
    assert stream._state is None
    monkeypatch.setattr(_compiled, "_work", 2**62)
    assert stream.noisy_copies(x, sigma, got[333:])
    assert stream._state is not None
    np.testing.assert_array_equal(got, whole)


@pytest.mark.parametrize("dtype", DTYPES)
def test_copies_on_a_grid(dtype, monkeypatch):
    pytest.importorskip("numba")
    place, scale = np.array([3.0, -7.0, 0.0]), np.array([5e4, 0.0, 9e4])
    step = np.array([2.0**-17, 1.0, 0.5])
    outs = np.empty((2, 5000, 3), dtype)
    with monkeypatch.context() as patch:
        patch.setattr(_stream, "module_if_worth", lambda name, work: None)
        Stream(1).noisy_copies_on_grid(place, scale, step, outs[0])
    monkeypatch.setattr(_compiled, "_work", 2**62)
    Stream(1).noisy_copies_on_grid(place, scale, step, outs[1])
    np.testing.assert_array_equal(*outs)
    # a number instead of an array
    Stream(1).noisy_copies_on_grid(place, 5e4, 0.5, outs[1])
    expected = numpy_stream(1).standard_normal((5000, 3)) * 5e4
    np.testing.assert_array_equal(outs[1], (np.rint(expected) + place) * 0.5)


@pytest.mark.parametrize("kind", ["compiled", "interpreted"])
@pytest.mark.parametrize("dtype", DTYPES)
def test_copies_that_overflow_are_told(kind, dtype, request):
    request.getfixturevalue(kind)
    out, largest = np.empty((2000, 2), dtype), np.finfo(dtype).max
    assert Stream(0).noisy_copies(np.zeros(2, dtype), 1.0, out)
    assert not Stream(0).noisy_copies(np.array([0, largest]), largest / 2, out)
    if dtype == np.float32:
        assert not Stream(0).noisy_copies(np.zeros(2, dtype), 1e40, out)
        assert not Stream(0).noisy_copies(np.zeros(2, dtype), np.full(2, 1e40), out)


@pytest.mark.usefixtures("compiled")
def test_streams_in_threads():
    """The compiled code lets other threads run; each stream has a state of its own."""
    outs = np.empty((4, 300_000))

    def draw(seed):
        stream = Stream(seed)
        for part in np.split(outs[seed], 30):
            stream.standard_normal(part)

    threads = [threading.Thread(target=draw, args=(seed,)) for seed in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for seed, out in enumerate(outs):
        np.testing.assert_array_equal(out, numpy_stream(seed).standard_normal(len(out)))


def test_numba_is_not_loaded_for_a_little_noise(monkeypatch):
    """Loading it would take longer than what it saves."""
    monkeypatch.delitem(sys.modules, "numba", raising=False)
    monkeypatch.setattr(_compiled, "_work", 0)
    stream = Stream(0)
    stream.standard_normal(np.empty(1000))
    assert stream._state is None
    assert "numba" not in sys.modules
    assert _compiled._work == 1000


def test_a_numba_that_cannot_be_loaded_is_no_silent_matter(monkeypatch):
    def fails(*args):
        raise AttributeError("module 'coverage' has no attribute 'types'")

    monkeypatch.setattr(_compiled, "find_spec", lambda name: True)
    monkeypatch.setattr(_compiled, "import_module", fails)
    _compiled.compiled_module.cache_clear()
    try:
        with pytest.warns(RuntimeWarning, match="has no attribute 'types'.*slower"):
            assert _compiled.compiled_module("noise._normals_kernel") is None
        monkeypatch.setattr(_compiled, "find_spec", lambda name: None)
        _compiled.compiled_module.cache_clear()
        assert _compiled.compiled_module("noise._normals_kernel") is None
    finally:
        _compiled.compiled_module.cache_clear()


def test_private_names_of_numba():
    """All that is taken from there, where its versions might differ."""
    constants = pytest.importorskip("numba.np.random._constants")
    for kind in ("double", "float"):
        for name in ("wi", "ki", "fi"):
            assert getattr(constants, f"{name}_{kind}").shape == (256,)
    for name in ("ziggurat_nor_r", "ziggurat_nor_inv_r"):
        assert getattr(constants, name) > 0
        assert getattr(constants, f"{name}_f") == np.float32(getattr(constants, name))


@pytest.mark.parametrize("wrong", DTYPES)
@pytest.mark.parametrize("how", ["edge", "width", "error"])
def test_what_is_not_numpys_is_not_used(wrong, how, monkeypatch):
    """Not for either precision, as one stream may be drawn in both."""
    pytest.importorskip("numba")

    def mistaken(dtype):
        width, inside, height, edge = tables(dtype)
        if dtype != wrong:
            return width, inside, height, edge
        if how == "error":
            raise KeyError("state")
        if how == "edge":  # in the last bit
            edge = np.nextafter(edge, edge + 1)
        else:
            width = width.copy()
            width[17] = np.nextafter(width[17], 1)
        return width, inside, height, edge

    monkeypatch.setattr(_stream, "tables", mistaken)
    monkeypatch.setattr(_compiled, "_work", 2**62)
    _stream._checked.cache_clear()
    try:
        stream, out = Stream(0), np.empty(10, np.float32)
        with pytest.warns(RuntimeWarning, match="compiled code.*slower"):
            stream.standard_normal(out)
        expected = numpy_stream(0).standard_normal(10, np.float32)
        np.testing.assert_array_equal(out, expected)
    finally:
        _stream._checked.cache_clear()


@pytest.mark.parametrize("kind", ["compiled", "interpreted"])
def test_arrays_of_other_layouts_and_empty_ones(kind, request):
    request.getfixturevalue(kind)
    stream, out = Stream(0), np.zeros((4, 6))
    for part in (out[:, ::2], out.T):
        with pytest.raises(ValueError, match="C-contiguous"):
            stream.standard_normal(part)
        with pytest.raises(ValueError, match="C-contiguous"):
            stream.noisy_copies(np.zeros(part.shape[1]), 1.0, part)
    assert np.all(out == 0)
    for shape in ((0, 3), (3, 0)):
        assert stream.noisy_copies(np.zeros(shape[1]), 1.0, np.empty(shape))
        stream.noisy_copies_on_grid(np.zeros(shape[1]), 1.0, 1.0, np.empty(shape))


class TestWithoutNumba:
    """What makes much work slow is said once."""

    @pytest.fixture(autouse=True)
    def no_numba(self, monkeypatch):
        monkeypatch.setattr(_compiled, "find_spec", lambda name: None)
        monkeypatch.setattr(_compiled, "_said", False)
        _compiled.compiled_module.cache_clear()
        yield
        _compiled.compiled_module.cache_clear()

    def test_noise(self, monkeypatch):
        monkeypatch.setattr(_compiled, "_work", 2**29)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            assert _compiled.module_if_worth("noise._normals_kernel", 2**28) is None
        with pytest.warns(SlowVotesWarning, match=r"noise is drawn.*sksmooth\[fast\]"):
            assert _compiled.module_if_worth("noise._normals_kernel", 2**29) is None
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            assert _compiled.module_if_worth("noise._normals_kernel", 2**29) is None

    def test_trees(self):
        X, y = load_iris(return_X_y=True)
        inputs = Inputs.from_array(X, 0.5)
        voters = [
            recognise(f.fit(X, y), np.arange(3), inputs).voter
            for f in (DecisionTreeClassifier(), GaussianNB())
        ]
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            voters[0].expect(1e5)
            voters[1].expect(1e9)
        with pytest.warns(SlowVotesWarning, match=r"trees vote.*'sksmooth\[fast\]'"):
            voters[0].expect(1e7)
