"""Certification logs in the Cohen log format, and the tables made from them.

The reference code and its successors write one line per input, separated by tabs::

    idx  label  predict  radius  correct  time

`predict` is -1 for an abstention.
"""

from ._markup import format_table, mark_best
from ._read import read_log
from ._recertify import recertify_log
from ._tables import certified_accuracy_table, prediction_table
from ._write import write_log

__all__ = [
    "certified_accuracy_table",
    "format_table",
    "mark_best",
    "prediction_table",
    "read_log",
    "recertify_log",
    "write_log",
]
