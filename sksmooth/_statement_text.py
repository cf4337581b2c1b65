"""The sections of a statement: each block a text, a point of a list, or a table."""

import textwrap
from typing import NamedTuple

import numpy as np

from ._statement_columns import (
    lengths,
    listed,
    number,
    out_of_reach,
    quoted,
    sigma_text,
)
from ._summary import round_down
from .noise._flips import probability_text
from .stats._checks import check_level

_WIDTH = 79
_DIGITS = 4

_BOUNDS = {
    "cohen": "the lower bound of Clopper and Pearson",
    "joint": "a bound on the selected class and all others together",
    "multiclass": "bounds on the class and on the runner-up",
}


class Block(NamedTuple):
    """A piece of a section."""

    kind: str  # "text" or "point", with a text; "table", with rows of texts
    content: object


def text_of(entries, radii, certified, shares, **settings):
    """Return the statement as text; parameters as those of ``sections``."""
    parts = sections(entries, radii, certified, shares, **settings)
    blocks = [
        "\n".join([title.upper(), *(line for one in content for line in _lines(one))])
        for title, content in parts
    ]
    return "\n\n".join(blocks) + "\n"


def sections(entries, radii, certified, shares, *, norm, changes, rho):
    """Return the statement as sections.

    Parameters
    ----------
    entries : dict
        See ``about``; besides, "model" with "kind" and "fingerprint".

    radii : ndarray of float of shape (n_inputs,)
        In `norm`.

    certified : ndarray of bool of shape (n_inputs,)

    shares : list of Share
        Empty if labels are not known.

    norm : {"l1", "l2", "linf", "edits"}

    changes : int or pair of int
        Categories that may change as well.

    rho : float

    Returns
    -------
    sections : list of (str, list of Block)
        Title and content of each.
    """
    check_level(rho, "rho")
    parts = [
        ("What is proved", _claim(entries, int(np.sum(certified)), norm, changes)),
        ("How", _how(entries)),
        ("The inputs", _inputs(entries, radii, certified, changes)),
    ]
    rows = lengths(entries, radii, certified, [one.radius for one in shares])
    if rows:
        told = "In its own units, if no other column moves; sigma times the radius."
        moves = [*_text(told), Block("table", rows)]
        parts.append(("How far one column may move", moves))
    if shares:
        parts.append(("Certified accuracy", _accuracy(entries, shares, norm, rho)))
    return [
        *parts,
        ("What is assumed", _assumed(entries)),
        ("What is not proved", _not_proved(entries)),
        ("Made with", _made_with(entries)),
    ]


def _claim(entries, n_certified, norm, changes):
    n, alpha = entries["n_inputs"], entries["alpha"]
    level = (
        "Nothing is left to chance: the claims were computed and not sampled."
        if alpha == 0
        else "Each of these claims is wrong with probability at most alpha = "
        f"{number(alpha)}, over the noise that was drawn. That is for each input by "
        f"itself: for {n} inputs, up to {n * alpha:.3g} wrong claims are to be "
        "expected."
    )
    if entries.get("of_flags"):
        added, dropped = changes if changes else (0, 0)
        return [
            *_text(
                f"For {n_certified} of {n} inputs, a class: the smoothed classifier "
                "gives that class to this input and to every other that is made from "
                f"it by turning at most {added} zeros into ones and at most {dropped} "
                "ones into zeros."
            ),
            *_text(level),
        ]
    distance = {
        "l1": "l1 (sum of absolute values)",
        "l2": "l2 (Euclidean)",
        "linf": "linf (largest absolute value)",
        "edits": "edits (a token is inserted, deleted or replaced by another)",
    }[norm]
    reach = "at most" if entries["closed"] else "below"
    unit = "in the units of the inputs"
    if norm == "edits":
        unit = "whole numbers"
    elif entries["radius_unit"] != "input":
        unit = (
            "in units of sigma: the change of each feature is divided by its sigma, "
            "and features without noise do not change"
        )
    if changes:
        also = f", and {_changes_text(changes)}"
    elif entries["changeable_categories"]:
        also = ", and no category changes"
    else:
        also = ""
    return [
        *_text(
            f"For {n_certified} of {n} inputs, a class and a radius: the smoothed "
            "classifier gives that class to every input whose distance from this one, "
            f"in {distance}, is {reach} the radius{also}. Distances are {unit}."
            + ("" if norm == "edits" else " What is missing stays missing.")
        ),
        *_text(level),
    ]


def _changes_text(changes):
    if changes == 1:
        return "at most one category changes, whichever it is"
    return f"at most {changes} categories change, whichever they are"


def _number_of(changes):
    if not isinstance(changes, (int, np.integer)):
        return f"{changes[0]} additions and {changes[1]} deletions"
    return f"{changes} {'change' if changes == 1 else 'changes'} of categories"


def _how(entries):
    flip, categories = entries.get("flip"), entries.get("categories", [])
    noise = entries.get("noise_in_words", entries["noise"])
    if entries.get("has_sigma", True):
        noise += f", with standard deviation sigma {sigma_text(entries)}"
    elif flip is not None:
        noise = "none on numbers"
    noise = f"Noise: {noise}."
    if flip is not None:
        noise += (
            f" Each category is drawn anew with probability {probability_text(flip)}, "
            "from the values of its column."
        )
    if "probability" in noise:
        noise += " (Probabilities are as drawn, to the nearest multiple of 2^-32.)"
    lines = _text(noise)
    if entries.get("rounded"):
        lines += _text(
            "Noise is rounded to whole numbers, within the range of the column, for "
            f"{listed(map(quoted, entries['rounded']))}."
        )
    if categories:
        told = [f"{quoted(name)} ({n_values} values)" for name, n_values in categories]
        lines += _text(
            f"Categories: {listed(told)}. A value that fit did not see counts as the "
            "most frequent one of its column."
        )
    bound, n = entries["bound"], entries["n"]
    if bound == "analytic":
        how = "From bounds on what a linear classifier answers, without votes."
    elif bound == "exact" and n:
        how = f"All {n} copies of each input that the noise can make have voted."
    elif bound == "exact":
        how = (
            "From exact class probabilities, without votes."
            if not entries["is_distance"]
            else "From the distance to where the classifier changes, without votes."
        )
    else:
        chosen = entries["n0"]
        selected = (
            f"n0 = {chosen} votes selected the class, and"
            if chosen
            else "No votes of their own selected the class;"
        )
        looks = entries["looks"]
        most = f"up to n = {n}" if len(looks) > 1 else f"n = {n}"
        how = f"{selected} {most} others bounded its probability, by {_BOUNDS[bound]}."
        if len(looks) > 1:
            how += (
                f" Drawing could stop at {len(looks)} numbers of votes that were fixed "
                "beforehand and share alpha."
            )
    return lines + _text(how)


def _inputs(entries, radii, certified, changes):
    n, repeats = entries["n_inputs"], len(entries["repeats"])
    n_certified = int(np.sum(certified))
    left = n - n_certified
    are = "is" if left == 1 else "are"
    words = f"{n} inputs, {n - repeats} of them different. {left} {are} not certified"
    if not changes:
        words += ": nothing is proved there."
    else:
        # Of which some may be certified as they are.
        nothing = n - entries.get("n_certified", n_certified)
        words += f" for {_number_of(changes)}; of {nothing} nothing is proved at all."
    lines = _text(words)
    if n_certified and not entries.get("of_flags"):
        found = np.sort(radii[certified])
        least, middle, most = found[0], found[(n_certified - 1) // 2], found[-1]
        lines += _text(
            f"Certified radii: least {round_down(least)}, median {round_down(middle)}, "
            f"largest {round_down(most)}."
        )
    return lines


def _accuracy(entries, shares, norm, rho):
    head = ["radius", "found", "proved here", "proved beyond"]
    rows = [
        [
            number(one.radius),
            *(
                share_text(share, entries["n_inputs"])
                for share in (one.found, one.proved, one.population)
            ),
        ]
        for one in shares
    ]
    lines = [Block("table", [head, *rows])]
    lines += _text(
        "Found: the share of these inputs that is right and certified, with radii in "
        f"{norm}. Proved here: at least this share of these inputs truly is. Proved "
        "beyond: at least this share of all inputs of this kind is, if these are "
        "independent draws from them. Each of these bounds, at each radius by itself, "
        f"is wrong with probability at most {number(rho)}. Shares are rounded down."
    )
    for why, what in [
        (shares[0].why_not_proved, "proved here"),
        (shares[0].why_no_population, "proved beyond"),
    ]:
        if why:
            lines += _text(f"No share is {what}: {why}.")
    return lines


def share_text(share, n_inputs):
    if share is None:
        return "-"
    count = round(share * n_inputs)
    if count / n_inputs == share:  # 18 of 25 is 0.72, which as a float is less
        return f"{count * 10**_DIGITS // n_inputs / 10**_DIGITS:.{_DIGITS}f}"
    return round_down(share, _DIGITS)


def _assumed(entries):
    points = []
    if entries["alpha"]:
        points.append(
            "Whoever chose the inputs could not foresee the noise: random_state, key "
            "file and entropy_ were secret. For inputs that were fixed before anybody "
            "could search, such as a published test set, it is enough that the seed "
            "was not chosen by its results."
        )
    if entries["grid"]:
        points.append(
            "Inputs and noise are on a grid, so that adding them rounds nothing. The "
            f"radius that this costs, at most {entries['largest_radius_loss']:.3g}, is "
            "subtracted."
        )
    elif entries["n"]:
        points.append(
            "Arithmetic is exact: the classifier cannot tell an input from the lowest "
            "bits of the input with noise. (The option grid makes this unnecessary.)"
        )
    still = out_of_reach(entries)
    if still:
        points.append(
            "Out of the adversary's reach (sigma 0), which nothing here proves: "
            f"{still}. A certificate holds only where these stay as they are."
        )
    if entries["shared_noise"]:
        points.append("All inputs had the same noise: claims may be wrong together.")
    points.append(
        "The classifier in use is the smoothed one, with the same parts as when this "
        "was made: all steps from the input to the class."
    )
    return _points(points)


def _not_proved(entries):
    points = [
        "that a certified class is right;",
        "anything about the classifier that was smoothed, by itself;",
        "anything about changes that are not small in this distance;",
        "who drew the noise, and that nothing was left out: to check votes and logs, "
        "make them again (sksmooth verify).",
    ]
    return _points(points)


def _made_with(entries):
    told = ", ".join(
        f"{name} {version}" for name, version in entries["versions"].items()
    )
    lines = _text(f"{told}; {entries['platform']}.")
    model = entries.get("model")
    if model is None:
        return lines + _text("The model is not named here.")
    return lines + _text(
        f"Smoothed model: {model['kind']}, fingerprint {model['fingerprint']} (of its "
        "parameters; code is not part of it)."
    )


def _text(text):
    return [Block("text", text)]


def _points(texts):
    return [Block("point", text) for text in texts]


def _lines(block):
    """Return a block as lines of text."""
    if block.kind == "table":
        widths = [max(map(len, column)) for column in zip(*block.content, strict=True)]
        return [
            "  " + "  ".join(cell.rjust(w) for cell, w in zip(row, widths, strict=True))
            for row in block.content
        ]
    mark = "- " if block.kind == "point" else ""
    return textwrap.wrap(
        block.content,
        _WIDTH,
        initial_indent="  " + mark,
        subsequent_indent="  " + " " * len(mark),
        break_long_words=False,
        break_on_hyphens=False,
    )
