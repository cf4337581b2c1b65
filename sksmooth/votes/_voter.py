"""What the engine asks of a voter."""

import numpy as np

from ..noise._streams import open_stream


class Voter:
    """Base of the voters: classifies batches of noisy copies and counts the classes.

    A voter also has ``n_classes``, ``batch_bytes`` and ``row_bytes`` (a good size of a
    batch, and of one of its rows), ``allocate(size)``, which returns for how many of
    `size` copies there is room, ``fill(start, stop, row, stream)``, which puts noisy
    copies of an input into places of the batch, and ``classify(size)``, the class
    index of each of the first `size` copies.

    For shared noise it has ``draw(stream, size)``, which makes noise for `size` copies,
    and either ``place(start, stop, row, first)``, which puts copies of an input under
    the noise from number `first` on into places of the batch, or ``compare``, see
    ``LinearVoter``.

    ``prefer`` is what workers it is for, as joblib names them: "threads" where most of
    the time is spent in compiled code that lets others run.
    """

    prefer = "threads"

    def open(self, key):
        """Return the stream of noise that `fill` will consume for one input."""
        return open_stream(key)

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
        slots = np.repeat(np.arange(len(sizes)) * self.n_classes, sizes)
        slots += self.classify(len(slots))
        counts = np.bincount(slots, minlength=len(sizes) * self.n_classes)
        return counts.reshape(len(sizes), self.n_classes)
