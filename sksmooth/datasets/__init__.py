"""Real data sets: fetched once, checked, and kept outside the package.

Images have pixels in [0, 1]. Each function looks into local folders and the cache
first, then asks the net.
"""

from ._fetch import fetch_fashion_mnist, fetch_mnist, fetch_spambase, fetch_titanic
from ._files import get_data_home

__all__ = [
    "fetch_fashion_mnist",
    "fetch_mnist",
    "fetch_spambase",
    "fetch_titanic",
    "get_data_home",
]
