"""Every metric of a profile: its unit, what it counts, whose it is, how exact it is and who documents it.

docs/metrics.md is made from this table.
"""

from collections.abc import Iterable
from typing import Literal

import msgspec

from core.profiler import procfs, spelling

Kind = Literal["counter", "gauge", "label"]
Scope = Literal["call", "thread", "process", "network", "cgroup", "vm"]

# Narrow to wide, with what each of them contains.
SCOPES: dict[Scope, str] = {
    "call": "this call alone, as far as it can be told apart",
    "thread": "the thread that ran the call",
    "process": "the instance: all threads of its process, not its children",
    "network": "the network namespace: in a container the instance's, else the machine's",
    "cgroup": "the control group: the container that the limits are of, with all of its processes",
    "vm": "the machine as its kernel sees it, neighbours included",
}


class Metric(msgspec.Struct, frozen=True):
    """What a number in a profile means.

    Attributes:
        name: Key in `Profile.metrics`.
        unit: "ms", "MiB", "byte", "vCPU", "1" for a count, "" for a label.
        kind: A counter's value is its growth over the call; a gauge's is its state when the call ends.
        scope: Whose it is.
        source: Where it is read and documented.
        note: What to know when reading it; its error.
        saaf: The name of the same number in SAAF's Python Inspector 0.7, None where SAAF has none.
        saaf_ticks: Its older name, in clock ticks, in SAAF's Java, Node.js and Bash.
    """

    name: str
    unit: str
    kind: Kind
    scope: Scope
    source: str
    note: str = ""
    saaf: str | None = None
    saaf_ticks: str | None = None


_RUSAGE = "getrusage(2)"
_SPLIT = "user and system together are exact to a microsecond; how they divide is sampled at scheduler ticks"

_CALL = (
    Metric(
        *("cpu_ms", "ms", "counter", "call", f"{_RUSAGE}; clock_gettime(2) CLOCK_THREAD_CPUTIME_ID"),
        "alone in its instance: the process, threads left by earlier calls too, and its ended children; beside other "
        "calls: its thread, or the steps of its coroutine, and its spans in other threads; absent where the thread was "
        "shared, or the process used more than the threads of the calls under way explain (by 5 ms and 5 %)",
    ),
    Metric("utilized_cpus", "vCPU", "gauge", "call", "cpu_ms / duration_ms",
           "absent in calls under 1 ms, in which the profiler's own work would show"),
    Metric("cpu_shared", "", "label", "call", "calls under way",
           "true where another call overlapped, else absent: what is wider than the thread is of all of them"),
    Metric("thread_shared", "", "label", "call", "calls under way",
           "true where the other one was in the same thread, else absent: asyncio, or a call in a call"),
    Metric("profiler_begin_ms", "ms", "gauge", "call", "clock_gettime(2) CLOCK_MONOTONIC around the readings before",
           "to a microsecond", "frameworkRuntime"),
    Metric("profiler_end_ms", "ms", "gauge", "call", "clock_gettime(2) CLOCK_MONOTONIC around the readings after",
           "to a microsecond", "frameworkRuntimeDeltas"),
)  # fmt: skip

_THREAD = (
    Metric("thread_cpu_user_ms", "ms", "counter", "thread", f"{_RUSAGE} RUSAGE_THREAD ru_utime", _SPLIT),
    Metric("thread_cpu_system_ms", "ms", "counter", "thread", f"{_RUSAGE} RUSAGE_THREAD ru_stime", _SPLIT),
)

_OTHERS = "other running threads lag by up to a scheduler tick"
_WAITED = "children that ended and were waited for during the call, with all that they used in their lives"
_PROCESS = (
    Metric("process_cpu_user_ms", "ms", "counter", "process", f"{_RUSAGE} RUSAGE_SELF ru_utime", _OTHERS),
    Metric("process_cpu_system_ms", "ms", "counter", "process", f"{_RUSAGE} RUSAGE_SELF ru_stime", _OTHERS),
    Metric("children_cpu_user_ms", "ms", "counter", "process", f"{_RUSAGE} RUSAGE_CHILDREN ru_utime", _WAITED),
    Metric("children_cpu_system_ms", "ms", "counter", "process", f"{_RUSAGE} RUSAGE_CHILDREN ru_stime", _WAITED),
    Metric("page_faults_minor", "1", "counter", "process", f"{_RUSAGE} RUSAGE_SELF ru_minflt", "without I/O"),
    Metric("page_faults_major", "1", "counter", "process", f"{_RUSAGE} RUSAGE_SELF ru_majflt", "with I/O"),
    Metric("context_switches_voluntary", "1", "counter", "process", f"{_RUSAGE} RUSAGE_SELF ru_nvcsw", "it waited"),
    Metric("context_switches_involuntary", "1", "counter", "process", f"{_RUSAGE} RUSAGE_SELF ru_nivcsw",
           "it was made to wait"),
    Metric("rss_mib", "MiB", "gauge", "process", "proc_pid_statm(5) resident",
           "the kernel counts in batches of some pages per thread or CPU"),
    Metric("rss_growth_mib", "MiB", "gauge", "process", "proc_pid_statm(5) resident",
           "after less before; negative where memory was given back"),
    Metric("heap_growth_mib", "MiB", "gauge", "process", "proc_pid_statm(5) data",
           "address space of data and stack, touched or not; negative where it was given back"),
    Metric("peak_rss_mib", "MiB", "gauge", "process", "proc_pid_status(5) VmHWM, or getrusage(2) ru_maxrss",
           "of the process's whole life: it never falls, so a small call after a large one shows the large one's"),
    Metric("threads", "1", "gauge", "process", "proc_pid_status(5) Threads", "threads of libraries too"),
    Metric("gc_ms", "ms", "counter", "process", "Python gc.callbacks", "of all threads"),
    Metric("gc_collections", "1", "counter", "process", "Python gc.callbacks", "of all generations"),
    Metric("disk_read_bytes", "byte", "counter", "process", "proc_pid_io(5) read_bytes",
           "what reached the storage; 0 for what the page cache had"),
    Metric("disk_write_bytes", "byte", "counter", "process", "proc_pid_io(5) write_bytes",
           "pages made dirty, also those that were not written yet"),
    Metric("syscall_read_bytes", "byte", "counter", "process", "proc_pid_io(5) rchar",
           "by read(2) and its kin, of files, pipes and terminals; not of sockets read by recv(2)"),
    Metric("syscall_write_bytes", "byte", "counter", "process", "proc_pid_io(5) wchar",
           "by write(2) and its kin; not what sockets sent by send(2)"),
)  # fmt: skip

_BESIDE_LOOPBACK = "all interfaces but lo, with headers"
_NETWORK = (
    Metric("net_received_bytes", "byte", "counter", "network", "proc_pid_net(5) dev", _BESIDE_LOOPBACK),
    Metric("net_sent_bytes", "byte", "counter", "network", "proc_pid_net(5) dev", _BESIDE_LOOPBACK),
)

_V2 = "https://docs.kernel.org/admin-guide/cgroup-v2.html"
_V1 = "https://docs.kernel.org/admin-guide/cgroup-v1/"
_CGROUP = (
    Metric("cgroup_cpu_ms", "ms", "counter", "cgroup", f"{_V2} cpu.stat usage_usec; {_V1}cpuacct.html cpuacct.usage",
           "all its processes, the profiler's own readings too; tasks that run lag by up to a scheduler tick"),
    Metric("cgroup_throttled_ms", "ms", "counter", "cgroup", f"{_V2} cpu.stat throttled_usec; v1 throttled_time",
           "time in which the quota was used up and something wanted to run, summed over the processors"),
    Metric("cgroup_throttled_periods", "1", "counter", "cgroup", f"{_V2} cpu.stat nr_throttled; v1 cpu.stat",
           "periods, mostly of 100 ms, in which the quota was used up"),
    Metric("cgroup_memory_mib", "MiB", "gauge", "cgroup", f"{_V2} memory.current; v1 memory.usage_in_bytes",
           "page cache too"),
    Metric("cgroup_memory_peak_mib", "MiB", "gauge", "cgroup", f"{_V2} memory.peak; v1 memory.max_usage_in_bytes",
           "of the cgroup's whole life, page cache too"),
    Metric("cgroup_memory_limit_mib", "MiB", "gauge", "cgroup", f"{_V2} memory.max; v1 memory.limit_in_bytes",
           "the least of the cgroup's and its parents'; absent where there is none"),
    Metric("cgroup_oom_kills", "1", "counter", "cgroup", f"{_V2} memory.events oom_kill; v1 memory.oom_control",
           "exact; version 1 counts since Linux 4.13"),
)  # fmt: skip

_TICK = "in steps of a clock tick, sysconf(3) SC_CLK_TCK, mostly 10 ms"
_NOTES = {
    "user": f"contains guest; {_TICK}",
    "nice": f"contains guest_nice; {_TICK}",
    "iowait": f"unreliable by its own documentation, may fall; {_TICK}",
    "steal": f"what the hypervisor gave to others; {_TICK}",
}


def _state(state: str) -> Metric:
    ticks = spelling.TICKS.get(state)
    return Metric(
        *(f"vm_cpu_{state}_ms", "ms", "counter", "vm", f"proc_stat(5) cpu {state}", _NOTES.get(state, _TICK)),
        saaf=f"{spelling.STATES[state]}Delta",
        saaf_ticks=ticks and f"{ticks}Delta",
    )


_PSI = "https://docs.kernel.org/accounting/psi.html"
_VM = (
    *map(_state, procfs.CPU_STATES),
    Metric(
        "vm_context_switches",
        "1",
        "counter",
        "vm",
        "proc_stat(5) ctxt",
        "exact, of all processors",
        "contextSwitchesDelta",
    ),
    Metric("vm_page_faults", "1", "counter", "vm", "proc_vmstat(5) pgfault", "minor and major", "pageFaultsDelta"),
    Metric(
        "vm_page_faults_major",
        "1",
        "counter",
        "vm",
        "proc_vmstat(5) pgmajfault",
        "exact; with I/O",
        "majorPageFaultsDelta",
    ),
    Metric(
        "vm_memory_total_mib",
        "MiB",
        "gauge",
        "vm",
        "proc_meminfo(5) MemTotal",
        "without what the kernel keeps for itself",
    ),
    Metric("vm_memory_free_mib", "MiB", "gauge", "vm", "proc_meminfo(5) MemFree", "not even used as cache"),
    Metric("vm_memory_available_mib", "MiB", "gauge", "vm", "proc_meminfo(5) MemAvailable", "the kernel's estimate"),
    Metric("vm_pressure_cpu_ms", "ms", "counter", "vm", f"{_PSI} cpu some", "some task waited for a processor"),
    Metric("vm_pressure_memory_ms", "ms", "counter", "vm", f"{_PSI} memory some", "some task waited for memory"),
    Metric("vm_pressure_io_ms", "ms", "counter", "vm", f"{_PSI} io some", "some task waited for I/O"),
)

METRICS = _CALL + _THREAD + _PROCESS + _NETWORK + _CGROUP + _VM


def markdown() -> str:
    """The table as docs/metrics.md has it."""
    return _PAGE + "\n".join(line for scope in SCOPES for line in _section(scope))


_PAGE = (
    "# Metrics\n\n"
    "Made from `core/profiler/metrics.py` by `polyfaas metrics --markdown`. A counter's value is its growth over the "
    "call, a gauge's its state when the call ends, and a label is there only when it is true. What could not be "
    "measured is absent, never 0; a profile names each such metric with the reason under `unavailable`. A counter that "
    "the kernel took back during a call is left out of that call's profile. [profiler.md](profiler.md) says how to "
    "read a profile.\n\n"
)


def _section(scope: Scope) -> Iterable[str]:
    yield f"## {scope.capitalize() if scope != 'vm' else 'VM'}\n\n{SCOPES[scope].capitalize()}.\n"
    yield "| metric | unit | kind | read from | note | SAAF (ms) | SAAF (ticks) |"
    yield "|" + " --- |" * 7
    for metric in METRICS:
        if metric.scope == scope:
            names = [f"`{name}`" if name else "" for name in (metric.saaf, metric.saaf_ticks)]
            cells = [f"`{metric.name}`", metric.unit, metric.kind, metric.source, metric.note, *names]
            yield f"| {' | '.join(cells)} |"
    yield ""
