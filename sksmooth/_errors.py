"""Errors of others in words."""


def in_words(error):
    """Return the kind of an error, and its message if it has one."""
    return f"{type(error).__name__}: {error}".removesuffix(": ")
