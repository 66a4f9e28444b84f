"""Parquet as a table that load fills: files under a prefix, and one object that says which of them are the table.

    prefix/table/current.json                         the columns, the key, the parts
    prefix/table/20261124T165312Z-3f2a.../1/...       the parts of one load, below Region=Asia/ where it is partitioned

Parts are never changed. A load writes new ones, then puts a new `current.json` in the old one's place, if that is still
the one that it has seen: so readers see the old table or the new one, and of two loads at once one fails. What a killed
load leaves is known by its name's time, and removed a day later.
"""

import tempfile
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime
from glob import escape
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from core import engine, storage
from core.database import part_files, scan
from core.database.fresh import Fresh
from core.database.part_files import Part
from core.database.part_store import Current, PartStore
from core.database.partial import Group
from core.database.port import Rows, Selection, Table, TableColumn, check_table_name
from core.database.relation import Relation, sql_type, stored
from core.datasets.grammar import Type
from core.engine import name as quoted
from core.engine import text
from core.errors import NotFoundError, RequestError, StorageError
from core.profiler import span

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

# A reader that was told of parts which a load has removed since asks again.
ATTEMPTS = 5


class ParquetParts:
    """Tables of Parquet files under a prefix.

    Args:
        url: What the request called it, for messages.
        prefix: Path or URL of the prefix, with a slash at its end.
        partition_by: Columns by whose values a table that is made is dealt out; one that is there keeps its own.
    """

    def __init__(self, url: str, prefix: str, partition_by: Sequence[str] = ()) -> None:
        self._url = url
        self._store = PartStore(prefix)
        self._partition_by = tuple(partition_by)

    def load(self, table: Table, batches: Iterable[Rows], *, append: bool) -> tuple[int, int]:
        """Load rows in one visible step; see `Database.load`."""
        old, version = self._store.current(table.name)
        stays = old if append else None
        self._check(table, stays)
        by = stays.partition_by if stays else self._partition_by
        with tempfile.TemporaryDirectory(prefix="polyfaas-parts-") as name:
            folder = Path(name)
            with engine.session() as db:
                fresh = self._fresh(db, table, stays)
                with span("ingest"):
                    written = self._written(part_files.Maker(db, fresh, table, by, folder), table, batches)
            parts = (*(stays.parts if stays else ()), *written)
            new = Current(columns=table.columns, key=table.key, partition_by=by, parts=parts)
            try:
                with span("publish"):
                    self._store.publish(table.name, new, version, folder)
            except storage.ChangedError as error:  # after any other one it may be that the parts are the table
                self._store.remove(table.name, written)
                raise self._overtaken() from error
        if old and not stays:
            self._store.remove(table.name, old.parts)
        self._store.sweep(table.name, new)
        self._store.forget_others(table.name, new.parts)
        return fresh.kept, fresh.rows - fresh.kept

    def columns(self, table: str) -> Mapping[str, Type]:
        """The columns of a table; see `Database.columns`."""
        return {column.name: column.type for column in self._found(table).columns}

    def groups(self, selections: Sequence[Selection]) -> Iterator[tuple[int, Group]]:
        """The groups of selections, in one pass over the parts that may hold their rows; see `Database.groups`."""
        table = selections[0].table
        with engine.session() as db, ExitStack() as held:
            current, paths = self._fetched(held, table, selections)
            yield from scan.groups(db, _relation(db, current, paths), selections)

    def drop(self, table: str) -> bool:
        """Remove a table; see `Database.drop`."""
        check_table_name(table)
        current, _ = self._store.current(table)
        if current is None:
            return False
        self._store.remove_pointer(table)
        self._store.remove(table, current.parts)
        self._store.forget_others(table, ())
        return True

    def stored_bytes(self, table: str) -> int:
        """The length of all parts; see `Database.stored_bytes`."""
        return sum(part.size_bytes for part in self._found(table).parts)

    def close(self) -> None:
        """No connection is kept."""

    def _found(self, table: str) -> Current:
        check_table_name(table)
        current, _ = self._store.current(table)
        if current is None:
            raise NotFoundError(f"{self._url} has no table {table!r}: load it first")
        return current

    def _fetched(self, held: ExitStack, table: str, selections: Sequence[Selection]) -> tuple[Current, list[Path]]:
        """The table, and its parts that may hold rows of the selections as files here."""
        for attempt in range(1, ATTEMPTS + 1):
            current = self._found(table)
            self._store.forget_others(table, current.parts)
            wanted = [part for part in current.parts if part_files.wanted(part, selections)]
            try:
                return current, self._store.files(held, table, wanted)
            except NotFoundError:
                if attempt == ATTEMPTS:
                    raise
        raise StorageError(f"{self._url}: parts of {table!r} are missing: load it again")

    def _fresh(self, db: "DuckDBPyConnection", table: Table, stays: Current | None) -> Fresh:
        """Tells the rows whose key is new to what stays."""
        fresh = Fresh(db, table)
        if stays and stays.parts:
            with ExitStack() as held:
                try:
                    paths = self._store.files(held, table.name, stays.parts)
                except NotFoundError as error:
                    raise self._overtaken() from error
                fresh.know(_read(paths))
        return fresh

    def _written(self, maker: part_files.Maker, table: Table, batches: Iterable[Rows]) -> list[Part]:
        """The parts of a load, which are in the store; none is if this ends badly."""
        load = f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}-{uuid.uuid4().hex}"
        written: list[Part] = []
        try:
            for part, path in maker.parts(batches):
                name = f"{load}/{part.name}"
                written.append(msgspec.structs.replace(part, name=name))
                self._store.put(path, table.name, name)
        except BaseException:
            self._store.remove(table.name, written)
            raise
        return written

    def _overtaken(self) -> storage.ChangedError:
        return storage.ChangedError(f"{self._url} was changed by another load meanwhile: repeat this one")

    def _check(self, table: Table, stays: Current | None) -> None:
        """Check that a table may be loaded so, and be appended to what stays."""
        if stays and (different := _typed(table.columns) ^ _typed(stays.columns)):
            names = ", ".join(sorted({name for name, _ in different}))
            raise RequestError(f'table {table.name} in {self._url} has other columns ({names}): use "mode": "replace"')
        kinds = {column.name: column.type.kind for column in table.columns}
        for name in self._partition_by:
            if kinds.get(name) not in ("text", "integer", "date"):
                detail = f'partition_by takes columns of texts, whole numbers or dates, not "{name}"'
                raise RequestError(f"{self._url}: {detail}")


def _typed(columns: Iterable[TableColumn]) -> set[tuple[str, str]]:
    return {(column.name, sql_type(column.type)) for column in columns}


def _read(paths: Sequence[Path]) -> str:
    listed = ", ".join(text(escape(str(path))) for path in paths)
    return f"read_parquet([{listed}], hive_partitioning = false)"


def _relation(db: "DuckDBPyConnection", current: Current, paths: Sequence[Path]) -> Relation:
    names = [(column.name, part_files.spelling(column.type)) for column in current.columns]
    if paths:
        return Relation(_read(paths), stored(names))
    nothing = ", ".join(f"{quoted(each.name)} {sql_type(each.type)}" for each in current.columns)
    db.execute(f"CREATE OR REPLACE TEMP TABLE polyfaas_nothing ({nothing})")
    return Relation("polyfaas_nothing", stored(names))
