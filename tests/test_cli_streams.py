"""Standard streams that are closed, cut off or full."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression

from sksmooth import SmoothedClassifier

pytest.importorskip("click")
skops_io = pytest.importorskip("skops.io")

pytestmark = pytest.mark.skipif(
    not os.path.exists("/dev/full"), reason="shell and devices of Linux"
)
X, y = load_iris(return_X_y=True)
PLAN = "plan --radius 1 --sigma 0.25"
CERTIFY = "certify model.skops test.npz --max 3"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("streams")
    f = LogisticRegression(max_iter=1_000).fit(X, y)
    g = SmoothedClassifier(f, n=100, random_state=0).fit(X, y)
    skops_io.dump(g, folder / "model.skops")
    np.savez(folder / "test.npz", X=X, y=y)
    return folder


def shell(folder, words, redirections):
    """Run the command line from a shell, in which streams can be closed."""
    package = Path(__file__).parents[1]
    return subprocess.run(
        ["sh", "-c", f'"{sys.executable}" -m sksmooth {words} {redirections}'],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(package)},
        capture_output=True,
        text=True,
        timeout=100,
    )


@pytest.mark.parametrize(
    ("words", "redirections"),
    [(PLAN, ">&-"), ("--version", ">&- <&-"), (CERTIFY, ">/dev/full")],
)
def test_results_that_are_lost_are_an_error(folder, words, redirections):
    run = shell(folder, words, redirections)
    assert run.returncode == 1
    (line,) = run.stderr.splitlines()
    assert line.startswith("Error: stdout cannot be written")
    assert run.stdout == ""


@pytest.mark.parametrize(
    ("words", "redirections", "n_lines"),
    [(CERTIFY, "2>&-", 4), (PLAN, "2>/dev/full", 2)],
)
def test_notes_that_are_lost_are_none(folder, words, redirections, n_lines):
    run = shell(folder, words, redirections)
    assert (run.returncode, run.stderr) == (0, "")
    assert len(run.stdout.splitlines()) == n_lines


def test_with_out_nobody_needs_stdout(folder):
    run = shell(folder, f"{CERTIFY} --out run.tsv", ">&- 2>&-")
    assert run.returncode == 0
    assert len((folder / "run.tsv").read_text().splitlines()) == 4


def test_a_store_gets_no_number_of_a_stream(folder):
    """Else what a library prints on its own would get into the votes."""
    (folder / "noisy.py").write_text(
        "import os\n"
        "from sklearn.linear_model import LogisticRegression\n"
        "class Noisy(LogisticRegression):\n"
        "    def predict(self, X):\n"
        "        for number in (1, 2):\n"
        "            try:\n"
        "                os.write(number, b'from a library in C')\n"
        "            except OSError:\n"
        "                pass\n"
        "        return super().predict(X)\n"
    )
    sys.path.insert(0, str(folder))
    try:
        import noisy

        skops_io.dump(noisy.Noisy(max_iter=1_000).fit(X, y), folder / "noisy.skops")
    finally:
        sys.path.remove(str(folder))
        sys.modules.pop("noisy", None)
    words = "certify noisy.skops test.npz --max 3 --n 100 --sigma 1 --seed 0"
    words += " --trust noisy.Noisy --store run.sqlite --out noisy.tsv --force"
    for _ in range(2):
        run = shell(folder, words, ">&- 2>&- <&-")
        assert run.returncode == 0
    for path in folder.glob("run.sqlite*"):
        assert b"from a library" not in path.read_bytes()
