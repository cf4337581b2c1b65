"""A progress bar over inputs that also tells the pace of the votes."""

import time

from tqdm.auto import tqdm


class Progress:
    """Shows inputs decided, time left and votes per second.

    Parameters
    ----------
    total : int
        Inputs.

    done : int
        Inputs that are decided already.

    purpose : str
        What the votes are for.
    """

    def __init__(self, total, done, purpose):
        self.n_votes = 0
        self._start = time.monotonic()
        self._bar = tqdm(
            total=total,
            initial=done,
            desc=purpose,
            unit=" inputs",
            dynamic_ncols=True,
        )

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self._bar.close()

    def update(self, n_inputs, n_votes):
        """Add inputs that have been decided, and votes that have been drawn."""
        self.n_votes += n_votes
        seconds = max(time.monotonic() - self._start, 1e-9)
        pace = tqdm.format_sizeof(self.n_votes / seconds)
        self._bar.set_postfix_str(f"{pace} votes/s", refresh=False)
        self._bar.update(n_inputs)
        if not n_inputs and time.time() - self._bar.last_print_t > 1:
            # Else the bar would stand still while one input takes long.
            self._bar.refresh()
            self._bar.last_print_t = time.time()
