"""W3C Trace Context: which calls belong together, across functions and providers.

https://www.w3.org/TR/trace-context/, version 00. A header that is no valid traceparent is passed over and
begins a new trace, as the recommendation asks (section 2.2.3 of the processing model).
"""

import os

from core.profiler.record import Trace
from core.profiler.spans import current

HEADER = "traceparent"
EXAMPLE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
_HEX = frozenset("0123456789abcdef")
_LENGTHS = (2, 32, 16, 2)


def joined(traceparent: str | None) -> Trace:
    """The place of a call that was sent this header; a new trace when it was sent none, or no valid one."""
    caller = None if traceparent is None else parsed(traceparent)
    if caller is None:
        return Trace(trace_id=_random(16), span_id=_random(8))
    return Trace(caller.trace_id, _random(8), caller.span_id, caller.flags)


def parsed(traceparent: str) -> Trace | None:
    """The caller's trace and span, None when the text is no traceparent."""
    version, *parts = fields = traceparent.strip().split("-")
    lengths = tuple(map(len, fields[: len(_LENGTHS)]))
    if lengths != _LENGTHS or version == "ff" or not _HEX.issuperset("".join(fields[: len(_LENGTHS)])):
        return None
    # A later version may have more fields, the first one must not.
    trace_id, span_id, flags = parts[:3]
    if (version == "00" and len(fields) != len(_LENGTHS)) or not int(trace_id, 16) or not int(span_id, 16):
        return None
    return Trace(trace_id, span_id, None, flags)


def header(trace: Trace) -> str:
    """The header for a call that this one makes."""
    return f"00-{trace.trace_id}-{trace.span_id}-{trace.flags}"


def traceparent() -> str | None:
    """The header for what the running code calls, so that it joins this call's trace; None outside a call."""
    parts = current.get()
    return header(parts.trace) if parts is not None and parts.trace is not None else None


def _random(size: int) -> str:
    return os.urandom(size).hex()
