"""Votes on a grid: exact sums, and certificates that rounding cannot make false."""

from fractions import Fraction

import joblib
import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import signal, stats
from scipy.stats import norm
from sklearn.base import clone
from sklearn.datasets import load_iris
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier

from sksmooth import SmoothedClassifier, certified_accuracy_scorer
from sksmooth.noise import Gaussian
from sksmooth.noise._grid import grid_step, round_to_grid, rounding_loss
from sksmooth.noise._streams import open_stream, stream_key
from sksmooth.stats._radius import radius_after_loss, radius_before_loss
from sksmooth.stats._sequential import CertifyKnownLabel
from sksmooth.votes._rows import Inputs
from tests.helpers import Fixed

X, y = load_iris(return_X_y=True)
BITS = {np.dtype(np.float32): 24, np.dtype(np.float64): 53}


def smoothed(estimator, **params):
    defaults = {
        "method": "monte_carlo",
        "n": 1000,
        "sigma": 0.5,
        "random_state": 0,
        "grid": "auto",
    }
    return SmoothedClassifier(estimator, **{**defaults, **params})


def stream(content=b"x"):
    return open_stream(stream_key(0, "estimate", content))


def low_bits(bits):
    """Class 1 where z * 2^bits is a whole number: Voracek and Hein's classifier."""
    return Fixed(lambda Z: (np.ldexp(Z[:, 0], bits) % 1 == 0).astype(int))


class TestTheFlaw:
    """f reads from the low bits of fl(x + noise) where x was."""

    at_one, at_zero = np.array([[1.0]]), np.array([[0.0]])

    @pytest.mark.parametrize("dtype", BITS)
    def test_without_a_grid_a_certificate_is_false(self, dtype):
        f = low_bits(BITS[dtype])
        g = smoothed(f, sigma=0.33, n=100_000, grid=None)
        prediction, radius = g.certify(self.at_one.astype(dtype))
        assert prediction == [1]
        assert radius > 1.25
        assert g.predict(self.at_zero.astype(dtype)) == [0]  # at a distance of 1

    @pytest.mark.parametrize("dtype", BITS)
    def test_on_a_grid_it_is_true(self, dtype):
        f = low_bits(BITS[dtype])
        g = smoothed(f, sigma=0.33, n=1000)
        # Now f is 1 at every point that it is asked about.
        for x in (self.at_one, self.at_zero, self.at_one / 3):
            assert g.predict(x.astype(dtype)) == [1]
        # And what it reads from the low bits of the grid is noise.
        steps = round(-np.log2(grid_step("auto", 0.33)))
        g = smoothed(low_bits(steps - 1), sigma=0.33, n=1000)
        for x in (self.at_one, self.at_zero, self.at_one / 3):
            assert g.certify(x.astype(dtype)).prediction == [-1]
            share = g.set_params(stopping="fixed").predict_proba(x.astype(dtype))
            assert 0.44 < share[0, 1] < 0.56


@settings(derandomize=True, deadline=None, max_examples=100)
@given(
    dtype=st.sampled_from(list(BITS)),
    sigma=st.floats(1e-3, 1e3),
    finer=st.integers(-3, 7),
    data=st.data(),
)
def test_copies_are_exact_sums_of_rounded_numbers(dtype, sigma, finer, data):
    """Checked in rational arithmetic, number by number."""
    step = grid_step(2.0**-finer * grid_step("auto", sigma), sigma)
    reach = 2.0 ** BITS[dtype] * step / 2 if dtype == np.float32 else 1e6 * sigma
    x = data.draw(st.floats(-reach / 2, reach / 2))
    x = np.array([[x]], dtype)
    inputs = Inputs.from_array(x, sigma)
    if reach / 2 + 40 * sigma > 2.0 ** BITS[dtype] * step:
        return
    inputs, _ = inputs.on_grid(step)
    place = Fraction(float(x[0, 0])) / Fraction(step)
    # `round` of a fraction takes ties to even, too
    assert Fraction(float(inputs.values[0, 0])) == round(place) * Fraction(step)
    out = np.empty((20, 1), dtype)
    inputs.noise.copies(inputs.values[0], stream(), out)
    scale = float(sigma) / step
    normals = np.empty(20)
    stream().standard_normal(normals)
    for got, normal in zip(out[:, 0], normals, strict=True):
        steps = round(place) + round(Fraction(float(normal * scale)))
        assert Fraction(float(got)) == steps * Fraction(step)


@settings(derandomize=True, deadline=None, max_examples=100)
@given(
    pair=st.lists(
        st.tuples(st.floats(-50, 50), st.floats(-50, 50)), min_size=1, max_size=5
    ),
    exponent=st.integers(-12, 3),
    per_feature=st.booleans(),
)
def test_rounding_moves_inputs_apart_by_no_more_than_the_loss(
    pair, exponent, per_feature
):
    x, other = np.array(pair).T[:, None, :]
    step, sigma = 2.0**exponent, 0.7
    if per_feature:
        sigma = np.linspace(0.3, 3.0, len(pair))
    unit = sigma if per_feature else 1.0
    rounded = round_to_grid(x, sigma, step)
    loss = rounding_loss(x, rounded, sigma, step)
    after = np.linalg.norm((rounded - round_to_grid(other, sigma, step)) / unit)
    assert after <= (np.linalg.norm((x - other) / unit) + loss[0]) * (1 + 1e-12)


def test_the_loss_is_reached():
    """By an input on the grid and one that is half a step away in every feature."""
    x = np.zeros((1, 9))
    other = np.full((1, 9), np.nextafter(0.25, 1))
    loss = rounding_loss(x, x, 1.0, 0.5)
    assert loss == pytest.approx(0.25 * 3, rel=1e-12)
    moved = np.linalg.norm(round_to_grid(other, 1.0, 0.5))
    assert moved == pytest.approx(np.linalg.norm(other) + loss[0], rel=1e-12)


class TestKnownSmoothing:
    """Two features on a coarse grid: g is known everywhere, without votes.

    Each cell of the plane is one point of the grid. The probabilities are a
    convolution of f on the grid with the masses of rounded noise.
    """

    step, sigma, reach, width = 0.5, 0.5, 16, 40

    def probabilities(self, f):
        """P(f = 1) at the grid points in the middle of the plane f is given on."""
        edges = (np.arange(-self.reach, self.reach + 2) - 0.5) * self.step / self.sigma
        mass = np.diff(norm.cdf(edges))
        assert mass.sum() == pytest.approx(1, abs=1e-15)
        return signal.convolve2d(f, np.outer(mass, mass), mode="valid")

    def true_distances(self, x, answers):
        """Distance from each x to the nearest input with another answer of g."""
        n = len(answers) // 2
        places = np.arange(-n, n + 1) * self.step
        gap = np.maximum(np.abs(x[:, :, None] - places) - self.step / 2, 0)
        distance = np.hypot(gap[:, 0, :, None], gap[:, 1, None, :])
        own = np.rint(x / self.step).astype(int) + n
        same = answers == answers[own[:, 0], own[:, 1]][:, None, None]
        return np.where(same, np.inf, distance).min(axis=(1, 2)), own

    def radii(self, f):
        p = self.probabilities(f)
        rng = np.random.default_rng(0)
        # Random inputs, and grid points
        x = rng.uniform(-4, 4, size=(400, 2))
        x[::2] = round_to_grid(x[::2], self.sigma, self.step)
        distance, own = self.true_distances(x, p > 0.5)
        p = p[own[:, 0], own[:, 1]]
        p_other = np.minimum(p, 1 - p)
        radius = -self.sigma * norm.ppf(np.maximum(p_other, 0))
        rounded = round_to_grid(x, self.sigma, self.step)
        sharp = p_other > 1e-9  # the error of a convolution is about 1e-15
        return x[sharp], rounded[sharp], radius[sharp], distance[sharp]

    def plane(self, rule):
        places = np.arange(-self.width, self.width + 1)
        return rule(*np.meshgrid(places, places, indexing="ij")).astype(float)

    @pytest.mark.parametrize("seed", [None, 0, 1, 2])
    def test_no_radius_reaches_another_answer(self, seed):
        if seed is None:
            f = self.plane(lambda i, j: i + j >= 1)
        else:
            noise = np.random.default_rng(seed).normal(size=(2 * self.width + 1,) * 2)
            f = (signal.convolve2d(noise, np.ones((5, 5)), mode="same") > 0) * 1.0
        x, rounded, radius, distance = self.radii(f)
        loss = rounding_loss(x, rounded, self.sigma, self.step)
        sound = radius_after_loss(radius, loss)
        assert np.all(sound <= distance)
        assert np.mean(sound > 0) > 0.2

    def test_taking_off_only_the_own_rounding_is_not_enough(self):
        """The one that moves x' rounds, too: half a step in each feature."""
        f = self.plane(lambda i, j: i + j >= 1)
        x, rounded, radius, distance = self.radii(f)
        own = np.linalg.norm(x - rounded, axis=1)
        assert np.any(radius - own > distance + 0.01)

    def test_votes_are_those_of_the_grid(self):
        """The engine's counts against these probabilities."""
        f = self.plane(lambda i, j: (i + j >= 1) ^ (i == 2))
        p = self.probabilities(f)

        def label(Z):
            i, j = np.rint(Z / self.step).astype(int).T
            assert np.all(Z == np.column_stack([i, j]) * self.step)
            return f[i + self.width, j + self.width].astype(int)

        x = np.random.default_rng(1).uniform(-2, 2, size=(60, 2))
        g = smoothed(Fixed(label), n=4000, sigma=self.sigma, grid=self.step)
        counts = g.certify(x).counts
        own = np.rint(x / self.step).astype(int) + len(p) // 2
        q = p[own[:, 0], own[:, 1]]
        z = (counts[:, 1] - 4000 * q) / np.sqrt(4000 * q * (1 - q))
        # inputs that share a point of the grid share their votes
        z = z[g.certify(x).distinct]
        assert stats.kstest(z, "norm").pvalue > 1e-3


def test_masses_of_rounded_noise():
    """Chi-square against the normal distribution function, on a coarse grid."""
    n, step = 200_000, 0.25
    out = np.empty((n, 1))
    Gaussian().bind(1.0, step).copies(np.array([3.0]), stream(), out)
    steps = np.rint((out[:, 0] - 3) / step).astype(int)
    edges = np.arange(-12, 14) - 0.5
    expected = n * np.diff(norm.cdf(np.r_[-np.inf, edges[1:-1] * step, np.inf]))
    counts = np.bincount(np.clip(steps, -12, 12) + 12, minlength=25)
    assert stats.chisquare(counts, expected).pvalue > 1e-3


@pytest.mark.parametrize("dtype", BITS)
def test_noise_does_not_depend_on_where_the_input_is(dtype):
    """Nor on how the stream is cut."""
    step = grid_step("auto", 0.5)
    sizes, noise = [(1000,), (1, 99, 650, 250)], []
    for x in (0.0, 1.0, -3.25):
        for cut in sizes:
            open_one, parts = stream(), []
            for size in cut:
                out = np.empty((size, 7), dtype)
                center = np.full(7, x, dtype)
                Gaussian().bind(0.5, step).copies(center, open_one, out)
                parts.append(out - dtype.type(x))
            noise.append(np.concatenate(parts))
    for other in noise[1:]:
        np.testing.assert_array_equal(noise[0], other)


class TestStep:
    @settings(derandomize=True, deadline=None, max_examples=50)
    @given(st.floats(1e-30, 1e30))
    def test_auto(self, sigma):
        step = grid_step("auto", sigma)
        assert np.frexp(step)[0] == 0.5
        assert sigma / 2**17 < step <= sigma / 2**16

    def test_auto_for_each_feature(self):
        step = grid_step("auto", np.array([1.0, 0.0, 0.33, 100.0]))
        np.testing.assert_array_equal(step, [2.0**-16, 1, 2.0**-18, 2.0**-10])

    @pytest.mark.parametrize(
        ("grid", "message"),
        [
            (0.1, r"nearest are 0\.0625 and 0\.125"),
            (3, r"nearest are 2\.0 and 4\.0"),
            (2.0**-40, "too fine for sigma=0.5"),
            (0, "'grid' parameter"),
            (-0.5, "'grid' parameter"),
            (np.inf, "grid"),
            ("fine", "'grid' parameter"),
        ],
    )
    def test_bad(self, grid, message):
        base = DecisionTreeClassifier().fit(X, y)
        with pytest.raises(ValueError, match=message):
            smoothed(base, grid=grid).predict(X)
        if grid != 2.0**-40:
            with pytest.raises(ValueError, match=message):
                smoothed(base, grid=grid).fit(X, y)


class TestRange:
    base = Fixed(lambda Z: (Z[:, 0] > 0).astype(int))

    def test_float32_holds_few_steps(self):
        g = smoothed(self.base, sigma=1.0, n=50)
        edge = np.array([[2.0**8 - 41]], np.float32)
        assert g.predict(edge) == [1]
        message = (
            "outside the representable range: with noise, inputs may reach 297, but "
            r"float32 .* up to 256\. .*grid=3\.05176e-05 .*astype"
        )
        far = np.array([[0.0], [257.0], [-1.0]], np.float32)
        with pytest.raises(ValueError, match=message):
            g.predict(far)
        assert g.predict(far.astype(float)).tolist() == [-1, 1, 0]
        assert smoothed(self.base, sigma=1.0, grid=2.0**-15).predict(far)[1] == 1

    def test_float64(self):
        with pytest.raises(ValueError, match="float64 holds all .* coarser grid"):
            smoothed(self.base, sigma=1.0).predict(np.array([[2.0**38]]))

    @pytest.mark.parametrize("sigma", [1e-38, 1e38])
    def test_of_the_exponent(self, sigma):
        g = smoothed(self.base, sigma=sigma)
        with pytest.raises(ValueError, match="under- or overflow float32: scale X"):
            g.predict(np.zeros((1, 1), np.float32))
        with pytest.raises(ValueError, match="scale X"):
            g.predict(np.full((1, 1), 3e38, np.float32))
        assert g.predict(np.array([[10 * sigma]])) == [1]

    @pytest.mark.parametrize("library", [pd, pl])
    def test_of_columns(self, library):
        """Each in its own dtype."""
        base = Fixed(lambda frame: np.asarray(frame["a"] > 0).astype(int))
        columns = {"a": np.array([100.0]), "b": np.array([1.0], np.float32)}
        g = smoothed(base, sigma=0.5)
        assert g.predict(library.DataFrame(columns)) == [1]
        columns["b"] = np.array([200.0], np.float32)
        with pytest.raises(ValueError, match="float32 holds all"):
            g.predict(library.DataFrame(columns))

    def test_float16_columns(self):
        base = Fixed(lambda frame: np.zeros(len(frame), int))
        frame = pd.DataFrame({"a": np.array([1.0], np.float16)})
        # narwhals up to 2.0 does not know this type
        with pytest.raises(ValueError, match=r"float16|'a' \(Unknown\)"):
            smoothed(base).predict(frame)


class TestClassifier:
    g = smoothed(DecisionTreeClassifier(random_state=0), stopping="fixed").fit(X, y)
    few = slice(None, None, 5)

    def test_radius_is_less_by_the_loss(self):
        c = self.g.certify(X)
        step, unit = 2.0**-17, 0.5
        np.testing.assert_array_equal(
            c.radius_loss,
            rounding_loss(X, round_to_grid(X, 0.5, step), 0.5, step),
        )
        full = np.maximum(unit * norm.ppf(c.p_lower), 0)
        np.testing.assert_allclose(c.radius, np.maximum(full - c.radius_loss, 0))
        assert np.all(c.radius[c.certified] < full[c.certified])
        # at most h sqrt(d): a few millionths here
        assert np.all(c.radius_loss <= step * 2)
        assert self.g.set_params(grid=None).certify(X).radius_loss is None
        self.g.set_params(grid="auto")

    def test_a_coarse_grid_costs_certificates(self):
        fine = self.g.certify(X)
        coarse = smoothed(self.g.estimator_, grid=0.125, n=1000).certify(X)
        assert 0 < coarse.certified.sum() < fine.certified.sum()
        assert np.all(coarse.prediction[~coarse.certified] == -1)

    def test_recertify_keeps_the_loss(self):
        g = smoothed(DecisionTreeClassifier(random_state=0), grid=0.0625).fit(X, y)
        c = g.certify(X)
        again = c.recertify(alpha=0.05)
        expected = g.set_params(alpha=0.05).certify(X)
        np.testing.assert_array_equal(again.radius, expected.radius)
        np.testing.assert_array_equal(again.prediction, expected.prediction)
        early = g.certify(X, radius_tol=0.1)
        np.testing.assert_allclose(
            early.radius,
            np.maximum(0.5 * norm.ppf(early.p_lower) - early.radius_loss, 0),
        )
        again = early.recertify(alpha=0.01)
        np.testing.assert_allclose(
            again.radius,
            np.maximum(0.5 * norm.ppf(again.p_lower) - early.radius_loss, 0),
        )

    @pytest.mark.parametrize("bound", ["cohen", "joint", "multiclass"])
    def test_certified_correct_equals_certify_with_fixed_n(self, bound):
        g = smoothed(self.g.estimator_, grid=0.0625, stopping="fixed", bound=bound)
        c = g.certify(X)
        radii = np.array([0.0, 0.2, 0.5, 0.9])
        expected = ((c.prediction == y) & c.certified)[:, None]
        expected = expected & (c.radius[:, None] >= radii)
        correct = g.certified_correct(X, y, radii)
        if bound == "joint":  # pays for selecting, which is not needed here
            assert np.all(correct >= expected)
        else:
            np.testing.assert_array_equal(correct, expected)
        scores = certified_accuracy_scorer(0.2)(g, X, y)
        assert scores == correct[:, 1].mean()

    def test_sequential_is_like_fixed(self):
        settings = {"grid": 0.03125, "n": 10_000}
        fixed = smoothed(self.g.estimator_, stopping="fixed", **settings)
        sequential = smoothed(self.g.estimator_, **settings)
        radii = [0.0, 0.3, 0.6]
        a = fixed.certified_correct(X, y, radii).mean(axis=0)
        b = sequential.certified_correct(X, y, radii).mean(axis=0)
        assert np.all(a >= b)
        assert np.all(a - b <= 0.03)

    def test_what_is_in_reach_is_reached(self):
        """For an input on the grid; all others lose a little more."""
        base = Fixed(lambda Z: np.ones(len(Z), int))
        g = smoothed(FrozenEstimator(base), n=1000, grid=0.125)
        g.fit(np.zeros((2, 4)), [0, 1])
        x = np.array([[0.0, 1.0, -2.0, 0.125], [0.01, 1.0, -2.0, 0.125]])
        radius = g.certify(x).radius
        assert radius[0] == pytest.approx(g.max_certifiable_radius(), rel=1e-9)
        assert 0.002 < radius[0] - radius[1] < 0.02
        reach = g.max_certifiable_radius(known_label=True)
        with pytest.warns(UserWarning, match="can never be certified"):
            correct = g.certified_correct(x, [1, 1], [reach - 1e-9, reach + 1e-9])
        assert correct.tolist() == [[True, False], [False, False]]
        n = g.required_samples(0.5)
        assert g.set_params(n=n).certify(x).radius[0] >= 0.5
        assert g.set_params(n=n - 1).certify(x).radius[0] < 0.5

    def test_linear_classifiers_are_asked_too(self):
        """On the grid f is what `predict` computes, not a line in real numbers."""
        base = LogisticRegression(max_iter=1000).fit(X, y)
        calls, some = [], X[self.few]
        opaque = Fixed(lambda Z: calls.append(Z.copy()) or base.predict(Z), (0, 1, 2))
        np.testing.assert_array_equal(
            smoothed(base).certify(some).counts, smoothed(opaque).certify(some).counts
        )
        steps = np.concatenate(calls) * 2.0**17
        np.testing.assert_array_equal(steps, np.rint(steps))

    @pytest.mark.parametrize("params", [{"n_jobs": 2}, {"batch_size": 17}])
    def test_same_votes_however_they_are_drawn(self, params):
        some = X[self.few]
        expected = self.g.set_params(n=100).certify(some)
        order = np.random.default_rng(0).permutation(len(some))
        g = clone(self.g).set_params(**params).fit(X, y)
        with joblib.parallel_config(backend="threading"):
            got = g.certify(some[order])
        self.g.set_params(n=1000)
        np.testing.assert_array_equal(got.counts, expected.counts[order])
        np.testing.assert_array_equal(got.radius, expected.radius[order])

    def test_inputs_that_round_to_one_are_equal(self):
        x = np.array([[5.0, 3.0, 2.0, 1.0], [5.0, 3.0, 2.0, 1.0 + 1e-9]])
        c = self.g.certify(x)
        assert c.first_equal.tolist() == [0, 0]
        np.testing.assert_array_equal(c.counts[0], c.counts[1])
        assert c.radius_loss[0] < c.radius_loss[1]

    def test_features_without_noise_stay_as_they_are(self):
        seen = []
        base = Fixed(lambda Z: seen.append(Z.copy()) or np.ones(len(Z), int))
        sigma = np.array([0.5, 0.0, 4.0])
        x = np.array([[0.1, 0.1, 0.1]])
        c = smoothed(base, sigma=sigma, n=100).certify(x)
        seen = np.concatenate(seen)
        assert np.all(seen[:, 1] == 0.1)
        for column, step in ((0, 2.0**-17), (2, 2.0**-14)):
            np.testing.assert_array_equal(seen[:, column] / step % 1, 0)
        own = x - np.rint(x * 2.0 ** np.array([17, 9, 14])) * [2.0**-17, 0, 2.0**-14]
        own = np.linalg.norm(own[:, [0, 2]] / sigma[[0, 2]])
        assert c.radius_loss == pytest.approx(own + 2.0**-17 * np.sqrt(2), rel=1e-9)

    @pytest.mark.parametrize("library", [pd, pl])
    def test_frames(self, library):
        columns = {f"x{j}": X[:, j] for j in range(4)}
        frame = library.DataFrame({**columns, "k": np.arange(150) % 3})
        sigma = [0.5] * 4 + [0]
        g = smoothed(DecisionTreeClassifier(random_state=0), sigma=sigma)
        c = g.fit(frame, y).certify(frame)
        seen = []

        def label(some):
            seen.append(some)
            return g.estimator_.predict(some)

        base = Fixed(label, (0, 1, 2))
        d = smoothed(base, sigma=sigma, random_state=0).certify(frame)
        assert np.mean(c.prediction == d.prediction) > 0.9
        seen = seen[1:]  # the first is one input as it is
        steps = np.concatenate([s[list(columns)].to_numpy() for s in seen]) * 2.0**17
        np.testing.assert_array_equal(steps, np.rint(steps))
        assert set(np.concatenate([np.asarray(s["k"]) for s in seen])) == {0, 1, 2}

    def test_a_pipeline_is_asked_as_a_whole(self):
        base = make_pipeline(StandardScaler(), DecisionTreeClassifier(random_state=0))
        c = smoothed(base).fit(X, y).certify(X)
        assert c.certified.mean() > 0.7

    def test_exact_needs_none(self):
        g = smoothed(DecisionTreeClassifier().fit(X, y), method="exact")
        for method in (g.predict, g.certify, g.predict_proba):
            with pytest.raises(ValueError, match="Set grid=None"):
                method(X)


def test_rule_with_a_loss_of_zero_is_the_rule_without():
    """At every count and look; given up a little later at most by rounding."""
    looks = np.array([100, 200, 400])
    rule = CertifyKnownLabel(
        looks,
        0.01,
        np.array([0.0, 0.2, 0.5]),
        Gaussian().bind(0.5),
        label=np.ones(401, int),
    )
    same = CertifyKnownLabel(
        looks, 0.01, rule.radii, rule.noise, rule.label, loss=np.full(401, 1e-300)
    )
    for look, n in enumerate(looks):
        k = np.arange(n + 1)
        counts = np.column_stack([n - k, k])
        args = (np.full(n + 1, look), k, counts)
        accepted, settled = rule(*args)
        again, settled_again = same(*args)
        np.testing.assert_array_equal(accepted, again)
        if look < 2:
            np.testing.assert_array_equal(settled, settled_again)


@settings(derandomize=True, deadline=None, max_examples=200)
@given(st.floats(0, 10), st.floats(1e-12, 3))
def test_radius_after_loss_is_rounded_down(radius, loss):
    left = float(radius_after_loss(radius, loss))
    assert Fraction(left) <= max(Fraction(radius) - Fraction(loss), 0)
    assert left >= radius - loss - 1e-14
    assert radius_after_loss(radius_before_loss(radius, loss), loss) >= radius


def test_radius_after_loss_at_the_ends():
    assert radius_after_loss([np.inf, 0.0], 0.1).tolist() == [np.inf, 0.0]
    assert radius_after_loss(0.3, None) == 0.3
    assert radius_before_loss(0.3, None) == 0.3


class TestNets:
    """Noise is made and rounded on the device."""

    torch = pytest.importorskip("torch")

    def certificate(self, x, label, **params):
        from sksmooth.torch import ModuleClassifier

        torch = self.torch
        seen = []

        class Probe(torch.nn.Module):
            def __init__(self):
                super().__init__()
                self.weight = torch.nn.Parameter(torch.zeros(1, dtype=torch.float32))

            def forward(self, batch):
                seen.append(batch.clone())
                winner = label(batch.flatten(1))
                return torch.nn.functional.one_hot(winner, 2).float()

        f = ModuleClassifier(Probe(), classes=[0, 1])
        c = smoothed(f, **params).certify(x)
        return c, torch.cat(seen).numpy()

    @pytest.mark.parametrize("dtype", BITS)
    def test_the_flaw_and_its_repair(self, dtype):
        def low_bits(batch):
            return (torch.ldexp(batch[:, 0], torch.tensor(24)) % 1 == 0).long()

        torch = self.torch
        one, zero = np.ones((1, 1), dtype), np.zeros((1, 1), dtype)
        for x, grid, answer in [
            (one, None, 1),
            (zero, None, 0),
            (one, "auto", 1),
            (zero, "auto", 1),
        ]:
            c, _ = self.certificate(x, low_bits, sigma=0.33, n=10_000, grid=grid)
            assert c.counts[0].argmax() == answer

    @pytest.mark.parametrize("sigma", [0.33, "array"])
    def test_copies_are_exact_sums_of_rounded_numbers(self, sigma):
        shape = (3, 5, 2)
        if sigma == "array":
            sigma = np.linspace(0, 3, 30).reshape(shape)
        x = np.random.default_rng(0).normal(size=(2, *shape))
        step = np.broadcast_to(grid_step("auto", sigma), shape)
        noise = []
        # float64 inputs are rounded to the grid before they become float32
        for some in (x, round_to_grid(x, sigma, step), x + 1):
            c, seen = self.certificate(
                some, lambda Z: (Z[:, 1] > 0).long(), sigma=sigma, n=100, n0=1
            )
            assert seen.dtype == np.float32
            seen = seen.astype(float)
            noisy = np.broadcast_to(np.asarray(sigma) > 0, shape)
            steps = (seen / step)[:, noisy]
            np.testing.assert_array_equal(steps, np.rint(steps))
            if np.ndim(sigma):
                untouched = seen[:, ~noisy]
                expected = some[:, ~noisy].astype(np.float32)
                assert set(untouched.ravel()) == set(expected.ravel().astype(float))
            noise.append(c.counts)
        np.testing.assert_array_equal(noise[0], noise[1])

    def test_masses_of_rounded_noise(self):
        n, step = 100_000, 0.25
        x = np.full((1, 1), 3.0, np.float32)
        _, seen = self.certificate(
            x, lambda Z: (Z[:, 0] > 3).long(), sigma=1.0, n=n, n0=1, grid=step
        )
        steps = np.rint((seen[-n:, 0] - 3) / step).astype(int)
        edges = np.arange(-12, 14) - 0.5
        expected = n * np.diff(norm.cdf(np.r_[-np.inf, edges[1:-1] * step, np.inf]))
        counts = np.bincount(np.clip(steps, -12, 12) + 12, minlength=25)
        assert stats.chisquare(counts, expected).pvalue > 1e-3

    @pytest.mark.parametrize("dtype", ["float32", "float64"])
    def test_what_a_gpu_does(self, dtype):
        """The same operations with torch, here on the CPU."""
        from sksmooth.noise._on_device import DeviceNormals, DeviceStream

        torch = self.torch
        sigma = np.array([0.33, 0.0, 5.0])
        step, x = grid_step("auto", sigma), np.array([1.5, 0.1, -2.0])
        dtype = getattr(torch, dtype)
        key, cpu = stream_key(0, "estimate", b"x"), torch.device("cpu")
        out = torch.empty((1000, 3), dtype=dtype)
        drawn = DeviceNormals(sigma, step, (3,), dtype, cpu)
        device_stream = drawn.open(key)
        for some in (out[:10], out[10:]):
            drawn.copies(torch.as_tensor(x), device_stream, some)
        normals = torch.empty((1000, 3), dtype=torch.float64)
        DeviceStream(key, (3,), torch.float64, cpu).draw(normals)
        expected = (np.rint(normals.numpy() * (sigma / step)) + x / step) * step
        expected = torch.as_tensor(expected).to(dtype)
        np.testing.assert_array_equal(out.numpy(), expected.numpy())

    def test_other_devices_get_noise_from_the_host(self):
        from sksmooth.votes.voters._net_noise import PlainNoise

        torch = self.torch
        values, step = np.array([[1.5, -2.0]]), 2.0**-17
        key, cpu = stream_key(0, "estimate", b"x"), torch.device("cpu")
        copies = []
        for host_only in (False, True):
            device = torch.device("mps") if host_only else cpu
            noise = Gaussian().bind(0.5, step)
            noise = PlainNoise(noise, (2,), torch.float32, device).on(values)
            assert noise.drawn_there is None
            copies.append(torch.empty((50, 2)))
            noise.fill(0, noise.open(key), copies[-1])
        np.testing.assert_array_equal(*(one.numpy() for one in copies))

    def test_range(self):
        x = np.full((1, 1), 200.0)
        with pytest.raises(ValueError, match="float32 holds all"):
            self.certificate(x, lambda Z: (Z[:, 0] > 3).long(), sigma=0.5)

    def test_a_net_behind_a_scaler_is_asked_through_predict(self):
        from skorch import NeuralNetClassifier

        torch = self.torch
        net = NeuralNetClassifier(
            torch.nn.Linear,
            module__in_features=4,
            module__out_features=3,
            criterion=torch.nn.CrossEntropyLoss,
            max_epochs=30,
            lr=0.1,
            train_split=None,
            verbose=0,
        )
        f = make_pipeline(StandardScaler(), net)
        f.fit(X.astype(np.float32), y.astype(np.int64))
        some = X[::10].astype(np.float32)
        g = smoothed(f, n=500, sigma=0.25)
        a = g.certify(some)
        b = g.set_params(grid=None).certify(some)
        both = a.certified & b.certified
        assert both.mean() > 0.4
        np.testing.assert_array_equal(a.prediction[both], b.prediction[both])

    @pytest.mark.parametrize("kind", ["predict", "net"])
    def test_shared_noise(self, kind):
        """Copies are on the grid, and the example is sound."""
        x = np.array([[0.0], [1.0]], np.float32)
        params = {"sigma": 0.33, "n": 1000, "shared_noise": True}
        torch, seen = self.torch, []

        def bits(Z):
            seen.append(np.asarray(Z).copy())
            return (np.asarray(Z, float)[:, 0] * 2.0**24 % 1 == 0).astype(int)

        answers = {}
        for grid in (None, "auto"):
            seen.clear()
            if kind == "net":
                c, copies = self.certificate(
                    x, lambda Z: torch.as_tensor(bits(Z)), grid=grid, **params
                )
            else:
                c = smoothed(Fixed(bits), grid=grid, **params).certify(x)
                copies = np.concatenate(seen)
            answers[grid] = c.prediction.tolist()
        assert answers == {None: [0, 1], "auto": [1, 1]}
        steps = copies.astype(float) * 2.0**18
        np.testing.assert_array_equal(steps, np.rint(steps))
