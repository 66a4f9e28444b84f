"""How much memory this instance may use, and how it is shared out."""

import os
from pathlib import Path

from core.errors import PolyfaasError

VARIABLE = "POLYFAAS_MEMORY_MIB"
SMALLEST_ENGINE_MIB = 64
# Under 320 MiB an ordered write of a large file waits for memory on two threads: 3.5 s instead of 2.1.
LARGEST_ENGINE_MIB = 384
LARGEST_CHUNK_BYTES = 8 << 20
# A limit above this is none: what version 1 of cgroups gives where nothing is set is near 2**63.
NO_LIMIT_MIB = 1 << 30

_told_mib: int | None = None


def tell(function_mib: int | None) -> None:
    """Keep how much memory the provider says that this function has."""
    global _told_mib  # noqa: PLW0603  (this instance's own)
    _told_mib = function_mib or _told_mib


def function_mib() -> int | None:
    """The memory of this function in MiB: what POLYFAAS_MEMORY_MIB says, else the provider, else the cgroup; else None.

    Raises:
        PolyfaasError: POLYFAAS_MEMORY_MIB is no number.
    """
    given = os.environ.get(VARIABLE)
    if given is None:
        return _told_mib or _cgroup_mib()
    if not given.isascii() or not given.isdigit():
        raise PolyfaasError(f"{VARIABLE} is {given!r}: set it to a whole number of MiB")
    return int(given)


def engine_mib() -> int:
    """What the engine may take of it: half, and no more than it can use; spilling does the rest."""
    found = function_mib()
    return LARGEST_ENGINE_MIB if found is None else min(LARGEST_ENGINE_MIB, max(SMALLEST_ENGINE_MIB, found // 2))


def chunk_bytes() -> int:
    """How long a chunk of a file may be: it stands in memory about four times."""
    found = function_mib()
    return LARGEST_CHUNK_BYTES if found is None else min(LARGEST_CHUNK_BYTES, found * (1 << 20) // 32)


def _cgroup_mib() -> int | None:
    """The limit of the cgroup that this process is in, version 2 or 1; None where there is none."""
    try:
        lines = Path("/proc/self/cgroup").read_text().splitlines()
    except OSError:
        return None
    limits = [_limit(*line.split(":", 2)[1:]) for line in lines]
    found = min((limit for limit in limits if limit is not None), default=NO_LIMIT_MIB)
    return found if found < NO_LIMIT_MIB else None


def _limit(controllers: str, group: str) -> int | None:
    places, name = ["/sys/fs/cgroup", "/sys/fs/cgroup/unified"], "memory.max"
    if "memory" in controllers.split(","):
        places, name = ["/sys/fs/cgroup/memory"], "memory.limit_in_bytes"
    elif controllers:
        return None
    # In a container the group's own folder is the root of what it sees.
    for folder in (f"{place}{inside}" for place in places for inside in (group.rstrip("/"), "")):
        try:
            text = Path(folder, name).read_text().strip()
        except OSError:
            continue
        return int(text) >> 20 if text.isdigit() else None
    return None
