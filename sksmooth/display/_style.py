"""What the displays have in common: matplotlib on demand, axes, colours, keywords."""

from difflib import get_close_matches
from functools import wraps
from inspect import signature

from .._optional import optional

# M. Okabe and K. Ito's colours, told apart by all kinds of colour vision; without
# yellow, which is too light for lines.
COLORS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")
ABSTAIN_COLOR = "#D9D9D9"
INK = "0.25"

_PROJECTED = "projected, not certified"

_ALIASES = {
    "c": "color",
    "ls": "linestyle",
    "lw": "linewidth",
    "ec": "edgecolor",
    "fc": "facecolor",
    "ds": "drawstyle",
}


def import_pyplot(cls, method, given=()):
    """Return matplotlib.pyplot, or say what to install for a method of a display.

    Parameters
    ----------
    cls : type
        The display.

    method : str

    given : dict of str to object
        Keywords for `plot`: one that is wrong is told before there are votes.
    """
    plt = optional("matplotlib.pyplot", f"{cls.__name__}.{method}")
    _check_keywords(cls, given)
    return plt


def with_keywords(plot):
    """Let the `plot` of a display say where keywords belong that it has not."""

    @wraps(plot)
    def checked(self, *args, **kwargs):
        _check_keywords(type(self), kwargs)
        return plot(self, *args, **kwargs)

    return checked


def _check_keywords(cls, given):
    takes = signature(cls.plot).parameters.values()
    if any(one.kind == one.VAR_KEYWORD for one in takes):
        return
    known = [one.name for one in takes if one.name != "self"]
    for name in given:
        if name in known:
            continue
        (artists,) = (one for one in known if one.endswith("_kwargs"))
        close = get_close_matches(name, known, n=1)
        hint = (
            f"did you mean {close[0]}?"
            if close
            else f"what matplotlib is to be told goes into {artists}={{{name!r}: ...}}."
        )
        raise TypeError(
            f"{cls.__name__}.plot got an unexpected keyword argument {name!r}: {hint} "
            f"It takes {', '.join(known)}."
        )


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


def marked(name, projected):
    """Return the name of a curve, which says so if it is a projection."""
    if not projected:
        return name
    return _PROJECTED if name is None else f"{name}, {_PROJECTED}"


def check_names(names, n, things):
    """Raise a ValueError unless there is a name for each of the n things."""
    if len(names) != n:
        raise ValueError(f"{n} {things}, but {len(names)} names.")
