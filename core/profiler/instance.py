"""This instance: the one process that answers calls, from its start to its end.

Module state is meant here: the instance IS the process. A forked child is an instance of its own.
"""

import os
import threading
import time


class ProcFile:
    """A file under /proc that is opened once and read again from its start at every call.

    Args:
        path: A file that the kernel hands out in one read, whatever its length, as it does stat and status;
            cpuinfo and vmstat come in pages and would be cut.
        size: Bytes to read; what lies behind them is not looked at.
    """

    __slots__ = ("_fd", "_path", "_size")

    def __init__(self, path: str, size: int) -> None:
        self._path = path
        self._size = size
        self._fd: int | None = None

    def read(self) -> bytes:
        """What the file says now; empty when it cannot be read. Never raises OSError."""
        try:
            if self._fd is None:
                self._fd = os.open(self._path, os.O_RDONLY)
            return os.pread(self._fd, self._size, 0)
        except OSError:
            return b""

    def close(self) -> None:
        """The next read opens the file again."""
        if self._fd is not None:
            os.close(self._fd)
            self._fd = None


class Instance:
    """The identity of a process and the calls that it answers.

    Attributes:
        id: Random, 32 hexadecimal digits; no file is asked, so two processes never share one.
        started_ns: Wall clock at the start, in ns since the epoch; a label only.
        stat: /proc/stat; its first line fits: "cpu" and ten numbers of at most 20 digits.
        status: /proc/self/status.
    """

    __slots__ = ("_in_flight", "_invocations", "_lock", "id", "started_ns", "stat", "status")

    def __init__(self) -> None:
        self.stat = ProcFile("/proc/stat", 512)
        self.status = ProcFile("/proc/self/status", 8192)
        self.renew()

    def renew(self) -> None:
        """Become a new instance that has answered no call: what a fork makes of the child."""
        self.id = os.urandom(16).hex()
        self.started_ns = time.time_ns()
        self._lock = threading.Lock()
        self._invocations = 0
        self._in_flight: dict[int, bool] = {}
        self.stat.close()
        # "self" was resolved when the file was opened: a child would go on reading its parent's.
        self.status.close()

    def begin(self) -> int:
        """Count a call in; gives its number, 1 for the first one of this instance."""
        with self._lock:
            self._invocations += 1
            self._in_flight[self._invocations] = bool(self._in_flight)
            return self._invocations

    def end(self, invocation: int) -> bool:
        """Count a call out; tells whether another one was in flight at any time during it."""
        with self._lock:
            overlapped = self._in_flight.pop(invocation, False)
            return overlapped or self._invocations != invocation


instance = Instance()
os.register_at_fork(after_in_child=instance.renew)
