"""What the displays have in common: matplotlib on demand, axes, colours, keywords."""

from .._optional import optional

# M. Okabe and K. Ito's colours, told apart by all kinds of colour vision; without
# yellow, which is too light for lines.
COLORS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")
ABSTAIN_COLOR = "#D9D9D9"
INK = "0.25"

_ALIASES = {
    "c": "color",
    "ls": "linestyle",
    "lw": "linewidth",
    "ec": "edgecolor",
    "fc": "facecolor",
    "ds": "drawstyle",
}


def import_pyplot(cls, method):
    """Return matplotlib.pyplot, or say what to install for a method of a display."""
    return optional("matplotlib.pyplot", f"{cls.__name__}.{method}")


def place(display, ax):
    """Put a display on axes, new ones for None, and return them."""
    if ax is None:
        plt = import_pyplot(type(display), "plot")
        _, ax = plt.subplots(layout="constrained")
    display.ax_, display.figure_ = ax, ax.figure
    return ax


def colors(n):
    """Return n colours that are easy to tell apart."""
    if n <= len(COLORS):
        return list(COLORS[:n])
    import matplotlib

    scale = matplotlib.colormaps["viridis"]
    return [matplotlib.colors.to_hex(scale(0.95 * k / (n - 1))) for k in range(n)]


def style(defaults, given):
    """Return keyword arguments of an artist: defaults, replaced by what was given."""
    given = {_ALIASES.get(key, key): value for key, value in (given or {}).items()}
    return {**defaults, **given}


def check_names(names, n, things):
    """Raise a ValueError unless there is a name for each of the n things."""
    if len(names) != n:
        raise ValueError(f"{n} {things}, but {len(names)} names.")
