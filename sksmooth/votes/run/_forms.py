"""Which parts of an object determine the answers of a model, for known types.

All else counts as it is pickled. Left out are counters, timings, random states that
nothing is drawn from any more, and how something is kept in memory.
"""

import random
import sys
from typing import NamedTuple

import numpy as np
from scipy import sparse
from sklearn.base import BaseEstimator
from sklearn.utils import check_random_state

from ..._sklearn import answering_estimator, query_tree_content
from ...models._find_nets import is_net
from ...models._nets import why_not_direct

_GENERATORS = (
    np.random.RandomState,
    np.random.Generator,
    np.random.BitGenerator,
    random.Random,
)

# Parameters of scikit-learn's own estimators that change no answer.
_HOW_TO_COMPUTE = {"n_jobs", "verbose", "memory"}

# Where a module keeps what is hashed on its own, or changes when it is used.
_NOT_STATE = {"training", "_parameters", "_buffers", "_modules"}

# What a skorch net needs to answer, next to its module.
_SKORCH_STATE = ("criterion", "predict_nonlinearity", "threshold", "classes")

# What is left in a skorch net from its training.
_SKORCH_TRAINING = {"history_", "callbacks_", "optimizer_", "virtual_params_"}


class Attributes(dict):
    """Attributes of an object: unlike in a dict, their order says nothing."""


class Opaque(NamedTuple):
    """What is of a piece: if part of it changes, all of it may."""

    name: bytes
    content: object


def full_name(cls):
    """Return the name of a class with that of its module."""
    return f"{cls.__module__}.{cls.__qualname__}".encode()


def canonical(obj):
    """Return what to hash of an object: itself, if nothing special is known."""
    if isinstance(obj, _GENERATORS):
        return _generator(obj)
    if isinstance(obj, BaseEstimator):
        return _estimator(obj)
    if sparse.issparse(obj):
        return _sparse(obj)
    tree = query_tree_content(obj)
    if tree is not None:
        return (type(obj), tree)
    if is_net_or_part(obj):
        torch = sys.modules["torch"]
        if is_net(obj):
            return _net(obj)
        return _tensor(obj) if isinstance(obj, torch.Tensor) else _module(obj)
    pandas = sys.modules.get("pandas")
    if isinstance(obj, getattr(pandas, "DataFrame", ())):
        columns = [obj.iloc[:, place] for place in range(obj.shape[1])]
        return (type(obj), obj.columns, obj.index, columns)
    if isinstance(obj, getattr(pandas, "Series", ())):
        return (type(obj), obj.name, obj.index, *_pandas_values(obj))
    if isinstance(obj, getattr(pandas, "Index", ())):
        return (type(obj), list(obj.names), *_pandas_values(obj))
    return obj


def is_net_or_part(obj):
    """Is `obj` a net, a module or a tensor of torch?"""
    torch = sys.modules.get("torch")
    # While it is being imported, it has no classes yet.
    parts = (
        getattr(torch, "Tensor", ()),
        getattr(getattr(torch, "nn", None), "Module", ()),
    )
    return isinstance(obj, parts) or is_net(obj)


def _generator(obj):
    name = full_name(type(obj))
    if obj is check_random_state(None):
        return Opaque(name, "NumPy's global one")
    if isinstance(obj, np.random.RandomState):
        return Opaque(name, obj.get_state(legacy=False))
    if isinstance(obj, np.random.Generator):
        return Opaque(name, obj.bit_generator.state)
    return Opaque(name, obj.getstate() if isinstance(obj, random.Random) else obj.state)


def _estimator(obj):
    if is_net(obj):
        return _net(obj)
    answering = answering_estimator(obj)
    if answering is not None:
        return (type(obj), answering)
    if not type(obj).__module__.startswith("sklearn."):
        return obj
    state = obj.__getstate__()
    return (
        type(obj),
        Attributes(
            (name, value)
            for name, value in state.items()
            if name not in _HOW_TO_COMPUTE
            and not isinstance(value, np.random.RandomState)
        ),
    )


def _sparse(obj):
    """Return a sparse matrix as it is after sorting, which some methods do in place."""
    rows = obj.tocsr(copy=True)
    rows.sort_indices()
    places = rows.indptr.astype(np.int64), rows.indices.astype(np.int64)
    return (type(obj), obj.shape, *places, rows.data)


def _pandas_values(values):
    dtype = values.dtype
    categories = getattr(dtype, "categories", None)
    if isinstance(dtype, np.dtype) or categories is None:
        return str(dtype), values.to_numpy()
    return str(dtype), categories, dtype.ordered, np.asarray(values.array.codes)


def _net(net):
    """Return what a net answers by, without traces of training, device or mode."""
    skorch = sys.modules.get("skorch")
    if skorch is None or not isinstance(net, skorch.NeuralNet):
        return (type(net), _without(vars(net), {"device"}))
    if why_not_direct(net) is not None or not hasattr(net, "module_"):
        # It may answer by anything.
        return (type(net), _without(vars(net), _SKORCH_TRAINING))
    params = net.get_params(deep=False)
    state = {name: params.get(name) for name in _SKORCH_STATE}
    classes = np.asarray(net.classes_)
    return (type(net), Attributes(state), classes, getattr(net, "module_", None))


def _module(module):
    """Return a module with its parts, each wherever and as often as it occurs."""
    own = vars(module)
    # GaussianNoise remembers something of a forward pass until the next one.
    of_a_pass = getattr(type(module), "_of_a_pass", ())
    state = _without(own, _NOT_STATE.union(of_a_pass))
    for name in state:
        # The keys of hooks are handles, which are counted up in a process.
        if name.endswith("_hooks"):
            state[name] = list(state[name].values())
        elif "_hooks_" in name:  # of which hooks something is so
            hooks = own[name.partition("_hooks_")[0] + "_hooks"]
            state[name] = [handle in own[name] for handle in hooks]
    parts = (own[name] for name in ("_parameters", "_buffers", "_modules"))
    return (type(module), state, *(list(part.items()) for part in parts))


def _tensor(tensor):
    """Return a tensor as bytes: not all have NumPy's types."""
    torch = sys.modules["torch"]
    if tensor.layout is not torch.strided or tensor.is_quantized:
        return tensor
    flat = tensor.detach().cpu().reshape(-1).contiguous().view(torch.uint8).numpy()
    return ("tensor", str(tensor.dtype), tuple(tensor.shape), flat)


def _without(attributes, names):
    return Attributes((k, v) for k, v in attributes.items() if k not in names)
