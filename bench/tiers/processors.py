"""How busy this machine's processors are, with whatever runs on it."""

import time
from collections.abc import Mapping
from pathlib import Path

from core.profiler import procfs

STAT = Path("/proc/stat")
IDLE = ("idle", "iowait")
GUESTS = ("guest", "guest_nice")  # counted in user and nice already
WATCHED_S = 0.5


def reading() -> dict[str, int]:
    """What the kernel has counted so far; empty where it does not tell."""
    try:
        return procfs.cpu_ticks(STAT.read_bytes())
    except OSError:
        return {}


def busy_share(before: Mapping[str, int], after: Mapping[str, int]) -> float | None:
    """Which share of the processors' time between two readings was not idle; None where they tell nothing."""
    spent = {state: after[state] - before.get(state, 0) for state in after if state not in GUESTS}
    total = sum(spent.values())
    return None if total <= 0 else 1 - sum(spent.get(state, 0) for state in IDLE) / total


def busy_now() -> float | None:
    """The same, for half a second from now."""
    before = reading()
    time.sleep(WATCHED_S)
    return busy_share(before, reading())
