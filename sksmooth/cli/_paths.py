"""The files of a command, looked at before anything is done."""

import os
import stat

import click

from .._writing import is_stream

# What SQLite keeps beside a store.
_COMPANIONS = ("-wal", "-shm", "-journal")


def check_output(path, option, others, *, force):
    """Refuse a file that could not be written, or that should not be.

    Parameters
    ----------
    path : str or None

    option : str
        What names it.

    others : dict of str to str
        The other files of the command, under what the user calls them.

    force : bool
        Replace a file that is there.
    """
    if path is None:
        return
    check_named(path, option)
    _check_apart(path, option, others)
    if os.path.isdir(path):
        raise click.UsageError(f"{option} {path}: this is a folder; name a file in it.")
    if not is_stream(path):
        _check_folder(path, option, writable=True)
    if not os.path.exists(path):
        return
    # Nothing is lost by writing into a pipe or a terminal.
    if not force and (not is_stream(path) or stat.S_ISBLK(os.stat(path).st_mode)):
        raise click.UsageError(
            f"{option} {path}: the file exists. Add --force to overwrite it."
        )
    if not os.access(path, os.W_OK):
        raise click.UsageError(f"{option} {path}: the file may not be written.")


def check_store(path, others):
    """Refuse a store that could not be made, or that is something else.

    Parameters
    ----------
    path : str or None

    others : dict of str to str
        See `check_output`.
    """
    if path is None:
        return
    check_named(path, "--store")
    _check_apart(path, "--store", others)
    for name, other in others.items():
        for part, place in with_companions(path).items():
            if _is_same(place, other):
                raise click.UsageError(
                    f"--store {path}: {name} is {part.removesuffix(' of --store')} of "
                    "this store, and would be lost. Name another file."
                )
    if is_stream(path):
        raise click.UsageError(f"--store {path}: this is not a regular file.")
    # One that is there can be read where nothing can be written.
    _check_folder(path, "--store", writable=not os.path.exists(path))


def with_companions(store):
    """Return the files that a store consists of, by name, for `others`."""
    if store is None:
        return {}
    place = os.path.realpath(store)
    return {
        "--store": store,
        **{f"a part ({ending}) of --store": place + ending for ending in _COMPANIONS},
    }


def check_named(path, option):
    """Refuse what is no name of a file, such as an empty variable of a script."""
    if not os.path.basename(path).strip("."):
        raise click.UsageError(f"{option} {path!r} is not the name of a file.")


def _check_folder(path, option, *, writable):
    folder = os.path.dirname(os.path.realpath(path))
    if not os.path.isdir(folder):
        raise click.UsageError(f"{option} {path}: there is no folder {folder}.")
    if writable and not os.access(folder, os.W_OK):
        raise click.UsageError(f"{option} {path}: the folder is not writable.")


def _check_apart(path, option, others):
    for name, other in others.items():
        if _is_same(path, other):
            raise click.UsageError(
                f"{option} {path}: this is {name} as well, which would be lost. Name "
                "another file."
            )


def _is_same(path, other):
    """Do two names stand for one file, be it there or not?"""
    if os.path.realpath(path) == os.path.realpath(other):
        return True
    try:
        return os.path.samefile(path, other)  # under a second name of its own
    except FileNotFoundError:
        return False
