"""The one place where files are written: whole or not at all, and as they were."""

import errno
import os
import shutil
import stat
import uuid
from contextlib import suppress


def write_file(path, content):
    """Write a file that appears under its name only when it is complete.

    A file that is there is replaced at the end, by one with its mode and, as far as
    the system allows, its owner. What is no regular file (a device, a FIFO) is written
    into and stays what it is. Links are followed.

    Parameters
    ----------
    path : str or path-like

    content : str or bytes
        Text is written as UTF-8, line ends as they are.

    Raises
    ------
    OSError
        If it cannot be written; ``filename`` says which file. A file that was there
        is as before.
    """
    if isinstance(content, str):
        content = content.encode()
    try:
        if is_stream(path):
            with os.fdopen(os.open(path, os.O_WRONLY), "wb") as stream:
                stream.write(content)
        else:
            _replace(os.path.realpath(path), content)
    except OSError as error:
        if not error.errno:
            raise
        # A write that fails does not say where, and others name what we made of it.
        raise OSError(error.errno, error.strerror, os.fspath(path)) from error


def is_stream(path):
    """Is there something at `path` that is no regular file, and no link to one?"""
    try:
        return not stat.S_ISREG(os.stat(path).st_mode)
    except FileNotFoundError:
        return False


def _replace(path, content):
    is_new = not os.path.exists(path)
    if not is_new and not os.access(path, os.W_OK):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
    # In the same folder, as only then can it take the place of the old one at once;
    # and never readable by others than the file that it is going to be.
    part = os.path.join(os.path.dirname(path), f".{uuid.uuid4().hex}.part")
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
    try:
        with os.fdopen(os.open(part, flags, 0o666 if is_new else 0o600), "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        if not is_new:
            _make_alike(part, path)
        os.replace(part, path)
    except BaseException:
        with suppress(FileNotFoundError):
            os.remove(part)
        raise


def _make_alike(part, path):
    """Give a new file the owner, the mode and further attributes of another one."""
    old = os.stat(path)
    if hasattr(os, "chown"):
        with suppress(OSError):  # the group may be ours to give, the owner is root's
            os.chown(part, -1, old.st_gid)
        with suppress(OSError):
            os.chown(part, old.st_uid, -1)
    shutil.copystat(path, part)
    os.utime(part)
    if os.stat(part).st_gid != old.st_gid:
        # What the group was allowed is not for another one.
        others = stat.S_IMODE(old.st_mode) & 0o007
        os.chmod(part, stat.S_IMODE(old.st_mode) & ~0o070 | others << 3)
