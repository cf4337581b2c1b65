"""Layers for training nets that will be smoothed."""

from numbers import Integral

import numpy as np
import torch


class GaussianNoise(torch.nn.Module):
    """Layer that adds fresh Gaussian noise in training mode, and nothing in eval mode.

    Put it first in a net, so that sigma is in the units of the input. Every batch gets
    its own noise, drawn on the device of the input from torch's global generator.

    Parameters
    ----------
    sigma : float, array-like or tensor, default=0.25
        Standard deviation of the noise; one value, or what broadcasts against one
        input. 0 adds none.

    in_eval : bool, default=False
        Also add noise in eval mode: early stopping and learning rate schedules then
        see the accuracy under noise. The net's own `predict` is random then;
        ``SmoothedClassifier`` switches this off while it votes.

    n_copies : int, default=1
        Noisy copies of each input in training mode: the first of all inputs, then the
        second of all, and so on. For a loss that knows of them: ``ConsistencyLoss``,
        ``MACER``. The m of the papers.

    Raises
    ------
    ValueError
        If sigma is negative or not finite, or `n_copies` not a positive whole number;
        in `forward`, if sigma does not broadcast.

    See Also
    --------
    ConsistencyLoss : Makes a net answer alike to all copies of an input.
    PrepareCopies : Lets a loss choose the noise of the copies.
    sksmooth.GaussianAugmenter : Noise drawn once, for other classifiers.

    References
    ----------
    J. Cohen, E. Rosenfeld, J. Z. Kolter (2019), arXiv:1902.02918, section 3.3.

    Examples
    --------
    >>> import torch
    >>> from sksmooth.torch import GaussianNoise
    >>> layer = GaussianNoise(0.5)
    >>> noisy = layer(torch.zeros(1000, 4))
    >>> bool((noisy.std() - 0.5).abs() < 0.05)
    True
    >>> layer.eval()(torch.zeros(1, 4))
    tensor([[0., 0., 0., 0.]])
    """

    # Tells the voters which layers to silence without importing this module.
    is_smoothing_noise = True

    _next = None  # the noise of the next forward pass, where it was chosen
    _met = None  # what that was added to, unless a pass in training mode came after it
    _of_a_pass = ("_next", "_met")  # neither in files nor in fingerprints

    def __init__(self, sigma=0.25, *, in_eval=False, n_copies=1):
        super().__init__()
        self.sigma = sigma
        self.in_eval = in_eval
        if type(n_copies) is bool or not isinstance(n_copies, Integral) or n_copies < 1:
            raise ValueError(
                f"n_copies must be a positive whole number, got {n_copies!r}."
            )
        self.n_copies = n_copies

    @property
    def sigma(self):
        """The noise level: a float, or a tensor."""
        return self._level.item() if self._level.ndim == 0 else self._level

    @sigma.setter
    def sigma(self, sigma):
        # sigma itself may be a tensor on any device, with or without a gradient.
        if isinstance(sigma, torch.Tensor):
            sigma = sigma.detach().cpu().numpy()
        level = torch.from_numpy(np.array(sigma, dtype=float))
        if not bool((level.isfinite() & (level >= 0)).all()):
            raise ValueError(f"sigma must be finite and not negative, got {sigma!r}.")
        # A plain attribute: sigma is a parameter of training, not a weight, so a
        # checkpoint does not bring back the sigma that it was trained with.
        self._level = level

    def draw(self, x):
        """Return fresh noise for the copies of x, as training mode adds it.

        Parameters
        ----------
        x : tensor of shape (n_inputs, *shape)

        Returns
        -------
        noise : tensor of shape (n_copies * n_inputs, *shape), dtype and device of x

        Raises
        ------
        ValueError
            If sigma does not broadcast to an input.
        """
        return self._noise(_copies(x, self.n_copies))

    def add_next(self, noise):
        """Choose the noise of the next forward pass, in whatever mode it is.

        Parameters
        ----------
        noise : tensor of shape (any number * n_inputs, *shape)
            Added to as many copies of x, one after another, without fresh noise.
        """
        self._next = noise
        self._met = None

    def _take_met(self):
        """Return what the chosen noise was added to, and forget it.

        None if nothing was chosen, or if another forward pass in training mode came
        after the one that the noise was for.
        """
        met, self._met = self._met, None
        return met

    def __getstate__(self):
        return {k: v for k, v in vars(self).items() if k not in self._of_a_pass}

    def forward(self, x):
        """Return x, with noise where the mode asks for it.

        Parameters
        ----------
        x : tensor of shape (n_inputs, *shape)

        Returns
        -------
        noisy : tensor of shape (n_copies * n_inputs, *shape), dtype and device of x
            With one copy in eval mode; with the chosen noise after `add_next`.
        """
        noise, self._next = self._next, None
        if noise is not None:
            if noise.shape[1:] != x.shape[1:] or not len(x) or len(noise) % len(x):
                raise ValueError(
                    f"noise of shape {tuple(noise.shape)} was chosen for this batch, "
                    f"but the layer got inputs of shape {tuple(x.shape)}. It has to "
                    "come first in the net."
                )
            self._met = x.detach()
            return _copies(x, len(noise) // len(x)) + noise.to(x)
        if self.training:
            self._met = None
        if not (self.training or self.in_eval):
            return x
        x = _copies(x, self.n_copies if self.training else 1)
        if self._level.ndim == 0 and self._level == 0:
            return x
        return x + self._noise(x)

    def _noise(self, x):
        level = self._level
        if level.ndim == 0:
            return level.item() * torch.randn_like(x)
        if torch.broadcast_shapes(level.shape, x.shape[1:]) != x.shape[1:]:
            raise ValueError(
                f"sigma of shape {tuple(level.shape)} does not broadcast to one input "
                f"of shape {tuple(x.shape[1:])}."
            )
        return level.to(x.device, x.dtype) * torch.randn_like(x)

    def extra_repr(self):
        """Return what `repr` shows between the brackets.

        Returns
        -------
        text : str
        """
        text = f"sigma={self.sigma}"
        text += ", in_eval=True" if self.in_eval else ""
        return text + (f", n_copies={self.n_copies}" if self.n_copies > 1 else "")


def _copies(x, n_copies):
    """Return x n_copies times, one after another."""
    return x if n_copies == 1 else x.repeat(n_copies, *[1] * (x.ndim - 1))
