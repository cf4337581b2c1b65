"""What a release consists of fits together."""

import ast
import io
import re
import runpy
import tarfile
import tomllib
from importlib import import_module
from pathlib import Path

import pytest

import sksmooth
from sksmooth._versions import versions_in_use

ROOT = Path(__file__).resolve().parent.parent

pytestmark = pytest.mark.skipif(
    not (ROOT / ".ci").is_dir(), reason="only in a checkout, which has docs and tools"
)


def read(name):
    return (ROOT / name).read_text(encoding="utf-8")


def test_stability_lists_every_public_name_once():
    rows = re.findall(
        r"^\| `(sksmooth[.\w]*)` \| (.*) \|$", read("docs/stability.md"), re.M
    )
    listed = {module: re.findall(r"`(\w+)`", names) for module, names in rows}
    (checked,) = re.findall(
        r"^PUBLIC_MODULES = (\[.*?\])$", read(".ci/check_docstrings.py"), re.M | re.S
    )
    assert sorted(listed) == sorted(ast.literal_eval(checked))
    for module, names in listed.items():
        if module == "sksmooth.torch":
            pytest.importorskip("torch")
        assert sorted(names) == sorted(import_module(module).__all__), module


def test_version_is_the_same_everywhere():
    released, date = re.findall(
        r"^## \[([\d.]+)\] - (\S+)$", read("CHANGELOG.md"), re.M
    )[0]
    citation = dict(re.findall(r"^([\w-]+): (\S+)$", read("CITATION.cff"), re.M))
    assert re.fullmatch(r"\d{4}-\d\d-\d\d", date)
    assert citation["version"] == released
    assert citation["date-released"] == date
    assert sksmooth.__version__ == released


def test_versions_of_python_are_those_that_a_workflow_tests():
    project = tomllib.loads(read("pyproject.toml"))["project"]
    name = "Programming Language :: Python :: 3."
    told = [one[len(name) - 2 :] for one in project["classifiers"] if name in one]
    (tested,) = re.findall(
        r"^ +python: (\[.*\])$", read(".github/workflows/tests.yml"), re.M
    )
    assert told == ast.literal_eval(tested)
    assert project["requires-python"] == f">={told[0]}"


def test_recipe_has_what_the_package_needs():
    project = tomllib.loads(read("pyproject.toml"))
    recipe = runpy.run_path(str(ROOT / "tools/conda_recipe.py"))["recipe"]
    info = "\n".join(
        [
            "Version: 1.2.3",
            "Requires-Python: >=3.11",
            "Summary: what it is",
            "License-Expression: BSD-3-Clause",
            *(f"Project-URL: {k}, {v}" for k, v in project["project"]["urls"].items()),
            *(f"Requires-Dist: {one}" for one in project["project"]["dependencies"]),
            "Requires-Dist: torch>=2.2; extra == 'torch'",
        ]
    )
    sdist = io.BytesIO()
    with tarfile.open(fileobj=sdist, mode="w:gz") as archive:
        for name, text in [
            ("PKG-INFO", info),
            ("pyproject.toml", read("pyproject.toml")),
        ]:
            entry = tarfile.TarInfo(f"sksmooth-1.2.3/{name}")
            entry.size = len(text.encode())
            archive.addfile(entry, io.BytesIO(text.encode()))
    text = recipe(sdist.getvalue(), ["somebody"])
    run = text.split("  run:\n", 1)[1].split("\n\n")[0]
    wanted = {one.replace(">=", " >=") for one in project["project"]["dependencies"]}
    assert set(re.findall(r"- (.+)", run)) == {"python >=${{ python_min }}"} | wanted
    assert 'version: "1.2.3"' in text and "- somebody" in text
    scripts = project["project"]["scripts"]
    assert all(f"{name} = {target}" in text for name, target in scripts.items())


def test_sites_of_versions_stand_side_by_side(tmp_path):
    place = runpy.run_path(str(ROOT / "tools/place_site.py"))["place"]
    built, site = tmp_path / "built", tmp_path / "site"
    built.mkdir()
    site.mkdir()

    def placed(name):
        (built / "index.html").write_text(name)
        place(built, site, name)
        return (site / "index.html").read_text()

    assert "url=dev/" in placed("dev")
    assert "url=stable/" in placed("0.10.0")
    placed("0.9.1")  # a fix for an older version is not the newest one
    assert (site / "stable/index.html").read_text() == "0.10.0"
    assert (site / "versions.json").read_text() == '["0.10.0", "0.9.1", "dev"]\n'
    with pytest.raises(SystemExit, match="neither dev nor a version"):
        place(built, site, "../elsewhere")


def test_show_versions(capsys):
    sksmooth.show_versions()
    told = capsys.readouterr().out
    for name, version in versions_in_use().items():
        assert re.search(rf"^ *{re.escape(name)}: {re.escape(version)}\b", told, re.M)
