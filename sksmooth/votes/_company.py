"""Does an answer to an input depend on the other inputs in the batch?

Then the base classifier is no function of one input, and votes certify nothing. A net
that uses statistics of the batch in eval mode is such a case, or a step of a Pipeline
that standardises what it gets, fills its gaps, or cuts off what is far from the rest.
A few noisy copies are enough to see it: the same ones are asked for in two batches of
one size, so that rounding is the same in both, and without company. Few labels are near
enough to a boundary to change: what steps return, and scores, are compared as well.
"""

import warnings
from contextlib import contextmanager, nullcontext
from functools import cache, partial

import numpy as np

from .._seeding import seeded_votes
from ..models._find_nets import net_at_end, nets_in
from ..models._nets import Settled, as_predict_takes
from ..models._unwrap import unwrap
from ._company_answers import (
    labels_differ,
    members_of,
    numbers_differ,
    outputs_differ,
    ranks_differ,
    scores_of,
    transform_of,
)
from ._company_batches import (
    FAR,
    NEAR,
    Batch,
    calm_batches,
    moved,
    n_copies,
    some_rows,
    two_batches,
)

# Difference of outputs, relative to the largest, that is no rounding: where the size
# of the batch is the same; and where it is another.
_TOLERANCE = {"cpu": 1e-4}
_ELSEWHERE = _OTHER_SIZE = 1e-2
_HALF_PRECISION = 0.1

# How much of the largest answer rounding may change, if f is no net: float32 is enough.
_ROUNDING = 1e-6

# How often both batches have to be answered as before, in turns, if their answers
# differ: else they are random.
_REPEATS = 8


def depends_on_company(recognised, classes, inputs, doubts=None):
    """Tell whether answers were seen to depend on the other inputs of a batch.

    Parameters
    ----------
    recognised : Recognised

    classes : ndarray of shape (n_classes,), or None
        None: answers are numbers, which rounding may change.

    inputs : Inputs

    doubts : list, default=None
        Gets what speaks against the outputs being what a net says they are, in words.

    Returns
    -------
    depends : bool
        False where answers are random, or fail: that is not for here.
    """
    if recognised.plain:
        return False
    estimator, fed = recognised.estimator, None
    rows, kinds = some_rows(inputs)
    inputs = inputs.take(rows).as_dense()
    if recognised.net is not None:
        fed = recognised.feed(inputs)
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        with _same_draws(recognised, inputs):
            # A step that mixes features may do more than that: it is asked, too.
            if fed is not None and fed.factor is None:
                return _net_depends(recognised, classes, fed, kinds, doubts)
            asked, dtype = as_predict_takes(estimator, inputs.values.dtype)
            are_numbers = classes is None
            inputs = inputs.as_dtype(dtype)
            return _predict_depends(asked, inputs, kinds, are_numbers)


def why_no_certificate(estimator):
    """Return the message where answers depend on the company."""
    name = type(estimator).__name__
    if net_at_end(unwrap(estimator)) is not None:
        hint = (
            "In a net this comes from BatchNorm with track_running_stats=False, from "
            "batch_norm(training=True), or from a softmax or mean over dim=0."
        )
    else:
        hint = (
            "In a Pipeline this comes from a step that computes means, ranks, "
            "percentiles or the like of the rows it transforms, where it should use "
            "those seen in fit, or draws noise from a fixed seed, which is other noise "
            "in another place of the batch."
        )
    return (
        f"{name} answers differently to the same input in other company: its answer "
        "depends on the other inputs in the batch, so it is no function of one input, "
        f"which is what smoothing is about. {hint}"
    )


def _net_depends(recognised, classes, fed, kinds, doubts):
    import torch

    from ..models._net_modes import ready
    from ..models._net_outputs import doubt

    view, dtype = recognised.voter.net, recognised.settled.dtype
    if view.first is None:
        view = (view.plain or view).twin()
    else:
        plain = Settled("eager", dtype, False, False)
        view = ready(recognised.net, classes, fed, plain)
    unseen = [] if doubts is None else [doubts]  # until outputs have been looked at
    size = 1 if view.convolves else n_copies(fed.values)  # deep nets take long

    def output(batch):
        values = torch.from_numpy(batch.values.astype(np.float32)).to(view.device)
        output = view.output(values)
        if unseen:
            found = doubt(view.name, view.said, values, output, view.output)
            unseen.pop().extend([] if found is None else [found])
        output = output.reshape(len(values), -1)
        return output.float().cpu().numpy()[batch.asked]

    company = _company_of(fed, kinds, size)
    half = dtype is not None or view.dtype.itemsize < 4
    tolerance = _tolerance(view.device, half)
    differ = partial(numbers_differ, tolerance=tolerance)
    differ_by_size = partial(ranks_differ, tolerance=max(tolerance, _OTHER_SIZE))
    return _depends(output, company, differ, differ_by_size, {size, 1}, fed)


def _predict_depends(estimator, inputs, kinds, are_numbers=False):
    nets, size = nets_in(estimator), n_copies(inputs.values)
    company = _company_of(inputs, kinds, size)
    calm = calm_batches(company(FAR)[0], inputs)
    tolerance = max(map(_tolerance_of, nets), default=_TOLERANCE["cpu"])
    rounding = tolerance if nets else _ROUNDING
    outputs = partial(outputs_differ, tolerance=tolerance, rounding=rounding)

    def depends(method, differ, differ_by_size, sizes, calm):
        def ask(batch):
            # A copy: what the estimator does to it must not reach the next question.
            X = inputs.assemble(batch.values.copy(), batch.rows)
            return np.asarray(method(X))[batch.asked]

        return _depends(ask, company, differ, differ_by_size, sizes, inputs, calm)

    if are_numbers:
        found = depends(estimator.predict, outputs, outputs, {size, 1}, calm)
    else:
        found = depends(estimator.predict, labels_differ, labels_differ, {size}, ())
    if found:
        return True
    transform = transform_of(estimator)
    if transform and depends(transform, outputs, outputs, {size}, calm):
        return True
    members = members_of(estimator)
    if any(_predict_depends(one, inputs, kinds, are_numbers) for one in members):
        return True
    scores = None if are_numbers else scores_of(estimator)
    if scores is None:
        return False
    differ = partial(numbers_differ, tolerance=tolerance)

    def differ_by_size(a, b):
        a, b = np.log(a), np.log(b)  # what a softmax was taken of, but for a constant
        return ranks_differ(a, b, max(tolerance, _OTHER_SIZE))

    sizes = {size} if nets and hasattr(estimator, "predict_proba") else ()
    return depends(scores, differ, differ_by_size, sizes, calm)


def _company_of(source, kinds, size):
    """Return two batches, as a function of how far their company is."""
    return cache(lambda far: two_batches(source, kinds, size, far))


def _depends(ask, company, differ, differ_by_size, sizes, source, calm=()):
    """Are answers to the same copies other ones, and no random ones?

    Parameters
    ----------
    ask : callable
        Takes a Batch, and returns answers to the copies that count.

    company : callable
        Takes how far the company is, and returns a pair of Batch.

    differ : callable
        Takes answers to the same copies, in batches of one size.

    differ_by_size : callable
        The same for batches of two sizes.

    sizes : collection of int
        How many of the copies to ask for without company, too.

    source : Inputs or Fed
        What they are copies of.

    calm : sequence of (Batch, int)
        Further batches in which one of the copies counts, and which of them.
    """
    for far in (FAR, NEAR):
        first, second = company(far)
        try:
            a, b = ask(first), ask(second)
        except Exception:  # as of a logarithm, where the company is negative
            continue
        try:
            if differ(a, b):
                return _steady(ask, [(first, a), (second, b)], differ)
        except Exception:
            return False
        break
    else:  # explained where votes are drawn
        return False

    def in_calm(a, b, place):
        # Beside the others, whose spread says what a large difference is.
        return differ(a, np.concatenate([a[:place], b, a[place + 1 :]]))

    def in_part(a, b):
        return differ_by_size(a[: len(b)], b)

    others = [(batch, partial(in_calm, place=place), differ) for batch, place in calm]
    for n in sizes:
        values, rows = (part[first.asked][:n] for part in first[:2])
        alone = Batch(values, rows, slice(n))
        others.append((alone, in_part, differ_by_size))
    for other, differs, by_rounding in others:
        try:
            b = ask(other)
            if (
                differs(a, b)
                and _steady(ask, [(first, a), (other, b)], differ)
                and not _rounding(ask, first, a, source, by_rounding)
            ):
                return True
        except Exception:  # as of a BatchNorm that wants two rows, or squeeze()
            continue
    return False


def _steady(ask, answered, differ):
    """Are both batches answered as before, whenever they are asked?"""
    return not any(
        differ(answers, ask(batch))
        for _ in range(_REPEATS)
        for batch, answers in answered
    )


def _rounding(ask, batch, answers, source, differ):
    """May answers change by rounding, which depends on the size of a batch?"""
    return any(
        differ(answers, ask(moved(batch, source, seed))) for seed in range(_REPEATS)
    )


def _tolerance(device, half):
    tolerance = _TOLERANCE.get(device.type, _ELSEWHERE)
    return max(tolerance, _HALF_PRECISION) if half else tolerance


def _tolerance_of(net):
    module = getattr(net, "module_", getattr(net, "module", None))
    if isinstance(module, type) or module is None:  # that skorch makes one of
        return _TOLERANCE["cpu"]
    found = [
        _tolerance(p.device, p.is_floating_point() and p.dtype.itemsize < 4)
        for p in module.parameters()
    ]
    return max(found, default=_TOLERANCE["cpu"])


@contextmanager
def _same_draws(recognised, inputs):
    """Seed torch where there are nets; leave the global generators as they were."""
    state = np.random.get_state()
    try:
        with (
            seeded_votes(0, "select", inputs, [0])
            if recognised.has_nets
            else nullcontext()
        ):
            yield
    finally:
        np.random.set_state(state)
