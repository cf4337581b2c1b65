"""Neural nets: training under noise, and bare modules as classifiers. Needs torch."""

try:
    import torch as _torch  # noqa: F401
except ImportError as error:
    raise ImportError(
        "sksmooth.torch needs torch: pip install 'sksmooth[torch]'."
    ) from error

from ._attack import SmoothedPGD
from ._catrs import CATRS
from ._consistency import ConsistencyLoss
from ._decision import DecisionAttack
from ._deepfool import DeepFool
from ._layers import GaussianNoise
from ._macer import MACER
from ._module import ModuleClassifier
from ._normalize import Normalize
from ._prepared import PrepareCopies
from ._robust_accuracy import empirical_robust_accuracy
from ._smoothadv import SmoothAdv
from ._smoothmix import SmoothMix
from ._stability import Stability

__all__ = [
    "CATRS",
    "ConsistencyLoss",
    "DecisionAttack",
    "DeepFool",
    "GaussianNoise",
    "MACER",
    "ModuleClassifier",
    "Normalize",
    "PrepareCopies",
    "SmoothAdv",
    "SmoothMix",
    "SmoothedPGD",
    "Stability",
    "empirical_robust_accuracy",
]
