"""What does not change while an instance lives: its processors, kernel, boot and VM; read once, without a fork."""

from __future__ import annotations

import os

from core.profiler import procfs
from core.profiler.files import ProcFile
from core.profiler.instance import instance

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import TypeAlias

    Core: TypeAlias = dict[str, "str | list[str]"]

_ARCHITECTURES = {"x86_64": "x86", "aarch64": "arm64"}
_LISTS = frozenset(["flags", "bugs", "Features"])
_SANDBOX = "sandbox-root-"
_SANDBOX_ID = 6

# By the id of the instance: a forked child may be put elsewhere.
_known: dict[str, Mapping[str, object]] = {}


def facts() -> Mapping[str, object]:
    """The machine under SAAF's keys; None is what it does not tell."""
    found = _known.get(instance.id)
    if found is None:
        found = {
            **processors(text("/proc/cpuinfo"), os.uname().machine),
            "linuxVersion": " ".join((*os.uname(), "GNU/Linux")),
            "bootTime": procfs.number(instance.sources.stat.read(), b"btime "),
            "totalMemory": procfs.number(instance.sources.meminfo.read(), b"MemTotal:"),
            "vmID": vm_id(text("/proc/self/cgroup"), text("/sys/hypervisor/uuid"), instance.boot_id),
        }
        _known.clear()
        _known[instance.id] = found
    return found


def processors(cpuinfo: str, machine: str) -> dict[str, object]:
    """What SAAF says of processors; keys that the kernel does not have are None, whatever the text looks like.

    Args:
        cpuinfo: Text of /proc/cpuinfo, whose keys differ by architecture and which may be empty.
        machine: The kernel's word for the architecture.
    """
    blocks = [core for block in cpuinfo.split("\n\n") if (core := _core(block))]
    counts = [sum(key.split("_")[0] == "processor" for key in core) for core in blocks]
    cores = [core for core, count in zip(blocks, counts, strict=True) if count]
    first = cores[0] if cores else {}
    board = next((core["Model"] for core in reversed(blocks) if "Model" in core), None)
    return {
        "cpuType": first.get("model_name"),
        "cpuModel": first.get("model", board),
        "cpuCores": sum(counts) or None,
        "architecture": _ARCHITECTURES.get(machine, machine),
        "cpuInfo": cores or None,
    }


def vm_id(cgroup: str, hypervisor: str, boot_id: str | None) -> str | None:
    """The VM's id: what the platform calls it, else the id of the kernel's boot, which all its containers share.

    Instances that were restored from one snapshot may share it too.

    Args:
        cgroup: Text of /proc/self/cgroup, where Lambda named the VM as long as it ran in containers.
        hypervisor: Text of /sys/hypervisor/uuid, which Xen has.
        boot_id: The kernel's id of its boot.
    """
    _, named, rest = cgroup.partition(_SANDBOX)
    return rest[:_SANDBOX_ID] if named else hypervisor.strip() or boot_id


def text(path: str) -> str:
    """The whole of a file of the kernel's; empty when it cannot be read."""
    file = ProcFile(path, 1 << 16, until=b"\0")
    found = file.read()
    file.close()
    return found.decode(errors="replace")


def _core(block: str) -> Core:
    found: Core = {}
    for line in block.split("\n"):
        key, colon, value = line.partition(":")
        if colon:
            name, value = key.strip().replace(" ", "_"), value.strip()
            found[name] = value.split(" ") if name in _LISTS else value
    return found
