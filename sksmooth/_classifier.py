"""SmoothedClassifier: the scikit-learn face over votes and guarantees."""

from numbers import Integral, Real
from typing import NamedTuple

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, MetaEstimatorMixin, clone
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.utils import get_tags
from sklearn.utils.metadata_routing import UNUSED, MetadataRouter, MethodMapping
from sklearn.utils.validation import (
    check_consistent_length,
    check_is_fitted,
    has_fit_parameter,
)

from ._certificate import Certificate
from ._sklearn import (
    HasMethods,
    Interval,
    StrOptions,
    _check_method_params,
    _fit_context,
    _routing_enabled,
    process_routing,
)
from ._validation import (
    FromFit,
    all_or_nothing,
    check_abstain_label,
    check_classes,
    check_inputs,
    check_no_regressor,
    check_y,
    draw_entropy,
    label_dtype,
)
from ._votes import Inputs, check_sigma, count_votes, noisy_training_set
from .stats import (
    lower_confidence_bound,
    radius_from_probabilities,
    rank_verification_pvalue,
)


class _Prepared(NamedTuple):
    """What every draw of votes for one X needs."""

    estimator: object
    inputs: Inputs
    sigma: float | np.ndarray
    entropy: int


class SmoothedClassifier(ClassifierMixin, MetaEstimatorMixin, BaseEstimator):
    """Provably robust classifier: the majority vote of another one under noise.

    Wraps a classifier f and predicts, for each input x, the class that f most often
    gives to x with Gaussian noise on it,

        g(x) = argmax_c P(f(x + N(0, sigma^2 I)) = c).

    `predict` returns g(x) or abstains. `certify` returns, for each input, a class and
    an l2 radius inside which no perturbation changes g. Both are estimated from
    votes, and each answer is wrong with probability at most `alpha`.

    An `estimator` that is already fitted can be used at once, without `fit`. `fit`
    trains a clone of it on noisy data, which usually certifies far larger radii.

    Parameters
    ----------
    estimator : estimator instance
        The classifier f to smooth, fitted or not; anything with `fit` and `predict`.
        Preprocessing belongs inside, ``SmoothedClassifier(make_pipeline(...))``: then
        noise and radius are in the units of the X that you pass.

    sigma : float or array-like, default=0.25
        Standard deviation of the noise, in the units of X. Larger values certify
        larger radii at lower accuracy. An array is broadcast against one input, 0
        marking a feature that the adversary cannot touch; radii are then in units of
        sigma (see :class:`Certificate`). For a data frame: one value a column.

    alpha : float, default=0.001
        Probability, for each input, that `predict` names a class other than g(x), or
        that a certificate is wrong.

    n0 : int, default=100
        Votes with which `certify` selects the class. They are not used again.

    n : int, default=100_000
        Votes of `predict` and `predict_proba`, and those with which `certify` bounds
        the probability of the selected class. Limits the largest radius:
        sigma * Phi^-1(alpha^(1/n)).

    n_copies : int, default=1
        `fit` trains on this many noisy copies of every input; 0 trains on clean data.
        Ignored if `noise_param` is given or `estimator` is frozen.

    noise_param : str, default=None
        Name of a nested parameter of `estimator` that `fit` sets to `sigma`, such as
        ``"gaussianaugmenter__sigma"``. `fit` then adds no noise itself.

    abstain_label : "auto", None, int, float or str, default="auto"
        What `predict` and `certify` return instead of a class that they cannot name
        with confidence. "auto" is -1 (or the smallest class minus 1, if that is
        lower) for numbers and "abstain" for strings. None never abstains: the class
        with most votes is returned without a guarantee, and `certify` marks it by a
        radius of 0.

    batch_size : int or "auto", default="auto"
        Noisy inputs passed to ``estimator.predict`` at a time. Limits the memory
        used; does not change results.

    random_state : int, RandomState instance or None, default=None
        Seeds all noise. With an int, results are reproducible: `fit` draws
        `entropy_` from it, and the noise of an input depends on `entropy_` and on
        what the input holds, not on its place in X.

    n_jobs : int, default=None
        Inputs are shared out over this many workers, see scikit-learn's glossary.
        Does not change results.

    verbose : int, default=0
        1 shows progress.

    Attributes
    ----------
    estimator_ : estimator instance
        The trained clone of `estimator`; the same object if it is frozen.

    classes_ : ndarray of shape (n_classes,)
        The class labels. Available without `fit` if `estimator` is fitted.

    abstain_label_ : label or None
        What stands for "no prediction"; of the same kind as `classes_`.

    entropy_ : int
        128 bits from `random_state` that key all noise of this classifier.

    n_features_in_ : int
        Number of features seen during `fit` (of an n-D input: its second dimension).

    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of features seen during `fit`, if X had string column names.

    input_shape_ : tuple of int
        Shape of one input seen during `fit`.

    See Also
    --------
    GaussianAugmenter : Noise for training as a step of a Pipeline.
    certified_accuracy_scorer : Choose sigma by certified accuracy.

    Notes
    -----
    The certificate holds for the classifier g, not for f: use `predict` of this
    class where it matters.

    The guarantee assumes exact arithmetic and noise that the adversary cannot
    foresee; keep `random_state` secret where that matters.

    Rows that are equal share their noise, so their votes are equal too.

    References
    ----------
    J. Cohen, E. Rosenfeld, J. Z. Kolter (2019), "Certified Adversarial Robustness via
    Randomized Smoothing", arXiv:1902.02918, section 3.

    Examples
    --------
    Smooth a classifier that is already fitted:

    >>> from sklearn.datasets import load_iris
    >>> from sklearn.linear_model import LogisticRegression
    >>> from sksmooth import SmoothedClassifier
    >>> X, y = load_iris(return_X_y=True)
    >>> f = LogisticRegression(max_iter=1_000).fit(X, y)
    >>> g = SmoothedClassifier(f, sigma=0.5, n=10_000, random_state=0)
    >>> g.predict(X[::30])
    array([0, 0, 1, 1, 2])
    >>> prediction, radius = g.certify(X[::30])
    >>> radius.round(2)
    array([1.32, 1.1 , 0.87, 0.51, 0.83])
    """

    _parameter_constraints: dict = {
        "estimator": [HasMethods(["fit", "predict"])],
        "sigma": [Interval(Real, 0, None, closed="neither"), "array-like"],
        "alpha": [Interval(Real, 0, 1, closed="neither")],
        "n0": [Interval(Integral, 1, None, closed="left")],
        "n": [Interval(Integral, 1, None, closed="left")],
        "n_copies": [Interval(Integral, 0, None, closed="left")],
        "noise_param": [str, None],
        "abstain_label": [str, Real, None],
        "batch_size": [
            Interval(Integral, 1, None, closed="left"),
            StrOptions({"auto"}),
        ],
        "random_state": ["random_state"],
        "n_jobs": [Integral, None],
        "verbose": ["verbose"],
    }

    # `fit` hands sample_weight on: whether it is wanted is for the base to say.
    __metadata_request__fit = {"sample_weight": UNUSED}

    classes_ = FromFit()
    n_features_in_ = FromFit()
    feature_names_in_ = FromFit()

    def __init__(
        self,
        estimator,
        *,
        sigma=0.25,
        alpha=0.001,
        n0=100,
        n=100_000,
        n_copies=1,
        noise_param=None,
        abstain_label="auto",
        batch_size="auto",
        random_state=None,
        n_jobs=None,
        verbose=0,
    ):
        self.estimator = estimator
        self.sigma = sigma
        self.alpha = alpha
        self.n0 = n0
        self.n = n
        self.n_copies = n_copies
        self.noise_param = noise_param
        self.abstain_label = abstain_label
        self.batch_size = batch_size
        self.random_state = random_state
        self.n_jobs = n_jobs
        self.verbose = verbose

    @_fit_context(prefer_skip_nested_validation=False)
    def fit(self, X, y, sample_weight=None, **params):
        """Train a clone of `estimator` on noisy copies of X.

        Parameters
        ----------
        X : array-like of shape (n_inputs, *shape), or data frame
            Clean training inputs; one dimension (features) or more each.

        y : array-like of shape (n_inputs,)
            Their labels.

        sample_weight : array-like of shape (n_inputs,), default=None
            Passed to the `fit` of `estimator`, repeated for every copy.

        **params : dict
            Passed to the `fit` of `estimator`, or routed to it if metadata routing
            is enabled. What has one entry an input is repeated for every copy.

        Returns
        -------
        self : SmoothedClassifier

        Raises
        ------
        ValueError
            If a parameter, X or y is unusable; the message says what to do. The
            classifier is then as it was before.
        """
        with all_or_nothing(self):
            self._fit(X, y, sample_weight, params)
        return self

    def _fit(self, X, y, sample_weight, params):
        check_no_regressor(self.estimator)
        inputs = check_inputs(X, self.sigma, self, reset=True)
        y = check_y(y)
        check_consistent_length(inputs.values, y, sample_weight)
        check_abstain_label(self.abstain_label, np.unique(y))
        self.entropy_ = draw_entropy(self.random_state)
        estimator = clone(self.estimator)
        n_copies = self.n_copies
        if self.noise_param is not None:
            if isinstance(estimator, FrozenEstimator):
                raise ValueError(
                    f"noise_param={self.noise_param!r} has no effect, because a "
                    "FrozenEstimator is not trained: leave noise_param out."
                )
            estimator.set_params(**{self.noise_param: self.sigma})
            n_copies = 0
        if not isinstance(estimator, FrozenEstimator):
            fit_params = self._fit_params(sample_weight, params)
            X_noisy, rows = noisy_training_set(inputs, n_copies, self.entropy_)
            fit_params = _check_method_params(inputs.values, fit_params, indices=rows)
            estimator.fit(X_noisy, y[rows], **fit_params)
        self.estimator_ = estimator
        self.classes_ = check_classes(getattr(estimator, "classes_", np.unique(y)))
        check_abstain_label(self.abstain_label, self.classes_)

    def _fit_params(self, sample_weight, params):
        """Return what goes to the `fit` of `estimator`."""
        if _routing_enabled():
            routed = process_routing(self, "fit", sample_weight=sample_weight, **params)
            return routed.estimator.fit
        if sample_weight is None:
            return params
        if not has_fit_parameter(self.estimator, "sample_weight"):
            raise ValueError(
                f"{type(self.estimator).__name__}.fit takes no sample_weight. To reach "
                "a step of a Pipeline, name it, as in "
                "fit(X, y, logisticregression__sample_weight=...), or enable "
                "scikit-learn's metadata routing."
            )
        return {**params, "sample_weight": sample_weight}

    def predict(self, X):
        """Return g(x) for each input, or abstain: algorithm PREDICT.

        Takes `n` votes and names the class with most of them if Hung and Fithian's
        test at level `alpha` finds it ahead of the runner-up.

        Parameters
        ----------
        X : array-like of shape (n_inputs, *shape), or data frame
            Inputs of the kind seen during `fit`.

        Returns
        -------
        prediction : ndarray of shape (n_inputs,)
            Classes, and `abstain_label_` where the vote is a close call. For each
            input, P(a class other than g(x) is returned) <= alpha.

        Raises
        ------
        NotFittedError
            If neither this classifier nor `estimator` is fitted.

        ValueError
            If X is not of the shape seen in `fit`, or holds NaN or infinity.

        RuntimeError
            If ``estimator.predict`` raises; its exception is the cause.

        References
        ----------
        J. Cohen, E. Rosenfeld, J. Z. Kolter (2019), arXiv:1902.02918, Proposition 1.
        """
        counts = self._vote(self._prepare(X), "predict", self.n)
        second, first = np.partition(counts, -2, axis=1)[:, -2:].T
        certain = rank_verification_pvalue(first, second) <= self.alpha
        return self._labels(counts.argmax(axis=1), certain)

    def predict_proba(self, X):
        """Return the smoothed class probabilities: shares of the `n` votes.

        The votes are those of `predict`, so the highest share is that of the class
        which `predict` names if it does not abstain.

        Parameters
        ----------
        X : array-like of shape (n_inputs, *shape), or data frame
            Inputs of the kind seen during `fit`.

        Returns
        -------
        probabilities : ndarray of float of shape (n_inputs, n_classes)
            Multiples of 1/n in the order of `classes_`; rows sum to 1.
        """
        return self._vote(self._prepare(X), "predict", self.n) / self.n

    def certify(self, X):
        """Return a class and a certified radius for each input: algorithm CERTIFY.

        `n0` votes select a class; `n` fresh votes bound its probability p_A from
        below by Clopper and Pearson's p_lower at confidence 1 - alpha. The radius is
        sigma * Phi^-1(p_lower); unless p_lower > 1/2 it abstains.

        Parameters
        ----------
        X : array-like of shape (n_inputs, *shape), or data frame
            Inputs of the kind seen during `fit`.

        Returns
        -------
        certificate : Certificate
            Unpacks as ``prediction, radius``. For each input, the probability that it
            names a class and a radius, and g differs from that class somewhere within
            the radius, is at most alpha.

        Raises
        ------
        NotFittedError, ValueError, RuntimeError
            As `predict`.

        Notes
        -----
        p_lower = 1/2 abstains here; the reference implementation returns a class with
        radius 0.

        References
        ----------
        J. Cohen, E. Rosenfeld, J. Z. Kolter (2019), arXiv:1902.02918, Proposition 2.
        """
        prepared = self._prepare(X)
        selected = self._vote(prepared, "select", self.n0).argmax(axis=1)
        counts = self._vote(prepared, "estimate", self.n)
        votes = np.take_along_axis(counts, selected[:, None], axis=1)[:, 0]
        p_lower = lower_confidence_bound(votes, self.n, self.alpha)
        sigma = prepared.sigma
        unit = sigma if np.ndim(sigma) == 0 else 1.0
        radius = radius_from_probabilities(p_lower, sigma=unit)
        return Certificate(
            prediction=self._labels(selected, radius > 0),
            radius=radius,
            p_lower=p_lower,
            counts=counts,
            selected=selected,
            classes=self.classes_,
            n=self.n,
            alpha=self.alpha,
            sigma=sigma,
        )

    @property
    def abstain_label_(self):
        """What stands for "no prediction"; of the same kind as `classes_`."""
        return check_abstain_label(self.abstain_label, self.classes_)

    def _prepare(self, X):
        """Check everything that a draw of votes needs, without writing to self."""
        self._validate_params()
        check_is_fitted(self)
        check_no_regressor(self.estimator)
        if "estimator_" in vars(self):
            estimator, entropy = self.estimator_, self.entropy_
        else:
            estimator, entropy = self.estimator, draw_entropy(self.random_state)
            check_classes(getattr(estimator, "classes_", None))
        check_abstain_label(self.abstain_label, self.classes_)
        inputs = check_inputs(X, self.sigma, self, reset=False)
        sigma = check_sigma(self.sigma, inputs.input_shape)
        return _Prepared(estimator, inputs, sigma, entropy)

    def _vote(self, prepared, purpose, n):
        """Return the counts, shape (n_inputs, n_classes), of `n` votes an input."""
        return count_votes(
            prepared.estimator,
            self.classes_,
            prepared.inputs,
            n,
            entropy=prepared.entropy,
            purpose=purpose,
            batch_size=self.batch_size,
            n_jobs=self.n_jobs,
            verbose=self.verbose,
        )

    def _labels(self, winner, certain):
        """Return classes, and the abstain label where not `certain`."""
        abstain_label = self.abstain_label_
        labels = self.classes_.astype(label_dtype(self.classes_, abstain_label))[winner]
        if abstain_label is not None:
            labels[~certain] = abstain_label
        return labels

    def get_metadata_routing(self):
        """Return the routing of metadata: what `fit` gets goes to `estimator`.

        Returns
        -------
        router : MetadataRouter
        """
        return (
            MetadataRouter(owner=self)
            .add_self_request(self)
            .add(
                estimator=self.estimator,
                method_mapping=MethodMapping().add(caller="fit", callee="fit"),
            )
        )

    def __sklearn_is_fitted__(self):
        if "estimator_" in vars(self):
            return True
        try:
            check_is_fitted(self.estimator)
        except (NotFittedError, TypeError):
            return False
        return True

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        if hasattr(self.estimator, "__sklearn_tags__"):
            base = get_tags(self.estimator)
            tags.input_tags.positive_only = base.input_tags.positive_only
            if base.classifier_tags is not None:
                tags.classifier_tags.multi_class = base.classifier_tags.multi_class
                tags.classifier_tags.poor_score = base.classifier_tags.poor_score
        return tags
