"""A progress bar over inputs that also tells the pace of the votes."""

import sys
import time

from tqdm.auto import tqdm


class Progress:
    """Shows inputs decided, time left and votes a second.

    Parameters
    ----------
    total : int
        Inputs.

    done : int
        Inputs that are decided already.

    purpose : str
        What the votes are for.

    verbose : int
        0 shows nothing.
    """

    def __init__(self, total, done, purpose, verbose):
        self.verbose = verbose
        self.n_votes = 0
        self._start = time.monotonic()
        self._bar = tqdm(
            total=total,
            initial=done,
            desc=purpose,
            unit=" inputs",
            disable=not verbose,
            dynamic_ncols=True,
        )

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self._bar.close()

    def say(self, message):
        """Write a line above the bar."""
        if self.verbose:
            self._bar.write(message, file=sys.stderr)

    def update(self, n_inputs, n_votes):
        """Add inputs that have been decided, and votes that have been drawn."""
        if not self.verbose:
            return
        self.n_votes += n_votes
        seconds = max(time.monotonic() - self._start, 1e-9)
        pace = tqdm.format_sizeof(self.n_votes / seconds)
        self._bar.set_postfix_str(f"{pace} votes/s", refresh=False)
        self._bar.update(n_inputs)
        if not n_inputs and time.time() - self._bar.last_print_t > 1:
            # Else the bar would stand still while one input takes long.
            self._bar.refresh()
            self._bar.last_print_t = time.time()
