"""Databases by URL: SQLite and DuckDB files, which load fills; CSV and Parquet files, which are only read.

A database loads a table in one visible step and answers aggregate queries over it. URLs follow SQLAlchemy:
`sqlite:///relative.db` counts from the working directory, `sqlite:////absolute.db` from the root; so do duckdb://,
parquet:// and csv://. A plain path is what its ending says (.duckdb, .parquet, .csv), else an SQLite file. Each can be
an object in a store: `sqlite+s3://bucket/sales.db`, or `s3://bucket/sales.parquet`, by its ending.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path, PurePath
from typing import Protocol

import msgspec

from core import storage
from core.database.partial import Aggregate, Group
from core.datasets.grammar import Type
from core.datasets.record import Dataset
from core.errors import Fault, RequestError

# Names that start with sqlite_ are SQLite's own.
TABLE_NAME = r"(?!(?i:sqlite_))[A-Za-z_][A-Za-z0-9_]{0,62}"
KINDS = ("sqlite", "duckdb", "parquet", "csv")


class TableColumn(msgspec.Struct, frozen=True):
    """A column of a table; a date or time is held in ISO form, an amount with the places of its type."""

    name: str
    type: Type


class Table(msgspec.Struct, frozen=True, kw_only=True):
    """A table to load.

    Attributes:
        name: Letters, digits and underscores.
        columns: In the order of the rows.
        key: Column that is unique.
    """

    name: str
    columns: tuple[TableColumn, ...]
    key: str

    def __post_init__(self) -> None:
        check_table_name(self.name)


class Condition(msgspec.Struct, frozen=True):
    """One condition on a column; the operands are already of the column's type, dates and times in ISO form."""

    column: str
    op: str
    operands: tuple[str | int | float, ...]


class Selection(msgspec.Struct, frozen=True, kw_only=True):
    """An aggregate query with every name known to the table.

    Attributes:
        table: Table to read.
        types: The table's columns with their types, as the database tells them.
        group_by: Columns to group by; none gives one group.
        conditions: All must hold.
        aggregates: What to compute for each group, at least one.
    """

    table: str
    types: Mapping[str, Type]
    group_by: tuple[str, ...]
    conditions: tuple[Condition, ...]
    aggregates: tuple[Aggregate, ...]

    def columns(self) -> list[str]:
        """The columns that the answer depends on, each once."""
        conditions = [condition.column for condition in self.conditions]
        aggregates = [aggregate.column for aggregate in self.aggregates if aggregate.column is not None]
        return list(dict.fromkeys([*self.group_by, *conditions, *aggregates]))


class Rows(Protocol):
    """Rows as an Arrow stream (the Arrow PyCapsule interface)."""

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        """A capsule with an ArrowArrayStream."""
        ...


class Database(Protocol):
    """What each backend gives."""

    def load(self, table: Table, batches: Iterable[Rows], *, append: bool) -> tuple[int, int]:
        """Load rows in one visible step; gives rows loaded and rows skipped since their key was there.

        Args:
            table: What to load them as.
            batches: The rows in their order, in parts; each is read before the next is asked for.
            append: Keep the rows that are there, and skip those whose key is among them.

        Raises:
            DatabaseError: The table is as it was before.
            RequestError: The database is a file that is only read.
        """
        ...

    def columns(self, table: str) -> Mapping[str, Type]:
        """The columns of a table with their types, in order.

        Raises:
            NotFoundError: There is no such database or table.
        """
        ...

    def groups(self, selections: Sequence[Selection]) -> Iterator[tuple[int, Group]]:
        """The groups of several selections over one table, in any order, each with its selection's number.

        Their partial aggregates are exact, whatever the order of the rows and the number of threads. A group in which
        no row is may be missing, also the only one of a selection without `group_by`.
        """
        ...


def connect(url: str, dataset: Dataset | None = None) -> Database:
    """The database behind a URL; nothing is opened or made yet.

    Args:
        url: URL or path.
        dataset: Tells the types of a CSV's columns; without it they are texts.

    Raises:
        RequestError: The URL is of no known kind.
    """
    kind, store, name = _located(url)
    if store:
        from core.database.stored import StoredDatabase

        place = f"{store}://{name}"
        storage.check(place)
        return StoredDatabase(url, place, lambda path: _of_file(kind, path, url, dataset))
    try:
        path = storage.real_path(name)
    except ValueError as error:
        raise _bad_url(url, f"{url!r} names no database ({error})") from error
    return _of_file(kind, path, url, dataset)


def _of_file(kind: str, path: Path, url: str, dataset: Dataset | None) -> Database:
    """The database that is a file here."""
    if kind == "duckdb":
        from core.database.duckdb import DuckdbDatabase

        return DuckdbDatabase(path, url)
    if kind in ("csv", "parquet"):
        from core.database.files import CsvFile, ParquetFile

        return CsvFile(path, url, dataset) if kind == "csv" else ParquetFile(path, url, dataset)
    from core.database.sqlite import SqliteDatabase

    return SqliteDatabase(path, url)


def _located(url: str) -> tuple[str, str, str]:
    """The kind of database, the scheme of its store (none for a file here), and its path or name there."""
    scheme, separator, rest = url.partition("://")
    if not separator:
        return _kind(url), "", url
    kind, plus, store = scheme.partition("+")
    if scheme in storage.REMOTE:
        return _kind(rest), scheme, rest
    if kind not in KINDS or (plus and store not in storage.REMOTE):
        raise _bad_url(url, f"there is no database for {scheme}://")
    if store:
        return kind, store, rest
    if not rest.startswith("/"):
        raise _bad_url(url, f"{url!r} names no database")
    return kind, "", rest.removeprefix("/")


def _kind(name: str) -> str:
    """What a file is by its ending."""
    plain = name.lower().removesuffix(".gz").removesuffix(".zst")
    ending = PurePath(plain).suffix.removeprefix(".")
    return ending if ending in KINDS else "sqlite"


def check_table_name(table: str) -> None:
    """Check that a name may be a table's.

    Raises:
        RequestError: It may not.
    """
    if not re.fullmatch(TABLE_NAME, table):
        detail = f"{table!r} cannot be a table's name: use up to 63 letters, digits and underscores"
        raise RequestError(detail, [Fault(path="$.table", detail=detail)])


def _bad_url(url: str, found: str) -> RequestError:
    ways = (
        "write sqlite:///relative.db, sqlite:////absolute.db (or duckdb, parquet, csv in its place), a path, or "
        "sqlite+s3://bucket/name.db (or gs, cos)"
    )
    detail = f"{found}: {ways}"
    return RequestError(detail, [Fault(path="$.database", detail=detail, value=url)])
