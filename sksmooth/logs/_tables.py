"""Accuracies from several logs."""

import numpy as np

from .._columns import as_column
from .._optional import optional
from ..stats._checks import check_radius
from ._checked import as_log, check_one_measure, named_logs, radii_of
from ._read import check_same_answers, is_abstaining, is_correct

_NEEDED = ("label", "predict", "radius")


def certified_accuracy_table(logs, radii):
    """Certified accuracy of several logs at several radii.

    Parameters
    ----------
    logs : dict of str to path-like or pandas.DataFrame
        Name of each row, and its log: a file, or what `read_log` returned.

    radii : array-like of float of shape (n_radii,)
        Radii, >= 0, in the norm and the units of the logs.

    Returns
    -------
    table : pandas.DataFrame
        Share of the inputs with label == predict and radius >= r, in [0, 1]: one row
        a log, one column per radius. NaN for a log without rows.

    Raises
    ------
    ImportError
        If pandas is not installed.

    TypeError
        If `logs` is no dict, or a log is neither a file nor a frame.

    ValueError
        If one of `radii` is negative or not finite; if a log has no radii or cannot
        be read, if an `idx` is in it more than once, or an abstention has a radius; if
        labels are texts and answers numbers, or the other way round; if the JSON files
        beside the logs say that radii are in different norms, or some in units of sigma
        and others not.

    See Also
    --------
    format_table : The table as Markdown or LaTeX, best values marked.

    References
    ----------
    J. Cohen, E. Rosenfeld, J. Z. Kolter (2019), arXiv:1902.02918, section 4 and
    table 1.

    Examples
    --------
    >>> import pandas as pd
    >>> from sksmooth.logs import certified_accuracy_table
    >>> small = {"label": [0, 1, 1], "predict": [0, 1, 0], "radius": [0.4, 0.2, 0.1]}
    >>> large = {"label": [0, 1, 1], "predict": [0, -1, 0], "radius": [0.9, 0.0, 0.3]}
    >>> logs = {"0.25": pd.DataFrame(small), "0.50": pd.DataFrame(large)}
    >>> certified_accuracy_table(logs, [0, 0.25, 0.5]).round(2)
    radius  0.00  0.25  0.50
    0.25    0.67  0.33  0.00
    0.50    0.33  0.33  0.33
    """
    pd = optional("pandas", "certified_accuracy_table")
    radii = np.atleast_1d(check_radius(radii, "radii"))
    frames = {
        name: as_log(log, f"log {name!r}", _NEEDED)
        for name, log in named_logs(logs).items()
    }
    check_one_measure(frames)
    rows = {}
    for name, log in frames.items():
        robust = robust_radii(log, f"log {name!r}")
        reached = len(robust) - np.searchsorted(np.sort(robust), radii, side="left")
        rows[name] = (
            reached / len(robust) if len(robust) else np.full(len(radii), np.nan)
        )
    columns = pd.Index(radii, name="radius")
    return pd.DataFrame.from_dict(rows, orient="index", columns=columns)


def prediction_table(logs, reference):
    """How often predictions are right, and agree with a run of many more votes.

    Parameters
    ----------
    logs : dict of str to path-like or pandas.DataFrame
        Name of each row, and its log: a file, or what `read_log` returned.

    reference : path-like or pandas.DataFrame
        Log of a run whose predictions stand for g(x). It has all `idx` of the others.

    Returns
    -------
    table : pandas.DataFrame
        One row per log, with the shares of five kinds of answers, which add up to 1:
        correct or incorrect (label == predict), each accurate or inaccurate (the
        reference predicts the same), and abstentions.

    Raises
    ------
    ImportError
        If pandas is not installed.

    TypeError
        If `logs` is no dict, or a log is neither a file nor a frame.

    ValueError
        If the reference lacks an input of a log, or a log has an `idx` more than once;
        if some of labels, answers and the reference are texts and others numbers.

    Notes
    -----
    Where the reference abstains, g(x) is not known and an answer counts as inaccurate.

    References
    ----------
    J. Cohen, E. Rosenfeld, J. Z. Kolter (2019), arXiv:1902.02918, section 4
    ("Prediction") and appendix E.

    Examples
    --------
    >>> import pandas as pd
    >>> from sksmooth.logs import prediction_table
    >>> idx, label = range(4), [0, 1, 1, 2]
    >>> few = pd.DataFrame({"idx": idx, "label": label, "predict": [0, -1, 0, 2]})
    >>> many = pd.DataFrame({"idx": idx, "label": label, "predict": [0, 1, 0, 1]})
    >>> prediction_table({"100": few}, many).T
                            100
    correct, accurate      0.25
    correct, inaccurate    0.25
    incorrect, accurate    0.25
    incorrect, inaccurate  0.00
    abstain                0.25
    """
    pd = optional("pandas", "prediction_table")
    reference = as_log(reference, "the reference", ("idx", "predict"))
    truth = reference.set_index("idx")["predict"]
    rows = {}
    for name, log in named_logs(logs).items():
        log = as_log(log, f"log {name!r}", ("idx", "label", "predict"))
        missing = log.loc[~log["idx"].isin(truth.index), "idx"]
        if len(missing):
            raise ValueError(
                f"log {name!r} has inputs that the reference lacks, such as idx "
                f"{missing.iloc[0]}."
            )
        answer = log["predict"].to_numpy()
        abstains = is_abstaining(answer)
        correct = is_correct(log["label"].to_numpy(), answer)
        best = truth.loc[log["idx"]].to_numpy()
        check_same_answers(best, answer)
        accurate = (best == answer) & ~abstains
        rows[name] = {
            "correct, accurate": np.mean(correct & accurate),
            "correct, inaccurate": np.mean(correct & ~accurate),
            "incorrect, accurate": np.mean(~correct & accurate),
            "incorrect, inaccurate": np.mean(~correct & ~accurate & ~abstains),
            "abstain": np.mean(abstains),
        }
    return pd.DataFrame.from_dict(rows, orient="index")


def robust_radii(log, name="the log"):
    """Return the radius of each input of a log, -inf where it is wrong or abstains.

    Parameters
    ----------
    log : path-like or pandas.DataFrame

    name : str
        What an error calls it.

    Returns
    -------
    radii : ndarray of float of shape (n_inputs,)

    Raises
    ------
    ValueError
        If the log has no radii, or cannot be counted on, see ``as_log``.
    """
    log = as_log(log, name, _NEEDED)
    label, predict = (as_column(log[name], name) for name in ("label", "predict"))
    return np.where(is_correct(label, predict), radii_of(log, name), -np.inf)
