"""What a call without a `Call` around it uses: the readings behind the Inspector."""

from __future__ import annotations

from core.profiler import growth
from core.profiler.instance import instance
from core.profiler.meter import Meter
from core.profiler.spans import current

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from core.profiler.flights import Flight

_given_up: list[Flight] = []


class Usage:
    """Counts a call in, and measures process and cgroup from `start` to `stop`.

    Inside a `Call`, which measures the same work and may not be told that it overlaps with itself, the call is
    not counted in again: what is told apart from other calls is then in that call's profile alone.

    A call that is given up without `stop`, by an exception for instance, is counted out when the next one begins
    after it was let go of.
    """

    __slots__ = ("_counted", "_flight", "_meter")

    def __init__(self) -> None:
        while _given_up:
            instance.end(_given_up.pop())
        self._flight = None if current.get() is not None else instance.begin()
        self.start()

    def start(self) -> None:
        """Begin to measure, anew where it has begun before."""
        self._counted = instance.sources.cgroup.read()
        self._meter = Meter(instance, "process")
        self._meter.start()

    def stop(self) -> dict[str, Any]:
        """The metrics since the last start, by name; the call is counted out."""
        metrics: dict[str, Any] = self._meter.stop()
        from core.profiler.cgroup import between

        control = instance.sources.cgroup
        metrics |= between(self._counted, control.read()) | control.gauges()
        if self._flight is not None:
            instance.end(self._flight)
            metrics |= {"cpu_shared": False, "thread_shared": False}
            growth.own(metrics, self._flight, self._meter.ended_ns - self._meter.began_ns)
            self._flight = None
        return metrics

    def __del__(self) -> None:
        # The garbage collector may come by while the instance counts one in: its lock cannot be had here.
        if self._flight is not None:
            _given_up.append(self._flight)
