"""Missing values: which inputs have some, and whether a base classifier takes them.

A value that is missing is missing in every noisy copy: the adversary may move what is
there, and neither make a gap nor fill one. So g is a function of what is there, given
where the gaps are, if f answers at all. Whether it does, only f itself can tell.
"""

import re
from contextlib import contextmanager

import numpy as np

from .._sklearn import estimator_type, surely_refuses_nan
from ._rows import numbers
from .voters._predict import check_one_row, copied

# What a classifier ranks classes by; NaN there is no answer.
_SCORES = ("predict_proba", "decision_function")

# How errors of `fit` and `predict` name a gap.
_GAPS = re.compile(r"\bNaNs?\b|\bmissing\b|\bnulls?\b|NoneType|NAType", re.IGNORECASE)

# Inputs to ask about at a time, in bytes.
_CHUNK_BYTES = 2**24


class _AnswersNaN(Exception):
    """Raised where a classifier has no scores for an input."""


def missing_rows(inputs):
    """Return which inputs have a missing value: ndarray of bool of shape (n_inputs,).

    NaN, and in columns without noise whatever the frame calls null, too.
    """
    missing = np.zeros(len(inputs), bool)
    if inputs.has_gaps:
        missing |= np.isnan(inputs.values).reshape(len(inputs), -1).any(axis=1)
    for place in _places_without_noise(inputs):
        missing |= _missing_in_column(inputs.table, place)
    return missing


def where_missing(inputs):
    """Say where values are missing, in words: "Input X contains NaN: ..."."""
    if inputs.frame is None:
        missing = np.isnan(inputs.values)
        rows = missing.reshape(len(inputs), -1).any(axis=1)
        place = np.argwhere(missing)[0].tolist()
        row, place = inputs.origin[place[0]], place[1:]
        feature = f"feature {place[0] if len(place) == 1 else tuple(place)}"
        return (
            f"Input X contains NaN: {rows.sum()} of {len(rows)} inputs have missing "
            f"values, first input {row}, {feature} (counted from 0)"
        )
    table, found = inputs.table, []
    for place, dtype in enumerate(table.schema.dtypes()):
        if np.any(_missing_in_column(table, place)):
            kind = "floats" if dtype.is_float() else str(dtype)
            kind = "integers" if dtype.is_integer() else kind
            found.append(f"column {table.columns[place]!r} of {kind}")
    has = "has" if len(found) == 1 else "have"
    more = " ..." if len(found) > 5 else ""
    return f"Input X contains NaN: {', '.join(found[:5])}{more} {has} missing values"


def check_missing(estimator, inputs, most=None):
    """Raise a ValueError unless `estimator` answers for inputs with missing values.

    Each of them is asked about as it is, once: what that costs is lost in the votes.

    Parameters
    ----------
    estimator : fitted classifier

    inputs : Inputs

    most : int, default=None
        Inputs to ask about; None for all.
    """
    if inputs.frame is None and not inputs.has_gaps:
        return
    rows = np.flatnonzero(missing_rows(inputs))[:most]
    size = max(1, _CHUNK_BYTES // (8 * max(1, int(np.prod(inputs.input_shape)))))
    for start in range(0, len(rows), size):
        some = inputs.take(rows[start : start + size])
        try:
            _ask(estimator, some)
        except Exception as error:
            complete = np.flatnonzero(~missing_rows(inputs))[:1]
            if len(complete):  # if it cannot answer there either, gaps are not why
                check_one_row(estimator, inputs.take(complete))
            elif not _is_about_gaps(error):
                check_one_row(estimator, some)
            raise _refused(estimator, inputs, error) from error


@contextmanager
def training_with_missing(estimator, inputs):
    """Explain an error of `fit`, if it is about missing values in `inputs`."""
    try:
        yield
    except Exception as error:
        if not _is_about_gaps(error) or not np.any(missing_rows(inputs)):
            raise
        raise _refused(estimator, inputs, error) from error


def check_may_train(estimator, inputs):
    """Raise a ValueError where it is known before `fit` that gaps are refused."""
    if surely_refuses_nan(estimator) and np.any(missing_rows(inputs)):
        raise _refused(estimator, inputs)


def _ask(estimator, inputs):
    estimator.predict(copied(estimator, inputs))
    for name in _SCORES:
        if not hasattr(estimator, name):
            continue
        try:
            scores = getattr(estimator, name)(copied(estimator, inputs))
            is_nan = np.any(np.isnan(np.asarray(scores, dtype=float)))
        except Exception:  # predict works, and votes are taken through it
            return
        if is_nan:
            raise _AnswersNaN(f"{name} returned NaN")
        return


def _refused(estimator, inputs, error=None):
    name = type(estimator).__name__
    is_regressor = estimator_type(estimator) == "regressor"
    kind = "regressor" if is_regressor else "classifier"
    does = "answers NaN to" if isinstance(error, _AnswersNaN) else "does not take"
    if hasattr(estimator, "steps"):
        advice = (
            f"an imputer inside this {name}, in front of the step that refuses them"
        )
    else:
        advice = (
            f"an imputer inside, Smoothed{kind.title()}(make_pipeline(SimpleImputer(), "
            f"{name}(...)))"
        )
    return ValueError(
        f"{where_missing(inputs)}, which {name} {does}. A missing value stays missing "
        f"in every noisy copy, so the {kind} has to take it: put {advice}, or "
        "leave these inputs or columns out."
    )


def _is_about_gaps(error):
    return isinstance(error, _AnswersNaN) or _GAPS.search(str(error)) is not None


def _places_without_noise(inputs):
    n_columns = 0 if inputs.frame is None else inputs.table.shape[1]
    return [place for place in range(n_columns) if place not in inputs.noisy]


def _missing_in_column(table, place):
    missing = table[:, place].is_null().to_numpy()
    if table.schema.dtypes()[place].is_float():
        missing = missing | np.isnan(numbers(table[:, [place]])[:, 0])
    return missing
