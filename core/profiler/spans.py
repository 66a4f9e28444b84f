"""The parts of a call as they are measured."""

from __future__ import annotations

import time
from _thread import get_ident
from contextvars import ContextVar

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import TracebackType
    from typing import TypeAlias

    from core.profiler.record import Trace

    Measured: TypeAlias = tuple[str, float, float, bool]

NS_PER_MS = 1_000_000
# An answer has its limits too: so many spans are some 60 kB.
MOST = 1000


class Parts:
    """The spans of one call, in the order in which they were opened.

    Attributes:
        thread: Where the call itself runs.
        elsewhere_ns: CPU time of its spans in other threads.
        closed: It has ended, and keeps no more.
        trace: Where the call belongs.
    """

    __slots__ = ("_counting", "_left_out", "_spans", "closed", "elsewhere_ns", "thread", "trace")

    def __init__(self, trace: Trace | None = None) -> None:
        self.trace = trace
        self.thread = get_ident()
        self.elsewhere_ns = 0
        self.closed = False
        self._left_out = 0
        self._spans: list[OpenSpan] = []
        self._counting: dict[int, OpenSpan] = {}

    def open(self, span: OpenSpan) -> int | None:
        """Keep a span; gives the CPU time of its thread so far if that is another one, whose outermost span it is."""
        thread = get_ident()
        if self.closed:
            return None
        if len(self._spans) < MOST:
            self._spans.append(span)
        else:
            self._left_out += 1
        if thread == self.thread or self._counting.setdefault(thread, span) is not span:
            return None
        return time.thread_time_ns()

    def close(self, cpu_ns: int) -> None:
        """Count what the outermost span of another thread has used, from what its thread had used before."""
        if self._counting.pop(get_ident(), None) is not None:
            self.elsewhere_ns += time.thread_time_ns() - cpu_ns

    def measured(self, begin_ns: int, end_ns: int) -> list[Measured]:
        """Name, start and duration in ms, and whether an error left it, for each span; cut at the call's end."""
        return [span.measured(begin_ns, end_ns) for span in self._spans if span.began_ns <= end_ns]

    def left_out(self) -> dict[str, str]:
        """Why some spans are not there, if they are not."""
        return {"spans": f"{self._left_out} more than {MOST} are left out"} if self._left_out else {}

    def phase(self, error: BaseException | None) -> str | None:
        """The innermost span that this error, or one that led to it, left; the errors are let go of."""
        chain = _chain(error) if error is not None else []
        left = [span for span in self._spans if span.error is not None and any(span.error is each for each in chain)]
        for span in self._spans:
            span.error = None  # its traceback holds the frames of the call
        return min(left, key=OpenSpan.ended_ns).name if left else None


class OpenSpan:
    """A span being measured; `span` makes it.

    Attributes:
        name: What is done in it.
        began_ns: `perf_counter_ns` when it was opened.
        error: What it was left by.
    """

    __slots__ = ("_cpu_ns", "_end_ns", "_failed", "_parts", "began_ns", "error", "name")

    def __init__(self, name: str) -> None:
        self.name = name
        self.error: BaseException | None = None
        self._end_ns: int | None = None
        self._failed = False

    def __enter__(self) -> None:
        self._parts = current.get()
        self.began_ns = time.perf_counter_ns()
        self._cpu_ns = None if self._parts is None else self._parts.open(self)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._end_ns = time.perf_counter_ns()
        if self._parts is None:
            return
        self._failed, self.error = error is not None, error
        if self._cpu_ns is not None:
            self._parts.close(self._cpu_ns)

    def ended_ns(self) -> int:
        """When it was closed, 0 when it was not."""
        return self._end_ns or 0

    def measured(self, begin_ns: int, end_ns: int) -> Measured:
        """The span as it was, cut at the call's end."""
        ended_ns = end_ns if self._end_ns is None else min(self._end_ns, end_ns)
        start_ms = (self.began_ns - begin_ns) / NS_PER_MS
        return self.name, start_ms, (ended_ns - self.began_ns) / NS_PER_MS, self._failed


# The call that the running code belongs to.
current: ContextVar[Parts | None] = ContextVar("call", default=None)


def span(name: str) -> OpenSpan:
    """Measures the body of a `with` as a part of the current call; does nothing outside a call.

    The call is found through a context variable: asyncio tasks and `asyncio.to_thread` inherit it, a bare
    `threading.Thread` does not (`contextvars.copy_context().run` gives it one). The CPU time of a span in
    another thread counts as the call's.

    Args:
        name: What is done in it.
    """
    return OpenSpan(name)


def _chain(error: BaseException | None) -> list[BaseException]:
    """The error, what it was raised from and what was being handled then, each once."""
    found: list[BaseException] = []
    left: list[BaseException | None] = [error]
    while left:
        each = left.pop()
        if each is not None and not any(each is one for one in found):
            found.append(each)
            left += [each.__cause__, each.__context__]
            left += each.exceptions if isinstance(each, BaseExceptionGroup) else ()
    return found
