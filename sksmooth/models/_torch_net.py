"""A net as a voter sees it: from a batch on its device to class indices there."""

import copy
import sys
import threading
from contextlib import contextmanager, nullcontext
from functools import partial
from itertools import chain

import torch

from ._close_calls import Margin
from ._net_errors import in_short, wrong_shape

# Images in a forward pass on a CPU: what layers hold of more would leave its caches.
CONVOLVED_AT_ONCE = 96

# Held while a module that could not be copied is in eval mode.
_BORROWED = threading.RLock()


class TorchNet:
    """What a skorch net or ModuleClassifier answers, without leaving the device.

    Parameters
    ----------
    net : skorch net or ModuleClassifier

    classes : ndarray of shape (n_classes,)
        Output k of the module stands for ``classes[k]``.

    autocast : str, default=None
        The dtype that torch's autocast computes in.

    Attributes
    ----------
    device : torch.device

    dtype : torch.dtype
        What the module takes.

    convolves : bool
        Whether copies are images to the net, whose layers then hold far more than it.

    infers_plainly : bool
        Whether nothing but the module is between a batch and its output.

    first : FirstLayer or None
        The layer that noise has been pushed through; the module is what comes after.

    in_engine : bool
        Whether the module is run by an engine that several threads may use.

    said : {"logits", "probabilities"} or None
        What the outputs are, as far as the user said so.

    margin : Margin or None
        Which answers are close calls; None: no answer is asked for again.

    plain : TorchNet or None
        Who decides close calls, in eager mode; None: this one.

    writes : bool or None
        Whether the module writes to its input; None: not known.

    Raises
    ------
    ValueError
        If the module's weights are not on the net's device.
    """

    def __init__(self, net, classes, autocast=None):
        self.name = type(net).__name__
        self.classes = classes
        self.n_classes = len(classes)
        self.threshold = None
        self.autocast = autocast
        self.memory_format = torch.preserve_format
        self.first = None
        self.in_engine = False
        self.plain = self.writes = self.said = None
        skorch = sys.modules.get("skorch")
        is_skorch = skorch is not None and isinstance(net, skorch.NeuralNet)
        module = net.module_ if is_skorch else net.module
        self.module = private_copy(module, None if is_skorch else net.device)
        self.borrowed = self.module is module
        self.device, self.dtype = home(self.module, net.device)
        # Asked here: a frozen module has no parameters any more.
        self.convolves = any(p.ndim > 2 for p in self.module.parameters())
        self.infers_plainly = True
        if is_skorch:
            own = "infer" in vars(net) or type(net).infer is not skorch.NeuralNet.infer
            self.infers_plainly = not own
            self._check_device(net)
            # `infer` is what subclasses adapt; it looks up module_ on its net.
            self._net = shallow_twin(net, self.module)
            self._nonlinearity = net._get_predict_nonlinearity()
            self._softmax = _is_softmax(self._nonlinearity)
            if isinstance(net, skorch.NeuralNetBinaryClassifier):
                self.threshold = net.threshold
                if isinstance(net.criterion_, torch.nn.BCEWithLogitsLoss):
                    self.said = "logits"
        else:
            self._net = None
            self._nonlinearity = net._probabilities
            self._softmax = net.outputs == "logits"
            self.said = net.outputs
        self.margin = self.margin_for(0.0, 0.0)

    def _check_device(self, net):
        if not _is_on(self.device, net.device):
            raise ValueError(
                f"{self.name} has device={net.device!r}, but its weights are on "
                f"{str(self.device)!r}. Move the net by set_params(device=...), not "
                "its module."
            )

    def twin(self):
        """Return a net that answers alike, by a module of its own where one is run.

        The weights are shared. What an engine has made of the module is too: it may be
        run by several threads.
        """
        twin = copy.copy(self)
        if self._net is not None:
            twin._net = shallow_twin(self._net, self.module)
        if not (self.borrowed or self.in_engine):
            twin.replace(private_copy(self.module))
        if self.plain is not None:
            twin.plain = self.plain.twin()
        return twin

    def margin_for(self, difference, scale):
        """Return the margin where scores up to `scale` were seen to differ so much.

        None off the CPU, where telling close calls would hold up the device, and in
        less than single precision, where most calls would be close.
        """
        full = self.autocast is None and self.dtype in (torch.float32, torch.float64)
        if self.device.type != "cpu" or not full:
            return None
        return Margin.seen(difference, scale, self.dtype, self._softmax)

    def replace(self, module):
        """Answer by another module that computes the same."""
        self.module = module
        if self._net is not None:
            vars(self._net)["module_"] = module

    def to_input(self, batch):
        """Return the batch in the dtype and memory format that the module takes."""
        # Noise is drawn with the channels first in any format: it stays the same, and
        # normal_ is six times slower on other strides.
        return batch.to(dtype=self.dtype, memory_format=self.memory_format)

    @property
    def gives_logits(self):
        """Are the outputs logits, as far as the user said so?"""
        return self._softmax or self.said == "logits"

    def infer(self, batch):
        """Return what the net's own way through the module makes of a batch."""
        way = self.module if self._net is None else self._net.infer
        return first_output(way(batch), self.name)

    def output(self, batch):
        """Return what the module makes of a batch."""
        with torch.inference_mode(), self._at_rest(), self.precision():
            output = self.infer(self.to_input(batch))
        if output.ndim == 0 or len(output) != len(batch):
            raise ValueError(
                f"{self.name}'s module returned a tensor of shape "
                f"{tuple(output.shape)} for {len(batch)} inputs; one row each is "
                "needed."
            )
        if output.dtype in (torch.bfloat16, torch.float16):
            output = output.float()  # else many scores would be equal
        return output

    def scores(self, output):
        """Return scores, the largest of which is the answer, shape (n, n_classes)."""
        scores = self._nonlinearity(output)
        if scores.shape != (len(output), self.n_classes):
            raise wrong_shape(self.name, output, len(output), self.classes)
        return scores

    def winners(self, batch):
        """Return the class index of each copy, `n_classes` for one with NaN scores."""
        kept = batch if self.margin is None else batch.clone()
        return self.decide(self.output(batch), kept)

    def decide(self, output, batch):
        """Return the class index for each row of the module's output; see `winners`.

        Parameters
        ----------
        output : tensor of shape (n, ...)

        batch : tensor of shape (n, *shape), or None
            The copies, for close calls to be asked about again. None: they are gone.
        """
        with torch.inference_mode(), self.precision():
            if self.margin is None or batch is None:
                return self._highest(self.scores(output))
            scores = self.ranks(output)
            if self.threshold is None:
                winner, close = self.margin.by_rank(scores)
            else:
                called = scores[:, 1], self.threshold
                winner, close = self.margin.by_threshold(*called)
            if len(close):
                judge = self.plain or self
                winner[close] = torch.cat([judge.alone(batch[one]) for one in close])
            return winner

    def ranks(self, output):
        """Return scores that order the classes of each copy.

        Those of a softmax are its logits: it takes longer, and cannot change a winner
        that is no close call.
        """
        fits = output.shape == (len(output), self.n_classes)
        return output if self._softmax and fits else self.scores(output)

    def alone(self, one):
        """Return the class index of a copy in no company but its own, shape (1,).

        In a batch of two, of which modules that squeeze dimensions leave more than one.
        """
        with torch.inference_mode(), self.precision():
            return self._highest(self.scores(self.scored_alone(one)))

    def scored_alone(self, one):
        """Return what the module makes of a copy in a batch of two, shape (1, ...)."""
        return self.output(one.expand(2, *one.shape).contiguous())[:1]

    def _highest(self, scores):
        # NaN is larger than any number here, and the first of equals is taken.
        highest, winner = scores.max(dim=1)
        if self.threshold is not None:
            winner = (scores[:, 1] > self.threshold).long()
        return winner.masked_fill_(highest.isnan(), self.n_classes)

    def precision(self):
        """Return the context in which the module computes."""
        if self.autocast is None:
            return nullcontext()
        return torch.autocast(self.device.type, getattr(torch, self.autocast))

    @contextmanager
    def _at_rest(self):
        if not self.borrowed:
            yield
            return
        with _BORROWED, eval_mode(self.module):
            yield


def _is_softmax(nonlinearity):
    """Is this what skorch applies to logits?"""
    return (
        isinstance(nonlinearity, partial)
        and nonlinearity.func is torch.softmax
        and (nonlinearity.args, nonlinearity.keywords) == ((), {"dim": -1})
    )


def shallow_twin(net, module):
    """Return a skorch net that shares everything with `net` but has another module."""
    twin = object.__new__(type(net))  # copy.copy would pickle the weights
    vars(twin).update(vars(net), module_=module)
    return twin


def silenced(net):
    """Return `net`, or one like it that adds no noise of its own."""
    module = getattr(net, "module_", None)
    if isinstance(module, torch.nn.Module) and any(
        getattr(part, "is_smoothing_noise", False) for part in module.modules()
    ):
        return shallow_twin(net, private_copy(module))
    return net


class NetParcel:
    """A skorch net that arrives in another process, whatever its module is.

    skorch pickles its module by itself, and so without the help by which joblib sends
    classes that were defined in a notebook or script. The optimizer stays here.
    """

    def __init__(self, net):
        self.net = net

    def __reduce__(self):
        state = {k: v for k, v in vars(self.net).items() if k != "optimizer_"}
        return _unpack, (type(self.net), state)


def _unpack(cls, state):
    net = object.__new__(cls)
    vars(net).update(state)
    return net


def packed(net):
    """Return what becomes `net` once it is unpickled."""
    return NetParcel(net) if hasattr(net, "module_") else net


def first_output(output, name):
    """Return the first tensor of what a module returned, as skorch does."""
    if isinstance(output, (tuple, list)):
        output = output[0]
    if not isinstance(output, torch.Tensor):
        raise ValueError(
            f"{name}'s module returned a {type(output).__name__}; a tensor, or a tuple "
            "that starts with one, is needed."
        )
    return output


def home(module, device=None):
    """Return the device and the dtype of a module's weights.

    One that has none is at home on `device`; None is the CPU.
    """
    tensors = list(chain(module.parameters(), module.buffers()))
    if tensors:
        device = tensors[0].device
    else:  # with its index
        device = torch.empty(0, device=device or "cpu").device
    floats = (t.dtype for t in tensors if t.is_floating_point())
    return device, next(floats, torch.get_default_dtype())


def check_device(device):
    """Raise a ValueError if there is no such device here."""
    if device is None:
        return
    try:
        torch.empty(0, device=device)
    except Exception as error:  # RuntimeError, AssertionError, NotImplementedError
        raise ValueError(
            f"device={str(device)!r} cannot be used here: {in_short(error)}. Leave "
            "device out to run where the weights are, or use 'cpu'; "
            f"torch.cuda.is_available() is {torch.cuda.is_available()}."
        ) from error


def _is_on(device, wanted):
    """Is `device` the one that was wanted, as far as that was said?"""
    if wanted is None:
        return True
    wanted = torch.device(wanted)
    return device.type == wanted.type and wanted.index in (None, device.index)


def private_copy(module, device=None):
    """Return `module` in eval mode, without touching the one of the user.

    The copy shares the weights unless they have to move to another device. A module
    that cannot be copied is returned itself, as it is.
    """
    check_device(device)
    tensors = list(chain(module.parameters(), module.buffers()))
    moves = not all(_is_on(t.device, device) for t in tensors)
    memo = {} if moves else {id(t): t for t in tensors}
    try:
        twin = copy.deepcopy(module, memo)
    except Exception:  # as for the old weight_norm, or what holds open files
        return module.to(device) if moves else module
    if moves:
        twin.to(device)
    twin.eval()
    silence(twin)
    return twin


def silence(module):
    """Switch off layers that would add noise of their own to that of the voter."""
    for part in module.modules():
        if getattr(part, "is_smoothing_noise", False):
            part.in_eval = False


@contextmanager
def eval_mode(module):
    """Put `module` into eval mode, and every part of it back as it was afterwards."""
    before = [
        (part, part.training, getattr(part, "in_eval", None))
        for part in module.modules()
    ]
    try:
        module.eval()
        silence(module)
        yield module
    finally:
        for part, training, in_eval in before:
            part.training = training
            if getattr(part, "is_smoothing_noise", False):
                part.in_eval = in_eval
