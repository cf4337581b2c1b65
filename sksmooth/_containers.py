"""X as it comes: tensors, lists of images, dates, texts, sparse matrices.

What is numbers in another form becomes an array; of what cannot be smoothed, the error
says what can.
"""

import datetime
import sys

import narwhals as nw
import numpy as np
from scipy import sparse

from ._tensors import from_torch, is_tensor

_DATES = (datetime.date, datetime.timedelta, np.datetime64, np.timedelta64)


def plain(X):
    """Return X as an array if it is a tensor, an image, or a list of numbers.

    Anything else comes back as it is. Does not import torch.
    """
    _check_no_loader(X)
    if np.ma.is_masked(X):
        raise ValueError(
            "X has masked values, and classifiers do not look at the mask: pass "
            "X.filled(np.nan) to one that takes missing values, or leave them out."
        )
    if is_tensor(X):
        return from_torch(X)
    if isinstance(X, (list, tuple)):
        if len(X) and is_tensor(X[0]):
            X = [from_torch(one) for one in X]
    elif not hasattr(X, "__array_interface__") or hasattr(X, "dtype"):
        return X
    try:
        array = np.asarray(X)
    except (ValueError, TypeError):  # ragged: what is wrong is said where X is checked
        return X
    return array if array.dtype.kind in "buif" else X


def _check_no_loader(X):
    """Raise a TypeError if X is a data set of torch, or what loads one."""
    torch = sys.modules.get("torch")
    if torch is None:
        return
    data, name = torch.utils.data, type(X).__name__
    for kind, how in [
        (data.DataLoader, "cat([x for x, *_ in loader])"),
        (data.Dataset, "stack([x for x, *_ in dataset])"),
    ]:
        if isinstance(X, kind):
            raise TypeError(
                f"X is a {name}: pass the inputs as one array or tensor, such as "
                f"torch.{how}."
            )


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
            "X holds dates or times, to which no noise can be added: a radius in "
            "seconds or nanoseconds would mean nothing. Convert them to numbers in a "
            "unit of your choice, such as days since the first one; or pass a data "
            "frame and a sigma of 0 for the columns that the adversary cannot touch."
        )
    if kind == "c":
        raise ValueError(
            "Complex data not supported: X holds complex numbers, and radii are about "
            "real ones. Pass real and imaginary parts as separate features, "
            "np.hstack([X.real, X.imag])."
        )


def holds_dates(column):
    """Does a column of a frame, a narwhals Series, hold dates or times?"""
    if column.dtype != nw.Object:
        return column.dtype.is_temporal()
    there = column.drop_nulls().head(1).to_list()
    return bool(there) and isinstance(there[0], (*_DATES, datetime.time))


def check_no_pixels(X, is_net):
    """Raise a ValueError if X holds pixels from 0 to 255 and sigma hardly does.

    Parameters
    ----------
    X : array of any kind, or something else, which is no image

    is_net : bool
        Does the classifier end in a neural net? Then rows may be images, too.
    """
    dtype = getattr(X, "dtype", None)
    if dtype is None or not hasattr(X, "ndim"):
        return
    if dtype == np.uint8:
        found = X.ndim > 2 or is_net
    else:
        found = (
            X.ndim > 2
            and getattr(dtype, "kind", "") in ("i", "u")
            and 1 < X.max(initial=0) <= 255
            and X.min() >= 0
        )
    if found:
        raise ValueError(
            f"X holds images of dtype {dtype}, pixels from 0 to 255. sigma and radii "
            "are in the units of X, so scale X first, X.astype('float32') / 255, and "
            "train the classifier on images from 0 to 1, too. If 0 to 255 is what you "
            "want, pass X.astype('float32')."
        )


def check_no_text(X, estimator):
    """Raise an error with advice if X is text, records, or sparse.

    For an X that cannot be made an array of numbers; returns if that is for another
    reason.

    Parameters
    ----------
    X : object

    estimator : estimator
        What X was meant for.

    Raises
    ------
    ValueError
        If X holds texts, or dicts for a vectorizer.

    TypeError
        If X is sparse.
    """
    if sparse.issparse(X):
        raise TypeError(
            "Sparse data was passed for X, but noise leaves no zero in it, so the "
            f"noisy copies are dense. {_smooth_the_vectors(estimator, 'X.toarray()')} "
            "Zeros and ones can stay sparse under "
            "noise=sksmooth.noise.SparseFlip(...)."
        )
    kind = _kind_of_cells(X)
    if kind is not None:
        tokens = ""
        if kind == "text":
            tokens = (
                " To certify how many words may change, take a list of texts and "
                "noise=sksmooth.noise.DeleteTokens(...)."
            )
        raise ValueError(
            f"X holds {kind}, to which no noise can be added. "
            f"{_smooth_the_vectors(estimator)}{tokens}"
        )


def check_one_shape(X):
    """Raise a ValueError if X is a list of arrays, tensors or lists that are unlike."""
    if not isinstance(X, (list, tuple)) and not (
        isinstance(X, np.ndarray) and X.dtype.kind == "O"
    ):
        return
    try:
        shapes = [np.shape(one) for one in X]
    except (ValueError, TypeError):  # lists that are ragged themselves, sparse parts
        return
    for place, shape in enumerate(shapes):
        if shape != shapes[0]:
            raise ValueError(
                f"the inputs in X differ in shape: X[0] has {shapes[0]}, X[{place}] "
                f"has {shape}. They have to be of one shape: resize or crop images, or "
                "smooth each group of one shape by itself."
            )


def _smooth_the_vectors(estimator, vectors=None):
    """Say what can be smoothed where a vectorizer makes the numbers."""
    steps = getattr(estimator, "steps", None)
    name = "the vectorizer"
    if steps and "Vectorizer" in type(steps[0][1]).__name__:
        name = type(steps[0][1]).__name__
    if vectors is None:
        vectors = "vectorizer.transform(X).toarray()"
    return (
        f"What can be smoothed is the classifier behind {name}: V = {vectors}, "
        "SmoothedClassifier(classifier).fit(V, y). Its radius is an l2 distance "
        "between vectors V: it says nothing of how many words may change, and holds "
        "for changes of all entries, those that are 0, too. A table with some columns "
        "of text is for a data frame and a sigma of 0 for these."
    )


def _kind_of_cells(X):
    if nw.dependencies.is_into_dataframe(X):
        dtypes = nw.from_native(X, eager_only=True).schema.dtypes()
        texts = (nw.String, nw.Categorical, nw.Enum, nw.Object)
        all_text = len(dtypes) and all(dtype in texts for dtype in dtypes)
        return "text" if all_text and nw.String in dtypes else None
    if nw.dependencies.is_into_series(X):
        X = nw.from_native(X, series_only=True).to_list()
    if isinstance(X, np.ndarray) and X.dtype.kind not in "OUST":
        return None
    if not isinstance(X, (list, tuple, np.ndarray)):
        return None
    for cell in X:
        if isinstance(cell, (str, bytes)):
            return "text"
        if isinstance(cell, dict):
            return "dicts"
        if isinstance(cell, (list, tuple, np.ndarray)):
            if any(isinstance(part, (str, bytes)) for part in np.ravel(cell)):
                return "text"
    return None
