"""A profile as spans: one of kind SERVER for the call, one of kind INTERNAL for each of its parts.

The ids of the call's span are those of `Profile.trace`, which its callers and those it called have been told.
https://opentelemetry.io/docs/specs/semconv/faas/faas-spans/
"""

import os
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta

from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import SpanContext, SpanKind, Status, StatusCode, TraceFlags

from core.export.record import Finished
from core.profiler.record import Profile, Span

SCOPE = InstrumentationScope("polyfaas")
NS_PER_MS = 1_000_000
_EPOCH = datetime.fromtimestamp(0, UTC)
_MICROSECOND = timedelta(microseconds=1)


def spans(finished: Finished, resource: Resource) -> list[ReadableSpan]:
    """The call's span, then its parts' in the order in which they were opened."""
    root = _call(finished, resource)
    return [root, *_parts(finished.profile, root)]


def sampled(finished: Finished) -> bool:
    """Whether the caller lets its trace be recorded; where nobody called, it is."""
    return bool(int(finished.trace.flags, 16) & TraceFlags.SAMPLED)


def _call(finished: Finished, resource: Resource) -> ReadableSpan:
    profile, trace = finished.profile, finished.trace
    flags = TraceFlags(int(trace.flags, 16))
    trace_id = int(trace.trace_id, 16)
    parent = trace.parent_id and SpanContext(trace_id, int(trace.parent_id, 16), is_remote=True, trace_flags=flags)
    started_ns = _started_ns(profile)
    return ReadableSpan(
        name=finished.function,
        context=SpanContext(trace_id, int(trace.span_id, 16), is_remote=False, trace_flags=flags),
        parent=parent or None,
        resource=resource,
        attributes=_attributes(finished),
        kind=SpanKind.SERVER,
        status=_status(profile),
        start_time=started_ns,
        end_time=started_ns + round(profile.duration_ms * NS_PER_MS),
        instrumentation_scope=SCOPE,
    )


def _attributes(finished: Finished) -> dict[str, str | bool | int | float]:
    profile = finished.profile
    told: Mapping[str, str | bool | int | float | None] = {
        "faas.invocation_id": finished.context.request_id,
        "faas.coldstart": profile.cold,
        "http.response.status_code": finished.status,
        "error.type": profile.error,
        "polyfaas.service": finished.service,
        "polyfaas.phase": profile.phase,
        "polyfaas.invocation": profile.invocation,
        "polyfaas.restored": profile.restored,
        "polyfaas.boot_id": profile.boot_id,
        **{f"polyfaas.{name}": value for name, value in profile.metrics.items()},
    }
    return {name: value for name, value in told.items() if value is not None}


def _status(profile: Profile) -> Status:
    if profile.error is None:
        return Status(StatusCode.UNSET)
    where = f" in {profile.phase}" if profile.phase else ""
    return Status(StatusCode.ERROR, f"{profile.error}{where}")


def _parts(profile: Profile, root: ReadableSpan) -> Iterator[ReadableSpan]:
    """Each part below the one that was opened last of those that it lies in."""
    around: list[ReadableSpan] = []
    for part in profile.spans:
        start_ns, end_ns = _placed(part, root)
        around = [each for each in around if (each.end_time or 0) >= start_ns]
        parent = next((each for each in reversed(around) if (each.end_time or 0) >= end_ns), root)
        made = _part(part, parent, (start_ns, end_ns))
        around.append(made)
        yield made


def _placed(part: Span, root: ReadableSpan) -> tuple[int, int]:
    """Start and end in ns since the epoch; whole numbers, so that a part which ends with another lies in it."""
    started_ns = root.start_time or 0
    ended_ms = part.start_ms + part.duration_ms
    return started_ns + round(part.start_ms * NS_PER_MS), started_ns + round(ended_ms * NS_PER_MS)


def _part(part: Span, parent: ReadableSpan, times_ns: tuple[int, int]) -> ReadableSpan:
    above = parent.context
    own_id = int.from_bytes(os.urandom(8), "big") or 1  # 0 is no span
    return ReadableSpan(
        name=part.name,
        context=SpanContext(above.trace_id, own_id, is_remote=False, trace_flags=above.trace_flags),
        parent=above,
        resource=parent.resource,
        status=Status(StatusCode.ERROR if part.failed else StatusCode.UNSET),
        start_time=times_ns[0],
        end_time=times_ns[1],
        instrumentation_scope=SCOPE,
    )


def _started_ns(profile: Profile) -> int:
    return (datetime.fromisoformat(profile.started_at) - _EPOCH) // _MICROSECOND * 1000
