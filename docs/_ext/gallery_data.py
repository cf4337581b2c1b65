"""Examples whose data set is missing are shown without being run, with a note.

The build goes on: stderr gets the message of the function that should have fetched the
data, and the page of the example a note.
"""

import ast
import re
import sys
from pathlib import Path

from sksmooth import datasets

_missing = {}  # name of an example: function of sksmooth.datasets, its message

# What gets the folders that an example names below the data home.
HOME = "get_data_home"


def fetchers(script):
    """Return the functions that a script imports to get its data, by name."""
    return [
        alias.name
        for node in ast.walk(ast.parse(script))
        if isinstance(node, ast.ImportFrom) and node.module == "sksmooth.datasets"
        for alias in node.names
        if alias.name.startswith("fetch_")
    ]


def missing_folders(script):
    """Return the folders that are not there of those named as get_data_home() / "x"."""
    return [
        node.right.value
        for node in ast.walk(ast.parse(script))
        if isinstance(node, ast.BinOp)
        and isinstance(node.left, ast.Call)
        and getattr(node.left.func, "id", None) == HOME
        and isinstance(node.right, ast.Constant)
        and not (datasets.get_data_home() / node.right.value).is_dir()
    ]


def examples_without_data(folder, pattern):
    """Return the names of examples that would run but cannot, each with the reason."""
    messages, found = {}, {}
    for path in sorted(Path(folder).glob("plot_*.py")):
        if not re.search(pattern, path.as_posix()):
            continue
        script = path.read_text("utf-8")
        for name in missing_folders(script):
            found[path.stem] = (
                HOME,
                f"{datasets.get_data_home()} has no {name}: make data gets it.",
            )
        for name in fetchers(script):
            if name not in messages:
                try:
                    getattr(datasets, name)()
                    messages[name] = None
                except FileNotFoundError as error:
                    messages[name] = str(error)
            if messages[name] is not None:
                found[path.stem] = name, messages[name]
    return found


def leave_out(app, config):
    """Keep sphinx-gallery from running these examples."""
    _missing.clear()
    if str(config.plot_gallery) in ("0", "False"):
        return  # none is run
    asked = config.sphinx_gallery_conf.get("filename_pattern", "/plot_")
    _missing.update(examples_without_data(Path(app.srcdir).parent / "examples", asked))
    for name, (_, message) in _missing.items():
        print(f"examples/{name}.py is not run. {message}", file=sys.stderr)
    if _missing:
        names = "|".join(map(re.escape, _missing))
        pattern = rf"/(?!(?:{names})\.py){asked.removeprefix('/')}"
        config.sphinx_gallery_conf["filename_pattern"] = pattern


def add_note(app, docname, source):
    """Say on the page of such an example that it was not run, and what it lacks."""
    fetcher, _ = _missing.get(docname.rpartition("/")[2], (None, None))
    # The page of an earlier build, when the data were there, has its pictures.
    if fetcher is None or "image-sg" in source[0]:
        return
    title = re.search(r"^=+\n", source[0], flags=re.MULTILINE).end()
    note = (
        "\n.. note::\n\n"
        "   This example was not run when these pages were built, because its data "
        "set\n   was missing. "
        + (
            f":func:`sksmooth.datasets.{fetcher}` says how to get it.\n\n"
            if fetcher != HOME
            else "``make data`` gets it.\n\n"
        )
    )
    source[0] = source[0][:title] + note + source[0][title:]


def setup(app):
    app.connect("config-inited", leave_out, priority=5)  # sphinx-gallery reads it at 10
    app.connect("source-read", add_note)
    return {"parallel_read_safe": True}
