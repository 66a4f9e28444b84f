"""Readings of the kernel's counters before and after a call, and what the call spent in between."""

import os
import threading
from collections.abc import Iterator
from resource import RUSAGE_SELF, RUSAGE_THREAD, getrusage, struct_rusage
from typing import TypeAlias

import msgspec

from core.profiler import procfs
from core.profiler.instance import Instance

Metrics: TypeAlias = dict[str, bool | int | float | str]

TICK_MS = 1000 / os.sysconf("SC_CLK_TCK")
KIB_PER_MIB = 1024


class Sample(msgspec.Struct, frozen=True):
    """One reading of every counter that a call may move.

    Attributes:
        thread_id: Thread that took the reading.
        thread: What this thread has used.
        process: What this process has used, its children not counted.
        vm: Clock ticks of the whole VM by CPU state; empty when /proc/stat cannot be read.
    """

    thread_id: int
    thread: struct_rusage
    process: struct_rusage
    vm: dict[str, int]


def before(instance: Instance) -> Sample:
    """The reading before a call: widest scope first, so that the narrow ones see least of the reading."""
    vm = procfs.cpu_ticks(instance.stat.read())
    process, thread = rusage()
    return Sample(threading.get_ident(), thread, process, vm)


def after(instance: Instance) -> Sample:
    """The reading after a call: narrowest scope first."""
    process, thread = rusage()
    vm = procfs.cpu_ticks(instance.stat.read())
    return Sample(threading.get_ident(), thread, process, vm)


def rusage() -> tuple[struct_rusage, struct_rusage]:
    """What this process and this thread have used, exact to the microsecond for this thread.

    The order matters: Linux brings the running thread's CPU time up to date when it is asked for the
    process (thread_group_cputime in kernel/sched/cputime.c), not when it is asked for the thread. Asked for
    the thread alone it answers in scheduler ticks, and calls under some milliseconds cost nothing.
    """
    return getrusage(RUSAGE_SELF), getrusage(RUSAGE_THREAD)


def spent(begin: Sample, end: Sample) -> Metrics:
    """What lies between two readings; a counter that went backwards is left out."""
    pairs = [*_cpu("process", begin.process, end.process), *_events(begin.process, end.process)]
    if begin.thread_id == end.thread_id:
        pairs += _cpu("thread", begin.thread, end.thread)
    pairs += _vm(begin.vm, end.vm)
    # The kernel says itself that iowait may decrease: proc_stat(5).
    return {name: value for name, value in pairs if value >= 0}


def memory(status: bytes) -> Metrics:
    """Resident memory of this process, now and at its peak.

    ru_maxrss would be at hand but begins, after fork and exec, at what the parent had resident.

    Args:
        status: Text of /proc/self/status.
    """
    sizes = {"rss_mib": procfs.number(status, b"VmRSS:"), "peak_rss_mib": procfs.number(status, b"VmHWM:")}
    return {name: round(kib / KIB_PER_MIB, 3) for name, kib in sizes.items() if kib is not None}


def _cpu(scope: str, begin: struct_rusage, end: struct_rusage) -> Iterator[tuple[str, float]]:
    yield f"{scope}_cpu_user_ms", round((end.ru_utime - begin.ru_utime) * 1000, 3)
    yield f"{scope}_cpu_system_ms", round((end.ru_stime - begin.ru_stime) * 1000, 3)


def _events(begin: struct_rusage, end: struct_rusage) -> Iterator[tuple[str, float]]:
    yield "page_faults_minor", end.ru_minflt - begin.ru_minflt
    yield "page_faults_major", end.ru_majflt - begin.ru_majflt
    yield "context_switches_voluntary", end.ru_nvcsw - begin.ru_nvcsw
    yield "context_switches_involuntary", end.ru_nivcsw - begin.ru_nivcsw


def _vm(begin: dict[str, int], end: dict[str, int]) -> Iterator[tuple[str, float]]:
    for state, ticks in end.items():
        if state in begin:
            yield f"vm_cpu_{state}_ms", (ticks - begin[state]) * TICK_MS
