"""Neural nets as base classifiers, as far as that can be known without torch."""

import sys
from dataclasses import dataclass
from typing import Any

import numpy as np

from ._affine import blanked, pull_back
from ._find_nets import net_at_end, nets_in, with_nets

# Folding costs the square of the width; wider inputs are no tables of features.
_MAX_FOLDED_WIDTH = 4096

# Through steps that mix features it costs the square of the width behind them, too.
_MAX_MIXED_WIDTH = 1024

# What a skorch net answers with, next to `predict` and `predict_proba`. One that does
# any of it in its own way is asked through `predict`.
_SKORCH_STEPS = (
    "forward",
    "forward_iter",
    "evaluation_step",
    "get_dataset",
    "get_iterator",
)
_HARMLESS_ITERATOR_OPTIONS = {
    "batch_size",
    "num_workers",
    "persistent_workers",
    "pin_memory",
    "prefetch_factor",
}


def why_not_direct(net, searched=False):
    """Say why votes of `net` must be taken through its `predict`; None if not."""
    skorch = sys.modules.get("skorch")
    if skorch is None or not isinstance(net, skorch.NeuralNet):
        return None
    cls, name = type(net), type(net).__name__
    for base in (skorch.NeuralNetClassifier, skorch.NeuralNetBinaryClassifier):
        if isinstance(net, base):
            break
    else:
        return f"{name} is not one of skorch's own classifiers"
    for method in ("predict", "predict_proba", *_SKORCH_STEPS):
        if getattr(cls, method) is not getattr(base, method) or method in vars(net):
            return f"{name} has its own {method}"
    if net.dataset is not skorch.dataset.Dataset or net.get_params_for("dataset"):
        return f"{name} has its own dataset, which may transform the inputs"
    options = set(net.get_params_for("iterator_valid")) - _HARMLESS_ITERATOR_OPTIONS
    loader = sys.modules["torch"].utils.data.DataLoader
    if net.iterator_valid is not loader or options:
        return f"{name} has its own iterator_valid, which may transform the inputs"
    # A search is trained, by whomever, on the labels that its net names.
    labels = np.asarray(net.classes_).tolist() if searched else []
    if labels != list(range(len(labels))):
        return f"a search trained {name} on the labels {labels!r}, not on 0, 1, ..."
    return None


@dataclass(frozen=True)
class Fed:
    """What a net gets for a noisy copy of each input: a random variable.

    Attributes
    ----------
    values : ndarray of shape (n_inputs, *shape)
        Its mean.

    noise : BoundNoise or None
        What is added to it, if that is independent for its elements.

    factor : ndarray of shape (n_normals, width), or None
        Where `shape` is (width,): its covariance is ``factor.T @ factor``.
    """

    values: np.ndarray
    noise: Any
    factor: np.ndarray | None = None

    @property
    def sigma(self):
        """Its standard deviation, if its elements are independent; else None."""
        return None if self.noise is None else self.noise.sigma

    @property
    def grid(self):
        """Steps of the grid that `values` are on; None if they are on none."""
        return None if self.noise is None else self.noise.step

    @property
    def normals(self):
        """How many normals a copy takes at most."""
        if self.factor is not None:
            return min(self.factor.shape)
        return int(np.prod(self.values.shape[1:]))


@dataclass(frozen=True)
class Settled:
    """How a net is evaluated: all options, for all workers and draws of a call.

    Votes depend on `dtype` and `push_forward`; the others are a matter of time.
    """

    mode: str
    dtype: str | None
    channels_last: bool
    push_forward: bool


def pushes_forward(net_options):
    """Tell whether noise may be drawn behind a linear map and not before it."""
    if isinstance(net_options, Settled):
        return net_options.push_forward
    return (net_options or {}).get("push_forward", True)


def direct(chain, inputs, net_options=None):
    """Return what a voter needs to ask a net itself, and not through `predict`.

    Parameters
    ----------
    chain : Chain

    inputs : Inputs

    net_options : dict, Settled or None

    Returns
    -------
    net : skorch net, ModuleClassifier or None
        None if `chain` does not end in one.

    feed, reason
        As in ``fold``.
    """
    net = net_at_end(chain)
    if net is None:
        return None, None, None
    reason = why_not_direct(net, chain.searched)
    if reason is not None:
        return net, None, reason
    return net, *fold(chain.steps, inputs, mix=pushes_forward(net_options))


def fold(steps, inputs, *, mix=True):
    """Turn noise on the inputs into noise on what the net gets.

    Through affine steps, z = A x + c, normal noise of levels sigma on x is normal noise
    on z of covariance A diag(sigma^2) A^T, so the steps need not run for every copy.
    Where every row of A has one element only, the features of z are independent, and
    noise of any kind stays of that kind.

    Parameters
    ----------
    steps : sequence of fitted transformers

    inputs : Inputs
        One at least of those that will be fed.

    mix : bool, default=True
        Also fold steps that mix features.

    Returns
    -------
    feed : callable, or None if that is not possible
        ``feed(inputs)`` returns what the net gets, as a Fed.

    reason : str or None
        Why it is not possible.
    """
    if inputs.why_not_fed is not None:
        return None, inputs.why_not_fed
    if not steps:
        if inputs.frame is not None:
            return None, "skorch takes a data frame apart by columns"
        return lambda inputs: Fed(inputs.values, inputs.noise), None
    if inputs.grid is not None or not inputs.noise.scales:
        return None, "on a grid, noise is added before the steps"
    matrix = inputs.matrix()
    if matrix is None:
        return None, "the steps before the net get no numbers in two dimensions"
    X, sigma = matrix
    one = inputs.take(slice(0, 1))
    # Also tells the width behind the steps, which not every transformer knows.
    # A copy: steps may work in place.
    if one.frame is None:
        transformed = one.values.copy()
    else:
        transformed = one.table.clone().to_native()
    for step in steps:
        transformed = step.transform(transformed)
    if not isinstance(transformed, np.ndarray):
        return None, f"{type(steps[-1]).__name__} returns no array"
    width = transformed.shape[1]
    if max(width, X.shape[1]) > _MAX_FOLDED_WIDTH:
        return None, f"more than {_MAX_FOLDED_WIDTH} features"
    weights, offset = np.eye(width), np.zeros(width)
    mixing = None
    for step in reversed(steps):
        pulled = pull_back(step, weights, offset)
        if pulled is None:
            return None, f"{type(step).__name__} is not affine"
        weights, offset = pulled
        if mixing is None and np.any(np.count_nonzero(weights, axis=1) > 1):
            mixing = f"{type(step).__name__} mixes features"
    if mixing is None:
        column = np.abs(weights).argmax(axis=1)
        scale = weights[np.arange(width), column]
        level = np.abs(scale) * sigma[column]
        noisy = column[level > 0]
        if len(set(noisy)) == len(noisy):
            noise = inputs.noise.at(level)

            def feed(inputs):
                return Fed(scale * inputs.matrix()[0][:, column] + offset, noise)

            return feed, None
        mixing = "the net gets a feature more than once"
    if not inputs.noise.is_normal:
        return None, f"{mixing}, and the noise is not normal"
    if not mix:
        return None, f"{mixing}, and push_forward is off"
    if width > _MAX_MIXED_WIDTH:
        return None, f"{mixing}, and there are more than {_MAX_MIXED_WIDTH} of them"
    factor = (weights * sigma).T
    return lambda inputs: Fed(
        blanked(inputs.matrix()[0], weights) @ weights.T + offset, None, factor
    ), None


def as_net_takes(estimator, values):
    """Return `values` in float32 if there is a net in `estimator` whose weights are.

    scikit-learn's arrays are float64 by default; torch refuses to multiply them with
    float32.
    """
    if values.dtype != np.float64:
        return values
    modules = [getattr(net, "module_", net.module) for net in nets_in(estimator)]
    if not modules:
        return values
    torch = sys.modules["torch"]
    # Of a class no more is known than what skorch makes of it by default; where there
    # are both, as in a search that is fitted, the modules were made of the classes.
    made = [module for module in modules if isinstance(module, torch.nn.Module)]
    doubles = [
        torch.float64 in {p.dtype for p in module.parameters() if p.is_floating_point()}
        for module in made
    ] or [torch.get_default_dtype() == torch.float64]
    return values if all(doubles) else values.astype(np.float32)


def as_predict_takes(estimator, dtype):
    """Return an estimator whose nets add no noise, and the dtype of what they take.

    `dtype` is that of the inputs.
    """
    if not nets_in(estimator):
        return estimator, dtype
    from ._torch_net import silenced

    return with_nets(estimator, silenced), as_net_takes(
        estimator, np.empty(0, dtype)
    ).dtype


def check_devices(estimator):
    """Raise a ValueError if a net is to be trained on a device that is not here."""
    for net in nets_in(estimator, frozen=False):
        from ._torch_net import check_device

        check_device(net.device)
