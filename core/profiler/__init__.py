"""What a call costs: spans, CPU time by scope, memory, faults, switches; without a fork, in microseconds.

with Call() as call:
    with span("read"):
        ...
call.profile
"""

from core.profiler.profiler import Call, Profile, Span, span

__all__ = ["Call", "Profile", "Span", "span"]
