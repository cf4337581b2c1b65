"""Packages that are no dependency, imported where they are needed."""

from importlib import import_module


class SlowVotesWarning(UserWarning):
    """Votes take a slow road, and a package that is not installed is why.

    Said once in a process for each package, where the work is one of ten seconds or
    more. The answers are the same with and without it.

    See Also
    --------
    SmoothedClassifier : Draws votes.

    Examples
    --------
    Not to be told:

    >>> import warnings
    >>> from sksmooth import SlowVotesWarning
    >>> warnings.simplefilter("ignore", SlowVotesWarning)
    """


def optional(name, caller, *, to="", extra=None):
    """Import a module, or say who needs it and what to install.

    Parameters
    ----------
    name : str
        Such as "matplotlib.pyplot".

    caller : str or path-like
        Who needs it.

    to : str, default=""
        The purpose, such as " to be read".

    extra : str, default=None
        The extra of sksmooth that brings the package along; None names the package.

    Returns
    -------
    module : module
    """
    try:
        return import_module(name)
    except ImportError as error:
        package = name.partition(".")[0]
        install = package if extra is None else f"'sksmooth[{extra}]'"
        raise ImportError(
            f"{caller} needs {package}{to}: pip install {install}."
        ) from error
