"""Does an answer to an input depend on the other inputs in the batch?

Then the base classifier is no function of one input, and votes certify nothing. A net
that uses statistics of the batch in eval mode is such a case, or a step of a Pipeline
that standardises what it gets. A few noisy copies are enough to see it: the same ones
are asked for in two batches of one size, so that rounding is the same in both.
"""

import sys
import warnings
from contextlib import contextmanager, nullcontext

import numpy as np

from ._find_nets import find_net, nets_in
from ._grid import round_to_grid
from ._linear import linear_scores
from ._mlp import mlp_layers
from ._nets import Settled, as_predict_takes, direct
from ._trees import is_sum_of_trees

# Copies that are asked for, and as many for company; of large inputs fewer, so that
# they hold about this many numbers.
_COPIES, _NUMBERS = 16, 2**20

# Rows that are looked at for one far from the first.
_ROWS = 64

# Difference of outputs, relative to the largest, that is no rounding.
_TOLERANCE = {"cpu": 1e-4}
_ELSEWHERE = 1e-2


def depends_on_company(estimator, classes, inputs, net_options=None):
    """Tell whether answers were seen to depend on the other inputs of a batch.

    Parameters
    ----------
    estimator : fitted classifier

    classes : ndarray of shape (n_classes,)

    inputs : Inputs

    net_options : dict, Settled or None

    Returns
    -------
    depends : bool
        False where answers are random, or fail: that is not for here.
    """
    if is_sum_of_trees(estimator):
        return False
    if linear_scores(estimator) is not None or mlp_layers(estimator) is not None:
        return False  # each copy is computed by itself, or all of them plainly
    inputs = inputs.take(_spread(inputs.values))
    net, fed, reason = direct(estimator, inputs, {"push_forward": False})
    with warnings.catch_warnings(), np.errstate(all="ignore"), _same_draws(estimator):
        warnings.simplefilter("ignore")
        if net is not None and reason is None:
            return _net_depends(net, classes, fed, net_options)
        return _labels_depend(*as_predict_takes(estimator, inputs))


def why_no_certificate(estimator):
    """Return the message where answers depend on the company."""
    name = type(estimator).__name__
    if find_net(estimator) is not None:
        hint = (
            "In a net this comes from BatchNorm with track_running_stats=False, from "
            "batch_norm(training=True), or from a softmax or mean over dim=0."
        )
    else:
        hint = (
            "In a Pipeline this comes from a step that computes means, ranks or the "
            "like of the rows it transforms, where it should use those seen in fit."
        )
    return (
        f"{name} answers differently to the same input in other company: its answer "
        "depends on the other inputs in the batch, so it is no function of one input, "
        f"which is what smoothing is about. {hint}"
    )


def _net_depends(net, classes, fed, net_options):
    import torch

    from ._net_modes import ready

    if isinstance(net_options, Settled):
        dtype = net_options.dtype
    else:
        dtype = (net_options or {}).get("dtype")
    view = ready(net, classes, fed, Settled("eager", dtype, False, False))
    values = fed.values
    size = 1 if view.convolves else _n_copies(values)  # deep nets take long

    def noise(n, shift=False):
        if fed.factor is None:
            return _noise((n, *values.shape[1:]), values.dtype, fed.sigma, shift)
        return _noise((n, len(fed.factor)), values.dtype, 1.0, shift) @ fed.factor

    def output(batch):
        batch = torch.from_numpy(batch.astype(np.float32)).to(view.device)
        return view.output(batch).reshape(len(batch), -1).float().cpu().numpy()

    (first, _), (second, _) = _two_batches(values, noise, size)
    if fed.grid is not None:
        first, second = (
            round_to_grid(one, fed.sigma, fed.grid) for one in (first, second)
        )
    try:
        a, b = output(first)[::2], output(second)[::2]
    except Exception:  # explained where votes are drawn
        return False
    scale = np.abs(a[np.isfinite(a)]).max(initial=0)
    tolerance = _TOLERANCE.get(view.device.type, _ELSEWHERE)
    if dtype is not None or view.dtype.itemsize < 4:
        tolerance = max(tolerance, 0.1)

    def differ(a, b, tolerance):
        return not np.allclose(a, b, rtol=0, atol=tolerance * scale, equal_nan=True)

    if not differ(a, b, tolerance):
        try:
            alone = output(first[:1])
        except Exception:  # as of a BatchNorm that wants two rows, or squeeze()
            return False
        # Of another size: rounding is another, so that the winner has to be another.
        b, tolerance = np.concatenate([alone, a[1:]]), max(tolerance, 1e-2)
        winners = [_winners(part[:1]) for part in (a, b)]
        if winners[0] == winners[1] or not differ(a, b, tolerance):
            return False
    return not differ(a, output(first)[::2], tolerance)  # else it is random


def _winners(outputs):
    if outputs.shape[1] == 1:
        return (outputs[:, 0] > 0).tolist()
    return outputs.argmax(axis=1).tolist()


def _labels_depend(estimator, inputs):
    values = inputs.values

    def noise(n, shift=False):
        return _noise((n, *values.shape[1:]), values.dtype, inputs.sigma, shift)

    first, second = _two_batches(values, noise, _n_copies(values))

    def labels(batch, rows):
        # A copy: what the estimator does to it must not reach the next question.
        if inputs.grid is None:
            batch = batch.copy()
        else:
            batch = round_to_grid(batch, inputs.sigma, inputs.grid)
        X = inputs.assemble(batch, rows)
        return np.asarray(estimator.predict(X))[::2]

    try:
        a = labels(*first)
        if np.array_equal(a, labels(*second)):
            return False
        return np.array_equal(a, labels(*first))  # else it is random
    except Exception:  # explained where votes are drawn
        return False


def _n_copies(values):
    return max(1, min(_COPIES, _NUMBERS // max(1, values[0].size)))


def _noise(shape, dtype, level, shift):
    """Return noise of a level; if `shift`, far from 0 and on one side of it."""
    rng = np.random.default_rng(shape[0] + shift)
    noise = rng.standard_normal(shape, dtype)
    if shift:
        noise = 10 * np.abs(noise, out=noise)
    return noise * np.asarray(level, dtype)


def _two_batches(values, noise, size):
    """Return two batches with the same copies in the even places; and whose they are.

    The company in the first are copies of an input that is far from the first one,
    under noise that shifts them; in the second, copies of the first input.
    """
    rows = np.zeros(2 * size, int)
    rows[::2] = np.linspace(0, len(values) - 1, size).astype(int)
    second = rows.copy()
    rows[1::2] = _far_from_the_first(values)
    own = values[second] + noise(2 * size)
    first = own.copy()
    first[1::2] = values[rows[1::2]] + noise(size, shift=True)
    return (first, rows), (own, second)


def _far_from_the_first(values):
    away = (values - values[0]).reshape(len(values), -1)
    return np.einsum("ij,ij->i", away, away).argmax()


def _spread(values):
    n_rows = max(2, min(_ROWS, _NUMBERS // max(1, values[0].size)))
    return np.unique(np.linspace(0, len(values) - 1, n_rows).astype(int))


@contextmanager
def _same_draws(estimator):
    """Leave the global generators as they were."""
    state = np.random.get_state()
    torch = sys.modules["torch"] if nets_in(estimator) else None
    used = torch is not None and torch.cuda.is_initialized()
    devices = range(torch.cuda.device_count()) if used else ()
    try:
        with torch.random.fork_rng(devices=devices) if torch else nullcontext():
            yield
    finally:
        np.random.set_state(state)
