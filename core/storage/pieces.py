"""An object behind a network as a stream."""

import io
from concurrent.futures import Future, ThreadPoolExecutor
from typing import cast

from core import memory
from core.errors import StorageError
from core.storage.port import Location, ObjectInfo, ObjectStore

# What is asked for at once; each piece is repeated on its own when it fails.
PIECE_BYTES = 8 << 20
# All that is left is read so many pieces at once; it is in memory as a whole then in any case.
AT_ONCE = 2
# A smaller function has no room for a second piece.
AHEAD_FROM_MIB = 256


class Pieces(io.RawIOBase):
    """An object behind a network, read piece by piece as it was when it was opened; the next one while one is used.

    Args:
        store: Where it is.
        at: What it is called there.
        found: What it was when it was opened.
        first: Its first piece, the whole of a small object.
    """

    def __init__(self, store: ObjectStore, at: Location, found: ObjectInfo, first: bytes) -> None:
        super().__init__()
        self._store = store
        self._at = at
        self._found = found
        self._piece = memoryview(first)
        self._position = 0
        self._asked = len(first)
        self._pool: ThreadPoolExecutor | None = None
        self._next: Future[bytes] | None = None
        if self._asked < found.size_bytes and (memory.function_mib() or AHEAD_FROM_MIB) >= AHEAD_FROM_MIB:
            self._pool = ThreadPoolExecutor(AT_ONCE, "polyfaas-ahead")
            self._ask()

    def readable(self) -> bool:
        """That it is."""
        return True

    def tell(self) -> int:
        """Where it has been read to."""
        return self._position

    def close(self) -> None:
        """Read no more; what is on its way is not waited for."""
        if self._pool:
            self._pool.shutdown(wait=False, cancel_futures=True)
        super().close()

    def readinto(self, buffer: object, /) -> int:
        """Read into a buffer; gives how many bytes, none at the end."""
        view = memoryview(cast("bytearray", buffer)).cast("B")
        if not self._piece and self._position < self._found.size_bytes:
            self._piece = memoryview(self._next.result() if self._next else self._read(self._position))
            if not self._piece:
                raise self._early()
            self._asked = self._position + len(self._piece)
            self._ask()
        count = min(len(view), len(self._piece))
        view[:count] = self._piece[:count]
        self._piece = self._piece[count:]
        self._position += count
        return count

    def readall(self) -> bytes:
        """All that is left."""
        parts: list[bytes | memoryview] = [self._piece]
        if self._next:
            parts.append(self._next.result())
        starts = range(self._position + sum(map(len, parts)), self._found.size_bytes, PIECE_BYTES)
        parts += self._pool.map(self._read, starts) if self._pool else map(self._read, starts)
        found = b"".join(parts)
        self._piece, self._next = memoryview(b""), None
        self._position += len(found)
        if self._position != self._found.size_bytes:
            raise self._early()
        return found

    def _early(self) -> StorageError:
        return StorageError(f"{self._at.url} ended early: read it again")

    def _ask(self) -> None:
        """Have the next piece read meanwhile."""
        self._next = None
        if self._pool and self._asked < self._found.size_bytes:
            self._next = self._pool.submit(self._read, self._asked)

    def _read(self, start: int) -> bytes:
        stop = min(start + PIECE_BYTES, self._found.size_bytes)
        return self._store.read(self._at, start, stop, self._found.version)
