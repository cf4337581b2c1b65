"""The command report: tables and plots from logs."""

import io
import os
from pathlib import Path

import click

from .._optional import optional
from .._writing import is_stream, write_file
from ..logs import certified_accuracy_table, format_table, mark_best, read_log
from ..logs._beside import ATTRIBUTE, curve_name, measure_of, place_beside, reach_of
from ..logs._changes import log_with_changes
from ..noise._norms import NORMS, OTHER_MEASURES
from ._command import UNPACK_LIMIT, command
from ._paths import check_named, check_output
from ._report_page import report_page
from ._streams import emit, say
from ._types import ImageShape, Numbers, WholeNumbers


@command(
    "report run.tsv",
    "report small=run1.tsv large=run2.tsv --radii 0,0.25,0.5 --markdown",
    "report *.tsv --plot accuracy.png",
    "report run.tsv --model model.skops --data test.npz --html run.html",
    "report run.tsv --changes 0,1,2",
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
    "--changes",
    type=WholeNumbers(),
    help="Numbers of categories that may change as well, such as 0,1,2: a row each, "
    "and on the page a statement each. For logs of a model with categorical_features.  "
    "[default: 0; on a page 0,1]",
)
@click.option(
    "--norm",
    type=click.Choice([*NORMS, *OTHER_MEASURES]),
    help="What the radii are measured in, for --plot: only of a log without a .json "
    "file beside it, which tells.  [default: l2]",
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
@click.option(
    "--html",
    "html_path",
    type=click.Path(dir_okay=False),
    help="Write a page on one log into this file: what is proved and assumed, curves, "
    "classes, single inputs, how to reproduce it. Needs the .json file beside the log.",
)
@click.option(
    "--model",
    "model_path",
    type=click.Path(exists=True, dir_okay=False),
    help="With --html: the model that was certified, to be compared. It is not loaded.",
)
@click.option(
    "--data",
    "data_path",
    type=click.Path(exists=True, dir_okay=False),
    help="With --html: the data that were certified, to be compared and shown.",
)
@click.option(
    "--image-shape",
    type=ImageShape(),
    help="With --data: each row is an image, such as 28x28 or 32x32x3.",
)
@UNPACK_LIMIT
@click.option("--force", is_flag=True, help="Overwrite the files of --plot and --html.")
def report(
    logs, radii, changes, norm, digits, style, plot_path, html_path, force, **of_page
):
    """Print the certified accuracy of LOGs at several radii.

    A LOG is a file that `sksmooth certify` wrote, or any in that format. Its row gets
    the NAME given, which ends at the last =, or that of the file. In Markdown and LaTeX
    the best values are bold.
    """
    named = _named(logs)
    if plot_path is not None:
        plot_path, kind = _kind_of_plot(plot_path)
        others = {f"the log {name}": log for name, log in named.items()}
        check_output(plot_path, "--plot", others, force=force)
    if html_path is not None:
        _check_page(html_path, named, plot_path, of_page, force)
    elif any(of_page[name] is not None for name in ("model_path", "data_path")):
        raise click.UsageError("--model and --data are for the page: add --html FILE.")
    frames = {}
    for name, path in named.items():
        if not os.path.isfile(path):
            raise click.UsageError(f"there is no file {path}.")
        frames[name] = read_log(path)
    for name, frame in frames.items():
        if not len(frame):
            say(f"Warning: {name} has no inputs.")
    norm = _norm_of(frames, norm)
    if norm != "l2":
        say(f"Note: radii are {norm} radii.")
    if _unit_of(frames) == "sigma":
        say(f"Note: radii are in units of sigma{_whose_sigma(frames)}.")
    limit = 1e9 * of_page.pop("unpack_limit")
    content = None
    if html_path is not None:
        (log_path,) = named.values()
        of_page |= {"radii": radii, "changes": changes, "limit": limit}
        content = report_page(log_path, **of_page)
    if changes is None:
        runs = [frame.attrs.get(ATTRIBUTE) or {} for frame in frames.values()]
        if any(run.get("changeable_categories") for run in runs):
            say("Note: with no category changed; --changes 0,1 says more.")
    else:
        frames = _with_changes(frames, changes)
    table = certified_accuracy_table(frames, radii)
    if style is None:
        text = mark_best(table, digits=digits, mark="{}").to_string() + "\n"
    else:
        text = format_table(table, style=style, digits=digits)
    picture = None if plot_path is None else _picture(frames, kind, norm)
    if content is not None:
        write_file(html_path, content)
    emit(text)
    if html_path is not None:
        say(f"Page saved to {html_path}")
    if plot_path is not None:
        write_file(plot_path, picture)
        say(f"Plot saved to {plot_path}")


def _norm_of(frames, told):
    """Return what the radii of logs are measured in, which is one and the same."""
    known = {name: measure.norm for name, measure in _measures(frames) if measure.norm}
    if told is not None:
        for name, norm in known.items():
            if norm != told:
                raise click.UsageError(
                    f"--norm {told}: what stands beside {name} says that its radii are "
                    f"{norm} radii. Leave --norm out."
                )
        return told
    norms = {name: known.get(name, "l2") for name in frames}
    if len(set(norms.values())) > 1:
        each = ", ".join(f"{norm} for {name}" for name, norm in norms.items())
        raise click.UsageError(
            f"radii in different norms cannot be compared: {each}. Report these logs "
            "one by one."
        )
    return next(iter(norms.values()))


def _unit_of(frames):
    """Return what the radii of logs are in units of: "sigma", or "input" if none is.

    A log without a JSON file is of one sigma for all features, as in the format.
    """
    units = {measure.unit or "input" for _, measure in _measures(frames)}
    if len(units) > 1:
        raise click.UsageError(
            "radii in units of sigma and in units of the data cannot be compared: "
            "report these logs one by one."
        )
    (unit,) = units
    return unit


def _whose_sigma(frames):
    """Return what to add where a sigma by feature is not the same in all logs."""
    levels = [
        (frame.attrs.get(ATTRIBUTE) or {}).get("sigma") for frame in frames.values()
    ]
    return "" if all(one == levels[0] for one in levels) else ", each log in its own"


def _measures(frames):
    """Return the name of each log, and what is known of the measure of its radii."""
    return [
        (name, measure_of(frame.attrs.get(ATTRIBUTE))) for name, frame in frames.items()
    ]


def _with_changes(frames, changes):
    """Return logs under their names, each with some numbers of changed categories."""
    return {
        f"{name}, {k} changed" if len(changes) > 1 else name: log_with_changes(
            frame, k, name
        )
        for name, frame in frames.items()
        for k in changes
    }


def _check_page(html_path, named, plot_path, of_page, force):
    """Refuse a page that could not be made, or that would replace something."""
    if len(named) > 1:
        raise click.UsageError("--html is about one log: name one.")
    (log_path,) = named.values()
    others = {
        "the log": log_path,
        "what stands beside the log": place_beside(log_path),
        "--plot": plot_path,
        "--model": of_page["model_path"],
        "--data": of_page["data_path"],
    }
    others = {name: path for name, path in others.items() if path is not None}
    check_output(html_path, "--html", others, force=force)


def _named(logs):
    """Return the files under their names, which are all different."""
    pairs = []
    for text in logs:
        name, equals, path = text.rpartition("=")
        given = equals and name and not os.path.exists(text)
        pairs.append((click.format_filename(name), path) if given else (None, text))
    stems = [Path(path).stem for name, path in pairs if name is None]
    short = len(set(stems)) == len(stems)
    named = {}
    for name, path in pairs:
        if name is None:
            # Not every name of a file is a text that can be shown.
            name = click.format_filename(Path(path).stem if short else path)
        if name in named:
            raise click.UsageError(f"the name {name!r} is given to two logs.")
        named[name] = path
    return named


def _kind_of_plot(path):
    """Return the file that a plot goes to, and the format that its name asks for."""
    matplotlib = optional("matplotlib", "--plot", extra="plot")
    matplotlib.use("Agg")  # draws into files, where there is no screen, too
    from matplotlib.backend_bases import FigureCanvasBase

    check_named(path, "--plot")
    kind = os.path.splitext(path)[1][1:].lower()
    if not kind:
        return path if is_stream(path) else path.rstrip(".") + ".png", "png"
    known = FigureCanvasBase.get_supported_filetypes()
    if kind not in known:
        raise click.UsageError(
            f"--plot {path}: there is no picture format .{kind}. The name ends in one "
            f"of {', '.join(sorted(known))}."
        )
    return path, kind


def display_of(frames, norm="l2"):
    """Return the curves of logs, with the most that their votes could certify."""
    from ..display import CertifiedAccuracyDisplay

    by_feature = _unit_of(frames) == "sigma"
    unit = "units of sigma" if by_feature else "units of the log"
    if norm != "l2":  # of which no other reach is known
        one = next(iter(frames.values())) if len(frames) == 1 else frames
        unit = "tokens" if norm == "edits" else unit
        return CertifiedAccuracyDisplay.from_log(one, norm=norm, unit=unit)

    known = {
        name: reach_of(frame.attrs.get(ATTRIBUTE)) for name, frame in frames.items()
    }
    if len(frames) == 1:
        ((name, frame),) = frames.items()
        # Its settings are its name, if they are known.
        run = frame.attrs.get(ATTRIBUTE)
        title = curve_name(run, len(frame)) if known[name] else name
        return CertifiedAccuracyDisplay.from_log(
            frame, **known[name], name=title, unit=unit
        )
    settings = {
        kind: {name: values[kind] for name, values in known.items() if values}
        for kind in ("sigma", "n", "alpha")
    }
    for kind in ("n", "alpha"):  # of no effect without a sigma
        settings[kind] = dict.fromkeys(frames, 0.5) | settings[kind]
    return CertifiedAccuracyDisplay.from_log(frames, **settings, unit=unit)


def _picture(frames, kind, norm):
    """Return the content of a picture file."""
    display, content = display_of(frames, norm), io.BytesIO()
    display.figure_.savefig(content, format=kind, dpi=150)
    return content.getvalue()
