"""The command line's key file: 128 secret bits, made, checked, and never told."""

import os
import stat
from pathlib import Path

import numpy as np
import pytest
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression

from sksmooth import SmoothedClassifier

testing = pytest.importorskip("click.testing")
skops_io = pytest.importorskip("skops.io")

from sksmooth.cli._app import app  # noqa: E402

X, y = load_iris(return_X_y=True)
KEY = "0123456789abcdef0123456789ABCDEF"
POSIX = pytest.mark.skipif(os.name != "posix", reason="modes of POSIX")


@pytest.fixture
def run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    f = LogisticRegression(max_iter=1000).fit(X, y)
    skops_io.dump(f, "base.skops")
    g = SmoothedClassifier(f, sigma=0.5, n=300, random_state=0)
    skops_io.dump(g.fit(X, y), "smoothed.skops")
    np.savez("test.npz", X=X[::10], y=y[::10])

    def call(model, *options, code=0):
        command = ["certify", model, "test.npz", *options]
        if model == "base.skops":
            command += ["--sigma", "0.5", "--n", "300"]
        result = testing.CliRunner().invoke(app, command)
        assert result.exit_code == code, result.output
        if os.path.exists("key") and code == 0:
            key = Path("key").read_text().strip()
            said = result.output.lower()
            assert key.lower() not in said and str(int(key, 16)) not in said
        return result

    return call


def put_key(content=KEY + "\n", mode=0o600):
    with open("key", "w") as file:
        file.write(content)
    os.chmod("key", mode)


def radii(result):
    rows = [line.split("\t") for line in result.stdout.splitlines()[1:]]
    return [row[3] for row in rows]


@pytest.mark.parametrize("model", ["base.skops", "smoothed.skops"])
def test_a_key_is_made_and_used_again(model, run):
    option = ["--key-file", "key"]
    first = run(model, *option)
    assert "key did not exist, and holds a new key now" in first.stderr
    if os.name == "posix":
        assert stat.S_IMODE(os.stat("key").st_mode) == 0o600
    content = Path("key").read_text()
    assert len(content) == 33 and int(content, 16) < 2**128
    again = run(model, *option)
    assert "new key" not in again.stderr
    assert radii(again) == radii(first)
    os.remove("key")
    assert radii(run(model, *option)) != radii(first)


def test_a_key_is_the_entropy(run):
    put_key()
    f = LogisticRegression(max_iter=1000).fit(X, y)
    g = SmoothedClassifier(f, sigma=0.5, n=300, random_state=int(KEY, 16))
    _, radius = g.certify(X[::10])
    shown = np.array(radii(run("base.skops", "--key-file", "key")), float)
    np.testing.assert_allclose(shown, radius, atol=1e-5)


def test_a_store_with_a_key(run):
    options = ["--store", "run.sqlite", "--key-file", "key"]
    first = run("base.skops", *options)
    assert radii(run("base.skops", *options)) == radii(first)
    put_key()
    refused = run("base.skops", *options, code=1)
    assert "random_state is" in refused.stderr
    assert KEY not in refused.stderr and str(int(KEY, 16)) not in refused.stderr
    content = Path("run.sqlite").read_bytes()
    assert KEY.encode() not in content and int(KEY, 16).to_bytes(16, "little") not in (
        content
    )
    needed = run("base.skops", "--store", "other.sqlite", code=2)
    assert "needs --key-file or --seed" in needed.stderr


@POSIX
@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o644, 0o602, 0o666])
def test_a_key_that_others_can_read_is_refused(mode, run):
    put_key(mode=mode)
    refused = run("base.skops", "--key-file", "key", code=2)
    assert "others can read or write it" in " ".join(refused.stderr.split())
    assert "chmod 600 key" in " ".join(refused.stderr.split())


@pytest.mark.parametrize(
    "content", ["", KEY[:-1], KEY + "0", KEY[:-1] + "g", "0x" + KEY[2:], "\xe4" * 32]
)
def test_what_is_no_key_is_refused(content, run):
    put_key(content)
    refused = " ".join(run("base.skops", "--key-file", "key", code=2).stderr.split())
    assert "32 hexadecimal digits, 128 bits" in refused
    assert not content or content not in refused


@POSIX
def test_what_is_no_file_is_refused(run):
    os.mkfifo("pipe", 0o600)
    for path, why in [
        ("pipe", "not a regular file"),
        ("/dev/zero", "not a regular file"),
        ("no/folder", "No such file or directory"),
    ]:
        refused = run("base.skops", "--key-file", path, code=2).stderr
        assert why in " ".join(refused.split())


def test_a_seed_and_a_key(run):
    put_key()
    refused = run("base.skops", "--key-file", "key", "--seed", "1", code=2)
    assert "--seed and --key-file: give one of them" in refused.stderr


@pytest.mark.parametrize("ending", ["-wal", "-shm", "-journal"])
def test_no_part_of_a_store(ending, run):
    """SQLite would overwrite or delete it."""
    put_key()
    os.rename("key", f"run{ending}")
    options = ["--key-file", f"run{ending}", "--store", "run"]
    refused = " ".join(run("base.skops", *options, code=2).stderr.split())
    assert f"--key-file is a part ({ending}) of this store" in refused
    assert Path(f"run{ending}").read_text().strip() == KEY
