"""A certificate in a few lines of text."""

from decimal import ROUND_FLOOR, Context, Decimal

import numpy as np

# Columns that are named, and letters of a name that are shown.
_MAX_NAMES, _MAX_LETTERS = 4, 24

# Decimal's usual 28 digits are too few for radii of 1e25 and more.
_EVERY_FLOAT = Context(prec=2_000)


def round_down(value, digits=3):
    """Return a number >= 0 as text, never above its exact value."""
    if np.isinf(value):
        return "inf"
    step = Decimal(1).scaleb(-digits)
    return str(Decimal(float(value)).quantize(step, ROUND_FLOOR, _EVERY_FLOAT))


def summary(certificate):
    """Return what `repr` shows of a certificate."""
    certified, sigma = certificate.certified, certificate.sigma
    n_inputs, n_certified = len(certified), int(certified.sum())
    parts = [f"{n_certified} certified, {n_inputs - n_certified} not"]
    if n_certified:
        # The lower median: a radius that really occurs.
        middle = np.quantile(certificate.radius[certified], 0.5, method="lower")
        norm = "" if certificate.norm == "l2" else f"{certificate.norm} "
        unit = "" if np.ndim(sigma) == 0 else " sigma"
        parts.append(f"median certified {norm}radius {round_down(middle)}{unit}")
    if len(certificate.looks) > 1 and n_inputs:
        used, allowed = int(certificate.n_used.sum()), n_inputs * certificate.n
        parts.append(f"{used:,} votes, {1 - used / allowed:.0%} saved")
    if certificate.projected:
        parts.append("PROJECTED, not a certificate")
    # Of categories, which have no sigma.
    kind = certificate.noise
    flip, places = (getattr(kind, k, None) for k in ("flip", "places"))
    if kind.bind(sigma).scales:
        level = f"sigma={sigma_text(sigma, certificate.feature_names, places or ())}"
    else:  # sigma has no effect
        level = f"noise={kind!r}"
    settings = (
        f"{level}, "
        f"{'' if flip is None else f'flip={flip:.3g}, '}n={certificate.n}, "
        f"alpha={certificate.alpha:g}"
    )
    if certificate.bound != "cohen":
        settings += f", bound={certificate.bound!r}"
    return (
        f"Certificate({n_inputs} inputs: {'; '.join(parts)};\n            {settings})"
    )


def sigma_text(sigma, names=None, left_out=()):
    """Return sigma as text: a number, by name of the columns, or only its shape.

    `left_out` are places of columns for which sigma says nothing.
    """
    if np.ndim(sigma) == 0:
        return f"{sigma:g}"
    if names is None or np.shape(sigma) != (len(names),):
        return f"<array of shape {np.shape(sigma)}>"
    noisy = np.flatnonzero(sigma)
    shown = [f"{_short(names[k])}: {sigma[k]:g}" for k in noisy[:_MAX_NAMES]]
    if len(noisy) > _MAX_NAMES:
        shown.append(f"{len(noisy) - _MAX_NAMES} more")
    if len(noisy) + len(left_out) < len(names):
        shown.append("others: 0")
    return "{" + ", ".join(shown) + "}"


def _short(name):
    name = name if isinstance(name, str) else str(name)
    if len(name) > _MAX_LETTERS:
        name = f"{name[: _MAX_LETTERS - 11]}...{name[-8:]}"  # ends tell columns apart
    return repr(name)
