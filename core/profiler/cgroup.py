"""What this process's control group has used and may use, version 1 and version 2 in one vocabulary.

The files are documented in the kernel's admin-guide/cgroup-v2 and admin-guide/cgroup-v1.
"""

from __future__ import annotations

import os

from core.profiler import procfs
from core.profiler.cgroup_files import Files, locate
from core.profiler.files import ProcFile

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import TypeAlias, TypeVar

    Source: TypeAlias = "ProcFile | Nowhere"
    Texts: TypeAlias = Sequence[bytes]
    Value = TypeVar("Value", int, float)

MIB = 1 << 20
# The longest of the files, version 1's memory.stat, has some 1,500 bytes.
_SIZE = 1 << 12
# Version 1 says the largest number of its word, rounded to pages, where no limit is set; 2.6 did not round it.
_NO_LIMIT = 1 << 62
_HIERARCHICAL = b"hierarchical_memory_limit "

# Line of cpu.stat, version 2 or 1: what it is called here, and how many of its units make one of ours.
_CPU_STAT = {
    b"usage_usec": ("usage_us", 1),
    b"nr_periods": ("periods", 1),
    b"nr_throttled": ("throttled_periods", 1),
    b"throttled_usec": ("throttled_us", 1),
    b"throttled_time": ("throttled_us", 1000),
}
_NS_PER_US = 1000

# Counter: the metric that is its growth, and how many of it make one of the metric's unit.
GROWTH = {
    "usage_us": ("cgroup_cpu_ms", 1000),
    "throttled_us": ("cgroup_throttled_ms", 1000),
    "throttled_periods": ("cgroup_throttled_periods", 1),
    "oom_kills": ("cgroup_oom_kills", 1),
}


def cpu(stat: bytes, usage: bytes = b"") -> dict[str, int]:
    """What the CPU controller counts: usage_us, throttled_us, throttled_periods and periods.

    Args:
        stat: Text of cpu.stat.
        usage: Text of cpuacct.usage, which version 1 has beside it.
    """
    found = {}
    for line in stat.split(b"\n"):
        key, _, word = line.partition(b" ")
        value = procfs.whole(word)
        if value is not None and key in _CPU_STAT:
            name, units = _CPU_STAT[key]
            found[name] = value // units
    used_ns = procfs.whole(usage.strip())
    if used_ns is not None:
        found["usage_us"] = used_ns // _NS_PER_US
    return found


def oom_kills(text: bytes) -> int | None:
    """Processes that the kernel has killed for want of memory.

    Args:
        text: Text of memory.events, or of memory.oom_control, which says it since Linux 4.13.
    """
    return procfs.number(text, b"oom_kill ")


def limit(text: bytes) -> int | None:
    """Bytes that memory.max, memory.limit_in_bytes or version 1's memory.stat allow; None is no limit."""
    allowed = procfs.number(text, _HIERARCHICAL) if _HIERARCHICAL in text else procfs.whole(text.strip())
    return None if allowed is None or allowed >= _NO_LIMIT else allowed


def quota(text: bytes) -> float | None:
    """CPUs that cpu.max allows; None is no quota.

    Args:
        text: Microseconds in a period and the period, as in cpu.max; version 1 has them in two files.
    """
    match [procfs.whole(word) for word in text.split()]:
        case [int(allowed_us), int(period_us)] if allowed_us and period_us:
            return allowed_us / period_us
    return None


class Nowhere:
    """In the place of a file that is not there.

    Attributes:
        path: The file, empty where not even that is known.
        reason: Why it is not there.
    """

    __slots__ = ("path", "reason")

    def __init__(self, path: str, reason: str) -> None:
        self.path = path
        self.reason = reason

    def read(self) -> bytes:
        """Nothing."""
        return b""

    def steady(self, text: bytes) -> None:
        """Never: nothing is open."""

    def close(self) -> None:
        """Nothing is open."""


class Cgroup:
    """Reads the counters and the state of this process's cgroup, in a few microseconds.

    A file that is missing when the reader is made is not looked for again, and the limit is the one of then.
    """

    __slots__ = ("_limit", "_limits", "_memory", "_oom", "_peak", "_quotas", "_stat", "_usage")

    def __init__(self, files: Files) -> None:
        why = files.reasons
        self._stat = _source(files.cpu_stat, why["cpu"])
        in_stat = files.cpu_usage is None and not why["cpuacct"]
        self._usage = self._stat if in_stat else _source(files.cpu_usage, why["cpuacct"])
        self._memory = _source(files.memory, why["memory"])
        self._peak = _source(files.memory_peak, why["memory"])
        self._oom = _source(files.oom, why["memory"])
        self._limits = [[_source(path, "") for path in paths] for paths in files.memory_limits]
        self._limit = _least(limit, self._limits)
        self._quotas = [[_source(path, "") for path in paths] for paths in files.cpu_quotas]

    def counting(self) -> list[Source]:
        """The files of what is counted: cpu.stat, where kills for memory are, and version 1's cpuacct.usage."""
        return [self._stat, self._oom, *([] if self._usage is self._stat else [self._usage])]

    def holding(self) -> tuple[Source, Source]:
        """The files of the memory that is held now, and was at most."""
        return self._memory, self._peak

    def read(self) -> Texts:
        """The texts of what is counted."""
        return [file.read() for file in self.counting()]

    def counters(self) -> dict[str, int]:
        """What has been counted since the cgroup was made: the keys of GROWTH, and periods."""
        return counted(self.read())

    def gauges(self) -> dict[str, float]:
        """The memory that the cgroup holds now, held at most, and may hold, by the metrics' names."""
        return self.held([file.read() for file in self.holding()])

    def held(self, texts: Sequence[bytes]) -> dict[str, float]:
        """The same from the texts of `holding`."""
        now, peak = texts
        found = {
            "cgroup_memory_mib": procfs.whole(now.strip()),
            "cgroup_memory_peak_mib": procfs.whole(peak.strip()),
            "cgroup_memory_limit_mib": self._limit,
        }
        return {name: round(held / MIB, 3) for name, held in found.items() if held is not None}

    def cpus(self) -> float | None:
        """CPUs' worth of time that it may use, None where no quota is set or seen."""
        return _least(quota, self._quotas)

    def missing(self) -> dict[str, str]:
        """For each metric of a cgroup's why it is not there, should it not be; that no limit is set is no reason."""
        sources = {
            "cgroup_cpu_ms": self._usage,
            "cgroup_throttled_ms": self._stat,
            "cgroup_throttled_periods": self._stat,
            "cgroup_memory_mib": self._memory,
            "cgroup_memory_peak_mib": self._peak,
            "cgroup_oom_kills": self._oom,
        }
        if all(file.reason for files in self._limits for file in files):
            sources["cgroup_memory_limit_mib"] = self._memory
        return {name: source.reason or f"not in {source.path}" for name, source in sources.items()}

    def close(self) -> None:
        """The next reading opens the files again."""
        for file in (self._stat, self._usage, self._memory, self._peak, self._oom):
            file.close()
        for files in self._limits + self._quotas:
            for file in files:
                file.close()


def counted(texts: Texts) -> dict[str, int]:
    """The counters that such texts say: the keys of GROWTH, and periods."""
    stat, oom, *usage = texts
    found = cpu(stat, *usage)
    kills = oom_kills(oom)
    if kills is not None:
        found["oom_kills"] = kills
    return found


def between(begin: Texts, end: Texts) -> dict[str, float]:
    """The metrics that lie between two readings; most texts are the same in both."""
    after = counted(end)
    usage_alone = begin[:2] == end[:2]
    return growth(after | cpu(b"", *begin[2:]) if usage_alone else counted(begin), after)


def growth(before: dict[str, int], after: dict[str, int]) -> dict[str, float]:
    """The metrics that lie between two readings of `Cgroup.counters`; a counter that fell is left out."""
    grown = {}
    for name, (metric, units) in GROWTH.items():
        if name in before and before[name] <= after.get(name, -1):
            count = after[name] - before[name]
            grown[metric] = count / units if count and units > 1 else count
    return grown


def own() -> Cgroup:
    """The reader of the cgroup that this process is in now."""
    return Cgroup(locate(_text("/proc/self/cgroup"), _text("/proc/self/mountinfo")))


def _text(path: str) -> bytes:
    """The whole of a file, which no such text holds a NUL of; empty when it cannot be read."""
    file = ProcFile(path, 1 << 16, until=b"\0")
    text = file.read()
    file.close()
    return text


def _source(path: str | None, reason: str) -> Source:
    if path is None:
        return Nowhere("", reason)
    if os.access(path, os.R_OK):
        return ProcFile(path, _SIZE)
    return Nowhere(path, f"{path.rpartition('/')[2]} is not there or may not be read")


def _least(parse: Callable[[bytes], Value | None], candidates: list[list[Source]]) -> Value | None:
    texts = (b" ".join([file.read() for file in files]) for files in candidates)
    return min((value for value in map(parse, texts) if value is not None), default=None)
