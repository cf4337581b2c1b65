"""Missing values: which inputs have some, and whether a base classifier takes them.

A value that is missing is missing in every noisy copy: the adversary may move what is
there, and neither make a gap nor fill one. So g is a function of what is there, given
where the gaps are, if f answers at all. Whether it does, only f itself can tell.
"""

import re
from contextlib import contextmanager

import narwhals as nw
import numpy as np

from .._sklearn import estimator_type, surely_refuses_nan
from ._frame_rows import numbers
from .voters._predict import check_one_row, copied

# What a classifier ranks classes by; NaN there is no answer.
_SCORES = ("predict_proba", "decision_function")

# How errors of `fit` and `predict` name a gap.
_GAPS = re.compile(r"\bNaNs?\b|\bmissing\b|\bnulls?\b|NoneType|NAType", re.IGNORECASE)

# How they name what pandas' nullable dtypes have in place of NaN.
_NA = re.compile(r"NAType|pandas\.NA|value of NA is ambiguous")

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
    if inputs.frame is not None and _NA.search(str(error)):
        return _refused_na(name, inputs.table, str(error))
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


def _refused_na(name, table, message):
    """Return the error for columns whose gaps are pandas.NA, where NaN might do."""
    held = {
        column: dtype
        for place, (column, dtype) in enumerate(table.schema.items())
        if _holds_na(table[:, place])
    }
    cells = [c for c, d in held.items() if not (d.is_numeric() or d == nw.Boolean)]
    # The step that failed may name one of them, or say that it was about texts.
    wrong = [column for column in held if repr(column) in message]
    wrong = wrong or (cells if "'str'" in message else []) or list(held)
    some = [f"column {column!r} ({held[column]})" for column in wrong]
    how = []
    if numeric := [column for column in wrong if column not in cells]:
        how.append(f"X.astype({dict.fromkeys(numeric[:3], 'float64')!r})")
    if others := [column for column in wrong if column in cells]:
        how.append(f"X[c].astype(object).fillna(np.nan) for c in {others[:3]!r}")
    return ValueError(
        f"{', '.join(some[:5])}{' ...' if len(some) > 5 else ''} of X: missing values "
        f"are pandas.NA there, which {name} does not take. It may well take NaN, so "
        f"convert what you pass to fit and predict: {', and '.join(how)}."
    )


def _holds_na(column):
    """Is a missing value of this column pandas.NA?"""
    dtype = getattr(column.to_native(), "dtype", None)
    dtype = getattr(getattr(dtype, "categories", None), "dtype", dtype)
    missing = np.flatnonzero(column.is_null().to_numpy())[:1]
    cells = column[missing].to_list()
    return bool(cells) and "NAType" in (
        type(cells[0]).__name__,
        type(getattr(dtype, "na_value", None)).__name__,
    )


def _is_about_gaps(error):
    message = str(error)
    by_text = _GAPS.search(message) or _NA.search(message)
    return isinstance(error, _AnswersNaN) or by_text is not None


def _places_without_noise(inputs):
    n_columns = 0 if inputs.frame is None else inputs.table.shape[1]
    return [place for place in range(n_columns) if place not in inputs.noisy]


def _missing_in_column(table, place):
    missing = table[:, place].is_null().to_numpy()
    if table.schema.dtypes()[place].is_float():
        missing = missing | np.isnan(numbers(table[:, [place]])[:, 0])
    return missing
