"""Class labels, and the label that stands for "no prediction"."""

import sys
from numbers import Real

import numpy as np

from ._columns import as_column


def as_labels(values, name):
    """Return labels, one for each input, as an array of shape (n_inputs,).

    A missing one is like one that no class has.

    Raises
    ------
    ValueError
        As `as_column`; and if the dtype is neither of numbers nor of strings.
    """
    labels = as_column(values, name)
    if labels.dtype.kind != "O":
        check_label_kind(labels, name)
    elif "pandas" in sys.modules:
        # pandas.NA is neither equal nor unequal to anything.
        labels = np.where(sys.modules["pandas"].isna(labels), None, labels)
    return labels


def check_label_kind(labels, name):
    """Raise a ValueError unless labels are all numbers or all strings."""
    kind = labels.dtype.kind
    if kind in "biufUT":
        return
    what, of_kind = f"dtype {labels.dtype}", ()
    if kind == "O":
        types = {type(label) for label in labels}
        of_kind = [t for t in types if not issubclass(t, (str, Real, np.bool_))]
        if not of_kind and len({issubclass(t, str) for t in types}) < 2:
            return
        names = sorted({t.__name__ for t in of_kind or types})
        what = f"objects of type {' and '.join(names)}"
    raise ValueError(
        f"{name} must hold labels that are all numbers or all strings, none of them "
        f"missing, got {what}. Leave out inputs without a label, and turn labels of "
        f"other kinds into strings, as in np.asarray({name}).astype(str)."
    )


def check_abstain_label(abstain_label, classes):
    """Return the label for "no prediction", of the kind of `classes` but not in it.

    Parameters
    ----------
    abstain_label : "auto", None or label

    classes : ndarray of shape (n_classes,)

    Returns
    -------
    label : label or None
        None means: never abstain.

    Raises
    ------
    ValueError
        If the label is one of the classes, or of another kind than they are.
    """
    if abstain_label is None:
        return None
    numeric = not is_text(classes)
    if isinstance(abstain_label, str) and abstain_label == "auto":
        label = min(-1, int(np.floor(classes.min())) - 1) if numeric else "abstain"
    else:
        label = abstain_label
    if isinstance(label, str) == numeric:
        raise ValueError(
            f"abstain_label={abstain_label!r} is not of the kind of the classes "
            f"{classes.tolist()!r}: metrics could not compare them. Use a "
            f"{'number' if numeric else 'string'}, or 'auto'."
        )
    if label != label or label in classes.tolist():
        raise ValueError(
            f"abstain_label={abstain_label!r} must differ from every class, but the "
            f"classes are {classes.tolist()!r}. Choose another label, or None to never "
            "abstain."
        )
    return label


def label_dtype(classes, abstain_label):
    """Return the dtype that holds every class and the abstain label."""
    if abstain_label is None:
        return classes.dtype
    if classes.dtype.kind in "bu":
        if classes.max() > np.iinfo(np.int64).max:
            raise ValueError(
                f"class {classes.max()} does not fit into int64, as it must beside the "
                f"abstain label {abstain_label!r}. Use smaller labels, or "
                "abstain_label=None."
            )
        is_whole = np.isfinite(abstain_label) and abstain_label == int(abstain_label)
        return np.dtype(np.int64 if is_whole else np.float64)
    if classes.dtype.kind == "O":
        return classes.dtype
    return np.result_type(classes.dtype, np.asarray(abstain_label).dtype)


def is_text(labels):
    """Are these labels strings?"""
    if labels.dtype.kind == "O":
        return any(isinstance(label, str) for label in labels)
    return labels.dtype.kind in "UST"


def check_same_kind(y, labels):
    """Raise a ValueError if one holds strings and the other numbers."""
    if is_text(y) != is_text(labels):
        raise ValueError(
            f"y has dtype {y.dtype}, but the labels it is compared with have "
            f"{labels.dtype}: labels of different kinds are never equal."
        )


def name_classes(winner, certain, classes, abstain_label):
    """Return the class of each winner, and the abstain label where not `certain`.

    Parameters
    ----------
    winner : ndarray of int of shape (n_inputs,)

    certain : ndarray of bool of shape (n_inputs,)

    classes : ndarray of shape (n_classes,)

    abstain_label : label or None

    Returns
    -------
    labels : ndarray of shape (n_inputs,)
    """
    labels = classes.astype(label_dtype(classes, abstain_label))[winner]
    if abstain_label is not None:
        labels[~certain] = abstain_label
    return labels


def label_indices(y, classes):
    """Return the place of each label in `classes`, -1 for one that is not there."""
    check_same_kind(y, classes)
    place = {label: index for index, label in enumerate(classes.tolist())}
    return np.array([place.get(label, -1) for label in y.tolist()], np.intp)
