"""SmoothAdv: adversarial training of the smoothed classifier."""

import numpy as np
import torch

from ._ascent import ascend, check_clip, inside, lengths, slope_of
from ._consistency import ConsistencyLoss
from ._copies import check_number, check_weight, soft_cross_entropy, warm
from ._prepared import PreparedLoss
from ._remembered import Remembered


class SmoothAdv(PreparedLoss, ConsistencyLoss):
    """Cross entropy of noisy copies of an adversarial example against their mean.

    With F for softmax of the net's logits, m noises d_i ~ N(0, sigma^2 I) and ::

        J(x') = -log mean over i of F(x' + d_i)_y,

    T steps of projected gradient ascent look for an x' in the ball ``||x' - x||_2 <=
    epsilon`` at which J is large: a step goes ``2 epsilon / T`` along the gradient,
    scaled to length 1, and back into the ball. What is minimised is ::

        mean over inputs and i of -log F(x' + d_i)_y,

    the cross entropy, with the same noises d_i. The attack is made on the net in eval
    mode. m is the `n_copies` of the net's ``GaussianNoise``. In skorch,
    ``PrepareCopies`` has to be among the callbacks.

    With `remember`, the attack on an input begins where the one of the epoch before
    ended, and a step goes ``epsilon / (2 T)``, as it does in epoch 0; on inputs that
    are new later it is the usual one. The shift that harms the smoothed net most
    changes little from epoch to epoch, so one step and one copy suffice: two passes in
    place of m (T + 1), and more epochs in the same time.

    Parameters
    ----------
    epsilon : float, default=1.0
        Radius of the ball, in the units of the certified radius: those of the input, or
        of sigma where the layer has several; about as large as the radii that matter. 0
        trains with plain noise.

    T : int, default=10
        Steps of the attack.

    warmup : int, default=1
        Epochs over which the radius grows linearly to epsilon: in the first it is
        epsilon / warmup. For runs of some length; 10 of 90 to 150 in the papers.

    clip : tuple of (float, float), default=None
        Range of the input, as (0, 1) for pixels, which x' does not leave.

    remember : bool, default=False
        Begin attacks where those of the epoch before ended (Zheng et al. 2020). An
        input is known by its values: one that comes back changed, as by random flips,
        is attacked as without memory. Takes the memory of twice the training data, and
        of four times for a moment, until `PrepareCopies` sees the end of training; in a
        loop of your own, until `forget`.

    consistency : float, default=0.0
        Weight of the divergence of the copies, as in ``ConsistencyLoss``: "SmoothAdv +
        Consistency" of Jeong and Shin.

    eta : float, default=0.0
        Weight of the entropy, as in ``ConsistencyLoss``.

    weight : tensor of shape (n_classes,), default=None
        Of the classes, in the cross entropy that is minimised.

    label_smoothing : float, default=0.0
        Of the cross entropy that is minimised.

    Raises
    ------
    ValueError
        If a parameter is out of its range; in `prepare`, if x leaves `clip`, or if with
        `remember` the epoch is not told or inputs have several shapes; in `forward`, if
        nothing was prepared.

    See Also
    --------
    PrepareCopies : Runs the attack before each step of skorch.
    ConsistencyLoss : The same without the attack.

    References
    ----------
    H. Salman, G. Yang, J. Li, P. Zhang, H. Zhang, I. Razenshteyn, S. Bubeck (2019),
    "Provably Robust Deep Learning via Adversarially Trained Smoothed Classifiers",
    arXiv:1906.04584.

    H. Zheng, Z. Zhang, J. Gu, H. Lee, A. Prakash (2020), "Efficient Adversarial
    Training with Transferable Adversarial Examples", arXiv:1912.11969.

    Examples
    --------
    A step of a training loop:

    >>> import torch
    >>> from sksmooth.torch import GaussianNoise, SmoothAdv
    >>> _ = torch.manual_seed(0)
    >>> net = torch.nn.Sequential(GaussianNoise(0.5, n_copies=4), torch.nn.Linear(2, 2))
    >>> x, y = torch.randn(8, 2), torch.tensor([0, 1] * 4)
    >>> criterion = SmoothAdv(epsilon=0.5, T=2)
    >>> criterion.prepare(net, x, y)
    >>> outputs = net(x)
    >>> outputs.shape
    torch.Size([32, 2])
    >>> criterion(outputs, y).backward()

    With skorch: ``NeuralNetClassifier(Net, criterion=SmoothAdv, criterion__epsilon=0.5,
    callbacks=[("copies", PrepareCopies())])``.
    """

    def __init__(
        self,
        epsilon=1.0,
        *,
        T=10,
        warmup=1,
        clip=None,
        remember=False,
        consistency=0.0,
        eta=0.0,
        weight=None,
        label_smoothing=0.0,
    ):
        super().__init__(
            consistency, eta=eta, weight=weight, label_smoothing=label_smoothing
        )
        self.epsilon = check_weight(epsilon, "epsilon")
        self.T = check_number(T, "T")
        self.warmup = check_number(warmup, "warmup")
        self.clip = check_clip(clip)
        if not isinstance(remember, bool | np.bool_):
            raise ValueError(f"remember must be True or False, got {remember!r}.")
        self.remember = remember
        self._shifts = Remembered()

    def forget(self):
        """Forget where attacks ended, which `remember` keeps."""
        self._shifts.forget()

    def _choose(self, batch):
        epsilon = self.epsilon * warm(batch.epoch, self.warmup)
        noise = batch.noise
        if epsilon == 0:
            return noise, True

        def loss(shift):
            copies = batch.logits(noise + batch.scale * shift)
            return soft_cross_entropy(copies, batch.target)

        start = around = noise.new_zeros(batch.x.shape)
        step_size = 2 * epsilon / self.T
        if self.remember:
            if batch.epoch is None:
                raise ValueError(
                    "remember=True has to know the epoch: prepare(module, x, target, "
                    "epoch=epoch)."
                )
            start, found = self._shifts.recall(batch.x, batch.target, batch.epoch)
            found = found.reshape(lengths(start).shape) | (batch.epoch == 0)
            step_size = step_size * torch.where(found, 0.25, 1.0).to(start)
        *_, shift = ascend(
            slope_of(loss),
            start,
            steps=self.T,
            step_size=step_size,
            epsilon=epsilon,
            around=around,
            restrict=inside(batch.x, self.clip, batch.scale),
        )
        if self.remember:
            self._shifts.put(batch.x, batch.target, shift)
        return noise + batch.scale * shift, True

    def _loss(self, copies, target, known):
        return ConsistencyLoss.forward(self, copies.flatten(0, 1), target)
