"""Inputs that occur several times, by exact enumeration of what can be found."""

from itertools import product

import numpy as np
import pytest
from scipy.optimize import linprog

from sksmooth.stats import certified_accuracy_lower_bound
from sksmooth.stats._repeats import certified_weight_lower_bound

WEIGHTS = [
    (1, 1, 1, 1, 1),
    (1, 2, 3, 1, 5),
    (10, 1, 1, 1, 1),
    (4, 4, 1, 4),
    (0.3, 0.7, 0.1, 2.5),
]
LEVELS = [(0.05, 0.01), (0.2, 0.05), (0.3, 0.3), (0.001, 0.001), (0.01, 0.1)]


def bound(found, weight, alpha, rho, independent=True):
    reach = np.where(found, 1.0, -np.inf)
    return float(
        certified_weight_lower_bound(
            reach,
            np.array(weight, float),
            np.array(0.5),
            alpha=alpha,
            rho=rho,
            independent=independent,
        )
    )


def outcomes(m):
    return [np.array(some, bool) for some in product([False, True], repeat=m)]


@pytest.mark.parametrize("weight", WEIGHTS, ids=str)
@pytest.mark.parametrize(("alpha", "rho"), LEVELS)
def test_level_by_enumeration(weight, alpha, rho):
    """Whichever are truly certified, and whichever of these are found."""
    m = len(weight)
    proved = {tuple(f): bound(f, weight, alpha, rho) for f in outcomes(m)}
    for truly in outcomes(m):
        true_weight = np.dot(truly, weight)
        for found_truly in outcomes(m):
            if np.any(found_truly & ~truly):
                continue
            failure = 0.0
            for falsely in outcomes(m):
                if np.any(falsely & truly):
                    continue
                if proved[tuple(found_truly | falsely)] > true_weight:
                    n_false = falsely.sum()
                    n_not = (~truly).sum() - n_false
                    failure += alpha**n_false * (1 - alpha) ** n_not
            assert failure <= rho * (1 + 1e-9)


@pytest.mark.parametrize("weight", [(1, 2, 3, 1), (10, 1, 1), (1, 1, 1, 1)], ids=str)
@pytest.mark.parametrize(
    ("alpha", "rho"), [(0.05, 0.06), (0.02, 0.1), (0.009, 0.04), (0.2, 0.1)]
)
def test_level_under_any_dependence(weight, alpha, rho):
    """The worst joint distribution of the false finds, by a linear program."""
    m = len(weight)
    all_outcomes = outcomes(m)
    proved = {tuple(f): bound(f, weight, alpha, rho, False) for f in all_outcomes}
    assert alpha > rho or any(proved.values())
    for truly in all_outcomes:
        true_weight = np.dot(truly, weight)
        falsely = [f for f in all_outcomes if not np.any(f & truly)]
        some_truly = [f for f in all_outcomes if not np.any(f & ~truly)]
        fails = [
            any(proved[tuple(f | t)] > true_weight for t in some_truly) for f in falsely
        ]
        worst = linprog(
            -np.array(fails, float),
            A_ub=np.array(falsely, float).T,
            b_ub=np.full(m, alpha),
            A_eq=np.ones((1, len(falsely))),
            b_eq=[1.0],
        )
        assert -worst.fun <= rho * (1 + 1e-7)


@pytest.mark.parametrize(("alpha", "rho"), LEVELS)
def test_equal_weights_are_the_bound_for_distinct_inputs(alpha, rho):
    m = 40
    for n_found in range(m + 1):
        found = np.arange(m) < n_found
        expected = certified_accuracy_lower_bound(n_found, m, alpha=alpha, rho=rho)
        assert bound(found, np.ones(m), alpha, rho) == expected
        assert bound(found, np.full(m, 3), alpha, rho) == 3 * expected


def test_the_heaviest_are_charged_at_every_radius():
    rng = np.random.default_rng(0)
    m = 60
    for weight in (rng.integers(1, 5, m).astype(float), rng.random(m) + 0.1):
        reach = np.where(rng.random(m) < 0.2, -np.inf, rng.integers(0, 9, m) / 4)
        radius = np.linspace(0, 2.5, 24).reshape(4, 6)
        options = {"alpha": 0.05, "rho": 0.01, "independent": True}
        together = certified_weight_lower_bound(reach, weight, radius, **options)
        for r, share in zip(radius.ravel(), together.ravel(), strict=True):
            found = np.sort(weight[reach >= r])
            n = certified_accuracy_lower_bound(len(found), m, alpha=0.05, rho=0.01)
            assert share == pytest.approx(found[:n].sum(), abs=1e-9)
            assert share <= found[:n].sum()


def test_exact_certificates_are_charged_nothing():
    reach, weight = np.array([1.0, -np.inf, np.inf]), np.array([2.0, 1.0, 3.0])
    options = {"alpha": 0.0, "rho": 0.01, "independent": True}
    found = certified_weight_lower_bound(reach, weight, np.array([0.0, 2.0]), **options)
    assert found.tolist() == [5.0, 3.0]
