"""Losses for training nets that will be smoothed."""

import math

import torch


class ConsistencyLoss(torch.nn.CrossEntropyLoss):
    """Cross entropy, and how much the answers to noisy copies of an input differ.

    Votes certify an input when the net answers alike to nearly all of its noisy copies.
    Trained with ``GaussianNoise(sigma, n_copies=2)``, the net sees two copies of each
    input in every step, and this loss adds ::

        consistency * mean over inputs and copies of KL(mean of the copies || copy)

    for the predicted distributions. With one copy, as in eval mode, it is the cross
    entropy.

    Parameters
    ----------
    consistency : float, default=5.0
        Weight of the second term. More of it gives larger radii, at the cost of
        accuracy at radius 0.

    weight : tensor of shape (n_classes,), default=None
        Of the classes, in the cross entropy.

    label_smoothing : float, default=0.0
        Of the cross entropy.

    Raises
    ------
    ValueError
        If `consistency` is negative or not finite; in `forward`, if the outputs are
        not a whole number of copies of the targets.

    See Also
    --------
    GaussianNoise : Makes the copies.

    References
    ----------
    J. Jeong, J. Shin (2020), "Consistency Regularization for Certified Robustness of
    Smoothed Classifiers", arXiv:2006.04062. There with a penalty of the entropy, too.

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

    def __init__(self, consistency=5.0, *, weight=None, label_smoothing=0.0):
        super().__init__(weight=weight, label_smoothing=label_smoothing)
        if not (math.isfinite(consistency) and consistency >= 0):
            raise ValueError(
                f"consistency must be finite and not negative, got {consistency!r}."
            )
        self.consistency = consistency

    def forward(self, input, target):
        """Return the loss of logits for copies, one after another, of all inputs.

        Parameters
        ----------
        input : tensor of shape (n_copies * n_inputs, n_classes)
            Logits: of the first copies of all inputs, then of the second, and so on.

        target : tensor of shape (n_inputs,), or with class probabilities
            As ``torch.nn.CrossEntropyLoss`` takes it.

        Returns
        -------
        loss : tensor
        """
        n_inputs = len(target) if target.ndim else 0
        if not n_inputs or not len(input) or len(input) % n_inputs:
            raise ValueError(
                f"{len(input)} outputs are not a whole number of copies of "
                f"{n_inputs} targets. Does the net begin with "
                "GaussianNoise(sigma, n_copies=...)?"
            )
        n_copies = len(input) // n_inputs
        repeated = target.repeat(n_copies, *[1] * (target.ndim - 1))
        loss = super().forward(input, repeated)
        if n_copies == 1 or self.consistency == 0:
            return loss
        # Shares below exp(-10,000) are 0 in any precision; logarithms stay finite.
        each = input.log_softmax(dim=1).clamp_min(-1e4)
        each = each.reshape(n_copies, n_inputs, -1)
        mean = each.logsumexp(dim=0) - math.log(n_copies)
        divergence = (mean.exp() * (mean - each)).sum(dim=2).mean()
        return loss + self.consistency * divergence
