"""SAAF's names, old and new, and how they stand beside a function's own.

SAAF 0.7 for Python names CPU times in milliseconds. Its older versions and those for Java, Node.js and Bash have
other names for half of them and count all in clock ticks, also what both name alike.
"""

from __future__ import annotations

from core.profiler.growth import TICK_MS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any

# The FaaS Runner leaves out a run that does not say a version.
VERSION, TICKS_VERSION = 0.7, 0.5

# The kernel's CPU states in version 0.7, and before.
STATES = {
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
TICKS = {
    "user": "cpuUsr",
    "nice": "cpuNice",
    "system": "cpuKrn",
    "idle": "cpuIdle",
    "iowait": "cpuIowait",
    "irq": "cpuIrq",
    "softirq": "cpuSoftIrq",
    "steal": "vmcpusteal",
}

# What SAAF does not have and a view gives beside it, under our own names: whose CPU it was.
OWN = (
    *("cpu_ms", "utilized_cpus", "thread_cpu_user_ms", "thread_cpu_system_ms"),
    *("process_cpu_user_ms", "process_cpu_system_ms", "children_cpu_user_ms", "children_cpu_system_ms"),
    *("page_faults_minor", "page_faults_major", "context_switches_voluntary", "context_switches_involuntary"),
    *("rss_mib", "peak_rss_mib", "cgroup_cpu_ms", "cgroup_throttled_ms", "cgroup_memory_limit_mib"),
)
LABELS = ("cpu_shared", "thread_shared")


def own(metrics: Mapping[str, Any]) -> dict[str, Any]:
    """Our own numbers of a call, for beside SAAF's; labels are 1 or 0.

    The FaaS Runner reads Python's literals, which JSON's true is none of, and averages a key that some run lacks
    as if it were -999999999999: a label that is known is there whatever it says.

    Args:
        metrics: The call's, by name, with the labels that are known not to hold.
    """
    numbers = {name: metrics[name] for name in OWN if name in metrics}
    return numbers | {name: int(metrics[name]) for name in LABELS if name in metrics}


def with_ticks(view: Mapping[str, Any]) -> dict[str, Any]:
    """A view of version 0.7 with the older keys too: each means what it meant in version 0.5.

    So cpuNice, cpuIdle, cpuIrq and cpuSoftIrq are ticks, as cpuUsr is, and what only version 0.7 knows stays in
    milliseconds.
    """
    older = {}
    for state, name in TICKS.items():
        for suffix in ("", "Delta"):
            ms = view.get(f"{STATES[state]}{suffix}")
            if ms is not None:
                older[f"{name}{suffix}"] = round(ms / TICK_MS)
    if view.get("bootTime") is not None:
        older["vmuptime"] = view["bootTime"]
    return {**view, **older, "version": TICKS_VERSION}


def beside(ours: Mapping[str, Any], theirs: Mapping[str, Any], reserved: Iterable[str]) -> dict[str, Any]:
    """Both in one object; a function's value under a reserved key stands in an object under "result".

    Args:
        ours: What was measured.
        theirs: The function's own.
        reserved: Keys that are never the function's.
    """
    hidden = {*reserved} & theirs.keys()
    if not hidden:
        return {**ours, **theirs}
    hidden |= {"result"}
    visible = {key: value for key, value in theirs.items() if key not in hidden}
    return {**ours, **visible, "result": {key: theirs[key] for key in theirs if key in hidden}}
