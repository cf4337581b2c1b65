"""What radii of a log are measured in: only the same is compared."""

import json
from dataclasses import replace

import numpy as np
import pytest
from sklearn.naive_bayes import GaussianNB

from sksmooth import SmoothedClassifier
from sksmooth.logs import certified_accuracy_table, read_log, write_log
from sksmooth.noise import Laplace

pd = pytest.importorskip("pandas")
testing = pytest.importorskip("click.testing")

X = np.random.default_rng(0).normal(size=(20, 2)) + np.repeat([[0], [2]], 10, axis=0)
y = np.repeat([0, 1], 10)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Logs of three runs, and one of nobody knows what."""
    folder = tmp_path_factory.mktemp("logs")
    for name, params in {
        "number": {"sigma": 0.5},
        "feature": {"sigma": [0.5, 0.25]},
        "other": {"sigma": [0.5, 0.125]},
        "laplace": {"sigma": 0.5, "noise": Laplace()},
    }.items():
        g = SmoothedClassifier(GaussianNB(), n=200, random_state=0, **params)
        c = g.fit(X, y).certify(X)
        write_log(c, y, folder / f"{name}.tsv", norm=c.norm)
        if name == "laplace":
            write_log(c, y, folder / "laplace_l2.tsv", norm="l2")
    write_log(([0], [0.5]), [0], folder / "bare.tsv")
    return folder


@pytest.fixture
def run(folder, monkeypatch):
    from sksmooth.cli._app import app

    monkeypatch.chdir(folder)

    def run(*words, code=0):
        result = testing.CliRunner().invoke(app, ["report", *words])
        assert result.exit_code == code, result.output
        return " ".join(result.stderr.split())

    return run


class TestReport:
    def test_of_several_units(self, run):
        told = "in units of the data cannot be compared: report these logs one by one."
        assert told in run("number.tsv", "feature.tsv", code=2)
        assert told in run("bare.tsv", "feature.tsv", code=2)
        assert "units" not in run("number.tsv", "bare.tsv")

    def test_of_one_unit(self, run):
        assert "Note: radii are in units of sigma." in run("feature.tsv")
        told = run("feature.tsv", "other.tsv")
        assert "radii are in units of sigma, each log in its own." in told
        assert "Note" not in run("number.tsv")

    def test_of_radii_in_another_norm_than_the_certificate(self, run):
        assert "Note" not in run("laplace_l2.tsv", "number.tsv")
        assert "different norms" in run("laplace.tsv", "number.tsv", code=2)


def test_plots(folder):
    pytest.importorskip("matplotlib").use("agg")
    from sksmooth.cli._report import display_of

    def drawn(*names, **kwargs):
        logs = {name: read_log(folder / f"{name}.tsv") for name in names}
        display = display_of(logs, **kwargs)
        return display.name, display.unit

    name, unit = drawn("feature")
    assert unit == "units of sigma"
    assert name == "sigma by feature, n = 200\nalpha = 0.001, 20 inputs"
    assert drawn("feature", "other") == (["feature", "other"], "units of sigma")
    name, unit = drawn("number")
    assert name.startswith("sigma = 0.5, ") and unit == "units of the log"
    assert drawn("laplace", norm="l1")[1] == "units of the log"


def test_pages(folder, tmp_path, run):
    """The curve has the same name there, and radii the norm they were written in."""
    pytest.importorskip("matplotlib")
    for name in ("feature", "laplace_l2"):
        run(f"{name}.tsv", "--html", str(tmp_path / f"{name}.html"))
    page = (tmp_path / "feature.html").read_text(encoding="utf-8")
    assert "sigma by feature" in page and "sigma = 1" not in page
    page = (tmp_path / "laplace_l2.html").read_text(encoding="utf-8")
    assert "(l2, in the units of the inputs)" in page


class TestTable:
    @pytest.mark.parametrize("as_frames", [False, True])
    @pytest.mark.parametrize(
        ("names", "message"),
        [
            (
                ["number", "laplace"],
                "norms .*: l2 in log 'number', l1 in log 'laplace'",
            ),
            (["laplace", "laplace_l2"], "in different norms"),
            (
                ["feature", "number"],
                "units .*: units of sigma in log 'feature', units of",
            ),
            (["bare", "number", "feature"], "in different units"),
        ],
    )
    def test_of_several_measures(self, folder, as_frames, names, message):
        logs = {name: folder / f"{name}.tsv" for name in names}
        if as_frames:
            logs = {name: read_log(path) for name, path in logs.items()}
        with pytest.raises(ValueError, match=message) as caught:
            certified_accuracy_table(logs, [0, 0.5])
        assert str(caught.value).endswith("Pass these logs separately.")

    @pytest.mark.parametrize(
        "names",
        [["number", "laplace_l2"], ["feature", "other"], ["bare", "feature"]]
        + [["bare", "number"], ["laplace"]],
    )
    def test_of_one_measure(self, folder, names):
        logs = {name: folder / f"{name}.tsv" for name in names}
        assert certified_accuracy_table(logs, 0).index.tolist() == names


def test_beside_a_log_is_the_norm_of_its_radii(folder):
    entries = json.loads((folder / "laplace_l2.json").read_text())
    assert (entries["norm"], entries["radius_norm"]) == ("l1", "l2")
    entries = json.loads((folder / "number.json").read_text())
    assert (entries["norm"], entries["radius_norm"]) == ("l2", "l2")


def test_changed_categories_beside_a_log_are_in_that_norm(tmp_path):
    from sksmooth.logs._changes import log_with_changes

    Z = np.column_stack([X, np.arange(20) % 2])
    params = {"categorical_features": [2], "flip": 0.4, "noise": Laplace()}
    g = SmoothedClassifier(GaussianNB(), sigma=1.0, n=500, random_state=0, **params)
    c = g.fit(Z, y).certify(Z)
    write_log(c, y, tmp_path / "log", norm="l2")
    radius = log_with_changes(read_log(tmp_path / "log"), 1)["radius"]
    expected = c.radius_for("l2", 1)
    assert np.any(expected > 0) and np.all(radius <= expected)
    np.testing.assert_allclose(radius, expected, rtol=1e-5)
    assert not np.allclose(expected, replace(c).radius_for("l1", 1))
