"""What certificates prove, in words and numbers, for those who did not make them."""

from typing import NamedTuple

import numpy as np
from sklearn.utils.validation import check_consistent_length

from ._about import about
from ._claims import proved_share
from ._columns import check_order
from ._labels import as_labels, label_indices
from ._statement_text import text_of
from .noise._norms import check_norm
from .stats import lower_confidence_bound, population_accuracy_lower_bound
from .stats._checks import check_radius
from .votes.run._fingerprint import hash_estimator


class Share(NamedTuple):
    """How many inputs are right and certified at a radius."""

    radius: float
    found: float  # of these inputs
    proved: float | None  # of these inputs, with probability 1 - rho; None: see `why`
    population: float | None
    why_no_population: str = ""
    why_not_proved: str = ""


def statement(certificate, y_true, radius, norm, changes, rho, model):
    """Return what `Certificate.statement` does."""
    if certificate.projected:
        raise ValueError("a projection certifies nothing: there is nothing to state.")
    entries = about(certificate)
    norm = check_norm(norm, certificate.norm)
    radii = certificate.radius_for(norm, changes)
    certified = certificate.certified_for(changes)
    shares = []
    if y_true is not None:
        shares = _shares(
            certificate, entries, y_true, radius, norm, changes, rho, radii, certified
        )
    if model is not None:
        base = vars(model).get("estimator_", getattr(model, "estimator", model))
        entries["model"] = {
            "kind": type(base).__name__,
            "fingerprint": hash_estimator(base),
        }
    return text_of(
        entries, radii, certified, shares, norm=norm, changes=changes, rho=rho
    )


def _shares(certificate, entries, y_true, radius, norm, changes, rho, radii, certified):
    check_order(y_true, certificate.index, "y_true")
    y_true = as_labels(y_true, "y_true")
    check_consistent_length(y_true, radii)
    at = check_radius(radius).ravel()
    right = label_indices(y_true, certificate.classes) == certificate.selected
    right &= certified
    proved = proved_share(certificate, y_true, at, norm, changes, rho, None)
    return [
        share_at(entries, one, int(np.sum(right & (radii >= one))), rho, float(bound))
        for one, bound in zip(at, proved, strict=True)
    ]


def share_at(entries, radius, n_found, rho, proved, why_not_proved=""):
    """Return a Share, given how many inputs were found right and certified.

    Parameters
    ----------
    entries : dict
        See ``about``.

    radius : float

    n_found : int

    rho : float

    proved : float or None
        Share of these inputs that is proved.

    why_not_proved : str, default=""
    """
    n_inputs, alpha = entries["n_inputs"], entries["alpha"]
    population, why = None, ""
    if alpha == 0:  # what was found is true: only the sample is left to chance
        population = float(lower_confidence_bound(n_found, n_inputs, rho))
    elif entries["shared_noise"]:
        why = "all inputs had the same noise, so their errors may go together"
    elif entries["repeats"]:
        why = "some inputs are equal and so share their noise"
    else:
        population = float(
            population_accuracy_lower_bound(n_found, n_inputs, alpha=alpha, rho=rho)
        )
    found = n_found / n_inputs
    return Share(float(radius), found, proved, population, why, why_not_proved)
