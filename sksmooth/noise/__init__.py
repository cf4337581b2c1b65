"""Kinds of noise: how they are drawn, and what they prove."""

from ._delete_tokens import DeleteTokens
from ._family import BoundNoise, Noise
from ._gaussian import Gaussian
from ._laplace import Laplace
from ._sparse_flip import SparseFlip
from ._split_noise import Split
from ._uniform import Uniform

__all__ = [
    "BoundNoise",
    "DeleteTokens",
    "Gaussian",
    "Laplace",
    "Noise",
    "SparseFlip",
    "Split",
    "Uniform",
]

# All that the parameter `noise` may be an instance of.
KINDS = (DeleteTokens, Gaussian, Laplace, SparseFlip, Split, Uniform)

# The names that the parameter `noise` may have.
FAMILIES = {"gaussian": Gaussian, "laplace": Laplace, "uniform": Uniform}


def find_noise(noise):
    """Return the Noise that a name or an instance stands for.

    Raises
    ------
    ValueError
        If there is no such name.
    """
    if isinstance(noise, Noise):
        if getattr(noise.bound, "norm", None) is None:
            raise ValueError(
                f"{noise!r} is not a kind of noise that can be drawn: its class needs "
                "`bound`, a BoundNoise with a `norm`."
            )
        return noise
    if isinstance(noise, str) and noise in FAMILIES:
        return FAMILIES[noise]()
    if isinstance(noise, str) and noise in ("shared", "independent"):
        raise ValueError(
            f"noise={noise!r} is now shared_noise={noise == 'shared'}: noise names the "
            "kind of noise, and shared_noise says whether all inputs have the same."
        )
    names = ", ".join(map(repr, FAMILIES))
    raise ValueError(
        f"noise must be one of {names} or an instance of a kind of noise, such as "
        f"sksmooth.noise.Gaussian(), got {noise!r}."
    )
