"""Other ways to run a torch module: frozen graph, compiled code, onnxruntime.

Each takes a module in eval mode and a small batch, and returns a module that computes
the same up to rounding. Whether it does is for ``_net_modes`` to see.
"""

import copy
import inspect
import io
import threading
import warnings
from contextlib import contextmanager
from importlib.util import find_spec
from typing import NamedTuple

import torch

# warnings.catch_warnings is not safe in threads.
_QUIETLY = threading.RLock()

# What onnxruntime prints next to raising an error.
_SILENT = 4


class Engine(NamedTuple):
    """A module that computes what another one does.

    Attributes
    ----------
    module : callable

    doubtful : bool
        Whether the module took a way that may depend on the batch while its graph was
        recorded, which holds this way alone.
    """

    module: torch.nn.Module
    doubtful: bool = False


def freeze(module, batch):
    """Return the module's graph, with weights as constants, handed to oneDNN."""
    # With weights of its own: those of the user may change while it is in use.
    module = copy.deepcopy(module)
    with _recording() as doubts:
        # torch.jit is announced to be replaced, but nothing else freezes for oneDNN
        # without a C++ compiler.
        traced = torch.jit.trace(module, batch, check_trace=False)
        frozen = torch.jit.optimize_for_inference(torch.jit.freeze(traced))
        # The first two passes optimise the graph, at the cost of some hundred rows if
        # there are as many; later passes may be of any size.
        for _ in range(2):
            frozen(batch)
    return Engine(frozen, bool(doubts))


def through_compile(module, batch):
    """Return the module behind torch.compile, for batches of any size.

    Raises
    ------
    RuntimeError
        If it cannot be compiled, as where there is no compiler.
    """
    with _QUIETLY, warnings.catch_warnings(), torch.inference_mode():
        warnings.simplefilter("ignore")
        fast = torch.compile(module, dynamic=True)
        try:
            fast(batch)
        except Exception as error:
            first = str(error).strip().split("\n")[0]
            raise RuntimeError(
                f"{first} (torch.compile needs a C++ compiler such as g++ for a CPU, "
                "and Triton for a GPU)"
            ) from error
    return Engine(fast)


def through_onnx(module, batch):
    """Return the module in onnxruntime, on the CPU.

    Raises
    ------
    RuntimeError
        If it cannot be exported.
    """
    graph, doubtful = _exported(module, batch)
    return Engine(OnnxModule(graph), doubtful)


class OnnxModule(torch.nn.Module):
    """A module that runs in onnxruntime, on as many threads as torch at that time.

    Parameters
    ----------
    graph : bytes
        It, exported.
    """

    def __init__(self, graph):
        super().__init__()
        self._graph, self._sessions = graph, {}
        self._making = threading.Lock()
        self._session()  # fails here, if it does

    def forward(self, x):
        """Return what the module does for x."""
        session, options = self._session()
        (name,) = (one.name for one in session.get_inputs())
        first = session.get_outputs()[0].name
        (output,) = session.run([first], {name: x.numpy()}, options)
        return torch.from_numpy(output)

    def _session(self):
        """Return the session for the threads that torch has here, and its options."""
        n_threads = torch.get_num_threads()  # workers have one, and share this module
        with self._making:
            if n_threads not in self._sessions:
                self._sessions[n_threads] = self._start(n_threads)
            return self._sessions[n_threads]

    def _start(self, n_threads):
        import onnxruntime

        options, of_a_run = onnxruntime.SessionOptions(), onnxruntime.RunOptions()
        options.log_severity_level = of_a_run.log_severity_level = _SILENT
        options.intra_op_num_threads = n_threads
        # Threads that spin for work would slow down what happens between the calls.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        session = onnxruntime.InferenceSession(
            self._graph, options, providers=["CPUExecutionProvider"]
        )
        return session, of_a_run


def why_no_onnx(device):
    """Say why onnxruntime cannot be used; None if it can."""
    if device.type != "cpu":
        return f"it is for nets on the CPU, not on {device}"
    missing = [name for name in ("onnx", "onnxruntime") if find_spec(name) is None]
    if missing:
        names = " and ".join(missing) + (" is" if len(missing) == 1 else " are")
        return f"{names} not installed: pip install 'sksmooth[onnx]'"
    return None


def _exported(module, batch):
    """Return the module as an ONNX file, in bytes, and whether it is doubtful."""
    options = {"input_names": ["x"], "dynamic_axes": {"x": {0: "n"}}}
    if "dynamo" in inspect.signature(torch.onnx.export).parameters:
        options["dynamo"] = False  # the other exporter takes seconds
    file = io.BytesIO()
    with _recording() as doubts, _no_graphs():
        torch.onnx.export(module, (batch,), file, **options)
    return file.getvalue(), bool(doubts)


@contextmanager
def _recording():
    """Record a graph without warnings; those of branches are what this yields.

    They come where a module makes a number, a truth value or an array of a tensor, or
    of the size of its batch.
    """
    doubts = []
    with _QUIETLY, warnings.catch_warnings(record=True) as said, torch.no_grad():
        warnings.simplefilter("always")
        yield doubts
        doubts += [
            one for one in said if issubclass(one.category, torch.jit.TracerWarning)
        ]


@contextmanager
def _no_graphs():
    """Keep torch from printing the graph of a module that it cannot export."""
    # torch means to print it where it is asked to be verbose, but tests a function
    # for being true and not what it returns; there is no public switch.
    log = getattr(torch._C, "_jit_onnx_log", None)
    if log is None:
        yield
        return
    torch._C._jit_onnx_log = lambda *args: None
    try:
        yield
    finally:
        torch._C._jit_onnx_log = log
