"""MACER: the certified radius itself, made differentiable."""

import torch
from torch.nn import functional

from ._copies import check_number, check_weight, log_mean_shares
from ._prepared import PreparedLoss


class MACER(PreparedLoss):
    """Cross entropy of the soft prediction, and how much its radius lacks to a margin.

    With z for the net's logits, k noises d_i ~ N(0, sigma^2 I), ::

        G_b(x) = mean over i of softmax(b * z(x + d_i))
        xi(x)  = Phi^-1(G_beta(x)_y) - Phi^-1(largest G_beta(x)_c, c other than y)

    and Phi the distribution function of the normal distribution, sigma / 2 * xi is the
    certified radius of a soft smoothed classifier. What is minimised is ::

        mean over inputs of -log G_1(x)_y
        + lbd * sigma / 2 * mean over inputs of [G_beta(x) is right] max(gamma - xi, 0).

    Nothing is attacked. k is the `n_copies` of the net's ``GaussianNoise``, 16 in the
    paper, and sigma that layer's, which has to be one number. In skorch,
    ``PrepareCopies`` has to be among the callbacks.

    Parameters
    ----------
    lbd : float, default=12.0
        Weight of the second term; lambda in the paper. 0 leaves the cross entropy of
        the soft prediction.

    gamma : float, default=8.0
        Margin: inputs with a larger xi are let be.

    beta : float, default=16.0
        Inverse temperature, which makes the soft prediction nearly a vote.

    deferred : int, default=0
        Epochs in which lbd is 0, at the beginning. In the papers until the learning
        rate drops, on MNIST and at sigma = 1.

    Raises
    ------
    ValueError
        If a parameter is out of its range, or sigma is not one number; in `forward`,
        if nothing was prepared.

    See Also
    --------
    PrepareCopies : Tells the loss sigma before each step of skorch.

    References
    ----------
    R. Zhai, C. Dan, D. He, H. Zhang, B. Gong, P. Ravikumar, C.-J. Hsieh, L. Wang
    (2020), "MACER: Attack-free and Scalable Robust Training via Maximizing Certified
    Radius", arXiv:2001.02378.

    Examples
    --------
    A step of a training loop:

    >>> import torch
    >>> from sksmooth.torch import MACER, GaussianNoise
    >>> _ = torch.manual_seed(0)
    >>> layer = GaussianNoise(0.5, n_copies=16)
    >>> net = torch.nn.Sequential(layer, torch.nn.Linear(2, 2))
    >>> x, y = torch.randn(8, 2), torch.tensor([0, 1] * 4)
    >>> criterion = MACER(lbd=4.0)
    >>> criterion.prepare(net, x, y)
    >>> criterion(net(x), y).backward()

    With skorch: ``NeuralNetClassifier(Net, criterion=MACER, criterion__lbd=4.0,
    callbacks=[("copies", PrepareCopies())])``.
    """

    def __init__(self, lbd=12.0, *, gamma=8.0, beta=16.0, deferred=0):
        super().__init__()
        self.lbd = check_weight(lbd, "lbd")
        self.gamma = check_weight(gamma, "gamma")
        self.beta = check_weight(beta, "beta")
        self.deferred = check_number(deferred, "deferred", least=0)

    def _choose(self, batch):
        if isinstance(batch.sigma, torch.Tensor):
            raise ValueError("MACER needs a sigma that is one number.")
        waits = batch.epoch is not None and batch.epoch < self.deferred
        return batch.noise, 0.0 if waits else self.lbd * batch.sigma / 2

    def _loss(self, copies, target, known):
        loss = functional.nll_loss(log_mean_shares(copies), target)
        if known == 0:
            return loss
        # Apple's devices have no double precision.
        exact = torch.float32 if copies.device.type == "mps" else torch.float64
        shares = log_mean_shares(self.beta * copies.to(exact))
        right = shares.argmax(dim=1) == target
        others = shares[right].scatter(1, target[right, None], -torch.inf)
        # Phi^-1(p) of a p near 1 is -Phi^-1(1 - p), and 1 - p the sum of the others.
        xi = -_quantile(others.logsumexp(dim=1)) - _quantile(others.amax(dim=1))
        lacks = (self.gamma - xi).clamp_min(0).sum() / len(target)
        return loss + (known * lacks).to(loss.dtype)


def _quantile(log_share):
    """Return Phi^-1 of exp(log_share); far out a finite number without a gradient."""
    least = torch.finfo(log_share.dtype).tiny
    return torch.special.ndtri(log_share.exp().clamp_min(least))
