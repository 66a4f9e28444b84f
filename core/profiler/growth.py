"""What a call spent: the metrics that lie between a reading before it and one after it.

A counter that went backwards is left out; what a file did not say is not there either.
"""

from __future__ import annotations

import os

from core.profiler import procfs

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from resource import struct_rusage
    from typing import TypeAlias

    from core.profiler.flights import Flight
    from core.profiler.instance import Instance
    from core.profiler.sample import Sample, Wide

    Metrics: TypeAlias = dict[str, float]

TICKS_PER_S = os.sysconf("SC_CLK_TCK")
TICK_MS = 1000 / TICKS_PER_S
# A whole number almost everywhere, and as one shorter in an answer.
_TICK_MS = int(TICK_MS) if TICK_MS.is_integer() else TICK_MS
PAGE_MIB = os.sysconf("SC_PAGE_SIZE") / (1 << 20)
KIB_PER_MIB = 1024
MIB = 1 << 20

# Of a shorter call the profiler's own microseconds would be a part that matters.
LEAST_NS = 1_000_000
# Threads that run on other processors lag by a scheduler tick each, of 10 ms at the most.
UNEXPLAINED_MS = 5.0
UNEXPLAINED_PART = 0.05
SYSCALLS = {"syscall_read_bytes": "rchar", "syscall_write_bytes": "wchar"}
IO = {"disk_read_bytes": "read_bytes", "disk_write_bytes": "write_bytes", **SYSCALLS}
EVENTS = ("page_faults_minor", "page_faults_major", "context_switches_voluntary", "context_switches_involuntary")
CPU_METRICS = tuple(f"vm_cpu_{state}_ms" for state in procfs.CPU_STATES)
PRESSURE = ("vm_pressure_cpu_ms", "vm_pressure_memory_ms", "vm_pressure_io_ms")
FAULTS = ("vm_page_faults", "vm_page_faults_major")
SWITCHES = "vm_context_switches"
MEMINFO = {
    "vm_memory_total_mib": b"MemTotal:",
    "vm_memory_free_mib": b"MemFree:",
    "vm_memory_available_mib": b"MemAvailable:",
}


def process(begin: Sample, end: Sample) -> Metrics:
    """What the thread and the process spent; the kernel keeps these counters from falling."""
    before, after = begin.process, end.process
    metrics: Metrics = {
        "process_cpu_user_ms": _ms(before.ru_utime, after.ru_utime),
        "process_cpu_system_ms": _ms(before.ru_stime, after.ru_stime),
        "children_cpu_user_ms": _ms(begin.children.ru_utime, end.children.ru_utime),
        "children_cpu_system_ms": _ms(begin.children.ru_stime, end.children.ru_stime),
        "gc_ms": _ms(begin.gc_ns / 1e9, end.gc_ns / 1e9),
        "gc_collections": end.gc_collections - begin.gc_collections,
    }
    if counts_events(after):
        metrics["page_faults_minor"] = after.ru_minflt - before.ru_minflt
        metrics["page_faults_major"] = after.ru_majflt - before.ru_majflt
        metrics["context_switches_voluntary"] = after.ru_nvcsw - before.ru_nvcsw
        metrics["context_switches_involuntary"] = after.ru_nivcsw - before.ru_nivcsw
    if begin.thread_id == end.thread_id:
        metrics["thread_cpu_user_ms"] = _ms(begin.thread.ru_utime, end.thread.ru_utime)
        metrics["thread_cpu_system_ms"] = _ms(begin.thread.ru_stime, end.thread.ru_stime)
    _memory(metrics, begin.statm, end.statm)
    return metrics


def counts_events(usage: struct_rusage) -> bool:
    """Whether the kernel counts faults, switches and storage; gVisor says 0, and no process runs without a fault."""
    return usage.ru_minflt > 0


def io_names(usage: struct_rusage) -> dict[str, str]:
    """The metrics of input and output that this kernel counts, with their names in /proc/self/io."""
    return IO if counts_events(usage) else SYSCALLS


def input_output(begin: Sample, end: Sample) -> Metrics:
    """The bytes that the process read and wrote, without the profiler's own."""
    before, after = procfs.io_counts(begin.io), procfs.io_counts(end.io)
    if "rchar" in before:
        # The kernel counts a read when it has ended: that of the first text belongs to us.
        before["rchar"] += len(begin.io)
    names = io_names(end.process)
    return _grown((name, before.get(key), after.get(key)) for name, key in names.items())


def beyond(begin: Wide, end: Wide) -> Metrics:
    """What the network, the cgroup and the whole VM spent meanwhile, neighbours included."""
    from core.profiler.cgroup import between  # half a millisecond that a narrow call need not pay

    metrics = between(begin.cgroup, end.cgroup)
    metrics |= _network(begin.network, end.network)
    metrics |= _cpu_states(begin.stat, end.stat)
    faults, later_faults = procfs.faults(begin.vmstat), procfs.faults(end.vmstat)
    readings = [(name, faults[place], later_faults[place]) for place, name in enumerate(FAULTS)]
    readings.append((SWITCHES, procfs.context_switches(begin.stat), procfs.context_switches(end.stat)))
    metrics |= _grown(readings)
    for name, earlier, later in zip(PRESSURE, begin.pressure, end.pressure, strict=True):
        after = procfs.pressure_us(later)
        before = after if earlier == later else procfs.pressure_us(earlier)
        if before is not None and after is not None:
            metrics[name] = (after - before) / 1000 if after != before else 0
    return metrics


def state(instance: Instance) -> Metrics:
    """How the process, its cgroup and the VM are now."""
    sources = instance.sources
    meminfo, stat, *held = sources.state.read()
    metrics = sources.cgroup.held(held)
    for name, label in MEMINFO.items():
        kib = procfs.number(meminfo, label)
        if kib is not None:
            metrics[name] = round(kib / KIB_PER_MIB, 3)
    threads = procfs.threads(stat)
    if threads is not None:
        metrics["threads"] = threads
    return metrics


def peak(instance: Instance, end: Sample, metrics: Metrics) -> None:
    """Add the most that was resident in the process's life."""
    sources = instance.sources
    kib = end.process.ru_maxrss if sources.peak_is_own else procfs.number(sources.status.read(), b"VmHWM:")
    if kib is not None:
        # What is resident now is read a moment later.
        metrics["peak_rss_mib"] = max(round(kib / KIB_PER_MIB, 3), metrics.get("rss_mib", 0))


def own(metrics: Metrics, flight: Flight, duration_ns: int) -> None:
    """Add what is the call's own, and whether it could not be told apart from calls that overlapped with it.

    Args:
        metrics: What was spent, by scope.
        flight: The call, when it has ended.
        duration_ns: How long it took.
    """
    spent_ms = _spent_ms(metrics, "process") + _spent_ms(metrics, "children")
    if flight.shared:
        metrics["cpu_shared"] = True
        if flight.thread_shared:
            metrics["thread_shared"] = True
            return
        thread_known = flight.stepped or "thread_cpu_user_ms" in metrics
        own_ms = flight.own_ns / 1e6 + (0 if flight.stepped else _spent_ms(metrics, "thread"))
        # What no call's thread explains, a library's threads or a child used for one of them: nobody knows for which.
        unexplained_ms = spent_ms - own_ms - flight.others_ns / 1e6
        if not thread_known or unexplained_ms > UNEXPLAINED_MS + UNEXPLAINED_PART * spent_ms:
            return
        spent_ms = own_ms
    metrics["cpu_ms"] = round(spent_ms, 3)
    if duration_ns >= LEAST_NS:
        metrics["utilized_cpus"] = round(spent_ms * 1e6 / duration_ns, 4)


def _spent_ms(metrics: Metrics, scope: str) -> float:
    return metrics.get(f"{scope}_cpu_user_ms", 0) + metrics.get(f"{scope}_cpu_system_ms", 0)


def _ms(begin_s: float, end_s: float) -> float:
    """Milliseconds between two readings; most of them are the same, and rounding is slow."""
    return round((end_s - begin_s) * 1000, 3) if end_s != begin_s else 0


def _memory(metrics: Metrics, begin: bytes, end: bytes) -> None:
    after = procfs.pages(end)
    before = after if begin == end else procfs.pages(begin)
    if after is not None:
        metrics["rss_mib"] = round(after[0] * PAGE_MIB, 3)
        if before is not None:
            metrics["rss_growth_mib"] = round((after[0] - before[0]) * PAGE_MIB, 3)
        if before is not None and after[1]:  # gVisor says 0, which no process has
            metrics["heap_growth_mib"] = round((after[1] - before[1]) * PAGE_MIB, 3)


def _network(begin: bytes, end: bytes) -> Metrics:
    names = ("net_received_bytes", "net_sent_bytes")
    if begin == end and b":" in end:
        return dict.fromkeys(names, 0)
    before, after = procfs.beside_loopback(begin), procfs.beside_loopback(end)
    return {} if before is None or after is None else _grown(zip(names, before, after, strict=True))


def _cpu_states(begin: bytes, end: bytes) -> Metrics:
    before, after = procfs.cpu_ticks(begin), procfs.cpu_ticks(end)
    pairs = zip(CPU_METRICS, before.values(), after.values(), strict=False)
    # The kernel says itself that iowait may decrease: proc_stat(5).
    return {name: (later - earlier) * _TICK_MS for name, earlier, later in pairs if later >= earlier}


def _grown(readings: Iterable[tuple[str, int | None, int | None]]) -> Metrics:
    return {
        name: after - before
        for name, before, after in readings
        if before is not None and after is not None and after >= before
    }
