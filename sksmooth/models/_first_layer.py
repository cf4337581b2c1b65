"""Noise drawn behind a net's first linear layer, where there is less of it to draw.

For a first layer W x + b, noise of covariance S on x is normal noise of covariance
W S W^T on what the layer returns. With r outputs it takes r normals a copy, however
wide x is. Exact in distribution; in floating point the first layer's output then has
other rounding errors than if it had been computed copy by copy.

This holds only if nothing else sees x, so the layer is looked for where that can be
proved: at the front of modules whose `forward` is known to be one step after another.
"""

import inspect
import sys
from types import FunctionType

import numpy as np
import torch
from torch import nn

from ._nets import Fed
from ._ties import layer_ties

# Functions that take anything, or do not run when they are called.
_UNUSUAL = (
    inspect.CO_VARARGS
    | inspect.CO_VARKEYWORDS
    | inspect.CO_GENERATOR
    | inspect.CO_COROUTINE
    | inspect.CO_ASYNC_GENERATOR
    | inspect.CO_ITERABLE_COROUTINE
)

# What is looked up on a module when it is called.
_ON_CALL = ("__call__", "_call_impl", "_slow_forward", "__getattr__")
_HOOKS = ("_forward_hooks", "_forward_pre_hooks")


class FirstLayer:
    """A linear layer that noise is pushed through.

    Parameters
    ----------
    linear : torch.nn.Linear

    fed : Fed
        What the layer gets. It may have more dimensions; they are flattened.
    """

    def __init__(self, linear, fed):
        self._weights = _to_numpy(linear.weight)
        self._offset = 0.0 if linear.bias is None else _to_numpy(linear.bias)
        if fed.factor is not None:
            factor = fed.factor @ self._weights.T
        else:
            level = np.broadcast_to(fed.sigma, fed.values.shape[1:])
            factor = (self._weights * level.ravel()).T
        self._factor = reduced(factor)

    def feed(self, fed):
        """Return what comes after the layer for the inputs in `fed`."""
        flat = fed.values.reshape(len(fed.values), -1).astype(float, copy=False)
        return Fed(flat @ self._weights.T + self._offset, None, self._factor)


def push_forward(net, fed):
    """Let a TorchNet get noise behind its first layer, if that is exact and saves any.

    Parameters
    ----------
    net : TorchNet
        Its ``first`` is set, and its module becomes what comes after the layer.

    fed : Fed
        What the net gets.
    """
    if net.borrowed or net.autocast is not None or not net.infers_plainly:
        return
    if fed.grid is not None:  # there f is what the whole net computes
        return
    if fed.noise is not None and not fed.noise.is_normal:
        return
    if net.dtype not in (torch.float32, torch.float64):
        return
    found = first_linear(net.module, fed.values.shape[1:])
    if found is None:
        return
    linear, rest = found
    finite = all(bool(p.isfinite().all()) for p in linear.parameters())
    if not finite or linear.out_features >= fed.normals:
        return
    if fed.factor is None:
        level = np.broadcast_to(fed.sigma, fed.values.shape[1:])
        if layer_ties(_to_numpy(linear.weight), level.ravel()):
            return
    net.first = FirstLayer(linear, fed)
    net.replace(rest)


def first_linear(module, shape):
    """Split a module in eval mode into its first layer and what comes after it.

    Parameters
    ----------
    module : torch.nn.Module

    shape : tuple of int
        Shape of one input.

    Returns
    -------
    linear, rest : torch.nn.Linear and torch.nn.Sequential, or None
        None unless it is sure that the module is the one after the other.
    """
    if any(vars(torch.nn.modules.module).get(f"_global{hooks}") for hooks in _HOOKS):
        return None
    flat = len(shape) == 1
    parts = _in_order(module)
    for place, part in enumerate(parts):
        if not _only_forwards(part):
            return None
        if type(part) is nn.Linear:
            if flat and part.in_features == int(np.prod(shape)):
                return part, nn.Sequential(*parts[place + 1 :]).eval()
            return None
        if type(part) is nn.Flatten and (part.start_dim, part.end_dim) == (1, -1):
            flat = True
        elif not _does_nothing(part):
            return None
    return None


def _in_order(module):
    """Return modules that, one after another, are `module`."""
    if _only_forwards(module):
        if type(module) is nn.Sequential:
            return [part for child in module for part in _in_order(child)]
        name = _only_calls(module)
        if name is not None:
            return _in_order(module._modules[name])
    return [module]


def _only_forwards(module):
    """Does calling the module call the `forward` of its class, and nothing else?"""
    kind = type(module)
    return (
        not any(getattr(module, hooks) for hooks in _HOOKS)
        and not {"forward", *_ON_CALL} & set(vars(module))
        and all(getattr(kind, name) is getattr(nn.Module, name) for name in _ON_CALL)
        and kind.__getattribute__ is nn.Module.__getattribute__
    )


def _does_nothing(module):
    """Is this a layer that returns what it gets, in eval mode?"""
    noise = getattr(sys.modules.get("sksmooth.torch"), "GaussianNoise", None)
    return type(module) in (nn.Identity, nn.Dropout, noise)


def _call_one(self, x):
    return self.part(x)


def _only_calls(module):
    """Return the name of the one part whose answer the module returns, or None.

    Most modules in use are one nn.Sequential, and a `forward` of ``return
    self.layers(x)``. That is so where `forward` compiles to the very instructions of
    ``_call_one``, with another name.
    """
    forward = type(module).forward
    if type(forward) is not FunctionType:
        return None
    code, known = forward.__code__, _call_one.__code__
    same = (
        "co_code",
        "co_argcount",
        "co_posonlyargcount",
        "co_kwonlyargcount",
        "co_freevars",
        "co_exceptiontable",
    )
    differs = any(getattr(code, name) != getattr(known, name) for name in same)
    if differs or code.co_flags & _UNUSUAL:
        return None
    (name,) = code.co_names
    own = module._modules.get(name) is not None and name not in vars(module)
    return name if own and not hasattr(type(module), name) else None


def reduced(factor):
    """Return R of at most as many rows as columns with R^T R = factor^T factor.

    With factor = Q R the noise factor^T n is R^T z for z = Q^T n, and if n ~ N(0, I),
    so is z: no assumption on the rank. The sign of R's rows is free; fixing it keeps
    votes equal across LAPACKs.
    """
    if len(factor) <= factor.shape[1]:
        return factor
    # By torch, because NumPy's threads would be others than those of the votes.
    _, triangle = torch.linalg.qr(torch.from_numpy(factor), mode="r")
    triangle = triangle.numpy()
    signs = np.where(np.diagonal(triangle) < 0, -1.0, 1.0)
    return triangle * signs[:, None]


def _to_numpy(tensor):
    return tensor.detach().cpu().double().numpy()
