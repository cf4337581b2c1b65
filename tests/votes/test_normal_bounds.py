"""Bounds on the normal distribution function, against 50 digits."""

import mpmath
import numpy as np

from sksmooth.noise._gaussian import BoundGaussian


def test_both_sides_hold():
    """scipy's ndtr errs to both sides: without either margin this fails."""
    rng = np.random.default_rng(0)
    u = np.concatenate([rng.uniform(-37, 0, 1000), rng.normal(size=1000)])
    below, above = BoundGaussian.cdf_bounds(u, u)
    with mpmath.workdps(50):
        exact = [mpmath.ncdf(mpmath.mpf(float(one))) for one in u]
        assert all(mpmath.mpf(float(b)) <= e for b, e in zip(below, exact, strict=True))
        assert all(mpmath.mpf(float(a)) >= e for a, e in zip(above, exact, strict=True))
