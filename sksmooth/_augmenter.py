"""GaussianAugmenter: noise for training, as a step of a Pipeline."""

from collections.abc import Mapping
from numbers import Real

import numpy as np
from sklearn.base import BaseEstimator, OneToOneFeatureMixin, TransformerMixin
from sklearn.utils.validation import check_is_fitted

from ._entropy import SEEDS, draw_entropy
from ._from_fit import all_or_nothing
from ._sklearn import Interval, _fit_context
from ._training import noisy_training_set
from ._validation import check_inputs
from .models._affine import pulls_back


class GaussianAugmenter(OneToOneFeatureMixin, TransformerMixin, BaseEstimator):
    """Add N(0, sigma^2 I) noise to training data, and leave all other data alone.

    In a Pipeline, the steps after it are trained on noisy inputs and
    predict on the inputs as they are, which is what a
    :class:`SmoothedClassifier` needs from its base.

    .. note::
        ``fit_transform(X)`` does not equal ``fit(X).transform(X)``: only
        `fit_transform`, which a Pipeline calls in training, adds noise.

    Parameters
    ----------
    sigma : float, array-like or dict, default=0.25
        Standard deviation of the noise, in the units of X; 0 adds none. An array is
        broadcast against one input; for a data frame, one value per column, or a dict
        from their names, as for :class:`SmoothedClassifier`.

    random_state : int, RandomState instance or None, default=None
        Seeds the noise. With an int, of up to 128 bits, equal data get equal noise in
        every call. None draws new noise each time, whatever ``np.random.seed`` was.

    Attributes
    ----------
    n_features_in_ : int
        Number of features seen during `fit` (of an n-D input: its second dimension).

    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of features seen during `fit`, if X had string column names.

    input_shape_ : tuple of int
        Shape of one input seen during `fit`.

    See Also
    --------
    SmoothedClassifier : Adds noise in its own `fit` too, several copies if asked.

    Notes
    -----
    The noise is drawn once, before the next step is trained, and stays the same in
    all epochs. For learners that pass over the data many times, such as neural
    networks, fresh noise for every batch is better.

    References
    ----------
    J. Cohen, E. Rosenfeld, J. Z. Kolter (2019), arXiv:1902.02918, section 3.3.

    Examples
    --------
    One search over sigma tunes training noise and smoothing together:

    >>> from sklearn.datasets import load_iris
    >>> from sklearn.model_selection import GridSearchCV
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.svm import SVC
    >>> from sksmooth import GaussianAugmenter, SmoothedClassifier
    >>> from sksmooth import certified_accuracy_scorer
    >>> X, y = load_iris(return_X_y=True)
    >>> f = make_pipeline(GaussianAugmenter(random_state=0), SVC())
    >>> g = SmoothedClassifier(
    ...     f, n=500, noise_param="gaussianaugmenter__sigma", random_state=0
    ... )
    >>> search = GridSearchCV(
    ...     g, {"sigma": [0.2, 0.4]}, scoring=certified_accuracy_scorer(0.25), cv=3
    ... )
    >>> search.fit(X, y).best_params_
    {'sigma': 0.2}
    >>> search.best_estimator_.estimator_[0].sigma
    0.2
    """

    _parameter_constraints: dict = {
        "sigma": [Interval(Real, 0, None, closed="left"), "array-like", Mapping],
        "random_state": SEEDS,
    }

    def __init__(self, sigma=0.25, *, random_state=None):
        self.sigma = sigma
        self.random_state = random_state

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y=None):
        """Check X and remember its shape and names.

        Parameters
        ----------
        X : array-like of shape (n_inputs, *shape), or data frame

        y : None
            Ignored.

        Returns
        -------
        self : GaussianAugmenter
        """
        self._fit(X)
        return self

    def _fit(self, X):
        with all_or_nothing(self):
            return check_inputs(X, self.sigma, self, reset=True, allow_no_noise=True)

    @_fit_context(prefer_skip_nested_validation=True)
    def fit_transform(self, X, y=None):
        """Fit, and return X with noise on it.

        Parameters
        ----------
        X : array-like of shape (n_inputs, *shape), or data frame

        y : None
            Ignored.

        Returns
        -------
        X_noisy : array or data frame
            Of the kind and shape of X. Equal rows get equal noise. A missing value
            stays missing.

        Raises
        ------
        ValueError
            If X holds infinity, if sigma does not fit its shape, or if a
            column that is not floating-point has sigma > 0.
        """
        inputs = self._fit(X)
        n_copies = int(np.any(np.asarray(inputs.level) > 0))
        entropy = draw_entropy(self.random_state)
        return noisy_training_set(inputs, n_copies, entropy)[0]

    def transform(self, X):
        """Return X as it is, after checking its shape.

        Parameters
        ----------
        X : array-like of shape (n_inputs, *shape), or data frame

        Returns
        -------
        X : array or data frame
            Whole numbers in columns that were floats in `fit` are floats.
        """
        check_is_fitted(self, "input_shape_")
        inputs = check_inputs(X, self.sigma, self, reset=False, allow_no_noise=True)
        return noisy_training_set(inputs, 0, 0)[0]

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True  # what is missing stays missing
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags


@pulls_back(GaussianAugmenter)
def _identity(step, weights, offset):
    return weights, offset
