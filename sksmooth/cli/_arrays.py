"""Files of NumPy, .npy and .npz, and what is wrong with those that cannot be read."""

import lzma
import zipfile
import zlib
from contextlib import contextmanager

import click
import numpy as np

from ._unpacking import check_unpacked, zip_size

_NPY, _NPZ = b"\x93NUMPY", (b"PK\x03\x04", b"PK\x05\x06")

# What NumPy and zipfile raise over files that are damaged, or made to do harm. Their
# words are not passed on: some advise to allow pickles, which run code.
_DAMAGED = (
    *(ValueError, EOFError, RuntimeError, NotImplementedError, MemoryError),
    *(zipfile.BadZipFile, zlib.error, lzma.LZMAError, FloatingPointError),
)


def read_npy(path, label, inputs, limit):
    X = load_npy(path)
    if label is None:
        return X, None
    if label.endswith(".npy"):
        return X, load_npy(label)
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
    _check_start(path, _NPZ)
    # NumPy would leave it open where it is damaged.
    with open(path, "rb") as opened, _opened(opened, path) as file:
        names = file.files
        if label is None and "y" in names:
            label = "y"
        in_file = label is not None and not label.endswith(".npy")
        rest = [name for name in names if not (in_file and name == label)]
        if inputs is None:
            inputs = rest[0] if len(rest) == 1 else "X"
        for option, name in [("--inputs", inputs), ("--label", label)]:
            if (option == "--inputs" or in_file) and name not in names:
                raise click.UsageError(
                    f"{path} has no array {name!r}, only {', '.join(names) or 'none'}: "
                    f"choose with {option}."
                )
        wanted = [inputs, label] if in_file else [inputs]
        members = [name for name in file.zip.namelist() if _array_name(name) in wanted]
        check_unpacked(path, zip_size(file.zip, members), limit)
        arrays = [_member(file, name, path) for name in wanted]
    if label is None or in_file:
        return arrays[0], arrays[1] if in_file else None
    return arrays[0], load_npy(label)


def load_npy(path):
    _check_start(path, (_NPY,))
    with _explained(path):
        return np.load(path, mmap_mode="r", allow_pickle=False)


def _opened(file, path):
    with _explained(path):
        return np.load(file, allow_pickle=False)


def _array_name(member):
    return member.removesuffix(".npy")


def _member(file, name, path):
    with _explained(f"{path}: array {name!r}"):
        array = file[name]
    if not isinstance(array, np.ndarray):
        raise ValueError(f"{path}: {name!r} is no array of NumPy.")
    return array


def _check_start(path, starts):
    """Raise a ValueError if a file is not of the kind that its name says."""
    with open(path, "rb") as file:
        start = file.read(len(_NPY))
    if start.startswith(starts):
        return
    if not start:
        raise ValueError(f"{path} is empty.")
    for kind, suffix, what in [
        ((_NPY,), ".npy", "a single array"),
        (_NPZ, ".npz", "an archive of arrays"),
    ]:
        if start.startswith(kind):
            raise ValueError(
                f"{path} holds {what}, and the name of such a file ends in {suffix}: "
                "rename it."
            )
    raise ValueError(
        f"{path} is no file of NumPy, whatever its name says: it does not begin as "
        "np.save and np.savez begin theirs."
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
            f"{what} cannot be read: the file is damaged, was not written to its end, "
            "or claims to hold more than there is memory for."
        ) from error
