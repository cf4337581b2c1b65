"""How far the votes of a classifier can reach, and how many a radius needs."""

from dataclasses import dataclass, replace

import numpy as np

from .noise._norms import ball_around, ball_inside, told_norm
from .noise._proof import Proof
from .stats import sample_sizes, split_alpha
from .stats._certify import find_bound, unanimous_bounds
from .stats._planning import fewest_samples, too_small
from .stats._radius import (
    certified_after_loss,
    radius_after_loss,
    radius_before_loss,
)


@dataclass(frozen=True)
class Reach:
    """What can be certified at all, if all votes are for one class.

    Parameters
    ----------
    noise : Proof

    alpha : float

    n_classes : int

    loss : float or None
        What a grid takes off the radius of any input; None without one.

    bound, stopping
        Of the classifier.

    furthest : float or None
        The largest radius, where no votes are drawn; None where they are.

    n_noisy : int or None
        Number of features with noise; None if it is not known.

    norm : {"l1", "l2", "linf", "edits"} or None
        Norm of the radii that are asked for and returned; None is that of the noise.

    is_distance : bool
        Are radii distances, whatever the probabilities?
    """

    noise: Proof
    alpha: float
    n_classes: int
    loss: float | None
    bound: str
    stopping: str
    furthest: float | None
    n_noisy: int | None = None
    norm: str | None = None
    is_distance: bool = False

    def told(self, norm, n_noisy=None, changes=0):
        """Return the reach in a norm, which has to be told unless it is l2.

        If `changes` categories are changed as well.
        """
        norm, n_noisy = told_norm(norm, self.noise.norm), n_noisy or self.n_noisy
        noise = self.noise.changed(changes)
        return replace(self, norm=norm, n_noisy=n_noisy, noise=noise)

    def own(self, radius):
        """Return the radius, in the norm of the noise, that one in `norm` takes."""
        return self._moved(self._from_norm, radius)

    def _from_norm(self, radius, norm, n_noisy):
        if self.is_distance:
            return ball_around(radius, self.noise.norm, norm, n_noisy)
        return self.noise.from_norm(radius, norm, n_noisy)

    def _to_norm(self, radius, norm, n_noisy):
        if self.is_distance:
            return ball_inside(radius, self.noise.norm, norm, n_noisy)
        return self.noise.to_norm(radius, norm, n_noisy)

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
        radius = self._unanimous(n, known_label, early)[0]
        radius = radius_after_loss(radius, self.loss)
        return float(self._moved(self._to_norm, radius))

    def certifies(self, n, known_label=False, early=False):
        """Tell whether `n` votes certify anything at all; see ``radius``."""
        return self._unanimous(n, known_label, early)[1]

    def _unanimous(self, n, known_label, early):
        """Return what `radius` does, before what a grid takes off; and if anything."""
        if self.furthest is not None:
            return self.furthest, True
        alpha, bound = self.alpha, self.bound
        by_threshold = find_bound(bound).by_threshold
        if (known_label or early) and by_threshold:
            bound = "cohen"
            if early or self.stopping == "sequential":
                alpha = split_alpha(alpha, len(sample_sizes(n)))[-1]
        found = unanimous_bounds(n, alpha, bound, self.n_classes, self.noise)
        radius = radius_after_loss(found.radius, self.loss)
        certified = certified_after_loss(
            self.noise, radius, self.loss, found.p_lower, found.p_upper
        )
        return float(found.radius[0]), bool(certified[0])

    def fewest(self, radius, known_label=False, early=False):
        """Return the smallest n that reaches a radius, and more than 0, or None."""
        radius = radius_before_loss(self.own(radius), self.loss)

        def enough(n):
            reach, certified = self._unanimous(n, known_label, early)
            return certified and reach >= radius

        # Up to 100 votes there is one look, beyond there are several, with parts of
        # alpha: what 100 reach, 101 may not.
        if enough(100):
            return fewest_samples(lambda n: enough(min(n, 100)))
        return fewest_samples(lambda n: n > 100 and enough(n))

    @property
    def _changes(self):
        return f"changes={self.noise.changes!r}"

    def unreachable(self, radii, n, sigma):
        """Say which radii `n` votes cannot certify, the label being known; "" if none.

        Parameters
        ----------
        radii : ndarray of float

        n : int

        sigma : as the user gave it
        """
        reach = self.radius(n, known_label=True)
        certifies = self.certifies(n, known_label=True)
        highest = np.max(radii, initial=0.0)
        if highest <= reach and certifies:
            return ""
        needed = self.fewest(highest, known_label=True)
        if not certifies and needed is not None:
            consequence = "no radius can be certified, not even 0"
            if np.any(self.noise.changes):
                consequence = f"nothing can be certified with {self._changes}"
            return too_small(n, self.alpha, consequence, needed)
        remedy = (
            f"no feasible n would do: {self.noise.remedy}"
            if needed is None
            else f"n = {needed} would do"
        )
        what = f" with {self._changes}" if np.any(self.noise.changes) else ""
        return (
            f"radius {highest:g}{what} can never be certified: sigma={sigma!r}, n={n} "
            f"and alpha={self.alpha:g} reach {reach:.3g} at most; {remedy}."
        )
