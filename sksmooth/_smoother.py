"""How a base estimator is wrapped: trained under noise, and made ready to be asked."""

import warnings
from collections.abc import Mapping
from dataclasses import replace
from numbers import Integral, Real
from typing import Any, NamedTuple

import numpy as np
from sklearn.base import BaseEstimator, MetaEstimatorMixin, clone
from sklearn.exceptions import InconsistentVersionWarning, NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.utils import get_tags
from sklearn.utils.metadata_routing import UNUSED, MetadataRouter, MethodMapping
from sklearn.utils.validation import check_consistent_length, check_is_fitted

from ._check_base import check_estimator
from ._columns import as_column
from ._entropy import SEEDS, draw_entropy
from ._fit_errors import explaining_fit
from ._fit_signature import FitOfWrapper, takes_weights
from ._from_fit import FromFit, all_or_nothing
from ._labels import name_classes
from ._seeding import seeded_training
from ._sklearn import (
    HasMethods,
    Interval,
    KeepsSecrets,
    StrOptions,
    _check_method_params,
    _fit_context,
    _routing_enabled,
    allows_nan,
    has_valid_parameters,
    process_routing,
)
from ._training import hand_level, noisy_training_set
from ._validation import check_inputs
from ._version import __version__
from .models._affine import takes_apart, takes_by_name
from .models._nets import as_net_takes, check_devices
from .models._unwrap import unwrap
from .noise import find_noise
from .noise._flips import flip_threshold
from .noise._grid import check_grid
from .noise._proof import Proof
from .noise._sigma import is_one_number, sigma_of_numbers
from .stats._checks import MAX_VOTES, check_positive, check_votes
from .votes._missing import check_may_train, check_missing, training_with_missing
from .votes._rows import Flips
from .votes._spread import warn_of_little_noise
from .votes.voters._predict import check_one_row


class Prepared(NamedTuple):
    """What every answer about one X needs."""

    voting: Any  # a Voting, or a Valuing
    noise: Proof  # of the level that the user is told, which radii depend on
    loss: np.ndarray | None  # what a grid takes off the radius of each input
    abstain_label: object
    method: str  # never "auto"

    def labels(self, winner, certain):
        """Return the class of each winner, and the abstain label where not certain."""
        return name_classes(winner, certain, self.voting.classes, self.abstain_label)

    def of(self, rows):
        """Return what answers about some of the inputs need."""
        if len(rows) == len(self.voting.inputs):
            return self
        return self._replace(voting=self.voting.of(rows))


class BaseSmoother(KeepsSecrets, MetaEstimatorMixin, BaseEstimator):
    """Wraps `estimator`, fitted or not.

    The parameters are those below; a subclass has them in its ``__init__``. What is
    learned about y and how answers are drawn is for it, too: the methods at the end.
    """

    _parameter_constraints: dict = {
        "estimator": [HasMethods("fit")],  # the rest is for check_estimator
        "sigma": [Interval(Real, 0, None, closed="neither"), "array-like", Mapping],
        "alpha": [Interval(Real, 0, 1, closed="neither")],
        "n": [Interval(Integral, 1, None, closed="left")],
        "method": [StrOptions({"auto", "monte_carlo", "exact", "analytic"})],
        "grid": [Interval(Real, 0, None, closed="neither"), StrOptions({"auto"}), None],
        "noise": "no_validation",  # by find_noise
        "categorical_features": "no_validation",  # by find_categorical
        "flip": [Interval(Real, 0, 1, closed="both")],
        "shared_noise": ["boolean"],
        "n_copies": [Interval(Integral, 0, None, closed="left")],
        "noise_param": [str, None],
        "batch_size": [
            Interval(Integral, 1, None, closed="left"),
            StrOptions({"auto"}),
        ],
        "net_options": [dict, None],
        "random_state": SEEDS,
        "n_jobs": [Integral, None],
        "verbose": ["verbose"],
    }

    _secrets = ("entropy_",)

    # `fit` hands sample_weight on: whether it is wanted is for the base to say.
    __metadata_request__fit = {"sample_weight": UNUSED}

    n_features_in_ = FromFit()
    feature_names_in_ = FromFit()

    @FitOfWrapper
    @_fit_context(prefer_skip_nested_validation=False)
    def fit(self, X, y, sample_weight=None, **params):
        """Train a clone of `estimator` on noisy copies of X.

        Parameters
        ----------
        X : array-like of shape (n_inputs, *shape), or data frame
            Clean training inputs; one dimension (features) or more each. Missing
            values are for `estimator` to take: they get no noise.

        y : array-like of shape (n_inputs,)
            Their labels or, for a regressor, targets.

        sample_weight : array-like of shape (n_inputs,), default=None
            Passed to the `fit` of `estimator`, repeated for every copy. A parameter of
            this method only if it is one of that `fit`.

        **params : dict
            Passed to the `fit` of `estimator`, or routed to it if metadata routing
            is enabled. What has one entry per input is repeated for every copy.

        Returns
        -------
        self : object

        Raises
        ------
        ValueError
            If a parameter, X or y is unusable; the message says what to do. This
            estimator is then as it was before.
        """
        with all_or_nothing(self):
            self._fit(X, y, sample_weight, params)
        return self

    def _fit(self, X, y, sample_weight, params):
        check_grid(self.grid)
        noise = find_noise(self.noise)
        inputs = check_inputs(X, self.sigma, self, reset=True, noise=noise)
        self._fitted_on_numbers = inputs.has_numbers
        warn_of_little_noise(inputs)
        check_may_train(self.estimator, inputs)
        y = self._check_y(y)
        if sample_weight is not None:
            sample_weight = as_column(sample_weight, "sample_weight")
        check_consistent_length(inputs.values, y, sample_weight)
        self.entropy_ = draw_entropy(self.random_state)
        estimator = clone(self.estimator)
        n_copies, named = self.n_copies, None
        if self.noise_param is not None:
            if not inputs.noise.is_normal:
                what = f"noise={self.noise!r} is of another kind"
                if inputs.categories is not None:
                    what = "here categories are flipped, too"
                raise ValueError(
                    f"noise_param={self.noise_param!r} hands sigma to what adds "
                    f"Gaussian noise in training, and {what}: leave noise_param out, "
                    "and fit adds that noise itself (n_copies of every input)."
                )
            if isinstance(estimator, FrozenEstimator):
                raise ValueError(
                    f"noise_param={self.noise_param!r} has no effect, because a "
                    "FrozenEstimator is not trained: leave noise_param out."
                )
            level = self.sigma
            if isinstance(level, Mapping):  # not all know the names of columns
                level = inputs.level
            hand_level(estimator, self.noise_param, level)
            n_copies = 0
        if isinstance(estimator, FrozenEstimator):
            estimator.fit(None, None)  # raises if it is not fitted; trains nothing
            check_missing(estimator, inputs, most=1)
            check_one_row(estimator, inputs)
            self._check_frozen(estimator, y)
        else:
            fit_params = self._fit_params(sample_weight, params)
            X_noisy, rows = noisy_training_set(inputs, n_copies, self.entropy_)
            fit_params = _check_method_params(inputs.values, fit_params, indices=rows)
            if inputs.frame is None:
                X_noisy = as_net_takes(estimator, X_noisy)
            check_devices(estimator)
            y, named = self._y_for(estimator, y)
            entropy = None if self.random_state is None else self.entropy_
            with (
                seeded_training(estimator, entropy),
                explaining_fit(estimator, X, y),
                training_with_missing(estimator, inputs),
            ):
                estimator.fit(X_noisy, y[rows], **fit_params)
            check_missing(estimator, inputs, most=1)
        self.estimator_ = estimator
        self._learn_targets(estimator, y, named)

    def _validate_params(self):
        check_estimator(self.estimator, type(self).__name__, self._wraps)
        if not has_valid_parameters(self):
            super()._validate_params()  # says which
        for name in ("n", "n0"):
            if getattr(self, name, 0) > MAX_VOTES:
                check_votes(getattr(self, name), name)

    def _fit_params(self, sample_weight, params):
        """Return what goes to the `fit` of `estimator`."""
        if sample_weight is not None:
            params = {**params, "sample_weight": sample_weight}
        if _routing_enabled():
            return process_routing(self, "fit", **params).estimator.fit
        if sample_weight is not None and not takes_weights(self.estimator):
            raise ValueError(
                f"{type(self.estimator).__name__}.fit takes no sample_weight. To reach "
                "a step of a Pipeline, name it, as in "
                "fit(X, y, logisticregression__sample_weight=...), or enable "
                "scikit-learn's metadata routing."
            )
        return params

    @property
    def _categorical_places(self):
        """Which columns are categories; none before `fit`."""
        categories = vars(self).get("_categories")
        return () if categories is None else categories.places

    @property
    def _kind(self):
        """The kind of noise, as far as it is known before X is."""
        kind, categories = find_noise(self.noise), vars(self).get("_categories")
        if categories is None:
            return kind
        names = getattr(self, "feature_names_in_", None)
        settings = self.input_shape_[0], categories.places, names
        numbers = bool(np.any(sigma_of_numbers(self.sigma, *settings)))
        flips = Flips(categories, flip_threshold(self.flip))
        return flips.beside(kind, categories.places, numbers)

    def _prepare(self, X, purposes):
        """Check everything that draws of votes need, without writing to self."""
        self._validate_params()
        if not self.__sklearn_is_fitted__():
            raise NotFittedError(
                f"Neither this {type(self).__name__} nor the estimator in it is "
                "fitted: call fit, or wrap a fitted estimator."
            )
        if "estimator_" in vars(self):
            estimator, entropy = self.estimator_, self.entropy_
        else:
            estimator, entropy = self.estimator, draw_entropy(self.random_state)
            self._check_base(estimator)
        label = self.abstain_label_
        kind = find_noise(self.noise)
        inputs = check_inputs(X, self.sigma, self, reset=False, noise=kind)
        check_missing(estimator, inputs)
        warn_of_little_noise(inputs)
        if estimator is self.estimator and inputs.frame is not None:
            # What it was fitted on is not known here: let it look at the columns.
            check_one_row(estimator, inputs)
        steps = unwrap(estimator).steps
        if inputs.frame is None:
            if takes_apart(steps):  # perhaps by names, which an array has not
                check_one_row(estimator, inputs)
        elif takes_by_name(steps, inputs.table.columns):
            inputs = replace(inputs, by_name=True)
        noise, one = inputs.noise, is_one_number(self.sigma)
        if np.ndim(noise.sigma):
            noise = noise.at(float(self.sigma) if one else inputs.level)
        method = self._resolve(estimator, inputs.noise, inputs.has_numbers)
        if method != "monte_carlo" and kind.listed is not None:
            raise ValueError(
                f"method={self.method!r} computes probabilities, and under {kind!r} "
                "there are none: all copies vote, and nothing is drawn. Leave method "
                "out."
            )
        if self.grid is not None and method != "monte_carlo":
            raise ValueError(
                f"method={self.method!r} adds no noise to X, so there is nothing to "
                "round: its certificates hold without a grid. Set grid=None."
            )
        inputs, loss = inputs.on_grid(self.grid)
        if loss is not None and one and np.ndim(inputs.sigma):  # in units of sigma
            loss = np.where(loss > 0, np.nextafter(loss * float(self.sigma), np.inf), 0)
        voting = self._voting(
            estimator,
            inputs,
            entropy=entropy,
            purposes=purposes(method) if callable(purposes) else purposes,
            shared_noise=self.shared_noise,
            batch_size=self.batch_size,
            net_options=self.net_options,
            n_jobs=self.n_jobs,
            verbose=self.verbose,
        )
        return Prepared(voting, noise, loss, label, method)

    def _resolve(self, estimator, noise, has_numbers=True):
        """Return the method, which is never "auto".

        That is exact where parameters and the fitted model allow it. Values of X make
        no difference; kinds of columns, which `has_numbers` tells about, may.
        """
        if self.method != "auto":
            return self.method
        has_numbers = has_numbers and vars(self).get("_fitted_on_numbers", True)
        if self.grid is None and has_numbers and self._has_exact(estimator, noise):
            return "exact"
        return "monte_carlo"

    @property
    def _method(self):
        """The method, as far as it is known without X."""
        if self.method != "auto" or not self.__sklearn_is_fitted__():
            return self._resolve(None, None, has_numbers=False)
        f = vars(self).get("estimator_", self.estimator)
        return self._resolve(f, self._noise)

    @property
    def _noise(self):
        """The noise, as far as radii depend on it: before X is known."""
        sigma = np.ones(1)
        if is_one_number(self.sigma):
            sigma = float(check_positive(self.sigma, "sigma"))
        return self._kind.bind(sigma)

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

    def __getstate__(self):
        return {**super().__getstate__(), "_sksmooth_version": __version__}

    def __setstate__(self, state):
        state = dict(state)
        made_by = state.pop("_sksmooth_version", "unknown")
        name, current = type(self).__name__, __version__
        missing = sorted(set(self._get_param_names()) - set(state))
        if missing:
            raise ValueError(
                f"this {name} was pickled by another version of sksmooth ({made_by}; "
                f"this is {current}), which had no parameter {missing[0]!r}: load and "
                "use it with that version, or fit again."
            )
        if made_by != current:
            warnings.warn(
                InconsistentVersionWarning(
                    estimator_name=name,
                    current_sklearn_version=f"{current} of sksmooth",
                    original_sklearn_version=f"{made_by} of sksmooth",
                ),
                stacklevel=2,
            )
        super().__setstate__(state)

    def __sklearn_is_fitted__(self):
        if "estimator_" in vars(self):
            return True
        try:
            check_is_fitted(self.estimator)
        except NotFittedError:
            return False
        except (AttributeError, TypeError):  # not made for scikit-learn's own check
            return self._seems_fitted(self.estimator)
        return True

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        if hasattr(self.estimator, "__sklearn_tags__"):
            base = get_tags(self.estimator)
            tags.input_tags.positive_only = base.input_tags.positive_only
            tags.input_tags.allow_nan = allows_nan(self.estimator)
        return tags

    # What there is to predict, and how.

    # What `estimator` has to be: "classifier" or "regressor".
    _wraps = None

    # What stands for "no prediction"; there is none unless a subclass has one.
    abstain_label_ = None

    def _check_y(self, y):
        """Return the y that `fit` was given as an array, after checking it."""
        raise NotImplementedError

    def _has_exact(self, estimator, noise):
        """Tell whether no answer needs to be drawn: whether "auto" is "exact"."""
        raise NotImplementedError

    def _check_base(self, estimator):
        """Raise a ValueError if a fitted base does not tell what it predicts."""
        raise NotImplementedError

    def _check_frozen(self, estimator, y):
        """Raise a ValueError if a base that is not trained cannot predict y."""
        raise NotImplementedError

    def _y_for(self, estimator, y):
        """Return y as `estimator` is trained on it, and what stands behind it."""
        raise NotImplementedError

    def _learn_targets(self, estimator, y, named):
        """Store what the base that has been trained predicts."""
        raise NotImplementedError

    def _voting(self, estimator, inputs, **settings):
        """Return what draws the answers of `estimator` to noisy copies."""
        raise NotImplementedError

    def _seems_fitted(self, estimator):
        """Tell of an estimator that scikit-learn cannot ask whether it is fitted."""
        raise NotImplementedError
