"""The numbers of a curve of certified accuracy; nothing is drawn here."""

from typing import NamedTuple

import numpy as np

from .._certificate import Certificate
from .._columns import as_column
from ..logs._tables import robust_radii
from ..metrics import correct_radii
from ..stats import (
    certified_accuracy_lower_bound,
    max_certifiable_radius,
    split_alpha,
)
from ..stats._certify import unanimous_radius


class Curve(NamedTuple):
    """Radii that occur, what is known at each, and the number of distinct inputs."""

    radius: np.ndarray
    accuracy: np.ndarray
    lower_bound: np.ndarray | None = None
    max_radius: float | None = None
    n_inputs: tuple | None = None


def curve_of_certificate(y, certificate, rho):
    """Return the curve of a Certificate, or of a pair (prediction, radius)."""
    robust, _ = correct_radii(y, certificate)
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
        lower = certificate.certified_accuracy_lower_bound(y, radius=finite, rho=rho)
    if not knows_alpha:
        return Curve(radius, accuracy, lower)
    n_inputs = (int(certificate.distinct.sum()), len(robust))
    return Curve(radius, accuracy, lower, _reach(certificate), n_inputs)


def curve_of_log(log, title, *, sigma, n, alpha, rho):
    """Return the curve of a log, which errors call `title`."""
    robust = robust_radii(log, title)
    if not len(robust):
        raise ValueError(f"{title} has no rows.")
    radius, accuracy = _steps(robust)
    lower = reach = None
    if rho is not None:
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
    return Curve(radius, accuracy, lower, reach)


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


def corners(radius, heights):
    """Return the corners of a curve: down to 0 at its end, if it has one."""
    if np.isfinite(radius[-1]):
        return np.append(radius, radius[-1]), np.append(heights, 0.0)
    end = 1.1 * radius[-2] if radius[-2] > 0 else 1.0
    return np.append(radius[:-1], end), heights


def check_heights(values, radii, name):
    """Return what is known at each radius, curve by curve, as columns of one length."""
    heights = [
        each if each is None else as_column(each, name, float) for each in values
    ]
    for radius, height in zip(radii, heights, strict=True):
        if height is not None and len(height) != len(radius):
            raise ValueError(f"{len(radius)} radii, but {len(height)} of {name}.")
    return heights


def label(name, radius, accuracy):
    """Return the name of a curve with the area under it."""
    area = np.sum(np.diff(radius) * accuracy[1:])
    text = f"ACR = {area:.2f}" if np.isfinite(area) else "ACR infinite"
    return text if name is None else f"{name} ({text})"


def _steps(robust):
    """Return 0 and the radii that occur, and the share that reaches each."""
    radius, n_equal = np.unique(robust[robust > -np.inf], return_counts=True)
    n_reached = n_equal[::-1].cumsum()[::-1]
    if not len(radius) or radius[0] > 0:
        radius = np.append(0.0, radius)
        n_reached = np.append(n_equal.sum(), n_reached)
    return radius, n_reached / len(robust)


def _reach(certificate):
    """Return the radius of an input on which all n votes agree, None if exact."""
    if certificate.bound == "exact":
        return None
    alpha = certificate.alpha
    if len(certificate.looks) > 1:
        alpha = split_alpha(alpha, len(certificate.looks))[-1]
    n_classes = max(2, len(certificate.classes))
    noise = certificate.noise.bind(certificate.sigma)
    return unanimous_radius(certificate.n, alpha, certificate.bound, n_classes, noise)
