"""Noisy training sets."""

import inspect
import sys
import warnings
from collections import Counter

import numpy as np

from .noise._streams import stream_key


def noisy_training_set(inputs, n_copies, entropy):
    """Return `n_copies` noisy copies of every input, and the row each came from.

    Parameters
    ----------
    inputs : Inputs
        The clean training inputs.

    n_copies : int
        How many copies; 0 returns the inputs as they are.

    entropy : int
        See ``stream_key``; the purpose is "train".

    Returns
    -------
    X : container like the one the user passed, n_copies * len(inputs) rows
        All first copies, then all second ones, and so on.

    rows : ndarray of int
        Index of the clean input behind each row of X.
    """
    n_inputs = len(inputs)
    if n_copies == 0:
        # A copy: what the estimator does to its input must not reach the user's X.
        rows = np.arange(n_inputs)
        return inputs.assemble(inputs.values.copy(), rows), rows
    if inputs.is_sparse:
        return _sparse_training_set(inputs, n_copies, entropy)
    noisy = np.empty((n_copies, *inputs.values.shape), inputs.values.dtype)
    copies = np.empty((n_copies, *inputs.values.shape[1:]), inputs.values.dtype)
    noise = inputs.noise
    contents = inputs.contents()
    if inputs.noise.is_discrete:
        contents = _told_apart(contents)
    for row, content in enumerate(contents):
        stream = noise.open(stream_key(entropy, "train", content))
        noise.copies(inputs.values[row], stream, copies)
        noisy[:, row] = copies
    rows = np.tile(np.arange(n_inputs), n_copies)
    flat = noisy.reshape(n_copies * n_inputs, *inputs.values.shape[1:])
    return inputs.assemble(flat, rows), rows


def _sparse_training_set(inputs, n_copies, entropy):
    """Do what ``noisy_training_set`` does, without a dense copy."""
    noise, values = inputs.noise, inputs.values
    n_inputs, n_features = values.shape
    lengths, places = np.empty((n_inputs, n_copies), np.int64), []
    for row, content in enumerate(_told_apart(inputs.contents())):
        stream = noise.open(stream_key(entropy, "train", content))
        ones = values.indices[values.indptr[row] : values.indptr[row + 1]]
        indptr, indices = noise.sparse_copies(ones, n_features, stream, n_copies)
        lengths[row] = np.diff(indptr)
        places.append(indices)
    # Row by row as drawn; then all first copies, all second ones, and so on.
    indptr = np.append(0, lengths.ravel().cumsum())
    indices = np.concatenate([np.empty(0, np.int64), *places])
    ones = np.ones(len(indices), values.dtype)
    shape = (n_inputs * n_copies, n_features)
    copies = type(values)((ones, indices, indptr), shape=shape)
    order = np.arange(n_inputs * n_copies).reshape(n_inputs, n_copies).T.ravel()
    return copies[order], np.tile(np.arange(n_inputs), n_copies)


def _told_apart(contents):
    """Yield contents that differ from row to row.

    Of categories and flags there are few, so many rows are equal. If all of these had
    the same noise, the training set could lack what noise makes of them.
    """
    seen = Counter()
    for content in contents:
        yield content + b"again %d" % seen[content] if seen[content] else content
        seen[content] += 1


def hand_level(estimator, noise_param, level):
    """Set the parameter of a nested estimator or module that the noise level goes to.

    Parameters
    ----------
    estimator : estimator
        Written to.

    noise_param : str
        As in ``set_params``.

    level : float or ndarray
        sigma.

    Raises
    ------
    ValueError
        If there is no such parameter.

    Warns
    -----
    UserWarning
        If skorch will put a new module in the place of the instance that it was given.
    """
    owner, _, name = noise_param.rpartition("__")
    params = estimator.get_params()
    if owner and owner not in params:
        parts = [key for key, value in params.items() if _has_params(value)]
        raise ValueError(
            f"noise_param={noise_param!r}: {type(estimator).__name__} has no part "
            f"{owner!r}; it has {parts!r}."
        )
    if owner and _is_module(params[owner]):
        _check_module_has(params[owner], noise_param, name)
    try:
        estimator.set_params(**{noise_param: level})
    except ValueError as error:
        raise ValueError(f"noise_param={noise_param!r}: {error}") from error


def _has_params(value):
    return hasattr(value, "get_params") or _is_module(value)


def _is_module(value):
    torch = sys.modules.get("torch")
    cls = value if isinstance(value, type) else type(value)
    return torch is not None and issubclass(cls, torch.nn.Module)


def _check_module_has(module, noise_param, name):
    """Check a parameter of a module that skorch makes, which asks none before `fit`."""
    cls = module if isinstance(module, type) else type(module)
    known = inspect.signature(cls).parameters.values()
    names = [p.name for p in known if p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)]
    if name not in names and all(p.kind != p.VAR_KEYWORD for p in known):
        raise ValueError(
            f"noise_param={noise_param!r}: the module {cls.__name__} takes no {name!r}"
            f"; it takes {names!r}. Its __init__ has to take the noise level, and to "
            "hand it to GaussianNoise."
        )
    if cls is not module:
        warnings.warn(
            f"noise_param={noise_param!r}: skorch makes a new {cls.__name__}"
            f"({name}=...) in the place of the instance that it was given, without its "
            "weights and other arguments. To go on training an instance, leave "
            "noise_param out, give its GaussianNoise this sigma, and say n_copies=0. "
            "Or pass the class, and its arguments as module__...",
            UserWarning,
            stacklevel=5,
        )
