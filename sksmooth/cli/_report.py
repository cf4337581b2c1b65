"""The command report: tables and plots from logs."""

import os
from pathlib import Path

import click

from ..logs import certified_accuracy_table, format_table, mark_best, read_log
from ._command import Command, Numbers, check_writable, say


@click.command(
    cls=Command,
    epilog="""\b
Examples:
  sksmooth report run.tsv
  sksmooth report small=run1.tsv large=run2.tsv --radii 0,0.25,0.5 --markdown
  sksmooth report *.tsv --plot accuracy.png
""",
)
@click.argument("logs", nargs=-1, required=True, metavar="[NAME=]LOG...")
@click.option(
    "--radii",
    type=Numbers(0),
    default="0,0.25,0.5,0.75,1",
    show_default=True,
    help="Radii of the columns, in the units of the logs.",
)
@click.option(
    "--digits",
    type=click.IntRange(0, 15),
    default=3,
    show_default=True,
    help="Decimals of the accuracies.",
)
@click.option("--markdown", "style", flag_value="markdown", help="Print Markdown.")
@click.option("--latex", "style", flag_value="latex", help="Print LaTeX (booktabs).")
@click.option(
    "--plot",
    "plot_path",
    type=click.Path(dir_okay=False),
    help="Draw certified accuracy against radius into this file.",
)
@click.option("--force", is_flag=True, help="Overwrite the file of --plot.")
def report(logs, radii, digits, style, plot_path, force):
    """Print the certified accuracy of LOGs at several radii.

    A LOG is a file that `sksmooth certify` wrote, or any in that format. Its row gets
    the NAME given, which ends at the last =, or that of the file. In Markdown and LaTeX
    the best values are bold.
    """
    check_writable(plot_path, force, "--plot")
    frames = {}
    for name, path in _named(logs).items():
        if not os.path.isfile(path):
            raise click.UsageError(f"there is no file {path}.")
        frames[name] = read_log(path)
    for name, frame in frames.items():
        if not len(frame):
            say(f"Warning: {name} has no inputs.")
    table = certified_accuracy_table(frames, radii)
    if style is None:
        text = mark_best(table, digits=digits, mark="{}").to_string() + "\n"
    else:
        text = format_table(table, style=style, digits=digits)
    click.echo(text, nl=False)
    if plot_path is not None:
        _plot(frames, plot_path)


def _named(logs):
    """Return the files under their names, which are all different."""
    pairs = []
    for text in logs:
        name, equals, path = text.rpartition("=")
        given = equals and name and not os.path.exists(text)
        pairs.append((name, path) if given else (None, text))
    stems = [Path(path).stem for name, path in pairs if name is None]
    short = len(set(stems)) == len(stems)
    named = {}
    for name, path in pairs:
        if name is None:
            name = Path(path).stem if short else path
        if name in named:
            raise click.UsageError(f"the name {name!r} is given to two logs.")
        named[name] = path
    return named


def _plot(frames, path):
    try:
        import matplotlib
    except ImportError as error:
        raise ImportError(
            "--plot needs matplotlib: pip install 'sksmooth[plot]'."
        ) from error
    matplotlib.use("Agg")  # draws into files, where there is no screen, too
    from ..display import CertifiedAccuracyDisplay

    display = CertifiedAccuracyDisplay.from_log(frames)
    display.figure_.savefig(path, dpi=150)
    say(f"Plot saved to {path}")
