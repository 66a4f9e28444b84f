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
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import TypeAlias

import msgspec

from core import storage
from core.database import Database, Rows, Selection, Table
from core.database.partial import Group
from core.datasets.grammar import Type
from core.errors import NotFoundError, StorageError
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

        Two loads at once: the one that ends later fails and has changed nothing, unless both end in the same moment;
        then the later one stays.
        """
        with tempfile.TemporaryDirectory(prefix="polyfaas-load-") as folder:
            path = Path(folder, "database")
            before = self._fetched(path)
            loaded = self._opening(path).load(table, batches, append=append)
            with span("upload"), storage.sink(self._place) as target, path.open("rb") as file:
                while block := file.read(storage.PIECE_BYTES):
                    target.write(block)
                if self._version() != before:
                    raise StorageError(f"{self._url} was changed by another load meanwhile: repeat this one")
        return loaded

    def columns(self, table: str) -> Mapping[str, Type]:
        """The columns of a table; see `Database.columns`."""
        return self._opening(self._copy()).columns(table)

    def groups(self, selections: Sequence[Selection]) -> Iterator[tuple[int, Group]]:
        """The groups of selections; see `Database.groups`."""
        return self._opening(self._copy()).groups(selections)

    def _fetched(self, path: Path) -> str | None:
        """Fetch the object to a path; gives its version, None when there is none."""
        try:
            with span("fetch"):
                return storage.fetch(self._place, path).version
        except NotFoundError:
            return None

    def _version(self) -> str | None:
        try:
            return storage.stat(self._place).version
        except NotFoundError:
            return None

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
