"""SmoothedRegressor: quantiles of another regressor under noise, with intervals."""

import warnings
from numbers import Real

import numpy as np
from sklearn.base import RegressorMixin
from sklearn.utils import check_array, get_tags

from ._columns import names_of
from ._interval import IntervalCertificate
from ._sklearn import Interval, StrOptions
from ._smoother import BaseSmoother
from ._tensors import from_torch
from .exact._quantiles import exact_quantiles, has_exact_quantiles
from .noise import find_noise
from .noise._norms import told_norm
from .stats._checks import check_level, check_radius
from .stats._quantiles import estimate_rank, fewest_values, quantile_ranks
from .votes._values import Order, Valuing

# What it has of the parameters of all smoothers.
_SHARED = {
    name: constraints
    for name, constraints in BaseSmoother._parameter_constraints.items()
    if name not in ("method", "net_options")
}


class SmoothedRegressor(RegressorMixin, BaseSmoother):
    """Provably robust regressor: a quantile of another one's predictions under noise.

    Wraps a regressor f and predicts, for each input x, the median (or another
    quantile) of what f predicts for x with Gaussian noise on it,

        h_p(x) = inf{y : P(f(x + N(0, sigma^2 I)) <= y) >= p}.

    `certify_interval` returns, for each input and a radius, an interval in which h_p
    stays wherever the input moves within that radius. It is estimated from `n` noisy
    copies, and wrong with probability at most `alpha`; for linear regressors and trees
    it is computed without noisy copies. A mean has no such bounds unless f is bounded.

    An `estimator` that is already fitted can be used at once, without `fit`. `fit`
    trains a clone of it on noisy data.

    Parameters
    ----------
    estimator : estimator instance
        The regressor f to smooth, fitted or not; anything with `fit` and `predict`, of
        one output or several. Preprocessing belongs inside,
        ``SmoothedRegressor(make_pipeline(...))``: then noise and radius are in the
        units of the X that you pass.

    noise : str or instance of Noise, default="gaussian"
        The kind of noise, as for :class:`SmoothedClassifier`: "gaussian" for l2 radii,
        "laplace" for l1, "uniform" for l1 and linf. Not :class:`~sksmooth.noise.Split`,
        which proves nothing about quantiles.

    sigma : float, array-like or dict, default=0.25
        Standard deviation of the noise, in the units of X. Larger values give shorter
        intervals, but of a smoother h_p. An array is broadcast against one input, 0
        marking a feature that the adversary cannot touch; radii are then in units of
        sigma. For a data frame, pass one value per column, or a dict that names them,
        as for :class:`SmoothedClassifier`.

    categorical_features : None, "from_dtype" or array-like, default=None
        Columns that are categories, which are flipped; see :class:`SmoothedClassifier`.

    flip : float, default=0.5
        Probability with which the noise draws a category anew.

    shared_noise : bool, default=False
        True gives all inputs the same noise, so that several can be wrong together.

    grid : None, "auto" or float, default=None
        Step of a grid to which inputs and noise are rounded, so that no rounding in
        x + noise can make an interval false; see :class:`SmoothedClassifier`.

    method : {"auto", "monte_carlo", "exact"}, default="auto"
        "exact" computes quantiles instead of drawing values, so there is no `alpha`. It
        is for linear regressors under Gaussian noise and for DecisionTreeRegressor,
        also after scalers. "auto" uses it for these, and draws values for all others
        and with a `grid`.

    quantile : float, default=0.5
        Which quantile, in (0, 1).

    alpha : float, default=0.001
        Bound, for each input and radius, on the probability that an interval is wrong,
        half of it for each end; with several outputs, that any of their intervals is.

    n : int, default=1_000
        Values drawn for each input. More values hardly make intervals shorter (see
        Notes). The values of an input are sorted in memory: 8 bytes each, per output.

    n_copies : int, default=1
        `fit` trains on this many noisy copies of every input; 0 trains on clean data.
        Ignored if `noise_param` is given or `estimator` is frozen.

    noise_param : str, default=None
        Name of a nested parameter of `estimator` that `fit` sets to `sigma`. `fit` then
        adds no noise itself. For Gaussian noise only.

    batch_size : int or "auto", default="auto"
        Noisy inputs passed to ``estimator.predict`` at a time. Does not change results,
        except for the rounding of f itself.

    random_state : int, RandomState instance or None, default=None
        Seeds all noise, as for :class:`SmoothedClassifier`: the noise of an input
        depends on `entropy_` and on the content of the input, not on its position in X.

    n_jobs : int, default=None
        Inputs are shared out over this many workers. Does not change results.

    verbose : int, default=0
        1 shows progress.

    Attributes
    ----------
    estimator_ : estimator instance
        The trained clone of `estimator`; the same object if it is frozen.

    entropy_ : int
        128 bits from `random_state` that key all noise of this regressor.

    n_features_in_ : int
        Number of features seen during `fit` (of an n-D input: its second dimension).

    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of features seen during `fit`, if X had string column names.

    input_shape_ : tuple of int
        Shape of one input seen during `fit`.

    See Also
    --------
    SmoothedClassifier : The same for classes.
    worst_case_error_scorer : Choose sigma by the error inside a radius.

    Notes
    -----
    For every f, and all delta with norm(delta) <= r, h_lo(x) <= h_p(x + delta) <=
    h_up(x), where lo, up = Phi(Phi^-1(p) -+ r / sigma) for Gaussian noise; for other
    noise they follow from what it proves. Order statistics of the values bound these
    two quantiles, by exact binomials, with or without ties. The page "Regression" of
    the user guide has the proof, and shows the effect of n.

    An interval is for the exact quantile at x + delta, not for the estimate that
    `predict` returns there, which has an error of its own.

    A missing value stays missing in every noisy copy, as for
    :class:`SmoothedClassifier`.

    References
    ----------
    P. Chiang, M. Curry, A. Abdelkader, A. Kumar, J. Dickerson, T. Goldstein (2020),
    "Detection as Regression: Certified Object Detection with Median Smoothing",
    arXiv:2007.03730.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.neighbors import KNeighborsRegressor
    >>> from sksmooth import SmoothedRegressor
    >>> X = load_iris().data
    >>> X, y = X[::5, :3], X[::5, 3]  # predict the width of petals
    >>> f = KNeighborsRegressor()
    >>> h = SmoothedRegressor(f, sigma=0.3, random_state=0).fit(X, y)
    >>> h.predict(X[::10]).round(2)
    array([0.24, 1.88, 2.26])
    >>> lower, prediction, upper = h.certify_interval(X[::10], radius=0.1)
    >>> lower.round(2), upper.round(2)
    (array([0.22, 1.7 , 2.24]), array([0.26, 1.88, 2.26]))
    """

    _parameter_constraints: dict = {
        **_SHARED,
        "method": [StrOptions({"auto", "monte_carlo", "exact"})],
        "quantile": [Interval(Real, 0, 1, closed="neither")],
    }

    _wraps = "regressor"

    # Nets are asked through `predict`.
    net_options = None

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
        quantile=0.5,
        alpha=0.001,
        n=1_000,
        n_copies=1,
        noise_param=None,
        batch_size="auto",
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
        self.quantile = quantile
        self.alpha = alpha
        self.n = n
        self.n_copies = n_copies
        self.noise_param = noise_param
        self.batch_size = batch_size
        self.random_state = random_state
        self.n_jobs = n_jobs
        self.verbose = verbose

    def predict(self, X):
        """Return the quantile of f under noise for each input.

        Parameters
        ----------
        X : array-like of shape (n_inputs, *shape), or data frame
            Inputs of the kind seen during `fit`.

        Returns
        -------
        prediction : ndarray of float of shape (n_inputs,) or (n_inputs, n_outputs)
            The order statistic of rank ceil(n * quantile) of `n` values, or the exact
            quantile, see `method`. That of `certify_interval`.

        Raises
        ------
        NotFittedError
            If neither this regressor nor `estimator` is fitted.

        ValueError
            If X is not of the shape seen in `fit`, holds infinity, or holds missing
            values that `estimator` does not take; if answers of `estimator` are NaN, or
            depend on the other inputs in a batch: then h_p is no function of one input.

        RuntimeError
            If ``estimator.predict`` raises; its exception is the cause.

        Examples
        --------
        >>> from sklearn.datasets import load_iris
        >>> from sklearn.linear_model import Ridge
        >>> from sksmooth import SmoothedRegressor
        >>> X = load_iris().data
        >>> X, y = X[::5, :3], X[::5, 3]  # predict the width of petals
        >>> f = Ridge().fit(X, y)
        >>> SmoothedRegressor(f, sigma=0.3, quantile=0.9).predict(X[:3]).round(2)
        array([0.44, 0.63, 0.5 ])
        """
        prepared = self._prepare(X, ("estimate",))
        _, middle, _ = self._quantiles(prepared, np.empty(0))
        return middle

    def certify_interval(self, X, radius, *, norm=None, changes=0):
        """Return an interval around each prediction that holds inside a radius.

        Parameters
        ----------
        X : array-like of shape (n_inputs, *shape), or data frame
            Inputs of the kind seen during `fit`.

        radius : float or array-like of float
            Radii, >= 0, in the units of X (in units of sigma if sigma is an array). All
            of them are served by the same values, each at level `alpha` by itself.

        norm : {"l1", "l2", "linf", "edits"}, default=None
            Norm of the radii. None is l2, and an error for noise that measures in
            another norm.

        changes : int or pair of int, default=0
            Number of categories that may change as well, whichever they are. For
            SparseFlip, (additions, deletions) of ones.

        Returns
        -------
        certificate : IntervalCertificate
            Unpacks as ``lower, prediction, upper``. For each input and radius, the
            probability that there is a delta of norm at most the radius for which
            h_p(x + delta) is outside [lower, upper], in any of the outputs, is at most
            `alpha`.

        Raises
        ------
        NotFittedError, ValueError, RuntimeError
            As `predict`; and if a radius is negative or not finite, or if radii are not
            l2 and no norm is told.

        Warns
        -----
        UserWarning
            If `n` values are too few for one of the radii, whatever they are: "n is
            too small", and the n that would do.

        References
        ----------
        P. Chiang et al. (2020), arXiv:2007.03730, section 3.

        Examples
        --------
        >>> from sklearn.datasets import load_iris
        >>> from sklearn.linear_model import Ridge
        >>> from sksmooth import SmoothedRegressor
        >>> X = load_iris().data
        >>> X, y = X[::5, :3], X[::5, 3]  # predict the width of petals
        >>> h = SmoothedRegressor(Ridge().fit(X, y), sigma=0.3)  # linear: exact
        >>> lower, prediction, upper = h.certify_interval(X[:2], radius=0.1)
        >>> lower.round(2), prediction.round(2), upper.round(2)
        (array([0.18, 0.38]), array([0.24, 0.43]), array([0.29, 0.48]))
        """
        radius = check_radius(radius)
        prepared = self._prepare(X, ("estimate",))
        settings = radius.ravel(), norm, changes
        lower, middle, upper = self._quantiles(prepared, *settings, warn=True)
        shape = (*middle.shape, *radius.shape)
        exact, (index, columns) = prepared.method == "exact", names_of(X)
        return IntervalCertificate(
            lower=lower.reshape(shape),
            prediction=middle,
            upper=upper.reshape(shape),
            radius=radius,
            norm=told_norm(norm, prepared.noise.norm),
            changes=changes,
            quantile=float(self.quantile),
            n=0 if exact else self.n,
            alpha=0.0 if exact else self.alpha,
            sigma=prepared.noise.sigma,
            method=prepared.method,
            noise=prepared.noise.kind,
            index=index,
            feature_names=columns,
        )

    def _quantiles(self, prepared, radii, norm=None, changes=0, warn=False):
        """Return lower ends, quantiles and upper ends, with what is prepared already.

        Ends are of shape (n_inputs, n_outputs, n_radii).
        """
        proof, voting = prepared.noise.changed(changes), prepared.voting
        if len(radii):
            norm = told_norm(norm, proof.norm)
            if norm != proof.norm:
                radii = proof.from_norm(radii, norm, voting.inputs.n_noisy)
        with np.errstate(over="ignore"):  # infinitely far is far enough
            distances = _rounded_up(radii, prepared.loss) / proof.unit
        distances = np.where(distances > 0, np.nextafter(distances, np.inf), 0.0)
        levels = proof.levels(float(self.quantile), distances)
        if prepared.method == "exact":
            lower, upper, middle = exact_quantiles(
                voting.estimator,
                voting.inputs,
                float(self.quantile),
                distances[0],
                [level[0] for level in levels],
            )
        else:
            lower, upper, middle = self._drawn(voting, levels, warn)
        return lower, middle.reshape(len(middle), *voting.outputs), upper

    def _drawn(self, voting, levels, warn):
        """Return what order statistics say of quantiles at these levels."""
        check_level(self.alpha)
        n, alpha = int(self.n), self.alpha / voting.n_outputs
        ranks = np.stack(quantile_ranks(n, *levels, alpha))
        endless = (ranks < 1) | (ranks > n)
        if warn and np.any(endless):
            self._warn(np.min(levels[0]), np.max(levels[1]), alpha)
        n_rows, n_radii = levels[0].shape
        middle = np.full((n_rows, 1), estimate_rank(n, self.quantile))
        wanted = np.concatenate([middle, *np.clip(ranks, 1, n)], axis=1)
        wanted = np.broadcast_to(wanted, (len(voting.inputs), wanted.shape[1]))
        ordered = voting.draw("estimate", Order(n, wanted)).ordered
        middle, lower, upper = np.split(ordered, [1, 1 + n_radii], axis=2)
        lower = np.where(endless[0][:, None], -np.inf, lower)
        upper = np.where(endless[1][:, None], np.inf, upper)
        return lower, upper, middle[:, :, 0]

    def _warn(self, lower, upper, alpha):
        needed = fewest_values(float(lower), float(upper), alpha)
        remedy = (
            f"no feasible n would do: {self._kind.bind(1.0).remedy}"
            if needed is None
            else f"n = {needed} would do, or a larger sigma"
        )
        warnings.warn(
            f"n is too small for the radius: of n={self.n} values none is sure to be "
            f"beyond the quantile there (alpha={self.alpha:g}): unbounded intervals; "
            f"{remedy}.",
            stacklevel=5,
        )

    def _validate_params(self):
        super()._validate_params()
        check_level(self.quantile, "quantile")
        if find_noise(self.noise).listed is not None:
            raise ValueError(
                f"{self.noise!r} lists its copies, which proves something only about "
                "classes: use noise that is drawn, such as 'laplace' for l1 radii."
            )

    def _has_exact(self, estimator, noise):
        return has_exact_quantiles(estimator, noise)

    def _voting(self, estimator, inputs, **settings):
        return Valuing(estimator, inputs, **settings)

    def _check_y(self, y):
        if y is None:
            raise ValueError(
                "SmoothedRegressor requires y to be passed, but the target y is None."
            )
        return check_array(
            from_torch(y), ensure_2d=False, dtype="numeric", input_name="y"
        )

    def _y_for(self, estimator, y):
        return y, None

    def _check_base(self, estimator):
        """Anything that predicts numbers will do; what it predicts is seen then."""

    def _check_frozen(self, estimator, y):
        """It is not trained on y."""

    def _learn_targets(self, estimator, y, named):
        """There are none to remember."""

    def _seems_fitted(self, estimator):
        # scikit-learn's own rule, for what it does not take for an estimator.
        names = getattr(estimator, "__dict__", ())
        return any(k.endswith("_") and not k.startswith("__") for k in names)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        if hasattr(self.estimator, "__sklearn_tags__"):
            base = get_tags(self.estimator)
            tags.target_tags.multi_output = base.target_tags.multi_output
            tags.target_tags.single_output = base.target_tags.single_output
            if base.regressor_tags is not None:
                tags.regressor_tags.poor_score = base.regressor_tags.poor_score
        return tags


def _rounded_up(radii, loss):
    """Return radii with what a grid takes off them: (n_inputs or 1, n_radii)."""
    if loss is None:
        return np.asarray(radii, float)[None]
    return np.nextafter(radii + loss[:, None], np.inf)
