"""The profile of a call: when it ran, how long each part took and what it used."""

from __future__ import annotations

import time

from core.profiler import growth
from core.profiler.instance import instance
from core.profiler.meter import NS_PER_MS, Meter
from core.profiler.spans import Parts, current

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Generator, Iterable, Mapping
    from types import TracebackType
    from typing import Any, Self, TypeVar

    from core.profiler.growth import Metrics
    from core.profiler.meter import Scope
    from core.profiler.record import Profile, Trace
    from core.profiler.spans import Measured

    Result = TypeVar("Result")


class Call:
    """Measures one call: `with Call() as call: ...`, then `call.profile`.

    Calls may overlap, in threads and in asyncio tasks: each has its own spans and, where its thread is its
    own, its own CPU time. A coroutine's CPU time is its own too when the call steps it: `await
    call.measure(coroutine)`, without `with`. What overlapping calls spent together is marked `cpu_shared`,
    and `thread_shared` where even the thread cannot tell them apart.

    Args:
        scope: "process" reads thread and process, in a few microseconds; "vm" their cgroup, network and machine too.
            When left out, what POLYFAAS_PROFILE says, else "vm".
        trace: Where the call belongs, see `core.profiler.trace`.
    """

    __slots__ = (
        "_error",
        "_failure",
        "_flight",
        "_identity",
        "_initialization",
        "_meter",
        "_metrics",
        "_parts",
        "_phase",
        "_profile",
        "_start",
        "_started_ns",
        "_stepped",
        "_token",
        "_untold",
    )

    def __init__(self, scope: Scope | None = None, trace: Trace | None = None) -> None:
        self._parts = Parts(trace)
        self._meter = Meter(instance, scope or instance.scope)
        self._stepped = False
        self._failure: BaseException | None = None
        self._error: str | None = None
        self._phase: str | None = None
        self._profile: Profile | None = None
        self._start: list[tuple[str, int, int]] = []
        self._untold: dict[str, str] = {}
        self._initialization: str | None = None

    def __enter__(self) -> Self:
        self._started_ns = time.time_ns()
        self._flight = instance.begin(stepped=self._stepped)
        self._identity = (instance.pid, instance.id, self._flight.invocation, instance.boot_id)
        self._token = current.set(self._parts)
        self._meter.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        metrics = self._meter.stop()
        instance.end(self._flight)
        self._parts.closed = True
        try:  # noqa: SIM105  (contextlib would be half of the import)
            current.reset(self._token)
        except ValueError:  # another context, as of a generator that is closed elsewhere, has not what was set here
            pass
        if self._identity[0] == instance.pid:
            self._own(metrics)
        else:  # a fork: what is read here is the child's
            metrics, self._untold = {}, {"metrics": "the process was forked during the call"}
        self._metrics = metrics
        failure = error or self._failure
        self._error = None if failure is None else type(failure).__name__
        self._phase = self._parts.phase(failure)
        self._failure = None

    def failed(self, error: BaseException) -> None:
        """Say that the call fails, where its body does not let the error out itself."""
        self._failure = error

    def follows(
        self, parts: Iterable[tuple[str, int, int]], unavailable: Mapping[str, str], initialization: str | None
    ) -> None:
        """Tell what the instance did before this, its first call, and which imports the call did itself.

        Args:
            parts: Name, begin and end as `perf_counter_ns`, see `core.profiler.boot`.
            unavailable: Why a part is not known, by its name.
            initialization: How the platform says that it started the instance.
        """
        self._initialization = initialization
        self._start = [*parts]
        self._untold |= unavailable

    @property
    def began_ns(self) -> int:
        """`perf_counter_ns` at the start of the body."""
        return self._meter.began_ns

    def joins(self, trace: Trace) -> None:
        """Say where the call belongs, when that is known only now."""
        self._parts.trace = trace

    async def measure(self, coroutine: Coroutine[Any, Any, Result]) -> Result:
        """Run a coroutine as the body of the call; its CPU time is taken step by step.

        Tasks that it starts are not stepped: what they use is not in `cpu_ms` where calls overlap.
        """
        self._stepped = True
        with self:
            result: Result = await Steps(coroutine, self)
            return result

    def stepped(self, cpu_ns: int) -> None:
        """Count the CPU time of a step of the coroutine."""
        self._flight.own_ns += cpu_ns

    @property
    def profile(self) -> Profile:
        """What the call cost; there once the body has ended, also when it raised."""
        if self._profile is None:
            from core.profiler.record import profile

            _, instance_id, invocation, boot_id = self._identity
            began_ns, ended_ns = self._meter.began_ns, self._meter.ended_ns
            self._profile = profile(
                self._started_ns,
                self._spans(began_ns, ended_ns),
                instance_id=instance_id,
                invocation=invocation,
                cold=invocation == 1,
                duration_ms=(ended_ns - began_ns) / NS_PER_MS,
                metrics=self._metrics,
                unavailable=self._unavailable(),
                boot_id=boot_id,
                restored=self._flight.snapshot_age_ms is not None,
                snapshot_age_ms=self._flight.snapshot_age_ms or None,
                initialization=self._initialization,
                trace=self._parts.trace,
                error=self._error,
                phase=self._phase,
            )
        return self._profile

    def _spans(self, began_ns: int, ended_ns: int) -> list[Measured]:
        spans = self._parts.measured(began_ns, ended_ns)
        if not self._start:
            return spans
        start = [
            (name, (begin_ns - began_ns) / NS_PER_MS, (min(end_ns, ended_ns) - begin_ns) / NS_PER_MS, False)
            for name, begin_ns, end_ns in self._start
        ]
        return sorted(start + spans, key=lambda span: (span[1], -span[2]))

    def _unavailable(self) -> dict[str, str]:
        known = (instance.unavailable or {}) if self._meter.wide else {}
        return {**known, **self._untold, **self._parts.left_out()}

    def _own(self, metrics: Metrics) -> None:
        """Add what can be told about the call itself, apart from others that overlapped with it."""
        flight, duration_ns = self._flight, self._meter.ended_ns - self._meter.began_ns
        flight.own_ns += self._parts.elsewhere_ns
        growth.own(metrics, flight, duration_ns)


class Steps:
    """Runs a coroutine step by step and counts the CPU time of each: what lies between is other tasks'."""

    __slots__ = ("_call", "_coroutine")

    def __init__(self, coroutine: Coroutine[Any, Any, Result], call: Call) -> None:
        self._coroutine = coroutine
        self._call = call

    def __await__(self) -> Generator[Any, Any, Any]:
        step: Callable[[Any], Any] = self._coroutine.send
        value: Any = None
        while True:
            begin_ns = time.thread_time_ns()
            try:
                waited_for = step(value)
            except StopIteration as done:
                return done.value
            finally:
                self._call.stepped(time.thread_time_ns() - begin_ns)
            try:
                step, value = self._coroutine.send, (yield waited_for)
            except BaseException as error:  # noqa: BLE001  (a cancellation too: it is the coroutine's to answer)
                step, value = self._coroutine.throw, error
