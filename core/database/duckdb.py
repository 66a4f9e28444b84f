"""DuckDB: one file, loaded through a private file that appears whole.

A file is attached to this instance's engine for one call, under a name of its own, so that its memory and threads are
the engine's. Loads into one folder wait for each other; a file that another program has open for writing is refused.
A load promises that the key is unique, and a later one keeps the promise; there is no index, which would have to fit
into memory.
"""

import contextlib
import fcntl
import os
import shutil
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from core import engine
from core.database import scan
from core.database.partial import Group
from core.database.port import Rows, Selection, Table, check_table_name
from core.database.relation import Relation, raised, sql_type, stored
from core.datasets.grammar import Type
from core.engine import name as quoted
from core.errors import DatabaseError, DataError, NotFoundError, RequestError
from core.profiler import span
from core.storage import check_writable, keep_mode, part_beside

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

NO_DATABASE = ("not a valid DuckDB database", "too small to be")


class DuckdbDatabase:
    """A DuckDB file.

    Args:
        path: Where the file is, or will be.
        url: What the request called it, for messages.
    """

    def __init__(self, path: Path, url: str) -> None:
        self._path = path
        self._url = url

    def load(self, table: Table, batches: Iterable[Rows], *, append: bool) -> tuple[int, int]:
        """Load rows in one visible step; see `Database.load`."""
        part = part_beside(self._path)
        try:
            with self._mapped():
                check_writable(self._url, self._path)
                with span("ingest"):
                    staged, unique = self._stage(part, table, batches)
                with span("publish"), self._locked():
                    loaded = self._publish(part, table, unique, append=append)
        finally:
            _remove(part)
        return loaded, staged - loaded

    def columns(self, table: str) -> Mapping[str, Type]:
        """The columns of a table; see `Database.columns`."""
        check_table_name(table)
        with self._mapped(), self._attached(self._path) as (db, alias):
            return self._relation(db, alias, table).types()

    def groups(self, selections: Sequence[Selection]) -> Iterator[tuple[int, Group]]:
        """The groups of selections, in one pass over the table; see `Database.groups`."""
        with self._mapped(), self._attached(self._path) as (db, alias):
            yield from scan.groups(db, self._relation(db, alias, selections[0].table), selections)

    def drop(self, table: str) -> bool:
        """Remove a table; see `Database.drop`. Who reads the file goes on reading the old one."""
        check_table_name(table)
        with self._mapped():
            if not self._path.is_file():
                return False
            with self._locked(), self._copied() as whole:
                with self._attached(whole, write=True) as (db, alias):
                    there = bool(_columns(db, alias, table))
                    db.execute(f"DROP TABLE IF EXISTS {_place(alias, table)}")
                _replace(whole, self._path)
        return there

    def stored_bytes(self, table: str) -> int:
        """The file's length; see `Database.stored_bytes`."""
        self.columns(table)
        return self._path.stat().st_size

    def close(self) -> None:
        """No connection is kept."""

    def _relation(self, db: "DuckDBPyConnection", alias: str, table: str) -> Relation:
        columns = _columns(db, alias, table)
        if not columns:
            raise NotFoundError(f"{self._url} has no table {table!r}: load it first")
        return Relation(_place(alias, table), stored(columns.items()))

    @contextlib.contextmanager
    def _attached(self, path: Path, *, write: bool = False) -> Iterator[tuple["DuckDBPyConnection", str]]:
        """A session of the engine with the file attached, and the name that the file has there."""
        if not write and not path.is_file():
            raise NotFoundError(f"there is no database at {self._url}: load it first")
        with engine.session() as db, _attachment(db, path, write=write) as alias:
            yield db, alias

    def _stage(self, part: Path, table: Table, batches: Iterable[Rows]) -> tuple[int, int]:
        """Write rows to a private file; gives their number, and how many are left without those of an earlier key."""
        with self._attached(part, write=True) as (db, alias):
            place = _place(alias, table.name)
            _create(db, place, table)
            values = ", ".join(f"CAST({quoted(each.name)} AS {sql_type(each.type)})" for each in table.columns)
            staged = 0
            for rows in batches:
                db.register("polyfaas_rows", rows)
                staged += engine.row(db, f"INSERT INTO {place} SELECT {values} FROM polyfaas_rows")[0]
                db.unregister("polyfaas_rows")
            return staged, staged - _drop_repeats(db, place, table.key)

    def _publish(self, part: Path, table: Table, rows: int, *, append: bool) -> int:
        """Make the staged rows visible; gives how many came in."""
        if not self._path.exists():
            _replace(part, self._path)
            return rows
        with self._attached(self._path) as (db, alias):
            old, others = _columns(db, alias, table.name), _others(db, alias, table)
        if self._path.with_name(f"{self._path.name}.wal").exists():
            raise DatabaseError(f"{self._url} was not closed by its last writer: open it once with DuckDB, then load")
        if others or (append and old):
            return self._merge(part, table, keep=append and bool(old))
        _replace(part, self._path)
        return rows

    def _merge(self, part: Path, table: Table, *, keep: bool) -> int:
        """Publish a copy of the database with the staged rows in it; with `keep` also those that the table has."""
        with self._copied() as whole:
            with self._attached(whole, write=True) as (db, alias), _attachment(db, part, write=False) as staged:
                if not keep:
                    db.execute(f"DROP TABLE IF EXISTS {_place(alias, table.name)}")
                    _create(db, _place(alias, table.name), table)
                self._check_same(db, alias, staged, table)
                loaded = _insert_new(db, _place(alias, table.name), _place(staged, table.name), table)
            _replace(whole, self._path)
        return loaded

    @contextlib.contextmanager
    def _copied(self) -> Iterator[Path]:
        """A copy of the file beside it, which is gone at the end unless it has taken the file's place."""
        whole = part_beside(self._path)
        try:
            shutil.copyfile(self._path, whole)
            yield whole
        finally:
            _remove(whole)

    def _check_same(self, db: "DuckDBPyConnection", alias: str, staged: str, table: Table) -> None:
        old, new = _columns(db, alias, table.name), _columns(db, staged, table.name)
        if old != new:
            found = ", ".join(sorted(dict(set(new.items()) ^ set(old.items()))))
            raise RequestError(f'table {table.name} in {self._url} has other columns ({found}): use "mode": "replace"')
        key = quoted(table.key)
        counted = f"SELECT count({key}) - count(DISTINCT {key}) FROM {_place(alias, table.name)}"
        if engine.row(db, counted) != (0,):
            detail = f'table {table.name} in {self._url} holds a "{table.key}" twice: use "mode": "replace"'
            raise RequestError(detail)

    @contextlib.contextmanager
    def _locked(self) -> Iterator[None]:
        """Wait until no other load publishes in this folder. The lock ends with its process, whatever ends that.

        It is the folder's: closing a file would drop the engine's own lock on it, and a file may be replaced.
        """
        folder = os.open(self._path.parent, os.O_RDONLY)
        try:
            fcntl.flock(folder, fcntl.LOCK_EX)
            yield
        finally:
            os.close(folder)

    @contextlib.contextmanager
    def _mapped(self) -> Iterator[None]:
        """Turn what DuckDB raises into our errors: the one place where it happens."""
        import duckdb

        try:
            yield
        except duckdb.InterruptException:
            raise
        except (duckdb.Error, OSError) as error:
            first = str(error).partition("\n")[0]
            if any(known in first for known in NO_DATABASE):
                raise RequestError(f"{self._url} is no DuckDB database: name another file") from error
            if "Could not set lock" in first:
                detail = f"another program has {self._url} open, and DuckDB lets only one write: close it there"
                raise DatabaseError(detail) from error
            if raised(error):
                detail = (
                    f"{self._url} holds a number that cannot be summed, such as infinity: correct it or filter it out"
                )
                raise DataError(detail) from error
            raise DatabaseError(f"DuckDB failed on {self._url}: {first}") from error


@contextlib.contextmanager
def _attachment(db: "DuckDBPyConnection", path: Path, *, write: bool) -> Iterator[str]:
    """A name that no other call uses, under which the file is attached; all is written when it is detached."""
    alias = f"polyfaas_{uuid.uuid4().hex}"
    options = "TYPE duckdb" if write else "TYPE duckdb, READ_ONLY"
    db.execute(f"ATTACH {engine.text(path)} AS {quoted(alias)} ({options})")
    try:
        yield alias
    finally:
        db.execute(f"DETACH {quoted(alias)}")


def _columns(db: "DuckDBPyConnection", alias: str, table: str) -> dict[str, str]:
    """The columns of a table with their types in the engine's spelling; none where there is no such table."""
    places = "database_name = ? AND schema_name = 'main' AND lower(table_name) = lower(?)"
    # A view is no table: it could read any file of this machine.
    tables = "SELECT table_oid FROM duckdb_tables() WHERE database_name = ?"
    found = f"SELECT column_name, data_type FROM duckdb_columns() WHERE {places} AND table_oid IN ({tables})"
    return dict(db.execute(f"{found} ORDER BY column_index", [alias, table, alias]).fetchall())


def _others(db: "DuckDBPyConnection", alias: str, table: Table) -> int:
    """How much the database holds besides the table."""
    tables = "SELECT count(*) FROM duckdb_tables() WHERE database_name = $1 AND lower(table_name) <> lower($2)"
    views = "SELECT count(*) FROM duckdb_views() WHERE database_name = $1 AND NOT internal"
    found = db.execute(f"SELECT ({tables}) + ({views})", [alias, table.name]).fetchone()
    return int(found[0]) if found else 0


def _create(db: "DuckDBPyConnection", place: str, table: Table) -> None:
    columns = ", ".join(f"{quoted(each.name)} {sql_type(each.type)}" for each in table.columns)
    db.execute(f"CREATE TABLE {place} ({columns})")


def _drop_repeats(db: "DuckDBPyConnection", place: str, key: str) -> int:
    """Delete each row whose key stood in an earlier one; gives their number."""
    column = quoted(key)
    (repeats,) = engine.row(db, f"SELECT count({column}) - count(DISTINCT {column}) FROM {place}")
    if repeats:
        first = f"SELECT min(rowid) FROM {place} GROUP BY {column}"
        db.execute(f"DELETE FROM {place} WHERE {column} IS NOT NULL AND rowid NOT IN ({first})")
    return int(repeats)


def _insert_new(db: "DuckDBPyConnection", place: str, staged: str, table: Table) -> int:
    """Insert the staged rows whose key the table lacks; gives their number."""
    columns, key = ", ".join(quoted(each.name) for each in table.columns), quoted(table.key)
    there = f"SELECT 1 FROM {place} AS old WHERE old.{key} = new.{key}"
    insert = f"INSERT INTO {place} ({columns}) SELECT {columns} FROM {staged} AS new WHERE NOT EXISTS ({there})"
    return int(engine.row(db, insert)[0])


def _place(alias: str, table: str) -> str:
    return f"{quoted(alias)}.main.{quoted(table)}"


def _replace(part: Path, path: Path) -> None:
    """Put a whole file in the place of another, and on the disk before."""
    with part.open("rb") as file:
        os.fsync(file.fileno())
    keep_mode(path, part)
    part.replace(path)


def _remove(part: Path) -> None:
    part.unlink(missing_ok=True)
    part.with_name(f"{part.name}.wal").unlink(missing_ok=True)
