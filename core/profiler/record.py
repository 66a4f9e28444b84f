"""The profile as a record: what leaves the instance as JSON."""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

import msgspec

# What came with each version, newest first. A reader of a version reads what an older one wrote.
HISTORY = {
    2: (
        "unavailable, boot_id, restored, snapshot_age_ms, initialization, trace, error and phase; spans that failed; "
        "metrics of every scope"
    ),
    1: "instance_id, invocation, cold, started_at, duration_ms, spans, metrics",
}
VERSION = max(HISTORY)


class Span(msgspec.Struct, frozen=True, omit_defaults=True):
    """One named part of a call. Spans nest: one that lies inside another was opened within it.

    Attributes:
        name: What was done.
        start_ms: From the start of the call, monotonic; negative for what the instance did before its first call.
        duration_ms: Monotonic; ends with the call for a part that was still going on then.
        failed: It was left by an error.
    """

    name: str
    start_ms: float
    duration_ms: float
    failed: bool = False


class Trace(msgspec.Struct, frozen=True, omit_defaults=True):
    """The call's place among others, as W3C Trace Context has it (https://www.w3.org/TR/trace-context/).

    Attributes:
        trace_id: Of all calls that belong together, 32 hexadecimal digits.
        span_id: Of this call, 16 hexadecimal digits.
        parent_id: Of the one that called it; absent when nobody said.
        flags: Two hexadecimal digits; 01 means that the caller may have recorded the trace.
    """

    trace_id: str
    span_id: str
    parent_id: str | None = None
    flags: str = "01"


class Profile(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What one call cost.

    Attributes:
        version: Of this record.
        instance_id: The process that answered, 32 hexadecimal digits.
        invocation: Number of this call in its instance, 1 for the first.
        cold: This was the first call of its instance.
        started_at: Wall clock at the start, ISO 8601 in UTC; a label, nothing is computed from it.
        duration_ms: The call's body, monotonic, without the profiler's own readings.
        spans: The parts of the call in the order in which they were opened.
        metrics: By name; `core.profiler.metrics` says what each one is. What could not be measured is absent.
        unavailable: Why metrics cannot be measured here, by name.
        boot_id: The kernel's id of the machine's boot.
        restored: The instance was restored from a snapshot of a running one since its last call.
        snapshot_age_ms: How long that snapshot had lain, as far as the clocks tell.
        initialization: How AWS Lambda says that it started the instance: on-demand, provisioned-concurrency or
            snap-start; with the first call only.
        trace: Where the call belongs.
        error: The kind of error that ended the call.
        phase: The innermost span that the error left; absent when it left none.
    """

    # A writer that names no version is of the first one.
    version: int = 1
    instance_id: str
    invocation: int
    cold: bool
    started_at: str
    duration_ms: float
    spans: list[Span]
    metrics: dict[str, bool | int | float]
    unavailable: dict[str, str] = {}
    boot_id: str | None = None
    restored: bool = False
    snapshot_age_ms: float | None = None
    initialization: str | None = None
    trace: Trace | None = None
    error: str | None = None
    phase: str | None = None


def profile(started_ns: int, spans: Iterable[tuple[str, float, float, bool]], **fields: Any) -> Profile:
    """A profile of this version.

    Args:
        started_ns: Wall clock at the start, in ns since the epoch.
        spans: Attributes of each `Span`.
        fields: The other attributes of `Profile`.
    """
    started = datetime.fromtimestamp(started_ns / 1e9, UTC)
    return Profile(
        version=VERSION,
        started_at=started.isoformat(timespec="microseconds"),
        spans=[Span(_text(name), start_ms, duration_ms, failed) for name, start_ms, duration_ms, failed in spans],
        **fields,
    )


def _text(name: object) -> str:
    """A span's name as JSON can say it: text, with "?" for what is no Unicode, as in the name of a file."""
    if isinstance(name, str) and name.isascii():
        return name
    return str(name).encode(errors="replace").decode()
