"""Files of NumPy, .npy and .npz, and what is wrong with those that cannot be read."""

import lzma
import zipfile
import zlib
from contextlib import contextmanager

import click
import numpy as np

from ._unpacking import ZIP_STARTS, check_unpacked, zip_size

# How files of each kind begin, and what they hold.
_KINDS = {
    ".npy": ((b"\x93NUMPY",), "a single array"),
    ".npz": (ZIP_STARTS, "an archive of arrays"),
}

# What NumPy and zipfile raise over files that are damaged, or made to do harm. Their
# words are not passed on: some advise to allow pickles, which run code.
_DAMAGED = (
    *(ValueError, EOFError, RuntimeError, NotImplementedError, MemoryError),
    *(zipfile.BadZipFile, zlib.error, lzma.LZMAError, FloatingPointError),
)


def read_npy(path, label, inputs, limit):
    X = _load_npy(path)
    if label is None:
        return X, None
    if label.endswith(".npy"):
        return X, _load_npy(label)
    try:
        column = int(label)
    except ValueError:
        raise click.UsageError(
            f"--label {label}: for a .npy file, name another .npy file with the labels "
            "or the number of a column, such as 0 or -1."
        ) from None
    if X.ndim != 2 or not -X.shape[1] <= column < X.shape[1]:
        raise click.UsageError(
            f"--label {label}: {path}, of shape {X.shape}, has no such column."
        )
    return np.delete(X, column, axis=1), np.array(X[:, column])


def read_npz(path, label, inputs, limit):
    # NumPy would leave it open where it is damaged.
    with open(path, "rb") as opened, _opened(path, ".npz", opened) as file:
        names = file.files
        if label is None and "y" in names:
            label = "y"
        in_file = label is not None and not label.endswith(".npy")
        rest = [name for name in names if not (in_file and name == label)]
        if inputs is None:
            inputs = rest[0] if len(rest) == 1 else "X"
        wanted = {"--inputs": inputs}
        if in_file:
            wanted["--label"] = label
        for option, name in wanted.items():
            if name not in names:
                raise click.UsageError(
                    f"{path} has no array {name!r}, only {', '.join(names) or 'none'}: "
                    f"choose with {option}."
                )
        members = [
            member
            for member in file.zip.namelist()
            if member.removesuffix(".npy") in wanted.values()
        ]
        check_unpacked(path, zip_size(file.zip, members), limit)
        X, *labels = [_member(file, name, path) for name in wanted.values()]
    if label is None:
        return X, None
    return X, labels[0] if in_file else _load_npy(label)


def _load_npy(path):
    return _opened(path, ".npy", path, mmap_mode="r")


def _opened(path, kind, file, **how):
    _check_start(path, kind)
    with _explained(path):
        return np.load(file, allow_pickle=False, **how)


def _member(file, name, path):
    with _explained(f"{path}: array {name!r}"):
        array = file[name]
    if not isinstance(array, np.ndarray):
        raise ValueError(f"{path}: {name!r} is not a NumPy array.")
    return array


def _check_start(path, expected):
    """Raise a ValueError if a file is not of the kind that its name says."""
    with open(path, "rb") as file:
        start = file.read(6)
    if not start:
        raise ValueError(f"{path} is empty.")
    for suffix, (starts, what) in _KINDS.items():
        if start.startswith(starts):
            if suffix == expected:
                return
            raise ValueError(
                f"{path} holds {what}, and the name of such a file ends in {suffix}: "
                "rename it."
            )
    raise ValueError(
        f"{path} is not a NumPy file, whatever its name says: it does not begin like a "
        "file from np.save or np.savez."
    )


@contextmanager
def _explained(what):
    try:
        with np.errstate(over="raise"):  # of a size that a header claims
            yield
    except _DAMAGED as error:
        text = str(error)
        if "Object arrays" in text or "Python objects" in text:
            raise ValueError(
                f"{what} holds Python objects. These are pickles, which run code, and "
                "are not loaded; store numbers, or strings of fixed width."
            ) from error
        raise ValueError(
            f"{what} cannot be read: the file is damaged, is incomplete, or claims to "
            "hold more than fits into memory."
        ) from error
