"""Labels for nets: skorch trains on the numbers of a net's outputs, and answers so."""

import sys

import numpy as np
from sklearn.ensemble import BaggingClassifier, StackingClassifier, VotingClassifier
from sklearn.multiclass import (
    OneVsOneClassifier,
    OneVsRestClassifier,
    OutputCodeClassifier,
)

from ._find_nets import net_at_end, nets_in
from ._unwrap import unwrap

# These hand on labels as integers that they made themselves.
_WITH_NUMBERS_OF_THEIR_OWN = (
    BaggingClassifier,
    OneVsOneClassifier,
    OneVsRestClassifier,
    OutputCodeClassifier,
    StackingClassifier,
    VotingClassifier,
)


def labels_for_nets(estimator, y):
    """Return y as the losses of skorch nets take it, and the classes it stands for.

    The numbers of outputs, 0, 1, ..., in the place of the labels: in the order of the
    net's `classes` if it has them, else in sorted order. Of nets inside another
    classifier always in sorted order, as such classifiers number labels themselves.

    Parameters
    ----------
    estimator : classifier
        About to be trained. Nets inside another classifier get the numbers of their
        outputs as `classes`; y comes back as it is if there are no skorch nets.

    y : ndarray of shape (n_inputs,)

    Returns
    -------
    y : ndarray of shape (n_inputs,)
        float32 for a NeuralNetBinaryClassifier, else int64.

    classes : ndarray or None
        What the numbers stand for; None if that is for the estimator to say.

    Raises
    ------
    ValueError
        If y holds a label that is not one of the net's `classes`, or more labels than
        the net has outputs; if a parameter next to a net names a label; if a net whose
        loss takes floats would get integers from what it is in.
    """
    skorch = sys.modules.get("skorch")
    if skorch is None:
        return y, None
    nets = nets_in(estimator, frozen=False)
    nets = [net for net in nets if isinstance(net, skorch.NeuralNet)]
    if not nets:
        return y, None
    y, net = _whole_numbers(y), net_at_end(unwrap(estimator))
    if net is None:
        _check_floats_reach(nets, estimator)
        y, classes = _for_nets_inside(estimator, nets, y)
    elif net not in nets:  # frozen, or no skorch net
        return y, None
    else:
        nets = [net]
        y, classes = _for_the_net(net, y)
    binary = all(isinstance(net, skorch.NeuralNetBinaryClassifier) for net in nets)
    if y.dtype.kind in "iu":
        y = y.astype(np.float32 if binary else np.int64)
    return y, classes


def numbers_for_labels(estimator, classes):
    """Return the classes as `estimator.predict` names them.

    skorch's own `predict` returns the number of an output, whatever `classes` are. What
    nets are inside of has been trained on such numbers if it says so.
    """
    chain = unwrap(estimator)
    net = net_at_end(chain)
    if net is None or chain.searched:
        own = getattr(estimator, "classes_", classes)
        same = len(own) == len(classes) and np.all(own == classes)
        return classes if same else np.arange(len(classes))
    return np.arange(len(classes)) if _predicts_numbers(net) else classes


def check_net_labels(estimator):
    """Raise a ValueError if the labels of a net's outputs are not known.

    For a net that was trained elsewhere. skorch trains on labels as numbers of outputs
    and knows no other; this package trains output k for ``classes[k]``.

    Parameters
    ----------
    estimator : fitted classifier
        Anything; only a skorch net at its end is looked at. One that a search found
        is asked through `predict` if that is not known, see ``why_not_direct``.
    """
    chain = unwrap(estimator)
    net = net_at_end(chain)
    if net is None or chain.searched or not _predicts_numbers(net):
        return
    given = _given(net)
    seen = getattr(net, "classes_inferred_", None)
    name = type(net).__name__
    if given is None:
        if seen is not None and seen.tolist() != list(range(len(seen))):
            raise ValueError(
                f"{name} was trained on the labels {seen.tolist()!r}, which skorch "
                "takes for indices of outputs, so some of its outputs have no label. "
                f"Name all of them: net.set_params(classes={_up_to(seen)})."
            )
        return
    order = given.tolist()
    outputs = range(len(order))
    clash = [k for k in outputs if order[k] != k and k in order]
    if not clash:
        return
    # Where an output has been trained whose number is no label, or a label is the
    # number of no output, the numbers were places in `classes`.
    trained = outputs if seen is None else seen.tolist()
    labels = order if seen is None else trained
    if not set(trained) <= set(order) or not set(labels) <= set(outputs):
        return
    k = clash[0]
    raise ValueError(
        f"{name} has classes={order!r}, and it is not clear what its output {k} stands "
        f"for: the label {k}, if skorch itself was trained on such labels, or "
        f"classes[{k}], which is {order[k]!r}. In the first case call "
        f"net.set_params(classes={_up_to(order)}); in the second let "
        "SmoothedClassifier train the net, or take ModuleClassifier(net.module_, "
        "classes=...)."
    )


def _whole_numbers(y):
    """Return y in integers if it holds whole numbers, or truth values."""
    if y.dtype.kind == "b":
        return y.astype(np.int64)
    if y.dtype.kind == "f" and np.all(y == np.rint(y)) and np.all(np.abs(y) < 2**53):
        return y.astype(np.int64)
    return y


def _given(net):
    classes = getattr(net, "classes", None)
    return None if classes is None or not len(classes) else np.asarray(classes)


def _for_the_net(net, y):
    """Number the labels of y for a net at the end; return the classes, None if own."""
    if y.dtype.kind in "iu" and _labels_itself(net):
        return y, None
    y, classes = _numbered(y, _given(net), net)
    binary = sys.modules["skorch"].NeuralNetBinaryClassifier
    if isinstance(net, binary) and len(classes) > 2:
        raise ValueError(
            f"{type(net).__name__} has two classes, but y holds {len(classes)}: "
            f"{classes.tolist()!r}. NeuralNetClassifier takes any number."
        )
    return y, classes


def _numbered(y, given, net):
    """Return the place of each label in `given`, or among the labels of y; classes."""
    classes, y = np.unique(y, return_inverse=True)
    if given is None:
        return y, classes
    place = {label: k for k, label in enumerate(given.tolist())}
    if len(place) < len(given):
        raise ValueError(
            f"classes={given.tolist()!r} of {type(net).__name__} must be different."
        )
    unknown = [label for label in classes.tolist() if label not in place]
    if unknown:
        raise ValueError(
            f"y holds {unknown[0]!r}, which is not one of the "
            f"classes={given.tolist()!r} of {type(net).__name__}."
        )
    return np.array([place[label] for label in classes.tolist()])[y], given


def _for_nets_inside(estimator, nets, y):
    """Number the labels of y for an estimator with nets in it; return the classes."""
    given = [(net, _given(net)) for net in nets]
    given = [(net, classes) for net, classes in given if classes is not None]
    for net, classes in given:
        _numbered(y, classes, net)  # are all labels known?
    known = [np.unique(y), *(classes for _, classes in given)]
    classes = np.unique(np.concatenate(known))
    if classes.tolist() != list(range(len(classes))):
        for name, value in estimator.get_params().items():
            last = name.rpartition("__")[2]
            if (last == "pos_label" and value is not None) or (
                last == "class_weight" and isinstance(value, dict)
            ):
                raise ValueError(
                    f"{name}={value!r} names a label, but for the nets in "
                    f"{type(estimator).__name__} the labels {classes.tolist()!r} have "
                    "to be replaced by 0, 1, ...: pass such labels in y, and name them."
                )
    for net, _ in given:
        net.classes = list(range(len(classes)))
    return np.searchsorted(classes, y), classes


def _check_floats_reach(nets, estimator):
    """Raise a ValueError if a net that needs labels as floats would get integers."""
    nets = [id(net) for net in nets if _needs_floats(net)]
    for part in (estimator, *estimator.get_params().values()):
        if isinstance(part, _WITH_NUMBERS_OF_THEIR_OWN):
            inside = [n for n in nets_in(part, frozen=False) if id(n) in nets]
            if inside:
                raise ValueError(
                    f"{type(part).__name__} passes its labels on as integers, but the "
                    f"loss of the {type(inside[0]).__name__} in it takes floats: use "
                    "NeuralNetClassifier with two outputs."
                )


def _needs_floats(net):
    """Is this a net with one output and the loss that skorch gives it?"""
    skorch, torch = sys.modules["skorch"], sys.modules["torch"]
    binary = skorch.NeuralNetBinaryClassifier
    return (
        isinstance(net, binary)
        and type(net).get_loss is binary.get_loss
        and net.criterion is torch.nn.BCEWithLogitsLoss
        and net.dataset is skorch.dataset.Dataset
    )


def _predicts_numbers(net):
    """Is `predict` of this net skorch's own?"""
    skorch = sys.modules.get("skorch")
    is_skorch = skorch is not None and isinstance(net, skorch.NeuralNet)
    return is_skorch and not _has_own(net, "predict")


def _labels_itself(net):
    """Does a net with its own `predict` also turn labels into numbers by itself?"""
    return _has_own(net, "predict") and (_has_own(net, "fit") or _given(net) is None)


def _has_own(net, method):
    """Has a skorch net a method that is none of skorch's classifiers'?"""
    skorch = sys.modules["skorch"]
    kinds = skorch.NeuralNetClassifier, skorch.NeuralNetBinaryClassifier
    skorchs = [getattr(kind, method) for kind in kinds]
    return method in vars(net) or getattr(type(net), method) not in skorchs


def _up_to(labels):
    """Return how to write the numbers of all outputs, up to the largest label."""
    return f"list(range({max(int(max(labels)) + 1, len(labels))}))"
