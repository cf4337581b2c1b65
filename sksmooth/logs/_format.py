"""What reading and writing have in common: column names, whole numbers."""

import re

HEADER = ["idx", "label", "predict", "radius", "correct", "time"]
ABSTAIN = -1


def whole(text):
    # A class may have been written as 3.0, as pandas does beside a missing value.
    match = re.fullmatch(r"([+-]?\d+)(\.0*)?", text)
    if not match:
        raise ValueError("must be a whole number")
    return int(match[1])


def is_whole(text):
    try:
        whole(text)
    except ValueError:
        return False
    return True
