"""What votes depend on besides the row; runs share votes only where it is equal."""

import pickle
import warnings
from hashlib import blake2b

import joblib
import numpy as np

from ...models._nets import as_net_takes
from ...noise._proof import told
from ._contents import as_unpickled, hash_contents

# Raise it when the same settings would give other votes, or a rule other values.
VERSION = 5

_USUAL = {"dtype": None, "push_forward": True}


def fingerprint(voting):
    """Return the settings that votes depend on, readable or as hashes.

    Neither alpha nor the rule is among them, nor what tells the noise: `entropy` is
    hashed.

    Parameters
    ----------
    voting : Voting

    Returns
    -------
    settings : dict of str to str

    model : Model
        Knows the estimator after it has been used, too.

    Raises
    ------
    ValueError
        If `estimator` cannot be pickled, and so not be told from others.
    """
    estimator, inputs = voting.estimator, voting.inputs
    settings = {
        "version": str(VERSION),
        "random_state": blake2b(
            voting.entropy.to_bytes(16, "little"), person=b"fingerprint", digest_size=16
        ).hexdigest(),
        "shared_noise": str(voting.shared_noise),
        "noise": told(inputs.noise.kind),
        "noise in words": inputs.noise.kind.in_words,
        "sigma": _describe(inputs.sigma),
        "grid": _describe(inputs.grid),
        "estimator": hash_estimator(estimator),
        "classes": _describe(voting.classes),
        "net_options": repr(_options_of_votes(voting.net_options)),
        "X": f"{inputs.values.dtype} of shape {inputs.input_shape}",
    }
    if inputs.frame is not None:
        dtypes = zip(inputs.table.columns, inputs.table.schema.dtypes(), strict=True)
        settings["columns"] = _describe([(str(name), str(d)) for name, d in dtypes])
        settings["noisy"] = _describe(inputs.noisy)
        settings["counts"] = _describe(
            [(k, *inputs.count_range(k)) for k in inputs.counts]
        )
    if inputs.categories is not None:
        settings["categories"] = _describe(inputs.categories.told())
    return settings, Model(estimator, inputs, settings["estimator"])


def _options_of_votes(net_options):
    """Return the options of a net that votes depend on, None for the usual ones.

    The mode and the memory format are a matter of time.
    """
    options = net_options or {}
    found = {name: options.get(name, usual) for name, usual in _USUAL.items()}
    return None if found == _USUAL else found


def hash_estimator(estimator, *later):
    """Return a hash of a fitted estimator that is the same in every process.

    Code is not hashed: functions and classes count by their names.

    Parameters
    ----------
    estimator : fitted classifier

    *later : fitted classifier
        The same one after it has predicted. What has changed is left out.

    Raises
    ------
    ValueError
        If `estimator` cannot be pickled, and so not be told from others.
    """
    try:
        versions = [as_unpickled(one) for one in (estimator, *later)]
        return hash_contents(*versions).hex()[:40]
    except ValueError as error:
        raise ValueError(
            f"{type(estimator).__name__} cannot be pickled ({error}), so a store of "
            "votes could not tell it from another model. Define its functions and "
            "classes in a module (no lambda), or leave out `store`."
        ) from error


class Model:
    """How a store knows the model again that its votes are of.

    Parameters
    ----------
    estimator : fitted classifier

    inputs : Inputs

    known_as : str
        What `hash_estimator` has returned for it.
    """

    def __init__(self, estimator, inputs, known_as):
        self._estimator, self._known_as = estimator, known_as
        self._one = inputs.take(slice(0, 1))

    def has_changed(self):
        """Has predicting changed what `estimator` holds?"""
        try:
            return hash_estimator(self._estimator) != self._known_as
        except ValueError:  # it holds something now that cannot be pickled
            return False

    def in_use(self):
        """Return a hash of the estimator once it has predicted; None if that fails.

        What it builds when it first predicts is part of it. What changes from then on
        with every call (counters, caches) is not: if answers depended on it, they
        would not be those of a function of the input.
        """
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                twin = pickle.loads(pickle.dumps(self._estimator))
                twin.predict(self._copies(0.25))
                later = pickle.loads(pickle.dumps(twin))
                later.predict(self._copies(0.5, 0.75))
            return hash_estimator(twin, later)
        except Exception:
            return None

    def _copies(self, *shifts):
        """Return copies of an input that it has not been asked about before."""
        one = self._one
        row = as_net_takes(self._estimator, one.values[0])
        values = np.array([row + shift * one.sigma for shift in shifts], row.dtype)
        return one.assemble(values, np.zeros(len(shifts), int))


def _describe(value):
    """Return a short text that tells `value` from any other."""
    if not isinstance(value, np.ndarray):
        text = repr(value)
        return text if len(text) <= 200 else f"{text[:60]}... {joblib.hash(text)}"
    text = repr(value.tolist())
    if len(text) > 200:
        text = f"{text[:60]}... {joblib.hash(value)}"
    return f"{text} ({value.dtype})"
