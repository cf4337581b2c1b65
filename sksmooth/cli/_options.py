"""The options of the commands that take a model and data."""

import click

from ..noise import FAMILIES
from ..stats._certify import BOUNDS
from ..stats._checks import MAX_VOTES
from ._command import UNPACK_LIMIT
from ._types import ALPHA, Sigma, Votes

READ = click.Path(exists=True, dir_okay=False)
_FILE = click.Path(dir_okay=False)

MODEL_AND_DATA = [
    click.argument("model", type=READ),
    click.argument("data", type=READ),
]

LEVELS = [
    click.option(
        "--sigma",
        type=Sigma(),
        help="Standard deviation of the noise, in the units of the data; or one for "
        "each column, amount=0.3,age=2,*=0, where * is all others and 0 says that "
        "nobody can change them.",
    ),
    click.option(
        "--alpha",
        type=ALPHA,
        help="Probability that an answer is wrong, for each input.  [default: 0.001]",
    ),
    click.option(
        "--n",
        type=Votes(MAX_VOTES),
        help="Votes for each input, at most.  [default: 100000]",
    ),
]

HOW = [
    click.option(
        "--method",
        type=click.Choice(["auto", "monte_carlo", "exact", "analytic"]),
        help="exact computes instead of voting, for two-class linear models, trees and "
        "two-class stumps; auto is exact for these, and votes for all others; analytic "
        "certifies linear models of several classes without votes.  [default: auto]",
    ),
    click.option(
        "--noise",
        type=click.Choice(list(FAMILIES)),
        help="Kind of noise; each kind measures radii in its own norm. Categories, "
        "and other kinds, come with a SmoothedClassifier that was fitted with them.  "
        "[default: gaussian]",
    ),
    click.option(
        "--batch-size",
        type=click.IntRange(min=1),
        help="Noisy inputs given to the model at a time.  [default: as fits]",
    ),
    click.option(
        "--seed",
        "random_state",
        type=click.IntRange(0, 2**32 - 1),
        help="Makes the noise reproducible. Not a secret: it can be found by trial if "
        "answers are known.  "
        "[default: what a fitted SmoothedClassifier stores, else new noise each time]",
    ),
    click.option(
        "--key-file",
        type=_FILE,
        help="As --seed, with 128 secret bits from this file, which only you may be "
        "able to read. Created if it does not exist.",
    ),
    click.option(
        "--jobs",
        "n_jobs",
        type=int,
        help="Workers; -1 for one per core. Does not change results.",
    ),
]

OF_CERTIFY = [
    click.option(
        "--n0",
        type=Votes(MAX_VOTES),
        help="Votes that select the class.  [default: 100]",
    ),
    click.option(
        "--bound",
        type=click.Choice(list(BOUNDS)),
        help="How the probability of the class is bounded.  [default: cohen]",
    ),
    click.option(
        "--radius-tol",
        type=click.FloatRange(min=0),
        help="Stop voting on an input once its radius could not grow by more than "
        "this.",
    ),
]

INPUTS = [
    click.option(
        "--label",
        metavar="NAME",
        help="Where the true labels are: a column of a .csv or .parquet file; an array "
        "of a .npz file (default: y, if there is one); for a .npy file the number of a "
        "column, or another .npy file.",
    ),
    click.option(
        "--inputs", metavar="NAME", help="Array of a .npz file that holds the inputs."
    ),
    click.option(
        "--start",
        type=click.IntRange(min=0),
        default=0,
        metavar="S",
        help="Begin with input S of the file, counted from 0.",
    ),
    click.option(
        "--skip",
        type=click.IntRange(min=1),
        default=1,
        metavar="K",
        help="Take every K-th input of the file only, from the first that is taken.",
    ),
    click.option(
        "--max",
        "most",
        type=click.IntRange(min=1),
        metavar="M",
        help="Take at most M inputs.",
    ),
]

OUTPUT = [
    click.option("--out", type=_FILE, help="File to write.  [default: stdout]"),
    click.option("--force", is_flag=True, help="Overwrite the file of --out."),
    click.option(
        "--store",
        type=_FILE,
        help="Keep votes in this file while they are counted: the same command "
        "continues a run that was stopped.",
    ),
]

TRUST = [
    click.option(
        "--trust",
        multiple=True,
        metavar="TYPE",
        help="A type that a .skops file may hold; can be given several times.",
    ),
    click.option(
        "--trust-pickle",
        is_flag=True,
        help="Load a .pkl, .pickle or .joblib file. DANGER: this runs whatever code "
        "the file holds, with your rights. Only for files of people you trust.",
    ),
    UNPACK_LIMIT,
    click.option("-q", "--quiet", is_flag=True, help="Print results and errors only."),
]

FILES = INPUTS + OUTPUT + TRUST


def options(some):
    """Make a decorator that adds options."""

    def add(function):
        for option in reversed(some):
            function = option(function)
        return function

    return add
