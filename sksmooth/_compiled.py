"""Modules that need numba, where it is installed (`sksmooth[fast]`)."""

import sys
import warnings
from functools import cache
from importlib import import_module
from importlib.util import find_spec

from ._optional import SlowVotesWarning

# Work that takes NumPy as long as loading numba and a module does, in normals drawn;
# and as long as the module alone.
_WORTH_NUMBA, _WORTH_MODULE = 2**25, 2**23
_work = 0

# Work from which on it is worth a word that numba is not there: ten seconds of NumPy's.
_WORTH_A_WORD = 2**30
_said = False


@cache
def compiled_module(name):
    """Return a module of this package that imports numba.

    Parameters
    ----------
    name : str

    Returns
    -------
    module or None
        None without numba, and with a warning if it is there but cannot be loaded.
    """
    if find_spec("numba") is None:
        return None
    try:
        return import_module(f".{name}", __package__)
    except Exception as error:  # of any kind, as with a NumPy that is too new for it
        warnings.warn(
            f"numba is installed, but cannot be loaded ({type(error).__name__}: "
            f"{error}); votes are drawn without it, which is slower.",
            RuntimeWarning,
            stacklevel=2,
        )
        return None


def module_if_worth(name, work):
    """Return a compiled module once there was enough to do.

    For what NumPy does as well, with the same result.

    Parameters
    ----------
    name : str

    work : int
        What there is to do now, in the time that NumPy takes for a normal.

    Returns
    -------
    module or None
    """
    global _work
    _work += work  # threads may lose some
    enough = _WORTH_MODULE if "numba" in sys.modules else _WORTH_NUMBA
    module = compiled_module(name) if _work >= enough else None
    if module is None:
        warn_without_numba("noise is drawn", _work)
    return module


def warn_without_numba(what, work):
    """Warn, once, that much work takes several times as long because numba is missing.

    Parameters
    ----------
    what : str
        What is done, in words.

    work : int
        As for ``module_if_worth``.
    """
    global _said
    if _said or work < _WORTH_A_WORD or find_spec("numba") is not None:
        return
    _said = True
    warnings.warn(
        f"{what} without numba, which takes several times as long: "
        "pip install 'sksmooth[fast]'.",
        SlowVotesWarning,
        stacklevel=2,
    )
