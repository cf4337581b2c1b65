"""Versions of what is installed: for reports of bugs, and beside results."""

import platform
import sys
from importlib.metadata import PackageNotFoundError, version

from ._version import __version__

# What `pip install sksmooth` brings along.
_CORE = (
    "numpy",
    "scipy",
    "scikit-learn",
    "joblib",
    "narwhals",
    "cloudpickle",
    "threadpoolctl",
    "tqdm",
)

# What extras add, and base models come from; modules under the names of their packages.
_OPTIONAL = {
    "numba": "numba",
    "torch": "torch",
    "skorch": "skorch",
    "onnx": "onnx",
    "onnxruntime": "onnxruntime",
    "xgboost": "xgboost",
    "xgboost-cpu": "xgboost",
    "lightgbm": "lightgbm",
    "catboost": "catboost",
    "imbalanced-learn": "imblearn",
    "pandas": "pandas",
    "polars": "polars",
    "matplotlib": "matplotlib",
    "click": "click",
    "skops": "skops",
}


def versions_in_use():
    """Return versions of what results of this process can depend on, as a dict.

    The core, and those of the other packages that are loaded. Nothing is imported.
    """
    found = {"sksmooth": __version__, "python": platform.python_version()}
    names = [*_CORE[:3]]
    names += [name for name, module in _OPTIONAL.items() if module in sys.modules]
    for name in names:
        told = _version_of(name)
        if told is not None:
            found[name] = told
    return found


def platform_in_use():
    """Return the system and the kind of processor in words."""
    return f"{platform.system()} {platform.machine()}"


def show_versions():
    """Print the versions of Python, of this package and of those that it works with.

    For reports of bugs. Nothing is imported or sent.

    See Also
    --------
    sklearn.show_versions : Also tells about BLAS and OpenMP.

    Examples
    --------
    >>> from sksmooth import show_versions
    >>> show_versions()
    System
        python: 3...
      platform: ...
    <BLANKLINE>
    Packages
        sksmooth: ...
           numpy: ...
    """
    system = {"python": sys.version.replace("\n", " "), "platform": platform.platform()}
    packages = {"sksmooth": __version__}
    packages |= {name: _version_of(name) for name in (*_CORE, *_OPTIONAL)}
    for title, entries in (("System", system), ("\nPackages", packages)):
        print(title)
        known = {name: told for name, told in entries.items() if told is not None}
        width = 2 + max(map(len, known))
        for name, told in known.items():
            print(f"{name:>{width}}: {told}")


def _version_of(name):
    try:
        return version(name)
    except PackageNotFoundError:
        return None
