"""Deletion of tokens of a text: a kind of noise whose radii count edits.

Let every token stay with probability 1 - p, independently. To get from x to x', take
out a tokens, which leaves z, and put b in. With probability p^a noise on x deletes all
that was taken out, and then it is noise on z; the same with p^b for x'. So a set that
lacks q of probability 1 under noise on x lacks at most q / p^a of it under noise on z,
and has at least

    p^b (1 - q / p^a)

under noise on x'. Of all ways to spend r edits, where a substitution counts in a and in
b, r substitutions leave least: p^r - q. docs/text.md has the proof.
"""

from numbers import Real

import numpy as np

from ._family import BoundNoise, Noise
from ._flips import SCALE, flip_threshold, probability_text
from ._regions import rest_of
from ._sigma import is_one_number

# Each of log, product and exp is off by less than this, relatively.
_OFF = 2.0**-50


class BoundDeleteTokens(BoundNoise):
    """Deletion of tokens, and what it proves.

    Values are 1 where there is a token; ones come first. Those of a copy are 1 where a
    token is left.

    Parameters
    ----------
    kind : DeleteTokens

    sigma : float
        Without effect.

    step : None
        There is no grid.
    """

    norm = "edits"
    is_discrete = True
    scales = False
    closed = True
    remedy = "choose a larger p_del"

    def __init__(self, kind, sigma, step=None):
        if not is_one_number(sigma):
            raise ValueError(
                f"{kind!r} deletes tokens, whatever sigma is: leave sigma one number."
            )
        super().__init__(kind, 1.0, step)
        self.threshold = kind.threshold

    @property
    def unit(self):
        """Radii are numbers of edits."""
        return 1.0

    # Drawing

    def copies(self, x, stream, out):
        """Fill `out` with copies of `x`; see ``BoundNoise.copies``.

        The stream is asked for the tokens that are there, so that copies do not depend
        on how long other texts are.
        """
        n_tokens = np.count_nonzero(x)
        out[:, n_tokens:] = 0
        out[:, :n_tokens] = self._stay(stream, (len(out), n_tokens))

    def alone(self, stream, out):
        """Fill `out` with 1 for each place whose token stays.

        Every copy has a stream of its own, of which longer texts take more: what
        happens to a text does not depend on how long the others are.
        """
        seeds = stream.integers(0, 2**64 - 1, (len(out), 2), np.uint64, endpoint=True)
        for one, seed in zip(out, seeds, strict=True):
            own = np.random.Generator(np.random.SFC64(seed.tolist()))
            one[...] = self._stay(own, one.shape)

    def add(self, x, noise, out):
        """Write to `out` what is left of x."""
        np.multiply(x, noise, out=out)

    def _stay(self, stream, shape):
        words = stream.integers(0, 2**32 - 1, shape, np.uint32, endpoint=True)
        return words >= self.threshold

    # What it proves

    def _deleted(self, distance):
        """Return p_del to the number of whole edits in a distance, rounded down."""
        edits = np.floor(np.asarray(distance, float))
        exponent = edits * np.log(self.threshold / SCALE)
        power = np.exp(exponent) * (1 - _OFF * (2 - 2 * exponent))
        return np.where(edits > 0, np.maximum(power, 0), 1.0)

    def worst(self, p, distance):
        """Return what any so many edits leave of `p`; see ``Proof.worst``."""
        least = np.nextafter(self._deleted(distance) - rest_of(p), -1)
        # Without an edit nothing is lost.
        return np.where(np.asarray(distance) < 1, p, np.maximum(least, 0.0))

    def needed(self, radius):
        """Return the probability above which a class is certified at a radius."""
        left = self._deleted(radius)
        needed = np.minimum(np.nextafter(1.5 - left, 2), 1.0)
        return np.where(left < 1, needed, 0.5)

    def radius(self, p_a, p_b=None):
        """Return how many edits are certified, a whole number; see ``Proof.radius``."""
        p_a = np.asarray(p_a, float)
        if p_b is not None:
            p_a, p_b = np.broadcast_arrays(p_a, np.asarray(p_b, float))
        # What p_del^r has to exceed; a guess, off by one at most.
        level = 1.5 - p_a if p_b is None else 1 - (p_a - p_b) / 2
        with np.errstate(divide="ignore", invalid="ignore"):
            most = np.log(np.clip(level, 0.5, 1)) / np.log(self.threshold / SCALE)
        guess = np.floor(most) + 1
        for _ in range(2):
            guess = np.where(self.certified(guess, p_a, p_b), guess, guess - 1)
        return np.where(self.certified(guess, p_a, p_b), np.maximum(guess, 0), 0.0)

    def certified(self, radius, p_a, p_b=None):
        """Return whether classes are certified within a closed ball."""
        ahead = self.worst(p_a, radius)
        return ahead > (0.5 if p_b is None else self.upper(p_b, radius))


class DeleteTokens(Noise):
    """Deletion of tokens before a vectorizer: X is a list of texts.

    A copy of a text keeps each of its tokens with probability 1 - p_del, independently.
    Radii are numbers of edits of tokens (insertions, deletions and substitutions):
    that many edits, anywhere in the text, do not change the class. `sigma` has no
    effect.

    Parameters
    ----------
    p_del : float, default=0.9
        Rounded to a multiple of 2^-32, which is then drawn and certified; more than
        0 and less than 1. Larger values certify more edits at lower accuracy.

    tokenizer : callable, default=None
        Takes a text and returns its tokens, strings. None splits at whitespace. The
        tokens that are left are joined by spaces before the classifier gets them. X may
        also be a list of lists of tokens; then the classifier gets such lists.

    References
    ----------
    Z. Huang, N. G. Marchant, K. Lucas, L. Bauer, O. Ohrimenko, B. I. P. Rubinstein
    (2023), "RS-Del: Edit Distance Robustness Certificates for Sequence Classifiers via
    Randomized Deletion", arXiv:2302.01757.

    Examples
    --------
    >>> from sklearn.feature_extraction.text import CountVectorizer
    >>> from sklearn.naive_bayes import MultinomialNB
    >>> from sklearn.pipeline import make_pipeline
    >>> from sksmooth import SmoothedClassifier
    >>> from sksmooth.noise import DeleteTokens
    >>> X = ["good good good good fun", "bad bad bad dull bad"] * 20
    >>> f = make_pipeline(CountVectorizer(), MultinomialNB())
    >>> g = SmoothedClassifier(f, noise=DeleteTokens(0.7), n=1_000, random_state=0)
    >>> certificate = g.fit(X, ["praise", "blame"] * 20).certify(X[:2])
    >>> certificate.prediction.tolist(), certificate.radius, certificate.norm
    (['praise', 'blame'], array([1., 1.]), 'edits')
    """

    bound = BoundDeleteTokens
    takes_texts = True

    def __init__(self, p_del=0.9, tokenizer=None):
        self.p_del = p_del
        self.tokenizer = tokenizer

    @property
    def threshold(self):
        """`p_del` as drawn: a whole number, times 2^-32.

        Raises
        ------
        ValueError
            If it would be 0, 2^32, or no probability.
        """
        p_del = self.p_del
        is_share = isinstance(p_del, Real) and 0 <= p_del <= 1
        threshold = flip_threshold(p_del) if is_share else 0
        if not 0 < threshold < SCALE:
            raise ValueError(
                "p_del must be a probability, more than 0 (which would delete nothing) "
                f"and less than 1 (everything), got {p_del!r}."
            )
        return threshold

    def __repr__(self, N_CHAR_MAX=700):
        # With p_del in any case: it is the level of the noise, which sigma is not.
        own = "" if self.tokenizer is None else f", tokenizer={self.tokenizer!r}"
        return f"{type(self).__name__}(p_del={self.p_del!r}{own})"

    @property
    def in_words(self):
        """What this noise does; see ``Noise.in_words``."""
        token = "word, split at whitespace,"
        if self.tokenizer is not None:
            kind = self.tokenizer
            name = getattr(kind, "__qualname__", type(kind).__qualname__)
            token = f"token, as {name} splits a text,"
        share = probability_text(self.p_del)
        return f"each {token} is deleted with probability {share}, independently"

    def tokens(self, text):
        """Return the tokens of a text.

        Parameters
        ----------
        text : str

        Returns
        -------
        tokens : list of str
        """
        return text.split() if self.tokenizer is None else self.tokenizer(text)
