"""From a random_state to the number that keys all noise."""

import secrets
from numbers import Integral

from sklearn.utils import check_random_state

from ._sklearn import Interval

# What `random_state` may be: scikit-learn's 32 bits are too few for a secret.
SEEDS = ["random_state", Interval(Integral, 0, 2**128 - 1, closed="both")]


def draw_entropy(random_state):
    """Draw the 128 bits that key all noise of one estimator.

    None takes them from the operating system, as they may have to be a secret, and a
    number beyond scikit-learn's 32 bits is taken for what it is.
    """
    if random_state is None:
        return secrets.randbits(128)
    if isinstance(random_state, Integral) and random_state >= 2**32:
        return int(random_state)
    return int.from_bytes(check_random_state(random_state).bytes(16), "little")
