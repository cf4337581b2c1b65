"""Draw the picture of the architecture page from the imports that the code has."""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / ".ci"))

import imports  # noqa: E402

# Above everything, and below everything: their arrows would hide the others.
# What may be imported from anywhere would only add arrows.
ANYWHERE = {"_sklearn", "_tensors", "_containers", "_columns", "_summary", "_writing"}
ANYWHERE |= {"_compiled", "_errors", "_fit_signature", "_optional"}
LEFT_OUT = {"__init__", "__main__", "_version", "torch"} | ANYWHERE
# From left to right, so that no arrow runs behind a box. Others go where there is room.
ACROSS = {
    "noise": 0.08,
    "models": 0.35,
    "_labels": 0.64,
    "datasets": 0.9,
    "_seeding": 0.2,
    "votes": 0.08,
    "exact": 0.47,
    "_training": 0.25,
    "stats": 0.82,
    "_claims": 0.58,
    "_certificate": 0.68,
    "_validation": 0.08,
    "_augmenter": 0.1,
    "_smoother": 0.42,
    "_class_smoother": 0.42,
    "logs": 0.76,
    "metrics": 0.9,
    "_classifier": 0.5,
    "_regressor": 0.2,
    "_interval": 0.25,
    "_interval_scores": 0.64,
    "display": 0.82,
    "cli": 0.65,
}


def _needed(edges):
    """Return the edges that do not follow from others, as a > c does from a > b > c."""
    below = {}
    for upper, lower in edges:
        below.setdefault(upper, set()).add(lower)

    def reaches(start, end):
        return any(
            step == end or reaches(step, end) for step in below.get(start, set())
        )

    return [
        (upper, lower)
        for upper, lower in edges
        if not any(reaches(step, lower) for step in below[upper] - {lower})
    ]


def draw(path):
    """Write the picture as SVG."""
    import matplotlib
    from matplotlib.figure import Figure

    wrong = imports.wrong_ways()
    if wrong:
        raise RuntimeError("\n".join(wrong))
    exist = set(imports.rooms()) - LEFT_OUT
    edges = [edge for edge in imports.edges() if not set(edge) & LEFT_OUT]
    floors = [[room for room in floor if room in exist] for floor in imports.FLOORS[""]]
    floors = [floor for floor in floors if floor]
    place = {
        room: (ACROSS.get(room, (k + 0.5) / len(floor)), height)
        for height, floor in enumerate(floors)
        for k, room in enumerate(floor)
    }
    figure = Figure(figsize=(8, 1.1 * len(floors)), dpi=72)  # the unit of SVG
    ax = figure.add_axes((0, 0, 1, 1))
    box = {"boxstyle": "round,pad=0.45", "facecolor": "#EAF2F8", "edgecolor": "#0072B2"}
    texts = {
        room: ax.text(
            *place[room], room, ha="center", va="center", family="monospace", bbox=box
        )
        for room in place
    }
    ax.set(xlim=(0, 1), ylim=(-0.5, len(floors) - 0.5))
    ax.set_axis_off()
    figure.draw_without_rendering()  # boxes have their sizes only now
    for upper, lower in _needed(edges):
        ax.annotate(
            "",
            place[lower],
            place[upper],
            arrowprops={
                "arrowstyle": "-|>",
                "color": "0.35",
                "linewidth": 1.1,
                "patchA": texts[upper].get_bbox_patch(),
                "patchB": texts[lower].get_bbox_patch(),
                "shrinkA": 2,
                "shrinkB": 2,
                "mutation_scale": 14,
            },
            zorder=0,
        )
    # Dates and random ids would make every build differ.
    with matplotlib.rc_context({"svg.hashsalt": "sksmooth"}):
        figure.savefig(path, facecolor="white", metadata={"Date": None})


def setup(app):
    app.connect("builder-inited", lambda app: draw(Path(app.srcdir, "imports.svg")))
    return {"parallel_read_safe": True}
