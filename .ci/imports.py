"""Which part of the package imports which: they point down only.

A room is a module or a subpackage directly inside the package. Every room has a floor,
and may import only from floors below its own. Imports inside functions count, too.
"""

import ast
from pathlib import Path

PACKAGE = Path(__file__).resolve().parent.parent / "sksmooth"

# From the ground to the roof. The rooms of one floor do not know each other.
FLOORS = (
    ("_sklearn", "_version", "_tensors", "_summary", "_fit_signature", "_writing"),
    ("_containers", "_columns"),
    ("stats", "_labels", "_votes", "datasets"),
    ("_claims",),
    ("_certificate", "_validation"),
    ("metrics", "logs", "_wrapper", "_augmenter"),
    ("display", "_classifier"),
    ("torch",),
    ("__init__",),
    ("cli",),
    ("__main__",),
)
FLOOR_OF = {room: k for k, rooms in enumerate(FLOORS) for room in rooms}


def rooms():
    """Return the names of all rooms that exist."""
    files = {path.stem for path in PACKAGE.glob("*.py")}
    return sorted(files | {path.parent.name for path in PACKAGE.glob("*/__init__.py")})


def edges():
    """Return {(importing room, imported room): set of files that import it}."""
    found = {}
    known = set(rooms())
    for path in sorted(PACKAGE.rglob("*.py")):
        where = path.relative_to(PACKAGE)
        room = where.parts[0].removesuffix(".py")
        package = ("sksmooth", *where.parts[:-1])
        tree = ast.parse(path.read_text(encoding="utf-8"))
        for module in _imported(tree, package):
            parts = module.split(".")
            if parts[0] != "sksmooth":
                continue
            other = parts[1] if len(parts) > 1 and parts[1] in known else "__init__"
            if other != room:
                found.setdefault((room, other), set()).add(where.as_posix())
    return found


def _imported(tree, package):
    """Yield the full names of what a module imports."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else ()
            prefix = ".".join([*base, *filter(None, [node.module])])
            # `from . import logs` imports a module, `from .logs import x` a name.
            yield from (f"{prefix}.{alias.name}" for alias in node.names)


def wrong_ways():
    """Return a line of text for each import that does not point down."""
    unknown = [room for room in rooms() if room not in FLOOR_OF]
    lines = [f"{room} has no floor: give it one in .ci/imports.py" for room in unknown]
    for (room, other), where in edges().items():
        if room in unknown or other in unknown:
            continue
        if FLOOR_OF[other] >= FLOOR_OF[room]:
            lines.append(
                f"{room} imports {other}, which is not below it: {sorted(where)}"
            )
    return lines


if __name__ == "__main__":
    for (room, other), where in edges().items():
        print(f"{room:14} -> {other:14} {', '.join(sorted(where))}")
    raise SystemExit("\n".join(wrong_ways()))
