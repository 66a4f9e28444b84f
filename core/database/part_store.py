"""Where the tables of Parquet parts are: the object that says what a table is, its parts, and what loads have left."""

import logging
import re
import shutil
from collections.abc import Iterable
from contextlib import ExitStack, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Literal

import msgspec

from core import storage
from core.database.part_files import Part
from core.database.port import TableColumn
from core.database.stored import copy, forget
from core.errors import AccessError, DataError, NotFoundError, StorageError

POINTER = "current.json"
LOAD = re.compile(r"([0-9]{8}T[0-9]{6}Z)-[0-9a-f]{32}/")
KEPT = timedelta(days=1)
# More would take most of the files that a process may have open, 1,024 as a rule.
MOST_HELD = 400
log = logging.getLogger("polyfaas.core")


class Current(msgspec.Struct, frozen=True, kw_only=True):
    """What a table is made of, as `current.json` says it.

    Attributes:
        version: Of this form.
        columns: With their types, in order.
        key: The column that is unique.
        partition_by: The columns by whose values the rows are dealt out to parts.
        parts: The files.
    """

    version: Literal[1] = 1
    columns: tuple[TableColumn, ...]
    key: str
    partition_by: tuple[str, ...]
    parts: tuple[Part, ...]


class PartStore:
    """The tables under a prefix.

    Args:
        prefix: Path or URL, with a slash at its end.
    """

    def __init__(self, prefix: str) -> None:
        self._prefix = prefix
        self._local = "://" not in prefix

    def place(self, table: str, name: str) -> str:
        """Path or URL of what a table has."""
        return f"{self._prefix}{table}/{name}"

    def current(self, table: str) -> tuple[Current | None, str]:
        """What a table is now, and the version of the object that says so; nothing where there is none.

        Raises:
            DataError: The object is none that a load has written.
        """
        place = self.place(table, POINTER)
        try:
            with storage.content(place) as (file, found):
                return msgspec.json.decode(file.read(), type=Current), found.version
        except NotFoundError:
            return None, ""
        except msgspec.DecodeError as error:
            raise DataError(f"{place} is not what a load has written ({error}): load the table again") from error

    def put(self, path: Path, table: str, name: str, expected: str = "") -> None:
        """Put a file in the place of the version that is expected; of none, where none is given."""
        place = self.place(table, name)
        if self._local:
            Path(place).parent.mkdir(parents=True, exist_ok=True)
        storage.put(path, place, expected=expected)

    def publish(self, table: str, new: Current, version: str, folder: Path) -> None:
        """Make a table what is given, if it still has the version that a load has begun with.

        Args:
            table: Its name.
            new: What it becomes.
            version: Of its pointer as it was; nothing where there was none.
            folder: For a file.

        Raises:
            ChangedError: It has another one, and stays so.
            StorageError: The store failed, and may have done it all the same.
        """
        path = folder / POINTER
        path.write_bytes(msgspec.json.format(msgspec.json.encode(new)))
        try:
            self.put(path, table, POINTER, version)
        except StorageError:
            # It may be that the store did it, its answer was lost, and the second time it found what it had done.
            if not self._is(table, new):
                raise

    def _is(self, table: str, wanted: Current) -> bool:
        with suppress(StorageError, AccessError):
            return self.current(table)[0] == wanted
        return False

    def files(self, held: ExitStack, table: str, parts: Iterable[Part]) -> list[Path]:
        """Parts as files here, which another load may remove meanwhile: their own, or copies that this instance keeps.

        Args:
            held: Keeps them open.
            table: Whose they are.
            parts: Which.

        Raises:
            NotFoundError: One is not there any more.
        """
        places = [self.place(table, part.name) for part in parts]
        paths = [held.enter_context(storage.reading(place)) if self._local else copy(place) for place in places]
        return paths if len(paths) > MOST_HELD else [_held(held, path) for path in paths]

    def forget_others(self, table: str, parts: Iterable[Part]) -> None:
        """Remove the copies that this instance keeps of a table's parts other than these."""
        forget(self.place(table, ""), {self.place(table, part.name) for part in parts})

    def remove_pointer(self, table: str) -> None:
        """Remove what says what a table is."""
        storage.remove(self.place(table, POINTER))

    def remove(self, table: str, parts: Iterable[Part]) -> None:
        """Remove parts that no table has any more; what cannot be removed is left to a later load."""
        for part in parts:
            self._remove(table, part.name)

    def sweep(self, table: str, current: Current) -> None:
        """Remove what killed loads have left, as long ago as no load takes."""
        named = {part.name for part in current.parts}
        place = self.place(table, "")
        with suppress(StorageError, AccessError):  # the table is as it shall be; the next load sweeps
            for found in list(storage.listed(place)):
                if (name := found.url.removeprefix(place)) not in named and _old(name):
                    self._remove(table, name)
        if self._local:
            loads = {name.partition("/")[0] for name in named}
            for folder in Path(place).iterdir():
                if _old(f"{folder.name}/") and folder.name not in loads:
                    shutil.rmtree(folder, ignore_errors=True)  # what was being written has a hidden name

    def _remove(self, table: str, name: str) -> None:
        place = self.place(table, name)
        try:
            storage.remove(place)
        except (StorageError, AccessError) as error:
            log.warning("a part that no table has could not be removed", extra={"part": place, "error": str(error)})
        if self._local:
            _remove_empty(Path(place).parent, Path(self.place(table, "")))


def _remove_empty(folder: Path, top: Path) -> None:
    """Remove a folder and those that it is in, up to one that stays, as far as nothing else is in them."""
    with suppress(OSError):
        while folder != top:
            folder.rmdir()
            folder = folder.parent


def _old(name: str) -> bool:
    """Whether this is of a load so long ago that it does not run any more."""
    found = LOAD.match(name)
    return found is not None and found[1] < f"{datetime.now(UTC) - KEPT:%Y%m%dT%H%M%SZ}"


def _held(held: ExitStack, path: Path) -> Path:
    """A path of an open file, which can be read as long as it is open, whatever becomes of its name."""
    try:
        return Path(f"/proc/self/fd/{held.enter_context(path.open('rb')).fileno()}")
    except FileNotFoundError as error:
        raise NotFoundError(f"there is nothing at {path} any more: repeat the call") from error
