"""Every metric of a profile: its unit, what it counts, whose it is and who documents it.

Scopes, narrow to wide: `call` (the profiler's own clock), `thread` (the one that ran the call), `process`
(the instance: all its threads, not its children), `vm` (everything on the machine, neighbours included).
"""

from typing import Literal

import msgspec

from core.profiler import procfs

Kind = Literal["counter", "gauge", "label"]
Scope = Literal["call", "thread", "process", "vm"]


class Metric(msgspec.Struct, frozen=True):
    """What a number in a profile means.

    Attributes:
        name: Key in `Profile.metrics`.
        unit: "ms", "MiB", "1" for a count, "" for a label.
        kind: A counter's value is its growth over the call; a gauge's is its state when the call ends.
        scope: Whose it is.
        source: Where it is read and documented.
        saaf: SAAF's name for the same number, None where SAAF has none.
    """

    name: str
    unit: str
    kind: Kind
    scope: Scope
    source: str
    saaf: str | None = None


# SAAF's spelling of the kernel's CPU states.
SAAF_STATES = {
    "user": "cpuUser",
    "nice": "cpuNice",
    "system": "cpuKernel",
    "idle": "cpuIdle",
    "iowait": "cpuIOWait",
    "irq": "cpuIrq",
    "softirq": "cpuSoftIrq",
    "steal": "cpuSteal",
    "guest": "cpuGuest",
    "guest_nice": "cpuGuestNice",
}

# The sum of user and system is exact for the thread, and for the process but for a scheduler tick of each
# other thread that is running; how it divides into user and system is sampled at ticks by most kernels.
_USAGE = (
    Metric("thread_cpu_user_ms", "ms", "counter", "thread", "getrusage(2) RUSAGE_THREAD ru_utime"),
    Metric("thread_cpu_system_ms", "ms", "counter", "thread", "getrusage(2) RUSAGE_THREAD ru_stime"),
    Metric("process_cpu_user_ms", "ms", "counter", "process", "getrusage(2) RUSAGE_SELF ru_utime"),
    Metric("process_cpu_system_ms", "ms", "counter", "process", "getrusage(2) RUSAGE_SELF ru_stime"),
    # Several calls ran at once: process metrics (and in asyncio the thread's) are of all of them together.
    Metric("cpu_shared", "", "label", "process", "the instance's calls in flight; there only when true"),
    Metric("page_faults_minor", "1", "counter", "process", "getrusage(2) RUSAGE_SELF ru_minflt"),
    Metric("page_faults_major", "1", "counter", "process", "getrusage(2) RUSAGE_SELF ru_majflt"),
    Metric("context_switches_voluntary", "1", "counter", "process", "getrusage(2) RUSAGE_SELF ru_nvcsw"),
    Metric("context_switches_involuntary", "1", "counter", "process", "getrusage(2) RUSAGE_SELF ru_nivcsw"),
)

_MEMORY = (
    Metric("rss_mib", "MiB", "gauge", "process", "proc_pid_status(5) VmRSS"),
    # Of the process' whole life: it never falls, so a small call after a large one shows the large one's.
    Metric("peak_rss_mib", "MiB", "gauge", "process", "proc_pid_status(5) VmHWM"),
)

# In steps of one clock tick (sysconf(3) SC_CLK_TCK, mostly 10 ms); "user" contains "guest".
_VM = tuple(
    Metric(f"vm_cpu_{state}_ms", "ms", "counter", "vm", f"proc_stat(5) cpu {state}", f"{SAAF_STATES[state]}Delta")
    for state in procfs.CPU_STATES
)

_PROFILER = (
    Metric(
        "profiler_begin_ms",
        "ms",
        "gauge",
        "call",
        "clock_gettime(2) around the readings before",
        "frameworkRuntime",
    ),
    Metric(
        "profiler_end_ms",
        "ms",
        "gauge",
        "call",
        "clock_gettime(2) around the readings after",
        "frameworkRuntimeDeltas",
    ),
)

METRICS = _USAGE + _MEMORY + _VM + _PROFILER
