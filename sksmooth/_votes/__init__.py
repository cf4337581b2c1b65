"""From an estimator and inputs to votes: how often each class is predicted under noise.

Knows no statistics. One module an idea: `_inputs` (rows, whatever the container; with
`_cells`, what is in a frame's cells, and `_missing`, what is not),
`_noise` (the only source of random numbers; by `_stream`, which draws NumPy's normals
with `_ziggurat`; on a GPU by `_device_noise`), `_grid` and `_device_grid` (noise that
is added exactly), one file a voter (`_any`, `_linear`, `_mlp`, `_trees`, `_torch` with
`_torch_noise`), `_compiled` (what needs numba: `..._kernel`),
`_nets` (what is a net, without torch),
`_torch_net` and `_net_modes` (how a net is evaluated; with `_torch_engines` and
`_torch_push`), `_engine` (batches, looks), `_shared` (one noise for all inputs),
`_parallel` (workers), `_progress`, `_store` and `_fingerprint` (votes in a file),
`_exact` (probabilities without votes; with `_exact_axes`, `_exact_trees`,
`_exact_stumps`, `_exact_sums`).
"""

from ._affine import pulls_back
from ._any import check_one_row
from ._engine import Votes, count_votes, settle
from ._exact import exact_probabilities
from ._fingerprint import fingerprint
from ._grid import check_grid, grid_step, loss_of_others
from ._inputs import Inputs, check_sigma, check_some_noise, numbers
from ._missing import (
    check_may_train,
    check_missing,
    missing_rows,
    training_with_missing,
)
from ._nets import as_net_takes, find_net, labels_for_net, seeded_training
from ._noise import noisy_training_set
from ._store import VoteStore, merge_stores

__all__ = [
    "Inputs",
    "VoteStore",
    "Votes",
    "as_net_takes",
    "check_grid",
    "check_may_train",
    "check_missing",
    "check_one_row",
    "check_sigma",
    "check_some_noise",
    "count_votes",
    "exact_probabilities",
    "find_net",
    "fingerprint",
    "grid_step",
    "labels_for_net",
    "loss_of_others",
    "merge_stores",
    "missing_rows",
    "noisy_training_set",
    "numbers",
    "pulls_back",
    "seeded_training",
    "settle",
    "training_with_missing",
]
