"""The page of a run: what is proved, for people who did not make it."""

import os
import shlex
from pathlib import Path

import click
import numpy as np

from .._optional import optional
from .._statement import share_at
from .._statement_text import sections, share_text
from .._summary import round_down
from ..logs import read_log
from ..logs._beside import ATTRIBUTE, curve_name, measure_of, place_beside, reach_of
from ..logs._changes import log_with_changes
from ..logs._read import is_abstaining
from ..stats._repeats import certified_weight_lower_bound
from ._about_run import digest
from ._data import load_data
from ._html import drawing, page, table, tag
from ._report_inputs import some_inputs

# Probability with which each bound on a share may fail.
RHO = 0.001

_BINS = 20

# Sections of a statement that are not the same with changed categories.
_OF_CHANGES = (
    "What is proved",
    "The inputs",
    "How far one column may move",
    "Certified accuracy",
)

# What a page is made of, and what that has to be. Booleans are whole numbers, too.
_NEEDED = {
    "n_inputs": int,
    "alpha": (int, float),
    "bound": str,
    "norm": str,
    "closed": int,
    "sigma": (int, float, list, dict),
    "radius_unit": str,
    "noise": str,
    "changeable_categories": int,
    "n": int,
    "n0": int,
    "looks": list,
    "is_distance": int,
    "shared_noise": int,
    "grid": int,
    "repeats": dict,
    "p_lower": list,
    "versions": dict,
    "platform": str,
}

# The same for what older files do not have.
_MAY_BE = {
    "noise_in_words": str,
    "flip": (float, type(None)),
    "categories": list,
    "radius_norm": str,
    "rounded": list,
    "changes": list,
    "n_certified": int,
}


def report_page(log_path, model_path, data_path, image_shape, radii, changes, limit):
    """Return the page of a run as text.

    Parameters
    ----------
    log_path : str
        Of `sksmooth certify`, with the JSON file beside it.

    model_path, data_path : str or None
        The files that were certified; others are refused.

    image_shape : tuple of int or None
        Shape of the image that each row is.

    radii : sequence of float

    changes : sequence of int, or None
        Categories that may change, for a statement each beside that without. None: 1,
        if there are categories and it is known.

    limit : float
        Bytes that data may unpack to, see ``load_data``.
    """
    matplotlib = optional("matplotlib", "--html", extra="plot")
    matplotlib.use("Agg")
    log = read_log(log_path)
    entries = _entries(log, log_path)
    if model_path is not None:
        _check_same(entries, "model", model_path, "--model", log_path)
    X = None if data_path is None else _inputs(entries, log_path, data_path, limit)
    run = _Run(log, entries, radii)
    if changes is None:
        changes = (1,) if entries.get("changes") is not None else ()
    with_changes = {
        k: _Run(log_with_changes(log, k, log_path), entries, radii)
        for k in sorted(changes)
        if k
    }
    body = [
        tag("h1", f"Certified robustness: {Path(log_path).stem}"),
        tag("p", run.in_short(), **{"class": "lead"}),
        *_statement(run),
        *_more_statements(with_changes, entries),
        tag("h2", "Certified accuracy by radius"),
        _curve(log, entries, {k: one.log for k, one in with_changes.items()}),
        tag("h2", "By class"),
        run.by_class(),
        tag("h2", "Inputs"),
        *some_inputs(run, X, image_shape),
        tag("h2", "How sure the votes were"),
        _histogram(entries),
        tag("h2", "How to reproduce it"),
        *_reproduce(entries, log_path, model_path, data_path),
    ]
    return page(f"Certified robustness: {Path(log_path).stem}", body)


def _entries(log, log_path):
    """Return what is known of the run, or say what is missing."""
    entries, place = log.attrs.get(ATTRIBUTE), place_beside(log_path)
    if entries is None:
        raise click.UsageError(
            f"--html needs sigma, n, alpha and more from {place} beside the log, and "
            f"there is no such file that belongs to {log_path}. sksmooth certify --out "
            "and write_log write it."
        )
    good = all(isinstance(entries.get(k), kind) for k, kind in _NEEDED.items())
    good &= all(
        isinstance(entries[k], kind) for k, kind in _MAY_BE.items() if k in entries
    )
    n = len(log)
    if not good or entries["n_inputs"] != n or len(entries["p_lower"]) != n:
        raise ValueError(f"{place} is damaged: certify again.")
    if "radius" not in log or not n:
        raise ValueError(f"{log_path} has no certified radii to report.")
    return entries


def _check_same(entries, kind, path, option, log_path):
    """Refuse a file that is not the one of the run."""
    known = entries.get(kind) or {}
    if "sha256" not in known:
        raise click.UsageError(
            f"{option}: {place_beside(log_path)} does not say which {kind} the log is "
            "of, since it was not made by sksmooth certify. Leave it out."
        )
    if digest(path) != known["sha256"]:
        raise ValueError(
            f"{option} {path}: this is not the file that {log_path} was made from "
            f"({known['file']}, SHA-256 {known['sha256']}), or it has changed since."
        )


def _inputs(entries, log_path, path, limit):
    _check_same(entries, "data", path, "--data", log_path)
    known = {"start": 0} | entries["data"]  # which older logs have none of
    names = ("label", "inputs", "start", "skip", "max")
    return load_data(path, *(known[name] for name in names), limit).X


class _Run:
    """The answers of a log, and what is proved of them."""

    def __init__(self, log, entries, radii):
        self.log, self.entries = log, entries
        self.radius = log["radius"].to_numpy()
        self.certified = ~is_abstaining(log["predict"])
        self.right = log["correct"].to_numpy() & self.certified
        self.first_equal = np.arange(len(log))
        for row, first in entries["repeats"].items():
            self.first_equal[int(row)] = first
        self.shares = self._shares(np.array(radii, float))

    def _shares(self, radii):
        entries, why = self.entries, ""
        found = [int(np.sum(self.right & (self.radius >= one))) for one in radii]
        if entries["shared_noise"] and entries["alpha"]:
            proved = [None] * len(radii)
            why = (
                "all inputs had the same noise, and the bound needs the votes, which a "
                "log does not hold (Certificate.statement has it)"
            )
        else:
            proved = self._proved(radii)
        return [
            share_at(entries, radius, n_found, RHO, bound, why)
            for radius, n_found, bound in zip(radii, found, proved, strict=True)
        ]

    def _proved(self, radii):
        """Return what is proved of these inputs, equal ones being one input."""
        _, group = np.unique(self.first_equal, return_inverse=True)
        reach = np.full(group.max() + 1, np.inf)
        np.minimum.at(reach, group, np.where(self.right, self.radius, -np.inf))
        weight = certified_weight_lower_bound(
            reach,
            np.bincount(group).astype(float),
            radii,
            alpha=self.entries["alpha"],
            rho=RHO,
            independent=True,
        )
        return (weight / len(self.log)).tolist()

    def in_short(self):
        """Return the run in a sentence or two."""
        n, norm = len(self.log), measure_of(self.entries).norm
        some = [one for one in self.shares if one.found] or self.shares[:1]
        words = [
            f"{round(one.found * n)} at a radius of {one.radius:g}"
            for one in some[:: max(1, len(some) - 1)]
        ]
        left = n - int(np.sum(self.certified))
        unit = still = ""
        if norm != "edits":
            by_column = self.entries["radius_unit"] == "sigma"
            unit = (
                f", in {'units of sigma' if by_column else 'the units of the inputs'}"
            )
        if self.entries["changeable_categories"]:
            still = ", no category changed"
        return (
            f"Of {n} inputs, classified correctly and certified: {', '.join(words)} "
            f"({norm}{unit}{still}). Not certified at all: {left}."
        )

    def by_class(self):
        head = ["class", "inputs", *(f"right, R >= {s.radius:g}" for s in self.shares)]
        head += ["not certified", "certified, wrong", "median radius"]
        rows = []
        for label, part in self.log.groupby("label", sort=True).indices.items():
            right, radius = self.right[part], self.radius[part]
            wrong = self.certified[part] & ~right
            shares = [
                share_text(np.sum(right & (radius >= s.radius)) / len(part), len(part))
                for s in self.shares
            ]
            middle = "-"
            if np.any(right):
                middle = round_down(np.quantile(radius[right], 0.5, method="lower"))
            left = len(part) - int(np.sum(self.certified[part]))
            rows.append(
                [label, len(part), *shares, left, int(np.sum(wrong)), middle],
            )
        return table(head, rows)


def _more_statements(with_changes, entries):
    """Return what is proved with changed categories, or that it is not told."""
    body = []
    for k, run in with_changes.items():
        many = "one changed category" if k == 1 else f"{k} changed categories"
        body.append(tag("h2", f"With up to {many}"))
        body += _statement(run, k)
    if entries["changeable_categories"] and not with_changes:
        told = "add --changes 1 to the command that made this page."
        if "changes" not in entries:
            told = "certificate.statement(changes=1) in Python does."
        body.append(tag("p", f"Nothing here covers changed categories; {told}"))
    if entries.get("of_flags"):
        told = "certificate.statement(changes=(additions, deletions)) in Python does."
        body.append(tag("p", f"Nothing here covers changed ones and zeros; {told}"))
    return body


def _statement(run, changes=0):
    found = sections(
        run.entries,
        run.radius,
        run.certified,
        run.shares,
        norm=measure_of(run.entries).norm,
        changes=changes,
        rho=RHO,
    )
    body = []
    if changes:
        found = [part for part in found if part[0] in _OF_CHANGES]
    else:
        body.append(tag("h2", "Statement"))
    for title, blocks in found:
        body.append(tag("h3", title))
        inside = False
        for block in blocks:
            if (block.kind == "point") != inside:
                body.append("</ul>" if inside else "<ul>")
                inside = not inside
            if block.kind == "table":
                body.append(table(block.content[0], block.content[1:]))
            else:
                body.append(tag("li" if inside else "p", block.content))
        if inside:
            body.append("</ul>")
    return body


def _figure():
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6, 3.4), layout="constrained")
    return figure, figure.subplots()


def _unit(entries):
    if measure_of(entries).norm == "edits":
        return "tokens"
    return "units of sigma" if entries["radius_unit"] == "sigma" else "units of X"


def _curve(log, entries, with_changes):
    from ..display import CertifiedAccuracyDisplay

    figure, ax = _figure()
    # The band needs inputs that fail on their own.
    alone = entries["alpha"] and not (entries["shared_noise"] or entries["repeats"])
    settings = {"alpha": entries["alpha"], "rho": RHO} if alone else {}
    if with_changes:
        named = {f"{k} changed": one for k, one in with_changes.items()}
        log = {"no category changed": log, **named}
    else:
        settings |= reach_of(entries)
        settings["name"] = curve_name(entries, len(log))
    norm = measure_of(entries).norm
    CertifiedAccuracyDisplay.from_log(
        log, norm=norm, unit=_unit(entries), ax=ax, **settings
    )
    return drawing(
        figure, "curve", "The share of inputs that is right and certified, by radius"
    )


def _histogram(entries):
    figure, ax = _figure()
    ax.hist(entries["p_lower"], bins=_BINS, range=(0, 1), color="#0072B2")
    ax.axvline(0.5, color="0.25", linestyle="--", linewidth=1)
    ax.set(
        xlim=(0, 1),
        xlabel="lower bound on the probability of the class under noise (p_A)",
        ylabel="inputs",
    )
    return drawing(
        figure, "votes", "How many inputs have which lower bound on their class"
    ) + tag("p", "Radii grow with it; up to 1/2 there is none (dashed).")


def _reproduce(entries, log_path, model_path, data_path):
    versions = entries["versions"]
    packages = ", ".join(
        f"{name} {version}" for name, version in versions.items() if name != "python"
    )
    python = f"Python {versions['python']} on {entries['platform']}"
    body = [tag("p", f"With {python}, and {packages}:")]
    if "command" in entries:
        body += [
            tag("pre", shlex.join(entries["command"])),
            tag(
                "p",
                f"The key of the noise: {entries['noise_key']}; it does not stand "
                "here. With the same key, packages and kind of processor the log is "
                "the same but for the column time.",
            ),
        ]
    else:
        body.append(tag("p", "The call, in Python, is not recorded."))
    rows = [["log", os.path.basename(log_path), entries["log_sha256"], "yes"]]
    for kind, path in [("model", model_path), ("data", data_path)]:
        known = entries.get(kind) or {}
        if "sha256" in known:
            checked = "yes" if path is not None else "no"
            rows.append([kind, known["file"], known["sha256"], checked])
    body.append(table(["", "file", "SHA-256", "compared for this page"], rows))
    return body
