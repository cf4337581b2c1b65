"""What the votes behind certificates prove besides: at other levels, all together."""

import numpy as np
from sklearn.utils.validation import check_consistent_length

from ._columns import as_pair, as_weights, check_order
from ._labels import as_labels, label_indices, name_classes
from .noise._norms import known_norm, told_norm
from .stats import holm, lower_confidence_bound, split_alpha
from .stats._certify import BOUNDS, bounds_from_lower, certify_votes
from .stats._checks import check_level, check_radius
from .stats._projection import projected_counts
from .stats._radius import (
    certified_after_loss,
    radius_after_loss,
    radius_before_loss,
)
from .stats._repeats import certified_weight_lower_bound
from .stats._simultaneous import inverted_pvalue

# The bounds of certificates that rest on no votes, and hold at any level.
CERTAIN = ("exact", "analytic")

_EPS = np.finfo(float).eps


def told_answers(certificate, norm, changes=0):
    """Return predictions, their radii in a norm that is told, and which are certified.

    Parameters
    ----------
    certificate : Certificate, or pair (prediction, radius)
        A pair does not know its norm: its radii are taken to be in the one told.

    norm : {"l1", "l2", "linf", "edits"} or None

    changes : int, default=0
        Categories that may change as well.

    Raises
    ------
    ValueError
        If there is no such norm, or if none is told and that of the certificate is not
        l2; if there are changes and no categories.
    """
    prediction, radius = as_pair(certificate)
    if not hasattr(certificate, "radius_for"):
        known_norm(norm)
        if changes != 0:
            raise ValueError(
                f"changes={changes!r} needs a Certificate: a pair (prediction, radius) "
                "knows nothing of categories."
            )
        return prediction, radius, radius > 0
    radius = certificate.radius_for(told_norm(norm, certificate.norm), changes)
    return prediction, radius, certificate.certified_for(changes)


def votes_of_selected(certificate):
    """Return the number of votes for each selected class."""
    columns = certificate.selected[:, None]
    return np.take_along_axis(certificate.counts, columns, axis=1)[:, 0]


def recertified(certificate, alpha, bound, n):
    """Return the fields that `Certificate.recertify` changes, as a dict."""
    alpha = certificate.alpha if alpha is None else alpha
    if np.ndim(alpha):
        raise ValueError(f"alpha must be a single number, got {alpha!r}.")
    bound = certificate.bound if bound is None else bound
    if bound not in (*BOUNDS, certificate.bound):
        raise ValueError(f"bound must be one of {sorted(BOUNDS)}, got {bound!r}.")
    if certificate.bound in CERTAIN:
        if n is not None:
            raise ValueError(
                f"an {certificate.bound} certificate has no votes to project."
            )
        return {}  # true at any level
    if certificate.selection_counts is None and BOUNDS[bound].needs_selection:
        raise ValueError(
            f"bound={bound!r} needs separate votes for the selection, and a 'joint' "
            "certificate has none: certify again."
        )
    # What counts is that drawing might have stopped, not whether it did.
    sequential = len(certificate.looks) > 1
    if sequential and (bound != "cohen" or n is not None):
        raise ValueError(
            "votes that might have stopped early (radius_tol) can be certified "
            "again only with bound='cohen' and without n."
        )
    counts = certificate.counts
    counts = counts if n is None else projected_counts(counts, n)
    noise = certificate.noise.bind(certificate.sigma)
    if sequential:
        look = np.searchsorted(certificate.looks, certificate.n_used)
        alphas = split_alpha(alpha, len(certificate.looks))[look]
        votes = votes_of_selected(certificate)
        p_lower = lower_confidence_bound(votes, certificate.n_used, alphas)
        bounds = bounds_from_lower(certificate.selected, p_lower, noise)
    else:
        bounds = certify_votes(
            counts, certificate.selection_counts, alpha, bound, noise
        )
    loss = certificate.radius_loss
    radius = radius_after_loss(bounds.radius, loss)
    certified = certified_after_loss(
        noise, radius, loss, bounds.p_lower, bounds.p_upper
    )
    return {
        "prediction": name_classes(
            bounds.selected, certified, certificate.classes, certificate.abstain_label
        ),
        "radius": radius,
        "certified": certified,
        "p_lower": bounds.p_lower,
        "p_upper": bounds.p_upper,
        "selected": bounds.selected,
        "counts": counts,
        "n_used": counts.sum(axis=1),
        "n": certificate.n if n is None else int(n),
        "looks": certificate.looks if n is None else np.array([int(n)]),
        "alpha": alpha,
        "bound": bound,
        "projected": certificate.projected or n is not None,
    }


def proved_share(certificate, y_true, radius, norm, changes, rho, sample_weight):
    """Return what `Certificate.certified_accuracy_lower_bound` does, as an array."""
    if certificate.projected:
        raise ValueError("a projection certifies nothing.")
    rho, norm = float(check_level(rho, "rho")), told_norm(norm, certificate.norm)
    check_order(y_true, certificate.index, "y_true")
    y_true, weight = as_labels(y_true, "y_true"), as_weights(sample_weight)
    check_consistent_length(y_true, certificate.radius, weight)
    weight = np.ones(len(y_true)) if weight is None else weight
    counted = np.flatnonzero(weight)
    if not len(counted):
        raise ValueError("there are no inputs, so there is no certified share.")
    weight = weight[counted]
    _, group = np.unique(certificate.first_equal[counted], return_inverse=True)
    n_distinct = int(group.max()) + 1
    independent = not certificate.shared_noise
    # A little below, so that rounding does not cost an input.
    alpha = rho / n_distinct * (1 - 1e-12)
    if not independent and certificate.alpha > alpha:
        certificate = certificate.recertify(alpha=alpha)
    right = label_indices(y_true, certificate.classes) == certificate.selected
    # Equal inputs are one input, which reaches only what all of them do.
    reach = np.full(n_distinct, np.inf)
    radii = certificate.radius_for(norm, changes)
    right &= certificate.certified_for(changes)
    reached = np.where(right, radii, -np.inf)
    np.minimum.at(reach, group, reached[counted])
    occurs = np.bincount(group, weight)
    if np.any(weight != np.floor(weight)):
        # At most what they are, however many roundings there were.
        occurs *= 1 - 2 * (len(weight) + 32) * np.finfo(float).eps
    found = certified_weight_lower_bound(
        reach,
        occurs,
        radius,
        alpha=certificate.alpha,
        rho=rho,
        independent=independent,
    )
    return found / weight.sum()


def certified_together(certificate, radius, alpha, norm, changes):
    """Return what `Certificate.simultaneous` does."""
    if certificate.projected:
        raise ValueError("a projection certifies nothing.")
    if np.ndim(alpha) or np.ndim(check_radius(radius)):
        raise ValueError("radius and alpha must be single numbers.")
    alpha, radius = float(check_level(alpha)), float(radius)
    norm = told_norm(norm, certificate.norm)
    radii = certificate.radius_for(norm, changes)  # knows n_noisy, if need be
    if certificate.bound in CERTAIN:
        return certificate.certified_for(changes) & (radii >= radius)
    proof = certificate.noise.bind(certificate.sigma).changed(changes)
    if norm != proof.norm:
        radius = float(proof.from_norm(radius, norm, certificate.n_noisy))
    p_values = _p_values(certificate, radius, alpha, proof)
    # Where a certificate abstains, it names no class that could be claimed.
    p_values = np.where(certificate.certified, p_values, 1.0)
    # Equal inputs have the same class, votes and p-value: one claim.
    _, first, group = np.unique(
        certificate.first_equal, return_index=True, return_inverse=True
    )
    return holm(p_values[first], alpha)[group]


def _p_values(certificate, radius, alpha, proof):
    """Return a p-value for each input: that it is not certified at the radius."""
    bound, loss = BOUNDS[certificate.bound], certificate.radius_loss
    if bound.pvalue is None:

        def certified_at(levels):
            found = certify_votes(
                certificate.counts,
                certificate.selection_counts,
                levels,
                certificate.bound,
                proof,
            )
            left = radius_after_loss(found.radius, loss)
            pair = found.p_lower, found.p_upper
            return certified_after_loss(proof, left, loss, *pair) & (left >= radius)

        return inverted_pvalue(certified_at, len(certificate.radius))
    needed = proof.needed(radius_before_loss(radius, loss))
    # More than the roundings of a distance, and of the function of it.
    needed = np.minimum(needed * (1 + 4 * _EPS), 1.0)
    votes = votes_of_selected(certificate)
    p_values = bound.pvalue(votes, certificate.n_used, needed)
    looks = certificate.looks
    if len(looks) == 1:
        return p_values
    # The votes might have ended at any look: each has its share of every level.
    shares = split_alpha(alpha, len(looks)) / alpha * (1 - _EPS)
    shares = shares[np.searchsorted(looks, certificate.n_used)]
    return np.minimum(p_values / shares * (1 + _EPS), 1.0)
