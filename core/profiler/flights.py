"""The calls that are under way in an instance, and what each of them can know about the others."""

from __future__ import annotations

from time import clock_gettime_ns

# The kernel's number of a thread's CPU clock, by the thread's: include/linux/posix-timers_types.h.
CPUCLOCK_PER_THREAD_SCHED = 6
CLOCK_SHIFT = 3


class Flight:
    """A call under way.

    Attributes:
        invocation: Its number in the instance.
        thread: The kernel's number of the thread that it runs in.
        stepped: Its CPU time is taken step by step, and does not depend on the thread.
        shared: Another call was under way at some time during it.
        thread_shared: So was one in the same thread, from which its CPU time cannot be told apart.
        own_ns: CPU time of its steps, and of its spans in other threads.
        others_ns: CPU time that the others used during it, as far as their threads and steps tell.
        snapshot_age_ms: How long the snapshot had lain that its instance was restored from since the last call, 0 where
            no clock tells; None where it was not restored.
    """

    __slots__ = (
        "_watched",
        "invocation",
        "others_ns",
        "own_ns",
        "shared",
        "snapshot_age_ms",
        "stepped",
        "thread",
        "thread_shared",
    )

    def __init__(
        self, invocation: int, thread: int, stepped: bool = False, snapshot_age_ms: float | None = None
    ) -> None:
        self.invocation = invocation
        self.thread = thread
        self.stepped = stepped
        self.snapshot_age_ms = snapshot_age_ms
        self.shared = self.thread_shared = False
        self.own_ns = self.others_ns = 0
        # By whose CPU clock: what it said when the first call of that clock was met, and how many still are.
        self._watched: dict[object, tuple[int, int]] | None = None

    def meets(self, other: Flight) -> None:
        """Both are under way at once."""
        self.shared = other.shared = True
        if self.thread == other.thread:
            self.thread_shared |= not self.stepped
            other.thread_shared |= not other.stepped
        self._watch(other)
        other._watch(self)

    def parts(self, other: Flight) -> None:
        """One of them has ended."""
        self._settle(other)
        other._settle(self)

    def _watch(self, other: Flight) -> None:
        if self._watched is None:
            self._watched = {}
        began_ns, count = self._watched.get(other._clock, (0, 0))
        self._watched[other._clock] = (began_ns if count else other._cpu_ns(), count + 1)

    def _settle(self, other: Flight) -> None:
        if self._watched is None:
            return
        began_ns, count = self._watched.pop(other._clock, (0, 0))
        if count > 1:
            self._watched[other._clock] = (began_ns, count - 1)
        elif count:
            self.others_ns += max(other._cpu_ns() - began_ns, 0)

    @property
    def _clock(self) -> object:
        return self if self.stepped else self.thread

    def _cpu_ns(self) -> int:
        if self.stepped:
            return self.own_ns
        try:
            return self.own_ns + clock_gettime_ns(~self.thread << CLOCK_SHIFT | CPUCLOCK_PER_THREAD_SCHED)
        except OSError:  # the thread has ended, or this kernel keeps no such clock: nothing is explained by it
            return self.own_ns
