"""The command line: ``sksmooth``, or ``python -m sksmooth``."""

import sys

__all__ = ["main"]


def main():
    """Run the command line, or say what to install for it."""
    try:
        import click  # noqa: F401
    except ImportError:
        sys.exit("The command line needs click: pip install 'sksmooth[cli]'.")
    from ._app import app

    app(prog_name="sksmooth")
