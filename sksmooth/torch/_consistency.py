"""ConsistencyLoss: the net is to answer alike to all copies of an input."""

import torch

from ._copies import (
    check_weight,
    class_numbers,
    log_mean_shares,
    log_shares,
    repeated,
    two_logits,
    unstack,
)


class ConsistencyLoss(torch.nn.CrossEntropyLoss):
    """Cross entropy, and how much the answers to noisy copies of an input differ.

    Votes certify an input when the net answers alike to nearly all of its noisy copies.
    Trained with ``GaussianNoise(sigma, n_copies=2)``, the net sees two copies of each
    input in every step, and this loss adds ::

        consistency * mean over inputs and copies of KL(mean of the copies || copy)
        + eta * mean over inputs of H(mean of the copies)

    for the predicted distributions, where H is the entropy: the answers are to be
    alike, and sure. In eval mode, of one copy, it is the cross entropy.

    Parameters
    ----------
    consistency : float, default=5.0
        Weight of the second term, lambda in the paper. More of it gives larger radii,
        at the cost of accuracy at radius 0.

    eta : float, default=0.0
        Weight of the entropy; 0.5 in the paper's experiments.

    weight : tensor of shape (n_classes,), default=None
        Of the classes, in the cross entropy.

    label_smoothing : float, default=0.0
        Of the cross entropy.

    Raises
    ------
    ValueError
        If `consistency` or `eta` is negative or not finite; in `forward`, if the
        outputs are not a whole number of copies of the targets, or in training mode
        there is one copy and something to compare it for.

    See Also
    --------
    GaussianNoise : Makes the copies.

    References
    ----------
    J. Jeong, J. Shin (2020), "Consistency Regularization for Certified Robustness of
    Smoothed Classifiers", arXiv:2006.04062.

    Examples
    --------
    >>> import torch
    >>> from sksmooth.torch import ConsistencyLoss
    >>> logits = torch.tensor([[2.0, 0.0], [0.0, 2.0]])  # of two copies of one input
    >>> round(ConsistencyLoss(consistency=0.0)(logits, torch.tensor([0])).item(), 3)
    1.127
    >>> round(ConsistencyLoss(consistency=1.0)(logits, torch.tensor([0])).item(), 3)
    1.561

    With skorch: ``NeuralNetClassifier(Net, criterion=ConsistencyLoss)``, where Net
    begins with ``GaussianNoise(sigma, n_copies=2)``.
    """

    def __init__(self, consistency=5.0, *, eta=0.0, weight=None, label_smoothing=0.0):
        super().__init__(weight=weight, label_smoothing=label_smoothing)
        self.consistency = check_weight(consistency, "consistency")
        self.eta = check_weight(eta, "eta")

    def forward(self, input, target):
        """Return the loss of logits for copies, one after another, of all inputs.

        Parameters
        ----------
        input : tensor of shape (n_copies * n_inputs, n_classes)
            Logits: of the first copies of all inputs, then of the second, and so on.
            One logit z, as (n_copies * n_inputs,) or with 1 column, is two: 0 and z.

        target : tensor of shape (n_inputs,), or with class probabilities
            As ``torch.nn.CrossEntropyLoss`` takes it; class numbers may be floats.

        Returns
        -------
        loss : tensor
        """
        input, target = two_logits(input), class_numbers(target)
        copies = unstack(input, len(target) if target.ndim else 0)
        loss = super().forward(input, repeated(target, len(copies)))
        if len(copies) == 1:
            if self.training and (self.consistency or self.eta):
                raise ValueError(
                    f"{type(self).__name__} compares the copies of an input, but got "
                    "one of each: GaussianNoise(sigma, n_copies=2). Before validation "
                    "call criterion.eval()."
                )
            return loss
        mean = log_mean_shares(copies)
        if self.consistency:
            divergence = (mean.exp() * (mean - log_shares(copies))).sum(dim=2).mean()
            loss = loss + self.consistency * divergence
        if self.eta:
            loss = loss - self.eta * (mean.exp() * mean).sum(dim=1).mean()
        return loss
