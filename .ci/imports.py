"""Which part of the package imports which: they point down only.

A room is a module or a subpackage directly inside the package, or inside one of its
folders. Every room has a floor, and may import only from floors below its own. Imports
inside functions count, too.
"""

import ast
from pathlib import Path

PACKAGE = Path(__file__).resolve().parent.parent / "sksmooth"

# From the ground to the roof. The rooms of one floor do not know each other.
FLOORS = {
    "": (
        (
            "_sklearn",
            "_version",
            "_tensors",
            "_summary",
            "_fit_signature",
            "_writing",
            "_from_fit",
        ),
        ("_find_categorical", "_frame_dtype", "_optional", "_versions", "_entropy"),
        (
            "_containers",
            "_columns",
            "_categories",
            "_compiled",
            "_errors",
            "_frame_like",
        ),
        ("_statement_columns",),
        ("noise", "models", "_labels", "datasets", "_fit_errors"),
        ("_seeding", "_check_base"),
        ("stats", "votes", "exact", "_training"),
        ("_claims", "_reach", "_balls", "_about", "_statement_text"),
        ("_statement",),
        ("_certificate", "_validation", "_interval"),
        ("metrics", "logs", "_smoother", "_augmenter"),
        ("_class_smoother", "_interval_scores"),
        ("display", "_classifier", "_regressor"),
        ("torch",),
        ("__init__",),
        ("cli",),
        ("__main__",),
    ),
    "noise": (
        ("_norms", "_sigma", "_normals_kernel", "_ziggurat"),
        ("_grid", "_regions", "_split", "_draw_flips", "_binary"),
        ("_flips", "_sparse_flips", "_mixed_search", "_mixed_uniform"),
        ("_mixed", "_mixed_laplace", "_draw_sparse_flips"),
        ("_normals",),
        ("_streams", "_many_normals"),
        ("_on_device", "_copies", "_proof"),
        ("_family",),
        ("_gaussian", "_laplace", "_uniform", "_split_noise", "_sparse_flip"),
        ("_delete_tokens",),
        ("_with_flips",),
        ("__init__",),
    ),
    "models": (
        ("_ranks",),
        (
            "_bounded",
            "_ties",
            "_plain",
            "_forest",
            "_find_nets",
            "_unwrap",
        ),
        (
            "_net_engines",
            "_net_memory",
            "_net_errors",
            "_net_outputs",
            "_close_calls",
            "_exported",
        ),
        ("_xgboost", "_lightgbm", "_catboost"),
        ("_boosters",),
        ("_trees",),
        ("_affine", "_by_rows", "_net_labels", "_torch_net"),
        ("_linear", "_mlp", "_nets"),
        ("_first_layer", "_net_options"),
        ("_net_modes",),
        ("_net_choice",),
        ("__init__",),
    ),
    "votes": (
        ("_cells",),
        ("_rows",),
        ("_frame_rows",),
        ("_voter", "_spread", "run", "_texts"),
        ("_shared", "voters"),
        ("_missing",),
        ("_company_answers", "_company_batches"),
        ("_count", "_recognise"),
        ("_company",),
        ("_voting",),
        ("_values",),
        ("__init__",),
    ),
    "votes/voters": (
        ("_linear_kernel", "_trees_kernel"),
        ("_predict", "_linear", "_mlp", "_net_noise"),
        ("_trees", "_net", "_sparse"),
        ("_values",),
        ("__init__",),
    ),
    "votes/run": (
        ("_workers", "_progress", "_forms"),
        ("_store_file", "_contents"),
        ("_store", "_fingerprint"),
        ("_merge",),
        ("__init__",),
    ),
    "exact": (
        ("_axes", "_bivariate"),
        ("_trees", "_sums"),
        ("_stumps",),
        ("_probabilities",),
        ("_multiclass", "_quantiles"),
        ("__init__",),
    ),
}


def rooms(folder=""):
    """Return the names of all rooms of a folder."""
    inside = PACKAGE / folder
    files = {path.stem for path in inside.glob("*.py")}
    return sorted(files | {path.parent.name for path in inside.glob("*/__init__.py")})


def edges(folder=""):
    """Return {(importing room, imported room): set of files that import it}."""
    found = {}
    known, inside = set(rooms(folder)), PACKAGE / folder
    depth = len(Path(folder).parts)
    for path in sorted(inside.rglob("*.py")):
        where = path.relative_to(inside)
        room = where.parts[0].removesuffix(".py")
        package = ("sksmooth", *path.relative_to(PACKAGE).parts[:-1])
        tree = ast.parse(path.read_text(encoding="utf-8"))
        for module in _imported(tree, package):
            parts = module.split(".")
            if parts[: depth + 1] != ["sksmooth", *Path(folder).parts]:
                continue
            rest = parts[depth + 1 :]
            other = rest[0] if rest and rest[0] in known else "__init__"
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
    return [line for folder in FLOORS for line in _wrong_ways(folder)]


def _wrong_ways(folder):
    floor_of = {room: k for k, floor in enumerate(FLOORS[folder]) for room in floor}
    unknown = [room for room in rooms(folder) if room not in floor_of]
    path = f"{folder}/" if folder else ""
    lines = [
        f"{path}{room} has no floor: give it one in .ci/imports.py" for room in unknown
    ]
    for (room, other), where in edges(folder).items():
        if room in unknown or other in unknown:
            continue
        if floor_of[other] >= floor_of[room]:
            lines.append(
                f"{path}{room} imports {path}{other}, which is not below it: "
                f"{sorted(where)}"
            )
    return lines


if __name__ == "__main__":
    for folder in FLOORS:
        print(folder or "sksmooth")
        for (room, other), where in edges(folder).items():
            print(f"  {room:14} -> {other:14} {', '.join(sorted(where))}")
    raise SystemExit("\n".join(wrong_ways()) or 0)
