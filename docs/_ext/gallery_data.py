"""Examples whose data set is not to be had are shown without being run, and say so.

The build goes on: a line on stderr names each of them, and its page has a note, both with
the message of the function that should have fetched the data.
"""

import ast
import re
import sys
from pathlib import Path

from sksmooth import datasets

_missing = {}  # name of an example: why it is not run


def fetchers(script):
    """Return the functions that a script imports to get its data, by name."""
    return [
        alias.name
        for node in ast.walk(ast.parse(script))
        if isinstance(node, ast.ImportFrom) and node.module == "sksmooth.datasets"
        for alias in node.names
        if alias.name.startswith("fetch_")
    ]


def examples_without_data(folder):
    """Return the names of examples that cannot run, each with the reason."""
    problems, found = {}, {}
    for path in sorted(Path(folder).glob("plot_*.py")):
        for name in fetchers(path.read_text("utf-8")):
            if name not in problems:
                try:
                    getattr(datasets, name)()
                    problems[name] = None
                except FileNotFoundError as error:
                    problems[name] = str(error)
            if problems[name] is not None:
                found[path.stem] = problems[name]
    return found


def leave_out(app, config):
    """Keep sphinx-gallery from running these examples."""
    _missing.clear()
    if str(config.plot_gallery) in ("0", "False"):
        return  # none is run
    _missing.update(examples_without_data(Path(app.srcdir).parent / "examples"))
    for name, reason in _missing.items():
        print(f"examples/{name}.py is not run: {reason}", file=sys.stderr)
    if _missing:
        names = "|".join(map(re.escape, _missing))
        pattern = rf"/(?!(?:{names})\.py)plot_"
        config.sphinx_gallery_conf["filename_pattern"] = pattern


def add_note(app, docname, source):
    """Say on the page of such an example that it was not run, and why."""
    reason = _missing.get(docname.rpartition("/")[2])
    # The page of an earlier build, when the data were there, has its pictures.
    if reason is None or "image-sg" in source[0]:
        return
    title = re.search(r"^=+\n", source[0], flags=re.MULTILINE).end()
    text = "This example was not run when these pages were built, so it has no picture:"
    block = "\n".join(f"      {line}" for line in reason.splitlines())
    note = f"\n.. note::\n\n   {text}\n\n   .. code-block:: none\n\n{block}\n\n"
    source[0] = source[0][:title] + note + source[0][title:]


def setup(app):
    app.connect("config-inited", leave_out, priority=5)  # sphinx-gallery reads it at 10
    app.connect("source-read", add_note)
    return {"parallel_read_safe": True}
