"""What reading and writing have in common: column names, whole numbers."""

import re

HEADER = ["idx", "label", "predict", "radius", "correct", "time"]
ABSTAIN = -1


# A class may have been written as 3.0, as pandas does beside a missing value.
_WHOLE = re.compile(r"([+-]?)0*([0-9]+)(\.0*)?")
_RANGE = -(2**63), 2**63 - 1  # of np.int64


def is_whole(text):
    return _WHOLE.fullmatch(text) is not None


def whole(text):
    match = _WHOLE.fullmatch(text)
    if not match:
        raise ValueError("must be a whole number")
    sign, digits, _ = match.groups()
    # Python refuses to convert thousands of digits.
    number = int(sign + digits[:20])
    if not _RANGE[0] <= number <= _RANGE[1]:
        raise ValueError("must be a whole number of 64 bits")
    return number


def is_abstention(text):
    return re.fullmatch(r"-0*1(\.0*)?", text) is not None


def plain_number(text):
    # Python also takes 1_0.5 and digits of other scripts: no program writes these.
    if "_" in text or not text.isascii():
        raise ValueError("must be a number")
    try:
        return float(text)
    except ValueError:
        raise ValueError("must be a number") from None
