"""MySQL and MariaDB: a table loaded by LOAD DATA, put in the old one's place by one rename.

Tables cannot be made inside a transaction here: new rows go into a table of a name of its own, whose lock this session
holds. What a killed loader leaves is known by its free lock, and dropped by the next load. The key is indexed after the
rows: InnoDB takes ten times as long to insert rows in the order of a random key.
"""

import os
import ssl
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from typing import TYPE_CHECKING, Any

from core.database import server, statement
from core.database.mysql_table import (
    Staging,
    columns,
    differing,
    indexed,
    keyed,
    lock,
    made_unique,
    publishing,
    put,
    quoted,
    run,
    sweep,
)
from core.database.partial import Group
from core.database.port import Rows, Selection, Table, check_table_name
from core.database.relation import Relation, Value
from core.datasets.grammar import Type
from core.errors import AccessError, DatabaseError, NotFoundError, PolyfaasError, RequestError
from core.profiler import span

if TYPE_CHECKING:
    from pymysql.connections import Connection

OPTIONS = ("ssl_mode", "ssl_ca")
PORT = 3306
LOCK_TIMEOUT_S = 30
# The number of MySQL's and MariaDB's errors that say no.
REFUSED = (1044, 1045, 1142, 1143, 1227, 1698, 3118, 4151)
NO_DATABASE = 1049
LOST = (2003, 2006, 2013, 2014)
DIALECT = statement.Dialect(
    double="{}",
    whole="CAST({} AS SIGNED)",
    moment={"date": "CAST({} AS DATE)", "timestamp": "CAST({} AS DATETIME)"},
)


class MysqlDatabase:
    """A database of a MySQL or MariaDB server, Amazon RDS and Aurora, Cloud SQL and Azure's among them.

    Args:
        url: `mysql://user@host:3306/name`, with `?password=env:NAME`, `ssl_mode` (disabled, required, verify_ca or
            verify_identity, the default where the host is not this machine) and `ssl_ca` where they are needed.

    Raises:
        RequestError: The URL is wrong, or holds a password.
    """

    def __init__(self, url: str) -> None:
        self._url = url
        self._server = server.server(url, OPTIONS)

    def load(self, table: Table, batches: Iterable[Rows], *, append: bool) -> tuple[int, int]:
        """Load rows in one visible step; see `Database.load`."""
        staged = f"polyfaas_{uuid.uuid4().hex}"
        with self._connected() as db:
            sweep(db)
            lock(db, staged)
            try:
                return self._loaded(db, staged, table, batches, append=append)
            finally:
                with suppress(Exception):  # the connection may be gone, and the lock with it
                    run(db, f"DROP TABLE IF EXISTS {quoted(staged)}, {quoted(staged + '_old')}")
                    run(db, "DO RELEASE_LOCK(%s)", staged)

    def columns(self, table: str) -> Mapping[str, Type]:
        """The columns of a table; see `Database.columns`."""
        with self._connected() as db:
            return self._relation(db, table).types()

    def groups(self, selections: Sequence[Selection]) -> Iterator[tuple[int, Group]]:
        """The groups of selections, as the table was at one moment; see `Database.groups`."""
        with self._connected() as db:
            relation = self._relation(db, selections[0].table)
            run(db, "START TRANSACTION READ ONLY")

            found = list(statement.groups(DIALECT, partial(_answered, db), relation, selections))
            db.rollback()
        yield from found

    def drop(self, table: str) -> bool:
        """Remove a table; see `Database.drop`."""
        check_table_name(table)
        with self._connected() as db:
            there = bool(columns(db, table))
            run(db, f"DROP TABLE IF EXISTS {quoted(table)}")
        return there

    def stored_bytes(self, table: str) -> int:
        """How much room the table takes; see `Database.stored_bytes`."""
        with self._connected() as db:
            self._relation(db, table)
            run(db, f"ANALYZE TABLE {quoted(table)}")
            sizes = "SELECT data_length + index_length FROM information_schema.tables"
            ((size,),) = run(db, f"{sizes} WHERE table_schema = DATABASE() AND table_name = %s", table)
            return int(size)

    def close(self) -> None:
        """End the connection that this instance keeps; see `Database.close`."""
        server.close(self._url)

    def _loaded(
        self, db: "Connection[Any]", staged: str, table: Table, batches: Iterable[Rows], *, append: bool
    ) -> tuple[int, int]:
        staging = Staging(db, staged, table)
        with span("ingest"):
            rows = staging.fill(batches)
        with span("index"):
            unique = rows - made_unique(db, staged, table)
        with span("publish"), publishing(db, table.name):
            old = columns(db, table.name)
            if append and old:
                return (loaded := self._appended(db, staging, old)), rows - loaded
            put(db, staged, table.name, there=bool(old))
        return unique, rows - unique

    def _appended(self, db: "Connection[Any]", staging: Staging, old: Mapping[str, Value]) -> int:
        table = staging.table
        if different := differing(table, old):
            detail = f"table {table.name} in {self._url} has other columns ({', '.join(different)})"
            raise RequestError(f'{detail}: use "mode": "replace"')
        if not keyed(db, table) and not indexed(db, table.name, table):
            detail = f'table {table.name} in {self._url} holds a "{table.key}" twice: use "mode": "replace"'
            raise RequestError(detail)
        return staging.append_to(table.name)

    def _relation(self, db: "Connection[Any]", table: str) -> Relation:
        check_table_name(table)
        found = columns(db, table)
        if not found:
            raise NotFoundError(f"{self._url} has no table {table!r}: load it first")
        return Relation(quoted(table), found)

    @contextmanager
    def _connected(self) -> Iterator["Connection[Any]"]:
        """The connection of this instance; what PyMySQL raises becomes our errors here."""
        try:
            import pymysql
        except ImportError as error:
            raise DatabaseError("mysql:// needs PyMySQL: install polyfaas[mysql]") from error
        try:
            with server.connection(self._url, self._open, _alive) as db:
                yield db
        except pymysql.MySQLError as error:
            raise _meant(self._url, error) from error

    def _open(self) -> "Connection[Any]":
        import pymysql

        at = self._server
        modes = "STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION"
        return pymysql.connect(
            host=at.host or "localhost",
            port=at.port or PORT,
            user=at.user,
            password=at.password() or os.environ.get("MYSQL_PWD", ""),
            database=at.name,
            charset="utf8mb4",
            local_infile=True,
            autocommit=True,
            connect_timeout=server.CONNECT_TIMEOUT_S,
            init_command=f"SET sql_mode = '{modes}', lock_wait_timeout = {LOCK_TIMEOUT_S}, "
            f"innodb_lock_wait_timeout = {LOCK_TIMEOUT_S}, unique_checks = 0, foreign_key_checks = 0",
            **_tls(at),
        )


def _tls(at: server.Server) -> dict[str, Any]:
    """How to encrypt: the certificate of a remote host is verified, unless the URL asks for less."""
    mode = at.options.get("ssl_mode", "disabled" if at.local else "verify_identity").lower()
    if mode not in ("disabled", "required", "verify_ca", "verify_identity"):
        raise server.wrong(at.url, f"there is no ssl_mode {mode}: use disabled, required, verify_ca or verify_identity")
    if mode == "disabled":
        return {"ssl_disabled": True}
    try:
        context = ssl.create_default_context(cafile=at.options.get("ssl_ca"))
    except OSError as error:
        raise server.wrong(at.url, f"ssl_ca cannot be read ({error.strerror or error}): name a PEM file") from error
    context.check_hostname = mode == "verify_identity"
    if mode == "required":
        context.verify_mode = ssl.CERT_NONE
    return {"ssl": context}


def _alive(db: "Connection[Any]") -> bool:
    import pymysql

    try:
        db.ping(reconnect=False)
    except pymysql.MySQLError:
        return False
    return True


def _meant(url: str, error: Exception) -> PolyfaasError:
    """What an error of MySQL's means."""
    number, said = (*error.args, "", "")[:2]
    if number in REFUSED:
        return AccessError(f"access to {url} was refused ({said}): check user, password and what they allow")
    if number == NO_DATABASE:
        return NotFoundError(f"there is no database at {url} ({said}): make it first")
    if number in LOST:
        return DatabaseError(f"the connection to {url} was lost, or could not be made ({said}): repeat the call")
    return DatabaseError(f"MySQL failed on {url}: {said or error}")


def _answered(db: "Connection[Any]", sql: str, operands: list[Any]) -> list[tuple[Any, ...]]:
    with db.cursor() as cursor:
        cursor.execute(sql, operands)
        return list(cursor.fetchall())
