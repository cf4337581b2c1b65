"""The numbers of a curve of certified accuracy; nothing is drawn here."""

from numbers import Integral
from typing import NamedTuple

import numpy as np

from .._certificate import Certificate
from .._claims import CERTAIN
from .._columns import as_column
from ..logs._tables import robust_radii
from ..metrics import correct_radii
from ..stats import certified_accuracy_lower_bound, max_certifiable_radius, split_alpha
from ..stats._certify import unanimous_bounds
from ._runs import name_of_settings


class Curve(NamedTuple):
    """Radii that occur, what is known at each, and the number of distinct inputs."""

    radius: np.ndarray
    accuracy: np.ndarray
    lower_bound: np.ndarray | None = None
    max_radius: float | None = None
    n_inputs: tuple | None = None
    projected: bool = False


def curves_of_certificates(y, named, rho, norm, changes):
    """Return a dict of curves: one per certificate, or one for each of the changes."""
    if isinstance(changes, (Integral, tuple)):
        return {
            key: curve_of_certificate(y, each, rho, norm, changes)
            for key, each in named.items()
        }
    curves = {}
    for key, each in named.items():
        for number in changes:
            what = _changed(number)
            name = what if key is None or len(named) == 1 else f"{key}, {what}"
            curves[name] = curve_of_certificate(y, each, rho, norm, number)
    return curves


def _changed(changes):
    """Return what is changed, in words."""
    if isinstance(changes, tuple):  # of sparse flags
        return f"{changes[0]} added, {changes[1]} deleted"
    what = "categories" if changes > 1 else "category"
    return f"{changes or 'no'} {what} changed"


def curve_of_certificate(y, certificate, rho, norm=None, changes=0):
    """Return the curve of a Certificate, or of a pair (prediction, radius)."""
    robust, _ = correct_radii(y, certificate, norm, changes)
    radius, accuracy = _steps(robust)
    knows_alpha = isinstance(certificate, Certificate)
    lower = None
    if rho is not None:
        if not knows_alpha:
            raise ValueError(
                "rho needs a Certificate: a pair (prediction, radius) does not "
                "know its alpha."
            )
        # A radius that is infinite is reached by what reaches every other.
        finite = np.minimum(radius, np.finfo(float).max)
        lower = certificate.certified_accuracy_lower_bound(
            y, radius=finite, norm=norm, changes=changes, rho=rho
        )
    if not knows_alpha:
        return Curve(radius, accuracy, lower)
    n_inputs = (int(certificate.distinct.sum()), len(robust))
    reach = _reach(certificate, norm, changes)
    return Curve(radius, accuracy, lower, reach, n_inputs, certificate.projected)


def name_of_certificate(certificate):
    """Return the settings of a Certificate as the name of its curve; None of a pair."""
    if not isinstance(certificate, Certificate):
        return None
    sigma, n_inputs = certificate.sigma, len(certificate.radius)
    if certificate.noise.bind(sigma).scales:
        level = "sigma by feature" if np.ndim(sigma) else f"sigma = {sigma:g}"
    else:
        level = repr(certificate.noise)  # sigma has no effect on it
    if certificate.bound in CERTAIN:  # without votes, and without an alpha
        return f"{level}, {certificate.bound}, {n_inputs:,} inputs"
    return name_of_settings(level, certificate.n, certificate.alpha, n_inputs)


def name_of_log(curve, sigma, n, alpha):
    """Return what is known of a log as the name of its curve."""
    _, n_inputs = curve.n_inputs
    if sigma is None:
        return f"{n_inputs:,} inputs"
    return name_of_settings(f"sigma = {sigma:g}", n, alpha, n_inputs)


def curve_of_log(log, title, *, sigma, n, alpha, rho):
    """Return the curve of a log, which errors call `title`."""
    robust = robust_radii(log, title)
    if not len(robust):
        raise ValueError(f"{title} has no rows.")
    radius, accuracy = _steps(robust)
    lower = reach = None
    if rho is not None and alpha == 0:
        lower = accuracy  # no certificate rests on votes
    elif rho is not None:
        n_certified = np.rint(accuracy * len(robust)).astype(int)
        lower = certified_accuracy_lower_bound(
            n_certified, len(robust), alpha=alpha, rho=rho
        ) / len(robust)
    if sigma is not None:
        reach = float(max_certifiable_radius(n, sigma, alpha))
        # Logs have three digits, which the reference code rounds to nearest.
        if radius[-1] > reach * 1.005:
            raise ValueError(
                f"{title} has a radius of {radius[-1]:g}, but sigma={sigma:g}, "
                f"n={n} and alpha={alpha:g} reach {reach:.3g} at most. "
                + _alpha_that_fits(radius[-1], sigma, n)
            )
    # Whether inputs occur twice is not in a log.
    return Curve(radius, accuracy, lower, reach, (len(robust), len(robust)))


def _alpha_that_fits(radius, sigma, n):
    """Say at which usual alpha n votes certify a radius, printed with three digits."""
    printed = radius * (1 - 0.5e-2 / float(f"{radius:.2e}"[:4]))
    for alpha in (10.0**power * digit for power in range(-6, 0) for digit in (1, 2, 5)):
        if max_certifiable_radius(n, sigma, alpha) >= printed:
            return (
                f"The log fits alpha={alpha:g} or more, and so were some published "
                f"logs run, whatever the paper says: pass alpha={alpha:g} if this one "
                "was, or the sigma and n of the run."
            )
    return "No usual alpha fits: it was run with another sigma, or more votes."


def common_unit(certificates, told=None):
    """Return the unit that the radii of all certificates have in common.

    Units of unlike sigmas are different units, unless the caller has told one.
    """
    sigmas = [each.sigma for each in certificates if isinstance(each, Certificate)]
    scaled = {np.ndim(sigma) > 0 for sigma in sigmas}
    if len(scaled) > 1:
        raise ValueError(
            "some certificates have radii in units of sigma, others in units of X: "
            "draw them separately."
        )
    if told is not None:
        return told
    if scaled == {True} and not all(np.array_equal(sigmas[0], s) for s in sigmas):
        raise ValueError(
            "the certificates have radii in units of their own sigmas, which differ: "
            "draw them separately, or say with `unit` what all are measured in."
        )
    if any(getattr(each, "norm", None) == "edits" for each in certificates):
        return "tokens"
    return "units of sigma" if scaled == {True} else "units of X"


def by_name(value):
    """Return a dict of several things, or of one without a name."""
    if isinstance(value, dict):
        return value
    if isinstance(value, (list, tuple)):
        for one in value:
            if hasattr(one, "certify") or isinstance(one, Certificate):
                raise TypeError(
                    f"several {type(one).__name__}s need names: pass a dict, "
                    "{'a': ..., 'b': ...}."
                )
    return {None: value}


def number_by_name(value, named, what, *, optional=False):
    """Return a dict of one number for each log.

    Parameters
    ----------
    value : float, or dict of float

    named : dict
        The logs.

    what : str
        Name of the argument, for errors.

    optional : bool, default=False
        Whether a dict may lack some of the logs, which get None.

    Raises
    ------
    TypeError
        If it is a list or another kind of several numbers without names.

    ValueError
        If the names are not those of the logs.
    """
    if not isinstance(value, dict):
        if np.ndim(value):
            raise TypeError(
                f"{what} must be a number, or a dict with the names of the logs, "
                f"{what}={{name: number, ...}}, got a {type(value).__name__}."
            )
        return dict.fromkeys(named, value)
    if set(named) == {None}:
        raise ValueError(f"the only log has no name: pass {what} as a number.")
    wrong = [key for key in value if key not in named]
    if not optional:
        wrong += [key for key in named if key not in value]
    if wrong:
        raise ValueError(
            f"{what} must have the names of the logs, {list(named)}, but has "
            f"{list(value)}."
        )
    return {key: value.get(key) for key in named}


def checked_curves(display):
    """Return the curves that a display was made of, columns of one length."""
    radii = [as_column(each, "radius", float) for each in as_list(display.radius)]
    accuracies = each_of(display.accuracy, len(radii), "accuracies")
    lowers = each_of(display.lower_bound, len(radii), "lower bounds")
    ceilings = each_of(display.max_radius, len(radii), "largest radii")
    projected = each_of(display.projected, len(radii), "of projected")
    columns = (radii, accuracies, lowers, ceilings, projected)
    return [
        Curve(
            radius=x,
            accuracy=_heights(y, x, "accuracy"),
            lower_bound=_heights(low, x, "lower_bound"),
            max_radius=most,
            projected=bool(projects),
        )
        for x, y, low, most, projects in zip(*columns, strict=True)
    ]


def checked_attacks(under_attack):
    """Return a dict of radii and the accuracy under attack at each, by increasing."""
    found = {}
    for name, pair in by_name({} if under_attack is None else under_attack).items():
        radius, accuracy = pair
        radius = as_column(radius, "radius", float)
        accuracy = _heights(accuracy, radius, "accuracy under attack")
        order = np.argsort(radius)
        found[name] = radius[order], accuracy[order]
        if (np.diff(accuracy[order]) > 0).any():
            raise ValueError(
                "accuracy under attack must not grow with the radius: an attack that "
                "succeeds in a ball succeeds in every larger one. "
                "empirical_robust_accuracy takes all radii in one call and ensures "
                "that."
            )
    return found


def each_of(value, n_curves, things):
    """Return a list of one thing a curve: the list given, or the same for all."""
    values = value if isinstance(value, list) else [value] * n_curves
    if len(values) != n_curves:
        raise ValueError(f"{n_curves} curves, but {len(values)} {things}.")
    return values


def as_list(value):
    """Return a list of one, unless it is a list already."""
    return value if isinstance(value, list) else [value]


def _heights(values, radius, name):
    """Return what is known at each radius as a column, None if there is nothing."""
    if values is None:
        return None
    heights = as_column(values, name, float)
    if len(heights) != len(radius):
        raise ValueError(f"{len(radius)} radii, but {len(heights)} of {name}.")
    return heights


def _steps(robust):
    """Return 0 and the radii that occur, and the share that reaches each."""
    radius, n_equal = np.unique(robust[robust > -np.inf], return_counts=True)
    n_reached = n_equal[::-1].cumsum()[::-1]
    if not len(radius) or radius[0] > 0:
        radius = np.append(0.0, radius)
        n_reached = np.append(n_equal.sum(), n_reached)
    return radius, n_reached / len(robust)


def _reach(certificate, norm, changes):
    """Return the radius of an input on which all n votes agree, None if exact."""
    if certificate.bound in CERTAIN:
        return None
    noise = certificate.noise.bind(certificate.sigma).changed(changes)
    reach = unanimous_bounds(
        certificate.n,
        # Where votes might have stopped early, those at the last look reach farthest.
        split_alpha(certificate.alpha, len(certificate.looks))[-1],
        certificate.bound,
        max(2, len(certificate.classes)),
        noise,
    ).radius[0]
    reach = float(reach)
    if norm in (None, noise.norm):
        return reach
    return float(noise.to_norm(reach, norm, certificate.n_noisy))
