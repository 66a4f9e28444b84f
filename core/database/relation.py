"""A table or file as the engine sees it, and how its columns become values of the types that queries know."""

import re
from collections.abc import Iterable, Mapping

import msgspec

from core.datasets.grammar import Kind, Type, engine_format, pattern
from core.engine import name, text

# Starts the message of an error that a statement raises itself, and parts its fields.
MARK = "\x1f"
KINDS: dict[str, Kind] = {
    **dict.fromkeys(("BIGINT", "INTEGER", "SMALLINT", "TINYINT", "HUGEINT"), "integer"),
    **dict.fromkeys(("UBIGINT", "UINTEGER", "USMALLINT", "UTINYINT"), "integer"),
    **dict.fromkeys(("DOUBLE", "FLOAT"), "double"),
    **dict.fromkeys(("TIMESTAMP", "TIMESTAMP_S", "TIMESTAMP_MS", "TIMESTAMP_NS"), "timestamp"),
    "DATE": "date",
}
DECIMAL = re.compile(r"DECIMAL\(([0-9]+),([0-9]+)\)")
SQL_TYPES: dict[Kind, str] = {
    "text": "VARCHAR",
    "integer": "BIGINT",
    "decimal": "DECIMAL({0.precision}, {0.scale})",
    "date": "DATE",
    "timestamp": "TIMESTAMP",
    "double": "DOUBLE",
}


class Value(msgspec.Struct, frozen=True):
    """A column: the SQL expression that gives it, of the SQL type that its type has here."""

    sql: str
    type: Type


class Relation(msgspec.Struct, frozen=True):
    """What can be selected from.

    Attributes:
        source: A table expression.
        columns: By name, in order.
    """

    source: str
    columns: Mapping[str, Value]

    def types(self) -> dict[str, Type]:
        """The type of each column."""
        return {column: value.type for column, value in self.columns.items()}


def sql_type(kind: Type) -> str:
    """The engine's type for a column."""
    return SQL_TYPES[kind.kind].format(kind)


def stored(columns: Iterable[tuple[str, str]]) -> dict[str, Value]:
    """Columns that have types already, given with these in the engine's spelling; an unknown one becomes text."""
    return {column: _stored(column, spelling) for column, spelling in columns}


def _stored(column: str, spelling: str) -> Value:
    if found := DECIMAL.fullmatch(spelling):
        return Value(name(column), Type("decimal", precision=int(found[1]), scale=int(found[2])))
    kind = KINDS.get(spelling, "text")
    cast = "" if spelling == "VARCHAR" or kind == "integer" else f"::{SQL_TYPES[kind]}"
    return Value(name(column) + cast, Type(kind))


def parsed(column: str, kind: Type, *, optional: bool) -> Value:
    """A column of texts as its type; a text that does not fit stops the statement with `refusal` of it.

    Args:
        column: Its name; null is an empty field.
        kind: What its texts must be.
        optional: Whether an empty field is null, instead of one that does not fit.
    """
    field = name(column)
    if kind.kind == "text":
        return Value(f"coalesce({field}, '')", kind)
    empty = f"WHEN {field} IS NULL THEN NULL " if optional else ""
    fits = f"WHEN regexp_full_match({field}, {text(pattern(kind))}) THEN {_cast(field, kind)}"
    return Value(f"CASE {empty}{fits} ELSE {refusal(column)} END", kind)


def raised(error: Exception) -> list[str]:
    """What a statement of ours said when it stopped: nothing where the engine has stopped by itself."""
    _, _, said = str(error).partition(": ")
    return said.split(MARK, 2)[1:] if said.startswith(MARK) else []


def refusal(column: str) -> str:
    """An SQL expression that stops the statement and tells the column and the value."""
    return f"error({text(MARK + column + MARK)} || coalesce({name(column)}, ''))"


def _cast(field: str, kind: Type) -> str:
    if kind.kind in ("date", "timestamp"):
        return f"strptime({field}, {text(engine_format(kind))})::{SQL_TYPES[kind.kind]}"
    return f"{field}::{sql_type(kind)}"
