"""What a certified radius means: the set around each input that it stands for."""

import numpy as np

from .noise._norms import check_norm


class CertifiedBalls:
    """Norms and half axes of certified sets, for a class that has their radii."""

    @property
    def norm(self):
        """The norm that `radius` is measured in, "l1" or "l2": that of the noise."""
        return self.noise.bound.norm

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
        norm : {"l1", "l2", "linf"}, default=None
            None is the certificate's own, `norm`, in which it is sharpest. In another,
            this is the radius of the largest ball inside the certified one (or more,
            where the noise is known to prove it: uniform noise does for linf).

        changes : int, default=0
            Categories that may change besides. There are none here, so 0.

        Returns
        -------
        radius : ndarray of float of shape (n_inputs,)
            Rounded down; in the units of `radius`, so in units of sigma if that is an
            array.

        Raises
        ------
        ValueError
            If there is no such norm, or `changes` is not 0; if another norm than its
            own is asked of a certificate that does not know `n_noisy`.

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
        if changes != 0 or isinstance(changes, bool):
            raise ValueError(
                f"changes={changes!r}: there are no categorical features under this "
                "noise, so no certificate says anything about changes of them."
            )
        norm = check_norm(norm, self.norm)
        if norm == self.norm:
            return self.radius.copy()
        if self.n_noisy is None:
            raise ValueError(
                f"radii in {norm} depend on the number of features with noise, which "
                "this certificate does not know: give it n_noisy."
            )
        noise = self.noise.bind(self.sigma)
        return noise.to_norm(self.radius, norm, self.n_noisy)
