"""Which files the command line writes, and which it must not."""

import os
import stat
from pathlib import Path

import numpy as np
import pytest
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression

from sksmooth import SmoothedClassifier
from sksmooth.logs import read_log
from tests.test_writing import write_and_read

testing = pytest.importorskip("click.testing")
skops_io = pytest.importorskip("skops.io")
pytest.importorskip("pandas")

X, y = load_iris(return_X_y=True)
LOG = "idx\tlabel\tpredict\tradius\tcorrect\ttime\n0\t1\t1\t0.5\t1\t1\n"
RUN = ["certify", "model.skops", "test.npz", "--max", "3"]


@pytest.fixture
def run(tmp_path, monkeypatch):
    """Run a command in a folder with a model, data and two logs."""
    from sksmooth.cli._app import app

    monkeypatch.chdir(tmp_path)
    f = LogisticRegression(max_iter=1_000).fit(X, y)
    g = SmoothedClassifier(f, n=100, random_state=0).fit(X, y)
    skops_io.dump(g, "model.skops")
    np.savez("test.npz", X=X, y=y)
    np.save("X.npy", X)
    np.save("y.npy", y)
    Path("run.tsv").write_text(LOG)

    def run(*words, code=0):
        result = testing.CliRunner().invoke(app, [*map(str, words)])
        assert result.exit_code == code, (result.stdout, result.stderr)
        return result

    return run


def contents():
    return {path: path.read_bytes() for path in Path().rglob("*") if path.is_file()}


@pytest.fixture
def no_work(monkeypatch):
    """Whoever loads a model or data has begun."""
    for name in ("load_model", "load_data"):
        monkeypatch.setattr(f"sksmooth.cli._app.{name}", None)
    monkeypatch.setattr("sksmooth.cli._report.read_log", None)


class TestOneFileUnderTwoNames:
    @pytest.mark.parametrize("force", [[], ["--force"]])
    @pytest.mark.parametrize(
        ("out", "name"),
        [
            ("model.skops", "MODEL"),
            ("./test.npz", "DATA"),
            ("link", "DATA"),
            ("hard", "MODEL"),
            ("folder/../test.npz", "DATA"),
            ("new.sqlite", "--store"),
            ("dangling", "--store"),
            ("new.sqlite-wal", "a part (-wal) of --store"),
            ("new.sqlite-journal", "a part (-journal) of --store"),
        ],
    )
    def test_out(self, run, no_work, out, name, force):
        Path("folder").mkdir()
        Path("link").symlink_to("test.npz")
        Path("dangling").symlink_to("new.sqlite")
        os.link("model.skops", "hard")
        before = contents()
        result = run(*RUN, "--store", "new.sqlite", "--out", out, *force, code=2)
        assert f"this is {name} as well" in " ".join(result.stderr.split())
        assert contents() == before

    def test_out_and_labels(self, run, no_work):
        command = ["predict", "model.skops", "X.npy", "--label", "y.npy"]
        result = run(*command, "--out", "y.npy", "--force", code=2)
        assert "this is --label as well" in result.stderr

    @pytest.mark.parametrize(
        ("store", "message"),
        [
            ("model.skops", "this is MODEL as well"),
            ("test.npz", "this is DATA as well"),
            ("nowhere/s.sqlite", "there is no folder"),
            ("fifo", "not a regular file"),
            ("/dev/null", "not a regular file"),
        ],
    )
    def test_store(self, run, no_work, store, message):
        os.mkfifo("fifo")
        result = run(*RUN, "--store", store, code=2)
        assert message in " ".join(result.stderr.split())
        assert "committed" not in result.stderr

    def test_plot_and_log(self, run, no_work):
        os.rename("run.tsv", "run.png")
        for name in ("run.png", "./run", "RUN.PNG/../run.png"):
            Path("RUN.PNG").mkdir(exist_ok=True)
            result = run("report", "run.png", "--plot", name, "--force", code=2)
            assert "this is the log run as well" in " ".join(result.stderr.split())
        assert Path("run.png").read_text() == LOG


class TestOut:
    def test_is_a_fifo(self, run):
        """Nothing is overwritten, so no force is asked for."""
        os.mkfifo("fifo")
        text = write_and_read("fifo", lambda: run(*RUN, "--out", "fifo"))
        assert len(text.splitlines()) == 4
        assert stat.S_ISFIFO(os.stat("fifo").st_mode)

    def test_keeps_the_mode(self, run):
        Path("run.tsv").chmod(0o600)
        run(*RUN, "--out", "run.tsv", code=2)
        run(*RUN, "--out", "run.tsv", "--force")
        assert stat.S_IMODE(os.stat("run.tsv").st_mode) == 0o600
        assert len(read_log("run.tsv")) == 3

    def test_is_a_folder_or_protected(self, run, no_work, monkeypatch):
        Path("folder").mkdir()
        assert run(*RUN, "--out", "folder", "--force", code=2)
        monkeypatch.setattr(
            os, "access", lambda path, what: str(path) != "run.tsv" or what != os.W_OK
        )
        result = run(*RUN, "--out", "run.tsv", "--force", code=2)
        assert "may not be written" in result.stderr


@pytest.mark.parametrize("name", ["", ".", "..", "nowhere/"])
def test_what_names_no_file(run, no_work, name):
    for words in (
        [*RUN, "--out", name],
        [*RUN, "--store", name],
        ["report", "run.tsv", "--plot", name],
    ):
        before = contents()
        assert run(*words, code=2).stderr
        assert contents() == before


class TestPlot:
    def test_without_a_suffix_is_png(self, run):
        run("report", "run.tsv", "--plot", "y")
        assert Path("y.png").read_bytes()[:4] == b"\x89PNG"
        assert not Path("y").exists()
        Path("y.png").write_text("precious")
        for name in ("y", "y.", "y.png"):
            assert "--force" in run("report", "run.tsv", "--plot", name, code=2).stderr
        assert Path("y.png").read_text() == "precious"
        assert (
            "saved to y.png"
            in run(*["report", "run.tsv", "--plot", "y", "--force"]).stderr
        )

    @pytest.mark.parametrize("name", ["y.tsv", "sigma_0.25", "y.png.gz"])
    def test_of_an_unknown_kind_is_refused_at_once(self, run, no_work, name):
        result = run("report", "run.tsv", "--plot", name, code=2)
        text = " ".join(result.stderr.split())
        assert f"{name}: there is no picture format ." in text and "png" in text
        assert result.stdout == "" and not Path(name).exists()

    @pytest.mark.parametrize(
        ("name", "start"),
        [("y.PNG", b"\x89PNG"), ("y.svg", b"<?xml"), ("y.pdf", b"%PDF")],
    )
    def test_kinds(self, run, name, start):
        run("report", "run.tsv", "--plot", name)
        assert Path(name).read_bytes().startswith(start)

    def test_into_a_fifo(self, run):
        os.mkfifo("fifo")
        words = ["report", "run.tsv", "--plot", "fifo"]
        assert write_and_read("fifo", lambda: run(*words))[:4] == b"\x89PNG"
        assert not Path("fifo.png").exists()

    def test_keeps_the_mode(self, run):
        Path("y.png").touch()
        Path("y.png").chmod(0o600)
        run("report", "run.tsv", "--plot", "y.png", "--force")
        assert stat.S_IMODE(os.stat("y.png").st_mode) == 0o600


def test_demo_keeps_modes(run):
    Path("here").mkdir()
    for name in ("model.skops", "test.npz"):
        Path("here", name).touch()
        Path("here", name).chmod(0o600)
    run("demo", "--dir", "here", code=2)
    assert Path("here/test.npz").stat().st_size == 0
    run("demo", "--dir", "here", "--force")
    for name in ("model.skops", "test.npz"):
        assert Path("here", name).stat().st_size > 0
        assert stat.S_IMODE(os.stat(f"here/{name}").st_mode) == 0o600
