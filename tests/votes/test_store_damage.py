"""Stores that are damaged, forged, or may not be written."""

import os
import shutil
import sqlite3
import subprocess
import sys
import tracemalloc
import zlib

import numpy as np
import pytest
from sklearn.datasets import load_iris
from sklearn.tree import DecisionTreeClassifier

from sksmooth import SmoothedClassifier, merge_stores
from sksmooth.votes.run import _store, _store_file
from sksmooth.votes.run._store import VoteStore

X, y = load_iris(return_X_y=True)
X, y = X[::10], y[::10]
TREE = DecisionTreeClassifier(random_state=0).fit(X, y)


def smooth():
    return SmoothedClassifier(
        TREE, method="monte_carlo", sigma=0.3, n=100, n0=20, random_state=0
    )


EXPECTED = smooth().certify(X)


ENDINGS = ("", "-journal")


def count_rows(path):
    db = sqlite3.connect(path)
    try:
        return db.execute("SELECT count(*) FROM votes").fetchone()[0]
    finally:
        db.close()


@pytest.fixture(scope="module")
def killed(tmp_path_factory):
    """A store as it is left by a process that was killed while it committed."""
    path = tmp_path_factory.mktemp("store") / "votes.sqlite"
    smooth().certify(X, store=path)
    db = sqlite3.connect(path, isolation_level=None)
    db.execute("PRAGMA cache_size=1")  # so that pages are written before the commit
    db.execute("BEGIN")
    db.execute("DELETE FROM votes WHERE rowid % 2")
    for k in range(100):
        row = os.urandom(32), 100, os.urandom(100), b"", os.urandom(8)
        db.execute(_store._INSERT, row)
        db.execute("UPDATE votes SET n_used = ? WHERE rowid % 3", (k,))
    content = {end: path.with_name(path.name + end).read_bytes() for end in ENDINGS}
    db.close()
    assert len(content["-journal"]) > 3 * 4096
    return content


@pytest.fixture(scope="module")
def closed(tmp_path_factory):
    path = tmp_path_factory.mktemp("store") / "votes.sqlite"
    smooth().certify(X, store=path)
    assert os.listdir(path.parent) == [path.name]
    return {"": path.read_bytes()}


def put(folder, content):
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    path = folder / "votes.sqlite"
    for end, data in content.items():
        path.with_name(path.name + end).write_bytes(data)
    return path


def look(path, n_rows):
    """Return the error that is reported, or None if nothing was lost."""
    try:
        certificate = smooth().certify(X, store=path)
    except (RuntimeError, ValueError) as error:
        assert str(path) in str(error)
        return error
    np.testing.assert_array_equal(certificate.counts, EXPECTED.counts)
    selected = certificate.selection_counts
    np.testing.assert_array_equal(selected, EXPECTED.selection_counts)
    assert count_rows(path) == n_rows
    return None


def merge(path):
    out = path.with_name("out.sqlite")
    try:
        assert merge_stores([path], out) == 2 * len(X)
    except (RuntimeError, ValueError) as error:
        assert str(path) in str(error) or str(out) in str(error)
        return error
    certificate = smooth().certify(X, store=out)
    np.testing.assert_array_equal(certificate.counts, EXPECTED.counts)
    return None


def flips(data, n, rng):
    """Yield copies of `data` with changed bits, bytes, or runs of bytes."""
    for place in rng.integers(len(data), size=n):
        damaged = bytearray(data)
        length = int(rng.choice([1, 1, 4, 16, 600]))
        for one in range(place, min(place + length, len(data))):
            damaged[one] ^= int(rng.integers(1, 256))
        yield place, damaged


def test_left_by_a_killed_process(killed, tmp_path):
    """What was committed before is there, and nothing else."""
    assert look(put(tmp_path / "a", killed), 2 * len(X)) is None
    assert merge(put(tmp_path / "a", killed)) is None


def test_half_of_a_commit_is_not_used(killed, tmp_path):
    """Where the file beside it, which tells what was there before, has been lost."""
    path = put(tmp_path / "a", {"": killed[""]})
    assert isinstance(look(path, 2 * len(X)), RuntimeError)
    assert isinstance(merge(path), RuntimeError)


@pytest.mark.parametrize("which", [look, lambda path, n: merge(path)])
def test_a_changed_store(which, closed, tmp_path):
    rng = np.random.default_rng(0)
    n_reported = 0
    for _, damaged in flips(closed[""], 100, rng):
        path = put(tmp_path / "a", {"": damaged})
        n_reported += which(path, 2 * len(X)) is not None
    assert n_reported > 15  # much of the file is empty


@pytest.mark.parametrize("ending", ENDINGS)
def test_a_changed_store_of_a_killed_process(ending, killed, tmp_path):
    rng = np.random.default_rng(1)
    for _, damaged in flips(killed[ending], 60, rng):
        for which in (lambda path: look(path, 2 * len(X)), merge):
            which(put(tmp_path / "a", {**killed, ending: damaged}))


@pytest.mark.parametrize("ending", ENDINGS)
def test_a_cut_store_of_a_killed_process(ending, killed, tmp_path):
    for share in (0, 0.001, 0.1, 0.5, 0.9, 0.999):
        content = killed[ending]
        short = content[: int(share * len(content))]
        for which in (lambda path: look(path, 2 * len(X)), merge):
            which(put(tmp_path / "a", {**killed, ending: short}))


def test_committed_votes_are_in_the_file_itself(tmp_path):
    path, copy = tmp_path / "votes.sqlite", tmp_path / "copy.sqlite"
    g = smooth()
    g.certify(X[:3], store=path)
    with VoteStore(path) as store:
        store.write([(bytes(32), bytes(24), 0, b"")])
        shutil.copy(path, copy)
        assert count_rows(copy) == 7


def test_a_store_merged_into_itself(closed, tmp_path):
    path = put(tmp_path / "a", closed)
    assert merge_stores([path], path) == 0
    assert look(path, 2 * len(X)) is None


GOOD = np.array([60, 40, 0], "<i8").tobytes()
FORGED = {
    "no zlib": {"counts": b"no zlib"},
    "empty": {"counts": b""},
    "cut": {"counts": zlib.compress(GOOD)[:-3]},
    "more": {"counts": zlib.compress(GOOD) + b"x"},
    "short": {"counts": zlib.compress(GOOD[:-8])},
    "odd": {"counts": zlib.compress(GOOD[:-1])},
    "long": {"counts": zlib.compress(GOOD + bytes(8))},
    "bomb": {"counts": zlib.compress(bytes(2**27), 9)},
    "negative": {"counts": zlib.compress(np.array([101, -1, 0], "<i8").tobytes())},
    "wraps": {"counts": zlib.compress(np.array([2**62] * 3, "<i8").tobytes())},
    "other sum": {"counts": zlib.compress(np.array([60, 41, 0], "<i8").tobytes())},
    "other n": {
        "n_used": 101,
        "counts": zlib.compress(np.array([60, 41, 0], "<i8").tobytes()),
    },
    "value": {"value": b"x"},
    "text": {"counts": "text"},
    "n as text": {"n_used": "many"},
    "n as float": {"n_used": 0.5},
    "value as number": {"value": 3},
    "checksum as text": {"checksum": "abc"},
}


def forge(path, change, rows="1"):
    db = sqlite3.connect(path, isolation_level=None)
    found = db.execute(f"SELECT * FROM votes WHERE {rows}").fetchall()
    for name, n_used, counts, value, _ in found:
        row = {"n_used": n_used, "counts": counts, "value": value, **change}
        if "checksum" not in change:
            row["checksum"] = _store_file.checksum(name, *row.values())
        db.execute(
            "UPDATE votes SET n_used=?, counts=?, value=?, checksum=? WHERE id=?",
            (*row.values(), name),
        )
    db.close()


@pytest.mark.parametrize("kind", FORGED)
def test_forged_votes(kind, closed, tmp_path):
    path = put(tmp_path / "a", closed)
    forge(path, FORGED[kind], "n_used = 100")
    tracemalloc.start()
    with pytest.raises(RuntimeError, match="is damaged .*votes"):
        smooth().certify(X, store=path)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 2**24
    out = tmp_path / "out.sqlite"
    with pytest.raises(RuntimeError, match="is damaged .*votes"):
        merge_stores([path], out)
        smooth().certify(X, store=out)


@pytest.mark.parametrize("radius_tol", [None, 0.1])
@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_forged_values(value, radius_tol, tmp_path):
    path = tmp_path / "votes.sqlite"
    call = {"radius_tol": radius_tol, "store": path}
    smooth().certify(X, **call)
    forge(path, {"value": np.array([value]).tobytes()}, "n_used > 20")
    with pytest.raises(RuntimeError, match="votes do not add up"):
        smooth().certify(X, **call)


def test_forged_yes_and_no(tmp_path):
    path = tmp_path / "votes.sqlite"
    smooth().certified_correct(X, y, 0.1, store=path)
    forge(path, {"value": b"\2"})
    with pytest.raises(RuntimeError, match="votes do not add up"):
        smooth().certified_correct(X, y, 0.1, store=path)


@pytest.mark.parametrize(
    ("statement", "why"),
    [
        ("CREATE TRIGGER t INSERT ON votes BEGIN DELETE FROM votes; END", "tables"),
        ("DROP TABLE votes; CREATE VIEW votes AS SELECT 1", "tables"),
        ("CREATE TABLE more (a)", "tables"),
        ("UPDATE settings SET value = 'x' WHERE name = 'sigma'", "checksum"),
        ("UPDATE settings SET value = x'ff' WHERE name = 'sigma'", "no text"),
        ("UPDATE settings SET value = CAST(x'ff' AS TEXT)", "UTF-8"),
        ("UPDATE settings SET value = zeroblob(70000000) WHERE rowid=1", "too big"),
        (
            "UPDATE votes SET counts = zeroblob(70000000) WHERE rowid=1",
            "too big|string or blob",
        ),
    ],
)
def test_forged_tables(statement, why, closed, tmp_path):
    path = put(tmp_path / "a", closed)
    db = sqlite3.connect(path)
    db.executescript(statement)
    db.close()
    for call in (
        lambda: smooth().certify(X, store=path),
        lambda: merge_stores([path], tmp_path / "out.sqlite"),
    ):
        with pytest.raises(RuntimeError, match=f"is damaged .*({why})"):
            call()


def test_a_long_setting_is_not_shown_in_full(closed, tmp_path):
    path = put(tmp_path / "a", closed)
    db = sqlite3.connect(path, isolation_level=None)
    text = "x" * 100_000
    db.execute(
        "UPDATE settings SET value=?, checksum=? WHERE name='sigma'",
        (text, _store_file.checksum("sigma", text)),
    )
    db.close()
    with pytest.raises(ValueError, match=r"sigma is x+\.\.\. there") as raised:
        smooth().certify(X, store=path)
    assert len(str(raised.value)) < 1000


READ_ONLY = """
import os, sys, tempfile
from pathlib import Path
import numpy as np
from tests.votes.test_store_damage import EXPECTED, X, merge_stores, smooth

with tempfile.TemporaryDirectory() as folder:
    os.chmod(folder, 0o755)
    path, elsewhere = Path(folder, "in?side", "votes.sqlite"), Path(folder, "other")
    path.parent.mkdir()
    elsewhere.mkdir()
    elsewhere.chmod(0o777)
    smooth().certify(X[:8], store=path)
    path.chmod(0o444)
    child = os.fork()
    if not child:
        try:
            if os.getuid() == 0:
                os.setuid(65534)
            for mode in sys.argv[1:]:
                here = smooth().certify(X[:8], store=path)
                assert np.array_equal(here.counts, EXPECTED.counts[:8])
                assert os.listdir(path.parent) == [path.name]
                assert merge_stores([path], elsewhere / mode) == 16
                try:
                    smooth().certify(X, store=path)
                except RuntimeError as error:
                    assert "not writable" in str(error), error
                    assert "lacks votes of 7 of 15 inputs" in str(error), error
                else:
                    raise AssertionError
                try:
                    merge_stores([elsewhere / mode], path)
                except RuntimeError as error:
                    assert "readonly" in str(error), error
                else:
                    raise AssertionError
        except BaseException:
            import traceback
            traceback.print_exc()
            os._exit(1)
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.parametrize("folder", ["0o555", "0o755"])
def test_a_store_that_may_not_be_written_is_read(folder):
    """As somebody who is not root, who may write everywhere."""
    code = READ_ONLY.replace(
        "    child =", f"    path.parent.chmod({folder})\n    child ="
    )
    run = subprocess.run(
        [sys.executable, "-c", code, "out"],
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert run.returncode == 0, run.stderr


def test_half_of_a_commit_where_nothing_may_be_written(killed, tmp_path, monkeypatch):
    monkeypatch.setattr(_store_file.os, "access", lambda path, mode: False)
    error = look(put(tmp_path / "a", killed), 2 * len(X))
    assert "cannot be read or written" in str(error)


def test_a_folder_that_does_not_exist(tmp_path):
    path = tmp_path / "no" / "votes.sqlite"
    with pytest.raises(RuntimeError, match="unable .*There is no folder .*/no: create"):
        smooth().certify(X, store=path)
