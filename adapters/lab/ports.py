"""Free loopback ports for runtimes that insist on choosing theirs by number."""

import random
import socket

# Below the range that the kernel takes for outgoing connections (32768 and up), which would compete for them.
FIRST, LAST = 20_000, 32_000


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
