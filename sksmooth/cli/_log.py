"""The log of a run of certify or predict, as text."""

from dataclasses import replace

import numpy as np

from ..logs._write import certification_text, prediction_text
from ._streams import say

# The Cohen log format has no word for "at any radius".
_ENDLESS = 1e9


def log_of_certificate(certificate, y, idx, seconds=0.0):
    """Return the log of certificates, and their radii as they stand in it.

    Parameters
    ----------
    certificate : Certificate

    y : array-like or None

    idx : ndarray of int

    seconds : float, default=0.0
        Of all inputs together.

    Returns
    -------
    text : str

    radius : ndarray of float
    """
    radius = certificate.radius
    endless = np.isinf(radius)
    if np.any(endless):
        say(
            f"Note: {np.sum(endless)} inputs are certified at any radius, written as "
            f"{_ENDLESS:g}."
        )
        radius = np.where(endless, _ENDLESS, radius)
    # With what it knows: an answer may be certified at a radius of 0.
    written = replace(certificate, radius=radius)
    columns = {"idx": idx, "time": np.full(len(idx), seconds / len(idx))}
    return certification_text(written, y, norm=certificate.norm, **columns), radius


def log_of_prediction(answer, abstain_label, y, idx):
    """Return the log of predictions, and which of them are no abstentions."""
    certain = np.ones(len(idx), bool)
    if abstain_label is not None:
        certain = answer != abstain_label
    return prediction_text(answer, certain, y, idx=idx), certain
