"""MODEL: files that hold a classifier, and the SmoothedClassifier made of it."""

from pathlib import Path

import click

from .._classifier import SmoothedClassifier
from .._validation import draw_entropy
from ._command import say

# Types of this package: loading them runs no code that a file brings along.
_OWN_TYPES = {
    "sksmooth._augmenter.GaussianAugmenter",
    "sksmooth._classifier.SmoothedClassifier",
}
_PICKLES = (".pkl", ".pickle", ".joblib")


def load_model(path, *, trust=(), trust_pickle=False):
    """Load a model without running code from the file, unless told to trust it."""
    kind = Path(path).suffix.lower()
    if kind == ".skops":
        return _load_skops(path, trust)
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
            "code."
        )
    import joblib

    return joblib.load(path)


def _load_skops(path, trust):
    try:
        import skops.io
    except ImportError as error:
        raise ImportError(
            f"{path} needs skops to be read: pip install 'sksmooth[cli]'."
        ) from error
    from zipfile import BadZipFile

    try:
        unknown = set(skops.io.get_untrusted_types(file=path))
    except BadZipFile:
        raise ValueError(f"{path} is no skops file, or not a whole one.") from None
    untrusted = sorted(unknown - _OWN_TYPES - set(trust))
    if untrusted:
        options = " ".join(f"--trust {name}" for name in untrusted)
        raise click.UsageError(
            f"{path} holds types that skops does not know to be harmless: "
            f"{', '.join(untrusted)}. If you know what they are, and trust who made "
            f"the file, add: {options}"
        )
    return skops.io.load(path, trusted=sorted(unknown))


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
            if not _same(model.sigma, params["sigma"]):
                say(
                    f"Note: {path} was trained at sigma={model.sigma}, and is now "
                    f"used at sigma={params['sigma']:g}."
                )
        model.set_params(**params)
        if "random_state" in params and "entropy_" in vars(model):
            # What fit draws from random_state is drawn anew from the seed given.
            model.entropy_ = draw_entropy(params["random_state"])
        return model
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
            f"{path} holds {_a(type(model).__name__)}, no SmoothedClassifier: give the "
            "noise level to smooth it with, --sigma, in the units of the data."
        )
    return SmoothedClassifier(model, **params)


def _same(sigma, number):
    try:
        return float(sigma) == number
    except TypeError:  # one value a feature
        return False


def _a(name):
    return f"{'an' if name[0] in 'AEIOU' else 'a'} {name}"
