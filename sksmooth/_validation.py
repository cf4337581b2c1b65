"""Checks of X, and how it becomes `Inputs`."""

import warnings

import narwhals as nw
import numpy as np
from scipy.sparse import issparse
from sklearn.utils.validation import check_array, validate_data

from ._categories import Categories
from ._containers import (
    check_no_pixels,
    check_no_text,
    check_one_shape,
    check_real,
    plain,
)
from ._find_categorical import find_categorical
from ._frame_like import FrameLike
from .models._find_nets import net_at_end
from .models._unwrap import unwrap
from .noise import Gaussian
from .noise._flips import flip_threshold
from .noise._sigma import check_some_noise, is_one_number, sigma_by_column
from .votes._frame_rows import FrameInputs, numbers
from .votes._missing import missing_rows
from .votes._rows import Flips, Inputs
from .votes._texts import Texts
from .votes.voters._predict import check_one_row

_GAUSSIAN = Gaussian()

_AS_ARRAY = {
    "dtype": [np.float64, np.float32],
    "ensure_all_finite": "allow-nan",
    "allow_nd": True,
    "order": "C",
}


def check_inputs(X, sigma, estimator, *, reset, allow_no_noise=False, noise=_GAUSSIAN):
    """Validate X against what `estimator` was fitted on, and take its rows apart.

    Parameters
    ----------
    X : array-like of shape (n_inputs, *shape), torch tensor or data frame

    sigma : float, array-like or mapping
        Noise level, see ``Inputs``. A mapping from columns needs their names: those of
        X, or those that `estimator` was fitted on.

    estimator : estimator
        Holds (or, with `reset`, receives) ``n_features_in_``, ``feature_names_in_``
        and ``input_shape_``, the domain of its `categorical_features`, and which
        columns were no floats.

    reset : bool
        True in `fit`.

    allow_no_noise : bool, default=False
        Accept a sigma that is 0 everywhere.

    noise : Noise, default=Gaussian()
        What X gets.

    Returns
    -------
    inputs : Inputs

    Raises
    ------
    ValueError
        If X has the wrong shape, names or dtype, or holds infinity or text.

    TypeError
        If X is sparse.
    """
    if noise.takes_texts:
        return _from_texts(X, sigma, estimator, noise, reset=reset)
    categorical = _may_have_categories(estimator, reset)
    may_be_none = not (allow_no_noise or is_one_number(sigma) or categorical)
    if may_be_none:
        check_some_noise(sigma)
    if not reset and _is_as_expected(X, estimator):
        inputs = Inputs.from_array(X, sigma, noise)
        inputs.noise.check(inputs.values)
        if may_be_none:
            check_some_noise(inputs.level)
        return inputs
    base = getattr(estimator, "estimator", None)
    X = plain(X)
    check_real(X)
    check_no_pixels(X, is_net=net_at_end(unwrap(base)) is not None)
    if nw.dependencies.is_polars_lazyframe(X):
        raise TypeError("X is a lazy frame: pass X.collect().")
    # Otherwise what is known of X is what a fitted base says of itself.
    is_own = reset or "input_shape_" in vars(estimator) or base is None
    if issparse(X) and noise.takes_sparse:
        inputs = _from_sparse(X, sigma, estimator, noise, reset=reset, is_own=is_own)
    elif nw.dependencies.is_into_dataframe(X):
        inputs = _from_frame(X, sigma, estimator, noise, reset=reset, is_own=is_own)
    elif categorical:
        inputs = _from_cells(X, sigma, estimator, noise, reset=reset)
    else:
        try:
            if is_own:
                values = validate_data(estimator, X=X, reset=reset, **_AS_ARRAY)
            else:
                values = check_array(
                    X, input_name="X", estimator=estimator, **_AS_ARRAY
                )
        except (ValueError, TypeError):
            check_no_text(X, base)
            check_one_shape(X)
            raise
        names = getattr(estimator, "feature_names_in_", None)
        if names is not None and values.ndim == 2:
            sigma = sigma_by_column(sigma, names)
        inputs = Inputs.from_array(values, sigma, noise)
    if not inputs.is_sparse:  # these were checked when they were taken
        inputs.noise.check(inputs.values)
    # A mapping may put none on the columns that are there; flips are noise, too.
    if inputs.categories is None and not allow_no_noise and not is_one_number(sigma):
        check_some_noise(inputs.level)
    if not is_own:
        _check_what_base_says(X, estimator, inputs)
    shape = inputs.input_shape
    if reset:
        estimator.input_shape_ = shape
        estimator._fitted_on_frame = inputs.frame is not None
        estimator._not_floats = {} if inputs.frame is None else inputs.not_floats
        if inputs.frame is None:
            vars(estimator).pop("_frame_like", None)
    elif (expected := getattr(estimator, "input_shape_", shape)) != shape:
        raise ValueError(
            f"X has inputs of shape {shape}, but {type(estimator).__name__} was fitted "
            f"on inputs of shape {expected}."
        )
    return inputs


def _is_as_expected(X, estimator):
    """Is X a plain array of the shape seen in `fit`, with nothing infinite in it?

    Most are, and to hear that from ``validate_data`` takes longer than votes on a row.
    """
    known = vars(estimator)
    if type(X) is not np.ndarray or X.dtype not in _AS_ARRAY["dtype"]:
        return False
    if _may_have_categories(estimator, reset=False):
        return False
    if "feature_names_in_" in known or X.shape[1:] != known.get("input_shape_"):
        return False
    if not (X.size and X.flags.c_contiguous):
        return False
    with np.errstate(over="ignore", invalid="ignore"):
        total = X.sum()
    return bool(np.isfinite(total))  # if not, a closer look is needed


def _from_sparse(X, sigma, estimator, noise, *, reset, is_own):
    as_it_is = {"accept_sparse": True, "dtype": None}
    if is_own:
        X = validate_data(estimator, X=X, reset=reset, **as_it_is)
    else:
        X = check_array(X, input_name="X", estimator=estimator, **as_it_is)
    return Inputs.from_sparse(X, sigma, noise)


def _from_texts(X, sigma, estimator, noise, *, reset):
    name = type(estimator).__name__
    if getattr(estimator, "categorical_features", None) is not None:
        raise ValueError(
            f"noise={noise!r} is for texts, which have no columns: leave "
            "categorical_features out."
        )
    inputs = Texts.from_texts(X, sigma, noise)
    known = vars(estimator)
    if reset:
        for column in ("n_features_in_", "feature_names_in_", "_categories"):
            known.pop(column, None)
        known.update(input_shape_=(), _fitted_on_frame=False)
        known["_fitted_on_tokens"] = inputs.as_tokens
        return inputs
    kinds = {False: "texts", True: "lists of tokens", None: "numbers"}
    if "input_shape_" in known:
        expected = (
            known.get("_fitted_on_tokens") if known["input_shape_"] == () else None
        )
        if expected != inputs.as_tokens:
            raise ValueError(
                f"X holds {kinds[inputs.as_tokens]}, but this {name} was fitted on "
                f"{kinds[expected]}: call fit on the same kind of data that it is to "
                "predict."
            )
    return inputs


def _from_frame(frame, sigma, estimator, noise, *, reset, is_own):
    if is_own:
        _check_names(frame, estimator, reset=reset)
    known = vars(estimator)
    if getattr(estimator, "estimator", None) is not None:  # else it hands X back
        if reset:
            known["_frame_like"] = FrameLike.of(frame)
        elif known.get("_frame_like") is not None:
            frame = known["_frame_like"].make(frame)
    flips = _flips(frame, estimator, reset)
    places = () if flips is None else flips.categories.places
    not_floats = None if reset else known.get("_not_floats")
    frame = _floats_for_integers(frame, sigma, noise, places, not_floats)
    wholes = {place: whole for place, whole in (not_floats or {}).items() if whole}
    try:
        inputs = FrameInputs.from_frame(frame, sigma, noise, flips, wholes)
    except ValueError:
        if not np.ndim(sigma):
            check_no_text(frame, getattr(estimator, "estimator", None))
        raise
    if not inputs.table.shape[0]:
        raise ValueError("Found array with 0 sample(s) while at least 1 is needed.")
    _check_finite(inputs)
    if not reset and not_floats is None and inputs.counts:
        _warn_of_counts(inputs, estimator)
    if not reset and getattr(estimator, "_fitted_on_frame", True) is False:
        matrix = inputs.matrix()
        if matrix is not None:
            inputs = Inputs.from_array(*matrix, noise)
    return inputs


def _check_names(X, estimator, *, reset):
    """Check the names of columns as scikit-learn does, and say what to do."""
    try:
        validate_data(estimator, X=X, reset=reset, skip_check_array=True)
    except ValueError as error:
        names = getattr(estimator, "feature_names_in_", None)
        if reset or names is None or not nw.dependencies.is_into_dataframe(X):
            raise
        if not set(np.ravel(names)) <= {*nw.from_native(X, eager_only=True).columns}:
            raise
        raise ValueError(
            f"{error}Pass X[g.feature_names_in_], if this {type(estimator).__name__} "
            "is g: the columns of fit, in their order."
        ) from None


def _from_cells(X, sigma, estimator, noise, *, reset):
    """Take an array of which some columns are categories, of numbers or not."""
    if isinstance(X, (list, tuple)):  # an array of its own would turn all into texts
        X = np.array(X, dtype=object)
    as_it_is = {"dtype": None, "ensure_all_finite": False}
    cells = validate_data(estimator, X=X, reset=reset, **as_it_is)
    flips = _flips(cells, estimator, reset)
    places = () if flips is None else flips.categories.places
    others = [place for place in range(cells.shape[1]) if place not in places]
    table = check_array(
        cells[:, others], input_name="X", ensure_min_features=0, **_AS_ARRAY
    )
    if flips is None:
        return Inputs.from_array(table, sigma, noise)
    return Inputs.from_array(cells, sigma, noise, flips)


def _may_have_categories(estimator, reset):
    """May X have categories, by what the user says or what was there in `fit`?"""
    if not reset and "_categories" in vars(estimator):
        return vars(estimator)["_categories"] is not None
    return getattr(estimator, "categorical_features", None) is not None


def _flips(X, estimator, reset):
    """Return the categories of X and the noise on them; None if there are none.

    With `reset` their domain is learned.
    """
    if not _may_have_categories(estimator, reset):
        if reset:
            vars(estimator).pop("_categories", None)
        return None
    if reset:
        places = find_categorical(X, estimator.categorical_features)
        estimator._categories = Categories(X, places) if places else None
    elif "_categories" not in vars(estimator):
        if not find_categorical(X, estimator.categorical_features):
            return None
        raise ValueError(
            "fit learns which values categorical features may have, and this "
            f"{type(estimator).__name__} was not fitted with categorical_features: "
            "call fit(X, y). If the classifier inside is already fitted, put it into "
            "a FrozenEstimator, which fit does not train."
        )
    if estimator._categories is None:
        return None
    return Flips(estimator._categories, flip_threshold(estimator.flip))


def _floats_for_integers(frame, sigma, noise, places, not_floats):
    """Make floats of integers that are numbers to smooth, as they are in an array.

    After `fit`, those are the integers in columns that it saw as floats: a file or a
    request may bring whole numbers without a point. A column that it saw as integers
    may hold counts, also if it had no noise then. In `fit`, and where it was not
    called, they are all that there are, if nothing else is there and one sigma is for
    all. Noise that is on every feature makes numbers of flags, too, and of integers
    beside floats.

    Parameters
    ----------
    places : tuple of int
        Of categories, which are left out.

    not_floats : dict or None
        Those of ``FrameInputs`` in `fit`; None if they are not known.
    """
    table = nw.from_native(frame, eager_only=True)
    dtypes = dict(enumerate(table.schema.dtypes()))
    for place in places:
        del dtypes[place]
    found = {k for k, dtype in dtypes.items() if dtype.is_integer()}
    one = is_one_number(sigma)
    if one and (noise.listed is not None or noise.takes_sparse):
        found |= {k for k, dtype in dtypes.items() if dtype == nw.Boolean}
    elif not_floats is not None:
        found -= not_floats.keys()
    elif not one or len(found) < len(dtypes):
        return frame
    # Not the precision of `fit`, which need not hold them.
    casts = [nw.col(table.columns[k]).cast(nw.Float64) for k in sorted(found)]
    return table.with_columns(*casts).to_native() if casts else frame


def _warn_of_counts(inputs, estimator):
    """Warn that noise is rounded, where it is not known what the base was trained on.

    Of floats that happen to be whole in this X, the base would be smoothed with other
    noise than in the next X.
    """
    columns, kind = inputs.table.columns, type(estimator).__name__
    named = ", ".join(repr(columns[place]) for place in inputs.counts[:5])
    warnings.warn(
        f"X holds integers in columns with noise: {named}"
        f"{' ...' if len(inputs.counts) > 5 else ''}. They are taken for counts, so "
        f"their noise is rounded to whole numbers; this {kind} did not train its "
        "estimator and cannot know. If it was trained on floats there, cast them to "
        "float. If they are counts, or if you are not sure, put the estimator into a "
        f"FrozenEstimator and call fit of this {kind} with the frame that it was "
        "trained on: that trains nothing, and remembers which columns are integers. "
        "If the adversary cannot change them, give them a sigma of 0.",
        UserWarning,
        stacklevel=2,
    )


def _check_finite(inputs):
    """Raise a ValueError for infinite values, which are not missing ones."""
    table = inputs.table
    dtypes = table.schema.dtypes()
    floats = [place for place, dtype in enumerate(dtypes) if dtype.is_float()]
    if floats:
        check_array(
            numbers(table[:, floats]), ensure_all_finite="allow-nan", input_name="X"
        )


def _check_what_base_says(X, estimator, inputs):
    """Check X against what a fitted base says it was fitted on.

    Not every model knows: some say 0 features once they were loaded from a file, or
    names that they made up. So where X does not fit, the base is asked to predict a row
    of it, unless it knows some of the columns, which then are in another order.
    """
    names = getattr(estimator, "feature_names_in_", None)
    names = [] if names is None else np.ravel(names).tolist()
    columns = [] if inputs.frame is None else list(inputs.table.columns)
    if inputs.frame is not None and not names:
        return  # the base looks at the columns itself
    try:
        with warnings.catch_warnings():
            if len(names) != inputs.input_shape[0]:
                warnings.simplefilter("ignore", UserWarning)
            _check_names(X, estimator, reset=False)
    except Warning:
        raise
    except Exception as wrong:
        if set(names) & set(columns):
            raise
        complete = np.flatnonzero(~missing_rows(inputs))[:1]
        if not len(complete):  # the base is asked about the others anyway
            return
        try:
            check_one_row(estimator.estimator, inputs.take(complete))
        except RuntimeError:
            if getattr(estimator, "n_features_in_", None):
                raise wrong from None
            raise
