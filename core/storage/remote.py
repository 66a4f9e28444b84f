"""Objects behind a network, by obstore: `core.storage.clients` has its clients, all are used in the same way."""

import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from http import HTTPStatus
from mmap import ACCESS_READ, mmap
from pathlib import Path
from typing import Any

from core.errors import PolyfaasError, StorageError
from core.storage.clients import STORES, Store
from core.storage.failure import READ_AGAIN, REPEAT, meant
from core.storage.port import Location, ObjectInfo, Sink
from core.storage.upload import upload

# A part of an upload; two are on their way while a third is filled. S3 takes 10,000 parts: 80 GB.
PART_BYTES = 8 << 20
PARTS_AT_ONCE = 2
# The client has conditions only for what goes in one request, which may take longer. Azure takes 5,000 MiB in one, S3
# 5 GiB: https://learn.microsoft.com/rest/api/storageservices/put-blob
MOST_AT_ONCE_BYTES = 5000 << 20
REQUEST_TIMEOUT = "120s"
WHOLE_TIMEOUT = "840s"
# A writer raises nothing finer than OSError.
STATUS = re.compile(r"status code: (\d{3})")


class RemoteStore:
    """One scheme's objects, by obstore.

    Args:
        scheme: One of `core.storage.clients.STORES`.
    """

    def __init__(self, scheme: str) -> None:
        self._scheme = scheme

    def stat(self, at: Location) -> ObjectInfo:
        """What the store knows of an object; see `ObjectStore.stat`."""
        import obstore

        with _mapped(at.url):
            return _info(at.url, obstore.head(self._store(at), at.key))

    def first(self, at: Location, most: int) -> tuple[ObjectInfo, bytes]:
        """What the store knows of an object, and its first bytes; see `ObjectStore.first`."""
        import obstore

        try:
            with _mapped(at.url):
                found = obstore.get(self._store(at), at.key, options={"range": (0, most)})
                return _info(at.url, found.meta), bytes(found.bytes())
        except StorageError:
            info = self.stat(at)
            if info.size_bytes:
                raise
            return info, b""  # there is no range in it

    def read(self, at: Location, start: int, stop: int, version: str = "") -> bytes:
        """A part of an object; see `ObjectStore.read`."""
        import obstore

        with _mapped(at.url):
            options: Any = {"range": (start, stop), **({"if_match": version} if version else {})}
            return bytes(obstore.get(self._store(at), at.key, options=options).bytes())

    @contextmanager
    def writing(self, at: Location) -> Iterator[Sink]:
        """What to write an object to; see `ObjectStore.writing`."""
        import obstore

        with _mapped(at.url, REPEAT):
            writer = obstore.open_writer(self._store(at), at.key, buffer_size=PART_BYTES, max_concurrency=PARTS_AT_ONCE)

        def give_up(error: BaseException) -> None:
            if not writer.closed():
                writer.__exit__(type(error), error, error.__traceback__)

        with upload(writer, give_up, lambda: _mapped(at.url, REPEAT)) as sink:
            yield sink

    def put(self, at: Location, path: Path, expected: str) -> None:
        """Put a file's content in an object's place; see `ObjectStore.put`."""
        import obstore

        size = path.stat().st_size
        if size > MOST_AT_ONCE_BYTES:
            most = f"{MOST_AT_ONCE_BYTES / 1e6:,.0f} MB can be put in place in one request, which a condition needs"
            raise StorageError(f"{at.url} would have {size / 1e6:,.0f} MB, and at most {most}: make it smaller")
        mode: Any = {"e_tag": expected} if expected else "create"
        with _mapped(at.url, REPEAT):
            content = self._content(path, size)
            obstore.put(self._store(at, WHOLE_TIMEOUT), at.key, content, mode=mode, use_multipart=False)

    def _content(self, path: Path, size: int) -> bytes | mmap:
        """A file as the client takes it: mapped, so that it is not in memory. A store in memory keeps what it gets."""
        if self._scheme == "memory" or size == 0:
            return path.read_bytes()
        with path.open("rb") as file:
            return mmap(file.fileno(), 0, access=ACCESS_READ)

    def list(self, at: Location) -> Iterator[ObjectInfo]:
        """The objects whose names start so; see `ObjectStore.list`."""
        import obstore

        # The client takes whole parts between slashes for a prefix.
        folder = at.key.rpartition("/")[0]
        with _mapped(at.url):
            found = [each for batch in obstore.list(self._store(at), folder or None) for each in batch]
        for each in sorted(found, key=lambda each: each["path"].encode()):
            if each["path"].startswith(at.key):
                yield _info(f"{at.scheme}://{at.bucket}/{each['path']}", each)

    def remove(self, at: Location) -> None:
        """Remove an object; see `ObjectStore.remove`."""
        import obstore

        with _mapped(at.url):
            try:
                obstore.delete(self._store(at), at.key)
            except FileNotFoundError:
                next(iter(obstore.list(self._store(at))), None)  # no object is well, no bucket is not

    def copy(self, at: Location, target: Location) -> None:
        """Copy an object inside one bucket; see `ObjectStore.copy`."""
        import obstore

        with _mapped(at.url):
            obstore.copy(self._store(at), at.key, target.key)

    def _store(self, at: Location, timeout: str = REQUEST_TIMEOUT) -> Store:
        if _first_user() != os.getpid():
            detail = "this process was forked from one that had used obstore, whose threads it lacks and would wait for"
            raise StorageError(f'{detail}: start workers by multiprocessing.get_context("spawn")')
        return STORES[self._scheme](at.bucket, timeout)


def _info(url: str, found: Mapping[str, Any]) -> ObjectInfo:
    return ObjectInfo(url, found["size"], found["e_tag"] or "")


@cache
def _first_user() -> int:
    """The process that used obstore first; a forked child inherits the answer."""
    return os.getpid()


@contextmanager
def _mapped(url: str, changed: str = READ_AGAIN) -> Iterator[None]:
    """Turn what obstore raises into our errors: the one place where it happens."""
    from obstore import exceptions

    try:
        yield
    except PolyfaasError:
        raise
    except (OSError, exceptions.BaseError) as error:
        said = str(error).partition("\n")[0]
        raise meant(url, _status(error, said), said, changed) from error


def _status(error: Exception, said: str) -> int:
    """The HTTP status that an error of obstore stands for, 0 for none."""
    from obstore import exceptions

    if isinstance(error, FileNotFoundError | exceptions.NotFoundError):
        return HTTPStatus.NOT_FOUND
    if isinstance(error, exceptions.PreconditionError | exceptions.AlreadyExistsError):
        return HTTPStatus.PRECONDITION_FAILED
    if isinstance(error, PermissionError | exceptions.PermissionDeniedError | exceptions.UnauthenticatedError):
        return HTTPStatus.FORBIDDEN
    found = STATUS.search(said)
    return int(found[1]) if found else 0
