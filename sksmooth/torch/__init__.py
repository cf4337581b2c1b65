"""Neural nets: noise while training, and bare modules as classifiers. Needs torch."""

try:
    import torch as _torch  # noqa: F401
except ImportError as error:
    raise ImportError(
        "sksmooth.torch needs torch: pip install 'sksmooth[torch]'."
    ) from error

from ._layers import GaussianNoise
from ._losses import ConsistencyLoss
from ._module import ModuleClassifier

__all__ = ["ConsistencyLoss", "GaussianNoise", "ModuleClassifier"]
