"""What a classifier is, found out once for a call, and the voter that is for it."""

from functools import lru_cache, partial
from typing import Any, NamedTuple

import numpy as np

from ..models._boosters import is_booster
from ..models._by_rows import answers_by_rows, has_unknown_steps
from ..models._find_nets import nets_in
from ..models._linear import linear_scores
from ..models._mlp import mlp_layers
from ..models._net_labels import numbers_for_labels
from ..models._nets import Settled, as_predict_takes, direct
from ..models._plain import takes_as_matrix
from ..models._ties import layer_ties, linear_ties
from ..models._trees import compiled, is_sum_of_trees, takes_long_to_read
from ..models._unwrap import Chain, unwrap
from ._voter import Voter
from .voters._linear import LinearVoter
from .voters._mlp import MLPVoter
from .voters._predict import AnyVoter
from .voters._sparse import SparseVoter
from .voters._trees import TreesVoter, has_kernel

# Weights of a linear classifier whose voter is kept for the next call.
_MOST_REMEMBERED = 2**17


class Recognised(NamedTuple):
    """What a classifier is.

    Attributes
    ----------
    estimator : fitted classifier

    chain : Chain
        It, taken apart.

    voter : Voter
        The fastest that is exact in distribution. It has no inputs yet.

    plain : bool
        Is each answer sure to be computed from one copy alone?

    net : skorch net, ModuleClassifier or None
        The net that is asked itself, and not through ``estimator.predict``.

    feed : callable or None
        What it gets, see ``fold``.

    settled : Settled or None
        How a net at the end of `estimator` is evaluated.

    has_nets : bool
        Are there neural nets anywhere in `estimator`?
    """

    estimator: Any
    chain: Chain
    voter: Voter
    plain: bool = False
    net: Any = None
    feed: Any = None
    settled: Settled | None = None
    has_nets: bool = False


def recognise(estimator, classes, inputs, net_options=None, say=lambda message: None):
    """Find out what a classifier is, and make its voter.

    Parameters
    ----------
    estimator : fitted classifier

    classes : ndarray of shape (n_classes,)
        The labels that `estimator` may return.

    inputs : Inputs
        Some of those that are to be voted on.

    net_options : dict, Settled or None
        Settled, where it has been decided already how a net is evaluated.

    say : callable
        Takes what the user may want to know, in words.

    Returns
    -------
    recognised : Recognised

    Raises
    ------
    ValueError
        If there are options, but `estimator` is no net or must be asked through
        `predict`.
    """
    chain = unwrap(estimator)
    if inputs.is_sparse:
        voter = SparseVoter(estimator, classes, inputs.values.dtype)
        settled = _settled_by_predict(estimator, None, None, net_options, say)
        return Recognised(estimator, chain, voter, settled=settled)
    scores, layers = linear_scores(chain), mlp_layers(chain)
    plain = scores is not None or layers is not None or is_sum_of_trees(chain)
    if plain and not net_options and inputs.noise.is_normal:
        voter = _without_noisy_inputs(scores, layers, classes, inputs)
        if voter is not None:
            return Recognised(estimator, chain, voter, plain)
    net, feed, reason = direct(chain, inputs, net_options)
    if net is not None and reason is None:
        from .voters import _net

        voter, settled = _net.make(net, classes, feed, inputs, net_options, say)
        return Recognised(estimator, chain, voter, False, net, feed, settled, True)
    settled = _settled_by_predict(estimator, net, reason, net_options, say)
    plain = plain or answers_by_rows(chain)
    asked, dtype, model = estimator, inputs.values.dtype, None
    has_nets = not plain and bool(nets_in(estimator))
    if has_nets:
        classes = numbers_for_labels(estimator, classes)
        asked, dtype = as_predict_takes(estimator, dtype)
    read = None
    if has_kernel() and inputs.values.ndim == 2:
        own = chain if asked is estimator else unwrap(asked)
        if is_booster(own.last) or takes_long_to_read(own.last):
            read = partial(_trees, own, inputs.take(slice(1)))
        else:
            model, nameless = _trees(own, inputs)
    if read is not None:
        voter = TreesVoter(asked, classes, dtype, None, read=read)
    elif model is not None:
        voter = TreesVoter(asked, classes, dtype, model, nameless)
    else:
        voter = AnyVoter(asked, classes, dtype)
        voter.lacks_numba = not has_kernel() and is_sum_of_trees(chain)
    if has_unknown_steps(chain):  # which threads might share
        voter.prefer = AnyVoter.prefer
    return Recognised(
        estimator, chain, voter, plain, settled=settled, has_nets=has_nets
    )


def _trees(chain, inputs):
    """Return the Model of a Chain that is to be compiled, or None.

    And whether the columns of a frame may come as a matrix.
    """
    model = compiled(chain)
    if model is None or inputs.frame is None:
        return model, True
    as_matrix = takes_as_matrix(chain.steps, chain.last, inputs.table.columns)
    # Else steps get the frame, and what they make of it may be a matrix.
    return model if as_matrix or chain.steps else None, as_matrix


def _without_noisy_inputs(scores, layers, classes, inputs):
    """Return a voter that draws what noise makes of the inputs, or None."""
    matrix = None
    if scores is not None or layers is not None:
        matrix = inputs.matrix()
    if matrix is None:
        return None
    sigma = matrix[1]
    if scores is not None:
        return _linear_voter(*scores, sigma)
    if layer_ties(layers.weights, sigma):
        return None
    return MLPVoter(layers, classes, sigma)


def _linear_voter(weights, offset, sigma):
    """Return the voter for scores, or None if it would break ties between them.

    Where a service asks about one row at a time, making it takes as long as the votes:
    it is remembered by the numbers.
    """
    parts = [np.ascontiguousarray(part, float) for part in (weights, offset, sigma)]
    if weights.size > _MOST_REMEMBERED:
        return _new_linear_voter(*parts)
    shapes = tuple(part.shape for part in parts)
    return _remembered(tuple(part.tobytes() for part in parts), shapes)


@lru_cache(maxsize=8)
def _remembered(contents, shapes):
    parts = map(np.frombuffer, contents)
    pairs = zip(parts, shapes, strict=True)
    return _new_linear_voter(*(part.reshape(shape) for part, shape in pairs))


def _new_linear_voter(weights, offset, sigma):
    if linear_ties(weights, offset, sigma):
        return None
    return LinearVoter(weights, offset, sigma)


def _settled_by_predict(estimator, net, reason, net_options, say):
    """Return how a net is evaluated that is asked through `predict`; None: no net."""
    if isinstance(net_options, Settled):
        return net_options
    if net is None:
        reason = f"{type(estimator).__name__} does not end in a neural net"
    # To draw no noise behind a step is what predict does anyway.
    if net_options and (net is None or set(net_options) != {"push_forward"}):
        raise ValueError(f"net_options={net_options!r} cannot be used: {reason}.")
    if net is None:
        return None
    say(f"votes are taken through predict, which is slower: {reason}.")
    return Settled(mode="eager", dtype=None, channels_last=False, push_forward=False)
