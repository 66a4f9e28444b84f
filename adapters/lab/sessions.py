"""Every process of an instance, found by a mark in its environment, and ended for sure.

A runtime may put children into process groups of their own, so groups do not hold an instance together; the
mark, which children inherit, and their session do. This file is also a program, the watcher: it reads marks
from its standard input and, when that ends because whoever wrote them is gone, ends their processes. It
imports nothing of this project, so that it is small and starts at once.
"""

import os
import signal
import sys
import time
from collections.abc import Iterable
from pathlib import Path

MARK = "POLYFAAS_INSTANCE"
GRACE_S = 2.0
PATIENCE_S = 10.0
POLL_S = 0.002


def members(marks: Iterable[str]) -> set[int]:
    """Ids of the living processes that carry one of the marks, or share a session with one that does."""
    wanted = {f"{MARK}={mark}".encode() for mark in marks}
    sessions = dict(_sessions())
    marked = {pid for pid in sessions if wanted & _environment(pid)}
    theirs = {sessions[pid] for pid in marked}
    return {pid for pid, session in sessions.items() if session in theirs}


def end(marks: Iterable[str], grace_s: float = GRACE_S, patience_s: float = PATIENCE_S) -> set[int]:
    """Ask the processes to end, and after the grace kill them.

    Returns:
        What is left when patience ran out: what hangs inside the kernel does not even die of SIGKILL.
    """
    marks = list(marks)
    deadline = time.monotonic() + grace_s
    asked: set[int] = set()
    while (left := members(marks)) and time.monotonic() < deadline + patience_s:
        late = time.monotonic() > deadline
        for pid in left if late else left - asked:
            _send(pid, signal.SIGKILL if late else signal.SIGTERM)
        asked |= left
        time.sleep(POLL_S)
    return left


def _sessions() -> Iterable[tuple[int, int]]:
    for entry in os.scandir("/proc"):
        if entry.name.isdecimal():
            # After the name, which may hold blanks: state, parent, process group, session.
            fields = _read(f"/proc/{entry.name}/stat").rpartition(b")")[2].split()
            if fields and fields[0] not in {b"Z", b"X"}:
                yield int(entry.name), int(fields[3])


def _environment(pid: int) -> set[bytes]:
    return set(_read(f"/proc/{pid}/environ").split(b"\0"))


def _read(path: str) -> bytes:
    try:
        return Path(path).read_bytes()
    except OSError:  # it ended meanwhile, or is another user's
        return b""


def _send(pid: int, number: signal.Signals) -> None:
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return


def watch() -> None:
    """The watcher: say that it is there, collect marks until the input ends, end their processes."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    end(line.strip() for line in sys.stdin)


if __name__ == "__main__":
    watch()
