"""Files that are damaged, of another kind, or made to do harm: what is told."""

import io
import os
import pickle
import shutil
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest
from scipy import sparse
from sklearn.base import clone
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression

from sksmooth import SmoothedClassifier

testing = pytest.importorskip("click.testing")
skops_io = pytest.importorskip("skops.io")
pd = pytest.importorskip("pandas")

X, y = load_iris(return_X_y=True)
RUN = ["certify", "model.skops"]
PLAN = ["plan", "--radius", "1", "--sigma", "1"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("broken")
    f = LogisticRegression(max_iter=1_000).fit(X, y)
    g = SmoothedClassifier(f, n=50, random_state=0).fit(X, y)
    skops_io.dump(g, folder / "model.skops")
    frame = pd.DataFrame(X, columns=list("abcd"))
    skops_io.dump(clone(g).fit(frame, y), folder / "frame.skops")
    np.save(folder / "X.npy", X)
    np.savez(folder / "Xy.npz", X=X, y=y)
    np.savez_compressed(folder / "small.npz", X=X, y=y)
    return folder


@pytest.fixture
def run(folder, tmp_path, monkeypatch):
    """Run a command in a folder with a model and good data; one line of errors."""
    from sksmooth.cli._app import app

    monkeypatch.chdir(shutil.copytree(folder, tmp_path / "run"))

    def run(*words, code=1):
        result = testing.CliRunner().invoke(app, [*map(str, words)])
        assert result.exit_code == code, (result.stdout, result.stderr)
        lines = result.stderr.splitlines()
        assert code != 1 or len(lines) == 1
        assert "allow_pickle" not in result.stderr
        return " ".join(lines)

    return run


def cut(path, n_bytes):
    Path(path).write_bytes(Path(path).read_bytes()[:n_bytes])


class TestArrays:
    @pytest.mark.parametrize("keep", [0.02, 0.5, 0.99])
    @pytest.mark.parametrize("name", ["X.npy", "Xy.npz", "small.npz"])
    def test_truncated(self, run, name, keep):
        cut(name, int(keep * os.path.getsize(name)))
        assert f"{name} cannot be read: the file is damaged" in run(*RUN, name)

    @pytest.mark.parametrize("place", [100, 1_000, -300])
    def test_flipped_bits(self, run, place):
        """Whatever was hit: one line with the name, or an answer if nothing was."""
        content = bytearray(Path("small.npz").read_bytes())
        content[place] ^= 0xFF
        Path("small.npz").write_bytes(content)
        assert "small.npz" in run(*RUN, "small.npz")

    @pytest.mark.parametrize("name", ["a.npy", "a.npz", "a.csv", "a.parquet"])
    @pytest.mark.parametrize("content", [b"", b"\xffgarbage\n" * 20, b"\x80\x04K\x01."])
    def test_garbage(self, run, name, content):
        Path(name).write_bytes(content)
        text = run(*RUN, name)
        assert f"{name} is " in text or f"{name} cannot be read" in text

    def test_names_of_the_other_kind(self, run):
        os.rename("X.npy", "a.npz")
        os.rename("Xy.npz", "b.npy")
        assert "a.npz holds a single array, and the name" in run(*RUN, "a.npz")
        assert "b.npy holds an archive of arrays" in run(*RUN, "b.npy")
        command = [*RUN, "small.npz", "--label", "b.npy"]
        assert "b.npy holds an archive of arrays" in run(*command)

    @pytest.mark.parametrize("save", [np.save, np.savez])
    @pytest.mark.parametrize(
        ("array", "message"),
        [
            (np.array(1.0), "of shape (), but inputs are rows"),
            (np.ones(4), "of shape (4,), but inputs are rows"),
            (np.ones((2, 4), complex), "complex numbers"),
            (np.ones((2, 4), "M8[D]"), "dates or times"),
            (np.ones((2, 4), "m8[ns]"), "dates or times"),
            (np.full((2, 4), "1.5"), "dtype <U3"),
            (np.full((2, 4), b"1"), "dtype |S1"),
            (np.zeros((2, 4), [("a", float)]), "inputs have to be numbers"),
            (np.full((2, 4), None), "holds Python objects"),
        ],
    )
    def test_what_is_no_number(self, run, save, array, message):
        name = "a.npy" if save is np.save else "a.npz"
        save(name, array)
        text = run(*RUN, name)
        assert message in text

    @pytest.mark.parametrize(
        ("labels", "message"),
        [
            ([0, 1, np.inf], "the label of row 2 is inf"),
            ([0, -np.inf, 1], "the label of row 1 is -inf"),
            ([0, 1, np.nan], "1 of 3 labels are missing, the first at row 2"),
            ([0, 1, 1j], "dtype complex128"),
            (np.array([1, 2, 3], "M8[s]"), "dtype datetime64[s]"),
            ([0, 0.5, 1], "labels must be whole numbers or strings"),
            ([0, 1, 1e300], "labels must be whole numbers or strings"),
            (np.array([0, 1, None]), "holds Python objects"),
        ],
    )
    def test_labels(self, run, labels, message):
        np.savez("a.npz", X=X[:3], y=labels)
        assert message in run(*RUN, "a.npz")

    def test_a_member_that_is_no_array(self, run):
        with zipfile.ZipFile("a.npz", "w") as file:
            file.writestr("X", "text")
        assert "'X' is not a NumPy array" in run(*RUN, "a.npz")
        with zipfile.ZipFile("a.npz", "w"):
            pass
        assert "only none" in run(*RUN, "a.npz", code=2)

    def test_a_header_that_claims_too_much(self, run):
        content = io.BytesIO()
        np.lib.format.write_array_header_1_0(
            content, {"descr": "<f8", "fortran_order": False, "shape": (2**58, 4)}
        )
        Path("a.npy").write_bytes(content.getvalue())
        with zipfile.ZipFile("a.npz", "w") as file:
            file.writestr("X.npy", content.getvalue())
        for name in ("a.npy", "a.npz"):
            assert "claims to hold more" in run(*RUN, name)


class TestTables:
    def test_latin1(self, run):
        Path("a.csv").write_text("größe,x\n1,2\n", encoding="latin-1")
        text = run(*RUN, "a.csv")
        assert "a.csv is no UTF-8 text: byte 0xf6 in line 1" in text
        assert "iconv -f latin1 -t utf-8" in text
        Path("a.csv").write_text("a,b\nx,1\ny,2\nß,3\n", encoding="latin-1")
        assert "byte 0xdf in line 4" in run(*RUN, "a.csv")
        Path("a.csv").write_text("a,b\n1,2\n", encoding="utf-16")
        assert "iconv -f utf-16" in run(*RUN, "a.csv")

    @pytest.mark.parametrize("text", ["", "\n\n"])
    def test_empty(self, run, text):
        Path("a.csv").write_text(text)
        assert "a.csv is empty: its first line has to name" in run(*RUN, "a.csv")
        Path("a.csv").write_text("a,b\n")
        assert "a.csv holds no inputs" in run(*RUN, "a.csv")

    def test_lines_of_different_lengths(self, run):
        Path("a.csv").write_text("a,b\n1,2\n1,2,3\n")
        text = run(*RUN, "a.csv")
        assert "a.csv cannot be read as a table" in text and "line 3" in text

    @pytest.mark.parametrize("kind", ["csv", "parquet"])
    def test_dates(self, run, kind):
        frame = pd.DataFrame(X[:4], columns=list("abcd"))
        frame["a"] = pd.date_range("2026-01-01", periods=4)
        if kind == "csv":
            frame.to_csv("a.csv", index=False)
        else:
            pytest.importorskip("pyarrow")
            frame.to_parquet("a.parquet")
        result = " ".join(run("certify", "frame.skops", f"a.{kind}").split())
        assert "noise needs floating-point columns" in result and "'a'" in result


def bomb(path, n_bytes, member="X.npy"):
    """Write zeros that take a thousandth of their size in the file."""
    rows = n_bytes // 32
    content = io.BytesIO()
    np.save(content, np.zeros((rows, 4)))
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr(member, content.getvalue())


class TestBombs:
    def test_npz(self, run):
        bomb("a.npz", 20_000_000)
        command = [*RUN, "a.npz", "--max", 1, "--unpack-limit"]
        text = run(*command, 0.01)
        assert "a.npz unpacks to 20 MB from" in text
        assert "limit of 10 MB" in text and "--unpack-limit 0.1" in text
        run(*command, 0.1, code=0)
        run(*[*RUN, "a.npz", "--max", 1], code=0)  # 1 GB

    def test_what_is_asked_for_counts(self, run):
        """Other arrays in the file stay packed."""
        bomb("a.npz", 20_000_000, "huge.npy")
        with zipfile.ZipFile("a.npz", "a") as file:
            file.write("X.npy")
        run(*RUN, "a.npz", "--unpack-limit", 0.01, code=0)
        with zipfile.ZipFile("a.npz", "a", zipfile.ZIP_DEFLATED) as file:
            file.writestr("y.npy", zipfile.ZipFile("a.npz").read("huge.npy"))
        assert "unpacks to 20 MB" in run(*RUN, "a.npz", "--unpack-limit", 0.01)

    def test_files_that_are_not_packed_may_be_large(self, run):
        run(*RUN, "Xy.npz", "--unpack-limit", 1e-9, code=0)
        assert "unpacks to" in run(*RUN, "small.npz", "--unpack-limit", 1e-9)

    def test_skops(self, run):
        with zipfile.ZipFile("a.skops", "w", zipfile.ZIP_DEFLATED) as file:
            file.writestr("schema.json", "{" + 20_000_000 * " " + "}")
        text = run("certify", "a.skops", "X.npy", "--unpack-limit", 0.01)
        assert "a.skops unpacks to 20 MB" in text

    def test_skops_with_a_sparse_matrix_of_zeros(self, run):
        """A file within the file, packed once more."""
        f = LogisticRegression(max_iter=1_000).fit(X, y)
        f.extra_ = sparse.csr_matrix(np.zeros((1, 4)))
        skops_io.dump(f, "a.skops")
        command = ["certify", "a.skops", "X.npy", "--sigma", 1, "--max", 1]
        command += ["--unpack-limit", 0.01, "--trust", "scipy.sparse._csr.csr_matrix"]
        run(*command, code=0)
        inner = io.BytesIO()
        sparse.save_npz(inner, sparse.csr_matrix(np.ones((1, 3_000_000))))
        with zipfile.ZipFile("a.skops") as old, zipfile.ZipFile("b.skops", "w") as new:
            for name in old.namelist():
                content = old.read(name)
                new.writestr(
                    name, inner.getvalue() if name.endswith("npz") else content
                )
        command[1] = "b.skops"
        assert os.path.getsize("b.skops") < 5_000_000
        assert "b.skops unpacks to 36 MB" in run(*command)

    def test_parquet(self, run):
        pytest.importorskip("pyarrow")
        frame = pd.DataFrame(np.zeros((400_000, 4)), columns=list("abcd"))
        frame.to_parquet("a.parquet")
        text = run(*RUN, "a.parquet", "--max", 1, "--unpack-limit", 0.01)
        assert "a.parquet unpacks to 12.8 MB" in text
        run(*RUN, "a.parquet", "--max", 1, code=0)


class TestModels:
    @pytest.mark.parametrize(
        "content", [b"", b"PK\x03\x04garbage", b"PK\x05\x06" + bytes(18)]
    )
    def test_no_skops_file(self, run, content):
        Path("a.skops").write_bytes(content)
        assert "a.skops is not a skops file" in run("certify", "a.skops", "X.npy")

    @pytest.mark.parametrize("schema", [b"no json", b"\xff\xfe", b"[" * 10])
    def test_no_schema(self, run, schema):
        with zipfile.ZipFile("a.skops", "w") as file:
            file.writestr("schema.json", schema)
        assert "a.skops is not a skops file" in run("certify", "a.skops", "X.npy")

    @pytest.mark.parametrize("content", [b"", b"garbage", b"\x80\x04\x95"])
    def test_no_pickle(self, run, content):
        Path("a.pkl").write_bytes(content)
        text = run("certify", "a.pkl", "X.npy", "--trust-pickle")
        assert "a.pkl cannot be unpickled: " in text

    @pytest.mark.parametrize("dump", ["pickle", "joblib"])
    def test_a_class_of_main(self, run, monkeypatch, dump):
        """As a skorch net whose module was defined in a notebook."""
        Net = type("Net", (LogisticRegression,), {"__module__": "__main__"})
        main = sys.modules["__main__"]
        monkeypatch.setattr(main, "Net", Net, raising=False)
        model = Net(max_iter=1_000).fit(X, y)
        if dump == "pickle":
            Path("a.pkl").write_bytes(pickle.dumps(model))
        else:
            pytest.importorskip("joblib").dump(model, "a.pkl")
        monkeypatch.delattr(main, "Net")
        text = run("certify", "a.pkl", "X.npy", "--trust-pickle")
        assert "a.pkl needs __main__.Net, which is not there" in text
        assert "Move it into a file of its own" in text and "PYTHONPATH" in text

    def test_a_module_that_is_not_there(self, run, monkeypatch):
        Path("my_nets.py").write_text("class Net:\n    pass\n")
        monkeypatch.syspath_prepend(os.getcwd())
        import my_nets

        Path("a.pkl").write_bytes(pickle.dumps(my_nets.Net()))
        monkeypatch.delitem(sys.modules, "my_nets")
        Path("my_nets.py").unlink()
        text = run("certify", "a.pkl", "X.npy", "--trust-pickle")
        assert "a.pkl needs the module 'my_nets'" in text and "PYTHONPATH" in text

    def test_out_of_memory(self, run, monkeypatch):
        def predict(self, X):
            raise MemoryError

        monkeypatch.setattr(LogisticRegression, "predict", predict)
        # Else the votes would be counted without it.
        monkeypatch.setattr("sksmooth.votes._recognise.linear_scores", lambda *_: None)
        assert run(*RUN, "X.npy").endswith("MemoryError")


class TestNumbers:
    HUGE = "99999999999999999999999"

    @pytest.mark.parametrize(
        "words",
        [
            [*RUN, "X.npy", "--n", HUGE],
            [*RUN, "X.npy", "--n0", HUGE],
            ["predict", *RUN[1:], "X.npy", "--n", HUGE],
            [*PLAN, "--n", HUGE],
        ],
    )
    def test_more_votes_than_can_be(self, run, words):
        text = run(*words, code=2)
        assert "is more than" in text and "nobody could wait for more" in text

    @pytest.mark.parametrize("option", ["--radius", "--sigma"])
    @pytest.mark.parametrize("number", ["1e308", "1e-320", "1e101", "1e999", "nan"])
    def test_plan_refuses_units_of_another_world(self, run, option, number):
        assert (
            "e+100" in (text := run(*PLAN, option, number, code=2)) or "finite" in text
        )

    @pytest.mark.parametrize(
        ("radius", "sigma", "cells"),
        [
            ("1e100", "1e-100", ["1.000e+00", "1.000e-300", "-", "-"]),
            ("40", "1", ["1", "-", "-"]),
            ("0", "1e-100", ["0.500000"]),
            ("1e100", "1e100", ["0.841345"]),
        ],
    )
    def test_plan_at_the_limits(self, run, radius, sigma, cells):
        from sksmooth.cli._app import app

        words = ["plan", "--radius", radius, "--sigma", sigma]
        result = testing.CliRunner().invoke(app, words)
        assert result.exit_code == 0
        assert "nan" not in result.output and "inf" not in result.output

    def test_small_reaches_keep_their_digits(self, run):
        from sksmooth.cli._app import app

        words = ["plan", "--radius", "1e-6", "--sigma", "1e-5,1e30"]
        lines = testing.CliRunner().invoke(app, words).stdout.splitlines()
        assert [line.split()[-1] for line in lines[1:]] == ["3.811e-5", "3.811e+30"]
