"""SmoothMix: mixtures with adversarial examples are to be answered less surely."""

import torch
from torch.nn import functional

from ._ascent import ascend, check_clip, inside, shortened, slope_of
from ._copies import (
    check_number,
    check_weight,
    log_mean_shares,
    log_shares,
    repeated,
    soft_cross_entropy,
    warm,
)
from ._prepared import PreparedLoss


class SmoothMix(PreparedLoss):
    """Cross entropy, and how far mixtures with adversarial examples are from unsure.

    With F for softmax of the net's logits, m noises d_i ~ N(0, sigma^2 I) and the soft
    prediction ``G(x) = mean over i of F(x + d_i)``, T steps of length alpha along the
    gradient of ``-log G(x')_y``, scaled to length 1, lead from x to x_T. They are not
    kept in a ball: the nearer x is to the boundary, the further beyond it x_T is. With
    s uniform in [0, 1/2] for each input and C classes ::

        x_mix = (1 - s) x + s x_T
        y_mix = (1 - s) G(x) + s / C

    and what is minimised is ::

        mean over inputs and i of -log F(x + d_i)_y
        + eta * mean over inputs and i of [G(x) is right] KL(y_mix || F(x_mix + d_i)).

    Gradients go through y_mix, too. With `one_step`, x in these formulas is the point
    that the first step of the attack leads to, which gives larger radii at the cost of
    accuracy. The attack is made on the net in eval mode. m is the `n_copies` of the
    net's ``GaussianNoise``, which passes on 2 m copies here: in training mode BatchNorm
    sees both kinds in one batch. In skorch, ``PrepareCopies`` has to be among the
    callbacks.

    Parameters
    ----------
    eta : float, default=5.0
        Weight of the mixtures. 0 trains with plain noise (without `one_step`).

    alpha : float, default=1.0
        l2 length of a step of the attack, in the units of the certified radius: those
        of the input, or of sigma where the layer has several.

    T : int, default=4
        Steps of the attack. In the papers alpha * T grows with sigma: for MNIST with
        alpha = 1, T is 2 at sigma = 0.25, 4 at 0.5 and 8 at 1.

    one_step : bool, default=False
        Put the example after one step in the place of x.

    warmup : int, default=1
        Epochs over which eta, and how far the one step goes, grow linearly to their
        values; 10 of 90 to 150 in the papers.

    clip : tuple of (float, float), default=None
        Range of the input, as (0, 1) for pixels, which the attack does not leave.

    Raises
    ------
    ValueError
        If a parameter is out of its range; in `prepare`, if x leaves `clip`; in
        `forward`, if nothing was prepared.

    See Also
    --------
    PrepareCopies : Runs the attack before each step of skorch.

    References
    ----------
    J. Jeong, S. Park, M. Kim, H.-C. Lee, D. Kim, J. Shin (2021), "SmoothMix: Training
    Confidence-calibrated Smoothed Classifiers for Certified Robustness",
    arXiv:2111.09277.

    Examples
    --------
    A step of a training loop:

    >>> import torch
    >>> from sksmooth.torch import GaussianNoise, SmoothMix
    >>> _ = torch.manual_seed(0)
    >>> net = torch.nn.Sequential(GaussianNoise(0.5, n_copies=4), torch.nn.Linear(2, 2))
    >>> x, y = torch.randn(8, 2), torch.tensor([0, 1] * 4)
    >>> criterion = SmoothMix(eta=1.0, alpha=0.5, T=2)
    >>> criterion.prepare(net, x, y)
    >>> outputs = net(x)
    >>> outputs.shape
    torch.Size([64, 2])
    >>> criterion(outputs, y).backward()

    With skorch: ``NeuralNetClassifier(Net, criterion=SmoothMix, criterion__eta=1.0,
    callbacks=[("copies", PrepareCopies())])``.
    """

    def __init__(self, eta=5.0, *, alpha=1.0, T=4, one_step=False, warmup=1, clip=None):
        super().__init__()
        self.eta = check_weight(eta, "eta")
        self.alpha = check_weight(alpha, "alpha")
        self.T = check_number(T, "T")
        self.one_step = one_step
        self.warmup = check_number(warmup, "warmup")
        self.clip = check_clip(clip)

    def _choose(self, batch):
        noise, strength = batch.noise, warm(batch.epoch, self.warmup)
        start = noise.new_zeros(batch.x.shape)

        def loss(shift):
            copies = batch.logits(noise + batch.scale * shift)
            return soft_cross_entropy(copies, batch.target)

        first, *rest = ascend(
            slope_of(loss),
            start,
            steps=self.T,
            step_size=self.alpha,
            restrict=inside(batch.x, self.clip, batch.scale),
        )
        last = rest[-1] if rest else first
        if self.one_step:
            start = shortened(first, strength * self.alpha)
        share = torch.rand(len(noise[0]), dtype=noise.dtype, device=noise.device) / 2
        mixed = torch.lerp(start, last, share.reshape(-1, *[1] * (start.ndim - 1)))
        start, mixed = batch.scale * start, batch.scale * mixed
        return torch.cat([noise + start, noise + mixed]), (share, strength)

    def _loss(self, copies, target, known):
        share, strength = known
        clean, mixed = copies.chunk(2)
        loss = functional.cross_entropy(
            clean.flatten(0, 1), repeated(target, len(clean))
        )
        soft = log_mean_shares(clean).exp()
        right = soft.argmax(dim=1) == target
        share = share[:, None]
        wanted = (1 - share) * soft + share / soft.shape[1]
        apart = functional.kl_div(log_shares(mixed), wanted, reduction="none").sum(2)
        return loss + self.eta * strength * (right * apart).mean()
