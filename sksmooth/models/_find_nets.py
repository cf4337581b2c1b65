"""Where the neural nets in an estimator are, without importing torch.

torch and skorch are slow to import: where they are not loaded, no estimator can be a
net, and to look for one costs nothing.
"""

import sys
from functools import cache

import numpy as np
from sklearn.frozen import FrozenEstimator

# What has one of these may hold estimators: in parameters, or in what `fit` made.
_METHODS = ("fit", "predict", "predict_proba", "transform")

# Of which there are thousands in a forest.
_TREES = ("sklearn.tree.", "sklearn.ensemble._hist_gradient_boosting.predictor")


def _kinds():
    kinds = (("skorch", "NeuralNet"), ("sksmooth.torch", "ModuleClassifier"))
    kinds = [getattr(sys.modules.get(module), name, None) for module, name in kinds]
    return tuple(kind for kind in kinds if kind is not None)


def is_net(estimator):
    """Is `estimator` a skorch net or a ModuleClassifier?"""
    return isinstance(estimator, _kinds())


def net_at_end(chain):
    """Return the net that predicts in a Chain, or None."""
    return chain.last if not chain.own and is_net(chain.last) else None


def nets_in(estimator, *, frozen=True):
    """Return all nets in an estimator, however deep, fitted or not.

    Parameters
    ----------
    estimator : estimator

    frozen : bool, default=True
        Look into FrozenEstimators, which are not trained, too.

    Returns
    -------
    nets : list of skorch nets and ModuleClassifiers
    """
    kinds = _kinds()
    if not kinds:
        return []
    nets, done, waiting = [], {}, [estimator]
    while waiting:
        thing = waiting.pop()
        if id(thing) in done:
            continue
        done[id(thing)] = thing  # kept, as long as its id has to be its own
        if isinstance(thing, kinds):
            nets.append(thing)
        elif frozen or not isinstance(thing, FrozenEstimator):
            waiting += reversed(_contents(thing))
    return nets


def with_nets(estimator, change, *, frozen=True):
    """Return `estimator` with ``change(net)`` in the place of every net in it.

    What holds no net that was changed is shared with `estimator`, and nothing in it is
    written to.

    Parameters
    ----------
    estimator : estimator

    change : callable

    frozen : bool, default=True
        Look into FrozenEstimators, too.

    Returns
    -------
    estimator : estimator
        The same object if nothing was changed.
    """
    if not nets_in(estimator, frozen=frozen):
        return estimator
    kinds, done = _kinds(), {}

    def visit(thing):
        if isinstance(thing, kinds):
            return once(thing, change)
        if not _contents(thing):
            return thing
        if isinstance(thing, (list, tuple)):
            return once(thing, visit_sequence)
        if isinstance(thing, dict):
            return once(thing, visit_dict)
        if isinstance(thing, np.ndarray):
            return once(thing, visit_array)
        if frozen or not isinstance(thing, FrozenEstimator):
            return once(thing, visit_object)
        return thing

    def once(thing, change_it):
        # The object itself is kept, as long as its id has to be its own.
        if id(thing) not in done:
            done[id(thing)] = thing, thing  # what it is, where it holds itself
            done[id(thing)] = thing, change_it(thing)
        return done[id(thing)][1]

    def visit_sequence(things):
        new = [visit(thing) for thing in things]
        if all(a is b for a, b in zip(new, things, strict=True)):
            return things
        if isinstance(things, list):
            return new
        return things._make(new) if hasattr(things, "_make") else tuple(new)

    def visit_dict(things):
        new = {key: visit(thing) for key, thing in things.items()}
        if all(new[key] is things[key] for key in things):
            return things
        if type(things) is dict:
            return new
        twin = things.copy()
        twin.update(new)
        return twin

    def visit_array(things):
        items = things.ravel().tolist()
        visited = visit_sequence(items)
        if visited is items:
            return things
        new = np.empty(len(items), object)
        for place, thing in enumerate(visited):  # at once they might become numbers
            new[place] = thing
        return new.reshape(things.shape)

    def visit_object(thing):
        state = vars(thing)
        new = visit_dict(state)
        if new is state:
            return thing
        twin = object.__new__(type(thing))  # copy.copy may copy, or check, far more
        vars(twin).update(new)
        return twin

    return visit(estimator)


def _contents(thing):
    """Return the parts of something, no net itself, that may be nets or hold some."""
    if isinstance(thing, (list, tuple)):
        parts = thing
    elif isinstance(thing, dict):
        parts = thing.values()
    elif isinstance(thing, np.ndarray):
        parts = thing.ravel().tolist() if thing.dtype == object else ()
    else:
        state = getattr(thing, "__dict__", {})
        parts = state.values() if _may_hold(type(thing)) else ()
    # Of what there are thousands, there are few kinds.
    kinds = {kind for kind in set(map(type, parts)) if _may_hold(kind)}
    return [
        part
        for part in parts
        if type(part) in kinds
        and not (isinstance(part, np.ndarray) and part.dtype != object)
    ]


@cache
def _may_hold(kind):
    torch = sys.modules["torch"]  # it is there if a net can be
    if issubclass(kind, (list, tuple, dict, np.ndarray)):
        return True
    if issubclass(kind, (type, torch.nn.Module)) or str(kind.__module__).startswith(
        _TREES
    ):
        return False
    return any(hasattr(kind, name) for name in _METHODS)
