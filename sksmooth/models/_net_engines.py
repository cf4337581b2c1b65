"""Other ways to run a torch module: frozen graph, compiled code, onnxruntime.

Each takes a module in eval mode and a small batch, and returns a module that computes
the same up to rounding. Whether it does is for ``_net_modes`` to see.
"""

import inspect
import io
import threading
import warnings
from contextlib import contextmanager
from importlib.util import find_spec

import torch

# warnings.catch_warnings is not safe in threads.
_QUIETLY = threading.RLock()

# What onnxruntime prints next to raising an error.
_SILENT = 4


def freeze(module, batch):
    """Return the module's graph, with weights as constants, handed to oneDNN."""
    with _QUIETLY, warnings.catch_warnings(), torch.no_grad():
        # torch.jit is announced to be replaced, but nothing else freezes for oneDNN
        # without a C++ compiler; tracing warns of branches, which the probe tests.
        warnings.simplefilter("ignore")
        traced = torch.jit.trace(module, batch, check_trace=False)
        frozen = torch.jit.optimize_for_inference(torch.jit.freeze(traced))
        # The first two passes optimise the graph, at the cost of some hundred rows if
        # there are as many; later passes may be of any size.
        for _ in range(2):
            frozen(batch)
    return frozen


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
    return fast


class OnnxModule(torch.nn.Module):
    """A module that runs in onnxruntime, on the CPU.

    Parameters
    ----------
    module : torch.nn.Module

    batch : tensor
        What it takes; another number of rows will do, too.

    Raises
    ------
    RuntimeError
        If `module` cannot be exported.
    """

    def __init__(self, module, batch):
        super().__init__()
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.log_severity_level = _SILENT
        options.intra_op_num_threads = torch.get_num_threads()
        # Threads that spin for work would slow down what happens between the calls.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        self._session = onnxruntime.InferenceSession(
            _exported(module, batch), options, providers=["CPUExecutionProvider"]
        )
        self._run_options = onnxruntime.RunOptions()
        self._run_options.log_severity_level = _SILENT
        self._input = self._session.get_inputs()[0].name
        self._output = self._session.get_outputs()[0].name

    def forward(self, x):
        """Return what the module does for x."""
        (output,) = self._session.run(
            [self._output], {self._input: x.numpy()}, self._run_options
        )
        return torch.from_numpy(output)


def why_no_onnx(device):
    """Say why onnxruntime cannot be used; None if it can."""
    if device.type != "cpu":
        return f"it is for nets on the CPU, not on {device}"
    missing = [name for name in ("onnx", "onnxruntime") if find_spec(name) is None]
    if missing:
        return f"{' and '.join(missing)} not installed: pip install 'sksmooth[onnx]'"
    return None


def _exported(module, batch):
    """Return the module as an ONNX file, in bytes."""
    options = {"input_names": ["x"], "dynamic_axes": {"x": {0: "n"}}}
    if "dynamo" in inspect.signature(torch.onnx.export).parameters:
        options["dynamo"] = False  # the other exporter takes seconds
    file = io.BytesIO()
    with _QUIETLY, warnings.catch_warnings(), torch.no_grad(), _no_graphs():
        warnings.simplefilter("ignore")  # as in `freeze`
        torch.onnx.export(module, (batch,), file, **options)
    return file.getvalue()


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
