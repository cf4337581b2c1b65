"""Examples have the form that the gallery needs; running them is left to the docs."""

import ast
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[1] / "examples"
EXAMPLES = sorted(FOLDER.glob("plot_*.py"))


def test_there_are_examples():
    assert EXAMPLES


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_example_has_the_form_of_the_gallery(path):
    text = path.read_text(encoding="utf-8")
    title, line, empty, *intro = ast.get_docstring(ast.parse(text)).splitlines()
    assert line == "=" * len(title)
    assert not empty and intro
    # It ends in words about the picture, which was drawn last.
    code, words = text.rstrip().rsplit("\n# %%\n", 1)
    assert all(row.startswith("#") for row in words.splitlines())
    if path.stem == "plot_quickstart":  # it is also `make demo`, which leaves a file
        assert "plt.show()" not in code and "savefig" in code
    else:
        assert "plt.show()" in code.splitlines()[-2:] and "savefig" not in code


def test_example_titles_differ():
    titles = [path.read_text(encoding="utf-8").splitlines()[1] for path in EXAMPLES]
    assert len(set(titles)) == len(titles)
