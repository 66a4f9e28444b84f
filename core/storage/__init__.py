"""Objects by URL: files, Amazon S3 (s3), Google Cloud Storage (gs), IBM COS (cos), memory.

A relative path counts from the process's working directory. An object is read as it was when it was opened, and
written in one step, or not at all.
"""

import io
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, cast

from core.errors import NotFoundError, StorageError
from core.storage import local
from core.storage.local import check_writable, keep_mode, part_beside
from core.storage.location import LONGEST_NAME, REMOTE, located, real_path
from core.storage.port import Location, ObjectInfo, ObjectStore, Sink

__all__ = [
    "PIECE_BYTES",
    "REMOTE",
    "ObjectInfo",
    "Sink",
    "beside",
    "check",
    "check_room",
    "check_writable",
    "content",
    "copy",
    "exists",
    "fetch",
    "keep_mode",
    "listed",
    "opened",
    "part_beside",
    "read",
    "reading",
    "real_path",
    "remove",
    "same",
    "sink",
    "stat",
    "writing",
]

# What is asked for at once of an object behind a network; each piece is repeated on its own when it fails.
PIECE_BYTES = 8 << 20
COPIED_BYTES = 1 << 20


def stat(url: str) -> ObjectInfo:
    """What the store knows of the object.

    Raises:
        NotFoundError: There is no object, or it is a folder.
        AccessError: The store refuses.
        StorageError: The store failed.
    """
    at = located(url)
    return _store(at).stat(at)


def check(url: str) -> None:
    """Check that a URL can name an object; nothing is asked of the store.

    Raises:
        RequestError: It names none, or is of no known kind.
    """
    located(url)


def exists(url: str) -> bool:
    """Whether there is an object."""
    try:
        stat(url)
    except NotFoundError:
        return False
    return True


@contextmanager
def opened(url: str) -> Iterator[io.BufferedReader]:
    """The object's content as a stream, from its start to its end.

    Raises:
        NotFoundError: There is no object, or it is a folder.
        AccessError: The store refuses.
        StorageError: The store failed, or the object has changed meanwhile.
    """
    with content(url) as (file, _):
        yield file


@contextmanager
def content(url: str) -> Iterator[tuple[io.BufferedReader, ObjectInfo]]:
    """The same as `opened`, with what is known of the very object that is read."""
    at = located(url)
    found = _store(at).stat(at)
    with _content(at, found) as file:
        yield file, found


def read(url: str, start: int, stop: int) -> bytes:
    """A part of the object, from one byte up to, not including, another; shorter where the object ends before.

    Raises:
        NotFoundError: There is no object, or it is a folder.
        AccessError: The store refuses.
        StorageError: The store failed.
    """
    at = located(url)
    stop = min(stop, _store(at).stat(at).size_bytes)
    return _store(at).read(at, start, stop) if start < stop else b""


@contextmanager
def _content(at: Location, found: ObjectInfo) -> Iterator[io.BufferedReader]:
    if at.scheme == "file":
        with local.opened(at) as file:
            yield file
    else:
        with io.BufferedReader(_Pieces(_store(at), at, found), COPIED_BYTES) as pieces:
            yield cast("io.BufferedReader", pieces)


def fetch(url: str, path: Path) -> ObjectInfo:
    """Copy an object to a file; gives what it was.

    Raises:
        NotFoundError: There is no object, or it is a folder.
        AccessError: The store refuses.
        StorageError: The store failed, or there is no room for a copy.
    """
    with content(url) as (file, found):
        free = shutil.disk_usage(path.parent).free
        if found.size_bytes > free:
            sizes = f"{found.size_bytes / 1e6:,.0f} MB, and {free / 1e6:,.0f} MB are free for a copy in {path.parent}"
            raise StorageError(f"{url} has {sizes}: make room")
        with local.mapped(str(path)), path.open("wb") as copied:
            shutil.copyfileobj(file, copied, COPIED_BYTES)
    return found


@contextmanager
def reading(url: str) -> Iterator[Path]:
    """A local path with the object's content, as long as the context lasts: its own, or a copy's.

    Raises:
        NotFoundError: There is no object, or it is a folder.
        AccessError: The store refuses.
        StorageError: The store failed, or there is no room for a copy.
    """
    import tempfile

    at = located(url)
    if at.scheme == "file":
        _store(at).stat(at)
        yield Path(at.key)
        return
    with tempfile.TemporaryDirectory(prefix="polyfaas-object-") as folder:
        path = Path(folder, "object" + "".join(Path(at.key).suffixes)[-20:])
        fetch(url, path)
        yield path


@contextmanager
def sink(url: str) -> Iterator[Sink]:
    """What to write the object to, from its start to its end; it appears whole when the context ends well.

    Raises:
        NotFoundError: There is no such folder or bucket.
        AccessError: The store refuses.
        StorageError: The store failed; the old object, if any, is still there.
    """
    at = located(url)
    with _store(at).writing(at) as file:
        yield file


@contextmanager
def writing(url: str) -> Iterator[Path]:
    """A local path to write to; it becomes the object when the context ends well, and is gone otherwise.

    Raises:
        NotFoundError: There is no such folder or bucket.
        AccessError: The store refuses.
        StorageError: The store failed; the old object, if any, is still there.
    """
    import tempfile

    at = located(url)
    if at.scheme == "file":
        with local.replacing(at) as part:
            yield part
        return
    with tempfile.TemporaryDirectory(prefix="polyfaas-object-") as folder:
        path = Path(folder, "object")
        yield path
        with path.open("rb") as file, sink(url) as target:
            shutil.copyfileobj(file, cast("BinaryIO", target), COPIED_BYTES)


def listed(prefix: str) -> Iterator[ObjectInfo]:
    """The objects whose names start so, in the order of their names' bytes; none is well.

    Raises:
        NotFoundError: There is no such bucket.
        AccessError: The store refuses.
        StorageError: The store failed.
    """
    at = located(prefix, prefix=True)
    return _store(at).list(at)


def remove(url: str) -> None:
    """Remove an object, if there is one.

    Raises:
        AccessError: The store refuses.
        StorageError: The store failed.
    """
    at = located(url)
    _store(at).remove(at)


def copy(url: str, target: str) -> None:
    """Copy an object, by the store itself where both are in one bucket.

    Raises:
        NotFoundError: There is no object, or no such bucket to write to.
        AccessError: The store refuses.
        StorageError: The store failed; what was at the target, if anything, is still there.
    """
    at, to = located(url), located(target)
    if (at.scheme, at.bucket) == (to.scheme, to.bucket):
        _store(at).copy(at, to)
        return
    with opened(url) as file, sink(target) as written:
        shutil.copyfileobj(file, cast("BinaryIO", written), COPIED_BYTES)


def same(url: str, other: str) -> bool:
    """Whether two URLs name one object."""
    return located(url).place() == located(other).place()


def beside(url: str, suffix: str) -> str:
    """The object's URL with a suffix, its name cut where it would be too long."""
    folder, separator, name = url.rpartition("/")
    most = LONGEST_NAME - len(suffix)
    return folder + separator + name.encode()[:most].decode(errors="ignore") + suffix


def check_room(url: str, written_bytes: int, done: float) -> None:
    """Check that the rest of an object will fit where it is written; a store behind a network has no end.

    Args:
        url: The object.
        written_bytes: What has been written of it.
        done: Which part of its source that came from, above 0 and up to 1.

    Raises:
        StorageError: It will not; the message says how much is needed.
    """
    if located(url).scheme != "file":
        return
    needed, free = int(written_bytes * (1 - done) / done), free_bytes(url)
    if needed > free:
        whole = f"{url} would have about {(written_bytes + needed) / 1e6:,.0f} MB"
        raise StorageError(f"{whole}, and {free / 1e6:,.0f} MB are free for the last {needed / 1e6:,.0f}: make room")


def free_bytes(url: str) -> int:
    """How much can still be written where the file is."""
    return shutil.disk_usage(Path(located(url).key).parent).free


class _Pieces(io.RawIOBase):
    """An object behind a network, read piece by piece as it was when it was opened."""

    def __init__(self, store: ObjectStore, at: Location, found: ObjectInfo) -> None:
        super().__init__()
        self._store = store
        self._at = at
        self._found = found
        self._piece = memoryview(b"")
        self._position = 0

    def readable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._position

    def readinto(self, buffer: object, /) -> int:
        view = memoryview(cast("bytearray", buffer)).cast("B")
        if not self._piece and self._position < self._found.size_bytes:
            stop = min(self._position + PIECE_BYTES, self._found.size_bytes)
            self._piece = memoryview(self._store.read(self._at, self._position, stop, self._found.version))
            if not self._piece:
                raise StorageError(f"{self._at.url} ended early: read it again")
        count = min(len(view), len(self._piece))
        view[:count] = self._piece[:count]
        self._piece = self._piece[count:]
        self._position += count
        return count


def _store(at: Location) -> ObjectStore:
    if at.scheme == "file":
        return local.LocalStore()
    if at.scheme == "gs":
        from core.storage.google import GoogleStore

        return GoogleStore()
    from core.storage.remote import RemoteStore

    return RemoteStore(at.scheme)
