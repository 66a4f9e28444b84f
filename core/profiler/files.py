"""Files under /proc and /sys that are read again and again."""

import os


class ProcFile:
    """A file of the kernel's that is opened once and read again from its start at every call.

    Args:
        path: A file that the kernel hands out in one read, whatever its length, as it does stat and status;
            others, such as vmstat, come in pages: `until` asks for the next ones.
        size: Bytes to read at most at a time.
        until: What the text must hold; pages are read until it does, or the file ends.

    Attributes:
        path: The file.
        reason: Why the last read gave nothing; empty when it gave something.
    """

    __slots__ = ("_fd", "_size", "_until", "path", "reason")

    def __init__(self, path: str, size: int, until: bytes = b"") -> None:
        self.path = path
        self._size = size
        self._until = until
        self._fd: int | None = None
        self.reason = ""

    def read(self) -> bytes:
        """What the file says now; empty when it cannot be read. Never raises OSError."""
        try:
            if self._fd is None:
                self._fd = os.open(self.path, os.O_RDONLY)
            text = os.pread(self._fd, self._size, 0)
            if self._until and self._until not in text:
                text = self._further(self._fd, text)
        except OSError as error:
            self.reason = f"{self.path}: {error.strerror}"
            return b""
        if not text or self.reason:
            self.reason = "" if text else f"{self.path} is empty"
        return text

    def _further(self, fd: int, text: bytes) -> bytes:
        while self._until not in text and (page := os.pread(fd, self._size, len(text))):
            text += page
        return text

    def close(self) -> None:
        """The next read opens the file again."""
        if self._fd is not None:
            os.close(self._fd)
            self._fd = None
