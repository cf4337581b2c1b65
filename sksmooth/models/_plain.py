"""What takes a frame of numbers as it takes the matrix of them, names aside."""

from sklearn.feature_selection import SelectorMixin
from sklearn.impute import SimpleImputer
from sklearn.preprocessing import (
    MaxAbsScaler,
    MinMaxScaler,
    RobustScaler,
    StandardScaler,
)

# Each number they return depends on one number that they get, so that the memory layout
# of what they get cannot change the order of a sum.
_BY_ELEMENTS = {MaxAbsScaler, MinMaxScaler, RobustScaler, StandardScaler, SimpleImputer}


def takes_as_matrix(steps, last, names):
    """Does a chain answer to a frame of numbers as to the matrix of them?

    Parameters
    ----------
    steps : sequence of fitted transformers

    last : fitted classifier
        Of trees, that are known.

    names : list
        The columns of the frame.

    Returns
    -------
    same : bool
        Only if those are the names that it was fitted with, in this order: else it may
        refuse the frame.
    """
    if not all(is_by_elements(step) for step in steps):
        return False
    first = steps[0] if steps else last
    known = getattr(first, "feature_names_in_", None)
    if known is None:
        known = getattr(first, "feature_names_", None)  # of CatBoost
    return known is not None and list(known) == list(names)


def is_by_elements(step):
    """Is each number that this transformer returns made of one that it gets?"""
    if "transform" in vars(step):  # replaced on this very object
        return False
    if type(step) in _BY_ELEMENTS:
        return True
    is_own = type(step).__module__.startswith("sklearn.feature_selection.")
    return is_own and isinstance(step, SelectorMixin)
