"""Curves of certified accuracy on axes, with all that goes with them."""

from typing import NamedTuple

import numpy as np

from ._curves import as_list, each_of
from ._style import INK, colors, marked, style

# Names of norms on axes.
NORMS = {
    "l1": r"$\ell_1$",
    "l2": r"$\ell_2$",
    "linf": r"$\ell_\infty$",
    "edits": "Edit",
}

_TAG = "sksmooth certified accuracy"
_ATTACK_TAG = "sksmooth accuracy under attack"
_CEILING = {"linestyle": ":", "linewidth": 1.2}
_BAND = {"alpha": 0.3, "linewidth": 0}


class Drawn(NamedTuple):
    """What a curve is about, kept with its line for whoever draws there next."""

    norm: str
    unit: str
    projected: bool = False


def drawn_on(ax):
    """Return what the curves on axes are about, one for each."""
    found = (getattr(line, "_sksmooth", None) for line in ax.lines)
    return [one for one in found if one is not None]


def remember(line, drawn):
    """Keep with a line what it is about."""
    line._sksmooth = drawn


def check_axes(ax, norm, unit):
    """Raise a ValueError if axes have curves against what cannot be compared."""
    for one in [] if ax is None else drawn_on(ax):
        if (one.norm, one.unit) != (norm, unit):
            raise ValueError(
                f"the axes have curves against the {one.norm} radius in {one.unit}, "
                f"and these are against the {norm} radius in {unit}: draw them on axes "
                "of their own, or, if both units are the same, call them so."
            )


def draw_curves(ax, curves, names, kwargs, label_acr, norm, unit):
    """Draw curves; return line, band and ceiling of each, None for what it has not."""
    # A second display on the same axes goes on where the first one stopped.
    n_before = sum(line.get_gid() == _TAG for line in ax.lines)
    palette = colors(n_before + len(curves))[n_before:]
    artists = []
    for curve, told, given, color in zip(curves, names, kwargs, palette, strict=True):
        name = marked(told, curve.projected)
        default = {
            "color": color,
            "drawstyle": "steps-pre",
            "label": _label(name, curve) if label_acr else name,
            "gid": _TAG,
        }
        x, heights = _corners(curve.radius, curve.accuracy)
        (line,) = ax.plot(x, heights, **style(default, given))
        remember(line, Drawn(norm, unit, curve.projected))
        band = ceiling = None
        if curve.lower_bound is not None:
            band = ax.fill_between(
                x,
                _corners(curve.radius, curve.lower_bound)[1],
                heights,
                step="pre",
                color=line.get_color(),
                zorder=line.get_zorder() - 0.5,
                **_BAND,
            )
        if curve.max_radius is not None and np.isfinite(curve.max_radius):
            ceiling = ax.axvline(
                curve.max_radius, color=line.get_color(), zorder=1, **_CEILING
            )
        artists.append((line, band, ceiling))
    return artists


def draw_attacks(ax, attacked, names, lines):
    """Draw accuracies under attack; one under the name of a curve has its colour."""
    taken = {name: line.get_color() for name, line in zip(names, lines, strict=True)}
    n_before = sum(line.get_gid() in (_TAG, _ATTACK_TAG) for line in ax.lines)
    free = iter(colors(n_before + len(attacked))[n_before:])
    artists = []
    for name, (radius, accuracy) in attacked.items():
        artists += ax.plot(
            radius,
            accuracy,
            color=taken[name] if name in taken else next(free),
            # What is broken in a ball is broken in every larger one.
            drawstyle="steps-post",
            linestyle="--",
            marker=".",
            label="under attack" if name is None else f"{name}, under attack",
            gid=_ATTACK_TAG,
        )
    return artists


def draw_legend(display):
    """One entry per curve, and one for each kind of thing beside the curves."""
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    ax = display.ax_
    # What earlier displays on the same axes have put there.
    extra, repeated = getattr(ax.get_legend(), "_sksmooth", ({}, {}))
    if any(band is not None for band in as_list(display.band_)):
        text = (
            "proved of these inputs, at each radius by itself\n"
            f"with probability {1 - display.rho:g}"
        )
        extra |= {text: Patch(color=INK, **_BAND)}
        repeated |= {
            f"{n_distinct} of {n} inputs distinct": None
            for n_distinct, n in filter(None, as_list(display.n_inputs))
            if n_distinct < n
        }
    ceilings = as_list(display.ceiling_)
    projected = each_of(display.projected, len(ceilings), "of projected")
    for ceiling, projects in zip(ceilings, projected, strict=True):
        if ceiling is not None:
            votes = "so many votes" if projects else "the votes"
            text = f"most that {votes} could certify"
            extra |= {text: Line2D([], [], color=INK, **_CEILING)}
    handles, labels = ax.get_legend_handles_labels()
    if not handles and not extra:
        return
    # Opaque: no ceiling is drawn through it.
    legend = ax.legend(
        handles + list(extra.values()),
        labels + list(extra),
        loc="best",
        framealpha=1,
        title="\n".join(repeated) or None,
    )
    legend._sksmooth = extra, repeated


def _corners(radius, heights):
    """Return the corners of a curve: down to 0 at its end, if it has one."""
    if np.isfinite(radius[-1]):
        return np.append(radius, radius[-1]), np.append(heights, 0.0)
    end = 1.1 * radius[-2] if radius[-2] > 0 else 1.0
    return np.append(radius[:-1], end), heights


def _label(name, curve):
    """Return the name of a curve with the area under it."""
    area = np.sum(np.diff(curve.radius) * curve.accuracy[1:])
    text = f"ACR = {area:.2f}" if np.isfinite(area) else "ACR infinite"
    return text if name is None else f"{name} ({text})"
