"""A real cap on a program's memory: a control group of its own, where this machine lets us make one.

The group lies inside our own (version 1), or beside it (version 2, where a group that holds processes can have no
groups with limits inside), so whatever limits us limits it too.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

MIB = 1 << 20
SMALLEST_MIB = 32  # to try whether a limit can be set


class Caps(msgspec.Struct, frozen=True):
    """Where groups with a cap can be made.

    Attributes:
        parent: The folder to make them in.
        limits: Files to write to, in this order, with "{}" for the bytes; a missing one is passed over but the first.
        version: Of the control groups, for the header.
    """

    parent: Path
    limits: tuple[tuple[str, str], ...]
    version: int


V1 = (("memory.limit_in_bytes", "{}"), ("memory.memsw.limit_in_bytes", "{}"))
V2 = (("memory.max", "{}"), ("memory.swap.max", "0"))


def find(mount: Path = Path("/sys/fs/cgroup"), own: Path = Path("/proc/self/cgroup")) -> Caps | None:
    """Where a cap can be set, tried out; None where it cannot."""
    return next((caps for caps in candidates(mount, own) if works(caps)), None)


def candidates(mount: Path, own: Path) -> Iterator[Caps]:
    """Version 2's place first, then version 1's."""
    lines = [line.split(":", 2) for line in own.read_text().splitlines()] if own.exists() else []
    for _, controllers, path in sorted(lines, key=lambda line: line[1] != ""):
        if controllers == "":
            top = mount / "unified" if (mount / "unified").is_dir() else mount
            group = inside(top, path)
            yield Caps(group if group == top else group.parent, V2, 2)
        elif "memory" in controllers.split(","):
            yield Caps(inside(mount / "memory", path), V1, 1)


def inside(top: Path, path: str) -> Path:
    """The group's folder; a container may not see it, then the topmost that it sees."""
    group = top / path.lstrip("/")
    return group if group.is_dir() else top


def works(caps: Caps) -> bool:
    """Whether a group with a limit can be made there."""
    if caps.version > 1 and "memory" not in words(caps.parent / "cgroup.subtree_control"):
        return False
    try:
        with capped(caps, SMALLEST_MIB):
            return True
    except OSError:
        return False


def words(file: Path) -> list[str]:
    try:
        return file.read_text().split()
    except OSError:
        return []


@contextmanager
def capped(caps: Caps, mib: int) -> Iterator[Path]:
    """A group with that cap, gone afterwards; what it gives is the file that takes a process in.

    Raises:
        OSError: It cannot be made.
    """
    group = caps.parent / f"polyfaas-cap-{os.getpid()}-{mib}"
    group.mkdir()
    try:
        for at, (name, value) in enumerate(caps.limits):
            if at == 0 or (group / name).exists():
                (group / name).write_text(value.format(mib * MIB))
        yield group / "cgroup.procs"
    finally:
        group.rmdir()
