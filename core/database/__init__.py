"""Databases by URL: SQLite.

A database loads a table in one visible step and answers aggregate queries over it. URLs follow SQLAlchemy:
`sqlite:///relative.db` counts from the working directory, `sqlite:////absolute.db` from the root; a plain path
is an SQLite file.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import msgspec

from core.datasets.record import ColumnType
from core.errors import Fault, RequestError
from core.storage import real_path

# Names that start with sqlite_ are SQLite's own.
TABLE_NAME = r"(?!(?i:sqlite_))[A-Za-z_][A-Za-z0-9_]{0,62}"


class TableColumn(msgspec.Struct, frozen=True):
    """A column of a table; a date is held as ISO text, an amount with two places."""

    name: str
    type: ColumnType


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


class Aggregate(msgspec.Struct, frozen=True):
    """One aggregate over a column, or over whole rows where column is None (count)."""

    function: str
    column: str | None


class Condition(msgspec.Struct, frozen=True):
    """One condition on a column; the operands are already of the column's type."""

    column: str
    op: str
    operands: tuple[str | int | float, ...]


class Selection(msgspec.Struct, frozen=True, kw_only=True):
    """An aggregate query with every name known to the table.

    Attributes:
        table: Table to read.
        group_by: Columns to group and order by; none gives one row.
        conditions: All must hold.
        aggregates: What to compute for each group, at least one.
    """

    table: str
    group_by: tuple[str, ...]
    conditions: tuple[Condition, ...]
    aggregates: tuple[Aggregate, ...]


class Rows(Protocol):
    """Rows as an Arrow stream (the Arrow PyCapsule interface)."""

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        """A capsule with an ArrowArrayStream."""
        ...


class Database(Protocol):
    """What each backend gives."""

    def load(self, table: Table, rows: Rows, *, append: bool) -> tuple[int, int]:
        """Load rows in one visible step; gives rows loaded and rows skipped since their key was there.

        Raises:
            DatabaseError: The table is as it was before.
        """
        ...

    def columns(self, table: str) -> Mapping[str, ColumnType]:
        """The columns of a table with their types, in order.

        Raises:
            NotFoundError: There is no such database or table.
        """
        ...

    def select(self, selection: Selection) -> Sequence[tuple[Any, ...]]:
        """The rows of a selection: the group's values, then the aggregates'.

        Sums of integers are int, of amounts Decimal, averages are the double nearest to the exact quotient, whatever
        the order of the rows.
        """
        ...


def connect(url: str) -> Database:
    """The database behind a URL; nothing is opened or made yet.

    Raises:
        RequestError: The URL is of no known kind.
    """
    from core.database.sqlite import SqliteDatabase

    scheme, separator, rest = url.partition("://")
    if separator and scheme != "sqlite":
        raise _bad_url(url, f"there is no database for {scheme}://")
    if separator and not rest.startswith("/"):
        raise _bad_url(url, f"{url!r} names no database")
    try:
        return SqliteDatabase(real_path(rest.removeprefix("/") if separator else url), url)
    except ValueError as error:
        raise _bad_url(url, f"{url!r} names no database ({error})") from error


def check_table_name(table: str) -> None:
    """Check that a name may be a table's.

    Raises:
        RequestError: It may not.
    """
    if not re.fullmatch(TABLE_NAME, table):
        detail = f"{table!r} cannot be a table's name: use up to 63 letters, digits and underscores"
        raise RequestError(detail, [Fault(path="$.table", detail=detail)])


def _bad_url(url: str, found: str) -> RequestError:
    detail = f"{found}: write sqlite:///relative.db, sqlite:////absolute.db or a path"
    return RequestError(detail, [Fault(path="$.database", detail=detail, value=url)])
