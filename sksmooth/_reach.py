"""How far the votes of a classifier can reach, and how many a radius needs."""

from dataclasses import dataclass, replace

import numpy as np

from .noise import BoundNoise
from .noise._norms import told_norm
from .stats import sample_sizes, split_alpha
from .stats._certify import find_bound, unanimous_radius
from .stats._planning import fewest_samples, too_small
from .stats._radius import radius_after_loss, radius_before_loss


@dataclass(frozen=True)
class Reach:
    """What can be certified at all, if all votes are for one class.

    Parameters
    ----------
    noise : BoundNoise

    alpha : float

    n_classes : int

    loss : float or None
        What a grid takes off the radius of any input; None without one.

    bound, stopping, exact
        Of the classifier; `exact` if it draws no votes.

    n_noisy : int or None
        Number of features with noise; None if it is not known.

    norm : {"l1", "l2", "linf"} or None
        Of the radii that are asked for and returned; None is that of the noise.
    """

    noise: BoundNoise
    alpha: float
    n_classes: int
    loss: float | None
    bound: str
    stopping: str
    exact: bool
    n_noisy: int | None = None
    norm: str | None = None

    def told(self, norm, n_noisy=None):
        """Return the reach in a norm, which has to be told unless it is l2."""
        norm, n_noisy = told_norm(norm, self.noise.norm), n_noisy or self.n_noisy
        return replace(self, norm=norm, n_noisy=n_noisy)

    def own(self, radius):
        """Return the radius, in the norm of the noise, that one in `norm` takes."""
        return self._moved(self.noise.from_norm, radius)

    def _moved(self, way, radius):
        if self.norm in (None, self.noise.norm):
            return radius
        if self.n_noisy is None:
            raise ValueError(
                f"how {self.noise.norm} and {self.norm} radii are related depends on "
                "the number of features, which is not known yet: call fit."
            )
        return way(radius, self.norm, self.n_noisy)

    def radius(self, n, known_label=False, early=False):
        """Return the largest radius that `n` votes certify.

        Parameters
        ----------
        n : int

        known_label : bool, default=False
            Is the label known, so that no class has to be selected?

        early : bool, default=False
            May votes end early, at the price of a part of alpha?
        """
        radius = radius_after_loss(self._unanimous(n, known_label, early), self.loss)
        return float(self._moved(self.noise.to_norm, radius))

    def _unanimous(self, n, known_label, early):
        """Return what `radius` does, before what a grid takes off."""
        if self.exact:
            return float(self.noise.radius(1.0, 0.0))
        alpha, bound = self.alpha, self.bound
        by_threshold = find_bound(bound).by_threshold
        if (known_label or early) and by_threshold:
            bound = "cohen"
            if early or self.stopping == "sequential":
                alpha = split_alpha(alpha, len(sample_sizes(n)))[-1]
        return unanimous_radius(n, alpha, bound, self.n_classes, self.noise)

    def fewest(self, radius, known_label=False, early=False):
        """Return the smallest n that reaches a radius, and more than 0, or None."""
        radius = radius_before_loss(self.own(radius), self.loss)

        def enough(n):
            reach = self._unanimous(n, known_label, early)
            return reach >= radius and reach > 0

        # Up to 100 votes there is one look, beyond there are several, with parts of
        # alpha: what 100 reach, 101 may not.
        if enough(100):
            return fewest_samples(lambda n: enough(min(n, 100)))
        return fewest_samples(lambda n: n > 100 and enough(n))

    def unreachable(self, radii, n, sigma):
        """Say which radii `n` votes cannot certify, the label being known; "" if none.

        Parameters
        ----------
        radii : ndarray of float

        n : int

        sigma : as the user gave it
        """
        reach = self.radius(n, known_label=True)
        highest = np.max(radii, initial=0.0)
        if highest <= reach and reach > 0:
            return ""
        needed = self.fewest(highest, known_label=True)
        if reach == 0 and needed is not None:
            consequence = "no radius can be certified, not even 0"
            return too_small(n, self.alpha, consequence, needed)
        remedy = (
            "no feasible n would do: choose a larger sigma"
            if needed is None
            else f"n = {needed} would do"
        )
        return (
            f"radius {highest:g} can never be certified: sigma={sigma!r}, n={n} and "
            f"alpha={self.alpha:g} reach {reach:.3g} at most; {remedy}."
        )
