"""Split noise: counts to certificates, published ones, and all inputs nearby."""

from itertools import product

import numpy as np
import pytest

from sksmooth.noise._split import grid_indices, split_certificate, split_copies


@pytest.mark.parametrize(
    "counts, prediction, steps",
    [
        ((441, 0), 0, 220),
        ((300, 141), 0, 79),
        ((1, 220, 220), 1, 0),
        ((100, 100, 100, 141), 3, 20),
        ((3, 5), 1, 0),  # with one vote less each way it would be a tie
        ((5, 3), 0, 1),  # a tie is won
        ((0, 0, 7), 2, 3),
    ],
)
def test_counts(counts, prediction, steps):
    found = split_certificate([counts])
    assert [one.tolist() for one in found] == [[prediction], [steps]]


def test_one_class():
    found = split_certificate([[9], [0]])
    assert [one.tolist() for one in found] == [[0, 0], [4, 0]]


@pytest.mark.parametrize("n_classes, votes", [(2, 7), (3, 5), (4, 4)])
def test_no_move_of_so_many_votes_changes_the_class(n_classes, votes):
    """All counts, and all that r copies can make of them; one more does change it."""
    all_counts = [
        counts
        for counts in product(range(votes + 1), repeat=n_classes)
        if sum(counts) == votes
    ]
    predictions, steps = split_certificate(all_counts)
    for counts, prediction, radius in zip(all_counts, predictions, steps, strict=True):
        reached = {counts}
        for _ in range(radius):
            reached = {other for one in reached for other in _moves(one)}
        assert {int(np.argmax(one)) for one in reached} == {prediction}
        further = {other for one in reached for other in _moves(one)}
        if radius < counts[prediction]:
            assert {int(np.argmax(one)) for one in further} != {prediction}


def _moves(counts):
    yield counts
    for i, j in product(range(len(counts)), repeat=2):
        if counts[i] and i != j:
            moved = list(counts)
            moved[i], moved[j] = moved[i] - 1, moved[j] + 1
            yield tuple(moved)


def test_published_radii(published):
    """Levine and Feizi (2021): 1,000 images of CIFAR-10, steps of 1/255."""
    file = published / "l1" / "cifar10_split_sigma_1.25.csv"
    table = np.genfromtxt(file, delimiter=",", names=True, dtype=int)
    counts = np.column_stack([table[f"count_{c}"] for c in range(10)])
    assert np.all(counts.sum(axis=1) == 1104)
    _, steps = split_certificate(counts)
    np.testing.assert_array_equal(steps, table["radius_steps"])


@pytest.mark.parametrize("levels", [1, 4, 5, 9])
@pytest.mark.parametrize("bounds", [None, (0, 6)])
def test_a_step_changes_one_copy(levels, bounds):
    indices = np.arange(0, 7) if bounds else np.arange(-12, 13)
    offset = np.array([3 % levels])
    copies = split_copies(indices[:, None], offset, levels, np.arange(levels), bounds)
    assert copies.shape == (len(indices), levels, 1)
    changed = np.count_nonzero(copies[1:] != copies[:-1], axis=(1, 2))
    np.testing.assert_array_equal(changed, np.minimum(1, changed))
    if bounds is None:
        assert np.all(changed == 1)


def test_the_middle_is_that_of_the_cell():
    indices = np.array([[-3], [0], [1], [2], [5]])
    # L = 4: copy 1 of offset 0 cuts at 1.5, so at -2.5, 5.5, too.
    found = split_copies(indices, np.array([0]), 4, [1])[:, 0, 0]
    assert found.tolist() == [-4.5, -0.5, -0.5, 3.5, 3.5]
    found = split_copies(indices[1:], np.array([0]), 4, [1], (0, 5))[:, 0, 0]
    assert found.tolist() == [0.75, 0.75, 3.25, 3.25]
    # One more in the offset is the next copy; the last is followed by the first.
    np.testing.assert_array_equal(
        split_copies(indices, np.array([3]), 4, [0, 1]),
        split_copies(indices, np.array([0]), 4, [3, 0]),
    )


def test_copies_differ_in_at_most_the_distance():
    """All pairs of inputs of three features: at most as many copies as steps."""
    levels, offsets = 4, np.array([0, 2, 3])
    points = np.array(list(product(range(5), repeat=3)))
    copies = split_copies(points, offsets, levels, np.arange(levels), (0, 4))
    differ = np.any(copies[:, None] != copies[None], axis=-1).sum(axis=-1)
    steps = np.abs(points[:, None] - points[None]).sum(axis=-1)
    assert np.all(differ <= steps)
    assert np.any(differ == 4)


def test_certificates_hold_for_all_neighbours():
    """Random classifiers of copies; every input of a grid against every other."""
    levels, offsets = 5, np.array([1, 4])
    points = np.array(list(product(range(6), repeat=2)))
    copies = split_copies(points, offsets, levels, np.arange(levels))
    steps = np.abs(points[:, None] - points[None]).sum(axis=-1)
    rng, tight = np.random.default_rng(0), 0
    for _ in range(200):
        votes = _classify(copies, rng)
        counts = np.stack([(votes == c).sum(axis=1) for c in range(3)], axis=1)
        prediction, radius = split_certificate(counts)
        same = prediction[:, None] == prediction[None]
        assert np.all(same | (steps > radius[:, None]))
        tight += np.any(~same & (steps == radius[:, None] + 1))
    assert tight


def _classify(copies, rng):
    """A table of random classes, the same for equal copies of equal number."""
    table, votes = {}, np.empty(copies.shape[:2], int)
    weights = rng.dirichlet(np.ones(3) / 2)
    for place in np.ndindex(*votes.shape):
        key = (place[1], *copies[place].tolist())
        if key not in table:
            table[key] = rng.choice(3, p=weights)
        votes[place] = table[key]
    return votes


def test_images_keep_their_shape():
    images = np.arange(24).reshape(2, 3, 4) % 7
    found = split_copies(images, np.zeros((3, 4), int), 9, [0, 5, 8])
    assert found.shape == (2, 3, 3, 4)


class TestGrid:
    def test_pixels(self):
        for dtype in (np.float32, np.float64):
            pixels = np.arange(256, dtype=dtype) / dtype(255)
            np.testing.assert_array_equal(grid_indices(pixels, 1 / 255), np.arange(256))

    def test_whole_numbers_and_gaps(self):
        assert grid_indices([3.0, np.nan, -2.0], 1.0).tolist() == [3, 0, -2]

    @pytest.mark.parametrize("wrong", [0.5, 0.01, np.inf, 1e300])
    def test_what_is_not_on_it(self, wrong):
        with pytest.raises(ValueError, match="1 of 3 values are not whole multiples"):
            grid_indices([1.0, wrong, 2.0], 1.0)
