"""DeepFool: how far a net without noise is from another answer."""

import numpy as np
import torch
from sklearn.base import BaseEstimator

from .._labels import as_labels, label_indices
from ..models._torch_net import eval_mode
from ._ascent import INSIDE, check_clip, check_inside, lengths, shortened, slope_of
from ._attacked_net import as_floats, dtype_of_rows, log_shares_of, net_in
from ._copies import check_number

# Halvings of the way back to x, behind which the boundary is.
_HALVINGS = 10


class DeepFool(BaseEstimator):
    """DeepFool in l2 against a neural net itself, which is not smoothed.

    Takes the net for linear, walks to the nearest boundary that this has, and again
    from there, until another class wins. The way is then shortened as far as it still
    does. On a linear net that is the shortest way.

    For the accuracy of an undefended net beside that of a smoothed one. It has no
    noise in it: attack a smoothed net by ``SmoothedPGD``.

    Parameters
    ----------
    epsilon : float or array-like of shape (n_inputs,), default=inf
        Radius of the l2 ball, in the units of X. What is found is the same for all;
        where it is farther away than this, the point in the ball on the way to it is
        returned.

    max_iter : int, default=50
        Most steps.

    overshoot : float, default=0.02
        Steps lead beyond the boundary by this share of the way.

    n_candidates : int, default=10
        Other classes that are looked at: those that are strongest at x.

    clip : tuple of (float, float), default=None
        Range of the input, as (0, 1) for pixels, which is not left.

    batch_size : int, default=256
        Inputs that go through the net at a time.

    See Also
    --------
    SmoothedPGD : Attacks smoothed nets.
    empirical_robust_accuracy : Share of inputs that withstand an attack.

    References
    ----------
    S.-M. Moosavi-Dezfooli, A. Fawzi, P. Frossard (2016), "DeepFool: a simple and
    accurate method to fool deep neural networks", arXiv:1511.04599.

    Examples
    --------
    The three classes of a linear net are wedges, and x is at a distance of 1 from the
    nearest boundary:

    >>> import numpy as np
    >>> import torch
    >>> from sksmooth.torch import DeepFool, ModuleClassifier
    >>> module = torch.nn.Linear(2, 3)
    >>> weights = torch.tensor([[1.0, 0.0], [-1.0, 0.0], [0.0, -3.0]])
    >>> module.weight.data, module.bias.data = weights, torch.zeros(3)
    >>> x = np.array([[1.0, 2.0]])
    >>> moved = DeepFool().generate(ModuleClassifier(module), x, [0])
    >>> float(np.linalg.norm(moved - x).round(2))
    1.0
    """

    def __init__(
        self,
        epsilon=np.inf,
        *,
        max_iter=50,
        overshoot=0.02,
        n_candidates=10,
        clip=None,
        batch_size=256,
    ):
        self.epsilon = epsilon
        self.max_iter = max_iter
        self.overshoot = overshoot
        self.n_candidates = n_candidates
        self.clip = clip
        self.batch_size = batch_size

    def generate(self, f, X, y):
        """Return the nearest wrong inputs that were found.

        Parameters
        ----------
        f : skorch net or ModuleClassifier
            Fitted. Steps before it belong into its module.

        X : array-like or tensor of shape (n_inputs, *shape)

        y : array-like of shape (n_inputs,)
            True labels. What f gets wrong anyway is left alone.

        Returns
        -------
        X_attacked : ndarray of shape (n_inputs, *shape)
            Within epsilon of X. In float64 if X is, else in float32.

        Raises
        ------
        ValueError
            If f is no net, y holds another label than it knows, X leaves `clip`, or a
            parameter is out of its range.
        """
        hint = " Of a smoothed net it takes g.estimator_; SmoothedPGD attacks g itself."
        classes = np.asarray(getattr(f, "classes_", ()))
        net = net_in(f, classes, "DeepFool", hint)
        for name in ("max_iter", "n_candidates", "batch_size"):
            check_number(getattr(self, name), name)
        if not 0 <= self.overshoot < np.inf:
            raise ValueError(
                f"overshoot must be finite and not negative, got {self.overshoot!r}."
            )
        epsilon = np.asarray(self.epsilon, float)
        if not (epsilon >= 0).all():
            raise ValueError(f"epsilon must not be negative, got {self.epsilon!r}.")
        X = as_floats(X)
        epsilon = np.broadcast_to(epsilon, len(X))
        target = label_indices(as_labels(y, "y"), classes)
        if len(target) != len(X) or (target < 0).any():
            raise ValueError(
                f"y must have a label of {classes.tolist()!r} for each of the {len(X)} "
                "inputs."
            )
        check_clip(self.clip)
        check_inside(X, self.clip)
        attacked = X.copy()
        with eval_mode(net.module):
            for start in range(0, len(X), self.batch_size):
                part = slice(start, start + self.batch_size)
                x, radius = (
                    torch.tensor(a, device=net.device, dtype=dtype_of_rows(net))
                    for a in (X[part], INSIDE * epsilon[part])
                )
                walk = _Walk(self, net, x, torch.tensor(target[part]).to(net.device))
                shift = shortened(walk.shortest(), radius.reshape(walk.column))
                attacked[part] += shift.cpu().numpy().astype(X.dtype)
        return attacked


class _Walk:
    """The way of some inputs to other answers."""

    def __init__(self, attack, net, x, target):
        self.attack, self.net, self.x, self.target = attack, net, x, target
        self.column = (-1, *[1] * (x.ndim - 1))

    def shortest(self):
        """Return the way to a point of another class, shortened as far as it leads."""
        way = self._way()
        low, high = (fill(len(way)).to(way) for fill in (torch.zeros, torch.ones))
        low = torch.where(self._are_right(way), high, low)
        for _ in range(_HALVINGS):
            middle = (low + high) / 2
            right = self._are_right(middle.reshape(self.column) * way)
            low, high = (
                torch.where(right, middle, low),
                torch.where(right, high, middle),
            )
        return high.reshape(self.column) * way

    def _way(self):
        far = 1 + self.attack.overshoot
        way = torch.zeros_like(self.x)
        with torch.no_grad():
            logs = log_shares_of(self.net, self.x)
        others = logs.scatter(1, self.target[:, None], -torch.inf)
        n_others = min(self.attack.n_candidates, others.shape[1] - 1)
        candidates = others.topk(n_others, dim=1).indices
        rows = torch.arange(len(way), device=way.device)
        for _ in range(self.attack.max_iter):
            rows = rows[self._are_right(far * way[rows], rows)]
            if not len(rows):
                break
            way[rows] += self._step(far * way[rows], rows, candidates[rows])
        return self._points(far * way) - self.x

    def _step(self, way, rows, candidates):
        """Return the step to the nearest boundary, were the net linear there."""
        here, place = self._points(way, rows), self.target[rows, None]
        best = torch.full((len(way),), torch.inf).to(way)
        step = torch.zeros_like(way)
        for other in candidates.T[..., None]:
            margins = []

            def margin(points, other=other, margins=margins):
                logs = log_shares_of(self.net, points)
                margins.append((logs.gather(1, place) - logs.gather(1, other))[:, 0])
                return margins[0].sum()

            slope = slope_of(margin)(here)
            size = lengths(slope).reshape(-1)
            # A little more than the margin, so that a tie is passed.
            gap = margins[0].detach().to(way.dtype).clamp_min(0) + 1e-6
            distance = torch.where(size > 0, gap / size, torch.inf)
            nearer = distance < best
            best = torch.where(nearer, distance, best)
            new = -slope * (distance / size).reshape(self.column)
            step = torch.where(nearer.reshape(self.column), new, step)
        return step

    @torch.no_grad()
    def _are_right(self, way, rows=slice(None)):
        logs = log_shares_of(self.net, self._points(way, rows))
        return logs.argmax(dim=1) == self.target[rows]

    def _points(self, way, rows=slice(None)):
        points, clip = self.x[rows] + way, self.attack.clip
        return points if clip is None else points.clamp(*clip)
