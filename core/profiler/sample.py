"""Readings of the kernel's counters, kept as they were read: they become numbers when the call is over."""

from __future__ import annotations

from _thread import get_ident
from resource import RUSAGE_CHILDREN, RUSAGE_SELF, RUSAGE_THREAD, getrusage

TYPE_CHECKING = False
if TYPE_CHECKING:
    from resource import struct_rusage

    from core.profiler.instance import Instance


class Sample:
    """One reading of what belongs to the process.

    Attributes:
        thread_id: Thread that took the reading.
        thread: What this thread has used.
        process: What this process has used, its children not counted.
        children: What its ended children have used that were waited for.
        statm: Text of /proc/self/statm; before a narrow call it is empty.
        gc_ns: Time of Python's garbage collector.
        gc_collections: How often it ran.
        io: Text of /proc/self/io; empty in a narrow reading.
    """

    __slots__ = ("children", "gc_collections", "gc_ns", "io", "process", "statm", "thread", "thread_id")

    thread_id: int
    thread: struct_rusage
    process: struct_rusage
    children: struct_rusage
    statm: bytes
    gc_ns: int
    gc_collections: int
    io: bytes


class Wide:
    """One reading of what lies beyond the process.

    Attributes:
        vmstat: Text of /proc/vmstat.
        stat: Text of /proc/stat.
        network: Text of /proc/self/net/dev.
        pressure: Texts of /proc/pressure.
        cgroup: Texts of the cgroup's counters.
    """

    __slots__ = ("cgroup", "network", "pressure", "stat", "vmstat")

    def __init__(self, instance: Instance) -> None:
        self.vmstat, self.stat, self.network, *texts = instance.sources.counting.read()
        self.pressure, self.cgroup = texts[:3], texts[3:]


def before(instance: Instance, wide: bool) -> Sample:
    """The reading before a call, the CPU last: it sees least of the reading."""
    sample, sources = Sample(), instance.sources
    # io is the last of all reads: what is read after it would count as the call's.
    sample.statm, sample.io = (sources.statm.read(), sources.io.read()) if wide else (b"", b"")
    sample.gc_ns, sample.gc_collections = instance.gc_ns, instance.gc_collections
    _usage(sample)
    return sample


def after(instance: Instance, wide: bool) -> Sample:
    """The reading after a call, the CPU first."""
    sample, sources = Sample(), instance.sources
    _usage(sample)
    sample.io = sources.io.read() if wide else b""
    sample.gc_ns, sample.gc_collections = instance.gc_ns, instance.gc_collections
    sample.statm = sources.statm.read()
    return sample


def _usage(sample: Sample) -> None:
    """What this process and this thread have used, exact to the microsecond for this thread.

    The order matters: Linux brings the running thread's CPU time up to date when it is asked for the
    process (thread_group_cputime in kernel/sched/cputime.c), not when it is asked for the thread. Asked for
    the thread alone it answers in scheduler ticks, and calls under some milliseconds cost nothing.
    """
    sample.thread_id = get_ident()
    sample.children = getrusage(RUSAGE_CHILDREN)
    sample.process = getrusage(RUSAGE_SELF)
    sample.thread = getrusage(RUSAGE_THREAD)
