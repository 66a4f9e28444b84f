"""Sending a piece while the next one is made."""

import os
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import IO

SENT_BYTES = 1 << 18


class Feeder:
    """Sends files one after the other from a thread of its own; at most one is waiting for its end.

    Args:
        pool: With one thread.
        write: Takes the bytes; what it raises is raised where the next file is given.
    """

    def __init__(self, pool: ThreadPoolExecutor, write: Callable[[bytes], object]) -> None:
        self._pool = pool
        self._write = write
        self._last: Future[None] | None = None

    def feed(self, file: IO[bytes]) -> None:
        """Send a file's content; it may be closed as soon as this returns."""
        self.wait()
        self._last = self._pool.submit(self._send, os.dup(file.fileno()))

    def wait(self) -> None:
        """Wait until all is sent."""
        last, self._last = self._last, None
        if last is not None:
            last.result()

    def _send(self, descriptor: int) -> None:
        try:
            position = 0
            while block := os.pread(descriptor, SENT_BYTES, position):
                self._write(block)
                position += len(block)
        finally:
            os.close(descriptor)


@contextmanager
def feeding(write: Callable[[bytes], object]) -> Iterator[Feeder]:
    """A feeder; all that it was given has been sent when the context ends well."""
    with ThreadPoolExecutor(1, "polyfaas-feeder") as pool:
        feeder = Feeder(pool, write)
        yield feeder
        feeder.wait()
