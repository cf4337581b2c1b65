import numpy as np
import pytest
from scipy import stats

from sksmooth._training import noisy_training_set
from sksmooth.noise import Gaussian
from sksmooth.noise._streams import open_stream as open_by_key
from sksmooth.noise._streams import stream_key
from sksmooth.votes._rows import Inputs


def open_stream(*key):
    return open_by_key(stream_key(*key))


def normals(stream, n, dtype=float):
    out = np.empty(n, dtype)
    stream.standard_normal(out)
    return out


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_stream_does_not_depend_on_how_it_is_cut(dtype):
    whole = np.empty((1001, 3), dtype)
    open_stream(1, "predict", b"x").standard_normal(whole)
    pieces = np.empty_like(whole)
    stream = open_stream(1, "predict", b"x")
    for start, stop in [(0, 1), (1, 100), (100, 777), (777, 1001)]:
        stream.standard_normal(pieces[start:stop])
    np.testing.assert_array_equal(whole, pieces)


def test_streams_are_pinned():
    """A change of these numbers changes every published certificate."""
    stream = open_stream(123, "estimate", b"content")
    np.testing.assert_allclose(
        normals(stream, 3),
        [0.3823227769752989, 0.0032036387751474883, 1.614440425622436],
        rtol=1e-15,
    )


def test_streams_differ_by_entropy_purpose_and_content():
    def first(*key):
        return normals(open_stream(*key), 1)[0]

    numbers = {
        first(entropy, purpose, content)
        for entropy in (0, 1)
        for purpose in ("select", "estimate", "predict", "train")
        for content in (b"", b"a", b"b")
    }
    assert len(numbers) == 2 * 4 * 3
    with pytest.raises(ValueError, match="purpose must be one of"):
        open_stream(0, "attack", b"")


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_noise_is_gaussian_and_independent_between_inputs(dtype):
    """Kolmogorov-Smirnov on each stream, correlation between streams."""
    n = 20_000
    out = np.empty((n, 1), dtype)
    columns = []
    for i in range(20):
        stream = open_stream(7, "estimate", bytes([i]))
        Gaussian().bind(0.5).copies(np.array([3.0], dtype), stream, out)
        columns.append((out[:, 0].astype(float) - 3) / 0.5)
    p_values = [stats.kstest(column, "norm").pvalue for column in columns]
    assert min(p_values) > 1e-4
    correlation = np.corrcoef(columns)[np.triu_indices(20, 1)]
    assert np.abs(correlation).max() < 5 / np.sqrt(n)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_noise_has_the_standard_deviation_it_should(dtype):
    """To half a per mille: wider noise would claim radii of a larger sigma."""
    n = 4_000_000
    out = np.empty((n, 1), dtype)
    Gaussian().bind(2.0).copies(
        np.zeros(1, dtype), open_stream(0, "estimate", b""), out
    )
    # the standard error of the standard deviation is sigma / sqrt(2 n)
    assert np.std(out, dtype=float) == pytest.approx(2.0, abs=2 * 5 / np.sqrt(2 * n))
    tail = np.mean(np.abs(out) > 2 * 3.2905)  # 0.001 of a normal
    assert tail == pytest.approx(0.001, abs=5 * np.sqrt(0.001 / n))


def test_sigma_zero_leaves_a_feature_untouched():
    x = np.array([0.1, 0.2, 0.3])
    out = np.empty((50, 3))
    Gaussian().bind(np.array([1.0, 0.0, 2.0])).copies(
        x, open_stream(0, "train", b""), out
    )
    assert np.all(out[:, 1] == 0.2)
    assert np.std(out[:, 2]) > np.std(out[:, 0]) > 0


def test_training_set():
    X = np.arange(12.0).reshape(6, 2)
    X[5] = X[0]
    inputs = Inputs.from_array(X, 0.1)
    noisy, rows = noisy_training_set(inputs, 3, entropy=5)
    assert noisy.shape == (18, 2)
    np.testing.assert_array_equal(rows, np.tile(np.arange(6), 3))
    assert 0 < np.abs(noisy - X[rows]).max() < 1
    # equal rows share their noise; copies differ; order does not matter
    np.testing.assert_array_equal(noisy[5], noisy[0])
    assert not np.array_equal(noisy[0], noisy[6])
    backwards, _ = noisy_training_set(Inputs.from_array(X[::-1], 0.1), 3, entropy=5)
    np.testing.assert_array_equal(backwards[:6][::-1], noisy[:6])
    clean, rows = noisy_training_set(inputs, 0, entropy=5)
    assert not np.shares_memory(clean, X)
    np.testing.assert_array_equal(clean, X)
    np.testing.assert_array_equal(rows, np.arange(6))
