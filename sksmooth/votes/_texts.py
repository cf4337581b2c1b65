"""Texts in the place of rows of numbers: what has noise is which tokens are there."""

from dataclasses import dataclass, replace
from itertools import compress

import narwhals as nw
import numpy as np

from ..noise._sigma import is_one_number
from ._rows import Inputs

# In company, and where a model is asked about what it has not seen, copies are not
# quite 0 and 1.
_IS_THERE = 0.5

# Bytes of a token as an object, in a list.
_TOKEN_BYTES = 64


@dataclass(frozen=True)
class Texts(Inputs):
    """Validated texts, in a form from which noisy copies can be made.

    `values` are 1 for each token of a text, and 0 behind its last one.

    Attributes
    ----------
    tokens : ndarray of object of shape (n_inputs,)
        Tuples of str.

    as_tokens : bool
        Does the classifier get lists of tokens? Else it gets texts.
    """

    tokens: np.ndarray | None = None
    as_tokens: bool = False

    @classmethod
    def from_texts(cls, X, sigma, kind):
        """Take texts, or lists of tokens, for a kind of noise that does.

        Parameters
        ----------
        X : list, tuple, 1-D array or Series, of str or of lists of str

        sigma : float
            Without effect.

        kind : Noise

        Raises
        ------
        ValueError
            If X is something else, or if the tokenizer of `kind` returns no tokens.
        """
        if not is_one_number(sigma):
            raise ValueError(f"{kind!r} is for texts: leave sigma one number.")
        cells = _cells(X, kind)
        as_tokens = not isinstance(cells[0], str)
        tokens = np.empty(len(cells), object)
        for row, cell in enumerate(cells):
            tokens[row] = _tokens(cell, kind, row, as_tokens)
        lengths = np.array([len(one) for one in tokens])
        longest = max(1, int(lengths.max()))
        values = (np.arange(longest) < lengths[:, None]).astype(np.float32)
        noise = kind.bind(float(sigma))
        return cls(values, noise, tokens=tokens, as_tokens=as_tokens)

    # Nothing is missing, and no input is a row of numbers.
    has_gaps = is_plain_matrix = has_numbers = False

    # Other norms do not depend on it: there are none.
    n_noisy = None

    input_shape = ()

    why_not_fed = "it is given texts, and noise deletes their tokens"

    @property
    def row_bytes(self):
        """About the size of a copy."""
        n_tokens = np.count_nonzero(self.values) / max(1, len(self))
        return int(self.values[:1].nbytes + _TOKEN_BYTES * n_tokens)

    def take(self, rows):
        """Return the texts in a slice of rows."""
        return replace(super().take(rows), tokens=self.tokens[rows])

    def contents(self):
        """Yield, text by text, the bytes that key its noise: those of its tokens."""
        kind = b"tokens" if self.as_tokens else b"text"
        for one in self.tokens:
            yield kind + repr(one).encode()

    def assemble(self, values, rows):
        """Return noisy texts: an array of str, or of lists of str.

        Parameters
        ----------
        values : ndarray of shape (n, longest)
            Which tokens are there.

        rows : ndarray of int of shape (n,)
            The text that each of them is a copy of.
        """
        copies = np.empty(len(rows), object)
        there = values > _IS_THERE
        for place, (own, row) in enumerate(zip(there, rows, strict=True)):
            left = compress(self.tokens[row], own.tolist())
            copies[place] = list(left) if self.as_tokens else " ".join(left)
        return copies


def _cells(X, kind):
    """Return texts, or lists of tokens, as a list."""
    if nw.dependencies.is_into_series(X):
        X = nw.from_native(X, series_only=True).to_list()
    is_array = isinstance(X, np.ndarray) and X.ndim == 1 and X.dtype.kind in "OUT"
    if not is_array and not isinstance(X, (list, tuple)):
        what = type(X).__name__ if not isinstance(X, str) else "one text"
        hint = ""
        if isinstance(X, str):
            hint = ": put it into a list"
        elif nw.dependencies.is_into_dataframe(X):
            hint = ": pass the column that holds the texts"
        raise ValueError(
            f"{kind!r} takes texts, as a list, a 1-D array or a Series of strings, or "
            f"a list of lists of tokens; X is {what}{hint}."
        )
    if not len(X):
        raise ValueError("Found array with 0 sample(s) while at least 1 is needed.")
    return list(X)


def _tokens(cell, kind, row, as_tokens):
    """Return the tokens of a text, or of what is a list of tokens already."""
    if as_tokens:
        found, what = cell, f"input {row} of X"
        is_list = isinstance(cell, (list, tuple, np.ndarray))
    elif isinstance(cell, str):
        found, what = kind.tokens(cell), f"what the tokenizer makes of input {row} of X"
        is_list = isinstance(found, (list, tuple, np.ndarray))
    else:
        found, what, is_list = cell, f"input {row} of X", False
    if not is_list or not all(isinstance(token, str) for token in found):
        wanted = "a list of tokens, which are strings" if as_tokens else "a text"
        if not as_tokens and isinstance(cell, str):
            wanted = "a list of strings"
        raise ValueError(
            f"{what} is {_brief(found)}, where {kind!r} needs {wanted}. All inputs "
            "must be alike; replace a missing text by an empty one."
        )
    return tuple(str(token) for token in found)


def _brief(found):
    text = repr(found)
    return text if len(text) <= 40 else f"{text[:40]}... ({type(found).__name__})"
