"""What a call costs: spans, CPU time by scope, memory, faults, switches; without a fork, in microseconds.

with Call() as call:
    with span("read"):
        ...
call.profile
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from core.profiler.profiler import Call
    from core.profiler.record import Profile, Span, Trace
    from core.profiler.spans import span
    from core.profiler.trace import traceparent

__all__ = ["Call", "Profile", "Span", "Trace", "span", "traceparent"]

# Where each name comes from. The records need msgspec, which takes longer than all the rest to import.
_MODULES = {
    "Call": "profiler",
    "Profile": "record",
    "Span": "record",
    "Trace": "record",
    "span": "spans",
    "traceparent": "trace",
}


def __getattr__(name: str) -> object:
    """A public name, imported at its first use."""
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    value = getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
    globals()[name] = value
    return value
