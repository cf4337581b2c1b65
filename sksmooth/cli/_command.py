"""How every command ends: exit codes, one-line errors."""

import warnings

import click

from .._errors import in_words
from ._streams import check_stdout, say

# What shells report for a program that SIGINT ended.
INTERRUPTED = 130

# Errors whose text was written for the user; others also show their type.
_IN_WORDS = (ValueError, RuntimeError, ImportError, TypeError)

# Options that are not proposed for a name that is wrong.
_NO_GUESS = ("--force", "--trust", "--trust-pickle")

UNPACK_LIMIT = click.option(
    "--unpack-limit",
    type=click.FloatRange(min=0, min_open=True),
    default=1,
    show_default=True,
    metavar="GB",
    help="Refuse a compressed MODEL or DATA that unpacks to more than this.",
)


def command(*examples):
    """Make a function a command; its help ends with examples."""
    lines = [f"  sksmooth {example}" for example in examples]
    epilog = "\n".join(["\b", "Examples:", *lines])
    return click.command(cls=Command, epilog=epilog)


class Command(click.Command):
    """A command that ends with a line on stderr instead of a traceback."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.params.append(
            click.Option(
                ["--debug"], is_flag=True, help="Show the traceback of an error."
            )
        )

    def parse_args(self, ctx, args):
        ctx.meta["sksmooth.words"] = list(args)
        try:
            return super().parse_args(ctx, args)
        except click.NoSuchOption as error:
            # What overwrites files, or runs code of theirs, is no guess to follow.
            known = error.possibilities or ()
            error.possibilities = [one for one in known if one not in _NO_GUESS] or None
            raise

    def invoke(self, ctx):
        debug = ctx.params.pop("debug")
        if ctx.params.get("out") is None:
            check_stdout()
        try:
            with warnings.catch_warnings():
                warnings.showwarning = _show_warning
                return super().invoke(ctx)
        except (click.ClickException, click.exceptions.Exit):
            raise
        except KeyboardInterrupt:
            say("Interrupted." + ctx.meta.get("sksmooth.if_interrupted", ""))
            ctx.exit(INTERRUPTED)
        except Exception as error:
            if debug:
                raise
            raise click.ClickException(_in_one_line(error)) from error


def _show_warning(message, category, filename, lineno, file=None, line=None):
    say(f"Warning: {_words(message)}")


def _in_one_line(error):
    if isinstance(error, OSError) and error.strerror:
        where = f"{error.filename}: " if error.filename else ""
        return f"{where}{error.strerror}"
    text = _words(error)
    if not isinstance(error, _IN_WORDS) or not text:
        text = f"{type(error).__name__}: {text} (--debug shows where)"
    cause = error.__cause__
    if isinstance(error, RuntimeError) and cause is not None:
        words = _words(cause)
        if (words or type(cause).__name__) not in text:
            text += f" ({_words(in_words(cause))})"
    return text


def _words(message):
    return " ".join(str(message).split())
