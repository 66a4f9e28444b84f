"""What a dataset is: its columns with their types, its key, what transform changes and adds, what query measures."""

from typing import Literal, TypeAlias

import msgspec

from core.datasets.grammar import Type

# The names of the datasets that come with polyfaas.
SHIPPED = ("sales", "payments")


class Column(msgspec.Struct, frozen=True):
    """A column that the input must have.

    Attributes:
        name: Its name, letter for letter; what transform writes is called so.
        type: What its text must be.
        aliases: Other names that a header may give it, the best first.
    """

    name: str
    type: Type = Type()
    aliases: tuple[str, ...] = ()


class Field(msgspec.Struct, frozen=True, tag=True):
    """The value of a column, as it stands in the input."""

    column: str


class Constant(msgspec.Struct, frozen=True, tag=True):
    """The same text in every row."""

    value: str


class DaysBetween(msgspec.Struct, frozen=True, tag=True):
    """Whole days from one date column to another, in the proleptic Gregorian calendar; null where either is empty."""

    start: str
    end: str


class Ratio(msgspec.Struct, frozen=True, tag=True):
    """One number column divided by another, as the nearest double of their nearest doubles' quotient.

    Null where the divisor is zero or either is empty.
    """

    dividend: str
    divisor: str


class DatePart(msgspec.Struct, frozen=True, tag=True):
    """The year or the month (1 to 12) of a date or timestamp column, as a whole number; null where it is empty."""

    part: Literal["year", "month"]
    column: str


class Iso(msgspec.Struct, frozen=True, tag=True):
    """A date column as YYYY-MM-DD, a timestamp column as YYYY-MM-DD hh:mm:ss; null where it is empty."""

    column: str


class Upper(msgspec.Struct, frozen=True, tag=True):
    """A text in capitals, letter by letter: what has no single capital stays as it is."""

    of: "Text"


class Trim(msgspec.Struct, frozen=True, tag=True):
    """A text without the blanks (U+0020) at both ends."""

    of: "Text"


class Concat(msgspec.Struct, frozen=True, tag=True):
    """Texts one after the other."""

    parts: tuple["Text", ...]


class Mapping(msgspec.Struct, frozen=True, tag=True):
    """The new value for each old one.

    Attributes:
        of: The old value.
        values: New values by old ones.
        otherwise: The new value of all others; None refuses them, which only a column's own value allows.
    """

    of: "Text"
    values: dict[str, str]
    otherwise: str | None = None


class Bucket(msgspec.Struct, frozen=True, tag=True):
    """A label for the range that a number column lies in; null where it is empty.

    Attributes:
        column: An integer or decimal column.
        edges: Rising bounds, as decimal texts; the range i holds what is below edge i and not below the one before.
        labels: One more than edges.
    """

    column: str
    edges: tuple[str, ...]
    labels: tuple[str, ...]


Text: TypeAlias = Field | Constant | Iso | Upper | Trim | Concat | Mapping | Bucket
Expression: TypeAlias = Text | DaysBetween | Ratio | DatePart


class Derived(msgspec.Struct, frozen=True):
    """A value that transform computes: a column that it adds at the end, or the new value of one that is there."""

    name: str
    type: Type
    expression: Expression


Function: TypeAlias = Literal["sum", "avg", "min", "max", "count"]
Op: TypeAlias = Literal["eq", "ne", "lt", "le", "gt", "ge", "in", "between", "is_null"]
Scalar: TypeAlias = str | int | float | None


class Metric(msgspec.Struct, frozen=True):
    """An aggregate that query gives when the request names none; without a column, count counts rows."""

    name: str
    function: Function
    column: str | None = None


class Filter(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A condition on one column.

    Attributes:
        column: The column's name.
        op: How to compare.
        value: What to compare with: a list for "in", two values for "between", nothing for "is_null".
    """

    column: str
    op: Op = "eq"
    value: Scalar | list[Scalar] = None


class Order(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What to order result rows by.

    Attributes:
        by: A column of group_by or the name of an aggregate.
        descending: From the largest to the smallest.
    """

    by: str
    descending: bool = False


class NamedQuery(msgspec.Struct, frozen=True, kw_only=True):
    """A query that a request can name; see `core.services.query.QueryRequest` for the fields."""

    name: str
    group_by: tuple[str, ...] = ()
    filters: tuple[Filter, ...] = ()
    aggregates: tuple[Metric, ...] = ()
    order_by: tuple[Order, ...] = ()
    limit: int | None = None


UNTRANSFORMED = "run transform on the file first, and use what it wrote"


class Dataset(msgspec.Struct, frozen=True, kw_only=True):
    """The shape of one kind of file and what the pipeline does with it.

    Attributes:
        name: How a request names it; load's table is called so when the request names none.
        columns: The columns that the input must have.
        key: Column that identifies a record: transform keeps the first of each, load makes it unique.
        changes: New values of columns that are there, by the column's name.
        derived: Columns that transform adds.
        metrics: What query gives when it is not told.
        queries: Queries that a request can name.
        cure: What to do about a file that lacks a column, for messages.
        extra_columns: What transform does with the input's other columns: pass them through as text, or drop them.
    """

    name: str
    columns: tuple[Column, ...]
    key: str
    changes: tuple[Derived, ...] = ()
    derived: tuple[Derived, ...] = ()
    metrics: tuple[Metric, ...] = ()
    queries: tuple[NamedQuery, ...] = ()
    extra_columns: Literal["keep", "drop"] = "keep"
    cure: str = ""

    def types(self) -> dict[str, Type]:
        """The type of each column of the input."""
        return {column.name: column.type for column in self.columns}

    def transformed(self) -> "Dataset":
        """The shape of what transform writes: changed columns have their new types, derived ones are columns."""
        changed = {change.name: change.type for change in self.changes}
        columns = tuple(Column(column.name, changed.get(column.name, column.type)) for column in self.columns)
        derived = tuple(Column(column.name, column.type) for column in self.derived)
        return msgspec.structs.replace(self, columns=columns + derived, changes=(), derived=(), cure=UNTRANSFORMED)
