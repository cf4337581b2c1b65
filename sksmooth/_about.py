"""What certificates are about, as numbers and texts that JSON can hold."""

from hashlib import blake2b

import numpy as np

from ._versions import platform_in_use, versions_in_use
from .noise import Noise, SparseFlip
from .noise._with_flips import WithFlips
from .stats._certify import BOUNDS

# Raise it when entries get another meaning.
FORMAT = 1

# Noise levels that are listed one by one.
_MOST_LEVELS = 1_000


def about(certificate):
    """Return all that a certificate knows but its answers: settings, and where made.

    Nothing in it tells the noise that was drawn.

    Parameters
    ----------
    certificate : Certificate

    Returns
    -------
    entries : dict
        Of what JSON can hold, with "format" for its version.
    """
    kind = certificate.noise
    proof = kind.bind(certificate.sigma)
    with_flips = isinstance(kind, WithFlips)
    of_numbers = kind.noise if with_flips else kind
    places = certificate.categorical
    places = getattr(kind, "places", ()) if places is None else places
    names = _names(certificate)
    per_input = {
        int(row): int(first)
        for row, first in enumerate(certificate.first_equal)
        if row != first
    }
    loss = certificate.radius_loss
    return {
        "format": FORMAT,
        "noise": Noise.in_words.fget(of_numbers),
        "noise_in_words": of_numbers.in_words,
        "flip": kind.flip if with_flips else None,
        "of_flags": isinstance(kind, SparseFlip),
        "has_sigma": bool(proof.scales and getattr(kind, "numbers", True)),
        "norm": certificate.norm,
        "closed": bool(proof.closed),
        "sigma": _levels(certificate, names, places),
        "radius_unit": "input" if np.ndim(certificate.sigma) == 0 else "sigma",
        "changeable_categories": int(getattr(kind, "n_changeable", 0)),
        # Columns by name; of categories, how many values they have.
        "categories": [
            [names(place), int(n_values)]
            for place, n_values in zip(
                places, getattr(kind, "n_values", ()), strict=True
            )
        ],
        "rounded": [names(place) for place in certificate.rounded],
        "noisy_features": _whole(certificate.n_noisy),
        "n": int(certificate.n),
        "n0": _n0(certificate),
        "looks": [int(look) for look in certificate.looks],
        "alpha": float(certificate.alpha),
        "bound": certificate.bound,
        "is_distance": bool(certificate.is_distance),
        "shared_noise": bool(certificate.shared_noise),
        "grid": loss is not None,
        "largest_radius_loss": float(np.max(loss, initial=0))
        if loss is not None
        else 0,
        "projected": bool(certificate.projected),
        "classes": [_plain(label) for label in certificate.classes],
        "n_inputs": len(certificate.first_equal),
        "n_certified": int(np.sum(certificate.certified)),
        # The place of each input that equals an earlier one, and that of the first.
        "repeats": {str(row): first for row, first in per_input.items()},
        "versions": versions_in_use(),
        "platform": platform_in_use(),
    }


def _names(certificate):
    """Return a function from the place of a column to what it is called."""
    names = certificate.feature_names
    return lambda place: f"column {place}" if names is None else str(names[place])


def _levels(certificate, names, categories):
    """Return noise levels: one number, by column, as lists, or as what tells them."""
    sigma = certificate.sigma
    if np.ndim(sigma) == 0:
        return float(sigma)
    known = certificate.feature_names is not None
    if known and np.shape(sigma) == np.shape(certificate.feature_names):
        numbers = [k for k in range(len(sigma)) if k not in set(categories)]
        if len(numbers) <= _MOST_LEVELS:
            return {names(k): float(sigma[k]) for k in numbers}
    if np.size(sigma) <= _MOST_LEVELS:
        return np.asarray(sigma).tolist()
    levels = np.ascontiguousarray(sigma, dtype=np.float64)
    return {
        "array of shape": list(levels.shape),
        "least": float(levels.min()),
        "largest": float(levels.max()),
        "without noise": int(np.sum(levels == 0)) - len(categories),
        "hash": blake2b(levels.tobytes(), digest_size=16).hexdigest(),
    }


def _plain(label):
    label = label.item() if isinstance(label, np.generic) else label
    return label if isinstance(label, (bool, int, float, str)) else str(label)


def _n0(certificate):
    """Return how many votes of their own selected the class."""
    chosen, bound = certificate.selection_counts, BOUNDS.get(certificate.bound)
    if bound is None or not bound.needs_selection or chosen is None or not len(chosen):
        return 0
    return int(chosen[0].sum())


def _whole(number):
    return None if number is None else int(number)
