"""What the engine asks of a voter."""

import copy
from abc import ABC, abstractmethod

import numpy as np

from ..noise._normals import open_stream

# Where rows are tiny, more of them in one batch gain nothing.
_MAX_ROWS = 65_536


class Voter(ABC):
    """Classifies batches of noisy copies and counts the classes.

    A voter is made once for a classifier, and knows no inputs; ``on(inputs)`` returns
    one for some, which shares with it all that the classifier is.

    Attributes
    ----------
    n_classes : int

    prefer : str
        For which workers it is best, as joblib names them: "threads" where most of the
        time is spent in compiled code that lets others run.

    batch_bytes, row_bytes : int
        A good size of a batch, and the size of one of its rows.
    """

    prefer = "threads"

    # Names of what ``allocate`` makes.
    buffers = ()

    def on(self, inputs):
        """Return the voter for some inputs, with no batch yet."""
        twin = copy.copy(self)
        twin.take(inputs)
        return twin

    def expect(self, n_votes):
        """Get ready for about as many votes, if that pays.

        Returns
        -------
        changed : bool
            True: what ``on`` has returned so far would not notice.
        """
        return False

    def good_size(self, shared):
        """Return in how many copies a batch is best, if that is left to us.

        Parameters
        ----------
        shared : bool
            Whether all inputs share their noise.
        """
        return max(1, min(self.batch_bytes // self.row_bytes, _MAX_ROWS))

    def forget(self):
        """Let go of the batch, so that there is room for another one."""
        for name in self.buffers:
            setattr(self, name, None)

    @abstractmethod
    def take(self, inputs):
        """Be the voter for these inputs."""

    @abstractmethod
    def allocate(self, size):
        """Make room for a batch of up to `size` noisy copies; return how many."""

    def open_many(self, keys):
        """Return the streams of noise for the inputs of some keys.

        Parameters
        ----------
        keys : list of bytes

        Returns
        -------
        streams : ndarray of shape (n_keys, ...)
            What ``fill_batch`` takes: by default what ``open`` returns.
        """
        return np.fromiter(map(self.open, keys), object, len(keys))

    @abstractmethod
    def fill_batch(self, rows, sizes, streams):
        """Put noisy copies of some inputs into the batch, from its first place on.

        Parameters
        ----------
        rows : ndarray of int of shape (n_rows,)
            Each input at most once.

        sizes : ndarray of int of shape (n_rows,)
            How many copies of each, at least 1.

        streams : ndarray of shape (n_rows, ...)
            Their noise: of what ``open_many`` returned. Moved on.
        """

    @abstractmethod
    def draw(self, stream, size):
        """Make the noise of the next `size` copies, shared by all inputs."""

    @abstractmethod
    def tally(self, sizes):
        """Classify the batch and count.

        Parameters
        ----------
        sizes : ndarray of int of shape (n_rows,)
            How many copies in a row belong to the same input.

        Returns
        -------
        counts : ndarray of int of shape (n_rows, n_classes)
        """

    # Returns the stream of noise for the input of a key, or of all inputs.
    open = staticmethod(open_stream)


class CopyingVoter(Voter):
    """A voter that makes a copy for every vote, also under shared noise.

    Any other has ``compare``, see ``LinearVoter``.
    """

    def fill_batch(self, rows, sizes, streams):
        """Put noisy copies into the batch; see ``Voter.fill_batch``."""
        stop = 0
        parts = rows.tolist(), sizes.tolist(), streams
        for row, size, stream in zip(*parts, strict=True):
            start, stop = stop, stop + size
            self.fill(start, stop, row, stream)

    @abstractmethod
    def fill(self, start, stop, row, stream):
        """Put noisy copies of input `row` into places start ... stop - 1."""

    @abstractmethod
    def place(self, start, stop, row, first):
        """Put copies of input `row` into places start ... stop - 1.

        Under the noise of ``draw``, from number `first` on.
        """

    @abstractmethod
    def classify(self, size):
        """Return the class index of each of the first `size` copies."""

    def tally(self, sizes):
        """Classify the batch and count; see ``Voter.tally``."""
        slots = np.repeat(np.arange(len(sizes)) * self.n_classes, sizes)
        slots += self.classify(len(slots))
        counts = np.bincount(slots, minlength=len(sizes) * self.n_classes)
        return counts.reshape(len(sizes), self.n_classes)
