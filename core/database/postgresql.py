"""PostgreSQL: a table loaded by COPY inside one transaction, which whoever reads sees at its end, or never.

New rows go into a table of their own, which takes the old one's name when it is whole; what kills the loader or the
server before, rolls all of it back.
"""

import re
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from core.database import postgresql_table as tables
from core.database import server, statement
from core.database.partial import Group
from core.database.port import Rows, Selection, Table, check_table_name
from core.database.relation import Relation
from core.datasets.grammar import Type
from core.engine import name as quoted
from core.errors import AccessError, DatabaseError, NotFoundError, PolyfaasError, RequestError
from core.profiler import span

if TYPE_CHECKING:
    import psycopg

OPTIONS = ("sslmode", "sslrootcert", "sslcert", "sslkey", "schema")
LOCK_TIMEOUT_S = 30
DIALECT = statement.Dialect(
    double="'{}'::float8",
    whole="({})::bigint",
    moment={"date": "{}::date", "timestamp": "{}::timestamp"},
)


class PostgresqlDatabase:
    """A database of a PostgreSQL server, Amazon RDS and Aurora, Cloud SQL and Azure's among them.

    Args:
        url: `postgresql://user@host:5432/name`, with `?password=env:NAME`, `sslmode`, `sslrootcert`, `sslcert`,
            `sslkey` and `schema` where they are needed. A host that is not this machine must show a certificate that
            the system trusts, unless `sslmode` says otherwise.

    Raises:
        RequestError: The URL is wrong, or holds a password.
    """

    def __init__(self, url: str) -> None:
        self._url = url
        self._server = server.server(url, OPTIONS)

    def load(self, table: Table, batches: Iterable[Rows], *, append: bool) -> tuple[int, int]:
        """Load rows in one visible step; see `Database.load`."""
        staged = f"polyfaas_{uuid.uuid4().hex}"
        with self._connected() as db, db.transaction():
            with span("ingest"):
                tables.create(db, staged, table, temporary=append)
                rows = tables.copied(db, staged, table, batches, freeze=not append)
            with span("index"):
                unique = rows - tables.made_unique(db, staged, table)
            with span("publish"):
                loaded = self._publish(db, staged, table, unique, append=append)
        return loaded, rows - loaded

    def columns(self, table: str) -> Mapping[str, Type]:
        """The columns of a table; see `Database.columns`."""
        with self._connected() as db:
            return self._relation(db, table).types()

    def groups(self, selections: Sequence[Selection]) -> Iterator[tuple[int, Group]]:
        """The groups of selections, as the table was at one moment; see `Database.groups`."""
        with self._connected() as db, db.transaction():
            db.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            relation = self._relation(db, selections[0].table)

            def run(sql: str, operands: list[Any]) -> list[tuple[Any, ...]]:
                return db.execute(sql.encode(), operands).fetchall()

            found = list(statement.groups(DIALECT, run, relation, selections))
        yield from found

    def drop(self, table: str) -> bool:
        """Remove a table; see `Database.drop`."""
        check_table_name(table)
        with self._connected() as db, db.transaction():
            there = bool(tables.columns(db, table))
            db.execute(f"DROP TABLE IF EXISTS {quoted(table)}".encode())
        return there

    def stored_bytes(self, table: str) -> int:
        """How much room the table takes; see `Database.stored_bytes`."""
        with self._connected() as db:
            self._relation(db, table)
            (size,) = tables.row(db, "SELECT pg_total_relation_size(to_regclass(%s))", quoted(table))
            return int(size)

    def close(self) -> None:
        """End the connection that this instance keeps; see `Database.close`."""
        server.close(self._url)

    def _relation(self, db: "psycopg.Connection", table: str) -> Relation:
        check_table_name(table)
        columns = tables.columns(db, table)
        if not columns:
            raise NotFoundError(f"{self._url} has no table {table!r}: load it first")
        return Relation(quoted(table), {name: tables.value(name, spelling) for name, spelling in columns.items()})

    def _publish(self, db: "psycopg.Connection", staged: str, table: Table, rows: int, *, append: bool) -> int:
        """Make the staged rows visible when the transaction ends; gives how many came in."""
        db.execute(f"SET LOCAL lock_timeout = '{LOCK_TIMEOUT_S}s'")
        # Of loads into one table, one publishes at a time; the table may not be there to be locked.
        db.execute("SELECT pg_advisory_xact_lock(hashtextextended(current_schema() || %s, 0))", [f".{table.name}"])
        old = tables.columns(db, table.name)
        if append and old:
            return self._appended(db, staged, table, old)
        if append:
            tables.create(db, table.name, table, temporary=False)
            tables.made_unique(db, table.name, table)
            return self._appended(db, staged, table, tables.columns(db, table.name))
        if old:
            tables.grant_as_before(db, staged, table.name)
            db.execute(f"DROP TABLE {quoted(table.name)}".encode())
        db.execute(f"ALTER TABLE {quoted(staged)} RENAME TO {quoted(table.name)}".encode())
        return rows

    def _appended(self, db: "psycopg.Connection", staged: str, table: Table, old: Mapping[str, str]) -> int:
        if different := tables.differing(table, old):
            detail = f"table {table.name} in {self._url} has other columns ({', '.join(different)})"
            raise RequestError(f'{detail}: use "mode": "replace"')
        if not tables.keyed(db, table) and not tables.indexed(db, table.name, table):
            detail = f'table {table.name} in {self._url} holds a "{table.key}" twice: use "mode": "replace"'
            raise RequestError(detail)
        columns = ", ".join(quoted(column.name) for column in table.columns)
        insert = f"INSERT INTO {quoted(table.name)} ({columns}) SELECT {columns} FROM {quoted(staged)}"
        return db.execute(f"{insert} ON CONFLICT ({quoted(table.key)}) DO NOTHING".encode()).rowcount

    @contextmanager
    def _connected(self) -> Iterator["psycopg.Connection"]:
        """The connection of this instance; what psycopg raises becomes our errors here."""
        try:
            import psycopg
        except ImportError as error:
            raise DatabaseError("postgresql:// needs psycopg: install polyfaas[postgresql]") from error
        try:
            with server.connection(self._url, self._open, _alive) as db:
                yield db
        except psycopg.Error as error:
            raise _meant(self._url, error) from error

    def _open(self) -> "psycopg.Connection":
        import psycopg

        at = self._server
        given = {key: value for key, value in at.options.items() if key.startswith("ssl")}
        if not at.local:
            given = {"sslmode": "verify-full", **given}
            if given["sslmode"].startswith("verify"):
                given = {"sslrootcert": "system", **given}
        db = psycopg.connect(
            host=at.host or None,
            port=at.port,
            user=at.user,
            dbname=at.name,
            password=at.password(),
            connect_timeout=server.CONNECT_TIMEOUT_S,
            application_name="polyfaas",
            autocommit=True,
            prepare_threshold=None,  # a pooler between here and the server may give each transaction another session
            **given,  # type: ignore[arg-type]  # libpq's own names
        )
        if schema := at.options.get("schema"):
            db.execute(f"SET search_path = {quoted(schema)}".encode())
        return db


def _alive(db: "psycopg.Connection") -> bool:
    import psycopg

    try:
        db.execute("SELECT 1")
    except psycopg.Error:
        return False
    return True


def _meant(url: str, error: "psycopg.Error") -> PolyfaasError:
    """What an error of PostgreSQL's means; never with the text of a row or a secret."""
    from psycopg import errors

    said = (error.diag.message_primary or str(error)).partition("\n")[0]
    refused = errors.InvalidPassword | errors.InvalidAuthorizationSpecification | errors.InsufficientPrivilege
    if isinstance(error, refused) or "no password supplied" in said or "authentication failed" in said:
        return AccessError(f"access to {url} was refused ({said}): check user, password and what they allow")
    if isinstance(error, errors.InvalidCatalogName) or re.search('database ".*" does not exist', said):
        return NotFoundError(f"there is no database at {url} ({said}): make it first")
    if isinstance(error, errors.DependentObjectsStillExist):
        return DatabaseError(f'{url}: {said}: drop what depends on it, or use "mode": "append"')
    if isinstance(error, errors.LockNotAvailable):
        return DatabaseError(f"{url}: other sessions held the table for {LOCK_TIMEOUT_S} s: repeat the load")
    if isinstance(error, errors.DataError):
        return RequestError(f"{url} does not take a value: {said}")
    return DatabaseError(f"PostgreSQL failed on {url}: {said}")
