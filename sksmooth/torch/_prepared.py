"""Losses that choose the noise of the copies they will judge, and how they get to."""

from collections.abc import Callable
from typing import Any, NamedTuple

import torch

from ..models._torch_net import eval_mode, first_output
from ._copies import class_numbers, two_logits, unstack
from ._layers import GaussianNoise

try:
    from skorch.callbacks import Callback
    from skorch.dataset import unpack_data
    from skorch.utils import to_tensor
except ImportError:  # plain torch loops do without
    Callback = object


class Batch(NamedTuple):
    """What a loss may look at when it chooses the noise of a batch."""

    x: torch.Tensor  # (n_inputs, *shape)
    target: torch.Tensor  # (n_inputs,)
    noise: torch.Tensor  # (n_copies, n_inputs, *shape), fresh
    # From noise of that kind, for any number of copies, to logits of shape (n_copies,
    # n_inputs, n_classes): of the net in eval mode, as it is now.
    logits: Callable
    sigma: Any  # of the noise layer
    scale: Any  # the unit of radii: 1.0, or sigma where that has several values
    epoch: int | None  # from 0; None if it is not known


class PreparedLoss(torch.nn.CrossEntropyLoss):
    """A loss that chooses the noise of the copies whose outputs it then gets.

    A subclass has two methods: ``_choose(batch)`` returns the noise for the forward
    pass that comes, of shape (any number, n_inputs, *shape), and what ``_loss(copies,
    target, known)`` needs to know besides the logits of these copies.
    """

    _known = None
    _passing = None  # the noise layer, and the batch that is to go through it

    def prepare(self, module, x, target, *, epoch=None):
        """Choose the noise for the next forward pass of `module`, and hand it over.

        ``PrepareCopies`` calls this in skorch. In a loop of your own, call it before
        ``criterion(module(x), target)``.

        Parameters
        ----------
        module : torch.nn.Module
            Begins with ``GaussianNoise``, which gets the batch as it is. Attacked in
            eval mode; neither its mode nor the gradients of its weights change.

        x : tensor of shape (n_inputs, *shape)
            On the device of the module.

        target : tensor of shape (n_inputs,)
            Class numbers.

        epoch : int, default=None
            From 0; for parameters that count epochs. None is after all of these.

        Raises
        ------
        ValueError
            If the module has no noise layer, or several.
        """
        layer = _noise_layer(module)

        def logits(noise):
            layer.add_next(noise.flatten(0, 1))
            output = first_output(module(x), type(self).__name__)
            return unstack(two_logits(output), len(x))

        target = class_numbers(target)
        with eval_mode(module):
            noise = unstack(layer.draw(x), len(x))
            sigma = layer.sigma
            scale = sigma.to(x) if isinstance(sigma, torch.Tensor) else 1.0
            batch = Batch(x, target, noise, logits, sigma, scale, epoch)
            noise, self._known = self._choose(batch)
        layer.add_next(noise.detach().flatten(0, 1))
        self._passing = layer, x

    def forget(self):
        """Forget what is remembered of inputs, if anything is."""

    def forward(self, input, target):
        """Return the loss of the logits for the copies that were chosen.

        Parameters
        ----------
        input : tensor of shape (n_copies * n_inputs, n_classes)
            Logits: of the first copies of all inputs, then of the second, and so on.
            One logit z, as (n_copies * n_inputs,) or with 1 column, is two: 0 and z.

        target : tensor of shape (n_inputs,)
            Class numbers, integers or floats.

        Returns
        -------
        loss : tensor
            In eval mode of this loss the cross entropy, of one copy.

        Raises
        ------
        ValueError
            If nothing was prepared for these outputs, if another forward pass has taken
            the noise, or if the noise layer got something else than the batch.
        """
        input, target = two_logits(input), class_numbers(target)
        if not self.training:
            return super().forward(input, target)
        known, self._known = self._known, None
        if known is None:
            raise ValueError(
                f"{type(self).__name__} has prepared nothing for this batch: add "
                "callbacks=[('copies', PrepareCopies())] to a skorch net, or call "
                "criterion.prepare(module, x, target) in a loop of your own (and "
                "criterion.eval() before validation)."
            )
        (layer, x), self._passing = self._passing, None
        _check_pass(layer._take_met(), x, type(self).__name__)
        return self._loss(unstack(input, len(target)), target, known)


class PrepareCopies(Callback):
    """Callback of skorch: lets the loss choose the noise before each training step.

    Losses that attack the net, or that look at clean inputs, need this; with any other
    loss it does nothing. A loss takes part if it has a method ``prepare(module, x, y,
    epoch=...)``, which gets the batch on the device of the net.

    See Also
    --------
    SmoothAdv, SmoothMix, CATRS, MACER, Stability : Losses that need it.
    GaussianNoise : Its methods ``draw`` and ``add_next`` are what `prepare` works with.

    Examples
    --------
    >>> import numpy as np
    >>> import torch
    >>> from skorch import NeuralNetClassifier
    >>> from sksmooth.torch import GaussianNoise, PrepareCopies, SmoothAdv
    >>> net = NeuralNetClassifier(
    ...     torch.nn.Sequential(GaussianNoise(0.5, n_copies=2), torch.nn.Linear(2, 2)),
    ...     criterion=SmoothAdv,
    ...     criterion__epsilon=0.25,
    ...     callbacks=[("copies", PrepareCopies())],
    ...     lr=0.5,
    ...     train_split=None,
    ...     verbose=0,
    ... )
    >>> X = np.random.default_rng(0).normal(size=(100, 2)).astype("float32")
    >>> net = net.fit(X, (X[:, 0] > 0).astype(int))
    >>> net.predict(np.float32([[2.0, 0.0], [-2.0, 0.0]]))
    array([1, 0])
    """

    def on_batch_begin(self, net, batch=None, training=None, **kwargs):
        """Call the `prepare` of the net's loss, if it has one.

        Parameters
        ----------
        net : NeuralNet

        batch : tuple of (X, y)

        training : bool
            Nothing is done outside training.

        **kwargs : dict
            Ignored.
        """
        prepare = getattr(net.criterion_, "prepare", None)
        if training and prepare is not None:
            x, y = (to_tensor(part, device=net.device) for part in unpack_data(batch))
            prepare(net.module_, x, y, epoch=max(0, len(net.history) - 1))

    def on_train_end(self, net, **kwargs):
        """Let the net's loss forget what it remembers of inputs, if it does.

        Parameters
        ----------
        net : NeuralNet

        **kwargs : dict
            Ignored.
        """
        if isinstance(net.criterion_, PreparedLoss):
            net.criterion_.forget()


def _check_pass(met, x, name):
    """Raise a ValueError unless the chosen noise was added to the batch x."""
    if met is None:
        raise ValueError(
            f"another forward pass in training mode came after {name} had chosen the "
            "noise for one: call prepare(module, x, target) directly before "
            "criterion(module(x), target)."
        )
    x = x.to(met)
    if met.shape != x.shape or not bool(((met == x) | x.isnan()).all()):
        raise ValueError(
            f"the GaussianNoise layer did not get the batch that {name} has prepared "
            "noise for, but something made of it: it has to come first in the net, "
            "so that noise is in the units of the input. Normalize comes after it."
        )


def _noise_layer(module):
    layers = [part for part in module.modules() if isinstance(part, GaussianNoise)]
    if len(layers) != 1:
        raise ValueError(
            f"the module has {len(layers)} GaussianNoise layers; one is needed, at the "
            "front, which makes the copies."
        )
    return layers[0]
