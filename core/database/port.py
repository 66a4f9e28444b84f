"""What every kind of database does, and the records that it takes."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Protocol

import msgspec

from core.database.partial import Aggregate, Group
from core.datasets.grammar import Type
from core.errors import Fault, RequestError

# Names that start with sqlite_ are SQLite's own.
TABLE_NAME = r"(?!(?i:sqlite_))[A-Za-z_][A-Za-z0-9_]{0,62}"


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

    def drop(self, table: str) -> bool:
        """Remove a table in one visible step; gives whether there was one.

        Raises:
            DatabaseError: The table is as it was before.
            RequestError: The database is a file that is only read.
        """
        ...

    def stored_bytes(self, table: str) -> int:
        """How much room the table takes where it is stored, with its index; the file's length, where all is one file.

        Raises:
            NotFoundError: There is no such database or table.
        """
        ...

    def close(self) -> None:
        """End the connection that this instance keeps, if it keeps one; the next call makes another."""
        ...


def check_table_name(table: str) -> None:
    """Check that a name may be a table's.

    Raises:
        RequestError: It may not.
    """
    if not re.fullmatch(TABLE_NAME, table):
        detail = f"{table!r} cannot be a table's name: use up to 63 letters, digits and underscores"
        raise RequestError(detail, [Fault(path="$.table", detail=detail)])
