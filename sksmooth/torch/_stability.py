"""Stability training: noisy copies are to be answered as the clean input is."""

import torch
from torch.nn import functional

from ._copies import check_weight, log_shares
from ._prepared import PreparedLoss


class Stability(PreparedLoss):
    """Cross entropy of clean inputs, and of noisy copies against the clean answer.

    With F for softmax of the net's logits and m noises d_i ~ N(0, sigma^2 I), what is
    minimised is ::

        mean over inputs of -log F(x)_y
        + lbd * mean over inputs and i of -sum over c of F(x)_c log F(x + d_i)_c.

    Gradients go through the clean answer, too. m is the `n_copies` of the net's
    ``GaussianNoise``, 1 in the paper; the layer passes on 1 + m copies here, the clean
    inputs first: in training mode BatchNorm sees both kinds in one batch. In skorch,
    ``PrepareCopies`` has to be among the callbacks.

    Parameters
    ----------
    lbd : float, default=2.0
        Weight of the second term; lambda in the comparisons of later papers. 0 trains
        without noise.

    Raises
    ------
    ValueError
        If `lbd` is negative or not finite; in `forward`, if nothing was prepared.

    See Also
    --------
    PrepareCopies : Adds the clean inputs before each step of skorch.
    ConsistencyLoss : Compares noisy copies with each other.

    References
    ----------
    B. Li, C. Chen, W. Wang, L. Carin (2019), "Certified Adversarial Robustness with
    Additive Noise", arXiv:1809.03113.

    Examples
    --------
    A step of a training loop:

    >>> import torch
    >>> from sksmooth.torch import GaussianNoise, Stability
    >>> _ = torch.manual_seed(0)
    >>> net = torch.nn.Sequential(GaussianNoise(0.5), torch.nn.Linear(2, 2))
    >>> x, y = torch.randn(8, 2), torch.tensor([0, 1] * 4)
    >>> criterion = Stability(lbd=1.0)
    >>> criterion.prepare(net, x, y)
    >>> outputs = net(x)
    >>> outputs.shape
    torch.Size([16, 2])
    >>> criterion(outputs, y).backward()

    With skorch: ``NeuralNetClassifier(Net, criterion=Stability, criterion__lbd=1.0,
    callbacks=[("copies", PrepareCopies())])``.
    """

    def __init__(self, lbd=2.0):
        super().__init__()
        self.lbd = check_weight(lbd, "lbd")

    def _choose(self, batch):
        return torch.cat([torch.zeros_like(batch.noise[:1]), batch.noise]), True

    def _loss(self, copies, target, known):
        clean, noisy = copies[0], copies[1:]
        loss = functional.cross_entropy(clean, target)
        apart = -(clean.softmax(dim=1) * log_shares(noisy)).sum(dim=2)
        return loss + self.lbd * apart.mean()
