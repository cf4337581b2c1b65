"""Sparse flips as a kind of noise: what it proves, against every adversary; copies."""

from fractions import Fraction
from itertools import product

import numpy as np
import pytest
from scipy.sparse import coo_array, csr_array, csr_matrix
from sklearn.base import clone

from sksmooth.noise._binary import as_binary_csr
from sksmooth.noise._flips import SCALE
from sksmooth.noise._regions import round_down, round_up
from sksmooth.noise._sparse_flip import SparseFlip
from tests.noise.exact import joint_masses

POINTS = list(product((0, 1), repeat=5))


def bound(p_add=0.01, p_del=0.6, changes=0):
    return SparseFlip(p_add, p_del).bind(1.0).changed(changes)


@pytest.mark.parametrize(
    "p_add, p_del, changes, needed",
    [
        (0.01, 0.6, 0, 0.5),
        (0.01, 0.6, (1, 0), 0.825),
        (0.01, 0.6, (0, 1), 0.69696970),
        (0.01, 0.6, (0, 5), 0.95911629),
        (0.01, 0.6, (1, 1), 0.89),
        (0.02, 0.8, (1, 0), 0.6125),
        (0.02, 0.8, (2, 0), 0.7503125),
        (0.02, 0.8, (3, 0), 0.91913281),
    ],
)
def test_needed(p_add, p_del, changes, needed):
    """The published thresholds, up to p_add and p_del as drawn."""
    noise = bound(p_add, p_del, changes)
    least = float(noise.needed(0))
    assert abs(least - needed) < 2e-7
    above, below = least + 1e-12, least - 1e-12
    assert noise.certified(0.0, [below, above]).tolist() == [False, True]
    assert noise.worst(above, 0) > 0.5 >= noise.worst(below, 0)
    assert noise.needed(1e-9) == 1
    assert noise.worst(1.0, 0.1) == 0
    assert np.all(noise.radius([0.5, 1.0]) == 0)
    assert np.all(noise.radius_of_rest(np.array([0.5, 0.0]), np.array(0.1)) == 0)


def shares_of(noise):
    """Return [x][z]: the probability of each noisy z, times SCALE^5."""
    p_add, p_del = (Fraction(one, SCALE) for one in noise.thresholds)
    column = [[1 - p_add, p_add], [p_del, 1 - p_del]]
    shares = [joint_masses([column] * 5, x) for x in POINTS]
    return np.array([[int(s * SCALE**5) for s in row] for row in shares], object)


def within(additions, deletions):
    """Return [x][y]: is y so few additions and deletions away from x?"""
    x, y = np.array(POINTS)[:, None], np.array(POINTS)
    added, deleted = np.sum(x < y, axis=2), np.sum(x > y, axis=2)
    return (added <= additions) & (deleted <= deletions)


@pytest.mark.parametrize("p_add, p_del", [(0.05, 0.6), (0.3, 0.3), (0.6, 0.7)])
def test_no_adversary_does_better(p_add, p_del):
    """Of five flags: every x' of every x, under many f of three classes, exactly."""
    noise, rng = bound(p_add, p_del), np.random.default_rng(0)
    shares, whole = shares_of(noise), SCALE**5
    labels = rng.choice(3, p=[0.8, 0.1, 0.1], size=(24, 32))
    scores = rng.normal(size=(12, 5)) @ np.array(POINTS).T  # half-spaces, too
    labels[12:] = (scores > np.sort(scores)[:, [26]]).astype(int)
    votes = np.stack([shares @ (labels == c).T.astype(object) for c in range(3)])
    n_certified = []
    for budget in ((0, 0), (1, 0), (0, 1), (1, 1), (2, 1)):
        proof, reached, n = noise.changed(budget), within(*budget), 0
        for x, f in product(range(32), range(24)):
            here, there = votes[:, x, f], votes[:, reached[x], f]
            a = int(here.argmax())
            others = np.delete(there, a, axis=0).max(axis=0)
            p_a = round_down(Fraction(here[a], whole))
            p_b = round_up(Fraction(max(np.delete(here, a)), whole))
            left = Fraction(float(proof.worst(p_a, 0)))
            assert left <= Fraction(there[a].min(), whole)
            if proof.certified(0.0, p_a):
                assert 2 * there[a].min() > whole
                assert proof.certified(0.0, p_a, p_b)
            if proof.certified(0.0, p_a, p_b):
                assert np.all(there[a] > others)
                n += 1
        n_certified.append(n)
    assert n_certified[0] > n_certified[3] > 0


@pytest.mark.parametrize("p_add, p_del", [(0.05, 0.6), (0.3, 0.3)])
def test_a_threshold_on_the_ratio_loses_all_that_the_bound_says(p_add, p_del):
    noise = bound(p_add, p_del)
    shares, whole = shares_of(noise), SCALE**5
    for x, y in ((0, 16), (0, 24), (7, 3), (28, 7), (21, 12)):
        added = np.sum(np.array(POINTS[x]) < POINTS[y])
        deleted = np.sum(np.array(POINTS[x]) > POINTS[y])
        proof = noise.changed((added, deleted))
        ratio = np.array(
            [Fraction(*both) for both in zip(shares[y], shares[x], strict=True)]
        )
        for cut in sorted(set(ratio)):
            inside = ratio <= cut
            p = round_down(Fraction(shares[x][inside].sum(), whole))
            least = Fraction(shares[y][inside].sum(), whole)
            left = Fraction(float(proof.worst(p, 0)))
            assert least - Fraction(1, 10**13) < left <= least


def test_fewer_changes_are_no_worse():
    p = np.linspace(0, 1, 301)
    for budget in product(range(3), repeat=2):
        few = bound(changes=budget).worst(p, 0)
        for more in ((1, 0), (0, 1)):
            many = bound(changes=np.add(budget, more).tolist()).worst(p, 0)
            assert np.all(many <= few + 1e-15)


@pytest.mark.parametrize(
    "changes", [1, True, (1,), (1, 2, 3), (-1, 0), (0.5, 1), "all", None, (True, 0)]
)
def test_changes_that_are_none(changes):
    with pytest.raises(ValueError, match=r"\(additions, deletions\)"):
        bound().changed(changes)


@pytest.mark.parametrize("rates", [(-0.1, 0.5), (0.1, 1.5), (np.nan, 0), ("a", 0)])
def test_rates_that_are_no_probabilities(rates):
    with pytest.raises(ValueError, match="must be a probability"):
        SparseFlip(*rates).bind(1.0)


def test_what_proves_the_same_is_equal():
    assert bound() == SparseFlip().bind(0.25)
    assert hash(bound()) == hash(bound(changes=(0, 0)))
    assert bound(changes=[1, 2]) == bound(changes=(np.int64(1), 2)) != bound()
    assert bound(0.02) != bound(0.03)
    assert clone(SparseFlip(0.1)).set_params(p_del=0.2).get_params() == {
        "p_add": 0.1,
        "p_del": 0.2,
    }


KEY = bytes(range(32))


def test_copies_are_those_of_the_sparse_ones():
    """Bit for bit, in any division into calls; what is missing stays so."""
    noise, x = bound(0.1), (np.arange(130) % 3 == 0).astype(np.float32)
    out = np.empty((20, 130), np.float32)
    stream = noise.open(KEY)
    for start, stop in ((0, 1), (1, 8), (8, 20)):
        noise.copies(x, stream, out[start:stop])
    indptr, indices = noise.sparse_copies(
        np.flatnonzero(x), 130, noise.open(KEY), len(out)
    )
    ones = [np.flatnonzero(one).tolist() for one in out]
    assert ones == [one.tolist() for one in np.split(indices, indptr[1:-1])]
    assert set(out.ravel()) == {0, 1}
    x[[0, 1]] = np.nan
    noise.copies(x, noise.open(KEY), out)
    assert np.all(np.isnan(out) == np.isnan(x))
    # Of any shape.
    images = np.empty((3, 13, 10), np.float32)
    noise.copies(x.reshape(13, 10), noise.open(KEY), images)
    np.testing.assert_array_equal(images.reshape(3, -1), out[:3])


def test_shared_copies_are_those_of_the_sparse_ones():
    noise, x = bound(0.1), (np.arange(130) % 3 == 0).astype(float)
    alone, out = np.empty((2, 20, 130))
    noise.alone(noise.open(KEY), alone)
    flips = noise.sparse_alone(130, noise.open(KEY), 20)
    noise.add(x, alone, out)
    indptr, indices = noise.sparse_add(np.flatnonzero(x), flips, range(20))
    ones = [np.flatnonzero(one).tolist() for one in out]
    assert ones == [one.tolist() for one in np.split(indices, indptr[1:-1])]
    x[5] = np.nan
    noise.add(x, alone, out)
    assert np.all(np.isnan(out) == np.isnan(x))


def test_other_values_are_an_error():
    out, x = np.empty((2, 3)), np.array([0.0, 1.0, 0.5])
    noise = bound()
    for draw in (
        lambda: noise.copies(x, noise.open(KEY), out),
        lambda: noise.add(x, np.zeros((2, 3)), out),
        lambda: as_binary_csr(csr_matrix(x)),
    ):
        with pytest.raises(ValueError, match="1 other values, such as .*0.5"):
            draw()


def test_binary_matrices():
    dense = np.array([[0, 1, 0, 1], [0, 0, 0, 0]])
    X = csr_array(dense)
    assert as_binary_csr(X) is X
    # Out of order, a stored zero, an entry in two parts.
    rows, columns = [0, 0, 1, 0, 0], [3, 1, 2, 0, 0]
    odd = coo_array(([1.0, 1.0, 0.0, -1.0, 1.0], (rows, columns)), shape=(2, 4))
    found = as_binary_csr(odd)
    assert found.nnz == 2
    assert found.indices.tolist() == [1, 3]
    np.testing.assert_array_equal(found.toarray(), dense)
    stored = csr_matrix(([1.0, 0.0], ([0, 1], [1, 1])), shape=(2, 4))
    assert as_binary_csr(stored).nnz == 1
    assert stored.nnz == 2
    assert isinstance(as_binary_csr(stored), csr_matrix)
    with pytest.raises(ValueError, match="missing in sparse X"):
        as_binary_csr(csr_matrix([[0.0, np.nan]]))
    with pytest.raises(ValueError, match="sparse matrix is needed"):
        as_binary_csr(dense)
