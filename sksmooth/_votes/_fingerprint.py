"""What votes depend on besides the row; runs share votes only where it is equal."""

import pickle
import sys
from dataclasses import fields
from hashlib import blake2b

import joblib
import numpy as np

from ._nets import find_net, why_not_direct

# Raise it when the same settings would give other votes, or a rule other values.
VERSION = 3

# Where a module keeps what is hashed on its own, or changes when it is used.
_NOT_STATE = {"training", "_parameters", "_buffers", "_modules"}

# What a skorch net needs to answer, next to its module.
_SKORCH_STATE = ("criterion", "predict_nonlinearity", "threshold", "classes")


def fingerprint(estimator, classes, inputs, entropy, noise, settled):
    """Return the settings that votes depend on, readable or as hashes.

    Neither alpha nor the rule is among them, nor what tells the noise: `entropy` is
    hashed.

    Parameters
    ----------
    estimator : fitted classifier

    classes : ndarray of shape (n_classes,)

    inputs : Inputs

    entropy : int

    noise : str
        See ``count_votes``.

    settled : Settled or None
        How a net is evaluated, if there are options for it.

    Returns
    -------
    settings : dict of str to str

    Raises
    ------
    ValueError
        If `estimator` cannot be pickled, and so not be told from others.
    """
    settings = {
        "version": str(VERSION),
        "random_state": blake2b(
            entropy.to_bytes(16, "little"), person=b"fingerprint", digest_size=16
        ).hexdigest(),
        "noise": noise,
        "estimator": hash_estimator(estimator),
        "classes": _describe(classes),
        "net_options": _describe_options(settled),
        "X": f"{inputs.values.dtype} of shape {inputs.input_shape}",
    }
    if inputs.frame is not None:
        dtypes = zip(inputs.table.columns, inputs.table.schema.dtypes(), strict=True)
        settings["columns"] = _describe([(str(name), str(d)) for name, d in dtypes])
    # All that Inputs knows, next to the rows, is how noise is put on them.
    for field in fields(inputs):
        if field.name not in ("values", "frame", "taken", "loss"):
            settings[field.name] = _describe(getattr(inputs, field.name))
    return settings


def hash_estimator(estimator):
    """Return a hash of a fitted estimator that is the same in every process.

    Code is not hashed: functions and classes count by their names.
    """
    found = find_net(estimator)
    if found is not None and why_not_direct(found[0]) is None:
        from ._torch_net import with_net

        estimator = with_net(estimator, _net_state)
    try:
        # Unpickled, objects are as another process would find them.
        twin = pickle.loads(pickle.dumps(estimator))
        return joblib.hash(twin, "sha1")
    except Exception as error:
        raise ValueError(
            f"{type(estimator).__name__} cannot be pickled ({error}), so a store of "
            "votes could not tell it from another model. Define its functions and "
            "classes in a module (no lambda), or do without `store`."
        ) from error


def _net_state(net):
    """Return what a net answers by, without traces of training, device or mode."""
    module = getattr(net, "module_", None)
    state = {}
    if module is None:
        module = net.module
        state = {k: v for k, v in vars(net).items() if k not in ("module", "device")}
    else:
        params = net.get_params(deep=False)
        state = {name: params.get(name) for name in _SKORCH_STATE}
        state["classes_"] = np.asarray(net.classes_)
    parts = [
        (
            name,
            type(part),
            {k: v for k, v in vars(part).items() if k not in _NOT_STATE},
            [_tensors(part._parameters), _tensors(part._buffers)],
        )
        for name, part in module.named_modules()
    ]
    return type(net), state, parts


def _tensors(named):
    """Return the tensors of a part of a module as bytes: not all have NumPy's types."""
    torch = sys.modules["torch"]
    return [
        (
            name,
            str(tensor.dtype),
            tuple(tensor.shape),
            tensor.detach().cpu().reshape(-1).contiguous().view(torch.uint8).numpy(),
        )
        for name, tensor in named.items()
        if tensor is not None
    ]


def _describe_options(settled):
    if settled is None:
        return "None"
    return repr(
        {f.name: getattr(settled, f.name) for f in fields(settled) if f.name != "ready"}
    )


def _describe(value):
    """Return a short text that tells `value` from any other."""
    if not isinstance(value, np.ndarray):
        text = repr(value)
        return text if len(text) <= 200 else f"{text[:60]}... {joblib.hash(text)}"
    text = repr(value.tolist())
    if len(text) > 200:
        text = f"{text[:60]}... {joblib.hash(value)}"
    return f"{text} ({value.dtype})"
