"""From an estimator and inputs to votes: how often each class is predicted under noise.

Knows no statistics. One module an idea: `_inputs` (rows, whatever the container),
`_noise` (the only source of random numbers; on a device: `_device_noise`), one file a
voter (`_any`, `_linear`, `_torch`), `_nets` (what is a net, without torch),
`_torch_net` and `_net_modes` (how a net is evaluated; with `_torch_engines` and
`_torch_push`), `_engine` (batches, looks,
parallel), `_exact` (probabilities without votes; with `_exact_axes`, `_exact_trees`,
`_exact_stumps`, `_exact_sums`).
"""

from ._affine import pulls_back
from ._any import check_one_row
from ._engine import Votes, count_votes, settle
from ._exact import exact_probabilities
from ._inputs import Inputs, check_sigma, check_some_noise
from ._nets import as_net_takes, find_net, labels_for_net
from ._noise import noisy_training_set

__all__ = [
    "Inputs",
    "Votes",
    "as_net_takes",
    "check_one_row",
    "check_sigma",
    "check_some_noise",
    "count_votes",
    "exact_probabilities",
    "find_net",
    "labels_for_net",
    "noisy_training_set",
    "pulls_back",
    "settle",
]
