"""Free loopback ports for runtimes that insist on choosing theirs by number."""

import random
import socket
from pathlib import Path

# Below the range that the kernel takes for outgoing connections (32768 and up), which would compete for them.
FIRST, LAST = 20_000, 32_000

LISTEN = "0A"  # TCP_LISTEN in include/net/tcp_states.h


def free_port() -> int:
    """A loopback port on which nothing listens."""
    chosen = random.SystemRandom()
    while True:
        port = chosen.randint(FIRST, LAST)
        if _is_free(port):
            return port


def _is_free(port: int) -> bool:
    with socket.socket() as trial:
        try:
            trial.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


def listens(pid: int, port: int) -> bool:
    """Whether the process itself listens on the IPv4 port: proc_net(5) and proc_pid_fd(5)."""
    rows = (row.split() for row in Path("/proc/net/tcp").read_text(encoding="ascii").splitlines()[1:])
    there = {f"socket:[{row[9]}]" for row in rows if row[3] == LISTEN and row[1].endswith(f":{port:04X}")}
    try:
        return any(str(descriptor.readlink()) in there for descriptor in Path(f"/proc/{pid}/fd").iterdir())
    except OSError:  # it ended, or closed a file meanwhile
        return False
