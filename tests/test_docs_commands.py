"""Shell commands in the pages that readers begin with can be run as they are."""

import re
import shlex
from pathlib import Path

import pytest

testing = pytest.importorskip("click.testing")
pytest.importorskip("skops.io")
pytest.importorskip("pandas")
pytest.importorskip("matplotlib")

ROOT = Path(__file__).resolve().parents[1]
PAGES = ["README.md", "docs/cheatsheet.md", "docs/tutorials/cohen.md"]


def commands(page):
    """Return the lines of shell blocks that call sksmooth, as lists of words."""
    blocks = re.findall(
        r"^```sh\n(.*?)^```", page.read_text("utf-8"), flags=re.M | re.S
    )
    lines = "".join(blocks).splitlines()
    return [
        shlex.split(line, comments=True) for line in lines if line[:9] == "sksmooth "
    ]


@pytest.mark.skipif(not (ROOT / "docs").is_dir(), reason="only in a checkout")
@pytest.mark.parametrize("name", PAGES)
def test_commands_of_a_page_run_one_after_the_other(name, tmp_path, monkeypatch):
    from sksmooth.cli._app import app

    monkeypatch.chdir(tmp_path)
    found = commands(ROOT / name)
    assert len(found) >= 3
    for _, *words in found:
        result = testing.CliRunner().invoke(app, words, prog_name="sksmooth")
        assert result.exit_code == 0, (words, result.stdout, result.stderr)


@pytest.mark.skipif(not (ROOT / "docs").is_dir(), reason="only in a checkout")
def test_no_page_with_commands_is_forgotten():
    pages = [ROOT / "README.md", *(ROOT / "docs/tutorials").glob("*.md")]
    pages += [ROOT / "docs/cheatsheet.md", ROOT / "docs/faq.md"]
    having = {path.relative_to(ROOT).as_posix() for path in pages if commands(path)}
    assert having == set(PAGES)
