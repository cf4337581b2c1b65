"""SmoothedPGD: looks for inputs that the smoothed classifier gets wrong."""

from collections.abc import Mapping

import numpy as np
import torch
from sklearn.base import BaseEstimator
from torch.nn.functional import logsigmoid

from .._containers import check_no_pixels, plain
from .._labels import as_labels, label_indices
from ..models._torch_net import eval_mode
from ..noise import find_noise
from ._ascent import INSIDE, ascend, check_clip, inside, lengths, slope_of
from ._attacked_net import as_floats, dtype_of_rows, log_shares_of, net_in
from ._copies import check_number, check_weight


class SmoothedPGD(BaseEstimator):
    """Projected gradient ascent against a smoothed neural net, in an l2 ball.

    Looks for an x' with ``||x' - x||_2 <= epsilon`` at which the soft prediction of the
    net under noise has a large cross entropy ::

        -log of the mean over i of softmax(f(x' + d_i))_y,   d_i ~ N(0, sigma^2 I).

    Its gradient is taken through the net at x' + d_i, with fresh noise in each step. Of
    all points on the way, x among them, the one is returned at which fewest of the same
    `n_noise` copies vote for y, as compared with the strongest other class; where votes
    are equal, the cross entropy decides.

    An attack shows that an input is not robust; that it finds nothing proves nothing.

    Parameters
    ----------
    epsilon : float or array-like of shape (n_inputs,), default=0.5
        Radius of the ball, in the units of the certified radius of g: those of X, or of
        sigma where that has several values. Features with sigma 0 are left alone.

    steps : int, default=20
        Steps for each start.

    step_size : float, default=None
        l2 length of a step, as a share of epsilon. None is ``2 / steps``, but at least
        0.1.

    n_noise : int, default=64
        Noisy copies for each gradient.

    random_start : bool, default=False
        Start at a random point of the ball and not at x. All starts after the first
        are random.

    restarts : int, default=1
        Number of starts.

    clip : tuple of (float, float), default=None
        Range of the input, as (0, 1) for pixels, which x' does not leave. Features with
        sigma 0 may be outside.

    batch_size : int, default=1024
        Copies that go through the net at a time, which limits the memory used.

    random_state : int or None, default=None
        Seeds noise and starts. None draws a seed from torch's global generator.

    See Also
    --------
    empirical_robust_accuracy : Share of inputs that withstand an attack.
    SmoothAdv : Trains against such attacks.

    References
    ----------
    H. Salman, G. Yang, J. Li, P. Zhang, H. Zhang, I. Razenshteyn, S. Bubeck (2019),
    "Provably Robust Deep Learning via Adversarially Trained Smoothed Classifiers",
    arXiv:1906.04584.

    Examples
    --------
    A linear net, which is wrong from a distance of 1 on:

    >>> import torch
    >>> from sksmooth import SmoothedClassifier
    >>> from sksmooth.torch import ModuleClassifier, SmoothedPGD
    >>> module = torch.nn.Linear(2, 2)
    >>> _ = torch.nn.init.eye_(module.weight), torch.nn.init.zeros_(module.bias)
    >>> g = SmoothedClassifier(ModuleClassifier(module), sigma=0.5, random_state=0)
    >>> x = [[2**0.5, 0.0]]
    >>> for epsilon in (0.9, 1.1):
    ...     attack = SmoothedPGD(epsilon, n_noise=16, random_state=0)
    ...     print(g.predict(attack.generate(g, x, [0])))
    [0]
    [1]
    """

    def __init__(
        self,
        epsilon=0.5,
        *,
        steps=20,
        step_size=None,
        n_noise=64,
        random_start=False,
        restarts=1,
        clip=None,
        batch_size=1024,
        random_state=None,
    ):
        self.epsilon = epsilon
        self.steps = steps
        self.step_size = step_size
        self.n_noise = n_noise
        self.random_start = random_start
        self.restarts = restarts
        self.clip = clip
        self.batch_size = batch_size
        self.random_state = random_state

    def generate(self, g, X, y):
        """Return the worst inputs that were found near X.

        Parameters
        ----------
        g : SmoothedClassifier
            Its classifier is a net (skorch's, or ``ModuleClassifier``); steps before it
            belong into its module.

        X : array-like or tensor of shape (n_inputs, *shape)

        y : array-like of shape (n_inputs,)
            True labels.

        Returns
        -------
        X_attacked : ndarray of shape (n_inputs, *shape)
            Within epsilon of X. In float64 if X is, else in float32.

        Raises
        ------
        ValueError
            If g is not a smoothed net, y holds another label than it knows, X leaves
            `clip`, or a parameter is out of its range.
        """
        net, sigma = _net_of(g)
        X = plain(X)
        check_no_pixels(np.asarray(X), is_net=True)
        X = as_floats(X)
        y = label_indices(as_labels(y, "y"), g.classes_)
        if len(y) != len(X) or (y < 0).any():
            raise ValueError(
                f"y must have a label of {g.classes_.tolist()!r} for each of the "
                f"{len(X)} inputs."
            )
        self._check()
        epsilon = np.broadcast_to(np.asarray(self.epsilon, float), len(X))
        for value in np.unique(epsilon):
            check_weight(value, "epsilon")
        seed = self.random_state
        if seed is None:
            seed = int(torch.randint(2**62, ()))
        generator = torch.Generator(net.device).manual_seed(seed)
        at_once = max(1, self.batch_size // self.n_noise)
        attacked = X.copy()
        with eval_mode(net.module):
            for start in range(0, len(X), at_once):
                part = slice(start, start + at_once)
                x, radius = (
                    torch.tensor(a, device=net.device, dtype=dtype_of_rows(net))
                    for a in (X[part], epsilon[part])
                )
                game = _Game(self, net, sigma, x, torch.tensor(y[part]), generator)
                moved = game.play(radius.reshape(-1, *[1] * (x.ndim - 1)) * INSIDE)
                attacked[part] += moved.cpu().numpy().astype(X.dtype)
        return attacked

    def _check(self):
        for name in ("steps", "n_noise", "restarts", "batch_size"):
            check_number(getattr(self, name), name)
        check_clip(self.clip)
        if self.step_size is not None:
            check_weight(self.step_size, "step_size")


class _Game:
    """An attack on some inputs at once; shifts are in units of `scale`."""

    def __init__(self, attack, net, sigma, x, target, generator):
        self.attack, self.net, self.x, self.generator = attack, net, x, generator
        self.target = target.to(x.device)
        self.sigma = torch.tensor(sigma, device=x.device, dtype=x.dtype)
        self.scale = self.sigma if self.sigma.ndim else 1.0
        self.judging = self._noise(attack.n_noise)

    def play(self, epsilon):
        attack = self.attack
        share = attack.step_size
        if share is None:
            share = max(0.1, 2 / attack.steps)
        origin = torch.zeros_like(self.x)
        restrict = inside(self.x, attack.clip, self.scale)
        best, (lead, loss) = origin, self._value(origin)
        for k in range(attack.restarts):
            start = origin
            if k or attack.random_start:
                start = self._random(epsilon)
            way = ascend(
                self._slope,
                start,
                steps=attack.steps,
                step_size=share * epsilon,
                epsilon=epsilon,
                around=origin,
                restrict=restrict,
            )
            for shift in way:
                new_lead, new_loss = self._value(shift)
                is_better = (new_lead > lead) | ((new_lead == lead) & (new_loss > loss))
                lead = torch.where(is_better, new_lead, lead)
                loss = torch.where(is_better, new_loss, loss)
                best = torch.where(is_better.reshape(epsilon.shape), shift, best)
        return best * self.scale

    def _normals(self, *shape):
        options = {"device": self.x.device, "dtype": self.x.dtype}
        return torch.randn(shape, generator=self.generator, **options)

    def _noise(self, n_copies):
        return self.sigma * self._normals(n_copies, *self.x.shape)

    def _random(self, epsilon):
        """Return points that are uniform in the balls."""
        way = self._normals(*self.x.shape)
        size = torch.rand(
            len(way), generator=self.generator, device=way.device, dtype=way.dtype
        )
        size = size.reshape(epsilon.shape) ** (1 / way[0].numel())
        return way / lengths(way) * size * epsilon

    def _log_shares(self, shift, noise):
        """Return log shares of noisy copies, shape (n_copies, n_inputs, n_classes)."""
        copies = (self.x + self.scale * shift + noise).flatten(0, 1)
        logs = log_shares_of(self.net, copies)
        return logs.unflatten(0, (len(noise), len(self.x)))

    def _parts(self, noise):
        return noise.split(max(1, self.attack.batch_size // len(self.x)))

    def _odds(self, logs):
        """Return log odds against y, of shape (n_copies, n_inputs)."""
        place = self.target.expand(len(logs), -1)[..., None]
        others = logs.scatter(2, place, -torch.inf).logsumexp(dim=2)
        return others - logs.gather(2, place).squeeze(2)

    def _slope(self, shift):
        """Return a multiple of the gradient of the soft prediction's cross entropy.

        With z for the log odds against y of a copy, p for its share of y, the gradient
        is the mean of p (1 - p) grad z over the copies, divided by the mean of p. As
        only its direction counts, the largest factor p (1 - p) is made 1: that of a
        sure net would underflow.
        """
        largest, slopes = [], []
        for noise in self._parts(self._noise(self.attack.n_noise)):

            def weighted(rows, noise=noise):
                odds = self._odds(self._log_shares(rows, noise))
                weights = (logsigmoid(odds) + logsigmoid(-odds)).detach()
                largest.append(weights.amax(dim=0))
                return ((weights - largest[-1]).exp() * odds).sum()

            slopes.append(slope_of(weighted)(shift))
        weights = torch.stack(largest)
        weights = (weights - weights.amax(dim=0)).exp()
        weights = weights.reshape(*weights.shape, *[1] * (shift.ndim - 1))
        slope = (weights.to(shift.dtype) * torch.stack(slopes)).sum(dim=0)
        # Where the net is flat, anywhere.
        is_flat = (slope == 0).flatten(1).all(dim=1).reshape(lengths(slope).shape)
        return torch.where(is_flat, self._normals(*slope.shape), slope)

    @torch.no_grad()
    def _value(self, shift):
        """Return how bad a shift is for y: in votes, and where these are equal.

        That is by the log odds against y of the soft prediction, which grow with the
        cross entropy.
        """
        logs = torch.cat(
            [self._log_shares(shift, n) for n in self._parts(self.judging)]
        )
        votes = torch.zeros_like(logs).scatter_(2, logs.argmax(2, keepdim=True), 1.0)
        votes, place = votes.sum(dim=0), self.target[:, None]
        others = votes.scatter(1, place, -1.0).amax(dim=1)
        odds = self._odds(logs)
        loss = logsigmoid(odds).logsumexp(dim=0) - logsigmoid(-odds).logsumexp(dim=0)
        return others - votes.gather(1, place)[:, 0], loss


def _net_of(g):
    """Return the net in a smoothed classifier, and sigma."""
    estimator = getattr(g, "estimator_", getattr(g, "estimator", None))
    hint = " DecisionAttack needs only the answers of g."
    net = net_in(estimator, g.classes_, "SmoothedPGD", hint)
    kind = find_noise(g.noise)
    if not kind.bound.is_normal:
        raise ValueError(
            f"SmoothedPGD moves inputs in l2 and draws Gaussian noise, but g has "
            f"{kind!r}."
        )
    if g.categorical_features is not None:
        raise ValueError(
            "SmoothedPGD moves numbers, but g has categorical_features: try changes of "
            "categories one by one."
        )
    if isinstance(g.sigma, Mapping):
        raise ValueError("SmoothedPGD needs arrays, and sigma as a number or an array.")
    return net, np.asarray(g.sigma, float)
