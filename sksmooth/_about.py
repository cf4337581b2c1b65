"""What certificates are about, as numbers and texts that JSON can hold."""

from hashlib import blake2b

import numpy as np

from ._versions import platform_in_use, versions_in_use
from .noise import SparseFlip
from .noise._with_flips import WithFlips

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
    places = getattr(kind, "places", None) or ()
    per_input = {
        int(row): int(first)
        for row, first in enumerate(certificate.first_equal)
        if row != first
    }
    chosen = certificate.selection_counts
    loss = certificate.radius_loss
    return {
        "format": FORMAT,
        "noise": _told(kind.noise if isinstance(kind, WithFlips) else kind),
        "flip": kind.flip if isinstance(kind, WithFlips) else None,
        "of_flags": isinstance(kind, SparseFlip),
        "has_sigma": bool(proof.scales and getattr(kind, "numbers", True)),
        "norm": certificate.norm,
        "closed": bool(proof.closed),
        "sigma": _levels(certificate.sigma, certificate.feature_names, places),
        "radius_unit": "input" if np.ndim(certificate.sigma) == 0 else "sigma",
        "changeable_categories": int(getattr(kind, "n_changeable", 0)),
        "noisy_features": _whole(certificate.n_noisy),
        "n": int(certificate.n),
        "n0": 0 if chosen is None or not len(chosen) else int(chosen[0].sum()),
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


def _told(kind):
    """Return a kind of noise with all its parameters, those by default included."""
    params = kind.get_params(deep=False).items()
    given = ", ".join(f"{name}={value!r}" for name, value in params)
    return f"{type(kind).__name__}({given})"


def _levels(sigma, names, places):
    """Return noise levels: one number, by column, as lists, or as what tells them."""
    if np.ndim(sigma) == 0:
        return float(sigma)
    if names is not None and np.shape(sigma) == (len(names),):
        numbers = [k for k in range(len(names)) if k not in set(places)]
        if len(numbers) <= _MOST_LEVELS:
            return {str(names[k]): float(sigma[k]) for k in numbers}
    if np.size(sigma) <= _MOST_LEVELS:
        return np.asarray(sigma).tolist()
    levels = np.ascontiguousarray(sigma, dtype=np.float64)
    return {
        "array of shape": list(levels.shape),
        "least": float(levels.min()),
        "largest": float(levels.max()),
        "hash": blake2b(levels.tobytes(), digest_size=16).hexdigest(),
    }


def _plain(label):
    label = label.item() if isinstance(label, np.generic) else label
    return label if isinstance(label, (bool, int, float, str)) else str(label)


def _whole(number):
    return None if number is None else int(number)
