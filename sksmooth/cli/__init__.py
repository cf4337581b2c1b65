"""The command line: ``sksmooth``, or ``python -m sksmooth``."""

import sys

__all__ = ["main"]


def main():
    """Run the command line, or say what to install for it."""
    try:
        import click  # noqa: F401
    except ImportError:
        sys.exit("The command line needs click: pip install 'sksmooth[cli]'.")
    from ._streams import ResultsLost, abandon_stdout, hold_streams

    hold_streams()
    from ._app import app

    try:
        app(prog_name="sksmooth")
    except OSError as error:  # of what click itself prints, such as --help
        abandon_stdout()
        lost = ResultsLost(error.strerror or error)
        sys.exit(f"Error: {lost.format_message()}")
