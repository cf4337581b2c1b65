"""What the engine asks of a voter."""

import numpy as np

from ._noise import open_stream


class Voter:
    """Base of the voters: classifies batches of noisy copies and counts the classes.

    A voter also has ``n_classes``, ``batch_bytes`` and ``row_bytes`` (a good size of a
    batch, and of one of its rows), ``allocate(size)``, which returns for how many of
    `size` copies there is room, ``fill(start, stop, row, stream)``, which puts noisy
    copies of an input into places of the batch, and ``classify(size)``, the class
    index of each of the first `size` copies.

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

    def tally_block(self, rows, size, batch_size):
        """Count the votes on each of some inputs under the noise of ``draw``.

        Parameters
        ----------
        rows : ndarray of int of shape (n_rows,)

        size : int
            Copies of each, as many as there is noise.

        batch_size : int
            Room in the batch. Every batch is full, except for the last.

        Returns
        -------
        counts : ndarray of int of shape (n_rows, n_classes)
        """
        counts = np.zeros((len(rows), self.n_classes), np.int64)
        for start in range(0, len(rows) * size, batch_size):
            stop = min(start + batch_size, len(rows) * size)
            owners = np.arange(start // size, (stop - 1) // size + 1)
            edges = np.clip(np.append(owners, owners[-1] + 1) * size, start, stop)
            for owner, left, right in zip(owners, edges[:-1], edges[1:], strict=True):
                first = left - owner * size
                self.place(left - start, right - start, rows[owner], first)
            counts[owners] += self.tally(np.diff(edges))
        return counts
