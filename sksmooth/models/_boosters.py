"""XGBoost, LightGBM and CatBoost: their sums of trees, read from what they export.

Labels have to be those of their own `predict`, always. Which leaf a row ends in is
computed exactly as they do. The sum over the leaves is not: it differs by rounding, as
their precision and order do. But rounding has a bound, and only where sums are so close
that it could change the label are they themselves asked, see ``Model.margin``.
"""

import pickle
import sys
import warnings
from hashlib import blake2b

import numpy as np

from ._catboost import read_catboost
from ._forest import ABOVE_ZERO, HIGHEST_MEAN, Model, flatten
from ._lightgbm import read_lightgbm
from ._xgboost import read_xgboost

_READERS = {
    ("xgboost", "XGBClassifier"): read_xgboost,
    ("lightgbm", "LGBMClassifier"): read_lightgbm,
    ("catboost", "CatBoostClassifier"): read_catboost,
}

# Rows for which sums are compared with those of the library.
_PROBES = 64

# Models by the content of their boosters: to read one takes up to a second. Few, as
# they are large.
_KNOWN, _MOST_KNOWN, _UNREAD = {}, 16, object()


def _reader(f):
    for (module, name), read in _READERS.items():
        if type(f) is getattr(sys.modules.get(module), name, None):
            return read
    return None


def is_booster(f):
    """Is this a classifier of XGBoost, LightGBM or CatBoost, and no subclass?"""
    return _reader(f) is not None


def booster(f, steps):
    """Return the Model of a booster behind `steps`, or None if it cannot be compiled.

    Warns
    -----
    RuntimeWarning
        If what the library exports is not what it predicts with, or is in a form that
        is not known here: for instance after changes in the library.
    """
    try:
        key = blake2b(pickle.dumps(f)).digest()
    except Exception:  # as of functions in its parameters
        key = None
    model = _KNOWN.pop(key, _UNREAD)
    if model is not _UNREAD:
        _KNOWN[key] = model  # the last to be forgotten
    else:
        model, wrong = _read(f)
        if wrong:
            warnings.warn(
                f"the trees of {type(f).__name__} could not be read from what the "
                f"library exports ({wrong}); votes are taken through its predict, "
                "which is slower.",
                RuntimeWarning,
                stacklevel=2,
            )
            return None
        if len(_KNOWN) >= _MOST_KNOWN:
            _KNOWN.pop(next(iter(_KNOWN), None), None)
        if key is not None:
            _KNOWN[key] = model
    return None if model is None else model._replace(last=f, steps=steps)


def _read(f):
    """Return the Model, if there is one, and what is wrong with it, if anything is."""
    try:
        read = _reader(f)(f)
        if read is None:
            return None, ""
        forest = flatten(read.trees, read.column, np.zeros(read.n_columns))
        if forest is None:
            return None, ""
        start, margin, wrong = _compared(read)
    except Exception as error:  # a form that is not known: whatever comes of that
        return None, f"{type(error).__name__}: {error}"
    model = Model(
        steps=(),
        last=None,
        classes=read.classes,
        n_features=read.n_features,
        forest=forest._replace(start=start),
        rule=ABOVE_ZERO if read.n_columns == 1 else HIGHEST_MEAN,
        margin=margin,
        takes_missing=read.takes_missing,
    )
    return model, wrong


def _compared(read):
    """Compare sums of trees with the scores of the library.

    Returns
    -------
    start : ndarray of shape (n_columns,)
        What the library adds to the trees: read off its scores of one row, as it
        stands in several units, depending on version and objective.

    margin : float
        Within which the library may decide otherwise.

    wrong : str
        What is wrong, if anything is.
    """
    X = _probes(read)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # as of names that X does not have
        scores = np.asarray(read.scores(X), float).reshape(len(X), -1)
    sums = _sums(read, X)
    start = scores[0] - sums[0]
    margin = _rounding(read, start) + read.fuzz
    if not np.all(np.abs(scores - sums - start) <= margin):
        return start, margin, "its scores are others"
    return start, margin, ""


def _rounding(read, start):
    """Return how far the difference of two sums may be off, by rounding, in any order.

    A sum of n terms in floating point with unit u is off by (n - 1) u / (1 - (n - 1) u)
    of the sum of their absolute values at most (Higham 2002, section 4.2); once for the
    sum, once for the score that the start was read off, each in two columns.
    """
    sizes, terms = np.abs(start), np.full(len(start), 4)
    for tree, first in zip(read.trees, read.column, strict=True):
        largest = np.abs(tree.value[tree.left < 0]).max(axis=0)
        sizes[first : first + len(largest)] += largest
        terms[first : first + len(largest)] += 1
    return float(np.max(4.04 * terms * read.unit * sizes))


def _probes(read):
    """Return rows of values that are thresholds, or their neighbours, or missing."""
    rng = np.random.default_rng(0)
    dtype = read.trees[0].threshold.dtype
    feature = np.concatenate([tree.feature[tree.left >= 0] for tree in read.trees])
    limits = np.concatenate([tree.threshold[tree.left >= 0] for tree in read.trees])
    limits = np.clip(limits, -1e30, 1e30)
    X = np.zeros((_PROBES, read.n_features), dtype)
    for k in np.unique(feature):
        x = rng.choice(limits[feature == k], _PROBES)
        towards = rng.choice(np.array([-np.inf, np.inf], dtype), _PROBES)
        X[:, k] = np.where(rng.random(_PROBES) < 0.5, x, np.nextafter(x, towards))
    if read.takes_missing:
        X[rng.random(X.shape) < 0.1] = np.nan
    return X.astype(float)


def _sums(read, X):
    """Return the sums of the trees for some rows, node by node; (n_rows, n_columns)."""
    first = np.cumsum([0] + [len(tree.left) for tree in read.trees])
    trees = read.trees
    left, right = (
        np.concatenate([side + at for side, at in zip(sides, first[:-1], strict=True)])
        for sides in ([t.left for t in trees], [t.right for t in trees])
    )
    is_leaf = np.concatenate([tree.left < 0 for tree in trees])
    feature = np.where(is_leaf, 0, np.concatenate([tree.feature for tree in trees]))
    threshold = np.concatenate([tree.threshold for tree in trees])
    missing = np.concatenate([tree.missing for tree in trees])
    value = np.concatenate([tree.value for tree in trees])
    node = np.tile(first[:-1], (len(X), 1))
    X, rows = X.astype(threshold.dtype), np.arange(len(X))[:, None]
    while not np.all(is_leaf[node]):
        x = X[rows, feature[node]]
        to_right = np.where(np.isnan(x), missing[node], x > threshold[node])
        child = np.where(to_right, right[node], left[node])
        node = np.where(is_leaf[node], node, child)
    sums = np.zeros((len(X), read.n_columns))
    for k in range(value.shape[1]):
        np.add.at(sums.T, np.asarray(read.column) + k, value[node, k].T)
    return sums
