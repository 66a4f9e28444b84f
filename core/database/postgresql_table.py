"""Tables of PostgreSQL: made, filled by COPY, indexed, looked at."""

import re
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from core.database import text
from core.database.feeding import feeding
from core.database.port import Rows, Table
from core.database.relation import Value
from core.datasets.grammar import Kind, Type
from core.engine import name as quoted
from core.errors import DatabaseError

if TYPE_CHECKING:
    import psycopg

# Texts are ordered by code point, in every database and whatever its locale.
DECLARED: dict[Kind, str] = {
    "text": 'text COLLATE "C"',
    "integer": "bigint",
    "decimal": "numeric({0.precision},{0.scale})",
    "date": "date",
    "timestamp": "timestamp without time zone",
    "double": "double precision",
}
FOREIGN: dict[str, Kind] = {"integer": "integer", "smallint": "integer", "real": "double"}
KINDS = {declared: kind for kind, declared in DECLARED.items() if kind not in ("text", "decimal")} | FOREIGN
NUMERIC = re.compile(r"numeric\(([0-9]+),([0-9]+)\)")


def create(db: "psycopg.Connection", name: str, table: Table, *, temporary: bool) -> None:
    """Make a table without rows; a temporary one is gone when the transaction ends."""
    columns = ", ".join(f"{quoted(each.name)} {DECLARED[each.type.kind].format(each.type)}" for each in table.columns)
    kind, end = ("TEMPORARY TABLE", " ON COMMIT DROP") if temporary else ("TABLE", "")
    db.execute(f"CREATE {kind} {quoted(name)} ({columns}){end}".encode())


def copied(db: "psycopg.Connection", staged: str, table: Table, batches: Iterable[Rows], *, freeze: bool) -> int:
    """Copy the rows into a table; gives their number.

    Rows are frozen where the table will be the new one: who began to read before it was is shown the rows, not a table
    without any.
    """
    columns = ", ".join(quoted(column.name) for column in table.columns)
    options = "FORMAT csv, FREEZE" if freeze else "FORMAT csv"
    rows = 0
    copy = f"COPY {quoted(staged)} ({columns}) FROM STDIN ({options})"
    with db.cursor() as cursor, cursor.copy(copy.encode()) as to, feeding(to.write) as feeder:
        for piece in text.pieces(table, batches):
            feeder.feed(piece.file)
            rows += piece.rows
    return rows


def made_unique(db: "psycopg.Connection", name: str, table: Table) -> int:
    """Index the key; gives how many records were dropped since their key stood in an earlier one."""
    if indexed(db, name, table):
        return 0
    place, key = quoted(name), quoted(table.key)
    numbered = f"(SELECT ctid, row_number() OVER (PARTITION BY {key} ORDER BY ctid) AS n FROM {place})"
    repeats = f"DELETE FROM {place} WHERE ctid IN (SELECT ctid FROM {numbered} AS found WHERE n > 1)"
    dropped = db.execute(repeats.encode()).rowcount
    indexed(db, name, table)
    return dropped


def indexed(db: "psycopg.Connection", name: str, table: Table) -> bool:
    """Index the key; gives whether it is unique, and no index is made where it is not."""
    from psycopg.errors import UniqueViolation

    try:
        with db.transaction():
            db.execute(f"CREATE UNIQUE INDEX ON {quoted(name)} ({quoted(table.key)})".encode())
    except UniqueViolation:
        return False
    return True


def columns(db: "psycopg.Connection", table: str) -> dict[str, str]:
    """The columns of a table with their types in the server's spelling; none where there is no such table."""
    found = (
        "SELECT attname, format_type(atttypid, atttypmod) FROM pg_attribute "
        "WHERE attrelid = to_regclass(%s) AND attnum > 0 AND NOT attisdropped ORDER BY attnum"
    )
    return dict(db.execute(found, [quoted(table)]).fetchall())


def keyed(db: "psycopg.Connection", table: Table) -> bool:
    """Whether a table has an index by which its key is unique."""
    found = (
        "SELECT count(*) FROM pg_index JOIN pg_attribute ON attrelid = indrelid AND attnum = indkey[0] "
        "WHERE indrelid = to_regclass(%s) AND attname = %s AND indisunique AND indnkeyatts = 1 AND indpred IS NULL"
    )
    return bool(row(db, found, quoted(table.name), table.key)[0])


def differing(table: Table, old: Mapping[str, str]) -> list[str]:
    """The columns that are not the same in a table that is there."""
    new = {column.name: DECLARED[column.type.kind].format(column.type) for column in table.columns}
    kinds = {name: value(name, spelling).type for name, spelling in old.items()}
    there = {name: DECLARED[kind.kind].format(kind) for name, kind in kinds.items()}
    return sorted(dict(set(new.items()) ^ set(there.items())))


def grant_as_before(db: "psycopg.Connection", staged: str, table: str) -> None:
    """Let the same roles do the same with the new table."""
    from psycopg import sql

    found = (
        "SELECT CASE grantee WHEN 0 THEN NULL ELSE pg_get_userbyid(grantee) END, privilege_type FROM pg_class, "
        "aclexplode(relacl) WHERE oid = to_regclass(%s) AND grantee <> relowner"
    )
    for role, privilege in db.execute(found, [quoted(table)]).fetchall():
        grant = sql.SQL("GRANT {} ON {} TO {}")
        to = sql.SQL("PUBLIC") if role is None else sql.Identifier(role)
        db.execute(grant.format(sql.SQL(privilege), sql.Identifier(staged), to))


def value(name: str, spelling: str) -> Value:
    """A column with the type that the server declares it with; what is no type of ours is a text."""
    column = quoted(name).replace("%", "%%")  # in a statement with parameters
    if found := NUMERIC.fullmatch(spelling):
        return Value(column, Type("decimal", precision=int(found[1]), scale=int(found[2])))
    kind = KINDS.get(spelling, "text")
    cast = "" if kind != "text" or spelling == "text" else "::text"
    collation = ' COLLATE "C"' if kind == "text" else ""
    return Value(f"({column}{cast}{collation})" if cast or collation else column, Type(kind))


def row(db: "psycopg.Connection", query: str, *operands: Any) -> tuple[Any, ...]:
    """The only row of a query."""
    found: tuple[Any, ...] | None = db.execute(query.encode(), operands).fetchone()
    if found is None:
        raise DatabaseError("PostgreSQL gave no row where there is always one")
    return found
