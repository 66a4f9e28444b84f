"""Whether this instance was restored from a snapshot: what the clocks, the kernel and the platform say.

What each kind of restore does to the clocks:

CRIU puts a process into a time namespace whose CLOCK_MONOTONIC and CLOCK_BOOTTIME go on where the checkpoint left
them; CLOCK_REALTIME is the machine's, and is ahead by the time that the checkpoint lay. The process's start, in
/proc/self/stat, is another one: https://criu.org/Time_namespace.
Firecracker, as SnapStart uses it, leaves the guest's clocks where the snapshot was taken; when the guest sets
CLOCK_REALTIME right, it alone jumps ahead. Where the VMM advances the guest's clock itself (`clock_realtime`, older
versions with kvm-clock), all clocks jump together, and no clock tells: github.com/firecracker-microvm/firecracker
pull request 5809.
A suspended machine's CLOCK_BOOTTIME goes on with CLOCK_REALTIME: the gap between the two does not move. Nor does it
when NTP slews, which changes the rate of both. It does when the time is set, so a step ahead looks as a restore
does: AWS_LAMBDA_INITIALIZATION_TYPE, where there is one, tells them apart. A step back is never one.
gVisor counts the time that it was checkpointed in all clocks: its restores are not seen.
"""

from __future__ import annotations

import os
import time
from _thread import allocate_lock

from core.profiler import procfs
from core.profiler.files import ProcFile

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Protocol

    class Clocks(Protocol):
        """What the time is."""

        def realtime_ns(self) -> int:
            """CLOCK_REALTIME."""
            ...

        def boottime_ns(self) -> int:
            """CLOCK_BOOTTIME."""
            ...

        def started_ticks(self) -> int | None:
            """When the process was started, in clock ticks since boot."""
            ...


# A leap second is as long: it must not look like a restore.
LEAST_NS = 1_000_000_000
# Two clocks cannot be read at once. What lies further apart than this is read anew, and becomes the new base.
APART_NS = 10_000_000
TRIES = 10
NS_PER_MS = 1_000_000
# What AWS Lambda says of an instance that it starts from a snapshot; its other words say that there is none.
INITIALIZATION, SNAP_START = "AWS_LAMBDA_INITIALIZATION_TYPE", "snap-start"


class KernelClocks:
    """The clocks of this process."""

    __slots__ = ("_boottime", "_stat")

    def __init__(self) -> None:
        self._stat = ProcFile("/proc/self/stat", 1 << 12)
        self._boottime = time.CLOCK_BOOTTIME
        try:
            time.clock_gettime_ns(self._boottime)
        except OSError:  # a kernel that never suspends may go without
            self._boottime = time.CLOCK_MONOTONIC

    def realtime_ns(self) -> int:
        """CLOCK_REALTIME."""
        return time.time_ns()

    def boottime_ns(self) -> int:
        """CLOCK_BOOTTIME."""
        return time.clock_gettime_ns(self._boottime)

    def started_ticks(self) -> int | None:
        """When the process was started, in clock ticks since boot."""
        self._stat.close()  # a process that was restored has another one
        ticks = procfs.started_ticks(self._stat.read())
        self._stat.close()
        return ticks


class Restore:
    """Watches this process for having been restored.

    Args:
        clocks: What the time is; the kernel's when left out.

    Attributes:
        gap_ms: How long the snapshot of the last restore had lain, 0 before the first restore and where no clock
            tells.
    """

    __slots__ = ("_base_ns", "_clocks", "_lock", "_said", "_started_ticks", "_told", "gap_ms")

    def __init__(self, clocks: Clocks | None = None) -> None:
        self._clocks = clocks or KernelClocks()
        self.renew()

    def renew(self) -> None:
        """Begin anew with the clocks as they are: what a fork makes of the child."""
        self.gap_ms = 0.0
        self._lock = allocate_lock()
        self._said = False
        # Where steps of the clock are told apart from restores by the platform's word.
        self._told = os.environ.get(INITIALIZATION, SNAP_START) != SNAP_START
        self._started_ticks = self._clocks.started_ticks()
        self._base_ns = self._gap_ns()

    def said(self) -> None:
        """Take the platform's word that this instance has just been restored, and from now on no other."""
        self._said = self._told = True

    def check(self) -> bool:
        """Whether the instance was restored since the last check; under a microsecond when it was not."""
        clocks = self._clocks
        jump_ns = clocks.realtime_ns() - clocks.boottime_ns() - self._base_ns
        if -APART_NS <= jump_ns <= APART_NS and not self._said:
            return False
        with self._lock:
            return self._restored()

    def _restored(self) -> bool:
        gap_ns, ticks = self._gap_ns(), self._clocks.started_ticks()
        said, ahead_ns, began_anew = self._said, gap_ns - self._base_ns, ticks != self._started_ticks
        self._said, self._base_ns, self._started_ticks = False, gap_ns, ticks
        if not said and (ahead_ns <= LEAST_NS or (self._told and not began_anew)):
            return False
        self.gap_ms = max(ahead_ns, 0) / NS_PER_MS
        return True

    def _gap_ns(self) -> int:
        """How far CLOCK_REALTIME is ahead of CLOCK_BOOTTIME, of the two readings that lay closest together."""
        clocks = self._clocks
        readings: list[tuple[int, int]] = []
        while len(readings) < TRIES:
            before_ns, realtime_ns, after_ns = clocks.boottime_ns(), clocks.realtime_ns(), clocks.boottime_ns()
            readings.append((after_ns - before_ns, realtime_ns - (before_ns + after_ns) // 2))
            if after_ns - before_ns < APART_NS:
                break
        return min(readings)[1]


restore = Restore()
os.register_at_fork(after_in_child=restore.renew)
