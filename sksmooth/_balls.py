"""What a certified radius means: the set around each input that it stands for."""

import numpy as np

from .noise._norms import ball_inside, check_norm
from .stats._radius import certified_after_loss, radius_after_loss


class CertifiedBalls:
    """Norms, half axes and changes of categories, for a class that has the radii."""

    @property
    def norm(self):
        """What `radius` is measured in: that of the noise, "l1", "l2" or "edits"."""
        return self.noise.bind(self.sigma).norm

    @property
    def half_axes(self):
        """Half axes of the certified sets, in the units of the input.

        ndarray of float of shape (n_inputs, *sigma.shape): how far each feature may
        move if no other does; 0 for features without noise. For a scalar sigma the
        set is a ball, and this is the radius.
        """
        if np.ndim(self.sigma) == 0:
            return self.radius.copy()
        finite = np.multiply.outer(np.nan_to_num(self.radius, posinf=0), self.sigma)
        endless = np.isinf(self.radius).reshape(-1, *(1,) * self.sigma.ndim)
        return np.where(endless & (self.sigma > 0), np.inf, finite)

    def radius_for(self, norm=None, changes=0):
        """Return the certified radii in a norm.

        Parameters
        ----------
        norm : {"l1", "l2", "linf", "edits"}, default=None
            None is the certificate's own, `norm`, in which it is sharpest. In another
            norm this is the radius of the largest ball inside the certified one (or a
            larger ball, if the noise is known to prove it, as uniform noise does for
            linf).

        changes : int or pair of int, default=0
            Number of categories that may change as well, whichever they are. The radii
            for all numbers of changes hold at once. 0 if there are no categories. For
            SparseFlip, (additions, deletions) of ones.

        Returns
        -------
        radius : ndarray of float of shape (n_inputs,)
            Rounded down; in the units of `radius`, so in units of sigma if that is an
            array. 0 where nothing is certified, see `certified_for`.

        Raises
        ------
        ValueError
            If there is no such norm; if there are no categories and `changes` is not
            0; if the norm is not its own and the certificate does not know
            `n_noisy`.

        Examples
        --------
        >>> from sklearn.datasets import load_iris
        >>> from sklearn.naive_bayes import GaussianNB
        >>> from sksmooth import SmoothedClassifier
        >>> X, y = load_iris(return_X_y=True)
        >>> g = SmoothedClassifier(GaussianNB(), n=1_000, random_state=0).fit(X, y)
        >>> certificate = g.certify(X[:3])
        >>> certificate.radius.round(2), certificate.radius_for("linf").round(2)
        (array([0.62, 0.62, 0.62]), array([0.31, 0.31, 0.31]))
        """
        proof, radius, _ = self._with_changes(changes)
        norm = check_norm(norm, self.norm)
        if norm == self.norm:
            return radius.copy()
        if self.n_noisy is None:
            raise ValueError(
                f"radii in {norm} depend on the number of features with noise, which "
                "this certificate does not know: give it n_noisy."
            )
        if self.is_distance:
            return ball_inside(radius, self.norm, norm, self.n_noisy)
        return proof.to_norm(radius, norm, self.n_noisy)

    def certified_for(self, changes=0):
        """Tell which inputs are certified if categories are changed, and no number is.

        Parameters
        ----------
        changes : int or pair of int, default=0
            The most categories that may change. For SparseFlip, (additions, deletions)
            of ones.

        Returns
        -------
        certified : ndarray of bool of shape (n_inputs,)
            Where it is True, `radius_for` is a certified radius, possibly 0; elsewhere
            nothing is certified. With 0 changes this is `certified`.

        Raises
        ------
        ValueError
            If there are no categories and `changes` is not 0.
        """
        proof = self.noise.bind(self.sigma).changed(changes)
        if self.radius_loss is not None or not proof.closed:
            return self._with_changes(changes)[2].copy()
        bounds = self.p_lower, self.p_upper
        return self.certified & proof.certified(np.zeros(len(self.radius)), *bounds)

    @property
    def certified_changes(self):
        """How many categories may change, whichever they are, while no number does.

        ndarray of int of shape (n_inputs,): -1 where not even the input as it is is
        certified; 0 if there are no categories. (Under SparseFlip ask `certified_for`.)
        """
        most = getattr(self.noise, "n_changeable", 0)
        certified = np.ones(len(self.radius), bool)
        found = np.full(len(self.radius), -1)
        for changes in range(most + 1):
            certified = certified & self.certified_for(changes)
            if not np.any(certified):
                break
            found[certified] = changes
        return found

    def _with_changes(self, changes):
        """Return what is proved with changes, radii, and which are certified."""
        own = self.noise.bind(self.sigma)
        proof = own.changed(changes)
        if proof is own:
            return proof, self.radius, self.certified
        bounds = self.p_lower, self.p_upper
        radius = radius_after_loss(proof.radius(*bounds), self.radius_loss)
        certified = certified_after_loss(proof, radius, self.radius_loss, *bounds)
        certified &= self.certified
        return proof, np.where(certified, radius, 0.0), certified
