"""Rows as the text that servers take in bulk: CSV, a piece at a time, made by the engine."""

from collections.abc import Iterable, Iterator, Sequence
from typing import IO, TYPE_CHECKING, Any

import msgspec

from core import engine
from core.database.port import Rows, Table
from core.database.relation import sql_type
from core.engine import name as quoted

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection


class Piece(msgspec.Struct, frozen=True):
    """Some rows as CSV without a header.

    Attributes:
        file: In memory, as long as the next piece is not asked for.
        rows: How many there are.
        widths: Of each column of texts, how many letters the longest has.
    """

    file: IO[bytes]
    rows: int
    widths: dict[str, int]


def pieces(table: Table, batches: Iterable[Rows], *, null: str = "", widths: bool = False) -> Iterator[Piece]:
    """The rows as CSV, a piece for each batch.

    A text is quoted where it has to be, and where it would be read as null. Amounts have the places of their type,
    doubles all their digits, dates and times are in ISO form.

    Args:
        table: What the columns are.
        batches: Each is read before the next is asked for.
        null: What stands for no value, without quotes.
        widths: Whether to tell the columns' widths.
    """
    options = f"FORMAT csv, HEADER false, USE_TMP_FILE false, NULLSTR {engine.text(null)}"
    if len(table.columns) == 1:
        options += ", FORCE_QUOTE *"  # a line of nothing but \\. would end what PostgreSQL reads
    texts = [each.name for each in table.columns if each.type.kind == "text"] if widths else []
    with engine.session() as db:
        for rows in batches:
            with engine.memory_file() as (file, path):
                db.register("polyfaas_rows", rows)
                source = "polyfaas_rows"
                if texts:
                    source = "polyfaas_piece"  # a batch is read once
                    db.execute(f"CREATE OR REPLACE TEMP TABLE {source} AS SELECT * FROM polyfaas_rows")
                copied = f"COPY (SELECT {_cast(table)} FROM {source}) TO {engine.text(path)} ({options})"
                (count,) = engine.row(db, copied)
                db.unregister("polyfaas_rows")
                yield Piece(file, int(count), _widths(db, source, texts))


def _widths(db: "DuckDBPyConnection", source: str, texts: Sequence[str]) -> dict[str, int]:
    if not texts:
        return {}
    longest = ", ".join(f"max(length({quoted(each)}))" for each in texts)
    found = db.execute(f"SELECT {longest} FROM {source}").fetchall()[0]
    return {name: length or 0 for name, length in zip(texts, found, strict=True)}


def values(table: Table, batches: Iterable[Rows], most: int) -> Iterator[list[tuple[Any, ...]]]:
    """The rows as Python's values: str, int, Decimal, date, datetime and float, or None; so many at once.

    Args:
        table: What the columns are.
        batches: Each is read before the next is asked for.
        most: How many rows at once, at most.
    """
    with engine.session() as db:
        for rows in batches:
            db.register("polyfaas_rows", rows)
            db.execute(f"SELECT {_cast(table)} FROM polyfaas_rows")
            while found := db.fetchmany(most):
                yield found
            db.unregister("polyfaas_rows")


def _cast(table: Table) -> str:
    """The columns in types of their own; rows come with amounts as doubles, and dates as texts."""
    return ", ".join(f"CAST({quoted(each.name)} AS {sql_type(each.type)})" for each in table.columns)
