"""A key file: 128 secret bits, for noise that nobody can find by trying out seeds."""

import os
import secrets
import stat

import click

from ._streams import say

_DIGITS = 32  # of 4 bits each


def read_key(path):
    """Return the key that a file holds, making the file if there is none.

    Parameters
    ----------
    path : str

    Returns
    -------
    key : int
        Of 128 bits.

    Raises
    ------
    click.UsageError
        If the file is none, others may read it, or it holds something else. What it
        holds is never told.
    """
    try:
        file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return _parse(path, _read(path))
    except OSError as error:
        raise _unusable(path, error.strerror) from None
    key = secrets.token_hex(_DIGITS // 2)
    with open(file, "w", encoding="ascii") as text:
        text.write(f"{key}\n")
    say(f"Note: {path} did not exist, and holds a new key now. Keep it secret.")
    return int(key, 16)


def _read(path):
    try:
        with open(path, "rb", opener=_open_at_once) as file:
            mode = os.fstat(file.fileno()).st_mode
            if not stat.S_ISREG(mode):
                raise _unusable(path, "it is not a regular file")
            if os.name == "posix" and mode & 0o077:
                raise _unusable(
                    path,
                    f"others can read or write it (mode {stat.S_IMODE(mode):o}). Do "
                    f"chmod 600 {path}, or make a new one if they may have read it",
                )
            return file.read(2 * _DIGITS)
    except OSError as error:
        raise _unusable(path, error.strerror) from None


def _open_at_once(path, flags):
    """Open a file, and do not wait if it is a pipe."""
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))


def _parse(path, content):
    text = content.strip()
    if len(text) != _DIGITS or not set(text) <= set(b"0123456789abcdefABCDEF"):
        raise _unusable(
            path,
            f"a key is {_DIGITS} hexadecimal digits, 128 bits, and nothing else. Name "
            "a file that does not exist to have a key made",
        )
    return int(text, 16)


def _unusable(path, why):
    return click.UsageError(f"--key-file {path}: {why}.")
