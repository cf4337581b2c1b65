"""What a run of certify leaves beside its log: files, command, time; no secrets."""

import hashlib
import os
from datetime import UTC, datetime

import click

from .._writing import is_stream
from ..logs._beside import check_beside, place_beside
from ..votes.run._fingerprint import hash_estimator
from ._paths import check_output

# Options whose value tells the noise.
_SECRET = ("--seed",)


def check_place(out, others, *, force):
    """Refuse before the run what could not be written beside its log."""
    if out is None or is_stream(out):
        return
    check_output(place_beside(out), "--out also writes", others, force=force)
    check_beside(out)


def about_run(g, model_path, data_path, *, label, inputs, start, skip, most, **options):
    """Return what is known of a run before it begins, for JSON.

    Parameters
    ----------
    g : SmoothedClassifier

    model_path, data_path : str

    label, inputs, start, skip, most : object
        Which of the data are taken, see ``load_data``.

    **options : object
        Others of the command.
    """
    base = vars(g).get("estimator_", g.estimator)
    try:
        known_as = hash_estimator(base)
    except ValueError:  # it cannot be pickled, so nothing tells it from others
        known_as = None
    return {
        "model": {
            "file": os.path.basename(model_path),
            "sha256": digest(model_path),
            "kind": type(base).__name__,
            "fingerprint": known_as,
        },
        "data": {
            "file": os.path.basename(data_path),
            "sha256": digest(data_path),
            "label": label,
            "inputs": inputs,
            "start": start,
            "skip": skip,
            "max": most,
        },
        "noise_key": _key_from(g, options),
        "command": ["sksmooth", "certify", *_without_secrets(_words())],
        "begun": datetime.now(UTC).isoformat(timespec="seconds"),
    }


def digest(path):
    """Return the SHA-256 of a file."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _key_from(g, options):
    """Say where the key of the noise is from."""
    if options.get("key_file") is not None:
        return "key file"
    if options.get("random_state") is not None:
        return "seed"
    if "entropy_" in vars(g):
        return "the model's own"
    return "new in this run" if g.random_state is None else "the model's random_state"


def _words():
    return click.get_current_context().meta["sksmooth.words"]


def _without_secrets(words):
    """Return the words of a command, the values of some options left out."""
    shown, hide = [], False
    for word in words:
        name, equals, _ = word.partition("=")
        if hide:
            word = "..."
        elif equals and name in _SECRET:
            word = f"{name}=..."
        hide = word in _SECRET
        shown.append(word)
    return shown
