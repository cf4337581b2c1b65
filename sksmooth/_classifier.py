"""SmoothedClassifier: the scikit-learn face over votes and guarantees."""

import math
import warnings
from collections.abc import Mapping
from contextlib import nullcontext
from dataclasses import replace
from numbers import Integral, Real

import numpy as np
from sklearn.utils.validation import check_consistent_length

from ._certificate import Certificate
from ._class_smoother import ClassSmoother
from ._columns import names_of
from ._labels import as_labels, label_indices
from ._reach import Reach
from ._sklearn import Interval, StrOptions
from .exact._multiclass import analytic_bounds
from .exact._probabilities import (
    exact_distances,
    exact_probabilities,
    is_halfspace,
)
from .noise import find_noise
from .noise._grid import grid_step, loss_of_others
from .noise._sigma import least_levels, sigma_of_numbers
from .stats import sample_sizes
from .stats._certify import (
    BOUNDS,
    CertifiedBounds,
    bounds_from_lower,
    bounds_from_rest,
    bounds_from_upper,
    certify_votes,
)
from .stats._checks import check_level, check_radius
from .stats._planning import can_name_class, fewest_samples_to_name, too_small
from .stats._radius import certified_after_loss, radius_after_loss
from .stats._sequential import BoundProbability, CertifyKnownLabel, NameTopClass
from .votes._count import Votes
from .votes.run._fingerprint import fingerprint
from .votes.run._store import VoteStore

# Votes at the first of the looks of `predict`.
_FIRST_TO_PREDICT = 25


class SmoothedClassifier(ClassSmoother):
    """Provably robust classifier: the majority vote of another one under noise.

    Wraps a classifier f and predicts, for each input x, the class that f most often
    gives to x with Gaussian noise on it,

        g(x) = argmax_c P(f(x + N(0, sigma^2 I)) = c).

    `predict` returns g(x) or abstains. `certify` returns, for each input, a class and
    an l2 radius inside which no perturbation changes g. Both are estimated from
    votes, and each answer is wrong with probability at most `alpha`.

    An `estimator` that is already fitted can be used at once, without `fit`. `fit`
    trains a clone of it on noisy data, which usually certifies far larger radii.

    After the estimator, parameters come in four groups: the noise (`noise` to `grid`),
    how votes become guarantees (`method` to `abstain_label`), training (`n_copies`,
    `noise_param`), and execution (`batch_size` to `verbose`).

    Parameters
    ----------
    estimator : estimator instance
        The classifier f to smooth, fitted or not; anything with `fit` and `predict`.
        Preprocessing belongs inside, ``SmoothedClassifier(make_pipeline(...))``: then
        noise and radius are in the units of the X that you pass.

    noise : str or instance of Noise, default="gaussian"
        The kind of noise, by its name or as an instance. Radii are l2 for "gaussian",
        :class:`~sksmooth.noise.Gaussian`, and l1 for "laplace",
        :class:`~sksmooth.noise.Laplace`, and "uniform",
        :class:`~sksmooth.noise.Uniform`. `sigma` is the standard deviation of all
        three. It has no effect for :class:`~sksmooth.noise.Split`, which lists
        its copies instead of drawing them (data on a grid, l1, no `alpha`), for
        :class:`~sksmooth.noise.SparseFlip` (zeros and ones, sparse or not), and for
        :class:`~sksmooth.noise.DeleteTokens`, for which X is a list of texts and
        radii are numbers of edits.

    sigma : float, array-like or dict, default=0.25
        Standard deviation of the noise, in the units of X. Larger values certify
        larger radii at lower accuracy. An array is broadcast against one input, 0
        marking a feature that the adversary cannot touch; radii are then in units of
        sigma (see :class:`Certificate`). For a data frame, pass one value per column,
        as an array or a pandas Series in the order of the columns, or a dict that names
        all of them, ``{"amount": 0.3, "age": 2.0}``. Its key "*" stands for all
        columns that are not named: ``{"amount": 0.3, "*": 0}``.

    categorical_features : None, "from_dtype" or array-like, default=None
        Columns that are categories: their names, their positions, or a mask, as for
        :class:`~sklearn.ensemble.HistGradientBoostingClassifier`; "from_dtype" takes
        the columns of a frame that are Categorical or Enum. Their noise is flips
        instead of added numbers, and certificates also say how many of them may change
        (:meth:`Certificate.radius_for`). `fit` learns which values they have; a value
        that it did not see counts as the most frequent one of its column. A missing
        value stays missing.

    flip : float, default=0.5
        Probability with which the noise draws a category anew, uniformly from the
        K values of its column; so a category stays the same with probability
        1 - flip + flip / K. A larger `flip` certifies more changes at lower accuracy.

    shared_noise : bool, default=False
        True gives all inputs the same noise: several times faster if the base model
        is cheap, and the right choice for comparing models, whose scores then vary
        together. Each answer keeps its guarantee, but several can be wrong together,
        so a claim about a whole test set is weaker (see
        :meth:`Certificate.certified_accuracy_lower_bound`).

    grid : None, "auto" or float, default=None
        Step h of a grid, a power of two, to which inputs and noise are rounded before
        they are added, so that no rounding in x + noise can make a certificate false.
        "auto" takes about sigma / 2^16. Radii are then smaller by at most h sqrt(d)
        for d features. None trusts that f does not use the lowest bits of x + noise to
        find out x, as other implementations do. Does not affect training.

    method : {"auto", "monte_carlo", "exact", "analytic"}, default="auto"
        "exact" computes the probabilities instead of voting: no votes, no failure
        probability, no limit on radii from `n`. It is for decision trees, two-class
        ensembles of stumps and two-class linear classifiers, also after scalers, and
        an error for all others. "monte_carlo" votes. "auto" is "exact" where that
        applies, which depends on the kind of model, of noise and of columns, and votes
        otherwise or if there is a `grid`; ``Certificate.bound`` says which it was.
        "analytic" certifies linear classifiers with any number of classes from bounds
        on their probabilities, under Gaussian noise and also without votes; `predict`
        and `predict_proba` vote.

    alpha : float, default=0.001
        Bound, for each input, on the probability that `predict` names a class other
        than g(x), or that a certificate is wrong.

    n0 : int, default=100
        Votes with which `certify` selects the class. They are not used again.

    n : int, default=100_000
        Votes with which `certify` bounds the probability of the selected class, and
        the most that any other method takes. Limits the largest radius:
        sigma * Phi^-1(alpha^(1/n)).

    bound : {"cohen", "joint", "multiclass"}, default="cohen"
        How `certify` bounds the class probabilities. "cohen", the paper's, is the bound
        that published results use. "joint" selects the class with the same votes and
        needs no `n0`: larger radii if `n` is below about 1,000. "multiclass" also
        bounds the runner-up: larger radii for many classes and large `n`.

    stopping : {"sequential", "fixed"}, default="sequential"
        "sequential" looks at the votes at sample sizes fixed in advance and stops for
        an input once its answer is settled, with the same guarantee; `predict`,
        `predict_proba` and `certified_correct` then take all `n` votes only for close
        calls. "fixed" always takes `n`. `certify` always takes `n` unless you pass a
        `radius_tol`: stopping early does not buy radius.

    abstain_label : "auto", None, int, float or str, default="auto"
        What `predict` and `certify` return instead of a class that they cannot name
        with confidence. "auto" is -1 (or the smallest class minus 1, if that is
        lower) for numbers and "abstain" for strings; beside it, classes True and False
        are returned as 1 and 0. None never abstains: the class
        with the most votes is returned without a guarantee, and `certify` marks it
        with a radius of 0 that is not `certified`.

    n_copies : int, default=1
        `fit` trains on this many noisy copies of every input; 0 trains on clean data.
        Ignored if `noise_param` is given or `estimator` is frozen.

    noise_param : str, default=None
        Name of a nested parameter of `estimator` that `fit` sets to `sigma`, such as
        ``"gaussianaugmenter__sigma"``. `fit` then adds no noise itself. For Gaussian
        noise only.

    batch_size : int or "auto", default="auto"
        Noisy inputs passed to ``estimator.predict`` at a time. Limits the memory
        used; does not change results.

    net_options : dict, default=None
        How a neural net is evaluated while voting, as a dict of any of these. "mode":
        "auto" (default) chooses by rule, by the layers and the number of votes;
        "eager", as `predict` does; "frozen", "onnxruntime" or "compile", several times
        faster for convolutions. "channels_last": memory format of images. "dtype":
        "bfloat16" or "float16" compute with lower precision. "push_forward": False
        draws noise before the first layer even if it could be drawn behind it. In
        single and double precision, votes on a CPU do not depend on the mode, unless
        you name one for a module that branches on its input, which warns. The
        certificate is for f as evaluated in this way.

    random_state : int, RandomState instance or None, default=None
        Seeds all noise. With an int, results are reproducible: `fit` draws
        `entropy_` from it, and the noise of an input depends on `entropy_` and on
        the content of the input, not on its position in X. An int of more than 32 and
        up to 128 bits is `entropy_` itself. None takes 128 bits from the operating
        system, whatever ``np.random.seed`` was. Unless it is None, torch is seeded,
        too, while a net is trained.

    n_jobs : int, default=None
        Inputs are shared out over this many workers, see scikit-learn's glossary.
        Workers are threads if votes come from compiled code that lets other threads
        run, and processes otherwise, unless ``joblib.parallel_config`` names a backend.
        Does not change results.

    verbose : int, default=0
        1 shows progress: inputs decided, votes per second, time left.

    Attributes
    ----------
    estimator_ : estimator instance
        The trained clone of `estimator`; the same object if it is frozen.

    classes_ : ndarray of shape (n_classes,)
        The class labels. Available without `fit` if `estimator` is fitted.

    abstain_label_ : label or None
        The label that stands for "no prediction"; of the same kind as
        `classes_`.

    entropy_ : int
        128 bits from `random_state` that key all noise of this classifier.

    n_features_in_ : int
        Number of features seen during `fit` (of an n-D input: its second dimension).

    feature_names_in_ : ndarray of shape (`n_features_in_`,)
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
    class wherever the guarantee matters.

    The guarantee assumes noise that the adversary cannot foresee; keep `random_state`
    secret if that matters, or leave it None and call `fit`. Without a `grid` it
    also assumes exact arithmetic. With a `grid`, g(x) is the vote around x rounded to
    the grid, and f is what `predict` of `estimator` computes there, rounding included;
    no short cut replaces it.

    Rows that are equal share their noise, so their votes are equal too. With
    `shared_noise` all rows share it; the noise in `fit` is independent in any case.
    (There, equal rows share noise only if it is on numbers alone.)

    A missing value (NaN; null in a data frame) stays missing in every noisy copy, also
    in training. X may have missing values if `estimator` accepts them, by itself or
    with an imputer in its Pipeline. See `certify` for what is then certified.

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
        **ClassSmoother._parameter_constraints,
        "n0": [Interval(Integral, 1, None, closed="left")],
        "stopping": [StrOptions({"sequential", "fixed"})],
        "bound": [StrOptions(set(BOUNDS))],
        "abstain_label": [str, Real, None],
    }

    def __init__(
        self,
        estimator,
        *,
        noise="gaussian",
        sigma=0.25,
        categorical_features=None,
        flip=0.5,
        shared_noise=False,
        grid=None,
        method="auto",
        alpha=0.001,
        n0=100,
        n=100_000,
        bound="cohen",
        stopping="sequential",
        abstain_label="auto",
        n_copies=1,
        noise_param=None,
        batch_size="auto",
        net_options=None,
        random_state=None,
        n_jobs=None,
        verbose=0,
    ):
        self.estimator = estimator
        self.noise = noise
        self.sigma = sigma
        self.categorical_features = categorical_features
        self.flip = flip
        self.shared_noise = shared_noise
        self.grid = grid
        self.method = method
        self.alpha = alpha
        self.n0 = n0
        self.n = n
        self.bound = bound
        self.stopping = stopping
        self.abstain_label = abstain_label
        self.n_copies = n_copies
        self.noise_param = noise_param
        self.batch_size = batch_size
        self.net_options = net_options
        self.random_state = random_state
        self.n_jobs = n_jobs
        self.verbose = verbose

    def predict(self, X, *, store=None):
        """Return g(x) for each input, or abstain: algorithm PREDICT.

        Names the class with the most votes once Hung and Fithian's test at level
        `alpha` finds it ahead of the runner-up: after 25, 50, 100, ... or `n` votes,
        with the level split equally between these looks. With two classes, a close vote
        is given up earlier if at most 5 % of such inputs would still get a class.

        Parameters
        ----------
        X : array-like of shape (n_inputs, *shape), or data frame
            Inputs of the kind seen during `fit`.

        store : path-like, default=None
            A file that keeps the votes: the same call continues where one that was
            interrupted stopped, in this process or another. See `certify`.

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
            If X does not have the shape seen in `fit`, holds infinity, or holds missing
            values that `estimator` does not accept; if the store holds votes of another
            run.

        RuntimeError
            If ``estimator.predict`` raises; its exception is the cause. If the store
            is damaged or cannot be written.

        Warns
        -----
        UserWarning
            If `n` votes are too few to name a class at level `alpha`, however they
            fall: "n is too small for alpha", with an n that would do. If answers of
            `estimator` depend on the other inputs in a batch: then g is not a function
            of one input.

        References
        ----------
        J. Cohen, E. Rosenfeld, J. Z. Kolter (2019), arXiv:1902.02918, Proposition 1.

        Examples
        --------
        >>> from sklearn.datasets import load_iris
        >>> from sklearn.naive_bayes import GaussianNB
        >>> from sksmooth import SmoothedClassifier
        >>> X, y = load_iris(return_X_y=True)
        >>> g = SmoothedClassifier(GaussianNB(), n=1_000, random_state=0).fit(X, y)
        >>> g.predict(X[[0, 70, 149]])  # the second one is a close call
        array([ 0, -1,  2])
        """
        prepared = self._ready(X, "predict")
        if self._is_exact(prepared.method):
            _, bounds, _ = self._exact(prepared, store, leader_only=True)
            return prepared.labels(bounds.selected, _certified(prepared, bounds)[1])
        looks = self._looks(_FIRST_TO_PREDICT)
        if self.abstain_label is not None and not can_name_class(looks, self.alpha):
            first = None if self.stopping == "fixed" else _FIRST_TO_PREDICT
            needed = fewest_samples_to_name(self.alpha, first)
            warnings.warn(
                too_small(self.n, self.alpha, "predict always abstains", needed),
                stacklevel=2,
            )
        votes = self._top_class_votes(prepared, store)
        return prepared.labels(votes.counts.argmax(axis=1), votes.value)

    def predict_proba(self, X, *, store=None):
        """Return the smoothed class probabilities: shares of the votes.

        The votes are those of `predict`, so the highest share is that of the class
        which `predict` names if it does not abstain, and the cost is the same.

        Parameters
        ----------
        X : array-like of shape (n_inputs, *shape), or data frame
            Inputs of the kind seen during `fit`.

        store : path-like, default=None
            A file that keeps the votes: the same call continues where one that was
            interrupted stopped, in this process or another. See `certify`; it
            shares the votes with `predict`.

        Returns
        -------
        probabilities : ndarray of float of shape (n_inputs, n_classes)
            In the order of `classes_`; rows sum to 1. Multiples of 1/n if `stopping`
            is "fixed". If it is "sequential", multiples of 1/25, 1/50, ... for inputs
            whose vote is settled, or given up, early: set it to "fixed" if the
            probabilities themselves matter. Without sampling error if `method` is
            exact.

        Raises
        ------
        NotFittedError, ValueError, RuntimeError
            As `predict`.

        Examples
        --------
        >>> from sklearn.datasets import load_iris
        >>> from sklearn.naive_bayes import GaussianNB
        >>> from sksmooth import SmoothedClassifier
        >>> X, y = load_iris(return_X_y=True)
        >>> g = SmoothedClassifier(GaussianNB(), n=1_000, random_state=0).fit(X, y)
        >>> g.set_params(stopping="fixed").predict_proba(X[[0, 70, 149]])
        array([[1.   , 0.   , 0.   ],
               [0.   , 0.498, 0.502],
               [0.   , 0.277, 0.723]])
        """
        prepared = self._ready(X, "predict")
        if self._is_exact(prepared.method):
            shares = self._exact(prepared, store)[0]
            if shares is None:
                raise ValueError(
                    "the probabilities of a linear classifier are not known exactly "
                    f"under {self.noise!r} noise, only its radii: use "
                    "method='monte_carlo' to estimate them."
                )
            return shares
        votes = self._top_class_votes(prepared, store)
        return votes.counts / votes.n_used[:, None]

    def certify(self, X, *, radius_tol=None, store=None):
        """Return a class and a certified radius for each input: algorithm CERTIFY.

        `n0` votes select a class; `n` fresh votes bound its probability p_A from
        below by Clopper and Pearson's p_lower at confidence 1 - alpha. The radius is
        sigma * Phi^-1(p_lower); unless p_lower > 1/2, `certify` abstains. `bound` and
        `method` offer alternatives.

        Parameters
        ----------
        X : array-like of shape (n_inputs, *shape), or data frame
            Inputs of the kind seen during `fit`.

        radius_tol : float or array-like of shape (n_inputs,), default=None
            Stop voting on an input once more votes could not raise its radius by more
            than this, in the units of the radius. None takes `n` votes and gives the
            largest radius; with a tolerance, alpha is split between the looks, so a
            class that is only just certified can be lost. "Could not" has an error
            probability of 0.001, on which the guarantee does not depend. Only
            for the bound "cohen". Has no effect if "auto" is exact.

        store : path-like, default=None
            A file that keeps the votes of every input that is decided; no file is made
            if "auto" is exact, because there are no votes. The same call
            continues where an interrupted one stopped, however it ended; stored votes
            are not drawn again, and also serve another `alpha` or `bound`.
            Several processes may use one file at once. It is bound to the model,
            sigma, random state and kind of X. Needs a fitted classifier, or
            an int as `random_state`. See also :func:`merge_stores`.

        Returns
        -------
        certificate : Certificate
            Unpacks as ``prediction, radius``. For each input, the probability that it
            names a class and a radius, and g differs from that class somewhere within
            the radius, is at most alpha.

        Raises
        ------
        NotFittedError, ValueError, RuntimeError
            As `predict`; and a ValueError if answers of `estimator` depend on the other
            inputs in a batch.

        Warns
        -----
        UserWarning
            If `n` votes are too few to certify anything at level `alpha`.

        Notes
        -----
        p_lower = 1/2 abstains here; the reference implementation returns a class with
        radius 0.

        If an input has missing values, the certificate holds for adversaries who
        change the values that are present, and neither create nor fill gaps: the radius
        is a distance in the other features.

        References
        ----------
        J. Cohen, E. Rosenfeld, J. Z. Kolter (2019), arXiv:1902.02918, Proposition 2.

        Examples
        --------
        >>> from sklearn.datasets import load_iris
        >>> from sklearn.naive_bayes import GaussianNB
        >>> from sksmooth import SmoothedClassifier
        >>> X, y = load_iris(return_X_y=True)
        >>> g = SmoothedClassifier(GaussianNB(), n=1_000, random_state=0).fit(X, y)
        >>> prediction, radius = g.certify(X[[0, 70, 149]])
        >>> prediction, radius.round(2)
        (array([ 0, -1,  2]), array([0.62, 0.  , 0.12]))
        """
        prepared = self._ready(X)
        early, reach = radius_tol is not None, self._reach_by(prepared.method)
        if not reach.certifies(self.n, early=early):
            needed = reach.fewest(0.0, early=early)
            warnings.warn(
                too_small(self.n, self.alpha, "certify always abstains", needed),
                stacklevel=2,
            )
        with self._open(store, prepared) as store:
            return self._certify(prepared, radius_tol, store, names_of(X))

    def certified_correct(self, X, y, radius, *, norm=None, changes=0, store=None):
        """Tell for which inputs the true class is certified at given radii.

        This is all that certified accuracy needs, and much cheaper than the radii
        themselves: with the label known there is no class to select, and voting stops
        as soon as it is clear on which side of Phi(radius / sigma) the label's
        probability lies. The scorers use it.

        Parameters
        ----------
        X : array-like of shape (n_inputs, *shape), or data frame
            Inputs of the kind seen during `fit`.

        y : array-like of shape (n_inputs,)
            True labels. One that is not in `classes_` is never correct.

        radius : float or array-like of float
            Radii, >= 0, in the units of certified radii. All of them are decided by the
            same votes.

        norm : {"l1", "l2", "linf", "edits"}, default=None
            Norm of the radii. None is l2, and an error for noise that
            measures in another norm.

        changes : int or pair of int, default=0
            Number of categories that may change as well, whichever they are. For
            SparseFlip, (additions, deletions) of ones.

        store : path-like, default=None
            A file that keeps the votes: the same call continues where one that was
            interrupted stopped, in this process or another. See `certify`.

        Returns
        -------
        correct : ndarray of bool of shape (n_inputs, *radius.shape)
            True: no perturbation of a norm below the radius makes g answer anything
            but y. For each input, P(a True is false) <= alpha.

        Raises
        ------
        NotFittedError, ValueError, RuntimeError
            As `certify`; and if a radius is negative or not finite, or if radii are not
            l2 and no norm is given.

        Warns
        -----
        UserWarning
            If `n` votes are too few for one of the radii, even if all of them agree.

        Notes
        -----
        With `stopping` "sequential" the votes are looked at after 100, 200, 400, ...
        and `n` of them; the last look has half of alpha, the others share the rest.
        The bound "multiclass" has no such shortcut: it takes as many votes as
        `certify`.

        References
        ----------
        J. Cohen, E. Rosenfeld, J. Z. Kolter (2019), arXiv:1902.02918, section 4.

        Examples
        --------
        >>> from sklearn.datasets import load_iris
        >>> from sklearn.naive_bayes import GaussianNB
        >>> from sksmooth import SmoothedClassifier
        >>> X, y = load_iris(return_X_y=True)
        >>> g = SmoothedClassifier(GaussianNB(), n=1_000, random_state=0).fit(X, y)
        >>> g.certified_correct(X[[0, 70, 149]], y[[0, 70, 149]], radius=[0, 0.5])
        array([[ True,  True],
               [False, False],
               [ True, False]])
        """
        radii = check_radius(radius)
        prepared = self._ready(X, known_label=True)
        reach = self._reach_by(prepared.method)
        reach = reach.told(norm, prepared.voting.inputs.n_noisy, changes)
        unreachable = reach.unreachable(radii, self.n, self.sigma)
        if unreachable:
            warnings.warn(unreachable, stacklevel=2)
        return self._known_correct(prepared, y, reach.own(radii), changes, store)

    def _known_correct(self, prepared, y, radii, changes=0, store=None):
        """Do what `certified_correct` says, with what is prepared already.

        Radii are in the norm of the noise.
        """
        y = as_labels(y, "y")
        check_consistent_length(prepared.voting.inputs.values, y)
        label = label_indices(y, prepared.voting.classes)
        if self._is_certain(prepared.method) or not BOUNDS[self.bound].by_threshold:
            with self._open(store, prepared) as store:
                certificate = self._certify(prepared, store=store)
            right = certificate.selected == label
            right &= certificate.certified_for(changes)
            reached = certificate.radius_for(changes=changes)
            correct = right[:, None] & (reached[:, None] >= radii.ravel())
        else:
            correct = np.zeros((len(y), radii.size), bool)
            known = np.flatnonzero(label >= 0)
            if len(known):
                loss = prepared.loss
                rule = CertifyKnownLabel(
                    looks=self._looks(first=100),
                    alpha=self.alpha,
                    radii=radii.ravel(),
                    noise=prepared.noise.changed(changes),
                    label=label[known],
                    loss=None if loss is None else loss[known],
                )
                with self._open(store, prepared) as store:
                    votes = prepared.of(known).voting.draw("estimate", rule, store)
                correct[known] = votes.value
        return correct.reshape(len(y), *radii.shape)

    def max_certifiable_radius(self, *, known_label=False, norm=None, changes=0):
        """Return the largest radius that can be certified: all `n` votes agree.

        Parameters
        ----------
        known_label : bool, default=False
            False: the largest radius for `certify`. True: for `certified_correct` and
            the scorers, which share alpha between looks if `stopping` is "sequential".

        norm : {"l1", "l2", "linf", "edits"}, default=None
            Norm of the radius. None is l2, and an error for noise that
            measures in another norm.

        changes : int or pair of int, default=0
            Categories that may change as well; their values are known from `fit` on.
            For SparseFlip, (additions, deletions) of ones.

        Returns
        -------
        radius : float
            In the units of certified radii. Infinite where `method` is exact or
            "analytic", unless the noise is bounded. With a `grid`: for an input on it.

        Raises
        ------
        ValueError
            If radii are not l2 and no norm is given; if the norm is not that of the
            noise, and the number of features is not known before `fit`.

        See Also
        --------
        required_samples : The votes that a radius needs.

        Examples
        --------
        >>> from sklearn.naive_bayes import GaussianNB
        >>> from sksmooth import SmoothedClassifier
        >>> g = SmoothedClassifier(GaussianNB(), sigma=0.5, n=10_000)
        >>> round(g.max_certifiable_radius(), 3)
        1.599
        """
        self._check_domain(changes)
        reach = self._reach_by(self._method).told(norm, changes=changes)
        return reach.radius(self.n, known_label)

    def required_samples(self, radius, *, known_label=False, norm=None, changes=0):
        """Return the smallest `n` with which a radius can be certified at all.

        Parameters
        ----------
        radius : float
            In the units of certified radii.

        known_label : bool, default=False
            As in `max_certifiable_radius`.

        norm : {"l1", "l2", "linf", "edits"}, default=None
            Norm of the radius. None is l2, and an error for noise that
            measures in another norm.

        changes : int or pair of int, default=0
            Categories that may change as well; their values are known from `fit` on.
            For SparseFlip, (additions, deletions) of ones.

        Returns
        -------
        n : int
            0 where `method` is exact, or "analytic".

        Raises
        ------
        ValueError
            If no feasible number of votes would do, because sigma is too small; or as
            `max_certifiable_radius`.

        See Also
        --------
        max_certifiable_radius : The radius that `n` votes can reach.

        Examples
        --------
        >>> from sklearn.naive_bayes import GaussianNB
        >>> from sksmooth import SmoothedClassifier
        >>> g = SmoothedClassifier(GaussianNB(), sigma=0.5)
        >>> g.required_samples(1.5)  # 3 sigma
        5114
        """
        if np.ndim(check_radius(radius)):
            raise ValueError(f"radius must be one number, got {radius!r}.")
        self._check_domain(changes)
        method = self._method
        reach = self._reach_by(method).told(norm, changes=changes)
        needed = reach.fewest(float(radius), known_label)
        if needed is None:
            raise ValueError(
                "no feasible number of votes certifies a radius of "
                f"{radius / self._noise.unit:g} sigma: {reach.noise.remedy}."
            )
        return 0 if self._is_certain(method) else needed

    def _check_domain(self, changes):
        """Raise a ValueError if it is not known yet how many values categories have."""
        asked = changes != 0 and self.categorical_features is not None
        if asked and "_categories" not in vars(self):
            raise ValueError(
                "the cost of changed categories depends on how many values they have, "
                "which fit learns: call fit."
            )

    def _reach_by(self, method):
        """Return what can be certified by a method that is not "auto"."""
        # Before `fit` it may not be known that there are only two classes.
        n_classes = max(2, len(getattr(self, "classes_", range(3))))
        settings = self.bound, self.stopping, self._furthest(method)
        levels, n_features = self._known_levels()
        n_noisy = loss = None
        if n_features is not None:
            n_noisy = int(np.count_nonzero(levels) * n_features / levels.size)
        if self.grid is not None:  # one feature at least
            step, norm = grid_step(self.grid, levels), self._noise.norm
            n = levels.size if n_features is None else n_features
            loss = loss_of_others(levels, step, n, norm)
        return Reach(
            self._noise,
            self.alpha,
            n_classes,
            loss,
            *settings,
            n_noisy,
            is_distance=self._has_distances(method),
        )

    def _is_exact(self, method):
        """Is nothing left to chance?"""
        return method == "exact" or find_noise(self.noise).listed is not None

    def _is_certain(self, method):
        """Is nothing in a certificate left to chance?"""
        return method == "analytic" or self._is_exact(method)

    def _furthest(self, method):
        """Return the largest radius, where nothing is left to chance; else None."""
        if not self._is_certain(method):
            return None
        return np.inf if self._has_distances(method) else self._noise.furthest

    def _has_distances(self, method):
        """Are radii distances to where f changes, and not due to probabilities?"""
        if method != "exact" or not self._noise.keeps_halfspaces:
            return False
        f = vars(self).get("estimator_", self.estimator)
        return self.__sklearn_is_fitted__() and is_halfspace(f)

    def _purposes(self, method, purpose=None, known_label=False):
        """Return what votes are drawn for, to certify unless a purpose is named."""
        if self._is_exact(method) if purpose else self._is_certain(method):
            return ("estimate",)
        if purpose is not None:
            return (purpose,)
        bound = BOUNDS[self.bound]
        selects = bound.needs_selection and not (known_label and bound.by_threshold)
        return ("estimate", "select") if selects else ("estimate",)

    def _certify(self, prepared, radius_tol=None, store=None, names=(None, None)):
        """Do what `certify` says, with what is prepared already."""
        by_votes = self.method in ("auto", "monte_carlo")
        if radius_tol is not None and not (by_votes and self.bound == "cohen"):
            raise ValueError(
                "radius_tol stops early only with bound='cohen' and method='auto' or "
                f"'monte_carlo', not with {self.bound!r} and {self.method!r}."
            )
        if self._is_certain(prepared.method):
            if radius_tol is not None:  # of no use, but it may be wrong
                _tolerances(radius_tol, len(prepared.voting.inputs))
            _, bounds, votes = self._exact(prepared, store)
            none = np.zeros(votes.counts.shape, np.int64)
            return self._certificate(prepared, none, votes, bounds, names)
        selection = None
        if BOUNDS[self.bound].needs_selection:
            selection = prepared.voting.draw("select", self.n0, store).counts
        if radius_tol is not None:
            rule = BoundProbability(
                looks=sample_sizes(self.n),
                alpha=self.alpha,
                selected=selection.argmax(axis=1),
                tolerance=_tolerances(radius_tol, len(selection)),
                noise=prepared.noise,
            )
            votes = prepared.voting.draw("estimate", rule, store)
            bounds = bounds_from_lower(rule.selected, votes.value, prepared.noise)
            return self._certificate(
                prepared, selection, votes, bounds, names, rule.looks
            )
        votes = prepared.voting.draw("estimate", self.n, store)
        bounds = certify_votes(
            votes.counts, selection, self.alpha, self.bound, prepared.noise
        )
        return self._certificate(prepared, selection, votes, bounds, names)

    def _open(self, path, prepared, predicts=False):
        """Return the store of votes as a context, which is None without a path."""
        if path is None or isinstance(path, VoteStore):
            return nullcontext(path)
        if self.method == "auto" and prepared.method == "exact":
            return nullcontext(None)  # there will be none to keep
        if self.method == "exact" or (self.method == "analytic" and not predicts):
            raise ValueError(
                f"method={self.method!r} draws no votes that a store could keep: call "
                "without store."
            )
        fitted = "estimator_" in vars(self)
        if not fitted and not isinstance(self.random_state, Integral):
            raise ValueError(
                "a store needs the same noise in every call, but random_state="
                f"{self.random_state!r} draws new noise each time: pass an int, or "
                "call fit (and keep the fitted classifier)."
            )
        return VoteStore(path, *fingerprint(prepared.voting))

    def _ready(self, X, *purpose, known_label=False):
        """Prepare, and find out at once whether a net can be evaluated as asked."""
        prepared = self._prepare(
            X, lambda method: self._purposes(method, *purpose, known_label=known_label)
        )
        if prepared.method != "exact":
            check_level(self.alpha)
        if self.net_options:
            prepared.voting.recognised  # noqa: B018
        return prepared

    def _looks(self, first):
        """Sample sizes at which the votes are looked at."""
        return sample_sizes(self.n, self.n if self.stopping == "fixed" else first)

    def _known_levels(self):
        """Return noise levels that inputs will have, and the number of features.

        None before `fit`, if a fitted `estimator` does not tell it.
        """
        levels, places = least_levels(self.sigma), self._categorical_places
        n_features = getattr(self, "n_features_in_", None)
        n_features = n_features if isinstance(n_features, Integral) else None
        if "input_shape_" in vars(self):
            n_features = math.prod(self.input_shape_)
        if isinstance(self.sigma, Mapping):
            names = getattr(self, "feature_names_in_", None)
            if names is None:
                return levels, None
            levels = sigma_of_numbers(self.sigma, len(names), places, names)
        elif not np.ndim(self.sigma) and n_features is not None:
            n_features -= len(places)
        return levels, n_features

    def _top_class_votes(self, prepared, path):
        looks = self._looks(_FIRST_TO_PREDICT)
        rule = NameTopClass(looks, self.alpha)
        if self.abstain_label is None:  # every vote makes a better guess
            rule = replace(rule, give_up=0)
        with self._open(path, prepared, predicts=True) as store:
            return prepared.voting.draw("predict", rule, store)

    def _exact(self, prepared, store=None, leader_only=False):
        """Return exact class probabilities, what they certify, and the votes, if any.

        None for probabilities that are only bounded. `store` may be a path, or a store
        that is open.
        """
        voting = prepared.voting
        listed = find_noise(self.noise).listed
        if prepared.method == "analytic":
            found = analytic_bounds(voting.estimator, voting.classes, voting.inputs)
            none = np.zeros((len(found[0]), len(voting.classes)), np.int64)
            bounds = bounds_from_rest(*found, prepared.noise)
            return None, bounds, Votes(none, none[:, 0], None)
        if listed is None:
            self._open(store, prepared)
            if self._has_distances(prepared.method):
                return self._distances(prepared)
            asked = voting.estimator, voting.classes, voting.inputs
            found = exact_probabilities(*asked, leader_only=leader_only)
            none = np.zeros(found[0].shape, np.int64)
            votes = Votes(none, none[:, 0], None)
            return found[0], bounds_from_upper(*found, prepared.noise), votes
        with self._open(store, prepared) as store:
            votes = voting.draw("estimate", listed, store)
        selected, radius = prepared.noise.of_counts(votes.counts)
        shares = votes.counts / listed
        others = shares.copy()
        np.put_along_axis(others, selected[:, None], 0.0, axis=1)
        p_lower = shares[np.arange(len(selected)), selected]
        bounds = CertifiedBounds(selected, p_lower, others.max(axis=1), radius)
        return shares, bounds, votes

    def _distances(self, prepared):
        """Do what ``_exact`` does for f = g, whose probabilities are not known."""
        voting = prepared.voting
        selected, distance = exact_distances(
            voting.estimator, voting.classes, voting.inputs
        )
        none = np.zeros((len(selected), len(voting.classes)), np.int64)
        half = np.full(len(selected), 0.5)
        bounds = CertifiedBounds(selected, half, half, distance)
        return None, bounds, Votes(none, none[:, 0], None)

    def _certificate(self, prepared, selection, votes, bounds, names, looks=None):
        method = prepared.method
        exact, listed = self._is_certain(method), find_noise(self.noise).listed
        radius, certified = _certified(prepared, bounds)
        n = (listed or 0) if exact else self.n
        inputs = prepared.voting.inputs
        categories = inputs.categories
        bound = "analytic" if method == "analytic" else "exact"
        return Certificate(
            prediction=prepared.labels(bounds.selected, certified),
            radius=radius,
            p_lower=bounds.p_lower,
            p_upper=bounds.p_upper,
            selected=bounds.selected,
            counts=votes.counts,
            selection_counts=selection,
            n_used=votes.n_used,
            n=n,
            looks=np.array([n]) if looks is None else looks,
            alpha=0.0 if exact else self.alpha,
            sigma=prepared.noise.sigma,
            bound=bound if exact else self.bound,
            classes=prepared.voting.classes,
            abstain_label=prepared.abstain_label,
            first_equal=prepared.voting.first_equal(),
            radius_loss=prepared.loss,
            noise=prepared.noise.kind,
            shared_noise=self.shared_noise,
            index=names[0],
            feature_names=names[1],
            n_noisy=inputs.n_noisy,
            certified=certified,
            is_distance=self._has_distances(method),
            categorical=None if categories is None else categories.places,
            rounded=inputs.counts,
        )


def _certified(prepared, bounds):
    """Return radii after what a grid takes off, and which inputs are certified."""
    radius = radius_after_loss(bounds.radius, prepared.loss)
    pair = bounds.p_lower, bounds.p_upper
    return radius, certified_after_loss(prepared.noise, radius, prepared.loss, *pair)


def _tolerances(radius_tol, n_inputs):
    """Return the tolerance of each input."""
    tolerance = check_radius(radius_tol, "radius_tol")
    try:
        return np.broadcast_to(tolerance, n_inputs)
    except ValueError:
        raise ValueError(
            f"radius_tol must be one number or one for each of the {n_inputs} inputs, "
            f"got shape {tolerance.shape}."
        ) from None
