"""From an estimator and inputs to votes: how often each class is predicted under noise.

Knows no statistics. One module an idea: `_inputs` (rows, whatever the container; with
`_cells`, what is in a frame's cells, and `_missing`, what is not),
`_sigma` (the noise level, as a number, an array or by column; by `_spread`, against
what X varies by),
`_noise` (the only source of random numbers; by `_stream`, which draws NumPy's normals
with `_ziggurat`; on a GPU by `_device_noise`), `_grid` and `_device_grid` (noise that
is added exactly), one file a voter (`_any`, `_linear`, `_mlp`, `_trees`, `_torch` with
`_torch_noise`), `_compiled` (what needs numba: `..._kernel`),
`_find_nets`, `_nets`, `_net_labels` (what is a net, and takes, without torch),
`_torch_net` and `_net_modes` (how a net is evaluated; with `_torch_engines` and
`_torch_push`), `_company` (is the base a function of one input? by
`_company_batches`), `_ties` (which scores noise moves alike), `_engine` (batches,
looks), `_shared` (one noise for all inputs),
`_parallel` (workers), `_progress`, `_store` and `_merge` (votes in a file; with
`_store_file`, `_wal`), `_fingerprint` (the run they are of; with `_contents` and
`_forms`),
`_affine` (steps that are folded into weights; with `_bounded`, which counts roundings),
`_exact` (probabilities without votes; with `_exact_axes`, `_exact_trees`,
`_exact_stumps`, `_exact_sums`).
"""

from ._affine import pulls_back
from ._any import check_one_row
from ._company import depends_on_company, why_no_certificate
from ._engine import Votes, count_votes, settle
from ._exact import exact_probabilities
from ._find_nets import find_net, nets_in
from ._fingerprint import fingerprint
from ._grid import check_grid, grid_step, loss_of_others
from ._inputs import Inputs, numbers
from ._merge import merge_stores
from ._missing import (
    check_may_train,
    check_missing,
    missing_rows,
    training_with_missing,
)
from ._net_labels import check_net_labels, labels_for_nets
from ._nets import as_net_takes, check_devices, seeded_training
from ._noise import noisy_training_set
from ._sigma import (
    check_sigma,
    check_some_noise,
    is_one_number,
    least_levels,
    sigma_by_column,
)
from ._spread import warn_of_little_noise
from ._store import VoteStore

__all__ = [
    "Inputs",
    "VoteStore",
    "Votes",
    "as_net_takes",
    "check_devices",
    "check_grid",
    "check_may_train",
    "check_missing",
    "check_net_labels",
    "check_one_row",
    "check_sigma",
    "check_some_noise",
    "count_votes",
    "depends_on_company",
    "exact_probabilities",
    "find_net",
    "fingerprint",
    "grid_step",
    "is_one_number",
    "labels_for_nets",
    "least_levels",
    "loss_of_others",
    "merge_stores",
    "missing_rows",
    "nets_in",
    "noisy_training_set",
    "numbers",
    "pulls_back",
    "seeded_training",
    "settle",
    "sigma_by_column",
    "training_with_missing",
    "warn_of_little_noise",
    "why_no_certificate",
]
