"""Tensors of torch as arrays, without importing torch."""


def is_tensor(values):
    """Is this a tensor of torch?"""
    is_torch = type(values).__module__.partition(".")[0] == "torch"
    return is_torch and hasattr(values, "detach")


def from_torch(values):
    """Turn a torch tensor into an array; return anything else as it is."""
    if not is_tensor(values):
        return values
    values = values.detach().cpu()
    if str(values.dtype) in ("torch.bfloat16", "torch.float16"):
        values = values.float()
    return values.numpy()
