"""docs/compatibility.md names the road that votes take with each model."""

import importlib.util
from pathlib import Path

import pytest

pytest.importorskip("numba")
pytest.importorskip("torch")
pytest.importorskip("skorch")

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "compatibility.md"

FEW = {
    "n_estimators": 3,
    "iterations": 3,
    "max_iter": 5,
    "max_epochs": 1,
    "Cs": 2,
    "cv": 2,
    "thresholds": 3,
}


def rows():
    """Return the cells of each model's row of the page."""
    lines = PAGE.read_text("utf-8").splitlines() if PAGE.exists() else []
    table = [line.strip("| ").split(" | ") for line in lines if line.startswith("| `")]
    return {name.strip("`"): cells for name, *cells in table if len(cells) > 3}


def small(model):
    """Return a Model that trains in a moment."""

    def make():
        f = model.make()
        parts = {name: name.rpartition("__")[2] for name in f.get_params()}
        few = {name: FEW[part] for name, part in parts.items() if part in FEW}
        return f.set_params(**few)

    return model._replace(make=make)


@pytest.fixture(scope="module")
def bench():
    path = ROOT / "benchmarks" / "compatibility.py"
    if not path.exists():
        pytest.skip("benchmarks are only in a checkout")
    spec = importlib.util.spec_from_file_location("compatibility", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def models(bench):
    return bench.models()


def test_every_model_has_a_row(models):
    assert set(models) <= set(rows())


@pytest.mark.parametrize("name", rows())
def test_the_page_names_the_road(bench, models, name):
    if (model := models.get(name)) is None:
        pytest.skip("not installed, or not in this version of scikit-learn")
    votes, exact, *_ = rows()[name]
    assert bench.votes_and_exact(small(model), every=9) == (votes, exact)
