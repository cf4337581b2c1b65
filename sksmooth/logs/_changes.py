"""What a log says where categories are changed: from the JSON file beside it."""

import numpy as np

from ._beside import ATTRIBUTE
from ._format import ABSTAIN


def log_with_changes(log, changes, name="the log"):
    """Return a log as it is if so many categories may change as well.

    Parameters
    ----------
    log : pandas.DataFrame
        What ``read_log`` returned.

    changes : int
        0 is the log itself.

    name : str
        What an error calls it.

    Returns
    -------
    log : pandas.DataFrame
        With the radii that hold then, and -1 where nothing is certified.

    Raises
    ------
    ValueError
        If what stands beside the log does not tell.
    """
    if not changes:
        return log
    run = log.attrs.get(ATTRIBUTE) or {}
    known = run.get("changes")
    if not isinstance(known, list):
        raise ValueError(
            f"{name} does not say what holds with changed categories: certify again, "
            "with --out, a SmoothedClassifier with categorical_features. In Python, "
            "certificate.statement(changes=...) says it."
        )
    # More than there are is no more than all.
    changes = min(changes, run["changeable_categories"])
    if changes > len(known) and run.get("more_changes"):
        raise ValueError(
            f"{name} says what holds with up to {len(known)} changed categories, not "
            f"{changes}: in Python, certificate.statement(changes={changes}) does."
        )
    radius = known[changes - 1] if changes <= len(known) else [None] * len(log)
    if len(radius) != len(log):
        raise ValueError(f"what stands beside {name} is damaged: certify again.")
    radius = np.array([np.nan if one is None else one for one in radius], float)
    certified = np.isfinite(radius)
    abstain = ABSTAIN if log["predict"].dtype.kind in "iuf" else str(ABSTAIN)
    changed = log.assign(
        predict=log["predict"].where(certified, abstain),
        radius=np.where(certified, radius, 0.0),
        correct=log["correct"] & certified,
    )
    changed.attrs = log.attrs
    return changed
