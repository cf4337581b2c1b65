"""Exact certificates behind steps are never above the truth, in rational arithmetic.

The truth is the distance to where f switches, for f computed in fractions from the
fitted floating-point parameters as they are.
"""

from fractions import Fraction
from math import isqrt

import mpmath
import numpy as np
import pytest
from sklearn.decomposition import PCA
from sklearn.ensemble import AdaBoostClassifier, GradientBoostingClassifier
from sklearn.feature_selection import SelectKBest, VarianceThreshold
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import (
    MaxAbsScaler,
    MinMaxScaler,
    RobustScaler,
    StandardScaler,
)
from sklearn.tree import DecisionTreeClassifier

from sksmooth import SmoothedClassifier
from sksmooth.exact._axes import Axes, Level
from sksmooth.exact._probabilities import ExactLinear, exact_probabilities
from sksmooth.models._bounded import Bounded, divided_by_root
from sksmooth.models._linear import linear_scores
from sksmooth.models._unwrap import unwrap
from sksmooth.noise import Gaussian
from sksmooth.votes._rows import Inputs
from tests.helpers import halfspace

pytestmark = [
    pytest.mark.filterwarnings("ignore:X does not have valid feature names"),
    # Some inputs are far off, along the boundary.
    pytest.mark.filterwarnings("ignore:sigma is small for the units of X"),
]

D = 4


def rational(array):
    """Return the numbers of an array as they are, as fractions."""
    return np.vectorize(Fraction, otypes=[object])(np.asarray(array, dtype=float))


def root(fraction, bits=600):
    """Square root to some 300 bits."""
    return Fraction(isqrt(int(fraction * 4**bits)), 2**bits)


def as_map(steps):
    """Return (matrix, shift) of fitted steps, z = matrix @ x + shift, in fractions."""
    matrix, shift = rational(np.eye(D)), rational(np.zeros(D))
    for step in steps:
        if isinstance(step, (StandardScaler, RobustScaler, MaxAbsScaler)):
            center = getattr(step, "mean_", getattr(step, "center_", np.zeros(D)))
            scale = rational(step.scale_)
            shift = (shift - rational(center)) / scale
            matrix = matrix / scale[:, None]
        elif isinstance(step, MinMaxScaler):
            shift = shift * rational(step.scale_) + rational(step.min_)
            matrix = matrix * rational(step.scale_)[:, None]
        elif isinstance(step, PCA):
            components = rational(step.components_)
            shift = components @ (shift - rational(step.mean_))
            matrix = components @ matrix
            if step.whiten:
                scale = [root(v) for v in rational(step.explained_variance_)]
                shift, matrix = shift / scale, matrix / np.array(scale)[:, None]
        else:
            support = step.get_support()
            shift, matrix = shift[support], matrix[support]
    return matrix, shift


def random_step(kind, rng, offset, dtype):
    """Return a fitted step on D features with random parameters."""
    X = rng.normal(offset, 1, size=(30, D)).astype(dtype)
    y = np.arange(30) % 2
    step = kind.fit(X, y)
    # Fitted one behind another, all but the first would do next to nothing.
    if hasattr(step, "scale_"):
        step.scale_ = rng.lognormal(0, 0.3, D).astype(dtype)
    for name in ("mean_", "center_", "min_"):
        if getattr(step, name, None) is not None:
            setattr(step, name, rng.normal(offset, 1, D).astype(dtype))
    return step


def scalers(n, seed, offset=0.0, dtype=float):
    """Return n scalers of all kinds, in any order; the first sees the offset."""
    rng = np.random.default_rng(seed)
    kinds = [StandardScaler, StandardScaler, RobustScaler, MinMaxScaler, MaxAbsScaler]
    return [
        random_step(kinds[rng.integers(5)](), rng, 0.0 if place else offset, dtype)
        for place in range(n)
    ]


def standard(n, seed, offset=0.0, dtype=float):
    rng = np.random.default_rng(seed)
    return [
        random_step(StandardScaler(), rng, 0.0 if place else offset, dtype)
        for place in range(n)
    ]


def there_and_back(n_pairs, seed):
    """Scalers whose shifts cancel but for rounding."""
    steps = standard(2 * n_pairs, seed)
    for one, other in zip(steps[::2], steps[1::2], strict=True):
        one.mean_ = one.mean_ + 1e4
        other.mean_ = -one.mean_ / one.scale_
    return steps


def rotated(seed, offset=0.0, dtype=float, whiten=False):
    rng = np.random.default_rng(seed)
    return [random_step(PCA(D, whiten=whiten), rng, offset, dtype)]


CHAINS = {
    "1 scaler": lambda seed: standard(1, seed),
    "4 scalers": lambda seed: standard(4, seed),
    "10 of all kinds": lambda seed: scalers(10, seed),
    "30 scalers": lambda seed: standard(30, seed),
    "there and back": lambda seed: there_and_back(3, seed),
    "far away, 1e8": lambda seed: scalers(2, seed, 1e8),
    "far away, 1e12": lambda seed: standard(1, seed, 1e12),
    "float32": lambda seed: scalers(3, seed, 100.0, np.float32),
    "selectors": lambda seed: [
        *scalers(2, seed, 1e8),
        random_step(VarianceThreshold(), np.random.default_rng(seed), 0.0, float),
        random_step(SelectKBest(k=3), np.random.default_rng(seed), 0.0, float),
    ],
}

MIXING = {
    "PCA": lambda seed: rotated(seed),
    "PCA, whiten": lambda seed: rotated(seed, whiten=True),
    "PCA far away": lambda seed: rotated(seed, 1e8),
    "PCA, whiten, 1e12": lambda seed: rotated(seed, 1e12, whiten=True),
    "PCA in float32": lambda seed: rotated(seed, 10.0, np.float32, whiten=True),
    "scalers, PCA, scalers": lambda seed: [
        *scalers(3, seed, 1e8), *rotated(seed, whiten=True), *scalers(3, seed + 1),
    ],
}  # fmt: skip


def near(matrix, shift, normal, level, rng, n, dtype):
    """Points x at random distances from where normal @ z(x) = level.

    Some as near as rounding lets them be, some far off along the boundary.
    """
    pulled = normal @ matrix
    norm_squared = float(pulled @ pulled)
    start = np.linalg.lstsq(matrix.astype(float), -shift.astype(float), rcond=None)[0]
    X = start + rng.normal(size=(n, D)) * 10.0 ** rng.choice([0, 0, 4, 8], (n, 1))
    far = rng.choice([-1, 1], n) * 10.0 ** rng.uniform(-9, 0.5, n)
    size = np.linalg.norm(X[::2], axis=1)
    far[::2] = rng.choice([-1, 1], len(size)) * size * rng.uniform(0, 3e-15, len(size))
    for _ in range(3):  # each time what rounding of x leaves is smaller
        off = [float(pulled @ rational(x) + normal @ shift - level) for x in X]
        step = np.array(off) / norm_squared - far / norm_squared**0.5
        X -= np.outer(step, pulled.astype(float))
    return X.astype(dtype)


def claims(f, X, sigma=1.0):
    """Certificates as (radius, class index), as far as there are any."""
    g = SmoothedClassifier(f, sigma=sigma, method="exact")
    certificate = g.certify(X)
    return certificate.radius, certificate.selected


def excess(radius, selected, scores, norm_squared):
    """How many claims are above the truth, |score| / norm on the score's side."""
    wrong = 0
    for r, k, score in zip(radius.tolist(), selected.tolist(), scores, strict=True):
        if r > 0:
            right = (score > 0) == bool(k)
            wrong += not right or Fraction(r) ** 2 * norm_squared > score**2
    return wrong


def linear_excess(steps, seed, n=25, dtype=float):
    """Return (claims above the truth, claims, their mean share of the truth)."""
    rng = np.random.default_rng(seed)
    matrix, shift = as_map(steps)
    w, b = rng.normal(size=len(matrix)), rng.normal()
    f = make_pipeline(*steps, halfspace(w, b))
    exact = rational(w)
    X = near(matrix, shift, exact, Fraction(-b), rng, n, dtype)
    radius, selected = claims(f, X)
    pulled = exact @ matrix
    scores = [
        pulled @ rational(x) + exact @ shift + Fraction(b) for x in X.astype(float)
    ]
    norm_squared = pulled @ pulled
    wrong = excess(radius, selected, scores, norm_squared)
    truth = np.array([float(abs(s)) for s in scores]) / np.sqrt(float(norm_squared))
    clear = truth > 1e-3
    return (
        wrong,
        np.count_nonzero(radius),
        np.min(radius[clear] / truth[clear], initial=1),
    )


def stump_excess(make, steps, seed, n=25, dtype=float):
    rng = np.random.default_rng(seed)
    matrix, shift = as_map(steps)
    feature = rng.integers(len(matrix))
    X = np.zeros((2, len(matrix)))
    X[:, feature] = rng.normal() + np.array([-1, 1])
    f = make().fit(X, [0, 1])
    tree = np.ravel(getattr(f, "estimators_", [f]))[0].tree_
    assert tree.feature[0] == feature
    below = np.float32(tree.threshold[0])
    if below > tree.threshold[0]:
        below = np.nextafter(below, np.float32(-np.inf))
    above = np.nextafter(below, np.float32(np.inf))
    cut = (Fraction(float(below)) + Fraction(float(above))) / 2
    unit = rational(np.eye(len(matrix))[feature])
    X = near(matrix, shift, unit, cut, rng, n, dtype)
    radius, selected = claims(make_pipeline(*steps, f), X)
    row = unit @ matrix
    scores = [row @ rational(x) + unit @ shift - cut for x in X.astype(float)]
    wrong = excess(radius, selected, scores, row @ row)
    return wrong, np.count_nonzero(radius)


STUMPS = {
    "tree": lambda: DecisionTreeClassifier(max_depth=1),
    "AdaBoost": lambda: AdaBoostClassifier(n_estimators=1),
    "boosting": lambda: GradientBoostingClassifier(
        n_estimators=1, max_depth=1, learning_rate=1.0
    ),
}


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("chain", [*CHAINS, *MIXING])
def test_no_linear_radius_is_above_the_distance(chain, dtype):
    steps, found = {**CHAINS, **MIXING}[chain], 0
    for seed in range(6):
        wrong, n_certified, _ = linear_excess(steps(seed), seed, dtype=dtype)
        assert wrong == 0
        found += n_certified
    assert found > 10


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("kind", STUMPS)
@pytest.mark.parametrize("chain", CHAINS)
def test_no_radius_of_a_stump_is_above_the_distance(chain, kind, dtype):
    found = 0
    for seed in range(3):
        steps = CHAINS[chain](seed)
        wrong, n_certified = stump_excess(STUMPS[kind], steps, seed, dtype=dtype)
        assert wrong == 0
        found += n_certified
    assert found > 20


@pytest.mark.parametrize("chain", ["4 scalers", "10 of all kinds", "PCA, whiten"])
def test_little_is_lost(chain):
    steps = {**CHAINS, **MIXING}[chain]
    shares = [linear_excess(steps(seed), seed)[2] for seed in range(5)]
    assert min(shares) > 1 - 2e-4  # of inputs that are up to 1e8


def rotations(far, n=40):
    """Return pipelines of a rotation and a classifier that undoes it, and an input.

    What f makes of the second feature cancels, but for rounding.
    """
    for angle in range(n):
        c, s = np.cos(angle), np.sin(angle)
        pca = PCA(2).fit(np.eye(2))
        pca.components_, pca.mean_ = np.array([[c, s], [-s, c]]), np.zeros(2)
        w = 3.7 * np.array([c, -s])
        yield make_pipeline(pca, halfspace(w)), np.array([[0.013, far]])


def rotation_excess(f, X):
    pulled = rational(f[-1].coef_[0]) @ rational(f[0].components_)
    radius, selected = claims(f, X)
    score = pulled @ rational(X[0])
    return excess(radius, selected, [score], pulled @ pulled), radius[0]


@pytest.mark.parametrize("far", [1e8, 1e12])
def test_a_rotation_far_away(far):
    wrong, radii = zip(
        *(rotation_excess(*case) for case in rotations(far)), strict=True
    )
    assert not any(wrong)
    assert min(radii) > (0.95 if far == 1e12 else 1 - 1e-4) * 0.013


def test_uncounted_roundings_would_be_seen(monkeypatch):
    forgetful_init(monkeypatch)
    for far in (1e8, 1e12):
        assert any(rotation_excess(*case)[0] for case in rotations(far))
    for kind in ("tree", "AdaBoost", "boosting"):
        found = [
            stump_excess(STUMPS[kind], CHAINS["there and back"](seed), seed)[0]
            for seed in range(10)
        ]
        assert any(found)


def forgetful_init(monkeypatch):
    """Let Bounded numbers forget what their roundings were."""
    init = Bounded.__init__
    forgetful = lambda self, value, error=None: init(self, value)  # noqa: E731
    monkeypatch.setattr(Bounded, "__init__", forgetful)


def test_every_leaf_of_a_deep_tree_is_bounded():
    rng = np.random.default_rng(0)
    steps = scalers(12, 3, 1e8)
    matrix, shift = as_map(steps)
    Z = rng.normal(size=(40, D))
    tree = DecisionTreeClassifier(random_state=0).fit(Z, np.arange(40) % 3)
    f = make_pipeline(*steps, tree)
    x0 = np.linalg.lstsq(matrix.astype(float), -shift.astype(float), rcond=None)[0]
    X = x0 + rng.normal(size=(4, D)) / np.diag(matrix.astype(float))
    _, upper = exact_probabilities(f, tree.classes_, Inputs.from_array(X, 0.3))
    for x, bounds in zip(X, upper, strict=True):
        z = matrix @ rational(x) + shift
        with mpmath.workdps(40):
            truth = leaf_masses(tree, z, np.diag(matrix), Fraction(0.3))
            assert all(b >= p for b, p in zip(bounds.tolist(), truth, strict=True))
            assert sum(bounds.tolist()) < 1 + 1e-6


def leaf_masses(tree, z, scale, sigma):
    """Class probabilities of a tree at z + N(0, (scale sigma)^2), in many digits."""
    t = tree.tree_
    total = [mpmath.mpf(0)] * len(tree.classes_)

    def mp(fraction):
        return mpmath.mpf(fraction.numerator) / fraction.denominator

    def cdf(feature, cut):
        u = mp((cut - z[feature]) / (abs(scale[feature]) * sigma))
        return mpmath.erfc(-u / mpmath.sqrt(2)) / 2

    def walk(node, box):
        if t.children_left[node] == -1:
            mass = mpmath.mpf(1)
            for feature, (low, high) in box.items():
                upper = 1 if high is None else cdf(feature, high)
                mass *= upper - (0 if low is None else cdf(feature, low))
            total[t.value[node, 0].argmax()] += mass
            return
        below = np.float32(t.threshold[node])
        if below > t.threshold[node]:
            below = np.nextafter(below, np.float32(-np.inf))
        above = np.nextafter(below, np.float32(np.inf))
        cut = (Fraction(float(below)) + Fraction(float(above))) / 2
        feature = t.feature[node]
        low, high = box.get(feature, (None, None))
        if low is None or cut > low:
            walk(t.children_left[node], {**box, feature: (low, cut)})
        if high is None or cut < high:
            walk(t.children_right[node], {**box, feature: (cut, high)})

    walk(0, {})
    return total


def test_steps_switched_off_after_the_fit():
    rng = np.random.default_rng(0)
    X = rng.normal(3, 2, size=(50, 2))
    for step, off in (
        (StandardScaler(), {"with_std": False}),
        (RobustScaler(), {"with_scaling": False}),
        (RobustScaler(), {"with_centering": False}),
    ):
        step.fit(X).set_params(**off)
        f = make_pipeline(step, halfspace([1.0, -2.0], 0.3))
        radius, selected = claims(f, X)
        truth = (step.transform(X) @ [1, -2] + 0.3) / np.sqrt(5)
        if off != {"with_centering": False}:
            np.testing.assert_allclose(radius, abs(truth), rtol=1e-9, atol=1e-12)
        np.testing.assert_array_equal(selected, truth > 0)


def test_products_that_underflow_are_no_ties():
    f = halfspace([1e-200, 1.0])
    inputs = Inputs.from_array(np.array([[1e-200, 0.0], [0.0, 0.0]]), [0.0, 0.0])
    _, upper = exact_probabilities(f, f.classes_, inputs)
    # In exact arithmetic the first is of class 1; the second is a tie, of class 0.
    assert upper[0, 1] == 1
    assert upper[1].tolist() == [1, 0]


def test_overflow_is_an_error():
    f = halfspace([1e200, 1.0])
    inputs = Inputs.from_array(np.array([[1e200, 0.0]]), 1.0)
    with pytest.raises(ValueError, match="overflow float64: scale X"):
        exact_probabilities(f, f.classes_, inputs)
    inputs = Inputs.from_array(np.array([[1e200]]), 1.0)
    scaler = StandardScaler().fit([[0.0], [1.0]])
    scaler.scale_ = np.array([1e-200])
    tree = DecisionTreeClassifier().fit([[0.0], [1.0]], [0, 1])
    f = make_pipeline(scaler, tree)
    with pytest.raises(ValueError, match="overflow float64: scale X"):
        exact_probabilities(f, tree.classes_, inputs)


def test_arrays_and_bounded_numbers_agree():
    """The same code folds both."""
    for seed, chain in enumerate(MIXING.values()):
        f = make_pipeline(*chain(seed), halfspace(np.arange(1.0, D + 1), 0.5))
        plain, bounded = (
            linear_scores(unwrap(f)),
            linear_scores(unwrap(f), bounded=True),
        )
        for numbers, others in zip(plain, bounded, strict=True):
            np.testing.assert_allclose(numbers, others.value, rtol=1e-12)
            assert np.all(others.error <= 1e-11 * abs(others.value).max())
    f = LogisticRegression().fit(np.eye(3), [0, 1, 2])
    assert np.all(linear_scores(unwrap(f), bounded=True)[0].error < 1e-15)


def test_numbers_without_rounding_have_no_error():
    some = Bounded([[1.0, 0.0, -3.0]])
    for result in (some * 1.0, some / 1.0, some + 0.0, some * 0.0, -some, some - 0.0):
        assert not np.any(result.error)
    assert ((some * 0.1).error > 0).tolist() == [[False, False, True]]
    with pytest.raises(TypeError):
        np.sqrt(some)
    with pytest.raises(TypeError, match="forget"):
        np.asarray(some)


@pytest.mark.parametrize("operation", ["+", "-", "*", "/", "@"])
def test_errors_bound_what_rounding_does(operation):
    rng = np.random.default_rng(1)
    for _ in range(60):
        a, b = (rng.normal(size=(3, 3)) * 10.0 ** rng.integers(-9, 9) for _ in "ab")
        a *= rng.integers(0, 2, (3, 3))
        exact, bounded = rational(a), Bounded(a)
        for _ in range(3):
            if operation == "+":
                exact, bounded = exact + rational(b), bounded + b
            elif operation == "-":
                exact, bounded = exact - rational(b), bounded - b
            elif operation == "*":
                exact, bounded = exact * rational(b), bounded * b
            elif operation == "/":
                exact, bounded = exact / rational(b), bounded / b
            else:
                exact, bounded = exact @ rational(b), bounded @ b
        off = abs(exact - rational(bounded.value))
        assert np.all(off <= rational(bounded.error))
        assert np.all(bounded.error <= 1e-14 * (1 + abs(bounded.value).max()))


@pytest.mark.parametrize("operation", ["*", "/", "@", "+", "-"])
def test_errors_of_both_operands_count(operation):
    rng = np.random.default_rng(2)
    for _ in range(30):
        a, b = (rng.normal(size=(3, 3)) * 10.0 ** rng.integers(-9, 9) for _ in "ab")
        if operation != "/":
            a *= rng.integers(0, 2, (3, 3))
        wide = [abs(v) * 10.0 ** rng.integers(-16, -1) for v in (a, b)]
        one, other = Bounded(a, wide[0]), Bounded(b, wide[1])
        # The exact numbers are at the ends of what is allowed.
        sides = [rng.choice([-1, 1], (3, 3)) for _ in "ab"]
        x, y = (
            rational(v) + rational(side) * rational(w)
            for v, w, side in zip((a, b), wide, sides, strict=True)
        )
        if operation == "@":
            exact, bounded = x @ y, one @ other
        else:
            calculate = {
                "*": lambda p, q: p * q, "/": lambda p, q: p / q,
                "+": lambda p, q: p + q, "-": lambda p, q: p - q,
            }[operation]  # fmt: skip
            exact, bounded = calculate(x, y), calculate(one, other)
        assert np.all(abs(exact - rational(bounded.value)) <= rational(bounded.error))


def test_underflow_is_an_error_too():
    tiny = Bounded([1e-200, 3.0])
    for result in (
        tiny * np.array([1e-200, 1e-323]),
        tiny * np.array([0.3e-120, 0.7e-320]),
        tiny / np.array([1e200, 1e308]),
        Bounded([[1e-200, 1e-180]]) @ np.array([1e-190, 1e-160]),
    ):
        assert np.all(result.error > 0)


def test_roots_are_rounded():
    rng = np.random.default_rng(3)
    squares = rng.lognormal(size=200)
    result = divided_by_root(Bounded(np.ones(200)), squares, 1e-16)
    exact = np.array([1 / root(s) for s in rational(squares)])
    off = abs(exact - rational(result.value))
    assert np.all(off <= rational(result.error))
    one = Bounded(1 / np.sqrt(squares))
    assert not np.all(off <= rational(one.error))
    least = divided_by_root(np.ones(1), np.zeros(1), 2.0**-52)
    assert least.tolist() == [2.0**52]


def test_quotients_by_a_level_that_is_not_known_exactly():
    rng = np.random.default_rng(4)
    for _ in range(60):
        size, sigma = rng.lognormal(size=2)
        error = size * 10.0 ** rng.integers(-16, 1) * rng.uniform(0, 1.5)
        level = Level(np.float64(size), np.float64(error), np.float64(sigma))
        low, high = np.sort(rng.normal(size=(2, 5)), axis=0)
        least, most = level.quotients(low, high)
        for end in (-1, 1):
            true = Fraction(size) + end * Fraction(error)
            if true <= 0:
                continue
            for u, bound in zip(low, least, strict=True):
                assert bound == -np.inf or bound <= Fraction(u) / true / Fraction(sigma)
            for u, bound in zip(high, most, strict=True):
                assert bound == np.inf or bound >= Fraction(u) / true / Fraction(sigma)
    # What is 0 for sure has no noise; what may be 0 has no bound.
    zero = Level(np.zeros(2), np.array([0.0, 1.0]), np.ones(2))
    assert zero.is_0.tolist() == [True, False]
    least, most = zero.quotients(np.full((2, 1), -1.0), np.ones((2, 1)))
    assert least[1] == -np.inf
    assert most[1] == np.inf


@pytest.mark.parametrize("chain", [*CHAINS, *MIXING])
def test_the_spread_of_scores_is_bounded(chain):
    for seed in range(6):
        steps = {**CHAINS, **MIXING}[chain](seed)
        matrix, _ = as_map(steps)
        w = np.random.default_rng(seed).normal(size=len(matrix))
        # Nearly what one column gets alone, so that the others cancel.
        if seed % 2 and len(matrix) == D:
            w = np.linalg.solve(matrix.astype(float).T, np.eye(D)[0])
        f = make_pipeline(*steps, halfspace(w))
        weights, offset = linear_scores(unwrap(f), bounded=True)
        sigma = np.array([0.0, 0.3, 1e3, 2.0])
        model = ExactLinear(weights[0], offset[0], Gaussian().bind(sigma))
        pulled = rational(w) @ matrix * rational(sigma)
        squared = pulled @ pulled
        assert Fraction(float(model.level.low)) ** 2 <= squared
        assert Fraction(float(model.level.high)) ** 2 >= squared


@pytest.mark.parametrize("chain", CHAINS)
def test_the_level_of_what_a_tree_splits_on_is_bounded(chain):
    for seed in range(10):
        steps = CHAINS[chain](seed)
        matrix, shift = as_map(steps)
        sigma = np.array([0.7, 0.3, 1e3, 2.0])
        axes = Axes(np.arange(len(matrix)), len(matrix), steps, Gaussian().bind(sigma))
        true = [abs(row[c]) for row, c in zip(matrix, axes.column, strict=True)]
        true = np.array(true) * rational(sigma)[axes.column]
        assert np.all(rational(axes.level.low) <= true)
        assert np.all(rational(axes.level.high) >= true)
        X = np.random.default_rng(seed).normal(size=(5, D)) * 1e4
        z, error = axes.place(X)
        exact = (matrix @ rational(X).T) + shift[:, None]
        assert np.all(abs(exact - rational(z)) <= rational(error))


def test_levels_that_underflow_are_not_0():
    f = halfspace([1e-200])
    inputs = Inputs.from_array(np.zeros((1, 1)), 1e-200)
    _, upper = exact_probabilities(f, f.classes_, inputs)
    assert upper.min() >= 0.5  # both, as a tie has probability 0
    level = Level(np.float64(1e-200), np.float64(0), np.float64(1e-200))
    assert level.low == 0 < level.high
    weights, offset = linear_scores(unwrap(halfspace([1e-200, 1e-190])), bounded=True)
    model = ExactLinear(
        weights[0], offset[0], Gaussian().bind(np.array([1e-200, 1e-200]))
    )
    assert model.level.high > 0


def test_the_norm_of_plain_weights_is_rounded():
    for seed in range(20):
        w = np.random.default_rng(seed).normal(size=60)
        weights, offset = linear_scores(unwrap(halfspace(w)), bounded=True)
        model = ExactLinear(weights[0], offset[0], Gaussian().bind(np.ones(60)))
        squared = rational(w) @ rational(w)
        assert Fraction(float(model.level.low)) ** 2 <= squared
        assert Fraction(float(model.level.high)) ** 2 >= squared


@pytest.mark.parametrize("chain", ["there and back", "PCA far away", "no step"])
def test_errors_of_scores(chain):
    for seed in range(6):
        steps = {**CHAINS, **MIXING, "no step": lambda seed: []}[chain](seed)
        matrix, shift = as_map(steps)
        w = np.random.default_rng(seed).normal(size=len(matrix))
        f = make_pipeline(*steps, halfspace(w))
        weights, offset = linear_scores(unwrap(f), bounded=True)
        model = ExactLinear(weights[0], offset[0], Gaussian().bind(np.ones(D)))
        X = np.random.default_rng(seed).normal(size=(10, D)) * 1e-9
        scores, errors = model.scores(X)
        for x, score, error in zip(X, scores, errors, strict=True):
            exact = rational(w) @ (matrix @ rational(x) + shift)
            assert abs(exact - Fraction(float(score))) <= Fraction(float(error))


def test_a_map_that_only_seems_to_be_none():
    """3 is not 1 / fl(1 / 3), though it is in floating point."""
    scalers = StandardScaler().fit([[0.0], [1.0]]), StandardScaler().fit([[0.0], [1.0]])
    for scaler, scale in zip(scalers, (3.0, 1 / 3), strict=True):
        scaler.set_params(with_mean=False)
        scaler.scale_ = np.array([scale])
    axes = Axes(np.array([0]), 1, scalers, Gaussian().bind(np.ones(1)))
    assert axes.coef.tolist() == [1.0]
    z, error = axes.place(np.array([[0.3]]))
    assert Fraction(0.3) / 3 / Fraction(1 / 3) != Fraction(0.3)
    assert abs(Fraction(0.3) / 3 / Fraction(1 / 3) - Fraction(z[0, 0])) <= error[0, 0]


def test_weights_that_are_0_by_rounding_only_mix_features():
    pca = PCA(2).fit(np.eye(2))
    pca.components_ = np.array([[1e-200, 1.0], [0.0, 1.0]])
    other = PCA(2).fit(np.eye(2))
    other.components_ = np.array([[1e-200, 0.0], [0.0, 1.0]])
    # The first of the last features has 1e-400 of the first one.
    with pytest.raises(ValueError, match="mixes features"):
        Axes(np.array([0]), 2, [pca, other], Gaussian().bind(np.ones(2)))
    assert Bounded(np.zeros(1), np.array([1e-30])).may_differ_from_0.all()


def test_what_only_the_sum_is_rounded_by_is_counted():
    """What the numbers of the map are off by, set to 0 here, is counted besides."""
    rng = np.random.default_rng(0)
    X = rng.normal(0.1, 37.0, size=(200, D))
    step = StandardScaler(with_std=False).fit(X)
    axes = Axes(np.arange(D), D, [step], Gaussian().bind(np.ones(D)))
    axes.coef_error, axes.offset_error = np.zeros(D), np.zeros(D)
    z, error = axes.place(X)
    exact = rational(X) - rational(step.mean_)
    off = abs(rational(z.T) - exact)
    assert np.any(off > 0)
    assert np.all(off <= rational(error.T))


@pytest.mark.parametrize("freeze", [FrozenEstimator, make_pipeline])
def test_steps_inside_of_steps(freeze):
    X, y = rng_data()
    scaler, pca = StandardScaler().fit(X), PCA(2).fit(X)
    f = make_pipeline(freeze(scaler), freeze(pca), LogisticRegression()).fit(X, y)
    bare = make_pipeline(scaler, pca, f[-1])
    for method in ("exact", "monte_carlo"):
        how = {"method": method, "n": 200, "random_state": 0}
        one, other = (SmoothedClassifier(g, **how).certify(X) for g in (f, bare))
        np.testing.assert_array_equal(one.radius, other.radius)


def rng_data():
    rng = np.random.default_rng(1)
    X = rng.normal(size=(60, D))
    return X, (X[:, 0] + X[:, 1] > 0).astype(int)
