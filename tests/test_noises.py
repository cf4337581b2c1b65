"""Laplace and uniform noise: how they are drawn, and what they prove."""

import itertools

import mpmath
import numpy as np
import pytest
from scipy.stats import binom, kstest, laplace, uniform

from sksmooth.noise import Gaussian, Laplace, Uniform, find_noise
from sksmooth.noise._norms import NORMS
from sksmooth.noise._streams import stream_key
from sksmooth.stats import certify_counts, sample_sizes
from sksmooth.stats._certify import bounds_from_upper, certify_votes
from sksmooth.stats._sequential import CertifyKnownLabel, fewest_votes_for_radius

# b = 1 and lambda = 1.
LAPLACE, UNIFORM = Laplace().bind(2**0.5), Uniform().bind(3**-0.5)

KINDS = [Laplace(), Uniform()]


def opened(noise, content=b"row"):
    return noise.open(stream_key(7, "estimate", content))


def close(found, *expected):
    """To the eight digits that are given, and never above by more."""
    np.testing.assert_allclose(found, expected, rtol=0, atol=0.6e-8)


class TestReferenceValues:
    def test_uniform(self):
        close(UNIFORM.radius([0.6, 0.9, 0.99]), 0.2, 0.8, 0.98)
        close([UNIFORM.radius(0.6, 0.1)], 0.5)

    def test_laplace(self):
        radii = LAPLACE.radius([0.6, 0.9, 0.99])
        close(radii, 0.22314355, 1.60943791, 3.91202301)
        close([LAPLACE.radius(0.6, 0.1)], 0.91629073)

    def test_laplace_is_not_below_what_is_published(self):
        """Teng, Lee and Yuan (2020): the smaller of two radii."""
        p_a, p_b = np.meshgrid(np.linspace(0.02, 0.98, 49), np.linspace(0.01, 0.97, 49))
        p_b = np.minimum(p_b, 1 - p_a)
        ahead = p_a > p_b
        p_a, p_b = p_a[ahead], p_b[ahead]
        teng = np.maximum(np.log(p_a / p_b) / 2, -np.log1p(p_b - p_a))
        close([max(np.log(6) / 2, -np.log(0.5))], 0.89587973)
        assert np.all(LAPLACE.radius(p_a, p_b) >= teng - 1e-12)

    def test_linf(self):
        radius = UNIFORM.to_norm(UNIFORM.radius(0.9), "linf", 10)
        close([radius], 0.09959957)
        # 2 lambda (1 - (1 - (p_a - p_b) / 2)^(1 / d))
        radius = UNIFORM.to_norm(UNIFORM.radius(0.6, 0.1), "linf", 4)
        close([radius], 2 * (1 - 0.75**0.25))

    def test_gaussian_in_other_norms(self):
        noise = Gaussian().bind(0.5)
        radius = noise.radius(0.9)
        assert noise.to_norm(radius, "l1", 9) == radius
        close([noise.to_norm(radius, "linf", 9)], radius / 3)


# Probabilities next to 1/2 and to 1, where formulas cancel, and in between.
HARD = np.unique(
    np.concatenate(
        [
            0.5 + 2.0 ** -np.arange(2, 54),
            1 - 2.0 ** -np.arange(2, 54),
            np.linspace(0.5, 1, 101),
            np.random.default_rng(0).uniform(0.5, 1, 300),
            0.001 ** (1 / 10.0 ** np.arange(1, 9)),  # alpha^(1 / n)
            1e-15 ** (1 / 10.0 ** np.arange(2, 13)),
        ]
    )
)
HARD = HARD[HARD < 1]


def exact_quantile(p):
    """Of Laplace noise with b = 1."""
    p = mpmath.mpf(p)
    return mpmath.log(2 * p) if 2 * p < 1 else -mpmath.log(2 * (1 - p))


def exact_radius(noise, p_a, p_b):
    sigma, p_a, p_b = map(mpmath.mpf, (noise.sigma, p_a, p_b))
    if isinstance(noise.kind, Laplace):
        between = exact_quantile(p_a) - exact_quantile(p_b)
        return sigma / mpmath.sqrt(2) * between / 2
    return sigma * mpmath.sqrt(3) * (p_a - p_b)


@pytest.mark.parametrize("sigma", [0.25, 0.7, 1e-3, 123.0])
@pytest.mark.parametrize("kind", KINDS)
def test_radii_are_rounded_down_and_no_more(kind, sigma):
    noise = kind.bind(sigma)
    with mpmath.workdps(60):
        for p, found in zip(HARD.tolist(), noise.radius(HARD), strict=True):
            exact = exact_radius(noise, p, 1 - mpmath.mpf(p))
            assert found <= exact
            assert found >= exact * (1 - mpmath.mpf("1e-13"))


@pytest.mark.parametrize("kind", KINDS)
def test_radii_with_a_runner_up_are_rounded_down(kind):
    noise, rng = kind.bind(0.7), np.random.default_rng(1)
    p_a, p_b = rng.uniform(0, 1, (2, 500))
    p_a, p_b = np.maximum(p_a, p_b), np.minimum(p_a, p_b)
    p_b[:100] = np.nextafter(p_a[:100], 0)
    p_b[100:200] *= 1e-18
    found = noise.radius(p_a, p_b)
    assert np.array_equal(noise.radius(p_b, p_a), np.zeros(500))
    assert np.array_equal(noise.radius(p_a, p_a), np.zeros(500))
    with mpmath.workdps(60):
        for a, b, radius in zip(p_a.tolist(), p_b.tolist(), found, strict=True):
            exact = exact_radius(noise, a, b)
            assert radius <= exact
            assert radius >= exact - mpmath.mpf("1e-12")


@pytest.mark.parametrize("kind", KINDS)
def test_radii_of_rest_are_rounded_down(kind):
    noise = kind.bind(0.7)
    rest = np.concatenate([10.0 ** -np.arange(1, 300, 7), [0.3, 0.49, 0.6, 0.9]])
    runner_up = np.minimum(rest, 0.39) / 2
    found = noise.radius_of_rest(rest, runner_up)
    with mpmath.workdps(400):
        for r, b, radius in zip(rest.tolist(), runner_up.tolist(), found, strict=True):
            exact = exact_radius(noise, 1 - mpmath.mpf(r), b)
            assert radius <= max(exact, 0)
            assert radius >= exact * (1 - mpmath.mpf("1e-12"))
    none = noise.radius_of_rest(np.zeros(1), np.zeros(1))
    assert none == (np.inf if isinstance(kind, Laplace) else noise.radius(1.0, 0.0))


@pytest.mark.parametrize("noise", [LAPLACE, UNIFORM], ids=repr)
def test_the_least_probability_is_rounded_down(noise):
    distances = np.array([0, 1e-9, 0.1, 0.5, 1.0, 2.0, 5.0, 40.0, 1e4])
    p = np.concatenate([[0.0, 1e-300, 1e-9, 0.1, 0.3, 0.499], HARD, [1.0]])
    found = noise.worst(p[:, None], distances)
    with mpmath.workdps(60):
        for i, j in itertools.product(range(len(p)), range(len(distances))):
            q, r = mpmath.mpf(p[i].item()), mpmath.mpf(distances[j].item())
            if noise is UNIFORM:
                exact = max(q - r / (2 * mpmath.sqrt(3)), 0)
            elif q in (0, 1):
                exact = q
            else:
                z = exact_quantile(q) - r * mpmath.sqrt(2)
                exact = mpmath.exp(z) / 2 if z < 0 else 1 - mpmath.exp(-z) / 2
            assert found[i, j] <= exact
            assert found[i, j] >= exact * (1 - mpmath.mpf("1e-12")) - 1e-13
    assert np.all(np.diff(found, axis=1) <= 1e-15)
    assert np.all(np.diff(found, axis=0) >= -1e-15)


@pytest.mark.parametrize("noise", [LAPLACE, UNIFORM, Laplace().bind(0.3)], ids=repr)
def test_what_a_radius_needs(noise):
    """Above `needed` a class is certified, and not below it."""
    radii = np.array([0, 0.01, 0.1, 0.3, 0.7])
    needed = noise.needed(radii)
    assert np.all(needed >= 0.5)
    above = np.minimum(needed + 1e-12, 1.0)
    assert np.all(noise.radius(above) >= radii)
    assert np.all(noise.radius(needed - 1e-12) <= radii)
    assert np.all(noise.worst(above, radii / noise.unit) > 0.5)
    assert np.all(noise.worst(needed - 1e-12, radii / noise.unit) <= 0.5)
    # The general search, which knows `worst` only, agrees.
    general = super(type(noise), noise)
    np.testing.assert_allclose(general.needed(radii), needed, rtol=1e-12)
    p_a, p_b = np.array([0.55, 0.8, 0.9999]), np.array([0.3, 0.2, 0.0001])
    np.testing.assert_allclose(general.radius(p_a), noise.radius(p_a), rtol=1e-10)
    np.testing.assert_allclose(
        general.radius(p_a, p_b), noise.radius(p_a, p_b), rtol=1e-10
    )


@pytest.mark.parametrize("kind", KINDS)
def test_the_distribution_function_is_bounded(kind):
    u = np.concatenate([np.linspace(-500, 500, 301), np.linspace(-2, 2, 401)])
    ends = [np.nextafter(side * 3**0.5, [-9, 9]) for side in (-1, 1)]
    u = np.concatenate([u, *ends, [-np.inf, np.inf]])
    below, above = kind.bind(1.0).cdf_bounds(u, u)
    with mpmath.workdps(60):
        for low, high, one in zip(below, above, u.tolist(), strict=True):
            one = mpmath.mpf(one)
            if isinstance(kind, Uniform):
                exact = min(max((one / mpmath.sqrt(3) + 1) / 2, 0), 1)
                assert high - low < 1e-14
            else:
                t = one * mpmath.sqrt(2)
                exact = mpmath.exp(t) / 2 if t < 0 else 1 - mpmath.exp(-t) / 2
                assert high - low < 1e-9 * exact + 1e-299
            assert low <= exact <= high
    if isinstance(kind, Uniform):  # a class out of reach is surely none
        assert kind.bind(1.0).cdf_bounds(np.array([-2.0]), np.array([-2.0]))[1] == 0


def test_no_probability_is_enough_for_a_radius_beyond_the_cube():
    assert UNIFORM.needed(1.0) == UNIFORM.needed(50.0) == 1.0
    assert np.all(fewest_votes_for_radius(1000, 0.001, [1.0, 2.0], UNIFORM) == 1001)


# The adversary, who has a grid of cells and all shifts by whole cells.

WIDTH = 0.25


def cells(noise, shift, n=41):
    """Return the masses of cells on one axis, of noise around 0 and around a shift.

    The last cells hold all that is beyond.
    """
    edges = (np.arange(n + 1) - n / 2) * WIDTH
    edges[0], edges[-1] = -np.inf, np.inf
    if isinstance(noise.kind, Laplace):
        law = laplace(scale=noise.sigma / 2**0.5)
    else:
        half = noise.sigma * 3**0.5
        law = uniform(loc=-half, scale=2 * half)
    return np.diff(law.cdf(edges)), np.diff(law.cdf(edges - shift))


def least_probability(here, there, p):
    """Neyman and Pearson: fill up p with the cells that are least likely there."""
    order = np.argsort(there / np.maximum(here, 1e-300), kind="stable")
    here, there = here[order], there[order]
    before = np.append(0, here.cumsum())[:-1]
    taken = np.clip((p - before) / np.maximum(here, 1e-300), 0, 1)
    return np.sum(np.where(here > 0, taken, 0) * there)


@pytest.mark.parametrize("d", [1, 2, 3])
@pytest.mark.parametrize("kind", KINDS)
def test_no_adversary_does_better(kind, d):
    noise = kind.bind(1.0 if isinstance(kind, Laplace) else WIDTH * 6.5 / 3**0.5)
    n = 41 if d < 3 else 21
    shifts = [s for s in itertools.product(range(4), repeat=d) if sorted(s) == list(s)]
    for shift in shifts:
        here, there = np.ones(1), np.ones(1)
        for k in shift:
            one, other = cells(noise, k * WIDTH, n)
            here, there = np.outer(here, one).ravel(), np.outer(there, other).ravel()
        distance = sum(shift) * WIDTH / noise.sigma
        for p in (0.05, 0.3, 0.5, 0.6, 0.9, 0.99):
            least = least_probability(here, there, p)
            claimed = noise.worst(p, distance)
            assert claimed <= least + 1e-12
            if isinstance(kind, Uniform):  # whose edges are those of cells
                common = np.prod([1 - k / 13 for k in shift])
                assert least == pytest.approx(max(p - 1 + common, 0), abs=1e-9)
            if np.count_nonzero(shift) <= 1 and isinstance(kind, Uniform):
                assert least == pytest.approx(claimed, abs=1e-9)  # it is reached


@pytest.mark.parametrize("kind", KINDS)
def test_a_half_space_reaches_the_bound(kind):
    """For what is left of t on one axis, nothing is given away."""
    noise = kind.bind(0.8)
    p, r = np.meshgrid(np.linspace(0.01, 0.99, 99), np.linspace(0, 2, 21))
    if isinstance(kind, Laplace):
        law = laplace(scale=0.8 / 2**0.5)
    else:
        law = uniform(-0.8 * 3**0.5, 2 * 0.8 * 3**0.5)
    there = law.cdf(law.ppf(p) - r * 0.8)
    np.testing.assert_allclose(noise.worst(p, r), there, atol=1e-12)


class TestOtherNorms:
    @pytest.mark.parametrize("norm", NORMS)
    @pytest.mark.parametrize("kind", [Gaussian(), *KINDS])
    def test_every_point_of_the_ball_is_in_the_certified_one(self, kind, norm):
        """By the theorem of each kind itself, in 1 to 40 features."""
        noise, rng = kind.bind(0.7), np.random.default_rng(2)
        lam = 0.7 * 3**0.5
        for d in (1, 2, 5, 40):
            for p in (0.51, 0.7, 0.99, 0.999999):
                own = noise.radius(p)
                radius = noise.to_norm(own, norm, d)
                delta = rng.laplace(size=(200, d)) * (rng.random((200, d)) < 0.7)
                delta = np.concatenate([delta, np.ones((1, d)), np.eye(d)[:1]])
                delta = delta[np.any(delta != 0, axis=1)]
                order = {"l1": 1, "l2": 2, "linf": np.inf}
                size = np.linalg.norm(delta, order[norm], axis=1)
                delta *= (radius / size * (1 - 1e-12))[:, None]
                if isinstance(kind, Uniform):
                    inside = np.prod(np.maximum(1 - abs(delta) / (2 * lam), 0), axis=1)
                    assert np.all(p - (1 - inside) > 0.5)
                else:
                    size = np.linalg.norm(delta, order[noise.norm], axis=1)
                    assert np.all(size < own)

    @pytest.mark.parametrize("kind", [Gaussian(), *KINDS])
    def test_both_ways(self, kind):
        noise = kind.bind(0.7)
        radii = np.array([0, 1e-9, 0.01, 0.3, 0.6])
        for norm, d in itertools.product(NORMS, (1, 3, 784)):
            moved = noise.to_norm(radii, norm, d)
            back = noise.from_norm(moved, norm, d)
            np.testing.assert_allclose(back, radii, rtol=1e-11, atol=1e-13)
            assert np.all(noise.to_norm(radii, noise.norm, d) == radii)
            needed = noise.from_norm(radii, norm, d)
            reached = needed < 0.7  # what some probability certifies
            back = noise.to_norm(needed[reached], norm, d)
            np.testing.assert_allclose(back, radii[reached], rtol=1e-11, atol=1e-13)

    def test_rounded_in_the_safe_direction(self):
        with mpmath.workdps(50):
            for d, radius in itertools.product((2, 10, 784), (1e-7, 0.1, 0.5, 0.999)):
                lost = mpmath.mpf(radius) / (2 * mpmath.sqrt(3) * mpmath.mpf(3**-0.5))
                exact = 1 - (1 - lost) ** (mpmath.mpf(1) / d)
                exact *= 2 * mpmath.sqrt(3) * mpmath.mpf(3**-0.5)
                found = UNIFORM.to_norm(radius, "linf", d)
                assert exact * (1 - mpmath.mpf("1e-12")) <= found <= exact
                exact = mpmath.mpf(radius) / mpmath.sqrt(d)
                assert Gaussian().bind(1.0).to_norm(radius, "linf", d) <= exact
                assert LAPLACE.to_norm(radius, "l2", d) <= exact
                assert LAPLACE.from_norm(float(exact), "l2", d) >= exact * mpmath.sqrt(
                    d
                ) * (1 - mpmath.mpf("1e-16"))

    def test_radii_beyond_the_cube_stay_finite(self):
        assert np.isfinite(UNIFORM.from_norm([1.0, 2.0, 5.0], "linf", 10)).all()
        assert np.all(UNIFORM.from_norm([2.0, 5.0], "linf", 10) >= 2.0)


class TestErrorRates:
    """At the boundary, by summing the probabilities of all votes."""

    @pytest.mark.parametrize("kind", KINDS)
    @pytest.mark.parametrize("alpha", [0.05, 0.001])
    def test_at_the_radius(self, kind, alpha):
        noise = kind.bind(0.5)
        for radius, n in itertools.product((0.05, 0.2, 0.5), (20, 100, 500)):
            p = float(noise.needed(radius))  # a class that is not certified there
            k = int(fewest_votes_for_radius(n, alpha, radius, noise))
            wrong = binom.sf(k - 1, n, p)
            assert wrong <= alpha * (1 + 1e-9)
            if k <= n and n == 500:
                assert wrong >= alpha / 3

    @pytest.mark.parametrize("kind", KINDS)
    @pytest.mark.parametrize("radius", [0.1, 0.4])
    def test_with_looks(self, kind, radius):
        """The chance that any look accepts, from look to look."""
        noise, alpha, looks = kind.bind(0.5), 0.01, sample_sizes(800)
        rule = CertifyKnownLabel(
            looks, alpha, np.array([radius]), noise, np.zeros(looks[-1] + 1, int)
        )
        p = float(noise.needed(radius))
        going, wrong, before = np.ones(1), 0.0, 0
        for look, n in enumerate(looks):
            more = binom.pmf(np.arange(n - before + 1), n - before, p)
            going, before = np.convolve(going, more), n
            votes = np.arange(n + 1)
            rows, counts = votes, np.column_stack([votes, n - votes])
            accepted, settled = rule(np.full(n + 1, look), rows, counts)
            wrong += going[accepted[:, 0]].sum()
            going = np.where(settled, 0, going)
        assert alpha / 10 < wrong <= alpha

    @pytest.mark.parametrize("kind", KINDS)
    def test_multiclass(self, kind):
        """Two classes at equal probability: no radius at all may be certified."""
        noise, alpha, n = kind.bind(0.5), 0.05, 30
        p = np.array([0.4, 0.4, 0.2])
        wrong = 0.0
        for a, b in itertools.product(range(n + 1), repeat=2):
            if a + b > n:
                continue
            counts = np.array([[a, b, n - a - b]])
            chosen = np.array([[9, 1, 0]])
            found = certify_votes(counts, chosen, alpha, "multiclass", noise)
            if found.radius[0] > 0:
                left = binom.pmf(b, n - a, p[1] / (1 - p[0]))
                wrong += binom.pmf(a, n, p[0]) * left
        assert wrong <= alpha

    def test_same_bounds_as_under_gaussian_noise(self):
        counts, chosen = np.array([[90, 10, 0]]), np.array([[9, 1, 0]])
        expected = certify_counts(counts, chosen, alpha=0.001)
        for kind in KINDS:
            found = certify_votes(counts, chosen, 0.001, "cohen", kind.bind(1.0))
            assert found.p_lower == expected.p_lower
            assert found.radius == kind.bind(1.0).radius(expected.p_lower)

    def test_exact_probabilities(self):
        shares = np.array([[0.9, 0.1, 0.0], [0.4, 0.35, 0.25], [0.4, 0.4, 0.2]])
        for kind in KINDS:
            found = bounds_from_upper(shares, shares * (1 + 1e-15), kind.bind(1.0))
            expected = kind.bind(1.0).radius(shares[:, 0], shares[:, 1])
            np.testing.assert_allclose(found.radius, expected, rtol=1e-10)
            assert found.radius[2] == 0


class TestDrawing:
    @pytest.mark.parametrize("dtype", [np.float32, np.float64])
    @pytest.mark.parametrize("kind", KINDS)
    def test_the_distribution(self, kind, dtype):
        """A correct program fails with probability 4e-6, were seeds not fixed."""
        noise = kind.bind(0.7)
        out = np.empty((50_000, 2), dtype)
        noise.copies(np.zeros(2, dtype), opened(noise), out)
        half = 0.7 * 3**0.5
        law = uniform(-half, 2 * half)
        if isinstance(kind, Laplace):
            law = laplace(scale=0.7 / 2**0.5)
        for column in out.T:
            assert kstest(column.astype(float), law.cdf).pvalue > 1e-6
        assert abs(np.corrcoef(out.T)[0, 1]) < 0.02

    @pytest.mark.parametrize("grid", [None, 2.0**-6])
    @pytest.mark.parametrize("dtype", [np.float32, np.float64])
    @pytest.mark.parametrize("kind", KINDS)
    def test_however_a_stream_is_cut(self, kind, dtype, grid):
        """Copies come one by one, whatever the batch, so batches change nothing."""
        for shape in ((3,), (2, 3, 4), (5_000,)):
            noise = kind.bind(0.7, grid)
            x = np.ones(shape, dtype)
            whole = np.empty((37, *shape), dtype)
            noise.copies(x, opened(noise), whole)
            parts, stream = np.empty_like(whole), opened(noise)
            for start, stop in itertools.pairwise([0, 1, 2, 13, 14, 37]):
                noise.copies(x, stream, parts[start:stop])
            assert parts.tobytes() == whole.tobytes()
            # Noise alone, and then added, is the same noise to the bit.
            alone, added = np.empty_like(whole), np.empty_like(whole)
            noise.alone(opened(noise), alone)
            noise.add(x, alone, added)
            assert added.tobytes() == whole.tobytes()

    @pytest.mark.parametrize("kind", KINDS)
    def test_streams_are_pinned(self, kind):
        """Votes in stores would be others if these were."""
        out = np.empty((2, 2))
        kind.bind(1.0).copies(np.zeros(2), opened(kind.bind(1.0)), out)
        np.testing.assert_allclose(out, PINNED[type(kind)], rtol=1e-14)

    @pytest.mark.parametrize("kind", KINDS)
    def test_sigma_by_feature_and_missing_values(self, kind):
        noise = kind.bind(np.array([0.0, 1.0, 3.0, 2.0]))
        out, x = np.empty((20_000, 4)), np.array([0.1, 5.0, 0.0, np.nan])
        noise.copies(x, opened(noise), out)
        assert np.all(out[:, 0] == 0.1)
        assert np.isnan(out[:, 3]).all()
        np.testing.assert_allclose(out[:, 1:3].std(axis=0), [1, 3], rtol=0.05)

    @pytest.mark.parametrize("kind", KINDS)
    def test_what_is_too_large_is_told(self, kind):
        noise, x = kind.bind(1e38), np.full(4, 3.4e38, np.float32)
        with pytest.raises(ValueError, match="overflows float32"):
            noise.copies(x, opened(noise), np.empty((50, 4), np.float32))
        with pytest.raises(ValueError, match="overflows float64"):
            kind.bind(1e308).copies(
                np.full(4, 1.7e308), opened(noise), np.empty((50, 4))
            )

    @pytest.mark.parametrize("kind", KINDS)
    def test_on_a_grid_noise_is_rounded_first(self, kind):
        """Whole steps, of the masses that cells have."""
        step = 0.25
        noise = kind.bind(1.0, step)
        out = np.empty((100_000, 1))
        noise.copies(np.array([0.75]), opened(noise), out)
        steps = (out[:, 0] - 0.75) / step
        assert np.array_equal(steps, np.rint(steps))
        half = 3**0.5
        law = uniform(-half, 2 * half)
        if isinstance(kind, Laplace):
            law = laplace(scale=0.5**0.5)
        values = np.arange(-10, 11)
        mass = np.diff(law.cdf((np.append(values, 11) - 0.5) * step))
        found = np.array([np.mean(steps == value) for value in values])
        assert np.all(np.abs(found - mass) < 5 * np.sqrt(mass / 100_000) + 1e-9)

    def test_noise_is_never_larger_than_a_grid_allows_for(self):
        """The ziggurat of NumPy ends in its tail, where uniforms have 53 bits."""
        assert (7.7 - np.log(2.0**-53)) / 2**0.5 < Laplace().bind(1.0).largest
        assert 3**0.5 < Uniform().bind(1.0).largest


PINNED = {
    Laplace: [
        [-0.8430435107048814, -0.3634858706182971],
        [-2.4007207056687596, 1.4304068929323401],
    ],
    Uniform: [
        [-0.15204463495863174, -0.46677753265733457],
        [0.7379247445424797, 0.6554972358205006],
    ],
}


def test_names():
    assert isinstance(find_noise("laplace"), Laplace)
    assert isinstance(find_noise("uniform"), Uniform)
    with pytest.raises(ValueError, match="'gaussian', 'laplace', 'uniform'"):
        find_noise("cauchy")
