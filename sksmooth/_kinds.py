"""What looks like numbers but cannot be smoothed as numbers: dates, complex numbers."""

import datetime

import numpy as np

_DATES = (datetime.date, datetime.timedelta, np.datetime64, np.timedelta64)


def check_real(X):
    """Raise a ValueError if X is an array, or a list, of dates or complex numbers.

    NumPy would make seconds or nanoseconds of dates, and radii of these. Data frames
    tell the kinds of their columns, and are left to who looks at these.
    """
    if isinstance(X, (list, tuple)):
        try:
            X = np.asarray(X)
        except ValueError:  # ragged: what is wrong is said where X is checked
            return
    kind = getattr(getattr(X, "dtype", None), "kind", None)
    if kind == "O":
        cells = np.ravel(X)
        if any(isinstance(cell, _DATES) for cell in cells):
            kind = "M"
        elif any(isinstance(cell, (complex, np.complexfloating)) for cell in cells):
            kind = "c"
    if kind in ("M", "m"):
        raise ValueError(
            "X holds dates or times, to which no Gaussian noise can be added: a radius "
            "in seconds or nanoseconds would mean nothing. Make numbers in a unit that "
            "you choose, such as days since the first one; or pass a data frame and a "
            "sigma of 0 for the columns that the adversary cannot touch."
        )
    if kind == "c":
        raise ValueError(
            "Complex data not supported: X holds complex numbers, and radii are about "
            "real ones. Pass real and imaginary parts as features of their own, "
            "np.hstack([X.real, X.imag])."
        )
