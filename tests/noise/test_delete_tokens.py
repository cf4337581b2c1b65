"""Deletion of tokens: what it proves, against every adversary; how copies are drawn."""

from fractions import Fraction
from itertools import product

import numpy as np
import pytest
from sklearn.base import clone

from sksmooth.noise import DeleteTokens
from sksmooth.noise._flips import SCALE


def bound(p_del):
    return DeleteTokens(p_del).bind(1.0)


@pytest.mark.parametrize(
    "p_del, needed",
    [
        (0.9, {0: 0.5, 1: 0.6, 2: 0.69, 3: 0.771, 5: 0.90951, 7: 1}),
        (0.8, {1: 0.7, 2: 0.86, 3: 0.988, 4: 1}),
        (0.95, {1: 0.55, 1.9: 0.55, 2: 0.5975, 3: 0.642625}),
        (0.5, {0.5: 0.5, 1: 1}),
    ],
)
def test_what_an_edit_needs(p_del, needed):
    """And radii are the whole numbers of edits for which a probability is enough."""
    noise = bound(p_del)
    radii, least = np.array(list(needed)), np.array(list(needed.values()))
    np.testing.assert_allclose(noise.needed(radii), least, atol=1e-9)
    for radius, p in zip(np.floor(radii), noise.needed(radii), strict=True):
        assert noise.worst(p, radius) <= 0.5
        if p < 1:
            above = p + 1e-12
            assert noise.worst(above, radius) > 0.5
            assert noise.radius(above) == radius == noise.radius(above, 1 - above)
            # With one other class of known probability, half of what is missing counts.
            assert noise.radius(1 - 2 * (1 - above) + 0.01, 0.01) == radius
        assert noise.radius(p - 1e-12) == max(radius - 1, 0)


def test_ends():
    noise = bound(0.9)
    np.testing.assert_array_equal(noise.radius([0.0, 0.5, 1.0]), [0, 0, noise.furthest])
    assert noise.furthest == 6  # .9^6 is above 1/2, .9^7 is not
    assert noise.certified(0, [0.5, 0.5000001]).tolist() == [False, True]
    assert noise.certified(0, 0.4, 0.3) and not noise.certified(0, 0.3, 0.3)
    # As far as deletion of nearly everything reaches.
    rare = bound(1 - 2.0**-32)
    at = rare.radius([0.9, 1.0])
    assert np.all(rare.worst([0.9, 1.0], at) > 0.5)
    assert np.all(rare.worst([0.9, 1.0], at + 1) <= 0.5)


def test_worst_is_rounded_down():
    p, edits = np.meshgrid(np.linspace(0, 1, 11), np.arange(6))
    threshold = DeleteTokens(0.7).threshold
    found = bound(0.7).worst(p, edits)
    for one, p_one, r in zip(found.flat, p.flat, edits.flat, strict=True):
        exact = Fraction(p_one) - 1 + Fraction(threshold, SCALE) ** int(r)
        assert max(0, exact) - Fraction(1, 10**13) <= Fraction(one) <= max(0, exact)


def law(text, p_del):
    """Return the probability of each noisy copy of a text."""
    shares = {}
    for kept in product((False, True), repeat=len(text)):
        copy = tuple(t for t, stays in zip(text, kept, strict=True) if stays)
        share = p_del ** (len(text) - len(copy)) * (1 - p_del) ** len(copy)
        shares[copy] = shares.get(copy, 0) + share
    return shares


def edited(text, tokens):
    """Yield what one edit makes of a text."""
    for place in range(len(text) + 1):
        before, after = text[:place], text[place:]
        yield from ((*before, token, *after) for token in tokens)
        if after:
            yield before + after[1:]
            yield from ((*before, token, *after[1:]) for token in tokens)


@pytest.mark.parametrize("p_del", [0.5, 0.8])
def test_no_adversary_does_better(p_del):
    """Against every edit of every short text, and the worst f for it (by Neyman and
    Pearson); and a new token in place of one is as bad as that."""
    tokens, noise, reached = "ab", bound(p_del), False
    p_del = noise.threshold / SCALE
    texts = [text for n in range(4) for text in product(tokens, repeat=n)]
    laws = {}
    for text in texts:
        ball = {text}
        for edits in (1, 2):
            ball |= {new for one in ball for new in edited(one, tokens + "c")}
            here = laws.setdefault(text, law(text, p_del))
            p, least = [], []
            for other in ball:
                there = laws.setdefault(other, law(other, p_del))
                ratio = [(there.get(z, 0) / share, share) for z, share in here.items()]
                masses = np.cumsum([(s, r * s) for r, s in sorted(ratio)], axis=0)
                p.extend(masses[:, 0])
                least.extend(masses[:, 1])
            worst = noise.worst(np.minimum(p, 1), edits)
            left = np.array(least) - worst
            assert np.all(left >= -1e-12)
            reached |= bool(np.any((left < 1e-12) & (worst > 0.01)))
    assert reached


class Words:
    """A stream of known 32-bit words, which says how many were taken."""

    def __init__(self, words):
        self.words = list(words)

    def integers(self, low, high, size, dtype, endpoint):
        assert (low, high, dtype, endpoint) == (0, 2**32 - 1, np.uint32, True)
        taken, self.words = self.words[: np.prod(size)], self.words[np.prod(size) :]
        return np.array(taken, dtype).reshape(size)


def test_words_at_the_threshold():
    """A token is deleted by exactly p_del 2^32 of the words; padding takes none."""
    noise = DeleteTokens(0.25).bind(1.0)
    stream, out = Words([2**30 - 1, 2**30, 0, 2**32 - 1, 7]), np.full((2, 4), np.nan)
    noise.copies(np.array([1.0, 1, 0, 0]), stream, out)
    np.testing.assert_array_equal(out, [[0, 1, 0, 0], [0, 1, 0, 0]])
    assert stream.words == [7]


def test_copies_do_not_depend_on_calls_or_on_longer_texts():
    noise, key = bound(0.6), bytes(range(32))
    x, wide = np.ones(3), np.repeat([1.0, 0.0], [3, 5])
    out, other = np.empty((9, 3)), np.empty((9, 8))
    noise.copies(x, noise.open(key), out)
    stream = noise.open(key)
    noise.copies(wide, stream, other[:4])
    noise.copies(wide, stream, other[4:])
    np.testing.assert_array_equal(other[:, :3], out)
    assert not other[:, 3:].any()
    alone, longer = np.empty((9, 3)), np.empty((9, 8))
    noise.alone(noise.open(key), alone)
    noise.alone(noise.open(key), longer)
    np.testing.assert_array_equal(longer[:, :3], alone)
    noise.add(wide, longer, other)
    np.testing.assert_array_equal(other[:, :3], alone)
    assert not other[:, 3:].any()


def test_shares_of_tokens():
    """About 5 standard deviations, together and in pairs, with shared noise, too."""
    for draw in ("copies", "alone"):
        noise, out = bound(0.3), np.empty((4_000, 4))
        stream = noise.open(b"\1" * 32)
        noise.alone(stream, out) if draw == "alone" else noise.copies(
            np.ones(4), stream, out
        )
        share = out.T @ out / len(out)
        expected = np.where(np.eye(4), 0.7, 0.49)
        assert np.abs(share - expected).max() < 5 * 0.5 / np.sqrt(len(out))


def test_parameters():
    assert clone(DeleteTokens(0.5, str.split)).tokens("a b") == ["a", "b"]
    assert DeleteTokens().tokens(" one,  two\n") == ["one,", "two"]
    for p_del in (0, 1, 1 - 1e-12, "0.5", None, float("nan")):
        with pytest.raises(ValueError, match="p_del must be a probability"):
            DeleteTokens(p_del).bind(1.0)
    with pytest.raises(ValueError, match="leave sigma one number"):
        DeleteTokens().bind(np.ones(3))
