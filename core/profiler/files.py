"""Files under /proc and /sys that are read again and again."""

from __future__ import annotations

import os
from _thread import RLock

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Protocol

    class Readable(Protocol):
        """A file, or what stands in its place."""

        def read(self) -> bytes:
            """What it says now."""
            ...

        def steady(self, text: bytes) -> tuple[int, int] | None:
            """Descriptor and size to read, where one page will do."""
            ...


_opening = RLock()
# What a text may grow by before one page is too little.
ROOM = 128


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

    __slots__ = ("_fd", "_file", "_size", "_until", "path", "reason")

    def __init__(self, path: str, size: int, until: bytes = b"") -> None:
        self.path = path
        self._size = size
        self._until = until
        self._fd: int | None = None
        self._file = (0, 0)
        self.reason = ""

    def read(self) -> bytes:
        """What the file says now; empty when it cannot be read. Never raises OSError."""
        kept = self._fd is not None
        try:
            fd = self._open() if self._fd is None else self._fd
            text = os.pread(fd, self._size, 0)
            if self._until and self._until not in text:
                text = self._further(fd, text)
        except OSError as error:
            # Whoever closed the descriptor may have given its number to another file: it is not closed again.
            self._fd = None
            if kept:
                return self.read()
            self.reason = f"{self.path}: {error.strerror}"
            return b""
        if not text or self.reason:
            self.reason = "" if text else f"{self.path} is empty"
        return text

    def steady(self, text: bytes) -> tuple[int, int] | None:
        """Descriptor and size to read next time where one page will do, as it did this time with room to spare."""
        told = text.find(self._until) if self._until else len(text)
        return (self._fd, self._size) if self._fd is not None and 0 <= told < self._size - ROOM else None

    def _further(self, fd: int, text: bytes) -> bytes:
        while self._until not in text and (page := os.pread(fd, self._size, len(text))):
            text += page
        return text

    def _open(self) -> int:
        with _opening:  # two calls that are first at once would open it twice, and keep one for ever
            if self._fd is None:
                fd = os.open(self.path, os.O_RDONLY)
                self._file = _identity(fd)
                self._fd = fd
            return self._fd

    def lost(self) -> bool:
        """Whether its descriptor is another file's by now: somebody closed it."""
        if self._fd is None:
            return False
        try:
            return _identity(self._fd) != self._file
        except OSError:
            return True

    def close(self) -> None:
        """The next read opens the file again; a descriptor that is another file's by now is left alone."""
        if self._fd is not None and not self.lost():
            os.close(self._fd)
        self._fd = None


def _identity(fd: int) -> tuple[int, int]:
    found = os.fstat(fd)
    return found.st_dev, found.st_ino


def _unlocked() -> None:
    """What a fork makes of the child: another thread may have held the lock, which is not there any more."""
    global _opening  # noqa: PLW0603  (it is this process's)
    _opening = RLock()


os.register_at_fork(after_in_child=_unlocked)


class ProcFiles:
    """Several such files, read together in less time than one after the other.

    Args:
        files: The files.
    """

    __slots__ = ("_files", "_steady")

    def __init__(self, files: Sequence[Readable]) -> None:
        self._files = files
        self._steady: list[tuple[int, int]] = []

    def read(self) -> list[bytes]:
        """What each says now; empty for one that cannot be read."""
        try:
            texts = [os.pread(fd, size, 0) for fd, size in self._steady]
        except OSError:
            texts = []
        if texts and all(texts):
            return texts
        texts = [file.read() for file in self._files]
        found = [file.steady(text) for file, text in zip(self._files, texts, strict=True)]
        steady = [each for each in found if each is not None]
        self._steady = steady if len(steady) == len(found) else []
        return texts
