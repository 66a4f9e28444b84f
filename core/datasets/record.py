"""What a dataset is: its columns with their types, its key, what is derived and what is measured."""

from typing import Literal, TypeAlias

import msgspec

ColumnType: TypeAlias = Literal["text", "integer", "decimal", "date", "double"]

# One grammar a type, in the syntax that Python's re and the engine's RE2 share, so that both accept the same
# text. 13 digits before the point keep an amount in cents exact in a double (below 2**53); the calendar has no year 0;
# a double of so few digits is finite.
GRAMMAR: dict[ColumnType, str] = {
    "integer": r"-?[0-9]{1,18}",
    "decimal": r"-?[0-9]{1,13}(\.[0-9]{1,2})?",
    "date": r"[0-9]{1,2}/[0-9]{1,2}/([1-9][0-9]{3}|0[1-9][0-9]{2}|00[1-9][0-9]|000[1-9])",
    "double": r"(-?[0-9]{1,20}(\.[0-9]{1,30})?([eE][-+]?[0-9]{1,2})?)?",
}
EXPECTED: dict[ColumnType, str] = {
    "integer": "a whole number of at most 18 digits",
    "decimal": "a number of at most 13 digits and 2 decimals, such as 1234.50",
    "date": "a date as month/day/year, such as 5/28/2010",
    "double": "a number below 1e99 or nothing",
}
DATE_FORMAT = "%m/%d/%Y"


class Column(msgspec.Struct, frozen=True):
    """A column of the CSV.

    Attributes:
        name: As in the header, letter for letter.
        type: What its text must be; a decimal has two places, a date is M/D/YYYY.
    """

    name: str
    type: ColumnType = "text"


class DaysBetween(msgspec.Struct, frozen=True, tag=True):
    """Whole calendar days from one date column to another."""

    start: str
    end: str


class Ratio(msgspec.Struct, frozen=True, tag=True):
    """One column divided by another, as a double; null where the divisor is zero."""

    dividend: str
    divisor: str


class Derived(msgspec.Struct, frozen=True):
    """A column that transform adds at the end of each row."""

    name: str
    type: ColumnType
    expression: DaysBetween | Ratio


Function: TypeAlias = Literal["sum", "avg", "min", "max", "count"]


class Metric(msgspec.Struct, frozen=True):
    """An aggregate that query gives when the request names none."""

    name: str
    function: Function
    column: str


class Dataset(msgspec.Struct, frozen=True, kw_only=True):
    """The shape of one kind of CSV file and what the pipeline does with it.

    Attributes:
        name: How a request names it.
        columns: The columns that the CSV must have; others are passed through as text.
        key: Column that identifies a record: transform keeps the first of each, load makes it unique.
        mappings: Per column, the new value of each old one; no other value is allowed.
        derived: Columns that transform adds.
        metrics: What query gives when it is not told.
    """

    name: str
    columns: tuple[Column, ...]
    key: str
    mappings: dict[str, dict[str, str]]
    derived: tuple[Derived, ...]
    metrics: tuple[Metric, ...]

    def types(self) -> dict[str, ColumnType]:
        """The type of each column, the derived ones included."""
        return {column.name: column.type for column in self.columns} | {
            column.name: column.type for column in self.derived
        }

    def transformed(self) -> "Dataset":
        """The shape of what transform writes: the derived columns are columns, the mapped values the new ones."""
        derived = tuple(Column(column.name, column.type) for column in self.derived)
        mappings = {column: {new: new for new in values.values()} for column, values in self.mappings.items()}
        return msgspec.structs.replace(self, columns=self.columns + derived, derived=(), mappings=mappings)
