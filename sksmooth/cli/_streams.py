"""What is said where: results to stdout, all else to stderr, if these can be had."""

import errno
import os
import sys
from contextlib import suppress

import click

# What shells report for a program that SIGPIPE ended.
PIPE_CLOSED = 141

_PIECE = 16_384


class ResultsLost(click.ClickException):
    """What was to go to stdout did not get there."""

    def __init__(self, why):
        super().__init__(
            f"stdout cannot be written ({why}), and results go there. Commands that "
            "have --out can write them to a file instead."
        )


def hold_streams():
    """Put something in the place of standard streams that are closed.

    Without it Python has None there, and the next file that is opened, a store for
    instance, gets the number under which others know the stream. To stdout must go
    what nobody may miss, so writing to its replacement fails.
    """
    for name, flags, mode in [
        ("stdin", os.O_RDONLY, "r"),
        ("stdout", os.O_RDONLY, "w"),
        ("stderr", os.O_WRONLY, "w"),
    ]:
        if getattr(sys, name) is None:
            setattr(sys, name, os.fdopen(os.open(os.devnull, flags), mode))


def check_stdout():
    """Refuse to begin what could not be told."""
    try:
        os.write(sys.stdout.fileno(), b"")
    except OSError as error:
        if error.errno == errno.EBADF:  # else it has no number, as in tests
            raise ResultsLost("it is closed") from error


def emit(text):
    """Write results to stdout.

    In pieces: a write that a closed pipe cuts short is no error where stdout has no
    buffer, but the next one is.
    """
    try:
        for start in range(0, len(text), _PIECE):
            click.echo(text[start : start + _PIECE], nl=False)
    except BrokenPipeError:
        # Whoever read the results has seen enough.
        abandon_stdout()
        raise click.exceptions.Exit(PIPE_CLOSED) from None
    except UnicodeEncodeError as error:
        raise ResultsLost(
            f"its encoding {error.encoding} has no {error.object[error.start]!a}; "
            "PYTHONIOENCODING=utf-8 changes it"
        ) from error
    except OSError as error:
        abandon_stdout()
        raise ResultsLost(error.strerror or error) from error


def abandon_stdout():
    """Send what stdout still holds nowhere, so that Python does not fail at its end."""
    with suppress(OSError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def say(message):
    """Tell the user something that is not a result, if there is a way."""
    with suppress(OSError):
        click.echo(message, err=True)
