"""Random words that a test chooses."""

import numpy as np


class Scripted:
    """A generator that hands out given words, and counts them."""

    def __init__(self, words):
        self.words, self.used = list(words), 0

    def integers(self, low, high, size, dtype, endpoint):
        assert (low, high, endpoint) == (0, 2**64 - 1, True)
        taken = int(np.prod(size))
        self.used += taken
        words = np.array(self.words[self.used - taken : self.used], dtype=dtype)
        return words.reshape(size)
