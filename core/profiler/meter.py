"""The readings around a piece of work, and what lies between them."""

from __future__ import annotations

from time import perf_counter_ns

from core.profiler import growth, sample

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Literal, TypeAlias

    from core.profiler.growth import Metrics
    from core.profiler.instance import Instance

    Scope: TypeAlias = Literal["process", "vm"]

NS_PER_MS = 1_000_000
SCOPES = ("process", "vm")


class Meter:
    """Reads the counters, once before and once after.

    The widest scope is read first before, and last after: the narrow ones see least of the reading.

    Args:
        instance: Whose counters.
        scope: "process" reads thread and process, in a few microseconds; "vm" their cgroup, network and machine too.

    Raises:
        ValueError: There is no such scope.

    Attributes:
        wide: Whether more than thread and process is read.
        began_ns: `perf_counter_ns` when the reading before was over.
        ended_ns: `perf_counter_ns` when the reading after began.
    """

    __slots__ = ("_began", "_entered_ns", "_instance", "_wide_began", "began_ns", "ended_ns", "wide")

    def __init__(self, instance: Instance, scope: Scope) -> None:
        self._instance = instance
        if scope not in SCOPES:
            raise ValueError(f"the scope is {scope!r}: use process or vm")
        self.wide = scope == "vm"

    def start(self) -> None:
        """Take the reading before."""
        self._entered_ns = perf_counter_ns()
        self._wide_began: sample.Wide | None = None
        if self.wide:
            self._instance.sources.check()
            self._wide_began = sample.Wide(self._instance)
        self._began = sample.before(self._instance, self.wide)
        self.began_ns = perf_counter_ns()

    def stop(self) -> Metrics:
        """Take the reading after, and give what was spent in between."""
        self.ended_ns = perf_counter_ns()
        instance, ended = self._instance, sample.after(self._instance, self.wide)
        metrics = growth.process(self._began, ended)
        growth.peak(instance, ended, metrics)
        if self._wide_began is not None:
            wide = sample.Wide(instance)
            metrics |= growth.input_output(self._began, ended)
            metrics |= growth.beyond(self._wide_began, wide) | growth.state(instance)
            if instance.unavailable is None:
                from core.profiler import gaps

                instance.unavailable = gaps.unavailable(instance.sources, metrics, ended, wide)
        elif "rss_mib" not in metrics:
            instance.sources.check()
        metrics["profiler_begin_ms"] = round((self.began_ns - self._entered_ns) / NS_PER_MS, 3)
        metrics["profiler_end_ms"] = round((perf_counter_ns() - self.ended_ns) / NS_PER_MS, 3)
        return metrics
