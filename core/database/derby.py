"""Apache Derby's network server, by its own JDBC client in a Java machine in this process.

New rows go into a table of their own, which takes the old one's name in one short transaction. Derby orders texts by
UTF-16's units and takes those that differ in blanks at their end for equal: so it only stores, and a query reads the
columns that it needs, which the engine aggregates.
"""

import re
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from typing import Any

from core import engine
from core.database import derby_client, scan, server
from core.database.derby_client import Session
from core.database.fresh import PIECE, Fresh
from core.database.partial import Group
from core.database.port import Rows, Selection, Table, check_table_name
from core.database.relation import Relation
from core.database.spool import spooled
from core.datasets.grammar import Kind, Type
from core.engine import name as quoted
from core.errors import AccessError, DatabaseError, NotFoundError, PolyfaasError, RequestError
from core.profiler import span

OPTIONS = ("create", "ssl")
LONGEST = 32_672  # letters in UTF-16
DECLARED: dict[Kind, str] = {
    "text": f"VARCHAR({LONGEST})",
    "integer": "BIGINT",
    "decimal": "DECIMAL({0.precision},{0.scale})",
    "date": "DATE",
    "timestamp": "TIMESTAMP",
    "double": "DOUBLE",
}
KINDS: dict[str, Kind] = {
    **dict.fromkeys(("BIGINT", "INTEGER", "SMALLINT"), "integer"),
    **dict.fromkeys(("DOUBLE", "REAL"), "double"),
    "DATE": "date",
    "TIMESTAMP": "timestamp",
}
STAGED = re.compile(r"polyfaas_([0-9]{8}T[0-9]{6}Z)_[0-9a-f]{32}")
KEPT = timedelta(days=1)
ROWS_AT_ONCE = 2_000
IN_SCHEMA = (
    "FROM SYS.SYSTABLES AS t JOIN SYS.SYSSCHEMAS AS s ON t.SCHEMAID = s.SCHEMAID AND s.SCHEMANAME = CURRENT SCHEMA"
)
# Derby's SQLSTATEs: https://db.apache.org/derby/docs/10.14/ref/rrefexcept71493.html
REFUSED, GONE = ("08004", "28", "42502"), ("08", "58009")
REPLACED = "40000"
OVERTAKEN = ("40", "X0Y32", "X0Y68", "42X05", "42Y55", "23505", "XSAI2")


class DerbyDatabase:
    """A database of an Apache Derby network server.

    Args:
        url: `derby://user@host:1527/name`, with `?password=env:NAME`, `create=true` to make the database where there
            is none, and `ssl` (off, basic or peerAuthentication, the default where the host is not this machine).

    Raises:
        RequestError: The URL is wrong, or holds a password.
    """

    def __init__(self, url: str) -> None:
        self._url = url
        self._server = server.server(url, OPTIONS)

    def load(self, table: Table, batches: Iterable[Rows], *, append: bool) -> tuple[int, int]:
        """Load rows in one visible step; see `Database.load`."""
        staged = f"polyfaas_{datetime.now(UTC):%Y%m%dT%H%M%SZ}_{uuid.uuid4().hex}"
        with self._connected() as session:
            _sweep(session)
            seen = _identity(session, table.name)
            old = _columns(session, table.name)
            if append and old:
                self._check_same(table, old)
            try:
                with engine.session() as db, span("ingest"):
                    fresh = Fresh(db, table)
                    if append and old:
                        key = {table.key: old[table.key]}
                        fresh.know(spooled(db, key, session.texts(_select(table.name, key), ROWS_AT_ONCE)).source)
                    _fill(session, staged, table, _texts(fresh, db, batches, table))
                with span("publish"):
                    if append:
                        _append(session, staged, table, seen)
                    else:
                        _replace(session, staged, table)
            except BaseException:
                with suppress(derby_client.SqlError):  # the connection may be gone; the table is swept a day later
                    session.back()
                    session.run(f"DROP TABLE {quoted(staged)}")
                    session.commit()
                raise
        return fresh.kept, fresh.rows - fresh.kept

    def columns(self, table: str) -> Mapping[str, Type]:
        """The columns of a table; see `Database.columns`."""
        check_table_name(table)
        with self._connected() as session:
            found = _columns(session, table)
            session.commit()
        if not found:
            raise NotFoundError(f"{self._url} has no table {table!r}: load it first")
        return found

    def groups(self, selections: Sequence[Selection]) -> Iterator[tuple[int, Group]]:
        """The groups of selections, by the engine; see `Database.groups`."""
        table, types = selections[0].table, selections[0].types
        needed = {column: types[column] for each in selections for column in each.columns()}
        with engine.session() as db:
            with self._connected() as session, span("fetch"):
                relation: Relation = spooled(db, needed, session.texts(_select(table, needed), ROWS_AT_ONCE))
                session.commit()
            yield from scan.groups(db, relation, selections)

    def drop(self, table: str) -> bool:
        """Remove a table; see `Database.drop`."""
        check_table_name(table)
        with self._connected() as session:
            there = bool(_columns(session, table))
            if there:
                session.run(f"DROP TABLE {quoted(table)}")
            session.commit()
        return there

    def stored_bytes(self, table: str) -> int:
        """How much room the table takes; see `Database.stored_bytes`."""
        self.columns(table)
        pages = "SELECT SUM(NUMALLOCATEDPAGES * PAGESIZE) FROM TABLE (SYSCS_DIAG.SPACE_TABLE(CURRENT SCHEMA, ?)) AS x"
        with self._connected() as session:
            ((size,),) = session.run(pages, table)
            session.commit()
        return int(size or 0)

    def close(self) -> None:
        """End the connection that this instance keeps; see `Database.close`."""
        server.close(self._url)

    def _check_same(self, table: Table, old: Mapping[str, Type]) -> None:
        new = {column.name: DECLARED[column.type.kind].format(column.type) for column in table.columns}
        there = {name: DECLARED[kind.kind].format(kind) for name, kind in old.items()}
        if different := sorted(dict(set(new.items()) ^ set(there.items()))):
            detail = f"table {table.name} in {self._url} has other columns ({', '.join(different)})"
            raise RequestError(f'{detail}: use "mode": "replace"')

    @contextmanager
    def _connected(self) -> Iterator[Session]:
        """The connection of this instance; what the client raises becomes our errors here."""
        derby_client.start()
        try:
            with server.connection(self._url, self._open, Session.alive) as session:
                yield session
        except derby_client.SqlError as error:
            raise _meant(self._url, error) from error

    def _open(self) -> Session:
        at = self._server
        ssl = at.options.get("ssl", "off" if at.local else "peerAuthentication")
        if ssl not in ("off", "basic", "peerAuthentication"):
            raise server.wrong(self._url, f"there is no ssl {ssl}: use off, basic or peerAuthentication")
        if at.options.get("create", "true") != "true" or ";" in at.name:
            raise server.wrong(self._url, "create may only be true, and the name holds no semicolon")
        create = ";create=true" if "create" in at.options else ""
        place = f"jdbc:derby://{at.host or 'localhost'}:{at.port or 1527}/{at.name};ssl={ssl}{create}"
        return derby_client.connect(place, {"user": at.user, "password": at.password()})


def _meant(url: str, error: derby_client.SqlError) -> PolyfaasError:
    """What an error of Derby's means, by its SQLSTATE."""
    if "not found" in error.said and error.state.startswith("08"):
        return NotFoundError(f"there is no database at {url}: make it first, or write create=true")
    if error.state.startswith(REFUSED):
        return AccessError(f"access to {url} was refused ({error.said}): check user, password and what they allow")
    if error.state.startswith(GONE):
        return DatabaseError(f"the connection to {url} was lost, or could not be made ({error.said}): repeat the call")
    if error.state.startswith(OVERTAKEN):
        return DatabaseError(f"{url} was changed by another load meanwhile ({error.said}): repeat this one")
    return DatabaseError(f"Derby failed on {url}: {error.said}")


def _columns(session: Session, table: str) -> dict[str, Type]:
    """The columns of a table; none where there is no such table."""
    return {name: _type(kind, digits, places) for name, kind, digits, places in session.columns(table)}


def _identity(session: Session, table: str) -> str:
    """What tells a table from every other one that has or had its name; nothing where there is no such table."""
    found = session.run(f"SELECT t.TABLEID {IN_SCHEMA} WHERE t.TABLENAME = ?", table)
    return str(found[0][0]) if found else ""


def _type(spelled: str, digits: int, places: int) -> Type:
    if spelled in ("DECIMAL", "NUMERIC"):
        return Type("decimal", precision=digits, scale=places)
    return Type(KINDS.get(spelled, "text"))


def _select(table: str, columns: Mapping[str, Type]) -> str:
    return f"SELECT {', '.join(map(quoted, columns)) or '1'} FROM {quoted(table)}"


def _texts(fresh: Fresh, db: Any, batches: Iterable[Rows], table: Table) -> Iterator[Sequence[Sequence[str | None]]]:
    """The new rows as texts, many at once."""
    columns = ", ".join(f"{quoted(column.name)}::VARCHAR" for column in table.columns)
    for rows in batches:
        if fresh.take(rows):
            db.execute(f"SELECT {columns} FROM {PIECE}")
            while found := db.fetchmany(ROWS_AT_ONCE):
                _check_lengths(found)
                yield found


def _check_lengths(rows: Iterable[Sequence[str | None]]) -> None:
    """Derby would cut a text that is a letter too long, and say nothing."""
    for row in rows:
        for value in row:
            if value and len(value) > LONGEST // 2 and len(value.encode("utf-16-le")) > 2 * LONGEST:
                raise RequestError(f"Derby's texts have at most {LONGEST:,} letters, and one is longer")


def _fill(session: Session, staged: str, table: Table, rows: Iterable[Sequence[Sequence[str | None]]]) -> None:
    """Make a table with these rows and a unique key."""
    columns = ", ".join(
        f"{quoted(each.name)} {DECLARED[each.type.kind].format(each.type)}{' NOT NULL' * (each.name == table.key)}"
        for each in table.columns
    )
    session.run(f"CREATE TABLE {quoted(staged)} ({columns})")
    session.commit()
    session.insert(f"INSERT INTO {quoted(staged)} VALUES ({', '.join('?' * len(table.columns))})", rows)
    session.run(f"CREATE UNIQUE INDEX {quoted(staged)} ON {quoted(staged)} ({quoted(table.key)})")
    session.commit()


def _replace(session: Session, staged: str, table: Table) -> None:
    """Give the staged table the name, in one transaction."""
    if _identity(session, table.name):
        session.run(f"DROP TABLE {quoted(table.name)}")
    session.run(f"RENAME TABLE {quoted(staged)} TO {quoted(table.name)}")
    session.commit()


def _append(session: Session, staged: str, table: Table, seen: str) -> None:
    """Put the staged rows into the table whose keys were seen, in one transaction.

    Who reads would see some of the rows, so the table is locked; and it must be the one that the load has begun with:
    another one may lack rows that were skipped since this one had them.
    """
    name = quoted(table.name)
    if seen:
        session.run(f"LOCK TABLE {name} IN EXCLUSIVE MODE")
        if _identity(session, table.name) != seen:
            raise derby_client.SqlError(REPLACED, "it is another table now")
        columns = ", ".join(quoted(column.name) for column in table.columns)
        session.run(f"INSERT INTO {name} ({columns}) SELECT {columns} FROM {quoted(staged)}")
        session.run(f"DROP TABLE {quoted(staged)}")
    else:
        session.run(f"RENAME TABLE {quoted(staged)} TO {name}")
    session.commit()


def _sweep(session: Session) -> None:
    """Drop the tables of loads that were killed so long ago that none runs any more."""
    oldest = f"{datetime.now(UTC) - KEPT:%Y%m%dT%H%M%SZ}"
    for (name,) in session.run(f"SELECT t.TABLENAME {IN_SCHEMA} WHERE t.TABLENAME LIKE 'polyfaas%'"):
        found = STAGED.fullmatch(str(name))
        if found and found[1] < oldest:
            session.run(f"DROP TABLE {quoted(str(name))}")
    session.commit()
