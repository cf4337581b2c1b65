"""Where the neural nets in an estimator are, without importing torch.

torch and skorch are slow to import: where they are not loaded, no estimator can be a
net, and to look for one costs nothing.
"""

import sys
from functools import cache

import numpy as np
from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import Pipeline

# What has one of these may hold estimators: in parameters, or in what `fit` made.
_METHODS = ("fit", "predict", "predict_proba", "transform")

# Of which there are thousands in a forest.
_TREES = ("sklearn.tree.", "sklearn.ensemble._hist_gradient_boosting.predictor")

# Longer lists that begin with plain data hold no estimators.
_SHORT = 64


def _kinds():
    kinds = (("skorch", "NeuralNet"), ("sksmooth.torch", "ModuleClassifier"))
    kinds = [getattr(sys.modules.get(module), name, None) for module, name in kinds]
    return tuple(kind for kind in kinds if kind is not None)


def is_net(estimator):
    """Is `estimator` a skorch net or a ModuleClassifier?"""
    return isinstance(estimator, _kinds())


def find_net(estimator):
    """Return (net, steps before it) or None if `estimator` does not end in a net.

    Looks through FrozenEstimator and Pipeline. Steps that do nothing are left out.
    """
    if "predict" in getattr(estimator, "__dict__", ()):  # replaced on this very object
        return None
    if isinstance(estimator, FrozenEstimator):
        return find_net(estimator.estimator)
    if type(estimator) is Pipeline:
        found = find_net(estimator.steps[-1][1])
        if found is None:
            return None
        net, inner = found
        steps = [step for _, step in estimator.steps[:-1]]
        return net, [s for s in steps if s is not None and s != "passthrough"] + inner
    return (estimator, []) if is_net(estimator) else None


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
    nets = []

    def found(net):
        nets.append(net)
        return net

    with_nets(estimator, found, frozen=frozen)
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
    kinds = _kinds()
    if not kinds:
        return estimator
    done = {}

    def visit(thing):
        if isinstance(thing, kinds):
            return once(thing, change)
        if isinstance(thing, (list, tuple)):
            if len(thing) <= _SHORT or not _is_plain(thing[0]):
                return once(thing, visit_sequence)
        elif isinstance(thing, dict):
            return once(thing, visit_dict)
        elif isinstance(thing, np.ndarray):
            if thing.dtype == object and thing.size and not _is_plain(thing.flat[0]):
                return once(thing, visit_array)
        elif _holds_estimators(thing) and (
            frozen or not isinstance(thing, FrozenEstimator)
        ):
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


def _is_plain(thing):
    return isinstance(thing, (str, bytes, bool, int, float, np.generic, np.ndarray))


def _holds_estimators(thing):
    return _may_hold(type(thing)) and hasattr(thing, "__dict__")


@cache
def _may_hold(kind):
    torch = sys.modules["torch"]  # it is there if a net can be
    if issubclass(kind, (type, torch.nn.Module)) or str(kind.__module__).startswith(
        _TREES
    ):
        return False
    return any(hasattr(kind, name) for name in _METHODS)
