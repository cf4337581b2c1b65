"""Gaussian noise: its closed forms, and the bounds that they stand for."""

from itertools import product

import mpmath
import numpy as np
import pytest

from sksmooth.noise import FAMILIES, BoundNoise, Gaussian, Noise, find_noise
from sksmooth.noise._gaussian import BoundGaussian
from tests.stats.test_directed_rounding import mp, phi, quantile


class Searched(BoundGaussian):
    """What follows from `worst` alone, as for a noise without closed forms."""

    needed = BoundNoise.needed
    radius = BoundNoise.radius
    radius_of_rest = BoundNoise.radius_of_rest


def searched(sigma):
    return Searched(Gaussian(), sigma)


SHARES = [1e-300, 1e-100, 1e-16, 1e-9, 1e-3, 0.2, 0.4999, 0.5, 0.5001, 0.8, 0.999]
SHARES += [1 - 1e-9, 1 - 2.0**-52, 1 - 2.0**-53]
DISTANCES = [0.0, 1e-12, 1e-6, 0.01, 0.3, 1.0, 2.5, 6.0, 8.0, 20.0]


class TestWorst:
    """Against 50 digits: never on the wrong side, and hardly off."""

    noise = Gaussian().bind(0.7)

    @pytest.fixture(autouse=True)
    def digits(self):
        with mpmath.workdps(50):
            yield

    def test_is_rounded_down(self):
        for p, distance in product(SHARES, DISTANCES):
            exact = phi(quantile(mp(p)) - mp(distance))
            worst = mp(float(self.noise.worst(p, distance)))
            assert worst <= exact
            if exact > 1e-290:  # below there are few digits
                assert worst >= exact * (1 - mp(1e-8))

    def test_is_as_near_as_it_matters(self):
        """Where radii are decided, a loss of 1e-11 at most."""
        for p, distance in product([0.5, 0.6, 0.9, 0.999], [0.0, 0.1, 1.0, 3.0]):
            exact = phi(quantile(mp(p)) - mp(distance))
            worst = mp(float(self.noise.worst(p, distance)))
            assert exact * (1 - mp(2e-11)) <= worst <= exact

    def test_upper_is_rounded_up(self):
        for p, distance in product(SHARES, DISTANCES):
            exact = phi(quantile(mp(p)) + mp(distance))
            upper = mp(float(self.noise.upper(p, distance)))
            assert exact <= upper <= 1
            # It is known by 1 - p, which a rounding may move.
            more = min(mp(p) + mp(2.0**-51), mp(1 - 2.0**-53))
            at_least = phi(quantile(more) + mp(distance))
            assert upper <= max(exact, at_least) + mp(2e-9)

    def test_random_points(self):
        rng = np.random.default_rng(0)
        p, distance = rng.random(300), rng.exponential(1.5, 300)
        worst, upper = self.noise.worst(p, distance), self.noise.upper(p, distance)
        for one, d, low, high in zip(p, distance, worst, upper, strict=True):
            z = quantile(mp(one))
            assert mp(low) <= phi(z - mp(d)) <= mp(low) * (1 + mp(1e-9))
            assert phi(z + mp(d)) <= mp(high) <= phi(z + mp(d)) + mp(1e-9)

    def test_at_the_ends(self):
        assert self.noise.worst([0.0, 0.0], [0.0, 3.0]).tolist() == [0, 0]
        assert self.noise.upper([1.0, 1.0], [0.0, 3.0]).tolist() == [1, 1]
        assert np.all(self.noise.worst([1.0, 1.0], [0.0, 60.0]) <= 1)
        assert np.all(self.noise.worst(1.0, 60.0) > 0.99)
        assert np.all(self.noise.upper(0.0, [0.0, 60.0]) >= 0)
        assert np.all(self.noise.upper(0.0, [0.0, 60.0]) < 1e-8)

    def test_goes_one_way(self):
        p, distance = np.linspace(0, 1, 1001), np.linspace(0, 9, 401)
        assert np.all(np.diff(self.noise.worst(p[:, None], [0.0, 1.0]), axis=0) >= 0)
        assert np.all(np.diff(self.noise.worst(0.9, distance)) <= 0)
        assert np.all(np.diff(self.noise.upper(0.1, distance)) >= 0)


class TestClosedForms:
    """What is searched for by `worst` alone is the same, on the safe side."""

    @pytest.mark.parametrize("sigma", [0.1, 1.0, 37.0])
    def test_radius(self, sigma):
        p = np.array([0.0, 0.3, 0.5, 0.500001, 0.7, 0.99, 1 - 1e-12])
        closed, found = Gaussian().bind(sigma).radius(p), searched(sigma).radius(p)
        assert np.all(found <= closed)
        np.testing.assert_allclose(found, closed, rtol=1e-7, atol=1e-10 * sigma)
        assert found[:3].tolist() == closed[:3].tolist() == [0, 0, 0]
        assert Gaussian().bind(sigma).radius(1.0) == np.inf
        assert searched(sigma).radius(1.0) >= 60 * sigma

    def test_radius_of_two(self):
        rng = np.random.default_rng(0)
        p_a = rng.uniform(0, 1, 400)
        p_b = (1 - p_a) * rng.uniform(0, 1, 400)
        closed = Gaussian().bind(0.5).radius(p_a, p_b)
        found = searched(0.5).radius(p_a, p_b)
        assert np.all(found <= closed)
        np.testing.assert_allclose(found, closed, rtol=1e-7, atol=1e-9)
        assert 50 < np.sum(closed == 0) < 350
        np.testing.assert_array_equal(found[p_a <= p_b], 0)

    def test_radius_of_rest(self):
        rest = np.array([0.0, 1e-12, 0.1, 0.3, 0.5, 0.6, 0.7, 1.0])
        runner_up = np.array([0.0, 1e-12, 0.1, 0.2, 0.5, 0.3, 0.2, 0.9])
        closed = Gaussian().bind(0.5).radius_of_rest(rest, runner_up)
        found = searched(0.5).radius_of_rest(rest, runner_up)
        assert closed[0] == np.inf and found[0] > 30 * 0.5
        assert np.all(found <= closed)
        # 1 - 1e-12 has four digits that tell it from 1.
        np.testing.assert_allclose(found[1:], closed[1:], rtol=1e-5, atol=1e-9)
        assert np.sum(found > 0) == np.sum(closed > 0) == 6

    @pytest.mark.parametrize("sigma", [0.1, 1.0, 37.0])
    def test_needed(self, sigma):
        radius = sigma * np.array([0.0, 1e-6, 0.2, 1.0, 3.0, 5.0])
        closed = Gaussian().bind(sigma).needed(radius)
        found = searched(sigma).needed(radius)
        assert np.all(found >= closed)
        np.testing.assert_allclose(found, closed, rtol=0, atol=1e-11)
        # What is above it is certified there.
        for noise in (Gaussian().bind(sigma), searched(sigma)):
            above = noise.needed(radius) + 1e-10
            assert np.all(noise.radius(above) >= radius)

    def test_one_sigma_a_feature(self):
        """Then radii are in multiples of it."""
        noise = Gaussian().bind(np.array([0.5, 2.0]))
        assert noise.unit == 1.0
        assert Gaussian().bind(np.float64(0.5)).unit == 0.5
        np.testing.assert_array_equal(
            noise.radius([0.7, 0.9]), Gaussian().bind(1.0).radius([0.7, 0.9])
        )


class TestAsAnObject:
    def test_bound_to_a_level(self):
        noise = Gaussian().bind(0.25)
        assert (noise.norm, noise.is_normal, noise.step) == ("l2", True, None)
        other = noise.at(np.array([0.5, 1.0]), 2.0**-10)
        assert type(other) is BoundGaussian and other.kind is noise.kind
        assert repr(noise) == "Gaussian().bind(0.25, None)"
        assert repr(other) == "Gaussian().bind([0.5, 1.0], 0.0009765625)"
        assert noise.at(0.5).sigma == 0.5

    def test_found_by_name_or_instance(self):
        assert type(find_noise("gaussian")) is Gaussian
        mine = Gaussian()
        assert find_noise(mine) is mine
        assert all(issubclass(kind, Noise) for kind in FAMILIES.values())

    @pytest.mark.parametrize("noise", ["gauss", "", None, 0.5, Gaussian, np.ones(3)])
    def test_not_found(self, noise):
        message = "noise must be one of 'gaussian'.* or an instance of a kind of noise"
        with pytest.raises(ValueError, match=message):
            find_noise(noise)

    def test_names_of_the_past(self):
        for noise, shared in (("shared", True), ("independent", False)):
            message = f"noise='{noise}' is now shared_noise={shared}: noise names"
            with pytest.raises(ValueError, match=message):
                find_noise(noise)

    def test_a_kind_needs_two_methods(self):
        """What is abstract, and nothing else."""
        assert BoundNoise.__abstractmethods__ == {"copies", "worst"}

    def test_defaults_of_drawing(self):
        """Noise alone, and added, is what copies have; what is NaN stays."""
        noise = Gaussian().bind(0.5)
        x = np.array([1.0, np.nan, -3.0])
        copies, alone, sums = np.empty((3, 5, 3))
        noise.copies(x, noise.open(bytes(32)), copies)
        noise.alone(noise.open(bytes(32)), alone)
        noise.add(x, alone, sums)
        np.testing.assert_array_equal(sums, copies)
        assert np.all(np.isnan(copies[:, 1]))
        with pytest.raises(ValueError, match="overflows float32"):
            large = np.array([3.4e38, 0, 0], np.float32)
            out = np.empty((9, 3), np.float32)
            noise.at(1e38).copies(large, noise.open(bytes(32)), out)
