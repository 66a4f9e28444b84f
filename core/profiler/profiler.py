"""The profile of a call: when it ran, how long each part took and what it used."""

import time
from contextvars import ContextVar
from datetime import UTC, datetime
from types import TracebackType
from typing import Self

import msgspec

from core.profiler import sample
from core.profiler.instance import instance
from core.profiler.sample import Metrics

NS_PER_MS = 1_000_000


class Span(msgspec.Struct, frozen=True):
    """One named part of a call. Spans nest: one that lies inside another was opened within it.

    Attributes:
        name: What was done.
        start_ms: From the start of the call, monotonic.
        duration_ms: Monotonic; ends with the call for a part that was still going on then.
    """

    name: str
    start_ms: float
    duration_ms: float


class Profile(msgspec.Struct, frozen=True, kw_only=True):
    """What one call cost.

    Attributes:
        instance_id: The process that answered, 32 hexadecimal digits.
        invocation: Number of this call in its instance, 1 for the first.
        cold: This was the first call of its instance.
        started_at: Wall clock at the start, ISO 8601 in UTC; a label, nothing is computed from it.
        duration_ms: The call's body, monotonic, without the profiler's own readings.
        spans: The parts of the call in the order in which they were opened.
        metrics: By name; `core.profiler.metrics` says what each one is. What could not be measured is absent.
    """

    instance_id: str
    invocation: int
    cold: bool
    started_at: str
    duration_ms: float
    spans: list[Span]
    metrics: Metrics


class Call:
    """Measures one call: `with Call() as call: ...`, then `call.profile`.

    Calls may overlap, in threads and in asyncio tasks: each has its own spans. CPU time that overlapping
    calls spent together cannot be told apart; their metrics then say `cpu_shared`.

    Attributes:
        profile: There once the body has ended, also when it raised.
    """

    __slots__ = (
        "_before",
        "_begin_ns",
        "_entered_ns",
        "_invocation",
        "_parts",
        "_started_ns",
        "_token",
        "profile",
    )

    profile: Profile

    def __enter__(self) -> Self:
        self._entered_ns = time.perf_counter_ns()
        self._started_ns = time.time_ns()
        self._parts: list[OpenSpan] = []
        self._invocation = instance.begin()
        self._before = sample.before(instance)
        self._token = _current.set(self)
        self._begin_ns = time.perf_counter_ns()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        end_ns = time.perf_counter_ns()
        after = sample.after(instance)
        _current.reset(self._token)
        self.profile = Profile(
            instance_id=instance.id,
            invocation=self._invocation,
            cold=self._invocation == 1,
            started_at=datetime.fromtimestamp(self._started_ns / 1e9, UTC).isoformat(timespec="microseconds"),
            duration_ms=(end_ns - self._begin_ns) / NS_PER_MS,
            spans=[part.closed(self._begin_ns, end_ns) for part in self._parts],
            metrics=self._metrics(after, end_ns),
        )

    def open(self, part: "OpenSpan") -> None:
        """Keep a span; it becomes part of the profile."""
        self._parts.append(part)

    def _metrics(self, after: sample.Sample, end_ns: int) -> Metrics:
        metrics = sample.spent(self._before, after)
        metrics |= sample.memory(instance.status.read())
        if instance.end(self._invocation):
            metrics["cpu_shared"] = True
        metrics["profiler_begin_ms"] = (self._begin_ns - self._entered_ns) / NS_PER_MS
        metrics["profiler_end_ms"] = (time.perf_counter_ns() - end_ns) / NS_PER_MS
        return metrics


class OpenSpan:
    """A span being measured; `span` makes it."""

    __slots__ = ("_end_ns", "_name", "_start_ns")

    def __init__(self, name: str) -> None:
        self._name = name
        self._end_ns: int | None = None

    def __enter__(self) -> None:
        call = _current.get()
        self._start_ns = time.perf_counter_ns()
        if call is not None:
            call.open(self)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._end_ns = time.perf_counter_ns()

    def closed(self, begin_ns: int, end_ns: int) -> Span:
        """The span as measured, cut at the call's end."""
        ended_ns = end_ns if self._end_ns is None else min(self._end_ns, end_ns)
        start_ms = (self._start_ns - begin_ns) / NS_PER_MS
        return Span(self._name, start_ms, (ended_ns - self._start_ns) / NS_PER_MS)


_current: ContextVar[Call | None] = ContextVar("call", default=None)


def span(name: str) -> OpenSpan:
    """Measures the body of a `with` as a part of the current call; does nothing outside a call.

    The call is found through a context variable: asyncio tasks and `asyncio.to_thread` inherit it, a bare
    `threading.Thread` does not.

    Args:
        name: What is done in it.
    """
    return OpenSpan(name)
