"""Validate the docstrings of every public name, by the checks in pyproject.toml.

Functions and classes need an example, too; their methods may do without.

Imports the package instead of reading its source, so that properties and dataclasses
are told apart from methods and ordinary classes.
"""

import inspect
import sys
import tomllib
from importlib import import_module
from pathlib import Path

from numpydoc.validate import get_validation_checks, validate

ROOT = Path(__file__).resolve().parent.parent
PUBLIC_MODULES = [
    "sksmooth",
    "sksmooth.datasets",
    "sksmooth.logs",
    "sksmooth.noise",
    "sksmooth.stats",
    "sksmooth.torch",
]


def public_paths():
    """Yield the import paths of public functions, classes, methods and properties."""
    for module_name in PUBLIC_MODULES:
        module = import_module(module_name)
        for name in module.__all__:
            path = f"{module_name}.{name}"
            yield path
            if not inspect.isclass(getattr(module, name)):
                continue
            for member, value in _own_members(getattr(module, name)).items():
                is_callable = inspect.isfunction(value) or isinstance(
                    value, property | classmethod
                )
                if is_callable and not member.startswith("_"):
                    yield f"{path}.{member}"


def _own_members(owner):
    """Return what a class has from this package, bases included."""
    members = {}
    for each in reversed(owner.__mro__):
        if each.__module__.split(".")[0] == "sksmooth":
            members |= vars(each)
    return members


def main():
    config = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    checks = get_validation_checks(set(config["tool"]["numpydoc_validation"]["checks"]))
    paths = list(public_paths())
    n_errors = 0
    for path in paths:
        is_member = path.rpartition(".")[0] not in PUBLIC_MODULES
        for code, message in validate(path)["errors"]:
            if code in checks or (code == "EX01" and not is_member):
                print(f"{path}: {code} {message}")
                n_errors += 1
    print(f"{len(paths)} public docstrings checked, {n_errors} errors")
    return n_errors > 0


if __name__ == "__main__":
    sys.exit(main())
