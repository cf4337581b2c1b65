"""What a base estimator refuses in `fit`, said with the column and with what to do."""

import re
from contextlib import contextmanager

from ._containers import holds_dates
from ._find_categorical import as_table

_ABOUT_DATES = re.compile(r"datetime|timedelta|timestamp|\bdates?\b", re.IGNORECASE)
_NO_ADAPTER = "does not have a registered adapter"
_NO_COLUMNS = "Index must either be string or integer"  # in older versions
_OTHER_LABELS = "Invalid classes inferred from unique values of `y`"


@contextmanager
def explaining_fit(estimator, X, y):
    """Raise a ValueError with advice for errors that lack it; others as they are.

    Parameters
    ----------
    estimator : estimator

    X : array-like or data frame
        What the user passed to `fit`.

    y : ndarray of shape (n_inputs,)
        What `estimator` is trained on.
    """
    try:
        yield
    except Exception as error:
        advice = _advice(type(estimator).__name__, X, y, str(error))
        if advice is None:
            raise
        raise ValueError(advice) from error


def _advice(name, X, y, message):
    table = as_table(X)
    if _OTHER_LABELS in message:
        labels = sorted(set(y.tolist()))
        return (
            f"{name} takes the labels 0, 1, 2, ... and no others, and y holds "
            f"{labels[0]!r}: pass LabelEncoder().fit_transform(y), or, of two classes, "
            f"(y == {labels[-1]!r}).astype(int). Answers are these numbers then."
        )
    if table is None:
        return None
    if _NO_ADAPTER in message or _NO_COLUMNS in message:
        return (
            f"X is a frame of {table.implementation}, which {name} does not take: "
            "scikit-learn takes frames apart that are of pandas or polars, so pass "
            "X.to_pandas()."
        )
    dates = [
        repr(column)
        for place, column in enumerate(table.columns)
        if holds_dates(table[:, place])
    ]
    if dates and _ABOUT_DATES.search(message):
        return (
            f"{name} cannot be trained on dates or times, which X holds in the columns "
            f"{', '.join(dates)}: make numbers of them in a unit that you choose, such "
            "as days since a fixed date, (X[c] - pd.Timestamp('2020-01-01')).dt.days "
            "with pandas, or leave them out."
        )
    return None
