"""Modules that need numba, where it is installed (`sksmooth[fast]`)."""

import warnings
from functools import cache
from importlib import import_module
from importlib.util import find_spec


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
