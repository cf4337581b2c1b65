"""CAT-RS: how sure the net is of an input decides how it is trained on it."""

import torch
from torch.nn import functional

from ..models._torch_net import eval_mode, first_output
from ._ascent import ascend, slope_of
from ._copies import (
    check_number,
    check_weight,
    log_mean_shares,
    log_shares,
    two_logits,
    unstack,
)
from ._prepared import PreparedLoss


class CATRS(PreparedLoss):
    """Easy copies only of inputs that are hard, the worst noise for those that are not.

    Confidence-aware training for randomized smoothing. With F for softmax of the net's
    logits and M noises d_i ~ N(0, sigma^2 I), let p be the share of the M copies of an
    input that the net classifies correctly, K ~ Bin(M, p), at least 1, and ::

        L_low  = 1/M * sum of the K smallest of the M cross entropies -log F(x + d_i)_y
        L_high = [K = M] * max over i of KL(Y || F(x + d_i'))

    where each d_i' is noise from the ball ``||d_i' - d_i||_2 <= epsilon`` that makes
    this divergence large, and Y soft labels of x. What is minimised is ::

        mean over inputs of L_low + lbd * L_high.

    The attack makes T steps of length ``2 epsilon / T`` along the gradient of the
    divergence, scaled to length 1. After each step a noise is given the mean and the
    mean square of d_i again, so that it looks like noise, and is pulled back into the
    ball (the authors' code does this in the other order). That is for images: noise of
    one or two features can hardly move then. It is made on the net in eval mode. M is
    the `n_copies` of the net's ``GaussianNoise``, which passes on 2 M copies here: in
    training mode BatchNorm sees both kinds in one batch. In skorch, ``PrepareCopies``
    has to be among the callbacks.

    Parameters
    ----------
    epsilon : float, default=1.0
        Radius of the ball, in the units of the input.

    T : int, default=4
        Steps of the attack.

    lbd : float, default=1.0
        Weight of L_high; lambda in the paper. More of it gives larger radii. 0 leaves
        L_low, and attacks nothing.

    teacher : torch.nn.Module, default=None
        A net that was trained with plain noise, on the device of the inputs: Y is the
        mean of its softmax over the M copies. None takes the net itself, as it is
        before the step; then M has to be 2 at least, as one copy does not differ from
        the mean of itself. In the paper Y are the shares of 10,000 votes of a net
        trained at sigma = 0.25.

    Raises
    ------
    ValueError
        If a parameter is out of its range; in `prepare`, if sigma is not one number or
        there is one copy and no teacher; in `forward`, if nothing was prepared.

    See Also
    --------
    PrepareCopies : Runs the attack before each step of skorch.

    References
    ----------
    J. Jeong, S. Kim, J. Shin (2023), "Confidence-aware Training of Smoothed Classifiers
    for Certified Robustness", arXiv:2212.09000.

    Examples
    --------
    A step of a training loop:

    >>> import torch
    >>> from sksmooth.torch import CATRS, GaussianNoise
    >>> _ = torch.manual_seed(0)
    >>> layer, linear = GaussianNoise(0.5, n_copies=4), torch.nn.Linear(64, 2)
    >>> net = torch.nn.Sequential(layer, linear)
    >>> x, y = torch.randn(8, 64), torch.tensor([0, 1] * 4)
    >>> criterion = CATRS(epsilon=0.5)
    >>> criterion.prepare(net, x, y)
    >>> criterion(net(x), y).backward()  # 2 M copies of x

    With skorch: ``NeuralNetClassifier(Net, criterion=CATRS, criterion__lbd=2.0,
    callbacks=[("copies", PrepareCopies())])``.
    """

    def __init__(self, epsilon=1.0, *, T=4, lbd=1.0, teacher=None):
        super().__init__()
        self.epsilon = check_weight(epsilon, "epsilon")
        self.T = check_number(T, "T")
        self.lbd = check_weight(lbd, "lbd")
        # Not a part of this loss: an optimizer would be given its weights.
        self.__dict__["teacher"] = teacher

    def _choose(self, batch):
        noise = batch.noise
        if self.lbd == 0:
            return noise, ()
        if isinstance(batch.sigma, torch.Tensor):
            raise ValueError("CATRS needs a sigma that is one number.")
        if self.teacher is None and len(noise) == 1:
            raise ValueError(
                "CATRS without a teacher compares the copies of an input with each "
                "other: GaussianNoise(sigma, n_copies=4), or at least 2."
            )
        taught = []  # if not by a teacher, by the net at the start of the attack
        if self.teacher is not None:
            copies = (batch.x + noise).flatten(0, 1)
            with torch.no_grad(), eval_mode(self.teacher) as teacher:
                logits = two_logits(first_output(teacher(copies), "the teacher"))
            taught.append(log_mean_shares(unstack(logits, len(batch.x))).exp())

        def divergence(rows):
            copies = batch.logits(rows.unflatten(0, noise.shape[:2]))
            if not taught:
                taught.append(log_mean_shares(copies.detach()).exp())
            return _divergence(taught[0], copies).sum()

        start = noise.flatten(0, 1)
        *_, worst = ascend(
            slope_of(divergence),
            start,
            steps=self.T,
            step_size=2 * self.epsilon / self.T,
            epsilon=self.epsilon,
            restrict=lambda rows: _like(rows, start),
        )
        return torch.cat([noise, worst.unflatten(0, noise.shape[:2])]), taught[0]

    def _loss(self, copies, target, known):
        n_copies = len(copies) // 2 if self.lbd else len(copies)
        plain, worst = copies[:n_copies], copies[n_copies:]
        places = target.expand(n_copies, -1)[:, :, None]
        losses = -log_shares(plain).gather(2, places).squeeze(2)
        confidence = (plain.argmax(dim=2) == target).to(losses.dtype).mean(dim=0)
        kept = (torch.rand_like(losses) < confidence).sum(dim=0).clamp_min(1)
        rank = torch.arange(n_copies, device=losses.device)[:, None]
        loss = (losses.sort(dim=0).values * (rank < kept)).sum(dim=0) / n_copies
        if self.lbd:
            sure = kept == n_copies
            loss = loss + self.lbd * sure * _divergence(known, worst).amax(dim=0)
        return loss.mean()


def _divergence(wanted, copies):
    """Return KL(wanted || softmax of the copies), of shape (n_copies, n_inputs)."""
    wanted = wanted.expand_as(copies)
    return functional.kl_div(log_shares(copies), wanted, reduction="none").sum(dim=2)


def _like(rows, model):
    """Return rows with the means and the mean squares that the rows of `model` have."""
    rows, flat = rows.flatten(1), model.flatten(1)
    mean = flat.mean(dim=1, keepdim=True)
    rows = rows - rows.mean(dim=1, keepdim=True)
    spread = rows.norm(dim=1, keepdim=True)
    wanted = (flat - mean).norm(dim=1, keepdim=True)
    return (mean + rows * (wanted / spread.clamp_min(1e-12))).reshape(model.shape)
