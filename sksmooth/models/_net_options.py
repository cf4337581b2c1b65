"""The options of a net, checked before there is a net."""

from ._nets import Settled

MODES = ("eager", "frozen", "compile", "onnxruntime", "auto")
DTYPES = (None, "bfloat16", "float16")
_DEFAULTS = {
    "mode": "auto",
    "dtype": None,
    "channels_last": False,
    "push_forward": True,
}
_KNOWN = {
    "mode": MODES,
    "dtype": DTYPES,
    "channels_last": (False, True),
    "push_forward": (False, True),
}


def check_options(options):
    """Return all options of a net, with their defaults, as Settled.

    Parameters
    ----------
    options : dict, Settled or None

    Raises
    ------
    ValueError
        If an option or its value is not known, or if options do not go together.
    """
    if isinstance(options, Settled):
        return options
    options = {} if options is None else dict(options)
    for name, value in options.items():
        if name not in _KNOWN:
            raise ValueError(
                f"net_options has no {name!r}; it may have {sorted(_KNOWN)!r}."
            )
        if value not in _KNOWN[name]:
            raise ValueError(
                f"net_options[{name!r}] must be one of {_KNOWN[name]!r}, got {value!r}."
            )
    if options.get("channels_last"):
        if options.get("mode") == "auto":
            raise ValueError(
                "net_options: mode='auto' chooses the memory format by itself; leave "
                "channels_last out."
            )
        options.setdefault("mode", "eager")
    options = {**_DEFAULTS, **options}
    mode = options["mode"]
    if mode in ("frozen", "onnxruntime"):
        if options["dtype"] is not None:
            raise ValueError(
                f"net_options: mode={mode!r} keeps the net's dtype; use 'eager' or "
                "'compile'."
            )
        if options["channels_last"]:
            raise ValueError(
                f"net_options: mode={mode!r} chooses its own memory format; use "
                "channels_last with 'eager' or 'compile'."
            )
    return Settled(**options)
