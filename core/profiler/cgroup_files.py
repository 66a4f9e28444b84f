"""Where this process's control group is: version 1, version 2, or some controllers in each.

A controller is in one hierarchy at a time, so each is looked for on its own: cgroups(7). Nothing is read here.
"""

from __future__ import annotations

import os

from core.profiler import procfs

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import TypeAlias

    Mounts: TypeAlias = list[tuple[bytes, bytes, frozenset[bytes]]]
    Folders: TypeAlias = tuple[str, ...]


class Place:
    """A cgroup as far as this process can see it.

    Attributes:
        unified: Its hierarchy is that of version 2.
        folders: Its own folder and those of its ancestors, up to the highest that is mounted.
        reason: Why there is no folder; empty where there is one.
    """

    __slots__ = ("folders", "reason", "unified")

    def __init__(self, controller: bytes, belongs: dict[bytes, bytes], mounts: Mounts) -> None:
        self.unified = controller not in belongs
        hierarchy = b"" if self.unified else controller
        path = belongs.get(hierarchy)
        seen = () if path is None else _seen(hierarchy, path, mounts)
        # Of several mounts of a hierarchy the one that shows most of what is above.
        self.folders: Folders = max(seen, key=len, default=())
        self.reason = "" if self.folders else _unseen(controller, path)

    def file(self, name: str) -> str | None:
        """Path of a file of this cgroup's, None where it cannot be seen."""
        return f"{self.folders[0]}/{name}" if self.folders else None

    def files(self, *names: str) -> list[Folders]:
        """The paths of such files of this cgroup's and of each ancestor's."""
        return [tuple(f"{folder}/{name}" for name in names) for folder in self.folders]


def _seen(hierarchy: bytes, path: bytes, mounts: Mounts) -> Iterator[Folders]:
    for root, point, controllers in mounts:
        below = _below(path, root) if hierarchy in controllers else None
        if below is not None:
            top = os.fsdecode(point).rstrip("/")
            parts = [os.fsdecode(part) for part in below]
            yield tuple("/".join((top, *parts[:depth])) for depth in range(len(parts), -1, -1))


def _below(path: bytes, root: bytes) -> list[bytes] | None:
    """The parts of a path below a mount's root, None when it is not below it.

    Both are as the process's cgroup namespace names them: what lies outside begins with "..", and of what is on
    the way there no name is told.
    """
    parts, above = _parts(path), _parts(root)
    below = parts[len(above) :]
    return below if parts[: len(above)] == above and b".." not in below else None


def _parts(path: bytes) -> list[bytes]:
    return [part for part in path.split(b"/") if part]


def _unseen(controller: bytes, path: bytes | None) -> str:
    name = controller.decode()
    if path is None:
        return f"/proc/self/cgroup names none for {name}"
    return f"cgroup {os.fsdecode(path)} of {name} is not mounted"


class Files:
    """Paths of the files of this process's cgroup; whether they are there is another question.

    Attributes:
        cpu_stat: cpu.stat.
        cpu_usage: cpuacct.usage; None in version 2, where cpu.stat says it.
        memory: memory.current or memory.usage_in_bytes.
        memory_peak: memory.peak or memory.max_usage_in_bytes.
        oom: memory.events or memory.oom_control.
        memory_limits: Files of which the one that says least holds.
        cpu_quotas: The same for the CPU, each a file of version 2 or two of version 1.
        reasons: By controller, why it cannot be seen; empty where it can.
    """

    __slots__ = ("cpu_quotas", "cpu_stat", "cpu_usage", "memory", "memory_limits", "memory_peak", "oom", "reasons")

    def __init__(self, cpu: Place, accounting: Place, memory: Place) -> None:
        self.reasons = {"cpu": cpu.reason, "cpuacct": accounting.reason, "memory": memory.reason}
        self.cpu_stat = cpu.file("cpu.stat")
        self.cpu_usage = None if accounting.unified else accounting.file("cpuacct.usage")
        self.cpu_quotas = cpu.files("cpu.max") if cpu.unified else cpu.files("cpu.cfs_quota_us", "cpu.cfs_period_us")
        if memory.unified:
            self.memory = memory.file("memory.current")
            self.memory_peak = memory.file("memory.peak")
            self.oom = memory.file("memory.events")
            self.memory_limits = memory.files("memory.max")
        else:
            self.memory = memory.file("memory.usage_in_bytes")
            self.memory_peak = memory.file("memory.max_usage_in_bytes")
            self.oom = memory.file("memory.oom_control")
            # The second says what its ancestors allow, those too that a container does not see, if they count at all:
            # before Linux 5.11 each cgroup chose whether they do (memory.use_hierarchy).
            self.memory_limits = memory.files("memory.limit_in_bytes")[:1] + memory.files("memory.stat")[:1]


def locate(cgroup: bytes, mountinfo: bytes) -> Files:
    """Where the files of this process's cgroup are; reads nothing.

    Args:
        cgroup: Text of /proc/self/cgroup.
        mountinfo: Text of /proc/self/mountinfo.
    """
    belongs, mounts = procfs.memberships(cgroup), procfs.cgroup_mounts(mountinfo)
    cpu, accounting, memory = (Place(name, belongs, mounts) for name in (b"cpu", b"cpuacct", b"memory"))
    return Files(cpu, accounting, memory)
