"""Databases that are one file, kept as an object in a store: `sqlite+s3://bucket/sales.db`.

The object is the master copy. Load fetches it, changes its own copy, and puts that in its place, in one step. Query
works on a copy that the instance keeps as long as the object stays as it is, which is asked before each query.
"""

import atexit
import contextlib
import os
import shutil
import tempfile
import threading
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import TypeAlias

import msgspec

from core import storage
from core.database.partial import Group
from core.database.port import Database, Rows, Selection, Table
from core.datasets.grammar import Type
from core.errors import NotFoundError
from core.profiler import span

Opening: TypeAlias = Callable[[Path], Database]


class StoredDatabase:
    """A database that is an object.

    Args:
        url: What the request called it, for messages.
        place: URL of the object.
        opening: Gives the database of a local file.
    """

    def __init__(self, url: str, place: str, opening: Opening) -> None:
        self._url = url
        self._place = place
        self._opening = opening

    def load(self, table: Table, batches: Iterable[Rows], *, append: bool) -> tuple[int, int]:
        """Load rows in one visible step; see `Database.load`.

        Of two loads at once, the one that ends later fails and has changed nothing: the store itself compares.
        """
        with self._changing() as database:
            return database.load(table, batches, append=append)

    def columns(self, table: str) -> Mapping[str, Type]:
        """The columns of a table; see `Database.columns`."""
        return self._opening(self._copy()).columns(table)

    def groups(self, selections: Sequence[Selection]) -> Iterator[tuple[int, Group]]:
        """The groups of selections; see `Database.groups`."""
        return self._opening(self._copy()).groups(selections)

    def drop(self, table: str) -> bool:
        """Remove a table; see `Database.drop`."""
        with self._changing() as database:
            return database.drop(table)

    def stored_bytes(self, table: str) -> int:
        """The object's length; see `Database.stored_bytes`."""
        self.columns(table)
        return storage.stat(self._place).size_bytes

    def close(self) -> None:
        """No connection is kept."""

    @contextlib.contextmanager
    def _changing(self) -> Iterator[Database]:
        """The database of a copy that is here, which takes the object's place when the context ends well."""
        with tempfile.TemporaryDirectory(prefix="polyfaas-load-") as folder:
            path = Path(folder, "database")
            before = self._fetched(path)
            yield self._opening(path)
            if not path.exists():
                return
            try:
                with span("upload"):
                    storage.put(path, self._place, expected=before)
            except storage.ChangedError as error:
                detail = f"{self._url} was changed by another load meanwhile: repeat this one"
                raise storage.ChangedError(detail) from error

    def _fetched(self, path: Path) -> str:
        """Fetch the object to a path; gives its version, nothing when there is none."""
        try:
            with span("fetch"):
                return storage.fetch(self._place, path).version
        except NotFoundError:
            return ""

    def _copy(self) -> Path:
        try:
            return copy(self._place)
        except NotFoundError as error:
            raise NotFoundError(f"there is no database at {self._url}: load it first") from error


class _Copy(msgspec.Struct, frozen=True):
    """A copy that is here, and the one before it, which another thread may still be about to open."""

    version: str
    path: Path
    before: Path | None


_copies: dict[tuple[int, str], _Copy] = {}
_lock = threading.Lock()


def copy(url: str) -> Path:
    """A copy of an object as it is now, kept in this instance until the object is another.

    Raises:
        NotFoundError: There is no object.
        StorageError: The store failed, or there is no room for the copy.
    """
    key = (os.getpid(), url)
    found = storage.stat(url)
    with _lock:
        kept = _copies.get(key)
        if kept and kept.version == found.version and kept.path.exists():
            return kept.path
        path = _folder(os.getpid()) / os.urandom(8).hex()
        try:
            with span("fetch"):
                version = storage.fetch(url, path).version
        except BaseException:
            path.unlink(missing_ok=True)
            raise
        if kept and kept.before:
            kept.before.unlink(missing_ok=True)
        _copies[key] = _Copy(version, path, kept.path if kept else None)
        return path


def forget(prefix: str, but: Collection[str]) -> None:
    """Remove this instance's copies of objects that will not be asked for again.

    Args:
        prefix: What their URLs start with.
        but: Those that stay.
    """
    with _lock:
        gone = [key for key in _copies if key[0] == os.getpid() and key[1].startswith(prefix) and key[1] not in but]
        copies = [_copies.pop(key) for key in gone]
    for kept in copies:
        for path in filter(None, (kept.path, kept.before)):
            path.unlink(missing_ok=True)


@cache
def _folder(process: int) -> Path:
    """Where this process keeps its copies; it is removed when the process ends."""
    folder = Path(tempfile.mkdtemp(prefix="polyfaas-copies-"))

    def remove() -> None:
        if os.getpid() == process:  # not a forked child
            with contextlib.suppress(OSError):
                shutil.rmtree(folder)

    atexit.register(remove)
    return folder
