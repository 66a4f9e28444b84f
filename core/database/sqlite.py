"""SQLite: one file, one keyed table, loaded through a private file that appears whole.

Rows go by ADBC into a file of their own that nobody else opens, so that the two copies of the SQLite library in
this process (ADBC's and Python's) never meet on one file. That file then becomes the database by a rename, or its
rows are copied over in one transaction where the database holds more than this table.
"""

import contextlib
import os
import re
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from core.database.exact import group, register, statement
from core.database.partial import Group
from core.database.port import Rows, Selection, Table, check_table_name
from core.datasets.grammar import Kind, Type
from core.engine import name as quoted
from core.errors import DatabaseError, DataError, NotFoundError, RequestError
from core.profiler import span
from core.storage import check_writable, keep_mode, part_beside

if TYPE_CHECKING:
    from adbc_driver_manager import AdbcConnection

BUSY_TIMEOUT_S = 30.0
DECLARED: dict[Kind, str] = {
    "text": "TEXT",
    "integer": "INTEGER",
    "decimal": "DECIMAL({0.precision}, {0.scale})",
    "date": "DATE",
    "timestamp": "TIMESTAMP",
    "double": "DOUBLE",
}
DECIMAL = re.compile(r"DECIMAL\(([0-9]+), ([0-9]+)\)")
# A file that nobody else sees until it is whole needs no journal and no lock hand-over.
PRIVATE_FILE = ("journal_mode = OFF", "synchronous = OFF", "locking_mode = EXCLUSIVE", "cache_size = -32000")


class SqliteDatabase:
    """An SQLite file.

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
                    staged = _stage(part, table, batches)
                with span("index"):
                    unique = staged - _make_unique(part, table)
                with span("publish"):
                    loaded = self._publish(part, table, unique, append=append)
        finally:
            part.unlink(missing_ok=True)
        return loaded, staged - loaded

    def columns(self, table: str) -> Mapping[str, Type]:
        """The columns of a table; see `Database.columns`."""
        check_table_name(table)
        with self._mapped(), self._reader() as db:
            columns = _columns(db, table)
        if not columns:
            raise NotFoundError(f"{self._url} has no table {table!r}: load it first")
        return columns

    def groups(self, selections: Sequence[Selection]) -> Iterator[tuple[int, Group]]:
        """The groups of selections, one selection after the other; see `Database.groups`."""
        with self._mapped(), self._reader() as db:
            register(db)
            for number, selection in enumerate(selections):
                for row in _selected(db, selection):
                    yield number, group(row, selection)

    def drop(self, table: str) -> bool:
        """Remove a table; see `Database.drop`."""
        check_table_name(table)
        with self._mapped():
            if not self._path.is_file():
                return False
            with self._reader() as db:
                there = bool(_columns(db, table))
                db.execute(f"DROP TABLE IF EXISTS main.{quoted(table)}")
                db.commit()
        return there

    def stored_bytes(self, table: str) -> int:
        """The file's length; see `Database.stored_bytes`."""
        self.columns(table)
        return self._path.stat().st_size

    def close(self) -> None:
        """No connection is kept."""

    def _publish(self, part: Path, table: Table, rows: int, *, append: bool) -> int:
        """Make the staged rows visible; gives how many came in."""
        with part.open("rb") as file:
            os.fsync(file.fileno())
        if self._made(part):
            return rows
        with self._locked(part) as db:
            (journal,) = db.execute("PRAGMA journal_mode").fetchone()
            if not append and journal != "wal" and _others(db, table) == 0:
                keep_mode(self._path, part)
                part.replace(self._path)
                return rows
            loaded = self._merge(db, table, append=append)
            db.execute("COMMIT")
            return loaded

    def _made(self, part: Path) -> bool:
        """Make the part the database, unless there is one: a link, other than a rename, never replaces."""
        try:
            os.link(part, self._path)
        except OSError:
            if self._path.exists():
                return False
            part.replace(self._path)  # a file system without hard links
        return True

    @contextlib.contextmanager
    def _locked(self, part: Path) -> Iterator[sqlite3.Connection]:
        """The database in an exclusive transaction, with the part attached as "staged".

        The lock waits for readers and writers, and rolls back what a killed writer left: only then is it safe to
        put another file in this one's place. If another load did so meanwhile, the lock is on the old file: again.
        """
        while True:
            before = self._path.stat()
            with contextlib.closing(sqlite3.connect(self._path, timeout=BUSY_TIMEOUT_S, isolation_level=None)) as db:
                db.execute("ATTACH ? AS staged", [str(part)])
                db.execute("BEGIN EXCLUSIVE")
                if os.path.samestat(before, self._path.stat()):
                    yield db
                    return

    def _merge(self, db: sqlite3.Connection, table: Table, *, append: bool) -> int:
        """Bring the staged rows into a database that holds more, inside the caller's transaction."""
        name, columns = quoted(table.name), _list(table)
        old = _columns(db, table.name)
        if append and old:
            self._check_same(table, old)
            self._check_keyed(db, table)
        else:
            db.execute(f"DROP TABLE IF EXISTS main.{name}")
            db.execute(_create(table))
            db.execute(_unique(table))
        insert = f"INSERT INTO main.{name} ({columns}) SELECT {columns} FROM staged.{name} WHERE true"
        return db.execute(f"{insert} ON CONFLICT ({quoted(table.key)}) DO NOTHING").rowcount

    def _check_same(self, table: Table, old: Mapping[str, Type]) -> None:
        new = {column.name: _declared(column.type) for column in table.columns}
        there = {name: _declared(kind) for name, kind in old.items()}
        if new != there:
            found = ", ".join(sorted(dict(set(new.items()) ^ set(there.items()))))
            raise RequestError(f'table {table.name} in {self._url} has other columns ({found}): use "mode": "replace"')

    def _check_keyed(self, db: sqlite3.Connection, table: Table) -> None:
        try:
            db.execute(_unique(table))
        except sqlite3.IntegrityError as error:
            detail = f'table {table.name} in {self._url} holds a "{table.key}" twice: use "mode": "replace"'
            raise RequestError(detail) from error

    @contextlib.contextmanager
    def _reader(self) -> Iterator[sqlite3.Connection]:
        if not self._path.is_file():
            raise NotFoundError(f"there is no database at {self._url}: load it first")
        # Not mode=ro: a reader must be able to roll back what a killed writer left. It makes no file.
        uri = f"file:{quote(str(self._path.absolute()))}?mode=rw"
        with contextlib.closing(sqlite3.connect(uri, timeout=BUSY_TIMEOUT_S, uri=True)) as db:
            yield db

    @contextlib.contextmanager
    def _mapped(self) -> Iterator[None]:
        """Turn what SQLite and ADBC raise into our errors: the one place where it happens."""
        import adbc_driver_manager

        try:
            yield
        except (sqlite3.Error, adbc_driver_manager.Error, OSError) as error:
            if getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_NOTADB:
                raise RequestError(f"{self._url} is no SQLite database: name another file") from error
            if "user-defined aggregate" in str(error):
                detail = (
                    f"{self._url} holds a number that cannot be summed, such as infinity: correct it or filter it out"
                )
                raise DataError(detail) from error
            raise DatabaseError(f"SQLite failed on {self._url}: {error}") from error


def _stage(part: Path, table: Table, batches: Iterable[Rows]) -> int:
    """Write rows to a private file; gives their number."""
    import adbc_driver_sqlite
    from adbc_driver_manager import AdbcConnection, AdbcStatement

    with adbc_driver_sqlite.connect(str(part)) as database, AdbcConnection(database) as connection:
        for pragma in PRIVATE_FILE:
            _execute(connection, f"PRAGMA {pragma}")
        _execute(connection, _create(table))
        staged = 0
        for rows in batches:
            with AdbcStatement(connection) as statement:
                ingest = {"adbc.ingest.target_table": table.name, "adbc.ingest.mode": "adbc.ingest.mode.append"}
                statement.set_options(**ingest)
                statement.bind_stream(rows)
                staged += int(statement.execute_update())
        return staged


def _execute(connection: "AdbcConnection", sql: str) -> None:
    from adbc_driver_manager import AdbcStatement

    with AdbcStatement(connection) as statement:
        statement.set_sql_query(sql)
        statement.execute_update()


def _make_unique(part: Path, table: Table) -> int:
    """Index the key; gives the number of records dropped because their key stood in an earlier one."""
    dropped = 0
    with contextlib.closing(sqlite3.connect(part, isolation_level=None)) as db:
        for pragma in PRIVATE_FILE:
            db.execute(f"PRAGMA {pragma}")
        try:
            db.execute(_unique(table))
        except sqlite3.IntegrityError:
            name, key = quoted(table.name), quoted(table.key)
            first = f"SELECT min(rowid) FROM {name} GROUP BY {key}"
            dropped = db.execute(f"DELETE FROM {name} WHERE rowid NOT IN ({first})").rowcount
            db.execute(_unique(table))
    return dropped


def _selected(db: sqlite3.Connection, selection: Selection) -> list[tuple[Any, ...]]:
    """The rows of a selection's statement; all at once, since a late group may be the one that overflows."""
    try:
        return db.execute(*statement(selection)).fetchall()
    except sqlite3.OperationalError as error:
        if "integer overflow" not in str(error):
            raise
        return db.execute(*statement(selection, wide=True)).fetchall()


def _create(table: Table) -> str:
    columns = ", ".join(f"{quoted(column.name)} {_declared(column.type)}" for column in table.columns)
    return f"CREATE TABLE main.{quoted(table.name)} ({columns})"


def _unique(table: Table) -> str:
    index = quoted(f"{table.name} by {table.key}")  # a blank: no table has such a name
    return f"CREATE UNIQUE INDEX IF NOT EXISTS main.{index} ON {quoted(table.name)} ({quoted(table.key)})"


def _list(table: Table) -> str:
    return ", ".join(quoted(column.name) for column in table.columns)


def _columns(db: sqlite3.Connection, table: str) -> dict[str, Type]:
    rows = db.execute("SELECT name, type FROM pragma_table_info(?, 'main')", [table])
    return {name: _type(sql) for name, sql in rows}


def _declared(kind: Type) -> str:
    return DECLARED[kind.kind].format(kind)


def _type(sql: str) -> Type:
    """The type that a column was declared with; another program's is a text."""
    if found := DECIMAL.fullmatch(sql):
        return Type("decimal", precision=int(found[1]), scale=int(found[2]))
    return Type(next((kind for kind, declared in DECLARED.items() if declared == sql), "text"))


def _others(db: sqlite3.Connection, table: Table) -> int:
    """How much the database holds besides the table and what goes with it when it is dropped."""
    others = "SELECT count(*) FROM main.sqlite_schema WHERE tbl_name <> ? COLLATE NOCASE OR type = 'view'"
    (count,) = db.execute(others, [table.name]).fetchone()
    return int(count)
