"""What the displays have in common: matplotlib on demand, colours, keywords."""

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


def import_pyplot(caller):
    """Return matplotlib.pyplot, or say what to install."""
    try:
        import matplotlib.pyplot as plt
    except ImportError as error:
        raise ImportError(f"{caller} needs matplotlib: pip install matplotlib.") from (
            error
        )
    return plt


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


def as_list(value):
    """Return a list of one, unless it is a list already."""
    return value if isinstance(value, list) else [value]
