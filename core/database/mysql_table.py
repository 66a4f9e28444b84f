"""Tables of MySQL and MariaDB: made, filled, indexed and put in each other's place."""

import hashlib
import logging
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from typing import IO, TYPE_CHECKING, Any

from core.database import text
from core.database.feeding import Feeder
from core.database.port import Rows, Table
from core.database.relation import Value
from core.datasets.grammar import Kind, Type
from core.errors import DatabaseError, RequestError

if TYPE_CHECKING:
    from pymysql.connections import Connection

log = logging.getLogger("polyfaas.core")

DECLARED: dict[Kind, str] = {
    "integer": "BIGINT",
    "decimal": "DECIMAL({0.precision},{0.scale})",
    "date": "DATE",
    "timestamp": "DATETIME",
    "double": "DOUBLE",
}
KINDS: dict[str, Kind] = {
    **dict.fromkeys(("bigint", "int", "mediumint", "smallint", "tinyint"), "integer"),
    **dict.fromkeys(("double", "float"), "double"),
    **dict.fromkeys(("datetime", "timestamp"), "timestamp"),
    "date": "date",
}
# A text is grouped by in memory as long as it is no LONGTEXT; a row's texts share 65,535 bytes, four a letter.
WIDEST, ROW_LETTERS, LEAST = 255, 15_000, 20
WIDEST_KEY = 768  # an index takes 3,072 bytes
STAGED = re.compile(r"(polyfaas_[0-9a-f]{32})(?:_old)?")
LOCK_TIMEOUT_S = 30
ROWS_AT_ONCE = 1000
DUPLICATE = 1062
NULL = "NULL"
CSV = "FIELDS TERMINATED BY ',' OPTIONALLY ENCLOSED BY '\"' ESCAPED BY '' LINES TERMINATED BY '\\n'"


def quoted(identifier: str) -> str:
    """An identifier as MySQL writes it."""
    return "`" + identifier.replace("`", "``") + "`"


def run(db: "Connection[Any]", sql: str, *operands: Any) -> list[tuple[Any, ...]]:
    """Run a statement; gives its rows."""
    with db.cursor() as cursor:
        cursor.execute(sql, operands or None)  # without any, a per cent sign in a name is one
        return list(cursor.fetchall())


def one(db: "Connection[Any]", sql: str, *operands: Any) -> Any:
    """The only value of a statement."""
    ((found,),) = run(db, sql, *operands)
    return found


class Staging:
    """A table of a name of its own, made for the rows of one load.

    Args:
        db: The connection.
        name: What to call it.
        table: Its columns and key.
    """

    def __init__(self, db: "Connection[Any]", name: str, table: Table) -> None:
        self.name = name
        self.table = table
        self._db = db
        self._collation = _collation(db)
        texts = sum(column.type.kind == "text" for column in table.columns) or 1
        width = min(WIDEST, ROW_LETTERS // texts)
        self._widths = {c.name: width if width >= LEAST else 0 for c in table.columns if c.type.kind == "text"}

    def fill(self, batches: Iterable[Rows]) -> int:
        """Make the table and put the rows into it; gives their number."""
        columns = ", ".join(
            f"{quoted(each.name)} {self._declared(each.name, each.type)}" for each in self.table.columns
        )
        run(self._db, f"CREATE TABLE {quoted(self.name)} ({columns})")
        if one(self._db, "SELECT @@GLOBAL.local_infile"):
            return self._streamed(batches)
        log.warning(
            "the server forbids LOAD DATA LOCAL (local_infile): rows are inserted, which takes several times as long"
        )
        return self._inserted(batches)

    def append_to(self, name: str) -> int:
        """Insert the rows into another table of these columns, but those whose key is there; gives how many were."""
        wide = [column for column, width in self._widths.items() if not width or width > WIDEST]
        for column in wide:
            self._widen(name, column)
        columns = ", ".join(quoted(column.name) for column in self.table.columns)
        insert = f"INSERT INTO {quoted(name)} ({columns}) SELECT {columns} FROM {quoted(self.name)}"
        same = f"{quoted(name)}.{quoted(self.table.key)}"
        with self._db.cursor() as cursor:
            return int(cursor.execute(f"{insert} ON DUPLICATE KEY UPDATE {same} = {same}"))

    def _declared(self, column: str, kind: Type) -> str:
        if kind.kind != "text":
            return DECLARED[kind.kind].format(kind) + (" NOT NULL" if column == self.table.key else "")
        width = self._widths[column]
        return f"{f'VARCHAR({width})' if width else 'LONGTEXT'} CHARACTER SET utf8mb4 COLLATE {self._collation}"

    def _streamed(self, batches: Iterable[Rows]) -> int:
        """One LOAD DATA for as many rows as the columns are wide enough for, in parts."""
        rows = 0
        stream = _Stream(self._db, self.name)
        try:
            for piece in text.pieces(self.table, batches, null=NULL, widths=True):
                if self._narrow(piece.widths):
                    stream.end()
                    self._make_room(piece.widths)
                    stream = _Stream(self._db, self.name)
                stream.feed(piece.file)
                rows += piece.rows
            stream.end()
        finally:
            stream.give_up()
        return rows

    def _inserted(self, batches: Iterable[Rows]) -> int:
        """Inserts of many rows each."""
        rows = 0
        insert = f"INSERT INTO {quoted(self.name)} VALUES ({', '.join(['%s'] * len(self.table.columns))})"
        texts = [index for index, column in enumerate(self.table.columns) if column.name in self._widths]
        for listed in text.values(self.table, batches, ROWS_AT_ONCE):
            self._make_room({self.table.columns[i].name: max(len(row[i]) for row in listed) for i in texts})
            with self._db.cursor() as cursor:
                rows += cursor.executemany(insert, listed)
        return rows

    def _narrow(self, widths: Mapping[str, int]) -> dict[str, int]:
        """The columns that are too narrow for texts of these widths, with these."""
        return {name: width for name, width in widths.items() if 0 < self._widths[name] < width}

    def _make_room(self, widths: Mapping[str, int]) -> None:
        for column, width in self._narrow(widths).items():
            if column == self.table.key:
                if width > WIDEST_KEY:
                    raise RequestError(f'MySQL takes a key of {WIDEST_KEY} letters, and a "{column}" has {width}')
                self._widths[column] = WIDEST_KEY
            else:
                self._widths[column] = 0
            self._widen(self.name, column)

    def _widen(self, name: str, column: str) -> None:
        run(self._db, f"ALTER TABLE {quoted(name)} MODIFY {quoted(column)} {self._declared(column, Type())}")


class _Stream:
    """One LOAD DATA statement, which reads from a pipe what it is fed."""

    def __init__(self, db: "Connection[Any]", name: str) -> None:
        self._db = db
        self._reader, self._writer = os.pipe()
        self._pool = ThreadPoolExecutor(2, "polyfaas-load")
        self._feeder = Feeder(self._pool, self._write)
        path = f"/proc/self/fd/{self._reader}"
        sql = f"LOAD DATA LOCAL INFILE '{path}' INTO TABLE {quoted(name)} CHARACTER SET utf8mb4 {CSV}"
        self._warnings: Future[int] = self._pool.submit(self._run, sql)

    def feed(self, file: IO[bytes]) -> None:
        """Send a file's content.

        Raises:
            DatabaseError: The server has stopped reading.
        """
        try:
            self._feeder.feed(file)
        except BrokenPipeError:
            self._warnings.result()
            raise DatabaseError("the server read only a part of what it was sent: repeat the load") from None

    def end(self) -> None:
        """Wait until all is in the table.

        Raises:
            DatabaseError: The server did not take a value as it is.
        """
        with suppress(BrokenPipeError):  # the statement knows why
            self._feeder.wait()
        os.close(self._writer)
        self._writer = -1
        if self._warnings.result():
            found = "; ".join(str(said) for _, _, said in run(self._db, "SHOW WARNINGS LIMIT 3"))
            raise DatabaseError(f"the server would not take every value as it is ({found})")

    def give_up(self) -> None:
        """End the statement where it is, if it has not ended."""
        if self._writer >= 0:
            with suppress(BrokenPipeError):
                self._feeder.wait()
            os.close(self._writer)
            self._writer = -1
        self._pool.shutdown()

    def _run(self, sql: str) -> int:
        try:
            with self._db.cursor() as cursor:
                cursor.execute(sql)
                return int(cursor.warning_count)
        except (OSError, AttributeError) as error:  # PyMySQL goes on to use a connection that is gone
            raise DatabaseError("the connection was lost while rows were sent: repeat the load") from error
        finally:
            os.close(self._reader)

    def _write(self, block: bytes) -> None:
        view = memoryview(block)
        while view:
            view = view[os.write(self._writer, view) :]


def sweep(db: "Connection[Any]") -> None:
    """Drop the tables of loads that were killed: those whose lock no session holds."""
    for (name,) in run(db, "SHOW TABLES LIKE %s", r"polyfaas\_%"):
        found = STAGED.fullmatch(name)
        if found and one(db, "SELECT IS_FREE_LOCK(%s)", found[1]):
            run(db, f"DROP TABLE IF EXISTS {quoted(name)}")


def lock(db: "Connection[Any]", name: str) -> None:
    """Hold a lock as long as this session lasts, or until it is released."""
    if not one(db, "SELECT GET_LOCK(%s, %s)", name, LOCK_TIMEOUT_S):
        raise DatabaseError(f"another load was publishing for {LOCK_TIMEOUT_S} s: repeat this one")


@contextmanager
def publishing(db: "Connection[Any]", table: str) -> Iterator[None]:
    """Of all loads into one table, one publishes at a time."""
    place = f"{one(db, 'SELECT DATABASE()')}.{table}"
    name = f"polyfaas {hashlib.sha256(place.encode()).hexdigest()[:40]}"
    lock(db, name)
    try:
        yield
    finally:
        run(db, "DO RELEASE_LOCK(%s)", name)


def put(db: "Connection[Any]", staged: str, name: str, *, there: bool) -> None:
    """Put a table in the place of another, which is dropped, in one step that readers see."""
    new, old = f"{quoted(staged)} TO {quoted(name)}", f"{staged}_old"
    if not there:
        run(db, f"RENAME TABLE {new}")
        return
    run(db, f"RENAME TABLE {quoted(name)} TO {quoted(old)}, {new}")
    run(db, f"DROP TABLE {quoted(old)}")


def made_unique(db: "Connection[Any]", name: str, table: Table) -> int:
    """Index the key; gives how many records were dropped since their key stood in an earlier one."""
    if indexed(db, name, table):
        return 0
    place, key = quoted(name), quoted(table.key)
    number = quoted(f"{name}_row")  # in the order in which the rows came: InnoDB reads them so
    run(db, f"ALTER TABLE {place} ADD COLUMN {number} BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY")
    first = f"(SELECT {key} AS k, MIN({number}) AS n FROM {place} GROUP BY {key})"
    with db.cursor() as cursor:
        join = f"FROM {place} AS t JOIN {first} AS found ON t.{key} = found.k AND t.{number} > found.n"
        dropped = int(cursor.execute(f"DELETE t {join}"))
    run(db, f"ALTER TABLE {place} DROP COLUMN {number}")
    indexed(db, name, table)
    return dropped


def indexed(db: "Connection[Any]", name: str, table: Table) -> bool:
    """Index the key; gives whether it is unique, and no index is made where it is not."""
    from pymysql.err import IntegrityError

    try:
        run(db, f"ALTER TABLE {quoted(name)} ADD UNIQUE INDEX ({quoted(table.key)})")
    except IntegrityError as error:
        if error.args[0] != DUPLICATE:
            raise
        return False
    return True


def keyed(db: "Connection[Any]", table: Table) -> bool:
    """Whether a table has an index by which its key is unique."""
    found = (
        "SELECT index_name FROM information_schema.statistics WHERE table_schema = DATABASE() AND table_name = %s "
        "AND non_unique = 0 AND sub_part IS NULL GROUP BY index_name HAVING count(*) = 1 AND min(column_name) = %s"
    )
    return bool(run(db, found, table.name, table.key))


def columns(db: "Connection[Any]", table: str) -> dict[str, Value]:
    """The columns of a table; none where there is no such table."""
    found = (
        "SELECT column_name, data_type, numeric_precision, numeric_scale, collation_name "
        "FROM information_schema.columns WHERE table_schema = DATABASE() AND table_name = %s ORDER BY ordinal_position"
    )
    collation = _collation(db)
    return {name: _value(name, spelled, collation) for name, *spelled in run(db, found, table)}


def differing(table: Table, old: Mapping[str, Value]) -> list[str]:
    """The columns that are not the same in a table that is there."""
    new = {column.name: _comparable(column.type) for column in table.columns}
    there = {name: _comparable(value.type) for name, value in old.items()}
    return sorted(dict(set(new.items()) ^ set(there.items())))


def _comparable(kind: Type) -> str:
    return DECLARED.get(kind.kind, "TEXT").format(kind)


def _value(name: str, spelled: list[Any], collation: str) -> Value:
    """A column with its type; what is no type of ours is a text, ordered by code point."""
    data_type, precision, scale, collated = spelled
    column = quoted(name).replace("%", "%%")  # in a statement with parameters
    if data_type == "decimal":
        return Value(column, Type("decimal", precision=int(precision), scale=int(scale)))
    kind = KINDS.get(data_type, "text")
    if kind != "text" or collated == collation:
        return Value(column, Type(kind))
    return Value(f"(CONVERT({column} USING utf8mb4) COLLATE {collation})", Type(kind))


def _collation(db: "Connection[Any]") -> str:
    """By code point, and a blank at the end counts; MySQL and MariaDB call it differently."""
    return "utf8mb4_nopad_bin" if "MariaDB" in str(db.get_server_info()) else "utf8mb4_0900_bin"
