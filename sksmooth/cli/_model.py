"""MODEL: files that hold a classifier, and the SmoothedClassifier made of it."""

import json
import re
import zlib
from pathlib import Path
from zipfile import BadZipFile, ZipFile

import click
import numpy as np

from .._classifier import SmoothedClassifier
from .._entropy import draw_entropy
from .._errors import in_words
from .._optional import optional
from .._regressor import SmoothedRegressor
from ..noise import KINDS, find_noise
from ._streams import say
from ._types import sigma_text
from ._unpacking import check_unpacked, nested_zip_size, zip_size

# Types of this package: loading them runs no code that a file brings along.
_OWN_TYPES = {
    "sksmooth._augmenter.GaussianAugmenter",
    "sksmooth._categories.Categories",
    "sksmooth._categories._Column",
    "sksmooth._classifier.SmoothedClassifier",
    "sksmooth._frame_dtype.FrameDtype",
    "sksmooth._frame_like.FrameLike",
    *(f"{kind.__module__}.{kind.__qualname__}" for kind in KINDS),
}
_NO_JSON = (json.JSONDecodeError, UnicodeDecodeError)
_WHERE_CLASSES_BELONG = (
    " A class that was defined in a notebook or in the script that was run has the "
    "module __main__. Move it into a file of its own, such as model.py, from which the "
    "script imports it; pickle the model again; and run sksmooth with that file's "
    "folder on PYTHONPATH."
)
_PICKLES = (".pkl", ".pickle", ".joblib")


def load_model(path, trust, trust_pickle, limit):
    """Load a model without running code from the file, unless told to trust it.

    Parameters
    ----------
    path : str

    trust : sequence of str
        Types that a .skops file may hold.

    trust_pickle : bool
        Load pickles.

    limit : float
        Bytes that a .skops file may unpack to, if that is more than it has.

    Returns
    -------
    model : object
    """
    kind = Path(path).suffix.lower()
    if kind == ".skops":
        return _load_skops(path, trust, limit)
    if kind not in _PICKLES:
        raise click.UsageError(
            f"{path}: the name of a model file ends in .skops, or in "
            f"{', '.join(_PICKLES)}. Make one by skops.io.dump(model, 'model.skops')."
        )
    if not trust_pickle:
        raise click.UsageError(
            f"{path} is a pickle: loading it runs whatever code it holds, with your "
            "rights. If you made the file, or trust who did, add --trust-pickle. "
            "Files made by skops.io.dump(model, 'model.skops') load without running "
            "code, but no ModuleClassifier can be written so."
        )
    return _load_pickle(path)


def _load_pickle(path):
    import joblib

    try:
        return joblib.load(path)
    except ModuleNotFoundError as error:
        raise ImportError(
            f"{path} needs the module {error.name!r}, which is not found: a pickle "
            "holds only the names of classes, not their code. Install it, or put its "
            "folder on PYTHONPATH."
        ) from error
    except Exception as error:  # whatever a damaged pickle, or a class in it, raises
        # "Can't get attribute 'Net' on <module 'sksmooth.__main__' from ...>"
        found = re.search(r"attribute '(.+?)' on <module '(.+?)'", str(error))
        if found is None:
            raise ValueError(
                f"{path} cannot be unpickled: {in_words(error)}"
            ) from error
        name, module = found.groups()
        where = ""
        if module.endswith("__main__"):
            module, where = "__main__", _WHERE_CLASSES_BELONG
        raise ValueError(
            f"{path} needs {module}.{name}, which is not there: a pickle holds only "
            f"the names of classes and functions, not their code.{where}"
        ) from error


def _load_skops(path, trust, limit):
    skops_io = optional("skops.io", path, to=" to be read", extra="cli")
    try:
        with ZipFile(path) as file:
            check_unpacked(path, zip_size(file), limit)
            check_unpacked(path, nested_zip_size(file), limit)
        unknown = set(skops_io.get_untrusted_types(file=path))
    except (BadZipFile, KeyError, zlib.error, EOFError, *_NO_JSON):
        raise ValueError(f"{path} is not a skops file, or is incomplete.") from None
    untrusted = sorted(unknown - _OWN_TYPES - set(trust))
    if untrusted:
        options = " ".join(f"--trust {name}" for name in untrusted)
        raise click.UsageError(
            f"{path} holds types that skops does not know to be harmless: "
            f"{', '.join(untrusted)}. If you know what they are, and trust who made "
            f"the file, add: {options}"
        )
    return skops_io.load(path, trusted=sorted(unknown))


def as_smoothed(model, path, params):
    """Return the SmoothedClassifier that a file holds, or one around its classifier.

    Parameters
    ----------
    model : object
        What the file held.

    path : str
        Name of the file, for messages.

    params : dict
        Parameters of SmoothedClassifier that were given as options.

    Returns
    -------
    smoothed : SmoothedClassifier
    """
    best = getattr(model, "best_estimator_", None)
    if isinstance(best, SmoothedClassifier):
        model = best
    if isinstance(model, SmoothedClassifier):
        if "sigma" in params and "estimator_" in vars(model):
            if not np.array_equal(model.sigma, params["sigma"]):
                say(
                    f"Note: {path} was trained at sigma={sigma_text(model.sigma)}, "
                    f"and is now used at sigma={sigma_text(params['sigma'])}."
                )
        if "noise" in params and "estimator_" in vars(model):
            before, now = find_noise(model.noise), find_noise(params["noise"])
            if repr(before) != repr(now):
                say(f"Note: {path} was trained under {before} noise, now it is {now}.")
        model.set_params(**params)
        if "random_state" in params and "entropy_" in vars(model):
            # What fit draws from random_state is drawn anew from the seed given.
            model.entropy_ = draw_entropy(params["random_state"])
        return model
    if isinstance(model, SmoothedRegressor):
        raise ValueError(
            f"{path} holds a SmoothedRegressor, but these commands are for classes: "
            "in Python call its certify_interval, which draws the same values again "
            "in every process, so that others can compare them."
        )
    if not (hasattr(model, "fit") and hasattr(model, "predict")):
        raise ValueError(
            f"{path} holds {_a(type(model).__name__)}, not a classifier with fit and "
            "predict."
        )
    for name, step in getattr(model, "steps", ()):
        if isinstance(step, SmoothedClassifier):
            raise ValueError(
                f"{path} holds a Pipeline with a SmoothedClassifier as step {name!r}: "
                "its radii would be in the units of that step's input. Put the "
                "Pipeline inside: SmoothedClassifier(make_pipeline(...))."
            )
    if "sigma" not in params:
        raise click.UsageError(
            f"{path} holds {_a(type(model).__name__)}, not a SmoothedClassifier: give "
            "the noise level to smooth it with, --sigma, in the units of the data."
        )
    return SmoothedClassifier(model, **params)


def _a(name):
    return f"{'an' if name[0] in 'AEIOU' else 'a'} {name}"
