"""Parts of the package import one way only, and the public names are complete."""

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent

pytestmark = pytest.mark.skipif(
    not (ROOT / ".ci").is_dir(), reason="only in a checkout, which has .ci"
)


@pytest.fixture
def imports():
    spec = importlib.util.spec_from_file_location("imports", ROOT / ".ci/imports.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_imports_point_down(imports):
    assert imports.wrong_ways() == []


def test_imports_are_found(imports):
    edges = imports.edges()
    assert edges["_classifier", "stats"] == {"_classifier.py"}
    assert edges["display", "logs"]  # from ..logs import, one folder down
    assert ("stats", "votes") not in edges
    assert imports.edges("votes")["_recognise", "voters"] == {"_recognise.py"}


@pytest.mark.parametrize(
    "source, message",
    [
        ("from .votes import Inputs", "stats imports votes"),
        ("def f():\n    from sksmooth._classifier import X", "imports _classifier"),
        ("import sksmooth.display.x", "stats imports display"),
        ("from . import SmoothedClassifier", "stats imports __init__"),
    ],
)
def test_wrong_way_is_seen(imports, tmp_path, source, message, monkeypatch):
    for room in ("votes", "display", "stats"):
        (tmp_path / room).mkdir()
        (tmp_path / room / "__init__.py").touch()
    (tmp_path / "__init__.py").touch()
    (tmp_path / "_classifier.py").touch()
    (tmp_path / "stats" / "__init__.py").write_text(source.replace("from .", "from .."))
    monkeypatch.setattr(imports, "PACKAGE", tmp_path)
    (line,) = imports.wrong_ways()
    assert message in line


def test_wrong_way_inside_a_folder_is_seen(imports, tmp_path, monkeypatch):
    (tmp_path / "votes" / "run").mkdir(parents=True)
    for folder in (tmp_path, tmp_path / "votes", tmp_path / "votes" / "run"):
        (folder / "__init__.py").touch()
    (tmp_path / "votes" / "_count.py").touch()
    (tmp_path / "votes" / "run" / "_store.py").write_text("from .._count import x")
    monkeypatch.setattr(imports, "PACKAGE", tmp_path)
    (line,) = imports.wrong_ways()
    assert line.startswith("votes/run imports votes/_count, which is not below it")


def test_room_without_floor_is_seen(imports, tmp_path, monkeypatch):
    (tmp_path / "attic.py").touch()
    monkeypatch.setattr(imports, "PACKAGE", tmp_path)
    assert imports.wrong_ways() == ["attic has no floor: give it one in .ci/imports.py"]


def test_importing_loads_nothing_heavy_that_scikit_learn_does_not():
    heavy = "torch skorch numba onnx onnxruntime matplotlib pandas polars dask "
    heavy += "statsmodels typer rdata"
    code = (
        "import sys, sklearn.linear_model\n"
        "before = set(sys.modules)\n"
        "import sksmooth\n"
        f"print(sorted(set({heavy.split()!r}) & (set(sys.modules) - before)))"
    )
    run = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    assert run.stdout.strip() == "[]"
