"""Objects by URL: files, Amazon S3 (s3), Google Cloud Storage (gs), Azure Blob (az), IBM COS (cos), memory.

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
from core.storage.location import REMOTE, beside, located, real_path
from core.storage.pieces import PIECE_BYTES, Pieces
from core.storage.port import ChangedError, Location, ObjectInfo, ObjectStore, Sink
from core.storage.room import check_room

__all__ = [
    "PIECE_BYTES",
    "REMOTE",
    "ChangedError",
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
    "put",
    "read",
    "reading",
    "real_path",
    "remove",
    "same",
    "sink",
    "stat",
    "writing",
]

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


def check(url: str, *, prefix: bool = False) -> None:
    """Check that a URL can name an object, or be what names start with; nothing is asked of the store.

    Raises:
        RequestError: It names none, or is of no known kind.
    """
    located(url, prefix=prefix)


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
    if at.scheme == "file":
        found = _store(at).stat(at)
        with local.opened(at) as file:
            yield file, found
        return
    found, first = _store(at).first(at, PIECE_BYTES)
    with io.BufferedReader(Pieces(_store(at), at, found, first), COPIED_BYTES) as pieces:
        yield cast("io.BufferedReader", pieces), found


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
def sink(url: str, *, expected: str | None = None) -> Iterator[Sink]:
    """What to write the object to, from its start to its end; it appears whole when the context ends well.

    Args:
        url: The object.
        expected: The version that it must still have when the context ends, `""` where there must be no object yet;
            None if it may have any. The content then waits in the temporary folder until it is whole.

    Raises:
        NotFoundError: There is no such folder or bucket.
        AccessError: The store refuses.
        ChangedError: Another version is there, which stays.
        StorageError: The store failed; the old object, if any, is still there.
    """
    if expected is None:
        at = located(url)
        with _store(at).writing(at) as sent:
            yield sent
        return
    with writing(url, expected=expected) as path, path.open("wb") as file:
        yield file


@contextmanager
def writing(url: str, *, expected: str | None = None) -> Iterator[Path]:
    """A local path to write to; it becomes the object when the context ends well, and is gone otherwise.

    Args:
        url: The object.
        expected: As for `sink`.

    Raises:
        NotFoundError: There is no such folder or bucket.
        AccessError: The store refuses.
        ChangedError: Another version is there than was expected, which stays.
        StorageError: The store failed; the old object, if any, is still there.
    """
    import tempfile

    at = located(url)
    if at.scheme == "file":
        with local.replacing(at, expected) as part:
            yield part
        return
    with tempfile.TemporaryDirectory(prefix="polyfaas-object-") as folder:
        path = Path(folder, "object")
        yield path
        if expected is not None:
            _store(at).put(at, path, expected)
            return
        with path.open("rb") as file, sink(url) as target:
            shutil.copyfileobj(file, cast("BinaryIO", target), COPIED_BYTES)


def put(path: Path, url: str, *, expected: str) -> None:
    """Put a file's content in the object's place, if this is still the expected one.

    Args:
        path: The file; it is not changed meanwhile.
        url: The object.
        expected: The version that it must have, `""` where there must be no object yet.

    Raises:
        NotFoundError: There is no such folder or bucket.
        AccessError: The store refuses.
        ChangedError: Another version is there, which stays.
        StorageError: The store failed, or takes no object so large in one request.
    """
    at = located(url)
    _store(at).put(at, path, expected)


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


def _store(at: Location) -> ObjectStore:
    if at.scheme == "file":
        return local.LocalStore()
    if at.scheme == "gs":
        from core.storage.google import GoogleStore

        return GoogleStore()
    from core.storage.remote import RemoteStore

    return RemoteStore(at.scheme)
