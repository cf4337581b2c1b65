"""The command plan: votes and radii before anything is certified."""

from decimal import ROUND_CEILING, ROUND_FLOOR, Context, Decimal
from itertools import product

import click
from scipy.stats import norm

from .._certificate import round_down
from ..noise import Gaussian
from ..stats import max_certifiable_radius, required_samples
from ..stats._sequential import fewest_votes_for_radius
from ._command import command
from ._streams import emit, say
from ._types import ALPHA, Numbers, Votes

_HEADER = ["sigma", "radius", "p needed", "n needed", "n", "votes needed", "max radius"]


@command(
    "plan --radius 0.5 --sigma 0.25",
    "plan --radius 0.5,1 --sigma 0.25,0.5,1 --n 10000 --alpha 0.0001",
)
@click.option("--radius", type=Numbers(0), required=True, help="Radii to certify.")
@click.option(
    "--sigma", type=Numbers(0, open=True), required=True, help="Noise levels."
)
@click.option(
    "--alpha",
    type=ALPHA,
    default=0.001,
    show_default=True,
    help="Probability that a certificate is wrong.",
)
@click.option(
    "--n",
    type=Votes(2**53),
    default=100_000,
    show_default=True,
    help="Votes for each input.",
)
def plan(radius, sigma, alpha, n):
    """Tell how many votes a radius needs, and how far votes can reach.

    \b
    p needed      how often the model must be right under noise, at least
    n needed      votes that certify the radius if all of them agree
    votes needed  of n votes, those that must agree
    max radius    the largest radius that n votes can certify

    The bound is that of Cohen et al. (bound "cohen"). A dash means: not with this
    sigma, or not with n votes.
    """
    rows = [_row(*pair, alpha, n) for pair in product(sigma, radius)]
    table = [_HEADER, *rows]
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    lines = [
        "  ".join(text.rjust(width) for text, width in zip(row, widths, strict=True))
        for row in table
    ]
    emit("\n".join(lines) + "\n")
    if any(row[5] == "-" for row in rows):
        say(f"Note: where votes needed is a dash, n={n} is too few for the radius.")


def _row(sigma, radius, alpha, n):
    try:
        fewest = str(int(required_samples(radius, sigma, alpha)))
    except ValueError:  # beyond what any feasible number of votes certifies
        fewest = "-"
    agreeing = int(fewest_votes_for_radius(n, alpha, radius, Gaussian().bind(sigma)))
    return [
        f"{sigma:g}",
        f"{radius:g}",
        _share_text(radius / sigma),
        fewest,
        str(n),
        str(agreeing) if agreeing <= n else "-",
        _reach_text(max_certifiable_radius(n, sigma, alpha)),
    ]


def _reach_text(radius):
    """Return a radius as text, never above its value, with digits that tell it."""
    if 0.1 <= radius < 1e6 or radius == 0:
        return round_down(radius)
    return f"{Context(prec=4, rounding=ROUND_FLOOR).create_decimal(float(radius)):e}"


def _share_text(ratio):
    """Return Phi(ratio) as text, never below its value."""
    share = str(Decimal(norm.cdf(ratio)).quantize(Decimal("1e-6"), ROUND_CEILING))
    if ratio < 4:
        return share
    # As many nines say less than what is missing: two digits of it, rounded down.
    missing = max((1 - 1e-9) * norm.sf(ratio), 1e-300)
    two_digits = Context(prec=2, rounding=ROUND_FLOOR).create_decimal(missing)
    return f"1 - {two_digits:.1e}"
